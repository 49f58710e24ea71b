"""An ordered dictionary of declarations that checks what is put into it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, ClassVar, NoReturn, TypeVar

from pocket_combine.errors import DeclarationError, MissingInputError, nearest

__all__ = ["DeclarationDict", "all_problems", "text_list"]

_Declaration = TypeVar("_Declaration")
_Self = TypeVar("_Self", bound="DeclarationDict[Any]")


@contextlib.contextmanager
def all_problems() -> Iterator[Callable[[], AbstractContextManager[None]]]:
    """Give out contexts that keep a `DeclarationError` back, and raise one with the problems of all of them at the end.

    Examples:
        >>> with all_problems() as check:
        ...     for problem in ("a is wrong", "b is missing"):
        ...         with check():
        ...             raise DeclarationError(problem)
        Traceback (most recent call last):
        pocket_combine.errors.DeclarationError: 2 problems:
          1. a is wrong
          2. b is missing
    """
    problems: list[str] = []

    @contextlib.contextmanager
    def check() -> Iterator[None]:
        try:
            yield
        except DeclarationError as error:
            problems.extend(error.problems)

    yield check
    if problems:
        raise DeclarationError(problems)


class DeclarationDict(dict[str, _Declaration]):
    """An ordered, mutable dictionary from names to declarations.

    Every way of adding an item checks that the key is the declaration's own name and that its type is right.

    Raises:
        DeclarationError: If an item has the wrong type, a key differs from the name, or a name occurs twice.
        MissingInputError: If a name is looked up that is not there; it is a `KeyError`.
    """

    item_type: ClassVar[type[Any]]
    key_attribute: ClassVar[str] = "name"

    def __init__(self, items: Iterable[_Declaration] | Mapping[str, _Declaration] = ()) -> None:
        super().__init__()
        if isinstance(items, Mapping):
            self.update(items)
            return
        if isinstance(items, str | bytes) or not isinstance(items, Iterable):
            raise DeclarationError(
                f"{type(self).__name__} takes a list of {self.item_type.__name__}, found {type(items).__name__}"
            )
        with all_problems() as check:
            for item in items:
                with check():
                    self.add(item)

    def add(self, item: _Declaration) -> None:
        """Put `item` under its own name, which must be free."""
        key = self._key(item)
        if key in self:
            raise DeclarationError(f"{self.item_type.__name__} {key!r} is declared twice")
        super().__setitem__(key, item)

    def _key(self, item: object) -> str:
        if not isinstance(item, self.item_type):
            raise DeclarationError(
                f"{type(self).__name__} holds {self.item_type.__name__}, found {type(item).__name__}: {item!r:.80}"
            )
        return str(getattr(item, self.key_attribute))

    def __missing__(self, key: str) -> NoReturn:
        raise MissingInputError(f"{type(self).__name__} has no {key!r}; {nearest(str(key), self)}")

    def __setitem__(self, key: str, item: _Declaration) -> None:
        name = self._key(item)
        if key != name:
            raise DeclarationError(
                f"key {key!r} of {type(self).__name__} holds the {self.item_type.__name__} {name!r}: "
                f"key and {self.key_attribute} must be equal"
            )
        super().__setitem__(key, item)

    def update(self, *others: Any, **named: _Declaration) -> None:
        """Put all items in, checked like single ones; problems are reported together."""
        with all_problems() as check:
            for key, item in dict(*others, **named).items():
                with check():
                    self[key] = item

    def setdefault(self, key: str, default: _Declaration | None = None) -> _Declaration:
        """Return the item under `key`; put `default` there, checked, if there is none."""
        if key not in self:
            self[key] = default  # type: ignore[assignment]  # None is refused by __setitem__ with a message
        return self[key]

    def __ior__(self: _Self, other: Any) -> _Self:  # type: ignore[override]  # dict's own overloads are narrower
        self.update(other)
        return self

    def __or__(self: _Self, other: Any) -> _Self:  # type: ignore[override]  # dict's own overloads are narrower
        result = self.copy()
        result.update(other)
        return result

    def copy(self: _Self) -> _Self:
        """Return a new collection with the same items."""
        return type(self)(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (list(self.values()),))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self.values())!r})"


def text_list(owner: str, field: str, value: object) -> tuple[list[str], list[str]]:
    """Return a list of texts and what is wrong with it.

    Args:
        owner: Whose field it is, for the message: `MCProcess 'ttbar'`.
        field: Name of the field.
        value: What the user gave.

    Examples:
        >>> text_list("MCProcess 'ttbar'", "samples", ("TTbar",))
        (['TTbar'], [])
        >>> print(text_list("MCProcess 'dy'", "samples", "DYJets")[1][0])
        MCProcess 'dy': samples is the text 'DYJets', expected a list: samples=['DYJets']
    """
    if isinstance(value, str):
        return [], [f"{owner}: {field} is the text {value!r}, expected a list: {field}=[{value!r}]"]
    if not isinstance(value, Iterable):
        return [], [f"{owner}: {field} is a {type(value).__name__}, expected a list of names"]
    # The order of a set differs from run to run.
    items = sorted(value, key=str) if isinstance(value, set | frozenset) else list(value)
    problems = [f"{owner}: {field} holds {item!r}, expected text" for item in items if not isinstance(item, str)]
    if problems:
        return [], problems
    if not items:
        problems.append(f"{owner}: {field} is empty")
    repeated = sorted({item for item in items if items.count(item) > 1})
    problems += [f"{owner}: {field} names {item!r} twice" for item in repeated]
    return items, problems
