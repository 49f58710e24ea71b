"""Differences between what stands beside the table of two cards: rate parameters, parameters, groups, frozen names."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from pocket_combine.card.model import Card, RateParameter
from pocket_combine.comparison.changes import Change
from pocket_combine.comparison.matching import similarity
from pocket_combine.comparison.view import CardView, ColumnKey

__all__ = ["compare_parameters"]

_SHOWN = 5


class _Value(NamedTuple):
    """What a name stands for: a text that is the same if the meaning is, and the columns it acts on."""

    text: str
    columns: tuple[ColumnKey, ...] = ()

    def __str__(self) -> str:
        return f"{self.text} on {_shown(self.columns)}" if self.columns else self.text


_Values = dict[str, _Value]


def compare_parameters(
    cards: tuple[Card, Card],
    views: tuple[CardView, CardView],
    nuisances: Mapping[str, str],
    columns: Mapping[ColumnKey, ColumnKey],
) -> list[Change]:
    """Return changes of rate parameters, `param`, `extArg` and `constr` lines, groups and frozen names.

    Args:
        cards: First and second card.
        views: Their meaning, the first with channels and processes named as in the second.
        nuisances: Old name → new name of renamed nuisances.
        columns: New name → old name of the columns of the first card.
    """
    before, after = cards
    common = views[0].columns.keys() & views[1].columns.keys()
    old_columns = [(key, columns[key]) for key in views[0].columns if key in common]
    new_columns = [(key, key) for key in views[1].columns if key in common]
    names = dict(nuisances)
    changes: list[Change] = []
    for subject, old, new in (
        ("parameter", _parameters(before), _parameters(after)),
        ("external argument", _arguments(before), _arguments(after)),
    ):
        more, renamed = _compare(subject, old, new)
        changes += more
        names |= renamed
    new_rates = _rates(after, new_columns, {})
    # Which free ones were renamed decides what formulas mean.
    names |= _compare("rate parameter", _rates(before, old_columns, names), new_rates)[1]
    more, renamed = _compare("rate parameter", _rates(before, old_columns, names), new_rates)
    changes += more
    names |= renamed
    changes += _compare("constraint", _constraints(before, names), _constraints(after, {}))[0]
    changes += _compare("group", _groups(before, names), _groups(after, {}), difference=_members)[0]
    frozen = dict.fromkeys((names.get(name, name) for name in before.frozen), _Value("at its initial value"))
    still = dict.fromkeys(after.frozen, _Value("at its initial value"))
    changes += _compare("frozen parameter", frozen, still, renames=False)[0]
    return changes


def _difference(old: _Value, new: _Value) -> str:
    parts = [f"{old.text} → {new.text}"] if old.text != new.text else []
    for words, some, others in (("no longer on", old, new), ("now on", new, old)):
        only = [key for key in some.columns if key not in others.columns]
        parts += [f"{words} {_shown(only)}"] if only else []
    return ", ".join(parts)


def _members(old: _Value, new: _Value) -> str:
    """Return which members left and joined a group."""
    before, after = (dict.fromkeys(value.text.split(", ")) for value in (old, new))
    parts = [("without", [name for name in before if name not in after])]
    parts.append(("with", [name for name in after if name not in before]))
    return ", ".join(f"{word} {', '.join(names)}" for word, names in parts if names)


def _compare(
    subject: str,
    old: _Values,
    new: _Values,
    *,
    renames: bool = True,
    difference: Callable[[_Value, _Value], str] = _difference,
) -> tuple[list[Change], dict[str, str]]:
    """Return changes by name, and which names were renamed: the same content under another name."""
    vanished = [name for name in old if name not in new]
    appeared = [name for name in new if name not in old]
    renamed: dict[str, str] = {}
    if renames:
        pairs = [(one, other) for one in vanished for other in appeared if old[one] == new[other]]
        for one, other in sorted(pairs, key=lambda pair: (-similarity(*pair), pair)):
            if one not in renamed and other not in renamed.values():
                renamed[one] = other
    changes = [Change(subject, "renamed", (one,), (other,), str(new[other])) for one, other in renamed.items()]
    changes += [Change(subject, "vanished", (name,), (), str(old[name])) for name in vanished if name not in renamed]
    taken = set(renamed.values())
    changes += [Change(subject, "appeared", (), (name,), str(new[name])) for name in appeared if name not in taken]
    for name, value in old.items():
        if name in new and new[name] != value:
            changes.append(Change(subject, "changed", (name,), (name,), difference(value, new[name])))
    return changes, renamed


def _shown(keys: Sequence[ColumnKey]) -> str:
    text = ", ".join(f"{key.channel}/{key.process}" for key in keys[:_SHOWN])
    return f"{text}, … ({len(keys)} columns)" if len(keys) > _SHOWN else text


def _rates(card: Card, columns: list[tuple[ColumnKey, ColumnKey]], names: Mapping[str, str]) -> _Values:
    """Return what each rate parameter is and where it acts; columns are (name to show, name in this card)."""
    where: dict[str, set[ColumnKey]] = {}
    texts: dict[str, str] = {}
    for line in card.rate_parameters:
        reached = {shown for shown, own in columns if line.matches(own.channel, own.process)}
        where.setdefault(line.name, set()).update(reached)
        # The first line of a name says what it is.
        texts.setdefault(line.name, _rate_text(line, names))
    return {name: _Value(text, tuple(sorted(where[name]))) for name, text in texts.items()}


def _rate_text(line: RateParameter, names: Mapping[str, str]) -> str:
    if line.formula is not None:
        return _formula(line.formula, line.arguments, names)
    return f"{line.value:g}{_range(line.range)}"


def _formula(formula: str, arguments: tuple[str, ...], names: Mapping[str, str]) -> str:
    """Return a formula with the names of its arguments in place of `@0`, `@1`, …, under their new names."""

    def word(match: re.Match[str]) -> str:
        if match["number"] is None:
            return names.get(match[0], match[0])
        number = int(match["number"])
        return names.get(arguments[number], arguments[number]) if number < len(arguments) else match[0]

    return re.sub(r"@(?P<number>\d+)|[A-Za-z_]\w*", word, formula)


def _range(limits: tuple[float, float] | None) -> str:
    return "" if limits is None else f" [{limits[0]:g},{limits[1]:g}]"


def _parameters(card: Card) -> _Values:
    result = {}
    for entry in card.parameters:
        width = f"-{entry.sigma[0]:g}/+{entry.sigma[1]:g}" if isinstance(entry.sigma, tuple) else f"±{entry.sigma:g}"
        result[entry.name] = _Value(f"{entry.mean:g} {width}{_range(entry.range)}")
    return result


def _arguments(card: Card) -> _Values:
    return {
        entry.name: _Value(f"{entry.value:g}{_range(entry.range)}{' constant' if entry.constant else ''}")
        for entry in card.external_arguments
    }


def _constraints(card: Card, names: Mapping[str, str]) -> _Values:
    return {
        entry.name: _Value(
            f"{_formula(entry.formula, entry.arguments, names)}, width {names.get(str(entry.sigma), entry.sigma)}"
        )
        for entry in card.constraints
    }


def _groups(card: Card, names: Mapping[str, str]) -> _Values:
    return {
        group.name: _Value(", ".join(sorted(names.get(member, member) for member in group.members)))
        for group in card.groups
    }
