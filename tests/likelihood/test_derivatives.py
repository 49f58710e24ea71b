"""Gradients and Hessians against differences, at random points and where pieces of functions meet."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from random_cards import random_case, random_point
from test_mini_card import mini_model

from pocket_combine.card.model import AutoMCStats
from pocket_combine.likelihood import Data, Likelihood, Model, build_model
from pocket_combine.likelihood.effects import rounded_abs
from pocket_combine.templates import FloatArray


def differences(function: Callable[[FloatArray], FloatArray], point: FloatArray, step: float = 1e-5) -> FloatArray:
    """Central differences, the differentiated variable last."""
    steps = step * np.maximum(1.0, np.abs(point))
    moved = np.concatenate([point + np.diag(steps), point - np.diag(steps)])
    values = function(moved)
    size = point.size
    slopes = (values[:size] - values[size:]) / (2.0 * steps).reshape(-1, *([1] * (values.ndim - 1)))
    return np.moveaxis(slopes, 0, -1)


def assert_derivatives(likelihood: Likelihood, point: FloatArray, tolerance: float = 1e-6) -> None:
    found = likelihood.evaluate(point)
    assert found.value == likelihood.value(point)
    slow_gradient = differences(likelihood.value, point)
    slow_hessian = differences(likelihood.gradient, point)
    scale = 1.0 + np.abs(slow_gradient) + 0.01 * np.abs(found.value)
    assert np.max(np.abs(found.gradient - slow_gradient) / scale) < tolerance
    diagonal = np.abs(np.diag(slow_hessian))
    scale = 1.0 + np.sqrt(np.outer(diagonal, diagonal)) + np.abs(slow_hessian)
    assert np.max(np.abs(found.hessian - slow_hessian) / scale) < tolerance
    np.testing.assert_allclose(likelihood.gradient(point), found.gradient, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(found.hessian, found.hessian.T, rtol=1e-10, atol=1e-12 * np.abs(found.hessian).max())


def data_with_zeros(model: Model, rng: np.random.Generator) -> Data:
    """Fluctuated data, some bins empty, and moved global observables."""
    theta = random_point(model, rng)
    observed = rng.poisson(np.maximum(model.totals(theta), 0.0)) * (rng.random(model.bin_count) > 0.3)
    observables = model.parameters.constraints.observables_at(theta[:, None], model.parameters.observables[:, None])
    return Data(observed.astype(float), observables[:, 0])


@pytest.mark.parametrize("profile", [False, True])
@pytest.mark.parametrize("seed", range(30))
def test_random_cards(seed: int, profile: bool) -> None:
    case = random_case(seed)
    rng = np.random.default_rng(seed)
    model = build_model(case.card, case.templates, pois=case.pois, exact=seed % 3 == 0)
    likelihood = model.likelihood(data_with_zeros(model, rng), profile=profile)
    point = random_point(model, rng)[: len(likelihood.parameters)]
    if np.isfinite(likelihood.value(point)):
        assert_derivatives(likelihood, point)


@pytest.mark.parametrize("seed", range(60, 75))
def test_some_bin_parameters_explicit_and_the_others_profiled(seed: int) -> None:
    case = random_case(seed)
    rng = np.random.default_rng(seed)
    model = build_model(case.card, case.templates, pois=case.pois)
    explicit = [name for name in model.bin_parameters if rng.random() < 0.5]
    likelihood = model.likelihood(data_with_zeros(model, rng), explicit=explicit)
    values = model.parameters.values(random_point(model, rng))
    point = np.array([values[name] for name in likelihood.parameters.names])
    if np.isfinite(likelihood.value(point)):
        assert_derivatives(likelihood, point)
        slow = differences(likelihood.complete, point, 1e-6)
        np.testing.assert_allclose(likelihood.response(point), slow, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("strength", [-3.0, 0.5, 2.0])
@pytest.mark.parametrize("observed", [(7, 5, 1), (0, 12, 30), (40, 0, 2)])
@pytest.mark.parametrize("empty", [(0, 1, 2), (3, 5), (0, 4)])
def test_counts_of_nothing(strength: float, observed: tuple[int, ...], empty: tuple[int, ...]) -> None:
    model = mini_model(mc_stats=(AutoMCStats("c", 400, include_signal=True),))
    observables = model.parameters.observables.copy()
    observables[[model.parameters.index(model.bin_parameters[at]) for at in empty]] = 0.0
    likelihood = model.likelihood(Data(np.array(observed, dtype=float), observables))
    names = likelihood.parameters.names
    point = np.array([{"r": strength, "l": 0.3, "s": -0.4}[name] for name in names])
    assert_derivatives(likelihood, point)
    slow = differences(likelihood.complete, point, 1e-6)
    np.testing.assert_allclose(likelihood.response(point), slow, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("width", [0.5, 1.0, 3.0])
def test_rounded_abs_is_smooth_at_its_seams(width: float) -> None:
    for seam in (-width, 0.0, width):
        below, above = (rounded_abs(np.array([seam + step]), width) for step in (-1e-9, 1e-9))
        for low, high in zip(below, above, strict=True):
            assert low == pytest.approx(high, abs=1e-7)
    theta = np.array([-4.0, -0.3, 0.0, 0.1, 5.0])
    result = rounded_abs(theta, width)
    np.testing.assert_allclose(
        differences(lambda x: rounded_abs(x, width).value, theta).diagonal(), result.first, atol=1e-9
    )
    np.testing.assert_allclose(
        differences(lambda x: rounded_abs(x, width).first, theta).diagonal(), result.second, atol=1e-7
    )


@pytest.mark.parametrize("kind", ["shape", "shapeN"])
@pytest.mark.parametrize("theta", [-1.0, -0.5, 0.0, 0.5, 1.0, -2.7, 3.2])
def test_seams_of_log_normals_and_morphs(kind: str, theta: float) -> None:
    model = mini_model(kind)
    # Third derivatives jump at a seam: a difference of second ones is wrong by the step of 1e-5 times the jump.
    assert_derivatives(model.likelihood(), model.parameters.vector({"r": 1.3, "l": theta, "s": theta}), 1e-5)


@pytest.mark.parametrize("line", [AutoMCStats("c", 0), AutoMCStats("c", 400, include_signal=True)])
def test_cropped_bins_have_no_derivative(line: AutoMCStats) -> None:
    # Four standard deviations take the last bin of the background below zero in a steeper variation.
    model = mini_model(mc_stats=(line,))
    likelihood = model.likelihood(profile=False)
    point = model.parameters.vector({"r": -3.0, "s": 4.0})
    totals = model.totals(point)
    assert totals.min() == 1e-9
    found = likelihood.gradient(point)
    np.testing.assert_allclose(found, differences(likelihood.value, point), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("seed", range(30, 40))
def test_jacobians_of_expected_events(seed: int) -> None:
    case = random_case(seed)
    model = build_model(case.card, case.templates, pois=case.pois)
    theta = random_point(model, np.random.default_rng(seed))
    np.testing.assert_allclose(model.total_jacobian(theta), differences(model.totals, theta), rtol=1e-5, atol=1e-6)
    for channel in model.channels:
        name = channel.name

        def processes(point: FloatArray, name: str = name) -> FloatArray:
            return model.expected(point).shifted[name]

        np.testing.assert_allclose(
            model.shifted_jacobian(theta, name), differences(processes, theta), rtol=1e-5, atol=1e-6
        )


@pytest.mark.parametrize("seed", range(40, 52))
def test_fisher_information_is_the_hessian_where_data_equal_the_expectation(seed: int) -> None:
    case = random_case(seed)
    # constr lines have no global observable that could move their minimum.
    card = replace(case.card, constraints=())
    model = build_model(card, case.templates, pois=case.pois, exact=True)
    theta = random_point(model, np.random.default_rng(seed))
    data = model.asimov(theta, move_global_observables=True)
    if data.observations.min() <= 0.0:
        pytest.skip("a bin without expectation")
    # At the mean of an asymmetric Gaussian the second derivative jumps; its information is that of both sides.
    symmetric = [p.constraint is None or not p.constraint.is_asymmetric for p in model.parameters]
    for profile in (False, True):
        likelihood = model.likelihood(data, profile=profile)
        point = theta[: len(likelihood.parameters)]
        kept = np.flatnonzero(symmetric[: point.size])
        hessian, fisher = likelihood.hessian(point), likelihood.fisher(point)
        scale = np.sqrt(np.outer(np.diag(fisher), np.diag(fisher))) + 1e-12
        assert np.max(np.abs((hessian - fisher) / scale)[np.ix_(kept, kept)]) < 1e-9
