"""Templates of all columns as a function of the nuisances, with derivatives, group by group.

Section 4 of `docs/explanation/likelihood.md`. Before cropping and normalising, a template (or its logarithm) is linear
in the *basis*: the parameters θ, the |θ|_w of each width w that occurs, and a zero for padding. So one matrix product
per group gives the values, and its transpose gives all derivatives of a weighted sum over cells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pocket_combine.likelihood.arrays import Scatter
from pocket_combine.likelihood.basis import Basis, BasisValues
from pocket_combine.likelihood.columns import ModelColumn
from pocket_combine.likelihood.contents import Contents
from pocket_combine.likelihood.layout import Group, Layout, MorphKind
from pocket_combine.templates import FloatArray, IntArray

__all__ = ["GroupState", "MorphGroup", "Pull"]

_CHUNK = 1 << 17
"""Number of cells x morphs that are expanded at once; a few megabytes stay in the cache."""

_BALANCED = 1e-12
"""Sums of normalised differences below this are rounding errors."""


@dataclass(frozen=True)
class GroupState:
    """Templates of a group at some points.

    Attributes:
        cells: `cells[column, bin, point]`, the template T.
        free: `free[column, bin, point]`, 1 where T moves and 0 where it is cropped; `None` if nothing is cropped.
        ratio: `ratio[column, point]`, what normalising multiplied the morphed template with.
        share: `share[column, bin, point]`, the bin's part of the morphed sum (logarithmic morphs).
    """

    cells: FloatArray
    free: FloatArray | None = None
    ratio: FloatArray | None = None
    share: FloatArray | None = None


@dataclass(frozen=True)
class Pull:
    """Derivatives of a weighted sum over the cells of each column, by chain rule through cropping and normalising.

    Attributes:
        cells: `cells[column, bin, point]`, weights on the linear combination of the basis.
        basis: `basis[column, function, point]`: derivative in each of the group's basis functions.
        morphs: `morphs[column, morph, point]`: derivative in each morph's parameter.
    """

    cells: FloatArray
    basis: FloatArray
    morphs: FloatArray


class MorphGroup:
    """The templates of one group of columns.

    Args:
        group: The group.
        layout: The layout it belongs to.
        columns: The columns of the group, in order.
        contents: Returns the contents of a column; called once per column.
        position: Position of each parameter by name.
        basis: The basis, extended by what this group needs.

    Attributes:
        parameter: `parameter[column, morph]`, position of the nuisance, -1 for padding.
        padding: `padding[column]`, what bins beyond the channel's own add to the sum that normalises.
    """

    def __init__(
        self,
        group: Group,
        layout: Layout,
        columns: Sequence[ModelColumn],
        contents: Callable[[ModelColumn], Contents],
        position: dict[str, int],
        basis: Basis,
    ) -> None:
        self.group = group
        self.is_logarithmic = group.kind is MorphKind.LOGARITHMIC
        size, morphs, bins = group.size, group.morphs, group.bins
        self._start = np.full((size, bins, 1), -np.inf if self.is_logarithmic else 0.0)
        self._floor = np.zeros((size, bins, 1))
        self._target = np.zeros((size, 1))
        self._coefficients = np.zeros((size, 2 * morphs, bins))
        self.parameter: IntArray = np.full((size, morphs), -1, dtype=np.intp)
        self._rounded: IntArray = np.full((size, morphs), -1, dtype=np.intp)
        self.padding = np.zeros(size)
        for row, item in enumerate(columns):
            self._fill(row, item, contents(item), position, basis)
        self._has_target = bool((self._target > 0).any())
        # Differences of normalised templates sum to zero: normalising has no derivative unless something is cropped.
        sums = np.abs(self._coefficients.sum(axis=2))[self._target[:, 0] > 0]
        self._is_balanced = not self.is_logarithmic and bool((sums < _BALANCED).all())
        self._constant: GroupState | None = None
        self._functions: IntArray = np.empty((size, 2 * morphs), dtype=np.intp)
        channels = layout.column_channel[group.columns]
        self._chunks = self._plan_chunks(channels, layout)

    def _fill(self, row: int, item: ModelColumn, contents: Contents, position: dict[str, int], basis: Basis) -> None:
        bins, count = contents.start.size, len(item.morphs)
        self._start[row, :bins, 0] = contents.start
        self._floor[row, :bins, 0] = contents.floor
        self._target[row] = contents.target
        self.padding[row] = contents.padding
        half = self.group.morphs
        self._coefficients[row, :count, :bins] = contents.linear
        self._coefficients[row, half : half + count, :bins] = contents.rounded
        if not self.is_logarithmic:
            # What no nuisance moves is cropped once and for all.
            still = ~(contents.linear.any(axis=0) | contents.rounded.any(axis=0))
            np.maximum(contents.start, contents.floor, out=self._start[row, :bins, 0], where=still)
        for slot, (morph, width) in enumerate(zip(item.morphs, contents.widths.tolist(), strict=True)):
            self.parameter[row, slot] = position[morph.nuisance]
            self._rounded[row, slot] = basis.rounded(position[morph.nuisance], width)

    def finish(self, size: int, rounded: int) -> None:
        """Fix the positions in the basis, once it is complete: `size` parameters, `rounded` further functions."""
        zero = size + rounded
        linear = np.where(self.parameter >= 0, self.parameter, zero)
        self._functions = np.concatenate([linear, np.where(self._rounded >= 0, size + self._rounded, zero)], axis=1)
        if self.group.kind is MorphKind.NONE:
            self._constant = self._crop_additive(self._start)

    def elements(self, order: int) -> int:
        """Return the size of the largest arrays per point: for values and gradients (order 0, 1) or Hessians (2)."""
        size, morphs, bins = self.group.size, self.group.morphs, self.group.bins
        if order < 2:
            return size * max(2 * morphs, bins)
        return max(size * bins, min(_CHUNK, size * morphs * bins), morphs * bins)

    # ------------------------------------------------------------------ values

    def evaluate(self, basis: BasisValues) -> GroupState:
        """Return the templates at the points of the basis."""
        if self._constant is not None:
            shape = (*self._start.shape[:2], basis.value.shape[1])
            return GroupState(np.broadcast_to(self._constant.cells, shape))
        combined = self._coefficients.transpose(0, 2, 1) @ basis.value.take(self._functions, axis=0)
        combined += self._start
        return self._crop_logarithmic(combined) if self.is_logarithmic else self._crop_additive(combined)

    def _crop_additive(self, combined: FloatArray) -> GroupState:
        cropped = combined < self._floor
        free = None
        if cropped.any():
            combined = np.where(cropped, self._floor, combined)
            free = (~cropped).astype(np.float64)
        if not self._has_target:
            return GroupState(combined, free)
        total = combined.sum(axis=1) + self.padding[:, None]
        scaled = (self._target > 0) & (total > 0)
        ratio = np.where(scaled, self._target / np.where(scaled, total, 1.0), 1.0)
        return GroupState(combined * ratio[:, None, :], free, ratio)

    def _crop_logarithmic(self, combined: FloatArray) -> GroupState:
        values = np.exp(combined)
        total = values.sum(axis=1, keepdims=True)
        share = values / np.where(total > 0, total, 1.0)
        cells = share * self._target[:, :, None]
        cropped = cells < self._floor
        if not cropped.any():
            return GroupState(cells, None, None, share)
        return GroupState(np.where(cropped, self._floor, cells), (~cropped).astype(np.float64), None, share)

    # ------------------------------------------------------------------ derivatives of weighted sums

    def pull(self, state: GroupState, basis: BasisValues, weights: FloatArray) -> Pull:
        """Return the derivatives of the sum over bins of weight x T, for every column.

        Args:
            state: Templates at the points.
            basis: The basis at the points.
            weights: `weights[column, bin, point]`, held fixed.
        """
        cells = self._pull_to_combination(state, weights)
        basis_weights = self._coefficients @ cells
        return Pull(cells, basis_weights, self._to_morphs(basis_weights, basis))

    def _pull_to_combination(self, state: GroupState, weights: FloatArray) -> FloatArray:
        """Return the derivatives of the sum over bins of weight x T in the linear combination of the basis."""
        if state.share is not None:
            moved: FloatArray = weights * state.cells
            if state.free is not None:
                moved = moved * state.free
            result: FloatArray = moved - moved.sum(axis=1, keepdims=True) * state.share
            return result
        if state.ratio is not None and not (self._is_balanced and state.free is None):
            mean = (weights * state.cells).sum(axis=1, keepdims=True)
            weights = np.where(self._target[:, :, None] > 0, weights - mean, weights)
        if state.ratio is not None:
            weights = weights * state.ratio[:, None, :]
        return weights if state.free is None else weights * state.free

    def _to_morphs(self, basis_weights: FloatArray, basis: BasisValues) -> FloatArray:
        half = self.group.morphs
        first = basis.first.take(self._functions[:, half:], axis=0)
        return basis_weights[:, :half] + first * basis_weights[:, half:]

    def second_of_basis(self, pull: Pull, basis: BasisValues) -> FloatArray:
        """Return `result[column, morph, point]`, the part of the second derivatives that comes from |θ|_w."""
        half = self.group.morphs
        return pull.basis[:, half:] * basis.second.take(self._functions[:, half:], axis=0)

    def log_ratio_derivatives(self, state: GroupState, basis: BasisValues) -> FloatArray | None:
        """Return `result[column, morph, point]`, derivatives of the logarithm of what normalising multiplies with.

        `None` where normalising has no derivative.
        """
        if state.share is not None:
            return -self._to_morphs(self._coefficients @ state.share, basis)
        if state.ratio is None or (self._is_balanced and state.free is None):
            return None
        moved = np.where(self._target[:, :, None] > 0, state.ratio[:, None, :], 0.0) * np.ones(state.cells.shape)
        if state.free is not None:
            moved = moved * state.free
        return -self._to_morphs(self._coefficients @ moved, basis)

    def scaled(self, state: GroupState) -> FloatArray:
        """Return `result[column, bin, point]`, the contents that normalising multiplies: those cropped later are 0."""
        if self.is_logarithmic and state.free is not None:
            return state.cells * state.free
        return state.cells

    # ------------------------------------------------------------------ derivatives of single cells

    def _cell_weights(self, state: GroupState) -> FloatArray:
        """dT/d(linear combination) at fixed normalisation, broadcast against column, bin and point."""
        result = np.ones((1, 1, 1))
        if state.share is not None:
            result = state.cells
        elif state.ratio is not None:
            result = state.ratio[:, None, :]
        return result if state.free is None else result * state.free

    def _slopes(self, columns: slice | IntArray, basis: BasisValues) -> FloatArray:
        """d(|θ|_w)/dθ of the morphs of some columns: `slopes[column, morph, point]`."""
        return basis.first.take(self._functions[columns, self.group.morphs :], axis=0)

    def scatter_cells(self, state: GroupState, basis: BasisValues, weights: FloatArray, result: FloatArray) -> None:
        """Add the derivatives of weighted sums over columns, bin by bin, at fixed normalisation.

        Args:
            state: Templates at the points.
            basis: The basis at the points.
            weights: `weights[column, bin, point]`.
            result: `result[point, parameter, bin]`, changed in place.
        """
        weights = weights * self._cell_weights(state)
        for chunk in self._chunks:
            expanded = self._expand(chunk.columns, basis)
            expanded *= weights[chunk.columns].transpose(0, 2, 1)[:, None, :, :]
            summed = chunk.scatter(expanded.reshape(-1, *expanded.shape[2:]))
            result[:, chunk.parameters[:, None], chunk.bins] += summed.transpose(1, 0, 2)

    def _expand(self, columns: slice, basis: BasisValues) -> FloatArray:
        """d(linear combination)/dθ: `result[column, morph, point, bin]`."""
        half = self.group.morphs
        slopes = self._slopes(columns, basis)
        expanded = slopes[:, :, :, None] * self._coefficients[columns, half:, None, :]
        expanded += self._coefficients[columns, :half, None, :]
        return expanded

    def cell_rows(self, state: GroupState, basis: BasisValues, columns: IntArray, bins: IntArray) -> FloatArray:
        """Return `result[cell, morph, point]`: derivatives of T in given cells, at fixed normalisation."""
        half = self.group.morphs
        picked = self._coefficients[columns, :, bins]
        slopes = self._slopes(columns, basis)
        weights = np.broadcast_to(self._cell_weights(state), state.cells.shape)[columns, bins]
        rows = picked[:, :half, None] + picked[:, half:, None] * slopes
        rows *= weights[:, None, :]
        return rows

    def add_products(self, pull: Pull, basis: BasisValues, factors: FloatArray, hessian: FloatArray) -> None:
        """Add the second derivatives of logarithmic morphs that come from products of first ones.

        Args:
            pull: Weights on the logarithms of contents.
            basis: The basis at the points.
            factors: `factors[column, point]`, multiplying each column.
            hessian: `hessian[point, parameter, parameter]`, changed in place.
        """
        size = hessian.shape[-1]
        for chunk in self._chunks:
            expanded = self._expand(chunk.columns, basis).transpose(2, 0, 1, 3)
            weights = (pull.cells[chunk.columns] * factors[chunk.columns][:, None, :]).transpose(2, 0, 1)
            products = (expanded * weights[:, :, None, :]) @ expanded.transpose(0, 1, 3, 2)
            parameter = self.parameter[chunk.columns]
            targets = np.where(parameter >= 0, parameter, 0)
            flat = (targets[:, :, None] * size + targets[:, None, :]).ravel()
            for point, block in enumerate(products):
                hessian[point] += np.bincount(flat, block.ravel(), size * size).reshape(size, size)

    # ------------------------------------------------------------------ chunks

    def _plan_chunks(self, channels: IntArray, layout: Layout) -> list[_Chunk]:
        if not self.group.morphs:
            return []
        step = max(1, _CHUNK // (self.group.morphs * self.group.bins))
        return list(self._iterate_chunks(channels, layout, step))

    def _iterate_chunks(self, channels: IntArray, layout: Layout, step: int) -> Iterator[_Chunk]:
        stride = int(self.parameter.max()) + 1
        for start in range(0, self.group.size, step):
            columns = slice(start, min(start + step, self.group.size))
            targets = channels[columns, None] * stride + self.parameter[columns]
            scatter = Scatter(np.where(self.parameter[columns] >= 0, targets, -1).ravel())
            own = scatter.targets // stride
            bins = np.full((own.size, self.group.bins), layout.bin_count, dtype=np.intp)
            for row, channel in enumerate(own):
                where = layout.channel_bins[channel]
                bins[row, : where.stop - where.start] = np.arange(where.start, where.stop)
            yield _Chunk(columns, scatter, scatter.targets % stride, bins)


@dataclass(frozen=True)
class _Chunk:
    """Some columns of a group: sums over columns of one channel and parameter, and where they belong."""

    columns: slice
    scatter: Scatter
    parameters: IntArray
    bins: IntArray
