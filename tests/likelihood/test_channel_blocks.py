"""Sums over the columns of channels, against loops."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from pocket_combine.likelihood.channel_blocks import ChannelBlocks
from pocket_combine.likelihood.layout import Layout
from pocket_combine.templates import FloatArray


def random_layout(sizes: list[int], columns: list[int]) -> Layout:
    """Columns in the given channels, their cells padded to the largest channel, as in a group."""
    largest = max(sizes)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    bins = [
        [starts[channel] + number if number < sizes[channel] else starts[-1] for number in range(largest)]
        for channel in columns
    ]
    return Layout(
        np.arange(len(columns)),
        (),
        np.array(columns),
        np.repeat(np.arange(len(columns)), largest),
        np.array(bins).ravel(),
        np.repeat(np.arange(len(sizes)), sizes),
        tuple(slice(int(low), int(high)) for low, high in itertools.pairwise(starts)),
    )


def slowly(layout: Layout, columns: slice, cells: FloatArray, dense: FloatArray, rows: FloatArray) -> FloatArray:
    result: FloatArray = rows.copy()
    for cell in range(layout.cell_count):
        column, bin_ = int(layout.cell_column[cell]), int(layout.cell_bin[cell])
        if columns.start <= column < columns.stop and bin_ < layout.bin_count:
            for point in range(len(cells)):
                result[point, :, bin_] += cells[point, cell] * dense[point, column - columns.start]
    return result


@pytest.mark.parametrize("columns", [slice(0, 8), slice(2, 5), slice(7, 8)])
@pytest.mark.parametrize("points", [1, 3])
def test_sums_over_columns(columns: slice, points: int) -> None:
    random = np.random.default_rng(points)
    # Channels of very different size, with interleaved columns, one of them without any.
    layout = random_layout([1, 12, 5, 4, 3], [1, 0, 2, 2, 1, 3, 1, 3])
    cells = random.normal(size=(points, layout.cell_count))
    dense = random.normal(size=(points, columns.stop - columns.start, 6))
    rows = random.normal(size=(points, 6, layout.bin_count + 1))
    wanted = slowly(layout, columns, cells, dense, rows)
    ChannelBlocks(layout, columns).add(cells, dense, rows)
    np.testing.assert_allclose(rows, wanted, rtol=1e-12, atol=1e-12)
