"""Checks of statistical errors: by hand, against SciPy, against loops, and on simulated samples."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from small_cards import card_of

from pocket_combine.card.model import AutoMCStats
from pocket_combine.checks import run_checks
from pocket_combine.checks.statistics import (
    changes_one_bin,
    errors_are_poisson,
    fluctuation_probabilities,
    smooth_probabilities,
    spikes,
)
from pocket_combine.findings import Severity
from pocket_combine.templates import FloatArray, Templates

# ---------------------------------------------------------------- errors of nominal templates


def test_sqrt_n_errors() -> None:
    values = np.array([[4.0, 0.0, 9.0], [4.0, 9.0, 1.0], [-4.0, 9.0, 1.0], [0.0, 0.0, 0.0]])
    variances = np.array([[4.0, 7.0, 9.0], [4.0, 8.9, 1.0], [4.0, 9.0, 1.0 + 1e-7], [1.0, 1.0, 1.0]])
    assert errors_are_poisson(values, variances, 1e-6).tolist() == [True, False, True, True]


def test_bin_errors_are_checked_where_auto_mc_stats_uses_them() -> None:
    nominal = {"sig": [1.5, 2.5], "counts": [3.0, 8.0], "weighted": [3.0, 8.0], "exact": [3.0, 8.0]}
    own = Templates.of([0, 1, 2], nominal, variances={"weighted": [2.0, 5.0], "exact": [0.0, 0.0]})
    templates = {"SR": own, "CR": own}
    card = card_of(templates, mc_stats=[AutoMCStats("SR", 10)])
    found = run_checks(card, templates, select=["bin-errors-*"])
    assert [(finding.code, finding.place, finding.severity) for finding in found] == [
        ("bin-errors-absent", "channel SR, process exact", Severity.WARNING),
        ("bin-errors-sqrt-n", "channel SR, process sig", Severity.WARNING),
        ("bin-errors-sqrt-n", "channel SR, process counts", Severity.INFO),
    ]


def test_background_bins() -> None:
    own = Templates.of(
        [0, 1, 2, 3, 4],
        {"sig": [1.0, 0.0, 2.0, 1.0], "bkg": [0.0, 0.0, 4.0, 9.0]},
        variances={"bkg": [0.0, 0.0, 25.0, 9.0]},
        observation=[1, 2, 5, 9],
    )
    found = run_checks(card_of({"SR": own}), {"SR": own}, select=["*-bin", "data-without-*", "large-bin-error"])
    assert [(finding.code, finding.where.bins, dict(finding.numbers)) for finding in found] == [
        ("empty-background-bin", (0, 1), {"signal": 1.0}),
        ("data-without-expectation", (1,), {"events": 2.0}),
        ("large-bin-error", (2,), {"largest": 1.25}),
    ]


# ---------------------------------------------------------------- fluctuations


def least_squares_probability(shifts: FloatArray, variances: FloatArray, nominal: FloatArray) -> float:
    """The F test for nominal (a + c j), by a general least-squares solution and SciPy's F distribution."""
    errors = np.sqrt(variances)
    position = np.arange(shifts.size)
    design = np.stack([nominal / errors, nominal * position / errors], axis=1)
    solution = np.linalg.lstsq(design, shifts / errors, rcond=None)[0]
    rest = float(((shifts / errors - design @ solution) ** 2).sum())
    total = float(((shifts / errors) ** 2).sum())
    degrees = shifts.size - 2
    return float(stats.f.sf((total - rest) / 2 / (rest / degrees), 2, degrees))


@given(st.integers(0, 10**6), st.integers(4, 12))
def test_smoothness_is_the_f_test(seed: int, bins: int) -> None:
    random = np.random.default_rng(seed)
    shifts, variances = random.normal(0, 1, bins), random.uniform(0.5, 2, bins)
    nominal = random.uniform(1, 5, bins)
    expected = least_squares_probability(shifts, variances, nominal)
    found = smooth_probabilities(shifts[np.newaxis], variances[np.newaxis], nominal[np.newaxis])[0]
    assert found == pytest.approx(expected, rel=1e-6)
    # A factor common to all errors does not matter.
    scaled = smooth_probabilities(shifts[np.newaxis], 9 * variances[np.newaxis], nominal[np.newaxis])[0]
    assert scaled == pytest.approx(found, rel=1e-9)


def test_smoothness_by_hand() -> None:
    # Errors of 1 on nominal 1: shifts 1, 0, 0, 1 have S0 = 2; the best constant 1/2 takes 4 / 4 = 1, the slope nothing.
    # Four bins: (S1 / S0)^((4 - 2) / 2) = 1 / 2.
    ones = np.ones((1, 4))
    assert smooth_probabilities(np.array([[1.0, 0.0, 0.0, 1.0]]), ones, ones)[0] == pytest.approx(0.5)
    # A bin without an error does not count: three remain, too few to judge.
    assert smooth_probabilities(np.array([[1.0, 0.0, 0.0, 1.0]]), np.array([[1.0, 1.0, 1.0, 0.0]]), ones)[0] == 1.0


