"""Axes made of rows: names at the left, something drawn beside each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D

from pocket_combine.templates import FloatArray

__all__ = ["NAME_SIZE", "ROW_HEIGHT", "Bars", "draw_bars", "name_rows", "value_limits"]

ROW_HEIGHT = 0.21
"""Inches from one row to the next."""
NAME_SIZE = 9.0


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
