"""Summaries of signal strengths."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("mplhep")

from fitted import Fitted, R, fit, impact, impact_result, provenance
from pictures import TOLERANCE, difference, outside, overlapping, texts

from pocket_combine.errors import StyleError
from pocket_combine.plotting import (
    Labels,
    ParameterRule,
    Strength,
    Style,
    draw_strengths,
    new_figure,
    strengths_figure,
    strengths_of,
    style_context,
)
from pocket_combine.results import Interval, Status, UncertaintyGroup

STYLE = Style(labels=Labels(luminosity=138, energy=13), parameters=(ParameterRule("r_ggH", r"$\mu_{ggH}$"),))
SPLIT = impact_result(
    impact("a", -0.1, 0.1),
    breakdown=(UncertaintyGroup("jets", 0.12, 0.2), UncertaintyGroup("stat", 0.16, 0.15)),
)
FAILED = fit({"r": R}, status=Status.NOT_CONVERGED, concerned=("r",))
EDGE = fit({"r": R}, intervals=[Interval("r", 0.4, 0.0, 1.1, 0.5, low_status=Status.AT_BOUNDARY)])
STAT = fit({"r": R}, intervals=[Interval("r", 1.05, 0.93, 1.21, 0.5)])
WHOLE = fit({"r": R}, intervals=[Interval("r", 1.05, 0.85, 1.25, 0.5)])


def test_all_parameters_of_one_fit() -> None:
    interval = Interval("r_ggH", 1.1, 0.9, 1.4, 0.5)
    both = fit(
        {"r_ggH": R, "r_qqH": Fitted(0.7, 0.3, (1, 1, 1), kind="POI")}, pois=("r_ggH", "r_qqH"), intervals=[interval]
    )
    first, second = strengths_of(both, style=STYLE)
    assert (first.label, first.interval) == (r"$\mu_{ggH}$", interval)
    assert second.interval == Interval("r_qqH", 0.7, 0.7 - 0.3, 1.0, 0.5)
    (only,) = strengths_of(both, poi="r_qqH")
    assert only.label == "r_qqH"
    with pytest.raises(StyleError, match=r"no parameter 'r_qqh' in the fit: did you mean 'r_qqH'\?"):
        strengths_of(both, poi="r_qqh")


def test_the_breakdown_splits_the_uncertainty() -> None:
    strengths = strengths_of({"a": SPLIT})
    assert strengths[0].stat == UncertaintyGroup("stat", 0.16, 0.15)
    assert strengths[0].syst == UncertaintyGroup("syst", 0.12, 0.2)
    (other,) = strengths_of({"a": SPLIT}, poi="k")
    assert other.stat is None


def test_a_fit_without_systematics_splits_the_uncertainty() -> None:
    (strength,) = strengths_of({"a": WHOLE}, stat_only={"a": STAT})
    assert strength.stat is not None
    assert strength.syst is not None
    assert (strength.stat.low, strength.stat.high) == pytest.approx((0.12, 0.16))
    assert (strength.syst.low, strength.syst.high) == pytest.approx((0.16, 0.12))
    (alone,) = strengths_of(WHOLE, stat_only=STAT)
    assert alone.syst == strength.syst
    with pytest.raises(StyleError, match=r"a: the .* without systematics, 0\.2, is larger than the total, 0\.12"):
        strengths_of({"a": STAT}, stat_only={"a": WHOLE})
    with pytest.raises(StyleError, match=r"no result for 'A': did you mean 'a'\?"):
        strengths_of({"a": WHOLE}, stat_only={"A": STAT})


def test_parts_end_where_the_interval_does() -> None:
    (strength,) = strengths_of({"a": EDGE}, stat_only={"a": STAT})
    assert strength.stat is not None
    assert math.isnan(strength.stat.low)
    assert strength.stat.high == pytest.approx(0.16)


def test_what_is_drawn() -> None:
    strengths = strengths_of({"split": SPLIT, "edge": EDGE, "failed": FAILED})
    axes = new_figure().add_subplot()
    drawn = draw_strengths(axes, strengths)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["split", "edge", "failed"]
    np.testing.assert_allclose(np.asarray(drawn.total.points.get_xydata()), [[1.0, 0.0], [0.4, 1.0]])
    np.testing.assert_allclose(np.array(drawn.total.bars.get_segments())[:, :, 0], [[0.8, 1.25], [0.0, 1.1]])
    np.testing.assert_allclose(drawn.stat.get_segments(), [[[0.84, 0.0], [1.15, 0.0]]])
    np.testing.assert_allclose(drawn.syst.get_segments(), [[[0.88, 0.24], [1.2, 0.24]]])
    low, high = (np.asarray(line.get_xydata()).tolist() for line in drawn.open_ends)
    assert (low, high) == ([[0.0, 1.0]], [])


def test_what_is_written() -> None:
    figure = strengths_figure(strengths_of({"split": SPLIT, "edge": EDGE, "failed": FAILED}), style=STYLE)
    said = texts(figure)
    split = "$1.00^{+0.25}_{-0.20}$  (${}^{+0.15}_{-0.16}$ stat, ${}^{+0.20}_{-0.12}$ syst)"
    for text in (split, "$0.40^{+0.70}$ (lower end: at boundary)", "no result", "not converged: r", "statistical"):
        assert text in said
    assert "expected: 1" in said
    assert overlapping(figure) == []
    assert outside(figure) == []


def test_asimov_data_and_other_levels_are_said() -> None:
    asimov = fit({"r": R}, intervals=[Interval("r", 1.0, 0.5, 1.5, 1.92)], origin=provenance("asimov"))
    said = texts(strengths_figure(strengths_of(asimov)))
    assert "best fit and uncertainty (ΔNLL = 1.92): Asimov data" in said


def test_data_that_differ_are_said_in_each_row() -> None:
    asimov = fit({"r": R}, origin=provenance("asimov"))
    said = texts(strengths_figure(strengths_of({"SR": asimov, "CR": WHOLE}), style=STYLE))
    assert {"SR (Asimov data)", "CR", "best fit and uncertainty"} <= set(said)
    assert "Work in progress" in said


def test_ends_that_are_no_numbers() -> None:
    strengths = [
        Strength("nan", Interval("r", 1.0, math.nan, 2.0, 0.5)),
        Strength("inf", Interval("r", 1.0, -math.inf, math.inf, 0.5)),
        Strength("lost", Interval("r", math.nan, math.nan, math.nan, 0.5, Status.NOT_FOUND, Status.NOT_FOUND)),
    ]
    axes = new_figure().add_subplot()
    drawn = draw_strengths(axes, strengths)
    assert [np.asarray(side.get_ydata()).tolist() for side in drawn.total.arrows] == [[1.0], [1.0]]
    assert outside(strengths_figure(strengths, style=STYLE)) == []


def test_many_long_labels() -> None:
    strengths = strengths_of(
        {f"a channel whose label has about sixty characters, number {at:02d}": SPLIT for at in range(40)}
    )
    figure = strengths_figure(strengths, style=STYLE)
    assert overlapping(figure) == []
    assert outside(figure) == []


def test_nothing_to_draw() -> None:
    with pytest.raises(StyleError, match="there are no results"):
        strengths_of({})
    with pytest.raises(StyleError, match="there is no signal strength to draw"):
        strengths_figure([])


def test_looks_like_the_reference(tmp_path: Path) -> None:
    with style_context():
        figure = new_figure(6.0, 3.0)
        draw_strengths(figure.add_subplot(), strengths_of({"split": SPLIT, "edge": EDGE, "failed": FAILED}))
    assert difference(figure, "strengths", tmp_path) < TOLERANCE
