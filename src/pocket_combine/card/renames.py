"""How to write nuisances whose templates carry another name.

A card says this with `nuisance edit rename`, which acts on what stands above it. A row is therefore written under
the name of its templates and renamed in the next line; where another row keeps that name, both rows are written as
one and the cells of the second are moved out of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pocket_combine.card.model import Column, Effect, Nuisance, is_shape_kind

__all__ = ["WrittenRow", "plan_rows", "exact_pattern"]


@dataclass
class WrittenRow:
    """A nuisance row as it is to be written.

    Attributes:
        nuisance: The row of the card.
        name: Name to write, `None` where the row arises only from edits of another one.
        effects: The cells to write.
        edits: Lines that follow the row.
    """

    nuisance: Nuisance
    name: str | None
    effects: list[Effect]
    edits: list[str]


def plan_rows(nuisances: Sequence[Nuisance], columns: Sequence[Column]) -> tuple[list[WrittenRow], list[str]]:
    """Return the rows to write, in order, and what cannot be expressed.

    Examples:
        >>> columns = (Column("SR", "signal", 0, 3.2),)
        >>> rows, problems = plan_rows([Nuisance("CMS_scale_j", "shape", (1.0,), template_name="JES")], columns)
        >>> rows[0].name, rows[0].edits
        ('JES', ['nuisance edit rename JES CMS_scale_j'])
    """
    rows: list[WrittenRow] = []
    problems: list[str] = []
    by_name: dict[str, list[WrittenRow]] = {}
    for nuisance in nuisances:
        old, new = nuisance.template_name, nuisance.name
        row = WrittenRow(nuisance, new, list(nuisance.effects), [])
        if old is not None:
            taken = by_name.get(old, [])
            problem = _rename_problem(nuisance, taken)
            if problem:
                problems.append(problem)
            elif taken:
                row.name = None
                row.edits = _move_cells(taken[0], nuisance, columns)
            else:
                row.name = old
                row.edits = [f"nuisance edit rename {old} {new}"]
        rows.append(row)
        by_name.setdefault(new, []).append(row)
    return rows, problems


def _rename_problem(nuisance: Nuisance, taken: Sequence[WrittenRow]) -> str | None:
    place = f"nuisance {nuisance.name} ({nuisance.kind}) with templates of {nuisance.template_name}"
    if not is_shape_kind(nuisance.kind):
        return f"{place}: only shape nuisances have templates"
    if nuisance.template_name == nuisance.name:
        return f"{place}: leave template_name out where it is the nuisance's own name"
    if not taken:
        return None
    other = taken[0]
    overlap = any(
        kept is not None and moved is not None for kept, moved in zip(other.effects, nuisance.effects, strict=True)
    )
    if len(taken) > 1 or overlap or other.name is None or other.nuisance.kind != nuisance.kind:
        return f"{place}: cannot be written after the row of nuisance {nuisance.template_name}; put it before that row"
    return None


def _move_cells(source: WrittenRow, nuisance: Nuisance, columns: Sequence[Column]) -> list[str]:
    edits = []
    for index, (effect, column) in enumerate(zip(nuisance.effects, columns, strict=True)):
        if effect is None:
            continue
        source.effects[index] = effect
        where = f"{exact_pattern(column.process)} {exact_pattern(column.channel, plus_is_literal=True)}"
        edits.append(f"nuisance edit rename {where} {nuisance.template_name} {nuisance.name}")
    return edits


def exact_pattern(name: str, *, plus_is_literal: bool = False) -> str:
    r"""Return the regular expression that matches only this name, as `nuisance edit` reads it.

    Args:
        name: The name.
        plus_is_literal: Whether `+` stands for itself, as in Combine's channel patterns.

    Examples:
        >>> exact_pattern("tt+jets.1")
        'tt\\+jets\\.1'
    """
    safe = "_+" if plus_is_literal else "_"
    return "".join(char if char.isalnum() or char in safe else f"\\{char}" for char in name)
