"""What the checks say about autoMCStats."""

import dataclasses
import json

import pytest
import reference_cards
from small_cards import card_of

from pocket_combine.card.model import AutoMCStats, RateParameter
from pocket_combine.checks import mc_stats_treatment, run_checks
from pocket_combine.templates import Templates

OWN = Templates.of(
    [0, 1, 2, 3],
    {"sig": [10.0, 1.0, 1.0], "one": [20.0, 2.0, 0.0], "two": [20.0, 2.0, 0.0]},
    variances={"sig": [1.0, 1.0, 1.0], "one": [20.0, 1.0, 0.0], "two": [20.0, 4.0, 0.0]},
)


def test_treatment_by_hand() -> None:
    card = card_of({"SR": OWN}, mc_stats=[AutoMCStats("*", 10)])
    (channel,) = mc_stats_treatment(card, {"SR": OWN})
    # Bin 0: 40^2 / 40. Bin 1: 4^2 / 5 = 3.2; sig 1 +- 1 and two 2 +- 2 have one event each, one 2 +- 1 has four.
    assert [(entry.treatment, entry.effective_events) for entry in channel.bins] == [
        ("gaussian", 40.0),
        ("per-process", 3.0),
        ("none", 0.0),
    ]
    assert [(entry.gaussian, entry.poisson) for entry in channel.bins] == [(1, 0), (0, 3), (0, 0)]
    assert channel.parameters == 4
    assert channel.bins[0].reason == "40 effective events, above the threshold of 10"
    assert channel.bins[2].reason == "no background has a statistical error here"
    assert json.loads(json.dumps(channel.to_dict()))["bins"][1]["treatment"] == "per-process"


def test_findings() -> None:
    card = card_of({"SR": OWN, "CR": OWN}, mc_stats=[AutoMCStats("SR", 0)])
    found = run_checks(card, {"SR": OWN, "CR": OWN}, select=["mc-stats*"])
    assert [(finding.code, finding.place) for finding in found] == [
        ("mc-stats", "channel SR"),
        ("mc-stats-few-events", "channel SR, bin 1"),
        ("mc-stats-missing", "channel CR"),
    ]
    assert found[0].message == (
        "autoMCStats 0 makes 2 parameters: of 3 bins 2 have one Gaussian parameter, 0 have one per process "
        "(0 Poisson, 0 Gaussian), 1 have none"
    )
    assert found[0].numbers == {"parameters": 2, "bins_gaussian": 2, "bins_per_process": 0, "bins_none": 1}
    assert found[1].numbers == {"fewest": 3}


def test_initial_rate_parameters_count() -> None:
    """Rate parameters scale the processes before the decision."""
    own = Templates.of([0, 1], {"sig": [1.0], "few": [4.0], "many": [100.0]}, variances={"many": [1.0]})

    def events(*lines: RateParameter) -> tuple[float, str]:
        card = card_of({"SR": own}, mc_stats=[AutoMCStats("SR", 10)], rate_parameters=lines)
        (channel,) = mc_stats_treatment(card, {"SR": own})
        return channel.bins[0].effective_events, channel.assumption

    assert events() == (round(104**2 / 5), "")
    # 4 + 0.02 x 100 = 6 and 4 + 0.0004.
    assert events(RateParameter("SF", "SR", "many", 0.02)) == (9.0, "")
    half = RateParameter("half", "*", "man*", formula="0.5*@0", arguments=("x",))
    assert events(half) == (round(104**2 / 5), "the formula of half is taken as 1")


@reference_cards.needed
def test_cards_of_combine() -> None:
    """The number of parameters is the one that Combine made."""
    compared = 0
    for name in reference_cards.NAMES:
        expected, loaded = reference_cards.expected(name), reference_cards.loaded(name)
        treatments = mc_stats_treatment(loaded.card, loaded.templates)
        made = [entry for entry in expected["model"]["nuisances"] if entry["type"] == "autoMCStats"]
        kinds = {"gaussian": 0, "poisson": 0}
        for entry in made:
            kinds[entry["constraint"]["kind"]] += 1
        assert sum(channel.parameters for channel in treatments) == len(made), name
        found = sum(entry.poisson for channel in treatments for entry in channel.bins)
        assert found == kinds["poisson"], name
        compared += bool(made)
    assert compared >= 10


@pytest.mark.parametrize(("count", "factor"), [(4.0, 1.25), (0.0, 1.0)])
def test_gamma_rows_start_one_above_their_count(count: float, factor: float) -> None:
    own = Templates.of([0, 1], {"sig": [1.0], "a": [8.0], "b": [8.0]}, variances={"a": [16.0], "b": [1.0]})
    card = card_of({"SR": own}, {"G": ("gmN", {"b": 2.0})}, mc_stats=[AutoMCStats("SR", 10)])
    gamma = dataclasses.replace(card.nuisances[0], arguments=(count,))
    card = dataclasses.replace(card, nuisances=(gamma,))
    (channel,) = mc_stats_treatment(card, {"SR": own})
    expected = int(0.5 + (8 + 8 * factor) ** 2 / (16 + factor**2))
    assert channel.bins[0].effective_events == expected
