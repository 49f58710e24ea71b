"""Small checks of what a pickle gives, shared by all that stands for its names."""

from __future__ import annotations

from typing import Any

from pocket_combine.errors import UnsafePickleError

__all__ = ["exactly", "is_count", "kind_of", "shown"]

_LONGEST_SHOWN = 100


def exactly(arguments: tuple[Any, ...], types: tuple[type, ...], name: str) -> tuple[Any, ...]:
    """Return the arguments if there are as many as `types` and each is of exactly that type.

    Raises:
        UnsafePickleError: If not.
    """
    if tuple(map(type, arguments)) != types:
        found = ", ".join(type(argument).__name__ for argument in arguments)
        expected = ", ".join(kind.__name__ for kind in types)
        raise UnsafePickleError(f"{name} is called with ({found}), expected ({expected})")
    return arguments


def kind_of(value: object) -> str:
    """Return what a value is, for messages."""
    return f"a value of type {type(value).__name__}"


def shown(value: object) -> str:
    """Return a value as text if that is short; a container of a file can be endless when it is written out."""
    if value is None or type(value) in (bool, float) or (type(value) is int and abs(value) < 1 << 64):
        return repr(value)
    return repr(value) if type(value) is str and len(value) <= _LONGEST_SHOWN else kind_of(value)


def is_count(value: object) -> bool:
    """Return whether a value is an integer (and not a truth value) of 0 or more."""
    return type(value) is int and value >= 0
