"""Heat map of what nuisances do: a row for each nuisance, a column for each process in each channel."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import Colormap, ListedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter

from pocket_combine.errors import StyleError
from pocket_combine.plotting.canvas import style_context
from pocket_combine.plotting.effect_cells import EffectGrid, GridColumn
from pocket_combine.plotting.rows import NAME_SIZE, ROW_HEIGHT, name_rows
from pocket_combine.plotting.sheets import NOTE_SIZE, Sheet, page_names, text_width
from pocket_combine.plotting.style import Style
from pocket_combine.plotting.uncertainties import percent, typographic
from pocket_combine.templates import FloatArray

__all__ = ["HeatMapArtists", "draw_heat_map", "heat_map_figure", "heat_map_figures"]

_TITLES = {"yield": "Change of the yield [%]", "moved": "Events moved between bins [%]"}
_SMALLEST = 1e-3
"""Effects below 0.1 % have one colour, that of no effect."""
_NO_EFFECT = "#ececec"
_ROWS, _COLUMNS = 40, 30
"""Most rows of a page, and most columns of a panel."""
_MOST_NUMBERS = 1500
_NUMBER_SIZE = 6.0
_DARK = 0.55
"""Part of the scale above which numbers are white."""
_NOTE = "White: the nuisance does not act. Grey: it acts, by less than 0.1 %."
_NOTE_WIDTH = 4.5
_NOTHING = "no nuisance acts on a process: there are no effects to draw"
Quantity = Literal["yield", "moved"]


@dataclass(frozen=True)
class HeatMapArtists:
    """What was drawn.

    Attributes:
        cells: The coloured cells, masked where the nuisance does not act.
        numbers: Percentages in cells; none where there are too many.
        channels: Names of the channels.
    """

    cells: QuadMesh
    numbers: tuple[Text, ...]
    channels: tuple[Text, ...]


def _colours() -> Colormap:
    colours = ListedColormap(colormaps["YlGnBu"](np.linspace(0.08, 1.0, 256)), "effects")
    return colours.with_extremes(under=_NO_EFFECT, bad="white")


def draw_heat_map(
    axes: Axes, grid: EffectGrid, *, quantity: Quantity = "yield", style: Style | None = None, largest: float = 1.0
) -> HeatMapArtists:
    """Draw the size of effects as colours, on a logarithmic scale from 0.1 %.

    Args:
        axes: The axes.
        grid: The effects.
        quantity: Changes of yields, or fractions of events that are moved between bins.
        style: Names.
        largest: The effect with the darkest colour.

    Raises:
        StyleError: If there are no nuisances or no processes.
    """
    style = style or Style()
    if not grid.nuisances or not grid.columns:
        raise StyleError(_NOTHING)
    largest = max(largest, 10 * _SMALLEST)
    values = _values(grid, quantity)
    sizes = np.ma.masked_invalid(np.maximum(np.abs(values), _SMALLEST / 10))
    rows, columns = values.shape
    name_rows(axes, [style.parameter(name) for name in grid.nuisances])
    cells = axes.pcolormesh(
        np.arange(columns + 1) - 0.5,
        np.arange(rows + 1) - 0.5,
        sizes,
        cmap=_colours(),
        norm=LogNorm(_SMALLEST, largest),
        edgecolors="white",
        linewidth=0.4,
        zorder=1,
    )
    axes.set_xlim(-0.5, columns - 0.5)
    axes.set_ylim(rows - 0.5, -0.5)
    axes.set_xticks(range(columns), [column.label for column in grid.columns], rotation=90, fontsize=NOTE_SIZE)
    axes.tick_params(axis="x", which="both", length=0.0, pad=3.0)
    numbers = _write_numbers(axes, values, largest) if np.isfinite(values).sum() <= _MOST_NUMBERS else ()
    return HeatMapArtists(cells, numbers, _draw_channels(axes, grid.columns, style))


def _write_numbers(axes: Axes, values: FloatArray, largest: float) -> tuple[Text, ...]:
    """Write percentages of effects of at least 0.1 % into their cells."""
    found = []
    for row, column in np.argwhere(np.abs(np.nan_to_num(values)) >= _SMALLEST):
        value = float(values[row, column])
        dark = math.log(abs(value) / _SMALLEST) > _DARK * math.log(largest / _SMALLEST)
        found.append(
            axes.text(
                column,
                row,
                _percent(value),
                ha="center",
                va="center",
                fontsize=_NUMBER_SIZE,
                color="white" if dark else "black",
                clip_on=True,
            )
        )
    return tuple(found)


def _percent(value: float) -> str:
    """Return an effect in percent, as short as it can be.

    Examples:
        >>> [_percent(value) for value in (0.0251, -0.0012, 0.1234, -1.5, 0.0996)]
        ['2.5', '−0.12', '12', '−150', '10']
    """
    return typographic(percent(value).strip("+%"))


def _runs(columns: Sequence[GridColumn]) -> Iterator[tuple[str, int, int]]:
    """Yield (channel, first column, number of columns)."""
    begin = 0
    for channel, members in itertools.groupby(columns, key=lambda column: column.channel):
        count = len(list(members))
        yield channel, begin, count
        begin += count


def _is_upright(label: str, room: float) -> bool:
    """Return whether the name of a channel is wider than so many inches."""
    return text_width([label], NAME_SIZE, "bold") > room


def _height_below(columns: Sequence[GridColumn], style: Style, panel: float) -> float:
    """Return the inches that the names of processes and channels need below a panel that is so wide."""
    channels = [0.2]
    for channel, _, count in _runs(columns):
        label = style.channel(channel).label or channel
        if _is_upright(label, count * panel / len(columns)):
            channels.append(text_width([label], NAME_SIZE, "bold"))
    return text_width((column.label for column in columns), NOTE_SIZE) + max(channels) + 0.25


def _draw_channels(axes: Axes, columns: Sequence[GridColumn], style: Style) -> tuple[Text, ...]:
    """Write the names of channels below those of processes, upright where they are wider than their columns."""
    found = []
    per_column = axes.get_window_extent().width / axes.figure.dpi / len(columns)
    below = text_width((column.label for column in columns), NOTE_SIZE) * 72.0 + 9.0
    for channel, begin, count in _runs(columns):
        if begin:
            axes.axvline(begin - 0.5, color="black", linewidth=0.8, zorder=2)
        label = style.channel(channel).label or channel
        upright = _is_upright(label, count * per_column)
        found.append(
            axes.annotate(
                label,
                (begin + (count - 1) / 2, 0.0),
                (0.0, -below),
                xycoords=axes.get_xaxis_transform(),
                textcoords="offset points",
                ha="center",
                va="top",
                rotation=90 if upright else 0,
                fontsize=NAME_SIZE,
                fontweight="bold",
            )
        )
    return tuple(found)


def heat_map_figure(
    grid: EffectGrid,
    *,
    quantities: Sequence[Quantity] = ("yield", "moved"),
    style: Style | None = None,
    largest: float | None = None,
) -> Figure:
    """Return a figure with a panel for each quantity; see `draw_heat_map`.

    Args:
        grid: The effects; `heat_map_figures` divides large ones into pages.
        quantities: What the panels show.
        style: Labels and names.
        largest: The effect with the darkest colour; the largest one by default.

    Raises:
        StyleError: If there is nothing to draw.
    """
    style = style or Style()
    if not grid.nuisances or not grid.columns:
        raise StyleError(_NOTHING)
    largest = _largest(grid) if largest is None else largest
    with style_context():
        names = text_width((style.parameter(name) for name in grid.nuisances), NAME_SIZE) + 0.2
        height, panel = ROW_HEIGHT * len(grid.nuisances), max(0.27 * len(grid.columns), 3.0)
        bottom = 0.5 + height + _height_below(grid.columns, style, panel)
        lefts = [names + at * (panel + 0.2) for at in range(len(quantities) + 1)]
        sheet = Sheet(max(lefts[-1] + 0.8, _NOTE_WIDTH), bottom + 0.65)
        panels = [sheet.axes(left, 0.5, panel, height) for left in lefts[:-1]]
        sheet.labels(panels[0], panels[-1], style.labels, simulation=True)
        for axes, left, quantity in zip(panels, lefts, quantities, strict=False):
            artists = draw_heat_map(axes, grid, quantity=quantity, style=style, largest=largest)
            sheet.write(left, bottom, _TITLES[quantity], size=NAME_SIZE + 2.0)
        for axes in panels[1:]:
            axes.tick_params(axis="y", labelleft=False)
        bar = sheet.axes(lefts[-1], 0.5, 0.14, min(height, 3.0))
        scale = sheet.figure.colorbar(artists.cells, cax=bar, extend="min", format=FuncFormatter(_bar_text))
        scale.ax.tick_params(labelsize=NOTE_SIZE)
        scale.ax.minorticks_off()
        sheet.write(0.1, bottom + 0.35, _NOTE)
    return sheet.figure


def _bar_text(value: float, _: int | None = None) -> str:
    return f"{100 * value:.3g}%"


def _largest(grid: EffectGrid) -> float:
    """Return the largest effect, rounded up to a power of ten, at most 100 %."""
    sizes = np.abs(np.concatenate([grid.yields.ravel(), grid.moved.ravel()]))
    found = float(np.nanmax(sizes, initial=_SMALLEST)) if np.isfinite(sizes).any() else _SMALLEST
    return min(10.0 ** math.ceil(math.log10(max(found, _SMALLEST)) - 1e-9), 1.0)


def heat_map_figures(
    grid: EffectGrid,
    *,
    quantities: Sequence[Quantity] = ("yield", "moved"),
    style: Style | None = None,
    rows: int = _ROWS,
    columns: int = _COLUMNS,
) -> Iterator[tuple[str, Figure]]:
    """Yield (number of the page, figure), with one scale of colours; there is no number if there is one page only.

    A page shows the nuisances that act on its columns; quantities that no nuisance changes are left out.

    Args:
        grid: The effects.
        quantities: What the panels show.
        style: Labels and names.
        rows: Most nuisances of a page.
        columns: Most columns of a panel; channels stay together where they fit.

    Raises:
        StyleError: If there is nothing to draw.
    """
    if not grid.nuisances or not grid.columns:
        raise StyleError(_NOTHING)
    shown = [quantity for quantity in quantities if np.isfinite(_values(grid, quantity)).any()]
    parts = [grid.of_columns(part) for part in _column_pages(grid.columns, columns)]
    pages = [
        part.of_rows(slice(begin, begin + rows)) for part in parts for begin in range(0, len(part.nuisances), rows)
    ]
    largest = _largest(grid)
    for name, page in zip(page_names(len(pages)), pages, strict=True):
        yield name, heat_map_figure(page, quantities=shown, style=style, largest=largest)


def _values(grid: EffectGrid, quantity: Quantity) -> FloatArray:
    return grid.yields if quantity == "yield" else grid.moved


def _column_pages(columns: Sequence[GridColumn], most: int) -> list[slice]:
    """Return parts of the columns; a channel is only divided where it is larger than a page."""
    pages: list[slice] = []
    for _, begin, count in _runs(columns):
        for first in range(begin, begin + count, most):
            end = min(first + most, begin + count)
            if pages and end - pages[-1].start <= most:
                pages[-1] = slice(pages[-1].start, end)
            else:
                pages.append(slice(first, end))
    return pages
