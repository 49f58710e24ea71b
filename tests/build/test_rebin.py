"""Rebinning is exact; what lies outside the range is dropped, folded or refused, never lost silently."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocket_combine.build.rebin import rebin, remove_flow
from pocket_combine.errors import TemplateError
from pocket_combine.findings import Severity
from pocket_combine.templates import Templates

INF = float("inf")


def templates(edges: Any = (-INF, 0, 1, 2, 4, INF)) -> Templates:
    bins = len(edges) - 1
    contents = [2.0**index for index in range(bins)]
    return Templates.of(
        list(edges),
        {"a": contents, "b": [-number for number in contents]},
        {("a", "JER"): ([3 * number for number in contents], contents)},
        variances={"a": [number**2 for number in contents]},
        observation=contents,
    )


def test_contents_variances_and_data_are_summed() -> None:
    coarse = rebin(templates(), [0, 2, 4], "SR")
    assert coarse.edges.tolist() == [-INF, 0, 2, 4, INF]
    assert coarse.values.tolist() == [[1, 6, 8, 16], [-1, -6, -8, -16]]
    assert coarse.variances[0].tolist() == [1, 20, 64, 256]
    assert coarse.up.tolist() == [[3, 18, 24, 48]]
    assert coarse.up_variances.tolist() == [[3, 18, 24, 48]]
    assert coarse.observation is not None
    assert coarse.observation.tolist() == [1, 6, 8, 16]


@pytest.mark.parametrize(
    ("edges", "expected"),
    [
        ([0, 4], [1, 14, 16]),
        ([1, 2], [3, 4, 24]),
        ([0, 1], [1, 2, 28]),
        ([2, 4], [7, 8, 16]),
        ([0, 1, 2, 4], [1, 2, 4, 8, 16]),
    ],
)
def test_what_is_cut_off_goes_into_the_flow_bins(edges: list[float], expected: list[float]) -> None:
    assert rebin(templates(), edges, "SR").values[0].tolist() == expected


def test_flow_bins_arise_where_there_were_none() -> None:
    coarse = rebin(templates([0, 1, 2, 4]), [1, 2], "SR")
    assert coarse.edges.tolist() == [-INF, 1, 2, INF]
    assert coarse.values[0].tolist() == [1, 2, 4]
    assert rebin(templates([0, 1, 2, 4]), [0, 4], "SR").edges.tolist() == [0, 4]


def test_edges_match_within_a_fraction_of_the_narrower_bin() -> None:
    native = templates(np.linspace(0, 1, 11))
    assert rebin(native, [0, 0.3, 0.6, 1], "SR").edges.tolist() == [0, 0.30000000000000004, 0.6000000000000001, 1.0]
    assert rebin(native, [0, 0.3 + 9e-8, 1], "SR").bins == 2
    with pytest.raises(TemplateError, match=r"0.3000002 \(nearest: 0.3, 0.4\)"):
        rebin(native, [0, 0.3000002, 1], "SR")
    narrow = templates([0, 1, 1.001, 2])
    assert rebin(narrow, [0, 1 + 9e-10, 2], "SR").bins == 2
    with pytest.raises(TemplateError, match=r"1.000000002 \(nearest: 1, 1.001\)"):
        rebin(narrow, [0, 1 + 2e-9, 2], "SR")


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        ([0, 1.5, 4], r"channel SR: bins_edges not among the edges of the histogram: 1.5 \(nearest: 1, 2\)$"),
        ([-1, 1, 5], r"-1 \(nearest: 0\); 5 \(nearest: 4\)"),
        ([0], "expected at least two finite, increasing numbers"),
        ([], "expected at least two finite, increasing numbers"),
        (None, "bins_edges is None, expected at least two"),
        ("0, 1", "bins_edges is '0, 1', expected at least two"),
        ([[0, 1], [1, 2]], "expected at least two"),
        ([0, 2, 1], "expected at least two finite, increasing"),
        ([0, 0, 1], "expected at least two finite, increasing"),
        ([0, float("nan")], "expected at least two finite"),
        ([0, INF], r"expected at least two finite, increasing numbers \(flow='fold' takes what lies outside"),
        ([0, 1, 1 + 1e-9, 2], r"bins_edges has 1.0 and 1.000000001, which are both the edge 1 of the histogram"),
    ],
)
def test_edges_that_cannot_be_are_refused(edges: Any, message: str) -> None:
    with pytest.raises(TemplateError, match=message):
        rebin(templates(), edges, "SR")


def test_dropped_contents_are_a_warning_with_their_yield() -> None:
    kept, (finding,) = remove_flow(templates(), "SR", "drop")
    assert kept.edges.tolist() == [0, 1, 2, 4]
    assert kept.values[0].tolist() == [2, 4, 8]
    assert (finding.code, finding.severity, finding.place) == ("outside-range", Severity.WARNING, "channel SR")
    assert finding.numbers == {"expected": 0.0, "observed": 17.0, "varied": 1.0}
    assert "outside [0, 4], 17 in data: a 17, b -17" in finding.message


def test_folded_contents_are_in_the_outer_bins() -> None:
    kept, (finding,) = remove_flow(templates(), "SR", "fold")
    assert kept.values[0].tolist() == [3, 4, 24]
    assert kept.variances[0].tolist() == [1 + 4, 16, 64 + 256]
    assert kept.observation is not None
    assert kept.observation.tolist() == [3, 4, 24]
    assert (finding.code, finding.severity) == ("outside-range", Severity.INFO)
    assert finding.message.startswith("folded ")


def test_folding_into_one_bin_takes_both_sides() -> None:
    kept, _ = remove_flow(templates([-INF, 0, 1, INF]), "SR", "fold")
    assert kept.values[0].tolist() == [7]


def test_contents_outside_may_be_refused() -> None:
    with pytest.raises(TemplateError, match=r"channel SR: 0 of 0 expected events outside \[0, 4\], 17 in data"):
        remove_flow(templates(), "SR", "error")
    inside = Templates.of([-INF, 0, 1, INF], {"a": [0, 1, 0]})
    for policy in ("drop", "fold", "error"):
        assert remove_flow(inside, "SR", policy)[1] == []


def test_data_outside_alone_are_noticed() -> None:
    only_data = Templates.of([-INF, 0, 1], {"a": [0, 1]}, observation=[3, 4])
    (finding,) = remove_flow(only_data, "SR", "drop")[1]
    assert finding.message == "dropped 0 of 1 expected events outside [0, 1], 3 in data"
    assert finding.numbers == {"expected": 0.0, "observed": 3.0, "varied": 0.0}


def test_a_varied_template_outside_is_not_lost_silently() -> None:
    varied = Templates.of([0, 1, INF], {"a": [1, 0]}, {("a", "JER"): ([1, 2], [1, 0])})
    (finding,) = remove_flow(varied, "SR", "drop")[1]
    assert finding.message == "dropped 0 of 1 expected events outside [0, 1]: only in varied templates, 1 of them"
    assert finding.numbers == {"expected": 0.0, "observed": 0.0, "varied": 1.0}
    with pytest.raises(TemplateError, match="outside"):
        remove_flow(varied, "SR", "error")


def test_many_processes_are_summed_up() -> None:
    many = Templates.of([0, 1, INF], {f"p{index}": [1, 10 - index] for index in range(7)})
    assert "p0 10, p1 9, p2 8, p3 7 and 3 more" in remove_flow(many, "SR", "drop")[1][0].message


@given(
    widths=st.lists(st.sampled_from([0.1, 0.25, 1.0, 7.0]), min_size=2, max_size=12),
    low=st.floats(-1e3, 1e3),
    picked=st.data(),
)
def test_nothing_is_lost_by_rebinning_and_folding(widths: list[float], low: float, picked: Any) -> None:
    edges = np.cumsum([low, *widths])
    chosen = sorted(picked.draw(st.sets(st.integers(0, len(widths)), min_size=2)))
    fine = templates([-INF, *edges, INF])
    coarse, _ = remove_flow(rebin(fine, edges[chosen].tolist(), "SR"), "SR", "fold")
    assert coarse.edges.tolist() == edges[chosen].tolist()
    assert coarse.values.sum(axis=1).tolist() == fine.values.sum(axis=1).tolist()
    dropped, _ = remove_flow(rebin(fine, edges[chosen].tolist(), "SR"), "SR", "drop")
    inside = [fine.values[0, 1 + first : 1 + second].sum() for first, second in itertools.pairwise(chosen)]
    assert dropped.values[0].tolist() == inside
