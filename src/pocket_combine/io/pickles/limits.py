"""How much a file may ask for while it is read: bytes, opcodes, and keys that dictionaries can live with."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import numpy as np

from pocket_combine.errors import OutputFileError
from pocket_combine.io.pickles.arguments import kind_of

__all__ = ["LARGE", "RAISE_LIMIT", "Limits"]

RAISE_LIMIT = "either raise the limit with max_bytes=…, or the file is made to fill the memory"
"""What to do about a file that asks for more than it may."""

LARGE = 4096
"""Bytes from which on a value is worth counting, or worth forgetting once it is of no use."""

_BYTES_PER_OPERATION = 64
"""Rough size of the object that one opcode makes; the smallest containers of Python take 56 to 216 bytes."""

_MOST_LEAVES = 64


class Limits:
    """What one file may still ask for.

    A few bytes can ask for a lot: a constructor that copies what was read once can be called any number of times. So
    what constructors make counts against the same size as what is decompressed, and so does the number of opcodes.

    Attributes:
        size: Bytes that may be decompressed, and again bytes that may be made.
    """

    __slots__ = ("_left", "_tuples", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self._left = size
        self._tuples: dict[int, tuple[Any, int]] = {}

    @property
    def operations(self) -> int:
        """Opcodes that may be carried out."""
        return self.size // _BYTES_PER_OPERATION

    def charge(self, count: int, what: str) -> None:
        """Count `count` bytes.

        Raises:
            OutputFileError: If the limit is passed.
        """
        self._left -= count
        if self._left < 0:
            raise OutputFileError(
                f"its objects take more than {self.size:,} bytes (the last one: {what}, {count:,} bytes): {RAISE_LIMIT}"
            )

    def check_keys(self, keys: Iterable[Any]) -> None:
        """Refuse keys of dictionaries and members of sets whose hash is slow, deep or made to collide."""
        for key in keys:
            kind = type(key)
            if kind is str or kind is bytes or kind is bool or key is None:
                continue
            if kind is tuple:
                self._check_tuple(key)
            elif not _is_plain_number(key):
                shown = "an integer of 2^60 or more" if kind is int else kind_of(key)
                raise OutputFileError(f"has {shown} as a key or as a member of a set")

    def _check_tuple(self, key: tuple[Any, ...]) -> None:
        leaves = list(itertools.islice(_leaves(key, 4), _MOST_LEAVES + 1))
        if len(leaves) > _MOST_LEAVES:
            raise OutputFileError(f"has a tuple of more than {_MOST_LEAVES} values as a key or as a member of a set")
        self.check_keys(leaves)
        first, others = self._tuples.get(hash(key), (key, 0))
        if first != key:
            others += 1
        if others > 100:
            raise OutputFileError("has many different keys of one hash, which makes dictionaries slow")
        self._tuples[hash(key)] = (first, others)


def _leaves(key: tuple[Any, ...], depth: int) -> Iterable[Any]:
    if depth == 0:
        raise OutputFileError("has a deeply nested tuple as a key or as a member of a set")
    for item in key:
        if type(item) is tuple:
            yield from _leaves(item, depth - 1)
        else:
            yield item


def _is_plain_number(key: object) -> bool:
    # Larger integers can be chosen to have the same hash: that of their remainder of 2^61 - 1.
    if type(key) is int:
        return abs(key) < 1 << 60
    return type(key) is float or (isinstance(key, np.generic) and key.dtype.kind in "biufSU" and key.itemsize <= LARGE)
