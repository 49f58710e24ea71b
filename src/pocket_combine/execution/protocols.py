"""What runs lists of tasks, and what is told how far they have come."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

__all__ = ["Executor", "Progress", "silent", "task_label"]

Task = TypeVar("Task")
Result = TypeVar("Result")


class Progress(Protocol):
    """What is told how far a list of tasks has come.

    It is called once with `done=0` and an empty label before the first task, and then after each task, in task order.
    """

    def __call__(self, done: int, total: int, label: str) -> None:
        """Take note that `done` of `total` tasks are finished, the one called `label` last."""


class Executor(Protocol):
    """What runs a function on every task of a list."""

    def map(
        self, function: Callable[[Task], Result], tasks: Sequence[Task], *, progress: Progress | None = None
    ) -> Iterator[Result]:
        """Return an iterator over the results, in the order of the tasks.

        Tasks start when the iterator is used. Leaving it early cancels what has not started.

        Args:
            function: Called with one task. Must be picklable unless it runs in this process.
            tasks: The tasks. One with a `label` attribute (text) is called so in messages.
            progress: Told how many tasks are done.

        Raises:
            TaskError: When the turn comes to a task that failed; its exception is the `__cause__`.
            ExecutionError: If there is nothing to run tasks on, or it was lost.
        """


def task_label(task: object) -> str:
    """Return the name of a task in messages: its `label`, the text of a path, or its beginning.

    Examples:
        >>> from pathlib import PurePosixPath
        >>> task_label(PurePosixPath("outputs/output_2018.coffea"))
        'outputs/output_2018.coffea'
        >>> task_label(("ttbar", 3))
        "('ttbar', 3)"
    """
    label = getattr(task, "label", None)
    if isinstance(label, str) and label:
        return label
    text = str(task) if isinstance(task, (str, os.PathLike)) else repr(task)
    return text if len(text) <= 100 else f"{text[:99]}…"


def silent(done: int, total: int, label: str) -> None:
    """Report no progress."""
