"""What `pocket-combine cards show` says about a whole card: for people, and as values for JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pocket_combine.card.load import LoadedCard
from pocket_combine.card.model import Card
from pocket_combine.checks import ChannelTreatment, mc_stats_treatment
from pocket_combine.cli.findings import show_findings
from pocket_combine.cli.tables import plain_table, yield_tables
from pocket_combine.effects import NuisanceEffect, nuisance_effects
from pocket_combine.reach import find_reach
from pocket_combine.summary import ChannelYields, channel_yields
from pocket_combine.wording import counted, free_parameters, moved_shares, reach, short_percent, size, some_of, span

__all__ = ["overview_as_dict", "show_overview"]

_SIGNAL, _BACKGROUND, _TOTAL, _DATA = "all signals", "all backgrounds", "all processes", "observed data"
_LARGEST = 15
_YEAR = re.compile(r"_20\d\d(_?(pre|post)\w+)?$", re.IGNORECASE)
"""What the names of columns of one process differ in, as in cards with a column for every process and year."""
_YIELDS = "Yields: changes of the columns at +1 standard deviation."
_MOVED = "Moved: share of the events that change their bin, at most."
_SIZE = "Size: change of all expected events together, in standard deviations of the data."
_MC_STATS = "Bins with one parameter for the sum of all processes, with one per process, and with none."


def show_overview(loaded: LoadedCard, *, every_nuisance: bool, years_together: bool, console: Console) -> None:
    """Print what a physicist wants to see first.

    Args:
        loaded: The card.
        every_nuisance: Whether all nuisances are listed and not only those with the largest effects.
        years_together: Whether yields are shown by process instead of by process and year.
        console: Where to print.
    """
    card = loaded.card
    yields = channel_yields(card, loaded.templates)
    effects = nuisance_effects(card, loaded.templates)
    columns = len(find_reach(card, loaded.templates).columns)
    console.print(loaded.source, style="bold", soft_wrap=True)
    console.print(_counts(card, yields))
    parts: tuple[tuple[str, Iterable[Table], str], ...] = (
        (
            _yields_title(card, together=years_together),
            _yields(yields, console.width, together=years_together),
            "",
        ),
        (f"{counted(len(effects), 'nuisance')} by type and reach", [_kinds(effects, columns, console.width)], ""),
        (
            _largest_title(effects, every=every_nuisance),
            [_largest(effects, every=every_nuisance)],
            f"{_YIELDS} {_MOVED} {_SIZE}" if loaded.templates else f"{_YIELDS} {_SIZE}",
        ),
        ("Parameters", [_parameters(card)], ""),
        ("Statistical uncertainty of the templates", [_mc_stats(yields, loaded)], _MC_STATS if card.mc_stats else ""),
        ("Groups", [_groups(card, console.width)], ""),
    )
    for title, tables, note in parts:
        show_part(console, title, tables, note)
    if card.frozen:
        console.print()
        console.print(Text.assemble(("Frozen", "bold"), f": {', '.join(card.frozen)}"))
    if loaded.findings:
        console.print()
        show_findings(loaded.findings)


def show_part(console: Console, title: str, tables: Iterable[Table], note: str = "") -> None:
    """Print tables under a title, with a note below; nothing if no table has a row."""
    filled = [table for table in tables if table.row_count]
    for number, table in enumerate(filled):
        console.print()
        if not number:
            console.print(title, style="bold")
            console.print()
        console.print(table)
    if filled and note:
        console.print(note, style="dim")


def _counts(card: Card, yields: Sequence[ChannelYields]) -> str:
    processes = len({column.process for column in card.columns})
    parts = [
        counted(len(card.channels), "channel"),
        counted(sum(channel.bins or 1 for channel in yields), "bin"),
        counted(processes, "process", "processes"),
        counted(len(card.columns), "column"),
        counted(len(card.nuisance_names), "nuisance"),
    ]
    return ", ".join(parts)


def _yields_title(card: Card, *, together: bool) -> str:
    remarks = [
        remark
        for remark, given in (("before rate parameters", card.rate_parameters), ("years together", together))
        if given
    ]
    return ", ".join(["Expected events", *remarks])


def _yields(yields: Sequence[ChannelYields], width: int, *, together: bool) -> Iterator[Table]:
    rows: dict[str, dict[str, float]] = {}
    signals = []
    for channel in yields:
        row = rows[channel.name] = {}
        for process, events in channel.processes.items():
            name = _YEAR.sub("", process) if together else process
            row[name] = row.get(name, 0.0) + events
            signals += [name] if process in channel.signals else []
        row |= {_SIGNAL: channel.signal, _BACKGROUND: channel.background, _TOTAL: channel.total}
        if channel.observed is not None:
            row[_DATA] = channel.observed
    return yield_tables(rows, first="Process", width=width, head=signals, last=(_SIGNAL, _BACKGROUND, _TOTAL, _DATA))


def _kinds(effects: Sequence[NuisanceEffect], columns: int, width: int) -> Table:
    """Return one row for all nuisances of one type that reach as many processes and channels, widest reach first."""
    alike: dict[tuple[str, str], list[NuisanceEffect]] = {}
    order = {kinds: number for number, kinds in enumerate(dict.fromkeys(effect.kinds for effect in effects))}
    for effect in sorted(effects, key=lambda effect: (order[effect.kinds], -len(effect.columns))):
        alike.setdefault((" + ".join(effect.kinds), reach(effect, columns)), []).append(effect)
    table = plain_table("Type", ("Number", "right"), "Acts on", "Names")
    room = width - sum(3 + max(map(len, words)) for words in zip(*alike, strict=True)) - 9 if alike else 0
    for (kinds, where), found in alike.items():
        table.add_row(kinds, str(len(found)), where, some_of([effect.name for effect in found], room))
    return table


def _largest_title(effects: Sequence[NuisanceEffect], *, every: bool) -> str:
    if every or len(effects) <= _LARGEST:
        return "Effects, largest first"
    return f"The {_LARGEST} largest effects; --all lists the others"


def _largest(effects: Sequence[NuisanceEffect], *, every: bool) -> Table:
    ordered = sorted(effects, key=lambda effect: (-effect.size, effect.name))
    table = plain_table("Nuisance", "Type", *((title, "right") for title in ("Columns", "Yields", "Moved", "Size")))
    for effect in ordered if every else ordered[:_LARGEST]:
        moved = [max(both) for column in effect.columns if (both := moved_shares(column))]
        table.add_row(
            effect.name,
            " + ".join(effect.kinds),
            str(len(effect.columns)),
            span([column.yield_up - 1 for column in effect.columns]),
            short_percent(max(moved), sign=False) if moved else "",
            size(effect.size),
        )
    return table


def _parameters(card: Card) -> Table:
    table = plain_table("Name", "Type", "Value", "Acts on")
    for row in free_parameters(card):
        table.add_row(*row)
    return table


def _mc_stats(yields: Sequence[ChannelYields], loaded: LoadedCard) -> Table:
    numbers = ("One", "Per process", "None", "Parameters") if loaded.card.mc_stats else ()
    table = plain_table("Channel", ("Bins", "right"), "autoMCStats", *((title, "right") for title in numbers))
    treatments = {found.channel: found for found in mc_stats_treatment(loaded.card, loaded.templates)}
    for channel in yields:
        found = treatments.get(channel.name)
        if found is not None:
            line = f"{found.threshold:g}{', with signal' if found.include_signal else ''}"
            counts = (*map(str, _treatments(found)), str(found.parameters))
            table.add_row(channel.name, str(channel.bins), line, *counts)
        elif channel.bins is not None:
            table.add_row(channel.name, str(channel.bins), "none")
    return table


def _treatments(found: ChannelTreatment) -> list[int]:
    return [sum(entry.treatment == kind for entry in found.bins) for kind in ("gaussian", "per-process", "none")]


def _groups(card: Card, width: int) -> Table:
    table = plain_table("Group", ("Members", "right"), "Names")
    room = width - max((len(group.name) for group in card.groups), default=0) - 13
    for group in card.groups:
        table.add_row(group.name, str(len(group.members)), some_of(group.members, room))
    return table


def overview_as_dict(loaded: LoadedCard) -> dict[str, Any]:
    """Return the whole card as plain values for JSON; yields in events, sizes in standard deviations of the data."""
    card = loaded.card
    treatments = {found.channel: found for found in mc_stats_treatment(card, loaded.templates)}
    channels = []
    for channel in channel_yields(card, loaded.templates):
        found = treatments.get(channel.name)
        channels.append(_channel_as_dict(channel, found))
    return {
        "card": loaded.source,
        "channels": channels,
        "nuisances": [_nuisance_as_dict(effect) for effect in nuisance_effects(card, loaded.templates)],
        "parameters": [
            dict(zip(("name", "type", "value", "acts_on"), row, strict=True)) for row in free_parameters(card)
        ],
        "groups": {group.name: list(group.members) for group in card.groups},
        "frozen": list(card.frozen),
        "findings": [finding.to_dict() for finding in loaded.findings],
    }


def _channel_as_dict(channel: ChannelYields, found: ChannelTreatment | None) -> dict[str, Any]:
    return {
        "name": channel.name,
        "bins": channel.bins,
        "processes": [
            {"name": process, "signal": process in channel.signals, "events": events}
            for process, events in channel.processes.items()
        ],
        "signal": channel.signal,
        "background": channel.background,
        "total": channel.total,
        "observed": channel.observed,
        "mc_stats": None if found is None else found.to_dict(),
    }


def _nuisance_as_dict(effect: NuisanceEffect) -> dict[str, Any]:
    ratios = [ratio for column in effect.columns for ratio in (column.yield_up, column.yield_down)]
    return {
        "name": effect.name,
        "types": list(effect.kinds),
        "columns": len(effect.columns),
        "channels": _names(column.channel for column in effect.columns),
        "processes": _names(column.process for column in effect.columns),
        "smallest_yield": min(ratios, default=None),
        "largest_yield": max(ratios, default=None),
        "size": effect.size,
    }


def _names(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
