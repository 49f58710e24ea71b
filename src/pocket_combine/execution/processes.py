"""Tasks in processes of this machine."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from pocket_combine.errors import DeclarationError
from pocket_combine.execution.ordering import Future, in_order
from pocket_combine.execution.outcomes import attempt
from pocket_combine.execution.protocols import Progress
from pocket_combine.execution.threads import one_thread

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

__all__ = ["ProcessExecutor"]

Task = TypeVar("Task")
Result = TypeVar("Result")


class ProcessExecutor:
    """Runs tasks in processes of this machine.

    The processes are started anew (`spawn`), so that they share no locks, threads or open files with this one, and each
    computes with one thread unless `OMP_NUM_THREADS` or a variable of its kind says otherwise. A script
    that uses them must therefore begin its work under `if __name__ == "__main__":`. At most two tasks per process are
    in flight: memory does not grow with the list.

    Attributes:
        jobs: Number of processes.

    Raises:
        DeclarationError: If `jobs` is less than 1.

    Examples:
        >>> ProcessExecutor(4).jobs
        4
    """

    def __init__(self, jobs: int) -> None:
        if jobs < 1:
            raise DeclarationError(f"jobs is {jobs!r}, expected a number of processes, at least 1")
        self.jobs = jobs

    def map(
        self, function: Callable[[Task], Result], tasks: Sequence[Task], *, progress: Progress | None = None
    ) -> Iterator[Result]:
        """Return the results in task order; see `Executor.map`."""
        import multiprocessing  # noqa: PLC0415  both are slow to import, and most commands run in one process
        from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415

        pool = ProcessPoolExecutor(
            max(1, min(self.jobs, len(tasks))), multiprocessing.get_context("spawn"), initializer=_ignore_interrupts
        )
        try:
            yield from in_order(lambda task: _submit(pool, function, task), tasks, lambda: 2 * self.jobs, progress)
        except KeyboardInterrupt:
            _terminate(pool)
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _submit(pool: ProcessPoolExecutor, function: Callable[[Task], Result], task: Task) -> Future:
    """Submit a task; the pool may start a process for it."""
    with one_thread():
        return pool.submit(attempt, function, task)


def _ignore_interrupts() -> None:
    """Leave Ctrl-C, which a terminal sends to all processes, to the process that waits for the results."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _terminate(pool: ProcessPoolExecutor) -> None:
    """End the processes of a pool without waiting for their tasks."""
    # ProcessPoolExecutor.terminate_workers does this from Python 3.14 on.
    processes = list(pool._processes.values())  # noqa: SLF001
    manager: Any = getattr(pool, "_executor_manager_thread", None)
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.terminate()
    # Left alone, this thread and the end of the interpreter would race for a pipe.
    if manager is not None:
        manager.join(timeout=10.0)
