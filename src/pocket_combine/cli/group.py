"""The group of all commands."""

from __future__ import annotations

import click

from pocket_combine._version import __version__
from pocket_combine.cli.build import build
from pocket_combine.cli.cards.group import cards
from pocket_combine.cli.command import Group
from pocket_combine.cli.demo import demo
from pocket_combine.cli.fits.commands import fit, limit, scan, significance
from pocket_combine.cli.inspect import inspect

__all__ = ["main"]


@click.group(
    cls=Group,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
    examples=["pocket-combine demo", "pocket-combine build --help"],
)
@click.version_option(__version__, prog_name="pocket-combine")
def main() -> None:
    """From PocketCoffea histograms to CMS Combine datacards.

    Products go to standard output, messages to standard error.
    """


for _command in (demo, inspect, build, cards, fit, scan, limit, significance):
    main.add_command(_command)
