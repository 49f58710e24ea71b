"""The best values of parameters that act in one bin only, given everything else.

Section 6 of `docs/explanation/likelihood.md`. With μ = 1 - n/λ, the parameters of a bin are stationary at x = g - A μ
(Gaussian, λ grows by A x) and y = g / (1 + A μ) (event count, λ grows by A y), so that one unknown per bin remains.
With one Gaussian parameter the solution is the quadratic that Combine solves; with several parameters the equation is
monotonic in μ and solved by Newton steps inside a shrinking bracket. In toys a count may have g = 0: its constraint is
y alone, so that y = 0 unless μ reaches the bound -1/A, where that equation leaves y open.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pocket_combine.templates import FloatArray, IntArray

__all__ = ["ProcessTerms", "TotalSolution", "solve_processes", "solve_totals"]

_TOLERANCE = 16.0 * float(np.finfo(np.float64).eps)
_MOST_STEPS = 200

_OFF_BOUND = 1e-8
"""How far from its bound μ stays, relative to it, so that second derivatives are finite; they are right to this."""


@dataclass(frozen=True)
class TotalSolution:
    """Bins with one Gaussian parameter x that is at its best value; all arrays are `[bin, point]`.

    Attributes:
        expected: λ = v + w x.
        slope: μ, the derivative of the bin's term in v.
        stiffness: Second derivative in v.
        parameter: x.
    """

    expected: FloatArray
    slope: FloatArray
    stiffness: FloatArray
    parameter: FloatArray


def solve_totals(base: FloatArray, squares: FloatArray, observed: FloatArray, observable: FloatArray) -> TotalSolution:
    """Return the best x of λ - n ln λ + (x - g)²/2 with λ = v + w x.

    λ solves λ² - (v + w g - w²) λ - n w² = 0; the larger root is the one that Combine takes.

    Args:
        base: v.
        squares: w².
        observed: n.
        observable: g.

    Examples:
        >>> one = np.ones((1, 1))
        >>> solution = solve_totals(10 * one, 4 * one, 12 * one, 0 * one)
        >>> round(solution.expected.item(), 6), round(solution.parameter.item(), 6)
        (10.549834, 0.274917)
    """
    error = np.sqrt(squares)
    half = 0.5 * (base + error * observable - squares)
    root = np.sqrt(half * half + squares * observed)
    # The larger root, without the cancellation where `half` is negative.
    below = (half <= 0.0) & (root > half)
    other = np.divide(squares * observed, root - half, out=np.zeros_like(root), where=below)
    expected = np.where(half > 0.0, half + root, other)
    positive = expected > 0.0
    slope = 1.0 - np.where(positive, observed / np.where(positive, expected, 1.0), 0.0)
    # Without data the expectation ends at zero: there x is where v + w x vanishes.
    at_zero = ~positive & (error > 0.0)
    safe_error = np.where(error > 0.0, error, 1.0)
    slope = np.where(at_zero, (observable + base / safe_error) / safe_error, slope)
    denominator = expected**2 + squares * observed
    stiffness = np.where(positive, observed / np.where(positive, denominator, 1.0), 0.0)
    stiffness = np.where(at_zero, 1.0 / np.where(at_zero, squares, 1.0), stiffness)
    return TotalSolution(expected, slope, stiffness, observable - error * slope)


@dataclass(frozen=True)
class ProcessTerms:
    """The parameters of single processes in bins, ordered by bin.

    Attributes:
        row: `row[term]`, the bin of each term, counted among the bins to be solved.
        starts: `starts[bin]`, the first term of each bin.
        is_count: `is_count[term, 0]`, whether it is an event count.
        amplitude: `amplitude[term, point]`, A.
        observable: `observable[term, point]`, g.
    """

    row: IntArray
    starts: IntArray
    is_count: npt.NDArray[np.bool_]
    amplitude: FloatArray
    observable: FloatArray

    def parameters(self, slope: FloatArray) -> FloatArray:
        """Return the stationary values of the parameters, given μ of each bin."""
        product = self.amplitude * slope[self.row]
        counts = self.observable / np.where(self.is_count, 1.0 + product, 1.0)
        return np.where(self.is_count, counts, self.observable - product)

    def sensitivity(self, slope: FloatArray, values: FloatArray) -> FloatArray:
        """Return d(A x)/dA at fixed μ, term by term, for the best values x; -d(A x)/dμ is A² times `compliance`."""
        product = self.amplitude * slope[self.row]
        counts = values / np.where(self.is_count, 1.0 + product, 1.0)
        return np.where(self.is_count, counts, values - product)

    def compliance(self, slope: FloatArray, values: FloatArray) -> FloatArray:
        """Return -d(x)/d(A μ), term by term: the inverse second derivative of the constraint."""
        product = self.amplitude * slope[self.row]
        counts = values / np.where(self.is_count, 1.0 + product, 1.0)
        return np.where(self.is_count, counts, 1.0)

    def sum_by_bin(self, terms: FloatArray) -> FloatArray:
        """Return `result[bin, point]`, sums over the terms of each bin."""
        result: FloatArray = np.add.reduceat(terms, self.starts, axis=0)
        return result

    def extremes(self, chosen: npt.NDArray[np.bool_]) -> tuple[FloatArray, FloatArray]:
        """Return the smallest and the largest A of the chosen terms of each bin, and of 0."""
        amplitude = np.where(chosen, self.amplitude, 0.0)
        smallest: FloatArray = np.minimum(np.minimum.reduceat(amplitude, self.starts, axis=0), 0.0)
        largest: FloatArray = np.maximum(np.maximum.reduceat(amplitude, self.starts, axis=0), 0.0)
        return smallest, largest


def solve_processes(base: FloatArray, observed: FloatArray, terms: ProcessTerms) -> tuple[FloatArray, FloatArray]:
    """Return `slope[bin, point]`, μ of each bin with its parameters at their best, and these, `values[term, point]`.

    A count is positive for μ on one side of the bound -1/A. It grows without limit there, except for one with g = 0:
    that is 0, and at the bound has any value that the bin wants.

    Args:
        base: `base[bin, point]`, what the bin expects without the terms.
        observed: `observed[bin, point]`.
        terms: The parameters.

    Examples:
        >>> one, first = np.ones((1, 1)), np.zeros(1, dtype=np.intp)
        >>> slope, values = solve_processes(one, 9 * one, ProcessTerms(first, first, one > 0, 0.5 * one, 0 * one))
        >>> round(slope.item(), 6), round(values.item(), 6)
        (-2.0, 4.0)
    """
    equation = _Equation(base, observed, terms)
    empty = terms.is_count & (terms.observable == 0.0)
    low, high, bound = _brackets(equation, empty)
    # Without data μ is 1 unless the expectation would be negative, and it is not below 0.
    may_be_one = (observed == 0.0) & (high > 1.0)
    at_one = may_be_one & (equation.excess(np.where(may_be_one, 1.0, 0.0)) >= 0.0)
    nothing = (observed == 0.0) & (equation.excess(np.zeros_like(low)) <= 0.0)
    wanting = np.isfinite(bound) & ~at_one & ~nothing
    fixed = np.where(at_one, 1.0, np.where(nothing, 0.0, bound))
    slope = equation.solve(fixed, low, np.minimum(high, 1.0))
    values = terms.parameters(slope)
    if wanting.any():
        values = values + equation.rest(slope, empty & wanting[terms.row])
    return slope, values


@dataclass(frozen=True)
class _Equation:
    """λ(μ) = n / (1 - μ) in each bin, λ being the expectation with the parameters stationary at μ."""

    base: FloatArray
    observed: FloatArray
    terms: ProcessTerms

    def excess(self, slope: FloatArray) -> FloatArray:
        """Return λ(μ) - n / (1 - μ), which falls with μ."""
        return self._excess(slope)[0]

    def solve(self, fixed: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
        """Return μ between `low` and `high`, or `fixed[bin, point]` where that is a number."""
        done = np.isfinite(fixed)
        slope = np.where(done, fixed, 0.0)
        for _ in range(_MOST_STEPS):
            value, derivative = self._excess(slope)
            low = np.where(value > 0.0, np.maximum(low, slope), low)
            high = np.where(value < 0.0, np.minimum(high, slope), high)
            new = slope - value / derivative
            middle = np.where(np.isfinite(low), 0.5 * (low + high), np.minimum(2.0 * high, 0.0) - 1.0)
            new = np.where((new > low) & (new < high), new, middle)
            finished = done | (value == 0.0) | (np.abs(new - slope) <= _TOLERANCE * np.maximum(1.0, np.abs(new)))
            slope = np.where(done, slope, new)
            if finished.all():
                break
        return slope

    def rest(self, slope: FloatArray, empty: npt.NDArray[np.bool_]) -> FloatArray:
        """Return `result[term, point]`: what empty counts at their bound add so that the equation holds."""
        terms = self.terms
        smallest, largest = terms.extremes(empty)
        at_bound = empty & (terms.amplitude == np.where(slope < 0.0, largest, smallest)[terms.row])
        sharing = terms.sum_by_bin(at_bound.astype(np.float64))[terms.row]
        amount = -self.excess(slope)[terms.row]
        return np.divide(amount, terms.amplitude * sharing, out=np.zeros_like(amount), where=at_bound)

    def _excess(self, slope: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the excess and its derivative."""
        terms = self.terms
        values = terms.parameters(slope)
        contribution = terms.sum_by_bin(terms.amplitude * values)
        softness = terms.sum_by_bin(terms.amplitude**2 * terms.compliance(slope, values))
        left = np.where(self.observed > 0.0, 1.0 - slope, 1.0)
        data = self.observed / left
        return self.base + contribution - data, -softness - data / left


