"""Outputs like those of PocketCoffea, small, made from a seed."""

from __future__ import annotations

import pickle
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hist
import lz4.frame
import numpy as np

CATEGORIES = ("SR", "CR", "1btag")
VARIATIONS = ("nominal", "pileupUp", "pileupDown", "JERUp", "JERDown")


@dataclass(frozen=True)
class Sample:
    """A sample and where it is taken from.

    Attributes:
        name: Name, as in the configuration.
        years: Years in which it exists; there is one dataset a year.
        data: Whether it is data.
        subsamples: Names of subsamples; their histograms take the place of those of the sample.
        variations: Names on the variation axis; data have none.
        events: Expected events in each category and year.
    """

    name: str
    years: tuple[str, ...] = ("2018",)
    data: bool = False
    subsamples: tuple[str, ...] = ()
    variations: tuple[str, ...] = VARIATIONS
    events: float = 100.0

    def columns(self) -> list[str]:
        """Return the names under which its histograms are stored."""
        return [f"{self.name}__{subsample}" for subsample in self.subsamples] or [self.name]

    def datasets(self) -> dict[str, str]:
        """Return the year of each dataset."""
        return {f"{self.name}_{year}{'_EraA' if self.data else ''}": year for year in self.years}


SAMPLES = (
    Sample("TTbar", years=("2017", "2018")),
    Sample("Vjets", years=("2017", "2018"), subsamples=("light", "heavy"), events=40.0),
    Sample("DATA_SingleMuon", years=("2017", "2018"), data=True, events=150.0),
)

DEFAULT_VARIABLES: Mapping[str, Any] = {
    "discriminant": hist.axis.Regular(10, 0, 1, name="events.discriminant", label="Discriminant"),
    "nJets": hist.axis.Integer(4, 9, name="events.nJets", label="$N_{j}$"),
}


def make_histogram(
    axes: Any,
    *,
    categories: Sequence[str] = CATEGORIES,
    variations: Sequence[str] | None = VARIATIONS,
    events: float = 100.0,
    storage: Any = None,
    rng: np.random.Generator,
) -> hist.Hist[Any]:
    """Return a histogram as PocketCoffea makes it: axes `cat`, `variation` (not for data) and the variable."""
    axes = axes if isinstance(axes, (list, tuple)) else [axes]
    leading = [hist.axis.StrCategory(categories, name="cat", label="Category")]
    if variations is not None:
        leading.append(hist.axis.StrCategory(variations, name="variation", label="Variation"))
    filled = hist.Hist(*leading, *axes, storage=storage or hist.storage.Weight(), name="Counts")
    view = filled.view(flow=True)
    contents = rng.poisson(events / np.prod([axis.size for axis in axes]), view.shape).astype(float)
    # Nothing is filled into the flow bins of categories.
    for position, axis in enumerate(leading):
        contents[(slice(None),) * position + (slice(axis.size, None),)] = 0.0
    if view.dtype.names is None:
        view[...] = contents
    else:
        weight = rng.uniform(0.5, 1.5)
        view["value"], view["variance"] = contents * weight, contents * weight**2
    return filled


def make_output(
    samples: Sequence[Sample] = SAMPLES,
    variables: Mapping[str, Any] = DEFAULT_VARIABLES,
    *,
    categories: Sequence[str] = CATEGORIES,
    storage: Any = None,
    nested_cutflow: bool = False,
    seed: int = 1,
) -> dict[str, Any]:
    """Return an output.

    Args:
        samples: What it is made of.
        variables: Axis, or list of axes, of each variable.
        categories: Names of the categories.
        storage: Storage of the histograms; `Weight` by default.
        nested_cutflow: Whether the cutflow has `{"nominal": n}` in place of the number n, as in later versions.
        seed: The same seed makes the same output.
    """
    rng = np.random.default_rng(seed)
    datasets = {name: sample for sample in samples for name in sample.datasets()}
    periods: dict[str, defaultdict[str, set[str]]] = {}
    for name, sample in datasets.items():
        for column in sample.columns():
            periods.setdefault(sample.datasets()[name], defaultdict(set))[column].add(name)
    stored: dict[str, Any] = {}
    for variable, axes in variables.items():
        # PocketCoffea's accumulators leave dictionaries of this kind in the file.
        stored[variable] = defaultdict(dict)
        for name, sample in datasets.items():
            for column in sample.columns():
                stored[variable][column][name] = make_histogram(
                    axes,
                    categories=categories,
                    variations=None if sample.data else sample.variations,
                    events=sample.events,
                    storage=storage,
                    rng=rng,
                )

    def per_category(entry: Callable[[str], Any], names: Iterable[str]) -> dict[str, Any]:
        return {category: {name: {datasets[name].name: entry(name)} for name in names} for category in categories}

    counts = {name: int(rng.integers(10, 1000)) for name in datasets}
    simulated = [name for name, sample in datasets.items() if not sample.data]
    return {
        "sum_genweights": {name: np.float64(rng.uniform(1e5, 1e6)) for name in simulated},
        "sumw": per_category(lambda _: rng.uniform(1, 9), simulated),
        "cutflow": {
            "initial": {name: 10 * count for name, count in counts.items()},
            "presel": {name: {"nominal": count} if nested_cutflow else count for name, count in counts.items()},
            **per_category(counts.__getitem__, counts),
        },
        "variables": stored,
        "columns": {},
        "processing_metadata": {},
        "datasets_metadata": {
            "by_datataking_period": periods,
            "by_dataset": defaultdict(
                dict,
                {
                    name: {
                        "sample": sample.name,
                        "year": sample.datasets()[name],
                        "isMC": str(not sample.data),
                        **({} if sample.data else {"xsec": "88.29"}),
                    }
                    for name, sample in datasets.items()
                },
            ),
        },
    }


def save_output(contents: Any, path: Path, *, protocol: int = pickle.HIGHEST_PROTOCOL) -> Path:
    """Write what `coffea.util.save` writes: an LZ4 frame around a pickle."""
    return save_pickle(pickle.dumps(contents, protocol), path)


def save_pickle(data: bytes, path: Path) -> Path:
    """Write the LZ4 frame around a pickle that is there already."""
    with lz4.frame.open(path, "wb") as file:
        file.write(data)
    return path
