"""What each nuisance does to each column at one standard deviation: to its yield, its shape, and what data see of it.

The formulas are those of Combine at θ = ±1 (`python/ModelTools.py`, `python/ShapeTools.py`), without its floors: a
log-normal multiplies the yield by kappa; a pair of templates with strength s multiplies it by (sum of Up / sum of
nominal)^s, left out where both ratios are within 1e-3 of 1, and moves the normalised template by s times the
difference to the normalised variation (`shapeN`: in the logarithm).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pocket_combine.card.model import Card, Column, Effect, Nuisance
from pocket_combine.reach import NumberCell, PairCell, Reach, find_reach
from pocket_combine.templates import FloatArray, Templates

__all__ = ["ColumnEffect", "ColumnShift", "NuisanceEffect", "column_shifts", "nuisance_effects"]

_DROPPED = 1e-3
"""Combine leaves a normalisation effect out if it is smaller than this on both sides."""


@dataclass(frozen=True)
class ColumnEffect:
    """What one cell of a nuisance row does to its column.

    Attributes:
        channel: Name of the channel.
        process: Name of the process.
        kind: Kind of the row.
        cell: What stands in the card.
        yield_up: Yield at +1 standard deviation, relative to nominal.
        yield_down: Yield at -1 standard deviation, relative to nominal.
        moved_up: Fraction of the events that are in another bin at +1 standard deviation, after the change of the
            yield is taken out: half the sum of |differences| of the normalised templates. `None` where the cell has
            no templates.
        moved_down: The same at -1 standard deviation.
        size: Root of the sum over bins of (change / statistical error of the data)², the larger of both sides.
    """

    channel: str
    process: str
    kind: str
    cell: Effect
    yield_up: float
    yield_down: float
    moved_up: float | None
    moved_down: float | None
    size: float


@dataclass(frozen=True, eq=False)
class ColumnShift:
    """What one cell of a nuisance row does to its column, bin by bin.

    Attributes:
        nuisance: Name of the nuisance.
        effect: What it does in numbers.
        nominal: `nominal[bin]`, expected events.
        up: `up[bin]`, change of the expected events at +1 standard deviation.
        down: `down[bin]`, at -1 standard deviation.
    """

    nuisance: str
    effect: ColumnEffect
    nominal: FloatArray
    up: FloatArray
    down: FloatArray


@dataclass(frozen=True)
class NuisanceEffect:
    """What a nuisance does.

    Attributes:
        name: Its name.
        kinds: Kinds of its rows, each once.
        columns: Its effect on every column that it acts on, in the order of the card.
        size: As `ColumnEffect.size`, for the sum of all columns and over the bins of all channels.
    """

    name: str
    kinds: tuple[str, ...]
    columns: tuple[ColumnEffect, ...]
    size: float


def nuisance_effects(
    card: Card, templates: Mapping[str, Templates], names: Collection[str] | None = None
) -> tuple[NuisanceEffect, ...]:
    """Return what the nuisances of a card do, in the order of the card.

    A standard deviation of a `gmN` row is √(N+1) of its N+1 events; of a `unif` row, the ends of the range. The
    statistical error of the data in a bin is the root of the expected events, at least 1.

    Args:
        card: The card.
        templates: Templates by channel; a channel without is a counting channel.
        names: Names of the nuisances that are wanted; `None` for all.

    Examples:
        >>> from pocket_combine.card.model import Channel
        >>> card = Card(
        ...     channels=(Channel("SR"),),
        ...     columns=(Column("SR", "sig", 0, -1), Column("SR", "bkg", 1, -1)),
        ...     nuisances=(Nuisance("lumi", "lnN", (1.1, 1.1)), Nuisance("JES", "shape", (None, 1.0))),
        ... )
        >>> channel = Templates.of([0, 1, 2], {"sig": [5, 5], "bkg": [45, 45]}, {("bkg", "JES"): ([54, 54], [36, 54])})
        >>> lumi, jes = nuisance_effects(card, {"SR": channel})
        >>> (effect,) = jes.columns
        >>> [round(x, 6) for x in (effect.yield_up, effect.yield_down, effect.moved_up, effect.moved_down)]
        [1.2, 1.0, 0.0, 0.1]
        >>> [round(nuisance.size, 6) for nuisance in (lumi, jes)]  # 10 and 18 of 100 events
        [1.0, 1.8]
    """
    wanted = {name: index for index, name in enumerate(card.nuisance_names) if names is None or name in names}
    rows = [wanted.get(row.name, -1) for row in card.nuisances]
    found: list[dict[int, list[ColumnEffect]]] = [{} for _ in card.nuisance_names]
    squares = np.zeros((2, len(card.nuisance_names)))
    for channel, (numbers, pairs) in _cells_by_channel(card, find_reach(card, templates), rows).items():
        arrays = _Contents.of(card, channel, templates.get(channel))
        effects, shifts = _channel_effects(card, arrays, numbers, pairs)
        cells: list[NumberCell | PairCell] = [*numbers, *pairs]
        nuisances = np.array([rows[cell.row] for cell in cells], dtype=np.intp)
        for side in (0, 1):
            total = np.zeros((len(card.nuisance_names), arrays.errors.size))
            np.add.at(total, nuisances, shifts[side])
            squares[side] += ((total / arrays.errors) ** 2).sum(axis=1)
        for cell, effect in zip(cells, effects, strict=True):
            found[rows[cell.row]].setdefault(cell.column, []).append(effect)
    sizes = np.sqrt(squares.max(axis=0))
    kinds: dict[str, dict[str, None]] = {}
    for row in card.nuisances:
        kinds.setdefault(row.name, {})[row.kind] = None
    return tuple(
        NuisanceEffect(
            name,
            tuple(kinds[name]),
            tuple(effect for column in sorted(found[index]) for effect in found[index][column]),
            float(sizes[index]),
        )
        for name, index in wanted.items()
    )


def column_shifts(
    card: Card, templates: Mapping[str, Templates], names: Collection[str] | None = None
) -> Iterator[ColumnShift]:
    """Yield what each cell of the nuisances does bin by bin, one channel after the other.

    Args:
        card: The card.
        templates: Templates by channel; a channel without is a counting channel.
        names: Names of the nuisances that are wanted; `None` for all.

    Examples:
        >>> from pocket_combine.card.model import Channel
        >>> card = Card(
        ...     channels=(Channel("SR"),),
        ...     columns=(Column("SR", "sig", 0, -1), Column("SR", "bkg", 1, -1)),
        ...     nuisances=(Nuisance("JES", "shape", (None, 1.0)),),
        ... )
        >>> channel = Templates.of([0, 1, 2], {"sig": [5, 5], "bkg": [45, 45]}, {("bkg", "JES"): ([54, 54], [36, 54])})
        >>> (shift,) = column_shifts(card, {"SR": channel})
        >>> shift.effect.process, shift.up.tolist(), shift.down.tolist()
        ('bkg', [9.0, 9.0], [-9.0, 9.0])
    """
    rows = [0 if names is None or row.name in names else -1 for row in card.nuisances]
    for channel, (numbers, pairs) in _cells_by_channel(card, find_reach(card, templates), rows).items():
        contents = _Contents.of(card, channel, templates.get(channel))
        effects, (ups, downs) = _channel_effects(card, contents, numbers, pairs)
        cells: list[NumberCell | PairCell] = [*numbers, *pairs]
        for cell, effect, up, down in zip(cells, effects, ups, downs, strict=True):
            nominal = contents.values[contents.positions[cell.column]]
            yield ColumnShift(card.nuisances[cell.row].name, effect, nominal, up, down)


def _cells_by_channel(
    card: Card, reach: Reach, rows: Sequence[int]
) -> dict[str, tuple[list[NumberCell], list[PairCell]]]:
    """Return the cells of the wanted nuisances, those whose row has a number of at least 0, by channel."""
    result: dict[str, tuple[list[NumberCell], list[PairCell]]] = {}
    for number in reach.numbers:
        if rows[number.row] >= 0:
            result.setdefault(card.columns[number.column].channel, ([], []))[0].append(number)
    for pair in reach.pairs:
        if rows[pair.row] >= 0:
            result.setdefault(card.columns[pair.column].channel, ([], []))[1].append(pair)
    return result


@dataclass(frozen=True, eq=False)
class _Contents:
    """Expected events of a channel.

    Attributes:
        templates: Its templates, `None` for a counting channel.
        positions: Row in `values` of each column, by its position in the card.
        values: `values[column, bin]`; a counting channel has one bin.
        errors: `errors[bin]`, the statistical error of the data.
        morphs_yields: Whether templates are morphed with their yields (`hist_mode` 2 of autoMCStats).
    """

    templates: Templates | None
    positions: Mapping[int, int]
    values: FloatArray
    errors: FloatArray
    morphs_yields: bool

    @classmethod
    def of(cls, card: Card, channel: str, templates: Templates | None) -> _Contents:
        columns = card.columns_of(channel)
        positions = {card.column_index[channel, column.process]: row for row, column in enumerate(columns)}
        if templates is None:
            values = np.array([[max(column.rate, 0.0)] for column in columns])
        else:
            values = np.array([_values(column, templates) for column in columns])
        errors = np.sqrt(np.maximum(values.sum(axis=0), 1.0))
        line = card.mc_stats_of(channel)
        return cls(templates, positions, values, errors, line is not None and line.hist_mode == 2)


def _values(column: Column, templates: Templates) -> FloatArray:
    row = templates.column_index.get(column.process)
    return np.zeros(templates.bins) if row is None else templates.values[row]


def _channel_effects(
    card: Card, contents: _Contents, numbers: Sequence[NumberCell], pairs: Sequence[PairCell]
) -> tuple[list[ColumnEffect], tuple[FloatArray, FloatArray]]:
    """Return the effects of cells, and `shifts[side][cell, bin]`, the changes in events: up, down."""
    positions = [contents.positions[cell.column] for cell in numbers]
    ratios = [_number_ratios(card.nuisances[cell.row], cell.effect) for cell in numbers]
    ups, downs = np.array(ratios).reshape(-1, 2).T
    nominal = contents.values[positions].reshape(len(numbers), contents.errors.size)
    shifts_up = (ups - 1)[:, np.newaxis] * nominal
    shifts_down = (downs - 1)[:, np.newaxis] * nominal
    moved: list[tuple[float, float] | None] = [None] * len(numbers)
    if pairs and contents.templates is not None:
        up, down = _pair_sides(card, contents, contents.templates, pairs)
        ups, downs = np.append(ups, up.ratios), np.append(downs, down.ratios)
        shifts_up, shifts_down = np.vstack([shifts_up, up.shifts]), np.vstack([shifts_down, down.shifts])
        moved += zip(up.moved.tolist(), down.moved.tolist(), strict=True)
    sizes = np.maximum(*(np.sqrt(((shift / contents.errors) ** 2).sum(axis=1)) for shift in (shifts_up, shifts_down)))
    cells: list[NumberCell | PairCell] = [*numbers, *pairs]
    effects = []
    for cell, up_ratio, down_ratio, share, size in zip(
        cells, ups.tolist(), downs.tolist(), moved, sizes.tolist(), strict=True
    ):
        column, row = card.columns[cell.column], card.nuisances[cell.row]
        moved_up, moved_down = share or (None, None)
        effects.append(
            ColumnEffect(
                channel=column.channel,
                process=column.process,
                kind=row.kind,
                cell=row.effects[cell.column],
                yield_up=up_ratio,
                yield_down=down_ratio,
                moved_up=moved_up,
                moved_down=moved_down,
                size=size,
            )
        )
    return effects, (shifts_up, shifts_down)


def _number_ratios(nuisance: Nuisance, effect: float | tuple[float, float]) -> tuple[float, float]:
    """Return the yield ratios at +1 and -1 standard deviation of a cell that acts by its number."""
    if isinstance(effect, tuple):
        return effect[1], effect[0]
    if nuisance.kind == "gmN":
        width = 1 / np.sqrt(nuisance.arguments[0] + 1)
        return 1 + width, 1 - width
    if nuisance.kind == "unif":
        low, high = nuisance.arguments[:2]
        return 1 + effect * high, 1 + effect * low
    if nuisance.kind in ("gmM", "trG", "dFD", "dFD2"):
        return 1 + effect, 1 - effect
    return effect, 1 / effect


@dataclass(frozen=True, eq=False)
class _Side:
    """Effects of pairs on one side: `ratios[pair]`, `moved[pair]` and `shifts[pair, bin]`."""

    ratios: FloatArray
    moved: FloatArray
    shifts: FloatArray


def _pair_sides(
    card: Card, contents: _Contents, templates: Templates, pairs: Sequence[PairCell]
) -> tuple[_Side, _Side]:
    rows = np.array([cell.pair for cell in pairs], dtype=np.intp)
    strengths = np.array([cell.strength for cell in pairs])
    logarithmic = np.array(["shapeN" in card.nuisances[cell.row].kind for cell in pairs])
    nominal = templates.values[templates.pair_columns[rows]]
    varied = (templates.up[rows], templates.down[rows])
    totals = nominal.sum(axis=1)
    ratios = [_divide(array.sum(axis=1), totals, 1.0) for array in varied]
    dropped = (np.abs(ratios[0] - 1) < _DROPPED) & (np.abs(ratios[1] - 1) < _DROPPED)
    shape = _normalised(nominal)
    sides = []
    for array, ratio in zip(varied, ratios, strict=True):
        if contents.morphs_yields:
            morphed = _morph(nominal, array, strengths, logarithmic)
            scale = np.where(logarithmic, 1.0, _divide(morphed.sum(axis=1), totals, 1.0))
        else:
            morphed = _morph(shape, _normalised(array), strengths, logarithmic)
            scale = np.where(dropped, 1.0, np.maximum(ratio, 0.0) ** strengths)
        morphed = _normalised(morphed)
        shifts = (totals * scale)[:, np.newaxis] * morphed - nominal
        sides.append(_Side(scale, np.abs(morphed - shape).sum(axis=1) / 2, shifts))
    return sides[0], sides[1]


def _morph(nominal: FloatArray, varied: FloatArray, strengths: FloatArray, logarithmic: FloatArray) -> FloatArray:
    """Return the templates of pairs at one standard deviation on the side of `varied`."""
    additive = nominal + strengths[:, np.newaxis] * (varied - nominal)
    positive = (nominal > 0) & (varied > 0)
    ratio = np.divide(varied, nominal, out=np.ones_like(nominal), where=positive)
    return np.where(logarithmic[:, np.newaxis], nominal * ratio ** strengths[:, np.newaxis], additive)


def _normalised(array: FloatArray) -> FloatArray:
    """Return each row divided by its sum; rows without content stay."""
    totals = array.sum(axis=1, keepdims=True)
    return _divide(array, np.broadcast_to(totals, array.shape), 0.0)


def _divide(numerator: FloatArray, denominator: FloatArray, otherwise: float) -> FloatArray:
    result = np.full(numerator.shape, otherwise)
    np.divide(numerator, denominator, out=result, where=denominator != 0)
    return result
