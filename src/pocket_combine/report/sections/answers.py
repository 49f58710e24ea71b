"""Upper limits and significance."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from pocket_combine.report.contents import Cell, Column, Mark, Paragraph, Row, Table
from pocket_combine.report.drafts import Draft, Drawing, Material, PartDraft
from pocket_combine.report.words import number_cell
from pocket_combine.results import LimitResult, Quantile, SignificanceResult

__all__ = ["build_limits", "build_significance"]

_BANDS = {
    0.025: "expected, −2σ",
    0.16: "expected, −1σ",
    0.5: "expected, median",
    0.84: "expected, +1σ",
    0.975: "expected, +2σ",
}


def build_limits(material: Material) -> Draft:
    """Return the upper limits."""
    ((_, result),) = material.results(LimitResult, "limits")
    limits = {entry.quantile: entry for entry in result.expected}
    median, low, high = (limits.get(quantile) for quantile in (0.5, 0.16, 0.84))
    level = f"{100 * result.confidence_level:g}% confidence level (CLs, asymptotic)"
    parts = []
    if result.observed is not None:
        parts.append(f"observed {_words(result.observed)}")
    if median is not None:
        inner = [entry for entry in (low, high) if entry is not None and entry.status.usable]
        band = f" ({' to '.join(map(_words, inner))} at 68%)" if len(inner) == 2 else ""
        parts.append(f"expected {_words(median)}{band}")
    lead = f"Upper limit on {result.poi} at {level}: {', '.join(parts)}."
    drawing = Drawing(
        "limits",
        f"Upper limits on {result.poi} at {level}.",
        f"Upper limits on {result.poi} with the bands of the expected limit.",
        "limit_bars_figure",
        ({result.poi: result},),
        {"style": material.options.style},
    )
    numbers: dict[str, Any] = {
        "poi": result.poi,
        "confidence_level": result.confidence_level,
        "expected": {f"{entry.quantile:g}": entry.limit for entry in result.expected if entry.quantile is not None},
        "observed": None if result.observed is None else result.observed.limit,
    }
    return Draft(lead, parts=(_limits_table(result), drawing, *_others(material)), numbers=numbers)


def _words(quantile: Quantile) -> str:
    return f"{quantile.limit:.3g}" if quantile.status.usable else quantile.status.value


def _limits_table(result: LimitResult) -> Table:
    named = [(_BANDS.get(entry.quantile or 0.0, f"expected, {entry.quantile:g}"), entry) for entry in result.expected]
    named += [("observed", result.observed)] if result.observed is not None else []
    rows = []
    for name, entry in named:
        found = entry.status.usable
        limit = _small_cell(entry.limit, ".4g") if found else Cell(entry.status.value, mark=Mark.BAD)
        rows.append(Row((Cell(name), limit)))
    return Table("limits", (Column("Limit"), Column(f"on {result.poi}", number=True)), tuple(rows))


def build_significance(material: Material) -> Draft:
    """Return the significance of an excess."""
    found = material.results(SignificanceResult, "significance")
    words = [f"{_significance(result)} in {material.describe(outcome.step.sample)}" for outcome, result in found]
    rows = tuple(
        Row(
            (
                Cell(material.describe(outcome.step.sample)),
                number_cell(result.significance, ".3f"),
                _small_cell(result.p_value, ".3g"),
                number_cell(result.best_fit, ".4g"),
            )
        )
        for outcome, result in found
    )
    columns = (
        Column("Data"),
        Column("Significance / σ", number=True),
        Column("p-value", number=True, help="One-sided, of the background-only hypothesis."),
        Column(f"Best fit of {material.poi}", number=True),
    )
    numbers = {
        outcome.step.name: {"significance": result.significance, "p_value": result.p_value, "best_fit": result.best_fit}
        for outcome, result in found
    }
    table = Table("significance", columns, rows)
    return Draft(f"{'; '.join(words)}.", parts=(table, *_others(material)), numbers=numbers)


def _significance(result: SignificanceResult) -> str:
    return f"{result.significance:.2f} σ" if result.status.usable else f"not known ({result.status.value})"


def _small_cell(number: float, form: str) -> Cell:
    """Return a cell with a number that is not noise, however small it is."""
    return Cell(format(number, form), number) if math.isfinite(number) else Cell("–")


def _others(material: Material) -> Iterator[PartDraft]:
    """Yield a word on the parameters of interest that this section is not about."""
    pois = material.workspaces.pois if material.workspaces is not None else ()
    if len(pois) > 1:
        yield Paragraph(f"This is about {pois[0]}; the likelihood is profiled in {' and '.join(pois[1:])}.")
