"""Stacks of processes with data and the uncertainty of the prediction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle, StepPatch
from matplotlib.text import Text

from pocket_combine.plotting.legends import PlacedLegend, height_above, place_legend, plain_ticks
from pocket_combine.plotting.stack_axes import DrawnBins, draw_bins, mark_blinded, name_axes
from pocket_combine.plotting.stack_numbers import Stack, poisson_interval
from pocket_combine.plotting.stack_options import PLAIN, StackOptions, draw_points

__all__ = ["StackArtists", "draw_stack", "make_room"]

_BAND: dict[str, Any] = {
    "fill": True,
    "facecolor": "none",
    "edgecolor": "#4d4d4d",
    "hatch": "//////",
    "linewidth": 0.0,
}


@dataclass(frozen=True)
class StackArtists:
    """What `draw_stack` drew.

    Attributes:
        processes: Lowest first, in the order of `Stack.processes`.
        total: Line of the total.
        band: Uncertainty of the total.
        signals: Lines of the scaled signals.
        compared: Line of the total for comparison, if there is one.
        data: Points with their intervals; `None` without data.
        blinded: Hatched ranges whose data are not shown.
        separators: Lines and names of the outer bins of an unrolled distribution.
        legend: The legend.
    """

    processes: tuple[StepPatch, ...]
    total: StepPatch
    band: StepPatch
    signals: tuple[StepPatch, ...]
    compared: StepPatch | None
    data: ErrorbarContainer | None
    blinded: tuple[Rectangle, ...]
    separators: tuple[Line2D | Text, ...]
    legend: PlacedLegend


def draw_stack(axes: Axes, stack: Stack, *, options: StackOptions = PLAIN) -> StackArtists:
    """Draw a stack.

    Processes with positive contents stand on each other from 0 upwards, negative contents hang from 0 downwards; the
    line is the total.

    Args:
        axes: Where to draw.
        stack: What is drawn.
        options: How.
    """
    bins = draw_bins(stack, per_width=options.per_width, equal=options.equal_bins)
    processes = _draw_processes(axes, stack, bins)
    low, high = (bins.content(stack.total + sign * stack.errors) for sign in (-1, 1))
    total = axes.stairs(bins.content(stack.total), bins.edges, color="black", linewidth=0.8, zorder=3, baseline=None)
    band = axes.stairs(high, bins.edges, baseline=low, zorder=3.1, **_BAND)
    signals = tuple(
        axes.stairs(
            bins.content(options.signal_scale * process.expected),
            bins.edges,
            baseline=None,
            color=process.colour,
            linewidth=1.8,
            zorder=3.2,
        )
        for process in stack.processes
        if process.signal and options.signal_scale is not None
    )
    compared = None
    if stack.compared is not None:
        compared = axes.stairs(
            bins.content(stack.compared),
            bins.edges,
            baseline=None,
            color="black",
            linestyle="--",
            linewidth=1.2,
            zorder=3.3,
        )
    data = _draw_data(axes, stack, bins)
    blinded = mark_blinded(axes, stack, bins)
    axes.set_xlim(bins.edges[0], bins.edges[-1])
    legend = _draw_legend(axes, stack, options, (processes, total, band, signals, compared, data))
    separators = _draw_separators(axes, stack)
    name_axes(axes, stack, bins)
    artists = StackArtists(processes, total, band, signals, compared, data, blinded, separators, legend)
    make_room(axes, stack, bins, options, artists)
    return artists


def _draw_processes(axes: Axes, stack: Stack, bins: DrawnBins) -> tuple[StepPatch, ...]:
    upper, lower = np.zeros(stack.total.size), np.zeros(stack.total.size)
    drawn = []
    for process in stack.processes:
        content = bins.content(process.expected)
        base = np.where(content >= 0, upper, lower)
        drawn.append(
            axes.stairs(base + content, bins.edges, baseline=base, fill=True, color=process.colour, linewidth=0.0)
        )
        upper += np.maximum(content, 0.0)
        lower += np.minimum(content, 0.0)
    return tuple(drawn)


def _draw_data(axes: Axes, stack: Stack, bins: DrawnBins) -> ErrorbarContainer | None:
    if stack.observed is None:
        return None
    low, high = poisson_interval(stack.observed)
    return draw_points(axes, bins, stack.observed, low, high, bins.content, _with_contents(stack))


def _with_contents(stack: Stack) -> Any:
    """Return `shown[bin]`: bins whose data are drawn. Where nothing is expected nor found there is nothing to show."""
    if stack.observed is None:
        return np.zeros(stack.total.size, dtype=bool)
    return ~np.isnan(stack.observed) & ((stack.observed > 0) | (stack.total > 0))


def _draw_legend(axes: Axes, stack: Stack, options: StackOptions, drawn: tuple[Any, ...]) -> PlacedLegend:
    processes, _, _, signals, compared, data = drawn
    handles: list[Any] = []
    labels: list[str] = []
    if data is not None:
        handles.append(data)
        labels.append("Data")
    for process, patch in reversed(list(zip(stack.processes, processes, strict=True))):
        handles.append(patch)
        labels.append(process.label)
    lines = [process.label for process in stack.processes if process.signal]
    for label, line in zip(lines, signals, strict=False):
        handles.append(Line2D([], [], color=line.get_edgecolor(), linewidth=1.8))
        labels.append(rf"{label} $\times$ {options.signal_scale:g}")
    handles.append(Patch(facecolor="none", edgecolor="#4d4d4d", hatch="//////", linewidth=0.0))
    labels.append("Uncertainty")
    if compared is not None:
        handles.append(Line2D([], [], color="black", linestyle="--", linewidth=1.2))
        labels.append("Pre-fit total")
    if stack.observed is not None and stack.blinded.any():
        handles.append(Patch(facecolor="#eeeeee", edgecolor="#bbbbbb", hatch="xxx", linewidth=0.0))
        labels.append("Blinded")
    title = ", ".join(part for part in (stack.rule.label, stack.state) if part)
    return place_legend(axes, handles, labels, title)


def _draw_separators(axes: Axes, stack: Stack) -> tuple[Line2D | Text, ...]:
    inner = stack.rule.unroll
    if inner is None:
        return ()
    drawn: list[Line2D | Text] = [
        axes.axvline(at, color="black", linestyle=":", linewidth=0.8, zorder=3.4)
        for at in range(inner, stack.total.size, inner)
    ]
    names = stack.rule.unroll_labels
    dots = axes.figure.dpi / 72.0
    room = axes.get_window_extent().width / dots / max(len(names), 1)
    upright = bool(names) and max(map(len, names)) * 8.0 * 0.55 > 0.95 * room
    for position, name in enumerate(names):
        drawn.append(
            axes.text(
                (position + 0.5) * inner,
                1.0,
                name,
                transform=axes.get_xaxis_transform(),
                ha="center",
                va="top",
                size=min(8.0, 0.9 * room) if upright else 8.0,
                rotation=90 if upright else 0,
                clip_on=False,
            )
        )
    return tuple(drawn)


def make_room(axes: Axes, stack: Stack, bins: DrawnBins, options: StackOptions, artists: StackArtists) -> None:
    """Set the axis of events so that nothing that is drawn lies below the legend or the names of outer bins."""
    taken = height_above(axes, artists.legend) + 0.02
    for patch in artists.blinded:
        patch.set_height(1.0 - taken)
    for line in artists.separators:
        if isinstance(line, Line2D):
            line.set_ydata([0.0, 1.0 - taken])
    names = [artist for artist in artists.separators if isinstance(artist, Text)]
    if names:
        for name in names:
            name.set_y(1.0 - taken)
        heights = [name.get_window_extent().height for name in names]
        taken += max(heights) / axes.get_window_extent().height + 0.02
    share = max(1.0 - taken - 0.03, 0.2)
    low, high = _extent(stack, bins, options)
    if options.log:
        positive = bins.content(stack.total)
        least = float(np.min(positive[positive > 0], initial=high))
        bottom = max(0.05 * least, 1e-8 * high)
        axes.set_ylim(bottom, bottom * (high / bottom) ** (1 / share))
        axes.set_yscale("log")
        return
    bottom = 1.1 * min(low, 0.0)
    axes.set_ylim(bottom, bottom + (high - bottom) / share)
    axes.yaxis.set_major_formatter(plain_ticks())


def _extent(stack: Stack, bins: DrawnBins, options: StackOptions) -> tuple[float, float]:
    """Return the lowest and highest of what is drawn."""
    contents = [bins.content(process.expected) for process in stack.processes]
    found = [
        bins.content(stack.total + stack.errors),
        bins.content(stack.total - stack.errors),
        np.sum([np.maximum(content, 0.0) for content in contents], axis=0),
        np.sum([np.minimum(content, 0.0) for content in contents], axis=0),
    ]
    if options.signal_scale is not None:
        signals = [content for content, process in zip(contents, stack.processes, strict=True) if process.signal]
        found += [options.signal_scale * content for content in signals]
    if stack.compared is not None:
        found.append(bins.content(stack.compared))
    shown = _with_contents(stack)
    if stack.observed is not None and shown.any():
        found.append(bins.content(poisson_interval(stack.observed)[1])[shown])
    low, high = min(float(np.min(part)) for part in found), max(float(np.max(part)) for part in found)
    return low, high if high > 0 else 1.0
