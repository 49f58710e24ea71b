"""Impacts of nuisances on the parameters of interest, in Combine's definition (`python/tool_base/Impacts.py`).

The impact of a nuisance is what happens to a parameter of interest when the nuisance is moved to an end of its interval
after the fit and everything else is fitted again. The search for the end of the interval makes exactly this fit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pocket_combine.errors import CardError
from pocket_combine.execution import Executor, Progress, SerialExecutor
from pocket_combine.inference.batch import Batch, BatchCrossings
from pocket_combine.inference.breakdown import FrozenGroups, breakdown_of, breakdown_tasks
from pocket_combine.inference.fitter import MINOS_LEVEL, BestFit, Fitter
from pocket_combine.inference.notices import cut_impacts_notice
from pocket_combine.inference.prefit import prefit_interval
from pocket_combine.inference.usable import usable_best
from pocket_combine.inference.workspace import Workspace
from pocket_combine.likelihood import Constraint, ConstraintKind, ModelParameter
from pocket_combine.results import Impact, ImpactResult, Status
from pocket_combine.templates import FloatArray, IntArray

__all__ = ["impacts", "to_impacts_json"]

_MOST_TASKS = 64
_LARGEST_BATCH = 2e7
"""Elements of the Hessians of one batch."""

_MOST_RESTARTS = 3

_KINDS = {
    ConstraintKind.GAUSSIAN: "Gaussian",
    ConstraintKind.POISSON: "Poisson",
    ConstraintKind.UNIFORM: "Unconstrained",
}
"""What Combine calls the kinds of constraints; all others are `Unrecognised`."""


@dataclass(frozen=True)
class _Ends:
    """A task: the ends of the intervals of some nuisances, which are found together.

    Attributes:
        workspace: Model and data.
        names: Names of the nuisances.
        best: `best[model parameter]`, all parameters at the best fit.
        level: ΔNLL of the intervals.
    """

    workspace: Workspace
    names: tuple[str, ...]
    best: FloatArray
    level: float

    @property
    def label(self) -> str:
        """Name of the task in messages."""
        more = len(self.names) - 1
        return self.names[0] + (f" and {more} more" if more else "")

    def run(self) -> list[tuple[_End, _End]]:
        """Return both ends for each nuisance."""
        return _ends(self)


@dataclass(frozen=True)
class _End:
    """A nuisance at an end of its interval.

    Attributes:
        value: The nuisance.
        pois: `pois[poi]`, the parameters of interest after the fit of everything else.
        status: How the end was found.
        below: `below[model parameter]` of a lower minimum that was met on the way, if there was one.
    """

    value: float
    pois: tuple[float, ...]
    status: Status
    below: FloatArray | None = None


def impacts(
    workspace: Workspace,
    *,
    parameters: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
    level: float = MINOS_LEVEL,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> ImpactResult:
    """Return the impacts of nuisances, and the breakdown of the uncertainty of the first parameter of interest.

    Args:
        workspace: Model and data.
        parameters: Names of the nuisances; all parameters that float and are not of interest by default, those of
            autoMCStats and rate parameters among them.
        groups: Groups of the breakdown, see `breakdown`; those of the card by default, none if empty.
        level: ΔNLL of the intervals.
        executor: Where fits run; in this process by default.
        progress: Told how many tasks, of some nuisances each, are done.

    Raises:
        CardError: If a name is not in the model, is frozen or of interest, all parameters of interest are frozen, or
            the best fit cannot be used.

    Examples:
        >>> from pocket_combine.card.parser import parse_card
        >>> from pocket_combine.inference.workspace import make_workspace
        >>> text = '''imax 1
        ... bin SR
        ... observation 110
        ... bin SR SR
        ... process sig bkg
        ... process 0 1
        ... rate 10 100
        ... norm lnN - 1.1'''
        >>> result = impacts(make_workspace(parse_card(text), {}))
        >>> [(impact.parameter, round(impact.impact("r"), 2)) for impact in result.impacts]
        [('norm', 1.0)]
    """
    runner = executor or SerialExecutor()
    model = workspace.model
    workspace.asked_parameter()
    names = _nuisances(workspace) if parameters is None else _chosen(workspace, parameters)
    fitter = workspace.fitter()
    best = usable_best(fitter, workspace.start_of(fitter))
    for _ in range(_MOST_RESTARTS):
        pois = []
        for name in workspace.floating_pois:
            interval, best = fitter.interval(best, name, level)
            pois.append(interval)
        theta = fitter.likelihood.complete(best.theta)
        size = _task_size(len(names), len(fitter.parameters))
        tasks = [_Ends(workspace, names[begin : begin + size], theta, level) for begin in range(0, len(names), size)]
        steps = breakdown_tasks(workspace, groups, level, theta)
        everything: list[_Ends | FrozenGroups] = [*tasks, *steps]
        results = runner.map(_run, everything, progress=progress)
        parts = [next(results) for _ in tasks]
        ends = dict(zip(names, (pair for part in parts for pair in part), strict=True))
        widths = list(results)
        below = [end.below for pair in ends.values() for end in pair if end.below is not None]
        if not below:
            break
        fitter.note("a lower minimum was found while a nuisance was moved; all fits were repeated from there")
        positions = model.parameters.indices(fitter.parameters.names)
        best = min((usable_best(fitter, other[positions]) for other in below), key=lambda fit: fit.nll)
    for name, pair in ends.items():
        if not all(end.status.usable for end in pair):
            fitter.note(f"an end of the interval of {name} was not found, and its impact is not one")
    for name in workspace.floating_pois:
        at, edge = model.parameters.pois.index(name), float(fitter.profiler.lower[fitter.parameters.index(name)])
        at_edge = [parameter for parameter, pair in ends.items() if any(end.pois[at] == edge for end in pair)]
        for note in cut_impacts_notice(name, edge, at_edge):
            fitter.note(note)
    for task, width in zip(steps, widths, strict=True):
        if not all(math.isfinite(part) for part in width):
            fitter.note(f"{task.label}: an end of the interval was not found, and its parts are not numbers")
    return ImpactResult(
        workspace.provenance(notes=list(fitter.notes), level=level),
        tuple(pois),
        tuple(_impact(model.parameters.get(name), theta, workspace, ends[name]) for name in names),
        breakdown_of(steps, widths),
    )


def to_impacts_json(result: ImpactResult) -> dict[str, Any]:
    """Return the impacts in the layout of Combine's `impacts.json`, ready for `plotImpacts.py`.

    Parameters are sorted by name as there.

    Args:
        result: The impacts.
    """
    pois = [interval.parameter for interval in result.pois]
    rows = []
    for impact in sorted(result.impacts, key=lambda impact: impact.parameter):
        row: dict[str, Any] = {
            "name": impact.parameter,
            "type": impact.kind,
            "groups": list(impact.groups),
            "prefit": list(impact.prefit),
            "fit": list(impact.fit),
        }
        for poi in pois:
            row[poi] = list(impact.values[poi])
            row[f"impact_{poi}"] = impact.impact(poi)
        rows.append(row)
    fits = [{"name": item.parameter, "fit": [item.low, item.best, item.high]} for item in result.pois]
    return {"POIs": fits, "params": rows, "method": "default"}


def _run(task: _Ends | FrozenGroups) -> Any:
    return task.run()


def _nuisances(workspace: Workspace) -> tuple[str, ...]:
    parameters = workspace.model.parameters
    pois = set(parameters.pois)
    return tuple(item.name for item in parameters if not (item.frozen or item.name in pois))


def _chosen(workspace: Workspace, names: Sequence[str]) -> tuple[str, ...]:
    parameters = workspace.model.parameters
    chosen = [parameters[int(at)] for at in parameters.indices(dict.fromkeys(names))]
    pois = set(parameters.pois)
    problems = [f"{item.name} is a parameter of interest, which has no impact" for item in chosen if item.name in pois]
    problems += [f"{item.name} is frozen and has no impact" for item in chosen if item.frozen]
    if problems:
        raise CardError(problems)
    return tuple(item.name for item in chosen)


def _task_size(count: int, parameters: int) -> int:
    """Return how many nuisances share a task: enough that an evaluation is worth it, few enough for memory."""
    fitting = max(1, int(_LARGEST_BATCH / (2 * parameters**2)))
    return max(1, min(fitting, max(8, math.ceil(count / _MOST_TASKS))))


def _impact(parameter: ModelParameter, theta: FloatArray, workspace: Workspace, ends: tuple[_End, _End]) -> Impact:
    everything = workspace.model.parameters
    low, high = ends
    best = float(theta[everything.index(parameter.name)])
    pois = everything.pois
    values = {poi: (low.pois[at], float(theta[everything.index(poi)]), high.pois[at]) for at, poi in enumerate(pois)}
    return Impact(
        parameter.name,
        _kind(parameter.constraint),
        tuple(sorted(parameter.groups)),
        prefit_interval(parameter),
        (low.value, best, high.value),
        values,
        (low.status, high.status),
    )


def _kind(constraint: Constraint | None) -> str:
    if constraint is None:
        return "Unconstrained"
    if constraint.kind is ConstraintKind.GAUSSIAN and constraint.is_asymmetric:
        return "AsymmetricGaussian"
    return _KINDS.get(constraint.kind, "Unrecognised")


# ---------------------------------------------------------------------- one task


def _ends(task: _Ends) -> list[tuple[_End, _End]]:
    """Return both ends of the intervals of some nuisances."""
    model = task.workspace.model
    fitter = task.workspace.fitter(explicit=[name for name in task.names if name in set(model.bin_parameters)])
    best = fitter.best(task.best[model.parameters.indices(fitter.parameters.names)])
    pois = fitter.parameters.indices(model.parameters.pois)
    # A nuisance at its end may drive a parameter of interest out of the range of the card.
    fitter.profiler.upper[fitter.growing] = math.inf
    positions = fitter.parameters.indices(task.names)
    sides = (-1, 1)
    position, side = np.repeat(positions, 2), np.tile(sides, positions.size)
    search = _together(fitter, best, position, side, task.level)
    ends = []
    for number in range(position.size):
        if search.found[number]:
            status = Status.AT_BOUNDARY if search.at_edge[number] else Status.CONVERGED
            values = search.theta[number][pois]
            ends.append(_End(float(search.value[number]), tuple(values.tolist()), status))
        else:
            end = fitter.crossing(best, int(position[number]), task.level, int(side[number]))
            below = None if end.below is None else fitter.likelihood.complete(end.below.theta)
            ends.append(_End(end.value, tuple(end.theta[pois].tolist()), end.status, below))
    return list(zip(ends[::2], ends[1::2], strict=True))


def _together(fitter: Fitter, best: BestFit, position: IntArray, side: IntArray, level: float) -> BatchCrossings:
    """Return the ends that are found when all are sought together."""
    profiler = fitter.profiler
    batch = Batch(lambda _: fitter.likelihood, profiler.lower, profiler.upper, profiler.floating)
    rows = np.zeros((position.size, best.theta.size))
    if best.covariance.size:
        free = best.conditional.free
        full = np.zeros((best.theta.size, best.theta.size))
        full[np.ix_(free, free)] = best.covariance
        rows = full[position]
    theta = np.tile(best.theta, (position.size, 1))
    return batch.crossings(theta, np.full(position.size, best.nll), rows, position, side, level)
