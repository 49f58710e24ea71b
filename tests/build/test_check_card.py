"""What Combine would refuse about a card is a finding of severity error, with its place."""

from __future__ import annotations

from typing import Any

import pytest
from toys import Toy, observed, shape, signal_and_background, small_toy

from pocket_combine import Datacard, Finding, MCProcess, MCProcesses, Severity, Systematics, SystematicUncertainty

ZERO = [0.0] * 4


def findings_of(toy: Toy, *rows: SystematicUncertainty, **options: Any) -> list[Finding]:
    arguments: dict[str, Any] = {
        "mc_processes": signal_and_background(),
        "data_processes": observed() if "DATA" in toy.histograms else None,
        "years": ["2018"],
        "category": toy.categories[0],
    }
    card = Datacard(**toy.inputs, systematics=Systematics(rows), verbose=False, **{**arguments, **options})
    return [finding for finding in card.findings if finding.code not in ("no-data", "blinded")]


def codes(findings: list[Finding]) -> list[tuple[str, Severity]]:
    return [(finding.code, finding.severity) for finding in findings]


def test_nothing_is_found_about_a_good_card() -> None:
    assert findings_of(small_toy(), shape("JER")) == []


def test_a_channel_that_begins_with_a_digit_is_advised_a_prefix() -> None:
    toy = small_toy(categories=["1btag"])
    (finding,) = findings_of(toy)
    assert (finding.code, finding.severity, finding.place) == (
        "channel-leading-digit",
        Severity.ERROR,
        "channel 1btag_2018",
    )
    assert "bin_prefix='cat' for cat_1btag_2018" in finding.advice
    assert findings_of(toy, bin_prefix="cat") == []


def test_a_channel_without_background() -> None:
    toy = Toy().simulate("Sig", "2018", [1] * 4).simulate("Bkg", "2018", ZERO)
    assert codes(findings_of(toy)) == [("no-background", Severity.ERROR), ("empty-process", Severity.WARNING)]
    only_signal = MCProcesses([MCProcess("sig", ["Sig"], ["2018"], True)])
    assert codes(findings_of(toy, mc_processes=only_signal)) == [("no-background", Severity.ERROR)]


def test_processes_without_yield_and_their_nuisances() -> None:
    toy = Toy().simulate("Sig", "2018", ZERO, {"JER": (ZERO, ZERO)}).simulate("Bkg", "2018", [1] * 4)
    empty, idle = findings_of(toy, shape("JER", ["sig"]))
    assert (empty.code, empty.severity) == ("empty-process", Severity.WARNING)
    assert empty.message == "no yield, so that Combine leaves them out of the channel: sig_2018"
    assert (idle.code, idle.severity) == ("nuisance-without-effect", Severity.INFO)
    assert idle.message.endswith("no effect here: JER")


def test_negative_yields_where_negative_bins_are_kept() -> None:
    toy = Toy().simulate("Sig", "2018", [1, -1, 0, 0]).simulate("Bkg", "2018", [1, -3, 0, 0])
    negative, empty, together = findings_of(toy, negative_bins="keep")
    assert (negative.code, negative.severity, negative.place) == (
        "negative-rate",
        Severity.ERROR,
        "channel SR_2018, process bkg_2018",
    )
    assert negative.numbers == {"rate": -2.0}
    assert empty.message.endswith("sig_2018 (sig_2018: negative bins cancel positive ones)")
    assert (together.code, together.message) == ("negative-data", "all processes together are negative in bin 1")


def gamma(name: str, alpha: float, events: int) -> SystematicUncertainty:
    return SystematicUncertainty(name, "gmN", ["bkg"], ["2018"], alpha, events=events)


@pytest.mark.parametrize(
    ("alpha", "events", "refused"),
    [(5.0, 20, False), (5.0, 21, False), (5.0, 19, False), (5.2, 20, False), (5.0, 22, True), (50.0, 1, False)],
)
def test_gamma_rows_must_give_the_rate(alpha: float, events: int, refused: bool) -> None:
    # The rate is 100: Combine allows a difference of 5 % of it or of alpha, whichever is larger.
    findings = findings_of(small_toy(), gamma("side", alpha, events))
    assert codes(findings) == [("gamma-rate", Severity.ERROR)] * refused


def test_a_gamma_row_on_an_empty_process_and_two_on_one_process() -> None:
    toy = Toy().simulate("Sig", "2018", [1] * 4).simulate("Bkg", "2018", ZERO).simulate("VV", "2018", [1] * 4)
    processes = signal_and_background()
    processes["vv"] = MCProcess("vv", ["VV"], ["2018"], False)
    findings = findings_of(toy, gamma("side", 1.0, 4), gamma("other", 1.0, 4), mc_processes=processes)
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    assert [finding.code for finding in errors] == ["gamma-twice", "gamma-rate", "gamma-rate"]
    assert errors[0].message == "has 2 gmN nuisances (side, other); Combine takes one per process"
    assert errors[1].message.startswith("acts on a process without content: Combine gives it a rate of 1e-6")


def test_one_kind_of_morphing_per_process() -> None:
    def row(name: str, kind: str, process: str) -> SystematicUncertainty:
        return SystematicUncertainty(name, kind, [process], ["2018"], 1, coffea_name_alias="JER")

    fine = [row("a", "shape", "bkg"), row("b", "shapeU", "bkg"), row("c", "shapeN", "sig")]
    assert findings_of(small_toy(), *fine) == []
    (finding,) = findings_of(small_toy(), *fine, row("d", "shapeN", "bkg"))
    assert (finding.code, finding.severity, finding.place) == (
        "mixed-morphing",
        Severity.ERROR,
        "channel SR_2018, process bkg_2018",
    )


def test_names_at_which_combine_splits() -> None:
    toy = small_toy(categories=["SIDEBAND"])
    assert findings_of(toy) == []
    (finding,) = findings_of(toy, mc_processes=signal_and_background(has_rateParam=True))
    assert (finding.code, finding.severity) == ("reserved-word", Severity.ERROR)
    assert finding.message.endswith("splits names at 'AND': SIDEBAND_2018")


def test_data_that_are_negative_or_unexpected() -> None:
    toy = Toy().simulate("Sig", "2018", [1, 1, 0, 0]).simulate("Bkg", "2018", [1, 1, 0, 0])
    toy.observe("DATA", "2018", [1, -1, 0, 2])
    negative, unexpected = findings_of(toy)
    assert (negative.code, negative.severity) == ("negative-data", Severity.ERROR)
    assert negative.message == "data are negative in bin 1"
    assert (unexpected.code, unexpected.severity) == ("data-without-expectation", Severity.WARNING)
    assert unexpected.message.startswith("data but no expected events in bin 3:")
