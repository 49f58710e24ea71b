"""What nuisances do to processes, and which columns share them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from pocket_combine.effects import NuisanceEffect, nuisance_effects
from pocket_combine.plotting.style import YEARS
from pocket_combine.report.contents import Cell, Column, Mark, Paragraph, Row, Table
from pocket_combine.report.drafts import Draft, Drawing, Material
from pocket_combine.report.words import number_cell
from pocket_combine.wording import counted, short_percent

__all__ = ["build_effects", "build_scheme"]

_NAMED = 3
_NO_NUISANCES = "The card has no nuisances."


def build_effects(material: Material) -> Draft:
    """Return what each nuisance does to each process in each channel."""
    subject = material.subject
    effects = nuisance_effects(subject.card, subject.templates)
    if not effects:
        return Draft(_NO_NUISANCES, Mark.SKIPPED)
    largest = sorted(effects, key=lambda effect: (-effect.size, effect.name))[:_NAMED]
    names = ", ".join(f"{effect.name} ({effect.size:.2g})" for effect in largest)
    lead = f"The largest changes of all expected events, in standard deviations of the data: {names}."
    drawing = Drawing(
        "effects",
        "Change of the yield of each process in each channel at one standard deviation.",
        "Heat map of nuisances against channels and processes.",
        "effects_figures",
        (subject.card, subject.templates),
        {"style": material.options.style},
    )
    numbers = {
        effect.name: [
            {
                "channel": column.channel,
                "process": column.process,
                "yield_up": column.yield_up,
                "yield_down": column.yield_down,
                "size": column.size,
            }
            for column in effect.columns
        ]
        for effect in effects
    }
    return Draft(lead, parts=(drawing, _largest(effects)), numbers=numbers)


_SHOWN = 200


def _largest(effects: Sequence[NuisanceEffect]) -> Table:
    cells = [(effect.name, column) for effect in effects for column in effect.columns]
    cells.sort(key=lambda entry: (-entry[1].size, entry[0]))
    rows = tuple(
        Row(
            (
                Cell(name),
                Cell(column.channel),
                Cell(column.process),
                Cell(short_percent(column.yield_up - 1.0), column.yield_up - 1.0),
                Cell(short_percent(column.yield_down - 1.0), column.yield_down - 1.0),
                number_cell(column.size, ".2f"),
            ),
            detail=name,
        )
        for name, column in cells[:_SHOWN]
    )
    columns = (
        Column("Nuisance"),
        Column("Channel"),
        Column("Process"),
        Column("Yield up", number=True, help="Change of the yield at +1 standard deviation."),
        Column("Yield down", number=True, help="Change of the yield at −1 standard deviation."),
        Column("Size", number=True, help="Change in standard deviations of the data of the channel."),
    )
    more = f" of {len(cells)}" if len(cells) > len(rows) else ""
    return Table("effects", columns, rows, f"The {len(rows)} largest effects{more}.", filterable=True)


def build_scheme(material: Material) -> Draft:
    """Return which nuisances are shared between channels and between years."""
    subject = material.subject
    effects = nuisance_effects(subject.card, subject.templates)
    if not effects:
        return Draft(_NO_NUISANCES, Mark.SKIPPED)
    channels = [channel.name for channel in subject.card.channels]
    every_year = _years([column.process for column in subject.card.columns])
    rows, kinds = [], Counter[str]()
    for effect in effects:
        own = [name for name in channels if any(column.channel == name for column in effect.columns)]
        years = _years([column.process for column in effect.columns])
        kind = _shared(len(own), len(channels), len(years), len(every_year))
        kinds[kind] += 1
        processes = {_year_of(column.process)[0] for column in effect.columns}
        rows.append(
            Row(
                (
                    Cell(effect.name),
                    Cell(kind),
                    Cell(", ".join(own), len(own)),
                    Cell(", ".join(years), len(years)),
                    Cell(", ".join(sorted(processes)), len(processes)),
                ),
                detail=effect.name,
            )
        )
    columns = (Column("Nuisance"), Column("Shared"), Column("Channels"), Column("Years"), Column("Processes"))
    lead = f"{counted(len(effects), 'nuisance')}: {', '.join(f'{number} {kind}' for kind, number in kinds.items())}."
    table = Table("scheme", columns, tuple(rows), "Where each nuisance acts.", filterable=True)
    drawing = Drawing(
        "scheme",
        "Which nuisances act on which channels and years: one nuisance is one parameter wherever it acts.",
        "Matrix of nuisances against channels and years.",
        "scheme_figures",
        (subject.card, subject.templates),
        {"style": material.options.style},
    )
    return Draft(lead, parts=(drawing, table, Paragraph(_EXPLANATION)), numbers=dict(kinds))


_EXPLANATION = (
    "Years are the ends of the names of processes, such as _2018 or _2022_postEE. What has one name is fully "
    "correlated wherever it acts; different names are uncorrelated."
)
_YEAR = re.compile(f"(?P<year>{YEARS})$")


def _year_of(process: str) -> tuple[str, str]:
    """Return the name of a process without its year, and the year.

    Examples:
        >>> _year_of("ttH_2022_postEE"), _year_of("ttH")
        (('ttH', '2022_postEE'), ('ttH', ''))
    """
    found = _YEAR.search(process)
    return (process[: found.start()], found["year"].lstrip("_")) if found else (process, "")


def _years(processes: Sequence[str]) -> list[str]:
    return sorted({year for process in processes if (year := _year_of(process)[1])})


def _shared(channels: int, all_channels: int, years: int, all_years: int) -> str:
    """Return how widely a nuisance is shared.

    Examples:
        >>> _shared(3, 3, 1, 4), _shared(1, 3, 4, 4), _shared(2, 3, 0, 0), _shared(0, 3, 0, 0)
        ('in all channels, one year', 'in one channel, all years', 'in some channels', 'without effect')
    """
    if not channels:
        return "without effect"
    words = [f"in {_some(channels, all_channels)} {'channel' if channels == 1 else 'channels'}"]
    if all_years > 1 and years:
        words.append(f"{_some(years, all_years)} {'year' if years == 1 else 'years'}")
    return ", ".join(words)


def _some(number: int, whole: int) -> str:
    return "one" if number == 1 else "all" if number == whole else "some"
