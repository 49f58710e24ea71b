"""Frozen values to plain JSON values and back, by their type hints."""

from __future__ import annotations

import dataclasses
import json
import math
import types
import typing
from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeVar

import numpy as np

from pocket_combine.errors import ResultError, nearest

__all__ = ["to_plain", "from_plain", "dump_json", "load_json"]

_Value = TypeVar("_Value")
_SPECIAL = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def to_plain(value: Any) -> Any:
    """Return a value as dicts, lists, texts, numbers and `None`, which JSON can say.

    Numbers that JSON lacks become the texts `nan`, `inf` and `-inf`.

    Examples:
        >>> to_plain({"limits": (np.array([1.0, np.inf]), None)})
        {'limits': [[1.0, 'inf'], None]}
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return to_plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [to_plain(item) for item in value]
    if isinstance(value, np.generic):
        return to_plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    return value


def from_plain(kind: type[_Value], plain: Any, place: str = "") -> _Value:
    """Return a value of the given type from plain values; the inverse of `to_plain`.

    Raises:
        ResultError: If a field is missing, unknown or of the wrong type, naming its place.

    Examples:
        >>> @dataclasses.dataclass(frozen=True)
        ... class Interval:
        ...     low: float
        ...     high: float
        >>> from_plain(Interval, {"low": 0.5, "high": "inf"})
        Interval(low=0.5, high=inf)
        >>> from_plain(Interval, {"low": 0.5})
        Traceback (most recent call last):
        pocket_combine.errors.ResultError: Interval: the field 'high' is missing
    """
    return typing.cast(_Value, _convert(kind, plain, place or getattr(kind, "__name__", str(kind))))


def _fields(kind: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


def _convert(kind: Any, plain: Any, place: str) -> Any:
    origin = typing.get_origin(kind)
    arguments = typing.get_args(kind)
    if hasattr(origin, "__value__"):  # a `type` alias, which NDArray is from NumPy 2.5 on
        return _convert(origin.__value__[arguments], plain, place)
    if origin in (typing.Union, types.UnionType):
        return _convert_union(arguments, plain, place)
    if dataclasses.is_dataclass(kind):
        return _convert_dataclass(typing.cast(Any, kind), plain, place)
    if origin is np.ndarray:
        dtype = typing.get_args(arguments[1])[0]
        _require(isinstance(plain, list), place, "a list of numbers", plain)
        return _array(np.bool_ if dtype is np.bool_ else np.float64, plain, place)
    if origin is tuple:
        _require(isinstance(plain, list), place, "a list", plain)
        kinds = [arguments[0]] * len(plain) if arguments[1:] == (Ellipsis,) else list(arguments)
        _require(len(kinds) == len(plain), place, f"a list of {len(kinds)} items", plain)
        pairs = zip(kinds, plain, strict=True)
        return tuple(_convert(item, value, f"{place}[{at}]") for at, (item, value) in enumerate(pairs))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        _require(isinstance(plain, dict), place, "an object", plain)
        return {key: _convert(arguments[1], value, f"{place}.{key}") for key, value in plain.items()}
    return _convert_scalar(kind, plain, place)


def _convert_union(kinds: tuple[Any, ...], plain: Any, place: str) -> Any:
    if plain is None and type(None) in kinds:
        return None
    others = [kind for kind in kinds if kind is not type(None)]
    for kind in others[:-1]:
        try:
            return _convert(kind, plain, place)
        except ResultError:
            continue
    return _convert(others[-1], plain, place)


def _convert_dataclass(kind: type[Any], plain: Any, place: str) -> Any:
    _require(isinstance(plain, dict), place, "an object", plain)
    fields = _fields(kind)
    required = {
        field.name
        for field in dataclasses.fields(kind)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    problems = [f"the field {name!r} is missing" for name in fields if name in required and name not in plain]
    problems += [f"the field {name!r} is unknown: {nearest(name, fields)}" for name in plain if name not in fields]
    if problems:
        raise ResultError(f"{place}: {'; '.join(problems)}")
    return kind(**{name: _convert(fields[name], value, f"{place}.{name}") for name, value in plain.items()})


def _convert_scalar(kind: Any, plain: Any, place: str) -> Any:
    if kind is Any:
        return plain
    if kind is float:
        if plain in _SPECIAL and isinstance(plain, str):
            return _SPECIAL[plain]
        _require(isinstance(plain, (int, float)) and not isinstance(plain, bool), place, "a number", plain)
        try:
            return float(plain)
        except OverflowError:
            raise ResultError(f"{place} is a number too large to be one of a result") from None
    if isinstance(kind, type) and issubclass(kind, Enum):
        _require(plain in [member.value for member in kind], place, f"one of {[item.value for item in kind]}", plain)
        return kind(plain)
    _require(isinstance(plain, kind) and (kind is bool or not isinstance(plain, bool)), place, kind.__name__, plain)
    return plain


def _array(dtype: type[np.bool_] | type[np.float64], plain: list[Any], place: str) -> Any:
    """Return an array of numbers or of truth values, nothing else taken for either."""
    try:
        return np.array(_items(bool if dtype is np.bool_ else float, plain, place), dtype=dtype)
    except ValueError as error:
        if isinstance(error, ResultError):
            raise
        raise ResultError(f"{place} is no array: its lists differ in length") from error


def _items(kind: type[bool] | type[float], plain: list[Any], place: str) -> list[Any]:
    return [
        _items(kind, item, f"{place}[{at}]")
        if isinstance(item, list)
        else _convert_scalar(kind, item, f"{place}[{at}]")
        for at, item in enumerate(plain)
    ]


def _require(condition: bool, place: str, expected: str, found: Any) -> None:
    if not condition:
        raise ResultError(f"{place} is {found!r:.60}, expected {expected}")


def dump_json(value: Any) -> str:
    """Return a value as JSON text with its type, one line per field at the top."""
    plain = {"type": type(value).__name__, **to_plain(value)}
    lines = [f"  {json.dumps(key)}: {json.dumps(item, allow_nan=False)}" for key, item in plain.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def load_json(kind: type[_Value], text: str) -> _Value:
    """Return a value of the given type from JSON text.

    Raises:
        ResultError: If the text is not JSON, or holds another type.
    """
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ResultError(f"not JSON: {error}") from error
    if not isinstance(plain, dict) or plain.get("type") != kind.__name__:
        found = plain.get("type") if isinstance(plain, dict) else type(plain).__name__
        raise ResultError(f"holds {found!r}, expected a {kind.__name__}")
    return from_plain(kind, {key: value for key, value in plain.items() if key != "type"})
