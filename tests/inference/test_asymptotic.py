"""Limits and significances of a count against the formulas, solved by bisection on an obvious profile."""

from __future__ import annotations

import math

import pytest
from counting import Counting, root
from degenerate_cards import count
from scipy.stats import norm

from pocket_combine.inference.asymptotic import (
    EXPECTED_QUANTILES,
    Profile,
    excess,
    expected_limits,
    observed_limit,
    tail_probability,
)
from pocket_combine.inference.fitter import FitOptions, Fitter
from pocket_combine.inference.questions import limits
from pocket_combine.results import Status

SIGNAL, BACKGROUND = 2.0, 8.0


def profile(likelihood: Counting) -> Profile:
    fitter = Fitter(likelihood, FitOptions(keep_ranges=True))
    return Profile(fitter, "r", fitter.best())


def q(likelihood: Counting, value: float) -> float:
    """Return q-tilde with the best fit not below 0, from one-dimensional searches."""
    best = max(0.0, (likelihood.observed - likelihood.background) / likelihood.signal)
    return 2 * (likelihood.profile(value) - likelihood.profile(best))


def cls(q_observed: float, q_asimov: float) -> float:
    both, background = tail_probability(q_observed, q_asimov)
    return both / background


def test_quantiles_are_those_of_combine() -> None:
    assert EXPECTED_QUANTILES == (0.025, 0.16, 0.5, 0.84, 0.975)  # `src/AsymptoticLimits.cc`


@pytest.mark.parametrize("kappa", [1.0, 1.2])
def test_expected_limits_solve_their_equation(kappa: float) -> None:
    likelihood = Counting(BACKGROUND, SIGNAL, BACKGROUND, kappa)
    found = expected_limits(profile(likelihood), 0.95)
    assert [limit.quantile for limit in found] == list(EXPECTED_QUANTILES)
    for limit in found:
        assert limit.quantile is not None
        z = norm.ppf(limit.quantile) + norm.ppf(1 - 0.05 * limit.quantile)
        assert limit.limit == pytest.approx(root(lambda r, z=z: q(likelihood, r) - z**2, 1e-3, 19), rel=1e-4)  # type: ignore[misc]


def test_median_limit_gives_cls_of_five_percent_for_background_like_data() -> None:
    likelihood = Counting(BACKGROUND, SIGNAL, BACKGROUND, 1.2)
    found = expected_limits(profile(likelihood), 0.95)
    both, background = tail_probability(q(likelihood, found[2].limit), q(likelihood, found[2].limit))
    assert (both / background, background) == pytest.approx((0.05, 0.5), rel=1e-3)


@pytest.mark.parametrize("observed", [0.0, 3.0, 8.0, 14.0, 30.0])
@pytest.mark.parametrize("kappa", [1.0, 1.2])
def test_observed_limit_solves_cls(observed: float, kappa: float) -> None:
    data, asimov = Counting(observed, SIGNAL, BACKGROUND, kappa), Counting(BACKGROUND, SIGNAL, BACKGROUND, kappa)
    limit = observed_limit(profile(data), profile(asimov), 0.95, guess=3.0)
    best = max(0.0, (observed - BACKGROUND) / SIGNAL)
    expected = root(lambda r: cls(q(data, r), q(asimov, r)) - 0.05, best + 1e-3, 30)
    assert limit.status is Status.CONVERGED
    assert limit.limit == pytest.approx(expected, rel=2e-4)


def test_signals_below_zero_have_no_part_in_a_limit() -> None:
    """The best fit of 3 events over 8 is negative; q-tilde is relative to r = 0 whatever range the parameter has."""
    likelihoods = Counting(3.0, SIGNAL, BACKGROUND, 1.0), Counting(BACKGROUND, SIGNAL, BACKGROUND, 1.0)
    expected = root(lambda r: cls(q(likelihoods[0], r), q(likelihoods[1], r)) - 0.05, 1e-3, 30)
    for lowest in (0.0, -3.0):
        found = limits(count(3, SIGNAL, BACKGROUND)(ranges={"r": (lowest, 20.0)})).observed
        assert found is not None
        assert found.limit == pytest.approx(expected, rel=2e-4)


def test_both_branches_of_the_tail_probability_meet() -> None:
    below, above = tail_probability(4.0 - 1e-9, 4.0), tail_probability(4.0 + 1e-9, 4.0)
    assert below == pytest.approx(above, rel=1e-6)
    assert tail_probability(9.0, 4.0) == pytest.approx((norm.sf(13 / 4), norm.sf(5 / 4)))


def test_significance_without_nuisances_is_the_closed_form() -> None:
    test = excess(Fitter(Counting(14, SIGNAL, BACKGROUND, 1.0)), "r")
    assert test.q0 == pytest.approx(2 * (14 * math.log(14 / 8) - 6), rel=1e-6)
    assert test.significance == pytest.approx(math.sqrt(test.q0))


def test_deficit_is_capped_unless_asked_otherwise() -> None:
    likelihood = Counting(4, SIGNAL, BACKGROUND, 1.0, (-3.9, 20))
    assert excess(Fitter(likelihood), "r").significance == 0
    uncapped = excess(Fitter(likelihood), "r", uncapped=True)
    assert uncapped.significance == pytest.approx(-math.sqrt(2 * (4 * math.log(4 / 8) + 4)), rel=1e-6)


def test_a_quantile_that_cannot_be_reached_says_so() -> None:
    fitter = Fitter(Counting(BACKGROUND, 1e-6, BACKGROUND, 1.2), FitOptions(ranges={"r": (0, 20)}))
    found = expected_limits(Profile(fitter, "r", fitter.best()), 0.95)
    assert {limit.status for limit in found} == {Status.NOT_FOUND}
    assert all(math.isnan(limit.limit) for limit in found)
    alone = Fitter(Counting(BACKGROUND, 1e-6, BACKGROUND, 1.2), FitOptions(ranges={"r": (0, 20)}))
    expected_limits(Profile(alone, "r", alone.best()), 0.95, (0.025,))
    assert fitter.profiler.evaluations == alone.profiler.evaluations  # the lowest was the only one that was sought
