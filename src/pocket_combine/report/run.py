"""Running what is missing: each step's result is a file, which is used again while it answers the same question."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pocket_combine._version import __version__
from pocket_combine.errors import PocketCombineError, ResultError
from pocket_combine.execution import Executor, Progress
from pocket_combine.inference import Workspace
from pocket_combine.io.atomic import atomic_write
from pocket_combine.io.result_files import read_result, write_result
from pocket_combine.plain import to_plain
from pocket_combine.report.plan import Step, Tools
from pocket_combine.report.unusable import why_unusable
from pocket_combine.report.workspaces import Workspaces
from pocket_combine.results import Result

__all__ = ["Observer", "Outcome", "run_steps"]

_logger = logging.getLogger(__name__)

_QUESTIONS = "questions.json"

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
    steps: Sequence[Step], workspaces: Workspaces, folder: Path, executor: Executor, observer: Observer
) -> dict[str, Outcome]:
    """Return the outcome of every step, by name; a step that fails does not stop the others.

    Args:
        steps: The steps, each after those that it needs.
        workspaces: Workspaces of all data sets.
        folder: Where results are kept.
        executor: Where lists of fits run.
        observer: Told what is being done.

    Raises:
        OSError: If a result cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    store = _Store(folder)
    outcomes: dict[str, Outcome] = {}
    for number, step in enumerate(steps, start=1):
        progress = observer(number, len(steps), step.title)
        begin = time.perf_counter()
        try:
            workspace = workspaces.get(step.sample, is_open=step.is_open)
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


def _needed(step: Step, outcomes: Mapping[str, Outcome]) -> dict[str, Result]:
    results = {}
    for name in step.needs:
        outcome = outcomes[name]
        if outcome.result is None or outcome.problem:
            raise ResultError(f"{outcome.step.title} cannot be used: {outcome.problem}")
        results[name] = outcome.result
    return results


class _Store:
    """Results in a folder, with the questions that they answer: arguments of a call that the result does not hold.

    Args:
        folder: The folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            questions = json.loads((folder / _QUESTIONS).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            questions = {}
        self._questions: dict[str, Any] = questions if isinstance(questions, dict) else {}

    def find(self, step: Step, workspace: Workspace) -> Result | None:
        """Return the result of a step, if it answers the same question about the same card."""
        path = self._path(step)
        if self._questions.get(step.name) != _question(step, workspace) or not path.is_file():
            return None
        try:
            result = read_result(step.kind, path)
        except ResultError as error:
            _logger.warning("%s; it is made anew", error)
            return None
        if (result.provenance.card, result.provenance.version) != (workspace.card, __version__):
            return None
        _logger.info("%s: %s holds the answer", step.name, path)
        return result

    def keep(self, step: Step, workspace: Workspace, result: Result) -> None:
        """Write the result of a step, then its question: the answer to another one is never taken for it."""
        if self._questions.pop(step.name, None) is not None:
            self._write_questions()
        write_result(result, self._path(step))
        self._questions[step.name] = _question(step, workspace)
        self._write_questions()

    def _path(self, step: Step) -> Path:
        return self._folder / f"{step.name}.json"

    def _write_questions(self) -> None:
        text = json.dumps(dict(sorted(self._questions.items())), indent=1)
        with atomic_write(self._folder / _QUESTIONS) as file:
            file.write(text.encode() + b"\n")


def _question(step: Step, workspace: Workspace) -> dict[str, Any]:
    question = {
        "card": workspace.card,
        "version": __version__,
        "data": workspace.kind.value,
        "settings": workspace.settings,
        "options": step.options,
    }
    plain: dict[str, Any] = json.loads(json.dumps(to_plain(question)))
    return plain
