"""Newton fits of many points at once: of many data sets, or with different parameters fixed.

One evaluation of the likelihood at a hundred points costs little more than at a few. So toys and impacts are fitted
together with damped Newton steps in a box. A point for which this does not converge is said so, and whoever asked fits
it again alone with the minimiser of `pocket_combine.inference.minimise`, which is slower and knows kinks and saddles.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pocket_combine.inference.profile import Likelihood
from pocket_combine.inference.quality import DOUBTFUL
from pocket_combine.likelihood.nll import Evaluation
from pocket_combine.templates import FloatArray, IntArray

__all__ = ["Batch", "BatchCrossings", "BatchFits", "covariances"]

_BoolArray = npt.NDArray[np.bool_]

_FIRST_DAMPING = 1e-3
_SMALLEST_DAMPING = 1e-6
_LARGEST_DAMPING = 1e6
_SUFFICIENT = 1e-4
"""Part of the decrease that the slope predicts which a step must reach."""

_MAX_FITS = 15


@dataclass(frozen=True)
class BatchFits:
    """Where fits of many points ended.

    Attributes:
        theta: `theta[point, parameter]`.
        value: `value[point]`.
        gradient: `gradient[point, parameter]`.
        hessian: `hessian[point, parameter, parameter]`.
        free: `free[point, parameter]`: whether a parameter was fitted and is not held at a bound.
        converged: `converged[point]`: whether the minimum was reached, with a positive definite Hessian.
    """

    theta: FloatArray
    value: FloatArray
    gradient: FloatArray
    hessian: FloatArray
    free: _BoolArray
    converged: _BoolArray


@dataclass(frozen=True)
class BatchCrossings:
    """Where the profiles of many points reach a level.

    Attributes:
        value: `value[point]` of the parameter.
        theta: `theta[point, parameter]` there.
        at_edge: `at_edge[point]`: whether the edge of the range came first.
        found: `found[point]`: whether the search ended, at the level or at the edge.
    """

    value: FloatArray
    theta: FloatArray
    at_edge: _BoolArray
    found: _BoolArray


class Batch:
    """Fits of many points.

    Args:
        likelihood: Returns the likelihood of some of the points, by their positions.
        lower: `lower[parameter]`, the box of the fits.
        upper: `upper[parameter]`.
        floating: Positions of the parameters that are fitted.
        tolerance: Estimated distance to the minimum, in units of the function, below which it is reached.
        max_steps: Steps after which to give up.
    """

    def __init__(
        self,
        likelihood: Callable[[IntArray], Likelihood],
        lower: FloatArray,
        upper: FloatArray,
        floating: IntArray,
        *,
        tolerance: float = 1e-9,
        max_steps: int = 40,
    ) -> None:
        self._likelihood = likelihood
        self._lower = lower
        self._upper = upper
        self._floats = np.zeros(lower.size, dtype=bool)
        self._floats[floating] = True
        self._tolerance = tolerance
        self._max_steps = max_steps

    def fit(self, start: FloatArray, fixed: IntArray | None = None, points: IntArray | None = None) -> BatchFits:
        """Return the minima from starting points.

        Args:
            start: `start[point, parameter]`; frozen and fixed parameters keep these values.
            fixed: `fixed[point]`, the position of one parameter to keep fixed, another one for each point.
            points: Which points these are; all by default.
        """
        count = start.shape[0]
        which: IntArray = np.arange(count) if points is None else points
        fitted = np.tile(self._floats, (count, 1))
        if fixed is not None:
            fitted[np.arange(count), fixed] = False
        theta = np.where(fitted, np.clip(start, self._lower, self._upper), start)
        state = self._assess(theta, self._evaluate(which, theta), fitted)
        damping = np.zeros(count)
        active: IntArray = np.flatnonzero(np.isfinite(state.value))
        for _ in range(self._max_steps):
            now = _rows(state, active)
            step, distance = _newton(now, damping[active])
            done = (distance >= 0.0) & (distance <= self._tolerance) & (damping[active] == 0.0)
            state.converged[active[done]] = True
            going = ~done & (damping[active] <= _LARGEST_DAMPING)
            active, step, now = active[going], step[going], _rows(now, np.flatnonzero(going))
            if not active.size:
                break
            trial = np.where(now.free, np.clip(now.theta + step, self._lower, self._upper), now.theta)
            reached = self._assess(trial, self._evaluate(which[active], trial), fitted[active])
            predicted = np.minimum((now.gradient * (trial - now.theta)).sum(axis=1), 0.0)
            noise = 64 * np.finfo(float).eps * np.maximum(1.0, np.abs(now.value))
            good = reached.value <= now.value + _SUFFICIENT * predicted + noise
            _assign(state, active[good], _rows(reached, np.flatnonzero(good)))
            damping[active] = _next_damping(damping[active], good)
        return replace(state, converged=state.converged & _positive_definite(state))

    def crossings(
        self,
        best: FloatArray,
        value: FloatArray,
        covariance: FloatArray,
        position: IntArray,
        side: IntArray,
        level: float,
        *,
        tolerance: float = 1e-5,
    ) -> BatchCrossings:
        """Return where the profiles of single parameters rise to a level above the best fit, on one side of it.

        The search is that of `Profiler.crossing`, with starting points from the covariance.

        Args:
            best: `best[point, parameter]`, the best fits.
            value: `value[point]`, the function there.
            covariance: `covariance[point, parameter]`: of all parameters with the one in question. Points where its
                variance is not positive are left out.
            position: `position[point]`, the parameter in question.
            side: `side[point]`, -1 or 1.
            level: ΔNLL to reach.
            tolerance: Relative to the wanted √(2 ΔNLL).
        """
        count = position.size
        every = np.arange(count)
        target = math.sqrt(2.0 * level)
        origin = best[every, position]
        edge = np.where(side > 0, self._upper[position], self._lower[position])
        variance = covariance[every, position]
        stuck = side * (edge - origin) <= 0.0
        usable = (variance > 0.0) & ~stuck
        tangent = np.divide(covariance, variance[:, None], out=np.zeros_like(covariance), where=usable[:, None])
        x = origin + side * target * np.sqrt(np.where(usable, variance, 1.0))
        x = np.where(side * (x - edge) >= 0.0, edge, x)
        x = np.where(stuck, origin, x)
        theta = best + tangent * (x - origin)[:, None]
        inner, outer = origin.copy(), np.full(count, np.nan)
        at_edge, found = stuck.copy(), stuck.copy()
        active: IntArray = np.flatnonzero(usable)
        for _ in range(_MAX_FITS):
            if not active.size:
                break
            theta[active, position[active]] = x[active]
            fits = self.fit(theta[active], position[active], active)
            theta[active] = fits.theta
            rise = fits.value - value[active]
            z = np.sqrt(np.maximum(2.0 * rise, 0.0))
            reached = np.abs(z - target) <= tolerance * target
            short = (z < target) & (x[active] == edge[active]) & ~reached
            good = fits.converged & np.isfinite(rise) & (rise > -1e-5)
            found[active] = good & (reached | short)
            at_edge[active] = good & short
            slope = fits.gradient[np.arange(active.size), position[active]]
            inner[active] = np.where(z < target, x[active], inner[active])
            outer[active] = np.where(z < target, outer[active], x[active])
            going = good & ~reached & ~short
            active, z, slope = active[going], z[going], slope[going]
            proposal = _proposal(x[active], z, slope, target, side[active], inner[active], outer[active])
            proposal = np.where(side[active] * (proposal - edge[active]) >= 0.0, edge[active], proposal)
            moved = proposal - origin[active]
            span = x[active] - origin[active]
            theta[active] = best[active] + (theta[active] - best[active]) * (moved / span)[:, None]
            x[active] = proposal
        return BatchCrossings(x, theta, at_edge, found)

    def _evaluate(self, which: IntArray, theta: FloatArray) -> Evaluation:
        result = self._likelihood(which).evaluate(theta)
        value = np.where(np.isfinite(result.value), result.value, np.inf)
        return Evaluation(value, np.nan_to_num(result.gradient), np.nan_to_num(result.hessian))

    def _assess(self, theta: FloatArray, evaluation: Evaluation, fitted: _BoolArray) -> BatchFits:
        gradient = evaluation.gradient
        held = ((theta <= self._lower) & (gradient >= 0)) | ((theta >= self._upper) & (gradient <= 0))
        none = np.zeros(theta.shape[0], dtype=bool)
        return BatchFits(theta, evaluation.value, gradient, evaluation.hessian, fitted & ~held, none)


def covariances(fits: BatchFits, position: int) -> FloatArray:
    """Return `covariance[point, parameter]` of all parameters with one, from the curvature if that one is at a bound.

    Points whose fit failed, or in which no parameter is free, have zeros.
    """
    right = np.zeros_like(fits.theta)
    right[:, position] = 1.0
    result = np.zeros_like(fits.theta)
    usable = np.flatnonzero(fits.converged & fits.free.any(axis=1))
    if usable.size:
        chosen = _rows(fits, usable)
        chosen.free[:, position] = True
        definite = np.flatnonzero(_positive_definite(chosen))
        usable, chosen = usable[definite], _rows(chosen, definite)
        result[usable] = np.linalg.solve(_masked(chosen), right[usable][:, :, None])[:, :, 0]
    return result


def _masked(state: BatchFits) -> FloatArray:
    """Return Hessians with the rows of parameters that do not move replaced by those of the unit matrix."""
    both = state.free[:, :, None] & state.free[:, None, :]
    result: FloatArray = np.where(both, state.hessian, 0.0)
    diagonal = np.arange(state.theta.shape[1])
    result[:, diagonal, diagonal] = np.where(state.free, state.hessian[:, diagonal, diagonal], 1.0)
    return result


def _newton(state: BatchFits, damping: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return damped Newton steps and g · H⁻¹ · g / 2, the distance to the minimum of the quadratic model."""
    matrix = _masked(state)
    diagonal = np.arange(state.theta.shape[1])
    scale = np.abs(matrix[:, diagonal, diagonal])
    matrix[:, diagonal, diagonal] += damping[:, None] * np.maximum(scale, 1e-12)
    gradient = np.where(state.free, state.gradient, 0.0)
    try:
        step = np.negative(np.linalg.solve(matrix, gradient[:, :, None])[:, :, 0], dtype=np.float64)
    except np.linalg.LinAlgError:
        # One of them is exactly singular; where that is so at the minimum, it is not positive definite in the end.
        matrix[:, diagonal, diagonal] += _SMALLEST_DAMPING * np.maximum(scale, 1e-12)
        step = np.negative(np.linalg.solve(matrix, gradient[:, :, None])[:, :, 0], dtype=np.float64)
    distance: FloatArray = -0.5 * (gradient * step).sum(axis=1)
    return step, distance


