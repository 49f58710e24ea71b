"""Sums over the columns of each channel, bin by bin, as matrix products.

The columns of a channel meet only in the bins of that channel. So columns are arranged as [channel, slot], and what a
bin adds up is a product of small dense matrices. Channels of similar size share a block, in which sizes are padded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pocket_combine.likelihood.layout import Layout, padded_sizes
from pocket_combine.templates import FloatArray, IntArray

__all__ = ["ChannelBlocks"]


@dataclass(frozen=True)
class _Block:
    """Channels whose arrays have one shape.

    Attributes:
        columns: `columns[channel, slot]`, counted within the chosen columns; 0 for padding.
        cells: `cells[channel, slot, bin]`; 0 for padding.
        is_cell: `is_cell[channel, slot, bin]`: 0 for padding, 1 elsewhere.
        bins: `bins[channel * bin]`; padding lies in the last bin of the model.
    """

    columns: IntArray
    cells: IntArray
    is_cell: FloatArray
    bins: IntArray


class ChannelBlocks:
    """Some columns of a model, arranged by channel.

    Args:
        layout: How columns and cells lie.
        columns: Which columns.

    Attributes:
        columns: Which columns.
    """

    def __init__(self, layout: Layout, columns: slice) -> None:
        self.columns = columns
        own = layout.column_channel[columns]
        channels = np.unique(own)
        members = {int(channel): np.flatnonzero(own == channel) for channel in channels}
        sizes = {channel: layout.channel_bins[channel].stop - layout.channel_bins[channel].start for channel in members}
        bins = padded_sizes(sizes.values())
        slots = padded_sizes(item.size for item in members.values())
        shapes: dict[tuple[int, int], list[int]] = {}
        for channel, item in members.items():
            shapes.setdefault((slots[item.size], bins[sizes[channel]]), []).append(channel)
        self._blocks = [
            self._arrange(layout, [(channel, members[channel]) for channel in chosen], shape)
            for shape, chosen in shapes.items()
        ]

    def _arrange(self, layout: Layout, members: list[tuple[int, IntArray]], shape: tuple[int, int]) -> _Block:
        slots, width = shape
        columns = np.zeros((len(members), slots), dtype=np.intp)
        cells = np.zeros((len(members), slots, width), dtype=np.intp)
        is_cell = np.zeros(cells.shape)
        bins = np.full((len(members), width), layout.bin_count, dtype=np.intp)
        for row, (channel, positions) in enumerate(members):
            where = layout.channel_bins[channel]
            size = where.stop - where.start
            columns[row, : positions.size] = positions
            first = layout.cell_starts[self.columns.start + positions]
            cells[row, : positions.size, :size] = first[:, None] + np.arange(size)
            is_cell[row, : positions.size, :size] = 1.0
            bins[row, :size] = np.arange(where.start, where.stop)
        return _Block(columns, cells, is_cell, bins.ravel())

    def add(self, cells: FloatArray, dense: FloatArray, rows: FloatArray) -> None:
        """Add the sums over columns of cell x dense to each bin.

        Args:
            cells: `cells[point, cell]`, of all cells of the model.
            dense: `dense[point, column, parameter]`, of the chosen columns.
            rows: `rows[point, parameter, bin]`, changed in place.
        """
        points, _, parameters = dense.shape
        for block in self._blocks:
            values = cells[:, block.cells]
            values *= block.is_cell
            sums = dense[:, block.columns].transpose(0, 1, 3, 2) @ values
            rows[:, :, block.bins] += sums.transpose(0, 2, 1, 3).reshape(points, parameters, -1)
