"""The panel below a stack: ratios of data to the prediction, or pulls."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.lines import Line2D
from matplotlib.patches import StepPatch

from pocket_combine.errors import StyleError
from pocket_combine.plotting.stack_axes import DrawnBins, draw_bins, mark_blinded, name_axes
from pocket_combine.plotting.stack_numbers import Stack, poisson_interval
from pocket_combine.plotting.stack_options import PLAIN, StackOptions, draw_points
from pocket_combine.templates import FloatArray

__all__ = ["PanelArtists", "draw_stack_panel"]

_RATIO_BAND: dict[str, Any] = {"fill": True, "color": "#c8c8c8", "linewidth": 0.0}


@dataclass(frozen=True)
class PanelArtists:
    """What `draw_stack_panel` drew.

    Attributes:
        band: Relative uncertainty of the total; `None` for pulls.
        points: Ratios with their intervals; `None` without data or for pulls.
        pulls: Pulls; `None` for ratios.
        compared: The total for comparison, relative to the total.
        arrows: Marks of ratios outside the axis.
    """

    band: StepPatch | None
    points: ErrorbarContainer | None
    pulls: StepPatch | None
    compared: StepPatch | None
    arrows: tuple[Line2D, ...] = ()


def draw_stack_panel(axes: Axes, stack: Stack, *, options: StackOptions = PLAIN) -> PanelArtists:
    """Draw the panel below a stack: ratios to the total or pulls, as `options` say.

    Args:
        axes: Where to draw.
        stack: What is drawn.
        options: How.

    Raises:
        StyleError: If there is no panel to draw: pulls without data, or `none`.
    """
    if options.panel == "none" or (options.panel == "pull" and stack.observed is None):
        raise StyleError(
            f"no panel to draw for {options.panel!r}" + ("" if options.panel == "none" else " without data")
        )
    bins = draw_bins(stack, per_width=False, equal=options.equal_bins)
    artists = _draw_pulls(axes, stack, bins) if options.panel == "pull" else _draw_ratios(axes, stack, bins)
    mark_blinded(axes, stack, bins)
    if stack.rule.unroll is not None:
        for at in range(stack.rule.unroll, stack.total.size, stack.rule.unroll):
            axes.axvline(at, color="black", linestyle=":", linewidth=0.8)
    axes.set_xlim(bins.edges[0], bins.edges[-1])
    name_axes(axes, stack, bins, events=False)
    return artists


def _draw_ratios(axes: Axes, stack: Stack, bins: DrawnBins) -> PanelArtists:
    low, high = (stack.ratios(stack.total + sign * stack.errors) for sign in (-1, 1))
    band = axes.stairs(high, bins.edges, baseline=low, **_RATIO_BAND)
    axes.axhline(1.0, color="black", linewidth=0.8)
    compared = points = None
    reach = [np.nan_to_num(high - 1.0)]
    if stack.compared is not None:
        ratio = stack.ratios(stack.compared)
        compared = axes.stairs(ratio, bins.edges, baseline=None, color="black", linestyle="--", linewidth=1.2)
        reach.append(np.nan_to_num(ratio - 1.0))
    arrows: tuple[Line2D, ...] = ()
    if stack.observed is not None:
        ratio = stack.ratios(stack.observed)
        ends = [stack.ratios(end) for end in poisson_interval(stack.observed)]
        points = draw_points(axes, bins, ratio, ends[0], ends[1], lambda values: values, ~np.isnan(ratio))
        reach.append(np.nan_to_num(ratio - 1.0))
    half = next((size for size in (0.1, 0.2, 0.5) if max(np.abs(part).max() for part in reach) <= 0.9 * size), 1.0)
    axes.set_ylim(1.0 - half, 1.0 + half)
    axes.set_yticks([1.0 - half / 2, 1.0, 1.0 + half / 2])
    if points is not None:
        arrows = _draw_arrows(axes, bins, stack.ratios(stack.observed))  # type: ignore[arg-type]  # points have data
    axes.set_ylabel("Rel. unc." if stack.observed is None else "Data / pred.", loc="center")
    return PanelArtists(band, points, None, compared, arrows)


def _draw_arrows(axes: Axes, bins: DrawnBins, ratio: FloatArray) -> tuple[Line2D, ...]:
    low, high = axes.get_ylim()
    step = 0.06 * (high - low)
    drawn = []
    for outside, marker, height in ((ratio > high, "^", high - step), (ratio < low, "v", low + step)):
        if outside.any():
            drawn += axes.plot(
                bins.centres[outside],
                np.full(int(outside.sum()), height),
                marker,
                color="black",
                markersize=4.0 if ratio.size <= 60 else 2.5,
            )
    return tuple(drawn)


def _draw_pulls(axes: Axes, stack: Stack, bins: DrawnBins) -> PanelArtists:
    pulls = stack.pulls()
    drawn = axes.stairs(pulls, bins.edges, baseline=0.0, fill=True, color="#717581", linewidth=0.0)
    axes.axhline(0.0, color="black", linewidth=0.8)
    for level in (-2.0, -1.0, 1.0, 2.0):
        axes.axhline(level, color="black", linestyle=":", linewidth=0.6)
    half = max(3.0, math.ceil(float(np.abs(np.nan_to_num(pulls)).max()) + 0.5))
    axes.set_ylim(-half, half)
    axes.set_ylabel("Pull", loc="center")
    if np.isnan(pulls).all() and stack.observed is not None and not np.isnan(stack.observed).all():
        words = "The fit takes the data as they are"
        axes.text(0.5, 0.75, words, transform=axes.transAxes, ha="center", va="center", fontsize=8.0)
    return PanelArtists(None, None, drawn, None)
