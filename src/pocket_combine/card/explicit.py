"""A card without wildcards: every `*` written out, so that channels and processes can be renamed, dropped or joined."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pocket_combine.card.model import Card, RateParameter, ShapeRule

__all__ = ["explicit", "explicit_shapes"]


def explicit(card: Card) -> Card:
    """Return a card that means the same, in which every line names its channels and processes.

    Examples:
        >>> from pocket_combine.card.model import AutoMCStats, Channel, Column
        >>> card = Card(
        ...     (Channel("SR", 3), Channel("CR", 5)),
        ...     (Column("SR", "tt", 1, 3.0), Column("CR", "tt", 1, 5.0)),
        ...     rate_parameters=(RateParameter("SF", "*", "tt", 1.0),),
        ...     mc_stats=(AutoMCStats("*", 10),),
        ... )
        >>> [line.channel for line in explicit(card).rate_parameters + explicit(card).mc_stats]
        ['SR', 'CR', 'SR', 'CR']
    """
    settings = ((channel.name, card.mc_stats_of(channel.name)) for channel in card.channels)
    return replace(
        card,
        shapes=tuple(rule for channel in card.channels for rule in explicit_shapes(card, channel.name)),
        rate_parameters=tuple(line for parameter in card.rate_parameters for line in _explicit(parameter, card)),
        mc_stats=tuple(replace(line, channel=name) for name, line in settings if line is not None),
    )


def explicit_shapes(card: Card, channel: str) -> list[ShapeRule]:
    """Return the `shapes` lines that hold for a channel, with `$CHANNEL` filled in.

    A line for the channel and process `*` hides all lines for channel `*`; those are left out. (`combineCards.py`
    writes them beside it, which can make Combine read the data from another file than before.)
    """
    own = [rule for rule in card.shapes if rule.channel == channel]
    named = {rule.process for rule in own}
    if "*" not in named:
        own += [rule for rule in card.shapes if rule.channel == "*" and rule.process not in named]
    return [
        ShapeRule(
            rule.process,
            channel,
            *(part.replace("$CHANNEL", channel) for part in (rule.path, rule.nominal, rule.systematic)),
        )
        for rule in own
    ]


def _explicit(parameter: RateParameter, card: Card) -> Iterator[RateParameter]:
    """Yield the parameter for every column that it scales; where there is none, for any place that it names."""
    places = [
        (column.channel, column.process) for column in card.columns if parameter.matches(column.channel, column.process)
    ]
    if not places:
        processes = dict.fromkeys(column.process for column in card.columns)
        anywhere = ((channel.name, process) for channel in card.channels for process in processes)
        places = [place for place in anywhere if parameter.matches(*place)][:1]
    for channel, process in places:
        yield replace(parameter, channel=channel, process=process)
