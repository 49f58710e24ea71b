"""The Poisson term relative to its minimum, with full precision near it and far from it."""

from __future__ import annotations

import numpy as np

from pocket_combine.templates import FloatArray

__all__ = ["poisson_term"]


def poisson_term(expected: FloatArray, observed: FloatArray) -> FloatArray:
    """Return λ - n - n ln(λ/n), element by element; λ where n is 0.

    The logarithm is taken of 1 + (λ - n)/n where λ is close to n, so that nothing large cancels for 10⁷ events, and of
    the ratio elsewhere. The result is infinite or not a number for λ ≤ 0 with n > 0.

    Args:
        expected: λ.
        observed: n, not negative.

    Examples:
        >>> poisson_term(np.array([3.0, 1.0, 2.0]), np.array([0.0, 1.0, 1.0])).round(6).tolist()
        [3.0, 0.0, 0.306853]
    """
    counted = observed > 0.0
    count = np.where(counted, observed, 1.0)
    excess = (expected - observed) / count
    is_close = np.abs(excess) < 0.5
    logarithm = np.where(
        is_close, np.log1p(np.where(is_close, excess, 0.0)), np.log(np.where(is_close, 1.0, expected / count))
    )
    result: FloatArray = np.where(counted, observed * (excess - logarithm), expected)
    return result
