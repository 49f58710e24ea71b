"""The fit of one card carried to another that shares parameters: by hand, by draws, and refused where it is wrong."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from model_cards import counting, shape_card, shape_workspace

from pocket_combine.card.model import Group
from pocket_combine.card.parser import parse_card
from pocket_combine.errors import CardError
from pocket_combine.inference.carried import carried_fit
from pocket_combine.inference.covariance import prefit_spread
from pocket_combine.inference.postfit_yields import postfit
from pocket_combine.inference.questions import fit
from pocket_combine.inference.workspace import Blinding, Workspace, make_workspace
from pocket_combine.results import FitResult, PostfitResult, Status


def other(nuisances: str, **options: Any) -> Workspace:
    """Another observable: fewer of the same events, and top quarks."""
    text = (
        "imax 1\nbin VR\nobservation 80\nbin VR VR VR\nprocess sig bkg top\nprocess 0 1 2\nrate 4 50 20\n" + nuisances
    )
    return make_workspace(parse_card(text), {}, **{"kind": Blinding.OBSERVED, **options})


OTHER = "norm lnN - 1.2 -\nmtop lnN - - 1.3\nxsec rateParam VR top 1.5 [0,5]\n"


@pytest.fixture(scope="module")
def fitted() -> FitResult:
    """120 events of 10 r + 100 · 1.1^θ: r = 2, θ = 0."""
    return fit(counting("norm lnN - 1.1\nunused lnN 1.0001 -\n", observed=120))


@pytest.fixture(scope="module")
def carried(fitted: FitResult) -> PostfitResult:
    return postfit(other(OTHER), fitted)


def test_jacobian_times_covariance_by_hand(carried: PostfitResult) -> None:
    # The inverse of the Hessian [[s²/n, s a/n], [s a/n, a²/n + 1]] with s = 10, a = 100 ln 1.1, n = 120.
    a = 100 * math.log(1.1)
    var_r, cov = (120 + a**2) / 100, -a / 10
    assert carried.yields["VR/sig"] == pytest.approx((8.0, 4 * math.sqrt(var_r)), rel=1e-3)
    slope = 50 * math.log(1.2)
    assert carried.yields["VR/bkg"] == pytest.approx((50.0, slope), rel=1e-3)
    # Only here: the width of the constraint, at the start value of the rate parameter, which has no width.
    own = 1.5 * 20 * math.log(1.3)
    assert carried.yields["VR/top"] == pytest.approx((30.0, own), rel=1e-3)
    variance = 16 * var_r + 2 * 4 * slope * cov + slope**2 + own**2
    assert carried.yields["VR/total"] == pytest.approx((88.0, math.sqrt(variance)), rel=1e-3)


def test_result_says_where_parameters_come_from(carried: PostfitResult, fitted: FitResult) -> None:
    assert carried.not_in_fit == ("mtop", "xsec")
    assert carried.provenance.options["notes"] == [
        "2 of 4 parameters of this card come from the fit of another",
        "not in the fit, so with their uncertainties before it: mtop",
        "not in the fit and without a constraint or frozen, so fixed at start values: xsec",
    ]
    assert carried.provenance.options["fit"]["card"] == fitted.provenance.card != carried.provenance.card
    assert (carried.point, carried.provenance.data) == ("fit", "observed")
    assert carried.channels[0].observed is not None
    assert PostfitResult.from_json(carried.to_json()).to_json() == carried.to_json()


def test_a_saved_fit_gives_the_same(carried: PostfitResult, fitted: FitResult) -> None:
    assert postfit(other(OTHER), FitResult.from_json(fitted.to_json())).to_json() == carried.to_json()


def test_draws_have_the_spread_of_propagation(fitted: FitResult) -> None:
    workspace = other("norm lnN - 1.02 -\nmtop lnN - - 1.03\n")
    propagated = postfit(workspace, fitted)
    drawn = postfit(workspace, fitted, method="sampling", samples=20_000, seed=2)
    for name, (value, error) in propagated.yields.items():
        # r ≥ 0 cuts the lower tail of the signal.
        assert drawn.yields[name][0] == pytest.approx(value)
        assert drawn.yields[name][1] == pytest.approx(error, rel=0.12 if "sig" in name else 0.1)
    assert drawn.yields["VR/top"][1] == pytest.approx(propagated.yields["VR/top"][1], rel=0.03)
    assert drawn.not_in_fit == ("mtop",)


def test_card_that_differs_in_a_group_only_has_the_numbers_of_the_fitted_card() -> None:
    card, templates = shape_card(mc_stats=False)
    options: dict[str, Any] = {"kind": Blinding.OBSERVED, "ranges": {"r": (-5.0, 10.0)}}
    workspace = make_workspace(card, templates, **options)
    result = fit(workspace)
    grouped = dataclasses.replace(card, groups=(*card.groups, Group("more", ("norm0",))))
    again = postfit(make_workspace(grouped, templates, **options), result)
    expected = postfit(workspace, result)
    assert again.not_in_fit == ()
    assert again.provenance.card != expected.provenance.card
    for ours, theirs in zip(again.channels, expected.channels, strict=True):
        assert ours.total == pytest.approx(theirs.total)
        assert ours.covariance == pytest.approx(theirs.covariance, rel=1e-5, abs=1e-6)


def test_parameters_of_bins_are_those_of_the_other_card() -> None:
    fitted = fit(shape_workspace())
    workspace = shape_workspace(seed=2)
    bins = workspace.model.bin_parameters
    assert set(bins) <= set(fitted.parameters), "the names coincide, the bins do not"
    found = carried_fit(workspace, fitted)
    assert found.own == bins
    positions = workspace.model.parameters.indices(bins)
    assert (found.spread.theta[positions] == workspace.start[positions]).all()
    before = prefit_spread(workspace)
    covariance = np.zeros((len(workspace.model.parameters),) * 2)
    covariance[np.ix_(found.spread.moving, found.spread.moving)] = found.spread.covariance()
    expected = np.zeros_like(covariance)
    expected[np.ix_(before.moving, before.moving)] = before.covariance()
    shared = workspace.model.parameters.indices(found.shared)
    expected[np.ix_(shared, shared)] = fitted.covariance
    assert covariance == pytest.approx(expected, rel=1e-6, abs=1e-9)
    note = f"{len(bins)} parameters of autoMCStats are this card's own, with their uncertainties before a fit"
    assert postfit(workspace, fitted).provenance.options["notes"][-1] == note
    jacobian = workspace.model.total_jacobian(found.spread.theta)
    slow = jacobian @ expected @ jacobian.T
    for channel in postfit(workspace, fitted).channels:
        rows = {part.name: part.bins for part in workspace.model.channels}[channel.channel]
        assert channel.covariance == pytest.approx(slow[rows, rows], rel=1e-5, abs=1e-6)


def test_parameters_that_were_fixed_in_the_fit_stay_fixed() -> None:
    fitted = fit(counting("norm lnN - 1.1\n", observed=120, freeze=["norm"], values={"norm": 1.0}))
    yields = postfit(other("norm lnN - 1.2 -\n", freeze=["norm"]), fitted).yields
    assert yields["VR/bkg"] == pytest.approx((60.0, 0.0))


def test_fits_in_which_nothing_floats_have_no_uncertainty() -> None:
    workspace = counting("norm lnN - 1.1\n", freeze=["r", "norm"], values={"r": 2.0})
    fitted = FitResult.from_json(fit(workspace).to_json())
    assert postfit(workspace, fitted).yields["SR/total"] == pytest.approx((120.0, 0.0))
    frozen = other("norm lnN - 1.2 -\nmtop lnN - - 1.3\n", freeze=["r", "norm", "mtop"])
    result = postfit(frozen, fitted)
    assert result.yields["VR/total"] == pytest.approx((78.0, 0.0))
    assert "not in the fit and without a constraint or frozen, so fixed" in result.provenance.options["notes"][1]


def test_blind_with_blind_only(fitted: FitResult) -> None:
    with pytest.raises(CardError, match="the fit is of observed data, which depend on the observation"):
        postfit(other(OTHER, kind=Blinding.ASIMOV), fitted)
    blind = fit(counting("norm lnN - 1.1\n", kind=Blinding.ASIMOV))
    with pytest.raises(CardError, match="the fit is of Asimov data, but this card is unblinded"):
        postfit(other(OTHER), blind)
    result = postfit(other(OTHER, kind=Blinding.ASIMOV), blind)
    assert result.channels[0].observed is None
    assert result.provenance.data == "asimov"
    same = counting("norm lnN - 1.1\nunused lnN 1.0001 -\n", observed=120, kind=Blinding.ASIMOV)
    with pytest.raises(CardError, match="which depend on the observation"):
        postfit(same, fitted)


@pytest.mark.parametrize(
    ("nuisances", "options", "message"),
    [
        ("norm lnU - 1.2 -\n", {}, "norm is lnU here and lnN in the fit: one name, two constraints"),
        ("norm rateParam VR bkg 0 [0,5]\n", {}, "norm is rateParam here and lnN in the fit"),
        ("norm gmN 4 - 12.5 -\n", {}, "norm is constrained to 4 .* here .gmN. and to 0 -1 .1 in the fit .lnN."),
        ("norm lnN - 1.2 -\n", {"freeze": ["norm"]}, "norm is frozen here and was fitted"),
        ("norm lnN - 1.2 -\n", {"values": {"norm": 1.0}}, "norm has the value 1 here, but the fit gives it"),
        (
            "nrom lnN - 1.2 -\n",
            {},
            "shares nothing but r with the fit.*The fit has norm, unused; this card has nrom",
        ),
        ("nrom lnN - 1.2 -\n", {"pois": {".*/sig": "mu[1,0,5]"}}, "the card shares no parameter with the fit"),
    ],
)
def test_contradictions(fitted: FitResult, nuisances: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(CardError, match=message):
        postfit(other(nuisances, **options), fitted)


def test_rounded_constraints_are_the_same() -> None:
    # gmM rounds its shape and scale to six digits, unless `exact`.
    card = "side gmM - 0.07\n"
    fitted = fit(counting(card, exact=True))
    assert postfit(other("side gmM - 0.07 -\n"), fitted).not_in_fit == ()


def test_cards_without_nuisances_share_the_signal() -> None:
    yields = postfit(other(""), fit(counting("", observed=130))).yields
    assert yields["VR/sig"] == pytest.approx((12.0, 4 * math.sqrt(130) / 10), rel=1e-3)


def test_parameters_at_an_edge_of_the_fit_are_named() -> None:
    result = postfit(other("norm lnN - 1.2 -\n"), fit(counting("norm lnN - 1.1\n", observed=80)))
    assert result.held == ("r",)
    assert result.provenance.options["notes"][-1].startswith("fixed at the edge of its range: r.")
    # The fit scales this card's signal too, which has no uncertainty then.
    assert result.yields["VR/sig"] == pytest.approx((0.0, 0.0), abs=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"status": Status.FLAT_DIRECTION}, "the fit has no covariance to propagate; its status is 'flat direction'"),
        ({"covariance": np.zeros((0, 0))}, "the fit has no covariance to propagate"),
        ({"values": np.array([math.nan, 0.0, 0.0])}, "a value or a covariance in it is no finite number"),
        ({"covariance": np.diag([1.0, math.inf, 1.0])}, "a value or a covariance in it is no finite number"),
        ({"covariance": np.diag([1.0, -1.0, 1.0])}, "a variance is negative"),
        ({"covariance": np.triu(np.full((3, 3), 0.5)) + 0.5 * np.eye(3)}, "its covariance is not symmetric"),
        (
            {"covariance": np.array([[1.0, 2.0, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, 1.0]])},
            "some sum of parameters has a negative variance",
        ),
    ],
)
def test_damaged_fits(fitted: FitResult, change: dict[str, Any], message: str) -> None:
    with pytest.raises(CardError, match=message):
        postfit(other(OTHER), dataclasses.replace(fitted, **change))
