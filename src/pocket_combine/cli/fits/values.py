"""What the words of options mean: names, values, ranges and maps, one by one or in a list as Combine writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import click

from pocket_combine.cli.cards.reading import pairs
from pocket_combine.errors import CardError
from pocket_combine.patterns import matched, unmatched

__all__ = ["maps", "names", "ranges", "sums", "values"]

_MAP = re.compile(r"((?:\(\?:|[^:])+):(.+)", re.DOTALL)
"""Pattern and expression: the first colon divides them, as in Combine, unless it belongs to `(?:`."""

_COMMA = re.compile(r",(?![^{}]*\})")
"""A comma between names, not one in the braces of `rgx{…}`."""


def names(_: click.Context, __: click.Parameter, words: Sequence[str]) -> tuple[str, ...]:
    """Return names that were given one by one or with commas between."""
    return tuple(name for word in words for name in (part.strip() for part in _COMMA.split(word)) if name)


def values(context: click.Context, parameter: click.Parameter, words: Sequence[str]) -> dict[str, float]:
    """Return `NAME=VALUE` words, given one by one or with commas between, as numbers by name.

    Raises:
        click.BadParameter: If a word is not of that form, or a name comes twice.
    """
    result = {}
    for name, value in pairs(context, parameter, [part for word in words for part in word.split(",")]).items():
        try:
            result[name] = float(value)
        except ValueError as error:
            raise click.BadParameter(f"{name}={value!r} is no number") from error
    return result


def ranges(context: click.Context, parameter: click.Parameter, words: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Return `NAME=LOW,HIGH` words, given one by one or with colons between, as ranges by name.

    Raises:
        click.BadParameter: If a word is not of that form, or a name comes twice.
    """
    result = {}
    for name, text in pairs(context, parameter, [part for word in words for part in word.split(":")]).items():
        try:
            low, high = (float(part) for part in text.split(","))
        except ValueError as error:
            raise click.BadParameter(f"{name}={text!r}, expected {name}=LOW,HIGH") from error
        result[name] = (low, high)
    return result


def maps(_: click.Context, __: click.Parameter, words: Sequence[str]) -> dict[str, str]:
    """Return `PATTERN:EXPRESSION` words as expressions by pattern.

    Raises:
        click.BadParameter: If a word is not of that form, or a pattern comes twice.
    """
    result = {}
    for word in words:
        option, equals, rest = word.partition("=")
        if equals and option == "map":
            raise click.BadParameter(f"{word!r}: leave 'map=' out and write {rest!r}")
        if equals and option == "turnoff":
            raise click.BadParameter(f"{word!r} is not supported: write '.*/({rest.replace(',', '|')})$:0'")
        found = _MAP.fullmatch(word)
        if found is None:
            raise click.BadParameter(f"{word!r}, expected PATTERN:EXPRESSION, for example '.*/ttH:r[1,0,20]'")
        pattern, expression = found.groups()
        if pattern in result:
            raise click.BadParameter(f"the pattern {pattern!r} stands twice")
        result[pattern] = expression
    return result


def sums(patterns: Mapping[str, Sequence[str]], existing: Sequence[str], what: str) -> dict[str, list[str]]:
    """Return what the patterns of each sum match, in the order of what exists.

    Args:
        patterns: Patterns of the shell by the name of the sum.
        existing: Names of the channels or processes.
        what: `channel` or `process`, for messages.

    Raises:
        CardError: If a pattern matches nothing; all such patterns are named.

    Examples:
        >>> sums({"top": ["tt*", "st"]}, ["sig", "st", "ttW", "ttZ"], "process")
        {'top': ['st', 'ttW', 'ttZ']}
    """
    problems = [
        f"sum {name!r}: {problem}" for name, words in patterns.items() for problem in unmatched(what, existing, words)
    ]
    if problems:
        raise CardError(problems)
    return {name: list(matched(existing, words)) for name, words in patterns.items()}
