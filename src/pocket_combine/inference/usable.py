"""Best fits that later steps rely on: found, or an error that says why not."""

from __future__ import annotations

from pocket_combine.errors import CardError
from pocket_combine.inference.fitter import BestFit, Fitter
from pocket_combine.templates import FloatArray

__all__ = ["usable_best"]


def usable_best(fitter: Fitter, start: FloatArray) -> BestFit:
    """Return the best fit from a starting point.

    Args:
        fitter: Fits of the likelihood.
        start: `start[parameter]`.

    Raises:
        CardError: If the best fit cannot be used, with its status and the parameters concerned.
    """
    best = fitter.best(start)
    if not best.status.usable:
        concerned = f" ({', '.join(best.concerned)})" if best.concerned else ""
        raise CardError(f"the best fit cannot be used: {best.status.value}{concerned}: {best.status.advice}")
    return best
