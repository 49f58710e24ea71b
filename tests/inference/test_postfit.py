"""Expected events with uncertainties: by hand, by finite differences and draws, and at Combine's best fits."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import reference_cards
from model_cards import counting, shape_card, shape_workspace

from pocket_combine.card.parser import parse_card
from pocket_combine.errors import CardError
from pocket_combine.inference.covariance import postfit_spread, prefit_variance
from pocket_combine.inference.postfit_yields import postfit
from pocket_combine.inference.questions import fit
from pocket_combine.inference.workspace import Blinding, Workspace, make_workspace
from pocket_combine.likelihood import Constraint, ConstraintKind, ModelParameter
from pocket_combine.results import FitResult, PostfitResult, Status
from pocket_combine.templates import Templates


def test_prefit_by_hand() -> None:
    result = postfit(counting("norm lnN - 1.1\neff lnN 1.2 1.3\n"), None)
    (channel,) = result.channels
    logs = math.log(1.1), math.log(1.2), math.log(1.3)
    assert channel.expected.ravel().tolist() == pytest.approx([10.0, 100.0])
    signal, background = 10 * logs[1], 100 * math.hypot(logs[0], logs[2])
    assert channel.errors.ravel().tolist() == pytest.approx([signal, background])
    total = math.hypot(100 * logs[0], 10 * logs[1] + 100 * logs[2])
    assert channel.total_errors.tolist() == pytest.approx([total])
    assert result.yields["SR/total"] == pytest.approx((110.0, total))
    assert result.yields["SR/total_background"] == pytest.approx((100.0, background))
    assert channel.observed is not None
    assert channel.observed.tolist() == [110.0]
    assert (result.point, channel.signal) == ("prefit", (True, False))


def test_fit_by_hand() -> None:
    # The count fixes the total to √120, whatever signal and background; the background keeps its prior uncertainty.
    workspace = counting("norm lnN - 1.1\n", observed=120)
    result = postfit(workspace, fit(workspace))
    assert result.yields["SR/total"] == pytest.approx((120.0, math.sqrt(120.0)), abs=1e-3)
    assert result.yields["SR/bkg"] == pytest.approx((100.0, 100 * math.log(1.1)), abs=1e-3)
    both = math.hypot(math.sqrt(120.0), 100 * math.log(1.1))
    assert result.yields["SR/sig"] == pytest.approx((20.0, both), abs=1e-3)


def test_processes_called_like_totals_are_not_hidden_by_them() -> None:
    card = parse_card(
        "imax 1\nbin SR\nobservation 30\nbin SR SR\nprocess sig total\nprocess 0 1\nrate 10 20\nnorm lnN - 1.1\n"
    )
    with pytest.raises(CardError, match="a process 'total' would take the place of what results call by this name"):
        postfit(make_workspace(card, {}), None)
    renamed = postfit(make_workspace(card, {}), None, process_sums={"bkg": ["total"]})
    assert {name: pair[0] for name, pair in renamed.yields.items()} == pytest.approx(
        {"SR/sig": 10.0, "SR/bkg": 20.0, "SR/total": 30.0, "SR/total_background": 20.0}
    )


@pytest.fixture(scope="module")
def shapes() -> Workspace:
    return shape_workspace()


@pytest.fixture(scope="module")
def shapes_fit(shapes: Workspace) -> FitResult:
    return fit(shapes)


SUMS = {"channel_sums": {"both": ["ch0", "ch1"]}, "process_sums": {"background": ["bkg1", "bkg2"]}}


@pytest.fixture(scope="module")
def propagated(shapes: Workspace, shapes_fit: FitResult) -> PostfitResult:
    return postfit(shapes, shapes_fit, **SUMS)  # type: ignore[arg-type]  # two mappings of the same kind


def test_covariance_of_the_fit_is_a_block_of_the_whole(shapes: Workspace, shapes_fit: FitResult) -> None:
    spread = postfit_spread(shapes, shapes_fit)
    covariance = spread.covariance()
    own = shapes_fit.covariance.shape[0]
    assert covariance[:own, :own] == pytest.approx(shapes_fit.covariance, rel=1e-6, abs=1e-9)
    # Bin parameters follow the others by the response of the profile, the other way to their covariance.
    likelihood = shapes.model.likelihood(shapes.data)
    theta = shapes_fit.values[shapes.model.parameters.indices(likelihood.parameters.names)]
    response = likelihood.response(theta)[own:]
    assert covariance[own:, :own] == pytest.approx(response @ shapes_fit.covariance, abs=1e-7)


def test_propagation_is_that_of_finite_differences(
    shapes: Workspace, shapes_fit: FitResult, propagated: PostfitResult
) -> None:
    spread = postfit_spread(shapes, shapes_fit)
    covariance = spread.covariance()
    step = 1e-5
    rows = []
    for at in spread.moving:
        up, down = shapes_fit.values.copy(), shapes_fit.values.copy()
        up[at] += step
        down[at] -= step
        rows.append((shapes.model.totals(up) - shapes.model.totals(down)) / (2 * step))
    slow = np.array(rows).T @ covariance @ np.array(rows)
    by_name = {channel.channel: channel for channel in propagated.channels}
    for channel in shapes.model.channels:
        found = by_name[channel.name]
        assert found.covariance == pytest.approx(slow[channel.bins, channel.bins], rel=1e-5, abs=1e-6)
        assert found.total_errors == pytest.approx(np.sqrt(np.diag(found.covariance)))
    ones = np.ones(slow.shape[0])
    assert propagated.yields["both/total"][1] == pytest.approx(math.sqrt(ones @ slow @ ones), rel=1e-5)


def test_sums_add_values_and_correlated_uncertainties(
    shapes: Workspace, shapes_fit: FitResult, propagated: PostfitResult
) -> None:
    parts = {channel.channel: channel for channel in postfit(shapes, shapes_fit).channels}
    whole = {channel.channel: channel for channel in propagated.channels}
    assert list(whole) == ["ch0", "ch1", "both"]
    assert whole["both"].processes == ("sig", "background")
    assert whole["both"].signal == (True, False)
    added = sum(parts[name].expected[1] + parts[name].expected[2] for name in ("ch0", "ch1"))
    assert whole["both"].expected[1] == pytest.approx(added)
    assert whole["both"].total == pytest.approx(parts["ch0"].total + parts["ch1"].total)
    expected = shapes.model.expected(shapes_fit.values)
    assert parts["ch0"].expected == pytest.approx(expected.shifted["ch0"])
    assert parts["ch0"].total == pytest.approx(expected.totals["ch0"])
    for channel in whole.values():
        assert channel.expected.sum(axis=0) == pytest.approx(channel.total, rel=1e-12)


def test_uncertainty_of_a_sum_of_processes(shapes: Workspace, shapes_fit: FitResult, propagated: PostfitResult) -> None:
    spread = postfit_spread(shapes, shapes_fit)

    def background(theta: np.ndarray) -> float:
        """The sum of the backgrounds with their shares of the shifts: the total without signals."""
        expected = shapes.model.expected(theta)
        return float(sum(expected.shifted[name][1:].sum() for name in ("ch0", "ch1")))

    slopes = []
    for at in spread.moving:
        step = np.zeros(shapes_fit.values.size)
        step[at] = 1e-5
        slopes.append((background(shapes_fit.values + step) - background(shapes_fit.values - step)) / 2e-5)
    slow = math.sqrt(np.array(slopes) @ spread.covariance() @ np.array(slopes))
    for name in ("both/background", "both/total_background"):
        assert propagated.yields[name] == pytest.approx((background(shapes_fit.values), slow), rel=1e-5)


STATISTICS = """imax 1
bin SR
observation 130
shapes * * templates.root $CHANNEL/$PROCESS
bin SR SR
process sig bkg
process 0 1
rate 10 100
norm lnN - 1.1
SR autoMCStats {threshold}
"""
"""One bin whose statistical errors are 3 and 4 events."""


def with_statistics(threshold: int) -> Workspace:
    card = parse_card(STATISTICS.format(threshold=threshold))
    contents = Templates.of(np.array([0.0, 1.0]), {"bkg": np.array([100.0]), "sig": np.array([10.0])})
    errors = {"sig": 3.0, "bkg": 4.0}
    variances = np.array([[errors[name] ** 2] for name in contents.columns])
    templates = dataclasses.replace(contents, observation=np.array([130.0]), variances=variances)
    return make_workspace(card, {"SR": templates}, kind=Blinding.OBSERVED)


def test_shift_of_a_bin_is_shared_as_combine_does_it() -> None:
    """In `CMSHistErrorPropagator::updateCache`, C_i = coeffvals, e_ij = errors and x the bin's parameter."""
    workspace = with_statistics(0)
    model = workspace.model
    theta = model.parameters.vector({"r": 1.5, "norm": 0.5, "prop_binSR_bin0": 0.8})
    coefficients, errors = (1.5, 1.1**0.5), (3.0, 4.0)
    squares = [(error * factor) ** 2 for error, factor in zip(errors, coefficients, strict=True)]
    toterr = math.sqrt(sum(squares))
    binmods = [toterr * own / (sum(squares) * factor) for own, factor in zip(squares, coefficients, strict=True)]
    expected = model.expected(theta)
    for row, (content, factor) in enumerate(zip((10.0, 100.0), coefficients, strict=True)):
        assert expected.shifted["SR"][row].item() == pytest.approx(factor * (content + binmods[row] * 0.8), rel=1e-9)
    assert expected.totals["SR"].item() == pytest.approx(15.0 + 100 * coefficients[1] + toterr * 0.8, rel=1e-9)


