"""Figures made of rows: names at the left, something drawn beside each, at sizes in inches."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from pocket_combine.plotting.canvas import add_labels, new_figure
from pocket_combine.plotting.style import Labels
from pocket_combine.templates import FloatArray

__all__ = [
    "FAILED_COLOUR",
    "HEAD",
    "LINE",
    "MARGIN",
    "NAME_SIZE",
    "NOTE_SIZE",
    "ROW_HEIGHT",
    "Bars",
    "Sheet",
    "draw_bars",
    "head_width",
    "name_rows",
    "text_width",
    "value_limits",
    "wrapped",
]

ROW_HEIGHT = 0.21
"""Inches from one row to the next."""
NAME_SIZE = 9.0
NOTE_SIZE = 8.0
FAILED_COLOUR = "#c91f16"
"""Of what is said about fits that are no results."""
HEAD = 0.42
"""Inches for the labels above the axes."""
LINE = 0.16
"""Inches from one line of a note to the next."""
MARGIN = 0.1
"""Inches that stay free at the edges."""


def text_width(texts: Iterable[str], size: float, weight: str = "normal") -> float:
    """Return the width of the widest of some texts in inches; 0 without any."""
    figure = new_figure(1.0, 1.0)
    widths = [
        figure.text(0.0, 0.0, text, fontsize=size, fontweight=weight).get_window_extent().width
        for text in dict.fromkeys(texts)
    ]
    return max(widths, default=0.0) / float(figure.dpi)


def wrapped(text: str, width: float, size: float = NOTE_SIZE) -> list[str]:
    """Return a text as lines that are at most some inches wide."""
    letters = max(int(width / text_width(["n"], size)), 10)
    return textwrap.wrap(text, letters, break_on_hyphens=False)


def head_width(labels: Labels, *, simulation: bool) -> float:
    """Return the inches that labels need above axes, with what `add_labels` says of simulation."""
    size = float(mpl.rcParams["font.size"])
    words = [labels.experiment, *(["Simulation"] if simulation else []), labels.text]
    left = text_width([" ".join(words)], size, "bold")
    return left + text_width([labels.right], size) + 0.25


class Sheet:
    """A figure on which axes are placed in inches from its upper left corner.

    Args:
        width: In inches.
        height: In inches.
    """

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self.figure: Figure = new_figure(width, height)
        self.figure.set_layout_engine("none")

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Return new axes."""
        box = (
            left / self.width,
            1.0 - (top + height) / self.height,
            width / self.width,
            height / self.height,
        )
        return self.figure.add_axes(box)

    def write(
        self, x: float, top: float, text: str, *, size: float = NOTE_SIZE, colour: str = "black", right: bool = False
    ) -> None:
        """Write text whose upper left corner is given; whose right end and middle are given if it is to end there."""
        self.figure.text(
            x / self.width,
            1.0 - top / self.height,
            text,
            fontsize=size,
            color=colour,
            ha="right" if right else "left",
            va="center_baseline" if right else "top",
        )

    def legend(self, handles: Sequence[Artist], left: float, top: float, *, columns: int = 1) -> None:
        """Write a legend whose upper left corner is given; each of its lines is 1.1 `LINE` high."""
        self.figure.legend(
            handles=handles,
            loc="upper left",
            bbox_to_anchor=(left / self.width, 1.0 - top / self.height),
            ncols=columns,
            fontsize=NOTE_SIZE,
            borderaxespad=0.0,
            borderpad=0.0,
            handlelength=1.6,
            labelspacing=0.35,
        )

    def count(self, top: float, first: int, shown: int, everything: int) -> None:
        """Write at the right edge which rows a page shows, with the middle of the line at a place.

        Args:
            top: Inches from the top.
            first: Index of the first row.
            shown: How many there are.
            everything: How many all pages have.
        """
        rows = f"{first + 1}–{first + shown}" if shown > 1 else str(first + 1)
        self.write(self.width - MARGIN, top, f"{rows} of {everything} parameters", right=True)

    def warn(self, top: float, lines: Sequence[str]) -> None:
        """Write lines about what is no result, from a place downwards."""
        for at, line in enumerate(lines):
            self.write(MARGIN, top + at * LINE, line, colour=FAILED_COLOUR)

    def labels(self, first: Axes, last: Axes, labels: Labels, *, simulation: bool) -> None:
        """Write the labels above a row of axes, the right one above the last of them.

        Quickest before the axes are filled, because mplhep draws the figure to place them.
        """
        if first is last:
            add_labels(first, labels, simulation=simulation)
            return
        add_labels(first, replace(labels, luminosity=None, energy=None), simulation=simulation)
        last.text(1.0, 1.0, f"{labels.right}", transform=last.transAxes, ha="right", va="bottom")


