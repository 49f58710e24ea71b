"""Impacts of nuisances on the parameter of interest, and the breakdown of its uncertainty."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pocket_combine.plotting.pull_values import pull_of_impact
from pocket_combine.plotting.uncertainties import decimals, signed
from pocket_combine.report.contents import Cell, Column, Mark, Row, Table
from pocket_combine.report.drafts import Draft, Drawing, Material, PartDraft
from pocket_combine.report.run import Outcome
from pocket_combine.report.words import interval_words, number_cell
from pocket_combine.results import Impact, ImpactResult, Interval, Status

__all__ = ["build_impacts", "ranked"]

_NAMED = 3
_DRAWN = 60
"""Nuisances in the figures of a report: two pages."""
_NEAR = 1e-6
"""Part of an interval that a best fit may be away from an edge that it is at."""


def build_impacts(material: Material) -> Draft:
    """Return the impacts in all data sets."""
    found = material.results(ImpactResult, "impacts")
    parts: list[PartDraft] = []
    for outcome, result in reversed(found):
        parts += _parts(material, outcome, result)
    outcome, main = found[-1]
    first = ranked(main, material.poi)[:_NAMED]
    names = ", ".join(f"{item.parameter} ({_sides(item, material.poi)})" for item in first) or "none"
    lead = (
        f"Largest impacts on {material.poi} in {material.describe(outcome.step.sample)}, with the nuisance down/up: "
        f"{names}; "
        f"{', '.join(interval_words(interval) for interval in main.pois)}"
    )
    cut = any(interval.parameter == material.poi and _is_at_edge(interval) for interval in main.pois)
    if cut:
        lead += f"; {material.poi} is at the edge of its range, which cuts impacts"
    numbers = {outcome.step.name: _numbers(result) for outcome, result in found}
    return Draft(f"{lead}.", Mark.NOTICE if cut else Mark.GOOD, tuple(parts), numbers)


def ranked(result: ImpactResult, poi: str) -> list[Impact]:
    """Return the impacts that were found, the largest first."""
    usable = [impact for impact in result.impacts if all(status.usable for status in impact.statuses)]
    return sorted(usable, key=lambda impact: (-impact.impact(poi), impact.parameter))


def _is_at_edge(interval: Interval) -> bool:
    """Return whether the best fit is where the range of the parameter ends."""
    ends = ((interval.low, interval.low_status), (interval.high, interval.high_status))
    near = _NEAR * (interval.high - interval.low)
    return any(status is Status.AT_BOUNDARY and abs(end - interval.best) <= near for end, status in ends)


def _numbers(result: ImpactResult) -> dict[str, Any]:
    return {
        "pois": {
            interval.parameter: {"best": interval.best, "low": interval.low, "high": interval.high}
            for interval in result.pois
        },
        "impacts": {
            impact.parameter: {interval.parameter: impact.impact(interval.parameter) for interval in result.pois}
            for impact in result.impacts
        },
        "breakdown": {part.group: {"low": part.low, "high": part.high} for part in result.breakdown},
    }


def _sides(impact: Impact, poi: str) -> str:
    low, best, high = impact.values[poi]
    places = decimals((low - best, high - best))
    return f"{signed(low - best, places)}/{signed(high - best, places)}"


def _parts(material: Material, outcome: Outcome, result: ImpactResult) -> Iterator[PartDraft]:
    sample = outcome.step.sample
    data = material.describe(sample)
    style = material.options.style
    if result.impacts:
        more = f"; {len(result.impacts) - _DRAWN} more are in the table" if len(result.impacts) > _DRAWN else ""
        yield Drawing(
            outcome.step.name,
            f"Impacts on {material.poi} in {data}, the largest first{more}.",
            f"Impacts of nuisances on {material.poi}, with their pulls.",
            "impacts_figures",
            (result,),
            {"style": style, "most": _DRAWN},
        )
    if result.breakdown:
        yield Drawing(
            f"breakdown-{sample.value}",
            f"What the uncertainty of {material.poi} is made of, in {data}.",
            f"Uncertainty of {material.poi} by group of nuisances.",
            "breakdown_figure",
            (result,),
            {"style": style},
        )
        yield _breakdown(material, outcome, result)
    if result.impacts:
        yield _table(material, outcome, result)


def _breakdown(material: Material, outcome: Outcome, result: ImpactResult) -> Table:
    rows = tuple(Row((Cell(part.group), number_cell(part.low), number_cell(part.high))) for part in result.breakdown)
    caption = (
        f"Uncertainty of {material.poi} in {material.describe(outcome.step.sample)}, by group. Groups are frozen one "
        "after the other; the parts add up in quadrature."
    )
    columns = (Column("Group"), Column("−", number=True), Column("+", number=True))
    return Table(f"breakdown-{outcome.step.sample.value}", columns, rows, caption)


def _table(material: Material, outcome: Outcome, result: ImpactResult) -> Table:
    poi = material.poi
    lost = [impact for impact in result.impacts if not all(status.usable for status in impact.statuses)]
    rows = [_row(impact, poi, None) for impact in ranked(result, poi)]
    rows += [_row(impact, poi, Mark.BAD) for impact in lost]
    columns = (
        Column("Nuisance"),
        Column("Impact", number=True, help=f"The larger change of {poi}."),
        Column(f"Δ{poi} down", number=True, help=f"Change of {poi} with the nuisance at its lower end."),
        Column(f"Δ{poi} up", number=True, help=f"Change of {poi} with the nuisance at its upper end."),
        Column("Pull", number=True),
        Column("Constraint", number=True, help="Uncertainty after the fit / uncertainty before it."),
        Column("Kind"),
        Column("Groups"),
    )
    caption = (
        f"Impacts on {poi} in {material.describe(outcome.step.sample)}. A click opens the templates that drive them."
    )
    return Table(outcome.step.name, columns, tuple(rows), caption, filterable=True)


def _row(impact: Impact, poi: str, mark: Mark | None) -> Row:
    low, best, high = impact.values[poi]
    pull = pull_of_impact(impact)
    cells: Sequence[Cell] = (
        Cell(impact.parameter, mark=mark),
        number_cell(impact.impact(poi), ".3g", mark),
        number_cell(low - best, "+.3g"),
        number_cell(high - best, "+.3g"),
        number_cell(pull.pull, "+.2f"),
        number_cell(pull.constraint, ".2f"),
        Cell(impact.kind),
        Cell(", ".join(impact.groups)),
    )
    return Row(tuple(cells), detail=impact.parameter)
