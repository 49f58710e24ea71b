"""Impacts of nuisances, and what groups of them add to the uncertainty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pocket_combine.results.common import Interval, Result, Status

__all__ = ["Impact", "UncertaintyGroup", "ImpactResult"]


@dataclass(frozen=True)
class Impact:
    """Impact of one nuisance on the parameters of interest.

    Attributes:
        parameter: Name of the nuisance.
        kind: Kind of its constraint: `Gaussian`, `Poisson`, `Unconstrained`, ….
        groups: Groups that it belongs to.
        prefit: (low, nominal, high) before the fit.
        fit: (low, best, high) after it.
        values: For each parameter of interest its value at (low, best, high) of the nuisance.
        statuses: Status of the fits at the low and the high end.
    """

    parameter: str
    kind: str
    groups: tuple[str, ...]
    prefit: tuple[float, float, float]
    fit: tuple[float, float, float]
    values: Mapping[str, tuple[float, float, float]]
    statuses: tuple[Status, Status]

    def impact(self, poi: str) -> float:
        """Return the largest change of a parameter of interest, as Combine ranks by."""
        low, best, high = self.values[poi]
        return max(abs(low - best), abs(high - best))


@dataclass(frozen=True)
class UncertaintyGroup:
    """Part of the uncertainty of a parameter of interest that a group of nuisances brings.

    Attributes:
        group: Name of the group; `stat` for what is left with all nuisances fixed.
        low: Contribution to the lower uncertainty, positive.
        high: Contribution to the upper uncertainty, positive.
    """

    group: str
    low: float
    high: float


@dataclass(frozen=True)
class ImpactResult(Result):
    """Impacts of nuisances.

    Attributes:
        pois: Intervals of the parameters of interest.
        impacts: One per nuisance, in the order of the model.
        breakdown: Decomposition of the uncertainty of the first parameter of interest that adds in quadrature.
    """

    pois: tuple[Interval, ...]
    impacts: tuple[Impact, ...]
    breakdown: tuple[UncertaintyGroup, ...] = ()
