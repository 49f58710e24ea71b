"""Second derivatives of functions of expected events, and the derivatives of bins and cells.

For a function F of the yields C of columns and the templates T of cells, with C' = A d (A the amplitude), C'' follows
from c = (ln A)' and d, see `pocket_combine.likelihood.normalisation`; products of C' and T' are taken once per column,
with T' already summed over bins. So the Hessian is a few matrix products of size columns x parameters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pocket_combine.likelihood.arrays import Scatter, SparseMatrix, block_rows
from pocket_combine.likelihood.yields import YieldModel, YieldState
from pocket_combine.templates import FloatArray, IntArray

__all__ = ["Curvature", "Weights", "YieldDerivatives"]

_CHUNK = 1 << 22
"""Number of columns x parameters x points held as dense matrices at once."""


@dataclass(frozen=True)
class Weights:
    """What derivatives are asked of: a function F of yields C and templates T, and one row per bin.

    Attributes:
        templates: `templates[cell, point]`: dF/dT divided by C.
        yields: `yields[column, point]`: dF/dC.
        squares: `squares[column, point]`: coefficient of C' x C' in F'' beyond that of C''; `None` is zero.
        row_yields: `row_yields[cell, point]`: coefficient of C' in the row of the cell's bin.
        row_templates: `row_templates[cell, point]`: coefficient of C T' there.
    """

    templates: FloatArray
    yields: FloatArray
    squares: FloatArray | None
    row_yields: FloatArray
    row_templates: FloatArray


@dataclass(frozen=True)
class Curvature:
    """First and second derivatives.

    Attributes:
        gradient: `gradient[parameter, point]` of F.
        hessian: `hessian[point, parameter, parameter]` of F.
        rows: `rows[point, parameter, bin]`; the last bin is padding.
    """

    gradient: FloatArray
    hessian: FloatArray
    rows: FloatArray


@dataclass(frozen=True)
class _Sums:
    """What is added up over groups: F', the symmetric and one half of the asymmetric part of F'', and rows."""

    gradient: FloatArray
    hessian: FloatArray
    half: FloatArray
    rows: FloatArray


@dataclass(frozen=True)
class _Moves:
    """Derivatives of a group's templates as entries of a matrix[column, parameter].

    Attributes:
        pulled: `pulled[entry, point]`, derivatives of the weighted sum over cells.
        ratio: `ratio[entry, point]`, derivatives of the logarithm of what normalising multiplies with; `None` is zero.
    """

    pulled: FloatArray
    ratio: FloatArray | None


