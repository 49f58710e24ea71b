"""Checks of yields, with numbers worked by hand."""

import pytest
from small_cards import Row, card_of

from pocket_combine.card.model import AutoMCStats
from pocket_combine.checks import Thresholds, run_checks
from pocket_combine.findings import Severity
from pocket_combine.templates import Templates


def two_bins(**variations: tuple[list[float], list[float]]) -> dict[str, Templates]:
    """Background of 40 events, signal of 4; variations act on the background."""
    pairs = {("bkg", name): pair for name, pair in variations.items()}
    return {"SR": Templates.of([0, 1, 2], {"sig": [1.0, 3.0], "bkg": [30.0, 10.0]}, pairs, observation=[30, 14])}


def test_large_effect_of_templates_is_their_ratio_to_the_power_of_the_strength() -> None:
    templates = two_bins(A=([33.0, 11.0], [27.0, 9.0]), B=([34.0, 11.0], [27.0, 9.0]), C=([31.0, 11.0], [29.0, 9.0]))
    card = card_of(
        templates, {"A": ("shape", {"bkg": 1.0}), "B": ("shape", {"bkg": 1.0}), "C": ("shape", {"bkg": 3.0})}
    )
    found = run_checks(card, templates, select=["large-normalisation-effect"])
    # A: 44/40 = 1.1 and 36/40 = 0.9 are not above 10 %. B: 45/40 = 1.125. C: (42/40)^3 = 1.157625 and (38/40)^3.
    assert [finding.where.nuisance for finding in found] == ["B", "C"]
    assert found[0].numbers == pytest.approx({"up": 1.125, "down": 0.9})
    assert found[1].numbers == pytest.approx({"up": 1.157625, "down": 0.857375})
    assert str(found[0]).startswith(
        "warning [large-normalisation-effect] channel SR, process bkg, nuisance B: "
        "changes the yield by +12.5% (Up) and -10.0% (Down), more than 10%"
    )


def test_large_effect_of_numbers() -> None:
    templates = two_bins()
    rows: dict[str, Row] = {
        "small": ("lnN", {"bkg": 1.1}),
        "large": ("lnN", {"bkg": 1.11}),
        "low": ("lnN", {"bkg": 0.85}),
        "down_side": ("lnN", {"bkg": (0.8, 1.05)}),
        "linear": ("trG", {"bkg": 0.2}),
        "free": ("lnU", {"bkg": 2.0}),
    }
    found = run_checks(card_of(templates, rows), templates, select=["large-normalisation-effect"])
    assert [finding.where.nuisance for finding in found] == ["large", "low", "down_side", "linear"]
    assert found[3].numbers == pytest.approx({"up": 1.2, "down": 0.8})
    strict = Thresholds(normalisation_effect=0.05)
    found = run_checks(card_of(templates, rows), templates, thresholds=strict, select=["large-normalisation-effect"])
    assert [finding.where.nuisance for finding in found] == ["small", "large", "low", "down_side", "linear"]


def test_same_direction() -> None:
    templates = two_bins(
        both_up=([33.0, 10.0], [31.0, 10.0]),  # 1.075, 1.025
        both_down=([29.0, 10.0], [28.0, 10.0]),
        opposite=([31.0, 10.0], [29.0, 10.0]),
        tiny=([30.02, 10.0], [30.01, 10.0]),  # 1.0005, 1.00025: Combine drops it
        rounding=([30.00001, 10.0], [30.00001, 10.0]),  # 2.5e-7
    )
    rows: dict[str, Row] = {name: ("shape", {"bkg": 1.0}) for _, name in templates["SR"].pairs}
    rows["pair"] = ("lnN", {"bkg": (1.02, 1.05)})
    rows["sane"] = ("lnN", {"bkg": (0.98, 1.05)})
    found = run_checks(card_of(templates, rows), templates, select=["same-direction-normalisation"])
    assert [(finding.where.nuisance, finding.severity) for finding in found] == [
        ("pair", Severity.WARNING),
        ("both_down", Severity.WARNING),
        ("both_up", Severity.WARNING),
        ("tiny", Severity.INFO),
    ]
    assert found[2].numbers == pytest.approx({"up": 1.075, "down": 1.025})
    assert "both raise the yield: +7.500% and +2.500%" in found[2].message
    assert "both lower the yield" in found[1].message


def test_empty_processes() -> None:
    templates = {"SR": Templates.of([0, 1, 2], {"sig": [1.0, 3.0], "bkg": [30.0, 10.0], "none": [0.0, 0.0]})}
    card = card_of(templates, rates={("SR", "off"): 0.0})
    found = run_checks(card, templates, select=["empty-process"])
    assert [(finding.where.process, finding.severity) for finding in found] == [
        ("none", Severity.ERROR),
        ("off", Severity.WARNING),
    ]


