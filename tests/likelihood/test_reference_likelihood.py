"""Every card of the reference material against Combine's numbers, at every recorded point."""

import functools
import math
from typing import Any

import numpy as np
import pytest
import reference_cards
from reference_cards import NAMES, loaded

from pocket_combine.likelihood import Model, build_model

KINDS = {"gaussian": "gaussian", "bifurgauss": "gaussian", "poisson": "poisson", "uniform": "uniform"}


@functools.cache
def load(name: str) -> tuple[Model, dict[str, Any]]:
    card = loaded(name)
    return build_model(card.card, card.templates), reference_cards.expected(name)


@pytest.mark.parametrize("name", NAMES)
def test_expected_events_and_nll(name: str) -> None:
    model, expected = load(name)
    likelihood = model.likelihood(profile=False)
    start = float(likelihood.value(model.parameters.initial))
    for point in expected["points"]:
        known = {key: value for key, value in point["parameters"].items() if key in model.parameters}
        theta = model.parameters.vector(known)
        found = model.expected(theta)
        for channel in model.channels:
            recorded = point["yields"][channel.name]
            for row, process in enumerate(channel.processes):
                assert_close(found.processes[channel.name][row], recorded["processes"][process])
                if "processes_with_mcstat" in recorded:
                    assert_close(found.shifted[channel.name][row], recorded["processes_with_mcstat"][process])
            left_out = set(recorded["processes"]) - set(channel.processes)
            assert all(not any(recorded["processes"][process]) for process in left_out)
            assert_close(found.totals[channel.name], recorded["total"])
        delta = point["nll"]["combine_delta"]
        if delta is None:
            assert likelihood.value(theta) == np.inf
        else:
            assert float(likelihood.value(theta)) - start == pytest.approx(delta, abs=1e-6)


def assert_close(found: Any, recorded: list[float]) -> None:
    np.testing.assert_allclose(found, recorded, rtol=1e-9, atol=0)


@pytest.mark.parametrize("name", NAMES)
def test_parameters(name: str) -> None:
    model, expected = load(name)
    # RooFit objects of FAKE channels bring a variable that nothing depends on.
    recorded = {item["name"]: item for item in expected["model"]["nuisances"] if item["type"] != "other"}
    assert set(model.parameters.names) - set(model.parameters.pois) == set(recorded)
    for parameter in model.parameters:
        if parameter.is_signal_strength:
            continue
        item = recorded[parameter.name]
        assert parameter.kind == item["type"]
        assert parameter.initial == pytest.approx(item["nominal"], abs=1e-12)
        low, high = (float(text) for text in item["range"])
        kind = item["constraint"]["kind"]
        # ROOT's quantile of the chi-square distribution is good to 1e-4 for ranges of event counts in bins.
        tolerance = 2e-4 if kind == "poisson" and parameter.kind == "autoMCStats" else 1e-9
        assert parameter.range == pytest.approx((low, high), rel=tolerance)
        assert sorted(set(parameter.groups) - {"autoMCStats"}) == sorted(set(item.get("groups", [])) - {"autoMCStats"})
        assert (parameter.constraint is None) == (kind == "none")
        if parameter.constraint is not None:
            assert parameter.constraint.kind.value == KINDS[kind]
            mean = item["constraint"].get("mean", item["constraint"].get("observed", 0.0))
            assert parameter.constraint.observable == pytest.approx(mean, abs=1e-12)
            assert parameter.constraint.is_asymmetric == (kind == "bifurgauss")


@pytest.mark.parametrize("name", NAMES)
def test_profiled_value_is_not_above_combines_fit(name: str) -> None:
    """At the parameters of Combine's best fit, bin parameters profiled here do at least as well as its own values."""
    model, expected = load(name)
    best = next((point for point in expected["points"] if point["name"] == "best_fit"), None)
    if best is None or best["nll"]["combine_delta"] is None:
        pytest.skip("Combine recorded no best fit")
    theta = model.parameters.vector({k: v for k, v in best["parameters"].items() if k in model.parameters})
    profiled = model.likelihood()
    value = float(profiled.value(theta[: len(profiled.parameters)]))
    explicit = float(model.nll(theta))
    assert value <= explicit + 1e-9
    assert math.isclose(value, explicit, abs_tol=0.05)
