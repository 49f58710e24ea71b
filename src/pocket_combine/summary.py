"""What is in a card, at a glance: yields, and who each nuisance and rate parameter acts on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pocket_combine.card.model import Card, RateParameter
from pocket_combine.templates import Templates

__all__ = ["ChannelYields", "channel_yields", "ScaledColumns", "scaled_columns"]


@dataclass(frozen=True)
class ChannelYields:
    """Expected and observed events of a channel.

    Attributes:
        name: Name of the channel.
        bins: Number of bins; `None` for a counting channel.
        processes: Expected events by process, in the order of the card.
        signals: Which of them are signals.
        observed: Events observed; `None` where the card has none.
    """

    name: str
    bins: int | None
    processes: Mapping[str, float]
    signals: frozenset[str]
    observed: float | None

    @property
    def signal(self) -> float:
        """Expected events of all signals."""
        return sum(events for process, events in self.processes.items() if process in self.signals)

    @property
    def background(self) -> float:
        """Expected events of all backgrounds."""
        return sum(events for process, events in self.processes.items() if process not in self.signals)

    @property
    def total(self) -> float:
        """Expected events of all processes."""
        return sum(self.processes.values())


def channel_yields(card: Card, templates: Mapping[str, Templates]) -> tuple[ChannelYields, ...]:
    """Return the events of each channel: integrals of templates, or rates in counting channels.

    Rate parameters and signal strengths are not applied; a process of rate 0, which Combine leaves out, has 0 events.

    Args:
        card: The card.
        templates: Templates by channel; a channel without is a counting channel.

    Examples:
        >>> from pocket_combine.card.model import Channel, Column
        >>> card = Card((Channel("SR", 25),), (Column("SR", "sig", 0, 3.5), Column("SR", "bkg", 1, 21.0)))
        >>> (channel,) = channel_yields(card, {})
        >>> channel.processes, channel.background, channel.total, channel.observed
        ({'sig': 3.5, 'bkg': 21.0}, 21.0, 24.5, 25)
    """
    result = []
    for channel in card.channels:
        found = templates.get(channel.name)
        columns = card.columns_of(channel.name)
        if found is None:
            processes = {column.process: max(column.rate, 0.0) for column in columns}
            observed = channel.observation
        else:
            integrals = dict(zip(found.columns, found.integrals().tolist(), strict=True))
            processes = {column.process: integrals.get(column.process, 0.0) for column in columns}
            observed = None if found.observation is None else float(found.observation.sum())
        signals = frozenset(column.process for column in columns if column.is_signal)
        bins = None if found is None else found.bins
        result.append(ChannelYields(channel.name, bins, processes, signals, observed))
    return tuple(result)


@dataclass(frozen=True)
class ScaledColumns:
    """A rate parameter, with the columns that it scales.

    Attributes:
        parameter: The first line of the parameter.
        columns: (channel, process) of every column that one of its lines matches, in the order of the card.
    """

    parameter: RateParameter
    columns: tuple[tuple[str, str], ...]


def scaled_columns(card: Card) -> tuple[ScaledColumns, ...]:
    """Return the rate parameters of a card, each once.

    Examples:
        >>> from pocket_combine.card.model import Channel, Column
        >>> card = Card(
        ...     (Channel("SR"), Channel("CR")),
        ...     (Column("SR", "sig", 0, 1), Column("SR", "tt", 1, 5), Column("CR", "tt", 1, 9)),
        ...     rate_parameters=(RateParameter("SF_tt", "*", "tt", 1.0),),
        ... )
        >>> scaled_columns(card)[0].columns
        (('SR', 'tt'), ('CR', 'tt'))
    """
    lines: dict[str, list[RateParameter]] = {}
    for line in card.rate_parameters:
        lines.setdefault(line.name, []).append(line)
    return tuple(
        ScaledColumns(
            alike[0],
            tuple(
                (column.channel, column.process)
                for column in card.columns
                if any(line.matches(column.channel, column.process) for line in alike)
            ),
        )
        for alike in lines.values()
    )
