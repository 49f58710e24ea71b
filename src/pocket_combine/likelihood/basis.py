"""The functions of single parameters that morphs are linear in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pocket_combine.likelihood.effects import rounded_abs
from pocket_combine.templates import FloatArray, IntArray

__all__ = ["Basis", "BasisValues"]


@dataclass(frozen=True)
class BasisValues:
    """The basis at some points.

    Attributes:
        value: `value[function, point]`.
        first: `first[function, point]`, derivatives in each function's own parameter.
        second: `second[function, point]`.
    """

    value: FloatArray
    first: FloatArray
    second: FloatArray


class Basis:
    """The functions of one parameter each that morphs are linear in: all θ, the |θ|_w, and one zero.

    Args:
        size: Number of parameters.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._rounded: dict[tuple[int, float], int] = {}

    def rounded(self, parameter: int, width: float) -> int:
        """Return which of the |θ|_w a parameter and width are, counted from 0; a new one is added."""
        return self._rounded.setdefault((parameter, width), len(self._rounded))

    @cached_property
    def _parameters(self) -> IntArray:
        return np.array([parameter for parameter, _ in self._rounded], dtype=np.intp)

    @cached_property
    def _widths(self) -> FloatArray:
        return np.array([width for _, width in self._rounded]).reshape(-1, 1)

    @property
    def count(self) -> int:
        """Number of |θ|_w."""
        return len(self._rounded)

    def evaluate(self, theta: FloatArray) -> BasisValues:
        """Return the basis, once it is complete, at `theta[parameter, point]`."""
        points = theta.shape[1]
        rounded = rounded_abs(theta[self._parameters], self._widths)
        zero = np.zeros((1, points))
        value = np.concatenate([theta, rounded.value, zero])
        first = np.concatenate([np.ones(theta.shape), rounded.first, zero])
        second = np.concatenate([np.zeros(theta.shape), rounded.second, zero])
        return BasisValues(value, first, second)
