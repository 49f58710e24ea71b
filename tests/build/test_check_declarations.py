"""What looks wrong about declarations by themselves."""

from __future__ import annotations

import pytest
from toys import shape, signal_and_background

from pocket_combine import Finding, MCProcess, MCProcesses, Severity, Systematics, SystematicUncertainty
from pocket_combine.build.check_declarations import check_declarations
from pocket_combine.build.plan import make_plan

YEARS = ["2017", "2018"]


def findings_of(processes: MCProcesses, *rows: SystematicUncertainty, years: list[str] | None = None) -> list[Finding]:
    systematics = Systematics(rows)
    plan = make_plan(processes, systematics, years or ["2018"])
    return check_declarations(plan, systematics)


def background(name: str, samples: list[str], years: list[str] | None = None) -> MCProcess:
    return MCProcess(name, samples, years or ["2018"], False)


SIGNAL = MCProcess("sig", ["Sig"], YEARS, True)


def test_nothing_is_found_about_plain_declarations() -> None:
    assert findings_of(signal_and_background(has_rateParam=True), shape("JER")) == []


@pytest.mark.parametrize(
    ("processes", "messages"),
    [
        (
            [background("a", ["TT", "VV"], YEARS), background("b", ["TT"], YEARS)],
            ["sample TT: counted twice in 2017, 2018, for it is in the processes a and b"],
        ),
        (
            [background("a", ["TT"], YEARS), background("b", ["TT"], ["2018"]), background("c", ["TT"], ["2018"])],
            ["sample TT: counted twice in 2018, for it is in the processes a and b and c"],
        ),
        (
            [background("a", ["TT__b", "TT__l"]), background("b", ["TT"])],
            [
                "sample TT: counted twice in 2018, for it is in process b, and its subsample TT__b in process a",
                "sample TT: counted twice in 2018, for it is in process b, and its subsample TT__l in process a",
            ],
        ),
        (
            [background("a", ["TT", "TT__b"])],
            ["sample TT: counted twice in 2018, for it is in process a, and its subsample TT__b in process a"],
        ),
        ([background("a", ["TT"], ["2017"]), background("b", ["TT"], ["2018"])], []),
        ([background("a", ["TT__b"]), background("b", ["TT__l"]), background("c", ["TTW"])], []),
    ],
)
def test_a_sample_that_is_counted_twice(processes: list[MCProcess], messages: list[str]) -> None:
    findings = findings_of(MCProcesses([SIGNAL, *processes]), years=YEARS)
    assert {(finding.code, finding.severity) for finding in findings} <= {("shared-sample", Severity.WARNING)}
    assert [f"{finding.place}: {finding.message}" for finding in findings] == messages


def test_years_outside_the_card_do_not_count() -> None:
    processes = [background("a", ["TT"], YEARS), background("b", ["TT"], ["2017"])]
    assert findings_of(MCProcesses([SIGNAL, *processes]), years=["2018"]) == []


def test_a_signal_with_a_rate_parameter() -> None:
    processes = MCProcesses([MCProcess("sig", ["Sig"], ["2018"], True, has_rateParam=True), background("a", ["A"])])
    (finding,) = findings_of(processes)
    assert (finding.code, finding.severity, finding.place) == (
        "signal-rate-parameter",
        Severity.WARNING,
        "process sig",
    )


def test_no_signal_at_all() -> None:
    (finding,) = findings_of(MCProcesses([background("a", ["A"])]))
    assert (finding.code, finding.severity) == ("no-signal", Severity.ERROR)


def test_a_year_that_no_process_of_a_nuisance_has() -> None:
    rows = [shape("JER", ["bkg"], ["2018", "2108"]), shape("pileup", ["sig", "bkg"], ["2018"])]
    (finding,) = findings_of(signal_and_background(), *rows)
    assert (finding.code, finding.severity, finding.place) == (
        "systematic-without-year",
        Severity.WARNING,
        "nuisance JER",
    )
    assert finding.message == "covers 2108, where none of its processes is defined (they are in 2018)"


@pytest.mark.parametrize(("value", "found"), [(1, True), ((1, 1.0), True), ((1.0, 1.1), False), (1.01, False)])
def test_a_log_normal_of_one_does_nothing(value: object, found: bool) -> None:
    row = SystematicUncertainty("lumi", "lnN", ["sig", "bkg"], ["2018"], value)
    assert [finding.code for finding in findings_of(signal_and_background(), row)] == ["unit-kappa"] * found


def test_a_strength_of_one_is_the_convention() -> None:
    assert findings_of(signal_and_background(), shape("JER")) == []
