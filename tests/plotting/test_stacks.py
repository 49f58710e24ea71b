"""Stacks: what is drawn, at the right heights, and nothing on top of each other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("mplhep")

from expected_events import channel, result
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch
from pictures import TOLERANCE, difference, outside, overlapping, texts
from scipy.stats import chi2

from pocket_combine.errors import StyleError
from pocket_combine.plotting import (
    ChannelRule,
    Labels,
    ProcessRule,
    Stack,
    StackOptions,
    Style,
    draw_stack,
    draw_stack_panel,
    new_figure,
    overview_figure,
    stack_figure,
    stack_of,
    style_context,
)
from pocket_combine.plotting.canvas import figure_bytes
from pocket_combine.results import PostfitResult

TAIL = 0.15865525393145707
"""Probability above one standard deviation."""

FULL = Style(labels=Labels(luminosity=138.0, energy=13.6))
SMALL = result(
    channel(
        "SR",
        {"ttH": [2.0, 4.0], "tt_2017": [30.0, 10.0], "tt_2018": [20.0, 15.0], "W": [5.0, 1.0]},
        edges=[0.0, 1.0, 3.0],
        errors=[6.0, 3.0],
        observed=[60.0, 25.0],
        total=[58.0, 30.0],
    )
)


def axes_of(stack: Stack) -> Axes:
    figure = new_figure()
    return figure.add_subplot()


def tops(patch: StepPatch) -> list[float]:
    """Heights of steps."""
    return [float(value) for value in np.asarray(patch.get_data()[0])]


def bottoms(patch: StepPatch) -> list[float]:
    """Where filled steps begin."""
    return [float(value) for value in np.asarray(patch.get_data()[2])]


def drawn_ends(container: ErrorbarContainer) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Heights of points, and the ends of their intervals."""
    line, _, (bars,) = container.lines
    segments = np.array(bars.get_segments()).reshape(-1, 2, 2)
    return np.asarray(line.get_ydata()), segments[:, 0, 1], segments[:, 1, 1]


def test_heights_of_a_stack() -> None:
    stack = stack_of(SMALL, "SR")
    with style_context():
        drawn = draw_stack(axes_of(stack), stack, options=StackOptions(signal_scale=10.0))
    assert [part.label for part in stack.processes] == ["W", "tt", "ttH"]
    assert [(tops(patch), bottoms(patch)) for patch in drawn.processes] == [
        ([5.0, 1.0], [0.0, 0.0]),
        ([55.0, 26.0], [5.0, 1.0]),
        ([57.0, 30.0], [55.0, 26.0]),
    ]
    assert tops(drawn.total) == [58.0, 30.0]
    assert tops(drawn.band) == [64.0, 33.0]
    assert bottoms(drawn.band) == [52.0, 27.0]
    (signal,) = drawn.signals
    assert tops(signal) == [20.0, 40.0]
    assert signal.get_edgecolor() == drawn.processes[2].get_facecolor()
    assert drawn.data is not None
    heights, low, high = drawn_ends(drawn.data)
    assert heights.tolist() == [60.0, 25.0]
    np.testing.assert_allclose(low, chi2.ppf(TAIL, [120, 50]) / 2)
    np.testing.assert_allclose(high, chi2.isf(TAIL, [122, 52]) / 2)


def test_panel_of_ratios() -> None:
    stack = stack_of(SMALL, "SR", prefit=result(channel("SR", {"tt": [29.0, 45.0]}), point="prefit"))
    with style_context():
        drawn = draw_stack_panel(axes_of(stack), stack)
    assert drawn.points is not None
    assert drawn.band is not None
    assert drawn.compared is not None
    heights, low, _ = drawn_ends(drawn.points)
    np.testing.assert_allclose(heights, [60 / 58, 25 / 30])
    np.testing.assert_allclose(low, chi2.ppf(TAIL, [120, 50]) / 2 / [58, 30])
    np.testing.assert_allclose(tops(drawn.band), [64 / 58, 33 / 30])
    np.testing.assert_allclose(tops(drawn.compared), [0.5, 1.5])


def test_ratios_outside_the_panel_are_marked() -> None:
    stack = stack_of(result(channel("SR", {"tt": [10.0, 10.0, 10.0]}, observed=[50, 10, 8])), "SR")
    with style_context():
        drawn = draw_stack_panel(axes_of(stack), stack)
    (arrow,) = drawn.arrows
    assert (arrow.get_marker(), np.asarray(arrow.get_xdata()).tolist()) == ("^", [0.5])


def test_panel_of_pulls() -> None:
    stack = stack_of(SMALL, "SR")
    with style_context():
        drawn = draw_stack_panel(axes_of(stack), stack, options=StackOptions(panel="pull"))
    assert drawn.pulls is not None
    np.testing.assert_allclose(tops(drawn.pulls), [2 / np.sqrt(58 - 36), -5 / np.sqrt(30 - 9)])


