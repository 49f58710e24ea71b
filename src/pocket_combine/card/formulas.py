"""Whether the formulas of a card can be evaluated: their arguments exist and do not depend on themselves.

What a formula computes is the business of the likelihood; nothing is evaluated here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from pocket_combine.card.draft import Draft
from pocket_combine.card.lexical import read_number, shown
from pocket_combine.card.model import Constraint
from pocket_combine.card.options import CardOptions

__all__ = ["check_formulas", "formula_problem", "names_used"]

_ARGUMENT = re.compile(r"@(\d{1,9})")
_NOT_A_NAME = re.compile(r"[+\-*/()]")
_LONGEST = 100_000


def formula_problem(formula: str, argument_count: int) -> str | None:
    """Return what is wrong with the outer form of a formula, or `None`.

    Examples:
        >>> formula_problem("(@0*@2", 2)
        'has @2, but only 2 arguments, counted from @0'
        >>> formula_problem("(@0*(1-@1)", 2)
        'has parentheses that do not close'
    """
    if len(formula) > _LONGEST:
        return f"has {len(formula)} characters, expected at most {_LONGEST}"
    positions = [int(digits) for digits in _ARGUMENT.findall(formula)]
    beyond = [position for position in positions if position >= argument_count]
    if beyond:
        noun = "argument" if argument_count == 1 else "arguments"
        return f"has @{beyond[0]}, but only {argument_count} {noun}, counted from @0"
    depth = 0
    for character in formula:
        depth += (character == "(") - (character == ")")
        if depth < 0:
            break
    return "has parentheses that do not close" if depth else None


def check_formulas(draft: Draft, options: CardOptions) -> set[str]:
    """Note what is wrong with formulas and return all names that formulas use.

    Args:
        draft: The whole card.
        options: Which further names are accepted.
    """
    known = {*options.pois, "MH", *(row.name for row in draft.rows), *draft.external_arguments}
    known |= {placed.value.name for placed in draft.parameters}
    known |= {placed.value.name for placed in draft.rate_parameters}
    known |= {variable.name for placed in draft.constraints for variable in placed.value.defined}
    if options.allow_unknown_arguments:
        known |= {name for placed in draft.rate_parameters for name in placed.value.arguments}
        known |= {name for placed in draft.constraints for name in names_used(placed.value)}
    used = _check_rate_formulas(draft, known) | _check_constraints(draft, known)
    _check_cycles(draft)
    return used


def _check_rate_formulas(draft: Draft, known: set[str]) -> set[str]:
    used: set[str] = set()
    for placed in draft.rate_parameters:
        parameter = placed.value
        if parameter.formula is None:
            used.add(parameter.name)
            continue
        place = f"rateParam {parameter.name}"
        used.update(parameter.arguments)
        _check_form(draft, placed.line, place, parameter.formula, len(parameter.arguments))
        _check_names(draft, placed.line, place, parameter.arguments, known)
    return used


def _check_constraints(draft: Draft, known: set[str]) -> set[str]:
    used: set[str] = set()
    for placed in draft.constraints:
        constraint = placed.value
        place = f"constr {constraint.name}"
        _check_form(draft, placed.line, place, constraint.formula, len(constraint.arguments))
        names = names_used(constraint)
        used.update(names)
        _check_names(draft, placed.line, place, names, known)
    return used


def _check_form(draft: Draft, line: int, place: str, formula: str, argument_count: int) -> None:
    problem = formula_problem(formula, argument_count)
    if problem:
        draft.notes.problem(line, f"{place}: the formula {shown(formula)} {problem}")


def _check_names(draft: Draft, line: int, place: str, names: Collection[str], known: set[str]) -> None:
    for name in names:
        if name not in known and name not in draft.unread:
            draft.notes.problem(line, f"{place}: no parameter {shown(name)}{draft.notes.hint(name, known)}")


def names_used(constraint: Constraint) -> tuple[str, ...]:
    """Return the names of the parameters that a constraint needs.

    Examples:
        >>> names_used(Constraint("c", "a-2*(b+c)", (), "width"))
        ('a', 'b', 'c', 'width')
    """
    names = constraint.arguments or _names_in(constraint.formula)
    return (*names, constraint.sigma) if isinstance(constraint.sigma, str) else names


def _names_in(formula: str) -> tuple[str, ...]:
    """Return the names in a formula without arguments, taken apart as Combine does: at signs and parentheses."""
    names: dict[str, None] = {}
    for word in _NOT_A_NAME.split(formula):
        try:
            read_number(word)
        except ValueError:
            if word not in ("", "TMath", "Exp", "::"):
                names[word] = None
    return tuple(names)


def _check_cycles(draft: Draft) -> None:
    """Note formulas that depend on themselves, each cycle once."""
    needs: dict[str, tuple[int, tuple[str, ...]]] = {}
    free = {placed.value.name for placed in draft.rate_parameters if placed.value.formula is None}
    for placed in draft.rate_parameters:
        line, parameter = placed.line, placed.value
        if parameter.formula is not None and parameter.name not in free:
            needs.setdefault(parameter.name, (line, parameter.arguments))
    done: set[str] = set()
    for start in needs:
        path: dict[str, None] = {}
        todo = [(start, False)]
        while todo:
            name, leaving = todo.pop()
            if leaving:
                del path[name]
                done.add(name)
            elif name in path:
                names = list(path)
                cycle = [*names[names.index(name) :], name]
                draft.notes.problem(needs[name][0], f"rateParam {name} depends on itself: {_chain(cycle)}")
            elif name in needs and name not in done:
                path[name] = None
                todo.append((name, True))
                todo += [(argument, False) for argument in needs[name][1]]


def _chain(names: Sequence[str]) -> str:
    shown_names = names if len(names) <= 10 else [*names[:5], "…", *names[-4:]]
    return " -> ".join(shown_names)
