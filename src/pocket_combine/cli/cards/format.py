"""`pocket-combine cards format`: align the columns of cards."""

from __future__ import annotations

import click

from pocket_combine.card.formatting import format_card
from pocket_combine.card.options import CardOptions
from pocket_combine.card.parser import read_card_with_findings
from pocket_combine.card.writer import dump_text
from pocket_combine.cli.cards.reading import card_options
from pocket_combine.cli.command import Command
from pocket_combine.cli.console import ExitCode, print_json, products
from pocket_combine.wording import counted

__all__ = ["format_"]


@click.command(
    "format",
    cls=Command,
    examples=[
        "pocket-combine cards format datacard.txt",
        "pocket-combine cards format --in-place cards/*.txt",
        "pocket-combine cards format --check cards/*.txt",
    ],
)
@click.argument("cards", nargs=-1, required=True, metavar="CARD...")
@click.option("-i", "--in-place", is_flag=True, help="Change the files.")
@click.option("--check", is_flag=True, help="Change nothing; the exit status is 1 if a card is not aligned.")
@card_options
@click.option("--json", "as_json", is_flag=True, help="Print the names of the files as JSON.")
def format_(cards: tuple[str, ...], in_place: bool, check: bool, accepted: CardOptions, as_json: bool) -> ExitCode:
    """Align the columns of cards.

    Only blanks change: words, comments, and the order of the lines stay. The card is printed; with --in-place its file
    is changed, which works for several cards. CARD is a datacard, or - for standard input.
    """
    writes = in_place or check
    if in_place and check:
        raise click.UsageError("--in-place and --check exclude each other")
    if in_place and "-" in cards:
        raise click.UsageError("standard input cannot be changed in place")
    if not writes and (len(cards) > 1 or as_json):
        raise click.UsageError("several cards, and --json, need --in-place or --check")
    # All are read before the first is changed.
    parsed = {card: read_card_with_findings(card, options=accepted) for card in cards}
    before = {card: found.text for card, found in parsed.items()}
    after = {card: format_card(text, source=card, options=accepted) for card, text in before.items()}
    if not writes:
        click.echo(after[cards[0]], nl=False)
        return ExitCode.CLEAN
    changed = [card for card in after if after[card] != before[card]]
    if in_place:
        for card in changed:
            dump_text(after[card], card)
    _report(changed, [card for card in after if card not in changed], "changed" if in_place else "not aligned", as_json)
    return ExitCode.FINDINGS if check and changed else ExitCode.CLEAN


def _report(changed: list[str], aligned: list[str], what: str, as_json: bool) -> None:
    if as_json:
        print_json({what.replace(" ", "_"): changed, "aligned": aligned})
        return
    console = products()
    for card in changed:
        console.print(f"{card}: {what}", soft_wrap=True)
    was = "was" if len(aligned) == 1 else "were"
    already = f"{counted(len(aligned), 'card')} {was} aligned already" if aligned else ""
    console.print(", ".join(filter(None, (f"{counted(len(changed), 'card')} {what}" if changed else "", already))))
