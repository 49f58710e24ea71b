"""The parameters that autoMCStats makes, and the cells and bins they act on.

Which there are is decided by `pocket_combine.mcstats`, once, at the initial parameter values. Section 6 of
`docs/explanation/likelihood.md`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pocket_combine.card.model import AutoMCStats
from pocket_combine.likelihood.arrays import SparseMatrix
from pocket_combine.likelihood.columns import Machinery, ModelColumn
from pocket_combine.likelihood.constraints import Constraint, ConstraintKind
from pocket_combine.likelihood.declared import poisson_range
from pocket_combine.likelihood.layout import Layout
from pocket_combine.likelihood.parameters import AUTO_MC_STATS_GROUP, ModelParameter
from pocket_combine.mcstats import BinDecision, decide_bin_parameters
from pocket_combine.names import bin_parameter_name
from pocket_combine.templates import FloatArray, IntArray, Templates

__all__ = ["BinParameterTable", "make_bin_parameters"]

_GAUSSIAN_RANGE = (-7.0, 7.0)


@dataclass(frozen=True)
class BinParameterTable:
    """The parameters of autoMCStats and what they act on.

    Attributes:
        parameters: In order of bins, and of processes within a bin.
        total_parameter: `total_parameter[total]`: position of each parameter that serves a whole bin.
        total_bin: `total_bin[total]`: its bin.
        total_squares: Sparse `[total, column]`: squared template errors in the bin.
        total_cell: Cells with a template error in such bins.
        total_cell_row: `total_cell_row[i]`: which of the whole bins they belong to.
        total_cell_square: `total_cell_square[i]`: their squared template errors.
        process_parameter: `process_parameter[i]`: position of each parameter of one process in one bin.
        process_cell: `process_cell[i]`: its cell.
        process_bin: `process_bin[i]`: its bin, in increasing order.
        process_count: `process_count[i]`: the count k of a Poisson parameter; 0 for a Gaussian one.
        process_error: `process_error[i]`: the template error.
    """

    parameters: tuple[ModelParameter, ...]
    total_parameter: IntArray
    total_bin: IntArray
    total_squares: SparseMatrix
    total_cell: IntArray
    total_cell_row: IntArray
    total_cell_square: FloatArray
    process_parameter: IntArray
    process_cell: IntArray
    process_bin: IntArray
    process_count: FloatArray
    process_error: FloatArray

    @property
    def is_poisson(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """`is_poisson[i]`: whether a parameter of one process is an event count."""
        return np.asarray(self.process_count > 0)


@dataclass
class _Decisions:
    parameters: list[ModelParameter] = field(default_factory=list)
    total: list[tuple[int, int]] = field(default_factory=list)
    process: list[tuple[int, int, int, float, float]] = field(default_factory=list)

    def add(self, name: str, count: float = 0.0) -> int:
        """Add a parameter, an event count if `count` is above 0; return its position."""
        if count > 0:
            constraint = Constraint(ConstraintKind.POISSON, count)
            limits = poisson_range(count)
        else:
            constraint, limits = Constraint(ConstraintKind.GAUSSIAN), _GAUSSIAN_RANGE
        groups = (AUTO_MC_STATS_GROUP,)
        self.parameters.append(ModelParameter(name, "autoMCStats", count, limits, constraint, groups))
        return len(self.parameters) - 1


@dataclass(frozen=True)
class _ChannelTemplates:
    """The columns of a channel: yields C, contents T and errors e, `[column]` and `[column, bin]`."""

    name: str
    settings: AutoMCStats
    first_bin: int
    processes: list[str]
    signal: list[bool]
    cells: IntArray
    yields: FloatArray
    contents: FloatArray
    errors: FloatArray


def make_bin_parameters(
    columns: Sequence[ModelColumn],
    templates: Mapping[str, Templates],
    layout: Layout,
    yields: FloatArray,
    contents: FloatArray,
) -> BinParameterTable:
    """Return the bin parameters of a model.

    Args:
        columns: The columns, in the order of the card.
        templates: Templates per channel.
        layout: Where columns and cells lie.
        yields: `yields[column]` at the initial parameter values, in the order of the layout.
        contents: `contents[cell]` at the initial parameter values.
    """
    decisions = _Decisions()
    by_channel: dict[int, list[int]] = {}
    for index, item in enumerate(columns):
        if item.machinery is Machinery.EVENTS and item.settings is not None and item.settings.threshold >= 0:
            by_channel.setdefault(item.channel, []).append(index)
    channels = []
    for number in sorted(by_channel):
        channel = _gather(by_channel[number], columns, templates, layout, yields, contents)
        channels.append(channel)
        _decide_channel(channel, decisions)
    return _tabulate(decisions, channels, layout)


def _gather(
    indices: list[int],
    columns: Sequence[ModelColumn],
    templates: Mapping[str, Templates],
    layout: Layout,
    yields: FloatArray,
    contents: FloatArray,
) -> _ChannelTemplates:
    own = [columns[index] for index in indices]
    channel = own[0].column.channel
    source = templates[channel]
    cells = np.array([np.arange(source.bins) + layout.cells_of(index, source.bins).start for index in indices])
    settings = own[0].settings
    return _ChannelTemplates(
        channel,
        settings if settings is not None else AutoMCStats(channel),
        layout.channel_bins[own[0].channel].start,
        [item.column.process for item in own],
        [item.column.is_signal for item in own],
        cells,
        yields[layout.position[indices]],
        contents[cells],
        np.sqrt(source.variances[[item.template for item in own]]),
    )


def _decide_channel(channel: _ChannelTemplates, decisions: _Decisions) -> None:
    counted = np.array([channel.settings.include_signal or not signal for signal in channel.signal])
    threshold = channel.settings.threshold
    found = decide_bin_parameters(channel.contents, channel.errors, channel.yields, counted, threshold)
    for position, decision in enumerate(found.decisions.tolist()):
        bin_ = channel.first_bin + position
        if decision == BinDecision.SHARED:
            decisions.total.append((decisions.add(bin_parameter_name(channel.name, position)), bin_))
        for row in np.flatnonzero(found.poisson[:, position] | found.gaussian[:, position]).tolist():
            count = float(found.events[row, position])
            parameter = decisions.add(bin_parameter_name(channel.name, position, channel.processes[row]), count)
            error = float(channel.errors[row, position])
            decisions.process.append((parameter, int(channel.cells[row, position]), bin_, count, error))


def _tabulate(decisions: _Decisions, channels: Sequence[_ChannelTemplates], layout: Layout) -> BinParameterTable:
    parameters = np.array([parameter for parameter, _ in decisions.total], dtype=np.intp)
    bins = np.array([bin_ for _, bin_ in decisions.total], dtype=np.intp)
    row_of_bin = np.full(layout.bin_count + 1, -1, dtype=np.intp)
    row_of_bin[bins] = np.arange(bins.size)
    empty = np.empty(0, dtype=np.intp)
    cells = np.concatenate([empty, *(channel.cells.ravel() for channel in channels)])
    squares = np.concatenate([np.empty(0), *((channel.errors**2).ravel() for channel in channels)])
    used = (squares > 0) & (row_of_bin[layout.cell_bin[cells]] >= 0)
    cells, squares = cells[used], squares[used]
    rows = row_of_bin[layout.cell_bin[cells]]
    process = decisions.process
    return BinParameterTable(
        tuple(decisions.parameters),
        parameters,
        bins,
        SparseMatrix(rows, layout.cell_column[cells], squares, (bins.size, layout.column_count)),
        cells,
        rows,
        squares,
        np.array([entry[0] for entry in process], dtype=np.intp),
        np.array([entry[1] for entry in process], dtype=np.intp),
        np.array([entry[2] for entry in process], dtype=np.intp),
        np.array([entry[3] for entry in process], dtype=np.float64),
        np.array([entry[4] for entry in process], dtype=np.float64),
    )
