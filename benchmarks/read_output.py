"""Reading an output safely, against `pickle.load(lz4.frame.open(path))`: time and peak memory in one run.

    python benchmarks/read_output.py [--datasets 100] [--variations 200] [--bins 40] [--categories 10] [--variables 2]

Each reading runs in a process of its own, in turns; the best of the repetitions counts. The baseline runs whatever
code the file asks for. Its peak memory has the contents twice: the unpickler keeps what it has read until the end.
"""

from __future__ import annotations

import argparse
import json
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import hist
import lz4.frame
import numpy as np

READINGS = ("baseline", "pocket_combine")


def write(path: Path, arguments: argparse.Namespace) -> None:
    """Write an output in which every histogram is filled to a third, as in analyses with many variations."""
    rng = np.random.default_rng(1)
    categories = [f"category_{number}" for number in range(arguments.categories)]
    shifts = [f"source_{number}{shift}" for number in range(arguments.variations // 2) for shift in ("Up", "Down")]
    datasets = {f"Dataset_{number}": f"Sample_{number // 2}" for number in range(arguments.datasets)}
    variables: dict[str, dict[str, dict[str, object]]] = {}
    for number in range(arguments.variables):
        name = f"variable_{number}"
        samples = variables[name] = {}
        for dataset, sample in datasets.items():
            axes = (
                hist.axis.StrCategory(categories, name="cat", label="Category"),
                hist.axis.StrCategory(["nominal", *shifts], name="variation", label="Variation"),
                hist.axis.Regular(arguments.bins, 0, 1, name=name, label=name),
            )
            filled = hist.Hist(*axes, storage=hist.storage.Weight(), name="Counts")
            view = filled.view(flow=True)
            chosen = rng.random(view.shape) < 0.33
            view["value"][chosen] = rng.random(int(chosen.sum()))
            view["variance"][chosen] = 1.0
            samples.setdefault(sample, {})[dataset] = filled
    by_dataset = {name: {"sample": sample, "year": "2018", "isMC": "True"} for name, sample in datasets.items()}
    periods: dict[str, set[str]] = {}
    for name, sample in datasets.items():
        periods.setdefault(sample, set()).add(name)
    metadata = {"by_dataset": by_dataset, "by_datataking_period": {"2018": periods}}
    cutflow = {"presel": dict.fromkeys(datasets, 1)}
    with lz4.frame.open(path, "wb") as file:
        file.write(pickle.dumps({"variables": variables, "datasets_metadata": metadata, "cutflow": cutflow}, 5))


def read(reading: str, path: Path) -> None:
    """Read the file in one way and print time, CPU and the growth of the peak memory as JSON."""
    import pocket_combine.io.coffea as coffea  # noqa: PLC0415 (imports are not what is measured)

    before = resource.getrusage(resource.RUSAGE_SELF)
    start = time.perf_counter()
    if reading == "baseline":
        with lz4.frame.open(path) as file:
            contents = pickle.load(file)  # noqa: S301 (that is the baseline)
    else:
        contents = coffea.load_output(path)
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_SELF)
    checksum = sum(float(h.view(flow=True)["value"].sum()) for v in contents["variables"].values()
                   for s in v.values() for h in s.values())  # fmt: skip
    growth = (after.ru_maxrss - before.ru_maxrss) / 1024
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak_mib": growth, "checksum": checksum}))


def main() -> None:
    """Make a file, read it in both ways in turns, and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("datasets", 100), ("variations", 200), ("bins", 40), ("categories", 10), ("variables", 2)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--read", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--write", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.write:
        write(Path(arguments.write), arguments)
        return
    if arguments.read:
        read(arguments.read[0], Path(arguments.read[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "output_all.coffea")
        # In a process of its own too: on Linux the peak memory of a process includes that of its parent at the start.
        _run([*sys.argv[1:], "--write", str(path)])
        with lz4.frame.open(path) as file:
            size = sum(len(chunk) for chunk in iter(lambda: file.read(1 << 24), b""))
        print(f"{arguments.variables * arguments.datasets} histograms, {path.stat().st_size / 2**20:.0f} MiB on disk, "
              f"{size / 2**20:.0f} MiB decompressed")  # fmt: skip
        results: dict[str, list[dict[str, float]]] = {reading: [] for reading in READINGS}
        for _ in range(arguments.repeat):
            for reading, readings in results.items():
                readings.append(json.loads(_run(["--read", reading, str(path)])))
    best = {reading: min(found, key=lambda item: item["seconds"]) for reading, found in results.items()}
    if best["baseline"]["checksum"] != best["pocket_combine"]["checksum"]:
        raise SystemExit("the two readings differ")
    for reading, found in best.items():
        print(f"{reading:>16}: {found['seconds']:7.2f} s ({found['cpu']:.2f} s CPU), peak {found['peak_mib']:7.0f} MiB")
    for what in ("seconds", "cpu", "peak_mib"):
        print(f"ratio of {what:>8}: {best['pocket_combine'][what] / best['baseline'][what]:.2f}")


def _run(arguments: list[str]) -> bytes:
    return subprocess.run([sys.executable, __file__, *arguments], check=True, stdout=subprocess.PIPE).stdout  # noqa: S603


if __name__ == "__main__":
    main()
