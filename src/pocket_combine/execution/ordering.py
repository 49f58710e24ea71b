"""Results in the order of their tasks, of which only some are under way at a time."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from typing import Any, Protocol, TypeVar

from pocket_combine.errors import ExecutionError
from pocket_combine.execution.outcomes import Failure, unwrap
from pocket_combine.execution.protocols import Progress, silent, task_label

__all__ = ["Future", "in_order"]

Task = TypeVar("Task")


class Future(Protocol):
    """What futures of the standard library and of Dask have in common."""

    def result(self) -> Any:
        """Wait for the result and return it."""

    def cancel(self) -> Any:
        """Leave the task, if it has not started yet."""


def in_order(
    submit: Callable[[Task], Future],
    tasks: Sequence[Task],
    in_flight: Callable[[], int],
    progress: Progress | None,
) -> Iterator[Any]:
    """Yield results in task order while at most `in_flight()` tasks are submitted and not taken."""
    report = progress or silent
    report(0, len(tasks), "")
    remaining = iter(tasks)
    waiting: deque[tuple[str, Future]] = deque()
    try:
        for done in range(1, len(tasks) + 1):
            for task in itertools.islice(remaining, in_flight() - len(waiting)):
                waiting.append((task_label(task), submit(task)))
            label, future = waiting[0]
            outcome = _outcome(future)
            waiting.popleft()
            # While this frame waits at the yield, it must not keep a result alive that was taken.
            del future
            result = unwrap(outcome, label)
            del outcome
            report(done, len(tasks), label)
            yield result
            del result
    except BrokenExecutor as error:
        first = waiting[0][0] if waiting else "the first task"
        raise ExecutionError(
            f"a worker process ended without an answer while {first} or a task after it was running. It may have been "
            "killed for lack of memory (then use fewer processes), or the script that starts the processes does not "
            'begin its work under `if __name__ == "__main__":`'
        ) from error
    finally:
        for _, future in waiting:
            future.cancel()


def _outcome(future: Future) -> Any:
    """Return what a future holds; what it raises is about the way to the worker and back (pickling, lost workers)."""
    try:
        return future.result()
    except BrokenExecutor:
        raise
    except Exception as error:  # noqa: BLE001  reported under the name of the task
        return Failure(error, "")
