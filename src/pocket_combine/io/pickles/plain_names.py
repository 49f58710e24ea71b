"""What stands for the names of Python's own containers and of coffea's accumulators."""

from __future__ import annotations

import collections
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pocket_combine.errors import UnsafePickleError
from pocket_combine.io.pickles.arguments import exactly, kind_of, shown
from pocket_combine.io.pickles.inert import Builder, Global, Placeholder
from pocket_combine.io.pickles.limits import Limits

__all__ = ["PLAIN_NAMES", "ColumnAccumulator", "ValueAccumulator"]

_ITEM = 64
"""Rough bytes that one member of a container takes."""


@dataclass(frozen=True, eq=False)
class ColumnAccumulator:
    """What `coffea.processor.column_accumulator` held.

    Attributes:
        value: One entry per event or object that passed the selection.
    """

    value: npt.NDArray[Any]


@dataclass(frozen=True)
class ValueAccumulator:
    """What `coffea.processor.value_accumulator` held.

    Attributes:
        value: The value.
    """

    value: Any


class _Column(Builder):
    def build(self, state: Any) -> ColumnAccumulator:
        value = state.get("_value") if isinstance(state, dict) else None
        if not isinstance(value, np.ndarray):
            raise UnsafePickleError("gives a column_accumulator no array")
        return ColumnAccumulator(value)


class _Value(Builder):
    def build(self, state: Any) -> ValueAccumulator:
        if not isinstance(state, dict) or "value" not in state:
            raise UnsafePickleError("gives a value_accumulator no value")
        return ValueAccumulator(state["value"])


def _members(arguments: tuple[Any, ...], limits: Limits, name: str) -> Any:
    """Return the only argument, a list or another container of members; nothing counts as an empty list."""
    if not arguments:
        return []
    members = arguments[0]
    if len(arguments) > 1 or type(members) not in (list, tuple, set, frozenset, dict):
        raise UnsafePickleError(f"{name} is called with odd arguments, expected one list")
    limits.charge(_ITEM * len(members), name)
    return members


def _list(arguments: tuple[Any, ...], limits: Limits) -> list[Any]:
    return list(_members(arguments, limits, "list"))


def _tuple(arguments: tuple[Any, ...], limits: Limits) -> tuple[Any, ...]:
    return tuple(_members(arguments, limits, "tuple"))


def _set(arguments: tuple[Any, ...], limits: Limits) -> set[Any]:
    members = _members(arguments, limits, "set")
    limits.check_keys(members)
    return set(members)


def _frozenset(arguments: tuple[Any, ...], limits: Limits) -> frozenset[Any]:
    return frozenset(_set(arguments, limits))


def _pairs(arguments: tuple[Any, ...], limits: Limits, name: str) -> dict[Any, Any]:
    members = _members(arguments, limits, name)
    pairs = list(members.items()) if isinstance(members, dict) else list(members)
    if not all(type(pair) in (tuple, list) and len(pair) == 2 for pair in pairs):
        raise UnsafePickleError(f"{name} is called with something else than pairs of a key and a value")
    limits.check_keys(key for key, _ in pairs)
    return dict(pairs)


def _dict(arguments: tuple[Any, ...], limits: Limits) -> dict[Any, Any]:
    return _pairs(arguments, limits, "dict")


def _ordered_dict(arguments: tuple[Any, ...], limits: Limits) -> dict[Any, Any]:
    return collections.OrderedDict(_pairs(arguments, limits, "collections.OrderedDict"))


def _counter(arguments: tuple[Any, ...], limits: Limits) -> dict[Any, Any]:
    return collections.Counter(_pairs(arguments, limits, "collections.Counter"))


def _default_dict(arguments: tuple[Any, ...], _limits: Limits) -> dict[Any, Any]:
    # A dictionary that invents what is looked up would hide mistyped names, so it is read as a plain one.
    if len(arguments) > 1 or not all(item is None or isinstance(item, (Global, Placeholder)) for item in arguments):
        raise UnsafePickleError("collections.defaultdict is called with something else than the kind of its values")
    return {}


