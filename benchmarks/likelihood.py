"""Times of the likelihood's value, gradient and exact Hessian, against finite differences in the same run.

    python benchmarks/likelihood.py [--size combination|precision|both] [--batch 100]

`combination` has 26 channels of 15 bins, 19 processes and 215 nuisances; `precision` has 3000 bins in 4 channels, 20
processes and 4000 nuisances, the size of a W-mass fit, with each nuisance acting on a third of the processes. Times are
the shortest of several wall-clock times; memory is the peak of this process. Differences of the gradient, which the
exact Hessian replaces, are measured on a few parameters and scaled to all.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pocket_combine.card.model import AutoMCStats, Card, Channel, Column, Effect, Nuisance, ShapeRule
from pocket_combine.likelihood import build_model
from pocket_combine.templates import FloatArray, Templates


@dataclass(frozen=True)
class Size:
    """What a synthetic card has.

    Attributes:
        channels: Number of channels.
        bins: Bins per channel.
        processes: Processes per channel.
        nuisances: Number of nuisances.
        shapes: Fraction of nuisances that have templates; the others are log-normals.
        reach: Fraction of the processes that each nuisance acts on.
        variation: Relative size of the variations of a template, bin by bin.
    """

    channels: int
    bins: int
    processes: int
    nuisances: int
    shapes: float
    reach: float
    variation: float = 0.05


SIZES = {
    "combination": Size(26, 15, 19, 215, 0.6, 0.6),
    "precision": Size(4, 750, 20, 4000, 0.8, 0.33),
}


def make_card(size: Size, seed: int = 1) -> tuple[Card, dict[str, Templates]]:
    """Return a synthetic card; templates vary by a few per cent."""
    rng = np.random.default_rng(seed)
    with_templates = int(size.nuisances * size.shapes)
    acts = rng.random((size.nuisances, size.processes)) < size.reach
    processes = [f"p{p}" for p in range(size.processes)]
    names = [f"n{i:04d}" for i in range(size.nuisances)]
    templates = {}
    for number in range(size.channels):
        scales = 10 ** rng.uniform(0, 2.5, size.processes)
        values = (rng.random((size.processes, size.bins)) + 0.2) * scales[:, None]
        where = [(p, i) for p in range(size.processes) for i in range(with_templates) if acts[i, p]]
        nominal = values[[p for p, _ in where]]
        change, skew = (size.variation * rng.normal(size=nominal.shape) for _ in range(2))
        # As the effects of most nuisances are: down mirrors up, but for a fifth.
        up, down = nominal * (1.0 + change), nominal * (1.0 - change + 0.2 * skew)
        none = np.zeros((1, 1))
        templates[f"c{number}"] = Templates(
            np.arange(size.bins + 1.0),
            tuple(processes),
            values,
            values * rng.uniform(0.1, 2.0, (size.processes, 1)),
            tuple((processes[p], names[i]) for p, i in where),
            up,
            down,
            np.broadcast_to(none, up.shape),
            np.broadcast_to(none, up.shape),
            rng.poisson(values.sum(axis=0)).astype(float),
        )
    columns = tuple(
        Column(f"c{c}", process, 0 if p == 0 else 1, -1)
        for c in range(size.channels)
        for p, process in enumerate(processes)
    )
    rows = []
    for i, name in enumerate(names):
        cell: Effect = 1.0 if i < with_templates else (1.05 if i % 2 else (0.96, 1.05))
        effects = tuple(cell if acts[i, p] else None for _ in range(size.channels) for p in range(size.processes))
        rows.append(Nuisance(name, "shape" if i < with_templates else "lnN", effects))
    channels = tuple(Channel(f"c{c}", -1) for c in range(size.channels))
    card = Card(channels, columns, (ShapeRule("*", "*", "f.root", "h"),), tuple(rows), mc_stats=(AutoMCStats("*", 10),))
    return card, templates


def shortest(function: Callable[[], object], seconds: float = 3.0) -> float:
    """Return the shortest time of repeated calls, after one that does not count."""
    function()
    times: list[float] = []
    while sum(times) < seconds and len(times) < 200:
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def peak_memory() -> float:
    """Return the peak memory of this process in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


def measure(name: str, batch: int) -> None:
    """Print the times of one size."""
    size = SIZES[name]
    card, templates = make_card(size)
    pairs = sum(len(item.pairs) for item in templates.values())
    with_card = peak_memory()
    start = time.perf_counter()
    model = build_model(card, templates)
    built = time.perf_counter() - start
    likelihood = model.likelihood()
    count = len(likelihood.parameters)
    print(f"{name}: {model.bin_count} bins, {len(card.columns)} columns, {pairs} pairs of varied templates")
    print(f"  {count} parameters, {len(model.bin_parameters)} bin parameters profiled; built in {built:.1f} s")
    point = likelihood.parameters.initial + 0.1 * np.random.default_rng(2).normal(size=count)
    value = shortest(lambda: likelihood.value(point))
    gradient = shortest(lambda: likelihood.gradient(point))
    everything = shortest(lambda: likelihood.evaluate(point))
    print(f"  value                     {1e3 * value:10.2f} ms")
    print(f"  gradient                  {1e3 * gradient:10.2f} ms  = {gradient / value:.1f} values")
    differences = count * value
    print(f"    by forward differences  {1e3 * differences:10.2f} ms  = {differences / gradient:.0f} x as long")
    print(f"  value, gradient, Hessian  {1e3 * everything:10.2f} ms  = {everything / value:.1f} values")
    probes = min(count, 5)
    started = time.perf_counter()
    slow = np.stack([_slope(likelihood.gradient, point, i) for i in range(probes)])
    probed = (time.perf_counter() - started) / probes * count
    print(f"    by central differences  {1e3 * probed:10.2f} ms  = {probed / everything:.0f} x as long ({probes} rows)")
    exact = likelihood.hessian(point)[:probes]
    print(f"    largest difference of these rows: {np.max(np.abs(slow - exact)) / np.max(np.abs(exact)):.1e} relative")
    if batch > 1 and name != "precision":
        points = point + 0.01 * np.random.default_rng(3).normal(size=(batch, count))
        together = shortest(lambda: likelihood.gradient(points)) / batch
        print(f"  gradient, batch of {batch:<7}{1e3 * together:10.2f} ms a point = {gradient / together:.1f} x as fast")
    print(f"  peak memory {peak_memory():.2f} GB, of which card and templates {with_card:.2f} GB")


def _slope(
    function: Callable[[FloatArray], FloatArray], point: FloatArray, index: int, step: float = 1e-5
) -> FloatArray:
    moved = np.zeros_like(point)
    moved[index] = step
    return (function(point + moved) - function(point - moved)) / (2 * step)


def main() -> None:
    """Print the times."""
    parser = argparse.ArgumentParser(description="Times of value, gradient and Hessian of the likelihood.")
    parser.add_argument("--size", choices=[*SIZES, "both"], default="both")
    parser.add_argument("--batch", type=int, default=100)
    arguments = parser.parse_args()
    for name in SIZES if arguments.size == "both" else (arguments.size,):
        measure(name, arguments.batch)


if __name__ == "__main__":
    main()
