"""`nuisance edit rename`, for all columns or for some. Templates keep being read under the old name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pocket_combine.card.draft import DraftRow, Placed
from pocket_combine.card.edit_base import Edit
from pocket_combine.card.lexical import BEGINS_WITH_DIGIT, shown, word_problem
from pocket_combine.card.model import Parameter, is_shape_kind

__all__ = ["rename"]

_TOLERANCE = 1e-6
_NOT_RENAMED = ("trG", "gmN")


def rename(edit: Edit, words: Sequence[str]) -> None:
    """Apply `rename OLD NEW` or `rename PROCESS CHANNEL OLD NEW [ifexists]`."""
    if len(words) < 4 and len(words) != 2:
        raise ValueError(
            f"{len(words)} words, expected 'rename OLD NEW' or 'rename PROCESS CHANNEL OLD NEW [ifexists]'"
        )
    old, new = words[:2] if len(words) == 2 else words[2:4]
    problem = word_problem("the new name", new)
    if problem or BEGINS_WITH_DIGIT.match(new):
        raise ValueError(problem or f"the new name {shown(new)} begins with a digit")
    draft = edit.draft
    rows = draft.rows_named(old)
    parameters = [placed for placed in draft.parameters if placed.value.name == old]
    if any(placed.value.name == old for placed in draft.constraints) or old in draft.flat_parameters:
        raise ValueError(f"{old} is a constr or flatParam line, which cannot be renamed")
    if not rows and not parameters:
        names = [row.name for row in draft.rows]
        raise ValueError(f"no nuisance {shown(old)} above this line{draft.notes.hint(old, names)}")
    for row in rows:
        if row.kind in _NOT_RENAMED:
            raise ValueError(f"{row.place} cannot be renamed by Combine; rename the row itself")
    if old == new:
        raise ValueError(f"{old} is renamed to itself")
    _check_target(edit, rows, parameters, new)
    if len(words) == 2:
        _rename_everywhere(edit, rows, parameters, new)
    else:
        _move_cells(edit, rows, words)


def _rename_everywhere(edit: Edit, rows: Sequence[DraftRow], parameters: Sequence[Placed[Parameter]], new: str) -> None:
    for row in rows:
        if is_shape_kind(row.kind):
            row.template_name = row.name
        edit.draft.rename_row(row, new)
    edit.draft.parameters = [
        Placed(placed.line, replace(placed.value, name=new)) if placed in parameters else placed
        for placed in edit.draft.parameters
    ]


def _check_target(edit: Edit, rows: Sequence[DraftRow], parameters: Sequence[Placed[Parameter]], new: str) -> None:
    """Refuse to merge a unit Gaussian with a `param` line that is none, or two different `param` lines."""
    for placed in edit.draft.parameters:
        if placed.value.name != new:
            continue
        target = placed.value
        others = [one.value for one in parameters]
        mismatch = any(
            abs(target.mean - other.mean) > _TOLERANCE or _width(target) != _width(other) for other in others
        )
        if mismatch or (rows and not _is_unit(target)):
            raise ValueError(f"{new} is a param line (line {placed.line}) with another mean or width")
    if parameters and edit.draft.rows_named(new) and not all(_is_unit(one.value) for one in parameters):
        raise ValueError(f"{new} is a nuisance with mean 0 and width 1, the param line is not")


def _width(parameter: Parameter) -> float | tuple[float, ...]:
    if isinstance(parameter.sigma, tuple):
        return tuple(round(width / _TOLERANCE) for width in parameter.sigma)
    return round(parameter.sigma / _TOLERANCE)


def _is_unit(parameter: Parameter) -> bool:
    sigma = parameter.sigma
    return not isinstance(sigma, tuple) and abs(parameter.mean) <= _TOLERANCE and abs(sigma - 1) <= _TOLERANCE


def _move_cells(edit: Edit, rows: Sequence[DraftRow], words: Sequence[str]) -> None:
    process, channel, old, new = words[:4]
    options = edit.options(words[4:], {"ifexists"})
    columns = edit.columns(process, channel)
    if not columns:
        what = "no channel" if not edit.channels(channel) else "no process"
        if "ifexists" not in options:
            raise ValueError(
                f"{what} matches {shown(process)}, {shown(channel)}; add the option ifexists if it may not"
            )
        edit.warn("edit-without-effect", f"rename acts on nothing: {what} matches {shown(process)}, {shown(channel)}")
        return
    for row in rows:
        template_name = old if is_shape_kind(row.kind) else None
        targets = [other for other in edit.draft.rows_named(new) if other.kind == row.kind]
        lost = [index for index in columns for other in targets if other.effects[index] is not None]
        if lost:
            place = edit.draft.columns[lost[0]].place
            edit.warn("edit-overwrites", f"rename: the effect of {new} in {place} is replaced by that of {old}")
        for index in lost:
            for other in targets:
                other.effects[index] = None
        target = next((other for other in targets if other.template_name == template_name), None)
        if target is None:
            target = edit.new_row(new, row.kind, row)
            target.template_name = template_name
        for index in columns:
            target.effects[index], row.effects[index] = row.effects[index], None
