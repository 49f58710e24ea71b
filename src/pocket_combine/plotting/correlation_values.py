"""Correlations of fitted parameters: which block of the matrix is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pocket_combine.errors import ResultError, StyleError, nearest
from pocket_combine.plotting.pull_values import BIN_PARAMETER, failure, matching
from pocket_combine.results import FitResult
from pocket_combine.templates import FloatArray, IntArray

__all__ = ["Correlations", "correlations_of"]


@dataclass(frozen=True, eq=False)
class Correlations:
    """A block of a correlation matrix.

    Attributes:
        parameters: Names, in the order of rows and columns.
        values: `values[parameter, parameter]`.
        left_out: Parameters without a correlation: frozen, or at a boundary.
        profiled: Parameters of autoMCStats that are profiled analytically: their effect is in the errors of the others.
        data: What was fitted, as in `Provenance`.
    """

    parameters: tuple[str, ...]
    values: FloatArray
    left_out: tuple[str, ...]
    profiled: tuple[str, ...]
    data: str

    def around(self, parameter: str, most: int) -> Correlations:
        """Return the block of a parameter and those that are most correlated with it, strongest first.

        Args:
            parameter: Its name.
            most: Size of the block, the parameter itself included.

        Raises:
            StyleError: If the parameter is not in the matrix.
        """
        if parameter not in self.parameters:
            reason = ", which has no covariance" if parameter in (*self.left_out, *self.profiled) else ""
            raise StyleError(f"no correlation of {parameter!r}{reason}: {nearest(parameter, self.parameters)}")
        at = self.parameters.index(parameter)
        strength = np.abs(self.values[at])
        strength[at] = np.inf
        return self._block(np.argsort(-strength, kind="stable")[: max(most, 1)])

    def largest(self, most: int) -> Correlations:
        """Return the block of the parameters that take part in the largest correlations, in the order of the matrix.

        Args:
            most: Largest size of the block.
        """
        rows, columns = np.triu_indices(len(self.parameters), k=1)
        order = np.argsort(-np.abs(self.values[rows, columns]), kind="stable")
        chosen: dict[int, None] = {}
        for pair in order:
            added = dict.fromkeys((int(rows[pair]), int(columns[pair])))
            if len({**chosen, **added}) > most:
                break
            chosen |= added
        return self._block(np.array(sorted(chosen), dtype=np.intp))

    def _block(self, positions: IntArray) -> Correlations:
        names = tuple(self.parameters[int(at)] for at in positions)
        return Correlations(names, self.values[np.ix_(positions, positions)], self.left_out, self.profiled, self.data)


def correlations_of(result: FitResult, parameters: Sequence[str] = ()) -> Correlations:
    """Return the correlations of fitted parameters, those of interest first, then in the order of the card.

    Args:
        result: The fit.
        parameters: Shell patterns of names; all by default.

    Raises:
        ResultError: If the fit is no result, so that it has no covariance.
        StyleError: If a pattern matches nothing, or nothing with a covariance.
    """
    problem = failure(result)
    if problem or not result.covariance.size:
        raise ResultError(f"the fit has no covariance: {problem or 'no parameter was fitted'}; {result.status.advice}")
    floating = [name for name, fitted in zip(result.parameters, result.floating, strict=True) if fitted]
    variances = np.diag(result.covariance)
    usable = {name for name, variance in zip(floating, variances, strict=True) if variance > 0.0}
    chosen = matching(result.parameters, parameters) if parameters else result.parameters
    names = [name for name in (*result.pois, *chosen) if name in usable and name in chosen]
    names = list(dict.fromkeys(names))
    if not names:
        raise StyleError(f"none of the parameters has a covariance: {', '.join(chosen[:5])}")
    positions = np.array([floating.index(name) for name in names], dtype=np.intp)
    errors = np.sqrt(variances[positions])
    values = result.covariance[np.ix_(positions, positions)] / np.outer(errors, errors)
    bins = {name for name, kind in zip(result.parameters, result.kinds, strict=True) if kind == BIN_PARAMETER}
    bare = [name for name in chosen if name not in usable]
    return Correlations(
        tuple(names),
        np.clip(values, -1.0, 1.0),
        tuple(name for name in bare if name not in bins),
        tuple(name for name in bare if name in bins),
        result.provenance.data,
    )
