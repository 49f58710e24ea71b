"""What the outputs hold of what the declarations ask for, and what follows from it.

One output of many may hold a part only, so nothing is judged before the coverages of all outputs are added up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pocket_combine.build.plan import Plan
from pocket_combine.errors import MissingInputError, join_problems, nearest
from pocket_combine.findings import Finding, Severity
from pocket_combine.names import SHIFTS

__all__ = ["Source", "Fallback", "Coverage", "check_coverage"]

_SUBSAMPLE = "__"


@dataclass(frozen=True, order=True)
class Source:
    """A dataset that a sample of the analysis has in a year."""

    sample: str
    dataset: str
    year: str


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
        present: Those (sample, dataset) that have a histogram.
        samples: All (year, sample) of the metadata, for messages.
        selected: Events after the preselection per dataset; a dataset that is not in the cutflow is not here.
        fallbacks: Variations that were replaced by the nominal histogram.
        provided: Nuisances for which at least one dataset has a variation.
        variations: All variations of the histograms, without `Up` or `Down`.
    """

    sources: frozenset[Source] = frozenset()
    present: frozenset[tuple[str, str]] = frozenset()
    samples: frozenset[tuple[str, str]] = frozenset()
    selected: Mapping[str, float] = field(default_factory=dict)
    fallbacks: frozenset[Fallback] = frozenset()
    provided: frozenset[str] = frozenset()
    variations: frozenset[str] = frozenset()

    def __add__(self, other: Coverage) -> Coverage:
        """Return what both hold together."""
        names = sorted(self.selected.keys() | other.selected.keys())
        return Coverage(
            self.sources | other.sources,
            self.present | other.present,
            self.samples | other.samples,
            {name: self.selected.get(name, 0.0) + other.selected.get(name, 0.0) for name in names},
            self.fallbacks | other.fallbacks,
            self.provided | other.provided,
            self.variations | other.variations,
        )


