"""Peak memory while cards are built from one and from several outputs, against loading all of them first.

    python benchmarks/memory.py [--outputs 8] [--datasets 60] [--variations 100] [--bins 40] [--categories 10]

Every output has the same datasets, as the jobs of one submission have. `build_cards` reads one output after the other
and keeps the templates alone; the baseline loads all outputs into a list and adds their histograms up before it builds.
Each runs in a process of its own; its memory is counted from after the imports. The outputs are written by a process of
their own too, because a process begins with the peak of the one that started it.
"""

from __future__ import annotations

import argparse
import json
import pickle
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import hist
import lz4.frame
import numpy as np

from pocket_combine import (
    Analysis,
    Category,
    Datacard,
    MCProcess,
    MCProcesses,
    Systematics,
    SystematicUncertainty,
    build_cards,
    load_output,
)

YEARS = ["2017", "2018"]
WAYS = {"templates": "templates kept", "histograms": "all outputs loaded"}


def analysis_of(arguments: argparse.Namespace) -> Analysis:
    """Return the declarations: a process per pair of datasets, all categories with the one variable."""
    names = [f"process_{number}" for number in range(arguments.datasets // 4)]
    rows = [f"source_{number}" for number in range(arguments.variations // 2)]
    return Analysis(
        mc_processes=MCProcesses([MCProcess(name, [name], YEARS, name == names[0]) for name in names]),
        systematics=Systematics([SystematicUncertainty(row, "shape", names, YEARS, 1) for row in rows]),
        years=YEARS,
        categories={f"category_{number}": Category("x") for number in range(arguments.categories)},
        label="benchmark",
    )


def write(path: Path, arguments: argparse.Namespace, seed: int) -> int:
    """Write an output and return the bytes of its histograms."""
    rng = np.random.default_rng(seed)
    shifts = [f"source_{number}{shift}" for number in range(arguments.variations // 2) for shift in ("Up", "Down")]
    axes = (
        hist.axis.StrCategory([f"category_{number}" for number in range(arguments.categories)], name="cat"),
        hist.axis.StrCategory(["nominal", *shifts], name="variation"),
        hist.axis.Regular(arguments.bins, 0, 1, name="x"),
    )
    samples: dict[str, dict[str, object]] = {}
    periods: dict[str, dict[str, set[str]]] = {year: {} for year in YEARS}
    size = 0
    for number in range(arguments.datasets):
        sample, year = f"process_{number // 4}", YEARS[number % 2]
        dataset = f"{sample}_{year}_{number % 4 // 2}"
        filled = hist.Hist(*axes, storage=hist.storage.Weight())
        view = filled.view(flow=True)
        view["value"] = rng.gamma(10, 1, view.shape)
        view["variance"] = 1.0
        size += view.nbytes
        samples.setdefault(sample, {})[dataset] = filled
        periods[year].setdefault(sample, set()).add(dataset)
    by_dataset = {
        dataset: {"sample": sample, "year": dataset.split("_")[2], "isMC": "True"}
        for sample, datasets in samples.items()
        for dataset in datasets
    }
    output = {
        "variables": {"x": samples},
        "cutflow": {"presel": dict.fromkeys(by_dataset, 1)},
        "datasets_metadata": {"by_dataset": by_dataset, "by_datataking_period": periods},
    }
    with lz4.frame.open(path, "wb") as file:
        pickle.dump(output, file, 5)
    return size


def build(way: str, paths: list[Path], arguments: argparse.Namespace) -> float:
    """Build the cards in one way and return the growth of the peak memory in MiB."""
    analysis = analysis_of(arguments)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with tempfile.TemporaryDirectory() as folder:
        if way == "templates":
            build_cards(analysis, paths, folder, strict=False)
        else:
            outputs = [load_output(path) for path in paths]
            samples = outputs[0]["variables"]["x"]
            for output in outputs[1:]:
                for sample, datasets in output["variables"]["x"].items():
                    for dataset, filled in datasets.items():
                        samples[sample][dataset] += filled
            for category in analysis.categories:
                card = Datacard(
                    samples,
                    outputs[0]["datasets_metadata"],
                    outputs[0]["cutflow"],
                    analysis.years,
                    analysis.mc_processes,
                    analysis.systematics,
                    category,
                    verbose=False,
                )
                card.dump(folder, f"{category}.txt", f"{category}.root")
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def measure(way: str, paths: list[Path], options: list[str]) -> float:
    """Run `build` or `write` in a process of its own."""
    command = [sys.executable, __file__, *options, "--way", way, *map(str, paths)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    return float(json.loads(done.stdout))


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in {"outputs": 8, "datasets": 60, "variations": 100, "bins": 40, "categories": 10}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--way", help=argparse.SUPPRESS)
    parser.add_argument("paths", nargs="*", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.way == "write":
        sizes = [write(path, arguments, seed) for seed, path in enumerate(arguments.paths)]
        print(json.dumps(max(sizes)))
        return
    if arguments.way:
        print(json.dumps(build(arguments.way, arguments.paths, arguments)))
        return
    options = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, f"output_{number}.coffea") for number in range(arguments.outputs)]
        size = measure("write", paths, options) / 2**20
        analysis = analysis_of(arguments)
        rows = analysis.mc_processes.n_processes * (1 + 2 * len(analysis.systematics))
        templates = arguments.categories * rows * (arguments.bins + 2) * 16 / 2**20
        print(f"histograms of one output {size:.0f} MiB, templates of all categories {templates:.0f} MiB")
        peaks = {}
        for count in (1, arguments.outputs):
            for way, title in WAYS.items():
                peaks[way, count] = measure(way, paths[:count], options)
                print(f"peak memory, {title}, {count} output{'s' * (count > 1)}: {peaks[way, count]:.0f} MiB")
    print(
        f"{arguments.outputs} outputs against one: {peaks['templates', arguments.outputs] / peaks['templates', 1]:.2f}"
    )
    ratio = peaks["histograms", arguments.outputs] / peaks["templates", arguments.outputs]
    print(f"loading all outputs against keeping templates: {ratio:.1f}")


if __name__ == "__main__":
    main()
