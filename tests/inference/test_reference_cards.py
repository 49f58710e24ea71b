"""Best fits, intervals, limits, significances and scans of the reference cards against Combine's own numbers."""

from __future__ import annotations

import functools
import math

import pytest
import reference_cards
from reference_cards import NAMES as CARDS
from reference_cards import expected, workspace

from pocket_combine.inference.fitter import ROBUST_LEVEL
from pocket_combine.inference.questions import fit, limits, significance
from pocket_combine.inference.scans import scan
from pocket_combine.inference.workspace import Blinding
from pocket_combine.results import FitResult, Status

COMBINE_STOPS_EARLY = {
    "template-largeyields": "five nuisances end at their range of ±4 in the background-only fit, where Combine's "
    "minimiser stops far above the minimum: 40.97² / 2 - 29.17² / 2 = 414 in the NLL",
    "template-htt-part4": "noise of 3e-4 in Combine's likelihood and a tolerance of 1 (remark beside the card)",
}
"""Cards whose limits and significance are not a reference, with the reason."""

pytestmark = reference_cards.needed


@functools.cache
def best_fit(name: str, kind: Blinding = Blinding.OBSERVED) -> FitResult:
    signal = 1.0 if kind is Blinding.ASIMOV else None
    return fit(workspace(name, kind, signal=signal), level=ROBUST_LEVEL)


@pytest.mark.parametrize("name", CARDS)
def test_best_fit_and_interval(name: str) -> None:
    reference = expected(name)["fits"]["singles"]
    interval = best_fit(name).interval("r")
    sigma = (reference["r_high"] - reference["r_low"]) / 2
    assert best_fit(name).status.usable
    assert interval.best == pytest.approx(reference["r"], abs=0.01 * sigma)
    assert (interval.low, interval.high) == pytest.approx((reference["r_low"], reference["r_high"]), abs=0.01 * sigma)
    if reference["low_end_at_boundary"]:
        assert interval.low_status is Status.AT_BOUNDARY


@pytest.mark.parametrize("name", CARDS)
def test_asimov_interval(name: str) -> None:
    reference = expected(name)["fits"].get("asimov")
    if not reference or "r_low" not in reference:
        pytest.skip("Combine gives no Asimov interval for this card")
    interval = best_fit(name, Blinding.ASIMOV).interval("r")
    sigma = (reference["r_high"] - reference["r_low"]) / 2
    found = (interval.low, interval.best, interval.high)
    assert found == pytest.approx((reference["r_low"], reference["r"], reference["r_high"]), abs=0.01 * sigma)


@pytest.mark.parametrize("name", [card for card in CARDS if card not in COMBINE_STOPS_EARLY])
def test_limits(name: str) -> None:
    reference = expected(name)["limits"]
    result = limits(workspace(name, own_range=False))
    keys = ("minus2sigma", "minus1sigma", "median", "plus1sigma", "plus2sigma")
    # Combine's search stops at a half-width of 0.005 of the limit or 0.0005, whichever is larger.
    wanted = [reference[f"expected_{key}"] for key in keys]
    for limit, value in zip(result.expected, wanted, strict=True):
        assert limit.limit == pytest.approx(value, rel=6e-3, abs=6e-4)
    if reference.get("observed") is not None:
        assert result.observed is not None
        assert result.observed.limit == pytest.approx(reference["observed"], rel=5e-3)


@pytest.mark.parametrize("name", [card for card in CARDS if card not in COMBINE_STOPS_EARLY])
def test_significance(name: str) -> None:
    reference = (expected(name).get("significance") or {}).get("observed")
    if reference is None:
        pytest.skip("Combine gives no significance for this card")
    assert significance(workspace(name, own_range=False)).significance == pytest.approx(reference, abs=2e-3)


@pytest.mark.parametrize("name", [card for card in CARDS if card != "template-htt-part4"])
def test_scan(name: str) -> None:
    reference = expected(name)["fits"].get("scan")
    if not reference or not reference.get("points"):
        pytest.skip("Combine gives no scan for this card")
    points = [point for point in reference["points"] if math.isfinite(point["deltaNLL"])]
    result = scan(workspace(name), {"r": [point["r"] for point in points]})
    wanted = [point["deltaNLL"] for point in points]
    # Combine's minima are high by up to 1e-3 in difficult cards, and its values are single precision.
    assert result.delta_nll.tolist() == pytest.approx(wanted, rel=2e-3, abs=2e-3)
