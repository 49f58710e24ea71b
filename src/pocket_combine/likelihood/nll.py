"""The negative log-likelihood of data: value, gradient, exact Hessian and Fisher information, one point or many.

The value is relative to its smallest conceivable one: Poisson terms to an expectation equal to the data, constraint
terms to their minimum. So it is zero at best, twice its minimum is the saturated goodness-of-fit statistic, and nothing
large is added that would eat digits; `Likelihood.offset` is what Combine's value has on top.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from pocket_combine.likelihood.bin_terms import BoolArray
from pocket_combine.likelihood.constraints import Constraints, ConstraintValues
from pocket_combine.likelihood.data import Data
from pocket_combine.likelihood.engine import Engine, EngineState
from pocket_combine.likelihood.formula_constraints import FormulaConstraints
from pocket_combine.likelihood.parameters import ParameterList
from pocket_combine.templates import FloatArray

__all__ = ["Evaluation", "Likelihood"]

_BATCH = 1 << 21
"""Largest number of array elements per quantity in one pass over points."""


@dataclass(frozen=True)
class Evaluation:
    """Value and derivatives; a first axis counts points where there are several.

    Attributes:
        value: `value`.
        gradient: `gradient[parameter]`.
        hessian: `hessian[parameter, parameter]`.
    """

    value: FloatArray
    gradient: FloatArray
    hessian: FloatArray


class Likelihood:
    """The negative log-likelihood of data as a function of parameters.

    Bin parameters of autoMCStats may be *profiled*: then they are no parameters of this function but take the values
    that minimise it. Points that the model excludes (no expectation in a bin with data, a negative expectation of a
    channel) have the value infinity and derivatives without meaning.

    Args:
        engine: The Poisson part.
        parameters: All parameters of the model: those that act everywhere, then bin parameters.
        formulas: Terms of `constr` lines, if there are any.
        channels: `channels[bin]`, the channel of each bin, -1 in masked ones.
        data: The data.
        profiled: `profiled[bin parameter]`.

    Attributes:
        parameters: The parameters of the function, in the order of its vectors.
        data: The data.
    """

    def __init__(
        self,
        engine: Engine,
        parameters: ParameterList,
        formulas: FormulaConstraints | None,
        channels: FloatArray,
        data: Data,
        profiled: BoolArray,
    ) -> None:
        self._engine = engine
        self._all = parameters
        self._formulas = formulas
        self._channels = channels
        self._plan = engine.bins.plan(profiled)
        self._size = engine.size
        self._positions = np.concatenate([np.arange(self._size), self._size + self._plan.explicit])
        self.parameters = parameters.subset(self._positions)
        self.data = data
        self._constraints: Constraints = self.parameters.constraints
        observed = np.atleast_2d(data.observations).T
        self._observed = np.concatenate([observed, np.zeros((1, observed.shape[1]))])
        self._observables = np.atleast_2d(data.global_observables).T

    # ------------------------------------------------------------------ public

    def value(self, theta: FloatArray) -> FloatArray:
        """Return the value at `theta[parameter]`, or the values at `theta[point, parameter]`."""
        results = self._map(theta, 0, lambda point: (self._value(point),))
        return results[0]

    def gradient(self, theta: FloatArray) -> FloatArray:
        """Return `gradient[…, parameter]` at `theta[…, parameter]`."""
        return self._map(theta, 1, lambda point: (self._gradient(point).T,))[0]

    def hessian(self, theta: FloatArray) -> FloatArray:
        """Return the exact second derivatives, `hessian[…, parameter, parameter]`, at `theta[…, parameter]`."""
        return self._map(theta, 2, lambda point: (self._second_order(point)[1],))[0]

    def evaluate(self, theta: FloatArray) -> Evaluation:
        """Return value, gradient and exact Hessian at `theta[…, parameter]` together, sharing their work."""

        def compute(point: _Point) -> tuple[FloatArray, ...]:
            gradient, hessian = self._second_order(point)
            return self._value(point), gradient.T, hessian

        return Evaluation(*self._map(theta, 2, compute))

    def fisher(self, theta: FloatArray) -> FloatArray:
        """Return `fisher[…, parameter, parameter]`, the expected Hessian if `theta[…, parameter]` is true."""
        return self._map(theta, 2, lambda point: (self._fisher(point),))[0]

    def complete(self, theta: FloatArray) -> FloatArray:
        """Return the vector of all parameters of the model, with profiled ones at their best values."""

        def compute(point: _Point) -> tuple[FloatArray, ...]:
            return (np.concatenate([point.theta[: self._size], point.state.bins.parameters]).T,)

        return self._map(theta, 0, compute)[0]

    def response(self, theta: FloatArray) -> FloatArray:
        """Return `response[…, model parameter, parameter]`, the derivatives of `complete`."""

        def compute(point: _Point) -> tuple[FloatArray, ...]:
            bins = self._engine.response(point.state)
            own = np.zeros((bins.shape[0], self._size, bins.shape[2]))
            own[:, np.arange(self._size), np.arange(self._size)] = 1.0
            return (np.concatenate([own, bins], axis=1),)

        return self._map(theta, 2, compute)[0]

    @property
    def offset(self) -> FloatArray:
        """What to add for the value of Combine's `src/CachingNLL.cc`, one number per data set.

        That is the Poisson terms without factorials, and the constraint terms with their constants.
        """
        observed = np.atleast_2d(self.data.observations)
        total = np.zeros(max(observed.shape[0], self.data.points))
        for channel in np.unique(self._channels[self._channels >= 0]):
            own = observed[:, self._channels == channel]
            total = total + _x_log_x(own.sum(axis=1)) - _x_log_x(own).sum(axis=1)
        observables = np.atleast_2d(self.data.global_observables)
        total = total + self._all.constraints.offset(observables.T)
        return total if self._has_many_data else total[0]

    # ------------------------------------------------------------------ one pass

    def _value(self, point: _Point) -> FloatArray:
        value = point.state.bins.value + point.constraints.value
        if self._formulas is not None:
            value = value + self._formulas.evaluate(point.theta[: self._size], 0).value
        return np.where(np.isnan(value), np.inf, value)

    def _gradient(self, point: _Point) -> FloatArray:
        gradient = self._engine.gradient(point.state)
        return self._add_constraint_gradient(point, gradient)

    def _add_constraint_gradient(self, point: _Point, gradient: FloatArray) -> FloatArray:
        gradient = gradient + point.constraints.gradient
        if self._formulas is not None:
            gradient[: self._size] += self._formulas.evaluate(point.theta[: self._size], 1).gradient
        return gradient

    def _second_order(self, point: _Point) -> tuple[FloatArray, FloatArray]:
        result = self._engine.second_order(point.state)
        hessian = self._with_constraints(point, result.hessian, point.constraints.curvature, expected=False)
        return self._add_constraint_gradient(point, result.gradient), hessian

    def _fisher(self, point: _Point) -> FloatArray:
        information = self._constraints.information(point.theta)
        return self._with_constraints(point, self._engine.fisher(point.state), information, expected=True)

    def _with_constraints(
        self, point: _Point, hessian: FloatArray, curvature: FloatArray, *, expected: bool
    ) -> FloatArray:
        diagonal = np.arange(hessian.shape[-1])
        hessian[:, diagonal, diagonal] += curvature.T
        if self._formulas is not None:
            inner = hessian[:, : self._size, : self._size]
            self._formulas.add_curvature(point.theta[: self._size], inner, expected=expected)
        return hessian

    # ------------------------------------------------------------------ batches

    @property
    def _has_many_data(self) -> bool:
        return self.data.observations.ndim > 1 or self.data.global_observables.ndim > 1

    def _map(
        self, theta: FloatArray, order: int, compute: Callable[[_Point], tuple[FloatArray, ...]]
    ) -> tuple[FloatArray, ...]:
        """Return results with points first, or without that axis for one point and one data set."""
        theta = np.asarray(theta, dtype=np.float64)
        is_single = theta.ndim == 1 and not self._has_many_data
        with np.errstate(all="ignore"):
            parts = [compute(point) for point in self._points(np.atleast_2d(theta), order)]
        joined = tuple(np.concatenate(columns) for columns in zip(*parts, strict=True))
        return tuple(array[0] for array in joined) if is_single else joined

    def _points(self, theta: FloatArray, order: int) -> Iterator[_Point]:
        count = max(theta.shape[0], self.data.points)
        if (
            theta.shape[1] != len(self.parameters)
            or theta.shape[0] not in (1, count)
            or self.data.points not in (1, count)
        ):
            raise ValueError(
                f"theta has shape {theta.shape} for {len(self.parameters)} parameters and {self.data.points} data sets"
            )
        step = max(1, _BATCH // self._engine.yields.elements(order, theta.shape[1]))
        for start in range(0, count, step):
            chosen = slice(start, min(start + step, count))
            yield self._point(theta[chosen] if theta.shape[0] > 1 else theta, chosen, order)

    def _point(self, theta: FloatArray, chosen: slice, order: int) -> _Point:
        observed, observables = (
            array if array.shape[1] == 1 else np.ascontiguousarray(array[:, chosen])
            for array in (self._observed, self._observables)
        )
        points = max(theta.shape[0], observed.shape[1], observables.shape[1])
        own = np.ascontiguousarray(np.broadcast_to(theta.T, (theta.shape[1], points)))
        given = np.zeros((self._engine.bins.count, points))
        given[self._plan.explicit] = own[self._size :]
        state = self._engine.evaluate(own[: self._size], given, observed, observables[self._size :], self._plan, order)
        return _Point(own, self._constraints.evaluate(own, observables[self._positions]), state)


@dataclass(frozen=True)
class _Point:
    """Points of one pass: `theta[parameter, point]`, the constraint terms there, and what the engine knows."""

    theta: FloatArray
    constraints: ConstraintValues
    state: EngineState


def _x_log_x(values: FloatArray) -> FloatArray:
    result: FloatArray = np.where(values > 0.0, values * np.log(np.where(values > 0.0, values, 1.0)), 0.0)
    return result
