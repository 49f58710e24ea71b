"""The templates of one channel, as arrays: half of the pair `Card` + `Templates` that every room meets in.

Shapes and axis order: `column` counts the processes of the channel, `pair` the (process, nuisance) pairs that have
varied templates, `bin` the bins from left to right. All contents are events, all variances events squared.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from pocket_combine.errors import TemplateError

__all__ = ["FloatArray", "IntArray", "Templates"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

_CONTENTS = ("values", "variances", "up", "down", "up_variances", "down_variances")


# Every step from collecting to writing makes templates with the pairs of the step before.
@lru_cache(maxsize=16)
def _pair_problems(columns: tuple[str, ...], pairs: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    """Return what is wrong with the names of processes and the order of pairs."""
    problems = []
    if len(set(columns)) != len(columns):
        problems.append("a process name occurs twice")
    order = {name: index for index, name in enumerate(columns)}
    unknown = sorted({process for process, _ in pairs if process not in order})
    if unknown:
        problems.append(f"varied templates of processes without a nominal template: {', '.join(unknown)}")
    else:
        keys = [(order[process], nuisance) for process, nuisance in pairs]
        if any(first >= second for first, second in itertools.pairwise(keys)):
            problems.append("pairs are not ordered by column and nuisance, or one occurs twice")
    return tuple(problems)


@dataclass(frozen=True, eq=False)
class Templates:
    """Nominal and varied templates of one channel.

    Arrays are float64 and read-only. The outer edges may be infinite: then the first and last bin hold what lies
    outside the histogram (`pocket_combine.build` works with such flow bins before they are dropped, folded or refused).

    Attributes:
        edges: `edges[bin + 1]`, strictly increasing.
        columns: Names of the processes, as in the card; the order of `values`.
        values: `values[column, bin]`, the nominal templates.
        variances: `variances[column, bin]`, their squared statistical uncertainties.
        pairs: (process, nuisance) of each varied template pair, ordered by column, then by nuisance.
        up: `up[pair, bin]`, the templates at +1 standard deviation of the nuisance.
        down: `down[pair, bin]`, the templates at -1 standard deviation of the nuisance.
        up_variances: `up_variances[pair, bin]`.
        down_variances: `down_variances[pair, bin]`.
        observation: `observation[bin]`, the data; `None` without data.

    Raises:
        TemplateError: If shapes contradict each other, edges do not increase, pairs are not sorted or not unique, or
            a number is not finite. All problems are listed.

    Examples:
        >>> templates = Templates.of([0, 1, 2], {"sig": [1.0, 2.0], "bkg": [10.0, 20.0]})
        >>> templates.values.shape
        (2, 2)
        >>> templates.integrals()
        array([ 3., 30.])
    """

    edges: FloatArray
    columns: tuple[str, ...]
    values: FloatArray
    variances: FloatArray
    pairs: tuple[tuple[str, str], ...]
    up: FloatArray
    down: FloatArray
    up_variances: FloatArray
    down_variances: FloatArray
    observation: FloatArray | None = None

    def __post_init__(self) -> None:
        for name in ("edges", *_CONTENTS, "observation"):
            value = getattr(self, name)
            if value is not None:
                array = np.asarray(value, dtype=np.float64).view()
                array.setflags(write=False)
                object.__setattr__(self, name, array)
        object.__setattr__(self, "columns", tuple(self.columns))
        if type(self.pairs) is not tuple or not set(map(type, self.pairs)) <= {tuple}:
            object.__setattr__(self, "pairs", tuple((str(process), str(nuisance)) for process, nuisance in self.pairs))
        problems = self._shape_problems() or self._content_problems()
        if problems:
            raise TemplateError("; ".join(problems))

    @classmethod
    def of(
        cls,
        edges: Sequence[float] | FloatArray,
        nominal: dict[str, Any],
        variations: dict[tuple[str, str], tuple[Any, Any]] | None = None,
        *,
        variances: dict[str, Any] | None = None,
        observation: Any = None,
    ) -> Templates:
        """Return templates from small dictionaries, for examples and tests.

        Args:
            edges: Bin edges, length bin + 1.
            nominal: Contents per process.
            variations: (up, down) contents per (process, nuisance).
            variances: Variances per process; missing ones equal the absolute content (unweighted events).
            observation: Data per bin.
        """
        columns = tuple(nominal)
        bins = len(edges) - 1
        order = {name: index for index, name in enumerate(columns)}
        pairs = sorted(variations or {}, key=lambda pair: (order.get(pair[0], -1), pair[1]))
        shifted = [(variations or {})[pair] for pair in pairs]
        values = np.array([np.asarray(nominal[name], float) for name in columns]).reshape(len(columns), bins)
        up = np.array([np.asarray(item[0], float) for item in shifted]).reshape(len(pairs), bins)
        down = np.array([np.asarray(item[1], float) for item in shifted]).reshape(len(pairs), bins)
        errors = np.abs(values)
        for name, given in (variances or {}).items():
            errors[order[name]] = given
        data = None if observation is None else np.asarray(observation, float)
        return cls(
            np.asarray(edges, float), columns, values, errors, tuple(pairs), up, down, np.abs(up), np.abs(down), data
        )

    def _shape_problems(self) -> list[str]:
        bins = self.edges.size - 1
        if self.edges.ndim != 1 or bins < 1:
            return [f"edges have shape {self.edges.shape}, expected at least two edges in one dimension"]
        problems = []
        expected = {"values": len(self.columns), "variances": len(self.columns)}
        expected |= dict.fromkeys(("up", "down", "up_variances", "down_variances"), len(self.pairs))
        for name, rows in expected.items():
            shape = getattr(self, name).shape
            if shape != (rows, bins):
                problems.append(f"{name} has shape {shape}, expected {(rows, bins)}")
        if self.observation is not None and self.observation.shape != (bins,):
            problems.append(f"observation has shape {self.observation.shape}, expected {(bins,)}")
        return problems

    def _content_problems(self) -> list[str]:
        problems = []
        if np.isnan(self.edges).any() or not (np.diff(self.edges) > 0).all():
            problems.append("edges do not increase strictly")
        problems += _pair_problems(self.columns, self.pairs)
        nominal = tuple((name, "nominal") for name in self.columns)
        labels = {"values": nominal, "variances": nominal, "up": self.pairs, "down": self.pairs}
        for array, rows in labels.items():
            finite = np.isfinite(getattr(self, array))
            if finite.all():
                continue
            bad = ~finite
            for row in np.flatnonzero(bad.any(axis=1))[:5]:
                process, what = rows[row]
                bins = np.flatnonzero(bad[row]).tolist()
                problems.append(f"process {process}, {what}: {array} not finite in bin {', '.join(map(str, bins))}")
        if self.observation is not None and not np.isfinite(self.observation).all():
            problems.append("observation is not finite")
        return problems

    @property
    def bins(self) -> int:
        """Number of bins."""
        return self.edges.size - 1

    @cached_property
    def column_index(self) -> dict[str, int]:
        """Row of each process in `values`."""
        return {name: index for index, name in enumerate(self.columns)}

    @cached_property
    def pair_index(self) -> dict[tuple[str, str], int]:
        """Row of each (process, nuisance) in `up` and `down`."""
        return {pair: index for index, pair in enumerate(self.pairs)}

    @cached_property
    def pair_columns(self) -> IntArray:
        """`pair_columns[pair]`, the row in `values` of each pair's nominal template."""
        return np.array([self.column_index[process] for process, _ in self.pairs], dtype=np.intp)

    def integrals(self) -> FloatArray:
        """Return `integrals[column]`, the sum of each nominal template over all its bins, in events."""
        result: FloatArray = self.values.sum(axis=1)
        return result

    def with_arrays(self, arrays: Mapping[str, FloatArray]) -> Templates:
        """Return the templates with some of their arrays replaced, by name of the attribute."""
        return dataclasses.replace(self, **arrays)  # type: ignore[arg-type]  # the keys are names of array attributes

    def map_bins(self, edges: FloatArray, function: Callable[[FloatArray], FloatArray]) -> Templates:
        """Return the templates with `function`, which acts on the last axis, applied to every array of contents.

        Examples:
            >>> templates = Templates.of([0, 1, 2], {"bkg": [1.0, 2.0]}, observation=[3, 4])
            >>> merged = templates.map_bins(templates.edges[::2], lambda array: array.sum(axis=-1, keepdims=True))
            >>> merged.values, merged.observation
            (array([[3.]]), array([7.]))
        """
        arrays = {name: function(getattr(self, name)) for name in _CONTENTS}
        if self.observation is not None:
            arrays["observation"] = function(self.observation)
        return self.with_arrays({"edges": edges} | arrays)

    def select_pairs(self, keep: npt.NDArray[np.bool_]) -> Templates:
        """Return the templates with only those pairs for which `keep[pair]` holds."""
        pairs = tuple(pair for pair, kept in zip(self.pairs, keep, strict=True) if kept)
        return dataclasses.replace(
            self,
            pairs=pairs,
            up=self.up[keep],
            down=self.down[keep],
            up_variances=self.up_variances[keep],
            down_variances=self.down_variances[keep],
        )

    def __add__(self, other: Templates) -> Templates:
        """Return the sum of two parts of the same channel; see `pocket_combine.build.collect` for the order of sums."""
        if not isinstance(other, Templates):
            return NotImplemented
        if self.columns != other.columns or self.pairs != other.pairs:
            raise TemplateError("only templates with the same processes and nuisances can be added")
        if self.edges.shape != other.edges.shape or not np.array_equal(self.edges, other.edges):
            raise TemplateError(f"different binnings cannot be added: {self.edges.tolist()} and {other.edges.tolist()}")
        observation = self.observation
        if other.observation is not None:
            observation = other.observation if observation is None else observation + other.observation
        return Templates(
            self.edges,
            self.columns,
            self.values + other.values,
            self.variances + other.variances,
            self.pairs,
            self.up + other.up,
            self.down + other.down,
            self.up_variances + other.up_variances,
            self.down_variances + other.down_variances,
            observation,
        )
