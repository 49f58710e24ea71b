"""Stacks of processes with data, the uncertainty of the prediction, and a panel of ratios or pulls."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle, StepPatch
from matplotlib.text import Text

from pocket_combine.errors import StyleError, nearest
from pocket_combine.plotting.canvas import add_labels, new_figure, style_context
from pocket_combine.plotting.legends import PlacedLegend, height_above, lay_out, place_legend, plain_ticks
from pocket_combine.plotting.stack_axes import DrawnBins, draw_bins, mark_blinded, name_axes
from pocket_combine.plotting.stack_numbers import Stack, overview_of, poisson_interval, stack_of
from pocket_combine.plotting.style import Style
from pocket_combine.results import PostfitResult
from pocket_combine.templates import FloatArray

__all__ = [
    "PANELS",
    "PanelArtists",
    "StackArtists",
    "StackOptions",
    "draw_stack",
    "draw_stack_panel",
    "overview_figure",
    "stack_figure",
    "stack_figures",
]

_DEFAULT = Style()

PANELS = ("ratio", "pull", "none")

_BAND: dict[str, Any] = {
    "fill": True,
    "facecolor": "none",
    "edgecolor": "#4d4d4d",
    "hatch": "//////",
    "linewidth": 0.0,
}
_RATIO_BAND: dict[str, Any] = {"fill": True, "color": "#c8c8c8", "linewidth": 0.0}


@dataclass(frozen=True)
class StackOptions:
    """How a stack is drawn.

    Attributes:
        panel: What stands below: `ratio`, `pull` or `none`. Pulls need data.
        log: Whether the axis of events is logarithmic.
        signal_scale: Draw each signal as a line too, multiplied by this; `None` for no lines.
        per_width: Whether events are divided by the width of the bin.
        equal_bins: Whether all bins are drawn with the same width.

    Raises:
        StyleError: If `panel` is unknown, or `signal_scale` is not positive.
    """

    panel: str = "ratio"
    log: bool = False
    signal_scale: float | None = None
    per_width: bool = False
    equal_bins: bool = False

    def __post_init__(self) -> None:
        if self.panel not in PANELS:
            raise StyleError(f"no panel {self.panel!r}: {nearest(self.panel, PANELS)}")
        if self.signal_scale is not None and not (math.isfinite(self.signal_scale) and self.signal_scale > 0):
            raise StyleError(f"signal_scale is {self.signal_scale}, expected a positive factor")


_PLAIN = StackOptions()


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


# ---------------------------------------------------------------------- the stack


def draw_stack(axes: Axes, stack: Stack, *, options: StackOptions = _PLAIN) -> StackArtists:
    """Draw a stack.

    Processes with positive contents stand on each other from 0 upwards, negative contents hang from 0 downwards; the
    line is the total, with the shifts of bin parameters, which belong to no process.

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
    _make_room(axes, stack, bins, options, artists)
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
    return _points(axes, bins, stack.observed, low, high, bins.content, _with_contents(stack))


def _with_contents(stack: Stack) -> Any:
    """Return `shown[bin]`: bins whose data are drawn. Where nothing is expected nor found there is nothing to show."""
    if stack.observed is None:
        return np.zeros(stack.total.size, dtype=bool)
    return ~np.isnan(stack.observed) & ((stack.observed > 0) | (stack.total > 0))


def _points(
    axes: Axes, bins: DrawnBins, centre: FloatArray, low: FloatArray, high: FloatArray, scale: Any, shown: Any
) -> ErrorbarContainer:
    centre, low, high = (scale(values)[shown] for values in (centre, low, high))
    return axes.errorbar(
        bins.centres[shown],
        centre,
        yerr=np.maximum([centre - low, high - centre], 0.0),
        fmt="o",
        color="black",
        markersize=4.0 if shown.size <= 60 else 2.0,
        linewidth=1.0 if shown.size <= 60 else 0.6,
        capsize=0.0,
        zorder=4,
    )


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


def _make_room(axes: Axes, stack: Stack, bins: DrawnBins, options: StackOptions, artists: StackArtists) -> None:
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


