"""The Poisson terms of all bins, with the parameters that act in one bin only.

A term depends on the parameters through the yields C of columns, the templates T of cells and the bin parameters. Its
derivatives in C and T are given here as weights; the chain rule to the parameters is in
`pocket_combine.likelihood.yields` and `pocket_combine.likelihood.derivatives`. Sections 6 and 7 of
`docs/explanation/likelihood.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pocket_combine.likelihood.arrays import SparseMatrix
from pocket_combine.likelihood.bin_parameters import BinParameterTable
from pocket_combine.likelihood.bin_terms import (
    BinSums,
    BoolArray,
    ProcessBins,
    ProcessState,
    ProfilePlan,
    TotalBins,
    TotalState,
)
from pocket_combine.likelihood.derivatives import Weights
from pocket_combine.likelihood.poisson import poisson_term
from pocket_combine.likelihood.yields import YieldModel, YieldState
from pocket_combine.templates import FloatArray

__all__ = ["BinLayer", "BinRules", "BinSlopes", "BinState"]


@dataclass(frozen=True)
class BinRules:
    """What Combine's two machineries do with bins and channels.

    Attributes:
        floor: `floor[bin]`: smallest expectation of a bin, minus infinity without one; the last bin is padding.
        active: `active[bin]`: whether a bin counts; false in masked channels and for padding.
        leakage: `leakage[column]`: part of a column's yield that lies in no bin but belongs to the expectation.
        positive: `positive[column]`: whether the yields of the column's channel must not add up to less than 0.
    """

    floor: FloatArray
    active: BoolArray
    leakage: FloatArray
    positive: BoolArray


@dataclass(frozen=True)
class BinState:
    """The Poisson terms at some points.

    Attributes:
        value: `value[point]`: sum of the terms, relative to an expectation equal to the data, and of the constraint
            terms of profiled bin parameters.
        observed: `observed[bin, point]`.
        expected: `expected[bin, point]`, with bin parameters.
        slope: `slope[bin, point]`, derivative of the term in the sum over processes.
        stiffness: `stiffness[bin, point]`, its second derivative.
        free: `free[bin, point]`: 1 where the expectation moves, 0 where it is cropped.
        parameters: `parameters[bin parameter, point]`, given or solved for.
        observables: `observables[bin parameter, point]`, the global observables.
        error: `error[total, point]`: w of bins with one parameter.
        amplitude: `amplitude[term, point]`: what parameters of single processes multiply.
    """

    value: FloatArray
    observed: FloatArray
    expected: FloatArray
    slope: FloatArray
    stiffness: FloatArray
    free: FloatArray
    parameters: FloatArray
    observables: FloatArray
    error: FloatArray
    amplitude: FloatArray

    def inverse_error(self) -> FloatArray:
        """Return `result[total, point]`: 1/w, and 0 where w is."""
        return np.divide(1.0, self.error, out=np.zeros_like(self.error), where=self.error > 0.0)


class BinSlopes(NamedTuple):
    """Derivatives of the Poisson terms in what bin parameters multiply."""

    total: TotalState
    process: ProcessState


class BinLayer:
    """The Poisson terms of all bins.

    Args:
        yields: The model of expected events.
        parameters: The bin parameters.
        rules: What holds for bins and channels.
    """

    def __init__(self, yields: YieldModel, parameters: BinParameterTable, rules: BinRules) -> None:
        self.layout = yields.layout
        self.yields = yields
        self.total = TotalBins(parameters, self.layout)
        self.process = ProcessBins(parameters, self.layout)
        self.count = len(parameters.parameters)
        self._floor = rules.floor[:, None]
        self._active = rules.active[:, None]
        self._leakage = rules.leakage[:, None]
        self._leaks = bool(rules.leakage.any())
        cells, bins, columns = self.layout.cell_count, self.layout.bin_count + 1, self.layout.column_count
        self._to_bin = SparseMatrix(self.layout.cell_bin, range(cells), np.ones(cells), (bins, cells))
        chosen = np.flatnonzero(rules.positive)
        channels = self.layout.column_channel[chosen]
        height = int(self.layout.column_channel.max(initial=0)) + 1
        self._to_channel = SparseMatrix(channels, chosen, np.ones(chosen.size), (height, columns))

    def plan(self, profiled: BoolArray) -> ProfilePlan:
        """Return the plan that profiles some of the bin parameters, `profiled[bin parameter]`."""
        bin_of = np.zeros(self.count, dtype=np.intp)
        bin_of[self.total.parameter] = self.total.bin
        bin_of[self.process.parameter] = self.process.bin
        usable = profiled & self._active[bin_of, 0]
        is_term = usable[self.process.parameter]
        terms = np.flatnonzero(is_term)
        bins, starts, rows = np.unique(self.process.bin[terms], return_index=True, return_inverse=True)
        total = usable[self.total.parameter]
        solved = np.zeros((self.layout.bin_count + 1, 1), dtype=bool)
        solved[bins] = True
        solved[self.total.bin[total]] = True
        explicit, idle = np.flatnonzero(~profiled), np.flatnonzero(profiled & ~usable)
        return ProfilePlan(explicit, idle, total[:, None], terms, is_term[:, None], bins, rows, starts, solved)

    def evaluate(
        self, state: YieldState, observed: FloatArray, given: FloatArray, observables: FloatArray, plan: ProfilePlan
    ) -> BinState:
        """Return the Poisson terms.

        Args:
            state: Expected events of cells.
            observed: `observed[bin, point]`, the data, one more bin than the model has.
            given: `given[bin parameter, point]`; the values of profiled ones are not used.
            observables: `observables[bin parameter, point]`, the global observables.
            plan: Which bin parameters are profiled.
        """
        yields = state.columns.yields
        cells = yields.take(self.layout.cell_column, axis=0) * state.templates
        expected = self._to_bin @ cells
        values = np.array(np.broadcast_to(given, (self.count, state.points)))
        observables = np.broadcast_to(observables, values.shape)
        values[plan.idle] = observables[plan.idle]
        sums = BinSums(
            np.broadcast_to(observed, expected.shape),
            expected,
            *(np.zeros_like(expected) for _ in range(2)),
        )
        amplitude = self.process.complete(sums, yields, cells, values, observables, plan)
        error = self.total.complete(sums, yields, values, observables, plan.total)
        free = self._finish(sums, plan)
        value = self._poisson(sums, yields) + self._profiled_constraints(values, observables, plan)
        return BinState(
            np.where(np.isfinite(value), value, np.inf),
            sums.observed,
            sums.expected,
            sums.slope,
            sums.stiffness,
            free,
            values,
            observables,
            error,
            amplitude,
        )

    def _finish(self, sums: BinSums, plan: ProfilePlan) -> FloatArray:
        """Crop the expectation, complete μ where no parameter is profiled, and return where the expectation moves."""
        low = sums.expected < self._floor
        sums.expected = np.where(low, self._floor, sums.expected)
        with_data = sums.observed > 0.0
        ratio = np.where(with_data, sums.observed / np.where(with_data, sums.expected, 1.0), 0.0)
        stiffness = np.where(with_data, ratio / np.where(with_data, sums.expected, 1.0), 0.0)
        sums.slope = np.where(plan.solved, sums.slope, np.where(low, 0.0, 1.0 - ratio)) * self._active
        sums.stiffness = np.where(plan.solved, sums.stiffness, np.where(low, 0.0, stiffness)) * self._active
        return np.where(low & ~plan.solved, 0.0, 1.0)

    def _poisson(self, sums: BinSums, yields: FloatArray) -> FloatArray:
        """Sum of the Poisson terms; infinite where Combine reports an error."""
        impossible = (sums.observed > 0.0) & (sums.expected <= 0.0)
        terms = np.where(impossible, np.inf, poisson_term(sums.expected, sums.observed))
        value: FloatArray = np.where(self._active, terms, 0.0).sum(axis=0)
        if self._leaks:
            value = value + (self._leakage * yields).sum(axis=0)
        if (yields < 0.0).any():
            value = np.where((self._to_channel @ yields < 0.0).any(axis=0), np.inf, value)
        return value

    def _profiled_constraints(self, values: FloatArray, observables: FloatArray, plan: ProfilePlan) -> FloatArray:
        shift = (values - observables)[self.total.parameter]
        result: FloatArray = 0.5 * np.where(plan.total, shift * shift, 0.0).sum(axis=0)
        if plan.terms.size:
            own = self.process.parameter[plan.terms]
            shift, observable = (values - observables)[own], observables[own]
            terms = np.where(
                self.process.is_count[plan.terms], poisson_term(values[own], observable), 0.5 * shift * shift
            )
            result = result + terms.sum(axis=0)
        return result

    # ------------------------------------------------------------------ derivatives

    def slopes(self, bins: BinState, plan: ProfilePlan) -> BinSlopes:
        """Return the derivatives in what bin parameters multiply."""
        return BinSlopes(
            self.total.state(bins.error, bins.slope, bins.parameters, bins.observables, plan.total),
            self.process.state(bins.amplitude, bins.slope, bins.parameters, bins.observables, plan),
        )

    def first_weights(
        self, state: YieldState, bins: BinState, slopes: BinSlopes
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the derivatives of the sum of terms: in T (divided by C), in C, and twice that in w² by column."""
        process, total = self.process, self.total
        templates = bins.slope.take(self.layout.cell_bin, axis=0)
        templates[process.cell] *= np.where(process.is_count, slopes.process.value / process.count, 1.0)
        squares = 2.0 * (total.squares_transposed @ slopes.total.force)
        yields = self.yields.sum_by_column(templates * state.templates) + state.columns.yields * squares + self._leakage
        yields += process.to_column @ (bins.slope[process.bin] * process.error * slopes.process.value)
        return templates, yields, squares

    def weights(self, state: YieldState, bins: BinState, slopes: BinSlopes) -> Weights:
        """Return what second derivatives and the rows of bins need."""
        templates, yields, squares = self.first_weights(state, bins, slopes)
        rows = self._row_weights(state, slopes.process.row, slopes.total.row)
        return Weights(templates, yields, squares if self.total.bin.size else None, *rows)

    def expected_weights(self, state: YieldState, bins: BinState) -> tuple[FloatArray, FloatArray]:
        """Return coefficients of C' and C T' in the derivative of the expectation with bin parameters held fixed."""
        values = bins.parameters[self.process.parameter]
        return self._row_weights(state, values, 0.5 * bins.inverse_error() * bins.parameters[self.total.parameter])

    def share_weights(self, state: YieldState, bins: BinState) -> tuple[FloatArray, FloatArray]:
        """Return coefficients of C' and C T' in the derivative of each cell, with bin parameters and w held fixed."""
        values = bins.parameters[self.process.parameter]
        return self._row_weights(state, values, bins.inverse_error() * bins.parameters[self.total.parameter])

    def information(self, bins: BinState, plan: ProfilePlan) -> FloatArray:
        """Return `result[bin, point]`, the expected second derivative of each term if the parameters are true."""
        softness = np.zeros_like(bins.expected)
        softness[self.total.bin] = np.where(plan.total, bins.error**2, 0.0)
        # The expected curvature of an event count's constraint is 1 / y.
        compliance = np.where(self.process.is_count, bins.parameters[self.process.parameter], 1.0)
        squares = np.where(plan.is_term, bins.amplitude**2 * compliance, 0.0)
        softness += self.process.to_bin @ squares
        variance = np.maximum(bins.expected, 0.0) + softness
        counts = bins.free * self._active
        return np.divide(counts, variance, out=np.zeros_like(variance), where=variance > 0.0)

    def _row_weights(self, state: YieldState, process: FloatArray, total: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return coefficients of C' and C T' per cell, from those of amplitudes' and (w²)'."""
        own, totals = self.process, self.total
        templates = np.ones_like(state.templates)
        templates[own.cell] = np.where(own.is_count, process / own.count, 1.0)
        yields = templates * state.templates
        yields[own.cell] += own.error * process
        columns = state.columns.yields[self.layout.cell_column[totals.cell]]
        yields[totals.cell] += 2.0 * total[totals.cell_row] * columns * totals.cell_square
        return yields, templates
