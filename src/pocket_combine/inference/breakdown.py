"""The uncertainty of a parameter of interest as a sum in quadrature of what groups of nuisances bring.

Groups are frozen at the best fit one after the other, and stay frozen: σ₀ is the uncertainty with everything floating,
σₖ that with the first k groups frozen, and group k contributes √(σₖ₋₁² - σₖ²). What is left in the end, with all
nuisances frozen, is the contribution of the data. So contributions add up to σ₀ in quadrature exactly; correlated
groups share what they have in common in the order of the groups, the first taking it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pocket_combine.errors import CardError, nearest
from pocket_combine.execution import Executor, SerialExecutor
from pocket_combine.inference.fitter import MINOS_LEVEL, Fitter
from pocket_combine.inference.usable import usable_best
from pocket_combine.inference.workspace import Workspace
from pocket_combine.likelihood.parameters import AUTO_MC_STATS_GROUP
from pocket_combine.results import UncertaintyGroup
from pocket_combine.templates import FloatArray

__all__ = ["FrozenGroups", "breakdown", "breakdown_of", "breakdown_tasks"]


@dataclass(frozen=True)
class FrozenGroups:
    """A task: the interval of the first parameter of interest with some nuisances frozen.

    Attributes:
        workspace: Model and data.
        group: The group that is frozen last; empty where everything floats.
        frozen: Names of the frozen nuisances.
        best: `best[model parameter]`, all parameters at the best fit.
        level: ΔNLL of the interval.
    """

    workspace: Workspace
    group: str
    frozen: tuple[str, ...]
    best: FloatArray
    level: float

    @property
    def label(self) -> str:
        """Name of the task in messages."""
        return f"uncertainty without {self.group}" if self.group else "total uncertainty"

    def run(self) -> tuple[float, float]:
        """Return the lower and upper uncertainty, not a number where an end of the interval was not found."""
        model = self.workspace.model
        fitter = Fitter(model.likelihood(self.workspace.data, frozen=self.frozen), self.workspace.options)
        best = usable_best(fitter, self.best[model.parameters.indices(fitter.parameters.names)])
        interval, _ = fitter.interval(best, self.workspace.poi, self.level)
        low = interval.best - interval.low if interval.low_status.usable else math.nan
        high = interval.high - interval.best if interval.high_status.usable else math.nan
        return low, high


def breakdown(
    workspace: Workspace,
    *,
    groups: Sequence[str] | None = None,
    level: float = MINOS_LEVEL,
    executor: Executor | None = None,
    best: FloatArray | None = None,
) -> tuple[UncertaintyGroup, ...]:
    """Return the decomposition of the uncertainty of the first parameter of interest.

    Nuisances are parameters with a constraint term. One that is in several groups counts in the first of them; those in
    none form the group `other`; those of autoMCStats come last. Rate parameters and other unconstrained parameters are
    measured by the data: they float throughout, and their part belongs to `stat`. Where the card has a group of the
    name `other` or `stat`, ours is called `other nuisances` or `data statistics`.

    Args:
        workspace: Model and data.
        groups: Groups in the order in which they are frozen; those of the card, sorted, by default; an empty list gives
            an empty breakdown.
        level: ΔNLL of the intervals.
        executor: Where fits run; in this process by default.
        best: `best[model parameter]`, the best fit if it is known.

    Raises:
        CardError: If there is no such group, or the best fit cannot be used.
    """
    if groups is not None and not groups:
        return ()
    if best is None:
        fitter = workspace.fitter()
        best = fitter.likelihood.complete(usable_best(fitter, workspace.start_of(fitter)).theta)
    tasks = breakdown_tasks(workspace, groups, level, best)
    widths = (executor or SerialExecutor()).map(FrozenGroups.run, tasks)
    return breakdown_of(tasks, list(widths))


def breakdown_tasks(
    workspace: Workspace, groups: Sequence[str] | None, level: float, best: FloatArray
) -> list[FrozenGroups]:
    """Return the tasks of a breakdown, none if there are no groups; see `breakdown`."""
    if groups is not None and not groups:
        return []
    tasks = [FrozenGroups(workspace, "", (), best, level)]
    for group, names in _partition(workspace, groups):
        tasks.append(FrozenGroups(workspace, group, tasks[-1].frozen + names, best, level))
    return tasks


def breakdown_of(tasks: Sequence[FrozenGroups], widths: Sequence[tuple[float, float]]) -> tuple[UncertaintyGroup, ...]:
    """Return the breakdown from the results of its tasks."""
    if not tasks:
        return ()
    known = tasks[0].workspace.model.parameters.groups
    labels = [task.group for task in tasks[1:]] + ["data statistics" if "stat" in known else "stat"]
    low, high = (_steps([width[side] for width in widths]) for side in (0, 1))
    return tuple(UncertaintyGroup(*part) for part in zip(labels, low, high, strict=True))


def _partition(workspace: Workspace, groups: Sequence[str] | None) -> list[tuple[str, tuple[str, ...]]]:
    """Return the floating nuisances of each group, each nuisance once."""
    parameters = workspace.model.parameters
    known = parameters.groups
    unknown = [group for group in groups or () if group not in known]
    if unknown:
        raise CardError([f"no group {group!r} in the model: {nearest(group, known)}" for group in unknown])
    pois = set(parameters.pois)
    left = {item.name: None for item in parameters if item.is_nuisance and not (item.frozen or item.name in pois)}
    chosen = [group for group in known if group != AUTO_MC_STATS_GROUP] if groups is None else list(groups)
    result = []
    for group in dict.fromkeys(chosen):
        own = tuple(name for name in known[group] if name in left)
        left = {name: None for name in left if name not in own}
        result.append((group, own))
    bins = tuple(name for name in left if name in set(known.get(AUTO_MC_STATS_GROUP, ())))
    others = tuple(name for name in left if name not in set(bins))
    if others:
        result.append(("other nuisances" if "other" in known else "other", others))
    if bins:
        result.append((AUTO_MC_STATS_GROUP, bins))
    return result


def _steps(widths: Sequence[float]) -> list[float]:
    """Return √(σₖ₋₁² - σₖ²) for each step, and the last σ.

    Freezing cannot widen an interval; where σ rises by the tolerance of the searches, it is taken not to. Steps from or
    to a σ that was not found are not numbers.

    Examples:
        >>> _steps([5.0, 4.0, 4.0000001])
        [3.0, 0.0, 4.0]
        >>> _steps([5.0, math.nan, 4.0])
        [nan, nan, 4.0]
    """
    result = []
    current = widths[0]
    for width in widths[1:]:
        lower = width if math.isnan(current + width) else min(width, current)
        result.append(math.sqrt(current**2 - lower**2))
        current = lower
    return [*result, current]
