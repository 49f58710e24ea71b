"""The parameters that the lines of a card declare: initial values, ranges and constraints by the kind of line.

Rules of `python/ModelTools.py`; see section 5 of `docs/explanation/likelihood.md`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from pocket_combine.card.model import Card, ExternalArgument, Nuisance, Parameter, RateParameter
from pocket_combine.errors import CardError
from pocket_combine.likelihood.constraints import Constraint, ConstraintKind
from pocket_combine.likelihood.formula import formula_names
from pocket_combine.likelihood.parameters import ModelParameter

__all__ = ["declare_parameters", "poisson_range"]

_GAUSSIAN_RANGE = (-7.0, 7.0)
_SHAPE_RANGE = (-4.0, 4.0)
_FLAT_RANGE = (-1.0, 1.0)
_NEGLIGIBLE = 1e-12
"""Probability at which the range of a sideband count ends."""

_SEVEN_SIGMA = 0.5 * math.erfc(7.0 / math.sqrt(2.0))
"""One-sided tail at which the range of a bin's event count ends (`src/CMSHistErrorPropagator.cc`)."""


def declare_parameters(
    card: Card,
    pois: Sequence[ModelParameter],
    acting: Mapping[str, Sequence[float]],
    factors: Iterable[str],
    *,
    exact: bool,
) -> list[ModelParameter]:
    """Return the parameters of a model, without those that autoMCStats makes.

    The order is: parameters of interest, nuisance rows, `param` lines, rate parameters, `extArg` lines, each in the
    order of the card. A nuisance that acts on nothing is left out, and so are free parameters that nothing uses.

    A rate parameter whose name is taken is the parameter of that name, which is how a `param` line constrains it; so is
    an `extArg` whose name is that of a parameter of interest, a row or a `param` line.

    Args:
        card: The card.
        pois: Parameters of interest.
        acting: Coefficients of the cells that act, by nuisance.
        factors: Names that stand as factors on kept columns.
        exact: Whether Combine's roundings are left out.

    Raises:
        CardError: If a name is declared twice in ways that contradict each other. All problems are listed.
    """
    problems: list[str] = []
    declared: dict[str, ModelParameter] = {}
    for poi in pois:
        declared[poi.name] = poi
    for row in card.nuisances:
        if row.name in acting:
            _merge(declared, _from_row(row, acting[row.name], exact=exact), problems)
    for line in card.parameters:
        _add_param(declared, _from_param(line), problems)
    if problems:
        raise CardError(problems)
    used = _used_names(card, factors)
    variables = {variable.name for variable in card.variables}
    lines: tuple[RateParameter | ExternalArgument, ...] = (*card.rate_parameters, *card.variables)
    for free in lines:
        is_variable = free.name in variables if isinstance(free, RateParameter) else free.constant
        if free.name in used and free.name not in declared and free.value is not None and not is_variable:
            declared[free.name] = _from_free(free)
    groups = {name: tuple(group.name for group in card.groups if name in group.members) for name in declared}
    frozen = set(card.frozen)
    return [replace(item, groups=groups[name], frozen=name in frozen) for name, item in declared.items()]


def _constraint_names(card: Card) -> list[str]:
    """Return the names that `constr` lines use, those of their widths included."""
    names: list[str] = []
    for line in card.constraints:
        names += line.arguments or formula_names(line.formula, f"constr {line.name}")
        if isinstance(line.sigma, str):
            names.append(line.sigma)
    return names


def _used_names(card: Card, factors: Iterable[str]) -> set[str]:
    """Return the names that factors and `constr` lines need, followed through formulas."""
    formulas = {line.name: line for line in card.rate_parameters if line.formula is not None}
    todo = [*factors, *_constraint_names(card)]
    used: set[str] = set()
    while todo:
        name = todo.pop()
        if name not in used:
            used.add(name)
            todo += formulas[name].arguments if name in formulas else ()
    return used


def _merge(declared: dict[str, ModelParameter], new: ModelParameter, problems: list[str]) -> None:
    """Add a parameter, or check that a row of the same name asks for the same one; the first row's range holds."""
    first = declared.setdefault(new.name, new)
    if first.is_signal_strength and first is not new:
        problems.append(f"{new.kind} {new.name} has the name of a parameter of interest")
    elif first.constraint != new.constraint:
        problems.append(_contradiction(first, new))
    elif "shape" in {first.kind, new.kind} and {first.kind, new.kind} & {"lnN", "lnU"}:
        problems.append(
            f"{new.name} is shape in one row and {new.kind if first.kind == 'shape' else first.kind} in "
            "another, which Combine refuses; write shape?"
        )


def _add_param(declared: dict[str, ModelParameter], new: ModelParameter, problems: list[str]) -> None:
    """Add the parameter of a `param` line, whose range holds for a row or an earlier line of that name, too.

    Only lines that ask for the same constraint can share a name: for others Combine's answer depends on their order.
    """
    first = declared.setdefault(new.name, new)
    if first.is_signal_strength:
        problems.append(f"param {new.name} has the name of a parameter of interest")
    elif (first.constraint, first.initial) != (new.constraint, new.initial):
        problems.append(_contradiction(first, new))
    else:
        declared[new.name] = replace(first, range=new.range)


def _contradiction(first: ModelParameter, new: ModelParameter) -> str:
    return f"{new.kind} {new.name} contradicts {first.kind} {new.name}: one name, two constraints"


