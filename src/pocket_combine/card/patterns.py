"""Regular expressions of `nuisance edit` lines, matched as Combine matches them and never for long.

Combine calls `re.match` and asks whether the match covers the whole name. That is not `re.fullmatch`: `a|ab` does not
match `ab`, because the first alternative wins. Patterns whose matching time can grow exponentially are refused, since
cards come from anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from pocket_combine.card.lexical import shown

__all__ = ["whole_match", "column_match", "repetitions"]

_LONGEST = 100_000
_MOST_REPEATS = 8
_TOKEN = re.compile(r"\\.|\[\]?[^\]]*\]|\{\d*,?\d*\}|.", re.DOTALL)


def whole_match(pattern: str) -> Callable[[str], bool]:
    """Return a function that tells whether a name is matched as a whole.

    Raises:
        ValueError: If the pattern is no regular expression, or one that may take forever.

    Examples:
        >>> [whole_match("CMS_.*")(name) for name in ("CMS_scale_j", "lumi")]
        [True, False]
        >>> whole_match("(a+)+b")
        Traceback (most recent call last):
        ValueError: the pattern '(a+)+b' repeats a group that holds a repetition or an alternative: it may take forever
    """
    repetitions(pattern)
    try:
        compiled = re.compile(_simplified(pattern))
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{shown(pattern)} is not a regular expression: {error}") from None

    def matches(name: str) -> bool:
        found = compiled.match(name)
        return found is not None and found.end() == len(name)

    return matches


def column_match(process: str, channel: str) -> tuple[Callable[[str], bool], Callable[[str], bool]]:
    """Return the functions for the PROCESS and CHANNEL words of an edit: `*` is everything, `+` in CHANNEL itself.

    Raises:
        ValueError: As `whole_match`.
    """
    matches_process = _everything if process == "*" else whole_match(process)
    matches_channel = _everything if channel == "*" else whole_match(channel.replace("+", r"\+"))
    return matches_process, matches_channel


def _everything(_: str) -> bool:
    return True


def _simplified(pattern: str) -> str:
    """Return the pattern with `.*.*` as `.*`, which means the same and matches faster."""
    return re.sub(r"(?<!\\)(\.\*){2,}", ".*", pattern)


def repetitions(pattern: str) -> int:
    """Return how many repetitions a pattern has: matching time grows with their number as a power of the length.

    Raises:
        ValueError: If the pattern is so long, or repeats what is so complex, that matching may take forever.

    Examples:
        >>> repetitions("CMS_.*_(2022|2023).*")
        2
    """
    if len(pattern) > _LONGEST:
        raise ValueError(f"a pattern of {len(pattern)} characters, expected at most {_LONGEST}")
    complex_groups: list[bool] = [False]
    repeats = 0
    previous = ""
    after_complex_group = False
    for piece in _TOKEN.findall(_simplified(pattern)):
        is_repeat = piece in "*+" or (piece.startswith("{") and len(piece) > 1)
        if is_repeat and after_complex_group:
            raise ValueError(
                f"the pattern {shown(pattern)} repeats a group that holds a repetition or an alternative: "
                "it may take forever"
            )
        after_complex_group = False
        repeats += is_repeat
        if piece == "(":
            complex_groups.append(False)
        elif piece == ")" and len(complex_groups) > 1:
            after_complex_group = complex_groups.pop()
            complex_groups[-1] |= after_complex_group
        elif is_repeat or piece == "|" or (piece == "?" and previous not in ("(", "*", "+", "?")):
            complex_groups[-1] = True
        previous = piece
    if repeats > _MOST_REPEATS:
        raise ValueError(f"the pattern {shown(pattern)} has {repeats} repetitions, expected at most {_MOST_REPEATS}")
    return repeats
