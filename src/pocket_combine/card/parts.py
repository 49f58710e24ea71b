"""The parts of a datacard: what single lines and words of it mean.

The words are those of Combine: a *channel* (a `bin` of the card), a *column* (a process in a channel), a *nuisance*,
a *rate parameter*, a *group*, *autoMCStats*.
"""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from typing import TypeAlias

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
    "FAKE",
    "is_shape_kind",
]

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

    @property
    def limits(self) -> tuple[float, float]:
        """The range, mean - 4 sigma to mean + 4 sigma where the line gives none.

        Examples:
            >>> Parameter("scale", 1.0, (0.125, 0.25)).limits
            (0.5, 2.0)
        """
        below, above = self.sigma if isinstance(self.sigma, tuple) else (self.sigma, self.sigma)
        return self.range or (self.mean - 4.0 * below, self.mean + 4.0 * above)


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
