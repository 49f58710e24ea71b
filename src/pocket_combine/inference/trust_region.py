"""The step of a trust-region method: the minimum of a quadratic model inside a ball.

The step p solves (H + λ) p = -g with the smallest λ ≥ 0 that makes H + λ positive semidefinite and |p| ≤ radius
(J. J. Moré and D. C. Sorensen, SIAM J. Sci. Stat. Comput. 4 (1983) 553).
"""

from __future__ import annotations

import math

import numpy as np

from pocket_combine.inference.definite import cholesky, half_solved, solved
from pocket_combine.templates import FloatArray

__all__ = ["trust_region_step"]

_ITERATIONS = 100
_LENGTH_TOLERANCE = 0.01


def trust_region_step(gradient: FloatArray, hessian: FloatArray, radius: float) -> FloatArray:
    """Return the step that minimises `gradient · p + p · hessian · p / 2` with |p| ≤ radius, to 1 % of the radius.

    Examples:
        >>> trust_region_step(np.array([2.0, 1.0]), np.diag([2.0, 1.0]), 10.0)
        array([-1., -1.])
        >>> trust_region_step(np.array([0.001, 1.0]), np.diag([1.0, -1.0]), 0.5).round(2) + 0.0
        array([ 0. , -0.5])
    """
    if not gradient.size:
        return np.zeros(0)
    factor = cholesky(hessian)
    step = _indefinite(gradient, hessian, radius) if factor is None else _definite(gradient, hessian, factor, radius)
    length = float(np.linalg.norm(step))
    return step * (radius / length) if length > radius else step


def _definite(gradient: FloatArray, hessian: FloatArray, factor: FloatArray, radius: float) -> FloatArray:
    """Return the step for a positive definite Hessian.

    Newton's method on 1/|p(λ)| - 1/radius rises from λ = 0 to the solution without overshooting, because that function
    is concave there (Nocedal and Wright, Numerical Optimization, algorithm 4.3).
    """
    damping = 0.0
    diagonal = np.arange(gradient.size)
    step = np.zeros(gradient.size)
    for _ in range(_ITERATIONS):
        step = -solved(factor, gradient)
        length = float(np.linalg.norm(step))
        if length <= radius * (1 + _LENGTH_TOLERANCE):
            break
        half = half_solved(factor, step)
        damping += (length / radius - 1.0) * length**2 / float(half @ half)
        shifted = hessian.copy()
        shifted[diagonal, diagonal] += damping
        damped = cholesky(shifted)
        if damped is None:
            break
        factor = damped
    return step


def _indefinite(gradient: FloatArray, hessian: FloatArray, radius: float) -> FloatArray:
    """Return the step for a Hessian with a negative or zero eigenvalue, from its eigenvectors."""
    eigenvalues, vectors = np.linalg.eigh(hessian)
    slope = vectors.T @ gradient
    lowest = float(eigenvalues[0])
    span = max(float(np.abs(eigenvalues).max()), float(np.linalg.norm(gradient)) / radius, 1e-300)

    def coordinates(damping: float) -> FloatArray:
        return np.asarray(-slope / (eigenvalues + damping))

    low = max(-lowest, 0.0) + 1e-12 * span
    high = low + float(np.linalg.norm(gradient)) / radius + span
    step = coordinates(low)
    if np.linalg.norm(step) <= radius:
        # The hard case: the gradient hardly points along the lowest eigenvector, which leads down either way.
        along = math.sqrt(max(radius**2 - float(step[1:] @ step[1:]), 0.0))
        step[0] = math.copysign(along, step[0])
        return np.asarray(vectors @ step)
    for _ in range(_ITERATIONS):
        middle = low + 0.5 * (high - low)
        step = coordinates(middle)
        length = float(np.linalg.norm(step))
        if abs(length - radius) <= _LENGTH_TOLERANCE * radius:
            break
        low, high = (middle, high) if length > radius else (low, middle)
    return np.asarray(vectors @ step)
