"""Upper limits with the bands that are expected, against a parameter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from pocket_combine.plotting.axis_titles import set_titles, set_value_ticks
from pocket_combine.plotting.canvas import add_labels, new_figure, style_context
from pocket_combine.plotting.data_words import only_simulation
from pocket_combine.plotting.legends import PlacedLegend, height_above, place_legend
from pocket_combine.plotting.limit_axes import BANDS, MIDDLE, PLAIN, LimitOptions, Prediction, limit_title, set_scale
from pocket_combine.plotting.limit_points import LimitPoints, quantity_of
from pocket_combine.plotting.sheets import FAILED_COLOUR
from pocket_combine.plotting.style import Style
from pocket_combine.results import LimitResult
from pocket_combine.templates import FloatArray

__all__ = ["LimitArtists", "draw_limits", "limits_figure"]


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
    prediction: Prediction | None = None,
    options: LimitOptions = PLAIN,
) -> LimitArtists:
    """Draw limits against a parameter, such as a mass.

    Bands and lines have a gap where a limit was not found, and a mark at the bottom.

    Args:
        axes: The axes.
        limits: Results by value of the parameter.
        style: Names.
        quantity: What the parameter is, with its unit; the mass by default if the results were made with it.
        prediction: A line beside the limits.
        options: Scale and colours.

    Raises:
        StyleError: If there are no limits, or their parameters of interest or confidence levels differ.
    """
    style = style or Style()
    positions = np.array(sorted(limits), dtype=np.float64)
    points = LimitPoints.of([limits[position] for position in sorted(limits)])
    bands: list[tuple[Artist, ...]] = [
        _draw_band(axes, positions, points.expected[:, low], points.expected[:, high], colour, 1.5 - 0.1 * at)
        for at, ((low, high, _), colour) in enumerate(zip(BANDS, options.colours, strict=True))
    ]
    (median,) = axes.plot(positions, points.expected[:, MIDDLE], "--", color="black", zorder=3)
    if positions.size == 1:  # a line of one point is not seen
        median.set(marker="_", markersize=16.0, linestyle="none")
    handles: list[Artist] = [median, *(Patch(color=colour) for colour in options.colours)]
    texts = ["Median expected", *(name for _, _, name in BANDS)]
    observed = predicted = incomplete = None
    if points.unblinded.any():
        (observed,) = axes.plot(positions, points.observed, "o-", color="black", markersize=3.0, zorder=4)
        handles, texts = [observed, *handles], ["Observed", *texts]
    if prediction is not None:
        line = sorted(prediction.values.items())
        (predicted,) = axes.plot(*zip(*line, strict=True), color="#bd1f01", zorder=3.5)
        handles, texts = [*handles, predicted], [*texts, prediction.label]
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
    set_titles(axes, quantity or quantity_of(limits), limit_title(points, style))
    pad = 0.0 if positions.size > 1 else 1.0
    axes.set_xlim(positions.min() - pad, positions.max() + pad)
    set_value_ticks(axes)
    legend = place_legend(axes, handles, texts, "")
    every = np.append(points.found(), [] if prediction is None else list(prediction.values.values()))
    set_scale(axes, "y", every[np.isfinite(every)], options.logarithmic, height_above(axes, legend))
    return LimitArtists((bands[0], bands[1]), median, observed, predicted, incomplete, legend)


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


def limits_figure(
    limits: Mapping[float, LimitResult],
    *,
    style: Style | None = None,
    quantity: str = "",
    prediction: Prediction | None = None,
    options: LimitOptions = PLAIN,
) -> Figure:
    """Return a figure of limits against a parameter; see `draw_limits`."""
    style = style or Style()
    with style_context():
        figure = new_figure()
        axes = figure.add_subplot()
        artists = draw_limits(axes, limits, style=style, quantity=quantity, prediction=prediction, options=options)
        add_labels(axes, style.labels, simulation=only_simulation(limits.values()))
        if not artists.legend.inside:
            figure.set_size_inches(figure.get_figwidth() + artists.legend.width, figure.get_figheight())
    return figure
