"""The best values of parameters that act in one bin only, given everything else.

Section 6 of `docs/explanation/likelihood.md`. With μ = 1 - n/λ, the parameters of a bin are stationary at x = g - A μ
(Gaussian, λ grows by A x) and y = g / (1 + A μ) (event count, λ grows by A y), so that one unknown per bin remains.
With one Gaussian parameter the solution is the quadratic that Combine solves; with several parameters the equation is
monotonic in μ and solved by Newton steps inside a shrinking bracket.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pocket_combine.templates import FloatArray, IntArray

__all__ = ["ProcessTerms", "TotalSolution", "solve_processes", "solve_totals"]

_TOLERANCE = 16.0 * float(np.finfo(np.float64).eps)
_MOST_STEPS = 200


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
        """Return the best values of the parameters, given μ of each bin."""
        product = self.amplitude * slope[self.row]
        counts = self.observable / np.where(self.is_count, 1.0 + product, 1.0)
        return np.where(self.is_count, counts, self.observable - product)

    def sensitivity(self, slope: FloatArray) -> FloatArray:
        """Return d(A x)/dA at fixed μ, term by term; -d(A x)/dμ is A² times `stiffness`."""
        product = self.amplitude * slope[self.row]
        counts = self.observable / np.where(self.is_count, 1.0 + product, 1.0) ** 2
        return np.where(self.is_count, counts, self.observable - 2.0 * product)

    def compliance(self, slope: FloatArray) -> FloatArray:
        """Return -d(x)/d(A μ), term by term: the inverse second derivative of the constraint."""
        product = self.amplitude * slope[self.row]
        counts = self.observable / np.where(self.is_count, 1.0 + product, 1.0) ** 2
        return np.where(self.is_count, counts, 1.0)

    def sum_by_bin(self, terms: FloatArray) -> FloatArray:
        """Return `result[bin, point]`, sums over the terms of each bin."""
        result: FloatArray = np.add.reduceat(terms, self.starts, axis=0)
        return result


def solve_processes(base: FloatArray, observed: FloatArray, terms: ProcessTerms) -> FloatArray:
    """Return `slope[bin, point]`: μ of each bin with all its parameters at their best values.

    Args:
        base: `base[bin, point]`, what the bin expects without the terms.
        observed: `observed[bin, point]`.
        terms: The parameters.
    """
    counted = terms.is_count * terms.amplitude
    largest = np.maximum.reduceat(counted, terms.starts, axis=0)
    # All counts are positive for μ > -1 / (largest A).
    low = np.where(largest > 0.0, -1.0 / np.where(largest > 0.0, largest, 1.0), -np.inf)
    high = np.ones_like(base)
    with_data = observed > 0.0

    def excess(slope: FloatArray) -> tuple[FloatArray, FloatArray]:
        """λ(μ) - n / (1 - μ), which falls with μ, and its derivative."""
        contribution = terms.sum_by_bin(terms.amplitude * terms.parameters(slope))
        softness = terms.sum_by_bin(terms.amplitude**2 * terms.compliance(slope))
        left = np.where(with_data, 1.0 - slope, 1.0)
        data = observed / left
        return base + contribution - data, -softness - data / left

    # Without data μ is 1 unless the expectation would be negative, and it is not below 0.
    at_one = ~with_data & (excess(np.where(with_data, 0.0, 1.0))[0] >= 0.0)
    slope = np.zeros_like(base)
    nothing = (observed == 0.0) & (excess(slope)[0] <= 0.0)
    done = at_one | nothing
    for _ in range(_MOST_STEPS):
        value, derivative = excess(slope)
        low = np.where(value > 0.0, np.maximum(low, slope), low)
        high = np.where(value < 0.0, np.minimum(high, slope), high)
        new = slope - value / derivative
        middle = np.where(np.isfinite(low), 0.5 * (low + high), np.minimum(2.0 * high, 0.0) - 1.0)
        new = np.where((new > low) & (new < high), new, middle)
        finished = done | (value == 0.0) | (np.abs(new - slope) <= _TOLERANCE * np.maximum(1.0, np.abs(new)))
        slope = np.where(done, slope, new)
        if finished.all():
            break
    return np.where(at_one, 1.0, np.where(nothing, 0.0, slope))
