"""Numbers of stacks: intervals, pulls, merging, blinded bins; without matplotlib."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from expected_events import channel, result
from scipy.stats import poisson

from pocket_combine.errors import ResultError, StyleError
from pocket_combine.plotting.stack_numbers import overview_of, poisson_interval, stack_of
from pocket_combine.plotting.style import ChannelRule, Style
from pocket_combine.results import Provenance

TAIL = 0.15865525393145707


@pytest.mark.parametrize("count", [1, 2, 5, 40, 1000])
def test_ends_of_intervals_have_the_tails_of_a_poisson_distribution(count: int) -> None:
    low, high = (float(end[0]) for end in poisson_interval(np.array([float(count)])))
    assert poisson.sf(count - 1, low) == pytest.approx(TAIL, rel=1e-9)
    assert poisson.cdf(count, high) == pytest.approx(TAIL, rel=1e-9)


def test_interval_of_nothing() -> None:
    low, high = poisson_interval(np.array([0.0, -3.0]))
    assert low.tolist() == [0.0, 0.0]
    np.testing.assert_allclose(high, -np.log(TAIL))


@pytest.mark.parametrize(
    ("point", "options", "variance"),
    [
        ("prefit", {}, 100 + 36),
        ("fit", {}, 100 - 36),
        ("fit", {"masks": ["SR"]}, 100 + 36),
        ("fit", {"fit": {}}, 100 + 36),
    ],
)
def test_pulls_know_whether_the_data_were_fitted(point: str, options: dict[str, object], variance: float) -> None:
    shown = result(channel("SR", {"tt": [100.0]}, errors=6.0, observed=[90]), point=point, options=options)
    np.testing.assert_allclose(stack_of(shown, "SR").pulls(), [-10 / np.sqrt(variance)])


def test_no_pull_where_the_fit_follows_the_data() -> None:
    shown = result(channel("SR", {"tt": [100.0, 100.0]}, errors=[10.0, 11.0], observed=[100, 100]))
    assert np.isnan(stack_of(shown, "SR").pulls()).tolist() == [True, True]


def test_no_ratio_to_nothing() -> None:
    shown = result(channel("SR", {"tt": [0.0, -1.0, 2.0]}, observed=[1, 1, 1]))
    stack = stack_of(shown, "SR")
    assert stack.observed is not None
    np.testing.assert_array_equal(stack.ratios(stack.observed), [np.nan, np.nan, 0.5])


def test_a_bin_is_blinded_if_any_part_of_it_is() -> None:
    style = Style(channels=(ChannelRule("SR", blinded=((1.0, 1.5), (3.9, 9.0))),))
    shown = result(channel("SR", {"tt": [1, 2, 3, 4]}, observed=[1, 2, 3, 4]))
    stack = stack_of(shown, "SR", style=style)
    np.testing.assert_array_equal(stack.observed, [1, np.nan, 3, np.nan])
    assert stack.blinded.tolist() == [False, True, False, True]


def test_colours_do_not_depend_on_the_channel() -> None:
    shown = result(channel("SR", {"ttH": [1], "tt": [9], "W": [5]}), channel("CR", {"W": [8], "Z": [3], "tt": [1]}))
    colours = {part.label: part.colour for part in stack_of(shown, "SR").processes}
    again = {part.label: part.colour for part in stack_of(shown, "CR").processes}
    assert {name: colours[name] for name in ("tt", "W")} == {name: again[name] for name in ("tt", "W")}
    assert [part.label for part in stack_of(shown, "CR").processes] == ["tt", "Z", "W"]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (
            ChannelRule("SR", unroll=3),
            "channel SR: unroll is 3, expected the number of inner bins, which divides the 4",
        ),
        (ChannelRule("SR", unroll=0), "channel SR: unroll is 0"),
        (ChannelRule("SR", unroll=2, unroll_labels=("a",)), "channel SR: 1 unroll_labels for 2 outer bins of 2 bins"),
    ],
)
def test_unrolling_has_to_fit(rule: ChannelRule, message: str) -> None:
    shown = result(channel("SR", {"tt": [1, 2, 3, 4]}))
    with pytest.raises(StyleError) as caught:
        stack_of(shown, "SR", style=Style(channels=(rule,)))
    assert message in str(caught.value)


def test_unknown_channels_and_other_binnings_are_refused() -> None:
    shown = result(channel("SR", {"tt": [1, 2]}))
    with pytest.raises(ResultError, match="no channel 'SR1' in the result: did you mean 'SR'"):
        stack_of(shown, "SR1")
    with pytest.raises(ResultError, match="channel SR: 2 bins, but 1 in the result for comparison"):
        stack_of(shown, "SR", prefit=result(channel("SR", {"tt": [1]})))
    with pytest.raises(ResultError, match="no channels to draw"):
        overview_of(dataclasses.replace(shown, channels=()))


def test_overview_adds_bins_with_their_covariance() -> None:
    one = channel("SR", {"ttH": [1, 2], "tt": [3, 4]}, errors=[3.0, 4.0], observed=[5, 6])
    correlated = dataclasses.replace(one, covariance=np.array([[9.0, 12.0], [12.0, 16.0]]))
    stack = overview_of(result(correlated, channel("CR", {"tt": [10]}, errors=2.0, observed=[11])))
    assert {part.label: part.expected.tolist() for part in stack.processes} == {"tt": [7, 10], "ttH": [3, 0]}
    np.testing.assert_allclose(stack.errors, [7.0, 2.0])
    assert stack.observed is not None
    assert stack.observed.tolist() == [11, 11]


def test_a_channel_with_a_blinded_range_has_no_data_in_the_overview() -> None:
    style = Style(channels=(ChannelRule("SR", blinded=((0.0, 0.5),)),))
    data = overview_of(
        result(channel("SR", {"tt": [3, 4]}, observed=[5, 6]), channel("CR", {"tt": [10]}, observed=[11])), style=style
    )
    assert data.observed is not None
    np.testing.assert_array_equal(data.observed, [np.nan, 11])
    assert data.blinded.tolist() == [True, False]
    nothing = overview_of(result(channel("SR", {"tt": [3, 4]}), channel("CR", {"tt": [10]})), style=style)
    assert (nothing.observed, nothing.blinded.tolist()) == (None, [False, False])


def test_toys_are_called_toys() -> None:
    shown = result(channel("SR", {"tt": [1]}))
    toy = dataclasses.replace(shown, provenance=Provenance("a1", "0.1", "toy"))
    assert stack_of(toy, "SR").state == "post-fit, toy data"
