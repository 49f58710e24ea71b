"""Figures of pulls: drawn numbers, texts, and nothing on each other with five or three hundred nuisances."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("mplhep")

from fitted import LONG, Fitted, R, fit, impact, impact_result, many, provenance
from matplotlib.lines import Line2D
from pictures import TOLERANCE, difference, outside, overlapping, texts

from pocket_combine.errors import StyleError
from pocket_combine.plotting import (
    Labels,
    ParameterRule,
    PullOptions,
    Style,
    draw_free_parameters,
    draw_pulls,
    new_figure,
    pulls_figure,
    pulls_figures,
    style_context,
)
from pocket_combine.plotting.palette import UP_COLOUR
from pocket_combine.plotting.pulls import drawn_fits
from pocket_combine.results import FitResult, Status


def points(line: Line2D) -> list[list[float]]:
    """(x, y) of each point."""
    pairs = zip(np.asarray(line.get_xdata()).tolist(), np.asarray(line.get_ydata()).tolist(), strict=True)
    return [[round(x, 9), round(y, 9)] for x, y in pairs]


def rows(line: Line2D) -> list[float]:
    return [row for _, row in points(line)]


SMALL = fit(
    {
        "r": R,
        "lumi": Fitted(0.2, 0.9),
        "scale": Fitted(-1.5, 0.5),
        "k": Fitted(1.15, 0.25, (0.8, 1.0, 1.3), kind="param"),
        "theory": Fitted(0.5, 0.0, floating=False),
        "far": Fitted(7.0, 1.0),
        "SF_tt": Fitted(1.31, 0.4, (1.0, 1.0, 1.0), kind="rateParam"),
    },
    origin=provenance(freeze=["theory"]),
)
STYLE = Style(labels=Labels(luminosity=138, energy=13), parameters=(ParameterRule("SF_tt", r"$\mu_{tt}$"),))


def test_points_and_bars_lie_where_they_should() -> None:
    axes = new_figure().add_subplot()
    (drawn,) = draw_pulls(axes, SMALL)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["lumi", "scale", "k", "theory", "far"]
    assert axes.get_ylim() == (4.5, -0.5)
    assert axes.get_xlim() == (-5.0, 5.0)
    assert points(drawn.measured.points) == [[0.2, 0], [-1.5, 1], [0.5, 2]]
    segments = np.array(drawn.measured.bars.get_segments())
    np.testing.assert_allclose(segments[:, :, 0], [[-0.7, 1.1], [-2.0, -1.0], [-0.5, 4.0 / 3.0]])
    assert points(drawn.fixed) == [[0.5, 3]]
    left, right = drawn.measured.arrows
    assert points(left) == []
    assert rows(right) == [4]
    assert points(drawn.unmeasured.points) == []


def test_parameters_without_a_constraint_have_their_values() -> None:
    axes = new_figure().add_subplot()
    (drawn,) = draw_free_parameters(axes, SMALL, style=STYLE)
    assert [label.get_text() for label in axes.get_yticklabels()] == [r"$\mu_{tt}$"]
    assert points(drawn.measured.points) == [[1.31, 0]]
    np.testing.assert_allclose(np.array(drawn.measured.bars.get_segments())[:, :, 0], [[0.91, 1.71]])


def test_a_value_far_from_all_others_does_not_set_the_scale() -> None:
    rates = {f"SF_{at}": Fitted(1.0, 0.1, (1.0, 1.0, 1.0), kind="rateParam") for at in range(5)}
    wild = Fitted(5000.0, 10.0, (1.0, 1.0, 1.0), kind="rateParam")
    axes = new_figure().add_subplot()
    (drawn,) = draw_free_parameters(axes, fit({"r": R, **rates, "SF_w": wild}))
    assert axes.get_xlim()[1] < 2.0
    assert rows(drawn.measured.arrows[1]) == [5]


def test_what_is_written() -> None:
    said = texts(pulls_figure(SMALL, style=STYLE))
    for text in (
        "+0.20 ± 0.90",
        "−1.50 ± 0.50",
        "+0.50 ± 0.92",
        "frozen",
        "$1.31^{+0.40}_{-0.40}$",
        "138 fb$^{-1}$ (13 TeV)",
    ):
        assert text in said
    for text in ("after the fit", "frozen or masked", "±1σ before the fit", "±2σ before the fit", "initial value"):
        assert text in said
    assert "r" not in said


def test_a_label_that_names_the_data_is_not_said_twice() -> None:
    blind = fit({"a": Fitted(0.0, 0.9)}, origin=provenance("asimov"))
    assert [drawn.label for drawn in drawn_fits({"Asimov data with r = 0": blind, "SR": blind})] == [
        "Asimov data with r = 0",
        "SR (Asimov data)",
    ]


def test_a_failed_fit_is_hollow_and_named() -> None:
    failed = fit({"r": R, "a": Fitted(0.4, 0.3), "b": Fitted(0.1, 0.0)}, status=Status.NOT_CONVERGED, concerned=("a",))
    figure = pulls_figure(failed)
    said = texts(figure)
    assert "after the fit (no result): not converged: a" in said
    assert "+0.40" in said
    (drawn,) = draw_pulls(new_figure().add_subplot(), failed)
    assert points(drawn.measured.points) == []
    assert drawn.measured.bars.get_segments() == []
    assert points(drawn.unmeasured.points) == [[0.4, 0.0], [0.1, 1.0]]
    assert drawn.unmeasured.points.get_markerfacecolor() == "white"
    assert drawn.unmeasured.bars.get_segments() == []


def test_the_legend_tells_hollow_points_apart() -> None:
    failed = fit({"r": R, "lumi": Fitted(0.4, np.nan)}, status=Status.NOT_CONVERGED)
    stuck = fit({"r": R, "lumi": Fitted(0.4, 0.0)}, status=Status.AT_BOUNDARY, concerned=("lumi",))

    def hollow(*fits: FitResult) -> list[tuple[str, str, str]]:
        figure = pulls_figure({f"fit {at}": one for at, one in enumerate(fits)}, style=STYLE)
        lines = [line for line in figure.legends[0].get_lines() if line.get_markerfacecolor() == "white"]
        return [(str(line.get_label()), str(line.get_color()), str(line.get_marker())) for line in lines]

    assert hollow(failed) == [("fit 0 (no result)", "black", "o")]
    assert hollow(failed, stuck) == [("fit 0 (no result)", "black", "o"), ("without uncertainty", UP_COLOUR, "s")]
    assert hollow(failed, failed) == [("fit 0 (no result)", "black", "o"), ("fit 1 (no result)", UP_COLOUR, "s")]


def test_several_fits_beside_each_other() -> None:
    background = fit({"r": R, "lumi": Fitted(0.1, 0.95), "only": Fitted(0.3, 0.8)}, origin=provenance("asimov"))
    impacts = impact_result(impact("lumi", -0.1, 0.1), data="asimov")
    axes = new_figure().add_subplot()
    drawn = draw_pulls(axes, {"s+b": SMALL, "b": background, "impacts": impacts})
    assert [label.get_text() for label in axes.get_yticklabels()][-2:] == ["far", "only"]
    lumi = [points(artists.measured.points)[0] for artists in drawn]
    assert lumi == [[0.2, -0.25], [0.1, 0.0], [0.1, 0.25]]
    assert len({artists.measured.points.get_color() for artists in drawn}) == 3
    assert len({artists.measured.points.get_marker() for artists in drawn}) == 3
    figure = pulls_figure({"s+b": SMALL, "b": background, "impacts": impacts}, style=STYLE)
    said = texts(figure)
    assert "s+b" in said
    assert "b (Asimov data)" in said
    assert overlapping(figure) == []
    assert outside(figure) == []


def test_more_than_three_fits_are_refused() -> None:
    with pytest.raises(StyleError, match="pulls of 4 fits, expected one to 3"):
        pulls_figure(dict.fromkeys("abcd", SMALL))


def test_nothing_to_draw_is_an_error() -> None:
    with pytest.raises(StyleError, match="there is no parameter to draw"):
        pulls_figure(fit({"r": R}))


def everything_fits(result: FitResult) -> None:
    for _, figure in pulls_figures(result, style=STYLE):
        assert overlapping(figure) == []
        assert outside(figure) == []


def test_five_nuisances() -> None:
    everything_fits(SMALL)


def test_many_nuisances_with_long_names() -> None:
    result = many(100)
    pages = list(pulls_figures(result, style=STYLE, options=PullOptions(order="name")))
    assert [name for name, _ in pages] == ["1", "2", "3"]
    found = [label.get_text() for _, figure in pages for axes in figure.axes for label in axes.get_yticklabels()]
    assert found == [*(LONG.format(at) for at in range(100)), *(f"SF_{at}" for at in range(10))]
    sizes = [sum(len(axes.get_yticklabels()) for axes in figure.axes) for _, figure in pages]
    assert sum(sizes) == 110
    for at, (_, figure) in enumerate(pages):
        assert f"{sum(sizes[:at]) + 1}–{sum(sizes[: at + 1])} of 110 parameters" in texts(figure)
    for figure in (pages[0][1], pages[-1][1]):
        assert overlapping(figure) == []
        assert outside(figure) == []


def test_columns_of_one_figure() -> None:
    figure = pulls_figure(many(50), style=STYLE, options=PullOptions(rows=20))
    panels = [axes for axes in figure.axes if axes.get_xlabel()]
    assert len(panels) == 4  # three columns, the last with the values of rate parameters below
    assert len({axes.get_xlim() for axes in panels[:3]}) == 1
    assert overlapping(figure) == []
    assert outside(figure) == []


def test_numbers_that_are_none() -> None:
    odd = fit(
        {
            "r": R,
            "a": Fitted(math.nan, math.nan),
            "b": Fitted(0.0, math.inf),
            "c": Fitted(0.0, 0.0),
            "SF": Fitted(math.inf, 1.0, (1.0, 1.0, 1.0), kind="rateParam"),
        }
    )
    figure = pulls_figure(odd)
    assert outside(figure) == []
    (drawn,) = draw_pulls(new_figure().add_subplot(), odd)
    assert [rows(side) for side in drawn.measured.arrows] == [[1.0], [1.0]]


def test_names_with_dollars_are_shown_letter_by_letter() -> None:
    assert r"a\$b\$" in texts(pulls_figure(fit({"r": R, "a$b$": Fitted(0.0, 1.0)})))


def test_looks_like_the_reference(tmp_path: Path) -> None:
    with style_context():
        figure = new_figure(6.0, 3.0)
        draw_pulls(figure.add_subplot(), SMALL, style=STYLE)
    assert difference(figure, "pulls", tmp_path) < TOLERANCE
