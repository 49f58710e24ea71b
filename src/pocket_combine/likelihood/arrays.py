"""Array operations that several modules share: sums into targets, and sparse matrices times batches of points.

Within `pocket_combine.likelihood` the points of a batch are the last axis of value-like arrays and the first axis of
matrices that are multiplied; arrays without a batch have one point.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pocket_combine.templates import FloatArray, IntArray

__all__ = ["LinearMap", "Scatter", "SparseMatrix"]

_DENSE_FILL = 0.2
"""Share of non-zero entries above which a matrix is faster dense."""

_LARGEST_DENSE = 1 << 25
"""Number of entries above which a matrix stays sparse."""

_LARGE_PRODUCT = 1 << 15
"""Number of multiplications above which `scipy.sparse` takes the product."""


class SparseMatrix:
    """A constant matrix that is zero nearly everywhere.

    Small products are taken here. `scipy.sparse`, which takes large ones several times as fast, is only imported for
    those: its import takes longer than the fit of a small card.

    Args:
        rows: Row of each entry.
        columns: Column of each entry.
        values: Value of each entry; those of one place add up.
        shape: Number of rows and columns.

    Examples:
        >>> matrix = SparseMatrix([0, 0], [0, 2], [1.0, 2.0], (1, 3))
        >>> matrix @ np.array([[1.0], [5.0], [10.0]])
        array([[21.]])
    """

    def __init__(
        self,
        rows: Sequence[int] | IntArray,
        columns: Sequence[int] | IntArray,
        values: Sequence[float] | FloatArray,
        shape: tuple[int, int],
    ) -> None:
        row = np.asarray(rows, dtype=np.intp)
        order = np.argsort(row, kind="stable")
        self.shape = shape
        self._rows: IntArray = row[order]
        self._columns: IntArray = np.asarray(columns, dtype=np.intp)[order]
        self._values: FloatArray = np.asarray(values, dtype=np.float64)[order]
        self._occupied, self._starts = np.unique(self._rows, return_index=True)

    @property
    def entries(self) -> int:
        """Number of entries."""
        return self._rows.size

    @property
    def transposed(self) -> SparseMatrix:
        """The matrix with rows and columns exchanged."""
        return SparseMatrix(self._columns, self._rows, self._values, self.shape[::-1])

    def __matmul__(self, array: FloatArray) -> FloatArray:
        """Return the product with `array[column, point]`."""
        # One point is quicker as a vector.
        right: FloatArray = array[:, 0] if array.shape[1] == 1 else array
        result: FloatArray = (
            self._by_scipy @ right if self.entries * array.shape[1] > _LARGE_PRODUCT else self._sums(right)
        )
        return result.reshape(self.shape[0], array.shape[1])

    def _sums(self, right: FloatArray) -> FloatArray:
        values = self._values if right.ndim == 1 else self._values[:, None]
        result = np.zeros((self.shape[0], *right.shape[1:]))
        if self.entries:
            result[self._occupied] = np.add.reduceat(values * right[self._columns], self._starts, axis=0)
        return result

    @functools.cached_property
    def _by_scipy(self) -> Any:
        from scipy import sparse  # noqa: PLC0415  slow to import, and most cards do without

        return sparse.csr_matrix((self._values, (self._rows, self._columns)), shape=self.shape)

    def dense(self, rows: slice = slice(None)) -> FloatArray:
        """Return some rows as `result[row, column]`."""
        start, stop, _ = rows.indices(self.shape[0])
        first, last = np.searchsorted(self._rows, (start, stop))
        result = np.zeros((stop - start, self.shape[1]))
        chosen = slice(int(first), int(last))
        np.add.at(result, (self._rows[chosen] - start, self._columns[chosen]), self._values[chosen])
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
        row, column = np.asarray(rows, dtype=np.intp), np.asarray(columns, dtype=np.intp)
        value = np.asarray(values, dtype=np.float64)
        kept = np.flatnonzero(value)
        sparse = SparseMatrix(row[kept], column[kept], value[kept], shape)
        size = shape[0] * shape[1]
        is_dense = size <= _LARGEST_DENSE and sparse.entries >= _DENSE_FILL * size
        self._matrix: FloatArray | SparseMatrix = sparse.dense() if is_dense else sparse
        self._transposed = self._matrix.T if isinstance(self._matrix, np.ndarray) else self._matrix.transposed

    def __call__(self, array: FloatArray) -> FloatArray:
        """Return matrix @ array for `array[column, point]`."""
        return self._matrix @ array

    def transposed(self, array: FloatArray) -> FloatArray:
        """Return transpose(matrix) @ array for `array[row, point]`."""
        return self._transposed @ array

    def dense(self, rows: slice) -> FloatArray:
        """Return some rows as `result[row, column]`."""
        return self._matrix[rows] if isinstance(self._matrix, np.ndarray) else self._matrix.dense(rows)


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
        self._matrix = SparseMatrix(slots, rows, np.ones(rows.size), shape)

    def __call__(self, array: FloatArray) -> FloatArray:
        """Return `result[slot, …]`, the sums of `array[row, …]`."""
        # Sizes are written out, because they cannot be guessed where there are no rows.
        flat = array.reshape(array.shape[0], math.prod(array.shape[1:]))
        return (self._matrix @ flat).reshape(self.targets.size, *array.shape[1:])
