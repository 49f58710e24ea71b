"""From the histograms of one output to the templates of its channels, before any treatment.

Sums run over samples and datasets in sorted order, and over outputs from left to right (`merge`), so that the same
inputs give the same bits in whatever order they are named and wherever they are collected.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from pocket_combine.build.binning import CATEGORY_AXIS, VARIATION_AXIS, Binning, variable_axes
from pocket_combine.build.coverage import Coverage, Fallback, Source, read_sources
from pocket_combine.build.plan import Plan
from pocket_combine.errors import MissingInputError, TemplateError, nearest
from pocket_combine.names import NOMINAL, SHIFTS, shifted_name
from pocket_combine.templates import FloatArray, IntArray, Templates

__all__ = ["Histograms", "Collected", "collect", "merge"]

Histograms: TypeAlias = Mapping[str, Mapping[str, Any]]
"""The histograms of one variable: `{sample: {dataset: hist.Hist}}`."""


@dataclass(frozen=True)
class Collected:
    """What one output, or several added up, hold for a plan.

    Attributes:
        templates: Templates per category, flow bins included; empty where no histogram of the plan was there.
        binning: Binning of the variable; `None` where no histogram was there.
        coverage: Which datasets and variations were there.
    """

    templates: Mapping[str, Templates]
    binning: Binning | None
    coverage: Coverage

    def __add__(self, other: Collected) -> Collected:
        """Return the sum of two outputs' parts."""
        if self.binning is not None and other.binning is not None and self.binning != other.binning:
            raise TemplateError(
                f"outputs with different binnings cannot be added: {self.binning.describe()} and "
                f"{other.binning.describe()}"
            )
        templates = dict(self.templates)
        for category, part in other.templates.items():
            templates[category] = templates[category] + part if category in templates else part
        return Collected(templates, self.binning or other.binning, self.coverage + other.coverage)


def merge(parts: Iterable[Collected]) -> Collected:
    """Return the sum of the parts, from left to right; the caller sorts them by the paths of their outputs."""
    iterator = iter(parts)
    total = next(iterator)
    for part in iterator:
        total = total + part
    return total


def collect(
    histograms: Histograms,
    datasets_metadata: Mapping[str, Any],
    cutflow: Mapping[str, Any],
    plan: Plan,
    categories: Sequence[str],
) -> Collected:
    """Return the templates of some categories from the histograms of one variable in one output.

    A dataset without a variation contributes its nominal histogram to it; that is recorded in the coverage.

    Args:
        histograms: `{sample: {dataset: histogram}}`, axes `cat`, `variation` (not for data) and the variable.
        datasets_metadata: The output's `datasets_metadata`.
        cutflow: The output's `cutflow`.
        plan: What to collect.
        categories: Entries of the category axis.

    Raises:
        MissingInputError: If a category or the nominal variation is not there.
        TemplateError: If a content is not finite, binnings differ, or a storage has no variances.
    """
    coverage = read_sources(datasets_metadata, cutflow, histograms, plan)
    data_samples = set(plan.data.samples) if plan.data is not None else set()
    columns: dict[tuple[str, str], list[int]] = {}
    for index, column in enumerate(plan.columns):
        for sample in column.process.samples:
            columns.setdefault((sample, column.year), []).append(index)
    sums = _Sums(plan, tuple(categories))
    for source in sorted(coverage.sources):
        if (source.sample, source.dataset) not in coverage.present:
            continue
        contents = _read(histograms[source.sample][source.dataset], source, sums.categories)
        sums.require(contents.binning, source)
        for column_index in columns.get((source.sample, source.year), ()):
            sums.add_simulation(contents, column_index, source)
        if source.sample in data_samples:
            sums.add_data(contents)
    coverage = dataclasses.replace(
        coverage,
        fallbacks=frozenset(sums.fallbacks),
        provided=frozenset(sums.provided),
        variations=frozenset(sums.variations),
    )
    return Collected(sums.templates(), sums.binning, coverage)


