"""From the histograms of one output to the templates of its channels, before any treatment.

Sums run over samples and datasets in sorted order, and over outputs in the order of their paths
(`pocket_combine.build.job`), so that the same inputs give the same bits in whatever order they are named and wherever
they are collected.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeAlias

import numpy as np

from pocket_combine.build.binning import Binning
from pocket_combine.build.contents import (
    MOMENTS,
    VALUE,
    VARIANCE,
    Contents,
    Layout,
    read_contents,
    read_layout,
    require_finite,
)
from pocket_combine.build.coverage import Coverage, DatasetKey, Fallback, Source, read_sources
from pocket_combine.build.plan import Plan
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
    reader = _Reader(histograms, tuple(categories))
    filled: dict[tuple[str, str], list[Source]] = {}
    for source in sorted(coverage.sources):
        if source.key in coverage.present:
            filled.setdefault((source.sample, source.year), []).append(source)
    sums = _Sums(plan, len(categories))
    # Sums that are not finite are looked into below, with the place.
    with np.errstate(invalid="ignore", over="ignore"):
        for index, column in enumerate(plan.columns):
            samples = [filled.get((sample, column.year), []) for sample in column.process.samples]
            sums.add_column(index, (reader.read(source) for source in sorted(chain.from_iterable(samples))))
        if plan.data is not None:
            samples = [filled.get((sample, year), []) for sample in plan.data.samples for year in plan.years]
            sums.add_data(reader.read(source) for source in sorted(chain.from_iterable(samples)))
        ignored = reader.ignored(coverage)
    if not sums.all_finite():
        for source in sorted(chain.from_iterable(filled.values())):
            require_finite(reader.read(source)[1], source, categories)
    coverage = dataclasses.replace(
        coverage,
        ignored=ignored,
        unweighted=frozenset(sums.unweighted),
        fallbacks=frozenset(sums.fallbacks),
        provided=frozenset(sums.provided),
        variations=frozenset(sums.variations),
    )
    binning = reader.binning
    return Collected({} if binning is None else sums.templates(binning.edges, categories), binning, coverage)


def _require_layout(histograms: object) -> None:
    layout = "{sample: {dataset: histogram}}, which is output['variables'][name]"
    if not isinstance(histograms, Mapping):
        raise DeclarationError(f"histograms is a {type(histograms).__name__}, expected {layout}")
    for sample, datasets in histograms.items():
        if not isinstance(datasets, Mapping):
            raise DeclarationError(f"histograms[{sample!r}] is a {type(datasets).__name__}, expected {layout}")
        # By the type alone: the histograms of data may not be touched, see `blind`.
        inner = (found for found in datasets.values() if issubclass(type(found), Mapping))
        if any(_holds_histograms(found) for found in inner):
            names = ", ".join(map(repr, [*histograms][:3]))
            raise DeclarationError(f"histograms holds several variables, {names}, …: give those of one, {layout}")


def _holds_histograms(datasets: Mapping[str, object]) -> bool:
    return any(hasattr(histogram, "axes") for histogram in datasets.values())


class _Reader:
    """Reads the histograms of one output, which must all be binned alike."""

    def __init__(self, histograms: Histograms, categories: tuple[str, ...]) -> None:
        self._histograms = histograms
        self._categories = categories
        self._layout: Layout | None = None
        self._first: Source | None = None
        self.binning: Binning | None = None

    def read(self, source: Source) -> tuple[Source, Contents]:
        """Return the contents of a source, with the source.

        Raises:
            TemplateError: If it is binned differently than the first one, or as `read_layout` and `read_contents`.
        """
        contents = self._contents(source)
        if self.binning is None or self._first is None:
            self.binning, self._first = contents.layout.binning, source
        difference = contents.layout.binning.difference(self.binning)
        if difference:
            raise TemplateError(
                f"sample {source.sample}, dataset {source.dataset} is binned differently than sample "
                f"{self._first.sample}, dataset {self._first.dataset}: it has {difference}"
            )
        return source, contents

    def ignored(self, coverage: Coverage) -> dict[DatasetKey, float]:
        """Return what is in histograms of datasets without events after the preselection, where anything is."""
        found = {}
        for source in sorted(coverage.sources):
            if source.key in coverage.present or source.dataset not in self._histograms.get(source.sample, ()):
                continue
            content = float(np.abs(self._contents(source).array[..., VALUE]).sum())
            if content:
                found[source.key] = content
        return found

    def _contents(self, source: Source) -> Contents:
        histogram = self._histograms[source.sample][source.dataset]
        # Mostly the axes are those of the histogram before, and to compare them is fast.
        if self._layout is None or getattr(histogram, "axes", None) != self._layout.axes:
            self._layout = read_layout(histogram, source, self._categories)
        return read_contents(histogram, self._layout, source)


class _Sums:
    """Sums over datasets.

    The arrays are indexed `[category, moment, row, bin]`; rows are columns (`nominal`) or pairs (`Up`, `Down`).
    """

    def __init__(self, plan: Plan, categories: int) -> None:
        self._plan = plan
        self._categories = categories
        self._arrays: dict[str, FloatArray] = {}
        self._data: FloatArray | None = None
        self._lookups: dict[tuple[tuple[tuple[str, str], ...], tuple[str, ...]], _Lookup] = {}
        self.fallbacks: set[Fallback] = set()
        self.provided: set[tuple[str, str]] = set()
        self.variations: set[str] = set()
        self.unweighted: set[DatasetKey] = set()

    def add_column(self, column: int, datasets: Iterable[tuple[Source, Contents]]) -> None:
        """Set the nominal and varied templates of a column to the sums over its datasets."""
        start, stop = self._plan.pairs_of(column)
        wanted = tuple((pair.nuisance, pair.variation) for pair in self._plan.pairs[start:stop])
        total: FloatArray | None = None
        for source, contents in datasets:
            lookup = self._lookup(wanted, contents.layout.variations)
            part = contents.array[:, lookup.rows]
            if total is None:
                total = part + 0.0  # no negative zeros, whatever else is added
            else:
                total += part
            self._note(source, contents, lookup)
        if total is None:
            return
        rows = np.split(total.transpose(2, 3, 1, 0), [1, 1 + len(wanted)], axis=2)
        places = (slice(column, column + 1), slice(start, stop), slice(start, stop))
        for name, place, part in zip((NOMINAL, *SHIFTS), places, rows, strict=True):
            self._array(name, len(total))[:, :, place] = part

    def _array(self, name: str, bins: int) -> FloatArray:
        if name not in self._arrays:
            count = len(self._plan.columns) if name == NOMINAL else len(self._plan.pairs)
            self._arrays[name] = np.zeros((self._categories, len(MOMENTS), count, bins))
        return self._arrays[name]

    def add_data(self, datasets: Iterable[tuple[Source, Contents]]) -> None:
        """Set the observation to the sum over its datasets."""
        for _, contents in datasets:
            total = contents.array[:, contents.layout.variations.index(NOMINAL), :, VALUE].T
            self._data = total + (0.0 if self._data is None else self._data)

    def all_finite(self) -> bool:
        """Whether all sums are finite."""
        arrays = [*self._arrays.values(), *(() if self._data is None else (self._data,))]
        return all(bool(np.isfinite(array).all()) for array in arrays)

    def _lookup(self, wanted: tuple[tuple[str, str], ...], variations: tuple[str, ...]) -> _Lookup:
        key = (wanted, variations)  # columns of a year mostly read the same variations
        if key not in self._lookups:
            self._lookups[key] = _look_up(wanted, variations)
            self.provided |= self._lookups[key].provided
            self.variations |= {
                name.removesuffix(shift) for name in variations for shift in SHIFTS if name.endswith(shift)
            }
        return self._lookups[key]

    def _note(self, source: Source, contents: Contents, lookup: _Lookup) -> None:
        if contents.lacks_variances:
            self.unweighted.add(source.key)
        for nuisance, variation, shift in lookup.missing:
            self.fallbacks.add(Fallback(nuisance, variation, shift, source.sample, source.year, source.dataset))

    def templates(self, edges: FloatArray, categories: Sequence[str]) -> dict[str, Templates]:
        """Return the sums as templates per category."""
        columns = tuple(column.name for column in self._plan.columns)
        pairs = tuple((columns[pair.column], pair.nuisance) for pair in self._plan.pairs)
        up, down = SHIFTS
        result = {}
        for row, category in enumerate(categories):
            nominal, higher, lower = (self._array(name, edges.size - 1)[row] for name in (NOMINAL, up, down))
            result[category] = Templates(
                edges=edges,
                columns=columns,
                values=nominal[VALUE],
                variances=nominal[VARIANCE],
                pairs=pairs,
                up=higher[VALUE],
                up_variances=higher[VARIANCE],
                down=lower[VALUE],
                down_variances=lower[VARIANCE],
                observation=None if self._data is None else self._data[row],
            )
        return result


@dataclass(frozen=True)
class _Lookup:
    """Where the templates of a column are on a variation axis, the nominal one where one is missing.

    Attributes:
        rows: Entries of the axis: `nominal`, then `Up` of all nuisances, then `Down` of all nuisances.
        missing: (nuisance, variation, shift) that the axis lacks.
        provided: (nuisance, variation) that it has, in one shift at least.
    """

    rows: IntArray
    missing: tuple[tuple[str, str, str], ...]
    provided: frozenset[tuple[str, str]]


def _look_up(wanted: Sequence[tuple[str, str]], variations: Sequence[str]) -> _Lookup:
    """Return where (nuisance, variation) are on a variation axis."""
    index = {name: row for row, name in enumerate(variations)}
    rows = [index[NOMINAL]]
    missing: list[tuple[str, str, str]] = []
    provided: set[tuple[str, str]] = set()
    for shift in SHIFTS:
        for nuisance, variation in wanted:
            row = index.get(shifted_name(variation, shift))
            if row is None:
                missing.append((nuisance, variation, shift))
            else:
                provided.add((nuisance, variation))
            rows.append(index[NOMINAL] if row is None else row)
    return _Lookup(np.array(rows, dtype=np.intp), tuple(missing), frozenset(provided))
