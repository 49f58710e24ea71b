"""The terms of `constr` lines: half the square of a formula divided by its width."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pocket_combine.card.model import Constraint
from pocket_combine.likelihood.arrays import Scatter
from pocket_combine.likelihood.constraints import ConstraintValues
from pocket_combine.likelihood.formula import formula_names, read_formula
from pocket_combine.likelihood.program import ProgramBuilder
from pocket_combine.likelihood.scales import FormulaTable, Scales
from pocket_combine.templates import FloatArray

__all__ = ["FormulaConstraints"]


class FormulaConstraints:
    """The terms f² / 2σ² of all `constr` lines.

    Args:
        lines: The lines.
        table: Names of parameters, constants and formulas.

    Raises:
        CardError: If a formula cannot be read.
    """

    def __init__(self, lines: Sequence[Constraint], table: FormulaTable) -> None:
        self.size = len(table.positions)
        self.count = len(lines)
        self._scales = Scales(lines, lambda line, builder: _write(line, builder, table), table.positions)
        targets = self._scales.first_scale * self.size + self._scales.first_parameter
        self._first = Scatter(targets)
        pairs = self._scales.second_parameters
        self._second = Scatter(pairs[:, 0] * self.size + pairs[:, 1])

    def evaluate(self, theta: FloatArray, order: int) -> ConstraintValues:
        """Return value and gradient at `theta[parameter, point]`, up to an order; see `add_curvature` for the rest."""
        scales = self._scales.evaluate(theta, order)
        gradient = np.zeros(theta.shape)
        per_entry = scales.value[self._scales.first_scale] * scales.first
        np.add.at(gradient, self._scales.first_parameter, per_entry)
        return ConstraintValues(0.5 * (scales.value**2).sum(axis=0), gradient, np.zeros(theta.shape))

    def add_curvature(self, theta: FloatArray, hessian: FloatArray, *, expected: bool) -> None:
        """Add the second derivatives to `hessian[point, parameter, parameter]`.

        Args:
            theta: `theta[parameter, point]`.
            hessian: Changed in place.
            expected: Whether only products of first derivatives count, as in the Fisher information.
        """
        scales = self._scales.evaluate(theta, 2)
        points = theta.shape[1]
        flat = np.zeros((points, self._scales.count * self.size))
        flat[:, self._first.targets] = self._first(scales.first).T
        slopes = flat.reshape(points, self._scales.count, self.size)
        hessian += slopes.transpose(0, 2, 1) @ slopes
        if not expected:
            entries = scales.value[self._scales.second_scale] * scales.second
            targets = self._second.targets
            hessian[:, targets // self.size, targets % self.size] += self._second(entries).T


def _write(line: Constraint, builder: ProgramBuilder, table: FormulaTable) -> int:
    place = f"constr {line.name}"
    arguments = line.arguments or formula_names(line.formula, place)
    term = read_formula(line.formula, arguments, builder, lambda name: table.write(name, builder, place), place)
    if isinstance(line.sigma, str):
        return builder.step("divide", term, table.write(line.sigma, builder, place))
    return builder.step("multiply", term, builder.coefficient(1.0 / line.sigma))
