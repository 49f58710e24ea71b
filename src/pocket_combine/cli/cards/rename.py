"""`pocket-combine cards rename`: new names in card and templates."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from pocket_combine.card.renaming import rename_channels, rename_nuisances, rename_processes
from pocket_combine.cli.cards.reading import Reading, card_argument, lines_of, pairs, reading_options
from pocket_combine.cli.cards.writing import directory_option, write_pair
from pocket_combine.cli.command import Command
from pocket_combine.cli.console import ExitCode
from pocket_combine.errors import CardError

__all__ = ["rename"]


def _renaming(option: str, name: str, what: str) -> Callable[[Callable[..., ExitCode]], Callable[..., ExitCode]]:
    return click.option(
        option,
        name,
        multiple=True,
        callback=pairs,
        metavar="OLD=NEW",
        help=f"Give {what} another name; may be repeated.",
    )


@click.command(
    cls=Command,
    examples=[
        "pocket-combine cards rename card.txt --nuisance JES=CMS_scale_j -o renamed",
        "pocket-combine cards rename card.txt --channel SR=hh_SR --process tt=TT -o new",
    ],
)
@card_argument
@directory_option
@_renaming("--channel", "channels", "a channel")
@_renaming("--process", "processes", "a process")
@_renaming("--nuisance", "nuisances", "a nuisance or other parameter")
@click.option(
    "--nuisances-from",
    "names_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File with an old and a new name of a nuisance on each line.",
)
@reading_options
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def rename(
    card: str,
    directory: Path,
    channels: dict[str, str],
    processes: dict[str, str],
    nuisances: dict[str, str],
    names_file: Path | None,
    reading: Reading,
    as_json: bool,
) -> ExitCode:
    """Rename channels, processes and nuisances.

    Writes the card and one ROOT file with all its templates into a folder, with the new names in both. Two nuisances
    that get one name become one, which correlates their effects: they must act on different columns. CARD is a
    datacard, or - for standard input.
    """
    nuisances = {**_names_of(names_file), **nuisances}
    if not (channels or processes or nuisances):
        raise click.UsageError("nothing to rename: give --channel, --process or --nuisance")
    loaded = reading.load(card)
    edited, templates = loaded.card, dict(loaded.templates)
    for function, names in (
        (rename_channels, channels),
        (rename_processes, processes),
        (rename_nuisances, nuisances),
    ):
        if names:
            edited, templates = function(edited, templates, names)
    write_pair(loaded, edited, templates, directory, as_json=as_json)
    return ExitCode.CLEAN


def _names_of(path: Path | None) -> dict[str, str]:
    names: dict[str, str] = {}
    problems = []
    for number, line in enumerate(lines_of(path), start=1):
        words = line.partition("#")[0].split()
        if len(words) not in (0, 2):
            problems.append(f"{path}:{number}: {len(words)} words, expected an old and a new name")
        elif words and words[0] in names:
            problems.append(f"{path}:{number}: {words[0]} is renamed twice")
        elif words:
            names[words[0]] = words[1]
    if problems:
        raise CardError(problems)
    return names
