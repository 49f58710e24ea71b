"""A card with some of its columns or nuisances only, and without what then refers to nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from pocket_combine.card.explicit import explicit
from pocket_combine.card.formulas import names_used
from pocket_combine.card.model import Card, Group, Nuisance
from pocket_combine.errors import CardError

__all__ = ["formulas_of", "keep_columns", "keep_nuisances", "only_columns", "parameter_names", "tidied"]


def keep_columns(card: Card, keep: Sequence[bool]) -> Card:
    """Return a card with the columns for which `keep` is true, and the channels that still have one.

    Rate parameters and MC statistics of what is dropped vanish with it, and so do nuisances that have no effect any
    more, also from groups.

    Raises:
        CardError: If nothing is left, or a formula that is left needs a parameter that is not.
    """
    return tidied(only_columns(card, keep), parameter_names(card))


def only_columns(card: Card, keep: Sequence[bool]) -> Card:
    """Return what `keep_columns` returns, before it is tidied up.

    Raises:
        CardError: If nothing is left.
    """
    card = explicit(card)
    columns = tuple(column for column, kept in zip(card.columns, keep, strict=True) if kept)
    if not columns:
        raise CardError("no column of the card is left")
    channels = {column.channel for column in columns}
    places = {(column.channel, column.process) for column in columns}
    return replace(
        card,
        channels=tuple(channel for channel in card.channels if channel.name in channels),
        columns=columns,
        shapes=tuple(rule for rule in card.shapes if rule.channel in channels),
        nuisances=tuple(
            replace(row, effects=tuple(effect for effect, kept in zip(row.effects, keep, strict=True) if kept))
            for row in card.nuisances
        ),
        rate_parameters=tuple(
            parameter for parameter in card.rate_parameters if (parameter.channel, parameter.process) in places
        ),
        mc_stats=tuple(line for line in card.mc_stats if line.channel in channels),
    )


def keep_nuisances(card: Card, names: Collection[str]) -> Card:
    """Return a card with these nuisances only; rate parameters and their formulas stay.

    Raises:
        CardError: If a formula needs a nuisance that is dropped.
    """
    return tidied(
        replace(
            card,
            nuisances=tuple(row for row in card.nuisances if row.name in names),
            parameters=tuple(parameter for parameter in card.parameters if parameter.name in names),
        ),
        parameter_names(card),
    )


def tidied(card: Card, known_before: Collection[str]) -> Card:
    """Return a card without nuisances that do nothing, and without groups or freezes of what is not there any more.

    Args:
        card: The card.
        known_before: Names of the parameters before something was dropped.

    Raises:
        CardError: If a formula needs a parameter that was dropped.
    """
    card = replace(card, nuisances=tuple(row for row in card.nuisances if _acts(row, card)))
    known = parameter_names(card)
    problems = [
        f"{place} needs {name!r}, which was dropped; keep it, or drop {place} too"
        for place, names in formulas_of(card)
        for name in names
        if name in known_before and name not in known
    ]
    if problems:
        raise CardError(problems)
    free = known - {parameter.name for parameter in card.rate_parameters if parameter.formula is not None}
    lost = set(known_before) - free
    groups = (Group(group.name, tuple(name for name in group.members if name not in lost)) for group in card.groups)
    return replace(
        card,
        groups=tuple(group for group in groups if group.members),
        frozen=tuple(name for name in card.frozen if name not in lost - known),
    )


def parameter_names(card: Card) -> set[str]:
    """Return the names of everything that a formula, a group or a freeze may name."""
    names = set(card.nuisance_names) | set(card.flat_parameters)
    names |= {parameter.name for parameter in card.parameters}
    names |= {variable.name for variable in card.variables}
    return names | {parameter.name for parameter in card.rate_parameters}


def _acts(row: Nuisance, card: Card) -> bool:
    return any(
        effect is not None and column.rate != 0 for effect, column in zip(row.effects, card.columns, strict=True)
    )


def formulas_of(card: Card) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield every formula, as messages call it, with the names that it needs."""
    for parameter in card.rate_parameters:
        if parameter.formula is not None:
            place = f"rateParam {parameter.name} of process {parameter.process} in channel {parameter.channel}"
            yield place, parameter.arguments
    for constraint in card.constraints:
        yield f"constr {constraint.name}", names_used(constraint)
