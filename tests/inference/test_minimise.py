"""The trust-region minimiser: known minima, bounds, curvature of either sign, and how it ends."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import scipy.optimize
from hypothesis import given, settings
from hypothesis import strategies as st

from pocket_combine.inference.minimise import MinimiserOptions, Outcome, minimise
from pocket_combine.inference.trust_region import trust_region_step
from pocket_combine.templates import FloatArray


class Function:
    """A function with its derivatives that counts its calls."""

    def __init__(
        self,
        value: Callable[[FloatArray], float],
        gradient: Callable[[FloatArray], FloatArray],
        hessian: Callable[[FloatArray], FloatArray],
    ) -> None:
        self._parts = value, gradient, hessian
        self.calls = 0

    def value(self, point: FloatArray) -> float:
        self.calls += 1
        return float(self._parts[0](point))

    def derivatives(self, point: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        self.calls += 1
        value, gradient, hessian = self._parts
        return float(value(point)), gradient(point), hessian(point)


def rosenbrock() -> Function:
    return Function(scipy.optimize.rosen, scipy.optimize.rosen_der, scipy.optimize.rosen_hess)


def quadratic(matrix: FloatArray, centre: FloatArray) -> Function:
    return Function(
        lambda point: float((point - centre) @ matrix @ (point - centre) / 2),
        lambda point: matrix @ (point - centre),
        lambda _: matrix,
    )


def unbounded(size: int) -> tuple[FloatArray, FloatArray]:
    return np.full(size, -np.inf), np.full(size, np.inf)


def test_curved_valley_is_followed_to_the_minimum() -> None:
    minimum = minimise(rosenbrock(), np.array([-1.2, 1.0]), *unbounded(2), MinimiserOptions(tolerance=1e-14))
    assert minimum.outcome is Outcome.CONVERGED
    assert minimum.point == pytest.approx([1, 1], abs=1e-5)
    assert minimum.steps < 40


def test_evaluations_are_counted() -> None:
    function = rosenbrock()
    minimum = minimise(function, np.array([-1.2, 1.0]), *unbounded(2))
    assert minimum.evaluations == function.calls


@pytest.mark.parametrize("size", [2, 5, 12])
def test_bounded_minimum_equals_the_one_of_scipy(size: int) -> None:
    generator = np.random.default_rng(size)
    lower, upper = np.full(size, -2.0), np.full(size, 0.5)
    minimum = minimise(rosenbrock(), generator.normal(size=size), lower, upper)
    judge = scipy.optimize.minimize(
        scipy.optimize.rosen,
        minimum.point + 0.01,
        jac=scipy.optimize.rosen_der,
        bounds=list(zip(lower, upper, strict=True)),
        method="L-BFGS-B",
        options={"ftol": 1e-15, "gtol": 1e-9},
    )
    assert minimum.outcome is Outcome.CONVERGED
    assert minimum.value == pytest.approx(float(judge.fun), abs=1e-7)
    assert minimum.at_bound[0]


@given(st.integers(1, 8), st.integers(0, 10_000))
@settings(deadline=None, max_examples=60)
def test_quadratic_in_a_box_meets_the_optimality_conditions(size: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    root = generator.normal(size=(size, size))
    scales = np.exp(generator.uniform(-4, 4, size=size))
    matrix = scales[:, np.newaxis] * (root @ root.T + 0.1 * np.eye(size)) * scales
    centre = generator.normal(size=size) / scales
    lower, upper = -np.abs(generator.normal(size=size)) / scales, np.abs(generator.normal(size=size)) / scales
    minimum = minimise(quadratic(matrix, centre), np.zeros(size), lower, upper)
    assert minimum.outcome is Outcome.CONVERGED
    gradient = matrix @ (minimum.point - centre) / scales
    inside = (minimum.point > lower) & (minimum.point < upper)
    assert gradient[inside] == pytest.approx(0, abs=1e-3)
    assert (gradient[minimum.point <= lower] >= -1e-3).all()
    assert (gradient[minimum.point >= upper] <= 1e-3).all()


def test_equal_bounds_freeze_a_parameter() -> None:
    minimum = minimise(
        quadratic(np.array([[2.0, 1.0], [1.0, 2.0]]), np.zeros(2)),
        np.array([5.0, 1.0]),
        np.array([-np.inf, 1.0]),
        np.array([np.inf, 1.0]),
    )
    assert minimum.point == pytest.approx([-0.5, 1.0])
    assert not minimum.at_bound.any()


def test_maximum_and_saddle_are_left() -> None:
    function = Function(
        lambda point: float(point[0] ** 4 / 4 - point[0] ** 2 / 2),
        lambda point: np.array([point[0] ** 3 - point[0]]),
        lambda point: np.array([[3 * point[0] ** 2 - 1]]),
    )
    minimum = minimise(function, np.array([1e-3]), *unbounded(1))
    assert minimum.point == pytest.approx([1.0], abs=1e-4)


def test_a_function_that_is_not_finite_at_the_start_is_said_so() -> None:
    function = Function(lambda _: np.nan, lambda _: np.full(1, np.nan), lambda _: np.full((1, 1), np.nan))
    assert minimise(function, np.zeros(1), *unbounded(1)).outcome is Outcome.NOT_FINITE


def test_a_wall_of_infinite_values_is_backed_off_from() -> None:
    function = Function(
        lambda point: float(point[0] - np.log(point[0])) if point[0] > 0 else np.inf,
        lambda point: np.array([1 - 1 / point[0]]),
        lambda point: np.array([[1 / point[0] ** 2]]),
    )
    minimum = minimise(function, np.array([7.0]), *unbounded(1))
    assert minimum.outcome is Outcome.CONVERGED
    assert minimum.point == pytest.approx([1.0], abs=1e-4)


def test_a_fall_without_end_stops_at_the_step_limit() -> None:
    function = Function(lambda point: float(-point[0]), lambda _: np.array([-1.0]), lambda _: np.zeros((1, 1)))
    options = MinimiserOptions(max_steps=7)
    minimum = minimise(function, np.zeros(1), *unbounded(1), options)
    assert minimum.outcome is Outcome.STEP_LIMIT
    assert minimum.steps == 7


@given(st.integers(1, 6), st.integers(0, 10_000), st.floats(0.01, 10))
@settings(deadline=None, max_examples=80)
def test_step_beats_random_steps_in_the_ball(size: int, seed: int, radius: float) -> None:
    generator = np.random.default_rng(seed)
    root = generator.normal(size=(size, size))
    hessian = (root + root.T) / 2
    gradient = generator.normal(size=size)

    def model(step: FloatArray) -> float:
        return float(gradient @ step + step @ hessian @ step / 2)

    step = trust_region_step(gradient, hessian, radius)
    assert np.linalg.norm(step) <= radius * (1 + 1e-9)
    directions = generator.normal(size=(200, size))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    # The step's length is right to 1 % of the radius, its model value to twice that.
    best = min(model(radius * length * direction) for direction in directions for length in (0.3, 0.9))
    assert model(step) <= best * 0.97


def poisson_regression(seed: int, size: int) -> tuple[Function, FloatArray]:
    """Return a convex likelihood whose minimum is far from 0 in units of its curvature, and half the width of a box."""
    generator = np.random.default_rng(seed)
    slopes = 0.3 * generator.normal(size=(2 * size, size)) * 10 ** generator.uniform(-1, 1, size=size)
    data = generator.poisson(10 ** generator.uniform(0, 3, size=2 * size)).astype(np.float64)

    def expected(point: FloatArray) -> FloatArray:
        return np.exp(np.clip(slopes @ point, -700.0, 700.0))

    function = Function(
        lambda point: float((expected(point) - data * (slopes @ point)).sum() + point @ point / 2),
        lambda point: slopes.T @ (expected(point) - data) + point,
        lambda point: slopes.T @ (expected(point)[:, np.newaxis] * slopes) + np.eye(size),
    )
    return function, generator.uniform(0.3, 4.0, size)


@pytest.mark.parametrize(("seed", "size"), [(1, 4), (2, 8), (5, 8), (9, 8), (0, 16), (1, 16), (0, 40), (1, 40)])
def test_steps_that_are_cut_at_many_bounds_do_not_repeat(seed: int, size: int) -> None:
    function, edges = poisson_regression(seed, size)
    minimum = minimise(function, np.zeros(size), -edges, edges)
    assert minimum.outcome is Outcome.CONVERGED
    slope, curvature = minimum.gradient, np.sqrt(np.diag(minimum.hessian))
    # The function is convex: these conditions hold at its minimum only.
    low, high = minimum.point == -edges, minimum.point == edges
    assert (low | high).any()
    assert (slope[low] >= 0).all()
    assert (slope[high] <= 0).all()
    assert (np.abs(slope / curvature)[~low & ~high] < 1e-3).all()


def test_expected_curvature_leads_through_a_region_that_curves_downwards() -> None:
    # Least squares of residuals x² - 4, as a likelihood: far inside, at 0.1, the exact curvature is negative.
    size = 6
    residual = Function(
        lambda point: float(((point**2 - 4.0) ** 2).sum() / 2),
        lambda point: 2.0 * point * (point**2 - 4.0),
        lambda point: np.diag(6.0 * point**2 - 8.0),
    )
    asked: list[FloatArray] = []

    def information(point: FloatArray) -> FloatArray:
        asked.append(point)
        return np.diag(4.0 * point**2)

    start = np.linspace(0.5, 1.0, size)
    minimum = minimise(residual, start, *unbounded(size), information=information)
    assert minimum.outcome is Outcome.CONVERGED
    assert minimum.point == pytest.approx(np.full(size, 2.0), abs=1e-4)
    # It is asked for only where the Hessian is indefinite, and what is returned is the Hessian.
    assert asked
    assert all((6.0 * point**2 < 8.0).any() for point in asked)
    np.testing.assert_allclose(minimum.hessian, np.diag(6.0 * minimum.point**2 - 8.0))
