"""A datacard as plain frozen values: half of the pair `Card` + `Templates` that every room meets in.

Directives of the text that only edit what stands before them (`nuisance edit`) have been applied: a `Card` is what the
text means. Its parts are defined in `card/parts.py` and imported from here, as one vocabulary.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from pocket_combine.card.parts import (
    FAKE,
    AutoMCStats,
    Channel,
    Column,
    Constraint,
    Effect,
    ExternalArgument,
    Group,
    Nuisance,
    Parameter,
    RateParameter,
    ShapeRule,
    is_shape_kind,
)
from pocket_combine.errors import CardError

__all__ = [
    "Effect",
    "Channel",
    "Column",
    "ShapeRule",
    "Nuisance",
    "Parameter",
    "ExternalArgument",
    "RateParameter",
    "Constraint",
    "Group",
    "AutoMCStats",
    "Card",
    "FAKE",
    "is_shape_kind",
    "repeated",
]

_Item = TypeVar("_Item", bound=Hashable)


@dataclass(frozen=True)
class Card:
    """A datacard.

    Attributes:
        channels: In order.
        columns: Processes in channels, in order.
        shapes: Where templates are; without any, the card is a pure counting card.
        nuisances: Rows, in order.
        parameters: `param` lines.
        external_arguments: `extArg` lines.
        flat_parameters: Names tagged by `flatParam` lines.
        rate_parameters: `rateParam` lines, in order.
        constraints: `constr` lines.
        groups: `group` lines.
        mc_stats: `autoMCStats` lines, in order.
        frozen: Names of parameters held constant at their initial value (`nuisance edit freeze`).

    Raises:
        CardError: If a nuisance row has another number of cells than there are columns, or a column names a channel
            that does not exist, or occurs twice.

    Examples:
        >>> card = Card(
        ...     channels=(Channel("SR", 25),),
        ...     columns=(Column("SR", "signal", 0, 3.2), Column("SR", "background", 1, 21.0)),
        ...     nuisances=(Nuisance("lumi", "lnN", (1.016, 1.016)),),
        ... )
        >>> card.processes("SR")
        ('signal', 'background')
    """

    channels: tuple[Channel, ...]
    columns: tuple[Column, ...]
    shapes: tuple[ShapeRule, ...] = ()
    nuisances: tuple[Nuisance, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    external_arguments: tuple[ExternalArgument, ...] = ()
    flat_parameters: tuple[str, ...] = ()
    rate_parameters: tuple[RateParameter, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    groups: tuple[Group, ...] = ()
    mc_stats: tuple[AutoMCStats, ...] = ()
    frozen: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        problems = []
        names = [channel.name for channel in self.channels]
        problems += [f"channel {name} occurs twice" for name in repeated(names)]
        known = set(names)
        for column in self.columns:
            if column.channel not in known:
                problems.append(f"process {column.process} stands in channel {column.channel}, which does not exist")
        keys = [(column.channel, column.process) for column in self.columns]
        problems += [f"process {process} occurs twice in channel {channel}" for channel, process in repeated(keys)]
        for nuisance in self.nuisances:
            if len(nuisance.effects) != len(self.columns):
                problems.append(
                    f"nuisance {nuisance.name} ({nuisance.kind}) has {len(nuisance.effects)} cells, "
                    f"expected one for each of the {len(self.columns)} columns"
                )
        if problems:
            raise CardError(problems)

    @cached_property
    def column_index(self) -> dict[tuple[str, str], int]:
        """Position of each (channel, process) among the columns."""
        return {(column.channel, column.process): index for index, column in enumerate(self.columns)}

    @cached_property
    def _columns_by_channel(self) -> dict[str, tuple[Column, ...]]:
        groups: dict[str, list[Column]] = {channel.name: [] for channel in self.channels}
        for column in self.columns:
            groups[column.channel].append(column)
        return {name: tuple(columns) for name, columns in groups.items()}

    def columns_of(self, channel: str) -> tuple[Column, ...]:
        """Return the columns of a channel, in order."""
        return self._columns_by_channel[channel]

    def mc_stats_of(self, channel: str) -> AutoMCStats | None:
        """Return the `autoMCStats` line that holds for a channel, the last that matches, or `None`."""
        return next((line for line in reversed(self.mc_stats) if line.matches(channel)), None)

    def processes(self, channel: str) -> tuple[str, ...]:
        """Return the names of the processes of a channel, in order."""
        return tuple(column.process for column in self._columns_by_channel[channel])

    @cached_property
    def variables(self) -> tuple[ExternalArgument, ...]:
        """The variables for formulas: those of `extArg` lines, then those that `constr` lines define."""
        inline = [variable for constraint in self.constraints for variable in constraint.defined]
        return (*self.external_arguments, *dict.fromkeys(inline))

    @cached_property
    def nuisance_names(self) -> tuple[str, ...]:
        """Names of the nuisance rows, each once, in order of first appearance."""
        return tuple(dict.fromkeys(nuisance.name for nuisance in self.nuisances))

    @cached_property
    def all_nuisance_names(self) -> tuple[str, ...]:
        """Names of the nuisance rows, then of the `param` lines, each once."""
        return tuple(dict.fromkeys((*self.nuisance_names, *(parameter.name for parameter in self.parameters))))


def repeated(items: Iterable[_Item]) -> list[_Item]:
    """Return the items that occur more than once, each once, in order.

    Examples:
        >>> repeated(["a", "b", "a", "a"])
        ['a']
    """
    seen: set[_Item] = set()
    twice: dict[_Item, None] = {}
    for item in items:
        if item in seen:
            twice[item] = None
        seen.add(item)
    return list(twice)
