"""The conditional `a ? b : c` of C, spelled as Python does."""

from __future__ import annotations

import re

__all__ = ["expand_ternary"]

_TOKEN = re.compile(r"::|[()?:,]|[^()?:,]+|:")


def expand_ternary(text: str) -> str:
    """Return a formula with every `a ? b : c` written as `((b) if (a) else (c))`.

    Raises:
        SyntaxError: If a `?` has no `:`, or the other way round, or parentheses do not close.

    Examples:
        >>> expand_ternary("2*(x>1 ? x : y<0 ? 1 : 2)")
        '2*(((x ) if (x>1 ) else (((1 ) if (y<0 ) else (2)))))'
    """
    if "?" not in text:
        return text
    tokens = _TOKEN.findall(text)
    result, position = _group(tokens, 0, frozenset())
    if position != len(tokens):
        raise SyntaxError(f"unexpected {tokens[position]!r}")
    return result


def _group(tokens: list[str], position: int, stops: frozenset[str]) -> tuple[str, int]:
    """Read up to one of `stops` or the end; return the translated text and the position of the stop."""
    pieces: list[str] = []
    while position < len(tokens):
        word = tokens[position]
        if word in stops:
            return "".join(pieces), position
        if word == "(":
            inner, position = _list(tokens, position + 1)
            pieces.append(f"({inner})")
        elif word == "?":
            yes, position = _group(tokens, position + 1, frozenset(":"))
            if position >= len(tokens):
                raise SyntaxError("? without :")
            no, position = _group(tokens, position + 1, stops)
            return f"(({yes.strip()} ) if ({''.join(pieces).strip()} ) else ({no.strip()}))", position
        elif word in (")", ":", ","):
            raise SyntaxError(f"unexpected {word!r}")
        else:
            pieces.append(word)
        position += 1
    return "".join(pieces), position


def _list(tokens: list[str], position: int) -> tuple[str, int]:
    """Read the inside of parentheses; return it and the position of the closing one."""
    items = []
    while True:
        item, position = _group(tokens, position, frozenset({",", ")"}))
        items.append(item)
        if position >= len(tokens):
            raise SyntaxError("( without )")
        if tokens[position] == ")":
            return ",".join(items), position
        position += 1