def test_uncertainties_of_processes_hold_their_share_before_a_fit() -> None:
    (channel,) = postfit(with_statistics(0), None).channels
    # The parameter of the bin moves the processes by 9 / 5 and 16 / 5 events, its total by 5.
    assert channel.errors.ravel().tolist() == pytest.approx([9 / 5, math.hypot(16 / 5, 100 * math.log(1.1))])
    assert channel.total_errors.tolist() == pytest.approx([math.hypot(5, 100 * math.log(1.1))])


def test_uncertainties_of_processes_hold_their_own_parameters_before_a_fit() -> None:
    # 11 and 625 effective events are both below the threshold: a Poisson parameter each.
    (channel,) = postfit(with_statistics(1000), None).channels
    assert channel.errors.ravel().tolist() == pytest.approx(
        [10 / math.sqrt(11), math.hypot(100 / math.sqrt(625), 100 * math.log(1.1))]
    )


def test_processes_of_negative_yield_add_up_too() -> None:
    workspace = with_statistics(0)
    theta = workspace.model.parameters.vector({"r": -2.0, "prop_binSR_bin0": 1.0})
    expected = workspace.model.expected(theta)
    assert expected.shifted["SR"].sum() == pytest.approx(expected.totals["SR"].item(), rel=1e-12)
    assert expected.totals["SR"].item() == pytest.approx(80.0 + math.hypot(6.0, 4.0), rel=1e-9)


