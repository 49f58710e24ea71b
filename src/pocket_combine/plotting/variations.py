"""Templates at ±1 standard deviation of a nuisance, as numbers: what figures of templates show.

What a nuisance does is what Combine's model does at θ = ±1 (`pocket_combine.effects`): log-normals are flat, templates
are scaled by the number in the card.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from pocket_combine.card.model import Card
from pocket_combine.effects import ColumnShift, column_shifts
from pocket_combine.plotting.uncertainties import percent
from pocket_combine.templates import FloatArray, Templates

__all__ = [
    "EVERYTHING",
    "Selection",
    "Variation",
    "largest_by_nuisance",
    "largest_variations",
    "round_range",
    "summed_variations",
    "variations",
]

_NEGLIGIBLE = 0.02
"""Bins with less than this part of the largest bin do not set the range of an axis."""


@dataclass(frozen=True, eq=False)
class Variation:
    """The templates of one process, or of a sum of processes, at ±1 standard deviation of a nuisance.

    Attributes:
        channel: Name of the channel.
        processes: Names of the processes.
        nuisance: Name of the nuisance.
        kinds: Kinds of its rows, such as `shape`.
        edges: `edges[bin + 1]`; 0 and 1 for a counting channel.
        nominal: `nominal[bin]`, in events.
        errors: `errors[bin]`, the statistical uncertainty of the nominal template, in events.
        up: `up[bin]`, events at +1 standard deviation.
        down: `down[bin]`, events at -1 standard deviation.
        size: As `pocket_combine.effects.ColumnEffect.size`; what variations are ranked by.
    """

    channel: str
    processes: tuple[str, ...]
    nuisance: str
    kinds: tuple[str, ...]
    edges: FloatArray
    nominal: FloatArray
    errors: FloatArray
    up: FloatArray
    down: FloatArray
    size: float

    def relative(self, values: FloatArray) -> FloatArray:
        """Return `change[bin]`, values relative to the nominal ones; not a number where there are none."""
        return _relative(values, self.nominal)

    @property
    def yield_changes(self) -> tuple[float, float]:
        """Relative change of the yield at +1 and at -1 standard deviation; not a number for an empty template."""
        nominal = self.nominal.sum(keepdims=True)
        up, down = (float(_relative(side.sum(keepdims=True), nominal)[0]) for side in (self.up, self.down))
        return up, down

    @property
    def yield_texts(self) -> tuple[str, str]:
        """The same for readers, in ASCII: `empty` for an empty template."""
        up, down = ("empty" if math.isnan(change) else percent(change) for change in self.yield_changes)
        return up, down

    @property
    def largest_change(self) -> float:
        """Largest relative change in bins with at least 2 % of the largest bin; 0 without such bins."""
        counting = self.nominal > _NEGLIGIBLE * np.max(self.nominal, initial=0.0)
        changes = np.abs([self.relative(self.up), self.relative(self.down)])[:, counting]
        return float(np.max(changes, initial=0.0))


def round_range(largest: float) -> float:
    """Return 1, 2 or 5 times a power of ten, at least 0.001, that is not smaller than a change.

    Examples:
        >>> round_range(0.012), round_range(0.2), round_range(7.0), round_range(0.0)
        (0.02, 0.2, 10.0, 0.001)
    """
    largest = max(largest, 1e-3)
    power = 10.0 ** math.floor(math.log10(largest))
    factor = next(factor for factor in (1, 2, 5, 10) if largest <= factor * power * (1 + 1e-9))
    return float(f"{factor * power:.1g}")


def _relative(values: FloatArray, nominal: FloatArray) -> FloatArray:
    result = np.full(nominal.shape, np.nan)
    np.divide(values - nominal, nominal, out=result, where=nominal > 0)
    return result


@dataclass(frozen=True)
class Selection:
    """Which variations are wanted.

    Attributes:
        channels: Names of channels; `None` for all.
        processes: Names of processes; `None` for all.
        nuisances: Names of nuisances; `None` for all.
    """

    channels: Collection[str] | None = None
    processes: Collection[str] | None = None
    nuisances: Collection[str] | None = None

    def shifts(self, card: Card, templates: Mapping[str, Templates]) -> Iterator[list[ColumnShift]]:
        """Yield what the nuisances do to the processes, one channel after the other."""
        wanted = (shift for shift in column_shifts(card, templates, self.nuisances) if self._holds(shift))
        for _, group in itertools.groupby(wanted, key=lambda shift: shift.effect.channel):
            yield list(group)

    def _holds(self, shift: ColumnShift) -> bool:
        in_channel = self.channels is None or shift.effect.channel in self.channels
        return in_channel and (self.processes is None or shift.effect.process in self.processes)


EVERYTHING = Selection()


def variations(
    card: Card,
    templates: Mapping[str, Templates],
    *,
    selection: Selection = EVERYTHING,
) -> Iterator[Variation]:
    """Yield the variations of every process by every nuisance that acts on it, one channel after the other.

    Args:
        card: The card.
        templates: Templates by channel; a channel without is a counting channel.
        selection: Which of them.

    Examples:
        >>> from pocket_combine.card.model import Channel, Column, Nuisance
        >>> card = Card(
        ...     channels=(Channel("SR"),),
        ...     columns=(Column("SR", "sig", 0, -1), Column("SR", "bkg", 1, -1)),
        ...     nuisances=(Nuisance("lumi", "lnN", (1.1, 1.1)), Nuisance("JES", "shape", (None, 0.5))),
        ... )
        >>> channel = Templates.of([0, 1, 2], {"sig": [5, 5], "bkg": [45, 45]}, {("bkg", "JES"): ([54, 36], [36, 54])})
        >>> for one in variations(card, {"SR": channel}, selection=Selection(processes=["bkg"])):
        ...     print(one.nuisance, one.up.round(3).tolist(), one.down.round(3).tolist())
        lumi [49.5, 49.5] [40.909, 40.909]
        JES [49.5, 40.5] [40.5, 49.5]
    """
    for group in selection.shifts(card, templates):
        found: dict[tuple[str, str], list[ColumnShift]] = {}
        for shift in group:
            found.setdefault((shift.effect.process, shift.nuisance), []).append(shift)
        for shifts in found.values():
            yield _variation(shifts, templates)


def _variation(shifts: list[ColumnShift], by_channel: Mapping[str, Templates]) -> Variation:
    """Return the sum of cells of one nuisance in one channel: their changes add, each process counts once."""
    first = shifts[0]
    nominal = {shift.effect.process: shift.nominal for shift in shifts}
    total = np.sum(list(nominal.values()), axis=0)
    templates = by_channel.get(first.effect.channel)
    if templates is None:
        edges, variances = np.array([0.0, 1.0]), np.zeros(1)
    else:
        rows = [templates.column_index[process] for process in nominal if process in templates.column_index]
        edges, variances = templates.edges, templates.variances[rows].sum(axis=0)
    return Variation(
        channel=first.effect.channel,
        processes=tuple(nominal),
        nuisance=first.nuisance,
        kinds=tuple(dict.fromkeys(shift.effect.kind for shift in shifts)),
        edges=edges,
        nominal=total,
        errors=np.sqrt(np.maximum(variances, 0.0)),
        up=total + np.sum([shift.up for shift in shifts], axis=0),
        down=total + np.sum([shift.down for shift in shifts], axis=0),
        size=sum(shift.effect.size for shift in shifts),
    )


def summed_variations(
    card: Card,
    templates: Mapping[str, Templates],
    *,
    selection: Selection = EVERYTHING,
) -> Iterator[Variation]:
    """Yield one variation for each channel and nuisance: the sum of the processes that the nuisance acts on.

    Args:
        card: The card.
        templates: Templates by channel; a channel without is a counting channel.
        selection: Which of them, and which processes are added.
    """
    order = {name: index for index, name in enumerate(card.nuisance_names)}
    for group in selection.shifts(card, templates):
        found: dict[str, list[ColumnShift]] = {}
        for shift in group:
            found.setdefault(shift.nuisance, []).append(shift)
        for name in sorted(found, key=order.__getitem__):
            yield _variation(found[name], templates)


def largest_variations(
    card: Card,
    templates: Mapping[str, Templates],
    *,
    most: int,
    selection: Selection = EVERYTHING,
) -> tuple[Variation, ...]:
    """Return the `most` variations of single processes with the largest sizes, largest first.

    Args:
        card: The card.
        templates: Templates by channel; a channel without is a counting channel.
        most: How many at most.
        selection: Which of them.
    """
    every = variations(card, templates, selection=selection)
    return tuple(heapq.nsmallest(most, every, key=_rank))


def largest_by_nuisance(
    card: Card, templates: Mapping[str, Templates], *, most: int, nuisances: Collection[str] | None = None
) -> dict[str, tuple[Variation, ...]]:
    """Return for each nuisance its `most` largest variations, largest first; none where it does nothing.

    Args:
        card: The card.
        templates: Templates by channel; a channel without is a counting channel.
        most: How many at most for each nuisance.
        nuisances: Names of nuisances; `None` for all.
    """
    found: dict[str, list[Variation]] = {
        name: [] for name in card.nuisance_names if nuisances is None or name in nuisances
    }
    for variation in variations(card, templates, selection=Selection(nuisances=nuisances)):
        kept = found[variation.nuisance]
        kept.append(variation)
        if len(kept) > 4 * most:
            kept[:] = heapq.nsmallest(most, kept, key=_rank)
    return {name: tuple(heapq.nsmallest(most, kept, key=_rank)) for name, kept in found.items()}


def _rank(variation: Variation) -> tuple[float, str, tuple[str, ...], str]:
    return -variation.size, variation.channel, variation.processes, variation.nuisance
