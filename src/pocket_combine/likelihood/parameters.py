"""The parameters of a model: names, initial values, ranges, constraints and groups, and vectors of their values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from pocket_combine.errors import CardError, nearest
from pocket_combine.likelihood.constraints import Constraint, Constraints
from pocket_combine.templates import FloatArray, IntArray

__all__ = ["AUTO_MC_STATS_GROUP", "ModelParameter", "ParameterList"]

AUTO_MC_STATS_GROUP = "autoMCStats"
"""The group of all parameters that autoMCStats makes, as in Combine."""


@dataclass(frozen=True)
class ModelParameter:
    """A parameter of a model.

    Attributes:
        name: Its name.
        kind: What made it: `POI`, the kind of its row (`lnN`, `shape`, …), `param`, `rateParam`, `extArg` or
            `autoMCStats`.
        initial: Initial value.
        range: Smallest and largest value, infinite where there is no limit.
        constraint: Its constraint term, or `None`.
        groups: Groups it belongs to.
        frozen: Whether it is to be held constant. A model evaluates frozen parameters like any other; whoever
            minimises keeps them.
    """

    name: str
    kind: str
    initial: float
    range: tuple[float, float]
    constraint: Constraint | None = None
    groups: tuple[str, ...] = ()
    frozen: bool = False

    @property
    def is_signal_strength(self) -> bool:
        """Whether the physics model defines it: a parameter of interest, unless others are declared so."""
        return self.kind == "POI"

    @property
    def is_nuisance(self) -> bool:
        """Whether it is in Combine's nuisance set: constrained, or flat within its range."""
        return self.constraint is not None


class ParameterList:
    """Parameters in the order of a vector of their values.

    Args:
        parameters: The parameters, with distinct names.
        pois: Names of the parameters of interest; those of the physics model by default.

    Examples:
        >>> parameters = ParameterList([ModelParameter("r", "POI", 1.0, (0.0, 20.0))])
        >>> parameters.vector({"r": 2.0})
        array([2.])
        >>> parameters.index("R")
        Traceback (most recent call last):
        pocket_combine.errors.CardError: no parameter 'R' in the model: did you mean 'r'?
    """

    def __init__(self, parameters: Iterable[ModelParameter], pois: Sequence[str] | None = None) -> None:
        self._parameters = tuple(parameters)
        strengths = (parameter.name for parameter in self._parameters if parameter.is_signal_strength)
        self.pois: tuple[str, ...] = tuple(strengths if pois is None else pois)
        """Names of the parameters of interest."""
        self._positions = {parameter.name: index for index, parameter in enumerate(self._parameters)}

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[ModelParameter]:
        return iter(self._parameters)

    def __getitem__(self, position: int) -> ModelParameter:
        return self._parameters[position]

    def __contains__(self, name: str) -> bool:
        return name in self._positions

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names, in order."""
        return tuple(parameter.name for parameter in self._parameters)

    @cached_property
    def initial(self) -> FloatArray:
        """`initial[parameter]`."""
        return _read_only([parameter.initial for parameter in self._parameters])

    @cached_property
    def lower(self) -> FloatArray:
        """`lower[parameter]`, minus infinity where there is no limit."""
        return _read_only([parameter.range[0] for parameter in self._parameters])

    @cached_property
    def upper(self) -> FloatArray:
        """`upper[parameter]`, infinity where there is no limit."""
        return _read_only([parameter.range[1] for parameter in self._parameters])

    @cached_property
    def observables(self) -> FloatArray:
        """`observables[parameter]`, the global observables; 0 for unconstrained parameters."""
        terms = [parameter.constraint for parameter in self._parameters]
        return _read_only([0.0 if term is None else term.observable for term in terms])

    @cached_property
    def constraints(self) -> Constraints:
        """The constraint terms."""
        return Constraints([parameter.constraint for parameter in self._parameters])

    @cached_property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """Members of each group, in the order of the parameters."""
        members: dict[str, list[str]] = {}
        for parameter in self._parameters:
            for group in parameter.groups:
                members.setdefault(group, []).append(parameter.name)
        return {group: tuple(names) for group, names in sorted(members.items())}

    @cached_property
    def floating(self) -> IntArray:
        """Positions of the parameters that are not frozen."""
        positions = [position for position, parameter in enumerate(self._parameters) if not parameter.frozen]
        return np.array(positions, dtype=np.intp)

    def get(self, name: str) -> ModelParameter:
        """Return a parameter by name.

        Raises:
            CardError: If there is none.
        """
        return self._parameters[self.index(name)]

    def index(self, name: str) -> int:
        """Return the position of a parameter.

        Raises:
            CardError: If there is none, naming the nearest that exist.
        """
        position = self._positions.get(name)
        if position is None:
            raise CardError(f"no parameter {name!r} in the model: {nearest(name, self.names)}")
        return position

    def indices(self, names: Iterable[str]) -> IntArray:
        """Return the positions of several parameters.

        Raises:
            CardError: If some do not exist; all of them are named.
        """
        wanted = list(names)
        unknown = [name for name in wanted if name not in self._positions]
        if unknown:
            raise CardError([f"no parameter {name!r} in the model: {nearest(name, self.names)}" for name in unknown])
        return np.array([self._positions[name] for name in wanted], dtype=np.intp)

    def vector(self, values: Mapping[str, float]) -> FloatArray:
        """Return `vector[parameter]`: the given values, and initial ones for all others.

        Raises:
            CardError: If a name is not in the model.
        """
        result: FloatArray = np.array(self.initial)
        result[self.indices(values)] = [float(value) for value in values.values()]
        return result

    def values(self, vector: FloatArray) -> dict[str, float]:
        """Return the value of each parameter by name."""
        return dict(zip(self.names, np.asarray(vector, dtype=np.float64).tolist(), strict=True))

    def subset(self, positions: Sequence[int] | IntArray) -> ParameterList:
        """Return some of the parameters, in the given order."""
        chosen = [self._parameters[position] for position in positions]
        names = {parameter.name for parameter in chosen}
        return ParameterList(chosen, [name for name in self.pois if name in names])

    def changed(
        self,
        *,
        frozen: Iterable[str] = (),
        ranges: Mapping[str, tuple[float, float]] | None = None,
        pois: Iterable[str] = (),
    ) -> ParameterList:
        """Return the parameters with some frozen, some ranges replaced, and perhaps others of interest.

        Initial values move into a new range.

        Raises:
            CardError: If a name is not in the model, or a range is empty.
        """
        parameters = list(self._parameters)
        for position in self.indices(frozen):
            parameters[position] = replace(parameters[position], frozen=True)
        problems = []
        for position, (name, limits) in zip(self.indices(ranges or {}), (ranges or {}).items(), strict=True):
            low, high = float(limits[0]), float(limits[1])
            if not low < high:
                problems.append(f"the range [{low:g}, {high:g}] of {name} is empty")
            initial = min(max(parameters[position].initial, low), high)
            parameters[position] = replace(parameters[position], range=(low, high), initial=initial)
        if problems:
            raise CardError(problems)
        chosen = tuple(dict.fromkeys(pois)) or self.pois
        self.indices(chosen)
        return ParameterList(parameters, chosen)


def _read_only(values: Sequence[float]) -> FloatArray:
    array = np.array(values, dtype=np.float64)
    array.setflags(write=False)
    return array
