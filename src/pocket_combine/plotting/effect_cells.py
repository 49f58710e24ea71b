"""What nuisances do to processes in channels, as arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from pocket_combine.card.model import Card
from pocket_combine.effects import ColumnEffect, NuisanceEffect
from pocket_combine.errors import StyleError, nearest
from pocket_combine.plotting.style import Style
from pocket_combine.templates import FloatArray, Templates

__all__ = ["EffectGrid", "GridColumn", "effect_grid"]


@dataclass(frozen=True)
class GridColumn:
    """Processes of a channel that are drawn as one.

    Attributes:
        channel: Name of the channel.
        label: Name of the processes in figures.
        members: Names of the processes.
    """

    channel: str
    label: str
    members: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class EffectGrid:
    """Effects of nuisances at one standard deviation.

    Attributes:
        nuisances: Names.
        columns: Processes in channels.
        acts: `acts[nuisance, column]`, whether the nuisance acts on one of the processes.
        yields: `yields[nuisance, column]`, relative change of the yield, the larger of both sides, with its sign; not a
            number where the nuisance does not act.
        moved: `moved[nuisance, column]`, fraction of the events in another bin, the larger of both sides; not a number
            where no template acts.
    """

    nuisances: tuple[str, ...]
    columns: tuple[GridColumn, ...]
    acts: npt.NDArray[np.bool_]
    yields: FloatArray
    moved: FloatArray

    def of_columns(self, columns: slice) -> EffectGrid:
        """Return some of the columns, with the nuisances that act on them."""
        acts = self.acts[:, columns]
        rows = np.flatnonzero(acts.any(axis=1))
        return EffectGrid(
            tuple(self.nuisances[row] for row in rows),
            self.columns[columns],
            acts[rows],
            self.yields[rows, columns],
            self.moved[rows, columns],
        )

    def of_rows(self, rows: slice) -> EffectGrid:
        """Return some of the nuisances."""
        return EffectGrid(self.nuisances[rows], self.columns, self.acts[rows], self.yields[rows], self.moved[rows])


def effect_grid(
    card: Card,
    templates: Mapping[str, Templates],
    effects: Sequence[NuisanceEffect],
    *,
    style: Style | None = None,
    channels: Sequence[str] | None = None,
    order: Literal["size", "card"] = "size",
) -> EffectGrid:
    """Return effects of nuisances on processes in channels, processes merged as the style says.

    The change of the yield of merged processes is the sum of their changes over the sum of their yields, on each side;
    the fraction of moved events is the mean of theirs, weighted by yields, so at least that of their sum.

    Args:
        card: The card.
        templates: Templates by channel.
        effects: What the nuisances do, of `nuisance_effects`.
        style: Which processes are merged.
        channels: Names of the channels that are wanted; all by default.
        order: Nuisances with the largest effect on the data first, or as in the card.

    Raises:
        StyleError: If a channel does not exist, or the style adds signals to backgrounds.
    """
    style = style or Style()
    columns = _columns(card, style, channels)
    place = {(column.channel, name): at for at, column in enumerate(columns) for name in column.members}
    yields = {
        (column.channel, column.process): _yield(column.rate, column.process, templates.get(column.channel))
        for column in card.columns
    }
    totals = np.array([sum(yields[column.channel, name] for name in column.members) for column in columns])
    ordered = sorted(effects, key=lambda effect: -effect.size) if order == "size" else list(effects)
    shape = (len(ordered), len(columns))
    change, moved = np.zeros((2, *shape)), np.zeros((2, *shape))
    acts, shapes = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    for row, nuisance in enumerate(ordered):
        for key, parts in _by_column(nuisance.columns).items():
            at = place.get(key)
            if at is None:
                continue
            acts[row, at] = True
            for side, ratio in enumerate(_ratios(parts)):
                change[side, row, at] += (ratio - 1.0) * yields[key]
            for part in parts:
                if part.moved_up is not None and part.moved_down is not None:
                    shapes[row, at] = True
                    moved[:, row, at] += np.array([part.moved_up, part.moved_down]) * yields[key]
    relative = np.divide(change, totals, out=np.zeros_like(change), where=totals != 0)
    larger = np.where(np.abs(relative[0]) >= np.abs(relative[1]), relative[0], relative[1])
    fraction = np.divide(moved, totals, out=np.zeros_like(moved), where=totals != 0).max(axis=0)
    return EffectGrid(
        tuple(nuisance.name for nuisance in ordered),
        columns,
        acts,
        np.where(acts, larger, np.nan),
        np.where(shapes, fraction, np.nan),
    )


def _columns(card: Card, style: Style, channels: Sequence[str] | None) -> tuple[GridColumn, ...]:
    known = [channel.name for channel in card.channels]
    unknown = [name for name in channels or () if name not in known]
    if unknown:
        raise StyleError("; ".join(f"no channel {name!r} in the card: {nearest(name, known)}" for name in unknown))
    processes = list(dict.fromkeys(column.process for column in card.columns))
    signals = {column.process for column in card.columns if column.is_signal}
    groups = style.groups(processes, signals)
    result = []
    for channel in known if channels is None else channels:
        present = set(card.processes(channel))
        for group in groups:
            members = tuple(name for name in group.members if name in present)
            if members:
                result.append(GridColumn(channel, group.label, members))
    return tuple(result)


def _yield(rate: float, process: str, templates: Templates | None) -> float:
    if templates is None or rate == 0:
        return max(rate, 0.0)
    row = templates.column_index.get(process)
    return 0.0 if row is None else float(templates.values[row].sum())


def _by_column(effects: Sequence[ColumnEffect]) -> dict[tuple[str, str], list[ColumnEffect]]:
    """Return the effects of all rows of a nuisance on each process."""
    result: dict[tuple[str, str], list[ColumnEffect]] = {}
    for effect in effects:
        result.setdefault((effect.channel, effect.process), []).append(effect)
    return result


def _ratios(effects: Sequence[ColumnEffect]) -> tuple[float, float]:
    """Return the ratios of yields that all rows of a nuisance make together."""
    return math.prod(effect.yield_up for effect in effects), math.prod(effect.yield_down for effect in effects)
