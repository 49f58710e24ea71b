"""Everything that an output may hold, as the installed versions of the libraries write it.

    python tests/io/every_kind.py PATH PROTOCOL

writes it to a file; so the files of other versions in `tests/data/outputs` were made.
"""

from __future__ import annotations

import pickle
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterator
from typing import Any

import boost_histogram
import hist
import lz4.frame
import numpy as np
from hist import axis, storage


def _axes() -> Iterator[tuple[str, Any, list[Any]]]:
    """Yield a name, an axis and values to be filled."""
    yield "regular", axis.Regular(3, 0, 1, name="x", label="$x$"), [0.1, 0.5, 0.6, 2, -1]
    yield "regular_none", axis.Regular(3, 0, 1, name="x", flow=False), [0.1, 0.5, 0.6]
    yield "regular_growth", axis.Regular(3, 0, 1, name="x", growth=True), [0.1, 0.5, 1.6]
    yield "regular_circular", axis.Regular(3, 0, 1, name="x", circular=True), [0.1, 0.5, 0.6]
    yield "regular_uflow", axis.Regular(3, 0, 1, name="x", overflow=False), [0.1, 0.5, -0.6]
    yield "regular_oflow", axis.Regular(3, 0, 1, name="x", underflow=False), [0.1, 0.5, 6]
    yield "regular_pow", axis.Regular(3, 1, 2, name="x", transform=axis.transform.Pow(2)), [1.1, 1.5]
    yield "regular_log", axis.Regular(3, 1, 2, name="x", transform=axis.transform.log), [1.1, 1.5]
    yield "regular_sqrt", axis.Regular(3, 1, 2, name="x", transform=axis.transform.sqrt), [1.1, 1.5]
    yield "variable", axis.Variable([0, 1, 3.5], name="x"), [0.5, 2, 9]
    yield "variable_none", axis.Variable([0, 1, 3.5], name="x", flow=False), [0.5, 2]
    yield "variable_growth", axis.Variable([0, 1, 3.5], name="x", growth=True), [0.5, 2]
    yield "variable_circular", axis.Variable([0, 1, 3.5], name="x", circular=True), [0.5, 2]
    yield "integer", axis.Integer(-1, 4, name="x"), [0, 1, 7]
    yield "integer_none", axis.Integer(-1, 4, name="x", flow=False), [0, 1]
    yield "integer_growth", axis.Integer(-1, 4, name="x", growth=True), [0, 1]
    yield "integer_circular", axis.Integer(-1, 4, name="x", circular=True), [0, 1]
    yield "boolean", axis.Boolean(name="x"), [True, False, True]
    yield "integer_category", axis.IntCategory([3, 1, 7], name="x"), [3, 7, 99]
    yield "integer_category_growth", axis.IntCategory([3, 1], name="x", growth=True), [3, 1, 99]
    yield "text_category", axis.StrCategory(["a", "b"], name="x"), ["a", "b", "z"]
    yield "text_category_growth", axis.StrCategory([], name="x", growth=True), ["a", "b", "z"]


def _histograms() -> Iterator[tuple[str, Any]]:
    filled: Any
    for name, each, values in _axes():
        filled = hist.Hist(each, storage=storage.Weight())
        filled.fill(values, weight=np.arange(1.0, len(values) + 1))
        yield name, filled
    for name in ("Double", "Int64", "AtomicInt64", "Unlimited", "Weight", "Mean", "WeightedMean"):
        axes = axis.StrCategory(["SR", "CR"], name="cat"), axis.Regular(3, 0, 1, name="x")
        filled = hist.Hist(*axes, storage=getattr(storage, name)(), name="Counts", label="Events")
        more: dict[str, Any] = {"sample": [1.0, 4.0, 2.0]} if "Mean" in name else {}
        filled.fill(["SR", "SR", "CR"], [0.1, 0.2, 7], **more)
        yield f"storage_{name}", filled
        if name in ("Weight", "Mean", "WeightedMean"):
            yield f"sum_{name}", filled.sum()
    for name, fill in (("uint16", {"x": [0.1] * 300}), ("double", {"x": [0.1], "weight": 0.5})):
        filled = hist.Hist(axis.Regular(2, 0, 1, name="x"), storage=storage.Unlimited())
        filled.fill(**fill)
        yield f"unlimited_{name}", filled
    weighted = hist.Hist(axis.Regular(2, 0, 1, name="x"), storage=storage.Double())
    weighted.fill([0.1], weight=[0.5])
    yield "weighted_double", weighted
    plain = boost_histogram.Histogram(boost_histogram.axis.Regular(2, 0, 1))
    plain.fill([0.1])
    yield "plain", plain


def every_kind() -> dict[str, Any]:
    """Return a dictionary with a value of every kind."""
    return {
        **dict(_histograms()),
        "axis": axis.Regular(3, 0, 1, name="x"),
        "axis_text": axis.StrCategory(["a"], name="x"),
        "axis_log": axis.Regular(3, 1, 2, name="x", transform=axis.transform.log),
        "storage": storage.Weight(),
        "arrays": {
            "f8": np.arange(6.0).reshape(2, 3),
            "large": np.arange(3000.0),
            "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
            "i4": np.arange(3, dtype="i4"),
            "big": np.arange(3, dtype=">f4"),
            "bool": np.array([True, False]),
            "text": np.array(["a", "bcd"]),
            "bytes": np.array([b"a", b"bcd"]),
            "complex": np.array([1j]),
            "empty": np.zeros((0, 2)),
            "zero_d": np.array(3.5),
            "record": np.array([(1, 2.5)], dtype=[("a", "i4"), ("b", "f8")]),
            "time": np.array(["2022-07-05"], dtype="M8[s]"),
            "delta": np.array([5], dtype="m8[ns]"),
            "uint8": np.arange(4, dtype="u1"),
            "half": np.array([0.5], dtype="f2"),
        },
        "scalars": [
            *(np.float64(1.5), np.float32(0.5), np.int64(-3), np.bool_(True), np.str_("abc"), np.bytes_(b"ab")),
            *(np.complex128(2j), np.datetime64("2022-07-05"), np.str_(""), np.bytes_(b"")),
        ],
        "dtypes": [np.dtype("f8"), np.dtype("U5"), np.dtype([("a", "i4")])],
        "containers": {
            "ordered": OrderedDict(a=1),
            "counter": Counter("abca"),
            "deque": deque([1, 2], 5),
            "default": defaultdict(set, a={1, 2}),
            "frozen": frozenset({"a"}),
            "set": {1, 2.5, "x", (1, "y")},
            "bytearray": bytearray(b"abc"),
            "complex": 1 + 2j,
            "slice": slice(1, None, 2),
            "range": range(1, 9, 2),
            "long": 2**100,
            "none": None,
            "true": True,
            "float": -0.5,
            "text": "ü€😀",
            "bytes": b"\x00\xff",
            "nested": [[(1,), {}]],
            "empty": ((), [], {}, set(), "", b""),
        },
    }


if __name__ == "__main__":
    with lz4.frame.open(sys.argv[1], "wb") as output:
        output.write(pickle.dumps(every_kind(), int(sys.argv[2])))
