"""Tasks in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from pocket_combine.execution.outcomes import attempt, unwrap
from pocket_combine.execution.protocols import Progress, silent, task_label

__all__ = ["SerialExecutor"]

Task = TypeVar("Task")
Result = TypeVar("Result")


class SerialExecutor:
    """Runs one task after the other in this process.

    Examples:
        >>> list(SerialExecutor().map(len, ["a", "bcd"]))
        [1, 3]
    """

    def map(
        self, function: Callable[[Task], Result], tasks: Sequence[Task], *, progress: Progress | None = None
    ) -> Iterator[Result]:
        """Return the results in task order; see `Executor.map`."""
        report = progress or silent
        report(0, len(tasks), "")
        for number, task in enumerate(tasks, start=1):
            outcome = attempt(function, task)
            label = task_label(task)
            result = unwrap(outcome, label)
            report(number, len(tasks), label)
            del outcome
            yield result
            # While the next task runs, this frame must not keep a result alive that was taken.
            del result
