"""Notes of results: what a reader should know before numbers are used; sentences without the last full stop."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from pocket_combine.likelihood import ConstraintKind, Model, ParameterList
from pocket_combine.likelihood.poisson import poisson_term
from pocket_combine.results import Interval, Status
from pocket_combine.templates import FloatArray

__all__ = ["covariance_notices", "cut_impacts_notice", "few_events_notice", "held_notice", "named"]

_NAMED = 8

_WIDER = 1.01
"""How many times as large as its prior width the error of a nuisance may be: more is no rounding."""

_STRONGLY = 0.1
"""Relative difference of an interval from what the covariance says that a reader should know of."""

_SENSITIVE = 0.8
"""Part of the likelihood ratio of signal and no signal that the sensitive bins hold."""

_FEW = 10.0
"""Number of events without signal in sensitive bins below which asymptotic distributions are doubtful."""


def named(names: Sequence[str]) -> str:
    """Return the first names of a list, and how many more there are.

    Examples:
        >>> named(["JES", "JER"]), named([f"stat_{number}" for number in range(10)])[-17:]
        ('JES, JER', 'stat_7 and 2 more')
    """
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def held_notice(names: Sequence[str]) -> list[str]:
    """Return what to know about uncertainties that hold parameters fixed at edges of their ranges.

    Examples:
        >>> held_notice(["r"])
        ['fixed at the edge of its range: r. Uncertainties are without it: that of a process that it scales may be 0']
        >>> held_notice([])
        []
    """
    if not names:
        return []
    edges, them, scales = (
        ("the edge of its range", "it", "it scales") if len(names) == 1 else ("edges of ranges", "them", "they scale")
    )
    return [
        f"fixed at {edges}: {named(names)}. Uncertainties are without {them}: that of a process that {scales} may be 0"
    ]


def cut_impacts_notice(poi: str, edge: float, names: Sequence[str]) -> list[str]:
    """Return what to know about impacts that end where the range of a parameter of interest does.

    Args:
        poi: The parameter of interest.
        edge: The lower end of its range.
        names: The nuisances at an end of whose intervals it is there.

    Examples:
        >>> cut_impacts_notice("r", 0.0, ["JES"])
        ['r is at the lower end 0 of its range where these nuisances are moved, which cuts their impacts: JES. A wider
        range of r shows them whole']
        >>> cut_impacts_notice("r", 0.0, [])
        []
    """
    if not names:
        return []
    return [
        f"{poi} is at the lower end {edge:g} of its range where these nuisances are moved, which cuts their impacts: "
        f"{named(names)}. A wider range of {poi} shows them whole"
    ]


def covariance_notices(
    parameters: ParameterList, errors: FloatArray, intervals: Sequence[Interval], pois: Iterable[str]
) -> list[str]:
    """Return where errors from the covariance of a fit mislead, and profile-likelihood intervals do not.

    If the likelihood is a parabola, a measurement does not widen a Gaussian constraint, and an interval is √(2 ΔNLL)
    errors wide on either side. The inverse Hessian says otherwise where second derivatives change within an error: in
    the region where the effect of a nuisance turns from the down variation into an unequal up variation, with few
    events, where log-normals are far from their start, or where a flat range ends.

    Args:
        parameters: The parameters of the model.
        errors: `errors[parameter]` from the covariance.
        intervals: Intervals of the fit, with the best fit inside its range.
        pois: Names of the parameters of interest.
    """
    notices = []
    wide = []
    for parameter, error in zip(parameters, errors.tolist(), strict=True):
        constraint = parameter.constraint
        if constraint is not None and constraint.kind is ConstraintKind.GAUSSIAN:
            ratio = error / max(constraint.width)
            if ratio > _WIDER:
                wide.append(f"{parameter.name} ({ratio:.2f} times)")
    if wide:
        notices.append(
            f"errors from the covariance larger than before the fit: {named(wide)}. The likelihood is no parabola "
            "there, for example because unequal up and down variations meet; use profile-likelihood intervals"
        )
    own = set(pois)
    for interval in intervals:
        if interval.parameter in own and interval.low_status is interval.high_status is Status.CONVERGED:
            half = 0.5 * (interval.high - interval.low)
            error = float(errors[parameters.index(interval.parameter)]) * math.sqrt(2.0 * interval.delta_nll)
            if error > 0.0 and abs(half - error) > _STRONGLY * half:
                notices.append(
                    f"half of the interval of {interval.parameter} is {half:.3g}, the covariance says {error:.3g}: the "
                    "likelihood is no parabola, for example because unequal up and down variations of a nuisance meet; "
                    "use the interval"
                )
    return notices


def few_events_notice(model: Model, poi: str, theta: FloatArray, value: float) -> list[str]:
    """Return whether asymptotic formulas are doubtful, because few events are expected where the sensitivity is.

    The sensitive bins are the fewest that hold 80 % of the likelihood ratio of λ₁, the expectation with signal, to λ₀,
    that without, in data equal to λ₀: λ₁ - λ₀ - λ₀ ln(λ₁/λ₀) is the part of a bin. The number of events is the sum of
    λ₀ over them. Systematic uncertainties are left aside.

    Args:
        model: The model.
        poi: The parameter of interest.
        theta: `theta[parameter]`, at which the expectation is taken but for the parameter of interest.
        value: The parameter with signal, such as its expected limit.
    """
    points = np.tile(theta, (2, 1))
    points[:, model.parameters.index(poi)] = 0.0, value
    chosen = np.concatenate(
        [np.empty(0, dtype=np.intp), *(np.r_[one.bins] for one in model.channels if not one.is_masked)]
    )
    without, with_signal = model.totals(points)[:, chosen]
    parts = poisson_term(with_signal, np.maximum(without, 0.0))
    whole = float(parts.sum())
    if not (math.isfinite(whole) and whole > 0.0):
        return []
    # Rounded, so that bins of equal sensitivity come in their own order.
    order = np.argsort(-np.round(parts / whole, 9), kind="stable")
    count = int(np.searchsorted(np.cumsum(parts[order]), _SENSITIVE * whole)) + 1
    events = float(without[order[:count]].sum())
    if events >= _FEW:
        return []
    where = "the bin that holds" if count == 1 else f"the {count} bins that hold"
    return [
        f"few events are expected without signal: {events:.2g} in {where} {100 * _SENSITIVE:g} % of the sensitivity. "
        f"Asymptotic formulas need about {_FEW:g} or more; check with toys, for example with Combine's HybridNew"
    ]
