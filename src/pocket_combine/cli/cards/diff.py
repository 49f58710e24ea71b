"""`pocket-combine cards diff`: what two cards mean differently."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pocket_combine.cli.cards.reading import Reading, reading_options
from pocket_combine.cli.command import Command
from pocket_combine.cli.console import ExitCode, print_json, products
from pocket_combine.comparison import Change
from pocket_combine.comparison import diff as compare
from pocket_combine.wording import counted, size

__all__ = ["diff"]

_SHOWN = 25
_STYLES = {"appeared": "green", "vanished": "red", "changed": "yellow"}
_NOTE = "Sizes: change of the expected events, in standard deviations of the data."


@click.command(
    cls=Command,
    examples=[
        "pocket-combine cards diff old/datacard.txt new/datacard.txt",
        "pocket-combine cards diff v1.txt v2.txt --tolerance 1e-3 --json",
    ],
)
@click.argument("first", metavar="CARD_A")
@click.argument("second", metavar="CARD_B")
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
    default=1e-6,
    show_default=True,
    metavar="NUMBER",
    help="Relative difference up to which numbers are the same.",
)
@click.option("--all", "every", is_flag=True, help="List all differences, not only the largest.")
@reading_options
@click.option("--json", "as_json", is_flag=True, help="Print the differences as JSON.")
def diff(first: str, second: str, tolerance: float, every: bool, reading: Reading, as_json: bool) -> ExitCode:
    """Compare the meaning of two cards with their templates.

    Lists what appeared, vanished or was renamed, correlations that changed, and what else changed, the largest effect
    first. Order, formatting, and how templates are named do not count. One of the cards may be - for standard input.

    Exit status: 0 if the cards mean the same, 1 if they differ, 2 if one of them cannot be read.
    """
    if first == second == "-":
        raise click.UsageError("only one of the cards can be standard input")
    one, other = reading.load(first), reading.load(second)
    comparison = compare((one.card, one.templates), (other.card, other.templates), tolerance=tolerance)
    if as_json:
        print_json({"first": one.source, "second": other.source, **comparison.to_dict()})
    else:
        _show(comparison.changes, f"{one.source} → {other.source}", products(), every=every)
    return ExitCode.FINDINGS if comparison else ExitCode.CLEAN


def _show(changes: Sequence[Change], title: str, console: Console, *, every: bool) -> None:
    console.print(title, style="bold", soft_wrap=True)
    if not changes:
        console.print("The cards mean the same.")
        return
    actions = Counter(change.action for change in changes)
    numbers = ", ".join(f"{count} {action}" for action, count in actions.items())
    console.print(f"{counted(len(changes), 'difference')}: {numbers}")
    names = [change for change in changes if change.action != "changed"]
    values = sorted((change for change in changes if change.action == "changed"), key=lambda change: -change.size)
    for heading, alike in (("Appeared, vanished, renamed", names), ("Changed, largest effect first", values)):
        if alike:
            console.print()
            console.print(heading, style="bold")
            console.print()
            console.print(_table(alike if every else alike[:_SHOWN]))
            if not every and len(alike) > _SHOWN:
                console.print(f"… and {len(alike) - _SHOWN} more; --all lists them", style="dim")
    if any(change.size for change in changes):
        console.print()
        console.print(_NOTE, style="dim")


def _table(changes: Sequence[Change]) -> Table:
    table = Table(box=None, show_edge=False, pad_edge=False, show_header=False)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for change in changes:
        # The size has a column of its own.
        text = Text(str(dataclasses.replace(change, size=0.0)))
        text.highlight_words([change.action], _STYLES.get(change.action, "cyan"))
        table.add_row(size(change.size) if change.size else "", text)
    return table