def test_draws_have_the_spread_of_propagation(
    shapes: Workspace, shapes_fit: FitResult, propagated: PostfitResult
) -> None:
    drawn = postfit(shapes, shapes_fit, method="sampling", samples=4000, seed=3, **SUMS)
    assert drawn.provenance.seed == 3
    for ours, theirs in zip(propagated.channels, drawn.channels, strict=True):
        assert theirs.total == pytest.approx(ours.total)
        assert theirs.total_errors == pytest.approx(ours.total_errors, rel=0.06)
        assert theirs.errors == pytest.approx(ours.errors, rel=0.06)
    assert list(drawn.yields) == list(propagated.yields)
    for name in ("both/total_background", "both/total"):
        assert drawn.yields[name] == pytest.approx(propagated.yields[name], rel=0.06)


def test_more_information_after_the_fit(shapes: Workspace, propagated: PostfitResult) -> None:
    before = postfit(shapes, None)
    assert before.yields["ch0/total"][1] > propagated.yields["ch0/total"][1]
    assert propagated.yields["both/total"][0] == pytest.approx(shapes.data.observations.sum(), rel=0.02)


def test_blind_results_hold_no_observation() -> None:
    assert postfit(shape_workspace(Blinding.ASIMOV), None).channels[0].observed is None


