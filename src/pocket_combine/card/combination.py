"""Cards → one card, with the rules of `combineCards.py`.

Nuisances and rate parameters of one name become one. Directives of the text (`nuisance edit`) have been applied inside
their own card, so a renaming there does not reach into the other cards.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from pocket_combine.card.lexical import BEGINS_WITH_DIGIT, shown, word_problem
from pocket_combine.card.merging import free_and_formula, merge_named, merge_rows
from pocket_combine.card.model import FAKE, Card, Channel, Column, Group, ShapeRule
from pocket_combine.card.options import CardOptions
from pocket_combine.card.parser import read_card
from pocket_combine.card.selection import formulas_of, only_columns, parameter_names, tidied
from pocket_combine.card.shapes import check_keywords
from pocket_combine.errors import CardError, nearest

__all__ = ["CardSource", "combine_cards"]

CardSource: TypeAlias = "str | os.PathLike[str] | Card"

_logger = logging.getLogger(__name__)

_NO_KEYWORDS: Mapping[str, str] = {}
_ANY_CARD = CardOptions(allow_no_signal=True, allow_no_background=True, allow_unknown_arguments=True)


@dataclass(frozen=True)
class _Part:
    """One card of the combination, with its final channel names.

    Attributes:
        source: What messages call it: its file, or its label.
        card: The card.
        known: Names of its parameters before channels and nuisances were left out.
        content: What its file says, with its channels and all of its nuisances; `None` for a card from memory.
    """

    source: str
    card: Card
    known: set[str]
    content: Card | None


def combine_cards(
    cards: Mapping[str, CardSource] | Iterable[tuple[str, CardSource]],
    *,
    include_channels: Sequence[str] = (),
    exclude_channels: Sequence[str] = (),
    exclude_nuisances: Sequence[str] = (),
    keywords: Mapping[str, str] = _NO_KEYWORDS,
    pois: Collection[str] = ("r",),
    force_shapes: bool = False,
    drop_constraints: bool = False,
) -> Card:
    """Return the combination of cards.

    The channel of a card with one channel takes the label as its name; other channels become `label_channel`; the label
    `.` keeps the names. In each channel signals come first. Process integers are given anew. Nuisances are ordered by
    name. Files in `shapes` lines are prefixed with the folder of their card, as it was given. A file that says the same
    as another, of the same ROOT files, is logged as a warning: its events count twice.

    Args:
        cards: Cards or their files by label; as pairs where a label, such as `.`, occurs more than once.
        include_channels: Regular expressions; only channels that begin like one of them are kept. They are compared
            with the label where a card has one channel, otherwise with the name of the channel in its card.
        exclude_channels: Regular expressions for channels to leave out, compared alike.
        exclude_nuisances: Regular expressions; nuisances that begin like one of them are left out.
        keywords: Words to fill in in `shapes` lines: `{"TAG": "v2"}` for `$TAG`.
        pois: Names of parameters that the physics model defines and that formulas may use.
        force_shapes: Whether cards without `shapes` lines become counting channels of a card with templates (`-S`).
        drop_constraints: Whether `constr` lines are left out.

    Raises:
        CardError: If a card cannot be read, or if cards contradict each other: a process is a signal in one of them and
            a background in another, kinds or widths of one nuisance differ, …. All problems are listed, with both
            places.

    Examples:
        >>> from pocket_combine.card.model import Nuisance
        >>> one = Card(
        ...     (Channel("bin1", 3),),
        ...     (Column("bin1", "bkg", 1, 2.0), Column("bin1", "sig", 0, 1.0)),
        ...     nuisances=(Nuisance("lumi", "lnN", (1.02, 1.02)),),
        ... )
        >>> combined = combine_cards({"SR": one, "CR": one})
        >>> [(column.channel, column.process, column.process_id) for column in combined.columns]
        [('SR', 'sig', 0), ('SR', 'bkg', 1), ('CR', 'sig', 0), ('CR', 'bkg', 1)]
        >>> combined.nuisances[0].effects
        (1.02, 1.02, 1.02, 1.02)
    """
    check_keywords(keywords)
    pairs = list(cards.items() if isinstance(cards, Mapping) else cards)
    select = _Selection(_compiled(include_channels), _compiled(exclude_channels), _compiled(exclude_nuisances))
    parts: list[_Part] = []
    problems: list[str] = []
    for label, source in pairs:
        try:
            part = _prepare(label, source, select, keywords)
        except CardError as error:
            problems += error.problems
        else:
            parts += [] if part is None else [part]
    if problems:
        raise CardError(problems)
    if not parts:
        raise CardError("no channel is left to combine" if pairs else "no cards to combine")
    parts = _with_equal_shapes(parts, force_shapes)
    problems = [*_repeated_channels(parts), *_mixed_classes(parts)]
    if problems:
        raise CardError(problems)
    _warn_of_equal(parts)
    return _join(parts, pois, drop_constraints)


@dataclass(frozen=True)
class _Selection:
    """Compiled patterns of channels and nuisances."""

    include: Sequence[re.Pattern[str]]
    exclude: Sequence[re.Pattern[str]]
    nuisances: Sequence[re.Pattern[str]]

    def keeps_channel(self, name: str) -> bool:
        """Return whether a channel is kept."""
        included = not self.include or any(pattern.match(name) for pattern in self.include)
        return included and not any(pattern.match(name) for pattern in self.exclude)

    def keeps_nuisance(self, name: str) -> bool:
        """Return whether a nuisance is kept."""
        return not any(pattern.match(name) for pattern in self.nuisances)


def _compiled(patterns: Sequence[str]) -> list[re.Pattern[str]]:
    compiled = []
    for pattern in patterns:
        try:
            compiled.append(re.compile(pattern))
        except re.error as error:
            raise CardError(f"{shown(pattern)} is not a regular expression: {error}") from error
    return compiled


def _prepare(label: str, source: CardSource, select: _Selection, keywords: Mapping[str, str]) -> _Part | None:
    """Return a card with its final channel names, signals first, or `None` if no channel of it is kept."""
    if isinstance(source, Card):
        name, folder, card = f"card {label}", Path(), source
    else:
        name, folder, card = os.fspath(source), Path(source).parent, read_card(source, options=_ANY_CARD)
    problem = word_problem("label", label)
    if problem or (label != "." and BEGINS_WITH_DIGIT.match(label)):
        raise CardError(f"{name}: {problem or f'label {shown(label)} begins with a digit, which Combine refuses'}")
    single = len(card.channels) == 1
    kept = {channel.name for channel in card.channels if select.keeps_channel(label if single else channel.name)}
    if not kept:
        return None
    known = parameter_names(card)
    card = replace(card, shapes=tuple(_rebased(rule, folder, keywords) for rule in card.shapes))
    content = None if isinstance(source, Card) else card
    card = only_columns(card, [column.channel in kept for column in card.columns])
    card = replace(
        card,
        nuisances=tuple(row for row in card.nuisances if select.keeps_nuisance(row.name)),
        parameters=tuple(parameter for parameter in card.parameters if select.keeps_nuisance(parameter.name)),
    )
    names = {channel.name: _new_name(label, channel.name, single) for channel in card.channels}
    return _Part(name, _signals_first(_renamed(card, names)), known, content)


def _new_name(label: str, channel: str, single: bool) -> str:
    if label == ".":
        return channel
    return label if single else f"{label}_{channel}"


def _renamed(card: Card, names: Mapping[str, str]) -> Card:
    return replace(
        card,
        channels=tuple(Channel(names[channel.name], channel.observation) for channel in card.channels),
        columns=tuple(replace(column, channel=names[column.channel]) for column in card.columns),
        shapes=tuple(replace(rule, channel=names[rule.channel]) for rule in card.shapes),
        rate_parameters=tuple(replace(line, channel=names[line.channel]) for line in card.rate_parameters),
        mc_stats=tuple(replace(line, channel=names[line.channel]) for line in card.mc_stats),
    )


def _rebased(rule: ShapeRule, folder: Path, keywords: Mapping[str, str]) -> ShapeRule:
    parts = [rule.path, rule.nominal, rule.systematic]
    if rule.path != FAKE and not Path(rule.path).is_absolute() and folder != Path():
        parts[0] = f"{folder.as_posix()}/{rule.path}"
    for word, value in keywords.items():
        parts = [part.replace(f"${word}", value) for part in parts]
    return ShapeRule(rule.process, rule.channel, *parts)


def _signals_first(card: Card) -> Card:
    order = {channel.name: index for index, channel in enumerate(card.channels)}
    places = sorted(
        range(len(card.columns)),
        key=lambda index: (order[card.columns[index].channel], not card.columns[index].is_signal),
    )
    return replace(
        card,
        columns=tuple(card.columns[place] for place in places),
        nuisances=tuple(replace(row, effects=tuple(row.effects[place] for place in places)) for row in card.nuisances),
    )


def _with_equal_shapes(parts: list[_Part], force_shapes: bool) -> list[_Part]:
    counting = [part for part in parts if not part.card.shapes]
    if len(counting) == len(parts) or not counting:
        return parts
    if not force_shapes:
        others = next(part.source for part in parts if part.card.shapes)
        raise CardError(
            f"{counting[0].source} has no shapes lines and {others} has: force shapes lines (combineCards.py -S), "
            "which make counting channels of those without templates"
        )
    return [
        replace(
            part,
            card=replace(part.card, shapes=tuple(ShapeRule("*", channel.name, FAKE) for channel in part.card.channels)),
        )
        if part in counting
        else part
        for part in parts
    ]


def _warn_of_equal(parts: Sequence[_Part]) -> None:
    seen: dict[Card, _Part] = {}
    for part in parts:
        first = part if part.content is None else seen.setdefault(part.content, part)
        if first is not part:
            names = (", ".join(channel.name for channel in one.card.channels) for one in (first, part))
            found = "is given twice" if part.source == first.source else f"says the same as {first.source}"
            _logger.warning("%s %s: events of %s count a second time in %s", part.source, found, *names)


def _repeated_channels(parts: Sequence[_Part]) -> Iterator[str]:
    seen: dict[str, str] = {}
    for part in parts:
        for channel in part.card.channels:
            if channel.name in seen:
                yield f"{part.source}: channel {channel.name} is already in {seen[channel.name]}; choose other labels"
            seen[channel.name] = part.source


def _mixed_classes(parts: Sequence[_Part]) -> Iterator[str]:
    seen: dict[str, tuple[str, Column]] = {}
    reported = set()
    for part in parts:
        for column in part.card.columns:
            source, first = seen.setdefault(column.process, (part.source, column))
            if first.is_signal != column.is_signal and column.process not in reported:
                reported.add(column.process)
                here, there = ("a signal" if one.is_signal else "a background" for one in (column, first))
                yield (
                    f"{part.source}: process {column.process} is {here} in channel {column.channel}, "
                    f"and {there} in channel {first.channel} of {source}"
                )


def _join(parts: Sequence[_Part], pois: Collection[str], drop_constraints: bool) -> Card:
    cards = [part.card for part in parts]
    problems: list[str] = []
    rows = merge_rows([(part.source, part.card.nuisances, len(part.card.columns)) for part in parts], problems)
    parameters = merge_named([(part.source, part.card.parameters) for part in parts], problems)
    variables = merge_named([(part.source, part.card.external_arguments) for part in parts], problems)
    constraints = merge_named([(part.source, part.card.constraints) for part in parts], problems)
    problems += free_and_formula([(part.source, part.card.rate_parameters) for part in parts])
    if problems:
        raise CardError(problems)
    rates = [line for card in cards for line in card.rate_parameters]
    groups: dict[str, dict[str, None]] = {}
    for group in (group for card in cards for group in card.groups):
        groups.setdefault(group.name, {}).update(dict.fromkeys(group.members))
    shapes = [rule for card in cards for rule in card.shapes]
    joined = Card(
        channels=_channels(cards),
        columns=_renumbered([column for card in cards for column in card.columns]),
        shapes=tuple(sorted(shapes, key=lambda rule: (rule.channel, rule.process))),
        nuisances=rows,
        parameters=parameters,
        external_arguments=variables,
        flat_parameters=tuple(dict.fromkeys(name for card in cards for name in card.flat_parameters)),
        # Formulas stand below what they may use, as combineCards.py writes them.
        rate_parameters=tuple(sorted(rates, key=lambda line: line.formula is not None)),
        constraints=() if drop_constraints else constraints,
        groups=tuple(Group(name, tuple(members)) for name, members in groups.items()),
        mc_stats=tuple(line for card in cards for line in card.mc_stats),
        frozen=tuple(dict.fromkeys(name for card in cards for name in card.frozen)),
    )
    joined = tidied(joined, set().union(*(part.known for part in parts)) - {*pois, "MH"})
    _check_arguments(joined, {*pois, "MH"})
    _check_formula_names(joined)
    return joined


def _channels(cards: Sequence[Card]) -> tuple[Channel, ...]:
    channels = [channel for card in cards for channel in card.channels]
    if all(channel.observation is not None for channel in channels):
        return tuple(channels)
    return tuple(Channel(channel.name) for channel in channels)


def _renumbered(columns: Sequence[Column]) -> tuple[Column, ...]:
    """Return the columns with new integers: ..., -1, 0 for signals and 1, 2, ... for backgrounds, as they appear."""
    signals = list(dict.fromkeys(column.process for column in columns if column.is_signal))
    backgrounds = list(dict.fromkeys(column.process for column in columns if not column.is_signal))
    numbers = {process: number for number, process in enumerate(signals, start=1 - len(signals))}
    numbers |= {process: number for number, process in enumerate(backgrounds, start=1)}
    return tuple(replace(column, process_id=numbers[column.process]) for column in columns)


def _check_arguments(card: Card, pois: set[str]) -> None:
    known = parameter_names(card) | pois
    problems = [
        f"{place} needs {name!r}, which no card defines; {nearest(name, known)}"
        for place, names in formulas_of(card)
        for name in names
        if name not in known
    ]
    if problems:
        raise CardError(problems)


def _check_formula_names(card: Card) -> None:
    others = set(card.nuisance_names) | {parameter.name for parameter in card.parameters}
    others |= {variable.name for variable in card.variables}
    formulas = {parameter.name: parameter for parameter in card.rate_parameters if parameter.formula is not None}
    problems = [
        f"rateParam {name} of channel {parameter.channel} is a formula, and another card has a parameter of this name, "
        "for which Combine would ignore the formula; rename one of them"
        for name, parameter in formulas.items()
        if name in others
    ]
    if problems:
        raise CardError(problems)
