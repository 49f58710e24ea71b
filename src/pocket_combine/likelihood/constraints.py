"""Constraint terms of the negative log-likelihood, for all parameters of one kind in one array operation.

Terms are those of Combine (section 7 of `docs/explanation/likelihood.md`) with their minimum subtracted, so that a
parameter at its preferred value costs nothing; `Constraints.offset` gives what was subtracted.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pocket_combine.likelihood.poisson import poisson_term
from pocket_combine.templates import FloatArray, IntArray

__all__ = ["Constraint", "ConstraintKind", "ConstraintValues", "Constraints"]


class ConstraintKind(enum.Enum):
    """The form of a constraint term in the parameter θ and its global observable g.

    `GAUSSIAN`: (θ - g)² / 2σ², with one σ below and one above g. `POISSON`: θ - g ln θ + ln Γ(g + 1). `GAMMA`:
    θ/b - (g - 1) ln(θ/b) + ln Γ(g) + ln b. `FERMI_DIRAC`: ln{2 (1 + exp A(θ - g - 1)) (1 + exp -A(θ - g + 1))}.
    `UNIFORM`: 0 inside the range.
    """

    GAUSSIAN = "gaussian"
    POISSON = "poisson"
    GAMMA = "gamma"
    FERMI_DIRAC = "fermi_dirac"
    UNIFORM = "uniform"


@dataclass(frozen=True)
class Constraint:
    """The constraint term of one parameter.

    Attributes:
        kind: Its form.
        observable: The global observable g: mean of a Gaussian, observed count, shape of a gamma distribution.
        width: σ below and above g; (b, b) of a gamma distribution; (A, A) of `FERMI_DIRAC`.
        moves: Whether toys and frequentist Asimov data may change the global observable.
    """

    kind: ConstraintKind
    observable: float = 0.0
    width: tuple[float, float] = (1.0, 1.0)
    moves: bool = True

    @property
    def is_asymmetric(self) -> bool:
        """Whether a Gaussian has different widths below and above its mean."""
        return self.width[0] != self.width[1]


class ConstraintValues(NamedTuple):
    """Sum of constraint terms and their derivatives, which act on one parameter each.

    Attributes:
        value: `value[point]`.
        gradient: `gradient[parameter, point]`.
        curvature: `curvature[parameter, point]`, the diagonal of the Hessian.
    """

    value: FloatArray
    gradient: FloatArray
    curvature: FloatArray


class Constraints:
    """The constraint terms of a list of parameters.

    Args:
        constraints: One per parameter, `None` for an unconstrained one.

    Examples:
        >>> terms = Constraints([None, Constraint(ConstraintKind.GAUSSIAN)])
        >>> result = terms.evaluate(np.array([[5.0], [2.0]]), np.array([[0.0], [0.0]]))
        >>> result.value.tolist(), result.gradient.ravel().tolist()
        ([2.0], [0.0, 2.0])
    """

    def __init__(self, constraints: Sequence[Constraint | None]) -> None:
        self.size = len(constraints)
        rows: dict[ConstraintKind, list[int]] = {kind: [] for kind in ConstraintKind}
        for index, constraint in enumerate(constraints):
            if constraint is not None:
                rows[constraint.kind].append(index)
        self._rows: dict[ConstraintKind, IntArray] = {
            kind: np.array(indices, dtype=np.intp) for kind, indices in rows.items() if indices
        }
        width = np.array([(1.0, 1.0) if item is None else item.width for item in constraints]).reshape(-1, 2)
        self._low = width[:, :1]
        self._high = width[:, 1:]
        self._moves = np.array([item is not None and item.moves for item in constraints], dtype=bool)

    def evaluate(self, theta: FloatArray, observables: FloatArray) -> ConstraintValues:
        """Return the sum of all terms with its derivatives.

        Args:
            theta: `theta[parameter, point]`.
            observables: `observables[parameter, point]`, or one point for all.
        """
        value = np.zeros(theta.shape[1])
        gradient = np.zeros(theta.shape)
        curvature = np.zeros(theta.shape)
        for kind, rows in self._rows.items():
            if kind is ConstraintKind.UNIFORM:
                continue
            terms = _TERMS[kind](theta[rows], observables[rows], self._low[rows], self._high[rows])
            value += terms[0].sum(axis=0)
            gradient[rows] = terms[1]
            curvature[rows] = terms[2]
        return ConstraintValues(value, gradient, curvature)

    def information(self, theta: FloatArray) -> FloatArray:
        """Return `information[parameter, point]`, the expected curvature of each term if θ is true."""
        result = np.zeros(theta.shape)
        for kind, rows in self._rows.items():
            if kind is ConstraintKind.GAUSSIAN:
                result[rows] = 0.5 / self._low[rows] ** 2 + 0.5 / self._high[rows] ** 2
            elif kind in (ConstraintKind.POISSON, ConstraintKind.GAMMA):
                result[rows] = 1.0 / (theta[rows] * self._low[rows])
            elif kind is ConstraintKind.FERMI_DIRAC:
                result[rows] = _fermi_dirac(theta[rows], theta[rows], self._low[rows], self._high[rows])[2]
        return result

    def preferred(self, observables: FloatArray) -> FloatArray:
        """Return `preferred[parameter, point]`, where each term is smallest; 0 for unconstrained parameters."""
        result = np.zeros(observables.shape)
        for kind, rows in self._rows.items():
            if kind is ConstraintKind.GAMMA:
                result[rows] = self._low[rows] * (observables[rows] - 1.0)
            elif kind is not ConstraintKind.UNIFORM:
                result[rows] = observables[rows]
        return result

    def observables_at(self, theta: FloatArray, observables: FloatArray) -> FloatArray:
        """Return the global observables that make `theta` the preferred point, as a frequentist Asimov data set has.

        Those of uniform and unconstrained parameters stay.
        """
        result = np.array(np.broadcast_to(observables, theta.shape))
        for kind, all_rows in self._rows.items():
            rows = all_rows[self._moves[all_rows]]
            if kind is ConstraintKind.GAMMA:
                result[rows] = theta[rows] / self._low[rows] + 1.0
            elif kind is not ConstraintKind.UNIFORM:
                result[rows] = theta[rows]
        return result

    def offset(self, observables: FloatArray) -> FloatArray:
        """Return `offset[point]`, the sum of the minima of Combine's terms."""
        result = np.zeros(observables.shape[1])
        for kind, rows in self._rows.items():
            given, low = observables[rows], self._low[rows]
            if kind is ConstraintKind.POISSON:
                result += _poisson_minimum(given).sum(axis=0)
            elif kind is ConstraintKind.GAMMA:
                result += (_poisson_minimum(given - 1.0) + np.log(low)).sum(axis=0)
            elif kind is ConstraintKind.FERMI_DIRAC:
                result += (np.log(2.0) + 2.0 * np.logaddexp(0.0, -low)).sum() * np.ones_like(result)
        return result