@dataclass(frozen=True)
class _Contents:
    """Contents of one histogram: per category, arrays indexed [variation, bin]."""

    variations: tuple[str, ...]
    values: tuple[FloatArray, ...]
    variances: tuple[FloatArray, ...]
    binning: Binning


def _read(histogram: Any, source: Source, categories: Sequence[str]) -> _Contents:
    """Return the contents of the wanted categories of a histogram."""
    place = f"sample {source.sample}, dataset {source.dataset}"
    names = [axis.name for axis in histogram.axes]
    if CATEGORY_AXIS not in names:
        raise TemplateError(f"{place}: the histogram has the axes {names}, expected one named {CATEGORY_AXIS!r}")
    available = list(histogram.axes[CATEGORY_AXIS])
    missing = [category for category in categories if category not in available]
    if missing:
        raise MissingInputError(
            f"{place}: category {missing[0]!r} is not on the category axis; {nearest(missing[0], available)}"
        )
    values, variances = _values_and_variances(histogram, place)
    order = [names.index(CATEGORY_AXIS)]
    variations: tuple[str, ...] = (NOMINAL,)
    if VARIATION_AXIS in names:
        order.append(names.index(VARIATION_AXIS))
        variations = tuple(histogram.axes[VARIATION_AXIS])
        if NOMINAL not in variations:
            raise MissingInputError(f"{place}: no {NOMINAL!r} on the variation axis; {nearest(NOMINAL, variations)}")
    order += [names.index(axis.name) for axis in variable_axes(histogram)]
    binning = Binning.of(histogram)
    values, variances = values.transpose(order), variances.transpose(order)
    if VARIATION_AXIS not in names:
        values, variances = values[:, np.newaxis], variances[:, np.newaxis]
    rows = [available.index(category) for category in categories]
    contents = _Contents(
        variations,
        tuple(binning.line_up(values[row]) for row in rows),
        tuple(binning.line_up(variances[row]) for row in rows),
        binning,
    )
    _require_finite(contents, categories, place)
    return contents


def _values_and_variances(histogram: Any, place: str) -> tuple[FloatArray, FloatArray]:
    view = histogram.view(flow=True)
    if view.dtype.names is None:
        values = np.asarray(view, dtype=np.float64)
        return values, np.abs(values)
    if set(view.dtype.names) == {"value", "variance"}:
        return np.asarray(view["value"]), np.asarray(view["variance"])
    raise TemplateError(
        f"{place}: storage with {', '.join(view.dtype.names)} is no count; use Weight or Double storage"
    )


def _require_finite(contents: _Contents, categories: Sequence[str], place: str) -> None:
    for what, arrays in (("content", contents.values), ("variance", contents.variances)):
        for category, array in zip(categories, arrays, strict=True):
            if np.isfinite(array.sum()):
                continue
            # The sum of finite numbers may overflow, so the numbers themselves decide.
            bad = np.argwhere(~np.isfinite(array[: len(contents.variations)]))
            if bad.size:
                variation, bin_index = contents.variations[bad[0][0]], int(bad[0][1])
                raise TemplateError(
                    f"{place}, category {category}, variation {variation}: {what} of bin {bin_index} "
                    f"(flow bins counted) is {array[tuple(bad[0])]}; find the event and run the sample again"
                )


@dataclass(frozen=True)
class _Lookup:
    """Rows of a histogram's variation axis for the varied templates of a column, nominal where one is missing."""

    rows: dict[str, IntArray]
    missing: tuple[tuple[int, str], ...]
    provided: frozenset[str]


