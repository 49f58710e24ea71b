"""Intervals and shares in the words of a report."""

from __future__ import annotations

import math

from pocket_combine.effects import ColumnEffect
from pocket_combine.plotting.uncertainties import interval_decimals, plain_asymmetric
from pocket_combine.report.contents import Cell, Mark
from pocket_combine.results import Interval, Status
from pocket_combine.wording import rounded, short_percent

__all__ = ["interval_words", "measured", "number_cell", "text_cells", "yield_cells"]

_NOISE = 1e-6


def interval_words(interval: Interval) -> str:
    """Return a parameter with its best fit and its interval, without an end that is none.

    Examples:
        >>> interval_words(Interval("r", 1.0, 0.749, 1.317, 0.5))
        'r = 1.00 +0.32 -0.25'
        >>> interval_words(Interval("r", 0.4, 0.0, 1.1, 0.5, low_status=Status.AT_BOUNDARY))
        'r = 0.40 +0.70 (lower end: at boundary)'
        >>> interval_words(Interval("r", 1.0, 0.0, 110.2, 0.5, low_status=Status.AT_BOUNDARY))
        'r = 1.0 +109.2 (lower end: at boundary)'
    """
    ends = (("lower", interval.low_status), ("upper", interval.high_status))
    lost = [f"{side} end: {status.value}" for side, status in ends if status is not Status.CONVERGED]
    below = interval.best - interval.low if interval.low_status is Status.CONVERGED else math.nan
    above = interval.high - interval.best if interval.high_status is Status.CONVERGED else math.nan
    text = f"{interval.parameter} = {plain_asymmetric(interval.best, below, above, interval_decimals(interval))}"
    return f"{text} ({', '.join(lost)})" if lost else text


def measured(value: float, error: float) -> str:
    """Return a value with a symmetric uncertainty.

    Examples:
        >>> measured(0.0213, 0.098), measured(0.5, float("nan"))
        ('0.021 ± 0.098', '0.50 ± ?')
    """
    text = plain_asymmetric(value, error, error)
    number, _, rest = text.partition(" +")
    return f"{number} ± {rest.partition(' ')[0] or '?'}"


def number_cell(value: float, form: str = ".3g", mark: Mark | None = None) -> Cell:
    """Return a cell with a number, which is sorted by its value; a dash where it is none.

    Args:
        value: The number; what a fit cannot tell from 0 is shown as 0.
        form: How it is shown.
        mark: How the cell is coloured.

    Examples:
        >>> number_cell(0.12345), number_cell(float("nan")), number_cell(-4e-8, "+.2f").text
        (Cell(text='0.123', value=0.12345, mark=None), Cell(text='–', value=None, mark=None), '0.00')
    """
    if not math.isfinite(value):
        return Cell("–", mark=mark)
    text = format(rounded(value, _NOISE), form)
    return Cell(text if float(text.replace(",", "").rstrip("%")) else text.lstrip("-+"), value, mark)


def yield_cells(effect: ColumnEffect) -> tuple[Cell, Cell]:
    """Return cells with the changes of a yield at +1 and -1 standard deviation."""
    up, down = effect.yield_up - 1.0, effect.yield_down - 1.0
    return Cell(short_percent(up), up), Cell(short_percent(down), down)


def text_cells(*texts: str) -> tuple[Cell, ...]:
    """Return cells with texts.

    Examples:
        >>> text_cells("a", "b")
        (Cell(text='a', value=None, mark=None), Cell(text='b', value=None, mark=None))
    """
    return tuple(Cell(text) for text in texts)
