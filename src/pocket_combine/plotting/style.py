"""What figures say and who is drawn how: labels, names, colours and merging, by patterns; read from a YAML file."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pocket_combine.card.patterns import whole_match
from pocket_combine.errors import ResultError, StyleError
from pocket_combine.io.yaml_files import import_yaml, read_yaml
from pocket_combine.plain import from_plain, to_plain
from pocket_combine.plotting.palette import distinct_colours

__all__ = [
    "ChannelRule",
    "Labels",
    "ParameterRule",
    "ProcessGroup",
    "ProcessRule",
    "Style",
    "literal",
    "load_style",
    "style_text",
]


@dataclass(frozen=True)
class Labels:
    """What stands above a figure.

    Attributes:
        experiment: In bold at the left.
        text: Behind it, in italics: `Preliminary`, `Work in progress`, or nothing.
        luminosity: In inverse femtobarns; left out if `None`.
        energy: Centre-of-mass energy in TeV, a number or a text such as `13, 13.6`; left out if `None`.
    """

    experiment: str = "CMS"
    text: str = "Work in progress"
    luminosity: float | None = None
    energy: float | str | None = None

    @property
    def right(self) -> str:
        """What stands at the right: luminosity and energy.

        Examples:
            >>> Labels(luminosity=138, energy=13).right
            '138 fb$^{-1}$ (13 TeV)'
        """
        energy = f"{self.energy:g}" if isinstance(self.energy, float) else self.energy
        luminosity = None if self.luminosity is None else rf"{self.luminosity:g} fb$^{{-1}}$"
        if energy in (None, ""):
            return luminosity or ""
        return f"{luminosity} ({energy} TeV)" if luminosity else f"{energy} TeV"


@dataclass(frozen=True)
class ProcessRule:
    """How processes are drawn.

    Attributes:
        match: Regular expression for the whole name of a process.
        label: Name in figures; processes with one label are added. Between two `$` it is set as mathematics.
        colour: Such as `#3f90da`; a free one of the palette by default.
    """

    match: str
    label: str
    colour: str | None = None


@dataclass(frozen=True)
class ChannelRule:
    """How channels are drawn.

    Attributes:
        match: Regular expression for the whole name of a channel.
        label: Name in figures; the name of the channel by default.
        quantity: What is on the horizontal axis.
        unit: Its unit.
        blinded: Ranges of the quantity, (low, high), whose data are not shown.
        unroll: Number of inner bins of an unrolled two-dimensional distribution.
        unroll_labels: Names of its outer bins.
    """

    match: str
    label: str | None = None
    quantity: str = ""
    unit: str = ""
    blinded: tuple[tuple[float, float], ...] = ()
    unroll: int | None = None
    unroll_labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class ParameterRule:
    """What nuisances and other parameters are called.

    Attributes:
        match: Regular expression for the whole name.
        label: Name in figures.
    """

    match: str
    label: str


YEARS = r"_20[12]\d(_?([pP]re|[pP]ost)[A-Za-z]+)?"
"""How PocketCoffea writes data-taking periods: `_2018`, `_2016_PreVFP`, `_2022_postEE`."""

_Rule = TypeVar("_Rule", ProcessRule, ChannelRule, ParameterRule)


@dataclass(frozen=True)
class ProcessGroup:
    """Processes that are drawn as one.

    Attributes:
        label: Name in figures.
        colour: Its colour.
        members: Names of the processes.
        signal: Whether they are signals.
    """

    label: str
    colour: str
    members: tuple[str, ...]
    signal: bool


@dataclass(frozen=True)
class Style:
    """How figures are drawn. Of several rules that match a name the first one counts.

    Attributes:
        labels: What stands above.
        processes: Rules for processes.
        channels: Rules for channels.
        parameters: Rules for parameters.
        years: Regular expression for the end of a process's name that is left out where no rule matches, so that the
            years of a process are added; `None` keeps years apart.
    """

    labels: Labels = field(default_factory=Labels)
    processes: tuple[ProcessRule, ...] = ()
    channels: tuple[ChannelRule, ...] = ()
    parameters: tuple[ParameterRule, ...] = ()
    years: str | None = YEARS

    def __post_init__(self) -> None:
        """Refuse rules whose pattern is no regular expression."""
        problems = []
        rules: list[ProcessRule | ChannelRule | ParameterRule] = [*self.processes, *self.channels, *self.parameters]
        for place, pattern in [*((type(rule).__name__, rule.match) for rule in rules), ("years", self.years or "")]:
            try:
                whole_match(pattern)
            except ValueError as error:
                problems.append(f"{place}: {error}")
        if problems:
            raise StyleError("; ".join(problems))

    def parameter(self, name: str) -> str:
        """Return what a parameter is called in figures.

        Examples:
            >>> Style(parameters=(ParameterRule("CMS_scale_j_.*", "JES"),)).parameter("CMS_scale_j_2018")
            'JES'
        """
        rule = _first(self.parameters, name)
        return literal(name) if rule is None else rule.label

    def channel(self, name: str) -> ChannelRule:
        """Return the rule for a channel, with a label."""
        rule = _first(self.channels, name) or ChannelRule(name)
        label = literal(name) if rule.label is None else rule.label
        return ChannelRule(name, label, rule.quantity, rule.unit, rule.blinded, rule.unroll, rule.unroll_labels)

    def groups(self, processes: Sequence[str], signals: Collection[str]) -> tuple[ProcessGroup, ...]:
        """Return processes as they are drawn, each group at the place of its first process.

        Colours do not depend on yields, so that a process has the same colour in all figures of a card.

        Args:
            processes: Names of the processes, in the order of the card.
            signals: Those among them that are signals.

        Raises:
            StyleError: If a rule adds signals to backgrounds.

        Examples:
            >>> style = Style(processes=(ProcessRule("tt(bb|cc)", "tt+HF"),))
            >>> groups = style.groups(["ttH_2017", "ttH_2018", "ttbb", "ttcc"], ["ttH_2017", "ttH_2018"])
            >>> [(group.label, group.members) for group in groups]
            [('ttH', ('ttH_2017', 'ttH_2018')), ('tt+HF', ('ttbb', 'ttcc'))]
        """
        members: dict[str, list[str]] = {}
        colours: dict[str, str] = {}
        for process in dict.fromkeys(processes):
            rule = _first(self.processes, process)
            label = literal(self.without_year(process)) if rule is None else rule.label
            members.setdefault(label, []).append(process)
            if rule is not None and rule.colour is not None:
                colours.setdefault(label, rule.colour)
        mixed = [
            f"{label!r} adds signals ({', '.join(name for name in names if name in signals)}) to backgrounds "
            f"({', '.join(name for name in names if name not in signals)}); give them labels of their own"
            for label, names in members.items()
            if len({name in signals for name in names}) > 1
        ]
        if mixed:
            raise StyleError("; ".join(mixed))
        are_signals = [label for label, names in members.items() if names[0] in signals]
        chosen = distinct_colours(list(members), are_signals, colours)
        return tuple(
            ProcessGroup(label, chosen[label], tuple(names), label in are_signals) for label, names in members.items()
        )

    def without_year(self, process: str) -> str:
        """Return the name of a process without the year at its end."""
        return process if self.years is None else re.sub(f"(?:{self.years})$", "", process)


@functools.lru_cache(maxsize=4096)
def _matcher(pattern: str) -> Callable[[str], bool]:
    return whole_match(pattern)


def _first(rules: Iterable[_Rule], name: str) -> _Rule | None:
    for rule in rules:
        if _matcher(rule.match)(name):
            return rule
    return None


def literal(name: str) -> str:
    r"""Return a name as matplotlib shows it letter by letter: a `$` does not begin mathematics.

    Examples:
        >>> print(literal("a$b$"))
        a\$b\$
    """
    return name.replace("$", r"\$")


def load_style(path: str | os.PathLike[str]) -> Style:
    """Return the style in a YAML file.

    Raises:
        StyleError: If the file cannot be read, or holds something else.
        MissingDependencyError: If PyYAML is not installed.
    """
    plain = read_yaml(path, _yaml(), StyleError)
    try:
        return from_plain(Style, {} if plain is None else plain, f"{path}: style")
    except (ResultError, StyleError) as error:
        raise StyleError(
            f"{error}; `pocket-combine plot style` prints a file with all fields"
            if isinstance(error, ResultError)
            else f"{path}: {error}"
        ) from error


_HEADER = """\
# Style of the figures of pocket-combine. Of several rules that match a name, the first one counts; `match` is a regular
# expression for the whole name. Processes with one label are added. Text between two $ is set as mathematics.
# labels: text is Preliminary, Work in progress, …; luminosity in inverse femtobarns, energy in TeV.
# channels: blinded: [[0.6, 1.0]] hides data; unroll: 5 says that a two-dimensional distribution has 5 inner bins.
"""


def style_text(
    style: Style, processes: Sequence[str] = (), signals: Collection[str] = (), channels: Sequence[str] = ()
) -> str:
    """Return the text of a style file, with a rule for each process and channel of a card to be edited.

    Args:
        style: What the file begins with.
        processes: Names of the processes.
        signals: Those among them that are signals.
        channels: Names of the channels.

    Raises:
        MissingDependencyError: If PyYAML is not installed.
    """
    plain = to_plain(style)
    groups = style.groups(processes, signals)
    for group in groups:
        if _first(style.processes, group.members[0]) is None:
            name = style.without_year(group.members[0])
            years = style.years if name != group.members[0] else ""
            plain["processes"].append(to_plain(ProcessRule(f"{_escaped(name)}{years}", group.label, group.colour)))
    plain["channels"] += [to_plain(ChannelRule(_escaped(name), name)) for name in channels]
    text: str = _yaml().safe_dump(plain, sort_keys=False, allow_unicode=True, width=120)
    return _HEADER + text


def _escaped(name: str) -> str:
    """Return a pattern for a name, with backslashes only where a letter has a meaning in patterns."""
    return "".join(f"\\{letter}" if letter in r"\.^$*+?{}[]|()" else letter for letter in name)


def _yaml() -> Any:
    return import_yaml("style files need", "plot")
