"""`pocket-combine postfit`: expected events with uncertainties."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import click
from rich.table import Table

from pocket_combine.cli.cards.reading import patterns_by_name
from pocket_combine.cli.command import Command
from pocket_combine.cli.console import ExitCode, activity, products
from pocket_combine.cli.fits.setup import finish, fitting_options, save, show_notes
from pocket_combine.cli.fits.values import sums
from pocket_combine.cli.tables import plain_table
from pocket_combine.inference.postfit_yields import postfit as expected_events
from pocket_combine.inference.questions import fit
from pocket_combine.inference.workspace import Blinding, Workspace
from pocket_combine.io.result_files import read_result
from pocket_combine.results import ChannelYields, FitResult, Status
from pocket_combine.wording import error_text, events

__all__ = ["postfit"]


@click.command(
    cls=Command,
    examples=[
        "pocket-combine postfit datacard.txt --unblind -o postfit.json",
        "pocket-combine postfit card.txt --prefit",
        "pocket-combine postfit mass.txt --fit fit_of_score.json --unblind",
        "pocket-combine postfit a.txt --sum-channels 'SRs=SR*' --sum-processes 't=t*'",
    ],
)
@fitting_options
@click.option(
    "--fit",
    "saved",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Result of `fit -o` to use: of this card with the same options, or of another card that shares parameters.",
)
@click.option("--prefit", is_flag=True, help="Before the fit, with the uncertainties of the constraints.")
@click.option("--sampling", is_flag=True, help="Uncertainties from random parameters instead of propagation.")
@click.option("--samples", type=click.IntRange(min=10), default=1000, show_default=True, help="Number of them.")
@click.option(
    "--sum-channels",
    multiple=True,
    callback=patterns_by_name,
    metavar="NAME=PATTERN",
    help="Show the sum of channels that match, too, bin by bin; may be repeated.",
)
@click.option(
    "--sum-processes",
    multiple=True,
    callback=patterns_by_name,
    metavar="NAME=PATTERN",
    help="Show the sum of processes that match, instead of each; may be repeated.",
)
def postfit(
    workspace: Workspace,
    output: Path | None,
    saved: Path | None,
    prefit: bool,
    sampling: bool,
    samples: int,
    sum_channels: Mapping[str, Sequence[str]],
    sum_processes: Mapping[str, Sequence[str]],
) -> ExitCode:
    """Show expected events per channel and process with their uncertainties, after the fit or before it.

    With --fit nothing is fitted. Where the fit is of another card, for instance of another observable, parameters with
    the name of a fitted one have its value, uncertainty and correlations, and all others are as before a fit. Patterns
    of sums are those of the shell, such as 'SR_*'. The file of -o has everything bin by bin, with the covariance of the
    total. Exit status: 0 if the fit can be used, 1 if not, 2 if it could not be made.
    """
    if prefit and saved is not None:
        raise click.UsageError("--prefit and --fit exclude each other")
    channels = workspace.model.channels
    processes = list(dict.fromkeys(process for channel in channels for process in channel.processes))
    channel_sums = sums(sum_channels, [channel.name for channel in channels], "channel")
    process_sums = sums(sum_processes, processes, "process")
    with activity("Fitting"):
        fitted = None if prefit else _saved_fit(saved, workspace) if saved else fit(workspace, intervals=())
        if fitted is not None and saved is None and not fitted.status.usable:
            save(fitted, output)
            return finish(fitted.status)
        result = expected_events(
            workspace,
            fitted,
            method="sampling" if sampling else "propagation",
            samples=samples,
            seed=workspace.options.seed,
            channel_sums=channel_sums,
            process_sums=process_sums,
        )
    save(result, output)
    console = products()
    console.print(f"Expected events {'before' if prefit else 'after'} the fit", style="bold")
    show_notes(result)
    for channel in result.channels:
        console.print()
        console.print(_channel_table(channel, dict(result.yields)))
    return finish(Status.CONVERGED)


def _saved_fit(path: Path, workspace: Workspace) -> FitResult:
    """Return a saved fit, if it knows no more of the observation than the user wants to."""
    saved = read_result(FitResult, path)
    if workspace.is_blind and saved.provenance.data != Blinding.ASIMOV.value:
        raise click.UsageError(f"the fit in {path} is of data that depend on the observation: add --unblind")
    if not workspace.is_blind and saved.provenance.data == Blinding.ASIMOV.value:
        raise click.UsageError(f"the fit in {path} is of Asimov data: leave --unblind out")
    return saved


def _channel_table(channel: ChannelYields, yields: dict[str, tuple[float, float]]) -> Table:
    table = plain_table(channel.channel, ("events", "right"), ("±", "right"))
    for process in (*channel.processes, "total"):
        value, error = yields[f"{channel.channel}/{process}"]
        table.add_row(process, events(value), error_text(error), style="bold" if process == "total" else "")
    if channel.observed is not None:
        table.add_row("observed data", events(float(channel.observed.sum())), "", style="bold")
    return table
