"""What a minimum is worth: its status, the parameters concerned, and the covariance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pocket_combine.inference.definite import inverse
from pocket_combine.inference.minimise import Minimum, Outcome
from pocket_combine.results import Status
from pocket_combine.templates import FloatArray, IntArray

__all__ = ["DOUBTFUL", "Quality", "assess", "without_effect"]

FLAT = 1e-9
"""An eigenvalue of the Hessian, in units of its diagonal, below which the likelihood does not change."""

DOUBTFUL = 1e-4
"""An eigenvalue below which a Hessian alone does not tell: what is left of the gradient at the minimum bends, so to
say, a direction that is flat."""

_NO_EFFECT = 1e-9
"""Change of the likelihood over the whole range of a parameter that is none: what minimisers stop at."""

_SHOWN = 5


@dataclass(frozen=True)
class Quality:
    """Assessment of a minimum.

    Attributes:
        status: How the fit ended.
        concerned: Names of the parameters that the status is about.
        covariance: `covariance[free, free]`, the inverse Hessian; rows of parameters at a bound are zero; empty where
            the Hessian has no inverse.
    """

    status: Status
    concerned: tuple[str, ...]
    covariance: FloatArray


def without_effect(minimum: Minimum, widths: FloatArray) -> npt.NDArray[np.bool_]:
    """Return which parameters leave the likelihood as it is over their whole range, from its first two derivatives.

    Args:
        minimum: Where the minimiser ended.
        widths: `widths[parameter]` of their ranges; parameters without a range are not judged.
    """
    width = np.where(np.isfinite(widths), widths, 0.0)
    change = np.abs(minimum.gradient) * width + 0.5 * np.abs(np.diag(minimum.hessian)) * width**2
    result: npt.NDArray[np.bool_] = np.isfinite(widths) & (change <= _NO_EFFECT)
    return result


def assess(
    minimum: Minimum,
    names: tuple[str, ...],
    widths: FloatArray | None = None,
    information: Callable[[], FloatArray] | None = None,
) -> Quality:
    """Return what a minimum is worth.

    Args:
        minimum: Where the minimiser ended.
        names: Names of its parameters.
        widths: `widths[parameter]` of their ranges, by which parameters without an effect are found.
        information: Returns the Fisher information there, which has no share of the gradient and tells in doubt.

    Examples:
        >>> from pocket_combine.inference.minimise import minimise
        >>> class Valley:
        ...     def value(self, point):
        ...         return float((point[0] + point[1]) ** 2)
        ...     def derivatives(self, point):
        ...         slope = 2 * (point[0] + point[1])
        ...         return self.value(point), np.array([slope, slope]), np.full((2, 2), 2.0)
        >>> edges = np.full(2, np.inf)
        >>> quality = assess(minimise(Valley(), np.ones(2), -edges, edges), ("a", "b"))
        >>> quality.status, quality.concerned
        (<Status.FLAT_DIRECTION: 'flat direction'>, ('a', 'b'))
    """
    none = np.zeros((0, 0))
    if minimum.outcome is Outcome.NOT_FINITE:
        return Quality(Status.NOT_FINITE, (), none)
    if widths is not None:
        idle = without_effect(minimum, widths)
        if idle.any():
            return Quality(Status.FLAT_DIRECTION, tuple(names[at] for at in np.flatnonzero(idle)[:_SHOWN]), none)
    inside: IntArray = np.flatnonzero(~minimum.at_bound)
    block = np.ix_(inside, inside)
    status, direction, inverse = _invert(
        minimum.hessian[block], None if information is None else lambda: information()[block]
    )
    if status is not Status.CONVERGED:
        return Quality(status, _leading(names, inside, direction), none)
    covariance = np.zeros((len(names), len(names)))
    covariance[np.ix_(inside, inside)] = inverse
    if minimum.outcome is not Outcome.CONVERGED:
        pull = np.abs(minimum.gradient[inside]) * np.sqrt(np.diag(inverse))
        return Quality(Status.NOT_CONVERGED, _leading(names, inside, pull), covariance)
    if minimum.at_bound.any():
        flat = _flat_beyond(minimum, information)
        if flat is not None:
            return Quality(Status.FLAT_DIRECTION, _leading(names, *flat), none)
        at_bound = tuple(names[at] for at in np.flatnonzero(minimum.at_bound))
        return Quality(Status.AT_BOUNDARY, at_bound, covariance)
    return Quality(Status.CONVERGED, (), covariance)


def _invert(hessian: FloatArray, information: Callable[[], FloatArray] | None) -> tuple[Status, FloatArray, FloatArray]:
    """Return the status of a Hessian, the direction that spoils it, and its inverse.

    Eigenvalues are those of the Hessian in units of its diagonal, so that the scale of a parameter does not matter.
    """
    size = len(hessian)
    if not size:
        return Status.CONVERGED, np.zeros(0), np.zeros((0, 0))
    diagonal = np.diag(hessian)
    if (diagonal <= 0).any():
        flat = bool((np.abs(diagonal[diagonal <= 0]) == 0).all())
        worst = (diagonal <= 0).astype(np.float64)
        return (Status.FLAT_DIRECTION if flat else Status.NOT_POSITIVE_DEFINITE), worst, np.zeros((0, 0))
    scale = 1.0 / np.sqrt(diagonal)
    scaled = scale[:, np.newaxis] * hessian * scale
    inverted = inverse(scaled)
    # No eigenvalue is smaller than 1 over the norm of the inverse. So eigenvectors, which take ten times as long, are
    # only wanted where a direction may be flat.
    if inverted is not None and float(np.linalg.norm(inverted)) * DOUBTFUL < 1.0:
        return Status.CONVERGED, np.zeros(0), scale[:, np.newaxis] * inverted * scale
    eigenvalues, vectors = np.linalg.eigh(scaled)
    if abs(eigenvalues[0]) < DOUBTFUL and information is not None:
        direction = _flat_direction(information())
        if direction is not None:
            return Status.FLAT_DIRECTION, direction, np.zeros((0, 0))
    if eigenvalues[0] < FLAT:
        status = Status.NOT_POSITIVE_DEFINITE if eigenvalues[0] < -FLAT else Status.FLAT_DIRECTION
        return status, np.abs(vectors[:, 0]), np.zeros((0, 0))
    inverted = (vectors / eigenvalues) @ vectors.T
    return Status.CONVERGED, np.zeros(0), scale[:, np.newaxis] * inverted * scale


def _flat_beyond(minimum: Minimum, information: Callable[[], FloatArray] | None) -> tuple[IntArray, FloatArray] | None:
    """Return parameters and their weights in a flat direction that ends at a bound, if there is one.

    There a parameter is at the bound without being pushed against it.
    """
    pushed = np.abs(minimum.gradient) > DOUBTFUL * np.sqrt(np.abs(np.diag(minimum.hessian)))
    if information is None or not (minimum.at_bound & ~pushed).any():
        return None
    chosen: IntArray = np.flatnonzero(~(minimum.at_bound & pushed))
    direction = _flat_direction(information()[np.ix_(chosen, chosen)])
    return None if direction is None else (chosen, direction)


def _flat_direction(information: FloatArray) -> FloatArray | None:
    """Return the direction that the data and constraints tell nothing about, if there is one."""
    diagonal = np.diag(information)
    scale = 1.0 / np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    eigenvalues, vectors = np.linalg.eigh(scale[:, np.newaxis] * information * scale)
    direction: FloatArray = np.abs(vectors[:, 0])
    return direction if eigenvalues[0] < FLAT else None


def _leading(names: tuple[str, ...], inside: IntArray, weights: FloatArray) -> tuple[str, ...]:
    """Return the parameters with the largest weights, largest first."""
    order = np.argsort(-weights, kind="stable")[:_SHOWN]
    largest = float(weights.max()) if weights.size else 0.0
    return tuple(names[int(inside[at])] for at in order if weights[at] > 0.1 * largest)
