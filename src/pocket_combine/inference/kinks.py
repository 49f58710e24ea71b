"""Minima at kinks, where the gradient jumps.

Combine crops bins at 1e-9, so that its likelihood has kinks, and a minimum may lie in one: no gradient vanishes there,
and Newton steps bounce off. A bundle method models the function as the largest of several parabolas with one Hessian,
each through the value and gradient of a point that was visited (C. Lemaréchal and C. Sagastizábal, Math. Program. 76
(1997) 393). The predicted reduction goes to zero at a minimum in a kink too, and tells how far it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pocket_combine.inference.definite import cholesky, half_solved, solved
from pocket_combine.templates import FloatArray

__all__ = ["Piece", "is_finite", "minimise_pieces"]

_MOST_PIECES = 16
_SUFFICIENT = 0.1
_MOST_CUTS = 4
_MOST_FAILURES = 32
"""Steps without a better point after which to give up: all pieces have been renewed twice."""

_MOST_EXCHANGES = 10 * _MOST_PIECES
_EQUAL = 1e-15
"""Difference of gradients, relative to the largest number in a quadratic problem, that is none."""


@dataclass(frozen=True, eq=False)
class Piece:
    """Value, gradient and Hessian at a point."""

    point: FloatArray
    value: float
    gradient: FloatArray
    hessian: FloatArray


def minimise_pieces(
    evaluate: Callable[[FloatArray], Piece],
    start: Piece,
    project: Callable[[FloatArray], FloatArray],
    tolerance: float,
    max_steps: int = 100,
) -> tuple[Piece, float]:
    """Return the lowest point found and its estimated distance to the minimum, in units of the function.

    Args:
        evaluate: Returns a piece at a point.
        start: Where to begin.
        project: Moves a point into the allowed region.
        tolerance: Distance at which to stop.
        max_steps: Steps after which to stop.

    Examples:
        >>> def vee(point):
        ...     side = np.sign(point[0] - 1.0) or 1.0
        ...     return Piece(point, abs(point[0] - 1.0) + 0.5 * point[0] ** 2, np.array([side + point[0]]), np.eye(1))
        >>> found, distance = minimise_pieces(vee, vee(np.array([3.0])), lambda point: point, 1e-9)
        >>> found.point.round(6), distance < 1e-9
        (array([1.]), True)
    """
    best, pieces, distance = start, [start], np.inf
    is_fresh, failures = True, 0
    for _ in range(max_steps):
        step, predicted = _step(best, pieces)
        distance = predicted
        if predicted <= tolerance:
            if is_fresh:
                break
            # Pieces from other places may not hold here: the minimum is one if those around it say so.
            pieces, is_fresh = [best], True
            continue
        trial, is_lower = _try(evaluate, project, best, step, predicted)
        if not is_finite(trial.value, trial.gradient, trial.hessian):
            break
        pieces = [*pieces[-(_MOST_PIECES - 1) :], trial]
        failures = 0 if is_lower else failures + 1
        if is_lower:
            best, is_fresh = trial, False
        elif failures > _MOST_FAILURES:
            break
        elif all(piece is not best for piece in pieces):
            pieces[0] = best
    return best, distance


def _try(
    evaluate: Callable[[FloatArray], Piece],
    project: Callable[[FloatArray], FloatArray],
    best: Piece,
    step: FloatArray,
    predicted: float,
) -> tuple[Piece, bool]:
    """Return a piece along a step, and whether it is a better point.

    A piece that is no better tells where the function rises. It cannot if its parabola lies above the function at the
    best point, as behind a concave kink: then a shorter step is taken.
    """
    for length in 0.2 ** np.arange(_MOST_CUTS):
        trial = evaluate(project(best.point + length * step))
        if is_finite(trial.value, trial.gradient, trial.hessian):
            is_lower = trial.value < best.value - _SUFFICIENT * length * predicted
            if is_lower or _offset(best, trial, best.hessian) <= 0.0:
                return trial, is_lower
    return trial, False


def _offset(best: Piece, piece: Piece, hessian: FloatArray) -> float:
    """Return how far the parabola of a piece lies above the function at the best point."""
    move = best.point - piece.point
    return piece.value + float(piece.gradient @ move) + 0.5 * float(move @ hessian @ move) - best.value


def is_finite(value: float, gradient: FloatArray, hessian: FloatArray) -> bool:
    """Return whether a function and its derivatives are numbers."""
    return bool(np.isfinite(value) and np.isfinite(gradient).all() and np.isfinite(hessian).all())


def _step(best: Piece, pieces: list[Piece]) -> tuple[FloatArray, float]:
    """Return the step to the minimum of the largest parabola, and the reduction that it predicts.

    Its dual is a quadratic problem in the weights of the parabolas, which are positive and add up to 1.
    """
    hessian = best.hessian
    factor = cholesky(hessian)
    if factor is None:
        # Enough to make the model convex; the direction matters, not its length.
        hessian = hessian + (1e-6 - float(np.linalg.eigvalsh(hessian)[0])) * np.eye(len(hessian))
        factor = cholesky(hessian)
        if factor is None:
            return np.zeros_like(best.point), 0.0
    slopes, offsets = [], []
    for piece in pieces:
        slopes.append(piece.gradient + hessian @ (best.point - piece.point))
        # Rounding, and what is left of concave kinks, lifts parabolas above the function.
        offsets.append(min(_offset(best, piece, hessian), 0.0))
    matrix = np.array(slopes)
    half = half_solved(factor, matrix.T)
    weights = _weights(half.T @ half, np.array(offsets))
    combined = half @ weights
    step = -solved(factor, matrix.T @ weights)
    predicted = 0.5 * float(combined @ combined) - float(np.array(offsets) @ weights)
    return step, max(predicted, 0.0)


def _weights(products: FloatArray, offsets: FloatArray) -> FloatArray:
    """Return the weights w ≥ 0 with sum 1 that minimise w · products · w / 2 - offsets · w.

    Weights that are not zero are moved to their minimum, or to where the first of them meets zero; when they are there,
    the one whose gradient is lowest joins them (P. Wolfe, Math. Program. 11 (1976) 128).
    """
    count = len(offsets)
    scale = max(float(np.abs(products).max()), float(np.abs(offsets).max()), 1e-300)
    # A little curvature in all directions tells pieces with equal gradients apart.
    quadratic, linear = products / scale + 1e-13 * np.eye(count), offsets / scale
    first = int(np.argmin(0.5 * np.diag(quadratic) - linear))
    weights = np.eye(count)[first]
    chosen = [first]
    for _ in range(_MOST_EXCHANGES):
        wanted = _balanced(quadratic, linear, chosen)
        if (wanted[chosen] < 0.0).any():
            falling = [at for at in chosen if wanted[at] < 0.0]
            fractions = [float(weights[at] / (weights[at] - wanted[at])) for at in falling]
            weights = weights + min(fractions) * (wanted - weights)
            leaving = falling[int(np.argmin(fractions))]
            weights[leaving] = 0.0
            chosen.remove(leaving)
            continue
        weights = wanted
        gradient = quadratic @ weights - linear
        entering = int(np.argmin(gradient))
        if entering in chosen or gradient[entering] >= float(gradient @ weights) - _EQUAL:
            break
        chosen.append(entering)
    weights = np.maximum(weights, 0.0)
    return np.asarray(weights / weights.sum())


def _balanced(quadratic: FloatArray, linear: FloatArray, chosen: list[int]) -> FloatArray:
    """Return the weights with sum 1, of any sign and zero but for some, at which the gradients of those are equal."""
    size = len(chosen)
    system = np.ones((size + 1, size + 1))
    system[:size, :size] = quadratic[np.ix_(chosen, chosen)]
    system[size, size] = 0.0
    weights = np.zeros(len(linear))
    weights[chosen] = np.linalg.solve(system, np.append(linear[chosen], 1.0))[:size]
    return weights
