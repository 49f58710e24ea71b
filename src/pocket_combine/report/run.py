"""Running what is missing: each step's result is a file, which is used again while it answers the same question."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pocket_combine.errors import PocketCombineError, ResultError
from pocket_combine.execution import Executor, Progress
from pocket_combine.report.plan import Step, Tools
from pocket_combine.report.store import Store
from pocket_combine.report.unusable import why_unusable
from pocket_combine.report.workspaces import Workspaces
from pocket_combine.results import Result

__all__ = ["Observer", "Outcome", "find_answered", "run_steps"]

Observer = Callable[[int, int, str], "Progress | None"]
"""Told the number of a step, that of all steps, and its title; returns what is told how far the step has come."""


@dataclass(frozen=True)
class Outcome:
    """What became of a step.

    Attributes:
        step: The step.
        result: Its result; `None` where there is none.
        problem: Why there is none, or why it cannot be used; empty if all is well.
        seconds: How long it took; `None` where the result was there already.
    """

    step: Step
    result: Result | None
    problem: str = ""
    seconds: float | None = None


def run_steps(
    steps: Sequence[Step], workspaces: Workspaces, store: Store, executor: Executor, observer: Observer
) -> dict[str, Outcome]:
    """Return the outcome of every step, by name; a step that fails does not stop the others.

    Args:
        steps: The steps, each after those that it needs.
        workspaces: Workspaces of all data sets.
        store: Where results are kept.
        executor: Where lists of fits run.
        observer: Told what is being done.

    Raises:
        OSError: If a result cannot be written.
    """
    outcomes: dict[str, Outcome] = {}
    for number, step in enumerate(steps, start=1):
        progress = observer(number, len(steps), step.title)
        begin = time.perf_counter()
        try:
            workspace = step.workspace(workspaces)
            kept = store.find(step, workspace)
            if kept is not None:
                outcomes[step.name] = Outcome(step, kept, why_unusable(kept))
                continue
            tools = Tools(workspaces, _needed(step, outcomes), executor, progress)
            result = step.function(workspace, tools)
        except PocketCombineError as error:
            outcomes[step.name] = Outcome(step, None, str(error), time.perf_counter() - begin)
            continue
        store.keep(step, workspace, result)
        outcomes[step.name] = Outcome(step, result, why_unusable(result), time.perf_counter() - begin)
    return outcomes


def find_answered(steps: Iterable[Step], workspaces: Workspaces, store: Store) -> set[str]:
    """Return the names of the steps that need not be run, because their results are there already."""
    answered = set()
    for step in steps:
        if step.name not in store.names:
            continue
        with contextlib.suppress(PocketCombineError):  # a data set that is not there any more has no answers
            if store.answers(step, step.workspace(workspaces)):
                answered.add(step.name)
    return answered


def _needed(step: Step, outcomes: Mapping[str, Outcome]) -> dict[str, Result]:
    results = {}
    for name in step.needs:
        outcome = outcomes[name]
        if outcome.result is None or outcome.problem:
            raise ResultError(f"{outcome.step.title} cannot be used: {outcome.problem}")
        results[name] = outcome.result
    return results
