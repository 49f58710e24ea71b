"""Labels of cards that are combined, as `combineCards.py` takes them on its command line."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from pocket_combine.errors import CardError

__all__ = ["labelled"]


def labelled(arguments: Sequence[str]) -> list[tuple[str, str]]:
    """Return (label, file) for arguments such as `SR=card.txt`; those without a label get `ch1`, `ch2`, … by position.

    Raises:
        CardError: If a file is given twice, and not each time with a label, which would say that it is meant.

    Examples:
        >>> labelled(["SR=a.txt", "b.txt"])
        [('SR', 'a.txt'), ('ch2', 'b.txt')]
    """
    pairs = []
    for position, argument in enumerate(arguments, start=1):
        label, separator, file = argument.partition("=")
        pairs.append((label, file) if separator else (f"ch{position}", argument))
    problems = list(_repeated(arguments, [file for _, file in pairs]))
    if problems:
        raise CardError(problems)
    return pairs


def _repeated(arguments: Sequence[str], files: Sequence[str]) -> Iterator[str]:
    seen: dict[str, str] = {}
    for argument, file in zip(arguments, files, strict=True):
        place = os.path.realpath(file)
        first = seen.get(place)
        if first is not None and not ("=" in first and "=" in argument):
            again = "is given twice" if first == argument else f"is the file of {first}"
            yield f"{argument} {again}: its events would count twice; if that is meant, give both a label (LABEL=FILE)"
        seen.setdefault(place, argument)
