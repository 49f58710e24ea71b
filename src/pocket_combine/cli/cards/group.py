"""The group of all commands for datacards."""

from __future__ import annotations

import click

from pocket_combine.cli.cards.check import check
from pocket_combine.cli.cards.combine import combine
from pocket_combine.cli.cards.format import format_
from pocket_combine.cli.cards.names import names
from pocket_combine.cli.cards.rename import rename
from pocket_combine.cli.cards.select import select
from pocket_combine.cli.cards.show import show
from pocket_combine.cli.command import Group

__all__ = ["cards"]


@click.group(
    cls=Group,
    examples=[
        "pocket-combine cards show datacard.txt",
        "pocket-combine cards combine SR=sr.txt CR=cr.txt -o combined.txt",
    ],
)
def cards() -> None:
    """Show, combine, edit, check and compare datacards.

    The cards are those of Combine with counting or template channels, whoever wrote them.
    """


for _command in (show, check, combine, select, rename, names, format_):
    cards.add_command(_command)
