"""What toys say: goodness of fit, and the bias test."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pocket_combine.plotting.toy_numbers import Moments, p_value_text
from pocket_combine.report.contents import Cell, Column, Mark, Row, Table
from pocket_combine.report.drafts import Draft, Drawing, Material, PartDraft
from pocket_combine.report.run import Outcome
from pocket_combine.report.words import measured, number_cell
from pocket_combine.results import GoodnessOfFitResult, ToyResult
from pocket_combine.wording import counted

__all__ = ["build_bias", "build_goodness"]

_SMALL_P_VALUE = 0.05
_MOST_ERRORS = 3.0
"""From how many standard errors on a mean or a width of pulls is worth a look."""


def build_goodness(material: Material) -> Draft:
    """Return the goodness of fit; of toys alone in a blind report."""
    ((_, result),) = material.results(GoodnessOfFitResult, "goodness")
    toys = counted(result.toys.size, "toy")
    moments = Moments.of(result.toys)
    mark = Mark.GOOD
    if result.statistic is None and not result.toys.size:
        lead, mark = "Blind: the data are not tested, and no fit of a toy can be used.", Mark.BAD
    elif result.statistic is None:
        lead = (
            f"Blind: the data are not tested. In {toys} the statistic is {moments.mean:.4g} on average, with a "
            f"standard deviation of {moments.width:.2g}."
        )
    elif result.p_value is None:
        lead = f"The statistic of the data is {result.statistic:.4g}; there are no toys to compare it with."
    else:
        words = p_value_text(result.p_value, result.toys.size)
        lead = f"{words}: the statistic is {result.statistic:.4g}, in {toys} {moments.mean:.4g} on average."
        mark = Mark.NOTICE if result.p_value < _SMALL_P_VALUE else Mark.GOOD
    parts: list[PartDraft] = []
    if result.toys.size:
        parts.append(
            Drawing(
                "goodness",
                f"Test statistic ({result.algorithm}) in toys{'' if result.statistic is None else ' and of the data'}.",
                "Distribution of the test statistic in toys.",
                "goodness_figure",
                (result,),
                {"style": material.options.style},
            )
        )
    if result.by_channel:
        rows = tuple(Row((Cell(name), number_cell(part, ".4g"))) for name, part in result.by_channel.items())
        columns = (Column("Channel"), Column("Statistic", number=True))
        parts.append(Table("by-channel", columns, rows, "Parts of the statistic; constraint terms are not among them."))
    numbers: dict[str, Any] = {
        "algorithm": result.algorithm,
        "statistic": result.statistic,
        "p_value": result.p_value,
        "toys": int(result.toys.size),
        "toys_mean": moments.mean,
        "toys_width": moments.width,
    }
    return Draft(lead, mark, tuple(parts), numbers)


def build_bias(material: Material) -> Draft:
    """Return means and widths of pulls in toys with known signals."""
    found = [(outcome, result) for outcome, result in material.results(ToyResult, "bias") if result.pulls.size > 1]
    if not found:
        return Draft("No fit of a toy can be used.", Mark.BAD)
    suspicious = [result.injected for _, result in found if _is_suspicious(Moments.of(result.pulls))]
    means = ", ".join(
        f"{measured(moments.mean, moments.mean_error)} at {result.poi} = {result.injected:g}"
        for _, result in found
        for moments in [Moments.of(result.pulls)]
    )
    lead = f"Mean pull {means}"
    lead += (
        f": more than {_MOST_ERRORS:g} standard errors from 0, or a width as far from 1, at "
        f"{', '.join(f'{value:g}' for value in suspicious)}."
        if suspicious
        else f": means are 0 and widths 1 within {_MOST_ERRORS:g} standard errors of the toys."
    )
    drawing = Drawing(
        "bias",
        "Means and widths of pulls, and best fits and pulls of toys.",
        "Distributions of best fits and pulls in toys.",
        "toys_figures",
        ([result for _, result in found],),
        {"style": material.options.style},
    )
    numbers = {outcome.step.name: _numbers(result) for outcome, result in found}
    return Draft(lead, Mark.NOTICE if suspicious else Mark.GOOD, (_table(found), drawing), numbers)


def _is_suspicious(pulls: Moments) -> bool:
    """Return whether pulls contradict mean 0 and width 1; the error of the width is that of pulls of width 1."""
    width_error = 1.0 / math.sqrt(2.0 * (pulls.count - 1))
    return abs(pulls.mean) > _MOST_ERRORS * pulls.mean_error or abs(pulls.width - 1.0) > _MOST_ERRORS * width_error


def _numbers(result: ToyResult) -> dict[str, Any]:
    pulls = Moments.of(result.pulls)
    return {
        "injected": result.injected,
        "toys": pulls.count,
        "failed": result.failed,
        "mean_best_fit": Moments.of(result.values).mean,
        "mean_pull": pulls.mean,
        "mean_pull_error": pulls.mean_error,
        "pull_width": pulls.width,
        "pull_width_error": pulls.width_error,
    }


def _table(found: Sequence[tuple[Outcome, ToyResult]]) -> Table:
    rows = []
    for _, result in found:
        values, pulls = Moments.of(result.values), Moments.of(result.pulls)
        rows.append(
            Row(
                (
                    Cell(f"{result.poi} = {result.injected:g}", result.injected),
                    Cell(str(result.pulls.size), result.pulls.size),
                    Cell(str(result.failed), result.failed, Mark.BAD if result.failed else None),
                    *(
                        Cell(measured(value, error), value)
                        for value, error in (
                            (values.mean, values.mean_error),
                            (pulls.mean, pulls.mean_error),
                            (pulls.width, pulls.width_error),
                        )
                    ),
                )
            )
        )
    columns = (
        Column("Injected", number=True),
        Column("Toys", number=True),
        Column("Failed", number=True),
        Column("Mean best fit", number=True),
        Column("Mean pull", number=True, help="(Best fit - injected) / uncertainty on the side of the injected value."),
        Column("Width of pulls", number=True, help="1 where uncertainties are right."),
    )
    return Table("bias", columns, tuple(rows), "Fits of toys with a known signal.")
