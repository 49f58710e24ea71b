"""`pocket-combine impacts`, `gof` and `toys`: answers that take many fits."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from rich.table import Table

from pocket_combine.cli.command import Command
from pocket_combine.cli.console import ExitCode, products, progress_bar
from pocket_combine.cli.executors import executing, executor_options
from pocket_combine.cli.fits.setup import distance_text, finish, fitting_options, introduce, save, show_notes
from pocket_combine.cli.fits.toy_options import toy_options
from pocket_combine.cli.fits.values import names
from pocket_combine.cli.new_files import NEW_FILE
from pocket_combine.cli.tables import plain_table
from pocket_combine.inference.goodness import ALGORITHMS, goodness_of_fit
from pocket_combine.inference.impact_fits import impacts as find_impacts
from pocket_combine.inference.impact_fits import to_impacts_json
from pocket_combine.inference.toys import ToyKind, bias_test
from pocket_combine.inference.workspace import Workspace
from pocket_combine.io.atomic import atomic_write
from pocket_combine.plotting.toy_numbers import Moments, p_value_words
from pocket_combine.results import BiasResult, GoodnessOfFitResult, ImpactResult, Status, ToyResult
from pocket_combine.templates import FloatArray
from pocket_combine.wording import counted, rounded

__all__ = ["gof", "impacts", "toys"]

_SHOWN = 20

_NOISE = 1e-4
"""Part of an interval that is nothing as an impact: what fits leave."""


@click.command(
    cls=Command,
    examples=[
        "pocket-combine impacts datacard.txt --jobs 2 -o impacts.json",
        "pocket-combine impacts datacard.txt --combine-json for_plotImpacts.json",
    ],
)
@fitting_options
@click.option(
    "--parameter",
    "parameters",
    multiple=True,
    callback=names,
    metavar="NAME",
    help="Nuisance; all of them by default; may be repeated.",
)
@click.option(
    "--combine-json",
    type=NEW_FILE,
    metavar="FILE",
    help="File in the layout of Combine's impacts.json, for plotImpacts.py.",
)
@executor_options("fit")
@click.option("--all", "show_all", is_flag=True, help="List all nuisances.")
def impacts(
    workspace: Workspace,
    output: Path | None,
    parameters: Sequence[str],
    combine_json: Path | None,
    jobs: int,
    dask: str | None,
    show_all: bool,
) -> ExitCode:
    """Find the impact of each nuisance on the parameters of interest.

    Each nuisance is fixed at the ends of its interval after the fit, and everything else is fitted again. The
    uncertainty of the first parameter of interest is divided among the groups of the card. Exit status: 0 if all fits
    can be used, 1 if not, 2 if they could not be made.
    """
    with executing(jobs, dask) as executor, progress_bar("Fitting nuisances") as progress:
        result = find_impacts(workspace, parameters=parameters or None, executor=executor, progress=progress)
    save(result, output)
    if combine_json is not None:
        with atomic_write(combine_json) as file:
            file.write(json.dumps(to_impacts_json(result), indent=2).encode() + b"\n")
    console = products()
    show_notes(result)
    for interval in result.pois:
        minus = distance_text(interval.best - interval.low, interval.low_status)
        plus = distance_text(interval.high - interval.best, interval.high_status)
        console.print(f"{interval.parameter} = {interval.best:.4g}  -{minus}  +{plus}", style="bold")
    console.print()
    console.print(_impacts_table(result, workspace.poi, None if show_all else _SHOWN))
    if result.breakdown:
        console.print()
        console.print(_breakdown_table(result, workspace.poi))
    failed = [status for impact in result.impacts for status in impact.statuses if not status.usable]
    return finish(failed[0] if failed else Status.CONVERGED)


def _noise(result: ImpactResult, poi: str) -> float:
    return _NOISE * sum(item.high - item.low for item in result.pois if item.parameter == poi)


def _impacts_table(result: ImpactResult, poi: str, most: int | None) -> Table:
    numbers = ("after the fit", "-", "+", f"Δ{poi} at -", f"Δ{poi} at +")
    table = plain_table("Nuisance", *((name, "right") for name in numbers))
    noise = _noise(result, poi)
    ranked = sorted(result.impacts, key=lambda impact: (-rounded(impact.impact(poi), noise), impact.parameter))
    for impact in ranked if most is None else ranked[:most]:
        low, best, high = impact.fit
        at_low, at_best, at_high = impact.values[poi]
        table.add_row(
            impact.parameter,
            f"{rounded(best, 1e-6):.3g}",
            f"{best - low:.3g}",
            f"{high - best:.3g}",
            f"{rounded(at_low - at_best, noise):+.3g}",
            f"{rounded(at_high - at_best, noise):+.3g}",
        )
    if most is not None and len(ranked) > most:
        table.caption = f"{len(ranked) - most} more; --all lists them"
        table.caption_justify = "left"
    return table


def _breakdown_table(result: ImpactResult, poi: str) -> Table:
    table = plain_table(f"Uncertainty of {poi} from", ("-", "right"), ("+", "right"))
    noise = _noise(result, poi)
    for part in result.breakdown:
        table.add_row(part.group, f"{rounded(part.low, noise):.3g}", f"{rounded(part.high, noise):.3g}")
    return table


@click.command(
    cls=Command,
    examples=[
        "pocket-combine toys datacard.txt --inject 1 --toys 500 --range r=-10,20",
        "pocket-combine toys datacard.txt --inject 0 --inject 1 --jobs 2 -o bias.json",
    ],
)
@fitting_options
@click.option(
    "--inject",
    type=float,
    multiple=True,
    default=[1.0],
    show_default=True,
    metavar="R",
    help="Signal strength of the toys; may be repeated.",
)
@toy_options(least=2, default=100)
@executor_options("fit")
def toys(
    workspace: Workspace,
    output: Path | None,
    inject: Sequence[float],
    count: int,
    kind: ToyKind,
    jobs: int,
    dask: str | None,
) -> ExitCode:
    """Fit toys with a known signal: the bias test.

    Pulls of an unbiased fit have mean 0 and width 1. With --unblind, frequentist toys are drawn at the best nuisances
    in the observed data; otherwise all toys are drawn at nominal values. Of several signal strengths, the second has
    the next seed, and so on. Exit status: 0 if all fits can be used, 1 if some failed, 2 if they could not be made.
    """
    with executing(jobs, dask) as executor, progress_bar("Fitting toys") as progress:
        seed = workspace.options.seed
        result = bias_test(workspace, inject, count, seed, kind=kind, executor=executor, progress=progress)
    alone = result.tests[0] if len(result.tests) == 1 else None
    save(alone or result, output)
    console = products()
    for note in (alone or result).provenance.options.get("notes", ()):
        console.print(f"Note: {note}", style="yellow")
    console.print(_bias_table(result) if alone is None else _toys_table(alone))
    return finish(Status.NOT_CONVERGED if result.failed else Status.CONVERGED)


def _toys_table(result: ToyResult) -> Table:
    """Return means and widths with their statistical errors."""
    table = plain_table(
        f"{counted(len(result.values), 'toy')} at {result.poi} = {result.injected:g}", ("value", "right")
    )
    for name, values in (("best fit", result.values), ("pull", result.pulls)):
        mean, width = _moments(values)
        table.add_row(f"mean {name}", mean)
        table.add_row(f"width of {name}s", width)
    if result.failed:
        table.add_row("failed fits", str(result.failed))
    return table


def _bias_table(result: BiasResult) -> Table:
    """Return means and widths for each injected value, a row each."""
    numbers = ("toys", "mean best fit", "width of best fits", "mean pull", "width of pulls")
    failed = ("failed fits",) if result.failed else ()
    table = plain_table((f"{result.poi} in toys", "right"), *((name, "right") for name in (*numbers, *failed)))
    for test in result.tests:
        row = [f"{test.injected:g}", str(test.values.size), *_moments(test.values), *_moments(test.pulls)]
        table.add_row(*row, *([str(test.failed)] if failed else []))
    return table


def _moments(values: FloatArray) -> tuple[str, str]:
    """Return mean and width with their statistical errors."""
    found = Moments.of(values)
    if found.count < 2:
        return "unknown", "unknown"
    return f"{found.mean:.3f} ± {found.mean_error:.3f}", f"{found.width:.3f} ± {found.width_error:.3f}"


@click.command(
    cls=Command,
    examples=[
        "pocket-combine gof datacard.txt --unblind --toys 500 --jobs 2",
        "pocket-combine gof datacard.txt --unblind --toys 500 --expect-signal 0",
        "pocket-combine gof datacard.txt --unblind --algorithm KS",
    ],
)
@fitting_options
@click.option(
    "--algorithm", type=click.Choice(list(ALGORITHMS)), default="saturated", show_default=True, help="Test statistic."
)
@toy_options(least=0, default=0)
@executor_options("fit")
def gof(
    workspace: Workspace,
    output: Path | None,
    algorithm: str,
    count: int,
    kind: ToyKind,
    jobs: int,
    dask: str | None,
) -> ExitCode:
    """Test the goodness of fit.

    Without --unblind there is no statistic of the data, only its distribution in toys. Frequentist toys are drawn at
    the best fit, or, with --expect-signal, at the best nuisances for that signal strength, as Combine does for 0
    unless it is told otherwise; other toys at nominal values. Exit status: 0 if all fits can be used, 1 if some
    failed, 2 if they could not be made.
    """
    with executing(jobs, dask) as executor, progress_bar("Fitting toys") as progress:
        result = goodness_of_fit(
            workspace,
            algorithm,
            toys=count,
            seed=workspace.options.seed,
            kind=kind,
            executor=executor,
            progress=progress,
        )
    console = introduce(result, output)
    console.print(_goodness_table(result))
    return finish(Status.NOT_CONVERGED if result.failed_toys else result.status)


def _goodness_table(result: GoodnessOfFitResult) -> Table:
    table = plain_table(f"Goodness of fit, {result.algorithm}", ("value", "right"))
    if result.statistic is not None:
        table.add_row("statistic of the data", f"{rounded(result.statistic, 1e-6):.4g}", style="bold")
        for channel, value in result.by_channel.items():
            table.add_row(f"  {channel}", f"{rounded(value, 1e-6):.4g}")
    if len(result.toys):
        table.add_row("mean in toys", f"{float(np.mean(result.toys)):.4g}")
        table.add_row("number of toys", str(len(result.toys)))
    if result.p_value is not None:
        table.add_row("p-value", p_value_words(result.p_value, len(result.toys)), style="bold")
    if result.failed_toys:
        table.add_row("failed toys", str(result.failed_toys))
    return table
