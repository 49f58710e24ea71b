"""Impacts: ranks, bars, what failed, and pages of many nuisances."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("mplhep")

from fitted import CONVERGED, LONG, impact, impact_result
from matplotlib.container import BarContainer
from matplotlib.patches import Rectangle
from pictures import TOLERANCE, difference, outside, overlapping, texts

from pocket_combine.errors import StyleError
from pocket_combine.plotting import (
    Labels,
    ParameterRule,
    Style,
    draw_impacts,
    impacts_figure,
    impacts_figures,
    new_figure,
    ranked_impacts,
    style_context,
)
from pocket_combine.results import ImpactResult, Interval, Status

STYLE = Style(labels=Labels(luminosity=138, energy=13), parameters=(ParameterRule("r", r"$\mu$"),))
FREE = (1.0, 1.0, 1.0)
LOST = (Status.NOT_CONVERGED, Status.NOT_CONVERGED)
SMALL = impact_result(
    impact("small", -0.01, 0.01),
    impact("lost", 0.0, 0.0, statuses=LOST),
    impact("one_sided", 0.05, 0.02),
    impact("half", -0.07, 0.3, statuses=(Status.CONVERGED, Status.NOT_FOUND)),
    impact("large", 0.1, -0.12, fitted=(-3.5, -0.9, 0.1)),
    impact("SF_tt", -0.03, 0.04, prefit=FREE, fitted=(0.9, 1.31, 1.8)),
    impact("SF_0", 0.0, 0.03, prefit=FREE, fitted=(0.0, 0.0, 0.8), statuses=(Status.AT_BOUNDARY, CONVERGED[1])),
)
ORDER = ["large", "half", "one_sided", "SF_tt", "SF_0", "small", "lost"]


def spans(bars: BarContainer) -> list[list[float]]:
    """(x of the end, y of the middle, height) of each bar."""
    boxes = [bar for bar in bars if isinstance(bar, Rectangle)]
    numbers = [(box.get_x() + box.get_width(), box.get_y() + box.get_height() / 2, box.get_height()) for box in boxes]
    found: list[list[float]] = np.round(numbers, 9).tolist()
    return found


def test_ranks() -> None:
    rows = ranked_impacts(SMALL)
    assert [row.parameter for row in rows] == ORDER
    assert [row.rank for row in rows] == [1, 2, 3, 4, 5, 6, None]
    assert [round(row.size, 9) for row in rows[:-1]] == [0.12, 0.07, 0.05, 0.04, 0.03, 0.01]
    assert math.isnan(rows[-1].size)
    assert [row.is_one_sided for row in rows] == [False, False, True, False, False, False, False]
    chosen = ranked_impacts(SMALL, parameters=["SF_*", "small"])
    assert [(row.rank, row.parameter) for row in chosen] == [(4, "SF_tt"), (5, "SF_0"), (6, "small")]


def test_another_parameter_of_interest() -> None:
    first, second, *_ = ranked_impacts(SMALL, "k")
    assert (first.parameter, second.parameter) == ("half", "large")
    assert first.low == pytest.approx(-0.3)
    assert math.isnan(first.high)
    assert (second.low, second.high) == pytest.approx((0.12, -0.1))
    with pytest.raises(StyleError, match=r"no parameter of interest 'K' in the impacts: did you mean 'k'\?"):
        ranked_impacts(SMALL, "K")


def test_bars_lie_where_they_should() -> None:
    left, right = new_figure().subplots(1, 2)
    drawn = draw_impacts(left, right, ranked_impacts(SMALL))
    assert spans(drawn.high) == [
        [-0.12, 0.0, 0.72],
        [0.0, 1.0, 0.72],  # not found
        [0.02, 1.81, 0.34],  # on the side of the other one: the upper half
        [0.04, 3.0, 0.72],
        [0.03, 4.0, 0.72],
        [0.01, 5.0, 0.72],
        [0.0, 6.0, 0.72],  # not found
    ]
    assert [end for end, _, _ in spans(drawn.low)] == [0.1, -0.07, 0.05, -0.03, 0.0, -0.01, 0.0]
    assert spans(drawn.low)[2] == [0.05, 2.19, 0.34]
    assert [bar.get_visible() for bar in drawn.high] == [True, False, True, True, True, True, False]
    assert [bar.get_visible() for bar in drawn.low] == [True] * 6 + [False]
    pulls = np.asarray(drawn.pulls.points.get_xdata())
    np.testing.assert_allclose(pulls, [-0.9, 0.1, 0.1, 0.1, 0.1])
    np.testing.assert_allclose(np.asarray(drawn.pulls.arrows[0].get_ydata()), [0.0])
    assert right.get_xlim() == pytest.approx((-1.15 * 0.12, 1.15 * 0.12))
    assert left.get_ylim() == right.get_ylim() == (6.5, -0.5)


def test_what_is_written() -> None:
    figure = impacts_figure(SMALL, style=STYLE)
    said = texts(figure)
    assert r"$\mu$ = $1.00^{+0.25}_{-0.20}$" in said
    assert "Fits failed, so that impacts are missing: half, lost" in said
    assert [said.count(text) for text in ("not converged", "not found")] == [2, 1]
    assert "0.000 (edge)" in said
    assert "$1.31^{+0.49}_{-0.41}$" in said
    assert "$0.00^{+0.80}$ (edge)" in said
    assert r"Δ$\mu$" in said
    assert "1–7 of 7 parameters" in said
    ranks = [text.get_text() for text in figure.texts if text.get_text() in "123456–"]
    assert ranks == ["1", "2", "3", "4", "5", "6", "–"]
    assert said.count("0.000") == 0


def test_asimov_data_and_open_intervals_are_said() -> None:
    interval = Interval("r", 0.2, 0.0, 1.1, 0.5, low_status=Status.AT_BOUNDARY)
    result = impact_result(impact("a", -0.1, 0.1), intervals=[interval], data="asimov")
    assert "r = $0.20^{+0.90}$ (lower end: at boundary)  (Asimov data)" in texts(impacts_figure(result))


def test_impacts_on_a_parameter_at_its_boundary_are_all_zero() -> None:
    figure = impacts_figure(impact_result(impact("a", 0.0, 0.0), impact("b", 0.0, 0.0)), style=STYLE)
    assert overlapping(figure) == []
    assert outside(figure) == []


def test_numbers_that_are_none_count_as_not_found() -> None:
    result = impact_result(impact("a", math.nan, 0.2), impact("b", math.inf, math.nan), impact("c", -0.1, 0.1))
    rows = ranked_impacts(result)
    assert [(row.rank, row.parameter) for row in rows] == [(1, "a"), (2, "c"), (None, "b")]
    assert texts(impacts_figure(result)).count("not finite") == 3


def many(count: int) -> ImpactResult:
    return impact_result(*(impact(LONG.format(at), -0.1 / (at + 1), 0.09 / (at + 1)) for at in range(count)))


def test_many_nuisances_come_in_pages() -> None:
    pages = list(impacts_figures(many(70), style=STYLE))
    assert [name for name, _ in pages] == ["1", "2", "3"]
    names = [label.get_text() for _, figure in pages for label in figure.axes[0].get_yticklabels()]
    assert names == [LONG.format(at) for at in range(70)]
    for figure in (pages[0][1], pages[-1][1]):
        assert overlapping(figure) == []
        assert outside(figure) == []
    assert "49–70 of 70 parameters" in texts(pages[-1][1])


def test_the_largest_only() -> None:
    ((name, figure),) = impacts_figures(many(40), most=5)
    assert name == ""
    assert "1–5 of 40 parameters" in texts(figure)


def test_five_nuisances() -> None:
    figure = impacts_figure(SMALL, style=STYLE, most=5)
    assert overlapping(figure) == []
    assert outside(figure) == []


def test_no_impacts_are_an_error() -> None:
    with pytest.raises(StyleError, match="there is no impact to draw"):
        impacts_figure(impact_result())


def test_looks_like_the_reference(tmp_path: Path) -> None:
    with style_context():
        figure = new_figure(6.0, 3.0)
        left, right = figure.subplots(1, 2)
        draw_impacts(left, right, ranked_impacts(SMALL), style=STYLE)
    assert difference(figure, "impacts", tmp_path) < TOLERANCE