def _deque(arguments: tuple[Any, ...], limits: Limits) -> collections.deque[Any]:
    members, longest = (*arguments, None, None)[:2]
    if len(arguments) > 2 or not (longest is None or (type(longest) is int and longest >= 0)):
        raise UnsafePickleError("collections.deque is called with odd arguments")
    return collections.deque(_members(() if members is None else (members,), limits, "collections.deque"), longest)


def _bytes_like(value: Any, name: str) -> bytes:
    if type(value) not in (bytes, str):
        raise UnsafePickleError(f"{name} is called with {kind_of(value)}, expected bytes")
    return value.encode("latin-1") if isinstance(value, str) else bytes(value)


def _bytearray(arguments: tuple[Any, ...], limits: Limits) -> bytearray:
    # Protocol 2 writes bytes as a text and the name of an encoding, protocols 3 and 4 as bytes.
    if len(arguments) > 2 or (len(arguments) == 2 and arguments[1] != "latin-1"):
        raise UnsafePickleError("bytearray is called with odd arguments")
    value = _bytes_like(arguments[0], "bytearray") if arguments else b""
    limits.charge(len(value), "bytearray")
    return bytearray(value)


def _bytes(arguments: tuple[Any, ...], _limits: Limits) -> bytes:
    exactly(arguments, (), "bytes")
    return b""


def _encode(arguments: tuple[Any, ...], limits: Limits) -> bytes:
    text, encoding = exactly(arguments, (str, str), "_codecs.encode")
    if encoding not in ("latin1", "latin-1"):
        raise UnsafePickleError(f"_codecs.encode is called with the encoding {shown(encoding)}, expected 'latin1'")
    limits.charge(len(text), "_codecs.encode")
    return _bytes_like(text, "_codecs.encode")


def _complex(arguments: tuple[Any, ...], _limits: Limits) -> complex:
    return complex(*exactly(arguments, (float, float), "complex"))


def _slice(arguments: tuple[Any, ...], _limits: Limits) -> slice:
    return slice(*_integers(arguments, "slice", optional=True))


def _range(arguments: tuple[Any, ...], _limits: Limits) -> range:
    return range(*_integers(arguments, "range", optional=False))


def _integers(arguments: tuple[Any, ...], name: str, *, optional: bool) -> tuple[Any, ...]:
    if len(arguments) != 3 or not all(type(item) is int or (optional and item is None) for item in arguments):
        raise UnsafePickleError(f"{name} is called with odd arguments, expected three integers")
    return arguments


_ACCUMULATORS = "coffea.processor.accumulator"
_BUILTINS: Final[dict[str, Callable[[tuple[Any, ...], Limits], object] | None]] = {
    "bytearray": _bytearray,
    "bytes": _bytes,
    "complex": _complex,
    "dict": _dict,
    "frozenset": _frozenset,
    "list": _list,
    "range": _range,
    "set": _set,
    "slice": _slice,
    "tuple": _tuple,
    # Kinds of values of a defaultdict: named, never called.
    "bool": None,
    "float": None,
    "int": None,
    "str": None,
}

PLAIN_NAMES: Final[dict[tuple[str, str], Global]] = {
    (module, name): Global(f"{module}.{name}", call, new)
    for module, name, call, new in (
        *(("builtins", name, call, None) for name, call in _BUILTINS.items()),
        # Protocol 2 spells names so that Python 2 can read them.
        *(
            ("__builtin__", name, call, None)
            for name, call in {**_BUILTINS, "xrange": _range, "long": None, "unicode": None}.items()
        ),
        ("collections", "Counter", _counter, None),
        ("collections", "OrderedDict", _ordered_dict, None),
        ("collections", "defaultdict", _default_dict, None),
        ("collections", "deque", _deque, None),
        ("_codecs", "encode", _encode, None),
        (_ACCUMULATORS, "column_accumulator", None, _Column),
        (_ACCUMULATORS, "value_accumulator", None, _Value),
        (_ACCUMULATORS, "dict_accumulator", None, dict),
        (_ACCUMULATORS, "list_accumulator", None, list),
        (_ACCUMULATORS, "set_accumulator", _set, None),
        (_ACCUMULATORS, "defaultdict_accumulator", _default_dict, None),
    )
}
