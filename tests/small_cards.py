"""Small cards for tests: channels of templates, and rows given by the processes they act on."""

from collections.abc import Mapping, Sequence
from typing import Any

from pocket_combine.card.model import AutoMCStats, Card, Channel, Column, Nuisance
from pocket_combine.templates import Templates

Row = tuple[str, Mapping[Any, Any]]
"""Kind, and the effect by process or by (channel, process)."""


def card_of(
    templates: Mapping[str, Templates],
    rows: Mapping[str, Row] | None = None,
    *,
    rates: Mapping[tuple[str, str], float] | None = None,
    observations: Mapping[str, float] | None = None,
    signals: Sequence[str] = ("sig",),
    mc_stats: Sequence[AutoMCStats] = (),
    **others: Any,
) -> Card:
    """A card with the channels and processes of the templates, and columns with rates beside them."""
    rates = rates or {}
    names = {channel: list(own.columns) for channel, own in templates.items()}
    for channel, process in rates:
        if process not in names.setdefault(channel, []):
            names[channel].append(process)
    columns = tuple(
        Column(channel, process, 0 if process in signals else 1, rates.get((channel, process), -1.0))
        for channel, processes in names.items()
        for process in processes
    )
    nuisances = tuple(
        Nuisance(
            name,
            kind,
            tuple(effects.get((column.channel, column.process), effects.get(column.process)) for column in columns),
        )
        for name, (kind, effects) in (rows or {}).items()
    )
    channels = tuple(Channel(channel, (observations or {}).get(channel, -1.0)) for channel in names)
    return Card(channels, columns, nuisances=nuisances, mc_stats=tuple(mc_stats), **others)