def test_size_is_the_chi_square_probability() -> None:
    shifts, variances = np.array([[1.0, 2.0, 5.0]]), np.array([[1.0, 4.0, 0.0]])
    # 1 + 1 with two bins that have an error.
    assert fluctuation_probabilities(shifts, variances)[0] == pytest.approx(float(stats.chi2.sf(2.0, 2)))


def simulated(effect: float, share: float, seed: int) -> dict[str, Templates]:
    """Nominal of 400 weighted events a bin, and a variation that shares a part of its events.

    The true effect is a slope of this size from the first to the last bin.
    """
    random = np.random.default_rng(seed)
    bins, pairs, events = 10, 200, 400.0
    slope = 1 + effect * np.linspace(-1, 1, bins)

    def side(direction: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        shared = random.poisson(share * events, (pairs, bins)).astype(float)
        nominal_rest = random.poisson((1 - share) * events, (pairs, bins)).astype(float)
        varied_rest = random.poisson((1 - share) * events, (pairs, bins)).astype(float)
        factor = 1 + direction * (slope - 1)
        return shared + nominal_rest, factor * (shared + varied_rest), factor**2 * (shared + varied_rest)

    # Each process has one pair of its own, so that nominal samples are independent.
    names = tuple(f"p{number:03d}" for number in range(pairs))
    nominal, up, up_variances = side(+1)
    _, down, down_variances = side(-1)
    return {
        "SR": Templates(
            np.arange(bins + 1.0),
            names,
            nominal,
            nominal,
            tuple((name, "A") for name in names),
            up,
            nominal if effect == 0 else down,
            up_variances,
            down_variances,
        )
    }


def flagged(templates: dict[str, Templates]) -> float:
    """Fraction of pairs called insignificant."""
    card = card_of(templates, {"A": ("shape", dict.fromkeys(templates["SR"].columns, 1.0))}, signals=["p000"])
    found = run_checks(card, templates, select=["insignificant-variation"])
    return len(found) / len(templates["SR"].pairs)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.95])
def test_fluctuations_are_called_insignificant_whatever_events_are_shared(share: float) -> None:
    """Of pure fluctuations 5 % fail each of two tests; those of size are rarer where events are shared."""
    assert 0.85 <= flagged(simulated(0.0, share, 1)) <= 0.99


@pytest.mark.parametrize(("effect", "share"), [(0.2, 0.0), (0.02, 0.999), (0.002, 1.0)])
def test_true_effects_are_significant(effect: float, share: float) -> None:
    """The more events are shared, the smaller the effects that can be told from fluctuations."""
    assert flagged(simulated(effect, share, 2)) <= 0.05


def test_insignificant_finding() -> None:
    nominal = np.array([100.0, 100.0, 100.0, 100.0])
    own = Templates.of(
        [0, 1, 2, 3, 4],
        {"sig": [0.5] * 4, "bkg": nominal},
        {
            ("bkg", "noise"): (nominal + np.array([3, -3, -3, 3]), nominal),
            ("bkg", "scaled"): (1.001 * nominal, nominal),
        },
    )
    rows = {name: ("shape", {"bkg": 1.0}) for name in ("noise", "scaled")}
    found = run_checks(card_of({"SR": own}, rows), {"SR": own}, select=["insignificant-variation"])
    assert [(finding.where.nuisance, finding.severity) for finding in found] == [("noise", Severity.WARNING)]
    # chi2 = 9 x (2 / 203 + 2 / 197) for four bins; constant and slope explain almost nothing.
    size = float(stats.chi2.sf(9 * (2 / 203 + 2 / 197), 4))
    assert found[0].numbers["probability_size"] == pytest.approx(size)
    assert found[0].numbers["visibility"] == pytest.approx(6 / np.sqrt(100.5))


# ---------------------------------------------------------------- spikes


