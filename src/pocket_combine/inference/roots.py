"""Roots of functions of one variable.

`scipy.optimize` has them too, but its import takes longer than the fit of a small card.
"""

from __future__ import annotations

import math
from collections.abc import Callable

__all__ = ["bracketed_root"]

_MOST_STEPS = 200


def bracketed_root(
    function: Callable[[float], float],
    ends: tuple[float, float],
    values: tuple[float, float],
    tolerance: float,
    *,
    negligible: float = 0.0,
) -> float:
    """Return where a continuous function is 0 between two points at which its signs differ.

    Inverse quadratic interpolation where three points allow it, else the secant at first and bisection later (T. R.
    Chandrupatla, Adv. Eng. Softw. 28 (1997) 145).

    Args:
        function: The function.
        ends: The two points.
        values: The function there.
        tolerance: Distance to the root that is none.
        negligible: Absolute value of the function that is 0.

    Returns:
        The root; not a number if the signs do not differ or the function is not a number on the way.

    Examples:
        >>> round(bracketed_root(lambda x: x**3 - 2.0, (0.0, 2.0), (-2.0, 6.0), 1e-12), 9)
        1.25992105
    """
    (a, b), (at_a, at_b) = ends, values
    if at_a == 0.0 or at_b == 0.0:
        return a if at_a == 0.0 else b
    if not at_a * at_b < 0.0:
        return math.nan
    fraction = at_a / (at_a - at_b)
    for _ in range(_MOST_STEPS):
        x = a + fraction * (b - a)
        at_x = function(x)
        if math.isnan(at_x) or abs(at_x) <= negligible:
            return x if at_x == at_x else math.nan
        if (at_x > 0.0) == (at_a > 0.0):
            c, at_c = a, at_a
        else:
            c, at_c, b, at_b = b, at_b, a, at_a
        a, at_a = x, at_x
        edge = tolerance / abs(b - a)
        if edge > 0.5:
            break
        fraction = min(max(_fraction((a, b, c), (at_a, at_b, at_c)), edge), 1.0 - edge)
    return a if abs(at_a) < abs(at_b) else b


def _fraction(points: tuple[float, float, float], values: tuple[float, float, float]) -> float:
    """Return how far from the first point to the second one the root is guessed; the third lies beyond the first."""
    (a, b, c), (at_a, at_b, at_c) = points, values
    place, height = (a - b) / (c - b), (at_a - at_b) / (at_c - at_b)
    # Only then the interpolation runs one way from b to c.
    if not 1.0 - math.sqrt(1.0 - place) < height < math.sqrt(place):
        return 0.5
    across = at_a / (at_b - at_a) * at_c / (at_b - at_c)
    return across + (c - a) / (b - a) * at_a / (at_c - at_a) * at_b / (at_c - at_b)
