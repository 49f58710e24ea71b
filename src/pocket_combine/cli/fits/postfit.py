"""`pocket-combine postfit`: expected events with uncertainties."""

from __future__ import annotations

from pathlib import Path

import click
from rich.table import Table

from pocket_combine.cli.command import Command
from pocket_combine.cli.console import ExitCode, activity, products
from pocket_combine.cli.fits.setup import finish, fitting_options, show_notes
from pocket_combine.cli.tables import plain_table
from pocket_combine.inference.postfit import postfit as expected_events
from pocket_combine.inference.questions import fit
from pocket_combine.inference.workspace import Workspace
from pocket_combine.results import ChannelYields, Status
from pocket_combine.wording import events

__all__ = ["postfit"]


@click.command(
    cls=Command,
    examples=[
        "pocket-combine postfit datacard.txt --unblind -o postfit.json",
        "pocket-combine postfit card.txt --prefit",
    ],
)
@fitting_options
@click.option("--prefit", is_flag=True, help="Before the fit, with the uncertainties of the constraints.")
@click.option("--sampling", is_flag=True, help="Uncertainties from random parameters instead of propagation.")
@click.option("--samples", type=click.IntRange(min=10), default=1000, show_default=True, help="Number of them.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Seed of the random numbers.")
def postfit(
    workspace: Workspace, output: Path | None, prefit: bool, sampling: bool, samples: int, seed: int
) -> ExitCode:
    """Show expected events per channel and process with their uncertainties, after the fit or before it.

    The file of -o has them bin by bin, with the covariance of the total. Exit status: 0 if the fit can be used, 1 if
    not, 2 if it could not be made.
    """
    with activity("Fitting"):
        fitted = None if prefit else fit(workspace, intervals=())
        if fitted is not None and not fitted.status.usable:
            return finish(fitted, output, fitted.status)
        method = "sampling" if sampling else "propagation"
        result = expected_events(workspace, fitted, method=method, samples=samples, seed=seed)
    console = products()
    console.print(f"Expected events {'before' if prefit else 'after'} the fit", style="bold")
    show_notes(result)
    for channel in result.channels:
        console.print()
        console.print(_channel_table(channel, dict(result.yields)))
    return finish(result, output, Status.CONVERGED)


def _channel_table(channel: ChannelYields, yields: dict[str, tuple[float, float]]) -> Table:
    table = plain_table(channel.channel, ("events", "right"), ("±", "right"))
    for process in (*channel.processes, "total"):
        value, error = yields[f"{channel.channel}/{process}"]
        table.add_row(process, events(value), f"{error:.3g}", style="bold" if process == "total" else "")
    if channel.observed is not None:
        table.add_row("observed data", events(float(channel.observed.sum())), "", style="bold")
    return table
