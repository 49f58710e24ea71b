"""Impacts of nuisances on a parameter of interest, ranked, beside their pulls."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from pocket_combine.errors import StyleError
from pocket_combine.plotting.canvas import style_context
from pocket_combine.plotting.data_words import data_name, only_simulation
from pocket_combine.plotting.impact_values import RankedImpact, interval_of, ranked_impacts
from pocket_combine.plotting.palette import DOWN_COLOUR, UP_COLOUR
from pocket_combine.plotting.pull_values import PullState
from pocket_combine.plotting.pulls import BANDS, value_text
from pocket_combine.plotting.rows import NAME_SIZE, ROW_HEIGHT, Bars, draw_bars, name_rows
from pocket_combine.plotting.sheets import (
    FAILED_COLOUR,
    HEAD,
    LINE,
    MARGIN,
    NOTE_SIZE,
    Sheet,
    page_names,
    text_width,
    wrapped,
)
from pocket_combine.plotting.style import Style
from pocket_combine.plotting.uncertainties import decimals, interval_text, signed, typographic
from pocket_combine.results import ImpactResult, Interval, Status

__all__ = ["ImpactArtists", "draw_impacts", "impacts_figure", "impacts_figures"]

_PULLS, _IMPACTS, _GAP = 2.5, 3.2, 0.16
"""Inches of both panels and between them."""
_PULL_LIMIT = 2.5
_AXIS = 0.5
_NAMED = 3


@dataclass(frozen=True)
class ImpactArtists:
    """What is drawn.

    Attributes:
        pulls: Pulls of the constrained nuisances.
        high: One bar per row, with the nuisance at its upper end; invisible where that was not found.
        low: The same at its lower end.
    """

    pulls: Bars
    high: BarContainer
    low: BarContainer


def draw_impacts(
    pull_axes: Axes,
    impact_axes: Axes,
    impacts: Sequence[RankedImpact],
    *,
    poi: str = "r",
    style: Style = Style(),  # noqa: B008  frozen
) -> ImpactArtists:
    """Draw impacts, one nuisance to a row, with the pulls on other axes at the left.

    The filled bar is the change of the parameter of interest with the nuisance at the upper end of its interval after
    the fit, the hatched one with it at the lower end; where both lie on one side each takes half of the row. An end
    that was not found has no bar, and the row is red.

    Args:
        pull_axes: Where pulls are drawn, as `draw_pulls` does; nuisances without a constraint have their value as text.
        impact_axes: Where impacts are drawn.
        impacts: From `ranked_impacts`, from the top.
        poi: The parameter of interest.
        style: Names of parameters.

    Returns:
        What is drawn.
    """
    name_rows(pull_axes, [style.parameter(row.parameter) for row in impacts])
    name_rows(impact_axes, [""] * len(impacts))
    impact_axes.set_xlabel(f"Δ{style.parameter(poi)}", fontsize=NAME_SIZE + 1.0)
    sizes = [row.size for row in impacts if math.isfinite(row.size)]
    edge = 1.15 * (max(sizes, default=0.0) or 1.0)
    impact_axes.set_xlim(-edge, edge)
    impact_axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    impact_axes.axvline(0.0, color="#888888", linewidth=0.6, zorder=0.3)
    for at, row in enumerate(impacts):
        if not all(status.usable for status in row.statuses):
            for axes in (pull_axes, impact_axes):
                axes.axhspan(at - 0.5, at + 0.5, color=FAILED_COLOUR, alpha=0.12, linewidth=0.0, zorder=0.4)
    return ImpactArtists(
        _draw_pulls(pull_axes, impacts),
        _draw_changes(impact_axes, impacts, 1),
        _draw_changes(impact_axes, impacts, -1),
    )


def _draw_pulls(axes: Axes, impacts: Sequence[RankedImpact]) -> Bars:
    for width, colour in BANDS:
        axes.axvspan(-width, width, color=colour, linewidth=0.0, zorder=0.2)
    axes.axvline(0.0, color="#888888", linewidth=0.6, zorder=0.3)
    axes.set_xlabel(r"$(\hat{\theta} - \theta_0)\,/\,\sigma$", fontsize=NAME_SIZE + 1.0)
    rows = [at for at, row in enumerate(impacts) if row.pull.is_constrained]
    pulls = [impacts[at].pull for at in rows]
    values = np.array([(pull.ends[0], pull.pull, pull.ends[1]) for pull in pulls]).reshape(-1, 3)
    for at, row in enumerate(impacts):
        if not row.pull.is_constrained:
            axes.text(0.0, at, value_text(row.pull), fontsize=NAME_SIZE, ha="center", va="center", zorder=3)
    return draw_bars(axes, np.array(rows, dtype=np.float64), values, limits=(-_PULL_LIMIT, _PULL_LIMIT), colour="black")


def _draw_changes(axes: Axes, impacts: Sequence[RankedImpact], side: int) -> BarContainer:
    """Draw the bars of the upper (1) or the lower (-1) end."""
    changes = [row.high if side > 0 else row.low for row in impacts]
    halves = np.array([row.is_one_sided for row in impacts], dtype=np.bool_)
    bars = axes.barh(
        np.arange(len(impacts)) - np.where(halves, 0.19 * side, 0.0),
        np.nan_to_num(changes, nan=0.0),
        height=np.where(halves, 0.34, 0.72),
        linewidth=0.6,
        zorder=2,
        color=UP_COLOUR if side > 0 else "white",
        edgecolor=UP_COLOUR if side > 0 else DOWN_COLOUR,
        hatch=None if side > 0 else "//////",
    )
    for bar, change in zip(bars, changes, strict=True):
        bar.set_visible(not math.isnan(change))  # else the edge of a bar of no length is a line at zero
    return bars


# ---------------------------------------------------------------------- figures


def impacts_figure(
    result: ImpactResult,
    *,
    style: Style = Style(),  # noqa: B008  frozen
    poi: str | None = None,
    parameters: Sequence[str] = (),
    most: int = 30,
) -> Figure:
    """Return a figure of the largest impacts.

    Args:
        result: The impacts.
        style: Labels, and names of parameters.
        poi: The parameter of interest; the first one by default.
        parameters: Shell patterns of names of nuisances; all by default.
        most: How many nuisances are shown.

    Raises:
        StyleError: If there is no impact, the impacts are not on this parameter, or a pattern matches nothing.
    """
    rows = _rows(result, poi, parameters)
    return _sheet(result, rows[: max(most, 1)], rows, style, poi)


def impacts_figures(
    result: ImpactResult,
    *,
    style: Style = Style(),  # noqa: B008  frozen
    poi: str | None = None,
    parameters: Sequence[str] = (),
    rows: int = 30,
    most: int | None = None,
) -> Iterator[tuple[str, Figure]]:
    """Yield pages of impacts, each with the number of its page, or an empty text if there is one page only.

    Args:
        result: The impacts.
        style: Labels, and names of parameters.
        poi: The parameter of interest; the first one by default.
        parameters: Shell patterns of names of nuisances; all by default.
        rows: Most nuisances of a page.
        most: Most nuisances of all pages; all of them by default.

    Raises:
        StyleError: As `impacts_figure`.
    """
    everything = _rows(result, poi, parameters)
    shown = everything[:most]
    count = max(1, math.ceil(len(shown) / max(rows, 1)))
    size = math.ceil(len(shown) / count)
    for page, name in enumerate(page_names(count)):
        part = shown[page * size : (page + 1) * size]
        yield name, _sheet(result, part, everything, style, poi)


def _rows(result: ImpactResult, poi: str | None, parameters: Sequence[str]) -> tuple[RankedImpact, ...]:
    rows = ranked_impacts(result, poi, parameters=parameters)
    if not rows:
        raise StyleError("there is no impact to draw: the result holds no nuisances")
    return rows


def _sheet(
    result: ImpactResult,
    shown: Sequence[RankedImpact],
    everything: Sequence[RankedImpact],
    style: Style,
    poi: str | None,
) -> Figure:
    interval = interval_of(result, poi)
    data = data_name(result.provenance.data)
    title = f"{style.parameter(interval.parameter)} = {interval_text(interval)}{f'  ({data})' if data else ''}"
    with style_context():
        ranks = ["–" if row.rank is None else str(row.rank) for row in shown]
        rank_width = text_width(ranks, NOTE_SIZE) + 0.1
        left = MARGIN + rank_width + text_width([style.parameter(row.parameter) for row in shown], NAME_SIZE) + 0.1
        columns = [_numbers(shown, side, _places(shown, interval)) for side in (1, -1)]
        widths = [text_width([text for text, _ in column] + ["at +1σ"], NOTE_SIZE) + 0.12 for column in columns]
        width = max(left + _PULLS + _GAP + _IMPACTS + sum(widths) + MARGIN, text_width([title], 11.0) + 2 * MARGIN)
        notes = _failed(everything, width - 2 * MARGIN)
        handles = _legend()
        top = HEAD + 0.22 + LINE * len(notes)
        body = len(shown) * ROW_HEIGHT
        sheet = Sheet(width, top + body + _AXIS + LINE * 1.1 * 2 + 0.2)
        sheet.write(left, 0.08, title, size=11.0)
        sheet.warn(0.3, notes)
        pulls = sheet.axes(left, top, _PULLS, body)
        impacts = sheet.axes(left + _PULLS + _GAP, top, _IMPACTS, body)
        sheet.labels(pulls, impacts, style.labels, simulation=only_simulation([result]))
        draw_impacts(pulls, impacts, shown, poi=interval.parameter, style=style)
        for at, rank in enumerate(ranks):
            x, y = MARGIN + rank_width - 0.1, top + (at + 0.5) * ROW_HEIGHT
            sheet.write(x, y, rank, right=True)
        x = left + _PULLS + _GAP + _IMPACTS
        for column, name, colour, own in zip(
            columns, ("at +1σ", "at −1σ"), (UP_COLOUR, DOWN_COLOUR), widths, strict=True
        ):
            x += own
            sheet.write(x, top - 0.1, name, colour=colour, right=True)
            for at, (text, found) in enumerate(column):
                y = top + (at + 0.5) * ROW_HEIGHT
                sheet.write(x, y, text, colour="black" if found else FAILED_COLOUR, right=True)
        sheet.legend(handles, left, top + body + _AXIS, columns=2)
        first = everything.index(shown[0])
        sheet.count(top + body + _AXIS + 0.08, first, len(shown), len(everything))
    return sheet.figure


def _places(rows: Sequence[RankedImpact], interval: Interval) -> int:
    """Return the decimals of impacts: three digits of the largest, but no more than matter beside the uncertainty."""
    largest = max((row.size for row in rows if math.isfinite(row.size)), default=math.nan)
    return min(decimals([largest / 10.0]), decimals((interval.best - interval.low, interval.high - interval.best)) + 2)


def _numbers(rows: Sequence[RankedImpact], side: int, places: int) -> list[tuple[str, bool]]:
    """Return the change at one end as text, and whether it was found."""
    result = []
    for row in rows:
        status = row.statuses[1 if side > 0 else 0]
        change = row.high if side > 0 else row.low
        end, best = row.pull.fit[2 if side > 0 else 0], row.pull.fit[1]
        if not status.usable or math.isnan(change):
            result.append((status.value if not status.usable else "not finite", False))
        elif status is Status.AT_BOUNDARY or (row.pull.state is PullState.AT_BOUNDARY and end == best):
            result.append((f"{typographic(signed(change, places))} (edge)", True))
        else:
            result.append((typographic(signed(change, places)), True))
    return result


def _failed(rows: Sequence[RankedImpact], width: float) -> list[str]:
    names = [row.parameter for row in rows if not all(status.usable for status in row.statuses)]
    if not names:
        return []
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return wrapped(f"Fits failed, so that impacts are missing: {', '.join(names[:_NAMED])}{more}", width)


def _legend() -> list[Artist]:
    _, (width, colour) = BANDS
    return [
        Line2D([], [], color="black", marker="o", markersize=4.0, label="after the fit"),
        Patch(color=colour, label=f"±{width:g}σ before the fit"),
        Patch(facecolor=UP_COLOUR, edgecolor=UP_COLOUR, label="nuisance at +1σ after the fit"),
        Patch(facecolor="white", edgecolor=DOWN_COLOUR, hatch="//////", label="nuisance at −1σ after the fit"),
    ]
