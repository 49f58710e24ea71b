"""Names that the caller allows knowingly, and what a file may do with the objects made from them.

Unlike all else in this reader, these functions and classes are the real ones, and they run.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from pocket_combine.errors import DeclarationError, UnsafePickleError
from pocket_combine.io.pickles.arguments import kind_of
from pocket_combine.io.pickles.inert import Global, Placeholder

__all__ = [
    "Allow",
    "NameTable",
    "Trusted",
    "append_trusted",
    "build_trusted",
    "import_allowed",
    "read_allow",
    "set_trusted",
]

Allow: TypeAlias = "Mapping[str, Callable[..., Any] | None] | Iterable[str]"
"""Names (`module.name`) that are imported and run, or a mapping from names to what is run in their place.

`None` in a mapping: all that the file makes with that name is read as an inert placeholder, and nothing runs.
"""


class Trusted:
    """A function or class that the caller has allowed.

    Args:
        name: Module and name.
        target: The function or class itself.
    """

    __slots__ = ("_target", "name")

    def __init__(self, name: str, target: Callable[..., Any]) -> None:
        self.name = name
        self._target = target

    def call(self, arguments: tuple[Any, ...]) -> object:
        """Return what a call of it returns."""
        return self._target(*arguments)

    def new(self, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> object:
        """Return an object of it whose state is not set yet."""
        if not isinstance(self._target, type):
            raise UnsafePickleError(f"makes an object of {self.name}, which is no class")
        made: object = self._target.__new__(self._target, *arguments, **keywords)
        return made

    def __repr__(self) -> str:
        return f"<allowed {self.name}>"


NameTable: TypeAlias = "Mapping[tuple[str, str], Global | Trusted | Placeholder]"
"""What stands for each (module, name) that a pickle may use."""


def read_allow(allow: Allow) -> dict[tuple[str, str], Trusted | Placeholder]:
    """Return the table of what the caller allows.

    Raises:
        DeclarationError: If a name is not `module.name`, cannot be imported, or stands for something not callable.

    Examples:
        >>> read_allow(["fractions.Fraction"])
        {('fractions', 'Fraction'): <allowed fractions.Fraction>}
        >>> read_allow({"mycode.Cuts": None})
        {('mycode', 'Cuts'): <placeholder for mycode.Cuts>}
    """
    if isinstance(allow, str):
        raise DeclarationError(f"allow={allow!r} is a text, expected a list of names: allow=[{allow!r}]")
    targets: Mapping[str, Any]
    targets = allow if isinstance(allow, Mapping) else import_allowed(allow)
    table: dict[tuple[str, str], Trusted | Placeholder] = {}
    for name, target in targets.items():
        module, separator, attribute = str(name).rpartition(".")
        if not separator or not module or not attribute:
            raise DeclarationError(f"allow holds {name!r}, expected a name of the form 'module.name'")
        if target is None:
            table[module, attribute] = Placeholder(name)
        elif callable(target):
            table[module, attribute] = Trusted(name, target)
        else:
            raise DeclarationError(f"allow maps {name!r} to {kind_of(target)}, expected a function or class")
    return table


def import_allowed(names: Iterable[str]) -> dict[str, Any]:
    """Return what names stand for, imported.

    Raises:
        DeclarationError: If a name cannot be imported.
    """
    return {name: _import(name) for name in names}


def _import(name: str) -> Any:
    module, _, attribute = str(name).rpartition(".")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise DeclarationError(
            f"allow names {name!r}, which cannot be imported ({error}); "
            f"to read what it makes as placeholders: --placeholder {name}, in Python allow={{{name!r}: None}}"
        ) from error


def append_trusted(target: Any, values: Iterable[Any]) -> None:
    """Append to a list-like object that an allowed name has made."""
    for value in values:
        target.append(value)


def set_trusted(target: Any, keys: Iterable[Any], values: Iterable[Any]) -> None:
    """Set items of a dictionary-like object that an allowed name has made."""
    for key, value in zip(keys, values, strict=True):
        target[key] = value


def build_trusted(target: Any, state: Any) -> None:
    """Set the state of an object that an allowed name has made, as `pickle` documents it."""
    if hasattr(target, "__setstate__"):
        target.__setstate__(state)
        return
    attributes, slots = state if isinstance(state, tuple) and len(state) == 2 else (state, None)
    for name, value in (attributes or {}).items():
        target.__dict__[name] = value
    for name, value in (slots or {}).items():
        setattr(target, name, value)