# ---------------------------------------------------------------------- the panel below


def draw_stack_panel(axes: Axes, stack: Stack, *, options: StackOptions = _PLAIN) -> PanelArtists:
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
        points = _points(axes, bins, ratio, ends[0], ends[1], lambda values: values, ~np.isnan(ratio))
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
    return PanelArtists(None, None, drawn, None)


# ---------------------------------------------------------------------- figures


def stack_figure(
    result: PostfitResult,
    channel: str,
    *,
    style: Style = _DEFAULT,
    prefit: PostfitResult | None = None,
    options: StackOptions = _PLAIN,
) -> Figure:
    """Return the stack of a channel.

    Args:
        result: Expected events before or after a fit.
        channel: Name of one of its channels.
        style: Labels, names, colours, merging, blinded ranges and unrolling.
        prefit: A result whose total is drawn as a dashed line.
        options: How it is drawn.

    Raises:
        ResultError: If there is no such channel, or the bins of `prefit` differ.
        StyleError: If the style does not fit the channel.
    """
    return _figure(stack_of(result, channel, style=style, prefit=prefit), style, options)


def stack_figures(
    result: PostfitResult,
    channels: Sequence[str] | None = None,
    *,
    style: Style = _DEFAULT,
    prefit: PostfitResult | None = None,
    options: StackOptions = _PLAIN,
) -> Iterator[tuple[str, Figure]]:
    """Yield the name of each channel and its stack; see `stack_figure`.

    Args:
        result: Expected events before or after a fit.
        channels: Names of channels; `None` for all.
        style: Labels, names, colours, merging, blinded ranges and unrolling.
        prefit: A result whose total is drawn as a dashed line.
        options: How they are drawn.
    """
    for name in [one.channel for one in result.channels] if channels is None else channels:
        yield name, stack_figure(result, name, style=style, prefit=prefit, options=options)


def overview_figure(
    result: PostfitResult,
    channels: Sequence[str] | None = None,
    *,
    style: Style = _DEFAULT,
    prefit: PostfitResult | None = None,
    options: StackOptions = _PLAIN,
) -> Figure:
    """Return a stack with one bin for each channel.

    Args:
        result: Expected events before or after a fit.
        channels: Names of channels; `None` for all.
        style: Labels, names, colours and merging.
        prefit: A result whose totals are drawn as a dashed line.
        options: How it is drawn.

    Raises:
        ResultError: If there is no such channel.
        StyleError: If a rule adds signals to backgrounds.
    """
    return _figure(overview_of(result, channels, style=style, prefit=prefit), style, options)


def _figure(stack: Stack, style: Style, options: StackOptions) -> Figure:
    with_panel = options.panel == "ratio" or (options.panel == "pull" and stack.observed is not None)
    count = stack.total.size
    width = min(max(5.0, 3.0 + 0.3 * count), 20.0) if stack.bin_labels else min(5.0 + 0.03 * max(count - 40, 0), 14.0)
    with style_context():
        figure = new_figure(width, 5.0 if with_panel else 4.2)
        figure.get_layout_engine().set(hspace=0.0, h_pad=0.03, w_pad=0.05)  # type: ignore[union-attr, call-arg]  # constrained layout
        rows = (3, 1) if with_panel else (1,)
        upper, *below = figure.subplots(len(rows), 1, sharex=True, height_ratios=rows, squeeze=False)[:, 0]
        artists = draw_stack(upper, stack, options=options)
        for lower in below:
            draw_stack_panel(lower, stack, options=options)
            upper.set_xlabel("")
            upper.tick_params(labelbottom=False)
        if not artists.legend.inside:
            figure.set_size_inches(width + artists.legend.width, figure.get_figheight())
        figure.align_ylabels()
        add_labels(upper, style.labels, simulation=stack.observed is None)
        lay_out(figure)
        bins = draw_bins(stack, per_width=options.per_width, equal=options.equal_bins)
        _make_room(upper, stack, bins, options, artists)
    return figure