def _next_damping(damping: FloatArray, good: _BoolArray) -> FloatArray:
    less = np.where(damping > _SMALLEST_DAMPING, damping / 100.0, 0.0)
    return np.where(good, less, np.maximum(10.0 * damping, _FIRST_DAMPING))


def _positive_definite(state: BatchFits) -> _BoolArray:
    """Return which Hessians have an inverse: in units of their diagonal no pivot is nearly zero.

    Those in doubt are fitted again alone, where the Fisher information tells.
    """
    matrices = _masked(state)
    diagonal = np.einsum("pii->pi", matrices)
    curved: _BoolArray = (diagonal > 0.0).all(axis=1)
    scale = 1.0 / np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    scaled = scale[:, :, None] * matrices * scale[:, None, :]
    try:
        pivots = np.einsum("pii->pi", np.linalg.cholesky(scaled)) ** 2
    except np.linalg.LinAlgError:
        pivots = np.array([[float(_has_inverse(matrix))] for matrix in scaled])
    result: _BoolArray = curved & (pivots > DOUBTFUL).all(axis=1)
    return result


def _has_inverse(matrix: FloatArray) -> bool:
    try:
        pivots = np.diag(np.linalg.cholesky(matrix)) ** 2
    except np.linalg.LinAlgError:
        return False
    return bool((pivots > DOUBTFUL).all())