def name_rows(axes: Axes, labels: Sequence[str], *, size: float = NAME_SIZE) -> None:
    """Give axes one row for each label, the first at the top, with thin lines between them."""
    count = len(labels)
    axes.set_ylim(count - 0.5, -0.5)
    axes.set_yticks(range(count), labels, fontsize=size)
    axes.tick_params(axis="y", which="both", length=0.0)
    axes.minorticks_off()
    axes.tick_params(axis="x", labelsize=NAME_SIZE)
    lines = [((0.0, at + 0.5), (1.0, at + 0.5)) for at in range(count - 1)]
    axes.add_collection(
        LineCollection(
            lines, colors="#d0d0d0", linewidths=0.3, zorder=0.5, transform=axes.get_yaxis_transform(), clip_on=True
        ),
        autolim=False,
    )


@dataclass(frozen=True)
class Bars:
    """Points with horizontal error bars.

    Attributes:
        points: The points, with x and y in data coordinates.
        bars: The error bars.
        arrows: Arrows at the left and the right edge, where a bar or a point leaves the axes.
    """

    points: Line2D
    bars: LineCollection
    arrows: tuple[Line2D, ...]


def draw_bars(
    axes: Axes,
    rows: FloatArray,
    values: FloatArray,
    *,
    limits: tuple[float, float],
    colour: str,
    marker: str = "o",
    label: str = "",
    hollow: bool = False,
) -> Bars:
    """Draw points with error bars, and arrows at the edges of the axes where they go on.

    Args:
        axes: The axes.
        rows: `rows[point]`, the row that each point lies in.
        values: `values[point, 3]`: (low, value, high); ends that are not numbers are left out.
        limits: Where the axes end.
        colour: Colour.
        marker: Marker of the points.
        label: For the legend.
        hollow: Whether the points are not filled.
    """
    low, high = limits
    below, centre, above = (values[:, side] for side in (0, 1, 2))
    begins, ends = np.where(np.isnan(below), centre, below), np.where(np.isnan(above), centre, above)
    seen = np.isfinite(centre) & (ends >= low) & (begins <= high)
    segments = [
        ((max(begin, low), row), (min(end, high), row))
        for begin, end, row, shown in zip(begins, ends, rows, seen, strict=True)
        if shown and end > begin
    ]
    bars = LineCollection(segments, colors=colour, linewidths=1.1, zorder=3)
    axes.add_collection(bars, autolim=False)
    inside = np.isfinite(centre) & (centre >= low) & (centre <= high)
    face = "white" if hollow else colour
    (points,) = axes.plot(
        centre[inside],
        rows[inside],
        marker,
        color=colour,
        markerfacecolor=face,
        markersize=4.0,
        label=label,
        zorder=4,
    )
    left, right = begins < low, ends > high
    pad = 0.012 * (high - low)
    arrows = tuple(
        axes.plot([edge] * int(beyond.sum()), rows[beyond], shape, color=colour, markersize=4.0, zorder=4)[0]
        for edge, beyond, shape in ((low + pad, left, "<"), (high - pad, right, ">"))
    )
    axes.set_xlim(low, high)
    return Bars(points, bars, arrows)


def value_limits(values: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Return the ends of an axis for values: what is more than ten times as large as usual gets an arrow instead."""
    sizes = sorted(max(abs(number) for number in row if math.isfinite(number)) for row in values if _any_finite(row))
    usual = 10.0 * sizes[len(sizes) // 2] if sizes and sizes[len(sizes) // 2] > 0.0 else math.inf
    numbers = [number for row in values for number in row if abs(number) <= usual]
    low, high = min(numbers, default=0.0), max(numbers, default=1.0)
    pad = 0.06 * (high - low) or 1.0
    return low - pad, high + pad


def _any_finite(row: Sequence[float]) -> bool:
    return any(math.isfinite(number) for number in row)
