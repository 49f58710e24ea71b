"""Toy outputs whose every number is chosen by the test, and random ones with everything that real ones have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import hist
import numpy as np

from pocket_combine import DataProcess, DataProcesses, MCProcess, MCProcesses, Systematics, SystematicUncertainty

Numbers = Any
"""Contents per bin, without or with flow bins; or a dictionary of them by category."""


@dataclass
class Toy:
    """An output of one variable, put together dataset by dataset.

    Attributes:
        axes: Axes of the variable.
        categories: Entries of the category axis.
        storage: Storage of the histograms.
    """

    axes: Sequence[Any] = (hist.axis.Regular(4, 0.0, 4.0, name="x"),)
    categories: Sequence[str] = ("SR",)
    storage: Any = field(default_factory=hist.storage.Weight)
    histograms: dict[str, dict[str, Any]] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=lambda: {"by_datataking_period": {}, "by_dataset": {}})
    cutflow: dict[str, dict[str, Any]] = field(default_factory=lambda: {"presel": {}})

    def simulate(
        self,
        sample: str,
        year: str,
        nominal: Numbers,
        variations: Mapping[str, tuple[Numbers, Numbers]] | None = None,
        *,
        dataset: str | None = None,
        variances: Numbers = None,
        selected: Any = 100,
    ) -> Toy:
        """Add a simulated dataset; `selected=None` leaves it out of the cutflow."""
        contents = {"nominal": nominal}
        for name, (up, down) in (variations or {}).items():
            contents |= {f"{name}Up": up, f"{name}Down": down}
        return self.add(sample, year, contents, dataset=dataset, variances=variances, selected=selected)

    def observe(self, sample: str, year: str, contents: Numbers, *, dataset: str | None = None) -> Toy:
        """Add a dataset of data, whose histogram has no variation axis."""
        return self.add(sample, year, {None: contents}, dataset=dataset)

    def add(
        self,
        sample: str,
        year: str,
        contents: Mapping[Any, Numbers],
        *,
        dataset: str | None = None,
        variances: Numbers = None,
        selected: Any = 100,
    ) -> Toy:
        """Add a dataset with the contents of its variations, in their order."""
        name = dataset or f"{sample}_{year}"
        axes = [hist.axis.StrCategory(self.categories, name="cat")]
        if None not in contents:
            axes.append(hist.axis.StrCategory(list(contents), name="variation"))
        filled = hist.Hist(*axes, *self.axes, storage=self.storage)
        for row, category in enumerate(self.categories):
            for position, numbers in enumerate(contents.values()):
                place = (row,) if None in contents else (row, position)
                errors = numbers if variances is None else variances
                self._put(filled, place, _of(category, numbers), np.abs(_of(category, errors)))
        self.histograms.setdefault(sample, {})[name] = filled
        self.know(sample, year, name)
        if selected is not None:
            self.cutflow["presel"][name] = selected
        return self

    def know(self, sample: str, year: str, dataset: str) -> Toy:
        """Add a dataset to the metadata alone."""
        self.metadata["by_datataking_period"].setdefault(year, {}).setdefault(sample, set()).add(dataset)
        self.metadata["by_dataset"][dataset] = {"sample": sample.split("__", maxsplit=1)[0], "year": year}
        return self

    def _put(self, filled: Any, place: tuple[int, ...], values: Any, variances: Any) -> None:
        inside = filled.view(flow=False)[place].shape
        view = filled.view(flow=np.shape(values) != inside)
        if view.dtype.names is None:
            view[place] = values
        else:
            view["value"][place], view["variance"][place] = values, variances

    @property
    def inputs(self) -> dict[str, Any]:
        """The three arguments of `Datacard` that come from an output."""
        return {"histograms": self.histograms, "datasets_metadata": self.metadata, "cutflow": self.cutflow}

    def output(self, variable: str = "x") -> dict[str, Any]:
        """The whole as an output with one variable."""
        return {
            "variables": {variable: self.histograms},
            "cutflow": self.cutflow,
            "datasets_metadata": self.metadata,
        }


def _of(category: str, numbers: Numbers) -> Any:
    return np.asarray(numbers[category] if isinstance(numbers, Mapping) else numbers, dtype=np.float64)


def signal_and_background(*, years: Sequence[str] = ("2018",), **options: Any) -> MCProcesses:
    """Processes `sig` (sample Sig) and `bkg` (sample Bkg); options are those of `bkg`."""
    return MCProcesses(
        [
            MCProcess(name="sig", samples=["Sig"], years=list(years), is_signal=True),
            MCProcess(name="bkg", samples=["Bkg"], years=list(years), is_signal=False, **options),
        ]
    )


def shape(name: str, processes: Any = ("sig", "bkg"), years: Sequence[str] = ("2018",), **more: Any) -> Any:
    """A shape systematic."""
    value = None if isinstance(processes, dict) else 1.0
    return SystematicUncertainty(name=name, typ="shape", processes=processes, years=list(years), value=value, **more)


def observed(*samples: str, years: Sequence[str] = ("2018",)) -> DataProcesses:
    """The data process."""
    return DataProcesses([DataProcess(name="data_obs", samples=list(samples or ["DATA"]), years=list(years))])


def small_toy(**changes: Any) -> Toy:
    """Signal, background and data in four bins of one year, JER on both."""
    toy = Toy(**changes)
    toy.simulate("Sig", "2018", [1.0, 2.0, 3.0, 4.0], {"JER": ([1.5, 2.0, 3.0, 4.0], [0.5, 2.0, 3.0, 4.0])})
    toy.simulate("Bkg", "2018", [40.0, 30.0, 20.0, 10.0], {"JER": ([44.0, 33.0, 22.0, 11.0], [36.0, 27.0, 18.0, 9.0])})
    return toy.observe("DATA", "2018", [41.0, 33.0, 22.0, 15.0])


YEARS = ["2017", "2018"]

RANDOM_PROCESSES = [
    MCProcess(name="sig", samples=["Sig"], years=YEARS, is_signal=True),
    MCProcess(name="tt", samples=["TT__b", "TT__l"], years=YEARS, is_signal=False, has_rateParam=True),
    MCProcess(name="other", samples=["VV", "Rare"], years=YEARS, is_signal=False),
    MCProcess(name="late", samples=["Late"], years=["2018"], is_signal=False),
]

RANDOM_SYSTEMATICS = [
    SystematicUncertainty("lumi", "lnN", ["sig", "tt", "other", "late"], YEARS, 1.02),
    shape("JER", ["sig", "tt", "other", "late"], YEARS),
    shape("pileup_2017", ["tt", "other"], ["2017"], coffea_name_alias="pileup"),
    shape("btag", ["sig", "tt"], YEARS, coffea_name_alias={"tt": "btag_tt", "sig": "btag_sig"}),
    shape("scale", {"tt": 0.5}, ["2018"]),
]


def random_toy(seed: int, axes: Sequence[Any] = Toy.axes, storage: Any = None) -> Toy:
    """An output with two years, several datasets a sample, negative weights, missing variations and empty datasets.

    Contents are multiples of 1/8, so that sums are exact in whatever order they are taken.
    """
    rng = np.random.default_rng(seed)
    toy = Toy(axes=axes, categories=["CR", "SR", "VR"], storage=storage or hist.storage.Weight())
    shape_of = tuple(axis.extent for axis in axes)

    def numbers(scale: float) -> dict[str, Any]:
        return {name: np.round(rng.normal(scale, scale / 2, shape_of) * 8) / 8 for name in toy.categories}

    def variances() -> dict[str, Any]:
        return {name: np.round(rng.uniform(0, 9, shape_of) * 8) / 8 for name in toy.categories}

    def simulate(sample: str, year: str, scale: float, names: Sequence[str], part: str = "") -> None:
        entries = ["nominal", *(f"{name}{shift}" for name in names for shift in ("Up", "Down"))]
        rng.shuffle(entries)
        contents = {entry: numbers(scale) for entry in entries}
        dataset = f"{sample.split('__', maxsplit=1)[0]}{part}_{year}"
        toy.add(sample, year, contents, dataset=dataset, variances=variances())

    for year in YEARS:
        simulate("Sig", year, 1.0, ["JER", "btag_sig", "unused"])
        for part in ("_a", "_b"):
            simulate("TT__b", year, 20.0, ["JER", "pileup", "btag_tt", "scale"], part)
            simulate("TT__l", year, 9.0, ["JER", "pileup", "scale"] if part == "_a" else ["btag_tt", "JER"], part)
        simulate("VV", year, 5.0, ["pileup"] if year == "2017" else ["JER"])
        for era in "AB":
            counts = {name: rng.integers(0, 90, shape_of).astype(float) for name in toy.categories}
            toy.observe("DATA", year, counts, dataset=f"DATA_{year}_Era{era}")
    simulate("Rare", "2018", 0.5, ["JER"])
    toy.know("Rare", "2018", "Rare_ext_2018")  # not in the cutflow, no histogram
    toy.know("VV", "2017", "VV_ext_2017").cutflow["presel"]["VV_ext_2017"] = 0
    simulate("Late", "2018", 3.0, ["JER"])
    return toy


def random_declarations() -> tuple[MCProcesses, Systematics, DataProcesses]:
    """What `random_toy` is made for."""
    return MCProcesses(RANDOM_PROCESSES), Systematics(RANDOM_SYSTEMATICS), observed(years=YEARS)
