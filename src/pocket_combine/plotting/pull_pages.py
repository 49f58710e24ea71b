"""Figures of pulls: one with all parameters in columns, or pages."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from pocket_combine.errors import StyleError
from pocket_combine.plotting.canvas import style_context
from pocket_combine.plotting.pull_values import PullState, matching, ordered
from pocket_combine.plotting.pulls import (
    BANDS,
    DrawnFit,
    Fits,
    drawn_fits,
    fill_free_parameters,
    fill_pulls,
    kind_of,
    pull_limit,
    value_text,
)
from pocket_combine.plotting.rows import NAME_SIZE, ROW_HEIGHT
from pocket_combine.plotting.sheets import (
    HEAD,
    LINE,
    MARGIN,
    NOTE_SIZE,
    Sheet,
    head_width,
    page_names,
    text_width,
    wrapped,
)
from pocket_combine.plotting.style import Style
from pocket_combine.plotting.uncertainties import asymmetric, signed, typographic

__all__ = ["PullOptions", "pulls_figure", "pulls_figures"]

_DEFAULT = Style()
_PANEL = 3.4
_AXIS = 0.5
"""Inches below axes for the numbers and the name of the axis."""
_Column = tuple[tuple[str, ...], tuple[str, ...]]
"""Names with a constraint, and without one."""


@dataclass(frozen=True)
class PullOptions:
    """Which pulls are drawn, and in which order.

    Attributes:
        order: `card`, `name`, `pull` (largest first) or `constraint` (strongest first), of the first fit.
        bins: Whether parameters of autoMCStats are shown.
        parameters: Shell patterns of names; all by default.
        rows: Most rows of a column, or of a page.
    """

    order: str = "card"
    bins: bool = False
    parameters: tuple[str, ...] = ()
    rows: int = 50


_PLAIN = PullOptions()


def pulls_figure(fits: Fits, *, style: Style = _DEFAULT, options: PullOptions = _PLAIN) -> Figure:
    """Return one figure of all pulls, in as many columns as are needed.

    Args:
        fits: A result, or up to three by their names in the legend.
        style: Labels, and names of parameters.
        options: Which pulls.

    Raises:
        StyleError: If nothing is left to draw, a pattern matches nothing, or there are more than three fits.
    """
    drawn = drawn_fits(fits, bins=options.bins)
    return _sheet(drawn, _columns(drawn, options), style)


def pulls_figures(
    fits: Fits, *, style: Style = _DEFAULT, options: PullOptions = _PLAIN
) -> Iterator[tuple[str, Figure]]:
    """Yield pages of pulls, each with the number of its page, or an empty text if there is one page only.

    Arguments and exceptions are those of `pulls_figure`; a page has as many rows as a column there.
    """
    drawn = drawn_fits(fits, bins=options.bins)
    columns = _columns(drawn, options)
    counts = [sum(map(len, column)) for column in columns]
    for at, (name, column) in enumerate(zip(page_names(len(columns)), columns, strict=True)):
        place = (sum(counts[:at]), sum(counts)) if name else None
        yield name, _sheet(drawn, [column], style, place=place)


def _selected(fits: Sequence[DrawnFit], order: str, patterns: Sequence[str]) -> _Column:
    """Return the names of the parameters with and without a constraint, in the order of the figure."""
    rows = {name: row for fit in reversed(fits) for name, row in fit.rows.items()}
    names = tuple(dict.fromkeys(name for fit in fits for name in fit.rows))
    chosen = matching(names, patterns) if patterns else names
    if not chosen:
        raise StyleError("there is no parameter to draw: the results hold nothing but parameters of interest")
    arranged = [row.parameter for row in ordered([rows[name] for name in chosen], order)]
    pulled = tuple(name for name in arranged if rows[name].is_constrained)
    return pulled, tuple(name for name in arranged if not rows[name].is_constrained)


def _columns(fits: Sequence[DrawnFit], options: PullOptions) -> list[_Column]:
    """Return (with a constraint, without one) for each column, all about equally full."""
    names = _selected(fits, options.order, options.parameters)
    everything = [(name, kind) for kind in (0, 1) for name in names[kind]]
    count = max(1, math.ceil(len(everything) / max(options.rows, 1)))
    size = math.ceil(len(everything) / count)
    columns = []
    for begin in range(0, len(everything), size):
        part = everything[begin : begin + size]
        pulled, free = (tuple(name for name, found in part if found == kind) for kind in (0, 1))
        columns.append((pulled, free))
    return columns


# ---------------------------------------------------------------------- the figure


def _sheet(
    fits: Sequence[DrawnFit], columns: Sequence[_Column], style: Style, place: tuple[int, int] | None = None
) -> Figure:
    """Return a figure of columns.

    Args:
        fits: What is drawn.
        columns: Names of parameters.
        style: Labels and names.
        place: Of a page: how many rows come before it, and how many all pages have.
    """
    with style_context():
        names = [name for column in columns for block in column for name in block]
        alone = fits[0] if len(fits) == 1 else None
        notes = {name: _note(alone, name) for name in names} if alone else {}
        simulation = all(fit.simulation for fit in fits)
        row = ROW_HEIGHT * (1.0 + 0.3 * (len(fits) - 1))
        left = MARGIN + text_width([style.parameter(name) for name in names], NAME_SIZE) + 0.1
        right = text_width(notes.values(), NOTE_SIZE) + 0.15
        panel = _PANEL if len(columns) > 1 else max(_PANEL, head_width(style.labels, simulation=simulation))
        width = len(columns) * (left + panel + right)
        warnings = [
            line for fit in fits if fit.problem for line in wrapped(f"{fit.label}: {fit.problem}", width - 2 * MARGIN)
        ]
        handles = _legend(fits, names)
        top = HEAD + LINE * len(warnings)
        body = max(sum(len(block) * row + _AXIS for block in column if block) for column in columns)
        sheet = Sheet(width, top + body + LINE * 1.1 * len(handles) + 0.15)
        sheet.warn(0.06, warnings)
        places: list[tuple[Axes, tuple[str, ...], bool]] = []
        uppermost = []
        for at, column in enumerate(columns):
            y = top
            uppermost.append(len(places))
            for block in filter(None, column):
                axes = sheet.axes(at * (left + panel + right) + left, y, panel, len(block) * row)
                places.append((axes, block, block is column[0]))
                y += len(block) * row + _AXIS
        sheet.labels(places[uppermost[0]][0], places[uppermost[-1]][0], style.labels, simulation=simulation)
        limit = pull_limit(fits, [name for pulled, _ in columns for name in pulled])
        for axes, block, is_pulled in places:
            if is_pulled:
                fill_pulls(axes, fits, block, style, limit)
            else:
                fill_free_parameters(axes, fits, block, style)
            _write_notes(axes, [notes.get(name, "") for name in block])
        sheet.legend(handles, left, top + body)
        if place is not None:
            sheet.count(top + body + LINE * (1.1 * len(handles) - 0.5), place[0], len(names), place[1])
    return sheet.figure


def _write_notes(axes: Axes, notes: Sequence[str]) -> None:
    for at, note in enumerate(notes):
        if note:
            axes.text(1.02, at, note, transform=axes.get_yaxis_transform(), fontsize=NOTE_SIZE, va="center_baseline")


def _note(fit: DrawnFit, name: str) -> str:
    """Return what is written beside a row: the pull and its uncertainty, or the value."""
    row = fit.rows[name]
    if row.state in (PullState.FROZEN, PullState.MASKED):
        return str(row.state.value)
    if not row.is_constrained:
        return asymmetric(row.fit[1], math.nan, math.nan) if fit.problem else value_text(row)
    text = typographic(signed(row.pull, 2))
    if not fit.problem and math.isfinite(row.constraint):
        text += f" ± {row.constraint:.2f}"
    return f"{text} (edge)" if row.state is PullState.AT_BOUNDARY else text


def _legend(fits: Sequence[DrawnFit], names: Sequence[str]) -> list[Artist]:
    handles: list[Artist] = [
        Line2D(
            [],
            [],
            color=fit.colour,
            marker=fit.marker,
            markersize=4.0,
            ls="" if fit.problem else "-",
            mfc="white" if fit.problem else fit.colour,
            label=fit.label,
        )
        for fit in fits
    ]
    drawn = [(fit, fit.rows[name]) for fit in fits for name in names if name in fit.rows]
    rows = [row for _, row in drawn]
    # All points of a fit that is no result are hollow, which its own line of the legend shows.
    hollow = next((fit for fit, row in drawn if not fit.problem and kind_of(fit, row) == "unmeasured"), None)
    if hollow is not None:
        point = Line2D([], [], color=hollow.colour, marker=hollow.marker, markersize=4.0, ls="", mfc="white")
        point.set_label("without uncertainty")
        handles.append(point)
    if any(kind_of(fit, row) == "fixed" for fit, row in drawn):
        handles.append(Line2D([], [], color="black", marker="x", markersize=4.0, ls="", label="frozen or masked"))
    if any(row.is_constrained for row in rows):
        handles += [Patch(color=colour, label=f"±{width:g}σ before the fit") for width, colour in reversed(BANDS)]
    if not all(row.is_constrained for row in rows):
        handles.append(Line2D([], [], color="#888888", marker="|", markersize=8.0, ls="", label="initial value"))
    return handles
