"""Other parameters of interest than those of the physics model, as `--redefineSignalPOIs` of Combine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from model_cards import counting, shape_card

from pocket_combine.card.parser import parse_card
from pocket_combine.errors import CardError
from pocket_combine.inference.impact_fits import impacts
from pocket_combine.inference.questions import fit, limits, significance
from pocket_combine.inference.scans import scan
from pocket_combine.inference.toys import ToyKind, toy_fits, truth
from pocket_combine.inference.workspace import Blinding, Workspace, make_workspace

CARD = """imax 1
bin SR
observation 130
bin SR SR
process sig bkg
process 0 1
rate 30 100
norm lnN 1.05 1.1
"""


def redefined(text: str = CARD + "mu rateParam SR sig 1 [0,20]\n", **options: Any) -> Workspace:
    """The signal scaled by r, which is frozen at 1, and by mu, which is of interest."""
    options = {"kind": Blinding.OBSERVED, "redefine_pois": ["mu"], "freeze": ["r"], **options}
    return make_workspace(parse_card(text), {}, **options)


@pytest.fixture(scope="module")
def ours() -> Workspace:
    return redefined()


@pytest.fixture(scope="module")
def mapped() -> Workspace:
    """The same likelihood in which mu is a signal strength."""
    pois = {".*/sig": "mu[1,0,20]"}
    return make_workspace(parse_card(CARD), {}, kind=Blinding.OBSERVED, pois=pois)


def test_answers_are_those_of_a_signal_strength(ours: Workspace, mapped: Workspace) -> None:
    assert ours.model.parameters.pois == mapped.model.parameters.pois == ("mu",)
    intervals = [fit(workspace).interval("mu") for workspace in (ours, mapped)]
    assert intervals[0].low == pytest.approx(intervals[1].low, abs=1e-6)
    assert intervals[0].high == pytest.approx(intervals[1].high, abs=1e-6)
    both = [limits(workspace) for workspace in (ours, mapped)]
    for one, other in zip(both[0].expected, both[1].expected, strict=True):
        assert one.limit == pytest.approx(other.limit, rel=1e-4)
    assert both[0].poi == "mu"
    assert both[0].observed is not None
    assert both[1].observed is not None
    assert both[0].observed.limit == pytest.approx(both[1].observed.limit, rel=1e-4)
    tests = [significance(workspace) for workspace in (ours, mapped)]
    assert tests[0].significance == pytest.approx(tests[1].significance, rel=1e-5)
    found = [impacts(workspace).impacts for workspace in (ours, mapped)]
    assert [impact.parameter for impact in found[0]] == ["norm"]
    assert found[0][0].impact("mu") == pytest.approx(found[1][0].impact("mu"), rel=1e-4)
    points = np.array([0.5, 1.5])
    scans = [scan(workspace, {"mu": points}).delta_nll for workspace in (ours, mapped)]
    assert scans[0] == pytest.approx(scans[1], abs=1e-6)
    toys = [toy_fits(workspace, 1.0, 20, seed=1) for workspace in (ours, mapped)]
    assert toys[0].poi == "mu"
    assert toys[0].values == pytest.approx(toys[1].values, abs=1e-3)


def test_the_signal_strength_floats_on() -> None:
    # One count and a free r: nothing but its prior is known about the nuisance.
    workspace = counting("norm lnN - 1.1\n", observed=120, redefine_pois=["norm"])
    result = fit(workspace)
    assert result.pois == ("norm",)
    interval = result.interval("norm")
    assert (interval.low, interval.best, interval.high) == pytest.approx((-1.0, 0.0, 1.0), abs=1e-3)
    assert result.value("r") == pytest.approx(2.0, abs=1e-3)
    assert [impact.parameter for impact in impacts(workspace).impacts] == ["r"]


def test_expected_signal_stays_that_of_the_signal() -> None:
    workspace = counting("norm lnN - 1.1\n", kind=Blinding.ASIMOV, redefine_pois=["norm"], expect_signal=3.0)
    assert workspace.data.observations.tolist() == [130.0]
    assert truth(workspace, 1.0, ToyKind.BAYESIAN).tolist() == [3.0, 1.0]
    assert workspace.settings["redefine_pois"] == ["norm"]


def test_the_first_of_several_is_the_one_that_limits_are_on() -> None:
    workspace = redefined(redefine_pois=["norm", "mu"])
    assert workspace.poi == "norm"
    assert fit(workspace).pois == ("norm", "mu")


def test_range_of_what_is_of_interest_grows_unless_a_prior_sets_it() -> None:
    narrow = redefined(CARD.replace("130", "160") + "mu rateParam SR sig 1 [0,1.5]\n")
    result = fit(narrow)
    assert result.value("mu") == pytest.approx(2.0, abs=0.05)
    assert result.provenance.options["notes"] == ["the range of mu was extended upwards to 6"]
    flat = redefined(CARD.replace("130", "300") + "flat lnU - 1.5\n", redefine_pois=["flat"])
    assert fit(flat).value("flat") == pytest.approx(1.0)


def test_bin_parameters_can_be_of_interest() -> None:
    card, templates = shape_card(bins=3, nuisances=2)
    options: dict[str, Any] = {"kind": Blinding.OBSERVED, "ranges": {"r": (-5.0, 10.0)}}
    name = "prop_binch0_bin1"
    expected = fit(make_workspace(card, templates, **options), intervals=[name]).interval(name)
    workspace = make_workspace(card, templates, redefine_pois=[name], **options)
    found = fit(workspace).interval(name)
    assert (found.low, found.best, found.high) == pytest.approx((expected.low, expected.best, expected.high), abs=1e-4)
    result = toy_fits(workspace, 0.0, 4, seed=1)
    assert result.poi == name
    assert result.failed == 0


@pytest.mark.parametrize("kind", [Blinding.OBSERVED, Blinding.ASIMOV])
def test_other_parameters_of_interest_float_in_limits(kind: Blinding) -> None:
    text = """imax 2
