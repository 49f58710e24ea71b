"""Second derivatives of functions of expected events, and the derivatives of bins and cells.

For a function F of the yields C of columns and the templates T of cells, with C' = A d (A the amplitude), C'' follows
from c = (ln A)' and d, see `pocket_combine.likelihood.normalisation`; products of C' and T' are taken once per column,
with T' already summed over bins. So the Hessian is a few matrix products of size columns x parameters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pocket_combine.likelihood.arrays import Scatter
from pocket_combine.likelihood.channel_blocks import ChannelBlocks
from pocket_combine.likelihood.morphing import MorphGroup
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
    """Derivatives of templates as entries of a matrix[column, parameter].

    Attributes:
        pulled: `pulled[entry, point]`, derivatives of the weighted sum over cells.
        ratio: `ratio[entry, point]`, derivatives of the logarithm of what normalising multiplies with; `None` is zero.
        scaled: `scaled[cell, point]`, the contents that normalising multiplies.
    """

    pulled: FloatArray
    ratio: FloatArray | None
    scaled: FloatArray


class YieldDerivatives:
    """Second derivatives and rows of a model of expected events.

    Args:
        model: The model.
    """

    def __init__(self, model: YieldModel) -> None:
        self.model = model
        self.size = model.parameter_count
        positions = [_matrix_positions(group, self.size) for _, group in model.moving()]
        self._entries = Scatter(np.concatenate([np.empty(0, dtype=np.intp), *positions]))
        self._blocks: dict[int, list[ChannelBlocks]] = {}

    def curvature(self, state: YieldState, weights: Weights) -> Curvature:
        """Return gradient and Hessian of F, and the rows of all bins."""
        points = state.points
        sums = _Sums(
            self.model.normalisation.gradient(state.columns, weights.yields),
            np.zeros((points, self.size, self.size)),
            np.zeros((points, self.size, self.size)),
            self._no_rows(state),
        )
        pulls = [self._add_group(number, state, weights, sums) for number, _ in self.model.moving()]
        moves = _Moves(self._join(pulls), *self._ratio(state)) if pulls else None
        for blocks in self._chunks(points):
            self._add_columns(blocks, moves, state, weights, sums)
        hessian = sums.hessian
        hessian += sums.half
        hessian += sums.half.transpose(0, 2, 1)
        self.model.normalisation.add_curvature(state.columns, weights.yields, hessian)
        return Curvature(sums.gradient, hessian, sums.rows)

    def rows(self, state: YieldState, row_yields: FloatArray, row_templates: FloatArray) -> FloatArray:
        """Return only the rows of all bins: `rows[point, parameter, bin]`; the last bin is padding."""
        rows = self._no_rows(state)
        for number, _ in self.model.moving():
            self._add_template_rows(number, state, row_templates, rows)
        ratio, scaled = self._ratio(state)
        per_yield = self._cells(row_yields, state.columns.amplitude)
        per_ratio = None if ratio is None else self._cells(row_templates * scaled, state.columns.yields)
        for blocks in self._chunks(state.points):
            _, d = self.model.normalisation.log_derivatives(state.columns, blocks.columns)
            blocks.add(per_yield, d, rows)
            if ratio is not None and per_ratio is not None:
                blocks.add(per_ratio, self._dense(ratio, blocks.columns), rows)
        return rows

    def yield_rows(self, state: YieldState, cells: FloatArray) -> FloatArray:
        """Return `rows[point, parameter, bin]`: the sum over columns of cells[cell, point] x C'."""
        rows = self._no_rows(state)
        weighted = self._cells(cells, state.columns.amplitude)
        for blocks in self._chunks(state.points):
            _, d = self.model.normalisation.log_derivatives(state.columns, blocks.columns)
            blocks.add(weighted, d, rows)
        return rows

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
        for blocks in self._chunks(state.points):
            columns = blocks.columns
            mine = np.flatnonzero((owner >= columns.start) & (owner < columns.stop))
            if not mine.size:
                continue
            _, d = self.model.normalisation.log_derivatives(state.columns, columns)
            factor = yields[mine] * state.columns.amplitude[owner[mine]]
            result[:, mine] += d[:, owner[mine] - columns.start] * factor.T[:, :, None]
        for number, group in self.model.moving():
            own = group.group
            mine = np.flatnonzero((owner >= own.columns.start) & (owner < own.columns.stop))
            bins = (cells[mine] - own.cells.start) % own.bins
            factor = templates[mine] * state.columns.yields[owner[mine]]
            self._add_cells(number, state, mine, owner[mine] - own.columns.start, bins, factor, result)
        return result

    # ------------------------------------------------------------------ groups and columns

    def _add_group(self, number: int, state: YieldState, weights: Weights, sums: _Sums) -> FloatArray:
        """Add what the templates of a group give by themselves; return `pulled[column, morph, point]`."""
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
        return pull.morphs

    def _add_columns(
        self, blocks: ChannelBlocks, moves: _Moves | None, state: YieldState, weights: Weights, sums: _Sums
    ) -> None:
        """Add the second derivatives of C, and of C times those of T, for some columns."""
        columns = blocks.columns
        c, d = self.model.normalisation.log_derivatives(state.columns, columns)
        amplitude = state.columns.amplitude[columns]
        # With d = scale x c + scale', half of C'' is d x c/2 + scale' x c/2, and scale' has few entries.
        right = (0.5 * weights.yields[columns] * amplitude).T[:, :, None] * c
        self.model.normalisation.add_scale_products(state.columns, columns, right, sums.half)
        if weights.squares is not None:
            right += (0.5 * weights.squares[columns] * amplitude**2).T[:, :, None] * d
        if moves is not None:
            moved = self._dense(moves.pulled, columns) * amplitude.T[:, :, None]
            right += moved
            if moves.ratio is not None:
                ratio = self._dense(moves.ratio, columns)
                scale = state.columns.scale[columns].T[:, :, None]
                sums.half[:] += (ratio * scale).transpose(0, 2, 1) @ moved
                cells = self._cells(weights.row_templates * moves.scaled, state.columns.yields)
                blocks.add(cells, ratio, sums.rows)
        sums.half[:] += d.transpose(0, 2, 1) @ right
        blocks.add(self._cells(weights.row_yields, state.columns.amplitude), d, sums.rows)

    def _add_template_rows(self, number: int, state: YieldState, row_templates: FloatArray, rows: FloatArray) -> None:
        group, own = self.model.groups[number], self.model.groups[number].group
        weighted = self.model.by_group(row_templates, own) * state.columns.yields[own.columns][:, None, :]
        group.scatter_cells(state.groups[number], state.basis, weighted, rows)

    def _cells(self, cells: FloatArray, factors: FloatArray) -> FloatArray:
        """Return `result[point, cell]`: cells[cell, point] x factors[column, point] of each cell's column."""
        product: FloatArray = cells * factors.take(self.model.layout.cell_column, axis=0)
        return np.ascontiguousarray(product.T)

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

    def _chunks(self, points: int) -> list[ChannelBlocks]:
        """Return all columns, in parts that are few enough for memory."""
        count = self.model.layout.column_count
        step = min(count, max(1, _CHUNK // max(1, self.size * points)))
        if step not in self._blocks:
            parts = [slice(start, min(start + step, count)) for start in range(0, count, step)]
            self._blocks[step] = [ChannelBlocks(self.model.layout, columns) for columns in parts]
        return self._blocks[step]

    def _join(self, morphs: list[FloatArray]) -> FloatArray:
        """Return `result[entry, point]` from `morphs[column, morph, point]` of all groups that move."""
        return self._entries(np.concatenate([item.reshape(-1, item.shape[-1]) for item in morphs]))

    def _ratio(self, state: YieldState) -> tuple[FloatArray | None, FloatArray]:
        """Return `ratio` and `scaled` as in `_Moves`."""
        scaled = np.zeros_like(state.templates)
        ratios: list[FloatArray] = []
        is_zero = True
        for number, group in self.model.moving():
            own = state.groups[number]
            ratio = group.log_ratio_derivatives(own, state.basis)
            if ratio is None:
                ratios.append(np.zeros((*group.parameter.shape, state.points)))
                continue
            is_zero = False
            ratios.append(ratio)
            scaled[group.group.cells] = group.scaled(own).reshape(-1, state.points)
        return (None if is_zero else self._join(ratios)), scaled

    def _dense(self, values: FloatArray, columns: slice) -> FloatArray:
        """Return some entries of a matrix[column, parameter] as `result[point, column, parameter]`."""
        low, high = columns.start * self.size, columns.stop * self.size
        targets = self._entries.targets
        inside = slice(*np.searchsorted(targets, [low, high]))
        result = np.zeros((values.shape[1], high - low))
        result[:, targets[inside] - low] = values[inside].T
        return result.reshape(-1, columns.stop - columns.start, self.size)


def _matrix_positions(group: MorphGroup, width: int) -> IntArray:
    """Return the position of each morph of a group in a flat matrix[column, parameter]; -1 for padding."""
    rows = (group.group.columns.start + np.arange(group.group.size))[:, None] * width
    return np.where(group.parameter >= 0, rows + group.parameter, -1).ravel()
