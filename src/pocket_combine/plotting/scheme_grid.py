"""Which nuisances act in which years or channels, and which of them are one parameter across several."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from pocket_combine.card.model import Card
from pocket_combine.plotting.style import YEARS, Style
from pocket_combine.reach import acts

__all__ = ["Block", "Scheme", "SchemeRow", "Sharing", "correlation_scheme"]

NO_YEAR = "no year"


class Sharing(Enum):
    """How far a parameter reaches."""

    ALL = "one parameter for all"
    SOME = "one parameter for several"
    SPLIT = "a parameter of its own"
    SINGLE = "acts in one only"


@dataclass(frozen=True)
class Block:
    """A parameter.

    Attributes:
        name: Its name.
        columns: Positions of the columns of the scheme that it acts on, increasing.
        processes: Names in figures of the processes that it acts on there.
        others: Number of processes there on which it does not act.
        sharing: How far it reaches.
        lane: Line of its row that it is drawn on.
    """

    name: str
    columns: tuple[int, ...]
    processes: tuple[str, ...]
    others: int
    sharing: Sharing
    lane: int


@dataclass(frozen=True)
class SchemeRow:
    """Parameters whose names differ by the year, or channel, at their end.

    Attributes:
        stem: What their names have in common.
        blocks: The parameters, in the order of the card.
        lanes: Number of lines that they need so that none overlaps.
        free: Whether they are rate parameters, without a constraint.
    """

    stem: str
    blocks: tuple[Block, ...]
    lanes: int
    free: bool = False


@dataclass(frozen=True)
class Scheme:
    """A correlation scheme.

    Attributes:
        by: What columns are: `year` or `channel`.
        columns: Years or channels.
        rows: One for each stem, in the order of the card.
    """

    by: str
    columns: tuple[str, ...]
    rows: tuple[SchemeRow, ...]


def correlation_scheme(
    card: Card, *, by: Literal["year", "channel"] | None = None, style: Style | None = None
) -> Scheme:
    """Return what nuisances and rate parameters share across years, or channels.

    The year of a process stands at the end of its name, else anywhere in the name of its channel. Nuisances are one
    parameter where their names are the same; those whose names differ by the year at the end share a row.

    Args:
        card: The card.
        by: What columns are; years by default, channels where the card has none.
        style: How years are written, and which processes are merged.

    Examples:
        >>> from pocket_combine.card.model import Channel, Column, Nuisance
        >>> columns = [Column("SR", f"tt_{year}", number, -1) for number, year in enumerate((2017, 2018), 1)]
        >>> nuisances = [Nuisance("JES", "shape", (1.0, 1.0)), Nuisance("JES_2018", "shape", (None, 1.0))]
        >>> scheme = correlation_scheme(Card((Channel("SR"),), tuple(columns), nuisances=tuple(nuisances)))
        >>> scheme.columns
        ('2017', '2018')
        >>> [(block.name, block.columns, block.sharing.value, block.lane) for block in scheme.rows[0].blocks]
        [('JES', (0, 1), 'one parameter for all', 0), ('JES_2018', (1,), 'a parameter of its own', 1)]
    """
    style = style or Style()
    pattern = style.years or YEARS
    years = [_year(column.process, column.channel, pattern) for column in card.columns]
    if by is None:
        by = "year" if any(years) else "channel"
    places = [year or NO_YEAR for year in years] if by == "year" else [column.channel for column in card.columns]
    names = tuple(dict.fromkeys(places))
    if by == "year":
        names = tuple(sorted(names, key=_time_of))
    labels = _labels(card, style)
    stem_of = _stems(pattern, names if by == "channel" else ())
    rows: dict[tuple[str, bool], list[tuple[str, set[int]]]] = {}
    for name, reached, free in _parameters(card):
        rows.setdefault((stem_of(name), free), []).append((name, reached))
    at = [names.index(place) for place in places]
    drawn = (_row(stem, free, members, at, labels, len(names)) for (stem, free), members in rows.items())
    return Scheme(by, names, tuple(row for row in drawn if row.blocks))


def _year(process: str, channel: str, pattern: str) -> str:
    found = re.search(f"(?:{pattern})$", process) or re.search(pattern, channel)
    return found[0].strip("_") if found else ""


def _time_of(year: str) -> tuple[bool, str, bool]:
    """Return what periods are sorted by: those without a year last, `pre` before `post`."""
    return year == NO_YEAR, year[:4], "post" in year.lower()


def _labels(card: Card, style: Style) -> list[str]:
    """Return the name in figures of each column's process; empty for those of rate 0, which are not in the model."""
    signals = {column.process for column in card.columns if column.is_signal}
    groups = style.groups([column.process for column in card.columns], signals)
    names = {member: group.label for group in groups for member in group.members}
    return [names[column.process] if column.rate else "" for column in card.columns]


def _stems(pattern: str, channels: Sequence[str]) -> Callable[[str], str]:
    """Return what takes the year, or the name of a channel, from the end of a name."""
    endings = [pattern, *(f"_{re.escape(channel)}" for channel in sorted(channels, key=len, reverse=True))]
    compiled = re.compile("(?:" + "|".join(f"(?:{ending})" for ending in endings) + ")$")
    return lambda name: compiled.sub("", name) or name


def _parameters(card: Card) -> Iterator[tuple[str, set[int], bool]]:
    """Yield (name, columns that it acts on, whether it is a rate parameter), each name once."""
    reached: dict[str, set[int]] = {}
    for nuisance in card.nuisances:
        cells = reached.setdefault(nuisance.name, set())
        cells |= {at for at, effect in enumerate(nuisance.effects) if acts(nuisance.kind, effect)}
    free: dict[str, set[int]] = {}
    for parameter in card.rate_parameters:
        if parameter.value is not None:
            cells = free.setdefault(parameter.name, set())
            cells |= {at for at, item in enumerate(card.columns) if parameter.matches(item.channel, item.process)}
    gone = {at for at, column in enumerate(card.columns) if column.rate == 0}
    for parameters, are_free in ((reached, False), (free, True)):
        for name, cells in parameters.items():
            yield name, cells - gone, are_free


def _row(
    stem: str, free: bool, members: Sequence[tuple[str, set[int]]], at: Sequence[int], labels: Sequence[str], count: int
) -> SchemeRow:
    """Return a row; parameters that act on nothing are left out."""
    acting = [(name, reached) for name, reached in members if reached]
    blocks: list[Block] = []
    ends: list[int] = []
    for name, reached in acting:
        columns = tuple(sorted({at[index] for index in reached}))
        processes = tuple(dict.fromkeys(labels[index] for index in sorted(reached)))
        present = {label for index, label in enumerate(labels) if label and at[index] in columns}
        lane = next((lane for lane, end in enumerate(ends) if end < columns[0]), len(ends))
        ends[lane : lane + 1] = [columns[-1]]
        sharing = _sharing(len(columns), count, len(acting))
        blocks.append(Block(name, columns, processes, len(present) - len(processes), sharing, lane))
    return SchemeRow(stem, tuple(blocks), len(ends), free)


def _sharing(columns: int, of: int, siblings: int) -> Sharing:
    if columns == of:
        return Sharing.ALL
    if columns > 1:
        return Sharing.SOME
    return Sharing.SPLIT if siblings > 1 else Sharing.SINGLE
