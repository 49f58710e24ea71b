"""The documented collection of templates written plainly: one `hist` indexing per template, Python sums over bins."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pocket_combine import DataProcesses, MCProcesses, Systematics


@dataclass
class Template:
    """Contents and variances of one template, with what lies below and above the range."""

    values: list[float]
    variances: list[float]


def collected_by_hand(
    inputs: Mapping[str, Any],
    years: Sequence[str],
    mc_processes: MCProcesses,
    systematics: Systematics,
    data_processes: DataProcesses | None,
    category: str,
) -> dict[str, Template]:
    """Return the templates by the name that the documentation gives them, flow bins included, in native binning."""
    templates: dict[str, Template] = {}
    for process in mc_processes.values():
        for year in process.years:
            for sample in process.samples:
                for histogram in _filled(inputs, sample, year) if year in years else []:
                    column = f"{process.name}_{year}"
                    _add(templates, f"{column}_nominal", histogram[{"cat": category, "variation": "nominal"}])
                    for name, variation in _variations(systematics, process.name, year, histogram):
                        _add(templates, f"{column}_{name}", histogram[{"cat": category, "variation": variation}])
    for data in (data_processes or {}).values():
        for year in years:
            for sample in data.samples:
                for histogram in _filled(inputs, sample, year):
                    _add(templates, "data_obs_nominal", histogram[{"cat": category}])
    return templates


def _filled(inputs: Mapping[str, Any], sample: str, year: str) -> Iterator[Any]:
    """Yield the histograms of the datasets of a sample that have events after the preselection."""
    for dataset in sorted(inputs["datasets_metadata"]["by_datataking_period"][year].get(sample, [])):
        selected = inputs["cutflow"]["presel"].get(dataset, 0)
        if (selected["nominal"] if isinstance(selected, dict) else selected) > 0:
            yield inputs["histograms"][sample][dataset]


def _variations(systematics: Systematics, process: str, year: str, histogram: Any) -> Iterator[tuple[str, str]]:
    """Yield the name in the card and the entry of the variation axis of all templates of a column."""
    there = list(histogram.axes["variation"])
    for systematic in systematics.values():
        if systematic.typ.startswith("shape") and (process, year) in systematic.cells:
            for shift in ("Up", "Down"):
                variation = systematic.variation(process, year) + shift
                yield f"{systematic.datacard_name}{shift}", variation if variation in there else "nominal"


def _add(templates: dict[str, Template], name: str, histogram: Any) -> None:
    values = [float(value) for value in histogram.values(flow=True)]
    stored = histogram.variances(flow=True)
    variances = [abs(float(value)) for value in (values if stored is None else stored)]
    if name not in templates:
        templates[name] = Template([0.0] * len(values), [0.0] * len(values))
    template = templates[name]
    template.values = [old + new for old, new in zip(template.values, values, strict=True)]
    template.variances = [old + new for old, new in zip(template.variances, variances, strict=True)]


def rebinned_by_hand(
    template: Template, native: Sequence[float], edges: Sequence[float], *, underflow: bool, overflow: bool, fold: bool
) -> Template:
    """Return a template in other bins: contents go where the middle of their native bin lies."""
    centres = [(low + high) / 2 for low, high in itertools.pairwise(native)]
    centres = [float("-inf")] * underflow + centres + [float("inf")] * overflow
    result = Template([0.0] * (len(edges) - 1), [0.0] * (len(edges) - 1))
    for centre, value, variance in zip(centres, template.values, template.variances, strict=True):
        if centre < edges[0] or centre > edges[-1]:
            if not fold:
                continue
            at = 0 if centre < edges[0] else len(edges) - 2
        else:
            at = max(index for index in range(len(edges) - 1) if edges[index] <= centre)
        result.values[at] += value
        result.variances[at] += variance
    return result
