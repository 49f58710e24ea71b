"""Names that match patterns of the shell, such as `JES_*`."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from pocket_combine.errors import nearest

__all__ = ["matched", "unmatched"]


def matched(names: Iterable[str], patterns: Iterable[str]) -> tuple[str, ...]:
    """Return the names that one of some patterns matches or is, in the order of the names.

    Examples:
        >>> matched(["lumi_2017", "lumi_2018", "JER"], ["lumi_*"])
        ('lumi_2017', 'lumi_2018')
    """
    wanted = tuple(patterns)
    return tuple(name for name in names if any(_matches(name, pattern) for pattern in wanted))


def unmatched(what: str, names: Iterable[str], patterns: Iterable[str]) -> list[str]:
    """Return one sentence for each pattern that matches none of the names.

    Args:
        what: What the names are of, such as `channel`.
        names: What there is.
        patterns: What is asked for.

    Examples:
        >>> unmatched("channel", ["SR", "CR"], ["SR", "SL*"])
        ["no channel matches 'SL*'; available: 'CR', 'SR'"]
    """
    existing = tuple(names)
    return [
        f"no {what} matches {pattern!r}; {nearest(pattern.strip('*'), existing)}"
        for pattern in dict.fromkeys(patterns)
        if not any(_matches(name, pattern) for name in existing)
    ]


def _matches(name: str, pattern: str) -> bool:
    return name == pattern or fnmatchcase(name, pattern)