def test_result_survives_json(propagated: PostfitResult) -> None:
    assert PostfitResult.from_json(propagated.to_json()).to_json() == propagated.to_json()


def test_parameter_at_its_bound_is_fixed() -> None:
    workspace = counting("norm lnN - 1.1\n", observed=80)
    result = fit(workspace)
    assert result.status is Status.AT_BOUNDARY
    after = postfit(workspace, result)
    assert after.held == ("r",)
    assert after.provenance.options["notes"] == [
        "fixed at the edge of its range: r. Uncertainties are without it: that of a process that it scales may be 0"
    ]
    yields = after.yields
    assert yields["SR/sig"] == pytest.approx((0.0, 0.0), abs=1e-6)
    # Only θ moves: 1 / σ² = 1 + λ ln²κ · 1 at the minimum, where the exact curvature has n/λ · … + slope terms.
    theta = result.value("norm")
    slope = math.log(1.1) * 100 * 1.1**theta
    curvature = 1 + math.log(1.1) * slope
    assert yields["SR/bkg"][1] == pytest.approx(slope / math.sqrt(curvature), rel=1e-4)


def test_wrong_requests(shapes: Workspace, shapes_fit: FitResult) -> None:
    with pytest.raises(CardError, match="no method 'sample': did you mean 'sampling'"):
        postfit(shapes, None, method="sample")
    with pytest.raises(CardError) as error:
        postfit(
            shapes,
            None,
            channel_sums={"ch0": ["ch1"], "none": [], "x": ["ch3"]},
            process_sums={"bkg1": ["bkg2"], "y": ["bkg2"], "z": ["top"]},
        )
    text = str(error.value)
    for part in (
        "the sum of channels 'ch0' has the name of a channel",
        "the sum of channels 'none' is empty",
        "no channel 'ch3' in the model",
        "the sum of processes 'bkg1' has the name of a process that is not in it",
        "process 'bkg2' is in two sums, 'bkg1' and 'y'",
        "no process 'top' in the model",
    ):
        assert part in text
    narrower = make_workspace(*shape_card(), kind=Blinding.OBSERVED, ranges={"r": (-5.0, 9.0)})
    with pytest.raises(CardError, match=r"the fit is not of this card with these options.*ranges: .*9\.0.* here"):
        postfit(narrower, shapes_fit)
    failed = dataclasses.replace(shapes_fit, status=Status.FLAT_DIRECTION)
    with pytest.raises(CardError, match="the fit has no covariance to propagate; its status is 'flat direction'"):
        postfit(shapes, failed)


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        (None, 0.0),
        (Constraint(ConstraintKind.GAUSSIAN, 0.0, (0.2, 0.4)), 0.09),
        (Constraint(ConstraintKind.POISSON, 11.0), 12.0),
        (Constraint(ConstraintKind.GAMMA, 16.0, (1 / 16, 1 / 16)), 12 / 16),
        (Constraint(ConstraintKind.UNIFORM), 75.0),
    ],
)
def test_prefit_variances(constraint: Constraint | None, expected: float) -> None:
    assert prefit_variance(ModelParameter("k", "gmN", 12.0, (0.0, 30.0), constraint)) == pytest.approx(expected)


@reference_cards.needed
@pytest.mark.parametrize("name", ["synthetic-two-channels", "template-shapeN-mcstats", "template-htt-tt-8tev"])
def test_yields_at_the_fit_agree_with_combine(name: str) -> None:
    workspace = reference_cards.workspace(name)
    result = postfit(workspace, fit(workspace, intervals=[]))
    (point,) = [item for item in reference_cards.expected(name)["points"] if item["name"] == "best_fit"]
    for channel in result.channels:
        theirs = np.array(point["yields"][channel.channel]["total"])
        # Combine's minimum is within 1 % of the uncertainties.
        assert np.abs(channel.total - theirs[: channel.total.size]).max() < 0.02 * channel.total_errors.max()
