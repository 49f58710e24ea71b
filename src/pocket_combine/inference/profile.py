"""Fits with some parameters fixed, and the profile likelihood that they trace."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pocket_combine.inference.definite import cholesky, half_solved
from pocket_combine.inference.minimise import MinimiserOptions, Minimum, Outcome, minimise
from pocket_combine.likelihood.nll import Evaluation
from pocket_combine.likelihood.parameters import ParameterList
from pocket_combine.results import Status
from pocket_combine.templates import FloatArray, IntArray

__all__ = ["Likelihood", "Conditional", "Crossing", "Profiler"]


class Likelihood(Protocol):
    """The negative log-likelihood of one set of data, as a function of the vector of parameters."""

    parameters: ParameterList
    """The parameters, in the order of the vector."""

    def value(self, theta: FloatArray) -> FloatArray:
        """Return the negative log-likelihood."""

    def gradient(self, theta: FloatArray) -> FloatArray:
        """Return its gradient."""

    def hessian(self, theta: FloatArray) -> FloatArray:
        """Return its Hessian."""

    def evaluate(self, theta: FloatArray) -> Evaluation:
        """Return all three together."""

    def fisher(self, theta: FloatArray) -> FloatArray:
        """Return the expected Hessian if `theta` is true."""

    def complete(self, theta: FloatArray) -> FloatArray:
        """Return all parameters of the model, with those that are profiled analytically at their best values."""


@dataclass(frozen=True)
class Conditional:
    """A fit with some parameters fixed.

    Attributes:
        theta: `theta[parameter]`, all parameters.
        free: Positions of those that were fitted.
        minimum: How and where the minimiser ended, in the free parameters.
    """

    theta: FloatArray
    free: IntArray
    minimum: Minimum

    @property
    def nll(self) -> float:
        """Negative log-likelihood at the minimum."""
        return self.minimum.value

    @property
    def status(self) -> Status:
        """Whether the fit can be used. A flat direction or a bound of a nuisance does not spoil a profile."""
        return _STATUS[self.minimum.outcome]


_STATUS = {
    Outcome.CONVERGED: Status.CONVERGED,
    Outcome.STEP_LIMIT: Status.NOT_CONVERGED,
    Outcome.NO_PROGRESS: Status.NOT_CONVERGED,
    Outcome.NOT_FINITE: Status.NOT_FINITE,
}


@dataclass(frozen=True)
class Crossing:
    """Where a profile likelihood reaches a level.

    Attributes:
        value: Value of the parameter; the edge of the search where the level was not reached.
        theta: `theta[parameter]`, all parameters there.
        status: `CONVERGED`; `AT_BOUNDARY` where the edge comes first; or why the search ended.
        below: A fit on the way that lies below the minimum that the search started from, if there was one.
    """

    value: float
    theta: FloatArray
    status: Status
    below: Conditional | None = None


class Profiler:
    """Fits of one likelihood with parameters fixed, from warm starts.

    Args:
        likelihood: The likelihood.
        lower: `lower[parameter]`, the box of the fits.
        upper: `upper[parameter]`.
        options: When fits stop.
    """

    def __init__(
        self,
        likelihood: Likelihood,
        lower: FloatArray,
        upper: FloatArray,
        options: MinimiserOptions | None = None,
    ) -> None:
        self.likelihood = likelihood
        self.lower = lower
        self.upper = upper
        self.options = options or MinimiserOptions()
        self.floating = likelihood.parameters.floating
        self.evaluations = 0

    def fit(self, start: FloatArray, fixed: Mapping[int, float] | None = None) -> Conditional:
        """Return the minimum over all floating parameters but those that are fixed.

        Where the model excludes the start, as where the warm start of another fit has an expectation of 0, the initial
        values are tried.

        Args:
            start: `start[parameter]`; frozen parameters keep these values.
            fixed: Value by position.
        """
        theta = np.array(start, dtype=np.float64)
        for position, value in (fixed or {}).items():
            theta[position] = value
        free: IntArray = np.array([at for at in self.floating if at not in (fixed or {})], dtype=np.intp)
        objective = _Subset(self.likelihood, theta, free)
        for begin in (theta[free], self.likelihood.parameters.initial[free]):
            minimum = minimise(
                objective, begin, self.lower[free], self.upper[free], self.options, objective.information
            )
            self.evaluations += minimum.evaluations
            if minimum.outcome is not Outcome.NOT_FINITE:
                break
        theta[free] = minimum.point
        return Conditional(theta, free, minimum)

    def crossing(self, best: Conditional, position: int, level: float, side: int, edge: float) -> Crossing:
        """Return where the profile of one parameter rises to `level` above the best fit, on one side of it.

        The root is sought in z(x) = sqrt(2 ΔNLL(x)), which is nearly linear, with the exact slope: the derivative of a
        profile is the partial derivative at its minimum. Every fit starts from the last one, moved along the tangent.

        Args:
            best: The best fit.
            position: Position of the parameter.
            level: ΔNLL to reach.
            side: -1 or 1.
            edge: Value at which to give up.
        """
        search = _CrossingSearch(self, best, position, math.sqrt(2.0 * level), side, edge)
        return search.run()


class _Subset:
    """A likelihood as a function of some of its parameters."""

    def __init__(self, likelihood: Likelihood, theta: FloatArray, free: IntArray) -> None:
        self._likelihood = likelihood
        self._theta = theta
        self._free = free
        self._block = np.ix_(free, free)

    def value(self, point: FloatArray) -> float:
        return float(self._likelihood.value(self._full(point)))

    def derivatives(self, point: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        result = self._likelihood.evaluate(self._full(point))
        return float(result.value), result.gradient[self._free], result.hessian[self._block]

    def information(self, point: FloatArray) -> FloatArray:
        return self._likelihood.fisher(self._full(point))[self._block]

    def _full(self, point: FloatArray) -> FloatArray:
        theta: FloatArray = self._theta.copy()
        theta[self._free] = point
        return theta


_MAX_FITS = 40
_TOLERANCE = 1e-5
"""Relative to the wanted z; an interval end is right to this fraction of its distance from the best fit."""


class _CrossingSearch:
    def __init__(
        self, profiler: Profiler, best: Conditional, position: int, target: float, side: int, edge: float
    ) -> None:
        self.profiler = profiler
        self.best = best
        self.position = position
        self.target = target
        self.side = side
        self.edge = edge
        self.origin = float(best.theta[position])

    def run(self) -> Crossing:
        if self.side * (self.edge - self.origin) <= 0:
            return Crossing(self.edge, self.best.theta, Status.AT_BOUNDARY)
        inner, outer = self.origin, self.edge
        outer_known = False
        x = self._first_guess()
        theta = self.best.theta
        for _ in range(_MAX_FITS):
            fitted = self.profiler.fit(self._moved(theta, x), {self.position: x})
            rise = fitted.nll - self.best.nll
            if not fitted.status.usable or not math.isfinite(rise):
                if abs(x - inner) <= 1e-9 * max(1.0, abs(inner)):
                    return Crossing(x, fitted.theta, fitted.status)
                x = 0.5 * (x + inner)
                continue
            if rise < -1e-5:
                return Crossing(x, fitted.theta, Status.NOT_CONVERGED, below=fitted)
            theta = fitted.theta
            z = math.sqrt(max(2.0 * rise, 0.0))
            if abs(z - self.target) <= _TOLERANCE * self.target:
                return Crossing(x, theta, Status.CONVERGED)
            if z < self.target and x == self.edge:
                return Crossing(self.edge, theta, Status.AT_BOUNDARY)
            if z < self.target:
                inner = x
            else:
                outer, outer_known = x, True
            x = self._next(x, z, fitted, inner, outer, outer_known=outer_known)
        return Crossing(x, theta, Status.NOT_CONVERGED)

    def _first_guess(self) -> float:
        """Return the crossing of a parabola with the curvature of the profile at the best fit, inside the edge."""
        sigma = _profile_sigma(self.profiler.likelihood, self.best, self.position)
        guess = self.origin + self.side * self.target * sigma
        return self.edge if self.side * (guess - self.edge) >= 0 else guess

    def _moved(self, theta: FloatArray, x: float) -> FloatArray:
        """Return the last point moved along a straight line through the best fit, a cheap tangent."""
        start: FloatArray = theta.copy()
        span = theta[self.position] - self.origin
        if span != 0:
            start = self.best.theta + (theta - self.best.theta) * ((x - self.origin) / span)
        start[self.position] = x
        return start

    def _next(self, x: float, z: float, fitted: Conditional, inner: float, outer: float, *, outer_known: bool) -> float:
        gradient = self.profiler.likelihood.gradient(fitted.theta)
        slope = float(gradient[self.position]) / z if z > 0 else 0.0
        step = (self.target - z) / slope if slope * self.side > 0 else math.nan
        proposal = x + step
        if not math.isfinite(proposal) or self.side * (proposal - inner) <= 0:
            proposal = 0.5 * (inner + outer) if outer_known else inner + 2.0 * (inner - self.origin + self.side * 1e-3)
        if outer_known and self.side * (outer - proposal) <= 0:
            proposal = 0.5 * (inner + outer)
        return self.edge if self.side * (proposal - self.edge) >= 0 else proposal


def _profile_sigma(likelihood: Likelihood, best: Conditional, position: int) -> float:
    """Return the standard deviation of a parameter from the curvature of its profile; 1 where there is none."""
    free, hessian = best.free, best.minimum.hessian
    if position not in free:
        free, hessian = np.append(free, position), likelihood.hessian(best.theta)
        hessian = hessian[np.ix_(free, free)]
    at, others = np.flatnonzero(free == position)[0], np.flatnonzero(free != position)
    alone = curvature = float(hessian[at, at])
    factor = cholesky(hessian[np.ix_(others, others)]) if others.size else None
    if factor is not None:
        half = half_solved(factor, hessian[others, at])
        curvature -= float(half @ half)
    # What is left after the subtraction of equal numbers is rounding noise.
    return 1.0 / math.sqrt(curvature) if curvature > max(1e-12 * alone, float(np.finfo(float).tiny)) else 1.0
