"""Programs of formulas evaluated with first and second derivatives, many formulas and parameter points at once.

A jet is the value of a quantity with its gradient and Hessian in the arguments of the program; every elementary step
maps jets to a jet by the chain rule (forward mode, second order).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from pocket_combine.likelihood.program import Program
from pocket_combine.templates import FloatArray

__all__ = ["Jet", "evaluate"]


class Jet(NamedTuple):
    """A quantity and its derivatives.

    Attributes:
        value: `value[formula, point]`.
        gradient: `gradient[argument, formula, point]`; `None` is zero, or was not asked for.
        hessian: `hessian[argument, argument, formula, point]`; `None` is zero, or was not asked for.
    """

    value: FloatArray
    gradient: FloatArray | None = None
    hessian: FloatArray | None = None


_Derivatives = tuple[FloatArray, FloatArray, FloatArray]


def evaluate(program: Program, arguments: FloatArray, coefficients: FloatArray, order: int) -> Jet:
    """Return the results of formulas that share a program.

    Args:
        program: The steps.
        arguments: `arguments[argument, formula, point]`.
        coefficients: `coefficients[coefficient, formula]`.
        order: 0 for the value, 1 with gradient, 2 with Hessian.

    Examples:
        >>> from pocket_combine.likelihood.formula import read_formula
        >>> from pocket_combine.likelihood.program import ProgramBuilder
        >>> builder = ProgramBuilder()
        >>> result = read_formula("@0^2*@1", ["x", "y"], builder, builder.argument, "example")
        >>> point = np.array([3.0, 5.0]).reshape(2, 1, 1)
        >>> jet = evaluate(builder.finish(result), point, np.empty((0, 1)), order=2)
        >>> jet.value.item(), jet.gradient.ravel().tolist(), jet.hessian.ravel().tolist()
        (45.0, [30.0, 9.0], [10.0, 6.0, 6.0, 0.0])
    """
    jets: list[Jet] = []
    for name, operands in program.steps:
        if name == "argument":
            jets.append(_argument(arguments, int(operands[0]), order))
        elif name == "coefficient":
            jets.append(Jet(np.broadcast_to(coefficients[int(operands[0])][:, None], arguments.shape[1:])))
        elif name == "constant_power":
            jets.append(_constant_power(jets[int(operands[0])], float(operands[1])))
        else:
            inputs = [jets[int(operand)] for operand in operands]
            jets.append(_apply(name, inputs))
    return jets[-1]


def _argument(arguments: FloatArray, slot: int, order: int) -> Jet:
    value = arguments[slot]
    if order == 0:
        return Jet(value)
    gradient = np.zeros(arguments.shape)
    gradient[slot] = 1.0
    return Jet(value, gradient)


def _apply(name: str, inputs: list[Jet]) -> Jet:
    if name in _FUNCTIONS:
        return _chain(inputs[0], _FUNCTIONS[name](inputs[0].value))
    if name in _LOGICAL:
        return Jet(_LOGICAL[name](*(jet.value for jet in inputs)).astype(np.float64))
    return _COMBINATIONS[name](*inputs)


def _sum(first: FloatArray | None, second: FloatArray | None) -> FloatArray | None:
    if first is None:
        return second
    return first if second is None else first + second


def _times(array: FloatArray | None, factor: FloatArray) -> FloatArray | None:
    return None if array is None else array * factor


def _outer(first: FloatArray | None, second: FloatArray | None) -> FloatArray | None:
    return None if first is None or second is None else first[:, None] * second[None, :]


def _chain(jet: Jet, derivatives: _Derivatives) -> Jet:
    """f(jet) from the value and the first two derivatives of f."""
    value, first, second = derivatives
    if jet.gradient is None:
        return Jet(value)
    square = _times(_outer(jet.gradient, jet.gradient), second)
    return Jet(value, jet.gradient * first, _sum(_times(jet.hessian, first), square))


def _add(a: Jet, b: Jet) -> Jet:
    return Jet(a.value + b.value, _sum(a.gradient, b.gradient), _sum(a.hessian, b.hessian))


def _negative(a: Jet) -> Jet:
    return Jet(-a.value, _times(a.gradient, -np.ones(1)), _times(a.hessian, -np.ones(1)))


def _multiply(a: Jet, b: Jet) -> Jet:
    gradient = _sum(_times(a.gradient, b.value), _times(b.gradient, a.value))
    hessian = _sum(_times(a.hessian, b.value), _times(b.hessian, a.value))
    cross = _outer(a.gradient, b.gradient)
    if cross is not None:
        hessian = _sum(hessian, cross + np.swapaxes(cross, 0, 1))
    return Jet(a.value * b.value, gradient, hessian)


def _divide(a: Jet, b: Jet) -> Jet:
    if b.gradient is None:
        return Jet(a.value / b.value, _times(a.gradient, 1.0 / b.value), _times(a.hessian, 1.0 / b.value))
    inverse = 1.0 / b.value
    return _multiply(a, _chain(b, (inverse, -(inverse**2), 2.0 * inverse**3)))


def _power(a: Jet, b: Jet) -> Jet:
    """a^b with an exponent that is no literal: exp(b ln a), except where the exponent does not vary."""
    if b.gradient is None:
        exponent = b.value
        first = exponent * _safe_power(a.value, exponent - 1.0, exponent)
        second = exponent * (exponent - 1.0) * _safe_power(a.value, exponent - 2.0, exponent * (exponent - 1.0))
        return _chain(a, (a.value**exponent, first, second))
    return _chain(_multiply(b, _chain(a, _log(a.value))), _exp_values(a.value**b.value))


def _exp_values(value: FloatArray) -> _Derivatives:
    return value, value, value


def _constant_power(a: Jet, exponent: float) -> Jet:
    return _power(a, Jet(np.full(a.value.shape, exponent)))


def _safe_power(base: FloatArray, exponent: FloatArray, factor: FloatArray) -> FloatArray:
    """base^exponent, but 0 where it is multiplied by a factor of 0 (0^-1 in the derivative of a constant)."""
    return np.where(factor == 0.0, 0.0, np.where(factor == 0.0, 1.0, base) ** exponent)


def _select(condition: FloatArray, a: Jet, b: Jet) -> Jet:
    yes = condition != 0.0
    no = ~yes
    gradient = _sum(_times(a.gradient, yes * 1.0), _times(b.gradient, no * 1.0))
    hessian = _sum(_times(a.hessian, yes * 1.0), _times(b.hessian, no * 1.0))
    return Jet(np.where(yes, a.value, b.value), gradient, hessian)


def _exp(x: FloatArray) -> _Derivatives:
    return _exp_values(np.exp(x))


def _log(x: FloatArray) -> _Derivatives:
    return np.log(x), 1.0 / x, -1.0 / x**2


def _log10(x: FloatArray) -> _Derivatives:
    scale = 1.0 / np.log(10.0)
    return np.log10(x), scale / x, -scale / x**2


def _sqrt(x: FloatArray) -> _Derivatives:
    root = np.sqrt(x)
    return root, 0.5 / root, -0.25 / (x * root)


def _tan(x: FloatArray) -> _Derivatives:
    value = np.tan(x)
    return value, 1.0 + value**2, 2.0 * value * (1.0 + value**2)


def _tanh(x: FloatArray) -> _Derivatives:
    value = np.tanh(x)
    return value, 1.0 - value**2, -2.0 * value * (1.0 - value**2)


def _arcsine(x: FloatArray) -> _Derivatives:
    root = np.sqrt(1.0 - x**2)
    return np.arcsin(x), 1.0 / root, x / root**3


def _arccosine(x: FloatArray) -> _Derivatives:
    root = np.sqrt(1.0 - x**2)
    return np.arccos(x), -1.0 / root, -x / root**3


_FUNCTIONS: dict[str, Callable[[FloatArray], _Derivatives]] = {
    "exp": _exp,
    "log": _log,
    "log10": _log10,
    "sqrt": _sqrt,
    "abs": lambda x: (np.abs(x), np.sign(x), np.zeros_like(x)),
    "sq": lambda x: (x**2, 2.0 * x, np.full_like(x, 2.0)),
    "sin": lambda x: (np.sin(x), np.cos(x), -np.sin(x)),
    "cos": lambda x: (np.cos(x), -np.sin(x), -np.cos(x)),
    "tan": _tan,
    "asin": _arcsine,
    "acos": _arccosine,
    "atan": lambda x: (np.arctan(x), 1.0 / (1.0 + x**2), -2.0 * x / (1.0 + x**2) ** 2),
    "sinh": lambda x: (np.sinh(x), np.cosh(x), np.sinh(x)),
    "cosh": lambda x: (np.cosh(x), np.sinh(x), np.cosh(x)),
    "tanh": _tanh,
}

_LOGICAL: dict[str, Callable[..., FloatArray]] = {
    "less": np.less,
    "less_equal": np.less_equal,
    "greater": np.greater,
    "greater_equal": np.greater_equal,
    "equal": np.equal,
    "not_equal": np.not_equal,
    "both": np.logical_and,
    "either": np.logical_or,
    "not": np.logical_not,
}

_COMBINATIONS: dict[str, Callable[..., Jet]] = {
    "add": _add,
    "subtract": lambda a, b: _add(a, _negative(b)),
    "negative": _negative,
    "multiply": _multiply,
    "divide": _divide,
    "power": _power,
    "copy": lambda a: a,
    "choose": lambda condition, a, b: _select(condition.value, a, b),
    "min": lambda a, b: _select((a.value < b.value) * 1.0, a, b),
    "max": lambda a, b: _select((a.value > b.value) * 1.0, a, b),
}
