"""How commands are given outputs of PocketCoffea, and which further names in them are allowed."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from pocket_combine.cli.command import with_options
from pocket_combine.io.pickles.trust import import_allowed

__all__ = ["outputs_argument", "trust_options"]

_Function = TypeVar("_Function", bound=Callable[..., Any])

outputs_argument = click.argument(
    "outputs", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="OUTPUT..."
)


def trust_options(function: _Function) -> _Function:
    """Give a command `--placeholder` and `--allow`; its function gets both as `allow`, as `load_output` takes it."""

    @functools.wraps(function)
    def with_allow(*arguments: Any, placeholders: tuple[str, ...], allowed: tuple[str, ...], **options: Any) -> Any:
        both = sorted({*placeholders} & {*allowed})
        if both:
            raise click.UsageError(f"--placeholder and --allow exclude each other for {', '.join(both)}")
        allow = {**dict.fromkeys(placeholders), **import_allowed(allowed)}
        return function(*arguments, allow=allow, **options)

    result: _Function = with_options(
        with_allow,
        [
            click.option(
                "--placeholder",
                "placeholders",
                multiple=True,
                metavar="MODULE.NAME",
                help="Read what an output makes with this name, which the reader does not know, as placeholders that "
                "do nothing; may be repeated.",
            ),
            click.option(
                "--allow",
                "allowed",
                multiple=True,
                metavar="MODULE.NAME",
                help="Import this name and let outputs call it with what they like. That runs code: only for outputs "
                "of which you know who wrote them. May be repeated.",
            ),
        ],
    )
    return result
