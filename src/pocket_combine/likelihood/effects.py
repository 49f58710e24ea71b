"""The one non-linear function behind log-normals and morphing, with its derivatives.

Combine interpolates between the variations with h(u) = u (3 u⁴ - 10 u² + 15) / 8 inside the quadratic region and
extends linearly outside it (`src/AsymPow.cc`, `src/CMSHistFunc.cc`). Every effect is then linear in the parameter θ and
in one more function of it, the rounded absolute value |θ|_w = θ h(θ/w) for |θ| < w and |θ| beyond:

- a log-normal with kappas kD/kU multiplies the yield by exp(a θ + b |θ|_w), with w = 1/2, a = (ln kU - ln kD) / 2 and
  b = (ln kU + ln kD) / 2;
- a morph of strength s with templates U, D adds θ s (U - D) / 2 + |θ|_w s (U + D - 2 N) / 2, with w = q / s and q the
  smallest of 1 and all strengths of the process.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pocket_combine.templates import FloatArray

__all__ = ["LOG_NORMAL_WIDTH", "LogNormal", "RoundedAbs", "log_normal", "rounded_abs"]

LOG_NORMAL_WIDTH = 0.5
"""Half-width of the region in which the two sides of an asymmetric log-normal are joined."""

NEARLY_SYMMETRIC = 1e-5
"""Combine treats a pair of kappas as symmetric if their product is within this of 1 (`python/ModelTools.py`)."""


class RoundedAbs(NamedTuple):
    """|θ|_w and its derivatives with respect to θ."""

    value: FloatArray
    first: FloatArray
    second: FloatArray


class LogNormal(NamedTuple):
    """Coefficients of θ and of |θ|_w in the logarithm of a yield ratio."""

    linear: float
    rounded: float


def rounded_abs(theta: FloatArray, width: FloatArray | float) -> RoundedAbs:
    """Return |θ|_w with its first and second derivative, which are continuous.

    Args:
        theta: Parameter values, any shape.
        width: Half-width w of the rounded region, above 0; broadcast against `theta`.

    Examples:
        >>> result = rounded_abs(np.array([-2.0, 0.0, 0.25]), 0.5)
        >>> result.value.round(6).tolist()
        [2.0, 0.0, 0.198242]
        >>> result.first.tolist()
        [-1.0, 0.0, 1.3203125]
    """
    u = np.clip(theta / width, -1.0, 1.0)
    square = u * u
    inside = (square < 1.0) * (3.75 / width)
    value = np.abs(theta) - width * np.abs(u) + width * square * (15.0 - square * (10.0 - 3.0 * square)) * 0.125
    first = u * (3.75 - square * (5.0 - 2.25 * square))
    second = inside * (1.0 - square) * (1.0 - 3.0 * square)
    return RoundedAbs(value, first, second)


def log_normal(effect: float | tuple[float, float], *, exact: bool) -> LogNormal:
    """Return the coefficients of a log-normal from its kappa, or from the pair (kappa down, kappa up).

    Args:
        effect: The cell of the card, all numbers above 0.
        exact: Whether Combine's shortcut for nearly symmetric pairs is left out.

    Examples:
        >>> log_normal((0.8, 1.25), exact=False).rounded
        0.0
        >>> round(log_normal((0.9, 1.2), exact=False).rounded, 6)
        0.038481
    """
    if not isinstance(effect, tuple):
        return LogNormal(float(np.log(effect)), 0.0)
    down, up = effect
    if not exact and abs(down * up - 1.0) < NEARLY_SYMMETRIC:
        return LogNormal(float(np.log(up)), 0.0)
    log_down, log_up = float(np.log(down)), float(np.log(up))
    return LogNormal((log_up - log_down) / 2, (log_up + log_down) / 2)
