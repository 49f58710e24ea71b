"""The toy output: a dictionary with the layout that PocketCoffea writes into a `.coffea` file."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import fields
from typing import Any

import numpy as np

from pocket_combine.demo.events import (
    DATA_ERAS,
    LUMINOSITY,
    PROCESSES,
    ToyEvents,
    ToyProcess,
    observe,
    simulate,
)
from pocket_combine.demo.filling import CATEGORIES, VARIABLES, DataFilling, Histogram, SimulationFilling

__all__ = ["make_output"]


def make_output(seed: int) -> dict[str, Any]:
    """Return the toy output of all periods.

    The numbers depend on the seed and on nothing else. Data are drawn from what the simulation stands for, with the
    signal at its expected strength.

    Args:
        seed: Seed of the random numbers.
    """
    output = _Output()
    for period in LUMINOSITY:
        for process in PROCESSES:
            for dataset in process.datasets:
                generator = _generator(seed, process.sample, dataset, period)
                events = simulate(process, period, generator, share=1.0 / len(process.datasets))
                output.add_simulation(process, dataset, period, events)
        observed = [observe(process, period, _generator(seed, "DATA", process.sample, period)) for process in PROCESSES]
        output.add_data(period, _merged(observed), _generator(seed, "DATA", "eras", period))
    return output.content()


def _generator(seed: int, *names: str) -> np.random.Generator:
    """Return random numbers for one dataset, independent of those of all others."""
    return np.random.default_rng([seed, *"/".join(names).encode()])


def _merged(parts: list[ToyEvents]) -> ToyEvents:
    return ToyEvents(*(np.concatenate([getattr(part, item.name) for part in parts]) for item in fields(ToyEvents)))


class _Output:
    """The parts of the output while datasets are added."""

    def __init__(self) -> None:
        self._variables: dict[str, dict[str, dict[str, Histogram]]] = {name: {} for name in VARIABLES}
        self._cutflow: dict[str, dict[str, Any]] = {name: {} for name in ("initial", "skim", "presel", *CATEGORIES)}
        self._sums: dict[str, dict[str, dict[str, dict[str, float]]]] = {
            name: {category: {} for category in CATEGORIES} for name in ("sumw", "sumw2")
        }
        self._generated: dict[str, float] = {}
        self._signs: dict[str, float] = {}
        self._by_period: dict[str, dict[str, set[str]]] = {}
        self._by_dataset: dict[str, dict[str, str]] = defaultdict(dict)

    def add_simulation(self, process: ToyProcess, dataset: str, period: str, events: ToyEvents) -> None:
        """Add the events of a process in a dataset of a period."""
        name = f"{dataset}_{period}"
        self._by_dataset[name] = {
            "das_names": f"['/{dataset}_TuneCP5_13p6TeV_toy/{period}/NANOAODSIM']",
            "sample": process.sample.split("__")[0],
            "year": period,
            "isMC": "True",
            "xsec": str(process.cross_section),
        }
        self._fill(name, period, process.sample, events, SimulationFilling(process, period, events))
        self._generated[name] = 1000.0 * process.cross_section * LUMINOSITY[period]
        self._signs[name] = self._signs.get(name, 0.0) + float(np.sign(events.weight).sum())

    def add_data(self, period: str, events: ToyEvents, generator: np.random.Generator) -> None:
        """Add observed events, distributed over the two data samples and the eras of a period."""
        eras = DATA_ERAS[period]
        era = generator.integers(len(eras), size=events.weight.size)
        for sample, primary, is_electron in (("DATA_EGamma", "EGamma", 1.0), ("DATA_SingleMuon", "Muon", 0.0)):
            for index, letter in enumerate(eras):
                chosen = (era == index) & (events.is_electron == is_electron)
                part = ToyEvents(*(getattr(events, item.name)[chosen] for item in fields(ToyEvents)))
                name = f"{sample}_{period}_Era{letter}"
                self._by_dataset[name] = {
                    "das_names": f"['/{primary}/Run{period.split('_', maxsplit=1)[0]}{letter}-toy/NANOAOD']",
                    "sample": sample,
                    "year": period,
                    "isMC": "False",
                    "primaryDataset": primary,
                    "era": letter,
                }
                self._fill(name, period, sample, part, DataFilling(part))

    def _fill(self, dataset: str, period: str, sample: str, events: ToyEvents, filling: DataFilling) -> None:
        self._by_period.setdefault(period, defaultdict(set))[sample].add(dataset)
        for name, variable in VARIABLES.items():
            self._variables[name].setdefault(sample, {})[dataset] = filling.histogram(variable)
        count = events.weight.size
        for step, factor in (("initial", 40), ("skim", 3), ("presel", 1)):
            self._cutflow[step][dataset] = self._cutflow[step].get(dataset, 0) + factor * count
        is_simulation = isinstance(filling, SimulationFilling)
        for index, category in enumerate(CATEGORIES):
            selected = events.weight[filling.category == index]
            self._cutflow[category].setdefault(dataset, {})[sample] = int(selected.size)
            if is_simulation:
                self._sums["sumw"][category].setdefault(dataset, {})[sample] = float(selected.sum())
                self._sums["sumw2"][category].setdefault(dataset, {})[sample] = float((selected**2).sum())

    def content(self) -> dict[str, Any]:
        """Return the output."""
        for dataset, metadata in self._by_dataset.items():
            metadata["nevents"] = str(self._cutflow["initial"][dataset])
        return {
            "sum_genweights": self._generated,
            "sum_signOf_genweights": self._signs,
            **self._sums,
            "cutflow": self._cutflow,
            "variables": self._variables,
            "columns": {},
            "processing_metadata": {},
            "datasets_metadata": {"by_datataking_period": self._by_period, "by_dataset": self._by_dataset},
        }
