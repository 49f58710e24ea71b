"""Array operations that several modules share: sums into targets, and sparse matrices times batches of points.

Within `pocket_combine.likelihood` the points of a batch are the last axis of value-like arrays and the first axis of
matrices that are multiplied; arrays without a batch have one point.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from scipy import sparse

from pocket_combine.templates import FloatArray, IntArray

__all__ = ["LinearMap", "Scatter", "SparseMatrix", "block_rows", "sparse_rows", "times"]

_DENSE_FILL = 0.2
"""Share of non-zero entries above which a matrix is faster dense."""

_LARGEST_DENSE = 1 << 25
"""Number of entries above which a matrix stays sparse."""

SparseMatrix: TypeAlias = Any
"""A `scipy.sparse.csr_matrix`; scipy carries no types."""


def sparse_rows(
    rows: Sequence[int] | IntArray,
    columns: Sequence[int] | IntArray,
    values: Sequence[float] | FloatArray,
    shape: tuple[int, int],
) -> SparseMatrix:
    """Return a sparse matrix in row order; repeated entries add up."""
    data = np.asarray(values, dtype=np.float64)
    result: SparseMatrix = sparse.coo_matrix((data, (np.asarray(rows), np.asarray(columns))), shape=shape).tocsr()
    return result


def times(matrix: SparseMatrix, array: FloatArray) -> FloatArray:
    """Return matrix @ array for `array[row, point]`, quickly where there is one point.

    Examples:
        >>> times(sparse_rows([0, 0], [0, 2], [1.0, 2.0], (1, 3)), np.array([[1.0], [5.0], [10.0]]))
        array([[21.]])
    """
    if array.shape[1] == 1:
        single: FloatArray = matrix @ array[:, 0]
        return single[:, None]
    result: FloatArray = matrix @ array
    return result


class LinearMap:
    """A constant matrix, kept dense or sparse, whichever is faster.

    Args:
        rows: Row of each entry.
        columns: Column of each entry.
        values: Value of each entry; those of one place add up.
        shape: Number of rows and columns.

    Examples:
        >>> matrix = LinearMap([0, 1], [1, 1], [2.0, 3.0], (2, 2))
        >>> matrix(np.array([[1.0], [10.0]])).ravel().tolist(), matrix.transposed(np.ones((2, 1))).ravel().tolist()
        ([20.0, 30.0], [0.0, 5.0])
    """

    def __init__(
        self, rows: Sequence[int], columns: Sequence[int], values: Sequence[float], shape: tuple[int, int]
    ) -> None:
        matrix = sparse_rows(rows, columns, values, shape)
        matrix.eliminate_zeros()
        size = shape[0] * shape[1]
        self._is_dense = size <= _LARGEST_DENSE and matrix.nnz >= _DENSE_FILL * size
        self._matrix = np.ascontiguousarray(matrix.toarray()) if self._is_dense else matrix
        self._transposed = self._matrix.T if self._is_dense else matrix.T.tocsr()

    def __call__(self, array: FloatArray) -> FloatArray:
        """Return matrix @ array for `array[column, point]`."""
        return times(self._matrix, array)

    def transposed(self, array: FloatArray) -> FloatArray:
        """Return transpose(matrix) @ array for `array[row, point]`."""
        return times(self._transposed, array)

    def dense(self, rows: slice) -> FloatArray:
        """Return some rows as `result[row, column]`."""
        part: Any = self._matrix[rows]
        result: FloatArray = part if self._is_dense else part.toarray()
        return result


class Scatter:
    """The sum of rows that have the same target.

    Args:
        targets: `targets[row]`, of any meaning; rows with a negative target are left out.

    Attributes:
        targets: `targets[slot]`, the distinct targets in increasing order.

    Examples:
        >>> scatter = Scatter(np.array([7, 2, 7]))
        >>> scatter.targets.tolist(), scatter(np.array([[1.0], [2.0], [3.0]])).ravel().tolist()
        ([2, 7], [2.0, 4.0])
    """

    def __init__(self, targets: IntArray) -> None:
        rows = np.flatnonzero(targets >= 0)
        self.targets, slots = np.unique(targets[rows], return_inverse=True)
        shape = (self.targets.size, targets.size)
        self._matrix = sparse_rows(slots, rows, np.ones(rows.size), shape)

    def __call__(self, array: FloatArray) -> FloatArray:
        """Return `result[slot, …]`, the sums of `array[row, …]`."""
        # Sizes are written out, because they cannot be guessed where there are no rows.
        flat = array.reshape(array.shape[0], math.prod(array.shape[1:]))
        return times(self._matrix, flat).reshape(self.targets.size, *array.shape[1:])


def block_rows(values: FloatArray, columns: IntArray, starts: IntArray, width: int, dense: FloatArray) -> FloatArray:
    """Return transpose(M) @ dense for every point, where M is sparse with the same pattern at all points.

    Args:
        values: `values[entry, point]` of M, row after row.
        columns: `columns[entry]` of M.
        starts: `starts[row + 1]`: where the entries of each row begin, and the end.
        width: Number of columns of M.
        dense: `dense[point, row, other]`.

    Returns:
        `result[point, column, other]`.
    """
    points, height, other = dense.shape
    size = columns.size
    if points == 1:
        indices, ends = columns, starts
    else:
        indices = (columns[None, :] + width * np.arange(points)[:, None]).ravel()
        ends = np.append((starts[None, :-1] + size * np.arange(points)[:, None]).ravel(), points * size)
    matrix = sparse.csr_matrix((values.T.ravel(), indices, ends), shape=(points * height, points * width))
    result: FloatArray = matrix.T @ dense.reshape(points * height, other)
    return result.reshape(points, width, other)
