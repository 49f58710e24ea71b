"""From the histograms of one output to the templates of its channels, before any treatment.

Sums run over samples and datasets in sorted order, and over outputs in the order of their paths
(`pocket_combine.build.job`), so that the same inputs give the same bits in whatever order they are named and wherever
they are collected.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from pocket_combine.build.binning import Binning
from pocket_combine.build.contents import MOMENTS, Contents, read_contents, require_finite
from pocket_combine.build.coverage import Coverage, DatasetKey, Fallback, Source, read_sources
from pocket_combine.build.plan import Plan, PlannedPair
from pocket_combine.errors import DeclarationError, TemplateError
from pocket_combine.names import NOMINAL, SHIFTS, shifted_name
from pocket_combine.templates import FloatArray, IntArray, Templates

__all__ = ["Histograms", "Collected", "collect"]

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
        difference = self.binning.difference(other.binning) if self.binning and other.binning else ""
        if difference:
            raise TemplateError(f"outputs with different binnings cannot be added: one has {difference}")
        templates = dict(self.templates)
        for category, part in other.templates.items():
            if category in templates:
                # Edges that agree within rounding are those of the first output.
                part = templates[category] + part.with_arrays({"edges": templates[category].edges})
            templates[category] = part
        return Collected(templates, self.binning or other.binning, self.coverage + other.coverage)


def collect(
    histograms: Histograms,
    datasets_metadata: Mapping[str, Any],
    cutflow: Mapping[str, Any],
    plan: Plan,
    categories: Sequence[str],
) -> Collected:
    """Return the templates of some categories from the histograms of one variable in one output.

    A dataset without a variation contributes its nominal histogram to it; that is recorded in the coverage, as is
    what histograms hold of datasets without events after the preselection, which are skipped.

    Args:
        histograms: `{sample: {dataset: histogram}}`, axes `cat`, `variation` (not for data) and the variable.
        datasets_metadata: The output's `datasets_metadata`.
        cutflow: The output's `cutflow`.
        plan: What to collect.
        categories: Entries of the category axis.

    Raises:
        DeclarationError: If `histograms` is something else than a dictionary of dictionaries.
        MissingInputError: If a category or the nominal variation is not there.
        TemplateError: If a content is not finite, binnings differ, or a storage holds no counts.
    """
    _require_layout(histograms)
    coverage = read_sources(datasets_metadata, cutflow, histograms, plan)
    data_samples = set(plan.data.samples) if plan.data is not None else set()
    columns: dict[tuple[str, str], list[int]] = {}
    for index, column in enumerate(plan.columns):
        for sample in column.process.samples:
            columns.setdefault((sample, column.year), []).append(index)
    sums = _Sums(plan, tuple(categories))
    # Sums that are not finite are looked into below, with the place.
    with np.errstate(invalid="ignore", over="ignore"):
        for source in sorted(coverage.sources):
            if source.dataset not in histograms.get(source.sample, ()):
                continue
            contents = read_contents(histograms[source.sample][source.dataset], source, sums.categories)
            if source.key not in coverage.present:
                sums.ignore(contents, source)
                continue
            sums.require(contents.binning, source)
            for column_index in columns.get((source.sample, source.year), ()):
                sums.add_simulation(contents, column_index, source)
            if source.sample in data_samples:
                sums.add_data(contents)
    if not sums.all_finite():
        _raise_for_non_finite(histograms, coverage, sums.categories)
    return Collected(sums.templates(), sums.binning, sums.complete(coverage))


def _require_layout(histograms: object) -> None:
    layout = "{sample: {dataset: histogram}}, which is output['variables'][name]"
    if not isinstance(histograms, Mapping):
        raise DeclarationError(f"histograms is a {type(histograms).__name__}, expected {layout}")
    for sample, datasets in histograms.items():
        if not isinstance(datasets, Mapping):
            raise DeclarationError(f"histograms[{sample!r}] is a {type(datasets).__name__}, expected {layout}")


def _raise_for_non_finite(histograms: Histograms, coverage: Coverage, categories: Sequence[str]) -> None:
    """Raise for the first content that is not finite; the sums tell only that there is one."""
    for source in sorted(coverage.sources):
        if source.key in coverage.present:
            require_finite(
                read_contents(histograms[source.sample][source.dataset], source, categories), source, categories
            )


class _Sums:
    """Running sums over datasets, per category."""

    def __init__(self, plan: Plan, categories: tuple[str, ...]) -> None:
        self.plan = plan
        self.categories = categories
        self.binning: Binning | None = None
        self._fallbacks: set[Fallback] = set()
        self._provided: set[tuple[str, str]] = set()
        self._variations: set[str] = set()
        self._ignored: dict[DatasetKey, float] = {}
        self._unweighted: set[DatasetKey] = set()
        self._first: Source | None = None
        self._lookups: dict[tuple[int, tuple[str, ...]], _Lookup] = {}
        self._arrays: dict[str, FloatArray] = {}
        self._data: FloatArray | None = None

    def require(self, binning: Binning, source: Source) -> None:
        """Check that a histogram is binned like the ones before it; the first one allocates the sums."""
        if self.binning is None:
            bins = binning.edges.size - 1
            self.binning, self._first = binning, source
            rows = {NOMINAL: len(self.plan.columns)} | dict.fromkeys(SHIFTS, len(self.plan.pairs))
            for name, count in rows.items():
                for moment in MOMENTS:
                    self._arrays[f"{name} {moment}"] = np.zeros((len(self.categories), count, bins))
            return
        difference = binning.difference(self.binning)
        if difference and self._first is not None:
            raise TemplateError(
                f"sample {source.sample}, dataset {source.dataset} is binned differently than sample "
                f"{self._first.sample}, dataset {self._first.dataset}: it has {difference}"
            )

    def add_simulation(self, contents: Contents, column: int, source: Source) -> None:
        """Add a dataset to the nominal and varied templates of a column."""
        lookup = self._lookup(contents.variations, column)
        nominal = contents.variations.index(NOMINAL)
        start, stop = self.plan.pairs_of(column)
        for moment, arrays in zip(MOMENTS, (contents.values, contents.variances), strict=True):
            for category, array in enumerate(arrays):
                self._arrays[f"{NOMINAL} {moment}"][category, column] += array[nominal]
                for shift, rows in lookup.rows.items():
                    self._arrays[f"{shift} {moment}"][category, start:stop] += array[rows]
        self._provided |= lookup.provided
        if contents.lacks_variances:
            self._unweighted.add(source.key)
        for index, shift in lookup.missing:
            pair = self.plan.pairs[index]
            self._fallbacks.add(
                Fallback(pair.nuisance, pair.variation, shift, source.sample, source.year, source.dataset)
            )

    def add_data(self, contents: Contents) -> None:
        """Add a dataset to the observation."""
        nominal = contents.variations.index(NOMINAL)
        total = np.stack([array[nominal] for array in contents.values])
        self._data = total if self._data is None else self._data + total

    def ignore(self, contents: Contents, source: Source) -> None:
        """Take note of what a histogram holds that is not to be added."""
        content = float(sum(np.abs(array).sum() for array in contents.values))
        if content:
            self._ignored[source.key] = content

    def all_finite(self) -> bool:
        """Whether all sums are finite."""
        arrays = [*self._arrays.values(), *(() if self._data is None else (self._data,))]
        return all(bool(np.isfinite(array).all()) for array in arrays)

    def _lookup(self, variations: tuple[str, ...], column: int) -> _Lookup:
        key = (column, variations)
        if key not in self._lookups:
            start, stop = self.plan.pairs_of(column)
            self._lookups[key] = _look_up(variations, self.plan.pairs[start:stop], start)
            self._variations |= {
                name.removesuffix(shift) for name in variations for shift in SHIFTS if name.endswith(shift)
            }
        return self._lookups[key]

    def complete(self, coverage: Coverage) -> Coverage:
        """Return the coverage with what was noticed while adding."""
        return dataclasses.replace(
            coverage,
            ignored=self._ignored,
            unweighted=frozenset(self._unweighted),
            fallbacks=frozenset(self._fallbacks),
            provided=frozenset(self._provided),
            variations=frozenset(self._variations),
        )

    def templates(self) -> dict[str, Templates]:
        """Return the sums as templates per category."""
        if self.binning is None:
            return {}
        columns = tuple(column.name for column in self.plan.columns)
        pairs = tuple((columns[pair.column], pair.nuisance) for pair in self.plan.pairs)
        names = [f"{name} {moment}" for name in (NOMINAL, *SHIFTS) for moment in MOMENTS]
        result = {}
        for index, category in enumerate(self.categories):
            values, variances, up, up_variances, down, down_variances = (self._arrays[name][index] for name in names)
            result[category] = Templates(
                self.binning.edges,
                columns,
                values,
                variances,
                pairs,
                up,
                down,
                up_variances,
                down_variances,
                None if self._data is None else self._data[index],
            )
        return result


@dataclass(frozen=True)
class _Lookup:
    """Rows of a histogram's variation axis for the varied templates of a column, nominal where one is missing."""

    rows: dict[str, IntArray]
    missing: tuple[tuple[int, str], ...]
    provided: frozenset[tuple[str, str]]


def _look_up(variations: Sequence[str], pairs: Sequence[PlannedPair], start: int) -> _Lookup:
    """Return where the pairs of a column are on a variation axis; `start` is the index of the first of them."""
    index = {name: row for row, name in enumerate(variations)}
    rows: dict[str, IntArray] = {}
    missing: list[tuple[int, str]] = []
    provided: set[tuple[str, str]] = set()
    for shift in SHIFTS:
        found = [index.get(shifted_name(pair.variation, shift), -1) for pair in pairs]
        missing += [(start + at, shift) for at, row in enumerate(found) if row < 0]
        provided |= {(pair.nuisance, pair.variation) for pair, row in zip(pairs, found, strict=True) if row >= 0}
        rows[shift] = np.array([row if row >= 0 else index[NOMINAL] for row in found], dtype=np.intp)
    return _Lookup(rows, tuple(missing), frozenset(provided))
