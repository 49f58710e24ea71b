"""Results in a folder, each with the question that it answers: it is used again while the question is the same."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from pocket_combine._version import __version__
from pocket_combine.errors import ResultError
from pocket_combine.inference import Blinding, Workspace
from pocket_combine.io.atomic import atomic_write
from pocket_combine.io.result_files import read_result, write_result
from pocket_combine.plain import to_plain
from pocket_combine.report.plan import Step
from pocket_combine.results import Result

__all__ = ["Store"]

_logger = logging.getLogger(__name__)

_QUESTIONS = "questions.json"


class Store:
    """Results in a folder, with the questions that they answer: arguments of a call that the result does not hold.

    A name is written down before the file that it stands for, so that after an interrupt, too, no result is there that
    the store does not know as its own. Other files in the folder are never touched.

    Args:
        folder: The folder, which need not be there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            questions = json.loads((folder / _QUESTIONS).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            questions = {}
        self._questions: dict[str, Any] = questions if isinstance(questions, dict) else {}

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the results that the store wrote, those included that an interrupt left without a question."""
        return tuple(name for name in self._questions if Path(name).name == name)

    def answers(self, step: Step, workspace: Workspace) -> bool:
        """Return whether there is a file that answers the question of a step about the same card."""
        return self._questions.get(step.name) == _question(step, workspace) and self._path(step.name).is_file()

    def find(self, step: Step, workspace: Workspace) -> Result | None:
        """Return the result of a step, if it answers the same question about the same card."""
        if not self.answers(step, workspace):
            return None
        path = self._path(step.name)
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
        self._questions[step.name] = None
        self._write_questions()
        write_result(result, self._path(step.name))
        self._questions[step.name] = _question(step, workspace)
        self._write_questions()

    def is_blind(self, name: str) -> bool:
        """Return whether a result is known to be one of Asimov data."""
        question = self._questions[name]
        return isinstance(question, dict) and question.get("data") == Blinding.ASIMOV.value

    def card(self, name: str) -> str | None:
        """Return the hash of the card that a result is about; `None` where that is not known."""
        question = self._questions[name]
        return question.get("card") if isinstance(question, dict) else None

    def discard(self, name: str) -> list[Path]:
        """Remove a result of the store, and return the path of the file if there was one."""
        path = self._path(name)
        removed = [path] if path.is_file() else []
        path.unlink(missing_ok=True)
        del self._questions[name]
        self._write_questions()
        return removed

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"

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