class _Sums:
    """Running sums over datasets, per category."""

    def __init__(self, plan: Plan, categories: tuple[str, ...]) -> None:
        self.plan = plan
        self.categories = categories
        self.binning: Binning | None = None
        self.fallbacks: set[Fallback] = set()
        self.provided: set[str] = set()
        self.variations: set[str] = set()
        self._first: Source | None = None
        self._ranges = [plan.pairs_of(index) for index in range(len(plan.columns))]
        self._lookups: dict[tuple[int, tuple[str, ...]], _Lookup] = {}
        self._arrays: dict[str, FloatArray] = {}
        self._data: FloatArray | None = None

    def require(self, binning: Binning, source: Source) -> None:
        """Check that a histogram is binned like the ones before it; the first one allocates the sums."""
        if self.binning is None:
            bins = binning.edges.size - 1
            self.binning, self._first = binning, source
            for name, rows in (
                ("nominal", len(self.plan.columns)),
                *((shift, len(self.plan.pairs)) for shift in SHIFTS),
            ):
                for moment in ("values", "variances"):
                    self._arrays[f"{name} {moment}"] = np.zeros((len(self.categories), rows, bins))
        elif binning != self.binning and self._first is not None:
            raise TemplateError(
                f"sample {source.sample}, dataset {source.dataset} is binned as {binning.describe()}, but sample "
                f"{self._first.sample}, dataset {self._first.dataset} as {self.binning.describe()}"
            )

    def add_simulation(self, contents: _Contents, column: int, source: Source) -> None:
        """Add a dataset to the nominal and varied templates of a column."""
        lookup = self._lookup(contents.variations, column)
        nominal = contents.variations.index(NOMINAL)
        start, stop = self._ranges[column]
        for moment, arrays in (("values", contents.values), ("variances", contents.variances)):
            for category, array in enumerate(arrays):
                self._arrays[f"nominal {moment}"][category, column] += array[nominal]
                for shift, rows in lookup.rows.items():
                    self._arrays[f"{shift} {moment}"][category, start:stop] += array[rows]
        self.provided |= lookup.provided
        for index, shift in lookup.missing:
            pair = self.plan.pairs[index]
            self.fallbacks.add(
                Fallback(pair.nuisance, pair.variation, shift, source.sample, source.year, source.dataset)
            )

    def add_data(self, contents: _Contents) -> None:
        """Add a dataset to the observation."""
        nominal = contents.variations.index(NOMINAL)
        total = np.stack([array[nominal] for array in contents.values])
        self._data = total if self._data is None else self._data + total

    def _lookup(self, variations: tuple[str, ...], column: int) -> _Lookup:
        key = (column, variations)
        if key not in self._lookups:
            index = {name: row for row, name in enumerate(variations)}
            start, stop = self._ranges[column]
            rows, missing = {}, []
            for shift in SHIFTS:
                found = [index.get(shifted_name(pair.variation, shift), -1) for pair in self.plan.pairs[start:stop]]
                missing += [(start + at, shift) for at, row in enumerate(found) if row < 0]
                rows[shift] = np.array([row if row >= 0 else index[NOMINAL] for row in found], dtype=np.intp)
            absent = set(missing)
            provided = frozenset(
                self.plan.pairs[at].nuisance
                for at in range(start, stop)
                if any((at, shift) not in absent for shift in SHIFTS)
            )
            self._lookups[key] = _Lookup(rows, tuple(missing), provided)
            self.variations |= {
                name.removesuffix(shift) for name in variations for shift in SHIFTS if name.endswith(shift)
            }
        return self._lookups[key]

    def templates(self) -> dict[str, Templates]:
        """Return the sums as templates per category."""
        if self.binning is None:
            return {}
        columns = tuple(column.name for column in self.plan.columns)
        pairs = tuple((columns[pair.column], pair.nuisance) for pair in self.plan.pairs)
        up, down = SHIFTS
        return {
            category: Templates(
                self.binning.edges,
                columns,
                self._arrays["nominal values"][index],
                self._arrays["nominal variances"][index],
                pairs,
                self._arrays[f"{up} values"][index],
                self._arrays[f"{down} values"][index],
                self._arrays[f"{up} variances"][index],
                self._arrays[f"{down} variances"][index],
                None if self._data is None else self._data[index],
            )
            for index, category in enumerate(self.categories)
        }
