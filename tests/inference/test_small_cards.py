"""Small counting cards against the numbers that Combine v10.6.0 (ROOT 6.40) prints for them.

The cards are from cms-analysis/HiggsAnalysis-CombinedLimit (Apache License 2.0); the path stands beside each. Commands:
`MultiDimFit --algo singles --robustFit 1`, `AsymptoticLimits`, `Significance`. Tolerances are those of Combine's own
searches: 1 % of the uncertainty for interval ends, 0.5 % for limits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest
from model_cards import counting
from scipy.optimize import brentq

from pocket_combine.card.parser import parse_card
from pocket_combine.inference.fitter import ROBUST_LEVEL
from pocket_combine.inference.questions import fit, limits, significance
from pocket_combine.inference.scans import grid_values, scan
from pocket_combine.inference.workspace import Blinding, Workspace, make_workspace
from pocket_combine.results import Status


@dataclass(frozen=True)
class Reference:
    """A card and what Combine says about it."""

    card: str
    interval: tuple[float, float, float]
    expected: tuple[float, ...]
    observed: float
    significance: float


# data/tutorials/CAT23001/datacard-4-abcd.txt
ABCD = Reference(
    """
imax 4
jmax 1
kmax *
bin         B      C      D      A
observation 50    100     500    16
bin         B      C      D      A     A
process     bkg    bkg    bkg    bkg   sig
process     1      2      3      4     0
rate        1      1      1      1     3
lumi   lnN  -      -      -      -     1.02
eff    lnN  -      -      -      -     1.01
alpha rateParam A bkg (@0*@1/@2) beta,gamma,delta
beta  rateParam B bkg 50
gamma rateParam C bkg 100
delta rateParam D bkg 500
""",
    (0.625215292, 1.998416185, 3.544545174),
    (1.483184814, 2.013904572, 2.8984375, 4.250173092, 6.014984131),
    4.745476573,
    1.480586365,
)

# data/benchmarks/gammas/counting-Sideband11-alpha0p5-Obs20.txt
SIDEBAND = Reference(
    """
imax 1
jmax 1
kmax 1
bin bin1
observation 20
bin bin1 bin1
process sig bkg
process 0 1
rate 1 5.5
B gmN 11 - 0.5
""",
    (10.00950146, 14.50900555, 19.52677345),
    (4.423095703, 5.981231689, 8.578125, 12.51029396, 17.65376854),
    23.16618359,
    3.541257453,
)


def workspace(reference: Reference, kind: Blinding = Blinding.OBSERVED, **options: float) -> Workspace:
    return make_workspace(parse_card(reference.card), {}, kind=kind, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("reference", [ABCD, SIDEBAND], ids=["abcd", "sideband"])
def test_fit_agrees_with_combine(reference: Reference) -> None:
    result = fit(workspace(reference), level=ROBUST_LEVEL)
    interval = result.interval("r")
    low, best, high = reference.interval
    assert result.status is Status.CONVERGED
    assert (interval.low, interval.best, interval.high) == pytest.approx((low, best, high), abs=0.01 * (high - low) / 2)


@pytest.mark.parametrize("reference", [ABCD, SIDEBAND], ids=["abcd", "sideband"])
def test_limits_agree_with_combine(reference: Reference) -> None:
    result = limits(workspace(reference))
    assert result.observed is not None
    assert result.observed.limit == pytest.approx(reference.observed, rel=5e-3)
    assert [limit.limit for limit in result.expected] == pytest.approx(list(reference.expected), rel=5e-3)


@pytest.mark.parametrize("reference", [ABCD, SIDEBAND], ids=["abcd", "sideband"])
def test_significance_agrees_with_combine(reference: Reference) -> None:
    assert significance(workspace(reference)).significance == pytest.approx(reference.significance, abs=1e-4)


def test_scan_agrees_with_combine() -> None:
    # MultiDimFit --algo grid --points 9 --alignEdges 1 --rMin 0 --rMax 5.09
    result = scan(workspace(ABCD), {"r": grid_values(0.0, 5.09, 9, align_edges=True)})
    expected = [1.096068025, 0.485712111, 0.131418556, 0.001964570023, 0.06658544391, 0.2975025773, 0.6707770824]
    assert result.delta_nll[:7].tolist() == pytest.approx(expected, abs=1e-4)
    assert result.crossings[0].high == pytest.approx(3.56, abs=0.02)


def test_two_dimensional_scan_has_its_minimum_on_the_profile() -> None:
    result = scan(workspace(ABCD), {"r": [1.0, 2.0], "beta": [45.0, 50.0]})
    assert result.points.tolist() == [[1.0, 45.0], [1.0, 50.0], [2.0, 45.0], [2.0, 50.0]]
    assert result.delta_nll.argmin() == 3
    assert result.delta_nll[3] < 1e-3


def test_asimov_data_give_back_what_was_injected() -> None:
    result = fit(workspace(ABCD, Blinding.ASIMOV, expect_signal=1.7))
    assert result.value("r") == pytest.approx(1.7, abs=1e-3)
    assert result.provenance.data == "asimov"


@pytest.mark.parametrize("injected", [0.0, 1.0])
def test_asimov_data_after_a_fit_are_at_its_nuisances(injected: float) -> None:
    """Nuisances are those of the best fit at the injected signal, and what constrains them moves with them."""
    workspace = counting(
        "norm lnN - 1.1\n",
        observed=140,
        kind=Blinding.FREQUENTIST_ASIMOV,
        expect_signal=injected,
        values={"r": injected},
    )

    def slope(theta: float) -> float:
        background = 100 * 1.1**theta
        return float(math.log(1.1) * background * (1 - 140 / (10 * injected + background)) + theta)

    theta = float(brentq(slope, 0.0, 5.0, xtol=1e-12))
    assert workspace.data.observations.ravel().tolist() == pytest.approx([10 * injected + 100 * 1.1**theta], rel=1e-5)
    result = fit(workspace)
    assert result.values.tolist() == pytest.approx([injected, theta], abs=1e-3)
    assert result.nll == pytest.approx(0.0, abs=1e-6)


def test_blind_limits_do_not_depend_on_the_observation() -> None:
    other = ABCD.card.replace("500    16", "500    99")
    first = limits(make_workspace(parse_card(ABCD.card), {}))
    second = limits(make_workspace(parse_card(other), {}))
    assert first.observed is None
    assert first.best_fit is None
    assert first.expected == second.expected


def test_frozen_parameters_and_groups() -> None:
    frozen = fit(make_workspace(parse_card(ABCD.card), {}, kind=Blinding.OBSERVED, freeze=["beta", "gamma", "delta"]))
    free = fit(workspace(ABCD))
    assert frozen.error("beta") == 0
    assert frozen.interval("r").high - frozen.interval("r").low < free.interval("r").high - free.interval("r").low
