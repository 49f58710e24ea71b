"""Functions of few parameters: the factor on the yield of a column, and the formula of a `constr` line.

Columns with the same factors share one scale, and scales of the same form are evaluated together.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pocket_combine.card.model import RateParameter
from pocket_combine.errors import CardError, nearest
from pocket_combine.likelihood.columns import LinearFactor
from pocket_combine.likelihood.formula import read_formula
from pocket_combine.likelihood.jets import Jet, evaluate
from pocket_combine.likelihood.program import Program, ProgramBuilder
from pocket_combine.templates import FloatArray, IntArray

__all__ = ["Factors", "FormulaTable", "ScaleValues", "Scales", "write_product"]

Factors = tuple["str | LinearFactor", ...]
"""What is multiplied: names of parameters and formulas, and factors linear in a parameter."""


class FormulaTable:
    """Names that formulas may use: parameters, constants and other formulas.

    Args:
        parameters: Names of the model's parameters.
        constants: Values of constants, such as `MH`.
        formulas: The formulas by name.
    """

    def __init__(
        self, parameters: Sequence[str], constants: Mapping[str, float], formulas: Mapping[str, RateParameter]
    ) -> None:
        self.positions = {name: position for position, name in enumerate(parameters)}
        self.constants = dict(constants)
        self.formulas = dict(formulas)

    def write(self, name: str, builder: ProgramBuilder, place: str, above: tuple[str, ...] = ()) -> int:
        """Write a parameter, constant or formula into a program; return the number of its step.

        Raises:
            CardError: If there is no such name, or a formula depends on itself.
        """
        if name in self.positions:
            return builder.argument(name)
        if name in self.constants:
            return builder.coefficient(self.constants[name])
        if name in above:
            raise CardError(f"{place}: {' -> '.join([*above, name])} depends on itself")
        formula = self.formulas.get(name)
        if formula is None or formula.formula is None:
            known = [*self.positions, *self.constants, *self.formulas]
            raise CardError(f"{place}: no parameter {name!r} in the model: {nearest(name, known)}")
        steps: dict[str, int] = {}

        def resolve(argument: str) -> int:
            if argument not in steps:
                steps[argument] = self.write(argument, builder, place, (*above, name))
            return steps[argument]

        return read_formula(formula.formula, formula.arguments, builder, resolve, place)


@dataclass(frozen=True)
class ScaleValues:
    """Scales at some parameter points, with sparse derivatives.

    Attributes:
        value: `value[scale, point]`.
        first: `first[entry, point]`, derivatives listed by `Scales.first_scale` and `Scales.first_parameter`.
        second: `second[entry, point]`, listed by `Scales.second_scale` and `Scales.second_parameters`.
    """

    value: FloatArray
    first: FloatArray
    second: FloatArray


@dataclass(frozen=True)
class _Group:
    """Scales with the same program: rows `start` to `stop` of all scales."""

    program: Program
    start: int
    stop: int
    arguments: IntArray
    coefficients: FloatArray


class Scales:
    """Functions of few parameters each, with their derivatives.

    Args:
        keys: What each column, or each term, needs; equal keys share a scale.
        write: Writes the function of a key into a program and returns the number of its step.
        positions: Position of each parameter by name.

    Attributes:
        index: `index[column]`, the scale of each column.
        count: Number of scales.
        first_scale: `first_scale[entry]`, the scale that a first derivative belongs to.
        first_parameter: `first_parameter[entry]`, the position of its parameter.
        second_scale: `second_scale[entry]`, the scale that a second derivative belongs to.
        second_parameters: `second_parameters[entry]`, the positions of its two parameters.

    Raises:
        CardError: If formulas cannot be read; all of them are named.
    """

    def __init__(
        self, keys: Sequence[Hashable], write: Callable[[Any, ProgramBuilder], int], positions: Mapping[str, int]
    ) -> None:
        forms: dict[Program, list[tuple[Hashable, tuple[str, ...], list[float]]]] = {}
        problems: dict[str, None] = {}
        for key in dict.fromkeys(keys):
            builder = ProgramBuilder()
            try:
                program = builder.finish(write(key, builder))
            except CardError as error:
                problems.update(dict.fromkeys(error.problems))
                continue
            forms.setdefault(program, []).append((key, tuple(builder.slots), builder.coefficients))
        if problems:
            raise CardError(list(problems))
        self._groups: list[_Group] = []
        rows: dict[Hashable, int] = {}
        for program, members in forms.items():
            start = len(rows)
            rows.update({key: start + offset for offset, (key, _, _) in enumerate(members)})
            names = np.array([[positions[name] for name in slots] for _, slots, _ in members], dtype=np.intp)
            arguments = names.reshape(len(members), program.arguments).T
            coefficients = np.array([numbers for _, _, numbers in members]).reshape(len(members), program.coefficients)
            self._groups.append(_Group(program, start, len(rows), arguments, coefficients.T))
        self.count = len(rows)
        self.index: IntArray = np.array([rows[key] for key in keys], dtype=np.intp)
        self._list_entries()

    def _list_entries(self) -> None:
        """Fix the order of derivatives: by group, argument (or pair of arguments), scale."""
        scale: list[IntArray] = [np.empty(0, dtype=np.intp)]
        parameter: list[IntArray] = [np.empty(0, dtype=np.intp)]
        pair_scale: list[IntArray] = [np.empty(0, dtype=np.intp)]
        pairs: list[IntArray] = [np.empty((0, 2), dtype=np.intp)]
        for group in self._groups:
            rows = np.arange(group.start, group.stop)
            for first in group.arguments:
                scale.append(rows)
                parameter.append(first)
                for second in group.arguments:
                    pair_scale.append(rows)
                    pairs.append(np.stack([first, second], axis=1))
        self.first_scale: IntArray = np.concatenate(scale)
        self.first_parameter: IntArray = np.concatenate(parameter)
        self.second_scale: IntArray = np.concatenate(pair_scale)
        self.second_parameters: IntArray = np.concatenate(pairs)

    def evaluate(self, theta: FloatArray, order: int) -> ScaleValues:
        """Return scales and their derivatives up to an order.

        Args:
            theta: `theta[parameter, point]`.
            order: 0, 1 or 2; derivatives beyond are zero.
        """
        points = theta.shape[1]
        value = np.empty((self.count, points))
        first = np.zeros((self.first_scale.size, points))
        second = np.zeros((self.second_scale.size, points))
        at_first = at_second = 0
        for group in self._groups:
            jet = evaluate(group.program, theta[group.arguments], group.coefficients, order)
            value[group.start : group.stop] = jet.value
            ones = group.arguments.size
            twos = ones * group.program.arguments
            _fill(jet, first[at_first : at_first + ones], second[at_second : at_second + twos])
            at_first += ones
            at_second += twos
        return ScaleValues(value, first, second)


def _fill(jet: Jet, first: FloatArray, second: FloatArray) -> None:
    if jet.gradient is not None:
        first[:] = jet.gradient.reshape(first.shape)
    if jet.hessian is not None:
        second[:] = jet.hessian.reshape(second.shape)


def write_product(factors: Factors, builder: ProgramBuilder, table: FormulaTable) -> int:
    """Write a product of factors into a program; return the number of its step.

    Raises:
        CardError: If a formula cannot be read.
    """
    steps: list[int] = []
    for factor in factors:
        if isinstance(factor, LinearFactor):
            slope = builder.step(
                "multiply", builder.coefficient(factor.coefficient), builder.argument(factor.parameter)
            )
            steps.append(builder.step("add", builder.coefficient(1.0), slope))
        else:
            place = f"rateParam {factor}" if factor in table.formulas else f"factor {factor}"
            steps.append(table.write(factor, builder, place))
    result = builder.coefficient(1.0) if not steps else steps[0]
    for step in steps[1:]:
        result = builder.step("multiply", result, step)
    return result
