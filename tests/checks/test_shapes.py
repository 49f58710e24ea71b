"""Checks of pairs of templates, with numbers worked by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_cards import Row, card_of

from pocket_combine.card.model import Card
from pocket_combine.checks import Thresholds, run_checks
from pocket_combine.checks.shapes import relative_differences
from pocket_combine.findings import Severity
from pocket_combine.templates import Templates

NOMINAL = {"sig": [1.0, 1.0, 2.0], "bkg": [40.0, 40.0, 20.0]}


def case(**variations: tuple[list[float], list[float]]) -> tuple[Card, dict[str, Templates]]:
    """Background of 100 events in three bins, varied by nuisances of strength 1."""
    pairs = {("bkg", name): pair for name, pair in variations.items()}
    templates = {"SR": Templates.of([0, 1, 2, 3], NOMINAL, pairs, observation=[40, 42, 22])}
    rows: dict[str, Row] = {name: ("shape", {"bkg": 1.0}) for name in variations}
    return card_of(templates, rows), templates


def test_relative_differences_are_symmetric_and_zero_for_empty_bins() -> None:
    assert relative_differences(np.array([1.0, -1.0, 0.0]), np.array([3.0, 1.0, 0.0])).tolist() == [1.0, 2.0, 0.0]


def test_no_effect_identical_and_one_sided() -> None:
    card, templates = case(
        same_as_nominal=([40.0, 40.0, 20.0], [40.0, 40.0, 20.0]),
        identical=([44.0, 40.0, 20.0], [44.0, 40.0, 20.0]),
        # Bins of up and down differ by 0.09 % and 0.045 % of each other while the sums are the same.
        nearly=([44.018, 40.0, 20.0], [44.0, 40.018, 20.0]),
        half=([44.0, 40.0, 20.0], [40.0, 40.0, 20.0]),
        sound=([44.0, 40.0, 20.0], [36.0, 40.0, 20.0]),
    )
    found = run_checks(card, templates, select=["no-effect", "identical-up-down", "one-sided-template"])
    assert [(finding.code, finding.where.nuisance, finding.severity) for finding in found] == [
        ("no-effect", "same_as_nominal", Severity.WARNING),
        ("identical-up-down", "identical", Severity.WARNING),
        ("identical-up-down", "nearly", Severity.WARNING),
        ("one-sided-template", "half", Severity.INFO),
    ]
    assert found[1].numbers == pytest.approx({"ratio": 1.04})
    assert found[3].message == "Down equals nominal, only Up differs"


def test_identical_needs_the_same_yield() -> None:
    # The normalised bins agree, the yields do not: no identical pair.
    card, templates = case(scaled=([44.0, 44.0, 22.0], [48.0, 48.0, 24.0]))
    assert run_checks(card, templates, select=["identical-up-down"]) == []


def test_small_shape_effect_is_the_sum_of_relative_differences_of_normalised_bins() -> None:
    # Up x 1.05 in all bins: no change of shape. Down: 40.01, 39.99 and 20 of 100, times 0.95: twice 0.00025.
    down = [0.95 * 40.01, 0.95 * 39.99, 0.95 * 20.0]
    # 40.08: 0.001998 and 0.002002.
    large = [40.08, 39.92, 20.0]
    card, templates = case(
        norm=([42.0, 42.0, 21.0], down), shape=(large, [40.0, 40.0, 20.01]), tiny=([40.004, 39.996, 20], [40, 40, 20.0])
    )
    found = run_checks(card, templates, select=["no-shape-effect"])
    assert [finding.where.nuisance for finding in found] == ["norm", "tiny"]
    assert found[0].numbers["up"] == pytest.approx(0, abs=1e-12)
    assert found[0].numbers["down"] == pytest.approx(0.01 / 40.005 + 0.01 / 39.995, rel=1e-9)
    assert found[0].advice == "for this column lnN 0.95/1.05 says the same"
    assert found[1].advice == "put '-' into the cell: Combine drops a change of the yield as small as this"


def test_one_bin_has_no_shape() -> None:
    templates = {"SR": Templates.of([0, 1], {"sig": [1.0], "bkg": [9.0]}, {("bkg", "A"): ([10.0], [8.0])})}
    card = card_of(templates, {"A": ("shape", {"bkg": 1.0})})
    assert run_checks(card, templates, select=["no-shape-effect"]) == []


def test_rows_that_could_be_log_normal() -> None:
    """The shapes of all processes of a channel are added before they are compared with the data."""
    nominal = {"sig": [5.0, 5.0], "one": [50.0, 50.0], "two": [50.0, 50.0], "rest": [291.0, 291.0]}
    pairs = {
        # Scaled by 1.1 and 0.9: no shape at all.
        ("one", "norm"): ([55.0, 55.0], [45.0, 45.0]),
        # Up 0.5 events from bin to bin in both processes: together 1 event, where the data have sqrt(396) = 19.9:
        # sqrt(2) / 19.9 = 0.071.
        ("one", "shape"): ([50.5, 49.5], [49.5, 50.5]),
        ("two", "shape"): ([51.5, 50.5], [48.5, 49.5]),
        # Opposite in the two processes, 2 % of the yield of the second: they cancel.
        ("one", "cancel"): ([50.5, 49.5], [49.5, 50.5]),
        ("two", "cancel"): ([50.5, 51.5], [49.5, 48.5]),
        # Nothing at all.
        ("one", "nothing"): ([50.0, 50.0], [50.0, 50.0]),
    }
    templates = {"SR": Templates.of([0, 1, 2], nominal, pairs)}
    names = dict.fromkeys(["norm", "shape", "cancel", "nothing"])
    rows: dict[str, Row] = {
        name: ("shape", {process: 1.0 for process, nuisance in pairs if nuisance == name}) for name in names
    }
    found = run_checks(card_of(templates, rows), templates, select=["could-be-lnn"])
    assert [finding.where.nuisance for finding in found] == ["norm", "cancel"]
    assert found[0].numbers == pytest.approx({"visibility": 0.0, "largest_yield_change": 0.1})
    # Scaled to nominal, two has 51 -> 50 +- 0.5 x 100/102 in its bins.
    leftover = 0.5 - 0.5 * 100 / 102
    assert found[1].numbers["visibility"] == pytest.approx(0.0, abs=2 * leftover)


def test_visibility_of_a_log_normal_row_by_hand() -> None:
    nominal = {"sig": [4.0, 4.0], "bkg": [96.0, 96.0]}
    # Up 1 event from the second bin to the first, and 12 events in all more: 103.0, 101.0 -> scaled to 192: 96.941...
    up = [103.0, 101.0]
    templates = {"SR": Templates.of([0, 1, 2], nominal, {("bkg", "A"): (up, [90.0, 90.0])})}
    card = card_of(templates, {"A": ("shape", {"bkg": 1.0})})
    ratio = 204 / 192
    size = float(np.hypot(103 - 96 * ratio, 101 - 96 * ratio) / 10)
    assert size == pytest.approx(0.1414213562)
    assert run_checks(card, templates, select=["could-be-lnn"]) == []
    loose = Thresholds(invisible_shape=0.15)
    (found,) = run_checks(card, templates, thresholds=loose, select=["could-be-lnn"])
    assert found.numbers == pytest.approx({"visibility": size, "largest_yield_change": 12 / 192})


def test_one_sided_bins() -> None:
    card, templates = case(
        # Bin 0 goes up by 2 and 1 events (2.5 %), bin 2 up by 0.1 and 0.5 (0.5 %: below the threshold).
        A=([42.0, 41.0, 20.1], [41.0, 39.0, 20.5]),
        B=([40.3, 41.0, 20.0], [40.3, 39.0, 20.0]),
        C=([42.0, 39.0, 21.0], [38.0, 41.0, 19.0]),
    )
    found = run_checks(card, templates, select=["one-sided-bins"])
    assert [(finding.where.nuisance, finding.where.bins) for finding in found] == [("A", (0,))]
    # One event where the data have sqrt(41), and variances of 40 (nominal) and 42 (the larger of up and down).
    assert found[0].numbers == pytest.approx(
        {"up": 2.0, "down": 1.0, "nominal": 40.0, "significance": 1 / np.sqrt(82), "visibility": 1 / np.sqrt(41)}
    )
    assert found[0].severity is Severity.WARNING
    assert found[0].message.startswith("Up and Down change 1 bin to the same side, most in bin 0: +2 and +1 on 40")


def test_one_sided_bins_that_the_data_cannot_see_are_information() -> None:
    templates = {
        "SR": Templates.of([0, 1, 2], {"sig": [1.0, 1.0], "bkg": [1e6, 10.0]}, {("sig", "A"): ([1.5, 0.9], [1.2, 1.1])})
    }
    (found,) = run_checks(card_of(templates, {"A": ("shape", {"sig": 1.0})}), templates, select=["one-sided-bins"])
    assert found.severity is Severity.INFO
    assert found.numbers["visibility"] == pytest.approx(0.2 / np.sqrt(1e6 + 1))


contents = st.lists(st.floats(0, 1e4), min_size=3, max_size=3)


@given(contents, contents, contents)
def test_one_sided_bins_like_a_loop(nominal: list[float], up: list[float], down: list[float]) -> None:
    templates = {"SR": Templates.of([0, 1, 2, 3], {"sig": [1, 1, 1], "bkg": nominal}, {("bkg", "A"): (up, down)})}
    card = card_of(templates, {"A": ("shape", {"bkg": 1.0})})
    expected = []
    for j in range(3):
        one, other = up[j] - nominal[j], down[j] - nominal[j]
        if nominal[j] > 0 and one * other > 0 and min(abs(one), abs(other)) > 0.01 * nominal[j]:
            expected.append(j)
    same = run_checks(card, templates, select=["identical-up-down"])
    found = run_checks(card, templates, select=["one-sided-bins"])
    assert [list(finding.where.bins) for finding in found] == ([expected] if expected and not same else [])
