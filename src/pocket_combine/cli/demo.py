"""`pocket-combine demo`: a toy analysis, from generated output to datacards."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from pocket_combine.cli.build import build_and_report
from pocket_combine.cli.command import Command
from pocket_combine.cli.console import ExitCode, activity, products
from pocket_combine.demo import STYLE_NAME, write_demo
from pocket_combine.errors import MissingDependencyError
from pocket_combine.execution import SerialExecutor
from pocket_combine.findings import Severity

__all__ = ["demo"]

_CHANNELS = ("SR", "CR_tt", "CR_nJets")


@click.command(cls=Command, examples=["pocket-combine demo", "pocket-combine demo toy-analysis"])
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False), default=Path("demo"), metavar="[DIR]")
@click.option("--overwrite", is_flag=True, help="Replace an analysis file or a style that was edited.")
def demo(directory: Path, overwrite: bool) -> ExitCode:
    """Write a toy analysis, build its datacards, and draw its signal region after a fit.

    DIR, by default ./demo, gets a .coffea output of five eras with nine samples, data and about 40 systematic
    variations, an analysis file to read and change, a folder with the cards built from them, and a figure.
    """
    with activity("Generating events"):
        analysis, output = write_demo(directory, overwrite=overwrite)
    cards = directory / "datacards"
    code = build_and_report(
        analysis,
        [output],
        cards,
        executor=SerialExecutor(),
        blind=False,
        strict=True,
        fail_on=Severity.ERROR,
        as_json=False,
    )
    console = products()
    console.print()
    if code is ExitCode.CLEAN:
        _draw(directory, cards, console)
    console.print("What to do next", style="bold")
    labelled = " ".join(f"{channel}={_card(cards, channel)}" for channel in _CHANNELS)
    report = f"pocket-combine report {labelled} --style {directory / STYLE_NAME} --jobs 2 -o {directory / 'report'}"
    for what, command in (
        ("See what is in the output:", f"pocket-combine inspect {output}"),
        ("Read the analysis file, change it, and build again:", f"pocket-combine build {analysis} {output} -o {cards}"),
        ("Put fits, limits, impacts, toys and figures on one page, in about a minute:", report),
    ):
        console.print(f"  {what}\n    {command}", soft_wrap=True)
    return code


def _card(cards: Path, channel: str) -> Path:
    return cards / f"datacard_{channel}_run3.txt"


def _draw(directory: Path, cards: Path, console: Console) -> None:
    """Draw the signal region after a fit of all cards, if there is something to draw with."""
    files = {channel: _card(cards, channel) for channel in _CHANNELS}
    try:
        with activity("Fitting and drawing"):
            from pocket_combine.demo.figure import draw_channel  # noqa: PLC0415  imports all that fits and draws

            drawn = draw_channel(files, "SR", directory / STYLE_NAME, directory / "signal_region")
    except MissingDependencyError as error:
        console.print(f"No figure: {error}\n", soft_wrap=True)
        return
    console.print("The signal region after a fit of the three cards to the generated data", style="bold")
    for path in drawn:
        console.print(f"  {path}", soft_wrap=True)
    console.print()
