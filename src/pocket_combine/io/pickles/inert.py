"""What a name in a pickle is read as: never the thing itself, but an inert value of ours that checks what it is given.

A pickle is a program. It names functions and classes (`Global`), calls them, makes objects and hands them a state.
Here a name only stands for what we do in its place, so that no library's class or function is ever in the hands of
the pickle, and an object that still waits for its state (`Builder`) is ours too.
"""

from __future__ import annotations

import abc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pocket_combine.io.pickles.limits import Limits

__all__ = ["Builder", "Fragment", "Global", "Placeholder"]


@dataclass(frozen=True)
class Global:
    """A name of the allow-list and what is done in its place.

    Attributes:
        name: Module and name, as in the pickle.
        call: What a call of it does: takes the arguments and the limits; `None` if it cannot be called.
        new: What making an object of it does, before its state is known; `None` if it has no objects.
    """

    __slots__ = ("call", "name", "new")

    name: str
    call: Callable[[tuple[Any, ...], Limits], object] | None
    new: Callable[[], object] | None

    def __repr__(self) -> str:
        return f"<name {self.name}>"

    def __reduce__(self) -> tuple[type[Placeholder], tuple[str]]:
        # Where an output holds the name itself, that is all that a copy needs.
        return Placeholder, (self.name,)


class Fragment:
    """Part of an object that is being read: of no use alone, so it must not be left over in what a file holds."""


class Builder(Fragment, abc.ABC):
    """An object that still waits for its state.

    Attributes:
        memo_index: Where the file stores it, to be replaced by the finished object.
        spends_state: Whether large parts of the state are of no use once the object is built, so that they can be
            forgotten (a histogram has its own copy of its contents).
        size: Bytes that the finished object takes beside its state, where they are many.
    """

    memo_index: int = -1
    spends_state: bool = False
    size: int = 0

    @abc.abstractmethod
    def build(self, state: Any) -> object:
        """Return the finished object, or raise `UnsafePickleError` or `OutputFileError` for a state that is odd."""


class Placeholder:
    """Stands for a name that is not on the allow-list, and for all that the file makes with it. It does nothing.

    Attributes:
        name: Module and name, as in the pickle.
    """

    __slots__ = ("name",)

    name: str

    def __init__(self, name: str) -> None:
        object.__setattr__(self, "name", name)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a placeholder cannot be changed: {name}")

    def __repr__(self) -> str:
        return f"<placeholder for {self.name}>"

    def __reduce__(self) -> tuple[type[Placeholder], tuple[str]]:
        return Placeholder, (self.name,)
