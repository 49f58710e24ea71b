"""`nuisance edit` lines, applied to what the card has defined so far, with Combine's rules to the letter.

Source: `python/NuisanceModifier.py` of HiggsAnalysis-CombinedLimit and the manual of Combine. In these commands
Combine takes both 0 and 1 for "no effect", even for the strength 1 of a shape; where that loses an effect, a finding
says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from pocket_combine.card.cells import ARGUMENT_NAMES, KINDS, cell_reader, is_kind
from pocket_combine.card.draft import Draft, DraftRow
from pocket_combine.card.edit_base import Edit, is_null
from pocket_combine.card.edit_rename import rename
from pocket_combine.card.lexical import shown, word_problem
from pocket_combine.card.model import Effect, is_shape_kind
from pocket_combine.card.patterns import whole_match
from pocket_combine.errors import nearest

__all__ = ["read_edit"]

_LOG_NORMAL = ("lnN", "lnU")
_LINEAR = ("trG", "unif", "dFD", "dFD2")


def read_edit(draft: Draft, line: int, words: Sequence[str]) -> None:
    """Apply a `nuisance edit` line; `words` begin with `edit`."""
    draft.edited = True
    if not draft.complete:
        return
    command = words[1] if len(words) > 1 else ""
    handler = _COMMANDS.get(command)
    if handler is None:
        found = f"unknown command {shown(command)}" if command else "no command"
        draft.notes.problem(line, f"nuisance edit: {found}; {nearest(command, _COMMANDS)}")
        return
    draft.effort += len(draft.rows) + len(draft.columns)
    try:
        handler(Edit(draft, line), words[2:])
    except (ValueError, OverflowError) as error:
        draft.notes.problem(line, f"nuisance edit {command}: {error}")


def _need(words: Sequence[str], count: int, form: str) -> None:
    if len(words) < count:
        raise ValueError(f"{len(words)} words, expected '{form}'")


def _add(edit: Edit, words: Sequence[str]) -> None:
    _need(words, 5, "add PROCESS CHANNEL NAME KIND VALUE [addq|overwrite]")
    process, channel, name, kind, value = words[:5]
    problem = word_problem("the name", name)
    if problem:
        raise ValueError(problem)
    if not is_kind(kind):
        raise ValueError(f"unknown kind {shown(kind)}; {nearest(kind, KINDS)}")
    options = edit.options(words[5:], {"addq", "overwrite"})
    columns = edit.columns(process, channel)
    if not columns:
        edit.warn("edit-without-effect", f"add: no column matches process {shown(process)}, channel {shown(channel)}")
    effect = cell_reader(kind, {})[value]
    if is_null(effect) and columns:
        edit.warn("edit-without-effect", f"add: Combine takes the value {value} for no effect and adds nothing")
    _add_effect(edit, columns, name, kind, effect, options)


def _add_effect(edit: Edit, columns: Sequence[int], name: str, kind: str, effect: Effect, options: set[str]) -> None:
    rows = edit.draft.rows_named(name)
    for row in rows:
        if row.kind != kind:
            raise ValueError(f"{name} is {row.kind} in line {row.line} and cannot be {kind} here")
    if not rows and kind in ARGUMENT_NAMES:
        raise ValueError(f"a new nuisance of kind {kind} needs {' '.join(ARGUMENT_NAMES[kind])}, which add cannot give")
    target = next((row for row in reversed(rows) if row.template_name is None), None)
    if target is None:
        target = edit.new_row(name, kind, rows[-1] if rows else None)
    if is_null(effect):
        return
    for index in columns:
        holder = next((row for row in reversed(rows) if not is_null(row.effects[index])), target)
        existing = holder.effects[index]
        if is_null(existing):
            target.effects[index] = effect
        elif "addq" in options:
            holder.effects[index] = _add_in_quadrature(kind, existing, effect)
        elif "overwrite" in options:
            holder.effects[index] = effect
        else:
            place = edit.draft.columns[index].place
            raise ValueError(f"{name} already has {existing} in {place}; add the option addq or overwrite")


def _add_in_quadrature(kind: str, first: Effect, second: Effect) -> Effect:
    """Return the effect whose logarithm is the root of the sum of squares, separately for down and up."""
    if isinstance(first, tuple) or isinstance(second, tuple):
        downs, ups = zip(_as_pair(first), _as_pair(second), strict=True)
        return _in_quadrature(kind, *downs), _in_quadrature(kind, *ups)
    return _in_quadrature(kind, 1.0 if first is None else first, 1.0 if second is None else second)


def _as_pair(effect: Effect) -> tuple[float, float]:
    if isinstance(effect, tuple):
        return effect
    kappa = 1.0 if effect is None else effect
    return 1 / kappa, kappa


def _in_quadrature(kind: str, first: float, second: float) -> float:
    if kind not in _LOG_NORMAL:
        raise ValueError(f"effects of kind {kind} cannot be added in quadrature, only those of lnN and lnU")
    if math.log(first) * math.log(second) < 0:
        raise ValueError(f"{first} and {second} go in different directions and cannot be added in quadrature")
    kappa = math.exp(math.hypot(math.log(first), math.log(second)))
    return kappa if first > 1 else 1 / kappa


def _drop(edit: Edit, words: Sequence[str]) -> None:
    _need(words, 3, "drop PROCESS CHANNEL NAME [ifexists]")
    process, channel, name = words[:3]
    options = edit.options(words[3:], {"ifexists"})
    rows, columns = edit.rows(name), edit.columns(process, channel)
    if not rows or not columns:
        edit.not_found(_nothing(edit, process, channel, name, rows), channel, options)
    for row in rows:
        for index in columns:
            row.effects[index] = None


def _nothing(edit: Edit, process: str, channel: str, name: str, rows: Sequence[DraftRow]) -> str:
    if not rows:
        names = [row.name for row in edit.draft.rows]
        return f"no nuisance above this line matches {shown(name)}{edit.draft.notes.hint(name, names)}"
    return f"no column matches process {shown(process)}, channel {shown(channel)}"


def _split(edit: Edit, words: Sequence[str]) -> None:
    _need(words, 7, "split PROCESS CHANNEL OLD NEW1 NEW2 VALUE1 VALUE2 [ifexists]")
    process, channel, old, *parts = words[:7]
    options = edit.options(words[7:], {"ifexists"})
    rows, columns = edit.rows(old), edit.columns(process, channel)
    if not rows or not columns:
        edit.not_found(_nothing(edit, process, channel, old, rows), channel, options)
    for name in parts[:2]:
        problem = word_problem("the new name", name)
        if problem or whole_match(old)(name):
            raise ValueError(problem or f"the pattern {shown(old)} also matches the new name {shown(name)}")
    for row in rows:
        reader = cell_reader(row.kind, {})
        active = [index for index in columns if not is_null(row.effects[index])]
        _warn_of_ones(edit, "split", row, columns)
        for name, value in zip(parts[:2], parts[2:], strict=True):
            _add_effect(edit, active, name, row.kind, reader[value], {"overwrite"})
        for index in columns:
            row.effects[index] = None


def _warn_of_ones(edit: Edit, command: str, row: DraftRow, columns: Sequence[int]) -> None:
    if any(row.effects[index] == 1.0 for index in columns):
        edit.warn(
            "edit-loses-effect",
            f"{command}: cells 1 of {row.place} are dropped, because Combine takes 1 for no effect here",
        )


def _merge(edit: Edit, words: Sequence[str]) -> None:
    _need(words, 4, "merge PROCESS CHANNEL NAME1 NAME2 [ifexists]")
    process, channel, name, other = words[:4]
    options = edit.options(words[4:], {"ifexists"})
    rows, columns = edit.rows(other), edit.columns(process, channel)
    if not rows or not columns:
        edit.not_found(_nothing(edit, process, channel, other, rows), channel, options)
    if whole_match(other)(name):
        raise ValueError(f"the pattern {shown(other)} also matches {shown(name)}")
    for row in rows:
        _warn_of_ones(edit, "merge", row, columns)
        for index in columns:
            _add_effect(edit, [index], name, row.kind, row.effects[index], {"addq"})
            row.effects[index] = None


def _flip(edit: Edit, words: Sequence[str]) -> None:
    _need(words, 4, "flip PROCESS CHANNEL NAME p2n|n2p [ifexists]")
    process, channel, name = words[:3]
    options = edit.options(words[3:], {"ifexists", "p2n", "n2p"})
    if not options & {"p2n", "n2p"}:
        raise ValueError("expected the option p2n (invert what is above 1) or n2p (invert what is below 1), or both")
    rows, columns = edit.rows(name), edit.columns(process, channel)
    if not rows or not columns:
        edit.not_found(_nothing(edit, process, channel, name, rows), channel, options)
    for row in rows:
        if row.kind != "lnN":
            raise ValueError(f"{row.place}: only lnN can be flipped")
        for index in columns:
            row.effects[index] = _flipped(row.effects[index], options)


def _flipped(effect: Effect, options: set[str]) -> Effect:
    if effect is None:
        return None
    # The direction of a pair is that of its first number, which is the yield ratio at -1 standard deviation.
    is_positive = effect[0] < 1 if isinstance(effect, tuple) else effect > 1
    if ("p2n" if is_positive else "n2p") not in options:
        return effect
    return (1 / effect[0], 1 / effect[1]) if isinstance(effect, tuple) else 1 / effect


def _change_kind(edit: Edit, words: Sequence[str]) -> None:
    _need(words, 2, "changepdf NAME NEW_KIND")
    name, kind = words[:2]
    edit.options(words[2:], set())
    rows = edit.rows(name)
    if not is_kind(kind):
        raise ValueError(f"unknown kind {shown(kind)}; {nearest(kind, KINDS)}")
    if not rows:
        edit.warn("edit-without-effect", f"changepdf: {_nothing(edit, '*', '*', name, rows)}")
    for row in rows:
        if row.kind == kind:
            continue
        if kind in ARGUMENT_NAMES and ARGUMENT_NAMES[kind] != ARGUMENT_NAMES.get(row.kind):
            raise ValueError(f"kind {kind} needs {' '.join(ARGUMENT_NAMES[kind])}, which changepdf cannot give")
        row.effects = [_converted(row, effect, kind) for effect in row.effects]
        row.arguments = row.arguments if kind in ARGUMENT_NAMES else ()
        row.kind = kind


def _converted(row: DraftRow, effect: Effect, kind: str) -> Effect:
    same_family = any(row.kind in family and kind in family for family in (_LOG_NORMAL, _LINEAR))
    if same_family or (is_shape_kind(row.kind) and is_shape_kind(kind)):
        return effect
    if row.kind in _LOG_NORMAL and kind in _LINEAR:
        if isinstance(effect, tuple):
            raise ValueError(f"{row.place} has the cell {effect[0]}/{effect[1]}, which {kind} cannot express")
        return None if effect is None or is_null(effect) else math.log(effect)
    if row.kind in _LINEAR and kind in _LOG_NORMAL and not isinstance(effect, tuple):
        return None if effect is None or is_null(effect) else math.exp(effect)
    raise ValueError(f"{row.place} cannot become {kind}")


def _freeze(edit: Edit, words: Sequence[str]) -> None:
    if not 1 <= len(words) <= 2:
        raise ValueError(f"{len(words)} words, expected 'freeze NAME [ifexists]'")
    draft = edit.draft
    options = edit.options(words[1:], {"ifexists"})
    matches = edit.matcher(words[0])
    free = [*draft.flat_parameters, *(placed.value.name for placed in draft.rate_parameters), *draft.external_arguments]
    constrained = [*(row.name for row in draft.rows), *(placed.value.name for placed in draft.parameters)]
    # Combine looks among the constrained parameters only where no other one matches.
    found = [name for name in free if matches(name)] or [name for name in constrained if matches(name)]
    if not found:
        what = f"no parameter above this line matches {shown(words[0])}"
        edit.not_found(what, "", options, draft.notes.hint(words[0], [*free, *constrained]))
    for name in found:
        draft.frozen.setdefault(name, edit.line)


_COMMANDS: dict[str, Callable[[Edit, Sequence[str]], None]] = {
    "add": _add,
    "drop": _drop,
    "rename": rename,
    "changepdf": _change_kind,
    "split": _split,
    "merge": _merge,
    "flip": _flip,
    "freeze": _freeze,
}
