"""Cells of nuisance rows: `-`, a number, or two numbers `down/up`.

What a cell may be depends on the kind of the nuisance only, and cards repeat the same few words thousands of times, so
every distinct word is read once per family of kinds.
"""

from __future__ import annotations

import re

from pocket_combine.card.lexical import read_number, shown
from pocket_combine.card.model import Effect

__all__ = ["KINDS", "ARGUMENT_NAMES", "CellReader", "cell_reader", "is_kind"]

ARGUMENT_NAMES: dict[str, tuple[str, ...]] = {"gmN": ("N",), "unif": ("low", "high"), "dFD": ("A",), "dFD2": ("A",)}
"""What stands between the kind and the cells."""

KINDS = ("lnN", "lnU", "gmN", "gmM", "trG", "unif", "dFD", "dFD2", "shape", "shapeN", "shapeU", "shape?", "shapeN?")
"""The kinds that messages offer; further names of shape algorithms are understood, see `is_kind`."""

_SHAPE_KIND = re.compile(r"shape(2a?|N|2N|N2a?)?U?\??")
_SIGNED = frozenset({"trG", "dFD", "dFD2"})


def is_kind(word: str) -> bool:
    """Return whether a word is a kind of nuisance that has a row of cells.

    Examples:
        >>> [is_kind(word) for word in ("lnN", "shapeN2", "shape?", "shapeL", "param")]
        [True, True, True, False, False]
    """
    return word in KINDS or _SHAPE_KIND.fullmatch(word) is not None


class CellReader(dict[str, Effect]):
    """The effect that each word stands for, read at first use.

    Args:
        pairs: Whether `down/up` is allowed.
        signed: Whether a number may be negative.
        one_is_none: Whether 1 has no effect.

    Examples:
        >>> cells = CellReader(pairs=True, signed=False, one_is_none=True)
        >>> [cells[word] for word in ("-", "1.02", "0.9/1.1", "1.0", "0")]
        [None, 1.02, (0.9, 1.1), None, None]
    """

    def __init__(self, *, pairs: bool, signed: bool, one_is_none: bool) -> None:
        super().__init__()
        self.pairs = pairs
        self.signed = signed
        self.one_is_none = one_is_none

    def __missing__(self, word: str) -> Effect:
        effect = self[word] = self._read(word)
        return effect

    def _read(self, word: str) -> Effect:
        if not word.strip("-"):
            return None
        if "/" in word:
            return self._read_pair(word)
        value = read_number(word)
        if value < 0 and not self.signed:
            raise ValueError(f"{shown(word)} is negative, expected a positive number or -")
        if value == 0 or (value == 1 and self.one_is_none):
            return None
        return value

    def _read_pair(self, word: str) -> Effect:
        if not self.pairs:
            raise ValueError(f"{shown(word)} gives two numbers, which only lnN, lnU and kinds that end in ? may have")
        parts = word.split("/")
        if len(parts) != 2:
            raise ValueError(f"{shown(word)} gives {len(parts)} numbers, expected down/up")
        down, up = read_number(parts[0]), read_number(parts[1])
        if down <= 0 or up <= 0:
            raise ValueError(f"{shown(word)}: both numbers of down/up must be above 0")
        return down, up


def cell_reader(kind: str, known: dict[str, CellReader]) -> CellReader:
    """Return the reader for the cells of a kind, kept in `known` for the next row."""
    reader = known.get(kind)
    if reader is None:
        pairs = kind in ("lnN", "lnU") or "?" in kind
        reader = known[kind] = CellReader(pairs=pairs, signed=kind in _SIGNED, one_is_none=kind == "lnN")
    return reader
