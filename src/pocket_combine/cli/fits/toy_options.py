"""What commands with toys share: how many there are, and what is random in them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import click

from pocket_combine.inference.toys import ToyKind

__all__ = ["toy_options"]

_Function = TypeVar("_Function", bound=Callable[..., Any])

_HELP = {
    ToyKind.FREQUENTIST: "Random global observables in toys (--toysFrequentist of Combine); the default.",
    ToyKind.BAYESIAN: "Random nuisances in toys, from their priors, as Combine without --toysFrequentist.",
    ToyKind.NO_SYSTEMATICS: "Only random counts in toys (--toysNoSystematics of Combine).",
}


def toy_options(*, least: int, default: int) -> Callable[[_Function], _Function]:
    """Return a decorator that gives a command `count`, the number of toys, and `kind`, what is random in them.

    Args:
        least: Least number of toys.
        default: Number of toys without the option.
    """

    def decorate(function: _Function) -> _Function:
        @functools.wraps(function)
        def with_kind(*arguments: Any, **options: Any) -> Any:
            chosen = [kind for kind in ToyKind if options.pop(kind.name)]
            if len(chosen) > 1:
                raise click.UsageError(f"{' and '.join(_option(kind) for kind in chosen)} exclude each other")
            return function(*arguments, kind=chosen[0] if chosen else ToyKind.FREQUENTIST, **options)

        command: Any = with_kind
        for kind in reversed(ToyKind):
            command = click.option(_option(kind), kind.name, is_flag=True, help=_HELP[kind])(command)
        number = click.IntRange(min=least)
        result: _Function = click.option(
            "-t", "--toys", "count", type=number, default=default, show_default=True, help="Number of toys."
        )(command)
        return result

    return decorate


def _option(kind: ToyKind) -> str:
    return f"--toys-{kind.value.replace(' ', '-')}"
