"""Best fits and intervals against closed forms and one-dimensional searches."""

from __future__ import annotations

import math

import numpy as np
import pytest
from counting import Counting, root
from model_cards import counting

from pocket_combine.card.model import Card, Channel, Column, Nuisance
from pocket_combine.inference.fitter import FitOptions, Fitter
from pocket_combine.inference.minimise import Minimum, Outcome
from pocket_combine.inference.quality import assess
from pocket_combine.inference.workspace import conditional_fit
from pocket_combine.likelihood import build_model
from pocket_combine.results import Status


def test_best_fit_of_a_count_is_the_excess_over_the_background() -> None:
    best = Fitter(Counting(12, 2.0, 8.0, 1.1)).best()
    assert best.status is Status.CONVERGED
    assert best.theta == pytest.approx([2.0, 0.0], abs=1e-4)
    # Error propagation: r = (n - b)/s, so sigma² = (n + (b ln kappa)²)/s².
    assert math.sqrt(best.covariance[0, 0]) == pytest.approx(math.sqrt(12 + (8 * math.log(1.1)) ** 2) / 2, rel=1e-4)


@pytest.mark.parametrize("kappa", [1.0, 1.1, 1.5])
@pytest.mark.parametrize("level", [0.5, 1.92])
def test_interval_ends_lie_where_the_profile_reaches_the_level(kappa: float, level: float) -> None:
    likelihood = Counting(12, 2.0, 8.0, kappa, (-20, 20))
    fitter = Fitter(likelihood)
    interval, best = fitter.interval(fitter.best(), "r", level)
    lowest = likelihood.profile(2.0)
    assert interval.low_status is interval.high_status is Status.CONVERGED
    lowest_r = -3.9 if kappa == 1.0 else -9.0
    for value, edges in ((interval.low, (lowest_r, 2.0)), (interval.high, (2.0, 19.0))):
        expected = root(lambda r: likelihood.profile(r) - lowest - level, *edges)
        assert value == pytest.approx(expected, abs=2e-4)
    assert best.nll == pytest.approx(lowest, abs=1e-8)


def test_interval_of_a_nuisance() -> None:
    fitter = Fitter(Counting(12, 2.0, 8.0, 1.1))
    interval, _ = fitter.interval(fitter.best(), "b")
    # The signal strength absorbs the count, so the nuisance keeps its constraint.
    assert (interval.low, interval.high) == pytest.approx((-1, 1), abs=1e-3)


def test_best_fit_at_the_edge_is_said_so_and_its_interval_is_one_sided() -> None:
    likelihood = Counting(5, 2.0, 8.0, 1.1)
    fitter = Fitter(likelihood)
    best = fitter.best()
    assert (best.status, best.concerned) == (Status.AT_BOUNDARY, ("r",))
    interval, _ = fitter.interval(best, "r")
    assert (interval.low, interval.low_status) == (0.0, Status.AT_BOUNDARY)
    expected = root(lambda r: likelihood.profile(r) - likelihood.profile(0.0) - 0.5, 0.0, 5.0)
    assert interval.high == pytest.approx(expected, abs=2e-4)


def test_the_range_of_a_parameter_of_interest_grows_and_says_so() -> None:
    fitter = Fitter(Counting(100, 1.0, 8.0, 1.1))
    best = fitter.best()
    assert best.theta[0] == pytest.approx(92, abs=1e-3)
    assert fitter.notes == ["the range of r was extended upwards to 320"] or "extended upwards" in fitter.notes[0]
    given = Fitter(Counting(100, 1.0, 8.0, 1.1), FitOptions(ranges={"r": (0, 30)})).best()
    assert given.status is Status.AT_BOUNDARY
    assert given.theta[0] == 30


