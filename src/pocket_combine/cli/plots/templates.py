"""`pocket-combine plot templates` and `contact-sheet`: what nuisances do to the templates of a card."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from pocket_combine.card.load import LoadedCard
from pocket_combine.cli.cards.reading import Reading, card_argument, reading_options
from pocket_combine.cli.command import Command, with_options
from pocket_combine.cli.console import ExitCode
from pocket_combine.cli.plots.inputs import pattern_option
from pocket_combine.cli.plots.setup import FigureFiles, figure_options
from pocket_combine.errors import CardError
from pocket_combine.patterns import matched, unmatched
from pocket_combine.plotting.style import Style
from pocket_combine.plotting.variations import Selection

__all__ = ["contact_sheet", "templates"]

_SELECTION = (
    pattern_option("channel", "channels", "SR_*"),
    pattern_option("process", "processes", "ttH_*"),
    pattern_option("nuisance", "nuisances", "JES_*"),
)


def _selection(function: Any) -> Any:
    return with_options(function, _SELECTION)


@click.command(
    cls=Command,
    examples=[
        "pocket-combine plot templates datacard.txt --nuisance 'JES_*' --channel SR",
        "pocket-combine plot templates datacard.txt --nuisance JER --process ttbb_2024",
    ],
)
@card_argument
@_selection
@reading_options
@figure_options("templates")
def templates(
    card: str,
    channels: Sequence[str],
    processes: Sequence[str],
    nuisances: Sequence[str],
    reading: Reading,
    style: Style,
    files: FigureFiles,
) -> ExitCode:
    """Draw templates at one standard deviation of a nuisance up and down: one figure per channel and nuisance.

    The processes that a nuisance acts on are added; --process chooses among them.
    """
    from pocket_combine.plotting.variation_figures import template_figures  # noqa: PLC0415  imports matplotlib

    loaded = reading.load(card)
    wanted = _wanted(loaded, channels, processes, nuisances)
    figures = template_figures(loaded.card, loaded.templates, style=style, selection=wanted)
    return _ended(loaded, files.save_all(figures))


@click.command(
    "contact-sheet",
    cls=Command,
    examples=[
        "pocket-combine plot contact-sheet datacard.txt --most 120 -o figures/effects",
        "pocket-combine plot contact-sheet datacard.txt --process 'ttH_*' --format pdf",
    ],
)
@card_argument
@_selection
@reading_options
@click.option("--most", type=click.IntRange(min=1), default=60, show_default=True, help="How many are shown.")
@figure_options("contact_sheet")
def contact_sheet(
    card: str,
    channels: Sequence[str],
    processes: Sequence[str],
    nuisances: Sequence[str],
    reading: Reading,
    most: int,
    style: Style,
    files: FigureFiles,
) -> ExitCode:
    """Draw the largest effects of nuisances on the templates of single processes, in small panels, largest first.

    The size of an effect is in units of the data's statistical error, as in `pocket-combine cards show`.
    """
    from pocket_combine.plotting.contact_sheets import contact_sheet_figures  # noqa: PLC0415  imports matplotlib

    loaded = reading.load(card)
    wanted = _wanted(loaded, channels, processes, nuisances)
    pages = contact_sheet_figures(loaded.card, loaded.templates, most=most, style=style, selection=wanted)
    return _ended(loaded, files.save_all(pages))


def _wanted(
    loaded: LoadedCard, channels: Sequence[str], processes: Sequence[str], nuisances: Sequence[str]
) -> Selection:
    """Return what patterns choose.

    Raises:
        CardError: If a pattern matches no name.
    """
    card = loaded.card
    asked = {
        "channels": ("channel", channels, [channel.name for channel in card.channels]),
        "processes": ("process", processes, list(dict.fromkeys(column.process for column in card.columns))),
        "nuisances": ("nuisance", nuisances, list(card.nuisance_names)),
    }
    problems = [problem for what, patterns, names in asked.values() for problem in unmatched(what, names, patterns)]
    if problems:
        raise CardError([f"{loaded.source}: {problem}" for problem in problems])
    return Selection(
        **{field: set(matched(names, patterns)) if patterns else None for field, (_, patterns, names) in asked.items()}
    )


def _ended(loaded: LoadedCard, drawn: int) -> ExitCode:
    if not drawn:
        raise CardError(
            f"{loaded.source}: no nuisance acts on any of the chosen processes, so there is nothing to draw"
        )
    return ExitCode.CLEAN