def read_sources(
    datasets_metadata: Mapping[str, Any],
    cutflow: Mapping[str, Any],
    histograms: Mapping[str, Mapping[str, Any]],
    plan: Plan,
) -> Coverage:
    """Return which datasets of the plan an output knows, has selected events of, and has histograms of.

    A subsample that the metadata do not list has the datasets of its sample (`Sample__subsample`).

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
        names = datasets.get(sample, datasets.get(sample.split(_SUBSAMPLE)[0], ()) if sample in histograms else ())
        sources |= {Source(sample, str(dataset), year) for dataset in names}
    return Coverage(
        sources=frozenset(sources),
        present=frozenset(
            (source.sample, source.dataset) for source in sources if source.dataset in histograms.get(source.sample, {})
        ),
        samples=frozenset((str(year), str(sample)) for year, samples in by_year.items() for sample in samples),
        selected={str(name): _count(value) for name, value in presel.items()},
    )


def _part(container: Any, key: str, name: str) -> Mapping[str, Any]:
    part = container.get(key) if isinstance(container, Mapping) else None
    if not isinstance(part, Mapping):
        raise MissingInputError(f"{name} has no {key!r}; is this the {name!r} of a PocketCoffea output?")
    return part


def _count(value: Any) -> float:
    """Return the selected events of a dataset in both layouts of the cutflow: a number, or `{'nominal': number}`."""
    if isinstance(value, Mapping):
        value = value.get("nominal", 0.0)
    return float(value)


def check_coverage(coverage: Coverage, plan: Plan) -> list[Finding]:
    """Return what is noteworthy about the inputs of a plan, each matter once with its full extent.

    Raises:
        MissingInputError: If a sample is nowhere, a process has no sample in one of its years, or a dataset with
            selected events has no histogram. All problems are listed.
    """
    by_sample: dict[tuple[str, str], list[str]] = defaultdict(list)
    for source in sorted(coverage.sources):
        by_sample[source.sample, source.year].append(source.dataset)
    problems, findings = _check_samples(coverage, plan, by_sample)
    lost, empty = [], []
    for source in sorted(coverage.sources):
        if (source.sample, source.dataset) in coverage.present:
            continue
        if coverage.selected.get(source.dataset, 0.0) > 0:
            lost.append(source)
        else:
            empty.append(source)
    problems += [
        f"dataset {source.dataset!r} of sample {source.sample!r} has {coverage.selected[source.dataset]:g} events "
        "after the preselection and no histogram; is the output complete?"
        for source in lost
    ]
    if problems:
        raise MissingInputError(join_problems(problems))
    if empty:
        names = ", ".join(f"{source.dataset} (sample {source.sample})" for source in empty)
        findings.append(
            Finding(
                "empty-dataset",
                Severity.INFO,
                f"{len(empty)} datasets",
                f"no events after the preselection, skipped: {names}",
                numbers={"datasets": len(empty)},
            )
        )
    return findings + _check_variations(coverage, plan)


def _check_samples(
    coverage: Coverage, plan: Plan, by_sample: Mapping[tuple[str, str], list[str]]
) -> tuple[list[str], list[Finding]]:
    problems: list[str] = []
    findings: list[Finding] = []
    known = {sample for _, sample in coverage.samples} | {sample for sample, _ in coverage.present}
    groups = {(f"process {column.process.name!r}", tuple(column.process.samples)) for column in plan.columns}
    if plan.data is not None:
        groups.add((f"data process {plan.data.name!r}", tuple(plan.data.samples)))
    for owner, samples in sorted(groups):
        for sample in samples:
            if not any(key[0] == sample for key in by_sample):
                problems.append(f"sample {sample!r} of {owner} is in no output; {nearest(sample, known)}")
    if problems:
        return problems, findings
    for column in plan.columns:
        absent = [sample for sample in column.process.samples if (sample, column.year) not in by_sample]
        if len(absent) == len(column.process.samples):
            there = sorted({year for sample, year in by_sample if sample in column.process.samples})
            problems.append(
                f"process {column.process.name!r} has no sample in {column.year!r} (samples {absent} exist in "
                f"{there}): take the year out of its years"
            )
        elif absent:
            findings.append(
                Finding(
                    "sample-missing-in-year",
                    Severity.WARNING,
                    f"process {column.name}",
                    f"samples {', '.join(absent)} are not in the outputs of {column.year}",
                    "fine if they were never produced for that year; otherwise the process lacks part of its yield",
                )
            )
    return problems, findings


def _check_variations(coverage: Coverage, plan: Plan) -> list[Finding]:
    """Return one finding per nuisance that fell back to nominal somewhere."""
    by_nuisance: dict[str, list[Fallback]] = defaultdict(list)
    for fallback in coverage.fallbacks:
        by_nuisance[fallback.nuisance].append(fallback)
    order = dict.fromkeys(pair.nuisance for pair in plan.pairs)
    findings = []
    for nuisance in (name for name in order if name in by_nuisance):
        fallbacks = sorted(by_nuisance[nuisance])
        variations = sorted({fallback.variation for fallback in fallbacks})
        looked_up = " and ".join(repr(variation) for variation in variations)
        numbers = {"datasets": float(len({(fallback.sample, fallback.dataset) for fallback in fallbacks}))}
        if nuisance not in coverage.provided:
            findings.append(
                Finding(
                    "variation-nowhere",
                    Severity.ERROR,
                    f"nuisance {nuisance}",
                    f"variation {looked_up} is in none of the histograms it should act on: the nuisance does nothing",
                    f"{nearest(variations[0], coverage.variations)}; correct the name or coffea_name_alias, "
                    "or remove the systematic",
                    numbers,
                )
            )
            continue
        findings.append(
            Finding(
                "variation-missing",
                Severity.WARNING,
                f"nuisance {nuisance}",
                f"variation {looked_up} is missing, nominal taken instead, in {_extent(fallbacks)}",
                "take these processes or years out of the systematic if that is intended",
                numbers,
            )
        )
        one_sided = _one_sided(fallbacks)
        if one_sided:
            findings.append(
                Finding(
                    "variation-one-sided",
                    Severity.WARNING,
                    f"nuisance {nuisance}",
                    f"only one of Up and Down is there, nominal taken for the other, in {_extent(one_sided)}",
                    "look for an unfinished job or a misspelt shift",
                )
            )
    return findings


def _one_sided(fallbacks: Iterable[Fallback]) -> list[Fallback]:
    shifts: dict[tuple[str, str], list[Fallback]] = defaultdict(list)
    for fallback in fallbacks:
        shifts[fallback.sample, fallback.dataset].append(fallback)
    return [found[0] for found in shifts.values() if {item.shift for item in found} != set(SHIFTS)]


def _extent(fallbacks: Iterable[Fallback]) -> str:
    """Return `sample (year, year), …` for the samples and years concerned."""
    years: dict[str, set[str]] = defaultdict(set)
    for fallback in fallbacks:
        years[fallback.sample].add(fallback.year)
    return "; ".join(f"sample {sample} ({', '.join(sorted(found))})" for sample, found in sorted(years.items()))
