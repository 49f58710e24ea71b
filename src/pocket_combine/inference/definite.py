"""Cholesky factors of symmetric positive definite matrices, and what is solved with them.

Matrices of small models are left to NumPy. `scipy.linalg`, which solves triangular systems without factorising them
again, is only imported for large ones: its import takes several times as long as the fit of a small card.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pocket_combine.templates import FloatArray

__all__ = ["cholesky", "half_solved", "inverse", "rest_solved", "solved"]

_LARGE = 200
"""Number of rows from which SciPy is used: there its import is repaid by the steps of one fit."""


def cholesky(matrix: FloatArray) -> FloatArray | None:
    """Return the lower Cholesky factor L of a symmetric matrix, or `None` if it is not positive definite.

    Examples:
        >>> cholesky(np.array([[4.0, 2.0], [2.0, 5.0]]))
        array([[2., 0.],
               [1., 2.]])
        >>> cholesky(np.diag([1.0, -1.0])) is None
        True
    """
    if not matrix.size:
        return np.zeros((0, 0))
    try:
        if len(matrix) >= _LARGE:
            factor: FloatArray = _scipy().cholesky(matrix, lower=True, check_finite=False)
        else:
            factor = np.asarray(np.linalg.cholesky(matrix), dtype=np.float64)
    except (np.linalg.LinAlgError, ValueError):
        return None
    return factor if math.isfinite(float(factor[-1, -1])) else None


def half_solved(factor: FloatArray, right: FloatArray) -> FloatArray:
    """Return L⁻¹ b for a lower factor L and `right[row]` or `right[row, column]`, b.

    Examples:
        >>> half_solved(np.array([[2.0, 0.0], [1.0, 2.0]]), np.array([2.0, 5.0]))
        array([1., 2.])
    """
    if len(factor) >= _LARGE:
        result: FloatArray = _scipy().solve_triangular(factor, right, lower=True, check_finite=False)
    else:
        # In reverse order the matrix is an upper triangle, its own LU factor: the substitution is the same.
        result = np.asarray(np.linalg.solve(factor[::-1, ::-1], right[::-1])[::-1], dtype=np.float64)
    return result


def rest_solved(factor: FloatArray, half: FloatArray) -> FloatArray:
    """Return (Lᵀ)⁻¹ b for a lower factor L and `half[row]` or `half[row, column]`, b.

    Examples:
        >>> rest_solved(np.array([[2.0, 0.0], [1.0, 2.0]]), np.array([1.0, 2.0]))
        array([0., 1.])
    """
    if len(factor) >= _LARGE:
        result: FloatArray = _scipy().solve_triangular(factor, half, lower=True, trans="T", check_finite=False)
    else:
        result = np.asarray(np.linalg.solve(factor.T, half), dtype=np.float64)
    return result


def solved(factor: FloatArray, right: FloatArray) -> FloatArray:
    """Return (L Lᵀ)⁻¹ b for a lower factor L and `right[row]` or `right[row, column]`, b.

    Examples:
        >>> solved(np.array([[2.0, 0.0], [1.0, 2.0]]), np.array([2.0, 5.0]))
        array([0., 1.])
    """
    return rest_solved(factor, half_solved(factor, right))


def inverse(matrix: FloatArray) -> FloatArray | None:
    """Return the inverse of a symmetric matrix, or `None` if it is not positive definite.

    Examples:
        >>> inverse(np.diag([2.0, 4.0]))
        array([[0.5 , 0.  ],
               [0.  , 0.25]])
    """
    factor = cholesky(matrix)
    if factor is None:
        return None
    if len(factor) >= _LARGE:
        triangle: FloatArray = np.tril(_scipy().lapack.dpotri(factor, lower=1)[0])
        result: FloatArray = triangle + np.tril(triangle, -1).T
    else:
        # The product of a contiguous matrix with its own transpose is symmetric to the last digit.
        half = np.ascontiguousarray(half_solved(factor, np.eye(len(factor))))
        result = half.T @ half
    return result


def _scipy() -> Any:
    import scipy.linalg  # noqa: PLC0415  slow to import, and most cards do without

    return scipy.linalg
