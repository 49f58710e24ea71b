"""The parts of an uncertainty as numbers and as the text of a table."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pocket_combine.errors import StyleError, nearest
from pocket_combine.plotting.impact_values import interval_of
from pocket_combine.plotting.uncertainties import decimals, fixed
from pocket_combine.results import ImpactResult, Interval, Status, UncertaintyGroup

__all__ = [
    "TABLE_FORMATS",
    "breakdown_rows",
    "breakdown_table",
    "found_sides",
    "part_texts",
    "systematic_part",
    "total_of",
]

TABLE_FORMATS = ("markdown", "latex")
_STATISTICS = ("stat", "data statistics")


def breakdown_rows(result: ImpactResult) -> tuple[UncertaintyGroup, ...]:
    """Return the parts of the uncertainty of the first parameter of interest, the data's last.

    A side where the interval ends with the range of the parameter has no parts: they are not numbers.

    Raises:
        StyleError: If the result has no breakdown.
    """
    if not result.breakdown:
        raise StyleError(
            "the impacts have no breakdown of the uncertainty: repeat `pocket-combine impacts` on a card with groups, "
            "or call `impacts` without `groups=[]`"
        )
    return tuple(found_sides(part, interval_of(result)) for part in result.breakdown)


def found_sides(part: UncertaintyGroup, interval: Interval) -> UncertaintyGroup:
    """Return a part of an uncertainty without the sides where the interval ends with the range of the parameter."""
    low = part.low if interval.low_status is Status.CONVERGED else math.nan
    high = part.high if interval.high_status is Status.CONVERGED else math.nan
    return UncertaintyGroup(part.group, low, high)


def total_of(rows: Sequence[UncertaintyGroup], name: str = "total") -> UncertaintyGroup:
    """Return the sum in quadrature of parts of an uncertainty.

    Examples:
        >>> total_of([UncertaintyGroup("theory", 0.3, 0.6), UncertaintyGroup("stat", 0.4, 0.8)])
        UncertaintyGroup(group='total', low=0.5, high=1.0)
    """
    return UncertaintyGroup(name, math.hypot(*(row.low for row in rows)), math.hypot(*(row.high for row in rows)))


def part_texts(rows: Sequence[UncertaintyGroup]) -> list[tuple[str, str]]:
    """Return the upper and the lower parts of an uncertainty as text, with one decimal more than the total needs.

    Args:
        rows: The parts, with the total as the last.

    Examples:
        >>> part_texts([UncertaintyGroup("theory", 0.3, 0.6), UncertaintyGroup("total", 0.5, 1.0)])
        [('+0.600', '-0.300'), ('+1.000', '-0.500')]
    """
    places = decimals((rows[-1].low, rows[-1].high)) + 1
    return [(_part_text("+", row.high, places), _part_text("-", row.low, places)) for row in rows]


def _part_text(sign: str, size: float, places: int) -> str:
    return "–" if math.isnan(size) else f"{sign}{fixed(size, places)}"


def systematic_part(rows: Sequence[UncertaintyGroup]) -> tuple[UncertaintyGroup, UncertaintyGroup] | None:
    """Return the part of the data and the sum of all others, `None` if the part of the data is not among them."""
    if not rows or rows[-1].group not in _STATISTICS:
        return None
    return rows[-1], total_of(rows[:-1], "syst")


def breakdown_table(result: ImpactResult, table_format: str = "markdown") -> str:
    """Return the breakdown as the text of a table: a row per group with both uncertainties, and the total.

    Args:
        result: The impacts.
        table_format: `markdown` or `latex` (a `tabular` that needs no package).

    Raises:
        StyleError: If the result has no breakdown, or there is no such format.
    """
    if table_format not in TABLE_FORMATS:
        raise StyleError(f"no format {table_format!r} of tables: {nearest(table_format, TABLE_FORMATS)}")
    rows = breakdown_rows(result)
    poi = interval_of(result).parameter
    everything = (*rows, total_of(rows))
    cells = [(row.group, *texts) for row, texts in zip(everything, part_texts(everything), strict=True)]
    return _markdown(poi, cells) if table_format == "markdown" else _latex(poi, cells)


def _markdown(poi: str, cells: Sequence[tuple[str, str, str]]) -> str:
    rows = [
        (f"Uncertainty of {poi}", "upper", "lower"),
        *((group.replace("|", r"\|"), *both) for group, *both in cells),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        "| " + " | ".join([row[0].ljust(widths[0]), row[1].rjust(widths[1]), row[2].rjust(widths[2])]) + " |"
        for row in rows
    ]
    rule = f"|{'-' * (widths[0] + 2)}|{'-' * (widths[1] + 1)}:|{'-' * (widths[2] + 1)}:|"
    return "\n".join([lines[0], rule, *lines[1:]]) + "\n"


_LATEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
_LATEX |= {letter: f"\\{letter}" for letter in "&%$#_{}"}


def _latex(poi: str, cells: Sequence[tuple[str, str, str]]) -> str:
    lines = [
        r"\begin{tabular}{lrr}",
        r"\hline",
        rf"Uncertainty of {_escaped(poi)} & upper & lower \\",
        r"\hline",
        *(_latex_row(cell) for cell in cells[:-1]),
        r"\hline",
        _latex_row(cells[-1]),
        r"\hline",
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def _latex_row(cell: tuple[str, str, str]) -> str:
    sizes = ("--" if size == "–" else f"${size}$" for size in cell[1:])
    return f"{_escaped(cell[0])} & {' & '.join(sizes)} \\\\"


def _escaped(text: str) -> str:
    return "".join(_LATEX.get(letter, letter) for letter in text)
