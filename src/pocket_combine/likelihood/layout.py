"""How columns, cells and bins lie in flat arrays.

A *cell* is a bin of a column. Columns with the same kind of morph and a similar number of morphs and bins form a group,
in which arrays are rectangular; sizes within a group differ by at most a third and are padded. Cells of a column are
contiguous, columns of a group are contiguous. Bins of all channels follow each other in the order of the card; one more
bin at the end takes the padding and stays empty.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

import numpy as np

from pocket_combine.likelihood.columns import ModelColumn
from pocket_combine.templates import IntArray

__all__ = ["Group", "Layout", "MorphKind", "lay_out", "padded_sizes"]


class MorphKind(Enum):
    """How the template of a column moves."""

    NONE = "none"
    ADDITIVE = "additive"
    LOGARITHMIC = "logarithmic"


@dataclass(frozen=True)
class Group:
    """Columns whose arrays have one shape.

    Attributes:
        kind: Their kind of morph.
        columns: Range of their positions in the layout's order.
        cells: Range of their cells.
        bins: Number of bins, padding included.
        morphs: Number of morphs, padding included.
    """

    kind: MorphKind
    columns: slice
    cells: slice
    bins: int
    morphs: int

    @property
    def size(self) -> int:
        """Number of columns."""
        return int(self.columns.stop - self.columns.start)


@dataclass(frozen=True)
class Layout:
    """Positions of everything.

    Attributes:
        order: `order[position]`, index of each column in the order of the model's columns.
        groups: The groups.
        column_channel: `column_channel[position]`.
        cell_column: `cell_column[cell]`, position of the column.
        cell_bin: `cell_bin[cell]`; padding lies in the last bin.
        bin_channel: `bin_channel[bin]`, without the last bin.
        channel_bins: Range of bins of each channel.
    """

    order: IntArray
    groups: tuple[Group, ...]
    column_channel: IntArray
    cell_column: IntArray
    cell_bin: IntArray
    bin_channel: IntArray
    channel_bins: tuple[slice, ...]

    @property
    def column_count(self) -> int:
        """Number of columns."""
        return self.order.size

    @property
    def cell_count(self) -> int:
        """Number of cells, padding included."""
        return self.cell_bin.size

    @property
    def bin_count(self) -> int:
        """Number of bins, without the one for padding."""
        return self.bin_channel.size

    @cached_property
    def cell_starts(self) -> IntArray:
        """`cell_starts[position + 1]`: where the cells of each column begin, and the end."""
        sizes = np.bincount(self.cell_column, minlength=self.column_count)
        return np.concatenate([[0], np.cumsum(sizes)]).astype(np.intp)

    @cached_property
    def position(self) -> IntArray:
        """`position[index]`, the inverse of `order`."""
        result = np.empty_like(self.order)
        result[self.order] = np.arange(self.order.size)
        return result

    def cells_of(self, index: int, bins: int) -> slice:
        """Return the cells of a column given by its index, without padding."""
        start = int(self.cell_starts[self.position[index]])
        return slice(start, start + bins)


def padded_sizes(sizes: Iterable[int]) -> dict[int, int]:
    """Return the size that each size is padded to: the largest of its class, at most a third above it.

    Examples:
        >>> padded_sizes([30, 15, 12, 11, 15])
        {30: 30, 15: 15, 12: 15, 11: 11}
    """
    result: dict[int, int] = {}
    largest = 0
    for size in sorted(set(sizes), reverse=True):
        if 4 * size < 3 * largest or size == 0 or not result:
            largest = size
        result[size] = largest
    return result


def lay_out(columns: Sequence[ModelColumn], channel_sizes: Sequence[int]) -> Layout:
    """Return the layout of columns in channels with the given numbers of bins."""
    bins = padded_sizes(channel_sizes[item.channel] for item in columns)
    members: dict[tuple[str, int, int], list[int]] = {}
    for kind in MorphKind:
        mine = [index for index, item in enumerate(columns) if _kind(item) is kind]
        morphs = padded_sizes(len(columns[index].morphs) for index in mine)
        for index in mine:
            key = (kind.value, bins[channel_sizes[columns[index].channel]], morphs[len(columns[index].morphs)])
            members.setdefault(key, []).append(index)
    starts = np.concatenate([[0], np.cumsum(channel_sizes)]).astype(np.intp)
    return _place(columns, channel_sizes, starts, members)


def _place(
    columns: Sequence[ModelColumn],
    channel_sizes: Sequence[int],
    starts: IntArray,
    members: Mapping[tuple[str, int, int], list[int]],
) -> Layout:
    groups: list[Group] = []
    order: list[int] = []
    cell_bins: list[IntArray] = []
    cell_columns: list[IntArray] = []
    cells = 0
    for (kind, bins, morphs), indices in sorted(members.items()):
        first = len(order)
        for index in indices:
            channel = columns[index].channel
            own = np.full(bins, starts[-1])
            own[: channel_sizes[channel]] = np.arange(starts[channel], starts[channel + 1])
            cell_bins.append(own)
            cell_columns.append(np.full(bins, len(order)))
            order.append(index)
        stop = cells + bins * len(indices)
        groups.append(Group(MorphKind(kind), slice(first, len(order)), slice(cells, stop), bins, morphs))
        cells = stop
    return Layout(
        np.array(order, dtype=np.intp),
        tuple(groups),
        np.array([columns[index].channel for index in order], dtype=np.intp),
        np.concatenate(cell_columns).astype(np.intp),
        np.concatenate(cell_bins).astype(np.intp),
        np.repeat(np.arange(len(channel_sizes)), channel_sizes),
        tuple(slice(int(a), int(b)) for a, b in itertools.pairwise(starts)),
    )


def _kind(item: ModelColumn) -> MorphKind:
    if not item.morphs:
        return MorphKind.NONE
    return MorphKind.LOGARITHMIC if item.logarithmic else MorphKind.ADDITIVE
