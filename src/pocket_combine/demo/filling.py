"""Histograms of toy events: categories, variables, and how they are filled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import hist
import numpy as np
import numpy.typing as npt

from pocket_combine.demo.events import ToyEvents, ToyProcess
from pocket_combine.demo.variations import Measured, energy_variations, weight_variations
from pocket_combine.names import NOMINAL, SHIFTS, shifted_name
from pocket_combine.templates import FloatArray

__all__ = ["CATEGORIES", "VARIABLES", "DataFilling", "Histogram", "SimulationFilling", "Variable"]

CATEGORIES = ("SR", "CR_tt", "CR_nJets")
"""Categories of the toy analysis; every event is in one at most."""

Histogram: TypeAlias = "hist.Hist[hist.storage.Weight]"
_Indices: TypeAlias = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Variable:
    """A variable: the attribute of `Measured` that it shows, its axis, and the categories that it is filled in."""

    attribute: str
    axis: Any
    categories: tuple[str, ...]


VARIABLES = {
    "discriminant": Variable(
        "discriminant",
        hist.axis.Regular(20, 0.0, 1.0, name="events.discriminant", label="Discriminant"),
        ("SR", "CR_tt"),
    ),
    "deltaRbb_min": Variable(
        "distance",
        hist.axis.Regular(18, 0.4, 4.0, name="events.deltaRbb_min", label=r"min $\Delta R_{bb}$"),
        ("SR", "CR_tt"),
    ),
    "nJets": Variable("jets", hist.axis.Integer(4, 12, name="events.nJetGood", label=r"$N_{JetGood}$"), CATEGORIES),
}
"""Variables of the toy analysis, by the key of the histograms."""


class DataFilling:
    """Histograms of unweighted events, without variations."""

    def __init__(self, events: ToyEvents) -> None:
        self.weight = events.weight
        self.measured = Measured.of(events)
        self.category = _categories(self.measured, events.tags)

    def histogram(self, variable: Variable) -> Histogram:
        """Return the histogram of a variable."""
        result = hist.Hist(_category_axis(variable), variable.axis, storage=hist.storage.Weight(), name="Counts")
        view = result.view(flow=True)
        counts = np.bincount(_cells(self.measured, self.category, variable), minlength=view.size).reshape(view.shape)
        view["value"][:-1] = counts[:-1]
        view["variance"][:-1] = counts[:-1]
        return result


class SimulationFilling(DataFilling):
    """Histograms of weighted events, with all variations."""

    def __init__(self, process: ToyProcess, period: str, events: ToyEvents) -> None:
        super().__init__(events)
        weights = {NOMINAL: self.weight}
        self._moved: dict[str, tuple[Measured, _Indices]] = {}
        factors = weight_variations(process, events)
        energies = energy_variations(period, process, events)
        for sign, shift in zip((1.0, -1.0), SHIFTS, strict=True):
            for name, factor in factors.items():
                weights[shifted_name(name, shift)] = self.weight * np.exp(sign * factor)
            for name, energy in energies.items():
                measured = Measured.of(events, sign * energy)
                self._moved[shifted_name(name, shift)] = measured, _categories(measured, events.tags)
        self._names = sorted((*weights, *self._moved))
        self._row = {name: index for index, name in enumerate(self._names)}
        self._weight_rows = [self._row[name] for name in weights]
        # moments[...][event, variation]: contiguous like this, the sums below need no copy of it.
        values = np.stack(list(weights.values()), axis=1)
        self._moments = {"value": (self.weight, values), "variance": (self.weight**2, values**2)}

    def histogram(self, variable: Variable) -> Histogram:
        """Return the histogram of a variable, with its variations."""
        variation_axis = hist.axis.StrCategory(self._names, name="variation", label="Variation")
        result = hist.Hist(
            _category_axis(variable), variation_axis, variable.axis, storage=hist.storage.Weight(), name="Counts"
        )
        view = result.view(flow=True)
        shape = (view.shape[0], view.shape[2])
        cells = _cells(self.measured, self.category, variable)
        order = np.argsort(cells, kind="stable")
        filled, starts = np.unique(cells[order], return_index=True)
        for moment, (_, weights) in self._moments.items():
            sums = np.zeros((shape[0] * shape[1], len(self._weight_rows)))
            sums[filled] = np.add.reduceat(weights[order], starts, axis=0)
            view[moment][:-1, self._weight_rows] = sums.reshape(*shape, -1)[:-1].transpose(0, 2, 1)
        for name, (measured, category) in self._moved.items():
            cells = _cells(measured, category, variable)
            for moment, (weight, _) in self._moments.items():
                moved = np.bincount(cells, weights=weight, minlength=shape[0] * shape[1]).reshape(shape)
                view[moment][:-1, self._row[name]] = moved[:-1]
        return result


def _cells(measured: Measured, category: _Indices, variable: Variable) -> _Indices:
    """Return the (category, bin) of each event, counted through the categories of a variable.

    What is in none of its categories comes after them, where `hist` has the overflow of the category axis. It stays
    empty: PocketCoffea fills histograms category by category.
    """
    slots = np.full(len(CATEGORIES) + 1, len(variable.categories))
    slots[[CATEGORIES.index(name) for name in variable.categories]] = np.arange(len(variable.categories))
    bins = np.asarray(variable.axis.index(getattr(measured, variable.attribute)), dtype=np.intp)
    cells: _Indices = slots[category] * variable.axis.extent + bins + 1
    return cells


def _category_axis(variable: Variable) -> Any:
    return hist.axis.StrCategory(variable.categories, name="cat", label="Category")


def _categories(measured: Measured, tags: FloatArray) -> _Indices:
    """Return the index of the category of each event; events in none get the number of categories.

    The last slot is where `hist` counts what is on no category of an axis.
    """
    conditions = [
        (measured.jets >= 6) & (tags >= 4),
        (measured.jets >= 4) & (measured.jets <= 5) & (tags >= 3),
        (measured.jets >= 4) & (tags == 2),
    ]
    return np.select(conditions, np.arange(len(CATEGORIES)), len(CATEGORIES)).astype(np.intp)
