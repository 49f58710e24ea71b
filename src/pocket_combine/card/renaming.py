"""New names for channels, processes and nuisances of a card and its templates.

The card that comes back still finds its templates in the files that it names, under their names there;
`pocket_combine.card.pair.dump_pair` writes card and templates to new files under the new names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from pocket_combine.card.explicit import explicit
from pocket_combine.card.model import FAKE, Card, Effect, Group, Nuisance, ShapeRule, is_shape_kind
from pocket_combine.card.pair import ChannelTemplates, Pair, with_pairs
from pocket_combine.card.selection import parameter_names
from pocket_combine.card.shapes import ShapeLookup
from pocket_combine.errors import CardError, nearest
from pocket_combine.templates import Templates

__all__ = ["rename_channels", "rename_nuisances", "rename_processes"]


def rename_channels(card: Card, templates: ChannelTemplates, names: Mapping[str, str]) -> Pair:
    """Return card and templates with channels under new names.

    Raises:
        CardError: If a channel does not exist, or a new name is taken.

    Examples:
        >>> from pocket_combine.card.model import Channel, Column
        >>> rule = ShapeRule("*", "*", "f.root", "$CHANNEL")
        >>> card = Card((Channel("SR", 3),), (Column("SR", "tt", 1, 3.0),), shapes=(rule,))
        >>> renamed, _ = rename_channels(card, {}, {"SR": "signal_region"})
        >>> renamed.shapes[0].channel, renamed.shapes[0].nominal
        ('signal_region', 'SR')
    """
    _check_names("channel", names, [channel.name for channel in card.channels])
    card = explicit(card)
    return (
        replace(
            card,
            channels=tuple(replace(one, name=names.get(one.name, one.name)) for one in card.channels),
            columns=tuple(replace(one, channel=names.get(one.channel, one.channel)) for one in card.columns),
            shapes=tuple(replace(one, channel=names.get(one.channel, one.channel)) for one in card.shapes),
            rate_parameters=tuple(
                replace(one, channel=names.get(one.channel, one.channel)) for one in card.rate_parameters
            ),
            mc_stats=tuple(replace(one, channel=names.get(one.channel, one.channel)) for one in card.mc_stats),
        ),
        {names.get(channel, channel): one for channel, one in templates.items()},
    )


def rename_processes(card: Card, templates: ChannelTemplates, names: Mapping[str, str]) -> Pair:
    """Return card and templates with processes under new names.

    Raises:
        CardError: If a process does not exist, or a new name is taken.
    """
    _check_names("process", names, [column.process for column in card.columns])
    card = explicit(card)
    lookup = ShapeLookup(card.shapes)
    renamed = [column for column in card.columns if column.process in names]
    pinned = [
        _pinned(rule, column.process, names[column.process])
        for column in renamed
        if (rule := lookup.rule(column.channel, column.process)) is not None
    ]
    touched = {*names, *names.values()}
    return (
        replace(
            card,
            columns=tuple(replace(one, process=names.get(one.process, one.process)) for one in card.columns),
            shapes=(*pinned, *(rule for rule in card.shapes if rule.process not in touched)),
            rate_parameters=tuple(
                replace(one, process=names.get(one.process, one.process)) for one in card.rate_parameters
            ),
        ),
        {
            channel: replace(
                one,
                columns=tuple(names.get(process, process) for process in one.columns),
                pairs=tuple((names.get(process, process), nuisance) for process, nuisance in one.pairs),
            )
            for channel, one in templates.items()
        },
    )


def _pinned(rule: ShapeRule, old: str, new: str) -> ShapeRule:
    if rule.path == FAKE:
        return replace(rule, process=new)
    parts = (part.replace("$PROCESS", old) for part in (rule.path, rule.nominal, rule.systematic))
    return ShapeRule(new, rule.channel, *parts)


def rename_nuisances(card: Card, templates: ChannelTemplates, names: Mapping[str, str]) -> Pair:
    """Return card and templates with nuisances and other parameters under new names, also in formulas and groups.

    Two nuisances that get one name become one, which correlates their effects: they must be of one kind and act on
    different columns.

    Raises:
        CardError: If a parameter does not exist, or two that get one name cannot be joined.

    Examples:
        >>> from pocket_combine.card.model import Channel, Column
        >>> columns = (Column("SR", "a", 0, 1.0), Column("SR", "b", 1, 1.0))
        >>> rows = (Nuisance("JES_a", "lnN", (1.1, None)), Nuisance("JES_b", "lnN", (None, 1.2)))
        >>> card, _ = rename_nuisances(
        ...     Card((Channel("SR", 2),), columns, nuisances=rows), {}, {"JES_a": "JES", "JES_b": "JES"}
        ... )
        >>> [(row.name, row.effects) for row in card.nuisances]
        [('JES', (1.1, 1.2))]
    """
    known = parameter_names(card) | {constraint.name for constraint in card.constraints}
    problems = [f"no parameter {old!r}; {nearest(old, known)}" for old in names if old not in known]
    rows = set(card.nuisance_names)
    for new in dict.fromkeys(names.values()):
        sources = [name for name in sorted(known) if names.get(name, name) == new]
        if len(sources) > 1 and not set(sources) <= rows:
            problems.append(f"{' and '.join(sources)} cannot both be {new}: only rows of nuisances can be joined")
    if problems:
        raise CardError(problems)
    renamed = replace(
        card,
        nuisances=_joined_rows([_renamed_row(row, names, bool(card.shapes)) for row in card.nuisances], card),
        parameters=tuple(replace(one, name=names.get(one.name, one.name)) for one in card.parameters),
        external_arguments=tuple(replace(one, name=names.get(one.name, one.name)) for one in card.external_arguments),
        flat_parameters=tuple(names.get(name, name) for name in card.flat_parameters),
        rate_parameters=tuple(
            replace(one, name=names.get(one.name, one.name), arguments=_all(one.arguments, names))
            for one in card.rate_parameters
        ),
        constraints=tuple(
            replace(
                one,
                name=names.get(one.name, one.name),
                formula=one.formula if one.arguments else _in_formula(one.formula, names),
                arguments=_all(one.arguments, names),
                sigma=names.get(one.sigma, one.sigma) if isinstance(one.sigma, str) else one.sigma,
                defined=tuple(
                    replace(variable, name=names.get(variable.name, variable.name)) for variable in one.defined
                ),
            )
            for one in card.constraints
        ),
        groups=tuple(Group(one.name, tuple(dict.fromkeys(_all(one.members, names)))) for one in card.groups),
        frozen=tuple(dict.fromkeys(_all(card.frozen, names))),
    )
    return renamed, {channel: _renamed_pairs(one, names) for channel, one in templates.items()}


def _renamed_row(row: Nuisance, names: Mapping[str, str], has_templates: bool) -> Nuisance:
    new = names.get(row.name, row.name)
    template_name = row.template_name
    if has_templates and is_shape_kind(row.kind) and template_name is None and new != row.name:
        template_name = row.name
    return replace(row, name=new, template_name=None if template_name == new else template_name)


def _joined_rows(rows: Sequence[Nuisance], card: Card) -> tuple[Nuisance, ...]:
    """Return the rows with those of one name, kind and template as one; refuse effects of two on one column."""
    before = [row.name for row in card.nuisances]
    merged: dict[object, tuple[str, Nuisance]] = {}
    problems = _overlaps(before, rows, card)
    kinds: dict[str, tuple[str, str]] = {}
    for position, (old, row) in enumerate(zip(before, rows, strict=True)):
        first_old, kind = kinds.setdefault(row.name, (old, row.kind))
        if kind != row.kind and first_old != old:
            problems.append(f"{first_old} is {kind} and {old} is {row.kind}: they cannot both be {row.name}")
        key: object = (row.name, row.kind, row.template_name, row.arguments)
        if key in merged and merged[key][0] == old:
            key = (key, position)  # two rows of one nuisance stay two
        if key not in merged:
            merged[key] = (old, row)
            continue
        first = merged[key][1]
        effects: list[Effect] = [
            other if one is None else one for one, other in zip(first.effects, row.effects, strict=True)
        ]
        merged[key] = (old, replace(first, effects=tuple(effects)))
    if problems:
        raise CardError(problems)
    return tuple(row for _, row in merged.values())


def _overlaps(before: Sequence[str], rows: Sequence[Nuisance], card: Card) -> list[str]:
    """Return where two nuisances that get one name act on the same column."""
    problems: dict[str, None] = {}
    owners: dict[tuple[str, int], str] = {}
    for old, row in zip(before, rows, strict=True):
        for index, (column, effect) in enumerate(zip(card.columns, row.effects, strict=True)):
            first = old if effect is None else owners.setdefault((row.name, index), old)
            if first != old:
                place = f"process {column.process} in channel {column.channel}"
                problems[f"{first} and {old} both act on {place}: they cannot both be {row.name}"] = None
    return list(problems)


def _all(words: Iterable[str], names: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(names.get(word, word) for word in words)


def _in_formula(formula: str, names: Mapping[str, str]) -> str:
    return re.sub(r"[A-Za-z_]\w*", lambda found: names.get(found[0], found[0]), formula)


def _renamed_pairs(templates: Templates, names: Mapping[str, str]) -> Templates:
    pairs = [(process, names.get(nuisance, nuisance)) for process, nuisance in templates.pairs]
    return with_pairs(templates, pairs, range(len(pairs)))


def _check_names(what: str, names: Mapping[str, str], existing: Sequence[str]) -> None:
    problems = [f"no {what} {old!r}; {nearest(old, existing)}" for old in names if old not in existing]
    for new in dict.fromkeys(names.values()):
        sources = {name for name in existing if names.get(name, name) == new}
        if len(sources) > 1:
            problems.append(f"{' and '.join(sorted(sources))} cannot both be {what} {new}")
    if problems:
        raise CardError(problems)
