"""What the outputs hold of what the declarations ask for.

One output of many may hold a part only, so nothing is judged before the coverages of all outputs are added up; the
judgement is in `pocket_combine.build.check_coverage`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from pocket_combine.build.plan import Plan
from pocket_combine.errors import MissingInputError, nearest

__all__ = ["SUBSAMPLE_SEPARATOR", "Source", "Fallback", "Coverage", "DatasetKey", "read_sources"]

SUBSAMPLE_SEPARATOR = "__"
"""Between a sample and a subsample of it."""

_Entry = TypeVar("_Entry")

DatasetKey: TypeAlias = tuple[str, str]
"""(sample, dataset), which is where a histogram is."""


@dataclass(frozen=True, order=True)
class Source:
    """A dataset that a sample of the analysis has in a year."""

    sample: str
    dataset: str
    year: str

    @property
    def key(self) -> DatasetKey:
        """(sample, dataset)."""
        return self.sample, self.dataset


@dataclass(frozen=True, order=True)
class Fallback:
    """A variation that a dataset does not have, so that its nominal histogram was taken."""

    nuisance: str
    variation: str
    shift: str
    sample: str
    year: str
    dataset: str


@dataclass(frozen=True)
class Coverage:
    """What outputs hold for a plan. Coverages of several outputs add up.

    Attributes:
        sources: Datasets that the metadata name for the samples of the plan.
        present: Those that have a histogram and events after the preselection.
        samples: All (year, sample) of the metadata, for messages.
        lost: Events after the preselection of datasets without a histogram.
        ignored: Contents of histograms of datasets without events after the preselection, where there are any.
        unweighted: Simulated datasets whose histograms hold weights, but no variances.
        normalised: Outputs that have divided a dataset by their own sum of generator weights, by dataset.
        data_counts: Outputs and their cutflow of a dataset of collision data, by dataset.
        fallbacks: Variations that were replaced by the nominal histogram.
        provided: (nuisance, variation) that at least one dataset has.
        variations: All variations of the histograms, without `Up` or `Down`.
    """

    sources: frozenset[Source] = frozenset()
    present: frozenset[DatasetKey] = frozenset()
    samples: frozenset[tuple[str, str]] = frozenset()
    lost: Mapping[DatasetKey, float] = field(default_factory=dict)
    ignored: Mapping[DatasetKey, float] = field(default_factory=dict)
    unweighted: frozenset[DatasetKey] = frozenset()
    normalised: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    data_counts: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    fallbacks: frozenset[Fallback] = frozenset()
    provided: frozenset[tuple[str, str]] = frozenset()
    variations: frozenset[str] = frozenset()

    def __add__(self, other: Coverage) -> Coverage:
        """Return what both hold together."""
        return Coverage(
            sources=self.sources | other.sources,
            present=self.present | other.present,
            samples=self.samples | other.samples,
            lost=_added(self.lost, other.lost),
            ignored=_added(self.ignored, other.ignored),
            unweighted=self.unweighted | other.unweighted,
            normalised=_joined(self.normalised, other.normalised),
            data_counts=_joined(self.data_counts, other.data_counts),
            fallbacks=self.fallbacks | other.fallbacks,
            provided=self.provided | other.provided,
            variations=self.variations | other.variations,
        )


def _joined(
    first: Mapping[str, tuple[_Entry, ...]], second: Mapping[str, tuple[_Entry, ...]]
) -> dict[str, tuple[_Entry, ...]]:
    return {name: first.get(name, ()) + second.get(name, ()) for name in sorted(first.keys() | second.keys())}


def _added(first: Mapping[DatasetKey, float], second: Mapping[DatasetKey, float]) -> dict[DatasetKey, float]:
    return {key: first.get(key, 0.0) + second.get(key, 0.0) for key in sorted(first.keys() | second.keys())}


def read_sources(
    datasets_metadata: Mapping[str, Any],
    cutflow: Mapping[str, Any],
    histograms: Mapping[str, Mapping[str, Any]],
    plan: Plan,
) -> Coverage:
    """Return which datasets of the plan an output knows, has selected events of, and has histograms of.

    A subsample that the metadata do not list has the datasets of its sample (`Sample__subsample`). A dataset that is
    not in the cutflow has no selected events.

    Raises:
        MissingInputError: If the metadata or the cutflow lack the part that is needed.
    """
    by_year = _part(datasets_metadata, "by_datataking_period", "datasets_metadata")
    presel = _part(cutflow, "presel", "cutflow")
    wanted = {(sample, column.year) for column in plan.columns for sample in column.process.samples}
    if plan.data is not None:
        wanted |= {(sample, year) for sample in plan.data.samples for year in plan.data.years if year in plan.years}
    sources = set()
    for sample, year in wanted:
        datasets = by_year.get(year, {})
        of_parent = datasets.get(sample.split(SUBSAMPLE_SEPARATOR)[0], ()) if sample in histograms else ()
        sources |= {Source(sample, str(dataset), year) for dataset in datasets.get(sample, of_parent)}
    selected = {source.dataset: _selected(presel, source.dataset) for source in sources}
    filled = {source for source in sources if source.dataset in histograms.get(source.sample, {})}
    return Coverage(
        sources=frozenset(sources),
        present=frozenset(source.key for source in filled if selected[source.dataset] > 0),
        samples=frozenset((str(year), str(sample)) for year, samples in by_year.items() for sample in samples),
        lost={
            source.key: selected[source.dataset] for source in sorted(sources - filled) if selected[source.dataset] > 0
        },
    )


def _part(container: Any, key: str, name: str) -> Mapping[str, Any]:
    part = container.get(key) if isinstance(container, Mapping) else None
    if not isinstance(part, Mapping):
        raise MissingInputError(f"{name} has no {key!r}; is this the {name!r} of a PocketCoffea output?")
    return part


def _selected(presel: Mapping[str, Any], dataset: str) -> float:
    """Return the selected events of a dataset in both layouts of the cutflow: a number, or one number per variation.

    With one number per variation it is the largest one: a shifted energy may select events of a dataset of which the
    nominal one selects none.
    """
    value = presel.get(dataset, 0)
    try:
        return float(max(value.values(), default=0) if isinstance(value, Mapping) else value)
    except (TypeError, ValueError) as error:
        raise MissingInputError(
            f"cutflow['presel'][{dataset!r}] is {value!r:.80}, expected a number of events or {{'nominal': number}}; "
            f"{nearest(dataset, presel)}"
        ) from error
