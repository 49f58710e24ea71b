"""Impacts and the breakdown of uncertainties: by hand, beside single fits, and beside Combine's numbers."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import reference_cards
from model_cards import counting, shape_workspace

from pocket_combine.errors import CardError
from pocket_combine.execution import ProcessExecutor
from pocket_combine.inference.breakdown import breakdown
from pocket_combine.inference.fitter import MINOS_LEVEL, ROBUST_LEVEL
from pocket_combine.inference.impact_fits import impacts, to_impacts_json
from pocket_combine.inference.prefit import prefit_interval
from pocket_combine.inference.questions import fit
from pocket_combine.inference.workspace import Workspace
from pocket_combine.likelihood import Constraint, ConstraintKind, ModelParameter
from pocket_combine.results import ImpactResult, Status


def test_impact_by_hand() -> None:
    # One bin, n = 110 = 10 r + 100 · 1.1^θ: the data fix only the sum, so θ has its prior interval and r follows.
    result = impacts(counting("norm lnN - 1.1\n"))
    (impact,) = result.impacts
    assert impact.fit == pytest.approx((-1.0, 0.0, 1.0), abs=1e-4)
    assert impact.prefit == (-1.0, 0.0, 1.0)
    assert impact.values["r"] == pytest.approx(((110 - 100 / 1.1) / 10, 1.0, 0.0), abs=1e-3)
    assert impact.impact("r") == pytest.approx(1.0, abs=1e-3)
    assert impact.kind == "Gaussian"
    assert impact.statuses == (Status.CONVERGED, Status.CONVERGED)


@pytest.fixture(scope="module")
def shapes() -> Workspace:
    return shape_workspace()


@pytest.fixture(scope="module")
def shape_impacts(shapes: Workspace) -> ImpactResult:
    return impacts(shapes)


def test_every_floating_parameter_but_the_poi_has_an_impact(shapes: Workspace, shape_impacts: ImpactResult) -> None:
    names = [impact.parameter for impact in shape_impacts.impacts]
    assert names == [name for name in shapes.model.parameters.names if name != "r"]
    assert "prop_binch1_bin3" in names


def test_impacts_are_those_of_single_fits(shapes: Workspace, shape_impacts: ImpactResult) -> None:
    for name in ("shape1", "norm0", "prop_binch0_bin2"):
        (impact,) = [item for item in shape_impacts.impacts if item.parameter == name]
        explicit = [name] if name.startswith("prop") else []
        fitter = shapes.fitter(explicit=explicit)
        best = fitter.best(shapes.start_of(fitter))
        position, poi = fitter.parameters.index(name), fitter.parameters.index("r")
        for at, side in ((0, -1), (2, 1)):
            end = fitter.crossing(best, position, MINOS_LEVEL, side)
            assert impact.fit[at] == pytest.approx(end.value, abs=2e-4)
            assert impact.values["r"][at] == pytest.approx(float(end.theta[poi]), abs=1e-4)


def test_the_executor_makes_no_difference(shapes: Workspace, shape_impacts: ImpactResult) -> None:
    calls: list[tuple[int, int, str]] = []

    def progress(done: int, total: int, label: str) -> None:
        calls.append((done, total, label))

    result = impacts(shapes, executor=ProcessExecutor(1), progress=progress)
    assert result.to_json() == shape_impacts.to_json()
    assert calls[:2] == [(0, 6, ""), (1, 6, "shape0 and 7 more")]
    assert calls[-1] == (6, 6, "uncertainty without autoMCStats")


def test_impacts_of_chosen_parameters(shapes: Workspace, shape_impacts: ImpactResult) -> None:
    result = impacts(shapes, parameters=["norm1"], groups=[])
    assert [impact.parameter for impact in result.impacts] == ["norm1"]
    assert result.breakdown == ()
    (same,) = [impact for impact in shape_impacts.impacts if impact.parameter == "norm1"]
    assert result.impacts[0].values["r"] == pytest.approx(same.values["r"], abs=1e-5)
    with pytest.raises(CardError, match="no parameter 'norm9' in the model: did you mean 'norm1'"):
        impacts(shapes, parameters=["norm9"])
    with pytest.raises(CardError, match="r is a parameter of interest, which has no impact"):
        impacts(shapes, parameters=["r"])
    frozen = counting("norm lnN - 1.1\n", freeze=["norm"])
    with pytest.raises(CardError, match="norm is frozen and has no impact"):
        impacts(frozen, parameters=["norm"])


def test_the_range_of_the_card_does_not_cut_an_impact() -> None:
    # The background may fall by half, and r rise beyond 20, the range of the card: (290 - 100 / 2) / 10 = 24.
    result = impacts(counting("norm lnN - 2.0\n", observed=290))
    assert result.impacts[0].values["r"][0] == pytest.approx(24.0, abs=0.01)


def test_impacts_that_end_at_the_range_of_r_are_said() -> None:
    # θ = 1 would need r = (105 - 110) / 10, below the range that begins at 0; θ = -1 needs no such thing.
    card = counting("norm lnN - 1.1\n", observed=105)
    result = impacts(card)
    (impact,) = result.impacts
    assert impact.values["r"] == pytest.approx(((105 - 100 / 1.1) / 10, 0.5, 0.0), abs=1e-3)
    assert result.provenance.options["notes"] == [
        "r is at the lower end 0 of its range where these nuisances are moved, which cuts their impacts: norm. A wider "
        "range of r shows them whole"
    ]
    wide = impacts(counting("norm lnN - 1.1\n", observed=105, ranges={"r": (-5.0, 20.0)}))
    assert wide.impacts[0].values["r"] == pytest.approx(((105 - 100 / 1.1) / 10, 0.5, -0.5), abs=1e-3)
    assert not wide.provenance.options.get("notes")


def test_layout_of_combine(shape_impacts: ImpactResult) -> None:
    content = json.loads(json.dumps(to_impacts_json(shape_impacts)))
    assert list(content) == ["POIs", "params", "method"]
    interval = shape_impacts.pois[0]
    assert content["POIs"] == [{"name": "r", "fit": [interval.low, interval.best, interval.high]}]
    assert [row["name"] for row in content["params"]] == sorted(item.parameter for item in shape_impacts.impacts)
    row = content["params"][0]
    assert list(row) == ["name", "type", "groups", "prefit", "fit", "r", "impact_r"]
    assert row["impact_r"] == max(abs(row["r"][0] - row["r"][1]), abs(row["r"][2] - row["r"][1]))


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        (None, (2.0, 2.0, 2.0)),
        (Constraint(ConstraintKind.UNIFORM), (2.0, 2.0, 2.0)),
        (Constraint(ConstraintKind.GAUSSIAN, 1.0, (0.2, 0.3)), (0.8, 1.0, 1.3)),
        # x - 4 - 4 ln(x / 4) = 0.5
        (Constraint(ConstraintKind.POISSON, 4.0), (2.3185, 4.0, 6.3463)),
        (Constraint(ConstraintKind.POISSON, 0.0), (0.0, 0.0, 0.5)),
    ],
)
def test_prefit_intervals(constraint: Constraint | None, expected: tuple[float, float, float]) -> None:
    parameter = ModelParameter("k", "param", 2.0, (0.0, 40.0), constraint)
    assert prefit_interval(parameter) == pytest.approx(expected, abs=1e-3)


def test_prefit_interval_ends_at_the_range() -> None:
    parameter = ModelParameter("k", "gmN", 4.0, (3.0, 5.0), Constraint(ConstraintKind.POISSON, 4.0))
    assert prefit_interval(parameter) == (3.0, 4.0, 5.0)


def test_breakdown_by_hand() -> None:
    # n = 100 = 10 r + background; r rises where the background falls, to 100 / 1.1 and to 100 / 1.05, and the count is
    # compatible with up to 110.33 (x - 100 - 100 ln(x / 100) = 0.5).
    card = "norm lnN - 1.1\nacceptance lnN - 1.05\nyields group = norm\n"
    result = breakdown(counting(card, observed=100), groups=["yields"])
    assert [part.group for part in result] == ["yields", "other", "stat"]
    assert [part.high for part in result] == pytest.approx([0.909, 0.476, 1.033], abs=0.01)


def test_breakdown_adds_up_in_quadrature(shapes: Workspace, shape_impacts: ImpactResult) -> None:
    interval = fit(shapes).interval("r")
    for side, total in (("low", interval.best - interval.low), ("high", interval.high - interval.best)):
        parts = [getattr(part, side) for part in shape_impacts.breakdown]
        assert math.sqrt(sum(part**2 for part in parts)) == pytest.approx(total, rel=1e-4)
    assert [part.group for part in shape_impacts.breakdown] == ["shapes", "other", "autoMCStats", "stat"]
    frozen = [name for name in shapes.model.parameters.names if name != "r"]
    fitter = shapes.fitter(explicit=shapes.model.bin_parameters)
    best = fitter.best(shapes.start_of(fitter))
    fixed = {fitter.parameters.index(name): float(best.theta[fitter.parameters.index(name)]) for name in frozen}
    alone = fitter.best(best.theta, fixed)
    # With everything frozen the likelihood is nearly a parabola in r.
    assert shape_impacts.breakdown[-1].high == pytest.approx(float(np.sqrt(alone.covariance[0, 0])), rel=0.05)


def test_breakdown_of_unknown_group(shapes: Workspace) -> None:
    with pytest.raises(CardError, match="no group 'shape' in the model: did you mean 'shapes'"):
        breakdown(shapes, groups=["shape"])


@reference_cards.needed
@pytest.mark.parametrize(
    "name", ["counting-groups", "synthetic-two-channels", "template-simple", "template-largeyields"]
)
def test_impacts_agree_with_combine(name: str) -> None:
    rows = reference_cards.expected(name)["impacts"]["params"]
    workspace = reference_cards.workspace(name)
    result = impacts(workspace, parameters=[row["name"] for row in rows], level=ROBUST_LEVEL, groups=[])
    sigma = (result.pois[0].high - result.pois[0].low) / 2
    for impact, row in zip(result.impacts, rows, strict=True):
        width = (row["fit"][2] - row["fit"][0]) / 2
        assert impact.fit == pytest.approx(tuple(row["fit"]), abs=0.01 * width)
        assert impact.values["r"] == pytest.approx(tuple(row["r"]), abs=0.01 * sigma)
        if "type" in row:
            assert impact.kind == row["type"]
            assert list(impact.groups) == row["groups"]
            assert impact.prefit == pytest.approx(tuple(row["prefit"]), abs=1e-3)
