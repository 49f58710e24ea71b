"""Cholesky factors and solves, on both sides of the size from which SciPy makes them."""

from __future__ import annotations

import numpy as np
import pytest

from pocket_combine.inference.definite import cholesky, half_solved, inverse, solved
from pocket_combine.templates import FloatArray

SIZES = [1, 7, 199, 200]


def matrix_of(size: int) -> FloatArray:
    """A positive definite matrix with eigenvalues from 1 to 100, and a diagonal that is not in order."""
    random = np.random.default_rng(size)
    vectors = np.linalg.qr(random.normal(size=(size, size)))[0]
    result: FloatArray = (vectors * np.geomspace(1.0, 100.0, size)) @ vectors.T
    return result


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("columns", [(), (3,)])
def test_solutions_solve(size: int, columns: tuple[int, ...]) -> None:
    matrix = matrix_of(size)
    right = np.random.default_rng(1).normal(size=(size, *columns))
    factor = cholesky(matrix)
    assert factor is not None

    assert (np.triu(factor, 1) == 0.0).all()
    np.testing.assert_allclose(factor @ factor.T, matrix, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(factor @ half_solved(factor, right), right, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(matrix @ solved(factor, right), right, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("size", SIZES)
def test_an_inverse_is_one_and_symmetric_to_the_last_digit(size: int) -> None:
    matrix = matrix_of(size)
    found = inverse(matrix)
    assert found is not None

    assert (found == found.T).all()
    np.testing.assert_allclose(matrix @ found, np.eye(size), rtol=1e-11, atol=1e-11)


def test_a_steep_triangle_is_solved_digit_by_digit() -> None:
    """Substitution keeps the small components, which pivoting by the largest element would lose."""
    factor = np.array([[1e-8, 0.0, 0.0], [1.0, 1e-8, 0.0], [1e8, 1.0, 1.0]])

    assert half_solved(factor, np.array([1e-8, 1.0, 1e8])).tolist() == [1.0, 0.0, 0.0]


@pytest.mark.parametrize("size", SIZES)
def test_other_matrices_have_no_factor(size: int) -> None:
    indefinite, unknown = matrix_of(size), matrix_of(size)
    indefinite[-1, -1] = -1.0
    unknown[0, 0] = np.nan

    assert cholesky(indefinite) is None
    assert cholesky(unknown) is None
    assert inverse(indefinite) is None


def test_an_empty_matrix_has_an_empty_factor() -> None:
    factor = cholesky(np.zeros((0, 0)))

    assert factor is not None
    assert factor.shape == (0, 0)
