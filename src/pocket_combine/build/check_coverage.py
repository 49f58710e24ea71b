"""What follows from what the outputs hold: missing inputs are errors, the rest are findings with their full extent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from pocket_combine.build.coverage import Coverage, Fallback, Source
from pocket_combine.build.plan import Plan
from pocket_combine.errors import MissingInputError, counted, join_problems, nearest
from pocket_combine.findings import Finding, Severity
from pocket_combine.io.output_sum import repeated_data, shared_datasets
from pocket_combine.names import SHIFTS

__all__ = ["check_coverage"]

_Datasets = Mapping[tuple[str, str], list[str]]
"""Datasets by (sample, year)."""


def check_coverage(coverage: Coverage, plan: Plan) -> list[Finding]:
    """Return what is noteworthy about the inputs of a plan, each matter once with its full extent.

    Raises:
        MissingInputError: If a year or a sample is nowhere, a process has no sample in one of its years, or a dataset
            with selected events has no histogram. All problems are listed.
    """
    by_sample: dict[tuple[str, str], list[str]] = defaultdict(list)
    for source in sorted(coverage.sources):
        by_sample[source.sample, source.year].append(source.dataset)
    problems = [*_unknown_years(coverage, plan), *_unknown_samples(coverage, plan, by_sample)]
    problems = problems or _empty_years(coverage, plan, by_sample)
    problems += [
        f"dataset {dataset!r} of sample {sample!r} has {events:g} events after the preselection and no histogram; "
        "is the output complete?"
        for (sample, dataset), events in sorted(coverage.lost.items())
    ]
    if problems:
        raise MissingInputError(join_problems(problems))
    return [
        *_partial_years(plan, by_sample),
        *_empty_datasets(coverage),
        *_ignored_datasets(coverage),
        *_without_variances(coverage),
        *_counted_twice(coverage),
        *_variations(coverage, plan),
    ]


def _groups(plan: Plan) -> list[tuple[str, str, tuple[str, ...]]]:
    """Return (owner for messages, year, samples) of every column and of data, in order."""
    groups = [
        (f"process {column.process.name!r}", column.year, tuple(column.process.samples)) for column in plan.columns
    ]
    if plan.data is not None:
        owner = f"data process {plan.data.name!r}"
        groups += [(owner, year, tuple(plan.data.samples)) for year in plan.years]
    return groups


def _unknown_years(coverage: Coverage, plan: Plan) -> list[str]:
    known = {year for year, _ in coverage.samples}
    wanted = dict.fromkeys(year for _, year, _ in _groups(plan))
    return [f"year {year!r} is in no output; {nearest(year, known)}" for year in wanted if year not in known]


def _unknown_samples(coverage: Coverage, plan: Plan, by_sample: _Datasets) -> list[str]:
    known = {sample for _, sample in coverage.samples} | {sample for sample, _ in coverage.present}
    found = {sample for sample, _ in by_sample}
    problems: dict[str, None] = {}
    for owner, _, samples in _groups(plan):
        for sample in samples:
            if sample not in found:
                elsewhere = sorted({year for year, name in coverage.samples if name == sample})
                hint = f"it exists in {', '.join(elsewhere)}" if elsewhere else nearest(sample, known)
                problems[f"sample {sample!r} of {owner} is in no output of {', '.join(plan.years)}; {hint}"] = None
    return list(problems)


def _empty_years(coverage: Coverage, plan: Plan, by_sample: _Datasets) -> list[str]:
    problems = []
    for owner, year, samples in _groups(plan):
        if not any((sample, year) in by_sample for sample in samples):
            there = ", ".join(sorted({found for found, sample in coverage.samples if sample in samples}))
            problems.append(
                f"{owner} has no sample in {year!r} (its samples {', '.join(samples)} are in {there}): "
                "take the year out of its years"
            )
    return problems


def _partial_years(plan: Plan, by_sample: _Datasets) -> list[Finding]:
    missing: dict[tuple[str, str], list[str]] = defaultdict(list)
    for owner, year, samples in _groups(plan):
        for sample in samples:
            if (sample, year) not in by_sample:
                missing[owner, sample].append(year)
    return [
        Finding(
            "sample-missing-in-year",
            Severity.WARNING,
            f"{owner}, sample {sample}",
            f"is not in the outputs of {', '.join(years)}",
            "fine if it was never produced for that year; otherwise the process lacks part of its yield",
            {"years": float(len(years))},
        )
        for (owner, sample), years in missing.items()
    ]


def _empty_datasets(coverage: Coverage) -> list[Finding]:
    empty = [
        source
        for source in sorted(coverage.sources)
        if source.key not in coverage.present and source.key not in coverage.ignored
    ]
    if not empty:
        return []
    return [
        Finding(
            "empty-dataset",
            Severity.INFO,
            counted(len(empty), "dataset"),
            f"no events after the preselection, skipped: {_names(empty)}",
            numbers={"datasets": float(len(empty))},
        )
    ]


def _names(sources: Iterable[Source]) -> str:
    return ", ".join(f"{source.dataset} (sample {source.sample})" for source in sources)


def _ignored_datasets(coverage: Coverage) -> list[Finding]:
    """Return what was lost because the cutflow says that a dataset is empty, and its histogram says that it is not."""
    return [
        Finding(
            "ignored-dataset",
            Severity.ERROR,
            f"sample {sample}, dataset {dataset}",
            f"the cutflow has no events of it after the preselection, so it was skipped, but its histogram holds "
            f"{content:.6g}",
            "cutflow and histograms are of different outputs, or one of them is incomplete",
            {"content": content},
        )
        for (sample, dataset), content in sorted(coverage.ignored.items())
    ]


def _without_variances(coverage: Coverage) -> list[Finding]:
    if not coverage.unweighted:
        return []
    names = ", ".join(f"{dataset} (sample {sample})" for sample, dataset in sorted(coverage.unweighted))
    return [
        Finding(
            "no-variances",
            Severity.WARNING,
            counted(len(coverage.unweighted), "dataset"),
            f"weighted events in a storage without variances, the contents are taken for them: {names}",
            "fill histograms with hist.storage.Weight(); the bin-by-bin uncertainties are wrong otherwise",
            {"datasets": float(len(coverage.unweighted))},
        )
    ]


def _counted_twice(coverage: Coverage) -> list[Finding]:
    simulated = [(Path(output), {name: 1.0}) for name, outputs in coverage.normalised.items() for output in outputs]
    data = [(Path(output), {name: text}) for name, found in coverage.data_counts.items() for output, text in found]
    return [*shared_datasets(simulated), *repeated_data(data)]


def _variations(coverage: Coverage, plan: Plan) -> list[Finding]:
    """Return what fell back to nominal: one finding per nuisance and, where a name exists nowhere, per name."""
    by_nuisance: dict[str, list[Fallback]] = defaultdict(list)
    for fallback in coverage.fallbacks:
        by_nuisance[fallback.nuisance].append(fallback)
    findings = []
    for nuisance in dict.fromkeys(pair.nuisance for pair in plan.pairs):
        if nuisance not in by_nuisance:
            continue
        fallbacks = sorted(by_nuisance[nuisance])
        nowhere = [item for item in fallbacks if (nuisance, item.variation) not in coverage.provided]
        partly = [item for item in fallbacks if (nuisance, item.variation) in coverage.provided]
        for variation in dict.fromkeys(item.variation for item in nowhere):
            concerned = [item for item in nowhere if item.variation == variation]
            findings.append(_nowhere(nuisance, variation, concerned, coverage))
        if partly:
            findings.append(_missing(nuisance, partly))
            findings += _one_sided(nuisance, partly)
    return findings


def _nowhere(nuisance: str, variation: str, fallbacks: list[Fallback], coverage: Coverage) -> Finding:
    acts = any(name == nuisance for name, _ in coverage.provided)
    effect = f"the nuisance does nothing in {_extent(fallbacks)}" if acts else "the nuisance does nothing"
    return Finding(
        "variation-nowhere",
        Severity.ERROR,
        f"nuisance {nuisance}",
        f"variation {variation!r} is in none of the histograms it should act on: {effect}",
        f"{nearest(variation, coverage.variations)}; correct the name or coffea_name_alias, or remove the systematic",
        _numbers(fallbacks),
    )


def _missing(nuisance: str, fallbacks: list[Fallback]) -> Finding:
    variations = " and ".join(repr(name) for name in dict.fromkeys(item.variation for item in fallbacks))
    return Finding(
        "variation-missing",
        Severity.WARNING,
        f"nuisance {nuisance}",
        f"variation {variations} is missing, nominal taken instead, in {_extent(fallbacks)}",
        "take these processes or years out of the systematic if that is intended",
        _numbers(fallbacks),
    )


def _one_sided(nuisance: str, fallbacks: list[Fallback]) -> list[Finding]:
    shifts: dict[tuple[str, str, str], list[Fallback]] = defaultdict(list)
    for fallback in fallbacks:
        shifts[fallback.sample, fallback.dataset, fallback.variation].append(fallback)
    found = [items[0] for items in shifts.values() if {item.shift for item in items} != set(SHIFTS)]
    if not found:
        return []
    return [
        Finding(
            "variation-one-sided",
            Severity.WARNING,
            f"nuisance {nuisance}",
            f"only one of Up and Down is there, nominal taken for the other, in {_extent(found)}",
            "look for an unfinished job or a misspelt shift",
            _numbers(found),
        )
    ]


def _numbers(fallbacks: Iterable[Fallback]) -> dict[str, float]:
    return {"datasets": float(len({(fallback.sample, fallback.dataset) for fallback in fallbacks}))}


def _extent(fallbacks: Iterable[Fallback]) -> str:
    """Return `sample (year, year), …` for the samples and years concerned."""
    years: dict[str, set[str]] = defaultdict(set)
    for fallback in fallbacks:
        years[fallback.sample].add(fallback.year)
    return "; ".join(f"sample {sample} ({', '.join(sorted(found))})" for sample, found in sorted(years.items()))
