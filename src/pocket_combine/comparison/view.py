"""A card with its templates as what it means: expected events, data, and the effect of each nuisance on each column.

What does not change the model is not in it: the order of channels, processes and rows, columns of rate 0, cells without
effect, whether a rate is written out or taken from the template, whether a symmetric log-normal is written as a pair.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from pocket_combine.card.model import AutoMCStats, Card, Column, Nuisance, is_shape_kind
from pocket_combine.reach import LOG_NORMAL, NumberCell, PairCell, find_reach
from pocket_combine.templates import FloatArray, Templates

__all__ = ["CardView", "CellView", "ChannelView", "ColumnKey", "ColumnView", "same_numbers", "view_of"]


class ColumnKey(NamedTuple):
    """A process in a channel."""

    channel: str
    process: str


@dataclass(frozen=True, eq=False)
class ChannelView:
    """A channel.

    Attributes:
        bins: Number of bins; 1 for a counting channel.
        edges: `edges[bin + 1]`, or `None` for a counting channel.
        data: `data[bin]`, or `None` without data.
        mc_stats: What autoMCStats does, or `None`.
    """

    bins: int
    edges: FloatArray | None
    data: FloatArray | None
    mc_stats: AutoMCStats | None


@dataclass(frozen=True, eq=False)
class ColumnView:
    """A column of the model.

    Attributes:
        signal: Whether it is a signal.
        events: `events[bin]`, what is expected.
        variances: `variances[bin]`, squared statistical errors; zeros in a counting channel.
    """

    signal: bool
    events: FloatArray
    variances: FloatArray


@dataclass(frozen=True, eq=False)
class CellView:
    """How a nuisance acts on a column.

    Attributes:
        kind: Kind of the row, where it matters for the meaning.
        numbers: What stands in the row: (ratio at -1, ratio at +1) of a log-normal; strength; or the number itself.
        up: `up[bin]`, the ratio to nominal at +1 standard deviation; in bins where nominal is 0, the events.
        down: `down[bin]`, likewise at -1.
    """

    kind: str
    numbers: tuple[float, ...]
    up: FloatArray
    down: FloatArray

    def text(self) -> str:
        """Return the cell for a message: its number, or the ratio of its yields."""
        shown = "/".join(f"{number:.6g}" for number in self.numbers)
        return f"{self.kind} {shown}" if shown else self.kind

    def same(self, other: CellView, tolerance: float) -> bool:
        """Return whether two cells mean the same; templates of different binnings cannot be compared."""
        if self.kind != other.kind or not same_numbers(np.array(self.numbers), np.array(other.numbers), tolerance):
            return False
        if not self.by_templates or self.up.shape != other.up.shape:
            return True
        return same_numbers(self.up, other.up, tolerance) and same_numbers(self.down, other.down, tolerance)

    @property
    def by_templates(self) -> bool:
        """Whether the nuisance acts by templates here."""
        return is_shape_kind(self.kind)


@dataclass(frozen=True, eq=False)
class CardView:
    """The meaning of a card.

    Attributes:
        channels: By name.
        columns: By channel and process.
        cells: By nuisance, then by column; several where a name stands in several rows.
    """

    channels: dict[str, ChannelView]
    columns: dict[ColumnKey, ColumnView]
    cells: dict[str, dict[ColumnKey, tuple[CellView, ...]]]

    def renamed(self, channels: Mapping[str, str], processes: Mapping[str, str]) -> CardView:
        """Return the view with other names for some channels and processes."""

        def key(old: ColumnKey) -> ColumnKey:
            return ColumnKey(channels.get(old.channel, old.channel), processes.get(old.process, old.process))

        return replace(
            self,
            channels={channels.get(name, name): channel for name, channel in self.channels.items()},
            columns={key(old): column for old, column in self.columns.items()},
            cells={name: {key(old): cell for old, cell in cells.items()} for name, cells in self.cells.items()},
        )

    def processes(self) -> tuple[str, ...]:
        """Return the names of all processes, each once, in order."""
        return tuple(dict.fromkeys(key.process for key in self.columns))

    def expected(self, channel: str) -> FloatArray:
        """Return `expected[bin]`, the sum of all processes of a channel."""
        total = np.zeros(self.channels[channel].bins)
        for key, column in self.columns.items():
            if key.channel == channel:
                total = total + column.events
        return total


def same_numbers(first: FloatArray, second: FloatArray, tolerance: float) -> bool:
    """Return whether arrays have the same shape, and numbers that differ by no more than the relative tolerance.

    Examples:
        >>> same_numbers(np.array([1.0, 0.0]), np.array([1.0 + 1e-9, 0.0]), 1e-6)
        True
    """
    if first.shape != second.shape:
        return False
    close = np.abs(first - second) <= tolerance * np.maximum(np.abs(first), np.abs(second))
    # Equal infinities differ by no number.
    return bool(np.all(close | (first == second)))


def view_of(card: Card, templates: Mapping[str, Templates]) -> CardView:
    """Return the meaning of a card with its templates."""
    reach = find_reach(card, templates)
    channels = {}
    for channel in card.channels:
        own = templates.get(channel.name)
        if own is not None:
            line = card.mc_stats_of(channel.name)
            channels[channel.name] = ChannelView(own.bins, own.edges, own.observation, line)
        else:
            data = None if channel.observation is None else np.array([channel.observation])
            channels[channel.name] = ChannelView(1, None, data, None)
    columns: dict[ColumnKey, ColumnView] = {}
    for index in reach.columns:
        column = card.columns[index]
        columns[ColumnKey(column.channel, column.process)] = _column(column, templates, channels[column.channel])
    cells: dict[str, dict[ColumnKey, tuple[CellView, ...]]] = {}

    def add(column: int, row: int, cell: CellView) -> None:
        own = cells.setdefault(card.nuisances[row].name, {})
        key = ColumnKey(card.columns[column].channel, card.columns[column].process)
        own[key] = tuple(sorted((*own.get(key, ()), cell), key=lambda item: (item.kind, item.numbers)))

    for number in reach.numbers:
        bins = channels[card.columns[number.column].channel].bins
        add(number.column, number.row, _number(card.nuisances[number.row], number, bins))
    for pair in reach.pairs:
        own = templates[card.columns[pair.column].channel]
        add(pair.column, pair.row, _pair(card.nuisances[pair.row], pair, own))
    return CardView(channels, columns, cells)


def _column(column: Column, templates: Mapping[str, Templates], channel: ChannelView) -> ColumnView:
    own = templates.get(column.channel)
    if own is None or column.process not in own.column_index:
        events = np.zeros(channel.bins)
        events[:1] = max(column.rate, 0.0)
        return ColumnView(column.is_signal, events, np.zeros(channel.bins))
    row = own.column_index[column.process]
    events, variances = own.values[row], own.variances[row]
    integral = float(events.sum())
    if channel.mc_stats is None and column.rate > 0 and integral > 0:
        # Without autoMCStats the rate is the yield, and the template its distribution.
        factor = column.rate / integral
        events, variances = events * factor, variances * factor**2
    return ColumnView(column.is_signal, events, variances)


def _number(nuisance: Nuisance, cell: NumberCell, bins: int) -> CellView:
    effect, kind = cell.effect, "lnN" if "?" in nuisance.kind else nuisance.kind
    if kind in LOG_NORMAL:
        down, up = effect if isinstance(effect, tuple) else (1 / effect, effect)
        return CellView(kind, (down, up), np.full(bins, up), np.full(bins, down))
    number = effect if not isinstance(effect, tuple) else effect[1]
    numbers = (*nuisance.arguments, *(effect if isinstance(effect, tuple) else (effect,)))
    # A gmN row has the relative error of its count; the others are linear.
    size = 1 / np.sqrt(max(nuisance.arguments[0], 1.0)) if kind == "gmN" and nuisance.arguments else number
    return CellView(kind, numbers, np.full(bins, 1 + size), np.full(bins, 1 - size))


def _pair(nuisance: Nuisance, cell: PairCell, own: Templates) -> CellView:
    nominal = own.values[own.pair_columns[cell.pair]]
    up, down = (
        np.divide(varied, nominal, out=varied.copy(), where=nominal != 0)
        for varied in (own.up[cell.pair], own.down[cell.pair])
    )
    return CellView(_morphing(nuisance.kind), (cell.strength,), up, down)


def _morphing(kind: str) -> str:
    """Return the kind of a shape row, without what only decides where it looks for templates."""
    plain = kind.replace("?", "")
    if plain == "shapeU":
        return plain
    # Of kinds with a digit Combine only asks whether the name holds `shapeN`.
    return "shapeN" if "shapeN" in plain else "shape"
