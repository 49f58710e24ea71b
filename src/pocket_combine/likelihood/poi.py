"""Parameters of interest, and which of them scales each column.

Without a map there is one, `r`, on every signal. A map has the meaning of Combine's `multiSignalModel`
(`python/PhysicsModel.py`): patterns against `channel/process`, of which the last one that matches decides.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pocket_combine.card.model import Column
from pocket_combine.errors import CardError, nearest
from pocket_combine.likelihood.parameters import ModelParameter

__all__ = ["DEFAULT_POI", "Scaling", "scale_columns", "signal_strengths"]

DEFAULT_POI = ModelParameter("r", "POI", 1.0, (0.0, 20.0))
"""What scales every signal without a map."""

_EXPRESSION = re.compile(r"([A-Za-z_]\w*)(?:\[([^,\]]+),([^,\]]+),([^,\]]+)\])?")


_SUPPORTED = "expected name[initial,low,high], the name of a parameter defined that way, 1 (not scaled) or 0 (removed)"


@dataclass(frozen=True)
class Scaling:
    """Which parameter of interest scales which column.

    Attributes:
        pois: The parameters of interest, in order of first use.
        scale: Name of the parameter that multiplies a column, `None` where there is none, one per column.
        removed: Whether the column is taken out of its channel (mapped to `0`), one per column.
    """

    pois: tuple[ModelParameter, ...]
    scale: tuple[str | None, ...]
    removed: tuple[bool, ...]


def scale_columns(columns: Sequence[Column], pois: Mapping[str, str] | None) -> Scaling:
    """Return which parameter of interest scales each column.

    Args:
        columns: The columns of the card.
        pois: Expression per pattern, in order. A pattern is a regular expression, or several with commas between,
            matched from the beginning of `channel/process`. An expression is `name[initial,low,high]`, the name of a
            parameter defined that way, `1` (not scaled) or `0` (removed). `None` is the default model.

    Raises:
        CardError: If a pattern is no regular expression or matches nothing, or an expression is not understood.

    Examples:
        >>> columns = [Column("SR", "ggH", 0, 1.0), Column("SR", "qqH", -1, 1.0), Column("SR", "bkg", 1, 9.0)]
        >>> scale_columns(columns, {".*/ggH": "muF[1,0,10]", ".*/qqH": "muV[1,0,10]"}).scale
        ('muF', 'muV', None)
    """
    if pois is None:
        scale = tuple(DEFAULT_POI.name if column.is_signal else None for column in columns)
        return Scaling((DEFAULT_POI,), scale, tuple(False for _ in columns))
    problems: list[str] = []
    parameters: dict[str, ModelParameter] = {}
    names: list[str | None] = [None] * len(columns)
    for patterns, expression in pois.items():
        name = _read_expression(expression, parameters, problems)
        matches = _matches(patterns, columns, problems)
        for position in matches:
            names[position] = name
    if not (parameters or problems):
        problems.append("the map defines no parameter of interest: one expression must be name[initial,low,high]")
    used = dict.fromkeys(name for name in names if name is not None)
    problems += [
        f"the map uses {name!r}, which no expression defines with [initial,low,high]: {nearest(name, parameters)}"
        for name in used
        if name not in ("0", "1") and name not in parameters
    ]
    if problems:
        raise CardError(problems)
    scaled = tuple(None if name in ("0", "1") else name for name in names)
    return Scaling(tuple(parameters.values()), scaled, tuple(name == "0" for name in names))


def signal_strengths(pois: Mapping[str, str] | None) -> tuple[str, ...]:
    """Return the names that a map defines, which formulas of a card may use; see `scale_columns`.

    Examples:
        >>> signal_strengths({".*/ggH": "muF[1,0,10]", ".*/ggZ": "muF", ".*/qqH": "muV[1,0,10]"})
        ('muF', 'muV')
    """
    if pois is None:
        return (DEFAULT_POI.name,)
    found = (_EXPRESSION.fullmatch(expression.replace(" ", "")) for expression in pois.values())
    return tuple(dict.fromkeys(match.group(1) for match in found if match is not None and match.group(2) is not None))


def _read_expression(expression: str, parameters: dict[str, ModelParameter], problems: list[str]) -> str | None:
    text = expression.replace(" ", "")
    if text in ("0", "1"):
        return text
    place = f"the map's expression {expression!r}"
    found = _EXPRESSION.fullmatch(text)
    if found is None or text == "super":
        problems.append(f"{place} {_refusal(text)}; {_SUPPORTED}")
        return None
    name, *numbers = found.groups()
    if numbers[0] is None:
        return name
    try:
        initial, low, high = (float(number) for number in numbers)
    except ValueError:
        problems.append(f"{place} holds something else than numbers in [initial,low,high]; {_SUPPORTED}")
        return None
    if not (low < high and math.isfinite(initial)):
        problems.append(f"{place}: expected a finite initial value and a low end below the high one")
    elif not low <= initial <= high:
        problems.append(f"{place}: the initial value is outside the range")
    new = ModelParameter(name, "POI", initial, (low, high))
    first = parameters.setdefault(name, new)
    if first != new:
        range_ = f"[{first.initial:g},{first.range[0]:g},{first.range[1]:g}]"
        problems.append(f"{place} contradicts {name}{range_} before it; write {name!r} alone to use it again")
    return name


def _refusal(text: str) -> str:
    """Return why an expression that `multiSignalModel` may know is refused."""
    if text == "super":
        return "asks for the scaling of another physics model, and there is none"
    if "=" in text or "(" in text:
        return (
            "is a factory of RooFit, which is not supported: for a function of parameters of interest write "
            "'NAME rateParam CHANNEL PROCESS FORMULA ARGUMENTS' into the card, and map its arguments here"
        )
    if "[" in text:
        return "is not understood: three numbers belong into the brackets, and freezing a parameter makes it constant"
    return "is not understood"


def _matches(patterns: str, columns: Sequence[Column], problems: list[str]) -> Iterable[int]:
    matched: dict[int, None] = {}
    for pattern in patterns.split(","):
        try:
            compiled = re.compile(pattern)
        except re.error as error:
            problems.append(f"the map's pattern {pattern!r} is not a regular expression: {error}")
            continue
        found = [i for i, column in enumerate(columns) if compiled.match(f"{column.channel}/{column.process}")]
        if not found:
            available = nearest(pattern, [f"{column.channel}/{column.process}" for column in columns])
            if "/" not in pattern:
                available = f"write '.*/{pattern}' for a process in all channels; {available}"
            problems.append(f"the map's pattern {pattern!r} matches no channel/process: {available}")
        matched.update(dict.fromkeys(found))
    return matched
