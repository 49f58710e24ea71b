"""Degenerate models: every question ends in an answer, or in a status or an error that says what is wrong."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest
from degenerate_cards import MODELS, count, shapes
from scipy.optimize import brentq

from pocket_combine.card.parser import parse_card
from pocket_combine.errors import CardError, PocketCombineError
from pocket_combine.inference.goodness import ALGORITHMS, goodness_of_fit
from pocket_combine.inference.impact_fits import impacts
from pocket_combine.inference.postfit_yields import postfit
from pocket_combine.inference.questions import fit, limits, significance
from pocket_combine.inference.scans import scan
from pocket_combine.inference.toys import toy_fits
from pocket_combine.inference.workspace import Blinding, Workspace
from pocket_combine.results import (
    FitResult,
    GoodnessOfFitResult,
    ImpactResult,
    Interval,
    LimitResult,
    PostfitResult,
    ScanResult,
    SignificanceResult,
    Status,
    ToyResult,
)

# ---------------------------------------------------------------------- every question of every model


WITHOUT_LIMIT = ("rate parameter of the signal", "rate parameter beside r in one bin")
"""Models in which another parameter makes up for any r. To find that there is no limit takes seconds."""


def _goodness(workspace: Workspace, algorithm: str) -> GoodnessOfFitResult:
    return goodness_of_fit(workspace, algorithm, toys=2 if algorithm == "saturated" else 0)


QUESTIONS: dict[str, Callable[[Workspace], Any]] = {
    "fit": fit,
    "limits": limits,
    "significance": significance,
    "impacts": impacts,
    **{name: functools.partial(_goodness, algorithm=name) for name in ALGORITHMS},
    "toys": lambda workspace: toy_fits(workspace, 1.0, 3, seed=3),
    "prefit": lambda workspace: postfit(workspace, None),
    "postfit": lambda workspace: postfit(workspace, fit(workspace)),
    "scan": lambda workspace: scan(workspace, {"r": [0.0, 0.5, 2.0]}),
}


def numbers(result: Any) -> Iterable[Any]:
    """Return all numbers of a result that its statuses call usable."""
    if isinstance(result, FitResult):
        yield from (result.values, result.errors, result.covariance, result.nll) if result.status.usable else ()
        yield from (number for interval in result.intervals for number in ends(interval))
    elif isinstance(result, LimitResult):
        quantiles = [*result.expected, *([] if result.observed is None else [result.observed])]
        yield from (quantile.limit for quantile in quantiles if quantile.status.usable)
    elif isinstance(result, SignificanceResult):
        usable = result.status.usable
        yield from (result.significance, result.p_value, result.q0, result.best_fit) if usable else ()
    elif isinstance(result, ImpactResult):
        yield from (number for interval in result.pois for number in ends(interval))
        yield from ((part.low, part.high) for part in result.breakdown)
        for impact in result.impacts:
            usable = all(status.usable for status in impact.statuses)
            yield from (impact.prefit, impact.fit, *impact.values.values()) if usable else ()
    elif isinstance(result, GoodnessOfFitResult):
        yield from (result.statistic, *result.by_channel.values()) if result.statistic is not None else ()
        yield result.toys
    elif isinstance(result, ToyResult):
        yield from (result.values, result.low, result.high, result.pulls)
    elif isinstance(result, PostfitResult):
        for channel in result.channels:
            yield from (channel.expected, channel.errors, channel.total, channel.total_errors, channel.covariance)
    elif isinstance(result, ScanResult):
        yield result.delta_nll[[status.usable for status in result.statuses]]
        yield from (number for interval in result.crossings for number in ends(interval))


def answer(ask: Callable[[Workspace], Any], workspace: Workspace) -> Any:
    """Return the answer to a question, or the text of the error that says why there is none."""
    try:
        return ask(workspace)
    except PocketCombineError as error:
        return str(error)


def ends(interval: Interval) -> list[float]:
    low = [interval.low] if interval.low_status.usable else []
    return [*low, *([interval.high] if interval.high_status.usable else [])]


@pytest.mark.parametrize("name", MODELS)
def test_every_question_has_an_answer_or_says_why_not(name: str) -> None:
    workspace = MODELS[name]()
    for question, ask in QUESTIONS.items():
        if question in ("limits", "scan") and name in WITHOUT_LIMIT:
            continue
        result = answer(ask, workspace)
        if isinstance(result, str):
            # What happened, and what to do.
            assert any(status.advice in result for status in Status), (question, result)
            continue
        for found in numbers(result):
            assert np.isfinite(found).all(), (question, found)


@pytest.mark.parametrize("name", MODELS)
def test_blind_answers_too(name: str) -> None:
    workspace = MODELS[name](Blinding.ASIMOV)
    for question in ("fit", "significance"):
        for found in numbers(QUESTIONS[question](workspace)):
            assert np.isfinite(found).all(), (question, found)


# ---------------------------------------------------------------------- closed formulas


def poisson_interval(observed: float, signal: float, background: float) -> tuple[float, float, float]:
    """Return (low, best, high) of r in Pois(n | r s + b), where the likelihood falls by 1/2 and r is not below 0."""

    def nll(r: float) -> float:
        expected = r * signal + background
        return expected - (observed * math.log(expected) if observed else 0.0)

    best = max(0.0, (observed - background) / signal)

    def rise(r: float) -> float:
        return nll(r) - nll(best) - 0.5

    far = best + (10 * math.sqrt(observed + 1) + 10) / signal
    low = 0.0 if rise(0.0) <= 0.0 else float(brentq(rise, 0.0, best, xtol=1e-12))
    return low, best, float(brentq(rise, best, far, xtol=1e-12))


@pytest.mark.parametrize(
    ("observed", "signal", "background"),
    [(0, 1, 3), (14, 2, 8), (5, 2, 8), (1, 1e-8, 1e-9), (0, 1e-8, 1e-9), (10**6, 1, 10), (10**9, 1e5, 9.9e8)],
)
def test_a_count_without_nuisances(observed: float, signal: float, background: float) -> None:
    workspace = count(observed, signal, background)()
    interval = fit(workspace).interval("r")
    low, best, high = poisson_interval(observed, signal, background)
    width = high - low
    assert (interval.low, interval.best, interval.high) == pytest.approx((low, best, high), abs=1e-4 * width)
    assert interval.low_status is (Status.AT_BOUNDARY if low == 0.0 else Status.CONVERGED)
    # ln of the likelihood ratio to no signal, which is a deficit's own maximum.
    excess = observed > background
    q0 = 2 * (observed * math.log(observed / background) - observed + background) if excess else 0.0
    found = significance(workspace)
    assert found.status.usable
    assert found.significance == pytest.approx(math.sqrt(q0), rel=1e-6)


def test_a_billion_events_where_two_are_expected() -> None:
    """The fit stops on the way, goes on from there, and the signal takes it all."""
    result = fit(count(10**9, 1, 1, "n lnN - 1.1\n")())
    assert result.status is Status.CONVERGED
    assert result.value("r") == pytest.approx(1e9, abs=0.01 * math.sqrt(1e9))
    assert result.error("r") == pytest.approx(math.sqrt(1e9), rel=1e-3)
    assert result.value("n") == pytest.approx(0.0, abs=0.01)


def test_limits_scale_with_the_signal() -> None:
    """A signal a billion times smaller has a limit a billion times larger."""
    one, tiny = (limits(count(14, signal, 8, "n lnN - 1.1\n")()) for signal in (1.0, 1e-9))
    assert one.observed is not None
    assert tiny.observed is not None
    assert tiny.observed.limit * 1e-9 == pytest.approx(one.observed.limit, rel=1e-4)
    for large, small in zip(tiny.expected, one.expected, strict=True):
        assert large.limit * 1e-9 == pytest.approx(small.limit, rel=1e-4)


def test_the_fit_of_a_tiny_signal_scales_too() -> None:
    one, tiny = (fit(count(14, signal, 8, "n lnN - 1.1\n")()).interval("r") for signal in (1.0, 1e-9))
    wanted = (one.low, one.best, one.high)
    assert tuple(1e-9 * value for value in (tiny.low, tiny.best, tiny.high)) == pytest.approx(wanted, rel=1e-4)


def test_two_nuisances_of_opposite_effect_are_one() -> None:
    """Their sum in quadrature is one nuisance with √2 times the effect, and each keeps its own constraint."""
    both = fit(MODELS["anticorrelated nuisances"]())
    same = fit(MODELS["correlated nuisances"]())
    one = fit(count(14, 2, 8, f"n lnN - {1.1 ** math.sqrt(2.0):.17g}\n")())
    for result in (both, same):
        found, wanted = result.interval("r"), one.interval("r")
        assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high), rel=1e-4)
        assert result.errors[1:].tolist() == pytest.approx([1.0, 1.0], rel=1e-6)


def test_a_sideband_without_events() -> None:
    """Pois(2 | r + g / 2) · exp(-g): data leave g at 0, and below 0 it may not go."""
    result = fit(MODELS["empty sideband"]())
    assert (result.status, result.concerned) == (Status.AT_BOUNDARY, ("g",))
    assert (result.value("r"), result.value("g")) == pytest.approx((2.0, 0.0), abs=1e-3)
    # Without signal g/2 - 2 ln(g/2) + g is smallest at g = 4/3: q0 = 2 (2 - 2 ln(2/3) - 2 + 2 ln 2) = 4 ln 3.
    assert significance(MODELS["empty sideband"]()).q0 == pytest.approx(4 * math.log(3), rel=1e-6)


def test_start_values_hold_for_the_significance() -> None:
    frozen = significance(count(14, 2, 8, "n lnN - 1.1\n")(freeze=["n"], values={"n": 2.0}))
    assert frozen.q0 == pytest.approx(significance(count(14, 2, 8 * 1.1**2)()).q0, rel=1e-6)


# ---------------------------------------------------------------------- statuses, and what they name


@pytest.mark.parametrize(
    ("name", "concerned"),
    [
        ("signal of rate 0", {"r"}),
        ("signal without content", {"r"}),
        ("signal that is negligible", {"r"}),
        ("two rate parameters of one process", {"k", "l"}),
        ("rate parameter of the signal", {"r", "k"}),
        ("rate parameter beside r in one bin", {"r", "k"}),
    ],
)
def test_flat_directions_are_named(name: str, concerned: set[str]) -> None:
    result = fit(MODELS[name]())
    assert result.status is Status.FLAT_DIRECTION
    assert set(result.concerned) == concerned
    assert not result.intervals
    assert "freeze one of them" in result.status.advice
    for ask in (impacts, goodness_of_fit, lambda workspace: toy_fits(workspace, 1.0, 2, 1)):
        with pytest.raises(CardError, match=r"flat direction \(") as caught:
            ask(MODELS[name]())
        assert all(parameter in str(caught.value) for parameter in concerned)


@pytest.mark.parametrize("observed", range(60, 180, 15))
def test_a_flat_direction_is_found_at_any_data(observed: int) -> None:
    """What is left of the gradient bends the Hessian, so that it alone does not tell."""
    for rows, concerned in (
        ("u lnU - 1.3\n", {"r", "u"}),
        ("k rateParam SR bkg 1\nl rateParam SR bkg 1\n", {"k", "l"}),
    ):
        result = fit(count(observed, 10, 100, rows)())
        inside = rows.startswith("k") or 100 <= observed < 330
        if inside:
            assert result.status is Status.FLAT_DIRECTION, (rows, result)
            assert concerned & set(result.concerned)


def test_a_flat_direction_of_others_leaves_limits_and_significance() -> None:
    two = MODELS["two rate parameters of one process"]()
    one = count(14, 2, 8, "k rateParam * bkg 1\n", (300, 100))()
    result = limits(two)
    assert (result.status, result.concerned) == (Status.CONVERGED, ())
    observed, wanted = result.observed, limits(one).observed
    assert observed is not None
    assert wanted is not None
    assert observed.limit == pytest.approx(wanted.limit, rel=1e-3)
    assert any("flat direction (" in note for note in result.provenance.options["notes"])


def test_limits_on_a_signal_without_effect_are_not_found() -> None:
    result = limits(MODELS["signal of rate 0"]())
    assert {quantile.status for quantile in result.limits} == {Status.NOT_FOUND}
    assert (result.status, result.concerned) == (Status.FLAT_DIRECTION, ("r",))
    blind = limits(MODELS["signal of rate 0"](Blinding.ASIMOV))
    again = LimitResult.from_json(blind.to_json())
    for one in (blind, again):
        assert (one.status, one.concerned) == (Status.FLAT_DIRECTION, ("r",))
    # A file from before there was a status cannot be mistaken either.
    plain = json.loads(blind.to_json())
    for name in ("status", "concerned"):
        del plain[name]
    assert LimitResult.from_json(json.dumps(plain)).status is Status.NOT_FOUND
    assert result.best_fit is not None
    assert math.isnan(result.best_fit)
    assert any("flat direction (r)" in note for note in result.provenance.options["notes"])


def test_a_signal_beyond_every_range_is_not_converged() -> None:
    result = fit(count(14, 1e-14, 8)())
    assert (result.status, result.concerned) == (Status.NOT_CONVERGED, ("r",))
    assert any("lies above the range" in note for note in result.provenance.options["notes"])


def test_no_expectation_at_all_is_said_so() -> None:
    workspace = MODELS["no expectation at all"]()
    assert fit(workspace).status is Status.NOT_FINITE
    with pytest.raises(CardError, match="look for a bin with data and no expectation"):
        limits(workspace)
    with pytest.raises(CardError, match="there is no best fit that a scan could be relative to: not finite"):
        scan(workspace, {"r": [0.0, 1.0]})
    assert fit(MODELS["no expectation at all"](Blinding.ASIMOV)).status is Status.FLAT_DIRECTION


def test_rate_parameters_end_at_their_bounds() -> None:
    result = fit(MODELS["rate parameters at their bounds"]())
    assert (result.status, result.concerned) == (Status.AT_BOUNDARY, ("r", "k"))
    assert result.values.tolist() == [0.0, 2.0]
    assert result.correlation().tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert result.interval("r").high == pytest.approx(poisson_interval(14, 2, 16)[2], rel=1e-4)


@pytest.mark.parametrize(
    ("rates", "message"),
    [
        ("0 0", "channel SR has no process with a rate other than 0"),
        ("1 0", "channel SR has no background with a rate other than 0"),
    ],
)
def test_cards_without_expectation_are_refused_as_combine_does(rates: str, message: str) -> None:
    text = f"imax 1\nbin SR\nobservation 3\nbin SR SR\nprocess sig bkg\nprocess 0 1\nrate {rates}\n"
    with pytest.raises(CardError, match=message):
        parse_card(text)


def test_a_card_without_signal_is_refused_as_combine_does() -> None:
    with pytest.raises(CardError, match="no process is a signal"):
        parse_card("imax 1\nbin SR\nobservation 3\nbin SR\nprocess bkg\nprocess 1\nrate 3\n")


def test_a_bin_cropped_at_zero_leaves_the_rest() -> None:
    """A negative bin counts as empty where there are no other processes: what is left is the other bin."""
    cropped = fit(shapes([0, 5], [0, 1], [0, 4])()).interval("r")
    low, best, high = poisson_interval(5, 1, 4)
    assert (cropped.low, cropped.best, cropped.high) == pytest.approx((low, best, high), rel=1e-4)


def test_single_events_have_the_errors_of_a_poisson_count() -> None:
    """A template bin of one event of weight w is w times a count whose constraint is Pois(1)."""
    result = impacts(MODELS["single events, one by one"]())
    by_name = {impact.parameter: impact for impact in result.impacts}
    prefit = by_name["prop_binc_bin0_bkg"].prefit
    assert prefit[1] == 1.0
    for end in (prefit[0], prefit[2]):
        assert end - 1.0 - math.log(end) == pytest.approx(0.5, rel=1e-6)
