"""`pocket-combine plot stack` and `yields`: expected events from results of `pocket-combine postfit`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from pocket_combine.cli.command import Command
from pocket_combine.cli.console import ExitCode
from pocket_combine.cli.new_files import NEW_FILE
from pocket_combine.cli.plots.inputs import FILE, chosen, pattern_option, result_argument
from pocket_combine.cli.plots.setup import FigureFiles, figure_options, style_file_option
from pocket_combine.io.atomic import atomic_write
from pocket_combine.io.result_files import read_result
from pocket_combine.plotting.style import Style, load_style
from pocket_combine.plotting.yield_tables import TABLE_FORMATS, yield_table
from pocket_combine.results import PostfitResult

__all__ = ["stack", "yields"]

_PREFIT = click.option(
    "--prefit",
    "prefit_file",
    type=FILE,
    metavar="FILE",
    help="Result of `pocket-combine postfit --prefit`, shown for comparison.",
)
_CHANNELS = pattern_option("channel", "channels", "SR_*")


@click.command(
    cls=Command,
    examples=[
        "pocket-combine plot stack postfit.json --prefit prefit.json -o figures/postfit",
        "pocket-combine plot stack postfit.json --channel 'SR_*' --log --panel pull",
    ],
)
@result_argument
@_PREFIT
@_CHANNELS
@click.option("--overview", is_flag=True, help="One figure with one bin for each channel.")
@click.option(
    "--panel",
    type=click.Choice(("ratio", "pull", "none")),
    default="ratio",
    show_default=True,
    help="What stands below.",
)
@click.option("--log", is_flag=True, help="Logarithmic axis of events.")
@click.option("--signal-scale", type=float, metavar="FACTOR", help="Draw signals as lines too, times a factor.")
@click.option("--per-width", is_flag=True, help="Divide events by the width of the bin.")
@click.option("--equal-bins", is_flag=True, help="Draw all bins with the same width.")
@figure_options("stack")
def stack(
    result: Path,
    prefit_file: Path | None,
    channels: Sequence[str],
    overview: bool,
    style: Style,
    files: FigureFiles,
    panel: str,
    log: bool,
    signal_scale: float | None,
    per_width: bool,
    equal_bins: bool,
) -> ExitCode:
    """Draw the processes of each channel on each other, with data, the uncertainty of the prediction, and ratios.

    FILE is a result of `pocket-combine postfit -o`, before or after a fit. A blind one has no data.
    """
    from pocket_combine.plotting.stack_figures import (  # noqa: PLC0415  imports matplotlib
        overview_figure,
        stack_figures,
    )
    from pocket_combine.plotting.stack_options import StackOptions  # noqa: PLC0415  imports matplotlib

    options = StackOptions(panel=panel, log=log, signal_scale=signal_scale, per_width=per_width, equal_bins=equal_bins)
    found = read_result(PostfitResult, result)
    prefit = None if prefit_file is None else read_result(PostfitResult, prefit_file)
    shown = chosen("channel", [one.channel for one in found.channels], channels)
    if overview:
        files.save(overview_figure(found, shown if channels else None, style=style, prefit=prefit, options=options))
        return ExitCode.CLEAN
    for name, figure in stack_figures(found, shown, style=style, prefit=prefit, options=options):
        files.save(figure, name if len(shown) > 1 else "")
    return ExitCode.CLEAN


@click.command(
    cls=Command,
    examples=[
        "pocket-combine plot yields postfit.json --prefit p.json --table latex -o y.tex",
        "pocket-combine plot yields postfit.json --channel 'SR_*'",
    ],
)
@result_argument
@_PREFIT
@_CHANNELS
@click.option(
    "--table",
    "table_format",
    type=click.Choice(TABLE_FORMATS),
    default="plain",
    show_default=True,
    help="Format of the table.",
)
@style_file_option
@click.option(
    "-o",
    "--output",
    type=NEW_FILE,
    metavar="FILE",
    help="Write the table to a file.",
)
def yields(
    result: Path,
    prefit_file: Path | None,
    channels: Sequence[str],
    table_format: str,
    style_file: Path | None,
    output: Path | None,
) -> ExitCode:
    """Print a table of expected events and data: a column per channel, a row per process.

    FILE is a result of `pocket-combine postfit -o`. Processes that the style merges are added, with their correlations.
    """
    found = read_result(PostfitResult, result)
    table = yield_table(
        found,
        chosen("channel", [one.channel for one in found.channels], channels),
        prefit=None if prefit_file is None else read_result(PostfitResult, prefit_file),
        style=Style() if style_file is None else load_style(style_file),
    )
    if output is None:
        click.echo(table.text(table_format), nl=False)
        return ExitCode.CLEAN
    with atomic_write(output) as file:
        file.write(table.text(table_format).encode())
    return ExitCode.CLEAN
