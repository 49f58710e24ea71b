"""Expected events of columns before morphing: C = base x exp(log-normals) x scale, with derivatives.

Section 3 of `docs/explanation/likelihood.md`. All log-normals are linear in θ and in |θ|_½, so the logarithms of all
columns are two sparse matrix products.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pocket_combine.likelihood.arrays import LinearMap, Scatter, SparseMatrix
from pocket_combine.likelihood.columns import ModelColumn
from pocket_combine.likelihood.effects import LOG_NORMAL_WIDTH, RoundedAbs, rounded_abs
from pocket_combine.likelihood.scales import FormulaTable, Scales, ScaleValues, write_product
from pocket_combine.templates import FloatArray, IntArray

__all__ = ["ColumnYields", "Normalisation"]


@dataclass(frozen=True)
class ColumnYields:
    """Yields of columns at some parameter points.

    Attributes:
        amplitude: `amplitude[column, point]`, base x exp(log-normals).
        scale: `scale[column, point]`.
        yields: `yields[column, point]`, their product.
        rounded: |θ|_½ of each parameter and point, with derivatives.
        scales: Scales with derivatives.
    """

    amplitude: FloatArray
    scale: FloatArray
    yields: FloatArray
    rounded: RoundedAbs
    scales: ScaleValues


class Normalisation:
    """The yields of all columns as a function of the parameters.

    Args:
        columns: The columns, in the order of the layout.
        table: Names of parameters, constants and formulas.
    """

    def __init__(self, columns: Sequence[ModelColumn], table: FormulaTable) -> None:
        self._base = np.array([item.base for item in columns])[:, None]
        size = len(table.positions)
        rows = [row for row, item in enumerate(columns) for _ in item.log_normals]
        at = [table.positions[name] for item in columns for name, _ in item.log_normals]
        effects = [effect for item in columns for _, effect in item.log_normals]
        shape = (len(columns), size)
        self._linear = LinearMap(rows, at, [effect.linear for effect in effects], shape)
        self._rounded = LinearMap(rows, at, [effect.rounded for effect in effects], shape)
        self.scales = Scales(
            [tuple(item.factors) for item in columns],
            lambda factors, builder: write_product(factors, builder, table),
            table.positions,
        )
        self._to_scale = SparseMatrix(
            self.scales.index, range(len(columns)), np.ones(len(columns)), (self.scales.count, shape[0])
        )
        self._to_parameter = Scatter(self.scales.first_parameter)
        pairs = self.scales.second_parameters
        self._to_pair = Scatter(pairs[:, 0] * size + pairs[:, 1])
        # One entry per column and parameter of its scale.
        by_scale = np.argsort(self.scales.first_scale, kind="stable")
        bounds = np.searchsorted(self.scales.first_scale[by_scale], np.arange(self.scales.count + 1))
        entries = [by_scale[bounds[scale] : bounds[scale + 1]] for scale in self.scales.index]
        self._entry = np.concatenate([np.empty(0, np.intp), *entries])
        self._entry_starts = np.concatenate([[0], np.cumsum([item.size for item in entries])])
        self._entry_column = np.repeat(np.arange(len(columns)), np.diff(self._entry_starts))

    def evaluate(self, theta: FloatArray, order: int) -> ColumnYields:
        """Return the yields at `theta[parameter, point]`, ready for derivatives up to an order."""
        rounded = rounded_abs(theta, LOG_NORMAL_WIDTH)
        amplitude = self._base * np.exp(self._linear(theta) + self._rounded(rounded.value))
        scales = self.scales.evaluate(theta, order)
        scale = scales.value[self.scales.index]
        return ColumnYields(amplitude, scale, amplitude * scale, rounded, scales)

    def gradient(self, state: ColumnYields, weights: FloatArray) -> FloatArray:
        """Return `gradient[parameter, point]` of sum over columns of weight x yield.

        Args:
            state: Yields at the points.
            weights: `weights[column, point]`, held fixed.
        """
        weighted = weights * state.yields
        result = self._linear.transposed(weighted)
        result += state.rounded.first * self._rounded.transposed(weighted)
        per_scale = self._sum_by_scale(weights * state.amplitude)
        entries = per_scale[self.scales.first_scale] * state.scales.first
        result[self._to_parameter.targets] += self._to_parameter(entries)
        return result

    def log_derivatives(self, state: ColumnYields, columns: slice) -> tuple[FloatArray, FloatArray]:
        """Return the derivatives of some columns' yields, as matrices.

        Returns:
            `c[point, column, parameter]`, the derivative of the logarithm of the amplitude, and
            `d[point, column, parameter]` = scale x c + derivative of the scale, so that the yield's derivative is
            amplitude x d.
        """
        c = self._rounded.dense(columns) * state.rounded.first.T[:, None, :]
        c += self._linear.dense(columns)
        d = state.scale[columns].T[:, :, None] * c
        entry, at = self._entries(columns)
        d[:, at - columns.start, self.scales.first_parameter[entry]] += state.scales.first[entry].T
        return c, d

    def add_scale_products(self, state: ColumnYields, columns: slice, dense: FloatArray, result: FloatArray) -> None:
        """Add the derivatives of some columns' scales times `dense`, summed over columns.

        Args:
            state: Yields at the points.
            columns: Which columns.
            dense: `dense[point, column, other]`.
            result: `result[point, parameter, other]`, changed in place.
        """
        entry, at = self._entries(columns)
        parameters, slots = np.unique(self.scales.first_parameter[entry], return_inverse=True)
        first = np.zeros((dense.shape[0], parameters.size, dense.shape[1]))
        first[:, slots, at - columns.start] = state.scales.first[entry].T
        result[:, parameters] += first @ dense

    def _entries(self, columns: slice) -> tuple[IntArray, IntArray]:
        """Return the derivatives of scales that some columns have, and the column of each."""
        entries = slice(int(self._entry_starts[columns.start]), int(self._entry_starts[columns.stop]))
        return self._entry[entries], self._entry_column[entries]

    def add_curvature(self, state: ColumnYields, weights: FloatArray, hessian: FloatArray) -> None:
        """Add the terms that no product of first derivatives gives: second derivatives of log-normals and scales.

        Args:
            state: Yields at the points.
            weights: `weights[column, point]`.
            hessian: `hessian[point, parameter, parameter]`, changed in place.
        """
        diagonal = state.rounded.second * self._rounded.transposed(weights * state.yields)
        size = diagonal.shape[0]
        hessian[:, np.arange(size), np.arange(size)] += diagonal.T
        per_scale = self._sum_by_scale(weights * state.amplitude)
        entries = per_scale[self.scales.second_scale] * state.scales.second
        targets = self._to_pair.targets
        hessian[:, targets // size, targets % size] += self._to_pair(entries).T

    def _sum_by_scale(self, weights: FloatArray) -> FloatArray:
        return self._to_scale @ weights