def _proposal(
    x: FloatArray, z: FloatArray, slope: FloatArray, target: float, side: IntArray, inner: FloatArray, outer: FloatArray
) -> FloatArray:
    """Return the next values of a search for z(x) = target, with z' = slope / z, kept inside the brackets."""
    usable = (slope * side > 0.0) & (z > 0.0)
    proposal = x + np.where(usable, (target - z) * z / np.where(usable, slope, 1.0), np.nan)
    bracketed = np.isfinite(outer)
    bad = ~np.isfinite(proposal) | (side * (proposal - inner) <= 0.0)
    bad |= bracketed & (side * (np.where(bracketed, outer, 0.0) - proposal) <= 0.0)
    fallback = np.where(bracketed, 0.5 * (inner + np.where(bracketed, outer, 0.0)), inner + side)
    return np.where(bad, fallback, proposal)


def _rows(state: BatchFits, chosen: IntArray) -> BatchFits:
    return BatchFits(
        state.theta[chosen],
        state.value[chosen],
        state.gradient[chosen],
        state.hessian[chosen],
        state.free[chosen],
        state.converged[chosen],
    )


def _assign(state: BatchFits, chosen: IntArray, other: BatchFits) -> None:
    state.theta[chosen] = other.theta
    state.value[chosen] = other.value
    state.gradient[chosen] = other.gradient
    state.hessian[chosen] = other.hessian
    state.free[chosen] = other.free
