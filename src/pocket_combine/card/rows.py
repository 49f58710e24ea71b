"""Nuisance rows: `name kind [arguments] cell cell …`, one cell per column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pocket_combine.card.cells import ARGUMENT_NAMES, CellReader, cell_reader
from pocket_combine.card.draft import Draft, DraftRow
from pocket_combine.card.lexical import read_integer, read_number, shown
from pocket_combine.card.model import Effect
from pocket_combine.errors import counted

__all__ = ["read_row", "split_no_float"]

_NO_FLOAT = "[nofloat]"
_MOST_BAD_CELLS = 5


def read_row(draft: Draft, line: int, name: str, words: Sequence[str], readers: dict[str, CellReader]) -> None:
    """Read a nuisance row into the draft.

    Args:
        draft: What is filled.
        line: Number of the line.
        name: Name of the nuisance, possibly with `[nofloat]`.
        words: The line from the kind on.
        readers: Readers of cells by kind, kept from row to row.
    """
    name, no_float = split_no_float(name)
    kind = words[0]
    _check_kinds(draft, line, name, kind)
    wanted = ARGUMENT_NAMES.get(kind, ())
    arguments = _read_arguments(draft, line, name, kind, words[1 : 1 + len(wanted)])
    cells = words[1 + len(wanted) :]
    count = len(draft.columns)
    if draft.complete and len(cells) < count:
        hint = "; a card has no continuation lines" if words[-1] == "\\" else ""
        draft.notes.problem(
            line,
            f"nuisance {name} ({kind}): {counted(len(cells), 'cell')}, "
            f"expected one for each of the {counted(count, 'column')}{hint}",
        )
        return
    if not draft.complete:
        count = len(cells)
    effects = _read_cells(draft, line, name, cells[:count], cell_reader(kind, readers))
    if effects is None or arguments is None:
        return
    if len(cells) > count:
        _check_extra_cells(draft, line, name, cells[count:], cell_reader(kind, readers))
    draft.add_row(DraftRow(line, name, kind, effects, arguments, no_float))
    if kind == "gmN" and draft.complete:
        for index, effect in enumerate(effects):
            if draft.columns[index].rate == 0 and effect is not None:
                # Combine's stand-in for what an empty sideband predicts.
                draft.columns[index] = replace(draft.columns[index], rate=1e-6)


def split_no_float(name: str) -> tuple[str, bool]:
    """Return a name without `[nofloat]` at its end, and whether it was there."""
    if name.endswith(_NO_FLOAT):
        return name.replace(_NO_FLOAT, ""), True
    return name, False


def _check_kinds(draft: Draft, line: int, name: str, kind: str) -> None:
    """Refuse `shape` and `lnN` rows of one name, as Combine does."""
    clash = {"lnN": "shape", "shape": "lnN"}.get(kind)
    if clash is None:
        return
    first = draft.kind_lines.get((name, clash))
    if first is not None:
        draft.notes.problem(
            line,
            f"nuisance {name} is {kind} here and {clash} in line {first}; "
            "write one row of kind shape?, which reads a template where there is one",
        )


def _read_arguments(draft: Draft, line: int, name: str, kind: str, words: Sequence[str]) -> tuple[float, ...] | None:
    labels = ARGUMENT_NAMES.get(kind, ())
    if len(words) < len(labels):
        draft.notes.problem(line, f"nuisance {name} ({kind}): {labels[len(words)]} is missing after the kind")
        return None
    try:
        if kind == "gmN":
            arguments: tuple[float, ...] = (read_integer(words[0]),)
        else:
            arguments = tuple(map(read_number, words))
    except ValueError as error:
        draft.notes.problem(line, f"nuisance {name} ({kind}): {' '.join(labels)}: {error}")
        return None
    problem = ""
    if kind == "gmN" and arguments[0] < 0:
        problem = f"N is {words[0]}, expected the number of events in the sideband, at least 0"
    elif kind == "unif" and not arguments[0] < arguments[1]:
        problem = f"the range {words[0]} {words[1]} is empty"
    elif kind.startswith("dFD") and not arguments[0] > 0:
        problem = f"A is {words[0]}, expected a number above 0"
    if problem:
        draft.notes.problem(line, f"nuisance {name} ({kind}): {problem}")
        return None
    return arguments


def _read_cells(draft: Draft, line: int, name: str, cells: Sequence[str], reader: CellReader) -> list[Effect] | None:
    try:
        return [reader[cell] for cell in cells]
    except ValueError:
        pass
    bad = 0
    for index, cell in enumerate(cells):
        try:
            reader[cell]
        except ValueError as error:
            bad += 1
            if bad <= _MOST_BAD_CELLS:
                place = f" ({draft.columns[index].place})" if draft.complete else ""
                draft.notes.problem(line, f"nuisance {name}, cell {index + 1}{place}: {error}")
    if bad > _MOST_BAD_CELLS:
        draft.notes.problem(line, f"nuisance {name}: {counted(bad - _MOST_BAD_CELLS, 'more cell')} cannot be read")
    return None


def _check_extra_cells(draft: Draft, line: int, name: str, extra: Sequence[str], reader: CellReader) -> None:
    """Warn where words beyond the last column look like cells; words of a remark are common and harmless."""
    try:
        reader[extra[0]]
    except ValueError:
        return
    count = len(draft.columns)
    draft.notes.warn(
        "extra-cells",
        line,
        f"nuisance {name} has {counted(len(extra), 'word')} after the cell of the last column, "
        f"from {shown(extra[0])} on; Combine ignores them",
        f"the card has {counted(count, 'column')}: check that the row belongs to it",
    )
