"""Profiled bin parameters: at their minimum, and the closed form that Combine uses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_cards import random_case, random_point
from scipy.optimize import minimize_scalar

from pocket_combine.likelihood import Data, build_model
from pocket_combine.likelihood.profiling import ProcessTerms, solve_processes, solve_totals
from pocket_combine.templates import FloatArray


def combine_solution(base: float, error: float, observed: float, observable: float) -> float:
    """The root that Combine takes (`src/CMSHistErrorPropagator.cc`), for error > 0."""
    b = error + base / error - observable
    c = base - observed - base / error * observable
    t = -(b + np.copysign(np.sqrt(b * b - 4 * c), b)) / 2
    return float(max(t, c / t)) if t != 0 else 0.0


@given(
    base=st.floats(0.01, 1e5),
    relative=st.floats(0.001, 1.5),
    observed=st.integers(0, 100_000),
    observable=st.floats(-3, 3),
)
def test_one_parameter_is_combines_root(base: float, relative: float, observed: int, observable: float) -> None:
    error = base * relative
    solution = solve_totals(*(np.array([[value]]) for value in (base, error**2, float(observed), observable)))
    expected = combine_solution(base, error, observed, observable)
    assert solution.parameter.item() == pytest.approx(expected, rel=1e-6, abs=1e-6)
    assert solution.expected.item() == pytest.approx(base + error * solution.parameter.item(), abs=1e-6 * base)


@given(base=st.floats(0.1, 1e3), relative=st.floats(0.01, 0.9), observed=st.integers(0, 2000))
def test_one_parameter_is_at_the_minimum(base: float, relative: float, observed: int) -> None:
    error = base * relative

    def term(x: float) -> float:
        expected = max(base + error * x, 1e-9)
        return float(expected - (observed * np.log(expected) if observed else 0.0) + x**2 / 2)

    found = solve_totals(*(np.array([[value]]) for value in (base, error**2, float(observed), 0.0))).parameter.item()
    slow = minimize_scalar(term, bounds=(-base / error, 200.0), method="bounded", options={"xatol": 1e-10})
    assert term(found) <= slow.fun + 1e-9 * max(1.0, abs(slow.fun))


def process_terms(is_count: list[bool], amplitude: list[float], observable: list[float]) -> ProcessTerms:
    column = (np.array(values, dtype=float)[:, None] for values in (amplitude, observable))
    zeros = np.zeros(len(is_count), dtype=np.intp)
    return ProcessTerms(zeros, np.zeros(1, dtype=np.intp), np.array(is_count)[:, None], *column)


terms = st.lists(st.tuples(st.booleans(), st.floats(0.001, 20.0), st.integers(1, 50)), min_size=1, max_size=5)


@given(base=st.floats(0.0, 50.0), observed=st.integers(0, 300), entries=terms)
def test_several_parameters_are_stationary(base: float, observed: int, entries: list[tuple[bool, float, int]]) -> None:
    chosen = process_terms(
        [count for count, _, _ in entries],
        [amplitude for _, amplitude, _ in entries],
        [float(k) if count else 0.0 for count, _, k in entries],
    )
    # A count contributes at its observed value already; a Gaussian needs something to move around.
    base = base + sum(amplitude for count, amplitude, _ in entries if not count) * 0.5 + 0.01
    slope, values = solve_processes(np.array([[base]]), np.array([[float(observed)]]), chosen)
    expected = base + float((chosen.amplitude * values).sum())
    if observed:
        assert slope.item() == pytest.approx(1.0 - observed / expected, rel=1e-8, abs=1e-8)
        assert expected > 0
    else:
        assert slope.item() == 1.0 or expected == pytest.approx(0.0, abs=1e-7 * base)
    assert np.all(values[chosen.is_count] > 0)


signed = st.floats(0.01, 20.0) | st.floats(-20.0, -0.01)
any_terms = st.lists(st.tuples(st.booleans(), signed, st.integers(0, 3)), min_size=1, max_size=5)


@given(base=st.floats(0.0, 50.0), observed=st.integers(0, 300), entries=any_terms)
def test_counts_of_nothing_and_negative_amplitudes(
    base: float, observed: int, entries: list[tuple[bool, float, int]]
) -> None:
    # The function is convex, so that the conditions of Karush, Kuhn and Tucker are enough for a minimum.
    gaussian = [(False, 3.0, 0)] if observed else []
    chosen = process_terms(*(list(column) for column in zip(*entries, *gaussian, strict=True)))
    with np.errstate(all="ignore"):  # as in likelihoods
        slope, values = solve_processes(np.array([[base]]), np.array([[float(observed)]]), chosen)
    mu, flow = slope.item(), (chosen.amplitude * values).ravel()
    expected = base + float(flow.sum())
    size = 1.0 + base + float(np.abs(flow).sum())
    if observed:
        assert mu < 1.0
        assert expected == pytest.approx(observed / (1.0 - mu), abs=1e-9 * size)
    elif expected > 1e-9 * size:
        assert mu == 1.0
    else:
        assert mu == 0.0 or expected == pytest.approx(0.0, abs=1e-9 * size)
    for is_count, amplitude, observable, value in zip(
        chosen.is_count.ravel(), chosen.amplitude.ravel(), chosen.observable.ravel(), values.ravel(), strict=True
    ):
        if not is_count:
            assert value == pytest.approx(observable - amplitude * mu)
        elif observable:
            assert value > 0.0
            assert 1.0 + amplitude * mu == pytest.approx(observable / value)
        else:
            assert value >= 0.0
            assert 1.0 + amplitude * mu == pytest.approx(0.0, abs=2e-8) if value else 1.0 + amplitude * mu > 0.0


def test_counts_of_nothing_share_what_the_bin_wants() -> None:
    # 1 + 0.5 (y1 + y2) = 9 / (1 + 2): 2 events on each side of the bound.
    chosen = process_terms([True, True, True], [0.5, 0.5, 0.25], [0.0, 0.0, 0.0])
    slope, values = solve_processes(np.ones((1, 1)), np.full((1, 1), 9.0), chosen)
    assert slope.item() == pytest.approx(-2.0)
    assert values.ravel().tolist() == pytest.approx([2.0, 2.0, 0.0])


@pytest.mark.parametrize("seed", [seed for seed in range(40) if seed % 2])
def test_no_other_bin_parameters_are_better(seed: int) -> None:
    case = random_case(seed)
    rng = np.random.default_rng(seed)
    model = build_model(case.card, case.templates, pois=case.pois)
    data = model.data
    assert data is not None
    theta = random_point(model, rng)
    profiled, explicit = model.likelihood(), model.likelihood(profile=False)
    count = len(profiled.parameters)
    best = profiled.complete(theta[:count])
    lowest = float(profiled.value(theta[:count]))
    assert float(explicit.value(best)) == pytest.approx(lowest, rel=1e-12, abs=1e-9)
    counts = np.array(["poisson" in str(p.constraint) for p in model.parameters])[count:]
    for _ in range(30):
        other = best.copy()
        step = rng.normal(size=best.size - count) * 10 ** rng.uniform(-3, 0)
        other[count:] = np.where(counts, np.abs(best[count:] + step), best[count:] + step)
        assert float(explicit.value(other)) >= lowest - 1e-9 * max(1.0, abs(lowest))


def test_masked_channels_leave_their_bin_parameters_alone() -> None:
    case = random_case(1)
    names = tuple(channel.name for channel in case.card.channels)
    model = build_model(case.card, case.templates, pois=case.pois, masks=names)
    likelihood = model.likelihood()
    theta = model.parameters.initial[: len(likelihood.parameters)]
    complete: FloatArray = likelihood.complete(theta)
    np.testing.assert_array_equal(complete, model.parameters.initial)
    assert likelihood.value(theta) == model.likelihood(profile=False).value(model.parameters.initial)


def test_frozen_bin_parameters_are_never_profiled() -> None:
    case = next(c for c in map(random_case, range(50)) if build_model(c.card, c.templates, pois=c.pois).bin_parameters)
    name = build_model(case.card, case.templates, pois=case.pois).bin_parameters[0]
    model = build_model(case.card, case.templates, pois=case.pois, frozen=(name,))
    assert name in model.likelihood().parameters.names
    assert isinstance(model.data, Data)
