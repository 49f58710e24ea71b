"""What stands for the names with which hist and boost-histogram write histograms."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Iterator
from typing import Any, Final

import boost_histogram
import hist

from pocket_combine.errors import OutputFileError, UnsafePickleError
from pocket_combine.io.pickles.histogram_state import (
    AXIS_KINDS,
    INTERNAL_CONVERSION,
    check_attributes,
    check_axis_state,
    check_histogram_state,
)
from pocket_combine.io.pickles.inert import Builder, Fragment, Global

__all__ = ["HISTOGRAM_NAMES"]

# The classes in C++ have no public name, though every pickled histogram has one of them in it.
_core: Final = importlib.import_module("boost_histogram._core")
_conversion: Final = importlib.import_module("boost_histogram.axis.transform")._internal_conversion  # noqa: SLF001

_STORAGES: Final = ("double", "int64", "atomic_int64", "unlimited", "weight", "mean", "weighted_mean")


class _Core(Fragment):
    """A restored object of the library's C++ part, of use only inside the object that owns it."""

    def __init__(self, value: Any) -> None:
        self.value = value


class _CoreHistogram(Builder):
    spends_state = True

    def __init__(self, storage: str) -> None:
        self._storage = storage

    def build(self, state: Any) -> _Core:
        entries, self.size = check_histogram_state(self._storage, state, _conversion)
        return _Core(_restore(getattr(_core.hist, f"any_{self._storage}"), entries))


class _CoreAxis(Builder):
    def __init__(self, kind: int) -> None:
        self._kind = kind

    def build(self, state: Any) -> _Core:
        entries = check_axis_state(self._kind, state, _conversion)
        name = AXIS_KINDS[self._kind][0]
        made = getattr(_core.axis, name, None)
        if made is None:
            raise OutputFileError(f"has an axis of the kind {name}, which the installed boost-histogram does not know")
        return _Core(_restore(made, entries))


class _Histogram(Builder):
    def __init__(self, kind: type[Any]) -> None:
        self._kind = kind

    def build(self, state: Any) -> Any:
        if type(state) is not tuple or len(state) != 2 or state[0] != 0 or type(state[1]) is not dict:
            raise UnsafePickleError("gives a histogram an odd state")
        attributes = dict(state[1])
        core = attributes.pop("_hist", None)
        known = attributes.pop("_variance_known", True)
        if not isinstance(core, _Core) or type(known) is not bool:
            raise UnsafePickleError("gives a histogram odd contents")
        check_attributes(attributes, self._kind)
        return _restore(self._kind, (0, {**attributes, "_variance_known": known, "_hist": core.value}))


class _Axis(Builder):
    def __init__(self, kind: type[Any]) -> None:
        self._kind = kind

    def build(self, state: Any) -> Any:
        if type(state) is not dict or set(state) != {"_ax"} or not isinstance(state["_ax"], _Core):
            raise UnsafePickleError("gives an axis an odd state")
        return _restore(self._kind, {"_ax": state["_ax"].value})


class _Accumulator(Builder):
    """A sum over a histogram: a few numbers."""

    def __init__(self, kind: type[Any], numbers: int) -> None:
        self._kind = kind
        self._numbers = numbers

    def build(self, state: Any) -> Any:
        if type(state) is not tuple or tuple(map(type, state)) != (int, *[float] * self._numbers) or state[0] != 0:
            raise UnsafePickleError("gives an accumulator an odd state")
        return _restore(self._kind, state)


class _Storage(Builder):
    """A kind of storage; its state is always that of an empty one."""

    def __init__(self, kind: type[Any]) -> None:
        self._kind = kind

    def build(self, state: Any) -> Any:  # noqa: ARG002
        return self._kind()


def _restore(kind: Any, state: Any) -> Any:
    made = kind.__new__(kind)
    try:
        made.__setstate__(state)
    except RuntimeError as error:
        raise OutputFileError(
            f"has a histogram that boost-histogram {boost_histogram.__version__} cannot restore ({error}); "
            "a newer version may have written it: pip install --upgrade hist boost-histogram"
        ) from error
    return made


_HISTOGRAMS: Final[dict[str, type[Any]]] = {
    "hist.hist.Hist": hist.Hist,
    "hist.namedhist.NamedHist": hist.NamedHist,
    "hist.basehist.BaseHist": hist.BaseHist,
    "boost_histogram.histogram.Histogram": boost_histogram.Histogram,
    "boost_histogram.Histogram": boost_histogram.Histogram,
}
_AXES: Final = ("Boolean", "IntCategory", "Integer", "Regular", "StrCategory", "Variable")
_PUBLIC_STORAGES: Final = ("AtomicInt64", "Double", "Int64", "Mean", "Unlimited", "Weight", "WeightedMean")
_ACCUMULATORS: Final = {"Mean": 3, "Sum": 2, "WeightedMean": 4, "WeightedSum": 2}


def _made_new(name: str, make: Callable[[], Builder]) -> tuple[tuple[str, str], Global]:
    module, _, attribute = name.rpartition(".")
    return (module, attribute), Global(name, None, make)


def _all_new() -> Iterator[tuple[tuple[str, str], Global]]:
    for name, kind in _HISTOGRAMS.items():
        yield _made_new(name, functools.partial(_Histogram, kind))
    for storage in _STORAGES:
        yield _made_new(f"boost_histogram._core.hist.any_{storage}", functools.partial(_CoreHistogram, storage))
    for index, (axis, _, _) in enumerate(AXIS_KINDS):
        yield _made_new(f"boost_histogram._core.axis.{axis}", functools.partial(_CoreAxis, index))
    for axis in _AXES:
        for library in (hist, boost_histogram):
            kind = getattr(library.axis, axis)
            yield _made_new(f"{library.__name__}.axis.{axis}", functools.partial(_Axis, kind))
    for storage in _PUBLIC_STORAGES:
        kind = getattr(boost_histogram.storage, storage)
        yield _made_new(f"boost_histogram.storage.{storage}", functools.partial(_Storage, kind))
    for accumulator, numbers in _ACCUMULATORS.items():
        kind = getattr(boost_histogram.accumulators, accumulator)
        yield _made_new(f"boost_histogram.accumulators.{accumulator}", functools.partial(_Accumulator, kind, numbers))


HISTOGRAM_NAMES: Final[dict[tuple[str, str], Global]] = {
    **dict(_all_new()),
    ("boost_histogram.axis.transform", "_internal_conversion"): INTERNAL_CONVERSION,
    # Its module until boost-histogram 1.3.
    ("boost_histogram._internal.axis_transform", "_internal_conversion"): INTERNAL_CONVERSION,
}
