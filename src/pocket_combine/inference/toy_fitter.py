"""Fits of toys, many at a time."""

from __future__ import annotations

import math

import numpy as np

from pocket_combine.inference.batch import Batch, BatchFits, covariances
from pocket_combine.inference.fitter import MINOS_LEVEL, BestFit, Fitter
from pocket_combine.inference.profile import Likelihood
from pocket_combine.inference.workspace import Workspace
from pocket_combine.likelihood import Data
from pocket_combine.results import Status
from pocket_combine.templates import FloatArray, IntArray

__all__ = ["ToyFitter", "toys_per_task"]

_MOST_TOYS = 250
_LARGEST_BATCH = 2e7
"""Elements of the Hessians of the toys that are fitted together."""

_INTERVAL_TOLERANCE = 1e-4
"""Relative precision of the ends of intervals, far below the spread of toys."""


def toys_per_task(workspace: Workspace) -> int:
    """Return how many toys are fitted together, few enough for memory."""
    parameters = len(workspace.model.parameters) - len(workspace.model.bin_parameters)
    return int(min(_MOST_TOYS, max(1, _LARGEST_BATCH // (2 * parameters**2))))


class ToyFitter:
    """Fits of toys of one model.

    All toys are fitted together; one for which that does not converge is fitted again alone.

    Args:
        workspace: The model, and how fits are made.
        data: The toys.
        theta: `theta[model parameter]`, where fits start.
    """

    def __init__(self, workspace: Workspace, data: Data, theta: FloatArray) -> None:
        self.workspace = workspace
        self.data = data
        self.count = data.points
        fitter = self._fitter(0)
        self.parameters = fitter.parameters
        self._start = theta[workspace.model.parameters.indices(self.parameters.names)]
        upper = fitter.profiler.upper.copy()
        upper[fitter.growing] = math.inf
        self._batch = Batch(self._likelihood, fitter.profiler.lower, upper, fitter.profiler.floating)
        self._alone: dict[int, tuple[Fitter, BestFit]] = {}

    def fit(self) -> BatchFits:
        """Return the best fits; those that failed also alone are not converged."""
        fits = self._batch.fit(np.tile(self._start, (self.count, 1)))
        for at in np.flatnonzero(~fits.converged):
            fitter = self._fitter(int(at))
            best = fitter.best(self._start)
            if best.status.usable:
                self._alone[int(at)] = fitter, best
                fits.theta[at], fits.value[at] = best.theta, best.nll
                fits.converged[at] = True
                # Marks a fit whose interval is to be found alone, too.
                fits.free[at] = False
        return fits

    def complete(self, fits: BatchFits) -> FloatArray:
        """Return `theta[toy, model parameter]`, with bin parameters at their best values."""
        return self.workspace.model.likelihood(self.data).complete(fits.theta)

    def intervals(self, fits: BatchFits, name: str) -> FloatArray:
        """Return `result[toy, quantity]`: best value, uncertainties below and above it, whether the range cuts either.

        Rows of toys that failed are not numbers.

        Args:
            fits: The best fits.
            name: Name of the parameter.
        """
        position = self.parameters.index(name)
        result = np.full((self.count, 5), np.nan)
        covariance = covariances(fits, position)
        both = np.tile(np.arange(self.count), 2)
        ends = self._batch.crossings(
            fits.theta[both],
            fits.value[both],
            covariance[both],
            np.full(both.size, position),
            np.repeat((-1, 1), self.count),
            MINOS_LEVEL,
            tolerance=_INTERVAL_TOLERANCE,
        )
        best = fits.theta[:, position]
        low, high = best - ends.value[: self.count], ends.value[self.count :] - best
        found = fits.converged & ends.found[: self.count] & ends.found[self.count :]
        cut = ends.at_edge.astype(np.float64)
        rows = np.stack([best, low, high, cut[: self.count], cut[self.count :]], axis=1)
        result[found] = rows[found]
        for at in np.flatnonzero(fits.converged & ~found):
            result[at] = self._interval_alone(int(at), fits.theta[at], name)
        return result

    def _interval_alone(self, at: int, start: FloatArray, name: str) -> FloatArray:
        if at in self._alone:
            fitter, best = self._alone[at]
        else:
            fitter = self._fitter(at)
            best = fitter.best(start)
        failed = np.full(5, np.nan)
        if not best.status.usable:
            return failed
        interval, _ = fitter.interval(best, name)
        statuses = (interval.low_status, interval.high_status)
        if not all(status.usable for status in statuses):
            return failed
        cut = (float(status is Status.AT_BOUNDARY) for status in statuses)
        return np.array([interval.best, interval.best - interval.low, interval.high - interval.best, *cut])

    def _likelihood(self, points: IntArray) -> Likelihood:
        toys = points % self.count
        return self.workspace.model.likelihood(Data(self.data.observations[toys], self.data.global_observables[toys]))

    def _fitter(self, at: int) -> Fitter:
        return self.workspace.fitter(Data(self.data.observations[at], self.data.global_observables[at]))
