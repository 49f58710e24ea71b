"""The best fit of a likelihood, with its status, covariance and intervals."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from pocket_combine.inference.minimise import MinimiserOptions
from pocket_combine.inference.profile import Conditional, Crossing, Likelihood, Profiler
from pocket_combine.inference.quality import assess, without_effect
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
_LARGEST_GROWTH = 1e12
"""How many times wider than in the model the range of a parameter of interest may become."""

_FAR = 1e6
"""Where the search for the end of an interval gives up, in units of the best-fit value, if there is no range."""

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

    @property
    def is_minimum(self) -> bool:
        """Whether `nll` is that of a minimum, even one without a covariance, as in a flat direction."""
        return self.conditional.status.usable and self.status is not Status.NOT_CONVERGED


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
        conditional = self._resumed(self._grown(conditional, fixed), fixed)
        names = tuple(self.parameters.names[at] for at in conditional.free)
        block = np.ix_(conditional.free, conditional.free)
        quality = assess(
            conditional.minimum,
            names,
            self._widths(conditional),
            lambda: self.likelihood.fisher(conditional.theta)[block],
        )
        beyond = tuple(self.parameters.names[at] for at in self._at_top(conditional))
        if beyond and quality.status.usable:
            self.note(f"the best fit of {', '.join(beyond)} lies above the range, which was not extended any further")
            return BestFit(conditional, Status.NOT_CONVERGED, beyond, quality.covariance)
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
        """Return where the profile of a parameter reaches a level on one side, growing its range if need be.

        An edge that is none of the model, where the search ended, is no end: the level was not found.
        """
        may_grow = side > 0 and position in self.growing
        idle = without_effect(best.conditional.minimum, self._widths(best.conditional))
        has_effect = position not in best.conditional.free[idle]
        while True:
            edge = self.profiler.upper[position] if side > 0 else self.profiler.lower[position]
            value = float(best.theta[position])
            far = edge if math.isfinite(edge) else value + side * _FAR * max(1.0, abs(value))
            end = self.profiler.crossing(best.conditional, position, level, side, float(far))
            if end.status is not Status.AT_BOUNDARY:
                return end
            if not (may_grow and has_effect and self._has_room(position)):
                is_edge = math.isfinite(edge) and not may_grow
                return end if is_edge else replace(end, status=Status.NOT_FOUND)
            self._grow(position)

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

    def _resumed(self, conditional: Conditional, fixed: Mapping[int, float] | None) -> Conditional:
        """Return a fit that stopped on the way after more of them from there, as long as they get on.

        Each has the scales of the place where it begins. Those of the start are far too small where 10⁹ events are
        observed and one is expected.
        """
        for _ in range(_MOST_RESTARTS):
            if conditional.status is not Status.NOT_CONVERGED:
                break
            again = self._grown(self.profiler.fit(conditional.theta, fixed), fixed)
            if not again.nll < conditional.nll:
                break
            conditional = again
        return conditional

    def _grown(self, conditional: Conditional, fixed: Mapping[int, float] | None) -> Conditional:
        """Return the fit with ranges grown until no parameter of interest sits at the upper end of its own.

        They grow, too, where the range is too short for the likelihood to change, so that the result does not depend on
        the scale of the parameter.
        """
        while True:
            narrow = [at for at in (*self._at_top(conditional), *self._faint(conditional)) if self._has_room(at)]
            if not narrow:
                return conditional
            for at in narrow:
                self._grow(at)
            conditional = self.profiler.fit(conditional.theta, fixed)

    def _at_top(self, conditional: Conditional) -> list[int]:
        """Return the parameters that want to leave a range which may grow."""
        pushed = conditional.minimum.at_bound & ~without_effect(conditional.minimum, self._widths(conditional))
        growing = self.growing
        return [
            int(at)
            for at in conditional.free[pushed]
            if int(at) in growing and conditional.theta[at] >= self.profiler.upper[at]
        ]

    def _faint(self, conditional: Conditional) -> list[int]:
        """Return the parameters whose range may grow, and whose effect is too small now but not in the largest one."""
        first = (self.parameters.upper - self.parameters.lower)[conditional.free]
        faint = without_effect(conditional.minimum, self._widths(conditional))
        faint &= ~without_effect(conditional.minimum, _LARGEST_GROWTH * first)
        return [int(at) for at in conditional.free[faint] if int(at) in self.growing]

    def _has_room(self, position: int) -> bool:
        first = float(self.parameters.upper[position] - self.parameters.lower[position])
        return float(self.profiler.upper[position] - self.profiler.lower[position]) < _LARGEST_GROWTH * first

    def _widths(self, conditional: Conditional) -> FloatArray:
        """Return `widths[free]`, of the ranges as they are now."""
        widths: FloatArray = (self.profiler.upper - self.profiler.lower)[conditional.free]
        return widths

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
        about = f"the range of {self.parameters.names[position]} was extended upwards to"
        self.notes = [note for note in self.notes if not note.startswith(about)]
        self.note(f"{about} {self.profiler.upper[position]:g}")


def _has_soft_range(kind: str, constraint: object) -> bool:
    """Return whether Combine lifts the range of such a parameter in fits: of a log-normal, a shape or a bin.

    Flat ones (`lnU`, `shapeU`) and all that is not a nuisance row keep theirs (`attribute optimizeBounds`).
    """
    flat = kind in ("lnU", "shapeU")
    return constraint is not None and not flat and (kind in _UNBOUNDED_KINDS or kind.startswith("shape"))
