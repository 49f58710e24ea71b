"""Curves of scans: crossings, intervals, and parts of uncertainties."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from results_of_fits import bowl, parabola

from pocket_combine.errors import StyleError
from pocket_combine.plotting.curves import LEVELS, Curve, curves_of, height_of, split_uncertainty
from pocket_combine.results import Interval, Status


def test_heights_are_those_of_wilks() -> None:
    assert [height_of(level, 1) for level in LEVELS] == pytest.approx([1.0, 4.0])
    # -2 ln(1 - p) is the quantile of the chi-squared distribution with two degrees of freedom
    assert [height_of(level, 2) for level in LEVELS] == pytest.approx([2.29575, 6.18007], abs=1e-5)
    assert height_of(0.95, 1) == pytest.approx(3.841459, abs=1e-6)
    for wrong in (0.0, 1.0, 68.0):
        with pytest.raises(StyleError, match="expected a number between 0 and 1"):
            height_of(wrong, 1)


@given(
    st.floats(0.2, 0.9),
    st.floats(0.1, 1.9),
    st.lists(st.floats(-1.0, 3.0), min_size=0, max_size=20, unique=True),
)
def test_intervals_of_parabolas_are_exact_on_any_grid(width: float, best: float, more: list[float]) -> None:
    points = np.unique([-5.0, 7.0, *more])
    curve = Curve.of(parabola(width, best, points=points))
    for height in (1.0, 4.0):
        low, high = curve.interval(height)
        assert low == pytest.approx(best - width * math.sqrt(height), abs=1e-6)
        assert high == pytest.approx(best + width * math.sqrt(height), abs=1e-6)
    values, heights = curve.smooth()
    kept = np.isfinite(values)
    assert heights[kept] == pytest.approx(((values[kept] - best) / width) ** 2, abs=1e-6)


def test_points_in_any_order() -> None:
    curve = Curve.of(parabola(points=[3.0, -1.0, 1.5, 0.0]))
    assert curve.values.tolist() == [-1.0, 0.0, 1.5, 3.0]
    assert curve.interval(1.0) == pytest.approx((0.5, 1.5))


def test_nothing_is_joined_across_a_failed_point() -> None:
    # The points are 0.2 apart: the tenth is 1.0, the best fit; the crossing at 0.5 lies between 7 (0.4) and 8 (0.6).
    curve = Curve.of(parabola(failed=[7]))
    assert curve.failed.tolist() == pytest.approx([0.4])
    sections = curve.sections()
    assert [round(float(values[-1]), 9) for values, _ in sections] == [0.2, 3.0]
    low, high = curve.interval(1.0)
    assert math.isnan(low)
    assert high == pytest.approx(1.5)
    values, _ = curve.smooth()
    assert not ((values > 0.2001) & (values < 0.5999)).any()
    # further out there is an end of the 95 % interval at 0.0, but a failed point lies before it
    assert curve.crossings(4.0) == pytest.approx((0.0, 2.0))
    assert math.isnan(curve.interval(4.0)[0])


def test_an_unconverged_point_with_a_number_is_no_point() -> None:
    scan = parabola(failed=[3])
    scan.delta_nll[3] = 0.3
    assert math.isnan(Curve.of(scan).heights[3])


def test_ends_that_fits_found_are_taken_and_edges_of_ranges_are_not() -> None:
    found = Interval("r", 1.0, 0.48, 1.9, 0.5, high_status=Status.AT_BOUNDARY)
    curve = Curve.of(parabola(crossings=(found,)))
    assert curve.interval(1.0) == pytest.approx((0.48, 1.5))
    assert curve.crossings(1.0) == pytest.approx((0.48, 1.5))
    assert curve.interval(4.0) == pytest.approx((0.0, 2.0))
    # With nuisances kept at the best fit the stored interval, a profiled one, is another question.
    assert Curve.of(parabola(crossings=(found,), profiled=False)).interval(1.0) == pytest.approx((0.5, 1.5))


def test_a_scan_that_ends_early_has_an_open_interval() -> None:
    low, high = Curve.of(parabola(points=[0.8, 1.0, 1.4, 1.8])).interval(1.0)
    assert math.isnan(low)
    assert high == pytest.approx(1.5)


def test_two_minima_give_all_crossings_and_the_interval_around_the_best_fit() -> None:
    scan = parabola(points=[0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0])
    scan.delta_nll[:] = np.array([4.0, 1.0, 0.0, 1.0, 4.0, 0.25, 4.0]) / 2
    curve = Curve.of(scan)
    assert len(curve.crossings(2.25)) == 4
    assert curve.interval(2.25) == pytest.approx((0.25, 1.75))


def test_a_point_below_the_best_fit_is_shown_as_such() -> None:
    scan = parabola(points=[0.0, 1.0, 2.0, 3.0])
    scan.delta_nll[2] = -0.4
    _, heights = Curve.of(scan).smooth()
    assert np.nanmin(heights) == pytest.approx(-0.8)


def test_one_point() -> None:
    curve = Curve.of(parabola(points=[0.5]))
    assert curve.crossings(4.0) == ()
    assert all(math.isnan(end) for end in curve.interval(4.0))
    assert [len(part) for part in curve.smooth()] == [2, 2]


def test_all_points_failed() -> None:
    curve = Curve.of(parabola(points=[0.0, 1.0], failed=[0, 1]))
    assert curve.sections() == ()
    assert curve.smooth()[0].size == 0
    assert all(math.isnan(end) for end in curve.interval(1.0))


def test_parts_of_an_uncertainty() -> None:
    scans = {"total": parabola(0.5), "no theory": parabola(0.4), "stat": parabola(0.24)}
    parts = split_uncertainty(scans, ["theory", "experiment", "stat"])
    assert [part.group for part in parts] == ["theory", "experiment", "stat"]
    assert [part.low for part in parts] == pytest.approx([0.3, 0.32, 0.24])
    assert [part.high for part in parts] == pytest.approx([0.3, 0.32, 0.24])
    assert sum(part.low**2 for part in parts) == pytest.approx(0.25)


def test_an_unknown_end_leaves_its_parts_unknown() -> None:
    scans = {"total": parabola(0.5, points=[0.8, 1.0, 1.4, 1.8]), "stat": parabola(0.3)}
    syst, stat = split_uncertainty(scans, ["syst", "stat"])
    assert math.isnan(syst.low)
    assert (syst.high, stat.low) == pytest.approx((0.4, 0.3))


def test_contradictions_are_refused() -> None:
    total, stat = parabola(0.5), parabola(0.3)
    with pytest.raises(StyleError, match=r"the uncertainty of 'total' \(0.5\) is larger than that of 'stat' \(0.3\)"):
        split_uncertainty({"stat": stat, "total": total}, ["syst", "stat"])
    with pytest.raises(StyleError, match=r"1 parts of the uncertainty \(stat\) and 2 scans"):
        split_uncertainty({"total": total, "stat": stat}, ["stat"])
    with pytest.raises(StyleError, match="other data"):
        split_uncertainty({"total": total, "stat": parabola(0.3, data="observed")}, ["syst", "stat"])
    with pytest.raises(StyleError, match="other cards"):
        split_uncertainty({"total": total, "stat": parabola(0.3, card="b2")}, ["syst", "stat"])
    with pytest.raises(StyleError, match="scans of one parameter are drawn together, found r, k"):
        curves_of({"a": total, "b": parabola(name="k")})
    with pytest.raises(StyleError, match="the scan is one of r_ggH and r_VBF, expected one parameter"):
        Curve.of(bowl())
