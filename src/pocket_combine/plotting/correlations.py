"""Correlation matrices of fitted parameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.text import Text

from pocket_combine.plotting.canvas import style_context
from pocket_combine.plotting.correlation_values import Correlations, correlations_of
from pocket_combine.plotting.data_words import data_name, of_simulation
from pocket_combine.plotting.rows import NAME_SIZE
from pocket_combine.plotting.sheets import HEAD, LINE, MARGIN, NOTE_SIZE, Sheet, head_width, text_width, wrapped
from pocket_combine.plotting.style import Style
from pocket_combine.plotting.uncertainties import fixed, typographic
from pocket_combine.results import FitResult

__all__ = ["CorrelationArtists", "correlations_figure", "correlations_figures", "draw_correlations"]

COLOURS = "RdBu_r"
"""Blue for negative, white for zero, red for positive; safe for colour vision deficiencies."""

MOST_WITH_NUMBERS = 25
MOST_WITH_NAMES = 60

_CELL_WITH_NUMBER, _CELL_WITH_NAME = 0.34, 0.17
_PLAIN = 7.0
"""Inches of a matrix without names."""
_BAR, _BAR_GAP, _BAR_LABELS = 0.18, 0.15, 0.6
_NAMED = 8


@dataclass(frozen=True)
class CorrelationArtists:
    """What is drawn.

    Attributes:
        image: The matrix.
        numbers: Texts in the cells, row by row; empty for large matrices.
    """

    image: AxesImage
    numbers: tuple[Text, ...]


def draw_correlations(
    axes: Axes,
    correlations: Correlations,
    *,
    style: Style = Style(),  # noqa: B008  frozen
) -> CorrelationArtists:
    """Draw a correlation matrix, from -1 (blue) to 1 (red), the first parameter at the top left.

    Up to 25 parameters cells hold their value in percent, up to 60 rows and columns have names; beyond, ticks count the
    parameters from 1.

    Args:
        axes: The axes.
        correlations: The matrix, from `correlations_of`.
        style: Names of parameters.

    Returns:
        What is drawn.
    """
    count = len(correlations.parameters)
    image = axes.imshow(correlations.values, cmap=COLOURS, vmin=-1.0, vmax=1.0, aspect="equal", interpolation="nearest")
    axes.minorticks_off()
    if count <= MOST_WITH_NAMES:
        labels = [style.parameter(name) for name in correlations.parameters]
        axes.set_xticks(range(count), labels, rotation=90, fontsize=_name_size(count))
        axes.set_yticks(range(count), labels, fontsize=_name_size(count))
        axes.tick_params(which="both", length=0.0)
    else:
        step = next(size for size in (10, 20, 50, 100, 200, 500, 1000, count) if count / size <= 15)
        places = range(step - 1, count, step)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_ticks(list(places), [str(at + 1) for at in places], fontsize=NAME_SIZE)
        axes.tick_params(which="both", direction="out", top=False, right=False)
    return CorrelationArtists(image, _write_numbers(axes, correlations) if count <= MOST_WITH_NUMBERS else ())


def _name_size(count: int) -> float:
    return NAME_SIZE if count <= MOST_WITH_NUMBERS else NOTE_SIZE


def _write_numbers(axes: Axes, correlations: Correlations) -> tuple[Text, ...]:
    texts = []
    for row, values in enumerate(correlations.values):
        for column, value in enumerate(values):
            colour = "white" if abs(value) > 0.6 else "black"
            text = typographic(fixed(100.0 * value, 0))
            texts.append(axes.text(column, row, text, ha="center", va="center", fontsize=NOTE_SIZE, color=colour))
    return tuple(texts)


def correlations_figure(
    correlations: Correlations | FitResult,
    *,
    style: Style = Style(),  # noqa: B008  frozen
) -> Figure:
    """Return a figure of a correlation matrix, with a colour bar.

    Args:
        correlations: The matrix, or a fit for that of all its parameters.
        style: Labels, and names of parameters.

    Raises:
        ResultError: If the fit is no result.
    """
    block = correlations if isinstance(correlations, Correlations) else correlations_of(correlations)
    count = len(block.parameters)
    with style_context():
        cell = _CELL_WITH_NUMBER if count <= MOST_WITH_NUMBERS else _CELL_WITH_NAME
        named = count <= MOST_WITH_NAMES
        side = max(count * cell, head_width(style.labels, simulation=of_simulation(block.data))) if named else _PLAIN
        names = text_width([style.parameter(name) for name in block.parameters], _name_size(count)) if named else 0.4
        left = MARGIN + names + 0.1
        right = _BAR_GAP + _BAR + _BAR_LABELS
        width = left + side + right
        notes = _notes(block, width - 2 * MARGIN)
        below = names + 0.15 + (0.0 if named else 0.25)
        sheet = Sheet(width, HEAD + side + below + LINE * len(notes) + MARGIN)
        axes = sheet.axes(left, HEAD, side, side)
        sheet.labels(axes, axes, style.labels, simulation=of_simulation(block.data))
        artists = draw_correlations(axes, block, style=style)
        if not named:
            axes.set_xlabel("parameter", fontsize=NAME_SIZE)
            axes.set_ylabel("parameter", fontsize=NAME_SIZE)
        bar = sheet.figure.colorbar(artists.image, cax=sheet.axes(left + side + _BAR_GAP, HEAD, _BAR, side))
        bar.set_ticks(np.linspace(-1.0, 1.0, 5 if side > 1.5 else 3).tolist())
        bar.ax.tick_params(labelsize=NAME_SIZE)
        bar.ax.minorticks_off()
        bar.set_label("correlation in %" if artists.numbers else "correlation", fontsize=NAME_SIZE)
        if artists.numbers:
            bar.ax.yaxis.set_major_formatter(lambda value, _: typographic(fixed(100.0 * value, 0)))
        for at, note in enumerate(notes):
            sheet.write(MARGIN, HEAD + side + below + at * LINE, note)
    return sheet.figure


def correlations_figures(
    result: FitResult,
    *,
    style: Style = Style(),  # noqa: B008  frozen
    parameters: Sequence[str] = (),
    most: int = 30,
) -> Iterator[tuple[str, Figure]]:
    """Yield figures of the correlations of a fit: all of them, and the interesting blocks of a large matrix.

    Matrices whose rows have names come alone, under an empty name. Of a larger one there are `all`, the block around
    each parameter of interest (under its name), and `largest`, the block of the largest correlations.

    Args:
        result: The fit.
        style: Labels, and names of parameters.
        parameters: Shell patterns of names; all by default.
        most: Size of the blocks.

    Raises:
        ResultError: If the fit is no result.
        StyleError: If a pattern matches nothing, or nothing with a covariance.
    """
    everything = correlations_of(result, parameters)
    if len(everything.parameters) <= MOST_WITH_NAMES:
        yield "", correlations_figure(everything, style=style)
        return
    yield "all", correlations_figure(everything, style=style)
    for poi in result.pois:
        if poi in everything.parameters:
            yield poi, correlations_figure(everything.around(poi, most), style=style)
    yield "largest", correlations_figure(everything.largest(most), style=style)


def _notes(block: Correlations, width: float) -> list[str]:
    notes = [name for name in (data_name(block.data),) if name]
    if block.left_out:
        more = f" and {len(block.left_out) - _NAMED} more" if len(block.left_out) > _NAMED else ""
        notes.append(f"Without covariance: {', '.join(block.left_out[:_NAMED])}{more}")
    if block.profiled:
        notes.append(f"{len(block.profiled)} parameters of autoMCStats are profiled and not shown")
    return [line for note in notes for line in wrapped(note, width)]
