"""The group of all commands."""

from __future__ import annotations

import click

from pocket_combine._version import __version__
from pocket_combine.cli.command import Group

__all__ = ["main"]

_COMMANDS = {
    "demo": "pocket_combine.cli.demo:demo",
    "inspect": "pocket_combine.cli.inspect:inspect",
    "build": "pocket_combine.cli.build:build",
    "cards": "pocket_combine.cli.cards.group:cards",
    "fit": "pocket_combine.cli.fits.commands:fit",
    "scan": "pocket_combine.cli.fits.commands:scan",
    "limit": "pocket_combine.cli.fits.commands:limit",
    "significance": "pocket_combine.cli.fits.commands:significance",
    "impacts": "pocket_combine.cli.fits.answers:impacts",
    "gof": "pocket_combine.cli.fits.answers:gof",
    "toys": "pocket_combine.cli.fits.answers:toys",
    "postfit": "pocket_combine.cli.fits.postfit:postfit",
    "plot": "pocket_combine.cli.plots.group:plot",
    "report": "pocket_combine.cli.report:report",
}


@click.group(
    cls=Group,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
    examples=["pocket-combine demo", "pocket-combine fit datacard.txt", "pocket-combine report --help"],
    homes=_COMMANDS,
)
@click.version_option(__version__, prog_name="pocket-combine")
def main() -> None:
    """From PocketCoffea histograms to CMS Combine datacards, fits and figures.

    Products go to standard output, messages to standard error.
    """
