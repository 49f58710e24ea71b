"""How commands speak: products on standard output; errors, log and progress on standard error; exit codes."""

from __future__ import annotations

import contextlib
import enum
import functools
import io
import json
import logging
import math
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TextIO, cast

import click
from rich.console import Console
from rich.text import Text

from pocket_combine.execution import Progress

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

__all__ = [
    "ExitCode",
    "products",
    "print_json",
    "diagnostics",
    "show_error",
    "logging_to_stderr",
    "activity",
    "progress_bar",
    "steps_bar",
]


_ANY_WIDTH = 1_000_000
"""Characters, more than any line has; tables are as wide as what is in them."""
_PADDING = re.compile(r" +((?:\x1b\[0m)?\n)")
"""Blanks before the end of a line, or before the end of its style."""


class ExitCode(enum.IntEnum):
    """What a command tells the shell: all is well, there are findings worth stopping for, it failed, or Ctrl-C."""

    CLEAN = 0
    FINDINGS = 1
    FAILED = 2
    INTERRUPTED = 130


def products() -> Console:
    """Return a console on standard output, for what a command was asked for."""
    return _console(stderr=False)


def _console(*, stderr: bool) -> Console:
    """Return a console as wide as the terminal, or as `COLUMNS` says; in files and pipes, lines are never broken."""
    stream = sys.stderr if stderr else sys.stdout
    console = Console(stderr=stderr, highlight=False, emoji=False, markup=False)
    if not stream.isatty():
        console.file = cast("TextIO", _Unpadded(stream))
        if not os.environ.get("COLUMNS", "").isdigit():
            console.width = _ANY_WIDTH
    return console


class _Unpadded(io.TextIOBase):
    """A text stream without the blanks that tables have at the ends of their lines."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override]  # a plain attribute in typeshed
        return self._stream.encoding

    def write(self, text: str) -> int:
        self._stream.write(_PADDING.sub(r"\1", text))
        return len(text)

    def flush(self) -> None:
        self._stream.flush()


def print_json(value: object) -> None:
    """Print a value as JSON on standard output; numbers that are not finite, which JSON lacks, become `null`."""
    click.echo(json.dumps(_finite(value), indent=2, allow_nan=False))


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def diagnostics() -> Console:
    """Return a console on standard error, for messages and progress."""
    return _console(stderr=True)


def show_error(message: str, *, debug: bool = False) -> None:
    """Show what went wrong, and with `debug` the traceback of the exception that is being handled."""
    console = diagnostics()
    if debug:
        console.print(Text(traceback.format_exc()), soft_wrap=True)
    # Lines of a log stay whole, so that they can be searched; on a terminal they break between words.
    console.print(Text.assemble(("Error: ", "bold red"), message), soft_wrap=not console.is_terminal)


class _ConsoleHandler(logging.Handler):
    """Writes log records through a console, so that they do not break into a progress bar."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.console = console

    def emit(self, record: logging.LogRecord) -> None:
        style = "yellow" if record.levelno >= logging.WARNING else "dim"
        text = Text.assemble((f"{record.levelname.capitalize()}: ", style), record.getMessage())
        self.console.print(text, soft_wrap=True)


@contextlib.contextmanager
def logging_to_stderr(verbose: int) -> Iterator[None]:
    """Send the log of the package to standard error within the context.

    Args:
        verbose: 0 for warnings, 1 for what is done, 2 for details.
    """
    logger = logging.getLogger("pocket_combine")
    handler = _ConsoleHandler(diagnostics())
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel({0: logging.WARNING, 1: logging.INFO}.get(verbose, logging.DEBUG))
    try:
        yield
    finally:
        logger.setLevel(before)
        logger.removeHandler(handler)


@contextlib.contextmanager
def activity(what: str) -> Iterator[None]:
    """Show on a terminal that something takes a while within the context.

    Args:
        what: What is being done, for example `Generating events`.
    """
    console = diagnostics()
    # Without a terminal nothing would be shown, and what draws it would be imported in vain.
    with console.status(Text(what)) if console.is_terminal else contextlib.nullcontext():
        yield


@contextlib.contextmanager
def progress_bar(what: str) -> Iterator[Progress]:
    """Yield a callback that moves a progress bar on a terminal and logs where there is none.

    Args:
        what: What is in progress, for example `Reading outputs`.
    """
    console = diagnostics()
    if not console.is_terminal:
        yield functools.partial(_log_progress, what)
        return
    with _bars(console) as bar:
        task = bar.add_task(what, total=None, label="")

        def advance(done: int, total: int, label: str) -> None:
            bar.update(task, completed=done, total=total, label=label)

        yield advance


@contextlib.contextmanager
def steps_bar() -> Iterator[Callable[[int, int, str], Progress]]:
    """Yield a callback that shows which step is taken, and returns the one for the tasks of the step.

    It takes the number of the step, that of all steps, and what the step does. Without a terminal steps are logged.
    """
    console = diagnostics()
    if not console.is_terminal:
        yield _log_step
        return
    with _bars(console) as bar:
        whole, part = bar.add_task("", label=""), bar.add_task("", visible=False, label="")

        def begin(number: int, total: int, title: str) -> Progress:
            bar.update(whole, description="Steps", completed=number - 1, total=total, label=title)
            bar.reset(part, description="", total=None, visible=False, label="")

            def advance(done: int, total: int, label: str) -> None:
                bar.update(part, description="  tasks", completed=done, total=total, visible=total > 1, label=label)

            return advance

        yield begin


def _bars(console: Console) -> Bars:
    from rich import progress  # noqa: PLC0415  slow to import, and only terminals show bars

    return progress.Progress(
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(bar_width=30),
        progress.MofNCompleteColumn(),
        progress.TimeElapsedColumn(),
        progress.TextColumn("{task.fields[label]}", style="dim", markup=False),
        console=console,
        transient=True,
    )


def _log_step(number: int, total: int, title: str) -> Progress:
    logging.getLogger(__name__).info("%d of %d: %s", number, total, title)
    return functools.partial(_log_progress, title)


def _log_progress(what: str, done: int, total: int, label: str) -> None:
    if done:
        logging.getLogger(__name__).info("%s: %d of %d (%s)", what, done, total, label)