def test_contents_by_width() -> None:
    stack = stack_of(SMALL, "SR")
    with style_context():
        axes = axes_of(stack)
        drawn = draw_stack(axes, stack, options=StackOptions(per_width=True))
    assert tops(drawn.total) == [58.0, 15.0]
    assert drawn.data is not None
    assert drawn_ends(drawn.data)[0].tolist() == [60.0, 12.5]
    assert axes.get_ylabel() == "Events / unit of the axis"


def test_equal_bins_keep_their_edges_as_labels() -> None:
    figure = stack_figure(SMALL, "SR", options=StackOptions(equal_bins=True, panel="none"))
    axes = figure.axes[0]
    assert axes.get_xlim() == (0.0, 2.0)
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0", "1", "3"]


def test_axis_title_says_the_width_of_bins() -> None:
    style = Style(channels=(ChannelRule("SR", quantity="m(jj)", unit="GeV"),))
    even = result(channel("SR", {"tt": [1.0, 2.0]}, edges=[0, 20, 40]))
    with style_context():
        stack = stack_of(even, "SR", style=style)
        axes = axes_of(stack)
        draw_stack(axes, stack)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("m(jj) [GeV]", "Events / 20 GeV")


def test_blinded_ranges_show_no_data_anywhere() -> None:
    style = Style(channels=(ChannelRule("SR", blinded=((1.5, 3.0),)),))
    stack = stack_of(SMALL, "SR", style=style)
    with style_context():
        upper = draw_stack(axes_of(stack), stack)
        lower = draw_stack_panel(axes_of(stack), stack)
        pulls = draw_stack_panel(axes_of(stack), stack, options=StackOptions(panel="pull"))
    assert upper.data is not None
    assert lower.points is not None
    assert pulls.pulls is not None
    assert drawn_ends(upper.data)[0].tolist() == [60.0]
    assert len(drawn_ends(lower.points)[0]) == 1
    assert np.isnan(tops(pulls.pulls)).tolist() == [False, True]
    (hatched,) = upper.blinded
    assert (hatched.get_x(), hatched.get_width()) == (1.0, 2.0)
    loud = result(channel("SR", {"tt": [50.0, 30.0]}, edges=[0, 1, 3], observed=[60, 9e9]))
    assert stack_figure(loud, "SR", style=style).axes[0].get_ylim()[1] < 200


def test_a_blind_result_says_so_and_shows_no_data() -> None:
    blind = result(channel("SR", {"ttH": [2.0], "tt": [30.0]}, errors=3.0))
    for options in (StackOptions(), StackOptions(panel="pull")):
        figure = stack_figure(blind, "SR", options=options)
        said = texts(figure)
        assert "Data" not in said
        assert "SR, post-fit, Asimov data" in said
        assert len(figure.axes) == (1 if options.panel == "pull" else 2)
    assert "SR, pre-fit, expected" in texts(stack_figure(result(*blind.channels, point="prefit"), "SR"))


def test_unrolled_bins_have_separators_and_names() -> None:
    rule = ChannelRule("SR", unroll=3, unroll_labels=("low", "high"))
    stack = stack_of(result(channel("SR", {"tt": [6, 5, 4, 3, 2, 1]})), "SR", style=Style(channels=(rule,)))
    with style_context():
        drawn = draw_stack(axes_of(stack), stack)
    line, low, high = drawn.separators
    assert np.asarray(line.get_xdata()).tolist() == [3, 3]  # type: ignore[union-attr]  # a line
    assert [text.get_position()[0] for text in (low, high)] == [1.5, 4.5]  # type: ignore[union-attr]  # texts
    heights = {round(text.get_position()[1], 6) for text in (low, high)}  # type: ignore[union-attr]  # texts
    assert len(heights) == 1


def test_negative_contents_hang_below() -> None:
    stack = stack_of(result(channel("SR", {"ttH": [-2.0, 1.0], "tt": [10.0, -3.0]})), "SR")
    with style_context():
        axes = axes_of(stack)
        drawn = draw_stack(axes, stack)
    tt, tth = drawn.processes
    assert (tops(tt), tops(tth)) == ([10.0, -3.0], [-2.0, 1.0])
    assert bottoms(tth) == [0.0, 0.0]
    assert axes.get_ylim()[0] < -3.0


def test_overview_has_a_bin_for_each_channel() -> None:
    control = channel("CR", {"tt_2017": [100.0], "W": [50.0]}, errors=12.0, observed=[160.0])
    both = result(*SMALL.channels, control)
    figure = overview_figure(both, style=Style(channels=(ChannelRule("SR", blinded=((0.0, 0.5),)),)))
    axes = figure.axes[0]
    (points,) = [container for container in axes.containers if isinstance(container, ErrorbarContainer)]
    assert drawn_ends(points)[0].tolist() == [160.0]  # the signal region has a blinded range
    assert "CR" in texts(figure)
    assert overlapping(figure) == []


LONG = [f"a_process_with_a_name_that_is_sixty_characters_long_number_{number:02d}" for number in range(20)]


