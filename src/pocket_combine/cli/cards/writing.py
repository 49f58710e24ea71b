"""How commands of the group write cards: where to, and what they say about it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pocket_combine.card.model import FAKE, Card
from pocket_combine.card.pair import dump_pair
from pocket_combine.cli.console import print_json, products
from pocket_combine.cli.tables import counted
from pocket_combine.errors import CardError
from pocket_combine.templates import Templates

__all__ = ["card_counts", "relative_to", "show_written", "write_pair"]


def write_pair(card: Card, templates: Mapping[str, Templates], source: str, directory: Path, *, as_json: bool) -> None:
    """Write a card and its templates into a directory and report it.

    The card keeps its name, `datacard.txt` for standard input; the ROOT file gets the name of the card.

    Args:
        card: The card.
        templates: Its templates.
        source: The card that was read.
        directory: Where to write, made if it does not exist.
        as_json: Whether the report is JSON.

    Raises:
        CardError: If the card would replace the one that was read, or cannot be written.
    """
    target = directory / ("datacard.txt" if source in ("-", "<stdin>") else Path(source).name)
    if target.exists() and Path(source).exists() and target.samefile(source):
        raise CardError(f"{target} is the card that was read; choose another directory with -o")
    directory.mkdir(parents=True, exist_ok=True)
    written = dump_pair(card, templates, target)
    shapes = next((str(directory / rule.path) for rule in written.shapes if rule.path != FAKE), None)
    if as_json:
        print_json({"card": str(target), "shapes": shapes, **card_counts(written)})
        return
    show_written(target, written)
    if shapes is not None:
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
