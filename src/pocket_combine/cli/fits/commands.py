"""`pocket-combine fit`, `scan`, `limit` and `significance`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import click
from rich.table import Table

from pocket_combine.cli.command import Command
from pocket_combine.cli.console import ExitCode, activity, products, progress_bar
from pocket_combine.cli.executors import executing, executor_options
from pocket_combine.cli.fits.setup import distance_text, finish, fitting_options, introduce, save, show_notes
from pocket_combine.cli.fits.values import names
from pocket_combine.cli.tables import plain_table
from pocket_combine.errors import CardError
from pocket_combine.inference.fitter import MINOS_LEVEL, ROBUST_LEVEL
from pocket_combine.inference.levels import interval_level
from pocket_combine.inference.minuit import LARGEST_NLL_DIFFERENCE
from pocket_combine.inference.questions import fit as fit_workspace
from pocket_combine.inference.questions import limits as find_limits
from pocket_combine.inference.questions import significance as find_significance
from pocket_combine.inference.scans import grid_values
from pocket_combine.inference.scans import scan as scan_workspace
from pocket_combine.inference.workspace import Workspace
from pocket_combine.results import FitResult, Interval, LimitResult, Quantile, ScanResult, SecondOpinion, Status
from pocket_combine.wording import rounded

__all__ = ["fit", "limit", "scan", "significance"]

_SHOWN = 12

interval_option = click.option(
    "--cl",
    "confidence_level",
    type=click.FloatRange(0.0, 1.0, min_open=True, max_open=True),
    metavar="CL",
    help="Confidence level of the intervals; 0.6827, MINOS' ΔNLL of 1/2, by default.",
)


def level_of(confidence_level: float | None) -> float:
    """Return the ΔNLL of intervals; that of MINOS without a confidence level."""
    return MINOS_LEVEL if confidence_level is None else interval_level(confidence_level)


@click.command(
    cls=Command,
    examples=[
        "pocket-combine fit datacard.txt",
        "pocket-combine fit SR=sr.txt CR=cr.txt --unblind -o fit.json",
    ],
)
@fitting_options
@click.option(
    "--interval",
    "intervals",
    multiple=True,
    callback=names,
    metavar="NAME",
    help="Parameter whose interval is wanted, too; may be repeated.",
)
@interval_option
@click.option("--robust", is_flag=True, help="Intervals at the level of Combine's --robustFit instead of MINOS.")
@click.option("--minuit", is_flag=True, help="Fit with MINUIT, too, and say whether it agrees.")
@click.option("--all", "show_all", is_flag=True, help="List all parameters.")
def fit(
    workspace: Workspace,
    output: Path | None,
    intervals: Sequence[str],
    confidence_level: float | None,
    robust: bool,
    minuit: bool,
    show_all: bool,
) -> ExitCode:
    """Fit a card: best values, and intervals from the profile likelihood.

    Several cards, with labels or without, are combined on the way. Without --unblind Asimov data are fitted. Exit
    status: 0 if the fit and its intervals can be used, 1 if not or if MINUIT was asked and does not agree, 2 if it
    could not be made.
    """
    if robust and confidence_level is not None:
        raise click.UsageError("--robust and --cl exclude each other: both say what the intervals are")
    wanted = tuple(dict.fromkeys((*workspace.floating_pois, *intervals)))
    with activity("Fitting"):
        level = ROBUST_LEVEL if robust else level_of(confidence_level)
        result = fit_workspace(workspace, intervals=wanted, level=level, minuit=minuit)
    save(result, output)
    console = products()
    console.print(f"Fit: {result.status.value}", style="bold")
    if result.concerned:
        console.print(f"  {result.status.advice}: {', '.join(result.concerned)}")
    show_notes(result)
    if result.intervals:
        console.print()
        console.print(_intervals_table(result.intervals, confidence_level))
    pulls = _pulls_table(workspace, result, None if show_all else _SHOWN)
    if pulls.row_count:
        console.print()
        console.print(pulls)
    opinion = result.second_opinion
    if opinion is not None:
        console.print()
        console.print(_opinion(opinion), style="" if opinion.agrees else "bold red")
    ends = [status for interval in result.intervals for status in (interval.low_status, interval.high_status)]
    worst = next((status for status in (result.status, *ends) if not status.usable), result.status)
    code = finish(worst)
    return code if opinion is None or opinion.agrees else ExitCode.FINDINGS


def _opinion(opinion: SecondOpinion) -> str:
    """Return one line about what MINUIT found."""
    numbers = f"ΔNLL {opinion.nll_difference:+.1e}, largest shift {opinion.largest_shift:.2g} σ"
    numbers += f" ({opinion.parameter})" if opinion.parameter else ""
    ended = "" if opinion.is_valid else ", but is not sure of its minimum"
    if opinion.agrees:
        return f"MINUIT agrees{ended}: {numbers}, {opinion.calls} calls"
    if opinion.nll_difference < -LARGEST_NLL_DIFFERENCE:
        return f"MINUIT finds a lower minimum: {numbers}; try other starting points (--starts)"
    if not opinion.is_valid:
        return f"MINUIT does not converge: {numbers}, distance to its minimum {opinion.distance:.1e}"
    return f"MINUIT does not agree: {numbers}"


def _intervals_table(intervals: Sequence[Interval], confidence_level: float | None) -> Table:
    ends = "ends of the interval" if confidence_level is None else f"ends at CL {confidence_level:g}"
    table = plain_table("Parameter", ("best fit", "right"), ("-", "right"), ("+", "right"), ends)
    for interval in intervals:
        table.add_row(
            interval.parameter,
            f"{interval.best:.4g}",
            distance_text(interval.best - interval.low, interval.low_status),
            distance_text(interval.high - interval.best, interval.high_status),
            f"[{interval.low:.5g}, {interval.high:.5g}]",
        )
    return table


def _pulls_table(workspace: Workspace, result: FitResult, most: int | None) -> Table:
    """Return the fitted nuisances: those that moved most first, then those that the data constrain most."""
    table = plain_table("Nuisance", ("fitted", "right"), ("error", "right"), ("shift / σ", "right"))
    rows = []
    for at, parameter in enumerate(workspace.model.parameters):
        if parameter.name in result.pois or not result.floating[at]:
            continue
        width = parameter.constraint.width[0] if parameter.constraint is not None else float("nan")
        shift = (float(result.values[at]) - parameter.initial) / width if width == width else float("nan")
        error = float(result.errors[at]) / width if width == width else 1.0
        moved = round(abs(shift), 2) if shift == shift else 0.0
        # Rounded, so that the order does not hang on the last digits.
        rows.append((-moved, round(error, 4), parameter.name, at, shift))
    rows.sort(key=lambda row: row[:3])
    for _, _, name, at, shift in rows if most is None else rows[:most]:
        shown = f"{rounded(shift, 0.005):+.2f}" if shift == shift else ""
        table.add_row(name, f"{rounded(result.values[at], 1e-6):.3g}", f"{result.errors[at]:.3g}", shown)
    if most is not None and len(rows) > most:
        table.caption = f"{len(rows) - most} more; --all lists them"
        table.caption_justify = "left"
    return table


@click.command(
    cls=Command,
    examples=[
        "pocket-combine scan datacard.txt --parameter r=-1,3 --points 40 -o scan.json",
        "pocket-combine scan card.txt --parameter r=0,2 --parameter SF=0.5,1.5 --jobs 2",
    ],
)
@fitting_options
@click.option(
    "--parameter",
    "scanned",
    multiple=True,
    required=True,
    metavar="NAME=LOW,HIGH",
    help="Parameter to scan and its range; twice for two dimensions.",
)
@click.option("--points", type=click.IntRange(min=2), default=30, show_default=True, help="Number of points in all.")
@click.option("--align-edges", is_flag=True, help="Put points on the edges of the range, as --alignEdges of Combine.")
@click.option("--fast", is_flag=True, help="Keep the other parameters at the best fit, as --fastScan of Combine.")
@interval_option
@executor_options("fit")
def scan(
    workspace: Workspace,
    output: Path | None,
    scanned: Sequence[str],
    points: int,
    align_edges: bool,
    fast: bool,
    confidence_level: float | None,
    jobs: int,
    dask: str | None,
) -> ExitCode:
    """Scan the profile likelihood of one or two parameters.

    In one dimension the ends of the interval are sought, too.

    Exit status: 0 if all points were fitted, 1 if some were not, 2 if the scan could not be made.
    """
    axes = _axes(scanned)
    per_axis = points if len(axes) == 1 else int(-(-(points**0.5) // 1))
    grid = {name: grid_values(low, high, per_axis, align_edges=align_edges) for name, (low, high) in axes.items()}
    with executing(jobs, dask) as executor, progress_bar("Scanning") as progress:
        result = scan_workspace(
            workspace,
            grid,
            profiled=not fast,
            level=level_of(confidence_level),
            executor=executor,
            progress=progress,
        )
    console = introduce(result, output)
    console.print(_scan_table(result))
    if result.crossings:
        console.print()
        console.print(_intervals_table(result.crossings, confidence_level))
    failed = [status for status in result.statuses if not status.usable]
    return finish(failed[0] if failed else Status.CONVERGED)


def _axes(words: Sequence[str]) -> dict[str, tuple[float, float]]:
    axes = {}
    for word in words:
        name, _, text = word.partition("=")
        try:
            low, high = (float(part) for part in text.split(","))
        except ValueError:
            raise CardError(f"--parameter {word!r}, expected NAME=LOW,HIGH") from None
        if not (low < high and math.isfinite(high - low)):
            raise CardError(f"--parameter {word!r}: the range is empty or endless")
        if name in axes:
            raise CardError(f"--parameter {word!r}: {name} is scanned already")
        axes[name] = (low, high)
    return axes


def _scan_table(result: ScanResult) -> Table:
    table = plain_table(*((name, "right") for name in result.scanned), ("ΔNLL", "right"), "status")
    for point, delta, status in zip(result.points, result.delta_nll, result.statuses, strict=True):
        table.add_row(*(f"{value:.4g}" for value in point), f"{delta:.4f}", "" if status.usable else status.value)
    return table


@click.command(
    cls=Command,
    examples=["pocket-combine limit datacard.txt", "pocket-combine limit SR=sr.txt CR=cr.txt --unblind -o limit.json"],
)
@fitting_options
@click.option(
    "--cl",
    "confidence_level",
    type=click.FloatRange(0.5, 0.999),
    default=0.95,
    show_default=True,
    help="Confidence level.",
)
def limit(workspace: Workspace, output: Path | None, confidence_level: float) -> ExitCode:
    """Find asymptotic CLs upper limits on the first parameter of interest.

    Without --unblind limits are the expected ones, on Asimov data before any fit. Exit status: 0 if all limits were
    found, 1 if some were not, 2 if none could be sought.
    """
    with activity("Finding limits"):
        result = find_limits(workspace, confidence_level=confidence_level)
    save(result, output)
    console = products()
    console.print(f"Upper limits on {result.poi} at {result.confidence_level:.4g} confidence level (CLs)", style="bold")
    show_notes(result)
    console.print()
    console.print(_limit_table(result))
    return finish(result.status, result.concerned)


_NAMES = {
    0.025: "expected, -2σ",
    0.16: "expected, -1σ",
    0.5: "expected, median",
    0.84: "expected, +1σ",
    0.975: "expected, +2σ",
}


def _limit_table(result: LimitResult) -> Table:
    table = plain_table("", (f"limit on {result.poi}", "right"))
    for quantile in result.expected:
        name = _NAMES.get(quantile.quantile or 0.0, f"expected, {quantile.quantile:g}")
        table.add_row(name, _limit(quantile))
    if result.observed is not None:
        table.add_row("observed", _limit(result.observed), style="bold")
    return table


def _limit(quantile: Quantile) -> str:
    return f"{quantile.limit:.4g}" if quantile.status.usable else quantile.status.value


@click.command(
    cls=Command,
    examples=["pocket-combine significance datacard.txt", "pocket-combine significance datacard.txt --unblind"],
)
@fitting_options
@click.option("--uncapped", is_flag=True, help="Give a deficit a negative significance; needs a --range below 0.")
def significance(workspace: Workspace, output: Path | None, uncapped: bool) -> ExitCode:
    """Find the significance of an excess over the background-only hypothesis.

    Exit status: 0 if the fits can be used, 1 if not, 2 if they could not be made.
    """
    with activity("Fitting"):
        result = find_significance(workspace, uncapped=uncapped)
    console = introduce(result, output)
    table = plain_table("", ("value", "right"))
    table.add_row("significance / σ", f"{rounded(result.significance, 5e-4):.3f}")
    table.add_row("p-value", f"{result.p_value:.3g}")
    table.add_row(f"best fit of {result.poi}", f"{rounded(result.best_fit, 1e-6):.4g}")
    console.print(table)
    return finish(result.status)
