"""Profile likelihoods on grids of one or two parameters."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np

from pocket_combine.errors import CardError
from pocket_combine.execution import Executor, Progress, SerialExecutor
from pocket_combine.inference.fitter import MINOS_LEVEL
from pocket_combine.inference.grid_points import fit_points, scan_fitter
from pocket_combine.inference.usable import explain, reason
from pocket_combine.inference.workspace import Workspace
from pocket_combine.results import Interval, ScanResult, Status
from pocket_combine.templates import FloatArray

__all__ = ["grid_values", "scan"]

_BELOW = 1e-5
"""How far a point must lie below the best fit to count as another minimum, as in the search for intervals."""


def grid_values(low: float, high: float, points: int, *, align_edges: bool = False) -> FloatArray:
    """Return the values of a grid, as Combine places them.

    Args:
        low: Lower edge of the range.
        high: Upper edge.
        points: Number of values.
        align_edges: Whether the first and last value are the edges; otherwise values are centres of equal intervals.

    Examples:
        >>> grid_values(0.0, 4.0, 4)
        array([0.5, 1.5, 2.5, 3.5])
        >>> grid_values(0.0, 4.0, 5, align_edges=True)
        array([0., 1., 2., 3., 4.])
    """
    if align_edges:
        return np.linspace(low, high, points)
    return low + (np.arange(points) + 0.5) * (high - low) / points


def scan(
    workspace: Workspace,
    grid: Mapping[str, Sequence[float] | FloatArray],
    *,
    profiled: bool = True,
    level: float = MINOS_LEVEL,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> ScanResult:
    """Return the likelihood on a grid, relative to its global minimum.

    Points are fitted in groups of neighbours, each from the best fit outwards and from its neighbour's result.

    Args:
        workspace: Model and data.
        grid: Values per scanned parameter; one or two parameters.
        profiled: Whether the other parameters are refitted at each point; otherwise they stay at the best fit.
        level: ΔNLL of the interval of a one-dimensional scan.
        executor: Where points are fitted; in this process by default. The result does not depend on it.
        progress: Told how many points are done.

    Raises:
        CardError: If a name is not in the model or frozen, there are none or more than two, a grid is empty or not
            finite, or no best fit was found.
    """
    names = tuple(grid)
    if not 1 <= len(names) <= 2:
        raise CardError(f"a scan takes one or two parameters, found {len(names)}: {', '.join(names)}")
    names = tuple(map(workspace.asked_parameter, names))
    axes = [np.asarray(values, dtype=np.float64) for values in grid.values()]
    for name, axis in zip(names, axes, strict=True):
        if not (axis.size and np.isfinite(axis).all()):
            raise CardError(f"the grid of {name} needs one value at least, and finite ones: {axis.tolist()!r:.60}")
    fitter = scan_fitter(workspace, names)
    positions = fitter.parameters.indices(names)
    best = fitter.best(workspace.start_of(fitter))
    if not best.is_minimum:
        raise CardError(f"there is no best fit that a scan could be relative to: {reason(best)}")
    points = np.array(list(itertools.product(*axes)))
    if profiled:
        fits = fit_points(workspace, fitter, best, names, points, executor or SerialExecutor(), progress)
        nll, statuses = fits.nll, list(fits.statuses)
        lowest = fits.lowest()
        if lowest is not None and nll[lowest] < best.nll - _BELOW:
            fitter.note("a point of the grid lies below the best fit, which was repeated from there")
            best = min(best, fitter.best(fits.theta[lowest]), key=lambda fit: fit.nll)
    else:
        theta = np.tile(best.theta, (len(points), 1))
        theta[:, positions] = points
        nll = np.atleast_1d(fitter.likelihood.value(theta))
        statuses = [Status.CONVERGED if math.isfinite(value) else Status.NOT_FINITE for value in nll]
    crossings: tuple[Interval, ...] = ()
    if len(names) == 1:
        interval, best = fitter.interval(best, names[0], level)
        crossings = (interval,)
    explain(fitter, best)
    delta = nll - best.nll
    return ScanResult(
        workspace.provenance(notes=list(fitter.notes)),
        names,
        points,
        delta,
        tuple(statuses),
        best.theta[positions],
        profiled,
        crossings,
    )