class YieldDerivatives:
    """Second derivatives and rows of a model of expected events.

    Args:
        model: The model.
    """

    def __init__(self, model: YieldModel) -> None:
        self.model = model
        self.size = model.parameter_count
        self._entries = [Scatter(_matrix_positions(group.parameter, self.size)) for group in model.groups]

    def curvature(self, state: YieldState, weights: Weights) -> Curvature:
        """Return gradient and Hessian of F, and the rows of all bins."""
        points = state.points
        sums = _Sums(
            self.model.normalisation.gradient(state.columns, weights.yields),
            np.zeros((points, self.size, self.size)),
            np.zeros((points, self.size, self.size)),
            self._no_rows(state),
        )
        for number, group in enumerate(self.model.groups):
            moves = self._add_group(number, state, weights, sums) if group.group.morphs else None
            for columns in self._chunks(group.group.columns, points):
                self._add_columns(number, columns, moves, state, weights, sums)
        hessian = sums.hessian
        hessian += sums.half
        hessian += sums.half.transpose(0, 2, 1)
        self.model.normalisation.add_curvature(state.columns, weights.yields, hessian)
        return Curvature(sums.gradient, hessian, sums.rows)

    def rows(self, state: YieldState, row_yields: FloatArray, row_templates: FloatArray) -> FloatArray:
        """Return only the rows of all bins: `rows[point, parameter, bin]`; the last bin is padding."""
        rows = self._no_rows(state)
        for number, group in enumerate(self.model.groups):
            ratio = None
            if group.group.morphs:
                self._add_template_rows(number, state, row_templates, rows)
                ratio = self._ratio(number, state)
            for columns in self._chunks(group.group.columns, state.points):
                _, d = self.model.normalisation.log_derivatives(state.columns, columns)
                self._add_rows(columns, row_yields, state.columns.amplitude, d, rows)
                if ratio is not None:
                    dense = self._dense(number, ratio, columns)
                    self._add_rows(
                        columns, self._scaled_cells(number, state, row_templates), state.columns.yields, dense, rows
                    )
        return rows

    def column_rows(self, state: YieldState, matrix: SparseMatrix, factors: FloatArray) -> FloatArray:
        """Return `result[point, row, parameter]`: matrix[row, column] x factors[column, point] x C'."""
        result = np.zeros((state.points, matrix.shape[0], self.size))
        by_column = matrix.tocsc()
        for group in self.model.groups:
            for columns in self._chunks(group.group.columns, state.points):
                _, d = self.model.normalisation.log_derivatives(state.columns, columns)
                d *= (factors[columns] * state.columns.amplitude[columns]).T[:, :, None]
                for point in range(state.points):
                    result[point] += by_column[:, columns] @ d[point]
        return result

    def cell_rows(self, state: YieldState, cells: IntArray, yields: FloatArray, templates: FloatArray) -> FloatArray:
        """Return derivatives of single cells: `result[point, cell, parameter]` of yields x C' + templates x C T'.

        Args:
            state: Expected events at the points.
            cells: Which cells.
            yields: `yields[cell, point]`, the coefficients of C'.
            templates: `templates[cell, point]`, the coefficients of C T'.
        """
        result = np.zeros((state.points, cells.size, self.size))
        owner = self.model.layout.cell_column[cells]
        for number, group in enumerate(self.model.groups):
            own = group.group
            for columns in self._chunks(own.columns, state.points):
                mine = np.flatnonzero((owner >= columns.start) & (owner < columns.stop))
                if not mine.size:
                    continue
                _, d = self.model.normalisation.log_derivatives(state.columns, columns)
                factor = yields[mine] * state.columns.amplitude[owner[mine]]
                result[:, mine] += d[:, owner[mine] - columns.start] * factor.T[:, :, None]
                if own.morphs:
                    bins = (cells[mine] - own.cells.start) % own.bins
                    factor = templates[mine] * state.columns.yields[owner[mine]]
                    self._add_cells(number, state, mine, owner[mine] - own.columns.start, bins, factor, result)
        return result

    # ------------------------------------------------------------------ one group

    def _add_group(self, number: int, state: YieldState, weights: Weights, sums: _Sums) -> _Moves:
        """Add what the templates of a group give by themselves; return what is multiplied with yields."""
        group, own = self.model.groups[number], self.model.groups[number].group
        templates, yields = state.groups[number], state.columns.yields[own.columns]
        pull = group.pull(templates, state.basis, self.model.by_group(weights.templates, own))
        self.model.add_morphs(sums.gradient, number, pull.morphs * yields[:, None, :])
        diagonal = np.zeros_like(sums.gradient)
        self.model.add_morphs(diagonal, number, group.second_of_basis(pull, state.basis) * yields[:, None, :])
        sums.hessian[:, np.arange(self.size), np.arange(self.size)] += diagonal.T
        if group.is_logarithmic:
            group.add_products(pull, state.basis, yields, sums.hessian)
        self._add_template_rows(number, state, weights.row_templates, sums.rows)
        pulled = self._entries[number](pull.morphs.reshape(-1, state.points))
        return _Moves(pulled, self._ratio(number, state))

    def _add_columns(
        self, number: int, columns: slice, moves: _Moves | None, state: YieldState, weights: Weights, sums: _Sums
    ) -> None:
        """Add the second derivatives of C, and of C times those of T, for some columns of a group."""
        c, d = self.model.normalisation.log_derivatives(state.columns, columns)
        amplitude = state.columns.amplitude[columns]
        # With d = scale x c + scale', half of C'' is d x c/2 + scale' x c/2, and scale' has few entries.
        right = (0.5 * weights.yields[columns] * amplitude).T[:, :, None] * c
        self.model.normalisation.add_scale_products(state.columns, columns, right, sums.half)
        if weights.squares is not None:
            right += (0.5 * weights.squares[columns] * amplitude**2).T[:, :, None] * d
        if moves is not None:
            moved = self._dense(number, moves.pulled, columns) * amplitude.T[:, :, None]
            right += moved
            if moves.ratio is not None:
                ratio = self._dense(number, moves.ratio, columns)
                scale = state.columns.scale[columns].T[:, :, None]
                sums.half[:] += (ratio * scale).transpose(0, 2, 1) @ moved
                cells = self._scaled_cells(number, state, weights.row_templates)
                self._add_rows(columns, cells, state.columns.yields, ratio, sums.rows)
        sums.half[:] += d.transpose(0, 2, 1) @ right
        self._add_rows(columns, weights.row_yields, state.columns.amplitude, d, sums.rows)

    def _add_template_rows(self, number: int, state: YieldState, row_templates: FloatArray, rows: FloatArray) -> None:
        group, own = self.model.groups[number], self.model.groups[number].group
        weighted = self.model.by_group(row_templates, own) * state.columns.yields[own.columns][:, None, :]
        group.scatter_cells(state.groups[number], state.basis, weighted, rows)

    def _add_rows(
        self, columns: slice, cells: FloatArray, factors: FloatArray, dense: FloatArray, rows: FloatArray
    ) -> None:
        """Add cell x factor of its column x derivative of its column to the row of each cell's bin."""
        layout = self.model.layout
        starts = layout.cell_starts[columns.start : columns.stop + 1]
        inside = slice(int(starts[0]), int(starts[-1]))
        values = cells[inside] * np.repeat(factors[columns], np.diff(starts), axis=0)
        summed = block_rows(values, layout.cell_bin[inside], starts - starts[0], rows.shape[2], dense)
        rows += summed.transpose(0, 2, 1)

    def _add_cells(
        self,
        number: int,
        state: YieldState,
        mine: IntArray,
        local: IntArray,
        bins: IntArray,
        factor: FloatArray,
        result: FloatArray,
    ) -> None:
        """Add the derivatives of the templates of some cells of a group."""
        group, templates = self.model.groups[number], state.groups[number]
        morphs = group.cell_rows(templates, state.basis, local, bins)
        ratio = group.log_ratio_derivatives(templates, state.basis)
        if ratio is not None:
            morphs = morphs + ratio[local] * group.scaled(templates)[local, bins][:, None, :]
        morphs = morphs * factor[:, None, :]
        parameter = group.parameter[local]
        for slot in range(group.group.morphs):
            used = np.flatnonzero(parameter[:, slot] >= 0)
            result[:, mine[used], parameter[used, slot]] += morphs[used, slot].T

    # ------------------------------------------------------------------ small helpers

    def _no_rows(self, state: YieldState) -> FloatArray:
        return np.zeros((state.points, self.size, self.model.layout.bin_count + 1))

    def _chunks(self, columns: slice, points: int) -> list[slice]:
        step = max(1, _CHUNK // max(1, self.size * points))
        return [slice(start, min(start + step, columns.stop)) for start in range(columns.start, columns.stop, step)]

    def _ratio(self, number: int, state: YieldState) -> FloatArray | None:
        ratio = self.model.groups[number].log_ratio_derivatives(state.groups[number], state.basis)
        return None if ratio is None else self._entries[number](ratio.reshape(-1, state.points))

    def _scaled_cells(self, number: int, state: YieldState, row_templates: FloatArray) -> FloatArray:
        """Return the weighted contents of the cells that normalising multiplies, zero outside the group."""
        result = np.zeros_like(row_templates)
        cells = self.model.groups[number].group.cells
        result[cells] = row_templates[cells] * self.model.groups[number].scaled(state.groups[number]).reshape(
            -1, state.points
        )
        return result

    def _dense(self, number: int, values: FloatArray, columns: slice) -> FloatArray:
        """Return some entries of a matrix[column, parameter] as `result[point, column, parameter]`."""
        first = self.model.groups[number].group.columns.start
        low, high = (columns.start - first) * self.size, (columns.stop - first) * self.size
        targets = self._entries[number].targets
        inside = slice(*np.searchsorted(targets, [low, high]))
        result = np.zeros((values.shape[1], high - low))
        result[:, targets[inside] - low] = values[inside].T
        return result.reshape(-1, columns.stop - columns.start, self.size)


def _matrix_positions(parameter: IntArray, width: int) -> IntArray:
    """Return the position of each morph in a flat matrix[column, parameter]; -1 for padding."""
    rows = np.arange(parameter.shape[0])[:, None] * width
    return np.where(parameter >= 0, rows + parameter, -1).ravel()
