"""Scans of one parameter: −2ΔNLL, intervals at confidence levels, and how an uncertainty splits."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from pocket_combine.plotting.axis_titles import set_titles, set_value_ticks
from pocket_combine.plotting.canvas import add_labels, new_figure, style_context
from pocket_combine.plotting.curves import LEVELS, Curve, curves_of, height_of, split_uncertainty
from pocket_combine.plotting.data_words import data_words, only_simulation
from pocket_combine.plotting.legends import PlacedLegend, height_above, place_legend, wrapped
from pocket_combine.plotting.palette import PETROFF_10
from pocket_combine.plotting.sheets import FAILED_COLOUR
from pocket_combine.plotting.style import Style
from pocket_combine.plotting.uncertainties import asymmetric, decimals, exponents, fixed, typographic
from pocket_combine.results import ScanResult, UncertaintyGroup

__all__ = ["LIKELIHOOD", "ScanArtists", "curve_colours", "draw_scan", "level_text", "scan_figure"]

LIKELIHOOD = r"$-2\,\Delta\,\ln L$"
_SHOWN = 2.25
"""Curves are shown up to this multiple of the highest level: three standard deviations for a level of two."""
_SMALL = 9.0
_LONG = 16
"""Longer names of the parameter are not repeated in the legend."""
_MANY = 100
"""So many points still stand apart."""
_LEGEND_WIDTH = 200.0
"""Points."""


@dataclass(frozen=True)
class ScanArtists:
    """What was drawn.

    Attributes:
        curves: One line per scan.
        points: The points of each scan.
        levels: The lines at the levels.
        crossings: Vertical lines at the ends of intervals.
        failed: Marks of points whose fit failed; `None` where there are none.
        legend: The legend, with the numbers.
        names: Names of the levels.
    """

    curves: tuple[Line2D, ...]
    points: tuple[Line2D, ...]
    levels: tuple[Line2D, ...]
    crossings: tuple[Line2D, ...]
    failed: Line2D | None
    legend: PlacedLegend
    names: tuple[Text, ...]


def curve_colours(count: int) -> tuple[str, ...]:
    """Return a colour for each of several curves, black first."""
    return tuple(("black", *PETROFF_10)[at % 11] for at in range(count))


def draw_scan(
    axes: Axes,
    scans: Mapping[str, ScanResult],
    *,
    style: Style | None = None,
    levels: Sequence[float] = LEVELS,
    parts: Sequence[str] = (),
) -> ScanArtists:
    """Draw scans of one parameter as −2ΔNLL with lines at levels and where they are crossed.

    Points whose fit failed are marked at the bottom, and no line goes past them.

    Args:
        axes: The axes.
        scans: Scans by label; one with the label `""` is called after its data.
        style: Names.
        levels: Confidence levels, for one parameter.
        parts: Names of the parts of the uncertainty, see `split_uncertainty`; by default it is not split.

    Raises:
        StyleError: If the scans are not of one and the same parameter, a level is no probability, or the uncertainty
            cannot be split.
    """
    style = style or Style()
    curves = curves_of(scans)
    heights = [height_of(level, 1) for level in levels]
    split = split_uncertainty(scans, parts) if parts else ()
    lines, points, crossings = [], [], []
    mixed = len({curve.data for curve in curves}) > 1
    for curve, colour in zip(curves, curve_colours(len(curves)), strict=True):
        dashed = mixed and curve.data != "observed"
        values, smooth = curve.smooth()
        lines += axes.plot(values, smooth, color=colour, linestyle="--" if dashed else "-", zorder=3)
        points += axes.plot(
            curve.values,
            curve.heights,
            "o",
            color=colour,
            markersize=2.0 if curve.values.size <= _MANY else 0.8,
            zorder=4,
        )
        for height in heights:
            for crossing in curve.crossings(height):
                crossings += axes.plot([crossing] * 2, [0.0, height], ":", color=colour, linewidth=0.9, zorder=2)
    failed = _draw_failed(axes, curves)
    texts = _legend_texts(curves, levels, heights, style.parameter(curves[0].parameter))
    handles, labels = list(lines), texts
    if split:
        handles.append(Line2D([], [], linestyle="none"))
        labels.append(_split_text(curves[0], split))
    if failed is not None:
        handles.append(failed)
        labels.append("Fit failed")
    set_titles(axes, style.parameter(curves[0].parameter), LIKELIHOOD)
    top = _top(curves, heights)
    _set_range(axes, curves, top)
    set_value_ticks(axes)
    title = data_words(curves[0].data) if all(scans) and not mixed else ""
    legend = place_legend(axes, handles, labels, title)
    _set_heights(axes, curves, top, height_above(axes, legend), [*lines, *points])
    level_lines, names = _draw_levels(axes, levels, heights)
    return ScanArtists(tuple(lines), tuple(points), level_lines, tuple(crossings), failed, legend, names)


def _draw_levels(
    axes: Axes, levels: Sequence[float], heights: Sequence[float]
) -> tuple[tuple[Line2D, ...], tuple[Text, ...]]:
    lines, names = [], []
    for level, height in zip(levels, heights, strict=True):
        lines.append(axes.axhline(height, color="#717581", linestyle="--", linewidth=0.8, zorder=1))
        names.append(
            axes.annotate(
                level_text(level),
                (1.0, height),
                (4.0, 0.0),
                xycoords=axes.get_yaxis_transform(),
                textcoords="offset points",
                fontsize=_SMALL,
                va="center",
                ha="left",
                color="#45474d",
            )
        )
    return tuple(lines), tuple(names)


def level_text(level: float) -> str:
    """Return a confidence level.

    Examples:
        >>> level_text(LEVELS[0]), level_text(LEVELS[1]), level_text(0.95)
        ('68.3%', '95.4%', '95%')
    """
    return f"{100 * level:.3g}%"


def _draw_failed(axes: Axes, curves: Sequence[Curve]) -> Line2D | None:
    failed = sorted({float(value) for curve in curves for value in curve.failed})
    if not failed:
        return None
    (marks,) = axes.plot(
        failed,
        [0.02] * len(failed),
        "x",
        color=FAILED_COLOUR,
        markersize=5.0,
        transform=axes.get_xaxis_transform(),
        zorder=5,
    )
    return marks


def _legend_texts(
    curves: Sequence[Curve], levels: Sequence[float], heights: Sequence[float], parameter: str
) -> list[str]:
    """Return a text per curve: label, best fit with the interval at the first level, and the ends at the others."""
    result = []
    name = f"{parameter} = " if len(parameter) <= _LONG else ""
    for curve in curves:
        low, high = curve.interval(heights[0]) if heights else (math.nan, math.nan)
        label = curve.label or data_words(curve.data)
        lines = [*wrapped(label, _LEGEND_WIDTH).split("\n")]
        lines[-1] += f": {name}{asymmetric(curve.best, curve.best - low, high - curve.best)}"
        if len(curves) <= 2:  # more would not leave room for the curves
            places = decimals((curve.best - low, high - curve.best))
            for level, height in zip(levels[1:], heights[1:], strict=True):
                lines.append(f"{level_text(level)}: {_range_text(curve.interval(height), places)}")
        result.append("\n".join(lines))
    return result


def _range_text(ends: tuple[float, float], places: int) -> str:
    begin, end = (typographic(fixed(edge, places)) if math.isfinite(edge) else "outside the scan" for edge in ends)
    return f"[{begin}, {end}]"


def _split_text(curve: Curve, parts: Sequence[UncertaintyGroup]) -> str:
    places = decimals(size for part in parts for size in (part.low, part.high))
    words = [f"${{}}{exponents(part.low, part.high, places)}$ ({part.group})" for part in parts]
    return " ".join([f"= {typographic(fixed(curve.best, places))}", *words])


def _top(curves: Sequence[Curve], heights: Sequence[float]) -> float:
    """Return the height up to which curves are shown."""
    highest = max(heights, default=1.0)
    found = max((float(np.nanmax(curve.heights)) for curve in curves if np.isfinite(curve.heights).any()), default=0.0)
    return min(max(found, 1.15 * highest), _SHOWN * highest)


def _set_range(axes: Axes, curves: Sequence[Curve], top: float) -> None:
    """Show the values where a curve is seen, and those where a fit failed."""
    every = np.concatenate([curve.values for curve in curves])
    seen = np.concatenate([*(curve.values[curve.heights <= top] for curve in curves), *(c.failed for c in curves)])
    low, high = (float(end) for end in ((seen.min(), seen.max()) if seen.size > 1 else (every.min(), every.max())))
    pad = 0.15 * (high - low) or 1.0
    axes.set_xlim(max(low - pad, every.min() - 0.05 * pad), min(high + pad, every.max() + 0.05 * pad))


def _set_heights(axes: Axes, curves: Sequence[Curve], top: float, taken: float, clipped: Sequence[Line2D]) -> None:
    """Show curves up to a height, and leave room for the legend above it."""
    lowest = min((float(np.nanmin(curve.heights)) for curve in curves if np.isfinite(curve.heights).any()), default=0.0)
    bottom, share = min(1.2 * lowest, 0.0), 1.0 - taken
    axes.set_ylim(bottom, bottom + (top - bottom) / share)
    box = Rectangle((0.0, 0.0), 1.0, share, transform=axes.transAxes)
    for line in clipped:
        line.set_clip_path(box)


def scan_figure(
    scans: Mapping[str, ScanResult],
    *,
    style: Style | None = None,
    levels: Sequence[float] = LEVELS,
    parts: Sequence[str] = (),
) -> Figure:
    """Return a figure of scans of one parameter; see `draw_scan`.

    Args:
        scans: Scans by label.
        style: Labels and names.
        levels: Confidence levels.
        parts: Names of the parts of the uncertainty.

    Raises:
        StyleError: As `draw_scan`.
    """
    style = style or Style()
    with style_context():
        figure = new_figure()
        axes = figure.add_subplot()
        artists = draw_scan(axes, scans, style=style, levels=levels, parts=parts)
        add_labels(axes, style.labels, simulation=only_simulation(scans.values()))
        if not artists.legend.inside:
            figure.set_size_inches(figure.get_figwidth() + artists.legend.width, figure.get_figheight())
    return figure
