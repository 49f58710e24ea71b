"""`pocket-combine cards combine`: several cards as one."""

from __future__ import annotations

from pathlib import Path

import click

from pocket_combine.card.combination import combine_cards
from pocket_combine.card.labels import labelled
from pocket_combine.card.writer import dump_card, write_card
from pocket_combine.cli.cards.reading import keyword_option, lines_of, poi_option
from pocket_combine.cli.cards.writing import card_counts, relative_to, show_written
from pocket_combine.cli.command import Command
from pocket_combine.cli.console import ExitCode, print_json
from pocket_combine.cli.new_files import NEW_FILE
from pocket_combine.errors import CardError

__all__ = ["combine"]


@click.command(
    cls=Command,
    examples=[
        "pocket-combine cards combine SR=sr.txt CR=cr.txt -o combined.txt",
        "pocket-combine cards combine .=run2.txt .=run3.txt --xc CR_old -o all.txt",
    ],
)
@click.argument("cards", nargs=-1, required=True, metavar="[LABEL=]CARD...")
@click.option(
    "-o",
    "--output",
    type=NEW_FILE,
    help="File for the combined card; standard output by default.",
)
@click.option(
    "--ic",
    "--include-channel",
    "include",
    multiple=True,
    metavar="REGEX",
    help="Keep only channels whose name begins like this; may be repeated.",
)
@click.option(
    "--xc",
    "--exclude-channel",
    "exclude",
    multiple=True,
    metavar="REGEX",
    help="Leave channels out whose name begins like this; may be repeated.",
)
@click.option(
    "--xn",
    "--exclude-nuisance",
    "nuisances",
    multiple=True,
    metavar="REGEX",
    help="Leave nuisances out whose name begins like this; may be repeated.",
)
@click.option(
    "--xn-file",
    "--exclude-nuisances-from-file",
    "nuisance_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File with one such expression per line.",
)
@click.option(
    "-S",
    "--force-shape",
    is_flag=True,
    help="Make channels of cards without shapes lines counting channels, so that they join cards with templates.",
)
@keyword_option
@poi_option
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON; needs -o.")
def combine(
    cards: tuple[str, ...],
    output: Path | None,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    nuisances: tuple[str, ...],
    nuisance_file: Path | None,
    force_shape: bool,
    keywords: dict[str, str],
    pois: tuple[str, ...],
    as_json: bool,
) -> ExitCode:
    """Combine cards into one.

    As combineCards.py: the channel of a card with one channel takes the label as its name, other channels become
    LABEL_CHANNEL, and the label . keeps the names; without a label it is ch1, ch2, …. Only with labels may a card be
    given twice. Nuisances and rate parameters of one name become one. CARD may be - for standard input. ROOT files are
    not opened, and named from the folder of the output.
    """
    if as_json and output is None:
        raise click.UsageError("--json needs -o, because the card goes to standard output without it")
    pairs = labelled(cards)
    combined = combine_cards(
        pairs,
        include_channels=include,
        exclude_channels=exclude,
        exclude_nuisances=[*nuisances, *filter(None, map(str.strip, lines_of(nuisance_file)))],
        keywords=keywords,
        pois=pois or ("r",),
        force_shapes=force_shape,
    )
    comment = f"Combination of {' '.join(cards)}"
    if output is None:
        click.echo(write_card(combined, comment=comment), nl=False)
        return ExitCode.CLEAN
    sources = [source for _, source in pairs if Path(source).exists()]
    if output.exists() and any(output.samefile(source) for source in sources):
        raise CardError(f"{output} is one of the cards to combine; choose another output")
    output.parent.mkdir(parents=True, exist_ok=True)
    dump_card(relative_to(combined, output.parent), output, comment=comment)
    if as_json:
        print_json({"card": str(output), "inputs": list(cards), **card_counts(combined)})
    else:
        show_written(output, combined)
    return ExitCode.CLEAN
