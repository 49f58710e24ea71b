"""Figures of limits: bands, gaps, scales, at the extremes too."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("mplhep")

import numpy as np
from fixed_pictures import fixed_axes, without_legend
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from pictures import TOLERANCE, difference, outside, overlapping, texts
from results_of_fits import limit

from pocket_combine.errors import StyleError
from pocket_combine.plotting.canvas import new_figure, style_context
from pocket_combine.plotting.limit_axes import BAND_COLOURS, CLASSIC_BAND_COLOURS, LimitOptions, Prediction
from pocket_combine.plotting.limit_bars import draw_limit_bars, limit_bars_figure
from pocket_combine.plotting.limit_points import LimitPoints
from pocket_combine.plotting.limits import LimitArtists, draw_limits, limits_figure
from pocket_combine.results import LimitResult, Quantile, Status

LONG = "a_name_of_sixty_characters_as_they_occur_in_combined_cards_x"
MASSES = (200.0, 300.0, 400.0, 500.0, 600.0)


def test_limits_that_were_not_found_are_no_numbers() -> None:
    found = limit(2.0, missing=[0.84], observed=3.0)
    failed = dataclasses.replace(limit(), observed=Quantile(None, 7.0, Status.NOT_CONVERGED))
    points = LimitPoints.of([found, limit(), failed])
    assert np.array_equal(points.expected[0], [1.0, 1.4, 2.0, np.nan, 4.0], equal_nan=True)
    assert np.array_equal(points.observed, [3.0, np.nan, np.nan], equal_nan=True)
    assert points.incomplete.tolist() == [True, False, True]
    assert points.unblinded.tolist() == [True, False, True]
    edge = dataclasses.replace(limit(), expected=(Quantile(0.5, 9.0, Status.AT_BOUNDARY),))
    assert LimitPoints.of([edge]).expected[0, 2] == 9.0


def test_other_limits_are_refused() -> None:
    with pytest.raises(StyleError, match=r"found r at 0.95 confidence level, k at 0.95 confidence level"):
        LimitPoints.of([limit(), limit(poi="k")])
    with pytest.raises(StyleError, match=r"found r at 0.95 confidence level, r at 0.9 confidence level"):
        LimitPoints.of([limit(), limit(confidence_level=0.9)])
    with pytest.raises(StyleError, match="found none"):
        limits_figure({})


def drawn(limits: dict[float, LimitResult], **options: object) -> tuple[Axes, LimitArtists]:
    with style_context():
        axes = new_figure().add_subplot()
        return axes, draw_limits(axes, limits, **options)  # type: ignore[arg-type]  # as the tests give them


def heights(area: object, position: float) -> list[float]:
    """Where the edge of an area is at a position."""
    assert isinstance(area, PolyCollection)
    vertices = np.concatenate([np.asarray(path.vertices) for path in area.get_paths()] or [np.zeros((0, 2))])
    return sorted(set(vertices[np.isclose(vertices[:, 0], position), 1].round(9).tolist()))


def test_bands_and_lines() -> None:
    _, artists = drawn({mass: limit(mass / 100, observed=mass / 50) for mass in reversed(MASSES)})
    (inner,), (outer,) = artists.bands
    assert heights(inner, 300.0) == pytest.approx([2.1, 4.2])
    assert heights(outer, 300.0) == pytest.approx([1.5, 6.0])
    assert np.asarray(artists.median.get_ydata()) == pytest.approx([2.0, 3.0, 4.0, 5.0, 6.0])
    assert artists.observed is not None
    assert np.asarray(artists.observed.get_xydata()) == pytest.approx(np.array([(mass, mass / 50) for mass in MASSES]))
    assert artists.incomplete is None


def test_a_limit_that_was_not_found_leaves_a_gap_in_its_band_alone() -> None:
    limits = {mass: limit() for mass in MASSES} | {300.0: limit(missing=[0.84])}
    _, artists = drawn(limits)
    inner, outer = artists.bands
    assert heights(inner[0], 300.0) == []
    assert heights(inner[0], 400.0) == pytest.approx([0.7, 1.4])
    assert heights(outer[0], 300.0) == pytest.approx([0.5, 2.0])
    # the first point has no neighbour with a band any more
    (bar,) = inner[1:]
    assert isinstance(bar, Rectangle)
    assert (bar.get_x() + bar.get_width() / 2, bar.get_y(), bar.get_height()) == pytest.approx((200.0, 0.7, 0.7))
    assert artists.incomplete is not None
    assert np.asarray(artists.incomplete.get_xdata()).tolist() == [300.0]
    assert artists.observed is None
    assert artists.legend.legend.get_texts()[-1].get_text() == "Limit not found"


def test_scale_follows_the_numbers_unless_it_is_said() -> None:
    near, far = {1.0: limit(1.0), 2.0: limit(1.1)}, {1.0: limit(1.0), 2.0: limit(10.0)}
    assert drawn(near)[0].get_yscale() == "linear"
    assert drawn(near)[0].get_ylim()[0] == 0.0
    assert drawn(far)[0].get_yscale() == "log"
    assert drawn(near, options=LimitOptions(logarithmic=True))[0].get_yscale() == "log"
    assert drawn(far, options=LimitOptions(logarithmic=False))[0].get_yscale() == "linear"
    negative = {1.0: limit(-1.0), 2.0: limit(10.0)}
    assert drawn(negative)[0].get_yscale() == "linear"
    with pytest.raises(StyleError, match="a limit of -2 does not fit on a logarithmic axis"):
        drawn(negative, options=LimitOptions(logarithmic=True))


def test_theory_and_titles() -> None:
    axes, artists = drawn(
        {1.0: limit(), 2.0: limit()}, prediction=Prediction({2.0: 0.5, 1.0: 0.7}, "NLO"), quantity="$m$ [GeV]"
    )
    assert artists.theory is not None
    assert np.asarray(artists.theory.get_xydata()) == pytest.approx(np.array([(1.0, 0.7), (2.0, 0.5)]))
    assert axes.get_ylabel() == "95% CL upper limit on r"
    assert axes.get_xlabel() == "$m$ [GeV]"
    assert [text.get_text() for text in artists.legend.legend.get_texts()] == [
        "Median expected",
        "68% expected",
        "95% expected",
        "NLO",
    ]


def test_colours_are_those_for_all_readers_unless_the_classic_ones_are_wanted() -> None:
    classic = LimitOptions(colours=CLASSIC_BAND_COLOURS)
    for options, wanted in ((LimitOptions(), BAND_COLOURS), (classic, ("#00CC00", "#FFCC00"))):
        _, artists = drawn({1.0: limit(), 2.0: limit()}, options=options)
        for band, colour in zip(artists.bands, wanted, strict=True):
            (area,) = band
            assert isinstance(area, PolyCollection)
            rgb = [round(255 * float(part)) for part in np.asarray(area.get_facecolor())[0][:3]]
            assert "#{:02X}{:02X}{:02X}".format(*rgb) == colour


def test_bars() -> None:
    with style_context():
        axes = new_figure().add_subplot()
        artists = draw_limit_bars(axes, {"SR": limit(2.0, observed=3.0), "CR": limit(1.0, missing=[0.975, 0.5])})
    inner, outer = artists.bands
    assert [(bar.get_x(), bar.get_width()) for bar in inner] == [pytest.approx((1.4, 1.4)), pytest.approx((0.7, 0.7))]
    assert [(bar.get_x(), bar.get_width()) for bar in outer] == [pytest.approx((1.0, 3.0))]
    assert [text.get_text() for text in artists.numbers] == [
        "obs. 3.00, exp. $2.00^{+0.80}_{-0.60}$",
        "exp. not found",
    ]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["SR", "CR"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]


@pytest.mark.parametrize(
    "limits",
    [
        {125.0: limit()},
        {125.0: limit(observed=1.1, missing=[0.025, 0.16, 0.5, 0.84, 0.975])},
        {float(mass): limit(1e-4 * 1.02**mass, observed=1e-4 * 1.021**mass) for mass in range(500)},
        {-1e-7: limit(), 1e-7: limit(1e6, observed=1e6)},
    ],
    ids=["one point", "nothing expected", "500 points", "far numbers"],
)
def test_extremes(limits: dict[float, LimitResult]) -> None:
    figure = limits_figure(limits, quantity=LONG)
    assert overlapping(figure) == []
    assert outside(figure) == []


@pytest.mark.parametrize("count", [1, 30])
def test_bars_at_the_extremes(count: int) -> None:
    limits = {f"{LONG}{number}": limit(1.1**number, observed=0.9) for number in range(count)}
    figure = limit_bars_figure(limits)
    assert overlapping(figure) == []
    assert outside(figure) == []


def test_only_blind_limits_are_labelled_as_simulation() -> None:
    assert "Simulation Work in progress" in texts(limits_figure({1.0: limit()}))
    assert "Work in progress" in texts(limit_bars_figure({"SR": limit(observed=1.0)}))


def test_looks_like_the_reference(tmp_path: Path) -> None:
    limits = {mass: limit(100 / mass, observed=110 / mass) for mass in MASSES} | {500.0: limit(0.2, missing=[0.16])}
    with fixed_axes() as axes:
        draw_limits(axes, limits, prediction=Prediction({200.0: 1.0, 600.0: 0.05}))
        without_legend(axes, 0.02, 2.0)
    assert isinstance(axes.figure, Figure)
    assert difference(axes.figure, "limits", tmp_path) < TOLERANCE
    with fixed_axes() as axes:
        draw_limit_bars(axes, {"SR": limit(1.0, observed=1.5), "CR": limit(20.0)})
    assert isinstance(axes.figure, Figure)
    assert difference(axes.figure, "limit_bars", tmp_path) < TOLERANCE
