"""A small algebra on a card and its templates: select, scale, freeze, group; `pocket_combine.card.renaming` renames.

Every function returns new values. The card that comes back still finds its templates in the files that it names, except
after `scale_processes`; `pocket_combine.card.pair.dump_pair` writes card and templates to new files that agree.
Patterns are shell patterns (`CMS_*`), as in `rateParam` lines.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from pocket_combine.card.model import Card, Effect, Group
from pocket_combine.card.pair import ChannelTemplates, Pair, with_pairs
from pocket_combine.card.selection import keep_columns, keep_nuisances
from pocket_combine.errors import CardError
from pocket_combine.patterns import matched, unmatched
from pocket_combine.templates import Templates

__all__ = ["freeze", "group", "scale_processes", "select_channels", "select_nuisances", "select_processes"]


def select_channels(card: Card, templates: ChannelTemplates, patterns: Iterable[str]) -> Pair:
    """Return card and templates with the channels that match a pattern; see `pocket_combine.card.selection`.

    Raises:
        CardError: If a pattern matches nothing, or a formula that is left needs a parameter that is not.
    """
    kept = _matching("channel", [channel.name for channel in card.channels], patterns)
    selected = keep_columns(card, [column.channel in kept for column in card.columns])
    return selected, {channel: one for channel, one in templates.items() if channel in kept}


def select_processes(card: Card, templates: ChannelTemplates, patterns: Iterable[str]) -> Pair:
    """Return card and templates with the processes that match a pattern; channels without any vanish.

    Raises:
        CardError: If a pattern matches nothing, or a formula that is left needs a parameter that is not.
    """
    kept = _matching("process", [column.process for column in card.columns], patterns)
    selected = keep_columns(card, [column.process in kept for column in card.columns])
    left = {channel.name for channel in selected.channels}
    return selected, {
        channel: _with_columns(one, [process in kept for process in one.columns])
        for channel, one in templates.items()
        if channel in left
    }


def _with_columns(templates: Templates, keep: Sequence[bool]) -> Templates:
    columns = np.array([index for index, kept in enumerate(keep) if kept], dtype=np.intp)
    left = {templates.columns[index] for index in columns.tolist()}
    rows = [row for row, (process, _) in enumerate(templates.pairs) if process in left]
    fewer = with_pairs(templates, templates.pairs, rows)
    return replace(
        fewer,
        columns=tuple(templates.columns[index] for index in columns.tolist()),
        values=templates.values[columns],
        variances=templates.variances[columns],
    )


def select_nuisances(card: Card, templates: ChannelTemplates, patterns: Iterable[str]) -> Pair:
    """Return card and templates with the nuisances (rows and `param` lines) that match a pattern.

    Raises:
        CardError: If a pattern matches nothing, or a formula needs a nuisance that is dropped.
    """
    kept = _matching("nuisance", card.all_nuisance_names, patterns)
    return keep_nuisances(card, kept), {
        channel: with_pairs(one, one.pairs, [row for row, pair in enumerate(one.pairs) if pair[1] in kept])
        for channel, one in templates.items()
    }


def scale_processes(
    card: Card, templates: ChannelTemplates, factors: Mapping[str, float], *, channel: str = "*"
) -> Pair:
    """Return card and templates with expected events multiplied, varied templates and errors alike.

    The files that the card names are not changed: write the pair anew with `dump_pair`.

    Args:
        card: The card.
        templates: Its templates.
        factors: Factor by pattern of the process; a process may match one pattern only.
        channel: Pattern of the channels.

    Raises:
        CardError: If a pattern matches nothing, a process matches several, or a factor is not a positive number.
    """
    columns = [column for column in card.columns if fnmatch.fnmatchcase(column.channel, channel)]
    problems = [
        f"factor {factor} for {pattern}: expected a number above 0"
        for pattern, factor in factors.items()
        if not (factor > 0 and np.isfinite(factor))
    ]
    scale: dict[str, float] = {}
    for pattern, factor in factors.items():
        for process in _matching("process", [column.process for column in columns], [pattern]):
            if process in scale:
                problems.append(f"process {process} matches several patterns")
            scale[process] = factor
    if problems:
        raise CardError(problems)
    inside = {(column.channel, column.process): scale.get(column.process, 1.0) for column in columns}
    by_column = [inside.get((column.channel, column.process), 1.0) for column in card.columns]
    scaled = replace(
        card,
        columns=tuple(
            column if column.rate == -1 else replace(column, rate=column.rate * factor)
            for column, factor in zip(card.columns, by_column, strict=True)
        ),
        nuisances=tuple(
            # The yield of a column with a sideband is its cell, not its rate.
            replace(row, effects=_scaled(row.effects, by_column)) if row.kind == "gmN" else row
            for row in card.nuisances
        ),
    )
    return scaled, {name: _scaled_templates(name, one, inside) for name, one in templates.items()}


def _scaled(effects: Sequence[Effect], factors: Sequence[float]) -> tuple[Effect, ...]:
    return tuple(
        effect * factor if isinstance(effect, float | int) else effect
        for effect, factor in zip(effects, factors, strict=True)
    )


def _scaled_templates(channel: str, templates: Templates, factors: Mapping[tuple[str, str], float]) -> Templates:
    columns = np.array([factors.get((channel, process), 1.0) for process in templates.columns])[:, None]
    pairs = columns[templates.pair_columns]
    return replace(
        templates,
        values=templates.values * columns,
        variances=templates.variances * columns**2,
        up=templates.up * pairs,
        down=templates.down * pairs,
        up_variances=templates.up_variances * pairs**2,
        down_variances=templates.down_variances * pairs**2,
    )


def freeze(card: Card, patterns: Iterable[str]) -> Card:
    """Return a card in which the parameters that match a pattern are constant at their initial values.

    Raises:
        CardError: If a pattern matches nothing.
    """
    names = _ordered_parameters(card)
    matching = _matching("parameter", names, patterns)
    return replace(card, frozen=tuple(dict.fromkeys([*card.frozen, *(name for name in names if name in matching)])))


def group(card: Card, name: str, patterns: Iterable[str]) -> Card:
    """Return a card with a group of the parameters that match a pattern; members of an existing group stay in it.

    Raises:
        CardError: If a pattern matches nothing.

    Examples:
        >>> from pocket_combine.card.model import Channel, Column, Nuisance
        >>> rows = tuple(Nuisance(f"JES_{number}", "lnN", (1.1,)) for number in range(2))
        >>> card = Card((Channel("SR", 2),), (Column("SR", "a", 0, 1.0),), nuisances=rows)
        >>> group(card, "jets", ["JES_*"]).groups
        (Group(name='jets', members=('JES_0', 'JES_1')),)
    """
    names = _ordered_parameters(card)
    matching = _matching("parameter", names, patterns)
    existing = next((one.members for one in card.groups if one.name == name), ())
    members = tuple(dict.fromkeys([*existing, *(one for one in names if one in matching)]))
    others = tuple(one for one in card.groups if one.name != name)
    return replace(card, groups=(*others, Group(name, members)))


def _ordered_parameters(card: Card) -> list[str]:
    free = [parameter.name for parameter in card.rate_parameters if parameter.formula is None]
    return list(
        dict.fromkeys([*card.all_nuisance_names, *free, *(one.name for one in card.variables), *card.flat_parameters])
    )


def _matching(what: str, names: Sequence[str], patterns: Iterable[str]) -> set[str]:
    wanted = list(patterns)
    problems = unmatched(what, names, wanted)
    if problems:
        raise CardError(problems)
    return set(matched(names, wanted))
