"""Checks of single numbers."""

from small_cards import card_of

from pocket_combine.card.model import Card, Channel, Column, Nuisance
from pocket_combine.checks import run_checks
from pocket_combine.findings import Severity
from pocket_combine.templates import Templates


def test_numbers_of_the_card_that_are_not_finite() -> None:
    card = Card(
        channels=(Channel("SR", float("inf")),),
        columns=(Column("SR", "sig", 0, 1.0), Column("SR", "bkg", 1, float("nan"))),
        nuisances=(Nuisance("A", "lnN", (1.1, (float("nan"), 1.2))), Nuisance("B", "lnN", (1.1, None))),
    )
    found = run_checks(card, {}, select=["not-finite"])
    assert [(finding.place, finding.message) for finding in found] == [
        ("channel SR, process bkg", "the rate is nan"),
        ("channel SR", "the observation is inf"),
        ("channel SR, process bkg, nuisance A", "the cell is nan/1.2"),
    ]
    assert {finding.severity for finding in found} == {Severity.ERROR}
    # The others take it in their stride.
    run_checks(card, {})


def test_negative_contents() -> None:
    own = Templates.of(
        [0, 1, 2, 3],
        {"sig": [1.0, 1.0, 1.0], "bkg": [5.0, -0.5, 3.0]},
        {("bkg", "A"): ([5.0, -1.0, 3.0], [4.0, -0.5, 3.0]), ("bkg", "B"): ([5.0, -0.5, -2.0], [-4.0, -0.5, 3.0])},
        observation=[4, -1, 2],
    )
    card = card_of({"SR": own}, {"A": ("shape", {"bkg": 1.0}), "B": ("shape", {"bkg": 1.0})})
    found = run_checks(card, {"SR": own}, select=["negative-*"])
    assert [(finding.code, finding.place, dict(finding.numbers)) for finding in found] == [
        ("negative-bin", "channel SR, process bkg, bin 1", {"lowest": -0.5}),
        ("negative-variation-bin", "channel SR, process bkg, nuisance B, bins 0, 2", {"lowest": -4.0}),
        ("negative-data", "channel SR, bin 1", {}),
    ]


def test_negative_observation_of_a_counting_channel() -> None:
    card = card_of({}, rates={("SR", "sig"): 1.0, ("SR", "bkg"): 2.0}, observations={"SR": -1.0})
    (found,) = run_checks(card, {}, select=["negative-data"])
    assert found.message == "the observation is -1 and there is no histogram that it could be taken from"


def test_observations_that_are_no_counts() -> None:
    templates = {
        "SR": Templates.of([0, 1, 2], {"sig": [1.0, 1.0], "bkg": [5.0, 3.0]}, observation=[4.0, 2.25]),
        "CR": Templates.of([0, 1, 2], {"sig": [1.0, 1.0], "bkg": [5.0, 3.0]}, observation=[4.0, 2.0]),
    }
    card = card_of(templates, rates={("N", "sig"): 1.0, ("N", "bkg"): 3.0}, observations={"N": 3.5})
    found = run_checks(card, templates, select=["observation-not-integer"])
    assert [(finding.place, dict(finding.numbers)) for finding in found] == [
        ("channel SR, bin 1", {"first": 2.25}),
        ("channel N", {"first": 3.5}),
    ]


def test_single_precision_counts_are_counts() -> None:
    # 16 777 217 is no number of single precision; one event in that many is.
    own = Templates.of([0, 1], {"sig": [1.0], "bkg": [1e7]}, observation=[1e7 + 1e-3])
    assert run_checks(card_of({"SR": own}), {"SR": own}, select=["observation-not-integer"]) == []
