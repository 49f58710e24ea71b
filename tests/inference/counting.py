"""A likelihood that fits on a page: one Poisson count, a signal, a background with a log-normal nuisance."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import scipy.optimize

from pocket_combine.likelihood.constraints import Constraint, ConstraintKind
from pocket_combine.likelihood.nll import Evaluation
from pocket_combine.likelihood.parameters import ModelParameter, ParameterList
from pocket_combine.templates import FloatArray


class Counting:
    """-ln of Pois(n | r s + b κ^θ) · Gauss(θ)."""

    def __init__(
        self, observed: float, signal: float, background: float, kappa: float, r_range: tuple[float, float] = (0, 20)
    ) -> None:
        self.observed, self.signal, self.background = observed, signal, background
        self.log_kappa = math.log(kappa)
        nuisance = Constraint(ConstraintKind.GAUSSIAN)
        self.parameters = ParameterList(
            [
                ModelParameter("r", "POI", 1.0, r_range),
                ModelParameter("b", "lnN", 0.0, (-7.0, 7.0), nuisance, frozen=kappa == 1.0),
            ]
        )

    def value(self, theta: FloatArray) -> FloatArray:
        expected = theta[0] * self.signal + self.background * math.exp(theta[1] * self.log_kappa)
        if expected <= 0:
            return np.array(math.inf)
        return np.array(expected - self.observed * math.log(expected) + theta[1] ** 2 / 2)

    def gradient(self, theta: FloatArray) -> FloatArray:
        return self.evaluate(theta).gradient

    def hessian(self, theta: FloatArray) -> FloatArray:
        return self.evaluate(theta).hessian

    def fisher(self, theta: FloatArray) -> FloatArray:
        varied = self.background * math.exp(theta[1] * self.log_kappa)
        first = np.array([self.signal, varied * self.log_kappa])
        result: FloatArray = np.outer(first, first) / (theta[0] * self.signal + varied) + np.diag([0.0, 1.0])
        return result

    def complete(self, theta: FloatArray) -> FloatArray:
        return theta

    def evaluate(self, theta: FloatArray) -> Evaluation:
        varied = self.background * math.exp(theta[1] * self.log_kappa)
        expected = theta[0] * self.signal + varied
        slope = 1 - self.observed / expected
        curvature = self.observed / expected**2
        first = np.array([self.signal, varied * self.log_kappa])
        gradient = slope * first + np.array([0.0, theta[1]])
        hessian = curvature * np.outer(first, first) + np.diag([0.0, slope * varied * self.log_kappa**2 + 1])
        return Evaluation(self.value(theta), gradient, hessian)

    def profile(self, r: float) -> float:
        """Return the profile likelihood by one-dimensional minimisation, the obvious way."""
        if self.log_kappa == 0:
            return float(self.value(np.array([r, 0.0])))

        def slope(nuisance: float) -> float:
            return float(self.gradient(np.array([r, nuisance]))[1])

        # Below this the expectation would be negative.
        low = math.log(max(-r * self.signal / self.background, 1e-6)) / self.log_kappa + 1e-9
        return float(self.value(np.array([r, root(slope, max(low, -30.0), 30.0)])))


def root(function: Callable[[float], float], low: float, high: float) -> float:
    return float(scipy.optimize.brentq(function, low, high, xtol=1e-10))
