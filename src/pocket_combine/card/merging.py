"""Nuisances and parameters of several cards that have one name become one, or contradict each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from pocket_combine.card.model import (
    Constraint,
    Effect,
    ExternalArgument,
    Nuisance,
    Parameter,
    RateParameter,
    is_shape_kind,
)
from pocket_combine.card.writer import line_of

__all__ = ["free_and_formula", "merge_named", "merge_rows", "merged_kind"]

_Named = TypeVar("_Named", Parameter, ExternalArgument, Constraint)


@dataclass
class _Row:
    """A row of the combined card while it grows, and the card that it comes from."""

    source: str
    row: Nuisance
    effects: list[Effect]


def merged_kind(first: str, second: str) -> str | None:
    """Return the kind of a nuisance that has these kinds in two cards, or `None` if they contradict each other.

    Examples:
        >>> merged_kind("shape", "lnN"), merged_kind("shapeN?", "shapeN"), merged_kind("shape", "shapeN")
        ('shape?', 'shapeN?', None)
    """
    if first == second:
        return first
    for one, other in ((first, second), (second, first)):
        if one == "lnN" and is_shape_kind(other):
            return other if other.endswith("?") else f"{other}?"
        if one == f"{other}?":
            return one
    return None


def merge_rows(cards: Sequence[tuple[str, Sequence[Nuisance], int]], problems: list[str]) -> tuple[Nuisance, ...]:
    """Return the rows of the combined card, by name.

    Args:
        cards: What messages call each card, its rows, and the number of its columns.
        problems: Contradictions are appended here.
    """
    total = sum(count for _, _, count in cards)
    by_name: dict[str, list[_Row]] = {}
    start = 0
    for source, rows, count in cards:
        here = slice(start, start + count)
        start += count
        for row in rows:
            known = by_name.setdefault(row.name, [])
            target = _target(known, row, source, here, problems)
            if target is None:
                target = _Row(source, row, [None] * total)
                known.append(target)
            target.effects[here] = row.effects
    return tuple(
        replace(grown.row, effects=tuple(grown.effects)) for name in sorted(by_name) for grown in by_name[name]
    )


def _target(known: Sequence[_Row], row: Nuisance, source: str, here: slice, problems: list[str]) -> _Row | None:
    """Return the row to which the cells of another card are added, with its kind adapted, or `None` for a new row."""
    # Rows of one name in one card stay apart: both of them act.
    others = [grown for grown in known if not any(effect is not None for effect in grown.effects[here])]
    others = [grown for grown in others if grown.row.template_name == row.template_name]
    same = [grown for grown in others if grown.row.kind == row.kind]
    for grown in same or others:
        if grown.source == source and grown.row.kind != row.kind:
            continue
        kind = merged_kind(grown.row.kind, row.kind)
        if kind is None:
            problems.append(
                f"{source}: nuisance {row.name} is {row.kind}, and {grown.row.kind} in {grown.source}; "
                "these kinds cannot be joined"
            )
            return grown
        if grown.row.arguments != row.arguments:
            problems.append(
                f"{source}: nuisance {row.name} ({row.kind}) has {_text(row.arguments)} after the kind, "
                f"and {_text(grown.row.arguments)} in {grown.source}"
            )
        grown.row = replace(grown.row, kind=kind)
        return grown
    return None


def _text(numbers: Iterable[float]) -> str:
    return " ".join(f"{number:g}" for number in numbers) or "nothing"


def merge_named(cards: Iterable[tuple[str, Sequence[_Named]]], problems: list[str]) -> tuple[_Named, ...]:
    """Return the definitions of several cards, each name once, in order of first appearance.

    Args:
        cards: What messages call each card, and its definitions.
        problems: Contradictions are appended here.
    """
    merged: dict[str, tuple[str, _Named]] = {}
    for source, definitions in cards:
        for definition in definitions:
            first_source, first = merged.setdefault(definition.name, (source, definition))
            if first != definition:
                problems.append(
                    f"{source}: {definition.name} is defined by '{line_of(definition)}', "
                    f"and by '{line_of(first)}' in {first_source}"
                )
    return tuple(definition for _, definition in merged.values())


def free_and_formula(cards: Iterable[tuple[str, Sequence[RateParameter]]]) -> list[str]:
    """Return rate parameters that are free in one card and a formula, or another formula, in another.

    Combine would take the free one, or the first formula, and ignore the other without a word. Free parameters may
    differ in value and range: the first definition holds, as inside one card.
    """
    problems = []
    seen: dict[str, tuple[str, RateParameter]] = {}
    for source, parameters in cards:
        for parameter in parameters:
            first_source, first = seen.setdefault(parameter.name, (source, parameter))
            if (first.formula, first.arguments) != (parameter.formula, parameter.arguments):
                here, there = (one.formula or "a free parameter" for one in (parameter, first))
                problems.append(f"{source}: rateParam {parameter.name} is {here}, and {there} in {first_source}")
    return list(dict.fromkeys(problems))
