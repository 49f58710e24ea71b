"""Parameters by the words that Combine knows for several of them at once."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pocket_combine.card.patterns import whole_match
from pocket_combine.errors import CardError, nearest
from pocket_combine.likelihood import ParameterList

__all__ = ["ALL_NUISANCES", "selected_parameters"]

ALL_NUISANCES = "allConstrainedNuisances"
"""Stands for all parameters with a constraint term that are not of interest."""

_PATTERN = re.compile(r"(?:rgx|var)\{(.*)\}", re.DOTALL)


def selected_parameters(parameters: ParameterList, words: Sequence[str], groups: Sequence[str] = ()) -> list[str]:
    """Return the names of parameters that words and groups stand for, in the order of the words.

    Args:
        parameters: All parameters of a model.
        words: Names; `rgx{PATTERN}` for all names that a regular expression matches as a whole; and
            `allConstrainedNuisances`.
        groups: Names of groups; `^NAME` for all nuisances that are not in the group.

    Raises:
        CardError: If a word stands for nothing, or a pattern is no regular expression. All problems are listed.

    Examples:
        >>> from pocket_combine.likelihood import Constraint, ConstraintKind, ModelParameter
        >>> term = Constraint(ConstraintKind.GAUSSIAN)
        >>> names = ("CMS_a", "CMS_b", "lumi")
        >>> parameters = ParameterList([ModelParameter(name, "lnN", 0.0, (-7.0, 7.0), term) for name in names])
        >>> selected_parameters(parameters, ["rgx{CMS_.*}"])
        ['CMS_a', 'CMS_b']
    """
    problems: list[str] = []
    chosen: list[str] = []
    for word in words:
        try:
            chosen += _named(parameters, word)
        except ValueError as error:
            problems += error.problems if isinstance(error, CardError) else [str(error)]
    known = parameters.groups
    for group in groups:
        name = group.removeprefix("^")
        if name not in known:
            problems.append(f"no group {name!r} in the model: {nearest(name, known)}")
        elif group == name:
            chosen += known[name]
        else:
            chosen += [other for other in _nuisances(parameters) if other not in known[name]]
    if problems:
        raise CardError(problems)
    return list(dict.fromkeys(chosen))


def _nuisances(parameters: ParameterList) -> list[str]:
    return [item.name for item in parameters if item.is_nuisance and item.name not in parameters.pois]


def _named(parameters: ParameterList, word: str) -> list[str]:
    if word == ALL_NUISANCES:
        return _nuisances(parameters)
    pattern = _PATTERN.fullmatch(word)
    if pattern is None:
        return [parameters.get(word).name]
    matches = whole_match(pattern.group(1))
    found = [name for name in parameters.names if matches(name)]
    if not found:
        raise CardError(f"no parameter matches {word!r}: {nearest(pattern.group(1), parameters.names)}")
    return found
