"""A second opinion on a best fit, by MINUIT.

MINUIT's MIGRAD (F. James and M. Roos, Comput. Phys. Commun. 10 (1975) 343), which Combine uses, shares nothing with
our minimiser but the likelihood and its gradient: it builds its own estimate of the Hessian from gradients, and knows
ranges as a change of variables. It starts from the same values as the fit, not from its result.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pocket_combine.errors import MissingDependencyError
from pocket_combine.inference.fitter import BestFit, Fitter
from pocket_combine.results import SecondOpinion, Status
from pocket_combine.templates import FloatArray

__all__ = ["LARGEST_NLL_DIFFERENCE", "LARGEST_SHIFT", "second_opinion"]

_TOLERANCE = 0.1
"""Combine's and MINUIT's own: MIGRAD stops at an estimated distance to the minimum of 0.002 x 0.1 x 0.5 = 1e-4."""

LARGEST_NLL_DIFFERENCE = 1e-3
"""Ten times the distance to the minimum at which MIGRAD stops."""

LARGEST_SHIFT = 0.05
"""In standard deviations: a ΔNLL of 1e-3 is √(2 x 1e-3) = 0.045 of them."""

_EXCLUDED = 1e10
"""Value of the function, above that at the start, where the model excludes a point: MIGRAD needs a number."""


def second_opinion(fitter: Fitter, start: FloatArray, best: BestFit) -> SecondOpinion:
    """Return what MINUIT finds from the same start, beside a best fit.

    Args:
        fitter: Fits of the likelihood, with the ranges that `best` was found in.
        start: `start[parameter]`; frozen parameters keep these values.
        best: The best fit.

    Returns:
        The comparison. Both agree if their likelihoods differ by at most `LARGEST_NLL_DIFFERENCE` and no parameter by
        more than `LARGEST_SHIFT` of its error, and the best fit can be used. Errors are those of the best fit, or
        MINUIT's where these are larger because a parameter ended at a bound, or where there are no others.

    Raises:
        MissingDependencyError: If iminuit is not installed.
    """
    free = best.conditional.free
    if not free.size:
        return SecondOpinion(0.0, 0.0, "", is_valid=True, distance=0.0, calls=0, agrees=best.status.usable)
    minuit = _migrad(fitter, np.where(np.isin(np.arange(start.size), free), start, best.theta), best)
    values, minimum = np.array(minuit.values), minuit.fmin
    errors = np.zeros(free.size)
    if best.covariance.size:
        errors = np.sqrt(np.maximum(np.diag(best.covariance), 0.0))
    theirs = np.array(minuit.errors)
    # Where a parameter is at a bound, the errors of the others are those with it fixed.
    errors = np.maximum(errors, theirs) if best.status is Status.AT_BOUNDARY else np.where(errors > 0.0, errors, theirs)
    shifts = np.abs(values - best.theta[free]) / np.where(errors > 0.0, errors, 1.0)
    largest = int(np.argmax(shifts))
    difference = float(minimum.fval) - best.nll
    same = abs(difference) <= LARGEST_NLL_DIFFERENCE and float(shifts[largest]) <= LARGEST_SHIFT
    return SecondOpinion(
        nll_difference=difference,
        largest_shift=float(shifts[largest]),
        parameter=fitter.parameters.names[int(free[largest])],
        is_valid=bool(minimum.is_valid),
        distance=float(minimum.edm),
        calls=int(minimum.nfcn),
        agrees=bool(same and best.status.usable),
    )


def _migrad(fitter: Fitter, start: FloatArray, best: BestFit) -> Any:
    """Return MINUIT after its minimisation of the free parameters."""
    try:
        from iminuit import Minuit  # noqa: PLC0415  an optional dependency
    except ImportError as error:
        raise MissingDependencyError(
            f"iminuit is needed for a second opinion: pip install 'pocket-combine[minuit]' ({error})"
        ) from error
    free, profiler = best.conditional.free, fitter.profiler
    lower, upper = profiler.lower.copy(), profiler.upper.copy()
    # Where the range of a parameter of interest may move, the fit has no upper end.
    upper[fitter.growing] = np.inf
    likelihood = fitter.likelihood
    first = likelihood.evaluate(np.clip(start, lower, upper))
    excluded = float(np.nan_to_num(first.value, posinf=0.0)) + _EXCLUDED

    def full(point: FloatArray) -> FloatArray:
        theta: FloatArray = start.copy()
        theta[free] = point
        return theta

    def value(point: FloatArray) -> float:
        found = float(likelihood.value(full(point)))
        return found if np.isfinite(found) else excluded

    def gradient(point: FloatArray) -> FloatArray:
        return np.nan_to_num(likelihood.gradient(full(point))[free])

    minuit = Minuit(value, np.clip(start, lower, upper)[free], grad=gradient)
    minuit.errordef = Minuit.LIKELIHOOD
    minuit.tol = _TOLERANCE
    minuit.limits = list(zip(lower[free].tolist(), upper[free].tolist(), strict=True))
    curvature = np.nan_to_num(np.diag(first.hessian)[free])
    minuit.errors = np.where(curvature > 0.0, 1.0 / np.sqrt(np.where(curvature > 0.0, curvature, 1.0)), 0.1)
    minuit.migrad()
    return minuit
