"""Which names of one card stand for which of another: what was renamed, split and merged."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from pocket_combine.comparison.view import CardView, CellView, ColumnKey, same_numbers
from pocket_combine.templates import FloatArray

__all__ = ["Cells", "Relation", "relations", "renamed_channels", "renamed_processes", "similarity"]

Cells = Mapping[str, Mapping[ColumnKey, tuple[CellView, ...]]]
"""Cells by nuisance and column."""

_DIGITS = 6


def similarity(first: str, second: str) -> float:
    """Return how similar two names are, from 0 to 1."""
    return difflib.SequenceMatcher(None, first, second, autojunk=False).ratio()


def _match(before: Iterable[str], after: Iterable[str], same: Callable[[str, str], bool]) -> dict[str, str]:
    """Return old name → new name for pairs that are the same, the most similar names first."""
    pairs = [(old, new) for old in before for new in after if same(old, new)]
    pairs.sort(key=lambda pair: (-similarity(*pair), pair))
    result: dict[str, str] = {}
    taken: set[str] = set()
    for old, new in pairs:
        if old not in result and new not in taken:
            result[old] = new
            taken.add(new)
    return result


def renamed_channels(before: CardView, after: CardView, tolerance: float) -> dict[str, str]:
    """Return old name → new name of channels with the same data and the same expected events."""

    def same(old: str, new: str) -> bool:
        one, other = before.channels[old], after.channels[new]
        if one.bins != other.bins or (one.data is None) != (other.data is None):
            return False
        if one.data is not None and other.data is not None and not same_numbers(one.data, other.data, tolerance):
            return False
        return same_numbers(before.expected(old), after.expected(new), tolerance)

    vanished = [name for name in before.channels if name not in after.channels]
    appeared = [name for name in after.channels if name not in before.channels]
    return _match(vanished, appeared, same)


def renamed_processes(before: CardView, after: CardView, tolerance: float) -> dict[str, str]:
    """Return old name → new name of processes with the same events in the same channels."""

    def events(view: CardView) -> dict[str, dict[str, FloatArray]]:
        result: dict[str, dict[str, FloatArray]] = {}
        for key, column in view.columns.items():
            result.setdefault(key.process, {})[key.channel] = column.events
        return result

    one, other = events(before), events(after)

    def same(old: str, new: str) -> bool:
        return one[old].keys() == other[new].keys() and all(
            same_numbers(contents, other[new][channel], tolerance) for channel, contents in one[old].items()
        )

    vanished = [name for name in one if name not in other]
    appeared = [name for name in other if name not in one]
    return _match(vanished, appeared, same)


@dataclass(frozen=True)
class Relation:
    """Nuisances of the first card whose cells are those of nuisances of the second.

    Attributes:
        before: Their names in the first card.
        after: Their names in the second card.
        cells: How many cells went from one to the other.
    """

    before: tuple[str, ...]
    after: tuple[str, ...]
    cells: int


def relations(lost: Cells, gained: Cells) -> list[Relation]:
    """Return how cells that nuisances lost are found again with others.

    A relation is complete: all cells that its nuisances lost are among those that the others gained, and none of these
    is left over. Of several possibilities the one with most cells in common, then the most similar names, is taken.

    Args:
        lost: Cells of the first card that the nuisance of this name does not have in the second.
        gained: Cells of the second card that the nuisance of this name did not have in the first.
    """
    left = {name: {key: _fingerprint(cell) for key, cell in cells.items()} for name, cells in lost.items()}
    right = {name: {key: _fingerprint(cell) for key, cell in cells.items()} for name, cells in gained.items()}
    moved = _assign(left, right)
    return [
        _relation(component, moved) for component in _components(moved) if _is_complete(component, moved, left, right)
    ]


_Prints = dict[str, dict[ColumnKey, bytes]]
_Moves = dict[tuple[str, str], set[ColumnKey]]


def _fingerprint(cells: tuple[CellView, ...]) -> bytes:
    """Return bytes that are the same for cells which agree in six digits."""
    parts = []
    for cell in cells:
        numbers = np.concatenate([np.array(cell.numbers), cell.up, cell.down])
        size = np.abs(numbers)
        scaled = (size > 0) & np.isfinite(size)
        scale = 10.0 ** (_DIGITS - 1 - np.floor(np.log10(np.where(scaled, size, 1.0))))
        rounded = np.round(numbers * scale) / scale + 0.0
        parts.append(cell.kind.encode() + b"\0" + rounded.astype(np.float32).tobytes())
    return b"\1".join(parts)


def _assign(left: _Prints, right: _Prints) -> _Moves:
    """Return which cells go from which name to which."""
    holders: dict[tuple[ColumnKey, bytes], list[str]] = {}
    for name, cells in right.items():
        for item in cells.items():
            holders.setdefault(item, []).append(name)
    common: dict[tuple[str, str], set[ColumnKey]] = {}
    for name, cells in left.items():
        for item in cells.items():
            for other in holders.get(item, ()):
                common.setdefault((name, other), set()).add(item[0])

    def rank(pair: tuple[str, str]) -> tuple[float, float, tuple[str, str]]:
        shared = len(common[pair])
        return -shared / max(len(left[pair[0]]), len(right[pair[1]])), -similarity(*pair), pair

    moved: _Moves = {}
    from_left: dict[str, set[ColumnKey]] = {name: set(cells) for name, cells in left.items()}
    to_right: dict[str, set[ColumnKey]] = {name: set(cells) for name, cells in right.items()}
    for old, new in sorted(common, key=rank):
        keys = common[old, new] & from_left[old] & to_right[new]
        if keys:
            moved[old, new] = keys
            from_left[old] -= keys
            to_right[new] -= keys
    return moved


def _components(moved: _Moves) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Return groups of old and new names between which cells went, in order of the old names."""
    result = []
    done: set[str] = set()
    for first, _ in moved:
        if first in done:
            continue
        old, new = {first}, set[str]()
        while True:
            more_new = {to for name, to in moved if name in old}
            more_old = {name for name, to in moved if to in more_new}
            if more_new == new and more_old == old:
                break
            old, new = more_old, more_new
        done |= old
        result.append((tuple(sorted(old)), tuple(sorted(new))))
    return sorted(result)


def _is_complete(
    component: tuple[tuple[str, ...], tuple[str, ...]], moved: _Moves, left: _Prints, right: _Prints
) -> bool:
    before, after = component
    taken = {name: sum(len(keys) for (old, _), keys in moved.items() if old == name) for name in before}
    given = {name: sum(len(keys) for (_, new), keys in moved.items() if new == name) for name in after}
    return all(taken[name] == len(left[name]) for name in before) and all(
        given[name] == len(right[name]) for name in after
    )


def _relation(component: tuple[tuple[str, ...], tuple[str, ...]], moved: _Moves) -> Relation:
    before, after = component
    return Relation(before, after, sum(len(keys) for (old, _), keys in moved.items() if old in before))
