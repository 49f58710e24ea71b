"""Upper limits with the bands that are expected: against a parameter, or of categories beside each other."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter

from pocket_combine.errors import StyleError
from pocket_combine.plotting.axis_titles import set_titles, set_value_ticks
from pocket_combine.plotting.canvas import add_labels, new_figure, style_context
from pocket_combine.plotting.data_words import only_simulation
from pocket_combine.plotting.legends import PlacedLegend, height_above, place_legend, plain_ticks
from pocket_combine.plotting.limit_points import LimitPoints, quantity_of
from pocket_combine.plotting.rows import FAILED_COLOUR, NAME_SIZE, Sheet, head_width, name_rows, text_width
from pocket_combine.plotting.style import Style
from pocket_combine.plotting.uncertainties import asymmetric
from pocket_combine.results import LimitResult
from pocket_combine.templates import FloatArray

__all__ = [
    "BAND_COLOURS",
    "CLASSIC_BAND_COLOURS",
    "LimitArtists",
    "LimitBarArtists",
    "draw_limit_bars",
    "draw_limits",
    "limit_bars_figure",
    "limits_figure",
]

BAND_COLOURS = ("#607641", "#F5BB54")
"""Of the 68 % and the 95 % band: those that CMS recommends for readers with a colour vision deficiency (`cmsstyle`)."""
CLASSIC_BAND_COLOURS = ("#00CC00", "#FFCC00")
"""The older green and yellow of ROOT (`kGreen+1`, `kOrange`)."""

_LOGARITHMIC_FROM = 5.0
"""Ratio of the largest limit to the smallest from which the axis is logarithmic."""
_FEW_DECADES = 1.6
_MIDDLE = 2
_ROW, _BAR_HEIGHT = 0.36, 0.7
"""Inches from one category to the next, and the part of it that is filled."""
_BANDS = ((1, 3, "68% expected"), (0, 4, "95% expected"))
"""Quantiles at the ends of bands, and their names."""


@dataclass(frozen=True)
class LimitArtists:
    """What was drawn.

    Attributes:
        bands: The 68 % and the 95 % band: areas, and bars at points that have no neighbour.
        median: The line of expected limits.
        observed: The line of observed limits; `None` in blind results.
        theory: The line of a prediction.
        incomplete: Marks of points where a limit was not found.
        legend: The legend.
    """

    bands: tuple[tuple[Artist, ...], tuple[Artist, ...]]
    median: Line2D
    observed: Line2D | None
    theory: Line2D | None
    incomplete: Line2D | None
    legend: PlacedLegend


def draw_limits(
    axes: Axes,
    limits: Mapping[float, LimitResult],
    *,
    style: Style | None = None,
    quantity: str = "",
    theory: Mapping[float, float] | None = None,
    theory_label: str = "Prediction",
    logarithmic: bool | None = None,
    colours: tuple[str, str] = BAND_COLOURS,
) -> LimitArtists:
    """Draw limits against a parameter, such as a mass.

    Bands and lines have a gap where a limit was not found, and a mark at the bottom.

    Args:
        axes: The axes.
        limits: Results by value of the parameter.
        style: Names.
        quantity: What the parameter is, with its unit; the mass by default if the results were made with it.
        theory: A prediction, value by value of the parameter.
        theory_label: Its name.
        logarithmic: Whether limits are on a logarithmic axis; by default if the largest is five times the smallest.
        colours: Of the 68 % and the 95 % band.

    Raises:
        StyleError: If there are no limits, or their parameters of interest or confidence levels differ.
    """
    style = style or Style()
    positions = np.array(sorted(limits), dtype=np.float64)
    points = LimitPoints.of([limits[position] for position in sorted(limits)])
    bands: list[tuple[Artist, ...]] = [
        _draw_band(axes, positions, points.expected[:, low], points.expected[:, high], colour, 1.5 - 0.1 * at)
        for at, ((low, high, _), colour) in enumerate(zip(_BANDS, colours, strict=True))
    ]
    (median,) = axes.plot(positions, points.expected[:, _MIDDLE], "--", color="black", zorder=3)
    if positions.size == 1:  # a line of one point is not seen
        median.set(marker="_", markersize=16.0, linestyle="none")
    handles: list[Artist] = [median, *(Patch(color=colour) for colour in colours)]
    texts = ["Median expected", *(name for _, _, name in _BANDS)]
    observed = predicted = incomplete = None
    if points.unblinded.any():
        (observed,) = axes.plot(positions, points.observed, "o-", color="black", markersize=3.0, zorder=4)
        handles, texts = [observed, *handles], ["Observed", *texts]
    if theory:
        (predicted,) = axes.plot(sorted(theory), [theory[at] for at in sorted(theory)], color="#bd1f01", zorder=3.5)
        handles, texts = [*handles, predicted], [*texts, theory_label]
    if points.incomplete.any():
        (incomplete,) = axes.plot(
            positions[points.incomplete],
            np.full(int(points.incomplete.sum()), 0.02),
            "x",
            color=FAILED_COLOUR,
            transform=axes.get_xaxis_transform(),
            zorder=5,
        )
        handles, texts = [*handles, incomplete], [*texts, "Limit not found"]
    set_titles(axes, quantity or quantity_of(limits), _title(points, style))
    pad = 0.0 if positions.size > 1 else 1.0
    axes.set_xlim(positions.min() - pad, positions.max() + pad)
    set_value_ticks(axes)
    legend = place_legend(axes, handles, texts, "")
    every = np.append(points.found(), list((theory or {}).values()))
    _set_scale(axes, "y", every[np.isfinite(every)], logarithmic, height_above(axes, legend))
    return LimitArtists((bands[0], bands[1]), median, observed, predicted, incomplete, legend)


def _title(points: LimitPoints, style: Style) -> str:
    return f"{100 * points.confidence_level:.4g}% CL upper limit on {style.parameter(points.poi)}"


def _draw_band(
    axes: Axes, positions: FloatArray, low: FloatArray, high: FloatArray, colour: str, height: float
) -> tuple[Artist, ...]:
    """Draw a band between neighbours, and bars at points without one."""
    inside = np.isfinite(low) & np.isfinite(high)
    area = axes.fill_between(positions, low, high, where=inside.tolist(), color=colour, linewidth=0.0, zorder=height)
    beside = np.concatenate([[False], inside, [False]])
    alone = inside & ~beside[:-2] & ~beside[2:]
    if not alone.any():
        return (area,)
    width = 0.3 * float(np.diff(positions).min()) if positions.size > 1 else 0.4
    bars = axes.bar(
        positions[alone], (high - low)[alone], width, bottom=low[alone], color=colour, linewidth=0.0, zorder=height
    )
    return (area, *bars.patches)


def _set_scale(
    axes: Axes, which: Literal["x", "y"], values: FloatArray, logarithmic: bool | None, taken: float = 0.0
) -> None:
    """Choose the range of the axis of limits, and whether it is logarithmic.

    Args:
        axes: The axes.
        which: The axis.
        values: All that is drawn.
        logarithmic: Whether it is wanted; by default if numbers differ much.
        taken: Part of the axis at its end that is left free.
    """
    set_scale, set_range = (axes.set_xscale, axes.set_xlim) if which == "x" else (axes.set_yscale, axes.set_ylim)
    lowest, highest = (float(values.min()), float(values.max())) if values.size else (1.0, 1.0)
    if logarithmic and lowest <= 0:
        raise StyleError(f"a limit of {lowest:.4g} does not fit on a logarithmic axis")
    if logarithmic is None:
        logarithmic = lowest > 0 and highest > _LOGARITHMIC_FROM * lowest
    if not logarithmic:
        bottom = min(0.0, 1.1 * lowest)
        set_range(bottom, bottom + (max(1.1 * highest, 1e-300) - bottom) / (1.0 - taken))
        return
    set_scale("log")
    low, high = math.log10(lowest / 1.6), math.log10(highest * 1.4)
    high = low + (high - low) / (1.0 - taken)
    set_range(10.0**low, 10.0**high)
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_formatter(plain_ticks())
    between = (2, 5) if high - low < _FEW_DECADES else ()
    axis.set_minor_formatter(FuncFormatter(lambda value, _: _between_text(value, between)))


def _between_text(value: float, digits: Sequence[int]) -> str:
    """Return a label for ticks between powers of ten whose first digit is wanted."""
    digit = value / 10.0 ** math.floor(math.log10(value) + 1e-9)
    return f"{value:g}" if 1e-4 <= value < 1e4 and any(abs(digit - wanted) < 1e-6 for wanted in digits) else ""


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
    logarithmic: bool | None = None,
    colours: tuple[str, str] = BAND_COLOURS,
) -> LimitBarArtists:
    """Draw limits of categories, such as channels, as horizontal bars, the first at the top.

    Args:
        axes: The axes.
        limits: Results by name of the category.
        style: Names.
        logarithmic: Whether limits are on a logarithmic axis; by default if the largest is five times the smallest.
        colours: Of the 68 % and the 95 % band.

    Raises:
        StyleError: As `draw_limits`.
    """
    style = style or Style()
    points = LimitPoints.of(list(limits.values()))
    rows = np.arange(len(limits), dtype=np.float64)
    name_rows(axes, [style.channel(name).label or name for name in limits])
    bands = []
    for at, ((low, high, name), colour) in enumerate(zip(_BANDS, colours, strict=True)):
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
    middle = points.expected[:, _MIDDLE]
    (median,) = axes.plot(middle, rows, "|", color="black", markersize=16.0, label="Median expected", zorder=3)
    observed = None
    if points.unblinded.any():
        (observed,) = axes.plot(points.observed, rows, "o", color="black", markersize=4.0, label="Observed", zorder=4)
    axes.set_xlabel(_title(points, style), fontsize=NAME_SIZE + 2.0)
    _set_scale(axes, "x", points.found(), logarithmic)
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
        middle = row[_MIDDLE]
        expected = asymmetric(middle, middle - row[1], row[3] - middle) if math.isfinite(middle) else "not found"
        text = f"exp. {expected}"
        if unblinded:
            text = f"obs. {f'{observed:.3g}' if math.isfinite(observed) else 'not found'}, {text}"
        result.append(text)
    return result


def limits_figure(
    limits: Mapping[float, LimitResult],
    *,
    style: Style | None = None,
    quantity: str = "",
    theory: Mapping[float, float] | None = None,
    theory_label: str = "Prediction",
    logarithmic: bool | None = None,
    colours: tuple[str, str] = BAND_COLOURS,
) -> Figure:
    """Return a figure of limits against a parameter; see `draw_limits`."""
    style = style or Style()
    with style_context():
        figure = new_figure()
        axes = figure.add_subplot()
        artists = draw_limits(
            axes,
            limits,
            style=style,
            quantity=quantity,
            theory=theory,
            theory_label=theory_label,
            logarithmic=logarithmic,
            colours=colours,
        )
        add_labels(axes, style.labels, simulation=only_simulation(limits.values()))
        if not artists.legend.inside:
            figure.set_size_inches(figure.get_figwidth() + artists.legend.width, figure.get_figheight())
    return figure


def limit_bars_figure(
    limits: Mapping[str, LimitResult],
    *,
    style: Style | None = None,
    logarithmic: bool | None = None,
    colours: tuple[str, str] = BAND_COLOURS,
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
        draw_limit_bars(axes, limits, style=style, logarithmic=logarithmic, colours=colours)
        add_labels(axes, style.labels, simulation=only_simulation(limits.values()))
        handles, texts = axes.get_legend_handles_labels()
        sheet.figure.legend(
            handles, texts, loc="lower right", bbox_to_anchor=(1.0, 0.0), ncols=4, fontsize=NAME_SIZE, markerscale=0.7
        )
    return sheet.figure
