"""Tails and quantiles of the standard normal distribution.

`scipy.special` has them too, but takes as long to import as a small card takes to fit.
"""

from __future__ import annotations

import math
from statistics import NormalDist

__all__ = ["normal_quantile", "normal_tail"]


def normal_tail(z: float) -> float:
    """Return the probability above z, with full relative precision for large z.

    Examples:
        >>> round(normal_tail(1.0), 6)
        0.158655
        >>> f"{normal_tail(8.0):.6e}"
        '6.220961e-16'
    """
    return 0.5 * math.erfc(z / math.sqrt(2.0))


def normal_quantile(probability: float) -> float:
    """Return the value that is exceeded with one minus the given probability, which lies between 0 and 1.

    Examples:
        >>> round(normal_quantile(0.975), 6)
        1.959964
    """
    return NormalDist().inv_cdf(probability)
