"""Differences between the nuisances of two cards: names, correlations, effects."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pocket_combine.comparison.changes import Change
from pocket_combine.comparison.matching import Relation, relations
from pocket_combine.comparison.sizes import Ruler
from pocket_combine.comparison.view import CardView, CellView, ColumnKey

__all__ = ["compare_nuisances"]

_Cells = Mapping[ColumnKey, tuple[CellView, ...]]


def compare_nuisances(
    before: CardView, after: CardView, ruler: Ruler, tolerance: float
) -> tuple[list[Change], list[Change], dict[str, str]]:
    """Return changes of names and correlations, changes of effects, and old name → new name of renamed nuisances.

    Cells in columns that only one of the cards has are no change of a nuisance.

    Args:
        before: The first card, with channels and processes named as in the second.
        after: The second card.
        ruler: Measures effects.
        tolerance: Relative difference up to which numbers are the same.
    """
    common = before.columns.keys() & after.columns.keys()
    old, new = _inside(before, common), _inside(after, common)
    lost = _difference(old, new)
    gained = _difference(new, old)
    found = relations(lost, gained)
    renamed = {relation.before[0]: relation.after[0] for relation in found if _is_rename(relation, old, new)}
    related = [_relation(relation, old, new, ruler) for relation in found]
    explained_old = {name for relation in found for name in relation.before}
    explained_new = {name for relation in found for name in relation.after}

    names, effects = related, []
    for name in dict.fromkeys((*before.cells, *after.cells)):
        if name not in after.cells and name not in explained_old:
            size = ruler.effect(before.cells[name], {})
            message = f"acted on {_columns(before.cells[name])}"
            names.append(Change("nuisance", "vanished", (name,), (), message, nuisance=name, size=size))
        elif name not in before.cells and name not in explained_new:
            size = ruler.effect({}, after.cells[name])
            message = f"acts on {_columns(after.cells[name])}"
            names.append(Change("nuisance", "appeared", (), (name,), message, nuisance=name, size=size))
        elif name in before.cells and name in after.cells:
            one = {} if name in explained_old else lost.get(name, {})
            other = {} if name in explained_new else gained.get(name, {})
            change = _effect(name, old.get(name, {}), new.get(name, {}), (one, other), ruler, tolerance)
            effects += [change] if change else []
    return names, effects, renamed


def _inside(view: CardView, columns: set[ColumnKey]) -> dict[str, _Cells]:
    """Return the cells in these columns, of nuisances that have any."""
    kept = {name: {key: cell for key, cell in cells.items() if key in columns} for name, cells in view.cells.items()}
    return {name: cells for name, cells in kept.items() if cells}


def _difference(first: Mapping[str, _Cells], second: Mapping[str, _Cells]) -> dict[str, _Cells]:
    """Return the cells of the first that the nuisance of this name does not have in the second."""
    found = {
        name: {key: cell for key, cell in cells.items() if key not in second.get(name, {})}
        for name, cells in first.items()
    }
    return {name: cells for name, cells in found.items() if cells}


def _is_rename(relation: Relation, old: Mapping[str, _Cells], new: Mapping[str, _Cells]) -> bool:
    if len(relation.before) != 1 or len(relation.after) != 1:
        return False
    return relation.before[0] not in new and relation.after[0] not in old


def _relation(relation: Relation, old: Mapping[str, _Cells], new: Mapping[str, _Cells], ruler: Ruler) -> Change:
    """Return one change for nuisances whose cells went from one to the other."""
    before, after = relation.before, relation.after
    if _is_rename(relation, old, new):
        message = f"same effect on {_count(relation.cells, 'column')}"
        return Change("nuisance", "renamed", before, after, message, nuisance=after[0])
    # Those that keep cells under their own name stay part of the correlation.
    before_all = tuple(sorted({*before, *(name for name in after if name in old)}))
    after_all = tuple(sorted({*after, *(name for name in before if name in new)}))
    action = "regrouped"
    if len(before_all) == 1:
        action = "split"
    elif len(after_all) == 1:
        action = "merged"
    words = {"split": "no longer correlated", "merged": "now correlated", "regrouped": "correlated in another way"}
    cells = {key: cell for name in before for key, cell in old[name].items()}
    message = f"same effects, {words[action]}, on {_count(relation.cells, 'column')}"
    size = ruler.effect(cells, {})
    return Change("correlation", action, before_all, after_all, message, nuisance=after_all[0], size=size)


def _effect(
    name: str, old: _Cells, new: _Cells, moved: tuple[_Cells, _Cells], ruler: Ruler, tolerance: float
) -> Change | None:
    """Return how the effect of a nuisance changed, with the column of the largest change."""
    lost, gained = moved
    changed = [key for key, cells in old.items() if key in new and not _same_cells(cells, new[key], tolerance)]
    if not (changed or lost or gained):
        return None
    concerned = [*changed, *lost, *gained]
    before = {key: old[key] for key in concerned if key in old}
    after = {key: new[key] for key in concerned if key in new}
    sizes = {key: ruler.effect(_only(before, key), _only(after, key)) for key in concerned}
    worst = max(concerned, key=lambda key: (sizes[key], -concerned.index(key)))
    parts = []
    for keys, words in ((changed, "changed"), (tuple(lost), "gone"), (tuple(gained), "new")):
        parts += [f"{_count(len(keys), 'column')} {words}"] if keys else []
    message = f"{', '.join(parts)}; most in channel {worst.channel}, process {worst.process}: "
    message += _description(before.get(worst, ()), after.get(worst, ()))
    return Change(
        "nuisance",
        "changed",
        (name,),
        (name,),
        message,
        channel=worst.channel,
        process=worst.process,
        nuisance=name,
        size=ruler.effect(before, after),
    )


def _same_cells(first: tuple[CellView, ...], second: tuple[CellView, ...], tolerance: float) -> bool:
    return len(first) == len(second) and all(
        one.same(other, tolerance) for one, other in zip(first, second, strict=True)
    )


def _only(cells: _Cells, key: ColumnKey) -> _Cells:
    return {key: cells[key]} if key in cells else {}


def _description(old: tuple[CellView, ...], new: tuple[CellView, ...]) -> str:
    """Return old and new effect on one column: the numbers of the rows, or the bin where templates differ most."""
    texts = [" and ".join(cell.text() for cell in cells) or "nothing" for cells in (old, new)]
    if texts[0] != texts[1] or not old or old[0].up.shape != new[0].up.shape:
        return " → ".join(texts)
    differences = {
        side: np.abs(getattr(old[0], side.lower()) - getattr(new[0], side.lower())) for side in ("Up", "Down")
    }
    side = max(differences, key=lambda name: float(differences[name].max()))
    at = int(differences[side].argmax())
    one, other = (float(getattr(cells[0], side.lower())[at]) for cells in (old, new))
    return f"{side} in bin {at} {one - 1:+.3%} → {other - 1:+.3%} of nominal"


def _columns(cells: _Cells) -> str:
    return _count(len(cells), "column")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
