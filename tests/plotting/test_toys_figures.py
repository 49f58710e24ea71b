"""Figures of toys: goodness of fit and bias, at the extremes too."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("mplhep")

import numpy as np
from fixed_pictures import fixed_axes, without_legend
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from pictures import TOLERANCE, difference, outside, overlapping, texts
from results_of_fits import provenance, toys

from pocket_combine.errors import StyleError
from pocket_combine.plotting.canvas import new_figure, style_context
from pocket_combine.plotting.style import ParameterRule, Style
from pocket_combine.plotting.toy_numbers import Moments, bin_edges
from pocket_combine.plotting.toys import (
    BiasArtists,
    GoodnessArtists,
    bias_figure,
    draw_bias,
    draw_goodness,
    draw_toys,
    goodness_figure,
    toys_figure,
    toys_figures,
)
from pocket_combine.results import GoodnessOfFitResult, Status
from pocket_combine.templates import FloatArray

LONG = "a_name_of_sixty_characters_as_they_occur_in_combined_cards_x"


def goodness(
    statistic: float | None = 30.0, count: int = 100, *, failed: int = 0, status: Status = Status.CONVERGED
) -> GoodnessOfFitResult:
    """Toys at 0.5, 1.5, …; of 100 toys 70 are at least 30."""
    values = np.arange(count, dtype=np.float64) + 0.5
    p_value = None if statistic is None or not count else float((values >= statistic).mean())
    data = "asimov" if statistic is None else "observed"
    return GoodnessOfFitResult(provenance(data), "saturated", statistic, {}, values, p_value, failed, status)


def drawn(result: GoodnessOfFitResult) -> GoodnessArtists:
    with style_context():
        return draw_goodness(new_figure().add_subplot(), result)


def area(artist: object) -> float:
    """What a histogram holds, in bins of its width."""
    values, edges, _ = artist.get_data()  # type: ignore[attr-defined]  # a step patch
    return float((np.asarray(values) * np.diff(edges)).sum())


def test_goodness_of_fit() -> None:
    artists = drawn(goodness(failed=2))
    assert artists.toys is not None
    assert artists.tail is not None
    assert np.sum(artists.toys.get_data()[0]) == 100
    assert area(artists.tail) / area(artists.toys) == pytest.approx(0.70, abs=0.01)
    assert artists.data is not None
    assert artists.data.xy == (30.0, 0.0)
    assert [text.get_text() for text in artists.legend.legend.get_texts()] == [
        "100 toys (2 more failed)",
        "Toys at or beyond",
        "Data: 30, p = 0.700 ± 0.046",
    ]


def test_blind_results_show_toys_alone() -> None:
    artists = drawn(goodness(None))
    assert (artists.tail, artists.data) == (None, None)
    said = texts(goodness_figure(goodness(None)))
    assert "Simulation Work in progress" in said
    assert not any("Data" in text or "p =" in text for text in said)


def test_data_beyond_all_toys() -> None:
    artists = drawn(goodness(1e4))
    assert artists.tail is None
    assert artists.legend.legend.get_texts()[-1].get_text() == "Data: 1e+04, p < 0.01 (none of 100 toys)"
    below = drawn(goodness(-5.0))
    assert below.tail is not None
    assert below.toys is not None
    assert area(below.tail) == pytest.approx(area(below.toys))


def test_data_without_toys_and_a_failed_fit() -> None:
    artists = drawn(goodness(12.5, 0, status=Status.NOT_CONVERGED))
    assert artists.toys is None
    assert artists.legend.legend.get_texts()[-1].get_text() == "Data: 12.5\nfit of the data: not converged"
    with pytest.raises(StyleError, match="neither toys nor a statistic"):
        drawn(goodness(None, 0))


def test_moments() -> None:
    found = Moments.of(np.array([1.0, 3.0, np.inf, np.nan]))
    assert (found.count, found.mean, found.width) == pytest.approx((2, 2.0, 2**0.5))
    assert (found.mean_error, found.width_error) == pytest.approx((1.0, 1.0))
    assert Moments.of(np.array([1.0])).texts() == ("mean 1.00 ± ?", "width ? ± ?")


@pytest.mark.parametrize("values", [[], [3.0], [0.0, 0.0], [1e9, 1e9 + 1], [0.0] * 99 + [1e6]])
def test_edges_hold_all_numbers(values: list[float]) -> None:
    edges = bin_edges(np.array([*values, np.nan]))
    assert (np.diff(edges) > 0).all()
    assert np.histogram(values, edges)[0].sum() == len(values)
    assert edges.size <= 61


def ys(line: Line2D | None) -> FloatArray:
    assert line is not None
    return np.asarray(line.get_ydata(), dtype=np.float64)


def test_pulls_have_the_gaussian_of_their_mean_and_width() -> None:
    result = toys(1.0, 400, bias=0.3, width=1.2, failed=3)
    with style_context():
        artists = draw_toys(new_figure().add_subplot(), result, style=Style(parameters=(ParameterRule("r", "mu"),)))
    values, edges, _ = artists.toys.get_data()
    assert np.sum(values) == 400
    assert np.asarray(artists.errors.get_ydata()).sum() == 400
    scale = 400 * (edges[1] - edges[0])
    width = float(result.pulls.std(ddof=1))
    assert ys(artists.gaussian).max() == pytest.approx(scale / (width * (2 * np.pi) ** 0.5), rel=1e-3)
    assert ys(artists.reference).max() == pytest.approx(scale / (2 * np.pi) ** 0.5, rel=1e-3)
    legend = artists.legend.legend
    assert legend.get_title().get_text() == "mu = 1 injected"
    assert [text.get_text() for text in legend.get_texts()] == [
        "400 toys (3 more failed)",
        f"Gaussian, mean 0.300 ± {width / 20:.3f},\nwidth {width:.3f} ± {width / 798**0.5:.3f}",
        "Unbiased",
    ]


def test_best_fits_stand_beside_the_injected_value() -> None:
    with style_context():
        artists = draw_toys(new_figure().add_subplot(), toys(2.0, 50), quantity="best fit")
    assert np.asarray(artists.reference.get_xdata()).tolist() == [2.0, 2.0]
    assert artists.legend.legend.get_texts()[-1].get_text() == "Injected 2"


def bias(results: list[object]) -> BiasArtists:
    with style_context():
        upper, lower = new_figure().subplots(2, 1, sharex=True)
        return draw_bias((upper, lower), results)  # type: ignore[arg-type]  # as the tests give them


def test_bias_against_the_injected_value() -> None:
    artists = bias([toys(2.0, bias=0.5), toys(0.0, bias=-0.1, width=1.3), toys(1.0)])
    assert np.asarray(artists.means.get_xdata()).tolist() == [0.0, 1.0, 2.0]
    assert ys(artists.means) == pytest.approx([-0.1, 0.0, 0.5], abs=1e-9)
    assert ys(artists.widths) == pytest.approx([1.3, 1.0, 1.0], abs=0.01)


def test_several_values_have_a_figure_each_and_one_of_the_bias() -> None:
    names = [name for name, _ in toys_figures([toys(0.0, 10), toys(1.5, 10)])]
    assert names == ["bias", "r_0", "r_1.5"]
    assert [name for name, _ in toys_figures([toys(1.0, 10)])] == ["r_1"]
    with pytest.raises(StyleError, match="found none"):
        bias_figure([])
    with pytest.raises(StyleError, match=r"no toy at r = 1 was fitted \(4 failed\)"):
        toys_figure(toys(1.0, 0, failed=4))


@pytest.mark.parametrize("count", [1, 20000])
def test_extremes(count: int) -> None:
    style = Style(parameters=(ParameterRule("r", LONG),))
    for figure in (toys_figure(toys(1e5, count), style=style), goodness_figure(goodness(1e5, count, failed=10**6))):
        assert overlapping(figure) == []
        assert outside(figure) == []


def test_bias_figure_with_a_long_name() -> None:
    figure = bias_figure([toys(-1.0, 5), toys(1e-3, 1)], style=Style(parameters=(ParameterRule("r", LONG),)))
    assert overlapping(figure) == []
    assert outside(figure) == []


def test_looks_like_the_reference(tmp_path: Path) -> None:
    with fixed_axes() as axes:
        draw_goodness(axes, goodness())
        without_legend(axes, 0.0, 20.0)
    assert isinstance(axes.figure, Figure)
    assert difference(axes.figure, "goodness", tmp_path) < TOLERANCE
    with fixed_axes() as axes:
        draw_toys(axes, toys(1.0, bias=0.4))
        without_legend(axes, 0.0, 60.0)
    assert isinstance(axes.figure, Figure)
    assert difference(axes.figure, "toys", tmp_path) < TOLERANCE


def test_axes_of_toys_count() -> None:
    for figure in (goodness_figure(goodness(30.0, 60)), toys_figure(toys(1.0, 40))):
        for axes in figure.axes:
            labels = [label.get_text() for label in axes.get_yticklabels()]
            assert labels == [str(int(label)) for label in labels]
