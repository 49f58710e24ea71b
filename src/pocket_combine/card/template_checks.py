"""Rates and observations against the integrals of templates, as Combine compares them.

Source: `python/ShapeTools.py` (`prepareAllShapes`, `getExtraNorm`) and `python/ModelTools.py` (`doExpectedEvents`) of
HiggsAnalysis-CombinedLimit.
"""

from __future__ import annotations

from collections.abc import Iterator

from pocket_combine.card.lexical import format_number
from pocket_combine.card.model import Card
from pocket_combine.card.template_plan import ChannelPlan
from pocket_combine.names import SHIFTS
from pocket_combine.templates import Templates

__all__ = ["check_numbers"]

_RATE_TOLERANCE = 0.01
_DATA_TOLERANCE = 0.005
_LARGEST_ZERO = 0.01


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
        elif rate > 0 and total != 0 and abs(total - rate) > _RATE_TOLERANCE * max(1.0, rate):
            yield (
                f"{place}: the rate {format_number(rate)} disagrees with the integral {format_number(total)} of "
                f"{column.name!r} by more than 1%; write -1 for the integral"
            )


def _data(plan: ChannelPlan, templates: Templates) -> Iterator[str]:
    if plan.data is None or templates.observation is None:
        return
    total = float(templates.observation.sum())
    observed = plan.data.number
    disagrees = total > _LARGEST_ZERO if observed == 0 else abs(total / observed - 1) > _DATA_TOLERANCE
    if observed != -1 and total != 0 and disagrees:
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
            expected = effect * row.arguments[0]
            if abs(expected - total) > max(0.05 * max(total, 1.0), effect):
                yield (
                    f"channel {plan.channel}, process {column.process}, nuisance {row.name} (gmN): N * alpha = "
                    f"{format_number(expected)} disagrees with the integral {format_number(total)}"
                )
