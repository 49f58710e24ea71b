"""Summary of signal strengths."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from pocket_combine.errors import StyleError
from pocket_combine.plotting.canvas import style_context
from pocket_combine.plotting.data_words import data_name, of_simulation
from pocket_combine.plotting.palette import DOWN_COLOUR, PETROFF_10
from pocket_combine.plotting.rows import NAME_SIZE, ROW_HEIGHT, Bars, draw_bars, name_rows, value_limits
from pocket_combine.plotting.sheets import FAILED_COLOUR, HEAD, LINE, MARGIN, Sheet, head_width, text_width
from pocket_combine.plotting.strength_values import Strength
from pocket_combine.plotting.style import Style
from pocket_combine.plotting.uncertainties import decimals, exponents, figure_number, interval_text
from pocket_combine.results import Interval, Status, UncertaintyGroup

__all__ = ["StrengthArtists", "draw_strengths", "strengths_figure"]

_ROW = 1.7 * ROW_HEIGHT
_PANEL = 3.6
_AXIS = 0.5
_TEXT = 10.0
STAT_COLOUR, SYST_COLOUR = DOWN_COLOUR, PETROFF_10[1]


@dataclass(frozen=True)
class StrengthArtists:
    """What is drawn.

    Attributes:
        total: Points and total uncertainties.
        stat: Parts of the data, on the row.
        syst: The rest, below it.
        open_ends: Arrows at the ends of intervals that end with the range of the parameter.
    """

    total: Bars
    stat: LineCollection
    syst: LineCollection
    open_ends: tuple[Line2D, ...]


def draw_strengths(
    axes: Axes,
    strengths: Sequence[Strength],
    *,
    expected: float | None = 1.0,
) -> StrengthArtists:
    """Draw signal strengths, one to a row: best fit, total uncertainty, and its two parts where they are known.

    An interval that ends at the range of the parameter has an arrow there. A fit that is no result is words in red.

    Args:
        axes: The axes.
        strengths: From `strengths_of`, from the top.
        expected: Value of a dashed line; none if `None`.

    Returns:
        What is drawn.
    """
    name_rows(axes, _labels(strengths))
    found = [
        (at, strength, strength.interval) for at, strength in enumerate(strengths) if strength.interval is not None
    ]
    rows = np.array([at for at, _, _ in found], dtype=np.float64)
    values = np.array([(item.low, item.best, item.high) for _, _, item in found], dtype=np.float64).reshape(-1, 3)
    limits = value_limits([*values.tolist(), *([] if expected is None else [[expected] * 3])])
    for at, strength in enumerate(strengths):
        if strength.problem:
            place = at if strength.interval is None else at + 0.3
            words = axes.text(0.02, place, strength.problem, transform=axes.get_yaxis_transform(), va="center")
            words.set(color=FAILED_COLOUR, fontsize=NAME_SIZE)
    artists = StrengthArtists(
        draw_bars(axes, rows, values, limits=limits, colour="black"),
        _draw_parts(axes, [(at, item, strength.stat) for at, strength, item in found], limits, 0.0, STAT_COLOUR),
        _draw_parts(axes, [(at, item, strength.syst) for at, strength, item in found], limits, 0.24, SYST_COLOUR),
        _draw_open_ends(axes, [(at, item) for at, _, item in found], limits),
    )
    if expected is not None:
        axes.axvline(expected, color="#717581", linewidth=1.0, linestyle="--", zorder=1)
    return artists


def _draw_parts(
    axes: Axes,
    rows: Sequence[tuple[int, Interval, UncertaintyGroup | None]],
    limits: tuple[float, float],
    shift: float,
    colour: str,
) -> LineCollection:
    lines = []
    for at, interval, part in rows:
        if part is not None:
            ends = np.clip(
                np.nan_to_num([interval.best - part.low, interval.best + part.high], nan=interval.best), *limits
            )
            lines.append([(float(end), at + shift) for end in ends])
    width = 2.6 if shift else 5.0
    drawn = LineCollection(lines, colors=colour, linewidths=width, zorder=2, capstyle="butt")
    axes.add_collection(drawn, autolim=False)
    return drawn


def _draw_open_ends(
    axes: Axes, rows: Sequence[tuple[int, Interval]], limits: tuple[float, float]
) -> tuple[Line2D, ...]:
    drawn = []
    for marker, side in (("<", "low"), (">", "high")):
        open_rows = [
            (at, float(getattr(interval, side)))
            for at, interval in rows
            if getattr(interval, f"{side}_status") is not Status.CONVERGED
        ]
        inside = [(end, at) for at, end in open_rows if limits[0] <= end <= limits[1]]
        places = np.array(inside, dtype=np.float64).reshape(-1, 2)
        drawn.append(axes.plot(places[:, 0], places[:, 1], marker, color="black", markersize=5.0, zorder=5)[0])
    return tuple(drawn)


def strengths_figure(
    strengths: Sequence[Strength],
    *,
    style: Style = Style(),  # noqa: B008  frozen
    expected: float | None = 1.0,
    quantity: str = "",
) -> Figure:
    """Return a figure of signal strengths with their numbers at the right.

    Args:
        strengths: From `strengths_of`, from the top.
        style: Labels.
        expected: Value of a dashed line; none if `None`.
        quantity: What is on the horizontal axis; the name of the parameter if it is the same everywhere by default.

    Raises:
        StyleError: If there is nothing to draw.
    """
    if not strengths:
        raise StyleError("there is no signal strength to draw")
    names = {strength.interval.parameter for strength in strengths if strength.interval is not None}
    title = quantity or (style.parameter(min(names)) if len(names) == 1 and len(strengths) > 1 else "best fit")
    with style_context():
        simulation = all(of_simulation(strength.data) for strength in strengths)
        texts = [_text(strength) for strength in strengths]
        left = MARGIN + text_width(_labels(strengths), NAME_SIZE) + 0.1
        problems = text_width([strength.problem for strength in strengths], NAME_SIZE)
        panel = max(_PANEL, head_width(style.labels, simulation=simulation), problems + 0.2)
        right = text_width(texts, _TEXT) + 0.25
        handles = _legend(strengths, expected)
        body = len(strengths) * _ROW
        sheet = Sheet(left + panel + right, HEAD + body + _AXIS + 1.1 * LINE * len(handles) + 0.15)
        axes = sheet.axes(left, HEAD, panel, body)
        sheet.labels(axes, axes, style.labels, simulation=simulation)
        axes.xaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
        draw_strengths(axes, strengths, expected=expected)
        axes.set_xlabel(title, fontsize=NAME_SIZE + 1.0)
        for at, text in enumerate(texts):
            axes.text(1.03, at, text, transform=axes.get_yaxis_transform(), fontsize=_TEXT, va="center")
        sheet.legend(handles, left, HEAD + body + _AXIS)
    return sheet.figure


def _labels(strengths: Sequence[Strength]) -> list[str]:
    """Return the names of rows, with what was fitted where that differs from row to row."""
    names = [data_name(strength.data) for strength in strengths]
    if len(set(names)) == 1:
        return [strength.label for strength in strengths]
    pairs = zip(strengths, names, strict=True)
    return [f"{strength.label} ({name})" if name else strength.label for strength, name in pairs]


def _text(strength: Strength) -> str:
    """Return the numbers of a row."""
    if strength.interval is None:
        return "no result"
    interval, stat, syst = strength.interval, strength.stat, strength.syst
    text = interval_text(interval)
    if stat is None or syst is None:
        return text
    places = decimals((interval.best - interval.low, interval.high - interval.best))
    both = [f"${{}}{exponents(part.low, part.high, places)}$ {part.group}" for part in (stat, syst)]
    return f"{text}  ({', '.join(both)})"


def _legend(strengths: Sequence[Strength], expected: float | None) -> list[Artist]:
    kinds = {strength.data for strength in strengths}
    data = data_name(kinds.pop()) if len(kinds) == 1 else ""
    levels = {strength.interval.delta_nll for strength in strengths if strength.interval is not None}
    name = "best fit and uncertainty"
    if any(not math.isclose(level, 0.5, rel_tol=0.02) for level in levels):
        name += f" (ΔNLL = {', '.join(f'{level:.3g}' for level in sorted(levels))})"
    handles: list[Artist] = [
        Line2D([], [], color="black", marker="o", markersize=4.0, label=f"{name}: {data}" if data else name)
    ]
    if any(strength.stat is not None for strength in strengths):
        handles += [
            Line2D([], [], color=STAT_COLOUR, linewidth=5.0, label="statistical"),
            Line2D([], [], color=SYST_COLOUR, linewidth=2.6, label="systematic"),
        ]
    if expected is not None:
        handles.append(
            Line2D([], [], color="#717581", linewidth=1.0, linestyle="--", label=f"expected: {figure_number(expected)}")
        )
    return handles