def test_height_of_a_spike_is_what_leaves_the_smoothest_curve() -> None:
    """Against a search for the change of one bin that makes the sum of squared second differences smallest."""
    curve = np.array([0.0, 0.3, 0.1, 2.0, 0.4, 0.2, 0.5])
    heights, shares, filters = spikes(curve[np.newaxis])

    def roughness(values: FloatArray) -> float:
        return float(sum((values[j - 1] - 2 * values[j] + values[j + 1]) ** 2 for j in range(1, values.size - 1)))

    for at in range(curve.size):
        trials = np.linspace(-3, 3, 60001)
        changed = curve[np.newaxis] - np.where(np.arange(curve.size) == at, trials[:, np.newaxis], 0.0)
        second = changed[:, :-2] - 2 * changed[:, 1:-1] + changed[:, 2:]
        best = int((second**2).sum(axis=1).argmin())
        assert heights[0, at] == pytest.approx(trials[best], abs=1e-4)
        gain = 1 - roughness(changed[best]) / roughness(curve)
        assert shares[0, at] == pytest.approx(gain, abs=1e-6)
    assert heights[0] == pytest.approx(curve @ filters)
    # A fourth difference inside.
    assert heights[0, 3] == pytest.approx((0.3 - 4 * 0.1 + 6 * 2.0 - 4 * 0.4 + 0.2) / 6)


@pytest.mark.parametrize("at", range(8))
def test_a_spike_on_a_line_is_found_where_it_is(at: int) -> None:
    curve = 0.1 * np.arange(8.0)
    curve[at] += 0.5
    heights, shares, _ = spikes(curve[np.newaxis])
    assert int(shares[0].argmax()) == at
    assert heights[0, at] == pytest.approx(0.5)
    assert shares[0, at] == pytest.approx(1.0)


def test_outlier_finding() -> None:
    nominal = np.array([100.0, 90.0, 80.0, 70.0, 60.0, 50.0, 0.0])
    up = nominal * (1 + 0.02 * np.arange(7))
    up[2] += 24.0  # 30 % of the bin
    down = nominal * (1 - 0.02 * np.arange(7))
    own = Templates.of(np.arange(8.0), {"sig": [0.0, 0, 0, 0, 0, 0, 1], "bkg": nominal}, {("bkg", "A"): (up, down)})
    card = card_of({"SR": own}, {"A": ("shape", {"bkg": 1.0})})
    (found,) = run_checks(card, {"SR": own}, select=["variation-outlier"])
    assert found.where.bins == (2,)
    # The empty last bin repeats the one before, which bends the line by 2 %.
    assert found.numbers["height"] == pytest.approx(0.3, abs=0.004)
    assert found.numbers["visibility"] == pytest.approx(found.numbers["events"] / np.sqrt(80))
    # 6 delta_2 - 4 (delta_1 + delta_3) + delta_0 + delta_4, over 6.
    relative = (up + nominal)[:5] / nominal[:5] ** 2
    error = np.sqrt((np.array([1, 16, 36, 16, 1]) / 36 * relative).sum())
    assert found.numbers["significance"] == pytest.approx(found.numbers["height"] / error)
    # Not where the data could not see it.
    crowded = Templates.of(np.arange(8.0), {"sig": [1e5] * 7, "bkg": nominal}, {("bkg", "A"): (up, down)})
    assert run_checks(card, {"SR": crowded}, select=["variation-outlier"]) == []


# ---------------------------------------------------------------- bin-by-bin variations


def changes_one_bin_slowly(nominal: list[float], varied: list[float]) -> bool:
    """Whether dropping one of the bins leaves the same factor everywhere."""

    def same_factor(indices: list[int]) -> bool:
        ratios = [varied[j] / nominal[j] for j in indices if nominal[j] != 0]
        new = any(nominal[j] == 0 and varied[j] != 0 for j in indices)
        return not new and (not ratios or max(ratios) - min(ratios) <= 1e-5)

    everything = list(range(len(nominal)))
    return same_factor(everything) or any(same_factor([j for j in everything if j != out]) for out in everything)


steps = st.sampled_from([0.0, 1.0, 2.0, 4.0])


@given(st.integers(2, 6).flatmap(lambda n: st.tuples(*(st.lists(steps, min_size=n, max_size=n) for _ in range(2)))))
def test_bin_by_bin_variations_like_a_loop(pair: tuple[list[float], list[float]]) -> None:
    nominal, varied = pair
    found = changes_one_bin(np.array([nominal]), np.array([varied]))[0]
    assert bool(found) == changes_one_bin_slowly(nominal, varied)


def test_bin_by_bin_variations_are_neither_outliers_nor_insignificant() -> None:
    nominal = np.full(8, 50.0)
    up, down = nominal.copy(), nominal.copy()
    up[3], down[3] = 65.0, 35.0
    own = Templates.of(np.arange(9.0), {"sig": [0.1] * 8, "bkg": nominal}, {("bkg", "bkg_bin_3"): (up, down)})
    own = dataclasses.replace(own, up_variances=4 * own.up_variances, down_variances=4 * own.down_variances)
    card = card_of({"SR": own}, {"bkg_bin_3": ("shape", {"bkg": 1.0})})
    assert run_checks(card, {"SR": own}, select=["variation-outlier", "insignificant-variation"]) == []
