"""Reading many histograms, against uproot one key at a time: CPU time and peak memory in one run.

    python benchmarks/read_root.py [--histograms 100000] [--bins 40] [--slice 2000] [FILE.root ...]

Without files, histograms are written first, uncompressed and with each codec of ROOT that uproot can write. uproot
reads a slice, whose time is scaled up. Each reading is a process of its own; the best of three counts, without imports.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import hist
import numpy as np
import uproot

from pocket_combine.io.root import HistogramBlock, RootFile, write_histograms


def ours(path: Path, limit: int) -> tuple[float, float, int]:
    """Return the CPU time of opening the file and of reading all histograms, in seconds, and their number."""
    start = time.process_time()
    with RootFile(path) as file:
        opened = time.process_time()
        names = list(dict.fromkeys(key.path for key in file.keys))[:limit]
        sets = file.read_groups(names)
    return opened - start, time.process_time() - opened, sum(len(group.names) for group in sets)


def with_uproot(path: Path, limit: int) -> tuple[float, float, int]:
    """Return the CPU time of opening and of the usual loop over at most `limit` keys, and their number."""
    with RootFile(path) as listed:
        names = list(dict.fromkeys(key.path for key in listed.keys))[:limit]
    start = time.process_time()
    with uproot.open(path) as file:
        opened = time.process_time()
        for name in names:
            histogram = file[name]
            histogram.values()
            histogram.variances()
    return opened - start, time.process_time() - opened, len(names)


READERS = {"pocket_combine": ours, "uproot": with_uproot}


def one(reader: str, path: Path, limit: int) -> None:
    """Print CPU time, number of histograms and additional peak memory of one reading, as JSON."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    opening, reading, count = READERS[reader](path, limit)
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(json.dumps({"opening": opening, "reading": reading, "count": count, "MiB": memory}))


def best(reader: str, path: Path, limit: int) -> dict[str, float]:
    """Return the best of three processes."""
    command = [sys.executable, "-W", "ignore", __file__, "--one", reader, "--slice", str(limit), str(path)]
    runs = [json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout) for _ in range(3)]  # noqa: S603
    return min(runs, key=lambda run: float(run["reading"]))


def compare(path: Path, what: str, limit: int) -> None:
    """Print the time of both readers for one file."""
    bulk = best("pocket_combine", path, sys.maxsize)
    slow = best("uproot", path, limit)
    fast = bulk["opening"] + bulk["reading"]
    scaled = slow["opening"] + slow["reading"] * bulk["count"] / slow["count"]
    print(
        f"{what}, {bulk['count']:.0f} histograms in {path.stat().st_size / 1e6:.1f} MB: {fast:.3f} s CPU, "
        f"{bulk['MiB']:.0f} MiB of memory; uproot: {scaled:.1f} s CPU, scaled from {slow['count']:.0f}, "
        f"{scaled / fast:.0f} times as long"
    )


def compressed(path: Path, histograms: int, bins: int, codec: str) -> None:
    """Write a file whose histograms uproot compresses."""
    setting = getattr(uproot, codec)(uproot_level(codec))
    random = np.random.default_rng(1)
    with uproot.recreate(path, compression=setting) as file:
        for row in range(histograms):
            histogram = hist.Hist(hist.axis.Regular(bins, 0.0, 1.0), storage=hist.storage.Weight())
            histogram.view().value = random.gamma(2.0, 50.0, bins)
            histogram.view().variance = random.gamma(2.0, 50.0, bins)
            file[f"process{row % 20}_2018_CMS_scale_j_source{row // 20}Up"] = histogram


def uproot_level(codec: str) -> int:
    """Return a usual level of compression."""
    return {"ZLIB": 1, "LZMA": 1, "LZ4": 4, "ZSTD": 5}[codec]


def main() -> None:
    """Compare the readers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--histograms", type=int, default=100_000)
    parser.add_argument("--bins", type=int, default=40)
    parser.add_argument("--slice", type=int, default=2_000, help="number of histograms that uproot reads")
    parser.add_argument("--one", choices=READERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        one(options.one, options.files[0], options.slice)
        return
    for path in options.files:
        compare(path, path.name, options.slice)
    if options.files:
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "shapes.root")
        names = [f"process{row % 20}_201{row // 20 % 5}_source{row // 100}Up" for row in range(options.histograms)]
        values = np.random.default_rng(1).gamma(2.0, 50.0, (options.histograms, options.bins))
        write_histograms(path, [HistogramBlock(names, np.linspace(0, 1, options.bins + 1), values, values * 1.5)])
        compare(path, "uncompressed", options.slice)
        for codec in ("ZLIB", "LZ4", "ZSTD", "LZMA"):
            compressed(path, options.slice, options.bins, codec)
            compare(path, codec, options.slice)


if __name__ == "__main__":
    main()
