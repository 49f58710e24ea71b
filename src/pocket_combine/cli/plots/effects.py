"""`pocket-combine plot effects` and `correlation-scheme`: what nuisances do, and what they share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import click

from pocket_combine.cli.cards.reading import Reading, reading_options
from pocket_combine.cli.command import Command
from pocket_combine.cli.console import ExitCode
from pocket_combine.cli.fits.setup import cards_argument, load_cards
from pocket_combine.cli.plots.inputs import chosen, pattern_option
from pocket_combine.cli.plots.setup import FigureFiles, figure_options
from pocket_combine.effects import nuisance_effects
from pocket_combine.plotting.style import Style

__all__ = ["correlation_scheme", "effects"]


@click.command(
    cls=Command,
    examples=[
        "pocket-combine plot effects datacard.txt -o figures/effects",
        "pocket-combine plot effects SR=sr.txt CR=cr.txt --channel SR --order card",
    ],
)
@cards_argument
@pattern_option("channel", "channels", "SR_*")
@click.option(
    "--quantity",
    type=click.Choice(("both", "yield", "moved")),
    default="both",
    show_default=True,
    help="Changes of yields, events moved between bins, or both.",
)
@click.option(
    "--order",
    type=click.Choice(("size", "card")),
    default="size",
    show_default=True,
    help="Nuisances by the size of their effect, or as in the card.",
)
@reading_options
@figure_options("effects")
def effects(
    cards: Sequence[str],
    channels: Sequence[str],
    quantity: Literal["both", "yield", "moved"],
    order: Literal["size", "card"],
    reading: Reading,
    style: Style,
    files: FigureFiles,
) -> ExitCode:
    """Draw what nuisances do to processes as a heat map, on as many pages as are needed."""
    from pocket_combine.plotting.effect_cells import effect_grid  # noqa: PLC0415  only where it is needed
    from pocket_combine.plotting.heat_map import heat_map_figures  # noqa: PLC0415  imports matplotlib

    loaded = load_cards(cards, reading)
    shown = chosen("channel", [channel.name for channel in loaded.card.channels], channels)
    found = nuisance_effects(loaded.card, loaded.templates)
    grid = effect_grid(loaded.card, loaded.templates, found, style=style, channels=shown, order=order)
    quantities: tuple[Literal["yield", "moved"], ...] = ("yield", "moved") if quantity == "both" else (quantity,)
    files.save_all(heat_map_figures(grid, quantities=quantities, style=style))
    return ExitCode.CLEAN


@click.command(
    cls=Command,
    examples=[
        "pocket-combine plot correlation-scheme datacard.txt",
        "pocket-combine plot correlation-scheme SR=sr.txt CR=cr.txt --by channel",
    ],
)
@cards_argument
@click.option(
    "--by",
    type=click.Choice(("year", "channel")),
    help="What columns are; years by default, channels where the card has none.",
)
@reading_options
@figure_options("correlation_scheme")
def correlation_scheme(
    cards: Sequence[str], by: Literal["year", "channel"] | None, reading: Reading, style: Style, files: FigureFiles
) -> ExitCode:
    """Draw which nuisances are one parameter across years, or channels, and which are split."""
    from pocket_combine.plotting.scheme import scheme_figures  # noqa: PLC0415  imports matplotlib
    from pocket_combine.plotting.scheme_grid import correlation_scheme as scheme_of  # noqa: PLC0415

    loaded = load_cards(cards, reading)
    files.save_all(scheme_figures(scheme_of(loaded.card, by=by, style=style), style=style))
    return ExitCode.CLEAN
