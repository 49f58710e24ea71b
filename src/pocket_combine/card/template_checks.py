"""Rates and observations against the integrals of templates, as Combine compares them.

Source: `python/ShapeTools.py` (`prepareAllShapes`, `getExtraNorm`) and `python/ModelTools.py` (`doExpectedEvents`) of
HiggsAnalysis-CombinedLimit.
"""

from __future__ import annotations

from collections.abc import Iterator

from pocket_combine.card.lexical import format_number
from pocket_combine.card.model import Card
from pocket_combine.card.row_checks import sideband_disagrees
from pocket_combine.card.template_plan import ChannelPlan
from pocket_combine.names import SHIFTS
from pocket_combine.templates import Templates

__all__ = ["check_numbers", "observation_disagrees", "rate_disagrees"]

_RATE_TOLERANCE = 0.01  # of the rate, or of one event
_DATA_TOLERANCE = 0.005  # of the observation
_LARGEST_ZERO = 0.01  # events in a histogram of an observation of 0


def rate_disagrees(rate: float, integral: float) -> bool:
    """Return whether Combine refuses a rate because of the integral of its template, both in events.

    Examples:
        >>> rate_disagrees(100.0, 100.9), rate_disagrees(100.0, 101.1), rate_disagrees(-1, 101.1)
        (False, True, False)
    """
    return rate > 0 and abs(integral - rate) > _RATE_TOLERANCE * max(1.0, rate)


def observation_disagrees(observed: float, integral: float) -> bool:
    """Return whether Combine refuses an observation because of the integral of its histogram, both in events.

    Examples:
        >>> observation_disagrees(100, 100.4), observation_disagrees(100, 101), observation_disagrees(-1, 101)
        (False, True, False)
    """
    if observed < 0:
        return False
    return integral > _LARGEST_ZERO if observed == 0 else abs(integral / observed - 1) > _DATA_TOLERANCE


def check_numbers(card: Card, plan: ChannelPlan, templates: Templates) -> list[str]:
    """Return what Combine would refuse about the numbers of a channel, and negative totals, which it would not notice.

    Args:
        card: The card.
        plan: What was read for the channel.
        templates: The templates of the channel.
    """
    settings = card.mc_stats_of(plan.channel)
    renormalised = settings is None or settings.hist_mode != 2
    return [
        *_rates(plan, templates, renormalised),
        *_data(plan, templates),
        *_varied(plan, templates, renormalised),
        *_gamma(card, plan, templates),
    ]


def _rates(plan: ChannelPlan, templates: Templates, renormalised: bool) -> Iterator[str]:
    for column, total in zip(plan.columns, templates.integrals().tolist(), strict=True):
        place = f"channel {plan.channel}, process {column.process}"
        rate = column.number
        if total == 0 and renormalised:
            yield f"{place}: the template {column.name!r} is empty; set the rate to 0 to leave the process out"
        elif total < 0:
            yield f"{place}: the integral of the template {column.name!r} is negative: {format_number(total)}"
        elif total != 0 and rate_disagrees(rate, total):
            yield (
                f"{place}: the rate {format_number(rate)} disagrees with the integral {format_number(total)} of "
                f"{column.name!r} by more than 1%; write -1 for the integral"
            )


def _data(plan: ChannelPlan, templates: Templates) -> Iterator[str]:
    if plan.data is None or templates.observation is None:
        return
    total = float(templates.observation.sum())
    observed = plan.data.number
    if total != 0 and observation_disagrees(observed, total):
        yield (
            f"channel {plan.channel}: the observation {format_number(observed)} disagrees with the integral "
            f"{format_number(total)} of {plan.data.name!r} by more than 0.5%; write -1 for the integral"
        )


def _varied(plan: ChannelPlan, templates: Templates, renormalised: bool) -> Iterator[str]:
    if not renormalised:
        return
    for shift, array in zip(SHIFTS, (templates.up, templates.down), strict=True):
        totals = array.sum(axis=1)
        for pair in (totals <= 0).nonzero()[0].tolist():
            process, nuisance = templates.pairs[pair]
            yield (
                f"channel {plan.channel}, process {process}, nuisance {nuisance}: the integral of the template {shift} "
                f"is {format_number(totals[pair])}, expected a number above 0"
            )


def _gamma(card: Card, plan: ChannelPlan, templates: Templates) -> Iterator[str]:
    """Compare N * alpha with integrals; the parser has compared it with rates that the card gives."""
    for row in card.nuisances:
        if row.kind != "gmN":
            continue
        for column, total in zip(plan.columns, templates.integrals().tolist(), strict=True):
            effect = row.effects[card.column_index[plan.channel, column.process]]
            if column.number != -1 or not isinstance(effect, float | int):
                continue
            events = row.arguments[0]
            if sideband_disagrees(events, effect, total):
                yield (
                    f"channel {plan.channel}, process {column.process}, nuisance {row.name} (gmN): N * alpha = "
                    f"{format_number(events * effect)} disagrees with the integral {format_number(total)}"
                )
