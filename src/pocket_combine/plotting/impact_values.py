"""Impacts as numbers: ranked, with those that were not found kept apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pocket_combine.errors import StyleError, nearest
from pocket_combine.plotting.pull_values import Pull, matching, pull_of_impact
from pocket_combine.results import Impact, ImpactResult, Interval, Status

__all__ = ["RankedImpact", "interval_of", "ranked_impacts"]


@dataclass(frozen=True)
class RankedImpact:
    """The impact of one nuisance on one parameter of interest.

    Attributes:
        rank: Its place among all impacts of the result, from 1; `None` where neither end was found.
        parameter: Name of the nuisance.
        pull: The nuisance before and after the fit.
        low: Change of the parameter of interest with the nuisance at its lower end; not a number if that was not found.
        high: The same at its upper end.
        statuses: How the fits at both ends went.
    """

    rank: int | None
    parameter: str
    pull: Pull
    low: float
    high: float
    statuses: tuple[Status, Status]

    @property
    def size(self) -> float:
        """The larger change, which nuisances are ranked by; not a number if neither end was found."""
        return max((abs(change) for change in (self.low, self.high) if math.isfinite(change)), default=math.nan)

    @property
    def is_one_sided(self) -> bool:
        """Whether both ends change the parameter of interest in the same direction."""
        return self.low * self.high > 0.0


def interval_of(result: ImpactResult, poi: str | None = None) -> Interval:
    """Return the interval of a parameter of interest, the first one by default.

    Raises:
        StyleError: If the impacts are not on this parameter.
    """
    intervals = {interval.parameter: interval for interval in result.pois}
    if not intervals:
        raise StyleError("the impacts are on no parameter of interest")
    if poi is None:
        return result.pois[0]
    if poi not in intervals:
        raise StyleError(f"no parameter of interest {poi!r} in the impacts: {nearest(poi, intervals)}")
    return intervals[poi]


def ranked_impacts(
    result: ImpactResult, poi: str | None = None, *, parameters: Sequence[str] = ()
) -> tuple[RankedImpact, ...]:
    """Return impacts, the largest first; those of which neither end was found come last and have no rank.

    Equal impacts keep the order of the card.

    Args:
        result: The impacts.
        poi: The parameter of interest; the first one by default.
        parameters: Shell patterns of names of nuisances; all by default. Ranks count all of them.

    Raises:
        StyleError: If the impacts are not on this parameter, or a pattern matches nothing.
    """
    name = interval_of(result, poi).parameter
    changes = {impact.parameter: _changes(impact, name) for impact in result.impacts}
    sizes = {
        parameter: max((abs(change) for change in both if math.isfinite(change)), default=-1.0)
        for parameter, both in changes.items()
    }
    order = sorted(result.impacts, key=lambda impact: -sizes[impact.parameter])
    chosen = set(matching([impact.parameter for impact in order], parameters)) if parameters else set(changes)
    return tuple(
        RankedImpact(
            rank if sizes[impact.parameter] >= 0.0 else None,
            impact.parameter,
            pull_of_impact(impact),
            *changes[impact.parameter],
            impact.statuses,
        )
        for rank, impact in enumerate(order, start=1)
        if impact.parameter in chosen
    )


def _changes(impact: Impact, poi: str) -> tuple[float, float]:
    low, best, high = impact.values[poi]
    ends = zip((low, high), impact.statuses, strict=True)
    below, above = (end - best if status.usable and math.isfinite(end - best) else math.nan for end, status in ends)
    return below, above
