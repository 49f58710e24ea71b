"""Figures of scans: what is drawn where, at the extremes too."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("mplhep")

import numpy as np
import numpy.typing as npt
from fixed_pictures import fixed_axes, without_legend
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from pictures import TOLERANCE, difference, outside, overlapping, texts
from results_of_fits import bowl, parabola

from pocket_combine.errors import StyleError
from pocket_combine.plotting.canvas import new_figure, style_context
from pocket_combine.plotting.contours import contour_figure, draw_contours
from pocket_combine.plotting.scans import ScanArtists, draw_scan, scan_figure
from pocket_combine.plotting.style import ParameterRule, Style
from pocket_combine.results import ScanResult
from pocket_combine.templates import FloatArray

LONG = "a_name_of_sixty_characters_as_they_occur_in_combined_cards_x"


def xs(line: Line2D) -> FloatArray:
    return np.asarray(line.get_xdata(), dtype=np.float64)


def ys(line: Line2D) -> FloatArray:
    return np.asarray(line.get_ydata(), dtype=np.float64)


def drawn(scans: dict[str, ScanResult], **options: object) -> ScanArtists:
    with style_context():
        axes = new_figure().add_subplot()
        return draw_scan(axes, scans, **options)  # type: ignore[arg-type]  # as the tests give them


def test_levels_and_crossings_stand_where_the_parabola_says() -> None:
    artists = drawn({"": parabola(0.5, 1.0)})
    assert [ys(line)[0] for line in artists.levels] == pytest.approx([1.0, 4.0])
    assert [text.get_text() for text in artists.names] == ["68.3%", "95.4%"]
    found = {(round(xs(line)[0], 6), round(ys(line)[1], 6)) for line in artists.crossings}
    assert found == {(0.5, 1.0), (1.5, 1.0), (0.0, 4.0), (2.0, 4.0)}
    (line,) = artists.curves
    assert np.nanmin(ys(line)) == pytest.approx(0.0, abs=1e-12)
    assert isinstance(line.axes, Axes)
    assert line.axes.get_ylim()[0] == 0.0
    assert ys(line)[-2] == pytest.approx(16.0)


def test_legend_says_the_interval() -> None:
    artists = drawn({"": parabola(0.5, 1.0, data="observed")}, style=Style(parameters=(ParameterRule("r", r"$\mu$"),)))
    (text,) = artists.legend.legend.get_texts()
    assert text.get_text() == "Observed: $\\mu$ = $1.00^{+0.50}_{-0.50}$\n95.4%: [0.00, 2.00]"


def test_an_end_outside_of_the_scan_is_said() -> None:
    artists = drawn({"": parabola(0.5, 1.0, points=[0.8, 1.0, 1.4, 1.8])}, levels=[0.6827, 0.95])
    (text,) = artists.legend.legend.get_texts()
    assert text.get_text() == "Expected (Asimov data): r = $1.00^{+0.50}$\n95%: [outside the scan, outside the scan]"


def test_the_split_is_written() -> None:
    artists = drawn({"total": parabola(0.5), "stat only": parabola(0.3)}, parts=("syst", "stat"))
    assert artists.legend.legend.get_texts()[-1].get_text() == (
        "= 1.00 ${}^{+0.40}_{-0.40}$ (syst) ${}^{+0.30}_{-0.30}$ (stat)"
    )
    assert artists.legend.legend.get_title().get_text() == "Expected (Asimov data)"


def test_expected_is_dashed_beside_observed() -> None:
    artists = drawn({"a": parabola(0.5, data="observed"), "b": parabola(0.6)})
    assert [line.get_linestyle() for line in artists.curves] == ["-", "--"]
    assert [line.get_linestyle() for line in drawn({"a": parabola(0.5), "b": parabola(0.6)}).curves] == ["-", "-"]


def test_failed_points_are_marked_and_leave_a_gap() -> None:
    artists = drawn({"": parabola(failed=[7, 12])})
    assert artists.failed is not None
    assert xs(artists.failed) == pytest.approx([0.4, 1.4])
    values = xs(artists.curves[0])
    assert not ((values > 0.2001) & (values < 0.5999)).any()
    assert [text.get_text() for text in artists.legend.legend.get_texts()][-1] == "Fit failed"
    axes = artists.curves[0].axes
    assert isinstance(axes, Axes)
    left, right = axes.get_xlim()
    assert left < 0.4 < 1.4 < right


def test_blind_and_observed_are_labelled() -> None:
    assert "Simulation Work in progress" in texts(scan_figure({"": parabola()}))
    assert "Work in progress" in texts(scan_figure({"a": parabola(data="observed"), "b": parabola()}))


@pytest.mark.parametrize(
    "scans",
    [
        {"": parabola(points=[0.5])},
        {"": parabola(failed=list(range(21)))},
        {"": parabola(1e-9, 0.0, points=np.linspace(-5e-9, 5e-9, 30))},
        {"": parabola(5e5, 1e6, points=np.linspace(-1e6, 3e6, 500))},
        {LONG: parabola(name=LONG, failed=[4]), f"{LONG}2": parabola(0.7, name=LONG)},
        {f"scan {number}": parabola(0.1 * number) for number in range(1, 13)},
    ],
    ids=["one point", "all failed", "small", "large", "long names", "many"],
)
def test_extremes(scans: dict[str, ScanResult]) -> None:
    figure = scan_figure(scans)
    assert overlapping(figure) == []
    assert outside(figure) == []


def test_looks_like_the_reference(tmp_path: Path) -> None:
    scans = {"total": parabola(0.5, failed=[16]), "no theory": parabola(0.4), "stat only": parabola(0.3)}
    with fixed_axes() as axes:
        draw_scan(axes, scans, parts=("theory", "exp", "stat"))
        without_legend(axes, 0.0, 9.0)
    assert isinstance(axes.figure, Figure)
    assert difference(axes.figure, "scan", tmp_path) < TOLERANCE


def contour_points(scan: ScanResult, level: float = 0.6826894921) -> FloatArray:
    """The vertices of one contour."""
    with style_context():
        artists = draw_contours(new_figure().add_subplot(), {"": scan}, levels=[level])
    (contour,) = artists.contours
    assert contour is not None
    return np.concatenate([np.asarray(path.vertices, dtype=np.float64).reshape(-1, 2) for path in contour.get_paths()])


@pytest.mark.parametrize("correlation", [0.0, 0.6])
def test_contours_are_those_of_two_degrees_of_freedom(correlation: float) -> None:
    x, y = contour_points(bowl(correlation)).T
    u, v = (x - 1.0) / 0.5, y - 2.0
    heights = (u**2 + v**2 - 2 * correlation * u * v) / (1 - correlation**2)
    # -2 ln(1 - 0.6827), within the straight pieces between points of the refined grid
    assert heights == pytest.approx(np.full(len(x), 2.29575), abs=0.01)
    assert len(x) > 100


def test_scattered_points_give_nearly_the_same_contour() -> None:
    keep = np.random.default_rng(1).random(441) < 0.8
    x, y = contour_points(bowl(keep=keep)).T
    assert ((x - 1.0) / 0.5) ** 2 + (y - 2.0) ** 2 == pytest.approx(np.full(len(x), 2.29575), abs=0.6)


def test_contours_do_not_go_past_failed_points() -> None:
    # Index 10 * 21 + 6 is (1, 0.4): a point next to the 68.27 % contour, which crosses x = 1 at y = 0.485.
    failed = [10 * 21 + 6]
    x, y = contour_points(bowl(failed=failed)).T
    near = (np.abs(x - 1.0) < 0.19) & (y < 2.0)
    assert not near.any()
    full = contour_points(bowl())
    assert ((np.abs(full[:, 0] - 1.0) < 0.19) & (full[:, 1] < 2.0)).any()
    figure = contour_figure({"": bowl(failed=failed)})
    assert "Fit failed" in texts(figure)


def test_contours_that_are_not_reached_are_left_out() -> None:
    near = np.abs(np.arange(441) // 21 - 10) + np.abs(np.arange(441) % 21 - 10) <= 2
    figure = contour_figure({"": bowl(keep=near)})
    assert any(text.startswith("95.4%") for text in texts(figure))
    assert overlapping(figure) == []


@pytest.mark.parametrize(
    ("keep", "count"), [(np.arange(441) < 21, 21), (np.arange(441) == 3, 1), (np.arange(441) % 22 == 0, 21)]
)
def test_points_without_an_area_are_refused(keep: npt.NDArray[np.bool_], count: int) -> None:
    with pytest.raises(StyleError, match=f"the {count} points of the scan of r_ggH and r_VBF do not span an area"):
        contour_figure({"": bowl(keep=keep)})


def test_other_scans_are_refused() -> None:
    with pytest.raises(StyleError, match="found r_ggH and r_VBF, a and b"):
        contour_figure({"x": bowl(), "y": bowl(names=("a", "b"))})
    with pytest.raises(StyleError, match="the scan is one of r, expected two parameters"):
        contour_figure({"x": parabola()})


@pytest.mark.parametrize("colours", [False, True])
def test_contours_with_long_names(colours: bool) -> None:
    style = Style(parameters=(ParameterRule("r_VBF", "VBF"),))
    scans = {LONG: bowl(0.5, failed=[3]), f"{LONG}2": bowl(-0.5, data="observed")}
    figure = contour_figure(scans, style=style, colours=colours, reference=(1.0, 1.0))
    assert overlapping(figure) == []
    assert outside(figure) == []


def test_contours_look_like_the_reference(tmp_path: Path) -> None:
    with fixed_axes() as axes:
        draw_contours(axes, {"a": bowl(0.5), "b": bowl(-0.3, failed=[140])}, colours=True)
        without_legend(axes, -2.0, 6.0)
    assert isinstance(axes.figure, Figure)
    assert difference(axes.figure, "contours", tmp_path) < TOLERANCE