def _poisson_minimum(count: FloatArray) -> FloatArray:
    """Minimum of θ - N ln θ + ln Γ(N + 1)."""
    from scipy.special import gammaln  # noqa: PLC0415  slow to import, and few cards need it

    entropy: FloatArray = np.where(count > 0.0, count * np.log(np.where(count > 0.0, count, 1.0)), 0.0)
    result: FloatArray = count - entropy + gammaln(count + 1.0)
    return result


_Terms = tuple[FloatArray, FloatArray, FloatArray]


def _gaussian(theta: FloatArray, observable: FloatArray, low: FloatArray, high: FloatArray) -> _Terms:
    shift = theta - observable
    weight = 1.0 / np.where(shift < 0.0, low, high) ** 2
    gradient = shift * weight
    return 0.5 * shift * gradient, gradient, weight


def _poisson(theta: FloatArray, observable: FloatArray, _low: FloatArray, _high: FloatArray) -> _Terms:
    value = poisson_term(theta, observable)
    # A count of 0 leaves θ, which may be 0 then.
    counted = np.broadcast_to(observable > 0.0, theta.shape)
    ratio = np.divide(observable, theta, out=np.zeros_like(theta), where=counted)
    return value, 1.0 - ratio, np.divide(ratio, theta, out=np.zeros_like(theta), where=counted)


def _gamma(theta: FloatArray, observable: FloatArray, low: FloatArray, high: FloatArray) -> _Terms:
    value, gradient, curvature = _poisson(theta / low, observable - 1.0, low, high)
    return value, gradient / low, curvature / low**2


def _fermi_dirac(theta: FloatArray, observable: FloatArray, low: FloatArray, _high: FloatArray) -> _Terms:
    from scipy.special import expit  # noqa: PLC0415  slow to import, and few cards need it

    right = low * (theta - observable - 1.0)
    left = -low * (theta - observable + 1.0)
    value = np.logaddexp(0.0, right) + np.logaddexp(0.0, left) - 2.0 * np.logaddexp(0.0, -low)
    up, down = expit(right), expit(left)
    return value, low * (up - down), low**2 * (up * (1.0 - up) + down * (1.0 - down))


_TERMS = {
    ConstraintKind.GAUSSIAN: _gaussian,
    ConstraintKind.POISSON: _poisson,
    ConstraintKind.GAMMA: _gamma,
    ConstraintKind.FERMI_DIRAC: _fermi_dirac,
}
