"""Legends that leave the drawing alone: inside the axes above what is drawn, or at the right of them."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.ticker import FuncFormatter

from pocket_combine.plotting.uncertainties import figure_number

__all__ = ["LEGEND_SIZE", "PlacedLegend", "height_above", "lay_out", "place_legend", "plain_ticks", "wrapped"]

LEGEND_SIZE = 9.0
"""Points."""

_LARGEST_SHARE = 0.45
"""A legend inside the axes takes at most this part of their height."""

_MOST_COLUMNS = 3


@dataclass(frozen=True)
class PlacedLegend:
    """A legend.

    Attributes:
        legend: The legend.
        inside: Whether it lies in the axes, so that room has to be left above what is drawn.
        width: In inches.
    """

    legend: Legend
    inside: bool
    width: float


def _renderer(axes: Axes) -> Any:
    """Return what measures texts in the figure of axes."""
    canvas = axes.get_figure(root=True).canvas  # type: ignore[union-attr]  # axes that are drawn on have a figure
    if not isinstance(canvas, FigureCanvasAgg):
        canvas = FigureCanvasAgg(canvas.figure)
    return canvas.get_renderer()  # type: ignore[no-untyped-call]  # without types


def wrapped(text: str, width: float, size: float = LEGEND_SIZE) -> str:
    r"""Return a text broken into lines that are about as wide as `width` points; mathematics is not broken.

    Examples:
        >>> wrapped("CR_one_and_two", 50.0)
        'CR_one_an\nd_two'
    """
    if "$" in text:
        return text
    return "\n".join(textwrap.wrap(text, max(8, int(width / (0.6 * size)))))


def place_legend(
    axes: Axes, handles: Sequence[Any], labels: Sequence[str], title: str, *, size: float = LEGEND_SIZE
) -> PlacedLegend:
    """Add a legend at the top of axes, in as many columns as fit; beside them if it is too wide or too high."""
    width = axes.get_window_extent().width
    dots = axes.figure.dpi / 72.0
    title = "\n".join(wrapped(line, width / dots, size) for line in title.split("\n"))
    appearance: dict[str, Any] = {
        "title": title,
        "fontsize": size,
        "title_fontsize": size,
        "alignment": "left",
        "frameon": False,
        "handlelength": 1.6,
        "handletextpad": 0.5,
        "columnspacing": 1.0,
        "labelspacing": 0.3,
        "borderpad": 0.2,
        "borderaxespad": 0.8,
    }
    renderer = _renderer(axes)
    for columns in range(min(_MOST_COLUMNS, max(len(handles), 1)), 0, -1):
        legend = axes.legend(handles, labels, loc="upper left", ncols=columns, **appearance)
        box = legend.get_window_extent(renderer)
        if box.width <= width:
            break
    inside = box.width <= width and box.height <= _LARGEST_SHARE * axes.get_window_extent().height
    if not inside:
        rows = max(1, int(axes.get_window_extent().height / dots / (1.5 * size)))
        legend = axes.legend(
            handles,
            labels,
            loc="upper left",
            bbox_to_anchor=(1.0, 1.0),
            ncols=max(1, math.ceil(len(handles) / rows)),
            **appearance,
        )
        box = legend.get_window_extent(renderer)
    return PlacedLegend(legend, inside, box.width / axes.figure.dpi)


def height_above(axes: Axes, placed: PlacedLegend) -> float:
    """Return the part of the height of axes that a legend inside takes; 0 for one beside them."""
    if not placed.inside:
        return 0.0
    box = placed.legend.get_window_extent(_renderer(axes))
    return float((box.height + 1.2 * LEGEND_SIZE * axes.figure.dpi / 72.0) / axes.get_window_extent().height)


def lay_out(figure: Figure) -> None:
    """Let the layout of a figure be found now, so that what depends on the sizes of its axes can be computed."""
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)


def plain_ticks() -> FuncFormatter:
    """Return a formatter that writes powers of ten at each tick, and no factor in a corner of the figure."""
    return FuncFormatter(lambda value, _: figure_number(value))
