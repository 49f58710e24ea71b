"""The two kinds of bin parameters: what they add to the expectation of a bin, and its derivatives.

Section 6 of `docs/explanation/likelihood.md`. `TotalBins` has one Gaussian parameter x per bin, λ = v + w x with
w² = Σ (C e)². `ProcessBins` has one parameter per process in a bin: an event count y with λ growing by C T (y/k - 1),
or a Gaussian x with λ growing by C e x.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from pocket_combine.likelihood.arrays import SparseMatrix
from pocket_combine.likelihood.bin_parameters import BinParameterTable
from pocket_combine.likelihood.layout import Layout
from pocket_combine.likelihood.profiling import ProcessTerms, solve_processes, solve_totals
from pocket_combine.templates import FloatArray, IntArray

__all__ = ["BinSums", "BoolArray", "ProcessBins", "ProcessState", "ProfilePlan", "TotalBins", "TotalState"]

BoolArray: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class ProfilePlan:
    """Which bin parameters take their best value instead of a given one.

    Attributes:
        explicit: Positions of the bin parameters with given values.
        idle: Positions of profiled parameters in masked channels, which stay at their global observable.
        total: `total[i, 0]`: whether the parameter of a whole bin is profiled.
        terms: Which parameters of single processes are profiled.
        is_term: `is_term[i, 0]`: the same for each of them.
        bins: Their bins, each once.
        rows: `rows[term]`: which of these bins each term belongs to.
        starts: `starts[bin]`: the first term of each bin.
        solved: `solved[bin, 0]`: whether a bin has profiled parameters.
    """

    explicit: IntArray
    idle: IntArray
    total: BoolArray
    terms: IntArray
    is_term: BoolArray
    bins: IntArray
    rows: IntArray
    starts: IntArray
    solved: BoolArray


@dataclass
class BinSums:
    """What is known about every bin while its parameters are dealt with; all arrays are `[bin, point]`.

    Attributes:
        observed: n, the data.
        expected: λ, starting as the sum over processes and completed by the bin parameters.
        slope: μ = d(term)/dλ of bins with profiled parameters.
        stiffness: Second derivative of such bins' terms in v.
    """

    observed: FloatArray
    expected: FloatArray
    slope: FloatArray
    stiffness: FloatArray


class TotalState(NamedTuple):
    """Bins with one Gaussian parameter; all arrays are `[total, point]`.

    Attributes:
        error: w.
        force: Derivative of the bin's term in w².
        row: Coefficient of (w²)' in the bin's row of derivatives.
        bend: Coefficient of (w²)' x (w²)' in the second derivative, beyond that of rows.
    """

    error: FloatArray
    force: FloatArray
    row: FloatArray
    bend: FloatArray


class ProcessState(NamedTuple):
    """Parameters of single processes in bins; all arrays are `[term, point]`.

    Attributes:
        amplitude: A, what the parameter multiplies.
        value: The parameter.
        row: Coefficient of A' in the bin's row of derivatives.
        bend: Coefficient of A' x A' in the second derivative, beyond that of rows.
        compliance: -dx/d(A μ) of profiled parameters, 0 for given ones.
    """

    amplitude: FloatArray
    value: FloatArray
    row: FloatArray
    bend: FloatArray
    compliance: FloatArray


class TotalBins:
    """Bins with one Gaussian parameter.

    Args:
        parameters: All bin parameters.
        layout: Where cells lie.
    """

    def __init__(self, parameters: BinParameterTable, layout: Layout) -> None:
        self.parameter = parameters.total_parameter
        self.bin = parameters.total_bin
        self.cell = parameters.total_cell
        self.column = layout.cell_column[self.cell]
        self.cell_row = parameters.total_cell_row
        self.cell_square = parameters.total_cell_square[:, None]
        self.squares = parameters.total_squares
        self.squares_transposed = parameters.total_squares.transposed

    def complete(
        self, sums: BinSums, yields: FloatArray, values: FloatArray, observables: FloatArray, profiled: BoolArray
    ) -> FloatArray:
        """Add the parameters to the expectation and return w.

        Args:
            sums: Changed in place.
            yields: `yields[column, point]`.
            values: `values[bin parameter, point]`; profiled ones are filled in.
            observables: `observables[bin parameter, point]`.
            profiled: Which are profiled.
        """
        squares = self.squares @ (yields * yields)
        error = np.sqrt(squares)
        base = sums.expected[self.bin]
        if not profiled.any():
            sums.expected[self.bin] = base + error * values[self.parameter]
            return error
        solution = solve_totals(base, squares, sums.observed[self.bin], observables[self.parameter])
        chosen = np.where(profiled, solution.parameter, values[self.parameter])
        values[self.parameter] = chosen
        sums.expected[self.bin] = np.where(profiled, solution.expected, base + error * chosen)
        sums.slope[self.bin] = solution.slope
        sums.stiffness[self.bin] = solution.stiffness
        return error

    def state(
        self, error: FloatArray, slope: FloatArray, values: FloatArray, observables: FloatArray, profiled: BoolArray
    ) -> TotalState:
        """Return the derivatives, given μ of all bins."""
        own = slope[self.bin]
        parameter = values[self.parameter]
        inverse = np.divide(1.0, error, out=np.zeros_like(error), where=error > 0.0)
        half = 0.5 * inverse * parameter
        row = np.where(profiled, half - 0.5 * own, half)
        bend = -0.25 * own * np.where(profiled, observables[self.parameter], parameter) * inverse**3
        return TotalState(error, own * half, row, bend)


class ProcessBins:
    """Parameters of single processes in bins.

    Args:
        parameters: All bin parameters.
        layout: Where cells lie.
    """

    def __init__(self, parameters: BinParameterTable, layout: Layout) -> None:
        self.parameter = parameters.process_parameter
        self.cell = parameters.process_cell
        self.bin = parameters.process_bin
        self.column = layout.cell_column[self.cell]
        self.is_count: BoolArray = parameters.is_poisson[:, None]
        self.count = np.where(self.is_count, parameters.process_count[:, None], 1.0)
        self.error = np.where(self.is_count, 0.0, parameters.process_error[:, None])
        size, ones = self.cell.size, np.ones(self.cell.size)
        self.to_bin = SparseMatrix(self.bin, range(size), ones, (layout.bin_count + 1, size))
        self.to_column = SparseMatrix(self.column, range(size), ones, (layout.column_count, size))

    def complete(
        self,
        sums: BinSums,
        yields: FloatArray,
        cells: FloatArray,
        values: FloatArray,
        observables: FloatArray,
        plan: ProfilePlan,
    ) -> FloatArray:
        """Add the parameters to the expectation and return what each of them multiplies.

        Args:
            sums: Changed in place.
            yields: `yields[column, point]`.
            cells: `cells[cell, point]`, C T.
            values: `values[bin parameter, point]`; profiled ones are filled in.
            observables: `observables[bin parameter, point]`.
            plan: Which are profiled.
        """
        if not self.cell.size:
            return np.empty((0, sums.expected.shape[1]))
        contents = cells[self.cell]
        amplitude = np.where(self.is_count, contents / self.count, yields[self.column] * self.error)
        given = np.where(plan.is_term, 0.0, amplitude * values[self.parameter])
        sums.expected += self.to_bin @ (given - np.where(self.is_count, contents, 0.0))
        if plan.terms.size:
            terms = self._terms(amplitude, observables, plan)
            base, observed = sums.expected[plan.bins], sums.observed[plan.bins]
            slope, chosen = solve_processes(base, observed, terms)
            values[self.parameter[plan.terms]] = chosen
            expected = base + terms.sum_by_bin(terms.amplitude * chosen)
            softness = terms.sum_by_bin(terms.amplitude**2 * terms.compliance(slope, chosen))
            denominator = expected**2 + softness * observed
            # Without data the expectation may end at zero, where it stays: the slope is then between 0 and 1.
            at_zero = (observed == 0.0) & (slope != 0.0) & (slope != 1.0)
            stiffness = np.where(at_zero, 1.0, observed) / np.where(at_zero, softness, denominator)
            sums.expected[plan.bins] = np.where(at_zero, 0.0, expected)
            sums.slope[plan.bins] = slope
            sums.stiffness[plan.bins] = np.where(at_zero | (observed > 0.0), stiffness, 0.0)
        return amplitude

    def _terms(self, amplitude: FloatArray, observables: FloatArray, plan: ProfilePlan) -> ProcessTerms:
        chosen = plan.terms
        own = observables[self.parameter[chosen]]
        return ProcessTerms(plan.rows, plan.starts, self.is_count[chosen], amplitude[chosen], own)

    def state(
        self, amplitude: FloatArray, slope: FloatArray, values: FloatArray, observables: FloatArray, plan: ProfilePlan
    ) -> ProcessState:
        """Return the derivatives, given μ of all bins."""
        own = slope[self.bin]
        value = values[self.parameter]
        row, bend, compliance = value.copy(), np.zeros_like(value), np.zeros_like(value)
        if plan.terms.size:
            terms = self._terms(amplitude, observables, plan)
            at, own_value = slope[plan.bins], value[plan.terms]
            row[plan.terms] = terms.sensitivity(at, own_value)
            compliance[plan.terms] = terms.compliance(at, own_value)
            bend[plan.terms] = -(own[plan.terms] ** 2) * compliance[plan.terms]
        return ProcessState(amplitude, value, row, bend, compliance)
