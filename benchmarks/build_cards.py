"""Cards of a large analysis, against the same loop written plainly: `hist` indexing and one uproot write per template.

    python benchmarks/build_cards.py [--processes 20] [--years 5] [--datasets 2] [--nuisances 100] [--bins 40] \
[--categories 10] [--repeats 3]

Both build and write cards from histograms in memory; reading the output file is timed by `read_output.py`. The plain
loop runs on some processes of one category and is scaled to all of them. All times are CPU seconds of this process,
the least of the repetitions.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hist
import numpy as np
import uproot

from pocket_combine import Category, Datacard, MCProcess, MCProcesses, Systematics, SystematicUncertainty
from pocket_combine.build.channel import build_channel
from pocket_combine.build.collect import collect
from pocket_combine.build.plan import make_plan
from pocket_combine.build.write import write_channel

SLICE = 4
"""Processes of the plain loop."""


@dataclass(frozen=True)
class Analysis:
    """Histograms and declarations."""

    inputs: dict[str, Any]
    years: list[str]
    processes: MCProcesses
    systematics: Systematics
    categories: list[str]

    @property
    def templates(self) -> int:
        """Templates of one category."""
        return self.processes.n_processes * (1 + 2 * len(self.systematics))


def make(arguments: argparse.Namespace) -> Analysis:
    """Return an analysis in which every nuisance acts on every process of every year."""
    rng = np.random.default_rng(1)
    years = [f"20{16 + number}" for number in range(arguments.years)]
    names = [f"process_{number}" for number in range(arguments.processes)]
    nuisances = [f"nuisance_{number}" for number in range(arguments.nuisances)]
    categories = [f"category_{number}" for number in range(arguments.categories)]
    axes = (
        hist.axis.StrCategory(categories, name="cat"),
        hist.axis.StrCategory(
            ["nominal", *(name + shift for name in nuisances for shift in ("Up", "Down"))], name="variation"
        ),
        hist.axis.Regular(arguments.bins, 0, 1, name="x"),
    )
    histograms: dict[str, dict[str, Any]] = {}
    by_period: dict[str, dict[str, set[str]]] = {year: {} for year in years}
    for name in names:
        for year in years:
            for number in range(arguments.datasets):
                dataset = f"{name}_{year}_{number}"
                filled = hist.Hist(*axes, storage=hist.storage.Weight())
                view = filled.view(flow=True)
                contents = rng.gamma(10, 1, (len(categories), 1, view.shape[-1])) * rng.normal(1, 0.02, view.shape[1:])
                contents[:, -1] = 0.0  # nothing is outside the variations
                contents = np.append(contents, np.zeros_like(contents[:1]), axis=0)  # nor the categories
                view["value"], view["variance"] = contents, contents**2 / 100
                histograms.setdefault(f"Sample_{name}", {})[dataset] = filled
                by_period[year].setdefault(f"Sample_{name}", set()).add(dataset)
    datasets = [dataset for sample in histograms.values() for dataset in sample]
    return Analysis(
        inputs={
            "histograms": histograms,
            "datasets_metadata": {"by_datataking_period": by_period},
            "cutflow": {"presel": dict.fromkeys(datasets, 1)},
        },
        years=years,
        processes=MCProcesses([MCProcess(name, [f"Sample_{name}"], years, name == names[0]) for name in names]),
        systematics=Systematics([SystematicUncertainty(name, "shape", names, years, 1.0) for name in nuisances]),
        categories=categories,
    )


def plain_loop(analysis: Analysis, category: str, processes: Sequence[str], directory: Path) -> int:
    """Build and write the templates of some processes one by one, and return how many there were."""
    histograms = analysis.inputs["histograms"]
    by_period = analysis.inputs["datasets_metadata"]["by_datataking_period"]
    shifts = ["nominal", *(name + shift for name in analysis.systematics for shift in ("Up", "Down"))]
    with uproot.recreate(directory / "plain.root") as file:
        for name in processes:
            process = analysis.processes[name]
            for year in process.years:
                for shift in shifts:
                    template: Any = 0
                    for sample in process.samples:
                        for dataset in by_period[year][sample]:
                            template = template + histograms[sample][dataset][category, shift, :]
                    file[f"{name}_{year}_{shift}"] = template
    return len(processes) * len(analysis.years) * len(shifts)


def documented_loop(analysis: Analysis, directory: Path) -> float:
    """Build and write one `Datacard` per category, as documented, and return a sum to compare."""
    total = 0.0
    for category in analysis.categories:
        card = Datacard(
            **analysis.inputs,
            years=analysis.years,
            mc_processes=analysis.processes,
            systematics=analysis.systematics,
            category=category,
            verbose=False,
        )
        card.dump(directory, f"{category}.txt", f"{category}.root")
        total += float(card.templates.up.sum())
    return total


def one_pass(analysis: Analysis, directory: Path) -> float:
    """Collect all categories at once, as `build_cards` does with every file, build and write them."""
    plan = make_plan(analysis.processes, analysis.systematics, analysis.years)
    collected = collect(**analysis.inputs, plan=plan, categories=analysis.categories)
    total = 0.0
    for name in analysis.categories:
        channel = build_channel(
            collected, plan, analysis.systematics, name, Category("x"), default_suffix="_".join(analysis.years)
        )
        write_channel(channel.card, channel.templates, directory, f"{name}.txt", f"{name}.root")
        total += float(channel.templates.up.sum())
    return total


def peak() -> float:
    """Return the peak memory of this process in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    sizes = {"processes": 20, "years": 5, "datasets": 2, "nuisances": 100, "bins": 40, "categories": 10}
    for name, default in sizes.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    analysis = make(arguments)
    count = analysis.templates
    print(", ".join(f"{getattr(arguments, name)} {name}" for name in sizes))
    print(f"{count} templates per category from {len(analysis.inputs['cutflow']['presel'])} histograms")
    with tempfile.TemporaryDirectory() as folder:
        before = peak()
        totals = []
        for name, run in (("one pass for all categories", one_pass), ("one Datacard per category", documented_loop)):
            seconds = np.inf
            for _ in range(arguments.repeats):
                start = time.process_time()
                total = run(analysis, Path(folder))
                seconds = min(seconds, time.process_time() - start)
            totals.append(total)
            each = seconds / len(analysis.categories)
            print(f"{name}: {seconds:.2f} s, {each:.3f} s a category, {1e6 * each / count:.1f} us a template")
        print(f"peak memory over that of the histograms: {peak() - before:.0f} MiB")
        if not np.isclose(totals[0], totals[1], rtol=1e-12):
            raise SystemExit(f"the two ways differ: {totals}")
        some = list(analysis.processes)[:SLICE]
        start = time.process_time()
        written = plain_loop(analysis, analysis.categories[0], some, Path(folder))
        plain = (time.process_time() - start) * count / written
    print(f"plain loop: {plain:.1f} s a category, {1e6 * plain / count:.0f} us a template (from {written} of them)")
    print(f"ratio of a category to one Datacard: {plain / each:.0f}")


if __name__ == "__main__":
    main()
