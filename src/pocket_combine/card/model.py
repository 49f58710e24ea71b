"""A datacard as plain frozen values: half of the pair `Card` + `Templates` that every room meets in.

The words are those of Combine: a *channel* (a `bin` of the card), a *column* (a process in a channel), a *nuisance*,
a *rate parameter*, a *group*, *autoMCStats*. Directives of the text that only edit what stands before them
(`nuisance edit`) have been applied: a `Card` is what the text means.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias, TypeVar

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

Effect: TypeAlias = float | tuple[float, float] | None
"""A cell of a nuisance row: `None` has no effect; a number is a kappa, a strength or a coefficient by the nuisance's
kind; a pair is (yield ratio at -1 standard deviation, yield ratio at +1 standard deviation)."""

FAKE = "FAKE"
"""The path of a shape rule that makes its channel a counting channel."""


def is_shape_kind(kind: str) -> bool:
    """Return whether nuisances of this kind read templates.

    Examples:
        >>> [is_shape_kind(kind) for kind in ("shape", "shapeN", "shapeU", "shape?", "lnN")]
        [True, True, True, True, False]
    """
    return kind.startswith("shape")


@dataclass(frozen=True)
class Channel:
    """A channel.

    Attributes:
        name: Its name.
        observation: Events observed; -1 takes the integral of the data histogram; `None` where the card has no
            `observation` line.
    """

    name: str
    observation: float | None = None


@dataclass(frozen=True)
class Column:
    """A process in a channel.

    Attributes:
        channel: Name of the channel.
        process: Name of the process.
        process_id: 0 or less for signal, above 0 for background.
        rate: Expected events; -1 takes the integral of the template; exactly 0 removes the column from the model.
    """

    channel: str
    process: str
    process_id: int
    rate: float

    @property
    def is_signal(self) -> bool:
        """Whether the process is a signal."""
        return self.process_id <= 0

    @property
    def place(self) -> str:
        """Where this is, for messages."""
        return f"channel {self.channel}, process {self.process}"


@dataclass(frozen=True)
class ShapeRule:
    """A `shapes` line: where the templates of some columns are.

    Attributes:
        process: Process name, `data_obs` or `*`.
        channel: Channel name or `*`.
        path: File, with `$`-words; `FAKE` for a counting channel.
        nominal: Name of the nominal template, with `$`-words; empty for `FAKE`.
        systematic: Name of the varied templates, with `$`-words; may be empty.
    """

    process: str
    channel: str
    path: str
    nominal: str = ""
    systematic: str = ""


@dataclass(frozen=True)
class Nuisance:
    """A row of the card: a nuisance and its effect on every column.

    The same name may occur in several rows; all of them act, with one parameter.

    Attributes:
        name: Name of the parameter.
        kind: `lnN`, `lnU`, `gmN`, `gmM`, `trG`, `unif`, `dFD`, `dFD2`, `shape`, `shapeN`, `shapeU`, `shape?`, ….
        effects: One per column of the card, in the order of the columns.
        arguments: Numbers between the kind and the cells (`gmN`: the sideband count; `unif`: the range; `dFD`: A).
        no_float: Whether the name carries `[nofloat]`.
        template_name: Name under which templates are looked up, where it is not `name`.
    """

    name: str
    kind: str
    effects: tuple[Effect, ...]
    arguments: tuple[float, ...] = ()
    no_float: bool = False
    template_name: str | None = None


@dataclass(frozen=True)
class Parameter:
    """A `param` line: a parameter with a Gaussian constraint.

    Attributes:
        name: Name.
        mean: Mean and initial value.
        sigma: Width, or (below the mean, above the mean), both positive.
        range: Allowed range, `None` for mean ± 4 sigma.
        no_float: Whether the name carries `[nofloat]`.
    """

    name: str
    mean: float
    sigma: float | tuple[float, float]
    range: tuple[float, float] | None = None
    no_float: bool = False


@dataclass(frozen=True)
class ExternalArgument:
    """An `extArg` line: a free or constant variable for formulas.

    Attributes:
        name: Name.
        value: Initial value.
        range: Allowed range, `None` for unbounded.
        constant: Whether `[const]` makes it constant.
    """

    name: str
    value: float
    range: tuple[float, float] | None = None
    constant: bool = False


@dataclass(frozen=True)
class RateParameter:
    """A `rateParam` line: a factor on the yield of the columns that match both patterns.

    The patterns are shell patterns where at least one of the two holds a `*`; otherwise both are plain names.

    Attributes:
        name: Name of the parameter.
        channel: Channel name or shell pattern.
        process: Process name or shell pattern.
        value: Initial value of a free parameter, `None` for a formula.
        range: Allowed range of a free parameter, `None` for unbounded.
        formula: Formula in `@0`, `@1`, …, or `None` for a free parameter.
        arguments: Names that `@0`, `@1`, … stand for.
    """

    name: str
    channel: str
    process: str
    value: float | None = None
    range: tuple[float, float] | None = None
    formula: str | None = None
    arguments: tuple[str, ...] = ()

    def matches(self, channel: str, process: str) -> bool:
        """Return whether the parameter scales this process in this channel.

        Examples:
            >>> RateParameter("SF_tt", "*", "tt_*", 1.0).matches("SR", "tt_2018")
            True
        """
        if "*" not in self.channel and "*" not in self.process:
            return channel == self.channel and process == self.process
        return fnmatch.fnmatchcase(channel, self.channel) and fnmatch.fnmatchcase(process, self.process)


@dataclass(frozen=True)
class Constraint:
    """A `constr` line: adds formula² / (2 sigma²) to the negative log-likelihood.

    Attributes:
        name: Name of the term.
        formula: Formula in parameter names or in `@0`, `@1`, ….
        arguments: Names that `@0`, `@1`, … stand for; empty where the formula names parameters itself.
        sigma: Width: a number, or the name of a parameter.
        defined: Variables among them that the line itself defines, as `name[value]` or `name[value,low,high]`.
    """

    name: str
    formula: str
    arguments: tuple[str, ...]
    sigma: float | str
    defined: tuple[ExternalArgument, ...] = ()


@dataclass(frozen=True)
class Group:
    """A named group of nuisances and rate parameters.

    Attributes:
        name: Name of the group.
        members: Names of its members, in order.
    """

    name: str
    members: tuple[str, ...]


@dataclass(frozen=True)
class AutoMCStats:
    """An `autoMCStats` line.

    Attributes:
        channel: Channel name or shell pattern; a later line overrides an earlier one.
        threshold: Effective events above which one Gaussian parameter serves a bin; negative for no parameters.
        include_signal: Whether signals count for the decision.
        hist_mode: 1 or 2.
    """

    channel: str
    threshold: float = 0.0
    include_signal: bool = False
    hist_mode: int = 1

    def matches(self, channel: str) -> bool:
        """Return whether the line speaks of this channel.

        Examples:
            >>> [AutoMCStats("SR_*").matches(channel) for channel in ("SR_2018", "CR_2018")]
            [True, False]
        """
        if "*" not in self.channel:
            return channel == self.channel
        return fnmatch.fnmatchcase(channel, self.channel)


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
