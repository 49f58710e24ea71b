"""The correlation scheme of a card as a picture: what is one parameter across years or channels, and what is split."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.text import Text

from pocket_combine.errors import StyleError
from pocket_combine.plotting.canvas import add_labels, style_context
from pocket_combine.plotting.rows import NAME_SIZE, ROW_HEIGHT
from pocket_combine.plotting.scheme_grid import Block, Scheme, SchemeRow, Sharing
from pocket_combine.plotting.sheets import Sheet, head_width, page_names, text_width
from pocket_combine.plotting.style import Style, literal

__all__ = ["SchemeArtists", "draw_scheme", "scheme_figure", "scheme_figures"]

_COLOURS = {
    Sharing.ALL: "#3f90da",
    Sharing.SOME: "#92dadd",
    Sharing.SPLIT: "#ffa90e",
    Sharing.SINGLE: "#b9ac70",
}
_TEXT_SIZE = 7.0
_LETTER = 0.5 * _TEXT_SIZE / 72.0
"""Inches of a letter, about."""
_LANES = 44
"""Most lines of a page."""
_GAP = 0.1
"""Part of a line that is left free between blocks."""


@dataclass(frozen=True)
class SchemeArtists:
    """What was drawn.

    Attributes:
        blocks: Rectangles of each parameter, by its name: one for each run of neighbouring columns.
        joins: Lines between the rectangles of one parameter.
        texts: What stands in them.
    """

    blocks: dict[str, tuple[Rectangle, ...]]
    joins: tuple[Line2D, ...]
    texts: tuple[Text, ...]


def draw_scheme(axes: Axes, scheme: Scheme, *, style: Style | None = None) -> SchemeArtists:
    """Draw parameters as blocks over the years, or channels, that they act on.

    A block says on which processes it acts. Blocks of one parameter that are not neighbours are joined by a line.

    Args:
        axes: The axes.
        scheme: The scheme.
        style: Names.

    Raises:
        StyleError: If no parameter acts on anything.
    """
    style = style or Style()
    if not scheme.rows:
        raise StyleError(_NOTHING)
    room = axes.get_window_extent().width / axes.figure.dpi / len(scheme.columns)
    blocks: dict[str, tuple[Rectangle, ...]] = {}
    joins: list[Line2D] = []
    texts: list[Text] = []
    top, middles = 0.0, []
    for row in scheme.rows:
        for block in row.blocks:
            rectangles, lines = _draw_block(axes, block, top + block.lane, free=row.free)
            blocks[block.name] = rectangles
            joins += lines
            text = _text(block, rectangles[0].get_width() * room)
            if text:
                box = rectangles[0]
                texts.append(
                    axes.text(
                        box.get_x() + box.get_width() / 2,
                        box.get_y() + box.get_height() / 2,
                        text,
                        ha="center",
                        va="center",
                        fontsize=_TEXT_SIZE,
                        zorder=3,
                    )
                )
        middles.append(top + row.lanes / 2)
        top += row.lanes
        axes.axhline(top, color="#d0d0d0", linewidth=0.4, zorder=0.5)
    for at in range(1, len(scheme.columns)):
        axes.axvline(at, color="#d0d0d0", linewidth=0.4, zorder=0.5)
    _name_axes(axes, scheme, middles, style, room)
    axes.set_xlim(0.0, len(scheme.columns))
    axes.set_ylim(top, 0.0)
    return SchemeArtists(blocks, tuple(joins), tuple(texts))


_NOTHING = "no nuisance and no rate parameter acts on a process: there is no correlation scheme to draw"


def _runs(columns: Sequence[int]) -> list[tuple[int, int]]:
    """Return (first, number) of neighbouring columns, the longest run first.

    Examples:
        >>> _runs([0, 2, 3])
        [(2, 2), (0, 1)]
    """
    groups = itertools.groupby(enumerate(columns), key=lambda pair: pair[1] - pair[0])
    found = [[column for _, column in members] for _, members in groups]
    return sorted(((run[0], len(run)) for run in found), key=lambda run: -run[1])


def _draw_block(axes: Axes, block: Block, top: float, *, free: bool) -> tuple[tuple[Rectangle, ...], list[Line2D]]:
    colour = _COLOURS[block.sharing]
    rectangles = []
    for first, count in _runs(block.columns):
        box = Rectangle(
            (first + 0.03, top + _GAP),
            count - 0.06,
            1.0 - 2 * _GAP,
            facecolor=colour,
            edgecolor="black" if free else colour,
            linestyle="--" if free else "-",
            linewidth=0.8,
            zorder=2,
        )
        axes.add_patch(box)
        rectangles.append(box)
    lines: list[Line2D] = []
    if len(rectangles) > 1:
        ends = [block.columns[0] + 0.5, block.columns[-1] + 0.5]
        lines = axes.plot(ends, [top + 0.5] * 2, color=colour, linewidth=2.0, zorder=1.5)
    return tuple(rectangles), lines


def _text(block: Block, width: float) -> str:
    """Return on which processes a block acts, in words that fit into so many inches; empty if none do."""
    count, total = len(block.processes), len(block.processes) + block.others
    words = ["all processes", "all"] if not block.others else [f"{count} of {total} processes", f"{count}/{total}"]
    if block.others:
        words = [", ".join(block.processes), *words]
    return next((text for text in words if _LETTER * len(text) < width - 0.06), "")


def _name_axes(axes: Axes, scheme: Scheme, middles: Sequence[float], style: Style, room: float) -> None:
    labels = [_column_label(scheme, name, style) for name in scheme.columns]
    axes.set_xticks(
        [at + 0.5 for at in range(len(labels))],
        labels,
        fontsize=NAME_SIZE,
        rotation=90 if text_width(labels, NAME_SIZE) > room - 0.05 else 0,
    )
    axes.set_yticks(middles, [_row_label(row, style) for row in scheme.rows], fontsize=NAME_SIZE)
    axes.minorticks_off()
    axes.tick_params(axis="both", which="both", length=0.0)


def _column_label(scheme: Scheme, name: str, style: Style) -> str:
    return (style.channel(name).label or name) if scheme.by == "channel" else literal(name).replace("_", " ")


def _row_label(row: SchemeRow, style: Style) -> str:
    name = row.blocks[0].name if len(row.blocks) == 1 else row.stem
    return f"{style.parameter(name)} (free)" if row.free else style.parameter(name)


def scheme_figure(scheme: Scheme, *, style: Style | None = None) -> Figure:
    """Return a figure of a correlation scheme; see `draw_scheme`.

    Args:
        scheme: The scheme; `scheme_figures` divides large ones into pages.
        style: Labels and names.

    Raises:
        StyleError: If there is nothing to draw.
    """
    style = style or Style()
    if not scheme.rows:
        raise StyleError(_NOTHING)
    with style_context():
        names = text_width((_row_label(row, style) for row in scheme.rows), NAME_SIZE) + 0.2
        labels = [_column_label(scheme, name, style) for name in scheme.columns]
        below = text_width(labels, NAME_SIZE)
        column = min(max(7.0 / len(labels), 0.4), 1.3)
        width = max(column * len(labels), head_width(style.labels, simulation=True) + 0.6)
        upright = below > width / len(labels) - 0.05
        height = ROW_HEIGHT * sum(row.lanes for row in scheme.rows)
        bottom = 0.5 + height + (below if upright else 0.15) + 0.15
        sheet = Sheet(max(names + width + 0.15, _LEGEND_WIDTH), bottom + 0.5)
        axes = sheet.axes(names, 0.5, width, height)
        add_labels(axes, style.labels, simulation=True)
        draw_scheme(axes, scheme, style=style)
        shown = {block.sharing for row in scheme.rows for block in row.blocks}
        handles = [Patch(color=_COLOURS[sharing]) for sharing in Sharing if sharing in shown]
        texts = [_legend_text(sharing, scheme.by) for sharing in Sharing if sharing in shown]
        sheet.figure.legend(handles, texts, loc="lower left", bbox_to_anchor=(0.0, 0.0), ncols=2, fontsize=NAME_SIZE)
    return sheet.figure


_LEGEND_WIDTH = 5.5


def _legend_text(sharing: Sharing, by: str) -> str:
    return {
        Sharing.ALL: f"One parameter for all {by}s",
        Sharing.SOME: f"One parameter for several {by}s",
        Sharing.SPLIT: f"A parameter for each {by}",
        Sharing.SINGLE: f"Acts in one {by} only",
    }[sharing]


def scheme_figures(scheme: Scheme, *, style: Style | None = None, lanes: int = _LANES) -> Iterator[tuple[str, Figure]]:
    """Yield (number of the page, figure), without a number if there is one page only.

    Args:
        scheme: The scheme.
        style: Labels and names.
        lanes: Most lines of a page; a row is never divided.

    Raises:
        StyleError: If there is nothing to draw.
    """
    if not scheme.rows:
        raise StyleError(_NOTHING)
    pages: list[list[SchemeRow]] = [[]]
    for row in scheme.rows:
        if pages[-1] and sum(item.lanes for item in pages[-1]) + row.lanes > lanes:
            pages.append([])
        pages[-1].append(row)
    for name, rows in zip(page_names(len(pages)), pages, strict=True):
        yield name, scheme_figure(replace(scheme, rows=tuple(rows)), style=style)
