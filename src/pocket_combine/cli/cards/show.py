"""`pocket-combine cards show`: what is in a card, or what one nuisance does."""

from __future__ import annotations

import click

from pocket_combine.cli.cards.nuisance import nuisances_as_dict, select_names, show_nuisances
from pocket_combine.cli.cards.overview import overview_as_dict, show_overview
from pocket_combine.cli.cards.reading import Reading, card_argument, reading_options
from pocket_combine.cli.command import Command
from pocket_combine.cli.console import ExitCode, print_json, products

__all__ = ["show"]


@click.command(
    cls=Command,
    examples=[
        "pocket-combine cards show datacard.txt",
        "pocket-combine cards show datacard.txt --nuisance CMS_scale_j",
        "pocket-combine cards show htt_tt.txt -m 125 --json",
    ],
)
@card_argument
@click.option(
    "--nuisance",
    "names",
    multiple=True,
    metavar="NAME",
    help="Show what a nuisance or rate parameter does in every column instead; a name or a pattern such as "
    "'CMS_scale_*', may be repeated.",
)
@click.option("--all", "every", is_flag=True, help="List all nuisances, not only those with the largest effects.")
@click.option(
    "--years-together", is_flag=True, help="Add up columns that differ in the year, such as tt_2017 and tt_2018."
)
@reading_options
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def show(
    card: str, names: tuple[str, ...], every: bool, years_together: bool, reading: Reading, as_json: bool
) -> ExitCode:
    """Show what is in a card.

    Prints the expected events of every process in every channel with their sums and the data, the nuisances by type
    and reach, those with the largest effects, rate parameters, and what autoMCStats does. CARD is a datacard of
    Combine with counting or template channels, or - for standard input.
    """
    loaded = reading.load(card)
    selected = select_names(loaded.card, names)
    if names and as_json:
        print_json(nuisances_as_dict(loaded, selected))
    elif names:
        show_nuisances(loaded, selected, products())
    elif as_json:
        print_json(overview_as_dict(loaded))
    else:
        show_overview(loaded, every_nuisance=every, years_together=years_together, console=products())
    return ExitCode.CLEAN
