"""The weights of pieces, against a general solver and by the conditions of a minimum."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.optimize

from pocket_combine.inference.kinks import _weights
from pocket_combine.templates import FloatArray


def problem(seed: int, count: int, dimensions: int) -> tuple[FloatArray, FloatArray]:
    random = np.random.default_rng(seed)
    half = random.normal(size=(dimensions, count)) * 10.0 ** random.uniform(-3, 3)
    return half.T @ half, -(random.exponential(size=count) * 10.0 ** random.uniform(-3, 3))


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize(("count", "dimensions"), [(2, 1), (5, 3), (16, 4), (16, 30)])
def test_weights_are_those_of_a_general_solver_or_better(seed: int, count: int, dimensions: int) -> None:
    products, offsets = problem(seed, count, dimensions)
    weights = _weights(products, offsets)
    judge = scipy.optimize.minimize(
        lambda w: 0.5 * w @ products @ w - offsets @ w,
        np.full(count, 1.0 / count),
        jac=lambda w: products @ w - offsets,
        bounds=[(0.0, 1.0)] * count,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1.0, "jac": lambda _: np.ones(count)},
        method="SLSQP",
        options={"ftol": 1e-15, "maxiter": 300},
    )
    reached = 0.5 * weights @ products @ weights - offsets @ weights

    assert (weights >= 0.0).all()
    assert weights.sum() == pytest.approx(1.0, rel=1e-14)
    assert reached <= judge.fun + 1e-9 * abs(judge.fun)
    gradient = products @ weights - offsets
    scale = float(max(np.abs(products).max(), np.abs(offsets).max()))
    assert (gradient >= gradient @ weights - 1e-9 * scale).all()


def test_pieces_that_repeat_share_their_weight_with_no_harm() -> None:
    half = np.array([[1.0, 1.0, -1.0, -1.0]])

    weights = _weights(half.T @ half, np.zeros(4))

    assert weights[:2].sum() == pytest.approx(0.5)
    assert weights[2:].sum() == pytest.approx(0.5)


def test_one_piece_has_all_the_weight() -> None:
    assert _weights(np.array([[3.0]]), np.array([-1.0])).tolist() == [1.0]