def test_negative_yield_and_missing_template() -> None:
    templates = {"SR": Templates.of([0, 1, 2], {"sig": [1.0, 3.0], "bkg": [30.0, 10.0], "neg": [1.0, -4.0]})}
    card = card_of(templates, {"JES": ("shape", {"bkg": 1.0})}, rates={("SR", "lost"): 5.0, ("CR", "bkg"): -1.0})
    found = run_checks(card, templates, select=["negative-rate", "missing-template"])
    places = [(finding.code, finding.place) for finding in found]
    assert places == [
        ("missing-template", "channel SR, process lost"),
        ("missing-template", "channel SR, process bkg, nuisance JES"),
        ("negative-rate", "channel SR, process neg"),
        ("negative-rate", "channel CR, process bkg"),
    ]
    assert found[2].numbers == {"events": -3.0}


def test_rates_beside_integrals() -> None:
    templates = {
        "SR": Templates.of([0, 1], {"sig": [0.5], "bkg": [100.0], "other": [100.0]}, observation=[99.0]),
        "CR": Templates.of([0, 1], {"sig": [0.5], "bkg": [100.0]}, observation=[3.0]),
    }
    # The tolerance is 1 % of the rate, but at least 0.01 events.
    rates = {("SR", "sig"): 0.509, ("SR", "bkg"): 101.0, ("SR", "other"): 101.02, ("CR", "sig"): 0.511}
    card = card_of(templates, rates=rates, observations={"SR": 99.4, "CR": 0.0})
    found = run_checks(card, templates, select=["rate-mismatch", "observation-mismatch"])
    assert [(finding.code, finding.place) for finding in found] == [
        ("rate-mismatch", "channel SR, process other"),
        ("rate-mismatch", "channel CR, process sig"),
        ("observation-mismatch", "channel CR"),
    ]
    assert found[0].numbers == {"rate": 101.02, "integral": 100.0}
    # 99 / 99.4 = 0.99598 is within half a percent, 99 / 99.6 = 0.99398 is not.
    card = card_of(templates, observations={"SR": 99.6})
    found = run_checks(card, templates, select=["observation-mismatch"])
    assert [finding.place for finding in found] == ["channel SR"]


def test_channels_without_signal_or_background() -> None:
    templates = {
        "SR": Templates.of([0, 1], {"sig": [5.0], "bkg": [50.0]}),
        "CR": Templates.of([0, 1], {"bkg": [50.0]}),
        "odd": Templates.of([0, 1], {"sig": [5.0]}),
    }
    found = run_checks(card_of(templates), templates, select=["no-background", "no-signal-in-channel"])
    assert [(finding.code, finding.severity, finding.place) for finding in found] == [
        ("no-signal-in-channel", Severity.INFO, "channel CR"),
        ("no-background", Severity.ERROR, "channel odd"),
    ]


def test_small_signals() -> None:
    nominal = {"sig": [999.5], "sig2": [0.5], "sig3": [1.5], "bkg": [50.0]}
    templates = {"SR": Templates.of([0, 1], nominal)}
    card = card_of(templates, signals=["sig", "sig2", "sig3"])
    # 0.1 % of 1001.5 events is 1.0015.
    found = run_checks(card, templates, select=["small-signal"])
    assert [(finding.place, finding.numbers) for finding in found] == [
        ("channel SR, process sig2", {"events": 0.5, "signal": 1001.5})
    ]


def test_empty_variation() -> None:
    templates = two_bins(A=([0.0, 0.0], [31.0, 9.0]), B=([31.0, 9.0], [1.0, -2.0]))
    rows = {name: ("shape", {"bkg": 1.0}) for name in "AB"}
    found = run_checks(card_of(templates, rows), templates, select=["empty-variation"])
    assert [(finding.where.nuisance, finding.severity) for finding in found] == [
        ("A", Severity.ERROR),
        ("B", Severity.ERROR),
    ]
    assert found[0].message == "Up not above 0 events while nominal has 40 (Up 0, Down 40): Combine stops"
    # With hist_mode 2 Combine morphs the templates as they are.
    card = card_of(templates, rows, mc_stats=[AutoMCStats("SR", 0, hist_mode=2)])
    assert run_checks(card, templates, select=["empty-variation"]) == []


def test_counting_channel() -> None:
    card = card_of(
        {},
        {"xsec": ("lnN", {"bkg": 1.5})},
        rates={("SR", "sig"): 2.0, ("SR", "sig2"): 0.001, ("SR", "bkg"): 7.0},
        observations={"SR": 8.0},
        signals=["sig", "sig2"],
    )
    found = run_checks(card, {})
    assert [finding.code for finding in found] == ["small-signal", "large-normalisation-effect"]
