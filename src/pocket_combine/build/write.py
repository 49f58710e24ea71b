"""A channel to its two files: the card and the ROOT file beside it."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

from pocket_combine.card.model import Card
from pocket_combine.card.writer import dump_card, write_card
from pocket_combine.errors import CardError, DeclarationError
from pocket_combine.io.root import write_templates
from pocket_combine.templates import Templates

__all__ = ["with_shapes_name", "write_channel", "file_name_problem", "make_folder"]


def with_shapes_name(card: Card, shapes_name: str) -> Card:
    """Return the card with its templates in a file of this name, relative to the card."""
    return dataclasses.replace(card, shapes=tuple(dataclasses.replace(rule, path=shapes_name) for rule in card.shapes))


def file_name_problem(argument: str, name: object, suffix: str = "") -> str | None:
    """Return what is wrong with the name of a file that is to stand in a card or a script, or `None`.

    Examples:
        >>> file_name_problem("card_name", "cards/SR.txt")
        "card_name is 'cards/SR.txt', expected a file name without folders and blanks"
        >>> file_name_problem("path", "combine.txt", ".sh")
        "path is 'combine.txt', expected a name that ends in .sh"
    """
    if not isinstance(name, str) or Path(name).name != name or not name or any(map(str.isspace, name)):
        return f"{argument} is {name!r}, expected a file name without folders and blanks"
    if name.startswith("-") or "$" in name:
        return f"{argument} is {name!r}, which Combine reads as an option or fills in: begin without '-', leave out '$'"
    if not name.endswith(suffix):
        return f"{argument} is {name!r}, expected a name that ends in {suffix}"
    return None


def make_folder(directory: str | os.PathLike[str]) -> Path:
    """Return a folder, made with those above it where they do not exist.

    Raises:
        CardError: If it cannot be made.
    """
    folder = Path(directory)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CardError(f"{folder}: no folder can be made there: {error.strerror or error}") from error
    return folder


def write_channel(
    card: Card, templates: Templates, directory: str | os.PathLike[str], card_name: str, shapes_name: str
) -> None:
    """Write the card of one channel and its ROOT file into a directory, which is made where it does not exist.

    Each file appears whole or not at all, the ROOT file first, so that a card never points at half a file.

    Raises:
        DeclarationError: If one of the names is not a plain file name, or both are the same.
        CardError: If the card holds something that its format cannot express, or a file cannot be written.
        RootFileError: If the templates cannot be written.
    """
    problems = [file_name_problem("card_name", card_name), file_name_problem("shapes_name", shapes_name, ".root")]
    if card_name == shapes_name:
        problems.append(f"card_name and shapes_name are both {card_name!r}")
    found = [problem for problem in problems if problem]
    if found:
        raise DeclarationError(found)
    folder = make_folder(directory)
    card = with_shapes_name(card, shapes_name)
    write_card(card)  # refuses what the format cannot express before anything is written
    write_templates(folder / shapes_name, {card.channels[0].name: templates})
    dump_card(card, folder / card_name)
