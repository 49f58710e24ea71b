"""The uncertainty of a parameter of interest by groups of nuisances: as a figure and as a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from pocket_combine.plotting.breakdown_values import breakdown_rows, part_texts, total_of
from pocket_combine.plotting.canvas import style_context
from pocket_combine.plotting.data_words import data_name, only_simulation
from pocket_combine.plotting.impact_values import interval_of
from pocket_combine.plotting.palette import DOWN_COLOUR, UP_COLOUR
from pocket_combine.plotting.rows import NAME_SIZE, ROW_HEIGHT, name_rows
from pocket_combine.plotting.sheets import HEAD, LINE, MARGIN, NOTE_SIZE, Sheet, head_width, text_width, wrapped
from pocket_combine.plotting.style import Style, literal
from pocket_combine.plotting.uncertainties import interval_text, typographic
from pocket_combine.results import ImpactResult, UncertaintyGroup

__all__ = ["BreakdownArtists", "breakdown_figure", "draw_breakdown"]

_PANEL = 3.6
_AXIS = 0.5
_ORDER = "Groups are frozen one after the other from the top; what they share counts for the first."
_ROW = 1.25 * ROW_HEIGHT


@dataclass(frozen=True)
class BreakdownArtists:
    """What is drawn.

    Attributes:
        low: One bar per row to the left, as long as the part of the lower uncertainty.
        high: One bar per row to the right.
    """

    low: BarContainer
    high: BarContainer


def draw_breakdown(
    axes: Axes,
    rows: Sequence[UncertaintyGroup],
    *,
    poi: str = "r",
    style: Style = Style(),  # noqa: B008  frozen
) -> BreakdownArtists:
    """Draw parts of an uncertainty, one group to a row: that of the lower one to the left, of the upper to the right.

    Args:
        axes: The axes.
        rows: The parts from the top, such as `breakdown_rows` gives with the total as the last.
        poi: The parameter of interest.
        style: Names of parameters.

    Returns:
        What is drawn.
    """
    name_rows(axes, [literal(row.group) for row in rows])
    axes.set_xlabel(f"uncertainty of {style.parameter(poi)}", fontsize=NAME_SIZE + 1.0)
    sizes = [size for row in rows for size in (row.low, row.high) if math.isfinite(size)]
    edge = 1.1 * (max(sizes, default=0.0) or 1.0)
    places = np.arange(len(rows))
    low, high = (np.nan_to_num([getattr(row, side) for row in rows]) for side in ("low", "high"))
    bars = BreakdownArtists(
        axes.barh(
            places, -low, height=0.7, color="white", edgecolor=DOWN_COLOUR, hatch="//////", linewidth=0.6, zorder=2
        ),
        axes.barh(places, high, height=0.7, color=UP_COLOUR, edgecolor=UP_COLOUR, linewidth=0.6, zorder=2),
    )
    axes.axvline(0.0, color="#888888", linewidth=0.6, zorder=3)
    axes.set_xlim(-edge, edge)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    return bars


def breakdown_figure(
    result: ImpactResult,
    *,
    style: Style = Style(),  # noqa: B008  frozen
) -> Figure:
    """Return a figure of the breakdown of the uncertainty of the first parameter of interest.

    Args:
        result: The impacts.
        style: Labels, and names of parameters.

    Raises:
        StyleError: If the result has no breakdown.
    """
    rows = breakdown_rows(result)
    everything = (*rows, total_of(rows))
    simulation = only_simulation([result])
    interval = interval_of(result)
    data = data_name(result.provenance.data)
    title = f"{style.parameter(interval.parameter)} = {interval_text(interval)}{f'  ({data})' if data else ''}"
    with style_context():
        cells = [[typographic(size) for size in sizes] for sizes in part_texts(everything)]
        widths = [text_width([row[side] for row in cells], NOTE_SIZE) + 0.12 for side in (0, 1)]
        left = MARGIN + text_width([literal(row.group) for row in everything], NAME_SIZE) + 0.1
        panel = max(_PANEL, head_width(style.labels, simulation=simulation), text_width([title], 11.0))
        width = left + panel + sum(widths) + MARGIN
        notes = wrapped(_ORDER, panel)
        top, body = HEAD + 0.22, len(everything) * _ROW
        sheet = Sheet(width, top + body + _AXIS + LINE * (1.1 + len(notes)) + 0.2)
        sheet.write(left, 0.08, title, size=11.0)
        axes = sheet.axes(left, top, panel, body)
        sheet.labels(axes, axes, style.labels, simulation=simulation)
        draw_breakdown(axes, everything, poi=interval.parameter, style=style)
        axes.axhline(len(rows) - 0.5, color="black", linewidth=0.8)
        for at, row in enumerate(cells):
            x = left + panel
            for text, own in zip(row, widths, strict=True):
                x += own
                sheet.write(x, top + (at + 0.5) * _ROW, text, right=True)
        handles = [
            Patch(facecolor=UP_COLOUR, edgecolor=UP_COLOUR, label="upper"),
            Patch(facecolor="white", edgecolor=DOWN_COLOUR, hatch="//////", label="lower uncertainty"),
        ]
        sheet.legend(handles, left, top + body + _AXIS, columns=2)
        for at, note in enumerate(notes):
            sheet.write(left, top + body + _AXIS + LINE * (1.3 + at), note)
    return sheet.figure
