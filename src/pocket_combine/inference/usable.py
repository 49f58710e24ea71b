"""Best fits that later steps rely on: found, or an error that says why not."""

from __future__ import annotations

from pocket_combine.errors import CardError
from pocket_combine.inference.fitter import BestFit, Fitter
from pocket_combine.templates import FloatArray

__all__ = ["explain", "reason", "usable_best"]


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
        raise CardError(f"the best fit cannot be used: {reason(best)}")
    return best


def explain(fitter: Fitter, best: BestFit, what: str = "the best fit") -> None:
    """Keep a note about a fit that is not unique or was not found."""
    if not best.status.usable:
        fitter.note(f"{what}: {reason(best)}")


def reason(best: BestFit) -> str:
    """Return how a fit ended, the parameters concerned, and what to do, for messages."""
    concerned = f" ({', '.join(best.concerned)})" if best.concerned else ""
    return f"{best.status.value}{concerned}: {best.status.advice}"
