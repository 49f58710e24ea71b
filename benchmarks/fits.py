"""Times of fits, limits, impacts and toys, of this program's own cards and of reference cards.

    python benchmarks/fits.py [--jobs 2] [--toys 1000] [--quick]
    python benchmarks/fits.py --reference FOLDER [--cards PATTERN]

A whole process (start of Python, card and templates from disk, fit, interval of r, table) is compared with a process
that only imports NumPy. So is the start of each fitting command alone, which imports what it needs and prints its help;
beside it stand the parts of SciPy that only large models import. Impacts and toys, which are fitted many at a time, are
compared with the same fits made one after the other, measured on some of them. Each process runs five times and the
fastest counts, which has bytecode at hand as any installed package has; nothing else is kept between runs.

`--reference` takes a folder of cards with `expected.json` beside each, which holds how long Combine (v10.6.0) took on
two cores of a shared machine: `text2workspace.py`, and `combine -M MultiDimFit --algo singles` or `-M
AsymptoticLimits`. Both sides go from the card on disk to the answer. CPU seconds are compared, which depend less on
what else the machine does, and wall-clock seconds.

Reported by users of Combine, not measured: 28 to 60 s for the workspace of a combination with 26 channels, 19 processes
and 215 nuisances and 12 minutes for its best fit; 16 minutes for asymptotic limits of 15 channels with 200 nuisances.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from pocket_combine.card.model import AutoMCStats, Card, Channel, Column, Effect, Nuisance
from pocket_combine.card.pair import dump_pair
from pocket_combine.execution import ProcessExecutor
from pocket_combine.inference.impact_fits import impacts
from pocket_combine.inference.questions import limits
from pocket_combine.inference.toys import generate_toys, toy_fits, truth
from pocket_combine.inference.workspace import Blinding, Workspace, make_workspace
from pocket_combine.likelihood import Data
from pocket_combine.templates import Templates

_Result = TypeVar("_Result")

# channels, bins, processes, nuisances
SIZES = {
    "one channel of 10 bins": (1, 10, 2, 4),
    "3 channels, 30 nuisances": (3, 12, 8, 30),
    "26 channels, 215 nuisances": (26, 10, 19, 215),
}


_CLOCKS = ("user_s", "wall_s")
_COMMANDS = ("fit", "limit", "scan", "significance")


def make_card(
    channels: int, bins: int, processes: int, nuisances: int, seed: int = 1
) -> tuple[Card, dict[str, Templates]]:
    """Return a card with a peak over falling backgrounds; half of the nuisances are shapes, half log-normals."""
    random = np.random.default_rng(seed)
    x = (np.arange(bins) + 0.5) / bins
    names = ["sig", *(f"bkg{number}" for number in range(1, processes))]
    shapes = [f"shape{number}" for number in range(nuisances // 2)]
    templates: dict[str, Templates] = {}
    counts: list[Channel] = []
    columns: list[Column] = []
    for channel in (f"ch{number}" for number in range(channels)):
        nominal = {
            name: 4000 / number / bins * np.exp(-x * (1 + number / 2)) for number, name in enumerate(names) if number
        }
        nominal["sig"] = 300 / bins * np.exp(-0.5 * ((x - 0.6) / 0.15) ** 2) + 0.01
        pairs = {}
        for name in names:
            for number, shape in enumerate(shapes):
                if random.random() < 0.5:
                    change = random.normal(0, 0.03) * np.sin(3 * x + number) + random.normal(0, 0.01)
                    pairs[name, shape] = (nominal[name] * (1 + change), nominal[name] * (1 - change))
        part = Templates.of(np.linspace(0, 1, bins + 1), {name: nominal[name] for name in names}, pairs)
        observation = random.poisson(part.values.sum(axis=0)).astype(np.float64)
        templates[channel] = dataclasses.replace(part, observation=observation, variances=0.2 * part.values)
        counts.append(Channel(channel, float(observation.sum())))
        columns += [Column(channel, name, number, float(nominal[name].sum())) for number, name in enumerate(names)]
    present = {channel: set(part.pairs) for channel, part in templates.items()}
    rows = []
    for shape in shapes:
        cells: list[Effect] = [1.0 if (item.process, shape) in present[item.channel] else None for item in columns]
        rows.append(Nuisance(shape, "shape", tuple(cells)))
    for number in range(nuisances - len(shapes)):
        cells = [round(1.0 + random.uniform(0.01, 0.1), 4) if random.random() < 0.5 else None for _ in columns]
        rows.append(Nuisance(f"norm{number}", "lnN", tuple(cells)))
    mc_stats = tuple(AutoMCStats(item.name, 10.0) for item in counts)
    return Card(tuple(counts), tuple(columns), nuisances=tuple(rows), mc_stats=mc_stats), templates


def make(kind: Blinding, *sizes: int) -> Workspace:
    """Return the workspace of such a card."""
    return make_workspace(*make_card(*sizes), kind=kind, ranges={"r": (-5.0, 10.0)})


def timed(function: Callable[[], _Result]) -> tuple[float, _Result]:
    """Return the wall-clock time of a call and its result."""
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


@dataclasses.dataclass(frozen=True)
class Run:
    """A process that ended: wall-clock and CPU seconds, peak memory in MB, and what it printed."""

    wall: float
    cpu: float
    memory: float
    output: str


def run(*arguments: str) -> Run:
    """Run Python with arguments."""
    start = time.perf_counter()
    child = subprocess.Popen(  # noqa: S603  our own code
        [sys.executable, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    output, errors = (stream.read() for stream in (child.stdout, child.stderr) if stream is not None)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode == 2:
        raise RuntimeError(errors)
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, output.strip())


def fastest(*arguments: str) -> Run:
    """Return the fastest of five runs, in CPU seconds."""
    return min((run(*arguments) for _ in range(5)), key=lambda item: item.cpu)


def answer_of(output: str) -> str:
    """Return the line of a fit's table that belongs to r."""
    lines = (" ".join(line.split()) for line in output.splitlines() if line.startswith("r "))
    return next(lines, "")


