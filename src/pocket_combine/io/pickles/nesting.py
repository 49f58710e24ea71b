"""Whether what a file holds can be walked through at all."""

from __future__ import annotations

import collections
from typing import Any, Final

from pocket_combine.errors import OutputFileError
from pocket_combine.io.pickles.inert import Fragment

__all__ = ["check_nesting"]

_DEEPEST: Final = 64
"""Levels of containers; an output of PocketCoffea has about six."""

_LARGEST: Final = 200_000_000
"""Values in containers, where a container that is used at several places counts at each."""

_MAPPINGS = (dict, collections.OrderedDict, collections.Counter)
_CONTAINERS = frozenset({*_MAPPINGS, list, tuple, collections.deque})


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
    _Walk().measure(value, 0)


class _Walk:
    def __init__(self) -> None:
        self._known: dict[int, tuple[int, int] | None] = {}

    def measure(self, value: Any, depth: int) -> tuple[int, int]:
        """Return how many levels and how many values a value has."""
        if type(value) not in _CONTAINERS:
            if isinstance(value, Fragment):
                raise OutputFileError(f"has a part that is not completed: {type(value).__name__}")
            return 0, 1
        if id(value) not in self._known:
            self._known[id(value)] = None
            self._known[id(value)] = self._measure_members(value, depth)
        known = self._known[id(value)]
        if known is None:
            raise OutputFileError("has a container that contains itself")
        if depth + known[0] > _DEEPEST:
            raise OutputFileError(f"has containers nested deeper than {_DEEPEST} levels")
        return known

    def _measure_members(self, value: Any, depth: int) -> tuple[int, int]:
        if depth >= _DEEPEST:
            raise OutputFileError(f"has containers nested deeper than {_DEEPEST} levels")
        levels, size = 0, 1
        for member in value.values() if isinstance(value, dict) else value:
            below, values = self.measure(member, depth + 1)
            levels = max(levels, below)
            size += values
        if size > _LARGEST:
            raise OutputFileError(f"has more than {_LARGEST:,} values, counting shared ones wherever they are used")
        return levels + 1, size
