"""The way of results and failures back from where tasks run."""

from __future__ import annotations

import contextlib
import pickle
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from pocket_combine.errors import ExecutionError, PocketCombineError, TaskError

__all__ = ["Failure", "attempt", "unwrap"]

Task = TypeVar("Task")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Failure:
    """A failed task on its way back from where it ran.

    Not every exception can be pickled, and of those that can, some cannot be read back, which would break the pool.
    """

    error: BaseException
    details: str

    def __reduce__(self) -> tuple[Callable[..., Failure], tuple[bytes | None, str, str]]:
        try:
            pickled = pickle.dumps(self.error)
        except Exception:  # noqa: BLE001  pickling runs code of the exception's class
            pickled = None
        return _restore_failure, (pickled, f"{type(self.error).__name__}: {self.error}", self.details)


def _restore_failure(pickled: bytes | None, summary: str, details: str) -> Failure:
    error: BaseException = ExecutionError(summary)
    if pickled is not None:
        # Unpickling runs code of the exception's class; the summary is what remains where that fails.
        with contextlib.suppress(Exception):
            error = pickle.loads(pickled)  # noqa: S301  comes from our own worker
    error.__cause__ = _RemoteTracebackError(details)
    return Failure(error, details)


class _RemoteTracebackError(Exception):
    """Shows, as the cause of an exception from another process, where it was raised there."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


def attempt(function: Callable[[Task], Result], task: Task) -> Result | Failure:
    """Return the result of a task, or its failure in a form that survives the way between processes."""
    try:
        return function(task)
    except (Exception, SystemExit) as error:  # noqa: BLE001  whatever a task raises is reported under its name
        return Failure(error, traceback.format_exc())


def unwrap(outcome: Result | Failure, label: str) -> Result:
    """Return a result, or raise `TaskError` for a failure."""
    if not isinstance(outcome, Failure):
        return outcome
    error = outcome.error
    problem = str(error) if isinstance(error, PocketCombineError) else f"{type(error).__name__}: {error}"
    raise TaskError(label, problem) from error
