"""How far the likelihood rises to the ends of intervals."""

from __future__ import annotations

from pocket_combine.errors import CardError
from pocket_combine.inference.normal import normal_quantile

__all__ = ["interval_level"]


def interval_level(confidence_level: float) -> float:
    """Return the ΔNLL of intervals of one parameter: half the quantile of χ² with one degree of freedom.

    Args:
        confidence_level: Such as 0.95.

    Raises:
        CardError: If it is not between 0 and 1.

    Examples:
        >>> round(interval_level(0.95), 4)
        1.9207
    """
    if not 0.0 < confidence_level < 1.0:
        raise CardError(f"the confidence level is {confidence_level:g}, expected a number between 0 and 1")
    return 0.5 * normal_quantile(0.5 - 0.5 * confidence_level) ** 2
