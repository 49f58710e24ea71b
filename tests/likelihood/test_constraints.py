"""Constraint terms against their densities, one by one."""

import math

import numpy as np
import pytest
from scipy import stats

from pocket_combine.likelihood.constraints import Constraint, ConstraintKind, Constraints

SHAPE, SCALE = 25.0, 0.04


def density(constraint: Constraint, theta: float) -> float:
    """The term with all of Combine's constants."""
    g = constraint.observable
    low, high = constraint.width
    if constraint.kind is ConstraintKind.GAUSSIAN:
        return (theta - g) ** 2 / (2 * (low if theta < g else high) ** 2)
    if constraint.kind is ConstraintKind.POISSON:
        return float(-stats.poisson.logpmf(g, theta))
    if constraint.kind is ConstraintKind.GAMMA:
        return float(-stats.gamma.logpdf(theta, a=g, scale=low))
    if constraint.kind is ConstraintKind.FERMI_DIRAC:
        shift = theta - g
        return math.log(2 * (1 + math.exp(low * (shift - 1))) * (1 + math.exp(-low * (shift + 1))))
    return 0.0


CASES = [
    (Constraint(ConstraintKind.GAUSSIAN, 0.3), -1.7),
    (Constraint(ConstraintKind.GAUSSIAN, 0.3, (0.2, 0.7)), 0.9),
    (Constraint(ConstraintKind.GAUSSIAN, 0.3, (0.2, 0.7)), 0.1),
    (Constraint(ConstraintKind.POISSON, 7.0), 4.2),
    (Constraint(ConstraintKind.POISSON, 0.0), 0.4),
    (Constraint(ConstraintKind.POISSON, 1.0), 1e-6),
    (Constraint(ConstraintKind.GAMMA, SHAPE, (SCALE, SCALE)), 1.3),
    (Constraint(ConstraintKind.FERMI_DIRAC, 0.4, (5.0, 5.0)), -1.2),
    (Constraint(ConstraintKind.UNIFORM), 0.7),
]


@pytest.mark.parametrize(("constraint", "theta"), CASES)
def test_value_with_offset_and_derivatives(constraint: Constraint, theta: float) -> None:
    terms = Constraints([None, constraint])
    observables = np.array([[9.0], [constraint.observable]])

    def value(at: float) -> float:
        return float(terms.evaluate(np.array([[3.0], [at]]), observables).value[0])

    found = terms.evaluate(np.array([[3.0], [theta]]), observables)
    assert value(theta) + terms.offset(observables)[0] == pytest.approx(
        density(constraint, theta), rel=1e-11, abs=1e-12
    )
    step = 1e-4 * theta
    assert found.gradient[0, 0] == found.curvature[0, 0] == 0.0
    assert found.gradient[1, 0] == pytest.approx((value(theta + step) - value(theta - step)) / (2 * step), rel=1e-6)
    second = (value(theta + step) - 2 * value(theta) + value(theta - step)) / step**2
    assert found.curvature[1, 0] == pytest.approx(second, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize(("constraint", "theta"), CASES)
def test_preferred_point_costs_nothing(constraint: Constraint, theta: float) -> None:
    terms = Constraints([constraint])
    observables = np.array([[constraint.observable]])
    best = terms.preferred(observables)
    if constraint.observable > 0:
        assert terms.evaluate(best, observables).value[0] == pytest.approx(0.0, abs=1e-14)
    moved = terms.observables_at(np.array([[abs(theta)]]), observables)
    if constraint.kind is ConstraintKind.UNIFORM:
        assert moved.item() == constraint.observable
    else:
        assert terms.preferred(moved).item() == pytest.approx(abs(theta))


@pytest.mark.parametrize(("constraint", "theta"), CASES)
def test_information_is_the_curvature_where_the_observable_is_the_expected_one(
    constraint: Constraint, theta: float
) -> None:
    terms = Constraints([constraint])
    point = np.array([[abs(theta)]])
    moved = terms.observables_at(point, np.array([[constraint.observable]]))
    if constraint.is_asymmetric:  # half of the observables are above
        expected = sum(0.5 / width**2 for width in constraint.width)
    else:
        expected = terms.evaluate(point, moved).curvature.item()
    assert terms.information(point).item() == pytest.approx(expected)


def test_large_counts_keep_their_digits() -> None:
    terms = Constraints([Constraint(ConstraintKind.POISSON, 1e8)])
    one_sigma = np.array([[1e8 + 1e4]])
    # N (d²/2 - d³/3 + d⁴/4 - …) with d = 1e-4; the terms of θ - N ln θ are of order 1e9.
    expected = 0.5 - 1e-4 / 3 + 1e-8 / 4
    assert terms.evaluate(one_sigma, np.array([[1e8]])).value[0] == pytest.approx(expected, rel=2e-12)


def test_fixed_observables_do_not_move() -> None:
    terms = Constraints([Constraint(ConstraintKind.FERMI_DIRAC, 0.0, (5.0, 5.0), moves=False)])
    assert terms.observables_at(np.array([[0.8]]), np.zeros((1, 1))).item() == 0.0
