"""What must hold between the nuisance rows of a card."""

from __future__ import annotations

import math

from pocket_combine.card.draft import Draft, DraftRow
from pocket_combine.card.lexical import format_number
from pocket_combine.card.model import is_shape_kind
from pocket_combine.card.shapes import ShapeLookup

__all__ = ["check_rows", "morphing_of", "sideband_disagrees"]


def morphing_of(kind: str) -> str:
    """Return the morphing that a shape kind asks for: the kind without `?` and `U`.

    Examples:
        >>> [morphing_of(kind) for kind in ("shape?", "shapeU", "shapeN")]
        ['shape', 'shape', 'shapeN']
    """
    return kind.replace("?", "").removesuffix("U")


def sideband_disagrees(events: float, alpha: float, expected: float) -> bool:
    """Return whether Combine refuses a `gmN` cell: N * alpha is not the expected events, within 5% and within alpha.

    Examples:
        >>> sideband_disagrees(100, 0.5, 52.0), sideband_disagrees(100, 0.5, 53.0)
        (False, True)
    """
    return abs(events * alpha - expected) > max(0.05 * max(expected, 1.0), alpha)


def check_rows(draft: Draft, lookup: ShapeLookup) -> None:
    """Note rows that contradict each other, or the rates."""
    fake = [lookup.is_fake(column.channel, column.process) for column in draft.columns]
    _check_morphing(draft, fake)
    gamma: dict[int, DraftRow] = {}
    for row in draft.rows:
        if row.kind == "gmN":
            _check_gamma(draft, row, gamma)
        if row.kind == "gmM":
            values = {effect for effect in row.effects if effect is not None}
            if len(values) > 1:
                draft.notes.problem(row.line, f"{row.place} has different numbers, expected the same in all its cells")
        for column, effect in zip(draft.columns, row.effects, strict=True):
            numbers = effect if isinstance(effect, tuple) else (effect or 0.0,)
            if not all(map(math.isfinite, numbers)):
                draft.notes.problem(row.line, f"{row.place}: the effect in {column.place} is not finite")
    _check_repeated_rows(draft)


def _check_morphing(draft: Draft, fake: list[bool]) -> None:
    first: dict[int, DraftRow] = {}
    for row in draft.rows:
        if not is_shape_kind(row.kind):
            continue
        idle = []
        for index, effect in enumerate(row.effects):
            column = draft.columns[index]
            if effect is None or column.rate == 0:
                continue
            if fake[index]:
                idle += [] if "?" in row.kind else [column.place]
                continue
            other = first.setdefault(index, row)
            if morphing_of(other.kind) != morphing_of(row.kind):
                draft.notes.problem(
                    row.line,
                    f"{row.place} in {column.place}: {other.place} in line {other.line} asks for another morphing, "
                    "and a process can have only one",
                )
        if idle:
            draft.notes.warn(
                "shape-without-templates",
                row.line,
                f"{row.place} does nothing in {idle[0]}, which has no templates",
                "write lnN, or shape? where other columns have templates",
            )


def _check_gamma(draft: Draft, row: DraftRow, gamma: dict[int, DraftRow]) -> None:
    events = row.arguments[0]
    for index, effect in enumerate(row.effects):
        column = draft.columns[index]
        if effect is None or isinstance(effect, tuple):
            continue
        other = gamma.setdefault(index, row)
        if other is not row:
            draft.notes.problem(
                row.line,
                f"{row.place}: {column.place} already has {other.place} in line {other.line}, at most one may act",
            )
        if column.rate != -1 and sideband_disagrees(events, effect, column.rate):
            draft.notes.problem(
                row.line,
                f"{row.place} in {column.place}: N * alpha = {format_number(effect * events)} "
                f"disagrees with the rate {format_number(column.rate)}",
            )


def _check_repeated_rows(draft: Draft) -> None:
    seen: dict[str, DraftRow] = {}
    for row in draft.rows:
        first = seen.setdefault(row.name, row)
        if first is row:
            continue
        both = [
            column.place
            for column, one, other in zip(draft.columns, first.effects, row.effects, strict=True)
            if one is not None and other is not None
        ]
        if both:
            draft.notes.warn(
                "repeated-nuisance",
                row.line,
                f"{row.place} has a row in line {first.line} already, and both act on {both[0]}",
                "remove one of them unless their effects are to be multiplied",
            )