def whole_processes(folder: Path) -> None:
    """Print times of starts, and from a card on disk to r with its interval."""
    imports = fastest("-c", "import numpy")
    print(f"{'import of NumPy':40} {imports.wall:7.2f} s  CPU {imports.cpu:5.2f} s  {imports.memory:4.0f} MB")
    scipy = ("-c", "import numpy, scipy.sparse, scipy.linalg")
    starts: dict[str, tuple[str, ...]] = {"import of scipy.sparse and scipy.linalg": scipy}
    starts |= {f"start of {name}": ("-m", "pocket_combine", name, "--help") for name in _COMMANDS}
    for name, arguments in starts.items():
        own = fastest(*arguments)
        ratio = own.cpu / imports.cpu
        print(f"{name:40} {own.wall:7.2f} s  CPU {own.cpu:5.2f} s  {own.memory:4.0f} MB  ratio {ratio:6.2f}")
    for number, (name, sizes) in enumerate(SIZES.items()):
        card, templates = make_card(*sizes)
        path = folder / f"card{number}.txt"
        dump_pair(card, templates, path)
        own = fastest("-m", "pocket_combine", "fit", str(path), "--unblind", "--range", "r=-5,10")
        ratio = own.cpu / imports.cpu
        print(
            f"{name:40} {own.wall:7.2f} s  CPU {own.cpu:5.2f} s  {own.memory:4.0f} MB  ratio {ratio:6.2f}"
            f"  {answer_of(own.output)}"
        )


