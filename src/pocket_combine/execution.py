"""Where lists of independent tasks run: in this process, in processes of this machine, or on a Dask cluster.

Collecting outputs, impacts, scans and toys are lists of self-contained tasks. They take an `Executor` as an argument
and give the same results with each. A function and its tasks must be picklable: the function stands at the top of a
module, the tasks are plain values.
"""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import os
import pickle
import signal
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from pocket_combine.errors import (
    DeclarationError,
    ExecutionError,
    MissingDependencyError,
    PocketCombineError,
    TaskError,
)

__all__ = ["Progress", "Executor", "SerialExecutor", "ProcessExecutor", "DaskExecutor", "task_label"]

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""What libraries of linear algebra read, when they are loaded, for their number of threads."""

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
        report = progress or _silent
        report(0, len(tasks), "")
        for number, task in enumerate(tasks, start=1):
            outcome = _attempt(function, task)
            label = task_label(task)
            result = _unwrap(outcome, label)
            report(number, len(tasks), label)
            del outcome
            yield result
            # While the next task runs, this frame must not keep a result alive that was taken.
            del result


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
        pool = ProcessPoolExecutor(
            max(1, min(self.jobs, len(tasks))), multiprocessing.get_context("spawn"), initializer=_ignore_interrupts
        )
        try:
            yield from _in_order(lambda task: _submit(pool, function, task), tasks, lambda: 2 * self.jobs, progress)
        except KeyboardInterrupt:
            _terminate(pool)
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


class DaskExecutor:
    """Runs tasks on the cluster of an existing `dask.distributed.Client`.

    The client stays open: whoever made it closes it. At most two tasks per thread of the cluster, and at least 32, are
    in flight; their results are released as they are taken.

    Args:
        client: The client.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    @classmethod
    @contextlib.contextmanager
    def connect(cls, address: str, *, timeout: float = 30.0) -> Iterator[DaskExecutor]:
        """Return a context manager with an executor on the scheduler at an address.

        Args:
            address: As the scheduler prints it, for example `tcp://127.0.0.1:8786`.
            timeout: How long to wait for the scheduler, in seconds.

        Raises:
            MissingDependencyError: If `distributed` is not installed.
            ExecutionError: If no scheduler answers at the address.
        """
        try:
            from distributed import Client  # noqa: PLC0415  an optional dependency
        except ImportError as error:
            raise MissingDependencyError(
                f"Dask is needed to run on a cluster: pip install 'pocket-combine[dask]' ({error})"
            ) from error
        try:
            client = Client(address, timeout=timeout, set_as_default=False)  # type: ignore[no-untyped-call]  # not typed
        except (OSError, ValueError) as error:
            raise ExecutionError(
                f"no Dask scheduler answers at {address!r} within {timeout:g} s ({error}); expected an address such as "
                "tcp://host:8786, as the scheduler prints it"
            ) from error
        with client:
            yield cls(client)

    def map(
        self, function: Callable[[Task], Result], tasks: Sequence[Task], *, progress: Progress | None = None
    ) -> Iterator[Result]:
        """Return the results in task order; see `Executor.map`."""

        def in_flight() -> int:
            # Asked again at every step: a cluster that adapts to its load grows while it works.
            threads: dict[str, int] = self._client.nthreads()
            return max(32, 2 * sum(threads.values()))

        def submit(task: Task) -> _Future:
            # pure=False: Dask would otherwise read all of a task to find equal ones, and run those once.
            future: _Future = self._client.submit(_attempt, function, task, pure=False)
            return future

        yield from _in_order(submit, tasks, in_flight, progress)


class _Future(Protocol):
    """What futures of the standard library and of Dask have in common."""

    def result(self) -> Any: ...

    def cancel(self) -> Any: ...


@dataclass(frozen=True)
class _Failure:
    """A failed task on its way back from where it ran.

    Not every exception can be pickled, and of those that can, some cannot be read back, which would break the pool.
    """

    error: BaseException
    details: str

    def __reduce__(self) -> tuple[Callable[..., _Failure], tuple[bytes | None, str, str]]:
        try:
            pickled = pickle.dumps(self.error)
        except Exception:  # noqa: BLE001  pickling runs code of the exception's class
            pickled = None
        return _restore_failure, (pickled, f"{type(self.error).__name__}: {self.error}", self.details)


def _restore_failure(pickled: bytes | None, summary: str, details: str) -> _Failure:
    error: BaseException = ExecutionError(summary)
    if pickled is not None:
        # Unpickling runs code of the exception's class; the summary is what remains where that fails.
        with contextlib.suppress(Exception):
            error = pickle.loads(pickled)  # noqa: S301  comes from our own worker
    error.__cause__ = _RemoteTracebackError(details)
    return _Failure(error, details)


class _RemoteTracebackError(Exception):
    """Shows, as the cause of an exception from another process, where it was raised there."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


def _in_order(
    submit: Callable[[Task], _Future],
    tasks: Sequence[Task],
    in_flight: Callable[[], int],
    progress: Progress | None,
) -> Iterator[Any]:
    """Yield results in task order while at most `in_flight()` tasks are submitted and not taken."""
    report = progress or _silent
    report(0, len(tasks), "")
    remaining = iter(tasks)
    waiting: deque[tuple[str, _Future]] = deque()
    try:
        for done in range(1, len(tasks) + 1):
            for task in itertools.islice(remaining, in_flight() - len(waiting)):
                waiting.append((task_label(task), submit(task)))
            label, future = waiting[0]
            outcome = _outcome(future)
            waiting.popleft()
            # While this frame waits at the yield, it must not keep a result alive that was taken.
            del future
            result = _unwrap(outcome, label)
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


def _attempt(function: Callable[[Task], Result], task: Task) -> Result | _Failure:
    """Return the result of a task, or its failure in a form that survives the way between processes."""
    try:
        return function(task)
    except (Exception, SystemExit) as error:  # noqa: BLE001  whatever a task raises is reported under its name
        return _Failure(error, traceback.format_exc())


def _outcome(future: _Future) -> Any:
    """Return what a future holds; what it raises is about the way to the worker and back (pickling, lost workers)."""
    try:
        return future.result()
    except BrokenExecutor:
        raise
    except Exception as error:  # noqa: BLE001  reported under the name of the task
        return _Failure(error, "")


def _unwrap(outcome: Result | _Failure, label: str) -> Result:
    """Return a result, or raise `TaskError` for a failure."""
    if not isinstance(outcome, _Failure):
        return outcome
    error = outcome.error
    problem = str(error) if isinstance(error, PocketCombineError) else f"{type(error).__name__}: {error}"
    raise TaskError(label, problem) from error


def _silent(done: int, total: int, label: str) -> None:
    """Report no progress."""


def _submit(pool: ProcessPoolExecutor, function: Callable[[Task], Result], task: Task) -> _Future:
    """Submit a task; a process that is started for it computes with one thread, unless the user has set a number.

    Threads of linear algebra in several processes fight for the same cores: tasks then take several times as long.
    """
    chosen = any(name in os.environ for name in _THREAD_VARIABLES)
    if not chosen:
        os.environ.update(dict.fromkeys(_THREAD_VARIABLES, "1"))
    try:
        return pool.submit(_attempt, function, task)
    finally:
        if not chosen:
            for name in _THREAD_VARIABLES:
                del os.environ[name]


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
