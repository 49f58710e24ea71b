"""Goodness of fit: by hand, beside slow loops, and the saturated statistic beside Combine's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import reference_cards
from model_cards import counting, shape_card, shape_workspace

from pocket_combine.card.parser import parse_card
from pocket_combine.errors import CardError
from pocket_combine.execution import ProcessExecutor
from pocket_combine.inference.goodness import anderson_darling, goodness_of_fit, kolmogorov_smirnov, toy_point
from pocket_combine.inference.questions import fit
from pocket_combine.inference.toys import ToyKind, toy_chunks
from pocket_combine.inference.workspace import Blinding, Workspace, make_workspace


def test_saturated_statistic_by_hand() -> None:
    # No signal possible, nothing to fit but θ: 2 [λ - n + n ln(n/λ)] + θ² with λ = 10 r + 100 · 1.1^θ, at r = 0.
    workspace = counting("norm lnN - 1.1\n", observed=90)
    theta = np.linspace(-2.0, 1.0, 300001)
    expected = 100 * 1.1**theta
    slow = (2 * (expected - 90 + 90 * np.log(90 / expected)) + theta**2).min()
    result = goodness_of_fit(workspace)
    assert result.statistic == pytest.approx(slow, abs=1e-6)
    fitted = 100 * 1.1 ** fit(workspace).value("norm")
    assert result.by_channel == {"SR": pytest.approx(2 * (fitted - 90 + 90 * np.log(90 / fitted)), abs=1e-6)}
    assert result.p_value is None


def slow_statistics(expected: np.ndarray, observed: np.ndarray) -> tuple[float, float]:
    """The loop of Combine over the bins of one channel."""
    largest = total = cdf = edf = 0.0
    for model, data in zip(expected, observed, strict=True):
        last = cdf
        cdf += model / expected.sum()
        edf += data / observed.sum()
        largest = max(largest, abs(edf - cdf))
        if cdf < 1.0 - 1e-12:
            total += observed.sum() * (edf - cdf) ** 2 / cdf / (1 - cdf) * (cdf - last)
    return largest, total


def test_cumulative_statistics_are_those_of_a_loop() -> None:
    random = np.random.default_rng(5)
    expected = random.uniform(1, 20, (4, 7))
    observed = random.poisson(expected).astype(float)
    found = zip(kolmogorov_smirnov(expected, observed), anderson_darling(expected, observed), strict=True)
    for at, both in enumerate(found):
        assert both == pytest.approx(slow_statistics(expected[at], observed[at]), rel=1e-12)


def test_channels_without_events_have_no_distance() -> None:
    expected, nothing = np.array([1.0, 2.0]), np.zeros(2)
    assert anderson_darling(expected, nothing) == 0.0
    assert kolmogorov_smirnov(nothing, nothing) == 0.0


@pytest.fixture(scope="module")
def shapes() -> Workspace:
    return shape_workspace()


@pytest.mark.parametrize("algorithm", ["KS", "AD"])
def test_channels_are_added(shapes: Workspace, algorithm: str) -> None:
    result = goodness_of_fit(shapes, algorithm)
    expected = shapes.model.totals(fit(shapes).values)
    pick = ["KS", "AD"].index(algorithm)
    parts = {
        channel.name: slow_statistics(expected[channel.bins], shapes.data.observations[channel.bins])[pick]
        for channel in shapes.model.channels
    }
    assert result.by_channel == pytest.approx(parts, rel=1e-6)
    assert result.statistic == pytest.approx(sum(parts.values()), rel=1e-6)


def test_p_value_and_distribution_of_toys(shapes: Workspace) -> None:
    result = goodness_of_fit(shapes, toys=400, seed=2)
    assert result.failed_toys == 0
    # 12 bins and as many constraint terms as nuisances, less the one parameter of interest: χ² with 11.
    assert result.toys.mean() == pytest.approx(11.0, abs=4 * np.sqrt(22 / 400))
    assert result.toys.var() == pytest.approx(22.0, rel=0.3)
    assert result.statistic is not None
    assert result.p_value == (result.toys >= result.statistic).mean()
    parallel = goodness_of_fit(shapes, toys=400, seed=2, executor=ProcessExecutor(1))
    assert parallel.to_json() == result.to_json()


@pytest.mark.parametrize("algorithm", ["KS", "AD"])
def test_toys_of_cumulative_statistics(shapes: Workspace, algorithm: str) -> None:
    result = goodness_of_fit(shapes, algorithm, toys=50)
    assert result.toys.shape == (50,)
    assert result.p_value is not None
    assert 0.0 < result.p_value <= 1.0


def test_toys_that_are_as_far_off_as_the_data_count() -> None:
    # Cumulative distributions of one bin do not differ: data and toys have the same distance, which is 0.
    result = goodness_of_fit(counting("norm lnN - 1.1\n"), "KS", toys=5)
    assert (result.statistic, result.toys.tolist(), result.p_value) == (0.0, [0.0] * 5, 1.0)


def test_channels_that_are_left_out_have_no_part() -> None:
    card = shape_card(channels=2)
    every = goodness_of_fit(make_workspace(*card, kind=Blinding.OBSERVED), "KS")
    one = goodness_of_fit(make_workspace(*card, kind=Blinding.OBSERVED, masks=["ch1"]), "KS")
    assert (set(every.by_channel), set(one.by_channel)) == ({"ch0", "ch1"}, {"ch0"})
    assert one.statistic == one.by_channel["ch0"] > 0.0


def test_blind_data_have_no_statistic() -> None:
    results = [
        goodness_of_fit(counting("norm lnN - 1.1\n", observed=observed, kind=Blinding.ASIMOV), toys=5)
        for observed in (90, 250)
    ]
    for result in results:
        assert (result.statistic, result.p_value, result.by_channel) == (None, None, {})
    assert (results[0].toys == results[1].toys).all()


def free_background(**options: Any) -> Workspace:
    """A signal of 10 over 20 events, and a control region of 100; the background is k times as large."""
    text = (
        "imax 2\nbin SR CR\nobservation 40 95\nbin SR SR CR\nprocess sig bkg bkg\nprocess 0 1 1\nrate 10 20 100\n"
        "k rateParam * bkg 1\n"
    )
    return make_workspace(parse_card(text), {}, **{"kind": Blinding.OBSERVED, **options})


@pytest.mark.parametrize("injected", [0.0, 1.0])
def test_toys_at_an_expected_signal_have_the_best_nuisances_for_it(injected: float) -> None:
    workspace = free_background(expect_signal=injected)
    best = fit(workspace).values
    assert best == pytest.approx([2.1, 0.95], abs=1e-4)
    theta = toy_point(workspace, best, ToyKind.FREQUENTIST)
    # 120 = 40 · 20 / (10 r + 20 k) + 95 / k, so that 120 k² + (60 r - 135) k - 47.5 r = 0.
    linear = 60 * injected - 135
    k = (-linear + np.sqrt(linear**2 + 4 * 120 * 47.5 * injected)) / 240
    assert theta.tolist() == pytest.approx([injected, k], abs=1e-4)
    result = goodness_of_fit(workspace, toys=20, seed=4)
    (chunk,) = toy_chunks(workspace, theta, 20, 4, ToyKind.FREQUENTIST)
    assert result.toys == pytest.approx(2 * chunk.fitter().fit().value, abs=1e-6)
    assert result.provenance.options["expect_signal"] == injected
    # The data keep their statistic.
    plain = goodness_of_fit(free_background(), toys=20, seed=4)
    assert plain.statistic == pytest.approx(result.statistic)
    assert not np.allclose(plain.toys, result.toys)


def test_toys_without_an_expected_signal_are_at_the_best_fit() -> None:
    workspace = free_background()
    best = fit(workspace).values
    assert toy_point(workspace, best, ToyKind.FREQUENTIST) is best
    assert toy_point(workspace, best, ToyKind.BAYESIAN).tolist() == [1.0, 1.0]
    blind = free_background(kind=Blinding.ASIMOV, expect_signal=3.0)
    assert toy_point(blind, best, ToyKind.FREQUENTIST).tolist() == [3.0, 1.0]
    none = free_background(expect_signal=0)
    assert toy_point(none, best, ToyKind.NO_SYSTEMATICS).tolist() == [0.0, 1.0]


def test_unknown_algorithm(shapes: Workspace) -> None:
    with pytest.raises(CardError, match="no goodness-of-fit algorithm 'saturate': did you mean 'saturated'"):
        goodness_of_fit(shapes, "saturate")


@reference_cards.needed
@pytest.mark.parametrize("name", reference_cards.NAMES)
def test_saturated_statistic_agrees_with_combine(name: str) -> None:
    wanted = reference_cards.expected(name)["goodness_of_fit"]["test_statistic"]
    result = goodness_of_fit(reference_cards.workspace(name))
    assert result.statistic == pytest.approx(wanted, rel=1e-3, abs=1e-3)
