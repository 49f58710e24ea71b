"""Upper limits of categories, such as channels, beside each other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from pocket_combine.plotting.axis_titles import set_value_ticks
from pocket_combine.plotting.canvas import add_labels, style_context
from pocket_combine.plotting.data_words import only_simulation
from pocket_combine.plotting.limit_axes import BANDS, MIDDLE, PLAIN, LimitOptions, limit_title, set_scale
from pocket_combine.plotting.limit_points import LimitPoints
from pocket_combine.plotting.rows import NAME_SIZE, name_rows
from pocket_combine.plotting.sheets import Sheet, head_width, text_width
from pocket_combine.plotting.style import Style
from pocket_combine.plotting.uncertainties import asymmetric, decimals, fixed, typographic
from pocket_combine.results import LimitResult

__all__ = ["LimitBarArtists", "draw_limit_bars", "limit_bars_figure"]

_ROW, _BAR_HEIGHT = 0.36, 0.7
"""Inches from one category to the next, and the part of it that is filled."""


@dataclass(frozen=True)
class LimitBarArtists:
    """What was drawn.

    Attributes:
        bands: The 68 % and the 95 % band, one bar for each category where it was found.
        median: Expected limits.
        observed: Observed limits; `None` in blind results.
        numbers: Texts with the limits, one for each category.
    """

    bands: tuple[BarContainer, BarContainer]
    median: Line2D
    observed: Line2D | None
    numbers: tuple[Text, ...]


def draw_limit_bars(
    axes: Axes,
    limits: Mapping[str, LimitResult],
    *,
    style: Style | None = None,
    options: LimitOptions = PLAIN,
) -> LimitBarArtists:
    """Draw limits of categories, such as channels, as horizontal bars, the first at the top.

    Args:
        axes: The axes.
        limits: Results by name of the category.
        style: Names.
        options: Scale and colours.

    Raises:
        StyleError: As `draw_limits`.
    """
    style = style or Style()
    points = LimitPoints.of(list(limits.values()))
    rows = np.arange(len(limits), dtype=np.float64)
    name_rows(axes, [style.channel(name).label or name for name in limits])
    bands = []
    for at, ((low, high, name), colour) in enumerate(zip(BANDS, options.colours, strict=True)):
        begin, end = points.expected[:, low], points.expected[:, high]
        seen = np.isfinite(begin) & np.isfinite(end)
        bands.append(
            axes.barh(
                rows[seen],
                (end - begin)[seen],
                _BAR_HEIGHT,
                left=begin[seen],
                color=colour,
                linewidth=0.0,
                label=name,
                zorder=1.5 - 0.1 * at,
            )
        )
    middle = points.expected[:, MIDDLE]
    (median,) = axes.plot(middle, rows, "|", color="black", markersize=16.0, label="Median expected", zorder=3)
    observed = None
    if points.unblinded.any():
        (observed,) = axes.plot(points.observed, rows, "o", color="black", markersize=4.0, label="Observed", zorder=4)
    axes.set_xlabel(limit_title(points, style), fontsize=NAME_SIZE + 2.0)
    set_scale(axes, "x", points.found(), options.logarithmic)
    if axes.get_xscale() == "linear":
        set_value_ticks(axes)
    numbers = tuple(
        axes.annotate(
            text,
            (1.0, row),
            (5.0, 0.0),
            xycoords=axes.get_yaxis_transform(),
            textcoords="offset points",
            ha="left",
            va="center",
            fontsize=NAME_SIZE,
        )
        for row, text in zip(rows, _numbers(points), strict=True)
    )
    return LimitBarArtists((bands[0], bands[1]), median, observed, numbers)


def _numbers(points: LimitPoints) -> list[str]:
    """Return the limits as text."""
    result = []
    for row, observed, unblinded in zip(points.expected, points.observed, points.unblinded, strict=True):
        middle = row[MIDDLE]
        below, above = middle - row[1], row[3] - middle
        expected = asymmetric(middle, below, above) if math.isfinite(middle) else "not found"
        text = f"exp. {expected}"
        if unblinded:
            seen = typographic(fixed(observed, decimals((below, above)))) if math.isfinite(observed) else "not found"
            text = f"obs. {seen}, {text}"
        result.append(text)
    return result


def limit_bars_figure(
    limits: Mapping[str, LimitResult],
    *,
    style: Style | None = None,
    options: LimitOptions = PLAIN,
) -> Figure:
    """Return a figure of limits of categories; see `draw_limit_bars`."""
    style = style or Style()
    points = LimitPoints.of(list(limits.values()))
    with style_context():
        names = text_width((style.channel(name).label or name for name in limits), NAME_SIZE)
        numbers = text_width(_numbers(points), NAME_SIZE)
        size = max(4.0, head_width(style.labels, simulation=only_simulation(limits.values())))
        sheet = Sheet(names + size + numbers + 0.4, _ROW * len(limits) + 1.35)
        axes = sheet.axes(names + 0.2, 0.42, size, _ROW * len(limits))
        draw_limit_bars(axes, limits, style=style, options=options)
        add_labels(axes, style.labels, simulation=only_simulation(limits.values()))
        handles, texts = axes.get_legend_handles_labels()
        sheet.figure.legend(
            handles, texts, loc="lower right", bbox_to_anchor=(1.0, 0.0), ncols=4, fontsize=NAME_SIZE, markerscale=0.7
        )
    return sheet.figure
