"""The best fit of a likelihood, with its status, covariance and intervals."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pocket_combine.inference.minimise import MinimiserOptions
from pocket_combine.inference.profile import Conditional, Crossing, Likelihood, Profiler
from pocket_combine.inference.quality import assess
from pocket_combine.likelihood.parameters import ParameterList
from pocket_combine.results import Interval, Status
from pocket_combine.templates import FloatArray

__all__ = ["MINOS_LEVEL", "ROBUST_LEVEL", "FitOptions", "BestFit", "Fitter"]

_logger = logging.getLogger(__name__)

MINOS_LEVEL = 0.5
"""ΔNLL of the intervals of MINOS."""

ROBUST_LEVEL = 0.494473
"""ΔNLL of the intervals of Combine's `--robustFit`: half the 0.68 quantile of χ² with one degree of freedom."""

_UNBOUNDED_KINDS = ("lnN", "autoMCStats")
_GROWTH = 4.0
_MOST_GROWTHS = 8
_MOST_RESTARTS = 3


@dataclass(frozen=True)
class FitOptions:
    """How fits are made.

    Attributes:
        minimiser: When the minimiser stops.
        keep_ranges: Whether nuisances of log-normals and shapes keep the ranges of Combine's workspace. Combine lifts
            them in fits and keeps them for limits and significances.
        ranges: Ranges that replace those of the model.
        grow: Whether the upper end of the range of a parameter of interest moves up where the answer lies there, unless
            `ranges` names it.
        starts: Number of starting points: the initial one, and random ones around it.
        seed: Seed of the random starting points.
    """

    minimiser: MinimiserOptions = field(default_factory=MinimiserOptions)
    keep_ranges: bool = False
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    grow: bool = True
    starts: int = 1
    seed: int = 1


@dataclass(frozen=True)
class BestFit:
    """The global minimum.

    Attributes:
        conditional: The fit.
        status: How it ended.
        concerned: Parameters that the status is about.
        covariance: `covariance[free, free]`, in the order of `conditional.free`.
    """

    conditional: Conditional
    status: Status
    concerned: tuple[str, ...]
    covariance: FloatArray

    @property
    def theta(self) -> FloatArray:
        """`theta[parameter]` at the minimum."""
        return self.conditional.theta

    @property
    def nll(self) -> float:
        """Negative log-likelihood at the minimum."""
        return self.conditional.nll


