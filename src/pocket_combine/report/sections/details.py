"""What opens when a nuisance is clicked: its impact and pull, its effects, and the templates that drive them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pocket_combine.effects import NuisanceEffect, nuisance_effects
from pocket_combine.plotting.pull_values import pull_of_impact
from pocket_combine.plotting.variations import Variation, largest_by_nuisance
from pocket_combine.report.commands import command_line
from pocket_combine.report.contents import Cell, Column, Paragraph, Row, Table
from pocket_combine.report.drafts import Drawing, Material, PartDraft
from pocket_combine.report.sections.impacts import ranked
from pocket_combine.report.words import number_cell, yield_cells
from pocket_combine.results import Impact, ImpactResult
from pocket_combine.wording import short_percent

__all__ = ["DetailDraft", "draft_details"]

_EFFECTS = 30
_PANELS = 6
_RESOLUTION = 90.0
"""Of the many small figures; the command below each draws it anew as PDF."""


@dataclass(frozen=True)
class DetailDraft:
    """A detail before its figures are drawn; see `Detail`."""

    key: str
    title: str
    parts: tuple[PartDraft, ...]


def draft_details(material: Material) -> dict[str, DetailDraft]:
    """Return a detail for each nuisance of the card and each other parameter that has an impact, by name."""
    subject = material.subject
    effects = {effect.name: effect for effect in nuisance_effects(subject.card, subject.templates)}
    impacts: dict[str, list[tuple[str, Impact]]] = {}
    order: list[str] = []
    for outcome, result in material.results(ImpactResult, "impacts"):
        for impact in result.impacts:
            impacts.setdefault(impact.parameter, []).append((material.describe(outcome.step.sample), impact))
        order = [impact.parameter for impact in ranked(result, material.poi)]
    by_size = sorted(effects, key=lambda name: (-effects[name].size, name))
    drawn = set(
        [name for name in dict.fromkeys([*order, *by_size]) if name in effects and effects[name].columns][
            : material.options.details
        ]
    )
    variations = largest_by_nuisance(material.subject.card, material.subject.templates, most=_PANELS, nuisances=drawn)
    details = {}
    for name in (*effects, *(name for name in impacts if name not in effects)):
        parts: list[PartDraft] = []
        if name in effects:
            parts += _templates(material, effects[name], variations.get(name, ()))
        if name in impacts:
            parts.append(_impact_table(material, impacts[name]))
        if name in effects:
            parts.append(_effects_table(effects[name]))
        details[name] = DetailDraft(name, name, tuple(parts))
    return details


def _templates(material: Material, effect: NuisanceEffect, shown: tuple[Variation, ...]) -> Iterator[PartDraft]:
    """Yield what a nuisance does where it does most, and the command that draws it all."""
    if shown:
        yield Drawing(
            f"templates-{effect.name}",
            f"{effect.name} where it acts most: changes relative to the nominal template, and its statistical error.",
            f"Templates of the processes that {effect.name} changes most.",
            "nuisance_sheet",
            (effect.name, shown),
            {"style": material.options.style},
            resolution=_RESOLUTION,
            is_document=False,
        )
    shapes = [column for column in effect.columns if column.moved_up is not None]
    if shapes:
        path, channel = material.subject.card_of(max(shapes, key=lambda column: column.size).channel)
        words = ["--nuisance", effect.name, "--channel", channel]
        yield Paragraph(command_line("plot templates", [path], *words), code=True)


def _impact_table(material: Material, impacts: list[tuple[str, Impact]]) -> Table:
    poi = material.poi
    rows = []
    for data, impact in impacts:
        low, best, high = impact.values[poi]
        pull = pull_of_impact(impact)
        rows.append(
            Row(
                (
                    Cell(data),
                    number_cell(low - best, "+.3g"),
                    number_cell(high - best, "+.3g"),
                    number_cell(impact.fit[1], ".3g"),
                    number_cell(pull.pull, "+.2f"),
                    number_cell(pull.constraint, ".2f"),
                )
            )
        )
    columns = (
        Column("Data"),
        Column(f"Δ{poi} down", number=True),
        Column(f"Δ{poi} up", number=True),
        Column("Fitted", number=True),
        Column("Pull", number=True),
        Column("Constraint", number=True),
    )
    return Table("impacts", columns, tuple(rows), f"Impacts on {poi}.")


def _effects_table(effect: NuisanceEffect) -> Table:
    ordered = sorted(effect.columns, key=lambda column: -column.size)
    rows = tuple(
        Row(
            (
                Cell(column.channel),
                Cell(column.process),
                Cell(column.kind),
                *yield_cells(column),
                _share(column.moved_up),
                _share(column.moved_down),
                number_cell(column.size, ".2f"),
            )
        )
        for column in ordered[:_EFFECTS]
    )
    columns = (
        Column("Channel"),
        Column("Process"),
        Column("Type"),
        Column("Yield up", number=True),
        Column("Yield down", number=True),
        Column("Moved up", number=True, help="Share of the events that change their bin."),
        Column("Moved down", number=True),
        Column("Size", number=True, help="Change in standard deviations of the data of the channel."),
    )
    left_out = len(ordered) - len(rows)
    more = f" The {left_out} smallest are not shown." if left_out else ""
    return Table("effects", columns, rows, f"Effects at one standard deviation, the largest first.{more}")


def _share(moved: float | None) -> Cell:
    return Cell("–") if moved is None else Cell(short_percent(moved, sign=False), moved)
