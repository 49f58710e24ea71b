"""What stands for the names with which NumPy 1 and 2 write arrays, scalars and dtypes."""

from __future__ import annotations

import math
import re
import sys
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pocket_combine.errors import OutputFileError, UnsafePickleError
from pocket_combine.io.pickles.arguments import exactly, is_count, kind_of, shown
from pocket_combine.io.pickles.inert import Builder, Global
from pocket_combine.io.pickles.limits import Limits

__all__ = ["NUMPY_NAMES"]

# Arrays of Python objects ("O") are not read: nothing in an output needs them.
_PLAIN_TYPE: Final = re.compile(r"b1|[iu][1248]|f(?:2|4|8|12|16)|c(?:8|16|24|32)|[SUV]\d{1,9}")
_TIME_TYPE: Final = re.compile(r"[mM]8")
_TIME_UNITS: Final = frozenset({b"Y", b"M", b"W", b"D", b"h", b"m", b"s", b"ms", b"us", b"ns", b"ps", b"fs", b"as"})
_MOST_DIMENSIONS: Final = 32


class _Dtype(Builder):
    """A dtype that waits for its byte order and fields."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def build(self, state: Any) -> np.dtype[Any]:
        if type(state) is not tuple or len(state) not in (8, 9) or state[0] not in (3, 4):
            raise UnsafePickleError("gives numpy.dtype an odd state")
        _, order, base, names, fields, size, *_ = state
        if order not in ("<", ">", "|", "="):
            raise UnsafePickleError(f"gives numpy.dtype the byte order {shown(order)}")
        if base is not None:
            raise UnsafePickleError("gives numpy.dtype a sub-array, which is not read")
        if names is not None:
            return _record(names, fields, size)
        unit = _time_unit(state[8:]) if _TIME_TYPE.fullmatch(self.kind) else ""
        dtype: np.dtype[Any] = np.dtype(self.kind + unit).newbyteorder(order)
        return dtype


def _time_unit(metadata: tuple[Any, ...]) -> str:
    unit, count = metadata[0][1][:2]
    if type(unit) is not bytes or unit not in _TIME_UNITS or not is_count(count):
        raise UnsafePickleError("gives a numpy.dtype of times an odd unit")
    return f"[{count}{unit.decode()}]"


def _record(names: Any, fields: Any, size: Any) -> np.dtype[Any]:
    if type(names) is not tuple or type(fields) is not dict or not is_count(size):
        raise UnsafePickleError("gives numpy.dtype odd fields")
    if not all(type(name) is str for name in names) or set(names) != set(fields):
        raise UnsafePickleError("gives numpy.dtype odd fields")
    entries = [fields[name] for name in names]
    if not all(type(entry) is tuple and isinstance(entry[0], np.dtype) and is_count(entry[1]) for entry in entries):
        raise UnsafePickleError("gives numpy.dtype odd fields")
    if any(entry[0].names is not None for entry in entries):
        raise UnsafePickleError("has an array of records in records, which is not read")
    # NumPy itself checks here that the fields lie within the size.
    return np.dtype(
        {
            "names": list(names),
            "formats": [entry[0] for entry in entries],
            "offsets": [entry[1] for entry in entries],
            "itemsize": size,
        }
    )


def _dtype(arguments: tuple[Any, ...], _limits: Limits) -> _Dtype:
    kind, *flags = arguments or (None,)
    if type(kind) is not str or not all(flag in (False, True) for flag in flags) or len(flags) > 2:
        raise UnsafePickleError("numpy.dtype is called with odd arguments")
    if kind.startswith("O"):
        raise UnsafePickleError("has an array of Python objects (dtype 'O'), which is not read")
    if not _PLAIN_TYPE.fullmatch(kind) and not _TIME_TYPE.fullmatch(kind):
        raise UnsafePickleError(f"numpy.dtype is called with {shown(kind)}")
    return _Dtype(kind)


class _Array(Builder):
    """An array that waits for its contents."""

    def build(self, state: Any) -> npt.NDArray[Any]:
        if type(state) is not tuple or len(state) != 5 or state[0] != 1 or type(state[3]) is not bool:
            raise UnsafePickleError("gives numpy.ndarray an odd state")
        _, shape, dtype, fortran, contents = state
        return _array(contents, dtype, shape, "F" if fortran else "C")


def _reconstruct(arguments: tuple[Any, ...], _limits: Limits) -> _Array:
    kind, shape, code = exactly(arguments, (Global, tuple, bytes), "numpy.core.multiarray._reconstruct")
    if kind is not _NDARRAY or shape != (0,) or code != b"b":
        raise UnsafePickleError("numpy.core.multiarray._reconstruct is called with odd arguments")
    return _Array()


def _from_buffer(arguments: tuple[Any, ...], _limits: Limits) -> npt.NDArray[Any]:
    if len(arguments) != 4 or arguments[3] not in ("C", "F"):
        raise UnsafePickleError("numpy.core.numeric._frombuffer is called with odd arguments")
    contents, dtype, shape, order = arguments
    return _array(contents, dtype, shape, order)


def _array(contents: Any, dtype: Any, shape: Any, order: Any) -> npt.NDArray[Any]:
    """Return an array over the bytes of `contents`, which are not copied."""
    if not isinstance(dtype, np.dtype) or type(contents) not in (bytes, bytearray):
        raise UnsafePickleError(f"gives an array {kind_of(contents)} as contents and {kind_of(dtype)} as dtype")
    if type(shape) is not tuple or not all(map(is_count, shape)) or len(shape) > _MOST_DIMENSIONS:
        raise UnsafePickleError("gives an array an odd shape")
    count = math.prod(shape)
    # NumPy gives items of no size (one empty text) a size, so that any number of them could be asked for.
    if count * dtype.itemsize != len(contents) or (count > 1 and not dtype.itemsize):
        raise OutputFileError(
            f"has an array of shape {shape} and dtype {dtype} with {len(contents):,} bytes of contents, "
            f"expected {count * dtype.itemsize:,}"
        )
    if not contents:
        return np.zeros(shape, dtype)
    array = np.frombuffer(contents, dtype)
    _check_texts(array)
    return array.reshape(shape, order=order)


def _check_texts(array: npt.NDArray[Any]) -> None:
    """Refuse numbers in the place of characters that no character has; Python fails on them only when it uses them."""
    for name in array.dtype.names or ():
        _check_texts(array[name])
    if array.dtype.kind == "U":
        characters = np.ascontiguousarray(array).view(np.dtype("u4").newbyteorder(array.dtype.byteorder))
        if characters.max() > sys.maxunicode:
            raise OutputFileError("has an array of texts with a character that does not exist")


def _scalar(arguments: tuple[Any, ...], _limits: Limits) -> Any:
    if len(arguments) != 2:
        raise UnsafePickleError("numpy.core.multiarray.scalar is called with odd arguments")
    dtype, contents = arguments
    return _array(contents, dtype, (), "C")[()]


_NDARRAY: Final = Global("numpy.ndarray", None, None)
_NUMBERS: Final = (
    *("bool", "bool_", "float16", "float32", "float64"),
    *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
)

NUMPY_NAMES: Final[dict[tuple[str, str], Global]] = {
    ("numpy", "ndarray"): _NDARRAY,
    ("numpy", "dtype"): Global("numpy.dtype", _dtype, None),
    # Kinds of values of a defaultdict: named, never called.
    **{("numpy", name): Global(f"numpy.{name}", None, None) for name in _NUMBERS},
    **{
        (f"numpy.{core}.{module}", name): Global(f"numpy.{core}.{module}.{name}", call, None)
        # NumPy 2 renamed `core`.
        for core in ("core", "_core")
        for module, name, call in (
            ("multiarray", "_reconstruct", _reconstruct),
            ("multiarray", "scalar", _scalar),
            ("numeric", "_frombuffer", _from_buffer),
        )
    },
}
