"""Fits at the points of a grid. Neighbours share a task, in which each fit starts from the nearest one's result."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pocket_combine.execution import Executor, Progress
from pocket_combine.inference.fitter import BestFit, Fitter
from pocket_combine.inference.workspace import Workspace
from pocket_combine.results import Status
from pocket_combine.templates import FloatArray, IntArray

__all__ = ["FittedPoints", "fit_points"]

_POINTS_OF_A_TASK = 5
_MOST_TASKS = 128


@dataclass(frozen=True)
class FittedPoints:
    """Fits with the scanned parameters fixed.

    Attributes:
        nll: `nll[point]`.
        statuses: How each fit ended.
        theta: `theta[point, parameter]`.
    """

    nll: FloatArray
    statuses: tuple[Status, ...]
    theta: FloatArray

    def lowest(self) -> int | None:
        """Return the point with the smallest likelihood among those whose fit can be used."""
        usable = [at for at, status in enumerate(self.statuses) if status.usable]
        return min(usable, key=lambda at: float(self.nll[at])) if usable else None


@dataclass(frozen=True)
class _Neighbours:
    """A task: some points of a grid.

    Attributes:
        workspace: Model and data.
        names: Names of the scanned parameters.
        points: `points[point, scanned]`.
        scale: `scale[scanned]`, in units of which distances are measured.
        best: `best[parameter]`, the best fit.
        lower: `lower[parameter]`, ranges that have grown for the best fit.
        upper: `upper[parameter]`.
    """

    workspace: Workspace
    names: tuple[str, ...]
    points: FloatArray
    scale: FloatArray
    best: FloatArray
    lower: FloatArray
    upper: FloatArray

    @property
    def label(self) -> str:
        """Name of the task in messages."""
        ends = zip(self.names, self.points[0], self.points[-1], strict=True)
        return ", ".join(f"{name} = {one:.4g}" + (f" to {two:.4g}" if two != one else "") for name, one, two in ends)

    def run(self) -> FittedPoints:
        """Return the fits."""
        fitter = scan_fitter(self.workspace, self.names)
        fitter.profiler.lower[:], fitter.profiler.upper[:] = self.lower, self.upper
        positions = fitter.parameters.indices(self.names)
        count = len(self.points)
        result = FittedPoints(np.full(count, math.nan), (), np.tile(self.best, (count, 1)))
        statuses = [Status.NOT_CONVERGED] * count
        distances = (((self.points - self.best[positions]) / self.scale) ** 2).sum(axis=1)
        done: list[int] = []
        for at in np.argsort(distances, kind="stable").tolist():
            near = _nearest(self.points, self.points[at], self.scale, done)
            start = self.best if near is None else result.theta[near]
            statuses[at] = _fit(fitter, positions, self.points[at], start, result, at)
            if statuses[at].usable:
                done.append(at)
        return FittedPoints(result.nll, tuple(statuses), result.theta)


def scan_fitter(workspace: Workspace, names: tuple[str, ...]) -> Fitter:
    """Return fits in which the scanned parameters are parameters, also those of autoMCStats."""
    bins = set(workspace.model.bin_parameters)
    return workspace.fitter(explicit=[name for name in names if name in bins])


def fit_points(
    workspace: Workspace,
    fitter: Fitter,
    best: BestFit,
    names: tuple[str, ...],
    points: FloatArray,
    executor: Executor,
    progress: Progress | None = None,
) -> FittedPoints:
    """Return fits of everything else at each point. They do not depend on the executor.

    A point whose fit fails is tried again from the nearest one whose fit did not.

    Args:
        workspace: Model and data.
        fitter: Fits of the scan, see `scan_fitter`.
        best: The best fit.
        names: Names of the scanned parameters.
        points: `points[point, scanned]`, neighbours beside each other.
        executor: Where fits run.
        progress: Told how many points are done.
    """
    positions = fitter.parameters.indices(names)
    span = np.ptp(points, axis=0)
    scale = np.where(span > 0.0, span, 1.0)
    parts = np.array_split(points, min(_MOST_TASKS, math.ceil(len(points) / _POINTS_OF_A_TASK)))
    lower, upper = fitter.profiler.lower.copy(), fitter.profiler.upper.copy()
    tasks = [_Neighbours(workspace, names, part, scale, best.theta, lower, upper) for part in parts]
    finished = [0, *np.cumsum([len(part) for part in parts]).tolist()]

    def by_points(done: int, total: int, label: str) -> None:  # noqa: ARG001  as executors call it
        if progress is not None:
            progress(finished[done], len(points), label)

    results = list(executor.map(_Neighbours.run, tasks, progress=by_points))
    nll = np.concatenate([np.zeros(0), *(part.nll for part in results)])
    theta = np.concatenate([np.zeros((0, best.theta.size)), *(part.theta for part in results)])
    statuses = [status for part in results for status in part.statuses]
    found = FittedPoints(nll, (), theta)
    usable = [at for at, status in enumerate(statuses) if status.usable]
    for at in [at for at, status in enumerate(statuses) if not status.usable]:
        near = _nearest(points, points[at], scale, usable)
        if near is not None:
            statuses[at] = _fit(fitter, positions, points[at], theta[near], found, at)
    return FittedPoints(nll, tuple(statuses), theta)


def _fit(
    fitter: Fitter, positions: IntArray, point: FloatArray, start: FloatArray, result: FittedPoints, at: int
) -> Status:
    """Fit one point, write likelihood and parameters into the result, and return how it ended."""
    fixed = {int(position): float(value) for position, value in zip(positions, point, strict=True)}
    fitted = fitter.profiler.fit(start, fixed)
    result.nll[at], result.theta[at] = fitted.nll, fitted.theta
    return fitted.status


def _nearest(points: FloatArray, point: FloatArray, scale: FloatArray, among: list[int]) -> int | None:
    """Return which of some points is nearest to another."""
    if not among:
        return None
    distances = (((points[among] - point) / scale) ** 2).sum(axis=1)
    return among[int(distances.argmin())]