def many(bins: int, processes: int, observed: bool = True) -> PostfitResult:
    rows = {name: 10.0 * (at + 1) * np.ones(bins) for at, name in enumerate(LONG[:processes])}
    data = 10.0 * sum(range(processes + 1)) + 10.0 * np.sin(np.arange(bins)) if observed else None
    return result(
        channel("C" * 60, rows, signals=LONG[:1], errors=5.0, observed=None if data is None else np.round(data))
    )


NAMES = ("one", "two", "three", "four", "five")
EXTREMES = {
    "counting": (result(channel("SR", {"ttH": [3.0], "tt": [20.0]}, errors=2.0, observed=[25])), Style()),
    "500 bins": (many(500, 3), Style()),
    "empty": (result(channel("SR", {"ttH": [0, 0, 0], "tt": [0, 0, 0]}, observed=[0, 0, 0])), FULL),
    "huge": (result(channel("SR", {"ttH": [3e4, 2e3], "tt": [7e8, 4e9]}, errors=1e7, observed=[7e8, 4e9])), FULL),
    "tiny": (result(channel("SR", {"ttH": [3e-6, 2e-5], "tt": [7e-4, 4e-4]}, errors=1e-4, observed=[0, 1])), FULL),
    "negative": (result(channel("SR", {"ttH": [-2, 1], "tt": [-30, 3]}, errors=4, observed=[0, 9])), FULL),
    "unrolled": (
        result(channel("SR", {"ttH": np.ones(20).tolist(), "tt": np.arange(20).tolist()}, observed=[9] * 20)),
        Style(channels=(ChannelRule("SR", quantity="bins of m", unroll=4, unroll_labels=NAMES),)),
    ),
    "simulation": (many(5, 20, observed=False), FULL),
}


@pytest.mark.parametrize(
    ("name", "log"), [*((name, False) for name in EXTREMES), *((name, True) for name in ("empty", "huge", "negative"))]
)
def test_nothing_overlaps_or_is_cut(name: str, log: bool) -> None:
    shown, style = EXTREMES[name]
    figure = stack_figure(shown, shown.channels[0].channel, style=style, options=StackOptions(log=log))
    assert overlapping(figure) == []
    assert outside(figure) == []
    assert_nothing_below_the_legend(figure)


def assert_nothing_below_the_legend(figure: Figure) -> None:
    """Of a figure that `overlapping` has drawn."""
    with style_context():
        axes = figure.axes[0]
        legend = axes.get_legend()
        assert legend is not None
        lowest = legend.get_window_extent().y0
        if legend.get_window_extent().x0 > axes.bbox.x1:
            return
        for patch in axes.patches:
            heights = np.asarray(getattr(patch, "get_data", lambda: [[]])()[0], dtype=float)
            if heights.size:
                shown = axes.transData.transform(np.column_stack([np.zeros_like(heights), heights]))
                assert float(np.max(shown[:, 1])) < lowest
        for container in axes.containers:
            assert isinstance(container, ErrorbarContainer)
            high = drawn_ends(container)[2]
            shown = axes.transData.transform(np.column_stack([np.zeros_like(high), high]))
            assert high.size == 0 or float(np.max(shown[:, 1])) < lowest


def test_options_are_checked() -> None:
    with pytest.raises(StyleError, match="no panel 'ratios': did you mean 'ratio'"):
        StackOptions(panel="ratios")
    with pytest.raises(StyleError, match=r"signal_scale is -1\.0, expected a positive factor"):
        StackOptions(signal_scale=-1.0)
    blind = stack_of(result(channel("SR", {"tt": [1.0]})), "SR")
    with pytest.raises(StyleError, match="no panel to draw for 'pull' without data"):
        draw_stack_panel(axes_of(blind), blind, options=StackOptions(panel="pull"))


def test_the_same_bytes_twice() -> None:
    one, two = (figure_bytes(stack_figure(SMALL, "SR", style=FULL), "svg") for _ in range(2))
    assert one == two


def test_looks_like_the_reference(tmp_path: Path) -> None:
    style = Style(
        processes=(ProcessRule("tt_.*", "$t\\bar{t}$", "#3f90da"),),
        channels=(ChannelRule("SR", blinded=((2.0, 3.0),)),),
    )
    stack = stack_of(SMALL, "SR", style=style)
    with style_context():
        figure = new_figure(4, 4)
        figure.set_layout_engine("none")
        upper, lower = figure.add_axes((0.15, 0.4, 0.8, 0.55)), figure.add_axes((0.15, 0.1, 0.8, 0.25))
        drawn = draw_stack(upper, stack, options=StackOptions(signal_scale=5.0))
        draw_stack_panel(lower, stack)
    # What depends on the size of letters, which other versions of matplotlib draw otherwise.
    drawn.legend.legend.remove()
    drawn.blinded[0].set_height(0.7)
    upper.set_ylim(0, 100)
    assert difference(figure, "stack", tmp_path) < TOLERANCE
