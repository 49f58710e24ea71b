"""The decision of autoMCStats against a loop over bins and processes, and numbers worked by hand."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pocket_combine.mcstats import BinDecision, decide_bin_parameters
from pocket_combine.templates import FloatArray


def decide_slowly(
    contents: list[list[float]], errors: list[list[float]], scales: list[float], counted: list[bool], threshold: float
) -> list[tuple[str, list[str]]]:
    """Decision per bin and kind of parameter per process, one number at a time."""
    result = []
    processes = range(len(contents))
    for j in range(len(contents[0])):
        total = sum(scales[p] * contents[p][j] for p in processes if counted[p])
        square = sum((scales[p] * errors[p][j]) ** 2 for p in processes if counted[p])
        if threshold < 0 or square <= 0:
            result.append(("NONE", ["none"] * len(contents)))
            continue
        if math.floor(0.5 + total**2 / square) > threshold:
            result.append(("SHARED", ["none"] * len(contents)))
            continue
        kinds = []
        for p in processes:
            t, e = contents[p][j], errors[p][j]
            if e <= 0:
                kinds.append("none")
            elif t > 0 and t >= 0.999 * e and math.floor(0.5 + t**2 / e**2) <= threshold:
                kinds.append(f"poisson {math.floor(0.5 + t**2 / e**2)}")
            else:
                kinds.append("gaussian")
        result.append(("SEPARATE", kinds))
    return result


def decide(
    contents: FloatArray, errors: FloatArray, scales: FloatArray, counted: list[bool], threshold: float
) -> list[tuple[str, list[str]]]:
    found = decide_bin_parameters(contents, errors, scales, np.array(counted), threshold)
    result = []
    for j, decision in enumerate(found.decisions):
        kinds = []
        for p in range(len(contents)):
            assert not (found.poisson[p, j] and found.gaussian[p, j])
            if found.poisson[p, j]:
                kinds.append(f"poisson {found.events[p, j]:.0f}")
            else:
                kinds.append("gaussian" if found.gaussian[p, j] else "none")
        result.append((BinDecision(decision).name, kinds))
    return result


def test_threshold_is_the_last_value_with_separate_parameters() -> None:
    # 10 / sqrt(10): exactly 10 effective events.
    contents, errors = np.array([[10.0]]), np.array([[math.sqrt(10.0)]])
    assert decide(contents, errors, np.ones(1), [True], 10) == [("SEPARATE", ["poisson 10"])]
    assert decide(contents, errors, np.ones(1), [True], 9) == [("SHARED", ["none"])]


def test_signal_decides_only_where_it_is_counted_but_has_its_own_parameter() -> None:
    # The background has errors of 2 on 4 (4 events), the signal 1 on 100.
    contents, errors = np.array([[100.0], [4.0]]), np.array([[1.0], [2.0]])
    assert decide(contents, errors, np.ones(2), [False, True], 10) == [("SEPARATE", ["gaussian", "poisson 4"])]
    # (104)^2 / 5 = 2163 effective events.
    assert decide(contents, errors, np.ones(2), [True, True], 10) == [("SHARED", ["none", "none"])]
    # Without errors in the counted processes there is nothing, whatever the signal has.
    assert decide(contents, np.array([[1.0], [0.0]]), np.ones(2), [False, True], 10) == [("NONE", ["none", "none"])]


def test_scales_weigh_the_processes() -> None:
    # Alone each has 4 events; 1 x (4 +- 2) and 0 x (100 +- 1).
    contents, errors = np.array([[4.0], [100.0]]), np.array([[2.0], [1.0]])
    assert decide(contents, errors, np.array([1.0, 0.0]), [True, True], 10)[0][0] == "SEPARATE"
    assert decide(contents, errors, np.array([1.0, 1.0]), [True, True], 10)[0][0] == "SHARED"


def test_negative_threshold_has_no_parameters() -> None:
    found = decide_bin_parameters(np.array([[4.0]]), np.array([[2.0]]), np.ones(1), np.array([True]), -1.0)
    assert found.count == 0
    assert found.effective_events.tolist() == [4.0]


numbers = st.one_of(st.just(0.0), st.just(1e-9), st.floats(1e-3, 1e3))


@given(st.data(), st.integers(1, 4), st.integers(1, 5), st.sampled_from([-1.0, 0.0, 1.0, 10.0, 1e4]))
def test_same_as_the_loop(data: st.DataObject, processes: int, bins: int, threshold: float) -> None:
    rows = st.lists(st.lists(numbers, min_size=bins, max_size=bins), min_size=processes, max_size=processes)
    contents, errors = data.draw(rows), data.draw(rows)
    scales = data.draw(st.lists(st.sampled_from([0.5, 1.0, 2.0]), min_size=processes, max_size=processes))
    counted = data.draw(st.lists(st.booleans(), min_size=processes, max_size=processes))
    # Powers of two as scales and exact small sums keep both ways of adding up the same.
    contents = [[float(np.float16(value)) if value >= 1e-3 else value for value in row] for row in contents]
    errors = [[float(np.float16(value)) if value >= 1e-3 else value for value in row] for row in errors]
    fast = decide(np.array(contents), np.array(errors), np.array(scales), counted, threshold)
    assert fast == decide_slowly(contents, errors, scales, counted, threshold)
