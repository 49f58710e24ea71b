"""What nuisances do to processes, and which columns share them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pocket_combine.effects import NuisanceEffect, nuisance_effects
from pocket_combine.plotting.effect_cells import effect_grid
from pocket_combine.plotting.scheme_grid import Scheme, Sharing, correlation_scheme
from pocket_combine.report.contents import Cell, Column, Mark, Paragraph, Row, Table
from pocket_combine.report.drafts import Draft, Drawing, Material
from pocket_combine.report.words import number_cell, yield_cells
from pocket_combine.wording import counted

__all__ = ["build_effects", "build_scheme"]

_NAMED = 3
_DRAWN = 60
_SHOWN = 200


def build_effects(material: Material) -> Draft:
    """Return what each nuisance does to each process in each channel."""
    subject = material.subject
    effects = nuisance_effects(subject.card, subject.templates)
    if not effects:
        return Draft("The card has no nuisances.", Mark.SKIPPED)
    largest = sorted(effects, key=lambda effect: (-effect.size, effect.name))[:_NAMED]
    names = ", ".join(f"{effect.name} ({effect.size:.2g})" for effect in largest)
    lead = f"The largest changes of all expected events, in standard deviations of the data: {names}."
    style = material.options.style
    drawn = sorted(effects, key=lambda effect: (-effect.size, effect.name))[:_DRAWN]
    more = f", of the {_DRAWN} nuisances with the largest effects" if len(effects) > _DRAWN else ""
    drawing = Drawing(
        "effects",
        f"Changes of yields, and events moved between bins, at one standard deviation{more}.",
        "Heat map of nuisances against processes in channels.",
        "heat_map_figures",
        (effect_grid(subject.card, subject.templates, drawn, style=style),),
        {"style": style},
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


def _largest(effects: Sequence[NuisanceEffect]) -> Table:
    cells = [(effect.name, column) for effect in effects for column in effect.columns]
    cells.sort(key=lambda entry: (-entry[1].size, entry[0]))
    rows = tuple(
        Row(
            (
                Cell(name),
                Cell(column.channel),
                Cell(column.process),
                *yield_cells(column),
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
    """Return which nuisances are one parameter across years, or channels."""
    style = material.options.style
    scheme = correlation_scheme(material.subject.card, style=style)
    if not scheme.rows:
        return Draft("The card has no nuisances.", Mark.SKIPPED)
    kinds = Counter(block.sharing for row in scheme.rows for block in row.blocks)
    words = ", ".join(f"{kinds[sharing]} {_SHARED[sharing]}" for sharing in Sharing if kinds[sharing])
    lead = f"Across {counted(len(scheme.columns), scheme.by)}: {words.format(by=scheme.by)}."
    drawing = Drawing(
        "scheme",
        f"Nuisances and rate parameters by {scheme.by}: what is drawn as one bar is one parameter.",
        f"Table of nuisances against {scheme.by}s.",
        "scheme_figures",
        (scheme,),
        {"style": style},
    )
    numbers = {
        block.name: {
            "sharing": block.sharing.value,
            f"{scheme.by}s": [scheme.columns[at] for at in block.columns],
            "processes": list(block.processes),
        }
        for row in scheme.rows
        for block in row.blocks
    }
    return Draft(lead, parts=(drawing, _scheme_table(scheme), Paragraph(_EXPLANATION)), numbers=numbers)


_SHARED = {
    Sharing.ALL: "parameters act in all of them",
    Sharing.SOME: "in several",
    Sharing.SPLIT: "have one {by} each, of a family",
    Sharing.SINGLE: "act in one {by} only",
}
_EXPLANATION = (
    "What has one name is one parameter, fully correlated wherever it acts; different names are uncorrelated. Years "
    "are taken from the ends of the names of processes, such as _2018 or _2022_postEE."
)


def _scheme_table(scheme: Scheme) -> Table:
    rows = tuple(
        Row(
            (
                Cell(block.name),
                Cell(row.stem),
                Cell(block.sharing.value),
                Cell(", ".join(scheme.columns[at] for at in block.columns), len(block.columns)),
                Cell(", ".join(block.processes), len(block.processes)),
            ),
            detail=block.name,
        )
        for row in scheme.rows
        for block in row.blocks
    )
    columns = (
        Column("Parameter"),
        Column("Family", help="What names have in common that differ by their end."),
        Column("Sharing"),
        Column(f"{scheme.by.capitalize()}s"),
        Column("Processes"),
    )
    return Table("scheme", columns, rows, "Where each nuisance and rate parameter acts.", filterable=True)
