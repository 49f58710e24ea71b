"""Tasks on a Dask cluster."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from pocket_combine.errors import ExecutionError, MissingDependencyError
from pocket_combine.execution.ordering import Future, in_order
from pocket_combine.execution.outcomes import attempt
from pocket_combine.execution.protocols import Progress

__all__ = ["DaskExecutor"]

Task = TypeVar("Task")
Result = TypeVar("Result")


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

        def submit(task: Task) -> Future:
            # pure=False: Dask would otherwise read all of a task to find equal ones, and run those once.
            future: Future = self._client.submit(attempt, function, task, pure=False)
            return future

        yield from in_order(submit, tasks, in_flight, progress)
