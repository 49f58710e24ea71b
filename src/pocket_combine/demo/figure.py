"""The figure of the demo: its signal region after a fit of its datacards to the generated data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pocket_combine.card.combination import combine_cards
from pocket_combine.card.load import load_templates
from pocket_combine.inference import Blinding, fit, make_workspace, postfit
from pocket_combine.plotting import load_style, save_figure, stack_figure

__all__ = ["draw_channel"]


def draw_channel(
    cards: Mapping[str, Path], channel: str, style: Path, stem: Path, formats: tuple[str, ...] = ("svg", "png")
) -> tuple[Path, ...]:
    """Fit cards to the observation, draw one of their channels, and return the files of the figure.

    The data of the demo are generated; real ones stay blind until they are asked for.

    Args:
        cards: Files by channel.
        channel: The channel to draw.
        style: File with labels, names and colours.
        stem: Path of the figure without its ending.
        formats: Kinds of files.

    Raises:
        MissingDependencyError: If there is nothing to draw with, or PyYAML is missing.
        CardError: If a card cannot be read or fitted.
    """
    drawn = load_style(style)  # first, since it says what is not installed
    card = combine_cards(dict(cards))
    workspace = make_workspace(card, load_templates(card).templates, kind=Blinding.OBSERVED)
    result = postfit(workspace, fit(workspace, intervals=()))
    return save_figure(stack_figure(result, channel, style=drawn), stem, formats)
