"""Results to JSON and back."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from pocket_combine.errors import ResultError
from pocket_combine.results import (
    ChannelYields,
    FitResult,
    Impact,
    ImpactResult,
    Interval,
    PostfitResult,
    Provenance,
    Quantile,
    Status,
)

PROVENANCE = Provenance("a1b2", "0.1.0", "asimov", {"expect_signal": 1.0}, 7)


def fit() -> FitResult:
    return FitResult(
        PROVENANCE,
        Status.AT_BOUNDARY,
        ("r",),
        ("r", "lumi"),
        np.array([True, False]),
        np.array([0.0, math.nan]),
        np.array([0.5, 0.0]),
        np.array([[0.25]]),
        3.5,
        -0.25,
        (Interval("r", 0.0, 0.0, math.inf, 0.5, Status.AT_BOUNDARY, Status.NOT_FOUND),),
        ("r",),
        12,
        np.array([[0.0, 0.0, 0.0], [-1.0, 0.0, 1.0]]),
        ("POI", "lnN"),
    )


def test_fit_result_survives_the_round_trip() -> None:
    again = FitResult.from_json(fit().to_json())
    assert again.to_json() == fit().to_json()
    assert again.status is Status.AT_BOUNDARY
    assert math.isnan(again.values[1])
    assert again.interval("r").high == math.inf
    assert again.floating.dtype == np.bool_
    assert again.provenance == PROVENANCE


def test_json_is_standard_and_names_its_type() -> None:
    plain = json.loads(fit().to_json(), parse_constant=lambda name: pytest.fail(f"{name} is not standard JSON"))
    assert plain["type"] == "FitResult"
    assert plain["values"] == [0.0, "nan"]
    assert plain["status"] == "at boundary"


def test_nested_results_survive_the_round_trip() -> None:
    statuses = (Status.CONVERGED, Status.NOT_FOUND)
    impact = Impact("lumi", "Gaussian", ("lumi",), (-1.0, 0.0, 1.0), (-0.9, 0.1, 1.1), {"r": (0.9, 1.0, 1.2)}, statuses)
    impacts = ImpactResult(PROVENANCE, (Interval("r", 1.0, 0.5, 1.5, 0.5),), (impact,))
    assert ImpactResult.from_json(impacts.to_json()) == impacts
    assert impact.impact("r") == pytest.approx(0.2)
    ones = np.ones((1, 1))
    channel = ChannelYields("SR", np.arange(2.0), ("bkg",), ones, ones, ones[0], ones[0], ones, (False,))
    postfit = PostfitResult(PROVENANCE, "prefit", "propagation", (channel,), {"SR/bkg": (1.0, 1.0)})
    again = PostfitResult.from_json(postfit.to_json())
    assert again.channels[0].expected.shape == (1, 1)
    assert again.channels[0].observed is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"type": "ScanResult"}, "holds 'ScanResult', expected a FitResult"),
        ({"nll": "much"}, "FitResult.nll is 'much', expected a number"),
        ({"status": "fine"}, "FitResult.status is 'fine', expected one of"),
        ({"extra": 1}, "the field 'extra' is unknown: available: "),
        ({"floating": 3}, "FitResult.floating is 3, expected a list of numbers"),
        ({"floating": [1, 0]}, r"FitResult.floating\[0\] is 1, expected bool"),
        ({"values": [0.0, "one"]}, r"FitResult.values\[1\] is 'one', expected a number"),
        ({"values": [0.0, None]}, r"FitResult.values\[1\] is None, expected a number"),
        ({"values": [0.0, 10**400]}, r"FitResult.values\[1\] is a number too large"),
        ({"prefit": [[0.0, 0.0], [1.0]]}, "FitResult.prefit is no array: its lists differ in length"),
        ({"values": [0.0]}, r"FitResult of 2 parameters: values has shape \(1,\), expected \(2,\)"),
        ({"covariance": [[1.0, 0.0], [0.0, 1.0]]}, r"covariance has shape \(2, 2\), expected \(1, 1\)"),
        ({"kinds": ["POI"]}, "kinds has 1 entries, expected 2"),
    ],
)
def test_wrong_contents_are_named(change: dict[str, object], message: str) -> None:
    plain = json.loads(fit().to_json()) | change
    with pytest.raises(ResultError, match=message):
        FitResult.from_json(json.dumps(plain))


def test_missing_fields_and_broken_text_are_named() -> None:
    plain = json.loads(fit().to_json())
    del plain["values"]
    with pytest.raises(ResultError, match="the field 'values' is missing"):
        FitResult.from_json(json.dumps(plain))
    with pytest.raises(ResultError, match="not JSON"):
        FitResult.from_json('{"type": ')
    with pytest.raises(ResultError, match="not JSON"):
        FitResult.from_json("9" * 5000)
    with pytest.raises(ResultError, match="not JSON"):
        FitResult.from_json("[" * 200_000)


def test_a_limit_that_was_not_found_is_not_a_number() -> None:
    quantile = Quantile(0.5, math.nan, Status.NOT_FOUND)
    assert not quantile.status.usable
    assert "widen the range" in quantile.status.advice