def _brackets(equation: _Equation, empty: npt.NDArray[np.bool_]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the values of μ between which all counts are positive, and that of the bound where μ stays, if it does.

    All are `[bin, point]`; the third is NaN in bins where the equation has a solution between the bounds.
    """
    terms = equation.terms
    low, high = _bounds(*terms.extremes(terms.is_count & ~empty))
    at_bound = np.full(np.broadcast_shapes(low.shape, equation.base.shape), np.nan)
    if empty.any():
        first, last = (bound * (1.0 - _OFF_BOUND) for bound in _bounds(*terms.extremes(empty)))
        is_first, is_last = first > low, last < np.minimum(high, 1.0)
        stays = is_first & (equation.excess(np.where(is_first, first, 0.0)) <= 0.0)
        at_bound = np.where(stays, first, at_bound)
        stays = is_last & (equation.excess(np.where(is_last, last, 0.0)) >= 0.0)
        at_bound = np.where(stays, last, at_bound)
        low, high = np.maximum(low, first), np.minimum(high, last)
    return low, high, at_bound


def _bounds(smallest: FloatArray, largest: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return -1/A for the largest A from below, and for the smallest from above; infinite where these are 0."""
    low = np.where(largest > 0.0, -1.0 / np.where(largest > 0.0, largest, 1.0), -np.inf)
    high = np.where(smallest < 0.0, -1.0 / np.where(smallest < 0.0, smallest, 1.0), np.inf)
    return low, high
