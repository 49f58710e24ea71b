"""The group of all commands for datacards."""

from __future__ import annotations

import click

from pocket_combine.cli.command import Group

__all__ = ["cards"]

_COMMANDS = {
    "show": "pocket_combine.cli.cards.show:show",
    "check": "pocket_combine.cli.cards.check:check",
    "diff": "pocket_combine.cli.cards.diff:diff",
    "combine": "pocket_combine.cli.cards.combine:combine",
    "select": "pocket_combine.cli.cards.select:select",
    "rename": "pocket_combine.cli.cards.rename:rename",
    "names": "pocket_combine.cli.cards.names:names",
    "format": "pocket_combine.cli.cards.format:format_",
}


@click.group(
    cls=Group,
    examples=[
        "pocket-combine cards show datacard.txt",
        "pocket-combine cards combine SR=sr.txt CR=cr.txt -o combined.txt",
    ],
    homes=_COMMANDS,
)
def cards() -> None:
    """Show, combine, edit, check and compare datacards.

    The cards are those of Combine with counting or template channels, whoever wrote them.
    """
