"""`pocket-combine cards select`: a part of a card, with what is kept scaled, frozen or grouped."""

from __future__ import annotations

import glob
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from pocket_combine.card import editing
from pocket_combine.card.model import Card
from pocket_combine.card.pair import Pair
from pocket_combine.cli.cards.reading import Reading, card_argument, numbers, patterns_by_name, reading_options
from pocket_combine.cli.cards.writing import directory_option, write_pair
from pocket_combine.cli.command import Command
from pocket_combine.cli.console import ExitCode
from pocket_combine.errors import CardError
from pocket_combine.patterns import matched, unmatched

__all__ = ["select"]

_SELECTIONS = {
    "channel": editing.select_channels,
    "process": editing.select_processes,
    "nuisance": editing.select_nuisances,
}


def _patterns(option: str, name: str, help_text: str) -> Callable[[Callable[..., ExitCode]], Callable[..., ExitCode]]:
    return click.option(option, name, multiple=True, metavar="PATTERN", help=f"{help_text}; may be repeated.")


@click.command(
    cls=Command,
    examples=[
        "pocket-combine cards select card.txt --channel 'SR_*' -o signal_regions",
        "pocket-combine cards select card.txt --drop-nuisance 'QCDscale*' -o small",
        "pocket-combine cards select card.txt --scale ttbar=1.1 --freeze lumi -o new",
    ],
)
@card_argument
@directory_option
@_patterns("--channel", "keep_channel", "Keep only channels that match")
@_patterns("--process", "keep_process", "Keep only processes that match")
@_patterns("--nuisance", "keep_nuisance", "Keep only nuisances that match; rate parameters stay")
@_patterns("--drop-channel", "drop_channel", "Leave channels out that match")
@_patterns("--drop-process", "drop_process", "Leave processes out that match")
@_patterns("--drop-nuisance", "drop_nuisance", "Leave nuisances out that match")
@click.option(
    "--scale",
    "factors",
    multiple=True,
    callback=numbers,
    metavar="PROCESS=FACTOR",
    help="Multiply the expected events of processes that match; may be repeated.",
)
@_patterns("--freeze", "frozen", "Hold parameters that match constant")
@click.option(
    "--group",
    "groups",
    multiple=True,
    callback=patterns_by_name,
    metavar="NAME=PATTERN",
    help="Put parameters that match into a group; may be repeated.",
)
@reading_options
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def select(
    card: str,
    directory: Path,
    factors: dict[str, float],
    frozen: tuple[str, ...],
    groups: dict[str, list[str]],
    reading: Reading,
    as_json: bool,
    **patterns: tuple[str, ...],
) -> ExitCode:
    """Select channels, processes and nuisances; scale, freeze and group.

    Writes the card and one ROOT file with its templates into a folder. Patterns are those of the shell, such as
    'CMS_*'. What is left is then scaled, frozen and grouped. Without any option the card is written as it is, with all
    its templates in one file. CARD is a datacard, or - for standard input.
    """
    loaded = reading.load(card)
    pair: Pair = (loaded.card, dict(loaded.templates))
    for what in _SELECTIONS:
        pair = _selected(pair, what, patterns[f"keep_{what}"], patterns[f"drop_{what}"])
    edited, templates = editing.scale_processes(*pair, factors) if factors else pair
    if frozen:
        edited = editing.freeze(edited, frozen)
    for name, members in groups.items():
        edited = editing.group(edited, name, members)
    write_pair(loaded, edited, templates, directory, as_json=as_json)
    return ExitCode.CLEAN


def _selected(pair: Pair, what: str, kept: Sequence[str], dropped: Sequence[str]) -> Pair:
    """Return card and templates with those channels, processes or nuisances that are kept and not dropped."""
    if kept:
        pair = _SELECTIONS[what](*pair, kept)
    if not dropped:
        return pair
    names = _names(pair[0], what)
    problems = unmatched(what, names, dropped)
    if problems:
        raise CardError(problems)
    gone = matched(names, dropped)
    return _SELECTIONS[what](*pair, [glob.escape(name) for name in names if name not in gone])


def _names(card: Card, what: str) -> list[str]:
    if what == "nuisance":
        return list(card.all_nuisance_names)
    return list(dict.fromkeys(getattr(column, what) for column in card.columns))
