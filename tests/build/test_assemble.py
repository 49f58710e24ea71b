"""The card of a channel: rows, rate parameters, groups, autoMCStats."""

from __future__ import annotations

from typing import Any

import pytest
from toys import Toy, shape, signal_and_background, small_toy

from pocket_combine import Card, Datacard, MCProcess, MCProcesses, Systematics, SystematicUncertainty
from pocket_combine.build.assemble import mc_stats
from pocket_combine.card.model import AutoMCStats, Group, Nuisance, RateParameter, ShapeRule
from pocket_combine.errors import DeclarationError


def log_normal(name: str, value: Any, **more: Any) -> SystematicUncertainty:
    return SystematicUncertainty(
        name, "lnN", **{"processes": ["sig", "bkg"], "years": ["2018"], "value": value, **more}
    )


def card_of(*rows: SystematicUncertainty, toy: Toy | None = None, **options: Any) -> Card:
    arguments: dict[str, Any] = {"mc_processes": signal_and_background(), "years": ["2018"], "category": "SR"}
    return Datacard(
        **(toy or small_toy()).inputs, **{**arguments, "systematics": Systematics(rows), "verbose": False, **options}
    ).card


def test_rows_are_in_the_order_of_declaration_with_their_cells() -> None:
    card = card_of(
        shape("JER", {"bkg": 0.5}),
        log_normal("lumi", 1.02),
        log_normal("xsec", None, processes={"bkg": (0.98, 1.05)}),
        shape("jer_n", ["sig"], coffea_name_alias="JER"),
    )
    assert card.nuisances == (
        Nuisance("JER", "shape", (None, 0.5)),
        Nuisance("lumi", "lnN", (1.02, 1.02)),
        Nuisance("xsec", "lnN", (None, (0.98, 1.05))),
        Nuisance("jer_n", "shape", (1.0, None)),
    )


def test_rates_are_the_sums_of_the_templates() -> None:
    card = card_of(bins_edges=[1, 3])
    assert [(column.process, column.process_id, column.rate) for column in card.columns] == [
        ("sig_2018", 0, 5.0),
        ("bkg_2018", 1, 50.0),
    ]
    assert card.shapes == (ShapeRule("*", "SR_2018", "shapes.root", "$PROCESS_nominal", "$PROCESS_$SYSTEMATIC"),)


def test_rows_without_an_effect_are_not_written() -> None:
    toy = small_toy().simulate("Sig", "2017", [1] * 4).simulate("Bkg", "2017", [1] * 4)
    rows = [log_normal("lumi_2017", 1.02, years=["2017"]), log_normal("lumi_2018", 1.01)]
    card = card_of(*rows, toy=toy, mc_processes=signal_and_background(years=["2017", "2018"]))
    assert card.nuisance_names == ("lumi_2018",)


def test_a_dropped_template_leaves_a_dash() -> None:
    toy = small_toy()
    toy.histograms["Sig"]["Sig_2018"].view()["value"][0, 1] = 0.0
    card = card_of(shape("JER"), toy=toy, empty_variation="drop")
    assert card.nuisances == (Nuisance("JER", "shape", (None, 1.0)),)


def test_backgrounds_float_in_all_years_together() -> None:
    toy = small_toy().simulate("Sig", "2017", [1] * 4).simulate("Bkg", "2017", [1] * 4)
    processes = MCProcesses(
        [
            MCProcess("sig", ["Sig"], ["2017", "2018"], True, has_rateParam=True),
            MCProcess("bkg", ["Bkg"], ["2017", "2018"], False, True, rateParam_value=2, rateParam_range=(0.5, 8)),
        ]
    )
    card = card_of(toy=toy, mc_processes=processes, years=["2017", "2018"])
    assert card.rate_parameters == (
        RateParameter("SF_bkg", "*", "bkg_2017", 2.0, (0.5, 8.0)),
        RateParameter("SF_bkg", "*", "bkg_2018", 2.0, (0.5, 8.0)),
    )


def test_a_rate_parameter_needs_no_systematics() -> None:
    card = card_of(mc_processes=signal_and_background(has_rateParam=True))
    assert card.nuisances == ()
    assert card.rate_parameters == (RateParameter("SF_bkg", "*", "bkg_2018", 1.0, (0.0, 5.0)),)


def test_groups_hold_what_is_written() -> None:
    card = card_of(
        log_normal("lumi", 1.02, group="experiment"),
        shape("JER", group=["jets", "experiment"]),
        log_normal("late", 1.02, years=["2019"], group="late"),
        mc_processes=MCProcesses(
            [MCProcess("sig", ["Sig"], ["2018", "2019"], True), MCProcess("bkg", ["Bkg"], ["2018"], False)]
        ),
    )
    assert card.groups == (Group("experiment", ("lumi", "JER")), Group("jets", ("JER",)))


def test_gamma_rows_carry_their_count() -> None:
    row = SystematicUncertainty("sideband", "gmN", ["bkg"], ["2018"], 5.0, events=20)
    assert card_of(row).nuisances == (Nuisance("sideband", "gmN", (None, 5.0), (20.0,)),)


@pytest.mark.parametrize(
    ("mcstat", "expected"),
    [
        (True, (AutoMCStats("SR", 0.0, False, 1),)),
        (False, ()),
        ({}, (AutoMCStats("SR", 0.0, False, 1),)),
        ({"threshold": 10}, (AutoMCStats("SR", 10.0, False, 1),)),
        ({"threshold": -1, "include_signal": 1, "hist_mode": 2}, (AutoMCStats("SR", -1.0, True, 2),)),
        ({"include_signal": True}, (AutoMCStats("SR", 0.0, True, 1),)),
    ],
)
def test_mc_stats(mcstat: Any, expected: tuple[AutoMCStats, ...]) -> None:
    assert mc_stats(mcstat, "SR") == expected


def test_the_dictionary_of_the_caller_is_not_changed() -> None:
    mcstat = {"threshold": 3, "hist_mode": 2}
    for _ in range(2):
        assert card_of(mcstat=mcstat).mc_stats == (AutoMCStats("SR_2018", 3.0, False, 2),)
    assert mcstat == {"threshold": 3, "hist_mode": 2}


@pytest.mark.parametrize(
    ("mcstat", "message"),
    [
        ({"treshold": 1}, "mcstat has the key 'treshold'; did you mean 'threshold'"),
        ({"threshold": "10"}, "mcstat threshold is '10', expected a number"),
        ({"threshold": float("nan")}, "mcstat threshold is nan, expected a number"),
        ({"threshold": True}, "mcstat threshold is True, expected a number"),
        ({"include_signal": 2}, "mcstat include_signal is 2, expected 0 or 1"),
        ({"hist_mode": 0}, "mcstat hist_mode is 0, expected 1 or 2"),
        (None, "mcstat is None, expected True, False or a dict with threshold, include_signal, hist_mode"),
        ("yes", "mcstat is 'yes', expected True, False or a dict"),
    ],
)
def test_mc_stats_that_combine_does_not_have(mcstat: Any, message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        mc_stats(mcstat, "SR")


def test_all_problems_of_mc_stats_are_listed() -> None:
    with pytest.raises(DeclarationError) as caught:
        mc_stats({"treshold": 1, "hist_mode": 3, "include_signal": None}, "SR")
    assert len(caught.value.problems) == 3
