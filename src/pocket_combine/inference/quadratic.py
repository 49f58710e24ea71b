"""The quadratic model of a function at a point, which Newton steps go to the minimum of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pocket_combine.inference.definite import cholesky, half_solved, rest_solved
from pocket_combine.templates import FloatArray, IntArray

__all__ = ["Quadratic", "block_of", "quadratic_model"]


@dataclass(frozen=True, eq=False)
class Quadratic:
    """A quadratic model around a point.

    Attributes:
        hessian: Its Hessian.
        distance: How far its minimum lies below the point, g · H⁻¹ · g / 2; infinite where it has none.
        step: The step to its minimum, if it has one.
    """

    hessian: FloatArray
    distance: float
    step: FloatArray | None


def quadratic_model(gradient: FloatArray, hessian: FloatArray, free: IntArray) -> Quadratic:
    """Return the model with a gradient and a Hessian, in which all parameters but the free ones keep their values.

    Examples:
        >>> model = quadratic_model(np.array([2.0, 1.0]), np.diag([4.0, 2.0]), np.array([0]))
        >>> model.distance, (model.step + 0.0).tolist()
        (0.5, [-0.5, 0.0])
        >>> quadratic_model(np.array([1.0]), np.array([[-1.0]]), np.array([0])).distance
        inf
    """
    step = np.zeros_like(gradient)
    if not free.size:
        return Quadratic(hessian, 0.0, step)
    slope = gradient[free]
    factor = cholesky(block_of(hessian, free))
    if factor is None:
        # A flat direction that the gradient does not point along is no distance.
        return Quadratic(hessian, np.inf if slope.any() else 0.0, None)
    half = half_solved(factor, slope)
    step[free] = -rest_solved(factor, half)
    return Quadratic(hessian, 0.5 * float(half @ half), step)


def block_of(matrix: FloatArray, chosen: IntArray) -> FloatArray:
    """Return the rows and columns of some parameters, without a copy if these are all."""
    return matrix if chosen.size == len(matrix) else matrix[np.ix_(chosen, chosen)]
