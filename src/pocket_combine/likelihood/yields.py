"""Expected events of all cells, and gradients of functions of them: normalisation and morphing together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pocket_combine.likelihood.arrays import Scatter
from pocket_combine.likelihood.basis import Basis, BasisValues
from pocket_combine.likelihood.columns import ModelColumn
from pocket_combine.likelihood.contents import Contents
from pocket_combine.likelihood.layout import Group, lay_out
from pocket_combine.likelihood.morphing import GroupState, MorphGroup
from pocket_combine.likelihood.normalisation import ColumnYields, Normalisation
from pocket_combine.likelihood.scales import FormulaTable
from pocket_combine.templates import FloatArray

__all__ = ["YieldModel", "YieldState"]


@dataclass(frozen=True)
class YieldState:
    """Expected events at some parameter points.

    Attributes:
        columns: Yields of columns.
        basis: What templates are linear in.
        groups: Templates, group by group.
        templates: `templates[cell, point]`, the T of all cells.
    """

    columns: ColumnYields
    basis: BasisValues
    groups: list[GroupState]
    templates: FloatArray

    @property
    def points(self) -> int:
        """Number of points."""
        return int(self.templates.shape[1])


class YieldModel:
    """Expected events of the columns of a model.

    Args:
        columns: The columns, in the order of the card.
        contents: Returns the contents of a column.
        channel_sizes: Number of bins of each channel.
        table: Names of parameters, constants and formulas.
    """

    def __init__(
        self,
        columns: Sequence[ModelColumn],
        contents: Callable[[ModelColumn], Contents],
        channel_sizes: Sequence[int],
        table: FormulaTable,
    ) -> None:
        self.layout = lay_out(columns, channel_sizes)
        ordered = [columns[index] for index in self.layout.order]
        self.parameter_count = len(table.positions)
        self.normalisation = Normalisation(ordered, table)
        self._basis = Basis(self.parameter_count)
        self.groups = [
            MorphGroup(group, self.layout, ordered[group.columns], contents, table.positions, self._basis)
            for group in self.layout.groups
        ]
        for group in self.groups:
            group.finish(self.parameter_count, self._basis.count)
        self._to_parameter = [Scatter(group.parameter.ravel()) for group in self.groups]

    def evaluate(self, theta: FloatArray, order: int = 0) -> YieldState:
        """Return expected events at `theta[parameter, point]`, ready for derivatives up to an order."""
        columns = self.normalisation.evaluate(theta, order)
        basis = self._basis.evaluate(theta)
        states = [group.evaluate(basis) for group in self.groups]
        templates = np.empty((self.layout.cell_count, theta.shape[1]))
        for group, state in zip(self.layout.groups, states, strict=True):
            templates[group.cells] = state.cells.reshape(-1, theta.shape[1])
        return YieldState(columns, basis, states, templates)

    def elements(self, order: int, parameters: int) -> int:
        """Return the size of the largest arrays per point: for values and gradients (order 0, 1) or Hessians (2)."""
        largest = max(group.elements(order) for group in self.groups)
        if order < 2:
            return max(largest, self.layout.cell_count, parameters)
        rows = parameters + self.layout.bin_count + self.layout.column_count
        return max(largest, self.layout.cell_count, parameters * rows)

    def sum_by_column(self, cells: FloatArray) -> FloatArray:
        """Return `result[column, point]`, sums over the cells of each column."""
        result: FloatArray = np.add.reduceat(cells, self.layout.cell_starts[:-1], axis=0)
        return result

    def gradient(self, state: YieldState, templates: FloatArray, yields: FloatArray) -> FloatArray:
        """Return `gradient[parameter, point]` of a function F of yields and templates.

        Args:
            state: Expected events at the points.
            templates: `templates[cell, point]`: dF/dT divided by C.
            yields: `yields[column, point]`: dF/dC.
        """
        result = self.normalisation.gradient(state.columns, yields)
        for number, group in self.moving():
            pull = group.pull(state.groups[number], state.basis, self.by_group(templates, group.group))
            self.add_morphs(result, number, pull.morphs * state.columns.yields[group.group.columns][:, None, :])
        return result

    def moving(self) -> Iterator[tuple[int, MorphGroup]]:
        """Return the groups whose templates move, with their numbers."""
        return ((number, group) for number, group in enumerate(self.groups) if group.group.morphs)

    @staticmethod
    def by_group(cells: FloatArray, group: Group) -> FloatArray:
        """Return the part of `cells[cell, point]` of a group as `result[column, bin, point]`."""
        return cells[group.cells].reshape(group.size, group.bins, -1)

    def add_morphs(self, result: FloatArray, number: int, morphs: FloatArray) -> None:
        """Add `morphs[column, morph, point]` of a group to `result[parameter, point]`."""
        scatter = self._to_parameter[number]
        result[scatter.targets] += scatter(morphs.reshape(-1, morphs.shape[-1]))
