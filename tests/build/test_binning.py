"""Binnings of any axes: the line of bins, the map back, and what differs between two."""

from __future__ import annotations

from typing import Any

import hist
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocket_combine.build.binning import Binning, edge_tolerances

INF = np.inf


def of(*axes: Any) -> Binning:
    return Binning.of(hist.Hist(hist.axis.StrCategory(["SR"], name="cat"), *axes))


@pytest.mark.parametrize(
    ("axis", "edges"),
    [
        (hist.axis.Regular(2, 0, 1, name="x"), [-INF, 0, 0.5, 1, INF]),
        (hist.axis.Regular(2, 0, 1, name="x", underflow=False), [0, 0.5, 1, INF]),
        (hist.axis.Regular(2, 0, 1, name="x", overflow=False), [-INF, 0, 0.5, 1]),
        (hist.axis.Regular(2, 0, 1, name="x", circular=True), [0, 0.5, 1, INF]),
        (hist.axis.Regular(2, 0, 1, name="x", growth=True), [-INF, 0, 0.5, 1, INF]),
        (hist.axis.Variable([0, 3, 4], name="x"), [-INF, 0, 3, 4, INF]),
        (hist.axis.Integer(4, 7, name="x"), [-INF, 4, 5, 6, 7, INF]),
        (hist.axis.Boolean(name="x"), [0, 1, 2]),
        (hist.axis.IntCategory([7, 3], name="x"), [0, 1, 2, INF]),
        (hist.axis.StrCategory(["a", "b", "c"], name="x"), [0, 1, 2, 3, INF]),
        (hist.axis.StrCategory(["a", "b"], name="x", growth=True), [0, 1, 2]),
    ],
    ids=repr,
)
def test_edges_of_one_axis(axis: Any, edges: list[float]) -> None:
    assert of(axis).edges.tolist() == edges


def test_several_axes_are_numbered() -> None:
    axes = [hist.axis.Regular(2, 0, 1, name="x"), hist.axis.StrCategory(["a", "b"], name="y", growth=True)]
    assert of(*axes).edges.tolist() == [0, 1, 2, 3, 4, INF]
    closed = [hist.axis.Regular(2, 0, 1, name="x", flow=False), hist.axis.Boolean(name="y")]
    assert of(*closed).edges.tolist() == [0, 1, 2, 3, 4]
    assert of(*closed).bin_map() == [
        ((0.0, 0.5), (0.0, 1.0)),
        ((0.0, 0.5), (1.0, 2.0)),
        ((0.5, 1.0), (0.0, 1.0)),
        ((0.5, 1.0), (1.0, 2.0)),
    ]
    assert of(*closed).line_up(np.arange(8.0).reshape(2, 2, 2)).tolist() == [[0, 1], [2, 3], [4, 5], [6, 7]]


@given(
    sizes=st.lists(st.integers(1, 4), min_size=2, max_size=3),
    flow=st.lists(st.booleans(), min_size=3, max_size=3),
)
def test_the_map_tells_where_a_bin_was(sizes: list[int], flow: list[bool]) -> None:
    axes = [hist.axis.Regular(size, 0, size, name=f"x{index}", flow=flow[index]) for index, size in enumerate(sizes)]
    filled = hist.Hist(hist.axis.StrCategory(["SR"], name="cat"), *axes, storage=hist.storage.Double())
    binning = Binning.of(filled)
    for number, ranges in enumerate(binning.bin_map()):
        filled.reset()
        filled.fill("SR", *([(low + high) / 2] for low, high in ranges))
        line = binning.line_up(filled.values(flow=True)[0])
        assert line[number] == 1.0
        assert line.sum() == 1.0


def test_two_binnings() -> None:
    base = of(hist.axis.Variable([0, 0.3, 1], name="x"))
    assert base.difference(base) == ""
    assert base.difference(of(hist.axis.Variable([0, 0.1 + 0.2, 1], name="x"))) == ""
    assert base.difference(of(hist.axis.Variable([0, 0.3 + 1e-6, 1], name="x"))) == (
        "x: 2 bins [0, 0.3, 1], the other differs from edge 1 of 'x' on: 0.300001"
    )
    assert base.difference(of(hist.axis.Variable([0, 0.3, 1], name="y"))) == ""
    two = [of(hist.axis.Regular(2, 0, 1, name=a), hist.axis.Regular(2, 0, 1, name=b)) for a, b in ("xy", "yx")]
    assert two[0].difference(two[1]) == (
        "x: 2 bins [0, 0.5, 1] × y: 2 bins [0, 0.5, 1], the other y: 2 bins [0, 0.5, 1] × x: 2 bins [0, 0.5, 1]"
    )
    assert base.difference(of(hist.axis.Variable([0, 0.3, 1], name="x", flow=False))) == (
        "x: 2 bins [0, 0.3, 1], the other x: 2 bins [0, 0.3, 1] without underflow and overflow"
    )
    many = of(hist.axis.Regular(50, 0, 1, name="x"))
    assert many.describe() == "x: 50 bins [0, 0.02, 0.04, 0.06, …, 0.96, 0.98, 1]"
    assert of(hist.axis.StrCategory(["a"], name="x")).difference(of(hist.axis.StrCategory(["b"], name="x"))) == (
        "x: categories a, the other x: categories b"
    )


def test_tolerances_follow_the_narrower_bin() -> None:
    assert edge_tolerances(np.array([0.0, 10.0, 11.0])).tolist() == pytest.approx([1e-5, 1e-6, 1e-6])
