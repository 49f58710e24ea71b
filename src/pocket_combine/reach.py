"""Which nuisance acts on which column, and whether by a number or by a pair of templates.

The rules are those of Combine (`python/DatacardParser.py`, `python/ModelTools.py`): 0 is no effect, for log-normals
also 1; a column of rate 0 is not in the model unless a `gmN` row gives it a yield; `shape?` is a template where there
is one and otherwise a log-normal; other shape rows do nothing in counting channels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from pocket_combine.card.load import acts_as_shape
from pocket_combine.card.model import Card, Effect, Nuisance, is_shape_kind
from pocket_combine.templates import Templates

__all__ = ["LOG_NORMAL", "NumberCell", "PairCell", "MissingCell", "Reach", "acts", "find_reach"]

LOG_NORMAL = ("lnN", "lnU")
"""Kinds whose numbers are ratios of yields, so that 1 is no effect."""


class NumberCell(NamedTuple):
    """A cell that acts by its number: `column` and `row` count in `Card.columns` and `Card.nuisances`."""

    column: int
    row: int
    effect: float | tuple[float, float]


class PairCell(NamedTuple):
    """A cell that acts by the templates `Templates.up[pair]` and `Templates.down[pair]`, scaled by `strength`."""

    column: int
    row: int
    strength: float
    pair: int


class MissingCell(NamedTuple):
    """A cell that should act by templates which are not there."""

    column: int
    row: int


@dataclass(frozen=True)
class Reach:
    """The cells that act on columns of the model, each kind ordered by row, then by column.

    Attributes:
        columns: Positions in `Card.columns` of the columns that are in the model.
        numbers: Cells that act by a number.
        pairs: Cells that act by templates.
        missing: Cells whose templates are missing.
    """

    columns: tuple[int, ...]
    numbers: tuple[NumberCell, ...]
    pairs: tuple[PairCell, ...]
    missing: tuple[MissingCell, ...]

    @cached_property
    def by_row(self) -> dict[int, tuple[int, ...]]:
        """Columns on which each row acts, for rows that act on any."""
        found: dict[int, list[int]] = {}
        for cells in (self.numbers, self.pairs, self.missing):
            for cell in cells:
                found.setdefault(cell.row, []).append(cell.column)
        return {row: tuple(sorted(columns)) for row, columns in sorted(found.items())}


def acts(kind: str, effect: Effect) -> bool:
    """Return whether a cell of a row of this kind has an effect.

    Examples:
        >>> [acts("lnN", effect) for effect in (None, 1.0, 1.1, (0.9, 1.0))], acts("shape", 1.0), acts("shape", 0.0)
        ([False, False, True, True], True, False)
    """
    if effect is None or effect == 0:
        return False
    return not (kind in LOG_NORMAL and effect == 1)


def find_reach(card: Card, templates: Mapping[str, Templates]) -> Reach:
    """Return the cells that act on columns of the model.

    Args:
        card: The card.
        templates: Templates by channel; a channel without is a counting channel.

    Examples:
        >>> from pocket_combine.card.model import Channel, Column
        >>> card = Card(
        ...     channels=(Channel("SR"),),
        ...     columns=(Column("SR", "sig", 0, -1), Column("SR", "bkg", 1, -1), Column("SR", "none", 2, 0)),
        ...     nuisances=(Nuisance("lumi", "lnN", (1.02, 1.02, 1.02)), Nuisance("JES", "shape?", (1.1, 1.0, None))),
        ... )
        >>> templates = {"SR": Templates.of([0, 1], {"sig": [1.0], "bkg": [9.0]}, {("bkg", "JES"): ([9.5], [8.5])})}
        >>> reach = find_reach(card, templates)
        >>> reach.columns, reach.numbers
        ((0, 1), (NumberCell(column=0, row=0, effect=1.02), NumberCell(column=1, row=0, effect=1.02),
        NumberCell(column=0, row=1, effect=1.1)))
        >>> reach.pairs
        (PairCell(column=1, row=1, strength=1.0, pair=0),)
    """
    numbers: list[NumberCell] = []
    pairs: list[PairCell] = []
    missing: list[MissingCell] = []
    counts = {column for nuisance in card.nuisances if nuisance.kind == "gmN" for column, _ in _acting(nuisance)}
    in_model = [column.rate != 0 or index in counts for index, column in enumerate(card.columns)]
    own = [templates.get(column.channel) for column in card.columns]
    for row, nuisance in enumerate(card.nuisances):
        by_template = is_shape_kind(nuisance.kind)
        optional = "?" in nuisance.kind
        for index, effect in _acting(nuisance):
            if not in_model[index]:
                continue
            process, found = card.columns[index].process, own[index]
            if found is not None and not isinstance(effect, tuple) and acts_as_shape(nuisance, process, found):
                pairs.append(PairCell(index, row, effect, found.pair_index[process, nuisance.name]))
            elif not by_template or (optional and effect != 1):
                numbers.append(NumberCell(index, row, effect))
            elif not optional and found is not None:
                missing.append(MissingCell(index, row))
    kept = tuple(index for index, inside in enumerate(in_model) if inside)
    return Reach(kept, tuple(numbers), tuple(pairs), tuple(missing))


def _acting(nuisance: Nuisance) -> Iterator[tuple[int, float | tuple[float, float]]]:
    for index, effect in enumerate(nuisance.effects):
        if effect is not None and acts(nuisance.kind, effect):
            yield index, effect
