"""Writing many histograms, against uproot one by one and against ROOT itself: CPU time and peak memory in one run.

    python benchmarks/write_root.py [--histograms 16000] [--bins 40] [--large 201000] [--slice 1000]

uproot writes a slice, whose time is scaled up (in favour of uproot, whose time for a histogram grows with the number
of keys). ROOT, where it is installed, runs one compiled loop over the same numbers. Nothing is compressed. Each writing
is a process of its own; the best of three counts, without imports.
"""

from __future__ import annotations

import argparse
import importlib.util
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

from pocket_combine.io.root import HistogramBlock, write_histograms
from pocket_combine.templates import FloatArray

ROOT_LOOP = """
#include "TFile.h"
#include "TH1D.h"
#include <string>
#include <vector>
void write_all(const char* path, const std::vector<std::string>& names, double* contents, double* squares, int bins) {
    TH1::AddDirectory(false);
    TFile file(path, "RECREATE", "", 0);
    for (size_t row = 0; row < names.size(); ++row) {
        TH1D histogram(names[row].c_str(), "", bins, 0., 1.);
        histogram.Sumw2();
        histogram.SetContent(contents + row * (bins + 2));
        histogram.GetSumw2()->Set(bins + 2, squares + row * (bins + 2));
        file.WriteTObject(&histogram);
    }
    file.Close();
}
"""


def make(histograms: int, bins: int) -> tuple[list[str], FloatArray, FloatArray]:
    """Return names as a real analysis has them, contents and squared errors."""
    names = [f"process{row % 20}_201{row // 20 % 5}_CMS_scale_j_source{row // 100}Up" for row in range(histograms)]
    values = np.random.default_rng(1).gamma(2.0, 50.0, (histograms, bins))
    return names, values, values * 1.5


def ours(path: Path, names: list[str], values: FloatArray, variances: FloatArray) -> float:
    """Return the CPU time of the bulk writer, in seconds."""
    start = time.process_time()
    write_histograms(path, [HistogramBlock(names, np.linspace(0.0, 1.0, values.shape[1] + 1), values, variances)])
    return time.process_time() - start


def with_uproot(path: Path, names: list[str], values: FloatArray, variances: FloatArray) -> float:
    """Return the CPU time of the usual loop, one histogram a key, in seconds."""
    histograms = []
    for row in range(len(names)):
        histogram = hist.Hist(hist.axis.Regular(values.shape[1], 0.0, 1.0), storage=hist.storage.Weight())
        histogram.view().value, histogram.view().variance = values[row], variances[row]
        histograms.append(histogram)
    start = time.process_time()
    with uproot.recreate(path, compression=None) as file:
        for name, histogram in zip(names, histograms, strict=True):
            file[name] = histogram
    return time.process_time() - start


def with_root(path: Path, names: list[str], values: FloatArray, variances: FloatArray) -> float:
    """Return the CPU time of a compiled loop in ROOT, in seconds."""
    import ROOT  # type: ignore[import-untyped, unused-ignore]  # noqa: PLC0415  # not everywhere installed, no types

    ROOT.gInterpreter.Declare(ROOT_LOOP)
    padded = [np.ascontiguousarray(np.pad(array, ((0, 0), (1, 1)))) for array in (values, variances)]
    vectors = [ROOT.std.vector["std::string"](some) for some in (names[:1], names)]
    ROOT.write_all(f"{path}.warm", vectors[0], *padded, values.shape[1])  # compiles
    start = time.process_time()
    ROOT.write_all(str(path), vectors[1], *padded, values.shape[1])
    return time.process_time() - start


WRITERS = {"pocket_combine": ours, "uproot": with_uproot, "ROOT": with_root}


def one(writer: str, histograms: int, bins: int) -> None:
    """Print CPU time, peak memory beyond the input and file size of one writing, as JSON."""
    names, values, variances = make(histograms, bins)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "shapes.root")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        seconds = WRITERS[writer](path, names, values, variances)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        print(json.dumps({"seconds": seconds, "MiB": memory / 1024, "size": path.stat().st_size}))


def best(writer: str, histograms: int, bins: int) -> dict[str, float]:
    """Return the best of three processes."""
    command = [sys.executable, "-W", "ignore", __file__, "--one", writer]
    command += ["--histograms", str(histograms), "--bins", str(bins)]
    runs = [json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout) for _ in range(3)]  # noqa: S603
    return min(runs, key=lambda run: float(run["seconds"]))


def report(writer: str, histograms: int, bins: int) -> float:
    """Print what one writer needs; return its CPU time in seconds."""
    run = best(writer, histograms, bins)
    print(
        f"{writer}, {histograms} histograms of {bins} bins: {run['seconds']:.3f} s CPU, "
        f"{run['MiB']:.0f} MiB beyond the input, file of {run['size'] / 1e6:.1f} MB"
    )
    return run["seconds"]


def main() -> None:
    """Compare the writers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--histograms", type=int, default=16_000)
    parser.add_argument("--bins", type=int, default=40)
    parser.add_argument("--large", type=int, default=201_000, help="number of histograms for the bulk writer alone")
    parser.add_argument("--slice", type=int, default=1_000, help="number of histograms that uproot writes")
    parser.add_argument("--one", choices=WRITERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        one(options.one, options.histograms, options.bins)
        return
    bulk = report("pocket_combine", options.histograms, options.bins)
    sliced = best("uproot", options.slice, options.bins)["seconds"] * options.histograms / options.slice
    print(f"  uproot: {sliced:.3f} s CPU, scaled from {options.slice}: {sliced / bulk:.0f} times as long")
    if importlib.util.find_spec("ROOT"):
        print(f"  ROOT, compiled loop: {report('ROOT', options.histograms, options.bins) / bulk:.1f} times as long")
    report("pocket_combine", options.large, options.bins)


if __name__ == "__main__":
    main()
