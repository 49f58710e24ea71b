"""Value and derivatives of the Poisson part of the likelihood in all parameters, for batches of points.

The parameters of an evaluation are those that act everywhere, followed by the *explicit* bin parameters; profiled bin
parameters take their best values, and their coupling is eliminated bin by bin (a Schur complement of which every block
is known in closed form). Arrays have the layout of `pocket_combine.likelihood.arrays`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pocket_combine.likelihood.bin_terms import ProfilePlan
from pocket_combine.likelihood.bins import BinLayer, BinSlopes, BinState
from pocket_combine.likelihood.derivatives import YieldDerivatives
from pocket_combine.likelihood.yields import YieldModel, YieldState
from pocket_combine.templates import FloatArray, IntArray

__all__ = ["Engine", "EngineState", "SecondOrder"]


@dataclass(frozen=True)
class EngineState:
    """Everything that is known at some points.

    Attributes:
        yields: Expected events of cells.
        bins: Poisson terms.
        plan: Which bin parameters are profiled.
    """

    yields: YieldState
    bins: BinState
    plan: ProfilePlan


@dataclass(frozen=True)
class SecondOrder:
    """Derivatives at some points.

    Attributes:
        gradient: `gradient[parameter, point]`.
        hessian: `hessian[point, parameter, parameter]`.
    """

    gradient: FloatArray
    hessian: FloatArray


@dataclass(frozen=True)
class _Explicit:
    """Explicit bin parameters at some points.

    Attributes:
        bin: `bin[i]`.
        amplitude: `amplitude[i, point]`: what the parameter multiplies.
        derivative: `derivative[point, i, parameter]` of the amplitude.
    """

    bin: IntArray
    amplitude: FloatArray
    derivative: FloatArray


class Engine:
    """The Poisson part of the likelihood.

    Args:
        yields: The model of expected events.
        bins: Its Poisson terms.
    """

    def __init__(self, yields: YieldModel, bins: BinLayer) -> None:
        self.yields = yields
        self.bins = bins
        self.derivatives = YieldDerivatives(yields)
        self.size = yields.parameter_count

    def evaluate(
        self,
        theta: FloatArray,
        given: FloatArray,
        observed: FloatArray,
        observables: FloatArray,
        plan: ProfilePlan,
        order: int,
    ) -> EngineState:
        """Return expected events and Poisson terms, ready for derivatives up to an order.

        Args:
            theta: `theta[parameter, point]`, without bin parameters.
            given: `given[bin parameter, point]`.
            observed: `observed[bin, point]`, with a last bin for padding.
            observables: `observables[bin parameter, point]`.
            plan: Which bin parameters are profiled.
            order: 0, 1 or 2.
        """
        yields = self.yields.evaluate(theta, order)
        return EngineState(yields, self.bins.evaluate(yields, observed, given, observables, plan), plan)

    def gradient(self, state: EngineState) -> FloatArray:
        """Return `gradient[parameter, point]` in the parameters of the evaluation."""
        slopes = self.bins.slopes(state.bins, state.plan)
        templates, yields, _ = self.bins.first_weights(state.yields, state.bins, slopes)
        own = self.yields.gradient(state.yields, templates, yields)
        bin_, amplitude = self._explicit_amplitudes(state)
        return np.concatenate([own, state.bins.slope[bin_] * amplitude])

    def second_order(self, state: EngineState) -> SecondOrder:
        """Return gradient and exact Hessian in the parameters of the evaluation."""
        slopes = self.bins.slopes(state.bins, state.plan)
        weights = self.bins.weights(state.yields, state.bins, slopes)
        curvature = self.derivatives.curvature(state.yields, weights)
        hessian, rows = curvature.hessian, curvature.rows
        hessian += _squares(rows, state.bins.stiffness)
        self._add_bends(state, slopes, hessian)
        explicit = self._explicit(state)
        gradient = np.concatenate([curvature.gradient, state.bins.slope[explicit.bin] * explicit.amplitude])
        return SecondOrder(gradient, _bordered(hessian, rows, state.bins.stiffness, state.bins.slope, explicit))

    def fisher(self, state: EngineState) -> FloatArray:
        """Return the expected second derivatives if the parameters are true, `fisher[point, parameter, parameter]`."""
        rows = self.derivatives.rows(state.yields, *self.bins.expected_weights(state.yields, state.bins))
        stiffness = self.bins.information(state.bins, state.plan)
        hessian = _squares(rows, stiffness)
        return _bordered(hessian, rows, stiffness, np.zeros_like(stiffness), self._explicit(state))

    def response(self, state: EngineState) -> FloatArray:
        """Return `result[point, bin parameter, parameter]`: how bin parameters follow those of the evaluation."""
        bins, plan = state.bins, state.plan
        own_slopes = self.bins.slopes(bins, plan)
        weights = self.bins.weights(state.yields, bins, own_slopes)
        rows = self.derivatives.rows(state.yields, weights.row_yields, weights.row_templates)
        explicit = self._explicit(state)
        slopes = _slope_derivatives(rows, bins.stiffness, explicit)
        result = np.zeros((rows.shape[0], self.bins.count, slopes.shape[2]))
        result[:, plan.explicit, self.size + np.arange(plan.explicit.size)] = 1.0
        total, process = self.bins.total, self.bins.process
        chosen = np.flatnonzero(plan.total[:, 0])
        if chosen.size:
            error = bins.error[chosen].T[:, :, None]
            own = self._total_rows(state, chosen) * bins.slope[total.bin[chosen]].T[:, :, None]
            target = total.parameter[chosen]
            result[:, target] = -error * slopes[:, total.bin[chosen]]
            result[:, target, : self.size] -= own
        if plan.terms.size:
            where = process.bin[plan.terms]
            compliance = own_slopes.process.compliance[plan.terms].T[:, :, None]
            own = self._amplitude_rows(state, plan.terms) * bins.slope[where].T[:, :, None]
            change = bins.amplitude[plan.terms].T[:, :, None] * slopes[:, where]
            change[:, :, : self.size] += own
            result[:, process.parameter[plan.terms]] = -compliance * change
        return result

    def expected_rows(self, state: EngineState) -> FloatArray:
        """Return `result[point, bin, parameter]`: derivatives of the expectation in the parameters of the evaluation.

        Profiled bin parameters are held fixed.
        """
        rows = self.derivatives.rows(state.yields, *self.bins.expected_weights(state.yields, state.bins))
        bin_, amplitude = self._explicit_amplitudes(state)
        result = np.zeros((rows.shape[0], self.bins.layout.bin_count, self.size + bin_.size))
        result[:, :, : self.size] = rows.transpose(0, 2, 1)[:, :-1]
        result[:, bin_, self.size + np.arange(bin_.size)] = amplitude.T
        result *= state.bins.free.T[:, :-1, None]
        return result

    # ------------------------------------------------------------------ bin parameters

    def _add_bends(self, state: EngineState, slopes: BinSlopes, hessian: FloatArray) -> None:
        """Add the products of derivatives of w² and of amplitudes that rows do not hold."""
        if slopes.total.bend.any():
            bend = np.zeros_like(state.bins.expected)
            bend[self.bins.total.bin] = slopes.total.bend
            rows = self.square_rows(state)
            hessian += (rows * bend.T[:, None, :]) @ rows.transpose(0, 2, 1)
        terms = state.plan.terms
        if terms.size:
            # None is positive. A product with the own transpose is symmetric even where rounding shows.
            rows = self._amplitude_rows(state, terms) * np.sqrt(-slopes.process.bend[terms]).T[:, :, None]
            hessian -= rows.transpose(0, 2, 1) @ rows

    def _explicit_amplitudes(self, state: EngineState) -> tuple[IntArray, FloatArray]:
        """Return the bin of every explicit bin parameter and what it multiplies, `amplitude[i, point]`."""
        total, process = self.bins.total, self.bins.process
        bin_ = np.zeros(self.bins.count, dtype=np.intp)
        amplitude = np.zeros((self.bins.count, state.yields.points))
        bin_[total.parameter], bin_[process.parameter] = total.bin, process.bin
        amplitude[total.parameter] = state.bins.error
        amplitude[process.parameter] = state.bins.amplitude
        return bin_[state.plan.explicit], amplitude[state.plan.explicit]

    def _explicit(self, state: EngineState) -> _Explicit:
        bin_, amplitude = self._explicit_amplitudes(state)
        derivative = np.zeros((state.yields.points, bin_.size, self.size))
        is_explicit = np.zeros(self.bins.count, dtype=bool)
        is_explicit[state.plan.explicit] = True
        slot = np.cumsum(is_explicit) - 1
        total = np.flatnonzero(is_explicit[self.bins.total.parameter])
        if total.size:
            derivative[:, slot[self.bins.total.parameter[total]]] = self._total_rows(state, total)
        terms = np.flatnonzero(is_explicit[self.bins.process.parameter])
        if terms.size:
            derivative[:, slot[self.bins.process.parameter[terms]]] = self._amplitude_rows(state, terms)
        return _Explicit(bin_, amplitude, derivative)

    def _total_rows(self, state: EngineState, chosen: IntArray) -> FloatArray:
        """Return `result[point, total, parameter]`, derivatives of w."""
        error = state.bins.error[chosen]
        inverse = np.divide(1.0, error, out=np.zeros_like(error), where=error > 0.0)
        rows = self.square_rows(state)[:, :, self.bins.total.bin[chosen]].transpose(0, 2, 1)
        result: FloatArray = rows * (0.5 * inverse.T)[:, :, None]
        return result

    def square_rows(self, state: EngineState) -> FloatArray:
        """Return `rows[point, parameter, bin]`, derivatives of w²."""
        total = self.bins.total
        cells = np.zeros_like(state.yields.templates)
        cells[total.cell] = 2.0 * total.cell_square * state.yields.columns.yields[total.column]
        return self.derivatives.yield_rows(state.yields, cells)

    def _amplitude_rows(self, state: EngineState, terms: IntArray) -> FloatArray:
        """Return `result[point, term, parameter]`, derivatives of what parameters of single processes multiply."""
        process = self.bins.process
        cells = process.cell[terms]
        counts = np.where(process.is_count, 1.0 / process.count, 0.0)[terms] * np.ones((1, state.yields.points))
        yields = counts * state.yields.templates[cells] + process.error[terms]
        return self.derivatives.cell_rows(state.yields, cells, yields, counts)


def _squares(rows: FloatArray, weights: FloatArray) -> FloatArray:
    """Return `result[point, parameter, parameter]`, the sum over bins of weight x row x row, for weights from 0 on.

    NumPy multiplies a matrix with its own transpose in half the time.
    """
    scaled = rows * np.sqrt(weights).T[:, None, :]
    result: FloatArray = scaled @ scaled.transpose(0, 2, 1)
    return result


def _slope_derivatives(rows: FloatArray, stiffness: FloatArray, explicit: _Explicit) -> FloatArray:
    """Return `result[point, bin, parameter]`, the derivative of μ in all parameters of the evaluation."""
    points, size, bins = rows.shape
    count = explicit.bin.size
    result = np.zeros((points, bins, size + count))
    result[:, :, :size] = rows.transpose(0, 2, 1)
    result[:, explicit.bin, size + np.arange(count)] = explicit.amplitude.T
    result *= stiffness.T[:, :, None]
    return result


def _bordered(
    hessian: FloatArray, rows: FloatArray, stiffness: FloatArray, slope: FloatArray, explicit: _Explicit
) -> FloatArray:
    """Return the Hessian with explicit bin parameters appended."""
    count = explicit.bin.size
    if not count:
        return hessian
    size = hessian.shape[-1]
    result = np.zeros((hessian.shape[0], size + count, size + count))
    result[:, :size, :size] = hessian
    scaled = (explicit.amplitude * stiffness[explicit.bin]).T[:, :, None]
    cross = scaled * rows[:, :, explicit.bin].transpose(0, 2, 1)
    cross += slope[explicit.bin].T[:, :, None] * explicit.derivative
    result[:, size:, :size] = cross
    result[:, :size, size:] = cross.transpose(0, 2, 1)
    same = explicit.bin[:, None] == explicit.bin[None, :]
    result[:, size:, size:] = np.where(same, scaled * explicit.amplitude.T[:, None, :], 0.0)
    return result
