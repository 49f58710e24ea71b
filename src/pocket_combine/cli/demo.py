"""`pocket-combine demo`: a toy analysis, from generated output to datacards."""

from __future__ import annotations

from pathlib import Path

import click

from pocket_combine.cli.build import build_and_report
from pocket_combine.cli.command import Command
from pocket_combine.cli.console import ExitCode, activity, products
from pocket_combine.demo import write_demo
from pocket_combine.execution import SerialExecutor
from pocket_combine.findings import Severity

__all__ = ["demo"]


@click.command(cls=Command, examples=["pocket-combine demo", "pocket-combine demo toy-analysis"])
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False), default=Path("demo"), metavar="[DIR]")
@click.option("--overwrite", is_flag=True, help="Replace an analysis file that was edited.")
def demo(directory: Path, overwrite: bool) -> ExitCode:
    """Write a toy analysis and build its datacards.

    DIR, by default ./demo, gets a .coffea output of five eras with nine samples, data and about 40 systematic
    variations, an analysis file to read and change, and a folder with the cards built from them.
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
    console.print("What to do next", style="bold")
    for what, command in (
        ("See what is in the output:", f"pocket-combine inspect {output}"),
        ("Read the analysis file, change it, and build again:", f"pocket-combine build {analysis} {output} -o {cards}"),
    ):
        console.print(f"  {what}\n    {command}", soft_wrap=True)
    return code
