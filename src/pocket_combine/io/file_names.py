"""Names of files for things whose own names may hold anything."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["distinct_stems", "file_stem"]

_LONGEST = 100


def file_stem(name: str) -> str:
    """Return a name as part of that of a file, on every system: ASCII letters, digits, `_`, `-` and `.`, else `_`.

    Examples:
        >>> file_stem("SR/tt (2018)")
        'SR_tt__2018_'
    """
    return "".join(letter if letter.isascii() and (letter.isalnum() or letter in "_-.") else "_" for letter in name)


def distinct_stems(names: Iterable[str]) -> dict[str, str]:
    """Return a stem of a file for each name, not too long, and distinct even where the case of letters does not count.

    Examples:
        >>> distinct_stems(["prefit-SR/a", "prefit-SR_a", "x"])
        {'prefit-SR/a': 'prefit-SR_a', 'prefit-SR_a': 'prefit-SR_a-2', 'x': 'x'}
    """
    taken: set[str] = set()
    stems = {}
    for name in names:
        plain = file_stem(name)[:_LONGEST]
        stem, number = plain, 1
        while stem.lower() in taken:
            number += 1
            stem = f"{plain}-{number}"
        taken.add(stem.lower())
        stems[name] = stem
    return stems
