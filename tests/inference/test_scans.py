"""Scans: beside fits of single points, by hand, and the same wherever they run."""

from __future__ import annotations

import math

import numpy as np
import pytest
from model_cards import counting, shape_workspace

from pocket_combine.errors import CardError
from pocket_combine.execution import ProcessExecutor
from pocket_combine.inference.levels import interval_level
from pocket_combine.inference.questions import fit
from pocket_combine.inference.scans import grid_values, scan
from pocket_combine.inference.workspace import Workspace
from pocket_combine.results import ScanResult, Status


@pytest.fixture(scope="module")
def shapes() -> Workspace:
    return shape_workspace()


GRID = {"r": grid_values(-2.0, 4.0, 9), "norm0": grid_values(-1.5, 1.5, 4)}


@pytest.fixture(scope="module")
def plane(shapes: Workspace) -> ScanResult:
    return scan(shapes, GRID)


def test_points_are_fits_with_fixed_parameters(shapes: Workspace, plane: ScanResult) -> None:
    assert plane.points.shape == (36, 2)
    assert set(plane.statuses) == {Status.CONVERGED}
    fitter = shapes.fitter()
    best = fitter.best()
    positions = fitter.parameters.indices(plane.scanned)
    assert plane.best == pytest.approx(best.theta[positions], abs=1e-5)
    for at in range(0, 36, 5):
        fixed = dict(zip(positions.tolist(), plane.points[at].tolist(), strict=True))
        assert plane.delta_nll[at] == pytest.approx(fitter.best(None, fixed).nll - best.nll, abs=1e-7)


def test_points_do_not_depend_on_where_they_are_fitted(shapes: Workspace, plane: ScanResult) -> None:
    calls: list[tuple[int, int, str]] = []

    def progress(done: int, total: int, label: str) -> None:
        calls.append((done, total, label))

    parallel = scan(shapes, GRID, executor=ProcessExecutor(2), progress=progress)
    assert parallel.to_json() == plane.to_json()
    assert calls[0] == (0, 36, "")
    assert calls[1] == (5, 36, "r = -1.667 to -1, norm0 = -1.125")
    assert [done for done, _, _ in calls] == [0, 5, 10, 15, 20, 24, 28, 32, 36]


def test_interval_at_another_level() -> None:
    # A count of 110 with an expectation of 10 r + 100: n ln λ - λ falls by 1.92 at the ends.
    workspace = counting("", ranges={"r": (-8.0, 12.0)})
    level = interval_level(0.95)
    result = scan(workspace, {"r": grid_values(0.0, 2.0, 3)}, level=level)
    (interval,) = result.crossings
    for end in (interval.low, interval.high):
        expected = 100 + 10 * end
        assert expected - 110 + 110 * math.log(110 / expected) == pytest.approx(level, rel=1e-4)
    assert fit(workspace, level=level).interval("r").low == pytest.approx(interval.low, abs=1e-4)


@pytest.mark.parametrize(("confidence_level", "level"), [(0.6826894921, 0.5), (0.68, 0.494473), (0.95, 1.920729)])
def test_levels(confidence_level: float, level: float) -> None:
    assert interval_level(confidence_level) == pytest.approx(level, abs=1e-6)


@pytest.mark.parametrize("confidence_level", [0.0, 1.0, 95.0, math.nan])
def test_wrong_levels(confidence_level: float) -> None:
    with pytest.raises(CardError, match="expected a number between 0 and 1"):
        interval_level(confidence_level)


@pytest.mark.parametrize("values", [[], [0.0, math.nan]])
def test_grids_without_values(values: list[float]) -> None:
    with pytest.raises(CardError, match="the grid of r needs one value at least, and finite ones"):
        scan(counting(""), {"r": values})


def test_points_that_fail_are_said_so() -> None:
    # 100 + 10 r is negative at r = -12.
    workspace = counting("", ranges={"r": (-20.0, 12.0)})
    result = scan(workspace, {"r": np.array([-12.0, 0.0, 1.0])})
    assert [status.usable for status in result.statuses] == [False, True, True]
    assert result.delta_nll[2] == pytest.approx(0.0, abs=1e-9)
