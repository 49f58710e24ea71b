"""Signal strengths with their uncertainties as numbers, of one fit or of several."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from pocket_combine.errors import StyleError, nearest
from pocket_combine.plotting.breakdown_values import found_sides, systematic_part
from pocket_combine.plotting.impact_values import interval_of
from pocket_combine.plotting.pull_values import failure
from pocket_combine.plotting.style import Style, literal
from pocket_combine.results import FitResult, ImpactResult, Interval, UncertaintyGroup

__all__ = ["Strength", "strengths_of"]

_TOLERANCE = 1.01
"""By how much an interval without systematic uncertainties may seem wider than the one with them."""


@dataclass(frozen=True)
class Strength:
    """A best fit with its uncertainty.

    Attributes:
        label: Name in figures.
        interval: Its interval; `None` where the fit is no result.
        stat: Part of the uncertainty that the data bring; `None` where it is not known.
        syst: The rest, so that both add up in quadrature.
        problem: Why there is no interval; empty if there is one.
        data: What was fitted, as in `Provenance`.
    """

    label: str
    interval: Interval | None
    stat: UncertaintyGroup | None = None
    syst: UncertaintyGroup | None = None
    problem: str = ""
    data: str = "observed"


def strengths_of(
    results: FitResult | ImpactResult | Mapping[str, FitResult | ImpactResult],
    *,
    poi: str | None = None,
    stat_only: Mapping[str, FitResult] | FitResult | None = None,
    style: Style = Style(),  # noqa: B008  frozen
) -> tuple[Strength, ...]:
    """Return signal strengths: all of one result, or one of each of several results.

    The uncertainty is split where the result is of impacts with a breakdown (of its first parameter of interest), or
    where there is a fit with all nuisances frozen: σ_syst² = σ² - σ_stat² on each side.

    Args:
        results: One result, whose parameters of interest are taken; or results by label.
        poi: The parameter of interest; all of one result, the first of each of several by default.
        stat_only: Fits with all nuisances frozen, by the same labels.
        style: Names of parameters.

    Raises:
        StyleError: If a result is not on the parameter, there is a label without a result, or an uncertainty from the
            data alone is larger than the total.
    """
    if isinstance(results, (FitResult, ImpactResult)):
        names = _pois(results) if poi is None else (poi,)
        alone = stat_only if isinstance(stat_only, FitResult) else None
        return tuple(_strength(style.parameter(name), results, name, alone) for name in names)
    frozen = stat_only if isinstance(stat_only, Mapping) else {}
    unknown = [f"no result for {label!r}: {nearest(label, results)}" for label in frozen if label not in results]
    if unknown or not results:
        raise StyleError("; ".join(unknown) or "there are no results")
    return tuple(
        _strength(literal(label), result, poi or _pois(result)[0], frozen.get(label))
        for label, result in results.items()
    )


def _pois(result: FitResult | ImpactResult) -> tuple[str, ...]:
    names = result.pois if isinstance(result, FitResult) else tuple(interval.parameter for interval in result.pois)
    if not names:
        raise StyleError("the result has no parameter of interest")
    return names


def _strength(label: str, result: FitResult | ImpactResult, poi: str, frozen: FitResult | None) -> Strength:
    data = result.provenance.data
    if isinstance(result, FitResult):
        problem = failure(result)
        if problem:
            return Strength(label, None, problem=problem, data=data)
        interval = _interval(result, poi)
        parts = None
    else:
        interval = interval_of(result, poi)
        first = interval.parameter == result.pois[0].parameter
        parts = systematic_part(result.breakdown) if first else None
    if frozen is not None:
        problem = failure(frozen)
        if problem:
            return Strength(label, interval, problem=f"without systematics: {problem}", data=data)
        parts = _split(label, interval, _interval(frozen, poi))
    stat, syst = (None, None) if parts is None else (found_sides(part, interval) for part in parts)
    return Strength(label, interval, stat, syst, data=data)


def _interval(result: FitResult, poi: str) -> Interval:
    """Return the profile-likelihood interval, or the one from the covariance where there is no other."""
    if poi not in result.parameters:
        raise StyleError(f"no parameter {poi!r} in the fit: {nearest(poi, result.parameters)}")
    try:
        return result.interval(poi)
    except KeyError:
        best, error = result.value(poi), result.error(poi)
        error = error if error > 0.0 else math.nan
        return Interval(poi, best, best - error, best + error, 0.5)


def _split(label: str, total: Interval, stat: Interval) -> tuple[UncertaintyGroup, UncertaintyGroup]:
    parts, rest = [], []
    for whole, part in (
        (total.best - total.low, stat.best - stat.low),
        (total.high - total.best, stat.high - stat.best),
    ):
        if part > _TOLERANCE * whole:
            raise StyleError(
                f"{label}: the uncertainty without systematics, {part:.3g}, is larger than the total, {whole:.3g}; "
                "both are to be fits of one card with the same data"
            )
        parts.append(part)
        rest.append(math.sqrt(max(whole**2 - part**2, 0.0)) if math.isfinite(whole) else math.nan)
    return UncertaintyGroup("stat", *parts), UncertaintyGroup("syst", *rest)
