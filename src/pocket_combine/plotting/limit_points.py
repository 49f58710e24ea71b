"""Upper limits of several points as arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pocket_combine.errors import StyleError
from pocket_combine.results import LimitResult, Quantile
from pocket_combine.templates import FloatArray

__all__ = ["QUANTILES", "LimitPoints", "quantity_of"]

QUANTILES = (0.025, 0.16, 0.5, 0.84, 0.975)
"""Of the background-only distribution: ends of the 95 % and the 68 % band around the median, as Combine takes them."""


@dataclass(frozen=True, eq=False)
class LimitPoints:
    """Upper limits on one parameter.

    Attributes:
        poi: Name of the parameter.
        confidence_level: Of the limits.
        expected: `expected[point, quantile]`, in the order of `QUANTILES`; not a number where none was found.
        observed: `observed[point]`; not a number where none was found and where the result is blind.
        unblinded: `unblinded[point]`, whether there is an observed limit.
    """

    poi: str
    confidence_level: float
    expected: FloatArray
    observed: FloatArray
    unblinded: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, limits: Sequence[LimitResult]) -> LimitPoints:
        """Return the limits of results.

        Raises:
            StyleError: If there are none, or their parameters or confidence levels differ.

        Examples:
            >>> from pocket_combine.results import Provenance
            >>> found = LimitResult(Provenance("a1", "0.1", "asimov"), "r", 0.95, None, (Quantile(0.5, 1.5),))
            >>> LimitPoints.of([found]).expected
            array([[nan, nan, 1.5, nan, nan]])
        """
        kinds = dict.fromkeys((limit.poi, limit.confidence_level) for limit in limits)
        if len(kinds) != 1:
            found = ", ".join(f"{poi} at {level:.4g} confidence level" for poi, level in kinds)
            raise StyleError(f"limits on one parameter at one level are drawn together, found {found or 'none'}")
        ((poi, level),) = kinds
        return cls(
            poi,
            level,
            np.array([[_expected(limit, quantile) for quantile in QUANTILES] for limit in limits]),
            np.array([_usable(limit.observed) for limit in limits]),
            np.array([limit.observed is not None for limit in limits]),
        )

    @property
    def incomplete(self) -> npt.NDArray[np.bool_]:
        """`incomplete[point]`, whether a limit was not found."""
        result: npt.NDArray[np.bool_] = np.isnan(self.expected).any(axis=1) | (self.unblinded & np.isnan(self.observed))
        return result

    def found(self) -> FloatArray:
        """Return all limits that were found."""
        every = np.append(self.expected.ravel(), self.observed)
        result: FloatArray = every[np.isfinite(every)]
        return result


def quantity_of(limits: Mapping[float, LimitResult]) -> str:
    """Return what points are where the results say it: the mass (`--mass`); empty otherwise.

    Examples:
        >>> from pocket_combine.results import Provenance
        >>> def limit(mass):
        ...     return LimitResult(Provenance("a1", "0.1", "asimov", {"mass": mass}), "r", 0.95, None, ())
        >>> quantity_of({300.0: limit(300.0), 400.0: limit(400.0)}), quantity_of({1.0: limit(125.0)})
        ('Mass [GeV]', '')
    """
    masses = [(point, limit.provenance.options.get("mass")) for point, limit in limits.items()]
    return "Mass [GeV]" if all(mass == point for point, mass in masses) else ""


def _expected(limit: LimitResult, quantile: float) -> float:
    for found in limit.expected:
        if found.quantile is not None and math.isclose(found.quantile, quantile, abs_tol=1e-4):
            return _usable(found)
    return math.nan


def _usable(quantile: Quantile | None) -> float:
    usable = quantile is not None and quantile.status.usable and math.isfinite(quantile.limit)
    return quantile.limit if quantile is not None and usable else math.nan
