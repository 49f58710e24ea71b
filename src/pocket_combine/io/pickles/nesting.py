"""Whether what a file holds can be walked through at all."""

from __future__ import annotations

import collections
from collections.abc import Iterable
from typing import Any, Final

from pocket_combine.errors import OutputFileError
from pocket_combine.io.pickles.inert import Fragment

__all__ = ["check_nesting"]

_DEEPEST: Final = 64
"""Levels of containers; an output of PocketCoffea has about six."""

_LARGEST: Final = 200_000_000
"""Values in containers, where a container that is used at several places counts at each."""

_TOO_DEEP: Final = f"has containers nested deeper than {_DEEPEST} levels"
_CONTAINERS: Final = frozenset({dict, collections.OrderedDict, collections.Counter, list, tuple, collections.deque})


def check_nesting(value: Any) -> None:
    """Refuse an object with containers that are nested too deep, contain themselves, or repeat too often.

    A file of a few hundred bytes can hold ten lists, each of which has the next one ten times; a loop over all of it
    would never end.

    Raises:
        OutputFileError: If the object is so, or has a part that was never completed.

    Examples:
        >>> check_nesting({"a": [1, 2, (3, 4)]})
        >>> value = []
        >>> for _ in range(100):
        ...     value = [value]
        >>> check_nesting(value)
        Traceback (most recent call last):
        ...
        pocket_combine.errors.OutputFileError: has containers nested deeper than 64 levels
    """
    _Walk().members([value], 0)


class _Walk:
    """Measures containers from the inside, each once."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[int, int] | None] = {}

    def members(self, values: Iterable[Any], depth: int) -> tuple[int, int]:
        """Return how many levels below `depth` the values have, and how many values they are with all inside."""
        levels, size = 0, 0
        for value in values:
            size += 1
            if type(value) in _CONTAINERS:
                below, inside = self._container(value, depth)
                levels = max(levels, below)
                size += inside
            elif isinstance(value, Fragment):
                raise OutputFileError(f"has a part that is not completed: {type(value).__name__}")
        if size > _LARGEST:
            raise OutputFileError(f"has more than {_LARGEST:,} values, counting shared ones wherever they are used")
        return levels, size

    def _container(self, value: Any, depth: int) -> tuple[int, int]:
        if id(value) not in self._known:
            if depth >= _DEEPEST:
                raise OutputFileError(_TOO_DEEP)
            self._known[id(value)] = None
            levels, size = self.members(value.values() if isinstance(value, dict) else value, depth + 1)
            self._known[id(value)] = levels + 1, size
        known = self._known[id(value)]
        if known is None:
            raise OutputFileError("has a container that contains itself")
        if depth + known[0] > _DEEPEST:
            raise OutputFileError(_TOO_DEEP)
        return known
