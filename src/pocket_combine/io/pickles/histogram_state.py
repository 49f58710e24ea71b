"""The state with which boost-histogram writes a histogram, checked entry by entry.

The library restores it in C++ and does not check that it fits together: contents shorter than the axes ask for are
read past their end, an array of another kind is read as numbers, and a transform of an axis is called. So everything
is checked here before the library sees it. The state is a flat tuple, which Boost.Serialization defines
(`include/bh_python/make_pickle.hpp` of boost-histogram): zeros are versions of classes, unchanged since 0.11.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import hist
import numpy as np
import numpy.typing as npt

from pocket_combine.errors import OutputFileError, UnsafePickleError
from pocket_combine.io.pickles.arguments import kind_of, shown
from pocket_combine.io.pickles.inert import Global

__all__ = ["AXIS_KINDS", "INTERNAL_CONVERSION", "check_attributes", "check_axis_state", "check_histogram_state"]

_MOST_AXES: Final = 32
_INT32: Final = 1 << 31

INTERNAL_CONVERSION: Final = Global("boost_histogram.axis.transform._internal_conversion", None, None)
"""Stands for the function that turns a name into one of the transforms that boost-histogram has itself."""

_TRANSFORMS: Final = {("_log_fn", "_exp_fn"), ("_sqrt_fn", "_sq_fn")}


class _State:
    """A tuple that is read from left to right, and corrected where the library is too strict or not strict enough."""

    def __init__(self, entries: tuple[Any, ...], conversion: Callable[[str], Any]) -> None:
        self.entries = list(entries)
        self._conversion = conversion
        self._next = 0

    def take(self) -> Any:
        if self._next >= len(self.entries):
            raise OutputFileError("has a histogram with an incomplete state")
        self._next += 1
        return self.entries[self._next - 1]

    def versions(self, count: int) -> None:
        """Read versions of classes; only 0 exists."""
        for _ in range(count):
            version = self.take()
            if type(version) is not int or version != 0:
                raise OutputFileError(f"has a histogram with an odd state (a version {shown(version)}, expected 0)")

    def integer(self, lowest: int, what: str) -> int:
        value = self.take()
        if type(value) is not int or not lowest <= value < _INT32:
            raise OutputFileError(f"has a histogram with {shown(value)} as {what}")
        return value

    def number(self) -> None:
        value = self.take()
        if type(value) is not float or not math.isfinite(value):
            raise OutputFileError(f"has a histogram with {shown(value)} as a limit of an axis")

    def texts(self, count: int) -> None:
        texts = self.entries[self._next : self._next + count]
        self._next += count
        if len(texts) != count or not all(type(text) is str for text in texts):
            raise OutputFileError("has a histogram with a category that is not text")
        if len(set(texts)) != count:
            raise OutputFileError("has a histogram with a category that occurs twice")

    def metadata(self) -> None:
        """Read the name and label of an axis, which become attributes of it."""
        metadata = self.take()
        if type(metadata) is not dict:
            raise UnsafePickleError(f"gives an axis {kind_of(metadata)} as metadata")
        check_attributes(metadata, hist.axis.StrCategory)

    def array(self, dtype: type[np.generic], what: str) -> npt.NDArray[Any]:
        """Read an array of numbers of one kind, and see to the layout that the library takes for granted."""
        array = self.take()
        expected = np.dtype(dtype)
        if type(array) is not np.ndarray or (array.dtype.kind, array.dtype.itemsize) != (
            expected.kind,
            expected.itemsize,
        ):
            found = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
            raise OutputFileError(f"has a histogram with {what} of type {found}, expected {expected}")
        if array.ndim != 1:
            raise OutputFileError(f"has a histogram with {what} of {array.ndim} dimensions")
        array = np.ascontiguousarray(array, dtype=expected)
        self.entries[self._next - 1] = array
        return array

    def transform(self) -> None:
        names = self.take(), self.take()
        if (
            tuple(map(type, names)) != (str, str)
            or names not in _TRANSFORMS
            or self.take() is not INTERNAL_CONVERSION
            or type(self.take()) is not str
        ):
            raise UnsafePickleError("has an axis with a transform that runs code of its own")
        self.entries[self._next - 2] = self._conversion

    def end(self) -> None:
        if self._next != len(self.entries):
            raise OutputFileError("has a histogram with more in its state than belongs there")


def check_attributes(attributes: dict[Any, Any], kind: type[Any]) -> None:
    """Refuse attributes of an object that would hide its methods, or be more than a name, a label and notes.

    Raises:
        UnsafePickleError: If there is one.
    """
    for name, value in attributes.items():
        if name in ("name", "label"):
            if value is not None and type(value) is not str:
                raise UnsafePickleError(f"gives a {kind.__name__} a {name} that is no text")
        elif type(name) is not str or (name != "metadata" and (name.startswith("_") or hasattr(kind, name))):
            raise UnsafePickleError(f"gives a {kind.__name__} the attribute {shown(name)}")


def _regular(state: _State, read_transform: Callable[[_State], None]) -> int:
    state.versions(2)
    read_transform(state)
    bins = state.integer(1, "a number of bins")
    state.metadata()
    state.number()
    state.number()
    return bins


def _plain_regular(state: _State) -> int:
    return _regular(state, lambda _: None)


def _power(state: _State) -> int:
    return _regular(state, _State.number)


def _transformed(state: _State) -> int:
    return _regular(state, _State.transform)


def _variable(state: _State) -> int:
    state.versions(1)
    edges = state.array(np.float64, "edges")
    state.metadata()
    if edges.size < 2 or not (np.diff(edges) > 0).all():
        raise OutputFileError("has a histogram with edges that do not increase")
    return edges.size - 1


def _integer(state: _State) -> int:
    state.versions(1)
    bins = state.integer(0, "a number of bins")
    state.metadata()
    state.integer(-_INT32, "a lower limit")
    return bins


def _boolean(state: _State) -> int:
    if _integer(state) != 2:
        raise OutputFileError("has a histogram with a boolean axis that has not two bins")
    return 2


def _integer_categories(state: _State) -> int:
    state.versions(1)
    categories = state.array(np.int32, "categories")
    state.metadata()
    if np.unique(categories).size != categories.size:
        raise OutputFileError("has a histogram with a category that occurs twice")
    return categories.size


def _text_categories(state: _State) -> int:
    state.versions(1)
    count = state.integer(0, "a number of categories")
    state.texts(count)
    state.metadata()
    return count


AXIS_KINDS: Final[tuple[tuple[str, Callable[[_State], int] | None, int], ...]] = (
    # In the order of `axis_variant` in include/bh_python/axis.hpp: name in the library, reader, number of flow bins.
    ("regular_uoflow", _plain_regular, 2),
    ("regular_uflow", _plain_regular, 1),
    ("regular_oflow", _plain_regular, 1),
    ("regular_none", _plain_regular, 0),
    ("regular_uoflow_growth", _plain_regular, 2),
    ("regular_circular", _plain_regular, 1),
    ("regular_pow", _power, 2),
    ("regular_trans", _transformed, 2),
    ("regular_numpy", None, 0),
    ("variable_uoflow", _variable, 2),
    ("variable_uflow", _variable, 1),
    ("variable_oflow", _variable, 1),
    ("variable_none", _variable, 0),
    ("variable_uoflow_growth", _variable, 2),
    ("variable_circular", _variable, 1),
    ("integer_uoflow", _integer, 2),
    ("integer_uflow", _integer, 1),
    ("integer_oflow", _integer, 1),
    ("integer_none", _integer, 0),
    ("integer_growth", _integer, 0),
    ("integer_circular", _integer, 0),
    ("category_int", _integer_categories, 1),
    ("category_int_growth", _integer_categories, 0),
    ("category_str", _text_categories, 1),
    ("category_str_growth", _text_categories, 0),
    ("boolean", _boolean, 0),
    ("category_int_none", _integer_categories, 0),
    ("category_str_none", _text_categories, 0),
)
"""All axes that boost-histogram writes."""


def check_axis_state(kind: int, state: object, conversion: Callable[[str], Any]) -> tuple[Any, ...]:
    """Return the state of an axis alone, safe to be given to the library.

    Args:
        kind: Index in `AXIS_KINDS`.
        state: What the file gives.
        conversion: boost-histogram's own function that finds its transforms.

    Raises:
        OutputFileError: If the state does not fit together, or asks for code (`UnsafePickleError`).
    """
    reader = _State(_as_tuple(state), conversion)
    _read_axis(reader, kind)
    reader.end()
    return tuple(reader.entries)


def check_histogram_state(storage: str, state: object, conversion: Callable[[str], Any]) -> tuple[tuple[Any, ...], int]:
    """Return the state of a histogram, safe to be given to the library, and the bytes that its contents take.

    Args:
        storage: Name of the storage in the library.
        state: What the file gives.
        conversion: boost-histogram's own function that finds its transforms.

    Raises:
        OutputFileError: If the state does not fit together, or asks for code (`UnsafePickleError`).
    """
    reader = _State(_as_tuple(state), conversion)
    reader.versions(1)
    axes = reader.integer(0, "a number of axes")
    if axes > _MOST_AXES:
        raise OutputFileError(f"has a histogram of {axes} axes")
    bins = 1
    for _ in range(axes):
        reader.versions(2)
        bins *= _read_axis(reader, reader.integer(0, "a kind of axis"))
    contents = _read_unlimited(reader, bins) if storage == "unlimited" else _read_storage(reader, storage, bins)
    reader.end()
    return tuple(reader.entries), contents


def _as_tuple(state: object) -> tuple[Any, ...]:
    if type(state) is not tuple:
        raise UnsafePickleError(f"gives a histogram {kind_of(state)} as its state")
    return state


def _read_axis(state: _State, kind: int) -> int:
    """Read an axis and return its number of bins, flow bins included."""
    name, read, flow = AXIS_KINDS[kind] if kind < len(AXIS_KINDS) else (f"number {kind}", None, 0)
    if read is None:
        raise OutputFileError(f"has a histogram with an axis of the kind {name}, which is not read")
    return read(state) + flow


_STORAGES: Final[dict[str, tuple[int, type[np.generic], int]]] = {
    # Versions before the contents, their type, how many of them make up one bin.
    "double": (2, np.float64, 1),
    "int64": (2, np.int64, 1),
    "atomic_int64": (1, np.int64, 1),
    "weight": (1, np.float64, 2),
    "mean": (1, np.float64, 3),
    "weighted_mean": (1, np.float64, 4),
}
_UNLIMITED_TYPES: Final[dict[int, type[np.generic]]] = {
    # Number 4 holds integers beyond 64 bits, which no count of events reaches.
    0: np.uint8,
    1: np.uint16,
    2: np.uint32,
    3: np.uint64,
    5: np.float64,
}


def _read_storage(state: _State, storage: str, bins: int) -> int:
    versions, dtype, width = _STORAGES[storage]
    state.versions(versions)
    return _checked(state.array(dtype, "contents"), bins * width)


def _read_unlimited(state: _State, bins: int) -> int:
    state.versions(1)
    kind, size = state.integer(0, "a type of its contents"), state.integer(0, "a number of bins")
    if kind not in _UNLIMITED_TYPES or size != bins:
        raise OutputFileError(f"has a histogram with contents of type {kind} and size {size}, expected size {bins}")
    return _checked(state.array(_UNLIMITED_TYPES[kind], "contents"), bins)


def _checked(contents: npt.NDArray[Any], expected: int) -> int:
    if contents.size != expected:
        raise OutputFileError(f"has a histogram with {contents.size:,} numbers as contents, expected {expected:,}")
    return contents.nbytes
