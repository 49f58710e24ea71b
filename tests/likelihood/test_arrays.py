"""Sparse matrices against dense ones, on both sides of the size from which SciPy takes the products."""

from __future__ import annotations

import numpy as np
import pytest

from pocket_combine.likelihood.arrays import LinearMap, Scatter, SparseMatrix
from pocket_combine.templates import FloatArray, IntArray


def entries_of(shape: tuple[int, int], count: int) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
    """Rows, columns and values of a matrix in which places repeat, and the dense matrix; row 0 is empty."""
    random = np.random.default_rng(count)
    rows, columns = random.integers(1, shape[0], count), random.integers(0, shape[1], count)
    values = random.normal(size=count)
    dense = np.zeros(shape)
    for row, column, value in zip(rows, columns, values, strict=True):
        dense[row, column] += value
    return rows, columns, values, dense


@pytest.mark.parametrize("points", [1, 3, 0])
@pytest.mark.parametrize("count", [0, 12, 60_000])
def test_a_sparse_matrix_multiplies_like_a_dense_one(count: int, points: int) -> None:
    shape = (40, 50)
    rows, columns, values, dense = entries_of(shape, count)
    matrix = SparseMatrix(rows, columns, values, shape)
    right = np.random.default_rng(1).normal(size=(shape[1], points))
    left = np.random.default_rng(2).normal(size=(shape[0], points))

    np.testing.assert_allclose(matrix @ right, dense @ right, rtol=1e-12, atol=1e-10)
    np.testing.assert_allclose(matrix.transposed @ left, dense.T @ left, rtol=1e-12, atol=1e-10)
    np.testing.assert_allclose(matrix.dense(slice(5, 20)), dense[5:20], rtol=1e-12, atol=1e-12)


def test_zeros_of_a_sparse_matrix_are_not_multiplied() -> None:
    """An infinite number that a row does not hold leaves that row alone."""
    matrix = SparseMatrix([0, 1], [0, 1], [2.0, 3.0], (2, 2))

    assert (matrix @ np.array([[np.inf], [1.0]])).ravel().tolist() == [np.inf, 3.0]


@pytest.mark.parametrize("count", [12, 1500])
def test_a_linear_map_is_the_same_dense_and_sparse(count: int) -> None:
    shape = (40, 50)
    rows, columns, values, dense = entries_of(shape, count)
    matrix = LinearMap(rows.tolist(), columns.tolist(), values.tolist(), shape)
    right, left = np.arange(100.0).reshape(50, 2), np.arange(80.0).reshape(40, 2)

    np.testing.assert_allclose(matrix(right), dense @ right, rtol=1e-12, atol=1e-10)
    np.testing.assert_allclose(matrix.transposed(left), dense.T @ left, rtol=1e-12, atol=1e-10)
    np.testing.assert_allclose(matrix.dense(slice(3, 9)), dense[3:9], rtol=1e-12, atol=1e-12)


def test_a_scatter_of_nothing_keeps_its_shape() -> None:
    scatter = Scatter(np.array([-1, -1]))

    assert scatter(np.ones((2, 4, 3))).shape == (0, 4, 3)
