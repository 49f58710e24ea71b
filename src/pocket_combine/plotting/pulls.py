"""Pulls and constraints of nuisances, and the values of parameters without a constraint, of one fit or several."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from pocket_combine.errors import StyleError
from pocket_combine.plotting.data_words import data_name, of_simulation
from pocket_combine.plotting.palette import DOWN_COLOUR, UP_COLOUR
from pocket_combine.plotting.pull_values import Pull, PullState, failure, pulls_of
from pocket_combine.plotting.rows import NAME_SIZE, Bars, draw_bars, name_rows, value_limits
from pocket_combine.plotting.style import Style, literal
from pocket_combine.plotting.uncertainties import asymmetric
from pocket_combine.results import FitResult, ImpactResult

__all__ = ["PullArtists", "draw_free_parameters", "draw_pulls", "value_text"]

Fits = FitResult | ImpactResult | Mapping[str, FitResult | ImpactResult]

_COLOURS = ("black", UP_COLOUR, DOWN_COLOUR)
_MARKERS = ("o", "s", "^")
BANDS = ((2.0, "#eeeeee"), (1.0, "#dcdcdc"))
_SPREAD = 0.25
"""Part of a row by which the first and the last of several fits lie above and below its middle."""
_SMALLEST_LIMIT, _LARGEST_LIMIT = 2.5, 5.0


@dataclass(frozen=True)
class PullArtists:
    """What is drawn of one fit.

    Attributes:
        measured: Parameters with an uncertainty.
        unmeasured: Parameters without one: at a boundary, or profiled analytically.
        fixed: Frozen and masked parameters.
    """

    measured: Bars
    unmeasured: Bars
    fixed: Line2D


@dataclass(frozen=True)
class DrawnFit:
    """A fit as it is drawn.

    Attributes:
        label: In the legend.
        rows: Pulls by parameter.
        problem: Why it is no result; empty if it is one.
        colour: Its colour.
        marker: Its marker.
        simulation: Whether its data do not depend on the observation.
    """

    label: str
    rows: Mapping[str, Pull]
    problem: str
    colour: str
    marker: str
    simulation: bool


def draw_pulls(
    axes: Axes,
    fits: Fits,
    *,
    parameters: Sequence[str] | None = None,
    bins: bool = False,
    style: Style = Style(),  # noqa: B008  frozen
    limit: float | None = None,
) -> tuple[PullArtists, ...]:
    """Draw pulls, one parameter to a row, over bands of one and two standard deviations before the fit.

    A point lies at (θ̂ - θ₀) / σ, its bar ends where the parameter after the fit is one standard deviation away; σ is
    the uncertainty before the fit on the side of each. A fit that is no result is drawn with hollow points without
    bars.

    Args:
        axes: The axes.
        fits: A result, or up to three by their names in the legend.
        parameters: Names of the parameters from the top; all that have a constraint by default.
        bins: Whether parameters of autoMCStats are among them by default.
        style: Names of parameters.
        limit: End of the axis; from the pulls by default, at most 5. What lies beyond gets an arrow.

    Returns:
        What is drawn of each fit.

    Raises:
        StyleError: If there are more than three fits.
    """
    drawn = drawn_fits(fits, bins=bins)
    names = _names(drawn, constrained=True) if parameters is None else tuple(parameters)
    return fill_pulls(axes, drawn, names, style, pull_limit(drawn, names) if limit is None else limit)


def fill_pulls(
    axes: Axes, fits: Sequence[DrawnFit], names: Sequence[str], style: Style, limit: float
) -> tuple[PullArtists, ...]:
    """Draw pulls of fits as they are drawn; see `draw_pulls`."""
    name_rows(axes, [style.parameter(name) for name in names])
    for width, colour in BANDS:
        axes.axvspan(-width, width, color=colour, linewidth=0.0, zorder=0.2)
    axes.axvline(0.0, color="#888888", linewidth=0.6, zorder=0.3)
    axes.set_xlabel(r"$(\hat{\theta} - \theta_0)\,/\,\sigma$", fontsize=NAME_SIZE + 1.0)
    values = [{name: (row.ends[0], row.pull, row.ends[1]) for name, row in fit.rows.items()} for fit in fits]
    return _draw_fits(axes, fits, names, values, (-limit, limit))


def draw_free_parameters(
    axes: Axes,
    fits: Fits,
    *,
    parameters: Sequence[str] | None = None,
    style: Style = Style(),  # noqa: B008  frozen
) -> tuple[PullArtists, ...]:
    """Draw the values of parameters without a constraint, one to a row, with a grey mark at the initial value.

    Args:
        axes: The axes.
        fits: A result, or up to three by their names in the legend.
        parameters: Names of the parameters from the top; all without a constraint by default.
        style: Names of parameters.

    Returns:
        What is drawn of each fit.

    Raises:
        StyleError: If there are more than three fits.
    """
    drawn = drawn_fits(fits)
    names = _names(drawn, constrained=False) if parameters is None else tuple(parameters)
    return fill_free_parameters(axes, drawn, names, style)


def fill_free_parameters(
    axes: Axes, fits: Sequence[DrawnFit], names: Sequence[str], style: Style
) -> tuple[PullArtists, ...]:
    """Draw values of fits as they are drawn; see `draw_free_parameters`."""
    name_rows(axes, [style.parameter(name) for name in names])
    axes.set_xlabel("fitted value", fontsize=NAME_SIZE + 1.0)
    values = [{name: row.fit for name, row in fit.rows.items()} for fit in fits]
    initial = [next((fit.rows[name].prefit[1] for fit in fits if name in fit.rows), math.nan) for name in names]
    found = [value[name] for value in values for name in names if name in value]
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    limits = value_limits([*found, *((number,) * 3 for number in initial)])
    axes.plot(initial, range(len(names)), "|", color="#888888", markersize=8.0, zorder=2)
    return _draw_fits(axes, fits, names, values, limits)


# ---------------------------------------------------------------------- what is drawn


def drawn_fits(fits: Fits, *, bins: bool = False) -> tuple[DrawnFit, ...]:
    """Return fits as they are drawn.

    Raises:
        StyleError: If there are none or more than three.
    """
    given = {"": fits} if isinstance(fits, (FitResult, ImpactResult)) else dict(fits)
    if not 0 < len(given) <= len(_COLOURS):
        raise StyleError(f"pulls of {len(given)} fits, expected one to {len(_COLOURS)}")
    drawn = []
    for at, (label, result) in enumerate(given.items()):
        problem = failure(result) if isinstance(result, FitResult) else ""
        kind = data_name(result.provenance.data)
        name = literal(label) or "after the fit"
        said = "" if kind.lower() in label.lower() else kind
        words = ", ".join(word for word in (said, "no result" if problem else "") if word)
        rows = {row.parameter: row for row in pulls_of(result, bins=bins)}
        look = _COLOURS[at], _MARKERS[at], of_simulation(result.provenance.data)
        drawn.append(DrawnFit(f"{name} ({words})" if words else name, rows, problem, *look))
    return tuple(drawn)


def _names(fits: Sequence[DrawnFit], *, constrained: bool) -> tuple[str, ...]:
    """Return the names of the parameters with or without a constraint, of the first fit first."""
    first = {name: row for fit in reversed(fits) for name, row in fit.rows.items()}
    names = dict.fromkeys(name for fit in fits for name in fit.rows)
    return tuple(name for name in names if first[name].is_constrained is constrained)


def pull_limit(fits: Sequence[DrawnFit], names: Sequence[str]) -> float:
    """Return where the axis of pulls ends: beyond all of them, but at most at 5."""
    rows = [fit.rows[name] for fit in fits for name in names if name in fit.rows]
    sizes = [abs(number) for row in rows for number in (*row.ends, row.pull) if math.isfinite(number)]
    needed = math.ceil(2.0 * max(sizes, default=0.0) + 0.2) / 2.0
    return min(max(needed, _SMALLEST_LIMIT), _LARGEST_LIMIT)


def _draw_fits(
    axes: Axes,
    fits: Sequence[DrawnFit],
    names: Sequence[str],
    values: Sequence[Mapping[str, tuple[float, float, float]]],
    limits: tuple[float, float],
) -> tuple[PullArtists, ...]:
    shifts = np.linspace(-_SPREAD, _SPREAD, len(fits)) if len(fits) > 1 else np.zeros(1)
    return tuple(
        _draw_fit(axes, fit, names, value, limits, float(shift))
        for fit, value, shift in zip(fits, values, shifts, strict=True)
    )


class _Look(TypedDict):
    limits: tuple[float, float]
    colour: str
    marker: str


def _draw_fit(
    axes: Axes,
    fit: DrawnFit,
    names: Sequence[str],
    values: Mapping[str, tuple[float, float, float]],
    limits: tuple[float, float],
    shift: float,
) -> PullArtists:
    kinds: dict[str, list[int]] = {"measured": [], "unmeasured": [], "fixed": []}
    for at, name in enumerate(names):
        if name in fit.rows:
            kinds[kind_of(fit, fit.rows[name])].append(at)

    look: _Look = {"limits": limits, "colour": fit.colour, "marker": fit.marker}
    places = {kind: np.array(rows, dtype=np.float64) + shift for kind, rows in kinds.items()}
    numbers = {
        kind: np.array([values[names[at]] for at in rows], dtype=np.float64).reshape(-1, 3)
        for kind, rows in kinds.items()
    }
    numbers["unmeasured"][:, [0, 2]] = np.nan
    fixed = np.clip(numbers["fixed"][:, 1], *limits)
    return PullArtists(
        draw_bars(axes, places["measured"], numbers["measured"], **look),
        draw_bars(axes, places["unmeasured"], numbers["unmeasured"], hollow=True, **look),
        axes.plot(fixed, places["fixed"], "x", color=fit.colour, markersize=4.0, zorder=4)[0],
    )


def kind_of(fit: DrawnFit, row: Pull) -> str:
    """Return which of the `PullArtists` shows a parameter."""
    if row.state in (PullState.FROZEN, PullState.MASKED):
        return "fixed"
    ends = row.ends if row.is_constrained else (row.fit[0], row.fit[2])
    return "unmeasured" if fit.problem or all(math.isnan(end) for end in ends) else "measured"


def value_text(row: Pull) -> str:
    """Return the value of a parameter with its uncertainties, without those that a boundary cuts off.

    Examples:
        >>> value_text(Pull("SF", PullState.AT_BOUNDARY, (1.0, 1.0, 1.0), (0.0, 0.0, 0.82)))
        '$0.00^{+0.82}$ (edge)'
    """
    low, value, high = row.fit
    stuck = row.state is PullState.AT_BOUNDARY
    below, above = (math.nan if stuck and not size else size for size in (value - low, high - value))
    return asymmetric(value, below, above) + (" (edge)" if stuck else "")
