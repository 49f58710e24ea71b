"""Roots between two points."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from pocket_combine.inference.roots import bracketed_root

FUNCTIONS: dict[str, tuple[Callable[[float], float], float, float, float]] = {
    "straight": (lambda x: 3.0 * x - 1.0, 0.0, 5.0, 1.0 / 3.0),
    "downwards": (lambda x: 2.0 - x**3, 0.0, 3.0, 2.0 ** (1.0 / 3.0)),
    "exponential": (lambda x: math.exp(x) - 1e6, -5.0, 40.0, 6.0 * math.log(10.0)),
    "logarithm": (lambda x: math.log(x) + 3.0, 1e-9, 100.0, math.exp(-3.0)),
    "step": (lambda x: math.atan(1e6 * (x - 0.123)), -1.0, 1.0, 0.123),
    "other way round": (lambda x: math.cos(x) - x, 2.0, -1.0, 0.7390851332151607),
}
"""Function, two points, and the root between them."""


@pytest.mark.parametrize("name", FUNCTIONS)
def test_roots_are_found(name: str) -> None:
    function, low, high, root = FUNCTIONS[name]
    calls: list[float] = []

    def counted(x: float) -> float:
        calls.append(x)
        return function(x)

    found = bracketed_root(counted, (low, high), (function(low), function(high)), 1e-12)

    assert found == pytest.approx(root, abs=2e-12)
    assert len(calls) < 35


def test_a_negligible_value_is_a_root() -> None:
    found = bracketed_root(lambda x: x - 1.0, (0.0, 3.0), (-1.0, 2.0), 0.0, negligible=0.1)

    assert found == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize(
    ("values", "root"), [((0.0, 1.0), 2.0), ((-1.0, 0.0), 5.0), ((1.0, 2.0), math.nan), ((math.nan, 1.0), math.nan)]
)
def test_ends_are_looked_at_first(values: tuple[float, float], root: float) -> None:
    never: Callable[[float], float] = lambda x: pytest.fail(f"called at {x}")  # noqa: E731

    assert bracketed_root(never, (2.0, 5.0), values, 1e-9) == pytest.approx(root, nan_ok=True)


def test_a_function_that_fails_has_no_root() -> None:
    assert math.isnan(bracketed_root(lambda _: math.nan, (0.0, 1.0), (-1.0, 1.0), 1e-9))
