"""What is checked: a card with its templates, laid out so that a check is a few array operations per channel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from pocket_combine.card.model import AutoMCStats, Card, Column, Nuisance
from pocket_combine.checks.file_contents import FileContents
from pocket_combine.checks.finding import Where
from pocket_combine.reach import PairCell, Reach, find_reach
from pocket_combine.templates import FloatArray, IntArray, Templates

__all__ = ["BoolArray", "ChannelArrays", "Subject", "divide", "in_any_bin", "rows_of"]

BoolArray = npt.NDArray[np.bool_]


def divide(numerator: FloatArray, denominator: FloatArray, otherwise: float = 0.0) -> FloatArray:
    """Return `numerator / denominator` where the denominator is not 0, and `otherwise` where it is.

    Examples:
        >>> divide(np.array([1.0, 1.0]), np.array([4.0, 0.0]))
        array([0.25, 0.  ])
    """
    numerator, denominator = np.broadcast_arrays(numerator, denominator)
    result = np.full(numerator.shape, otherwise)
    np.divide(numerator, denominator, out=result, where=denominator != 0)
    return result


def rows_of(mask: BoolArray) -> list[int]:
    """Return the positions at which a mask holds, as plain integers."""
    positions: list[int] = np.flatnonzero(mask).tolist()
    return positions


def in_any_bin(mask: BoolArray) -> BoolArray:
    """Return `result[...]` of `mask[..., bin]`: whether it holds in at least one bin."""
    result: BoolArray = np.logical_or.reduce(mask, axis=-1)
    return result


@dataclass(frozen=True, eq=False)
class ChannelArrays:
    """The part of one template channel that is in the model.

    `column` counts the columns with templates, `pair` the cells of the card that act by templates, ordered by column.

    Attributes:
        name: Name of the channel.
        columns: `columns[column]` of the card.
        values: `values[column, bin]`, the nominal templates.
        variances: `variances[column, bin]`.
        cells: `cells[pair]`, where in the card each pair stands.
        nuisances: `nuisances[pair]`, the row of each pair.
        pair_columns: `pair_columns[pair]`, the row in `values` of the nominal template.
        strengths: `strengths[pair]`, the number in the cell.
        up: `up[pair, bin]`.
        down: `down[pair, bin]`.
        up_variances: `up_variances[pair, bin]`.
        down_variances: `down_variances[pair, bin]`.
        observation: `observation[bin]`, or `None` without data.
        mc_stats: The `autoMCStats` line of the channel, or `None`.
    """

    name: str
    columns: tuple[Column, ...]
    values: FloatArray
    variances: FloatArray
    cells: tuple[PairCell, ...]
    nuisances: tuple[Nuisance, ...]
    pair_columns: IntArray
    strengths: FloatArray
    up: FloatArray
    down: FloatArray
    up_variances: FloatArray
    down_variances: FloatArray
    observation: FloatArray | None
    mc_stats: AutoMCStats | None

    @property
    def bins(self) -> int:
        """Number of bins."""
        return int(self.values.shape[1])

    @cached_property
    def signal(self) -> BoolArray:
        """`signal[column]`, whether the process is a signal."""
        return np.array([column.is_signal for column in self.columns], dtype=np.bool_)

    @cached_property
    def integrals(self) -> FloatArray:
        """`integrals[column]`, the sums of the nominal templates."""
        result: FloatArray = self.values.sum(axis=1)
        return result

    @cached_property
    def expected(self) -> FloatArray:
        """`expected[bin]`, the sum of all nominal templates."""
        result: FloatArray = self.values.sum(axis=0)
        return result

    @cached_property
    def background(self) -> FloatArray:
        """`background[bin]`, the sum of the nominal templates of the backgrounds."""
        result: FloatArray = self.values[~self.signal].sum(axis=0)
        return result

    @cached_property
    def background_error(self) -> FloatArray:
        """`background_error[bin]`, the statistical error of `background`."""
        result: FloatArray = np.sqrt(self.variances[~self.signal].sum(axis=0))
        return result

    @cached_property
    def data_error(self) -> FloatArray:
        """`data_error[bin]`, the statistical error that data have: sqrt(expected events), at least 1."""
        return np.sqrt(np.maximum(self.expected, 1.0))

    @cached_property
    def nominal(self) -> FloatArray:
        """`nominal[pair, bin]`, the nominal template of each pair."""
        return self.values[self.pair_columns]

    @cached_property
    def nominal_integrals(self) -> FloatArray:
        """`nominal_integrals[pair]`."""
        return self.integrals[self.pair_columns]

    @cached_property
    def up_integrals(self) -> FloatArray:
        """`up_integrals[pair]`."""
        result: FloatArray = self.up.sum(axis=1)
        return result

    @cached_property
    def down_integrals(self) -> FloatArray:
        """`down_integrals[pair]`."""
        result: FloatArray = self.down.sum(axis=1)
        return result

    @cached_property
    def up_ratios(self) -> FloatArray:
        """`up_ratios[pair]`, sum of Up over sum of nominal; 1 where nominal is empty."""
        return divide(self.up_integrals, self.nominal_integrals, otherwise=1.0)

    @cached_property
    def down_ratios(self) -> FloatArray:
        """`down_ratios[pair]`, sum of Down over sum of nominal; 1 where nominal is empty."""
        return divide(self.down_integrals, self.nominal_integrals, otherwise=1.0)

    @cached_property
    def up_shifts(self) -> FloatArray:
        """`up_shifts[pair, bin]`, the change of the template at +1 standard deviation."""
        return self.strengths[:, np.newaxis] * (self.up - self.nominal)

    @cached_property
    def down_shifts(self) -> FloatArray:
        """`down_shifts[pair, bin]`, the change of the template at -1 standard deviation."""
        return self.strengths[:, np.newaxis] * (self.down - self.nominal)

    def visibility(self, shifts: FloatArray) -> FloatArray:
        """Return `sqrt(sum over bins of (shift / data_error)^2)` for `shifts[..., bin]`."""
        scaled = shifts / self.data_error
        result: FloatArray = np.sqrt(np.einsum("...b,...b->...", scaled, scaled))
        return result

    @cached_property
    def visibilities(self) -> FloatArray:
        """`visibilities[pair]`, the larger visibility of the two shifts: the standard deviations of the data."""
        return np.maximum(self.visibility(self.up_shifts), self.visibility(self.down_shifts))

    def where(self, pair: int) -> Where:
        """Return the place of a pair."""
        return Where(self.name, self.columns[self.pair_columns[pair]].process, self.nuisances[pair].name)


@dataclass(frozen=True, eq=False)
class Subject:
    """A card with its templates, and what its ROOT files hold.

    Attributes:
        card: The card.
        templates: Templates by channel; a channel without is a counting channel.
        files: What the ROOT files hold beside the templates of the card; may be empty.
    """

    card: Card
    templates: Mapping[str, Templates]
    files: tuple[FileContents, ...] = ()

    @cached_property
    def reach(self) -> Reach:
        """Which cells act on which columns."""
        return find_reach(self.card, self.templates)

    @cached_property
    def columns_by_nuisance(self) -> dict[str, tuple[int, ...]]:
        """Positions of the columns on which each nuisance acts, by name; empty for a nuisance without effect."""
        reached: dict[str, set[int]] = {name: set() for name in self.card.nuisance_names}
        for row, columns in self.reach.by_row.items():
            reached[self.card.nuisances[row].name].update(columns)
        return {name: tuple(sorted(columns)) for name, columns in reached.items()}

    def where(self, column: int, row: int) -> Where:
        """Return the place of a cell, by the positions of its column and row in the card."""
        place = self.card.columns[column]
        return Where(place.channel, place.process, self.card.nuisances[row].name)

    @cached_property
    def channels(self) -> tuple[ChannelArrays, ...]:
        """The template channels, in the order of the card."""
        pairs: dict[str, list[PairCell]] = {}
        for cell in self.reach.pairs:
            pairs.setdefault(self.card.columns[cell.column].channel, []).append(cell)
        kept = frozenset(self.reach.columns)
        by_channel: dict[str, list[int]] = {}
        for index, column in enumerate(self.card.columns):
            if index in kept:
                by_channel.setdefault(column.channel, []).append(index)
        return tuple(
            self._arrays(channel.name, by_channel.get(channel.name, []), pairs.get(channel.name, []))
            for channel in self.card.channels
            if channel.name in self.templates
        )

    def _arrays(self, channel: str, columns: Iterable[int], cells: list[PairCell]) -> ChannelArrays:
        templates = self.templates[channel]
        there = [index for index in columns if self.card.columns[index].process in templates.column_index]
        order = {index: position for position, index in enumerate(there)}
        cells = sorted(cells, key=lambda cell: (cell.column, cell.row))
        rows = np.array([templates.column_index[self.card.columns[index].process] for index in there], dtype=np.intp)
        pairs = np.array([cell.pair for cell in cells], dtype=np.intp)
        return ChannelArrays(
            name=channel,
            columns=tuple(self.card.columns[index] for index in there),
            values=templates.values[rows],
            variances=templates.variances[rows],
            cells=tuple(cells),
            nuisances=tuple(self.card.nuisances[cell.row] for cell in cells),
            pair_columns=np.array([order[cell.column] for cell in cells], dtype=np.intp),
            strengths=np.array([cell.strength for cell in cells], dtype=np.float64),
            up=templates.up[pairs],
            down=templates.down[pairs],
            up_variances=templates.up_variances[pairs],
            down_variances=templates.down_variances[pairs],
            observation=templates.observation,
            mc_stats=self.card.mc_stats_of(channel),
        )
