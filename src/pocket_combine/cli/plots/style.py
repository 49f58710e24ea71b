"""`pocket-combine plot style`: a style file to begin with."""

from __future__ import annotations

from pathlib import Path

import click

from pocket_combine.card.load import load_card
from pocket_combine.cli.command import Command
from pocket_combine.cli.console import ExitCode
from pocket_combine.cli.plots.inputs import FILE
from pocket_combine.plotting.style import Style, load_style, style_text

__all__ = ["style"]


@click.command(
    cls=Command,
    examples=["pocket-combine plot style > style.yaml", "pocket-combine plot style datacard.txt > style.yaml"],
)
@click.argument("card", required=False)
@click.option("--style", "style_file", type=FILE, metavar="FILE", help="Begin with this file.")
def style(card: str | None, style_file: Path | None) -> ExitCode:
    """Print a style file: labels, and how the processes and channels of CARD are drawn, to be edited."""
    begin = Style() if style_file is None else load_style(style_file)
    if card is None:
        click.echo(style_text(begin), nl=False)
        return ExitCode.CLEAN
    loaded = load_card(card).card
    signals = [column.process for column in loaded.columns if column.is_signal]
    processes = list(dict.fromkeys(column.process for column in loaded.columns))
    click.echo(style_text(begin, processes, signals, [channel.name for channel in loaded.channels]), nl=False)
    return ExitCode.CLEAN
