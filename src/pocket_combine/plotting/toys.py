"""Toys: the distribution of a goodness-of-fit statistic, and whether fits of a known signal are biased."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, StepPatch
from matplotlib.text import Annotation
from matplotlib.ticker import MaxNLocator, NullLocator

from pocket_combine.errors import StyleError
from pocket_combine.plotting.axis_titles import set_titles, set_value_ticks
from pocket_combine.plotting.canvas import add_labels, new_figure, style_context
from pocket_combine.plotting.data_words import only_simulation
from pocket_combine.plotting.legends import PlacedLegend, height_above, place_legend
from pocket_combine.plotting.style import Style
from pocket_combine.plotting.toy_numbers import Moments, bias_of, bin_edges, p_value_text
from pocket_combine.plotting.uncertainties import typographic
from pocket_combine.results import GoodnessOfFitResult, ToyResult
from pocket_combine.templates import FloatArray

__all__ = [
    "BiasArtists",
    "GoodnessArtists",
    "ToyArtists",
    "bias_figure",
    "draw_bias",
    "draw_goodness",
    "draw_toys",
    "goodness_figure",
    "toys_figure",
    "toys_figures",
]

_STATISTICS = {
    "saturated": r"$-2\,\ln(L\,/\,L_\mathrm{saturated})$",
    "KS": "Kolmogorov-Smirnov statistic",
    "AD": "Anderson-Darling statistic",
}
_FILL, _TAIL, _DATA, _CURVE = "#94a4a2", "#3f90da", "#bd1f01", "#832db6"


@dataclass(frozen=True)
class GoodnessArtists:
    """What was drawn.

    Attributes:
        toys: Number of toys per bin; `None` without toys.
        tail: Those at least as large as the data's statistic.
        data: The arrow at the data's statistic; `None` in blind results.
        legend: The legend, with the p-value.
    """

    toys: StepPatch | None
    tail: StepPatch | None
    data: Annotation | None
    legend: PlacedLegend


def draw_goodness(axes: Axes, result: GoodnessOfFitResult, *, style: Style | None = None) -> GoodnessArtists:
    """Draw the distribution of a goodness-of-fit statistic in toys, and an arrow where the data lie.

    A blind result shows toys alone. No χ² distribution is drawn: constrained nuisances and bins with few events leave
    its number of degrees of freedom undefined.

    Args:
        axes: The axes.
        result: The result.
        style: Names.

    Raises:
        StyleError: If there are neither toys nor data.
    """
    del style  # nothing here has a name of its own
    toys = result.toys[np.isfinite(result.toys)]
    statistic = result.statistic
    if not toys.size and statistic is None:
        raise StyleError("the result has neither toys nor a statistic of the data: nothing to draw")
    edges = bin_edges(toys, *([] if statistic is None else [statistic]))
    counts = np.histogram(toys, edges)[0].astype(np.float64)
    handles: list[Patch | Line2D] = []
    texts: list[str] = []
    drawn = tail = arrow = None
    if toys.size:
        drawn = axes.stairs(counts, edges, fill=True, color=_FILL, alpha=0.6, zorder=1)
        handles.append(drawn)
        texts.append(_counted(toys.size, result.failed_toys))
        _count_ticks(axes)
    if statistic is not None:
        if toys.size:
            cut = np.unique(np.append(edges[edges > statistic], np.clip(statistic, edges[0], edges[-1])))
            if cut.size > 1:
                beyond = np.append(counts, 0.0)[np.searchsorted(edges, cut[:-1], side="right") - 1]
                tail = axes.stairs(beyond, cut, fill=True, color=_TAIL, alpha=0.8, zorder=2)
                handles.append(tail)
                texts.append("Toys at or beyond")
        handles.append(Line2D([], [], color=_DATA))
        texts.append(_data_text(result, statistic))
    titles = (_STATISTICS.get(result.algorithm, result.algorithm), "Toys" if toys.size else "")
    set_titles(axes, *titles)
    low, high = _with_margin(edges[0], edges[-1], *([] if statistic is None else [statistic]))
    axes.set_xlim(low, high)
    set_value_ticks(axes)
    legend = place_legend(axes, handles, texts, "")
    top = max(float(counts.max(initial=0.0)), 1.0)
    axes.set_ylim(0.0, 1.05 * top / (1.0 - height_above(axes, legend)))
    if not toys.size:
        axes.set_yticks([])
    if statistic is not None:
        arrow = axes.annotate(
            "",
            (statistic, 0.0),
            (statistic, 0.75 * top),
            arrowprops={"arrowstyle": "-|>", "color": _DATA, "linewidth": 1.6, "shrinkA": 0, "shrinkB": 0},
            zorder=5,
        )
    return GoodnessArtists(drawn, tail, arrow, legend)


def _count_ticks(axes: Axes) -> None:
    """Let the vertical axis count: there are no halves of toys."""
    axes.yaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.yaxis.set_minor_locator(NullLocator())


def _counted(toys: int, failed: int) -> str:
    return f"{toys} toys" + (f" ({failed} more failed)" if failed else "")


def _data_text(result: GoodnessOfFitResult, statistic: float) -> str:
    text = f"Data: {typographic(f'{statistic:.4g}')}"
    if result.p_value is not None:
        text += f", {p_value_text(result.p_value, len(result.toys))}"
    return text if result.status.usable else f"{text}\nfit of the data: {result.status.value}"


def _with_margin(*numbers: float) -> tuple[float, float]:
    low, high = min(numbers), max(numbers)
    pad = 0.04 * (high - low) or 1.0
    return low - pad, high + pad


@dataclass(frozen=True)
class ToyArtists:
    """What was drawn.

    Attributes:
        toys: Number of toys per bin.
        errors: Their statistical errors, √N.
        gaussian: A Gaussian of their mean and width; `None` for fewer than two toys.
        reference: The line at the injected value, or the Gaussian of unbiased pulls.
        legend: The legend, with mean and width.
    """

    toys: StepPatch
    errors: Line2D
    gaussian: Line2D | None
    reference: Line2D
    legend: PlacedLegend


def draw_toys(
    axes: Axes, result: ToyResult, *, quantity: Literal["pull", "best fit"] = "pull", style: Style | None = None
) -> ToyArtists:
    """Draw the distribution of pulls, or of best fits, in toys with a known signal.

    Args:
        axes: The axes.
        result: The result.
        quantity: What is drawn: pulls beside the Gaussian of width 1 around 0 that unbiased fits give, or best fits
            beside the injected value.
        style: Names.

    Raises:
        StyleError: If the result has no toys.
    """
    style = style or Style()
    name = style.parameter(result.poi)
    of_pulls = quantity == "pull"
    values = np.asarray(result.pulls if of_pulls else result.values, dtype=np.float64)
    values = values[np.isfinite(values)]
    if not values.size:
        raise StyleError(f"no toy at {result.poi} = {result.injected:g} was fitted ({result.failed} failed)")
    moments, edges = Moments.of(values), bin_edges(values)
    counts = np.histogram(values, edges)[0].astype(np.float64)
    centres, scale = (edges[1:] + edges[:-1]) / 2, values.size * (edges[1] - edges[0])
    drawn = axes.stairs(counts, edges, fill=True, color=_FILL, alpha=0.6, zorder=1)
    bars = axes.errorbar(centres[counts > 0], counts[counts > 0], np.sqrt(counts[counts > 0]), fmt="k.", zorder=3)
    range_ = _with_margin(edges[0], edges[-1], *((-3.5, 3.5) if of_pulls else (result.injected,)))
    fine = np.linspace(*range_, 401)
    gaussian = None
    handles: list[Patch | Line2D] = [drawn]
    texts = [_counted(values.size, result.failed)]
    if moments.width > 0:
        (gaussian,) = axes.plot(fine, scale * _gaussian(fine, moments.mean, moments.width), color=_CURVE, zorder=2)
        handles.append(gaussian)
        texts.append("Gaussian, " + ",\n".join(moments.texts()))
    if of_pulls:
        (reference,) = axes.plot(fine, scale * _gaussian(fine, 0.0, 1.0), "--", color="black", linewidth=1.0, zorder=2)
        texts.append("Unbiased")
    else:
        (reference,) = axes.plot(
            [result.injected] * 2, [0.0, counts.max()], "--", color="black", linewidth=1.0, zorder=2
        )
        texts.append(f"Injected {typographic(f'{result.injected:g}')}")
    handles.append(reference)
    title = rf"({name} $-$ injected) / $\sigma$" if of_pulls else f"Best fit of {name}"
    set_titles(axes, title, "Toys")
    _count_ticks(axes)
    axes.set_xlim(*range_)
    set_value_ticks(axes)
    legend = place_legend(
        axes, handles, texts, f"{name} = {typographic(f'{result.injected:g}')} injected" if of_pulls else ""
    )
    highest = max(float((counts + np.sqrt(counts)).max()), scale * 0.4 if of_pulls else 0.0)
    axes.set_ylim(0.0, 1.05 * highest / (1.0 - height_above(axes, legend)))
    return ToyArtists(drawn, bars.lines[0], gaussian, reference, legend)


def _gaussian(values: FloatArray, mean: float, width: float) -> FloatArray:
    result: FloatArray = np.exp(-0.5 * ((values - mean) / width) ** 2) / (width * np.sqrt(2 * np.pi))
    return result


@dataclass(frozen=True)
class BiasArtists:
    """What was drawn.

    Attributes:
        means: Mean pull at each injected value.
        widths: Width of the pulls.
    """

    means: Line2D
    widths: Line2D


def draw_bias(axes: tuple[Axes, Axes], results: Sequence[ToyResult], *, style: Style | None = None) -> BiasArtists:
    """Draw mean and width of pulls against the injected value, with lines at 0 and 1.

    Args:
        axes: For the mean, and below it for the width.
        results: Results for one parameter.
        style: Names.

    Raises:
        StyleError: If there are no results, or they are of different parameters.
    """
    style = style or Style()
    names = dict.fromkeys(result.poi for result in results)
    if len(names) != 1:
        raise StyleError(f"toys for one parameter are drawn together, found {', '.join(names) or 'none'}")
    injected, moments = bias_of(tuple(results))
    name = style.parameter(next(iter(names)))
    lines = []
    for panel, values, errors, expected, title in (
        (axes[0], [item.mean for item in moments], [item.mean_error for item in moments], 0.0, "Mean pull"),
        (axes[1], [item.width for item in moments], [item.width_error for item in moments], 1.0, "Width of pulls"),
    ):
        panel.axhline(expected, linestyle="--", color="black", linewidth=0.8, zorder=1)
        lines.append(panel.errorbar(injected, values, errors, fmt="ko", markersize=4.0, zorder=3).lines[0])
        reach = np.abs(np.array(values) - expected) + np.array(errors)
        half = max(0.25, 1.2 * float(np.nanmax(reach, initial=0.0)))
        panel.set_ylim(expected - half, expected + half)
        panel.set_xlim(*_with_margin(injected.min(), injected.max()))
        panel.set_ylabel(title, loc="center")
    set_titles(axes[1], f"Injected {name}", "Width of pulls")
    axes[1].yaxis.get_label().set(y=0.5, ha="center")
    set_value_ticks(axes[1])
    axes[0].tick_params(axis="x", labelbottom=False)
    return BiasArtists(lines[0], lines[1])


def goodness_figure(result: GoodnessOfFitResult, *, style: Style | None = None) -> Figure:
    """Return a figure of a goodness-of-fit test; see `draw_goodness`."""
    style = style or Style()
    with style_context():
        figure = new_figure()
        axes = figure.add_subplot()
        draw_goodness(axes, result, style=style)
        add_labels(axes, style.labels, simulation=only_simulation([result]))
    return figure


def toys_figure(result: ToyResult, *, style: Style | None = None) -> Figure:
    """Return a figure of best fits and pulls of toys, beside each other; see `draw_toys`."""
    style = style or Style()
    with style_context():
        figure = new_figure(9.0, 4.6)
        left, right = figure.subplots(1, 2)
        draw_toys(left, result, quantity="best fit", style=style)
        draw_toys(right, result, quantity="pull", style=style)
        add_labels(left, style.labels, simulation=only_simulation([result]))
    return figure


def bias_figure(results: Sequence[ToyResult], *, style: Style | None = None) -> Figure:
    """Return a figure of mean and width of pulls against the injected value; see `draw_bias`."""
    style = style or Style()
    with style_context():
        figure = new_figure()
        upper, lower = figure.subplots(2, 1, sharex=True)
        draw_bias((upper, lower), results, style=style)
        add_labels(upper, style.labels, simulation=only_simulation(results))
    return figure


def toys_figures(results: Sequence[ToyResult], *, style: Style | None = None) -> Iterator[tuple[str, Figure]]:
    """Yield (name, figure): one for each injected value and, of several, one of the bias against it.

    Args:
        results: Results for one parameter.
        style: Labels and names.

    Raises:
        StyleError: As `draw_bias` and `draw_toys`.
    """
    if len(results) > 1:
        yield "bias", bias_figure(results, style=style)
    for result in results:
        yield f"{result.poi}_{result.injected:g}", toys_figure(result, style=style)
