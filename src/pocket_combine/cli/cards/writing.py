"""How commands of the group write cards: where to, and what they say about it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from pocket_combine.card.load import LoadedCard
from pocket_combine.card.model import FAKE, Card
from pocket_combine.card.pair import dump_pair
from pocket_combine.cli.console import print_json, products
from pocket_combine.cli.new_files import NEW_FOLDER
from pocket_combine.errors import CardError
from pocket_combine.templates import Templates
from pocket_combine.wording import counted

__all__ = ["card_counts", "directory_option", "relative_to", "show_written", "write_pair"]


directory_option = click.option(
    "-o",
    "--directory",
    type=NEW_FOLDER,
    required=True,
    help="Folder for card and ROOT file, made if it does not exist.",
)


def write_pair(
    loaded: LoadedCard, card: Card, templates: Mapping[str, Templates], directory: Path, *, as_json: bool
) -> None:
    """Write an edited card and its templates into a directory and report it.

    The card keeps its name, `datacard.txt` for standard input; the ROOT file gets the name of the card.

    Args:
        loaded: What was read.
        card: The edited card.
        templates: Its templates.
        directory: Where to write, made if it does not exist.
        as_json: Whether the report is JSON.

    Raises:
        CardError: If a file that was read would be replaced, or the card cannot be written.
    """
    source = Path("datacard.txt" if loaded.source == "<stdin>" else loaded.source)
    target = directory / source.name
    shapes = directory / f"{source.name.removesuffix('.gz').removesuffix('.txt')}.root"
    paths = {Path(rule.path) for rule in loaded.card.shapes}
    inputs = {source, *paths, *(source.parent / path for path in paths)}
    for output in (target, shapes):
        if output.exists() and any(path.exists() and output.samefile(path) for path in inputs):
            raise CardError(f"{output} is one of the files that were read; choose another directory with -o")
    directory.mkdir(parents=True, exist_ok=True)
    written = dump_pair(card, templates, target, shapes=shapes.name)
    if as_json:
        print_json({"card": str(target), "shapes": str(shapes) if templates else None, **card_counts(written)})
        return
    show_written(target, written)
    if templates:
        products().print(f"{shapes}  (its templates)", soft_wrap=True)


def show_written(path: Path, card: Card) -> None:
    """Print the name of a card that was written, with what is in it."""
    numbers = card_counts(card)
    nouns = ("channel", "column", "nuisance")
    parts = ", ".join(counted(numbers[f"{noun}s"], noun) for noun in nouns)
    products().print(f"{path}  ({parts})", soft_wrap=True)


def card_counts(card: Card) -> dict[str, Any]:
    """Return how much there is of everything."""
    return {
        "channels": len(card.channels),
        "processes": len({column.process for column in card.columns}),
        "columns": len(card.columns),
        "nuisances": len(card.nuisance_names),
        "rate_parameters": len({line.name for line in card.rate_parameters}),
    }


def relative_to(card: Card, folder: Path) -> Card:
    """Return a card whose ROOT files, given from the current folder, are given from another folder.

    Combine looks for files in the current folder first and then beside the card, so that such a card works anywhere.

    Examples:
        >>> from pocket_combine.card.model import Channel, Column, ShapeRule
        >>> card = Card((Channel("SR"),), (Column("SR", "s", 0, -1),), shapes=(ShapeRule("*", "SR", "a/s.root", "h"),))
        >>> relative_to(card, Path("a/combined")).shapes[0].path
        '../s.root'
    """
    return replace(
        card,
        shapes=tuple(
            rule
            if rule.path == FAKE or Path(rule.path).is_absolute()
            else replace(rule, path=Path(os.path.relpath(rule.path, folder)).as_posix())
            for rule in card.shapes
        ),
    )