def _from_row(row: Nuisance, coefficients: Sequence[float], *, exact: bool) -> ModelParameter:
    if row.kind in ("lnU", "shapeU"):
        return ModelParameter(row.name, row.kind, 0.0, _FLAT_RANGE, Constraint(ConstraintKind.UNIFORM))
    if row.kind == "shape":
        return ModelParameter(row.name, row.kind, 0.0, _SHAPE_RANGE, Constraint(ConstraintKind.GAUSSIAN))
    special = _SPECIAL.get(row.kind)
    if special is not None:
        return special(row, coefficients, exact)
    return ModelParameter(row.name, row.kind, 0.0, _GAUSSIAN_RANGE, Constraint(ConstraintKind.GAUSSIAN))


def _from_sideband(row: Nuisance, _coefficients: Sequence[float], exact: bool) -> ModelParameter:
    count = row.arguments[0]
    low, high = (count + 1.0 if count > 0 else 0.0), count + 1.0
    while low > 0 and _poisson(count, low) > _NEGLIGIBLE:
        low *= 0.8
    while _poisson(count, high) > _NEGLIGIBLE:
        high *= 1.2
    limits = _written((low, high), exact=exact)
    return ModelParameter(row.name, row.kind, count + 1.0, limits, Constraint(ConstraintKind.POISSON, count))


def _from_measured(row: Nuisance, coefficients: Sequence[float], exact: bool) -> ModelParameter:
    v = coefficients[0]
    if any(other != v for other in coefficients):
        raise CardError(f"nuisance {row.name} (gmM) has different numbers, expected the same in all its cells")
    shape, scale = 1.0 / v**2, v**2
    if not exact:
        shape, scale = float(f"{shape:.6g}"), float(f"{scale:.6g}")
    limits = _written((max(0.01, 1.0 - 5.0 * v), 1.0 + 5.0 * v), exact=exact)
    return ModelParameter(row.name, row.kind, 1.0, limits, Constraint(ConstraintKind.GAMMA, shape, (scale, scale)))


def _from_truncated(row: Nuisance, coefficients: Sequence[float], exact: bool) -> ModelParameter:
    limits = _written(_positive_range(_GAUSSIAN_RANGE, coefficients), exact=exact)
    return ModelParameter(row.name, row.kind, 0.0, limits, Constraint(ConstraintKind.GAUSSIAN))


def _from_uniform(row: Nuisance, _coefficients: Sequence[float], _exact: bool) -> ModelParameter:
    low, high = row.arguments
    if not low < high:
        raise CardError(f"nuisance {row.name} (unif): the range [{low:g}, {high:g}] is empty")
    return ModelParameter(row.name, row.kind, 0.5 * (low + high), (low, high), Constraint(ConstraintKind.UNIFORM))


def _from_fermi_dirac(row: Nuisance, coefficients: Sequence[float], exact: bool) -> ModelParameter:
    steepness = row.arguments[0]
    edge = 1.0 + 8.0 / steepness
    limits = _written(_positive_range((-edge, edge), coefficients), exact=exact)
    moves = row.kind == "dFD"
    constraint = Constraint(ConstraintKind.FERMI_DIRAC, 0.0, (steepness, steepness), moves)
    return ModelParameter(row.name, row.kind, 0.0, limits, constraint)


_SPECIAL: dict[str, Callable[[Nuisance, Sequence[float], bool], ModelParameter]] = {
    "gmN": _from_sideband,
    "gmM": _from_measured,
    "trG": _from_truncated,
    "unif": _from_uniform,
    "dFD": _from_fermi_dirac,
    "dFD2": _from_fermi_dirac,
}


def _from_param(line: Parameter) -> ModelParameter:
    low, high = line.sigma if isinstance(line.sigma, tuple) else (line.sigma, line.sigma)
    constraint = Constraint(ConstraintKind.GAUSSIAN, line.mean, (low, high))
    return ModelParameter(line.name, "param", line.mean, line.limits, constraint)


def _from_free(line: RateParameter | ExternalArgument) -> ModelParameter:
    kind = "rateParam" if isinstance(line, RateParameter) else "extArg"
    limits = line.range or (-math.inf, math.inf)
    value = 0.0 if line.value is None else line.value
    if not limits[0] <= value <= limits[1]:
        raise CardError(f"{kind} {line.name}: the initial value {value:g} is outside [{limits[0]:g}, {limits[1]:g}]")
    return ModelParameter(line.name, kind, value, limits)


def _poisson(count: float, mean: float) -> float:
    return math.exp(count * math.log(mean) - mean - math.lgamma(count + 1.0))


def _positive_range(limits: tuple[float, float], coefficients: Sequence[float]) -> tuple[float, float]:
    """Shrink a range so that 1 + coefficient x parameter stays positive."""
    low, high = limits
    for coefficient in coefficients:
        if coefficient > 0:
            low = max(low, -1.0 / coefficient)
        elif coefficient < 0:
            high = min(high, -1.0 / coefficient)
    return low, high


def _written(limits: tuple[float, float], *, exact: bool) -> tuple[float, float]:
    """Combine writes computed ranges with six decimals."""
    return limits if exact else (round(limits[0], 6), round(limits[1], 6))


def poisson_range(count: float) -> tuple[float, float]:
    """Return the range of a bin's event count: both ends are 7 standard deviations away.

    Examples:
        >>> low, high = poisson_range(3)
        >>> round(low, 12), round(high, 9)
        (0.000197297065, 36.464937516)
    """
    from scipy.special import gammainccinv, gammaincinv  # noqa: PLC0415  slow to import, and few cards need it

    return float(gammaincinv(count, _SEVEN_SIGMA)), float(gammainccinv(count + 1.0, _SEVEN_SIGMA))
