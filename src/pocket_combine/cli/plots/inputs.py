"""What commands that draw are given: results, results with labels, and patterns of names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from pocket_combine.errors import StyleError, join_problems
from pocket_combine.patterns import matched, unmatched

__all__ = ["FILE", "chosen", "labelled_argument", "labelled_files", "pattern_option", "result_argument"]

_Function = TypeVar("_Function", bound=Callable[..., Any])
_Decorator = Callable[[_Function], _Function]

FILE = click.Path(path_type=Path, dir_okay=False)

result_argument = click.argument("result", type=FILE, metavar="FILE")


def labelled_files(_: click.Context, parameter: click.Parameter, words: Sequence[str]) -> dict[str, Path]:
    """Return `LABEL=FILE` or `FILE` words as files by label, which is the name of the file without its ending.

    A word that is the name of a file is one, even with a `=`.

    Raises:
        click.BadParameter: If a label or a file is empty, or a label comes twice.
    """
    result: dict[str, Path] = {}
    for word in words:
        label, equals, file = word.partition("=")
        if not equals or Path(word).exists():
            label, file = Path(word).stem, word
        if not (label and file):
            raise click.BadParameter(f"{word!r}, expected {parameter.metavar}")
        if label in result:
            raise click.BadParameter(f"two results are called {label!r}; write LABEL=FILE to tell them apart")
        result[label] = Path(file)
    return result


def labelled_argument(metavar: str = "[LABEL=]FILE...") -> _Decorator[Any]:
    """Return a decorator that gives a command the argument `results`: files by label, at least one."""
    return click.argument("results", metavar=metavar, nargs=-1, required=True, callback=labelled_files)


def pattern_option(name: str, plural: str, example: str = "") -> _Decorator[Any]:
    """Return a decorator that gives a command an option for the names of what it draws.

    Args:
        name: Of one, such as `channel`, after which the option is called.
        plural: Of several, after which the argument of the function is called.
        example: A pattern for the help.
    """
    such = f", such as {example!r}" if example else ""
    return click.option(
        f"--{name}", plural, multiple=True, metavar="PATTERN", help=f"{plural.capitalize()}{such}; may be repeated."
    )


def chosen(what: str, names: Sequence[str], patterns: Sequence[str]) -> tuple[str, ...]:
    """Return the names that match one of some patterns, in their order; all for none.

    Raises:
        StyleError: If a pattern matches no name.
    """
    problems = unmatched(what, names, patterns)
    if problems:
        raise StyleError(join_problems(problems))
    return matched(names, patterns) if patterns else tuple(names)