def reference_cards(folder: Path, pattern: str) -> None:
    """Print how long Combine and whole processes take, for the reference cards whose names match a pattern."""
    head = "Combine, CPU | here, CPU | ratio | wall-clock ratio"
    print(f"| card | channels, bins, columns, nuisances | fit: {head} | limits: {head} | memory |")
    print(f"|{'---|' * 11}")
    for path in sorted(folder.glob(f"{pattern}/expected.json")):
        reference = json.loads(path.read_text())
        counts = reference["model"]["counts"]
        sizes = (counts[name] for name in ("channels", "bins", "process_columns", "nuisances"))
        low, high = reference["fits"]["r_range"]
        common = (str(path.parent / reference["card"]), "--unblind", "-m", str(reference["mass"]))
        fit = fastest("-m", "pocket_combine", "fit", *common, "--range", f"r={low},{high}")
        limit = fastest("-m", "pocket_combine", "limit", *common)
        steps = {step["step"]: step for step in reference["timings"]}
        cells = [path.parent.name, ", ".join(str(size) for size in sizes)]
        for name, own in (("singles", fit), ("limits", limit)):
            cpu, wall = (sum(float(steps[part][key]) for part in ("text2workspace", name)) for key in _CLOCKS)
            cells += [f"{cpu:.1f} s", f"{own.cpu:.2f} s", f"{cpu / own.cpu:.1f}", f"{wall / own.wall:.1f}"]
        cells.append(f"{max(fit.memory, limit.memory):.0f} MB")
        print(f"| {' | '.join(cells)} |", flush=True)


def single_impacts(workspace: Workspace, names: list[str]) -> None:
    """Find both ends of the intervals of nuisances one after the other."""
    fitter = workspace.fitter()
    best = fitter.best(workspace.start_of(fitter))
    for name in names:
        fitter.interval(best, name)


def large_card(jobs: int) -> None:
    """Print times of limits and impacts of 15 channels with 200 nuisances."""
    workspace = make(Blinding.OBSERVED, 15, 20, 6, 200)
    seconds, _ = timed(lambda: limits(workspace))
    print(f"asymptotic limits, 15 channels, 200 nuisances {seconds:7.2f} s")
    names = [item.name for item in workspace.model.parameters if item.kind in ("lnN", "shape")]
    some = names[::20]
    alone, _ = timed(lambda: single_impacts(workspace, some))
    executor = ProcessExecutor(jobs)
    seconds, _ = timed(lambda: impacts(workspace, parameters=names, groups=[], executor=executor))
    ratio = seconds * len(some) / (alone * len(names))
    print(f"impacts of {len(names)} nuisances on {jobs} processes {seconds:7.2f} s  ratio to single fits {ratio:6.2f}")


def single_toys(workspace: Workspace, count: int) -> None:
    """Fit toys one after the other."""
    toys = generate_toys(workspace, truth(workspace, 1.0), count, seed=1)
    for at in range(count):
        fitter = workspace.fitter(Data(toys.observations[at], toys.global_observables[at]))
        fitter.interval(fitter.best(workspace.start_of(fitter)), "r")


def many_toys(count: int) -> None:
    """Print the time of the bias test of a card with 50 bins and 50 nuisances, and what memory it adds."""
    workspace = make(Blinding.ASIMOV, 1, 50, 5, 50)
    # The memory of the first batch is that of every batch.
    toy_fits(workspace, 1.0, min(count, 250), seed=2)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    cpu = time.process_time()
    seconds, result = timed(lambda: toy_fits(workspace, 1.0, count, seed=1))
    cpu = time.process_time() - cpu
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    some = max(1, count // 50)
    alone, _ = timed(lambda: single_toys(workspace, some))
    ratio = seconds * some / (alone * count)
    print(f"{count} toys, 50 bins, 50 nuisances {seconds:7.2f} s  CPU {cpu:.2f} s  ratio to single fits {ratio:6.2f}")
    print(f"  pulls {result.pulls.mean():+.3f} ± {result.pulls.std():.3f}, peak memory grew by {grown / 1024:.0f} MB")


def main() -> None:
    """Print times, ratios and peak memory."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--toys", type=int, default=1000)
    parser.add_argument("--quick", action="store_true", help="whole processes and toys only")
    parser.add_argument("--reference", type=Path, metavar="FOLDER", help="compare with Combine's times on these cards")
    parser.add_argument("--cards", default="*", metavar="PATTERN", help="which of these cards")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ.setdefault("PYTHONPYCACHEPREFIX", f"{folder}/bytecode")
        if options.reference is not None:
            reference_cards(options.reference, options.cards)
            return
        whole_processes(Path(folder))
    many_toys(options.toys)
    if not options.quick:
        large_card(options.jobs)
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"peak memory {own:.0f} MB, largest child process {children:.0f} MB")


if __name__ == "__main__":
    main()