def test_a_range_is_kept_or_lifted() -> None:
    likelihood = Counting(400, 1e-9, 8.0, 1.1, (0, 1))
    lifted = Fitter(likelihood, FitOptions(grow=False)).best(fixed={0: 1.0})
    kept = Fitter(likelihood, FitOptions(grow=False, keep_ranges=True)).best(fixed={0: 1.0})
    assert lifted.theta[1] > 7
    assert kept.theta[1] == 7
    assert kept.status is Status.AT_BOUNDARY


def test_ranges_are_kept_in_fits_that_asimov_data_are_made_from() -> None:
    workspace = counting("norm lnN - 1.1", observed=10_000)
    fitter = workspace.fitter()
    assert fitter.best(fixed={0: 0.0}).theta[1] > 7
    start = conditional_fit(workspace.model, workspace.data, np.zeros(2), workspace.options)
    assert workspace.model.parameters.values(start) == {"r": 0.0, "norm": 7.0}


def test_a_fit_far_from_what_the_card_expects_converges() -> None:
    # High counts without their signal, and nuisances that raise yields at both signs: expectation and data differ so
    # much that steps with the expected curvature go to and fro.
    generator = np.random.default_rng(6)
    channels = [f"c{number}" for number in range(6)]
    columns = [
        Column(channel, process, number, float(10 ** generator.uniform(3, 5)))
        for channel in channels
        for number, process in enumerate(("sig", "b1", "b2"))
    ]
    rows = [
        Nuisance(f"n{number}", "lnN", tuple((_kappa(generator), _kappa(generator)) for _ in columns))
        for number in range(8)
    ]
    counts = {name: round(sum(column.rate for column in columns if column.channel == name)) for name in channels}
    card = Card(tuple(Channel(name, count) for name, count in counts.items()), tuple(columns), nuisances=tuple(rows))
    model = build_model(card, {})
    assert model.data is not None
    best = Fitter(model.likelihood(model.data), FitOptions(keep_ranges=True)).best(fixed={0: 0.0})
    assert best.status.usable
    assert best.conditional.minimum.steps < 40


def _kappa(generator: np.random.Generator) -> float:
    return float(np.exp(0.2 * generator.normal()))


def test_several_starts_give_the_same_minimum() -> None:
    one = Fitter(Counting(12, 2.0, 8.0, 1.3)).best()
    many = Fitter(Counting(12, 2.0, 8.0, 1.3), FitOptions(starts=4)).best()
    assert many.theta == pytest.approx(one.theta, abs=1e-4)


@pytest.mark.parametrize(
    ("hessian", "gradient", "outcome", "status", "concerned"),
    [
        (np.diag([4.0, 1.0]), [0, 0], Outcome.CONVERGED, Status.CONVERGED, ()),
        (np.diag([4.0, -1.0]), [0, 0], Outcome.CONVERGED, Status.NOT_POSITIVE_DEFINITE, ("b",)),
        (np.diag([4.0, 0.0]), [0, 0], Outcome.CONVERGED, Status.FLAT_DIRECTION, ("b",)),
        (np.array([[1.0, 1.0], [1.0, 1.0]]), [0, 0], Outcome.CONVERGED, Status.FLAT_DIRECTION, ("a", "b")),
        (np.diag([4.0, 1.0]), [0.0, 3.0], Outcome.STEP_LIMIT, Status.NOT_CONVERGED, ("b",)),
        (np.diag([4.0, 1.0]), [0, 0], Outcome.NOT_FINITE, Status.NOT_FINITE, ()),
    ],
)
def test_a_minimum_is_judged(
    hessian: np.ndarray, gradient: list[float], outcome: Outcome, status: Status, concerned: tuple[str, ...]
) -> None:
    minimum = Minimum(np.zeros(2), 0.0, np.array(gradient), hessian, np.zeros(2, dtype=bool), 0.0, 1, 1, outcome)
    quality = assess(minimum, ("a", "b"))
    assert (quality.status, set(quality.concerned)) == (status, set(concerned))
    if status is Status.CONVERGED:
        assert quality.covariance.tolist() == [[0.25, 0.0], [0.0, 1.0]]
