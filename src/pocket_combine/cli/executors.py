"""Where a command runs its tasks: the options `--jobs` and `--dask`, and what they mean."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import click

from pocket_combine.execution import DaskExecutor, Executor, ProcessExecutor, SerialExecutor

__all__ = ["executing", "executor_options"]

_Function = TypeVar("_Function", bound=Callable[..., Any])


def executor_options(does: str) -> Callable[[_Function], _Function]:
    """Return a decorator that gives a command `--jobs` and `--dask`.

    Args:
        does: What the processes do, for the help: `read the outputs`, `fit`.
    """

    def decorate(function: _Function) -> _Function:
        jobs = click.option(
            "-j",
            "--jobs",
            type=click.IntRange(min=1),
            metavar="N",
            default=1,
            show_default=True,
            help=f"Number of processes that {does}.",
        )
        dask = click.option(
            "--dask", metavar="ADDRESS", help=f"Dask cluster whose workers {does}, such as tcp://host:8786."
        )
        result: _Function = jobs(dask(function))
        return result

    return decorate


@contextlib.contextmanager
def executing(jobs: int, dask: str | None) -> Iterator[Executor]:
    """Yield what runs the tasks.

    Raises:
        click.UsageError: If both options are given.
    """
    if dask and jobs > 1:
        raise click.UsageError("--jobs and --dask exclude each other: tasks run in one place")
    if dask:
        with DaskExecutor.connect(dask) as executor:
            yield executor
    else:
        yield ProcessExecutor(jobs) if jobs > 1 else SerialExecutor()