class Fitter:
    """Fits of one likelihood, which share the ranges of parameters and the best fit.

    Args:
        likelihood: The likelihood.
        options: How fits are made.
    """

    def __init__(self, likelihood: Likelihood, options: FitOptions | None = None) -> None:
        self.likelihood = likelihood
        self.options = options or FitOptions()
        self.parameters: ParameterList = likelihood.parameters.changed(ranges=self.options.ranges)
        lower, upper = self.parameters.lower.copy(), self.parameters.upper.copy()
        for at, parameter in enumerate(self.parameters):
            named = parameter.name in self.options.ranges
            if not self.options.keep_ranges and not named and _has_soft_range(parameter.kind, parameter.constraint):
                lower[at], upper[at] = -math.inf, math.inf
        self.profiler = Profiler(likelihood, lower, upper, self.options.minimiser)
        self.notes: list[str] = []

    def best(self, start: FloatArray | None = None, fixed: Mapping[int, float] | None = None) -> BestFit:
        """Return the global minimum, or the one with some parameters fixed.

        Args:
            start: `start[parameter]`; the initial values by default.
            fixed: Value by position.
        """
        begin = self.parameters.initial if start is None else start
        conditional = self.profiler.fit(begin, fixed)
        for other in self._other_starts(begin):
            candidate = self.profiler.fit(other, fixed)
            if candidate.status.usable and not candidate.nll > conditional.nll - 1e-7:
                conditional = candidate
        conditional = self._grown(conditional, fixed)
        names = tuple(self.parameters.names[at] for at in conditional.free)
        quality = assess(conditional.minimum, names)
        return BestFit(conditional, quality.status, quality.concerned, quality.covariance)

    def interval(self, best: BestFit, name: str, level: float = MINOS_LEVEL) -> tuple[Interval, BestFit]:
        """Return the profile-likelihood interval of a parameter, and the best fit.

        The best fit is another one than given where a lower minimum was found on the way.
        """
        position = self.parameters.index(name)
        for _ in range(_MOST_RESTARTS):
            low = self.crossing(best, position, level, -1)
            high = self.crossing(best, position, level, 1)
            below = [end.below for end in (low, high) if end.below is not None]
            if not below:
                break
            deepest = min(below, key=lambda fit: fit.nll)
            self.note(f"a lower minimum was found while the profile of {name} was followed; the fit was repeated there")
            best = self.best(deepest.theta)
        interval = Interval(name, float(best.theta[position]), low.value, high.value, level, low.status, high.status)
        return interval, best

    def crossing(self, best: BestFit, position: int, level: float, side: int) -> Crossing:
        """Return where the profile of a parameter reaches a level on one side, growing its range if need be."""
        for _ in range(_MOST_GROWTHS):
            edge = self.profiler.upper[position] if side > 0 else self.profiler.lower[position]
            far = edge if math.isfinite(edge) else best.theta[position] + side * 1e6
            end = self.profiler.crossing(best.conditional, position, level, side, float(far))
            if end.status is not Status.AT_BOUNDARY or side < 0 or position not in self.growing:
                break
            self._grow(position)
        return end

    def note(self, text: str) -> None:
        """Keep a remark for the result, once."""
        if text not in self.notes:
            self.notes.append(text)
            _logger.info("%s", text)

    def _other_starts(self, begin: FloatArray) -> Iterable[FloatArray]:
        generator = np.random.default_rng(self.options.seed)
        floating = self.parameters.floating
        for _ in range(self.options.starts - 1):
            other = begin.copy()
            scale = np.maximum(np.abs(begin[floating]), 1.0)
            other[floating] += 0.5 * scale * generator.normal(size=floating.size)
            yield np.clip(other, self.profiler.lower, self.profiler.upper)

    def _grown(self, conditional: Conditional, fixed: Mapping[int, float] | None) -> Conditional:
        """Return the fit with ranges grown until no parameter of interest sits at the upper end of its own."""
        for _ in range(_MOST_GROWTHS):
            at_top = [
                int(at)
                for at, bound in zip(conditional.free, conditional.minimum.at_bound, strict=True)
                if bound and int(at) in self.growing and conditional.theta[at] >= self.profiler.upper[at]
            ]
            if not at_top:
                break
            for at in at_top:
                self._grow(at)
            conditional = self.profiler.fit(conditional.theta, fixed)
        return conditional

    @property
    def growing(self) -> list[int]:
        """Positions of the parameters whose range may move up: those of interest, unless the user or a prior set it."""
        named = self.options.ranges
        return [
            self.parameters.index(name)
            for name in self.parameters.pois
            if self.options.grow and name not in named and self.parameters.get(name).constraint is None
        ]

    def _grow(self, position: int) -> None:
        low, high = self.profiler.lower[position], self.profiler.upper[position]
        self.profiler.upper[position] = high + (_GROWTH - 1.0) * (high - low)
        name = self.parameters.names[position]
        self.note(f"the range of {name} was extended upwards to {self.profiler.upper[position]:g}")


def _has_soft_range(kind: str, constraint: object) -> bool:
    """Return whether Combine lifts the range of such a parameter in fits: of a log-normal, a shape or a bin.

    Flat ones (`lnU`, `shapeU`) and all that is not a nuisance row keep theirs (`attribute optimizeBounds`).
    """
    flat = kind in ("lnU", "shapeU")
    return constraint is not None and not flat and (kind in _UNBOUNDED_KINDS or kind.startswith("shape"))


def groups_of(parameters: ParameterList, groups: Sequence[str]) -> tuple[str, ...]:
    """Return the members of some groups, each once."""
    members = parameters.groups
    return tuple(dict.fromkeys(name for group in groups for name in members.get(group, ())))
