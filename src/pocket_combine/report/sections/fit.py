"""Fits of all data sets: values, pulls, constraints and correlations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from pocket_combine.plotting.pull_values import Pull, ordered, pulls_of
from pocket_combine.report.contents import Cell, Column, Mark, Row, Table
from pocket_combine.report.drafts import Draft, Drawing, Material, PartDraft
from pocket_combine.report.run import Outcome
from pocket_combine.report.words import interval_words, number_cell
from pocket_combine.results import FitResult, Status
from pocket_combine.wording import counted, some_of

__all__ = ["build_fit"]

_LARGE_PULL = 2.0
_STRONG_CONSTRAINT = 0.5
_NO_PULL = 5e-3
"""Pulls that are shown as 0.00, as all those of Asimov data."""
_LARGE_CORRELATION = 0.3
_CORRELATIONS = 30
_ROOM = 80
"""Characters that a sentence has for names."""


def build_fit(material: Material) -> Draft:
    """Return the fits of all data sets."""
    fits = material.results(FitResult, "fit")
    usable = {outcome.step.sample: result for outcome, result in fits if not outcome.problem}
    main = usable.get(material.data)
    parts: list[PartDraft] = [_values(material, fits)]
    lead, mark = "No fit can be used.", Mark.BAD
    numbers: dict[str, Any] = {outcome.step.name: _numbers(result) for outcome, result in fits}
    if usable:
        parts += _pull_figures(material, usable)
    if main is not None:
        pulls = [pull for pull in pulls_of(main) if pull.is_constrained]
        lead, mark = _lead(material, main, pulls)
        parts += [_pulls_table(material, main), *_correlations(material, main)]
    return Draft(lead, mark, tuple(parts), numbers)


def _numbers(result: FitResult) -> dict[str, Any]:
    return {
        "status": result.status.value,
        "nll": result.nll,
        "pois": {
            interval.parameter: {"best": interval.best, "low": interval.low, "high": interval.high}
            for interval in result.intervals
        },
        "pulls": {
            pull.parameter: {"pull": pull.pull, "constraint": pull.constraint}
            for pull in pulls_of(result)
            if pull.is_constrained
        },
    }


def _lead(material: Material, result: FitResult, pulls: Sequence[Pull]) -> tuple[str, Mark]:
    values = ", ".join(interval_words(interval) for interval in result.intervals)
    strong = sum(pull.constraint < _STRONG_CONSTRAINT for pull in pulls)
    large = [pull for pull in pulls if abs(pull.pull) > _LARGE_PULL]
    sentences = [f"{values} in {material.describe(material.data)}"]
    at_edge = result.status is Status.AT_BOUNDARY
    if at_edge:
        sentences.append(f"at the edge of the range: {some_of(result.concerned, _ROOM)}")
    if strong:
        sentences.append(f"{counted(strong, 'nuisance')} of {len(pulls)} constrained to less than half")
    if large:
        worst = max(large, key=lambda pull: abs(pull.pull))
        sentences.append(
            f"{counted(len(large), 'nuisance')} pulled by more than {_LARGE_PULL:g} σ, the most {worst.parameter} by "
            f"{worst.pull:+.1f} σ"
        )
    return f"{'; '.join(sentences)}.", Mark.NOTICE if large or at_edge else Mark.GOOD


def _values(material: Material, fits: Sequence[tuple[Outcome, FitResult]]) -> Table:
    rows = []
    for outcome, result in fits:
        for interval in result.intervals:
            rows.append(
                Row(
                    (
                        Cell(material.describe(outcome.step.sample)),
                        Cell(interval.parameter),
                        number_cell(interval.best, ".4g"),
                        number_cell(interval.low, ".4g"),
                        number_cell(interval.high, ".4g"),
                        Cell(result.status.value, mark=None if result.status.usable else Mark.BAD),
                    )
                )
            )
        if not result.intervals:
            data = Cell(material.describe(outcome.step.sample))
            rows.append(Row((data, *[Cell("–")] * 4, Cell(result.status.value, mark=Mark.BAD))))
    columns = (
        Column("Data"),
        Column("Parameter"),
        Column("Best fit", number=True),
        Column("Low", number=True, help="Lower end of the interval, where the profiled −2ΔNLL is 1."),
        Column("High", number=True, help="Upper end of the interval."),
        Column("Status"),
    )
    return Table("values", columns, tuple(rows), "Parameters of interest.")


def _pull_figures(material: Material, fits: Mapping[Any, FitResult]) -> Iterator[PartDraft]:
    labels = {material.describe(sample): result for sample, result in fits.items()}
    if any(pulls_of(result) for result in labels.values()):
        yield Drawing(
            "pulls",
            "Pulls, (fitted - preferred value) / uncertainty before the fit, and uncertainties after the fit.",
            f"Pulls and constraints of nuisances in {', '.join(labels)}.",
            "pulls_figures",
            (labels,),
            {"style": material.options.style},
        )


def _pulls_table(material: Material, result: FitResult) -> Table:
    rows = []
    pulls = pulls_of(result)
    moved = any(abs(pull.pull) > _NO_PULL for pull in pulls)  # NaN, of parameters without a constraint, is none
    for pull in ordered(pulls, "pull" if moved else "constraint"):
        large = abs(pull.pull) > _LARGE_PULL
        rows.append(
            Row(
                (
                    Cell(pull.parameter),
                    number_cell(pull.fit[1], ".4g"),
                    number_cell((pull.fit[2] - pull.fit[0]) / 2.0, ".3g"),
                    number_cell(pull.pull, "+.2f", Mark.NOTICE if large else None),
                    number_cell(pull.constraint, ".2f"),
                    Cell("" if pull.state.value == "fitted" else pull.state.value),
                ),
                detail=pull.parameter,
            )
        )
    columns = (
        Column("Parameter"),
        Column("Fitted", number=True),
        Column("Uncertainty", number=True),
        Column("Pull", number=True, help="(Fitted - preferred value) / uncertainty before the fit."),
        Column("Constraint", number=True, help="Uncertainty after the fit / uncertainty before it."),
        Column("Remark"),
    )
    order = "largest pull" if moved else "strongest constraint"
    caption = f"Nuisances after the fit of {material.describe(material.data)}, {order} first."
    return Table("pulls", columns, tuple(rows), caption, filterable=True)


def _correlations(material: Material, result: FitResult) -> Iterator[PartDraft]:
    names = [name for name, floats in zip(result.parameters, result.floating, strict=True) if floats]
    if not result.covariance.size or len(names) < 2:
        return
    with np.errstate(divide="ignore", invalid="ignore"):
        matrix = result.correlation()
    first, second = np.triu_indices(len(names), k=1)
    values = matrix[first, second]
    keep = np.flatnonzero(np.isfinite(values) & (np.abs(values) >= _LARGE_CORRELATION))
    order = keep[np.argsort(-np.abs(values[keep]), kind="stable")]
    yield Drawing(
        "correlations",
        "Correlations of the parameters, and blocks of the largest ones where there are many.",
        "Matrix of correlation coefficients.",
        "correlations_figures",
        (result,),
        {"style": material.options.style},
    )
    rows = tuple(
        Row((Cell(names[first[at]]), Cell(names[second[at]]), number_cell(float(values[at]), "+.2f")))
        for at in order[:_CORRELATIONS].tolist()
    )
    if rows:
        more = f", the largest of {order.size}" if order.size > len(rows) else ""
        yield Table(
            "correlations",
            (Column("Parameter"), Column("Parameter"), Column("Correlation", number=True)),
            rows,
            f"Correlations of at least {_LARGE_CORRELATION:g}{more}.",
            filterable=True,
        )
