"""What the card is: yields, nuisances, parameters, groups, and the files that it comes from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pocket_combine.card.model import Card
from pocket_combine.checks import mc_stats_treatment
from pocket_combine.effects import NuisanceEffect, nuisance_effects
from pocket_combine.plotting.style import Style
from pocket_combine.reach import find_reach
from pocket_combine.report.contents import Cell, Column, Paragraph, Row, Table
from pocket_combine.report.drafts import Draft, Material, PartDraft
from pocket_combine.report.words import number_cell, text_cells
from pocket_combine.summary import ChannelYields, channel_yields
from pocket_combine.wording import counted, events, free_parameters, moved_shares, reach, short_percent, span

__all__ = ["build_card"]

_BLIND_FILES = (
    "This report is blind. The files hold the observation, so that their hashes would depend on it: none are given. "
    "The hash of the card is that of all its numbers and templates but the observation."
)


def build_card(material: Material) -> Draft:
    """Return what the card is."""
    subject = material.subject
    card = subject.card
    yields = channel_yields(card, subject.templates)
    effects = nuisance_effects(card, subject.templates)
    processes = len({column.process for column in card.columns})
    lead = ", ".join(
        [
            counted(len(card.channels), "channel"),
            counted(sum(channel.bins or 1 for channel in yields), "bin"),
            counted(processes, "process", "processes"),
            counted(len(card.columns), "column"),
            counted(len(effects), "nuisance"),
        ]
    )
    parts: list[PartDraft] = [
        _channels(yields, material.options.style),
        _processes(yields, material.options.style),
        _nuisances(card, effects, len(find_reach(card, subject.templates).columns)),
        *_parameters(card),
        *_groups(card),
        *_mc_stats(material),
        _files(material),
    ]
    if subject.blind:
        parts.append(Paragraph(_BLIND_FILES))
    numbers = {
        "channels": [_channel_numbers(channel) for channel in yields],
        "nuisances": [{"name": effect.name, "kinds": list(effect.kinds), "size": effect.size} for effect in effects],
        "groups": {group.name: list(group.members) for group in card.groups},
    }
    return Draft(f"{lead}.", parts=tuple(parts), numbers=numbers)


def _channel_numbers(channel: ChannelYields) -> dict[str, Any]:
    return {
        "name": channel.name,
        "bins": channel.bins,
        "processes": dict(channel.processes),
        "signal": channel.signal,
        "background": channel.background,
        "observed": channel.observed,
    }


def _channels(yields: Sequence[ChannelYields], style: Style) -> Table:
    seen = any(channel.observed is not None for channel in yields)
    columns = [
        Column("Channel"),
        Column("Bins", number=True),
        Column("Signal", number=True, help="Expected events of all signals, before rate parameters."),
        Column("Background", number=True, help="Expected events of all backgrounds, before rate parameters."),
        Column("S/B", number=True),
        Column("S/√B", number=True, help="Signal over the statistical error of the background, all bins together."),
    ]
    if seen:
        columns.append(Column("Observed", number=True))
    rows = []
    for channel in yields:
        signal, background = channel.signal, channel.background
        cells = [
            Cell(channel.name),
            Cell(str(channel.bins or 1), channel.bins or 1),
            Cell(events(signal), signal),
            Cell(events(background), background),
            number_cell(signal / background if background > 0 else float("nan"), ".2g"),
            number_cell(signal / background**0.5 if background > 0 else float("nan"), ".2g"),
        ]
        if seen:
            shown = channel.observed is not None and not style.channel(channel.name).blinded
            cells.append(Cell(events(channel.observed or 0.0), channel.observed) if shown else Cell("–"))
        rows.append(Row(tuple(cells)))
    return Table("channels", tuple(columns), tuple(rows), "Expected events of the channels, before any fit.")


def _processes(yields: Sequence[ChannelYields], style: Style) -> Table:
    """Return events by process as figures merge them, in each channel."""
    rows = []
    for channel in yields:
        for group in style.groups(tuple(channel.processes), channel.signals):
            number = sum(channel.processes[name] for name in group.members)
            share = number / channel.total if channel.total > 0 else float("nan")
            rows.append(
                Row(
                    (
                        Cell(_plain(group.label, style.without_year(group.members[0]))),
                        Cell("signal" if group.signal else "background"),
                        Cell(channel.name),
                        Cell(events(number), number),
                        number_cell(share, ".1%"),
                        Cell(", ".join(group.members)),
                    )
                )
            )
    columns = (
        Column("Process"),
        Column("Kind"),
        Column("Channel"),
        Column("Events", number=True),
        Column("Share", number=True, help="Of all expected events of the channel."),
        Column("Processes of the card"),
    )
    return Table("processes", columns, tuple(rows), "Expected events by process, before any fit.", filterable=True)


def _plain(label: str, name: str) -> str:
    """Return a label of figures where it is plain text, else the name."""
    return name if "$" in label else label


def _nuisances(card: Card, effects: Sequence[NuisanceEffect], columns: int) -> Table:
    groups: dict[str, list[str]] = {}
    for group in card.groups:
        for member in group.members:
            groups.setdefault(member, []).append(group.name)
    rows = []
    for effect in sorted(effects, key=lambda item: (-item.size, item.name)):
        moved = [max(both) for column in effect.columns if (both := moved_shares(column))]
        changes = [column.yield_up - 1.0 for column in effect.columns]
        largest = max(map(abs, changes), default=0.0)
        rows.append(
            Row(
                (
                    Cell(effect.name),
                    Cell(" + ".join(effect.kinds)),
                    Cell(reach(effect, columns), len(effect.columns)),
                    Cell(span(changes), largest),
                    Cell(short_percent(max(moved), sign=False), max(moved)) if moved else Cell("–"),
                    number_cell(effect.size, ".2f"),
                    Cell(", ".join(groups.get(effect.name, []))),
                ),
                detail=effect.name,
            )
        )
    heads = (
        Column("Nuisance"),
        Column("Type"),
        Column("Acts on"),
        Column("Yields", number=True, help="Changes of the columns at +1 standard deviation, smallest to largest."),
        Column("Moved", number=True, help="Share of the events that change their bin, at most."),
        Column("Size", number=True, help="Change of all expected events together, in standard deviations of the data."),
        Column("Groups"),
    )
    caption = "Nuisances, those with the largest effect first. A click opens what a nuisance does."
    return Table("nuisances", heads, tuple(rows), caption, filterable=True)


def _parameters(card: Card) -> Iterator[PartDraft]:
    rows = tuple(Row(text_cells(*entry)) for entry in free_parameters(card))
    if rows:
        heads = (Column("Name"), Column("Type"), Column("Value"), Column("Acts on"))
        yield Table("parameters", heads, rows, "Rate parameters, and everything else that is no row of nuisances.")
    if card.frozen:
        yield Paragraph(f"The card freezes {', '.join(card.frozen)}.")


def _groups(card: Card) -> Iterator[PartDraft]:
    rows = tuple(
        Row((Cell(group.name), Cell(str(len(group.members)), len(group.members)), Cell(", ".join(group.members))))
        for group in card.groups
    )
    if rows:
        heads = (Column("Group"), Column("Members", number=True), Column("Names"))
        yield Table("groups", heads, rows, "Groups of nuisances.")


def _mc_stats(material: Material) -> Iterator[PartDraft]:
    rows = []
    for found in mc_stats_treatment(material.subject.card, material.subject.templates):
        counts = [sum(entry.treatment == kind for entry in found.bins) for kind in ("gaussian", "per-process", "none")]
        numbers = (found.threshold, *counts, found.parameters)
        rows.append(Row((Cell(found.channel), *(Cell(f"{number:g}", number) for number in numbers))))
    heads = (
        Column("Channel"),
        Column("Threshold", number=True),
        Column("One", number=True, help="Bins with one parameter for the sum of all processes."),
        Column("Per process", number=True, help="Bins with one parameter per process."),
        Column("None", number=True, help="Bins without parameters."),
        Column("Parameters", number=True),
    )
    if rows:
        yield Table("autoMCStats", heads, tuple(rows), "What autoMCStats does with the bins.")
    else:
        yield Paragraph("No channel has autoMCStats: the statistical error of the simulation is left out.")


def _files(material: Material) -> Table:
    rows = tuple(Row(text_cells(file.path, file.sha256 or "–")) for file in material.subject.files)
    return Table("files", (Column("File"), Column("SHA-256")), rows, "Files that the card was read from.")
