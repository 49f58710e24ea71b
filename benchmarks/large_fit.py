"""A fit of the size of a W-mass fit, from arrays in memory to the interval of r, and how its cost grows.

    python benchmarks/large_fit.py [--bins 3000] [--nuisances 4000] [--processes 20] [--no-interval]
    python benchmarks/large_fit.py --growth

Data are a toy: nuisances are drawn from their constraints, contents of bins from Poisson distributions, so that the
fit begins far from its minimum. Each nuisance acts on a third of the processes; four of five do so by templates that
vary by 0.3 % in each bin, which adds up to 10 % of a process. Printed are wall-clock and CPU seconds of each step, the
peak memory of the process, and what shows that the fit has converged: the estimated distance to the minimum in units of
the likelihood, the largest component of the gradient in units of the parameters' uncertainties, and distances to the
truth. `--growth` repeats smaller fits in processes of their own, with one size doubled at a time.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from likelihood import Size, make_card, peak_memory

from pocket_combine.inference.fitter import Fitter
from pocket_combine.likelihood import Data, build_model

_Result = TypeVar("_Result")

CHANNELS = 4

GROWTH = ((375, 500, 20), (750, 500, 20), (750, 1000, 20), (750, 1000, 40), (1500, 2000, 20))
"""Bins, nuisances and processes; columns are processes times channels."""


def timed(what: str, function: Callable[[], _Result]) -> _Result:
    """Return the result of a call and print its wall-clock and CPU time."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = function()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"  {what:36} {wall:8.2f} s, CPU {cpu:8.2f} s, peak memory {peak_memory():6.2f} GB", flush=True)
    return result


def measure(bins: int, nuisances: int, processes: int, *, interval: bool) -> None:
    """Print the times of one fit and what shows that it has converged."""
    size = Size(CHANNELS, bins // CHANNELS, processes, nuisances, 0.8, 0.33, variation=0.003)
    print(f"{bins} bins, {nuisances} nuisances, {CHANNELS * processes} columns", flush=True)
    card, templates = timed("arrays made", lambda: make_card(size))
    model = timed("model built", lambda: build_model(card, templates))
    random = np.random.default_rng(5)
    truth = model.parameters.initial.copy()
    # A nuisance that happens to act on no process is no parameter.
    nuisance = model.parameters.indices([row.name for row in card.nuisances if row.name in model.parameters])
    truth[nuisance] = random.normal(size=nuisance.size)
    data = Data(random.poisson(model.totals(truth)).astype(np.float64), model.parameters.observables)
    likelihood = model.likelihood(data)
    start = likelihood.parameters.initial
    timed("value", lambda: likelihood.value(start))
    timed("gradient", lambda: likelihood.gradient(start))
    timed("value, gradient and exact Hessian", lambda: likelihood.evaluate(start))
    fitter = Fitter(likelihood)
    best = timed("best fit with covariance", fitter.best)
    minimum = best.conditional.minimum
    print(f"  {best.status.value} after {minimum.steps} steps, {minimum.evaluations} evaluations")
    errors = np.sqrt(np.diag(best.covariance))
    largest = float(np.max(np.abs(minimum.gradient) * errors))
    fall = float(likelihood.value(start)) - best.nll
    print(f"  NLL {fall:.0f} below the start, {minimum.distance:.1e} above the minimum")
    print(f"  largest component of the gradient {largest:.1e} per standard deviation")
    pulls = (best.theta[nuisance] - truth[nuisance]) / errors[nuisance]
    print(f"  distance of nuisances to the truth: {pulls.mean():+.2f} ± {pulls.std():.2f} standard deviations")
    poi = model.parameters.pois[0]
    at = model.parameters.index(poi)
    print(f"  {poi} = {best.theta[at]:.4f} ± {errors[at]:.4f}, truth {truth[at]:.4f}")
    if interval:
        ends, _ = timed(f"interval of {poi}", lambda: fitter.interval(best, poi))
        print(f"  {poi} = {ends.best:.4f} {ends.low - ends.best:+.4f} {ends.high - ends.best:+.4f}")


def main() -> None:
    """Print the times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bins", type=int, default=3000)
    parser.add_argument("--nuisances", type=int, default=4000)
    parser.add_argument("--processes", type=int, default=20)
    parser.add_argument("--no-interval", action="store_true", help="leave the interval of r out")
    parser.add_argument("--growth", action="store_true", help="fits of several smaller sizes instead")
    options = parser.parse_args()
    if not options.growth:
        measure(options.bins, options.nuisances, options.processes, interval=not options.no_interval)
        return
    for sizes in GROWTH:
        named = zip(("--bins", "--nuisances", "--processes"), map(str, sizes), strict=True)
        command = [sys.executable, __file__, *(word for pair in named for word in pair), "--no-interval"]
        subprocess.run(command, check=True)  # noqa: S603  this program


if __name__ == "__main__":
    main()
