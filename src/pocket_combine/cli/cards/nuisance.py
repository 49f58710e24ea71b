"""What `pocket-combine cards show --nuisance` says: the effect of nuisances and rate parameters in every column."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pocket_combine.card.load import LoadedCard
from pocket_combine.card.model import Card
from pocket_combine.cli.tables import plain_table
from pocket_combine.effects import NuisanceEffect, nuisance_effects
from pocket_combine.errors import MissingInputError, join_problems
from pocket_combine.patterns import matched, unmatched
from pocket_combine.summary import channel_yields, scaled_columns
from pocket_combine.wording import (
    cell_text,
    counted,
    events,
    free_parameters,
    moved_shares,
    percent,
    short_percent,
    size,
    some_of,
)

__all__ = ["nuisances_as_dict", "select_names", "show_nuisances"]

_YIELDS = "-1σ, +1σ: change of the yield at one standard deviation."
_MOVED = "Moved: share of the events that change their bin, the larger of both sides."
_SIZE = "Size: change of the expected events, in standard deviations of the data."


def select_names(card: Card, patterns: Sequence[str]) -> list[str]:
    """Return the names of nuisances and parameters that match patterns, in the order of the card.

    Raises:
        MissingInputError: If a pattern matches none; the message has the nearest names.
    """
    names = list(dict.fromkeys((*card.nuisance_names, *(row[0] for row in free_parameters(card)))))
    problems = unmatched("nuisance or parameter", names, patterns)
    if problems:
        raise MissingInputError(join_problems(problems))
    return list(matched(names, patterns))


def show_nuisances(loaded: LoadedCard, names: Sequence[str], console: Console) -> None:
    """Print what nuisances and parameters do."""
    effects = {effect.name: effect for effect in nuisance_effects(loaded.card, loaded.templates, set(names))}
    yields = _yields(loaded)
    for number, name in enumerate(names):
        if number:
            console.print()
        effect = effects.get(name)
        if effect is None:
            _show_parameter(loaded.card, name, yields, console)
            continue
        console.print(Text.assemble((name, "bold"), f": {_summary(loaded.card, effect)}"))
        for line in _remarks(loaded.card, effect, console.width):
            console.print(line)
        if effect.columns:
            console.print()
            console.print(_table(effect, yields))
    columns = [column for effect in effects.values() for column in effect.columns]
    if columns:
        with_templates = any(column.moved_up is not None for column in columns)
        console.print()
        console.print(" ".join((_YIELDS, *((_MOVED,) if with_templates else ()), _SIZE)), style="dim")


def _yields(loaded: LoadedCard) -> dict[tuple[str, str], float]:
    return {
        (channel.name, process): number
        for channel in channel_yields(loaded.card, loaded.templates)
        for process, number in channel.processes.items()
    }


def _summary(card: Card, effect: NuisanceEffect) -> str:
    rows = [row for row in card.nuisances if row.name == effect.name]
    kinds = [" ".join((row.kind, *(f"{number:g}" for number in row.arguments))) for row in rows]
    columns = {(column.channel, column.process) for column in effect.columns}
    channels = {channel for channel, _ in columns}
    return (
        f"{' + '.join(dict.fromkeys(kinds))}, acts on {len(columns)} of {counted(len(card.columns), 'column')} in "
        f"{len(channels)} of {counted(len(card.channels), 'channel')}, size {size(effect.size)}"
    )


def _remarks(card: Card, effect: NuisanceEffect, width: int) -> Iterator[str]:
    groups = [group.name for group in card.groups if effect.name in group.members]
    if groups:
        yield f"In the groups {', '.join(groups)}" if len(groups) > 1 else f"In the group {groups[0]}"
    if effect.name in card.frozen:
        yield "Frozen at its initial value"
    templates = {row.template_name for row in card.nuisances if row.name == effect.name and row.template_name}
    if templates:
        yield f"Its templates are named {', '.join(sorted(templates))}"
    acting = {column.process for column in effect.columns}
    idle = [process for process in dict.fromkeys(column.process for column in card.columns) if process not in acting]
    if idle:
        start = f"No effect on {counted(len(idle), 'process', 'processes')}: "
        yield start + some_of(idle, width - len(start))


def _table(effect: NuisanceEffect, yields: dict[tuple[str, str], float]) -> Table:
    with_templates = any(column.moved_up is not None for column in effect.columns)
    numbers = ("Events", "-1σ", "+1σ", *(("Moved",) if with_templates else ()), "Size")
    several = len(effect.kinds) > 1
    table = plain_table("Process", *(("Type",) if several else ()), *((title, "right") for title in numbers))
    channel = ""
    for column in effect.columns:
        if column.channel != channel:
            channel = column.channel
            table.add_section()
            table.add_row(Text(channel, "bold"))
        moved = moved_shares(column)
        table.add_row(
            f"  {column.process}",
            *((column.kind,) if several else ()),
            events(yields[column.channel, column.process]),
            percent(column.yield_down - 1),
            percent(column.yield_up - 1),
            *((short_percent(max(moved), sign=False) if moved else "",) if with_templates else ()),
            size(column.size),
        )
    return table


def _show_parameter(card: Card, name: str, yields: dict[tuple[str, str], float], console: Console) -> None:
    for parameter, kind, value, where in free_parameters(card):
        if parameter == name:
            verb = "scales" if kind == "rateParam" else "is used by"
            acts = f", {verb} {where}" if where else ""
            console.print(Text.assemble((name, "bold"), f": {kind} {value}{acts}"))
    for scaled in scaled_columns(card):
        if scaled.parameter.name == name and scaled.columns:
            table = plain_table("Channel", "Process", ("Events", "right"))
            for channel, process in scaled.columns:
                table.add_row(channel, process, events(yields[channel, process]))
            console.print()
            console.print(table)


def nuisances_as_dict(loaded: LoadedCard, names: Sequence[str]) -> dict[str, Any]:
    """Return what nuisances and parameters do as plain values for JSON; yields are ratios to nominal."""
    card = loaded.card
    scaled = {found.parameter.name: found.columns for found in scaled_columns(card)}
    return {
        "card": loaded.source,
        "nuisances": [
            {
                "name": effect.name,
                "types": list(effect.kinds),
                "size": effect.size,
                "groups": [group.name for group in card.groups if effect.name in group.members],
                "frozen": effect.name in card.frozen,
                "columns": [dataclasses.asdict(column) | {"cell": cell_text(column.cell)} for column in effect.columns],
            }
            for effect in nuisance_effects(card, loaded.templates, set(names))
        ],
        "parameters": [
            {
                "name": name,
                "type": kind,
                "value": value,
                "columns": [{"channel": channel, "process": process} for channel, process in scaled.get(name, ())],
            }
            for name, kind, value, _ in free_parameters(card)
            if name in names
        ],
    }
