"""Likelihood scans of the parameters of interest, with the part of statistics apart."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from typing import Any

from pocket_combine.errors import StyleError
from pocket_combine.plotting.curves import split_uncertainty
from pocket_combine.plotting.uncertainties import plain_asymmetric
from pocket_combine.report.contents import Cell, Column, Mark, Row, Table
from pocket_combine.report.drafts import Draft, Drawing, Material, PartDraft
from pocket_combine.report.run import Outcome
from pocket_combine.report.words import interval_words, number_cell
from pocket_combine.results import ScanResult, UncertaintyGroup

__all__ = ["build_scan"]

_logger = logging.getLogger(__name__)

_PARTS = ("syst", "stat")
"""What freezing the nuisances takes away, and what it leaves."""


def build_scan(material: Material) -> Draft:
    """Return the scans of all parameters of interest."""
    found = material.results(ScanResult, "scan")
    scans = {outcome.step.name: (outcome, result) for outcome, result in found}
    whole = [entry for name, entry in scans.items() if not name.endswith("-statistics")]
    parts: list[PartDraft] = []
    words: list[str] = []
    numbers: dict[str, Any] = {outcome.step.name: _numbers(result) for outcome, result in found}
    rows = []
    for outcome, result in whole:
        statistical = scans.get(f"{outcome.step.name}-statistics")
        rows += list(_rows(material, outcome, result, statistical[1] if statistical else None))
        if outcome.step.sample is material.data:
            words += _words(result, statistical[1] if statistical else None)
        parts.append(_drawing(material, outcome, result, statistical[1] if statistical else None))
    columns = (
        Column("Data"),
        Column("Parameter"),
        Column("Best fit", number=True),
        Column("Low", number=True),
        Column("High", number=True),
        Column("− stat", number=True, help="With all constrained nuisances at their best fit."),
        Column("+ stat", number=True),
        Column("− syst", number=True, help="What is left, in quadrature."),
        Column("+ syst", number=True),
    )
    table = Table("scan", columns, tuple(rows), "Intervals where −2ΔNLL is 1, from the profile likelihood.")
    mark = Mark.GOOD if words else Mark.BAD
    return Draft(f"{'; '.join(words) or 'No scan can be used'}.", mark, (*parts, table), numbers)


def _split(result: ScanResult, statistical: ScanResult | None) -> dict[str, UncertaintyGroup]:
    """Return the parts of the uncertainty by name, none where they are not known."""
    if statistical is None:
        return {}
    try:
        parts = split_uncertainty({"total": result, "stat only": statistical}, _PARTS)
    except StyleError as error:
        _logger.warning("%s", error)
        return {}
    return {part.group: part for part in parts}


def _words(result: ScanResult, statistical: ScanResult | None) -> Iterator[str]:
    for interval in result.crossings:
        parts = [
            f"{plain_asymmetric(interval.best, part.low, part.high).partition(' ')[2]} ({name})"
            for name, part in _split(result, statistical).items()
        ]
        yield interval_words(interval) + (f", of which {' and '.join(reversed(parts))}" if parts else "")


def _numbers(result: ScanResult) -> dict[str, Any]:
    crossings = {
        interval.parameter: {"best": interval.best, "low": interval.low, "high": interval.high}
        for interval in result.crossings
    }
    points = [
        {"point": point.tolist(), "delta_nll": delta}
        for point, delta in zip(result.points, result.delta_nll.tolist(), strict=True)
    ]
    return {"intervals": crossings, "points": points}


def _rows(material: Material, outcome: Outcome, result: ScanResult, statistical: ScanResult | None) -> Iterator[Row]:
    for interval in result.crossings:
        parts = _split(result, statistical)
        sides = [side for name in reversed(_PARTS) for side in _sides(parts.get(name))]
        yield Row(
            (
                Cell(material.describe(outcome.step.sample)),
                Cell(interval.parameter),
                *(number_cell(number, ".4g") for number in (interval.best, interval.low, interval.high)),
                *(number_cell(number, ".3g") for number in sides),
            )
        )


def _sides(part: UncertaintyGroup | None) -> tuple[float, float]:
    return (math.nan, math.nan) if part is None else (part.low, part.high)


def _drawing(material: Material, outcome: Outcome, result: ScanResult, statistical: ScanResult | None) -> Drawing:
    parameter, data = result.scanned[0], material.describe(outcome.step.sample)
    scans = {"total": result}
    keywords: dict[str, Any] = {"style": material.options.style}
    if statistical is not None:
        scans["stat only"] = statistical
        keywords["parts"] = _PARTS
    return Drawing(
        outcome.step.name,
        f"Profile likelihood of {parameter} in {data}, with all nuisances floating and at their best fit.",
        f"Twice the likelihood difference against {parameter}.",
        "scan_figure",
        (scans,),
        keywords,
    )
