"""Contact sheets: many small panels with the relative change of a template at ±1 standard deviation of a nuisance.

All panels of a page lie in one axes and are drawn as a few collections. Matplotlib needs tens of milliseconds for an
axes with its ticks, and much less than one for a panel here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text

from pocket_combine.card.model import Card
from pocket_combine.errors import CardError, nearest
from pocket_combine.plotting.canvas import add_labels, new_figure, style_context
from pocket_combine.plotting.palette import DOWN_COLOUR, UP_COLOUR
from pocket_combine.plotting.style import Style, literal
from pocket_combine.plotting.uncertainties import figure_number, typographic
from pocket_combine.plotting.variations import (
    EVERYTHING,
    Selection,
    Variation,
    largest_by_nuisance,
    largest_variations,
    round_range,
)
from pocket_combine.templates import FloatArray, Templates

__all__ = [
    "SheetArtists",
    "contact_sheet_figures",
    "draw_contact_sheet",
    "nuisance_figure",
    "nuisance_figures",
    "nuisance_sheet",
]

_DEFAULT = Style()

_LEFT, _RIGHT, _BOTTOM = 0.17, 0.97, 0.88
"""Where the frame of a panel lies in its cell, from the left and from the top."""

_LINE = 0.105
"""Height of a line of names above a panel, as part of its cell."""

_NAME_SIZE, _NUMBER_SIZE = 6.5, 6.0
_SMALLEST_NAME = 5.0


@dataclass(frozen=True)
class SheetArtists:
    """What `draw_contact_sheet` drew; each collection has one element per panel.

    Attributes:
        up: Lines at +1 standard deviation.
        down: Lines at -1 standard deviation.
        bands: Statistical uncertainties of the nominal templates.
        frames: Frames and lines of no change.
        texts: Names and numbers.
        ranges: Half of the vertical range of each panel: 0.05 for a frame from -5 % to +5 %.
    """

    up: LineCollection
    down: LineCollection
    bands: PolyCollection
    frames: LineCollection
    texts: tuple[Text, ...]
    ranges: tuple[float, ...]


def draw_contact_sheet(
    axes: Axes, shown: Sequence[Variation], *, columns: int, rows: int, style: Style = _DEFAULT, named: bool = True
) -> SheetArtists:
    """Draw panels on axes, from left to right and from top to bottom; the axes lose their frame.

    Args:
        axes: Where to draw, at its final size: names are shortened to fit.
        shown: What is drawn, at most `columns * rows`.
        columns: Number of panels beside each other.
        rows: Number of panels below each other.
        style: Names of channels and nuisances.
        named: Whether nuisances are named at each panel.
    """
    axes.set(xlim=(0, columns), ylim=(rows, 0))
    axes.set_axis_off()
    cells = [(at % columns, at // columns) for at in range(len(shown))]
    ranges = tuple(round_range(one.largest_change) for one in shown)
    top = 0.05 + _LINE * (2 if named else 1)
    ups, downs, bands, frames = [], [], [], []
    for one, (x, y), half in zip(shown, cells, ranges, strict=True):
        place = _Place(x, y, one.edges, half, top)
        ups.append(place.steps(one.relative(one.up)))
        downs.append(place.steps(one.relative(one.down)))
        bands.append(place.band(np.nan_to_num(one.relative(one.nominal + one.errors))))
        frames += place.frame()
    band = PolyCollection(bands, facecolors="#d0d0d0", edgecolors="none", zorder=1)
    frame = LineCollection(frames, colors="#555555", linewidths=0.4, zorder=2)
    up = LineCollection(ups, colors=UP_COLOUR, linewidths=0.9, zorder=3)
    down = LineCollection(downs, colors=DOWN_COLOUR, linewidths=0.9, zorder=3)
    for collection in (band, frame, up, down):
        axes.add_collection(collection, autolim=False)
    width = axes.get_window_extent().width / axes.figure.dpi * 72.0 / columns
    texts: list[Text] = []
    for one, (x, y), half in zip(shown, cells, ranges, strict=True):
        texts += _draw_texts(axes, one, (x, y + top), (half, y + _BOTTOM), width, style, named)
    return SheetArtists(up, down, band, frame, tuple(texts), ranges)


@dataclass(frozen=True, eq=False)
class _Place:
    """Where a panel lies: column and row, its edges, half of its vertical range, and its upper end."""

    x: int
    y: int
    edges: FloatArray
    half: float
    top: float

    def _across(self) -> FloatArray:
        share = (self.edges - self.edges[0]) / (self.edges[-1] - self.edges[0])
        across: FloatArray = np.repeat(self.x + _LEFT + (_RIGHT - _LEFT) * share, 2)[1:-1]
        return across

    def _height(self, change: FloatArray) -> FloatArray:
        share = np.clip(change / self.half, -1.0, 1.0)
        middle, reach = (self.top + _BOTTOM) / 2, (_BOTTOM - self.top) / 2
        height: FloatArray = np.repeat(self.y + middle - reach * share, 2)
        return height

    def steps(self, change: FloatArray) -> FloatArray:
        return np.column_stack([self._across(), self._height(change)])

    def band(self, error: FloatArray) -> FloatArray:
        across = self._across()
        return np.column_stack(
            [np.append(across, across[::-1]), np.append(self._height(error), self._height(-error)[::-1])]
        )

    def frame(self) -> list[list[tuple[float, float]]]:
        left, right, top, bottom = self.x + _LEFT, self.x + _RIGHT, self.y + self.top, self.y + _BOTTOM
        middle = (top + bottom) / 2
        return [
            [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)],
            [(left, middle), (right, middle)],
        ]


def _draw_texts(
    axes: Axes,
    one: Variation,
    begin: tuple[float, float],
    end: tuple[float, float],
    width: float,
    style: Style,
    named: bool,
) -> Iterator[Text]:
    """Write names above a panel and numbers around it.

    Args:
        axes: The axes.
        one: What the panel shows.
        begin: Left end of its cell, and upper end of the panel.
        end: Half of the vertical range of the panel, and its lower end.
        width: Width of a cell in points.
        style: Names of channels and nuisances.
        named: Whether the nuisance is named.
    """
    (x, top), (half, bottom) = begin, end
    place = f"{style.channel(one.channel).label}, {literal(', '.join(one.processes))}"
    names = [style.parameter(one.nuisance), place] if named else [place]
    for line, name in enumerate(reversed(names)):
        bold = "bold" if line == 1 else "normal"
        height = top - 0.025 - _LINE * line
        text = axes.text(x + 0.02, height, name, size=_NAME_SIZE, va="bottom", ha="left", weight=bold)
        yield _fit(text, 0.93 * width)
    kept: dict[str, Any] = {"size": _NUMBER_SIZE, "color": "#333333"}
    for sign, height, side in (("+", top, "top"), ("\N{MINUS SIGN}", bottom, "bottom")):
        yield axes.text(x + _LEFT - 0.015, height, f"{sign}{100 * half:g}%", va=side, ha="right", **kept)
    if one.edges.size > 2:
        for edge, across, side in ((one.edges[0], _LEFT, "left"), (one.edges[-1], _RIGHT, "right")):
            yield axes.text(x + across, bottom + 0.02, figure_number(edge), va="top", ha=side, **kept)
    middle = x + (_LEFT + _RIGHT) / 2
    for change, across, side, colour in zip(
        one.yield_texts, (middle - 0.02, middle + 0.02), ("right", "left"), (UP_COLOUR, DOWN_COLOUR), strict=True
    ):
        yield axes.text(across, bottom + 0.02, typographic(change), va="top", ha=side, size=_NUMBER_SIZE, color=colour)


def _fit(text: Text, width: float) -> Text:
    """Make a text at most `width` points wide: smaller, then shortened in the middle."""
    dots = text.get_figure(root=True).dpi / 72.0  # type: ignore[union-attr]  # it lies on axes
    found = text.get_window_extent().width / dots
    if found > width:
        size = max(_SMALLEST_NAME, _NAME_SIZE * width / found)
        text.set_fontsize(size)
        kept = int(len(text.get_text()) * width / (found * size / _NAME_SIZE)) - 1
        name = text.get_text()
        if kept < len(name) - 1 and "$" not in name:
            text.set_text(f"{name[: kept // 2]}…{name[len(name) - kept // 2 :]}")
    return text


# ---------------------------------------------------------------------- figures


def contact_sheet_figures(
    card: Card,
    templates: Mapping[str, Templates],
    *,
    most: int = 60,
    selection: Selection = EVERYTHING,
    style: Style = _DEFAULT,
    columns: int = 5,
    rows: int = 6,
) -> Iterator[tuple[str, Figure]]:
    """Yield pages with the largest effects of nuisances on templates, largest first, named `1`, `2`, ….

    Args:
        card: The card.
        templates: Templates by channel; a channel without is a counting channel.
        most: How many panels at most.
        selection: Which of them.
        style: Labels, and names of channels and nuisances.
        columns: Number of panels beside each other.
        rows: Number of panels below each other.
    """
    found = largest_variations(card, templates, most=most, selection=selection)
    pages = -(-len(found) // (columns * rows))
    for page in range(pages):
        shown = found[page * columns * rows : (page + 1) * columns * rows]
        needed = rows if pages > 1 else -(-len(shown) // columns)
        yield str(page + 1), _sheet(shown, columns, needed, (1.65, 1.45), style)


def nuisance_figure(
    card: Card, templates: Mapping[str, Templates], nuisance: str, *, most: int = 6, style: Style = _DEFAULT
) -> Figure:
    """Return a small sheet of the (channel, process) on which a nuisance acts most.

    Args:
        card: The card.
        templates: Templates by channel; a channel without is a counting channel.
        nuisance: Name of the nuisance.
        most: How many panels at most.
        style: Names of channels and nuisances.

    Raises:
        CardError: If there is no such nuisance, or it acts on nothing.
    """
    if nuisance not in card.nuisance_names:
        raise CardError(f"no nuisance {nuisance!r} in the card: {nearest(nuisance, card.nuisance_names)}")
    for _, figure in nuisance_figures(card, templates, [nuisance], most=most, style=style):
        return figure
    raise CardError(f"nuisance {nuisance!r} acts on no process, so there is nothing to draw")


def nuisance_figures(
    card: Card,
    templates: Mapping[str, Templates],
    nuisances: Collection[str] | None = None,
    *,
    most: int = 6,
    style: Style = _DEFAULT,
) -> Iterator[tuple[str, Figure]]:
    """Yield the name of each nuisance that acts on a process, and its `nuisance_figure`.

    Args:
        card: The card.
        templates: Templates by channel; a channel without is a counting channel.
        nuisances: Names of nuisances; `None` for all.
        most: How many panels at most for each.
        style: Names of channels and nuisances.
    """
    for name, shown in largest_by_nuisance(card, templates, most=most, nuisances=nuisances).items():
        if shown:
            yield name, nuisance_sheet(name, shown, style=style)


def nuisance_sheet(nuisance: str, shown: Sequence[Variation], *, style: Style = _DEFAULT) -> Figure:
    """Return the `nuisance_figure` of variations that are known already.

    Args:
        nuisance: Name of the nuisance.
        shown: What it does, as `variations.largest_by_nuisance` returns it; at least one.
        style: Names of channels and nuisances.
    """
    columns = min(3, len(shown))
    return _sheet(shown, columns, -(-len(shown) // columns), (1.9, 1.25), style, style.parameter(nuisance))


def _sheet(
    shown: Sequence[Variation],
    columns: int,
    rows: int,
    cell: tuple[float, float],
    style: Style,
    title: str | None = None,
) -> Figure:
    """Return a page; with a title it is of one nuisance and has no labels of the experiment."""
    width, height = max(columns * cell[0], 3.4) + 0.2, rows * cell[1]
    above, below = 0.3, 0.3
    with style_context():
        figure = new_figure(width, height + above + below)
        figure.set_layout_engine("none")
        box = (0.1 / width, below / (height + above + below), 1 - 0.2 / width, height / (height + above + below))
        axes = figure.add_axes(box)
        if title is None:
            axes.set_axis_off()
            add_labels(axes, style.labels, simulation=True)
            axes.set_title("", y=1.0)
        else:
            size = min(10.0, (width - 0.2) * 72.0 / (0.62 * max(len(title), 1)))
            axes.set_title(title, loc="left", size=size, weight="bold", y=1.0)  # y given: no search for ticks below it
        draw_contact_sheet(axes, shown, columns=columns, rows=rows, style=style, named=title is None)
        figure.legend(
            [Line2D([], [], color=UP_COLOUR), Line2D([], [], color=DOWN_COLOUR), Patch(facecolor="#d0d0d0")],
            ["+1\N{GREEK SMALL LETTER SIGMA}", "\N{MINUS SIGN}1\N{GREEK SMALL LETTER SIGMA}", "stat. unc. of nominal"],
            loc="lower center",
            ncols=3,
            fontsize=7.0,
            frameon=False,
            handlelength=1.2,
            borderaxespad=0.3,
        )
    return figure