bin SR CR
observation 14 130
bin SR SR CR
process sig bkg bkg
process 0 1 1
rate 5 10 100
norm lnN - 1.1 1.1
"""
    pois = {".*/sig": "mu[1,0,20]", ".*/bkg": "nu[1,0,20]"}
    two = limits(make_workspace(parse_card(text), {}, kind=kind, pois=pois))
    free = parse_card(text + "nu rateParam * bkg 1 [0,20]\n")
    one = limits(make_workspace(free, {}, kind=kind, pois={".*/sig": "mu[1,0,20]"}))
    assert (two.poi, one.poi) == ("mu", "mu")
    for ours, theirs in zip(two.expected, one.expected, strict=True):
        assert ours.limit == pytest.approx(theirs.limit, rel=1e-4)
    assert (two.observed is None) == (one.observed is None) == (kind is Blinding.ASIMOV)
    if two.observed and one.observed:
        assert two.observed.limit == pytest.approx(one.observed.limit, rel=1e-4)


def test_nothing_is_asked_about_what_is_frozen() -> None:
    workspace = counting("norm lnN - 1.1\n", observed=130, freeze=["r"])
    result = fit(workspace)
    assert (result.intervals, result.pois) == ((), ("r",))
    assert result.value("norm") > 0.1
    for question in (limits, significance, impacts, lambda one: toy_fits(one, 1.0, 2, seed=1)):
        with pytest.raises(CardError, match="r is frozen, so that no parameter of interest is left"):
            question(workspace)
    for about in (lambda: fit(workspace, intervals=["r"]), lambda: scan(workspace, {"r": [1.0]})):
        with pytest.raises(CardError, match="r is frozen: nothing can be asked about it"):
            about()


def test_frozen_signal_strengths_are_passed_over() -> None:
    pois = {".*/sig": "mu[1,0,20]", ".*/bkg": "nu[1,0,20]"}
    options: dict[str, Any] = {"kind": Blinding.OBSERVED, "pois": pois, "freeze": ["mu"]}
    workspace = make_workspace(parse_card(CARD), {}, **options)
    assert workspace.poi == "nu"
    assert [interval.parameter for interval in fit(workspace).intervals] == ["nu"]
    result = impacts(workspace)
    assert [interval.parameter for interval in result.pois] == ["nu"]
    assert result.impacts[0].values["mu"] == (1.0, 1.0, 1.0)
    assert limits(workspace).poi == "nu"


def test_wrong_names() -> None:
    with pytest.raises(CardError, match="no parameter 'mi' in the model: available: 'mu'"):
        redefined(redefine_pois=["mi"])
    with pytest.raises(CardError, match="r is frozen and cannot be of interest"):
        redefined(redefine_pois=["r"])
