"""A card and its templates as a pair, and the pair as two files that agree."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import numpy as np

from pocket_combine.card.model import FAKE, Card, ShapeRule
from pocket_combine.card.writer import dump_card, write_card
from pocket_combine.errors import RootFileError
from pocket_combine.io.root import write_templates
from pocket_combine.names import NOMINAL_RULE_DIRECTORIES, SYSTEMATIC_RULE_DIRECTORIES
from pocket_combine.templates import Templates

__all__ = ["ChannelTemplates", "Pair", "dump_pair", "with_pairs"]

ChannelTemplates: TypeAlias = Mapping[str, Templates]
"""Templates by channel, as `pocket_combine.card.load.load_card` returns them."""

Pair: TypeAlias = "tuple[Card, dict[str, Templates]]"
"""What edits of card and templates return."""


def dump_pair(card: Card, templates: ChannelTemplates, path: str | os.PathLike[str], *, shapes: str = "") -> Card:
    """Write a card and its templates to a text and a ROOT file that agree, and return the card as written.

    Templates are named `CHANNEL/PROCESS` and `CHANNEL/PROCESS_NUISANCEUp`; channels without templates become counting
    channels. The ROOT file is written first, so that the card never names a file that is not there.

    Args:
        card: The card.
        templates: Its templates.
        path: Where the card is to be.
        shapes: Name of the ROOT file beside it; by default that of the card with the suffix `.root`.

    Raises:
        CardError: If the card cannot be written.
        RootFileError: If the templates cannot be written.
    """
    target = Path(path)
    file = shapes or f"{target.name.removesuffix('.gz').removesuffix('.txt')}.root"
    rules = [
        ShapeRule("*", channel.name, file, NOMINAL_RULE_DIRECTORIES, SYSTEMATIC_RULE_DIRECTORIES)
        if channel.name in templates
        else ShapeRule("*", channel.name, FAKE)
        for channel in card.channels
    ]
    written = replace(
        card,
        shapes=tuple(rules) if templates else (),
        nuisances=tuple(replace(row, template_name=None) for row in card.nuisances),
    )
    write_card(written)  # nothing is written if the card cannot be
    if templates:
        try:
            write_templates(target.with_name(file), templates, layout="directories")
        except OSError as error:
            raise RootFileError(f"{target.with_name(file)}: cannot be written: {error.strerror or error}") from error
    dump_card(written, target)
    return written


def with_pairs(templates: Templates, pairs: Sequence[tuple[str, str]], rows: Iterable[int]) -> Templates:
    """Return templates with some of their pairs, under other names, in their order."""
    order = sorted(rows, key=lambda row: (templates.column_index[pairs[row][0]], pairs[row][1]))
    take = np.array(order, dtype=np.intp)
    return replace(
        templates,
        pairs=tuple(pairs[row] for row in order),
        up=templates.up[take],
        down=templates.down[take],
        up_variances=templates.up_variances[take],
        down_variances=templates.down_variances[take],
    )
