"""What all commands share: options for messages, examples in the help, errors as one message, exit codes."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import click

from pocket_combine.cli.console import ExitCode, logging_to_stderr, show_error
from pocket_combine.errors import PocketCombineError, nearest

__all__ = ["Command", "Group", "with_options"]


def _write_examples(formatter: click.HelpFormatter, examples: Sequence[str]) -> None:
    """Write command lines, one to a line as they would be typed."""
    with formatter.section("Examples"):
        for example in examples:
            formatter.write(f"{'':>{formatter.current_indent}}{example}\n")


class Group(click.Group):
    """A group that lists its commands in the order in which they were given and imports each when it is used.

    Attributes:
        examples: Command lines that the help shows.
        homes: Module and name of each command, as `package.module:name`.
    """

    def __init__(self, *args: Any, examples: Sequence[str], homes: Mapping[str, str], **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.examples = tuple(examples)
        self.homes = dict(homes)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  as click calls it
        """Return the names of the commands."""
        return list(self.homes)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, which is imported now: only what a command needs costs time at its start."""
        if cmd_name in self.homes and cmd_name not in self.commands:
            module, _, name = self.homes[cmd_name].partition(":")
            self.add_command(getattr(importlib.import_module(module), name), cmd_name)
        return super().get_command(ctx, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the words begin with; of one that is not there, the error has the most similar."""
        name = args[0]
        if name not in self.homes and not name.startswith("-"):
            raise click.UsageError(f"there is no command {name!r}; {nearest(name, self.homes)}", ctx)
        return super().resolve_command(ctx, args)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples after the epilog, if there is one."""
        super().format_epilog(ctx, formatter)
        _write_examples(formatter, self.examples)


class Command(click.Command):
    """A command whose function returns an `ExitCode`.

    It has the options `--verbose` and `--debug`, logs to standard error, and shows exceptions as one
    message.

    Attributes:
        examples: Command lines that the help shows.
    """

    def __init__(self, *args: Any, examples: Sequence[str], **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.examples = tuple(examples)
        self.params += [
            click.Option(["-v", "--verbose"], count=True, help="Log what is done; twice for details."),
            click.Option(["--debug"], is_flag=True, help="Show the Python traceback of an error."),
        ]

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples after the epilog, if there is one."""
        super().format_epilog(ctx, formatter)
        _write_examples(formatter, self.examples)

    def invoke(self, ctx: click.Context) -> None:
        """Run the command and leave with its exit code."""
        verbose, debug = ctx.params.pop("verbose"), ctx.params.pop("debug")
        with logging_to_stderr(verbose):
            try:
                code = ExitCode(super().invoke(ctx))
            except KeyboardInterrupt as error:
                show_error(": ".join(("interrupted", *map(str, error.args))))
                code = ExitCode.INTERRUPTED
            except (BrokenPipeError, click.exceptions.Exit, click.ClickException):
                raise  # click's own way: usage errors, and a reader such as `head` that has seen enough
            except PocketCombineError as error:
                show_error(str(error), debug=debug)
                code = ExitCode.FAILED
            except OSError as error:
                show_error(_words_of(error), debug=debug)
                code = ExitCode.FAILED
            except Exception as error:  # noqa: BLE001  else Python would end with 1, which means findings here
                show_error(
                    f"{type(error).__name__}: {error}. This is a mistake in pocket_combine: please report what you "
                    "ran and what it prints with --debug",
                    debug=debug,
                )
                code = ExitCode.FAILED
        ctx.exit(code)


def _words_of(error: OSError) -> str:
    """Return what the system refused, first the file."""
    if error.filename is None or error.strerror is None:
        return str(error)
    return f"{error.filename}: {error.strerror}"


def with_options(function: Any, options: Iterable[Callable[[Any], Any]]) -> Any:
    """Return the function of a command with options and arguments, the first of them first in the help."""
    for option in reversed(tuple(options)):
        function = option(function)
    return function
