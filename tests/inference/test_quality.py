"""What a minimum is worth: covariances and flat directions, whichever way they are found."""

from __future__ import annotations

import numpy as np
import pytest

from pocket_combine.inference.minimise import Minimum, Outcome
from pocket_combine.inference.quality import FLAT, assess
from pocket_combine.results import Status
from pocket_combine.templates import FloatArray


def minimum(hessian: FloatArray) -> Minimum:
    size = len(hessian)
    free = np.zeros(size, dtype=bool)
    return Minimum(np.zeros(size), 0.0, np.zeros(size), hessian, free, 0.0, 1, 1, Outcome.CONVERGED)


def rotated(eigenvalues: FloatArray) -> FloatArray:
    """A matrix with unit diagonal, about, and the given smallest eigenvalue along (1, 1, ..., 1)."""
    size = eigenvalues.size
    along = np.full((size, 1), size**-0.5)
    basis = np.linalg.qr(np.concatenate([along, np.eye(size)[:, 1:]], axis=1))[0]
    result: FloatArray = (basis * eigenvalues) @ basis.T
    return result


@pytest.mark.parametrize("smallest", [1.0, 1e-3, 1e-7, 30 * FLAT, 3 * FLAT])
def test_covariance_is_the_inverse_of_the_hessian(smallest: float) -> None:
    # Far from flat it comes from a Cholesky factor, near it from eigenvectors: both are the inverse.
    hessian = rotated(np.array([smallest, 1.0, 1.1, 1.2]))
    quality = assess(minimum(hessian), ("a", "b", "c", "d"))
    assert quality.status is Status.CONVERGED
    np.testing.assert_allclose(quality.covariance, np.linalg.inv(hessian), rtol=1e-6)
    np.testing.assert_allclose(quality.covariance, quality.covariance.T, rtol=1e-12)


@pytest.mark.parametrize(
    ("smallest", "status"),
    [(0.1 * FLAT, Status.FLAT_DIRECTION), (0.0, Status.FLAT_DIRECTION), (-1e-3, Status.NOT_POSITIVE_DEFINITE)],
)
def test_flat_and_falling_directions_name_their_parameters(smallest: float, status: Status) -> None:
    hessian = rotated(np.array([smallest, 1.0, 1.1, 1.2]))
    quality = assess(minimum(hessian), ("a", "b", "c", "d"))
    assert quality.status is status
    assert set(quality.concerned) == {"a", "b", "c", "d"}
    assert not quality.covariance.size
