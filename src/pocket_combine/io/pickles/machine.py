"""The state of a pickle that is being read: its stack and its memo."""

from __future__ import annotations

import types
from typing import Any

import numpy as np

from pocket_combine.errors import OutputFileError, UnsafePickleError
from pocket_combine.io.pickles.inert import Builder, Placeholder
from pocket_combine.io.pickles.limits import LARGE, Limits
from pocket_combine.io.pickles.trust import NameTable

__all__ = ["Machine"]

_SPENT = Placeholder("contents that a histogram has taken over")
_LONGEST_NAME = 500
_BULKY = frozenset({np.ndarray, bytes, bytearray})
_NOT_TRUSTED = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType)


class Machine:
    """The state of a pickle that is being read.

    Args:
        table: The allow-list.
        limits: What may still be made.

    Attributes:
        stack: Values that wait for the opcode that uses them.
        marks: Heights of the stack where a group of values begins.
        memo: Values that the file refers to by number.
        refused: Names that are not on the allow-list, in the order in which the file uses them.
        trusted: Objects made by what the caller has allowed, by identity.
    """

    __slots__ = ("limits", "marks", "memo", "refused", "stack", "table", "trusted")

    def __init__(self, table: NameTable, limits: Limits) -> None:
        self.table = table
        self.limits = limits
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: list[Any] = []
        self.refused: dict[str, None] = {}
        self.trusted: dict[int, object] = {}

    def pop_group(self) -> list[Any]:
        """Remove and return the values above the last mark."""
        height = self.marks.pop()
        group = self.stack[height:]
        del self.stack[height:]
        return group

    def remember(self, index: int, value: Any) -> None:
        """Store a value under a number. Picklers count from 0 without gaps; an index that lies would fill memory."""
        if index > len(self.memo):
            raise OutputFileError(f"stores value {index:,} of its memo after {len(self.memo):,} values")
        if index == len(self.memo):
            self.memo.append(value)
        else:
            self.memo[index] = value

    def recall(self, index: int) -> None:
        """Push the value that was stored under a number."""
        value = self.memo[index]
        if value is _SPENT:
            raise OutputFileError("uses the contents of a histogram a second time")
        self.stack.append(value)

    def forget(self, start: int) -> None:
        """Drop large values from the memo, from index `start` on; else all contents would be in memory twice."""
        memo = self.memo
        for index in range(start, len(memo)):
            if _is_large(memo[index]):
                memo[index] = _SPENT

    def find(self, module: str, name: str) -> None:
        """Push what stands for a name."""
        found: object = self.table.get((module, name))
        if found is None:
            if len(module) + len(name) > _LONGEST_NAME:
                raise UnsafePickleError(f"asks for code by a name of {len(module) + len(name):,} characters")
            found = Placeholder(f"{module}.{name}")
            self.refused[found.name] = None
        self.stack.append(found)

    def trust(self, value: object) -> object:
        """Return `value`, made by what the caller has allowed, and note that the file may go on working on it."""
        if not isinstance(value, _NOT_TRUSTED):
            self.trusted[id(value)] = value
        return value

    def keep_index(self, value: object) -> object:
        """Return `value`; if it waits for its state, note where the next opcode will store it in the memo."""
        if isinstance(value, Builder):
            value.memo_index = len(self.memo)
        return value


def _is_large(value: Any) -> bool:
    kind = type(value)
    if kind is tuple:
        # A state, or the arguments that made an array: they keep it or its bytes alive.
        return any(_is_large(item) for item in value if type(item) in _BULKY)
    return kind in _BULKY and (value.nbytes if kind is np.ndarray else len(value)) >= LARGE
