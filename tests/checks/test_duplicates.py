"""Checks for the same thing twice."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_cards import card_of

from pocket_combine.checks import run_checks
from pocket_combine.checks.duplicates import relative_distances
from pocket_combine.templates import Templates


@given(st.integers(0, 10**6), st.integers(1, 5))
def test_distances_like_a_loop(seed: int, rows: int) -> None:
    vectors = np.random.default_rng(seed).integers(-3, 4, (rows, 4)).astype(float)
    found = relative_distances(vectors)
    for i, one in enumerate(vectors):
        for j, other in enumerate(vectors):
            size = max(np.linalg.norm(one), np.linalg.norm(other))
            expected = np.linalg.norm(one - other) / size if size else 0.0
            assert found[i, j] == pytest.approx(expected, abs=1e-7)


def test_processes_of_one_channel() -> None:
    nominal = {
        "sig": [1.0, 2.0, 3.0],
        "tt": [10.0, 20.0, 30.0],
        "tt_again": [10.0, 20.0, 30.0],
        "tt_nearly": [10.0, 20.0, 30.01],  # 0.01 / 37.4 = 2.7e-4
        "scaled": [20.0, 40.0, 60.0],
    }
    templates = {"SR": Templates.of([0, 1, 2, 3], nominal), "few": Templates.of([0, 1], {"sig": [2.0], "tt": [2.0]})}
    found = run_checks(card_of(templates), templates, select=["duplicate-process"])
    assert [(finding.place, finding.message) for finding in found] == [
        ("channel SR, process tt_again", "the template is that of process tt"),
        ("channel SR, process tt_nearly", "the template is that of process tt, up to a relative difference of 2.7e-04"),
        (
            "channel SR, process tt_nearly",
            "the template is that of process tt_again, up to a relative difference of 2.7e-04",
        ),
    ]


def test_data_in_two_channels() -> None:
    def channel(data: list[float]) -> Templates:
        return Templates.of([0, 1, 2, 3], {"sig": [1.0, 1.0, 1.0], "bkg": [5.0, 5.0, 5.0]}, observation=data)

    templates = {"A": channel([5, 6, 7]), "B": channel([5, 6, 8]), "C": channel([5, 6, 7])}
    templates |= {"D": channel([0, 0, 7]), "E": channel([0, 0, 7])}
    found = run_checks(card_of(templates), templates, select=["duplicate-data"])
    assert [(finding.place, finding.message) for finding in found] == [
        ("channel C", "the data are those of channel A, bin by bin")
    ]


def test_nuisances_with_the_same_templates() -> None:
    nominal = {"sig": [10.0, 20.0, 30.0], "bkg": [100.0, 100.0, 100.0]}
    up, down = [105.0, 101.0, 99.0], [95.0, 99.0, 101.0]
    sig_up, sig_down = [11.0, 20.0, 30.0], [9.0, 20.0, 30.0]
    pairs = {
        ("bkg", "A"): (up, down),
        ("sig", "A"): (sig_up, sig_down),
        # The same in both columns.
        ("bkg", "B"): (up, down),
        ("sig", "B"): (sig_up, sig_down),
        # The same in one column of two.
        ("bkg", "C"): (up, down),
        ("sig", "C"): (sig_up, [9.5, 20.0, 30.0]),
        # The same, but on one column only.
        ("bkg", "D"): (up, down),
        # Twice as large, and another one that is so nearly.
        ("bkg", "E"): ([110.0, 102.0, 98.0], [90.0, 98.0, 102.0]),
        ("bkg", "F"): ([110.005, 102.0, 98.0], [90.0, 98.0, 102.0]),
        # Two that do nothing.
        ("bkg", "G"): (nominal["bkg"], nominal["bkg"]),
        ("bkg", "H"): (nominal["bkg"], nominal["bkg"]),
    }
    templates = {"SR": Templates.of([0, 1, 2, 3], nominal, pairs)}
    rows = {name: ("shape", {p: 1.0 for p, other in pairs if other == name}) for name in "ABCDEFGH"}
    found = run_checks(card_of(templates, rows), templates, select=["duplicate-nuisance"])
    assert [(finding.place, finding.numbers["columns"]) for finding in found] == [("nuisance B", 2), ("nuisance F", 1)]
    assert found[0].message == "its templates are those of nuisance A in all 2 columns"
    # The bins weigh by their data errors: 0.005 / sqrt(110) of sqrt(10^2/110 x 2 + 2^2/120 x 2 + 2^2/130 x 2).
    size = np.sqrt(2 * (100 / 110 + 4 / 120 + 4 / 130))
    assert found[1].numbers["difference"] == pytest.approx(0.005 / np.sqrt(110) / size, rel=1e-2)
    # The strength of a shape counts: twice D is E.
    rows["D"] = ("shape", {"bkg": 2.0})
    found = run_checks(card_of(templates, rows), templates, select=["duplicate-nuisance"])
    assert [finding.message.split(" in ")[0] for finding in found] == [
        "its templates are those of nuisance A",
        "its templates are those of nuisance D",
        "its templates are those of nuisance D",
        "its templates are those of nuisance E",
    ]
