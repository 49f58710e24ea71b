"""Missing inputs are errors with all problems at once; missing variations are findings with their full extent."""

from __future__ import annotations

import hist
import pytest
from toys import Toy, observed, shape, signal_and_background, small_toy

from pocket_combine import DataProcesses, Finding, MCProcess, MCProcesses, Severity, Systematics
from pocket_combine.build.check_coverage import check_coverage
from pocket_combine.build.collect import collect
from pocket_combine.build.plan import make_plan
from pocket_combine.errors import MissingInputError

YEARS = ["2017", "2018"]
FLAT = [1.0, 1.0, 1.0, 1.0]
PAIR = (FLAT, FLAT)


def findings_of(
    *toys: Toy,
    processes: MCProcesses | None = None,
    rows: Systematics | None = None,
    years: list[str] | None = None,
    data: DataProcesses | None = None,
) -> list[Finding]:
    plan = make_plan(processes or signal_and_background(), rows or Systematics([]), years or ["2018"], data)
    parts = [collect(**toy.inputs, plan=plan, categories=["SR"]).coverage for toy in toys]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return check_coverage(total, plan)


def test_nothing_is_found_where_all_is_there() -> None:
    assert findings_of(small_toy(), rows=Systematics([shape("JER")]), data=observed()) == []


def test_a_sample_that_is_nowhere_names_the_nearest() -> None:
    processes = MCProcesses([MCProcess("sig", ["Sgi"], ["2018"], True), MCProcess("b", ["Bkg", "TT"], ["2018"], False)])
    with pytest.raises(MissingInputError) as caught:
        findings_of(small_toy(), processes=processes, data=observed("DATA", "DATA_X"))
    assert str(caught.value) == (
        "3 problems:\n"
        "  1. sample 'Sgi' of process 'sig' is in no output of 2018; did you mean 'Sig'?\n"
        "  2. sample 'TT' of process 'b' is in no output of 2018; available: 'Bkg', 'DATA', 'Sig'\n"
        "  3. sample 'DATA_X' of data process 'data_obs' is in no output of 2018; did you mean 'DATA'?"
    )


def test_a_sample_of_another_year_is_said_to_be_there() -> None:
    toy = small_toy().simulate("Other", "2016", FLAT)
    processes = signal_and_background()
    processes["o"] = MCProcess("o", ["Other"], ["2018"], False)
    with pytest.raises(
        MissingInputError, match=r"sample 'Other' of process 'o' is in no output of 2018; it exists in 2016"
    ):
        findings_of(toy, processes=processes)


def test_a_process_or_data_without_a_sample_in_one_of_its_years() -> None:
    toy = small_toy().simulate("Sig", "2017", FLAT)
    with pytest.raises(MissingInputError) as caught:
        findings_of(toy, processes=signal_and_background(years=YEARS), years=YEARS, data=observed(years=YEARS))
    assert str(caught.value) == (
        "2 problems:\n"
        "  1. process 'bkg' has no sample in '2017' (its samples Bkg are in 2018): take the year out of its years\n"
        "  2. data process 'data_obs' has no sample in '2017' (its samples DATA are in 2018): take the year out of its "
        "years"
    )


def test_a_year_that_no_output_has_is_one_problem_with_the_nearest() -> None:
    with pytest.raises(MissingInputError) as caught:
        findings_of(small_toy(), processes=signal_and_background(years=["2018", "2081"]), years=["2018", "2081"])
    assert str(caught.value) == "year '2081' is in no output; did you mean '2018'?"


def test_samples_in_some_years_only_are_one_finding_each() -> None:
    toy = small_toy().simulate("Sig", "2017", FLAT).simulate("Bkg", "2017", FLAT).observe("DATA", "2017", FLAT)
    toy.simulate("Rare", "2018", FLAT).observe("DATA_new", "2018", FLAT)
    processes = MCProcesses([MCProcess("sig", ["Sig"], YEARS, True), MCProcess("bkg", ["Bkg", "Rare"], YEARS, False)])
    findings = findings_of(toy, processes=processes, years=YEARS, data=observed("DATA", "DATA_new", years=YEARS))
    assert [(finding.code, finding.severity, finding.place, finding.message) for finding in findings] == [
        (
            "sample-missing-in-year",
            Severity.WARNING,
            "process 'bkg', sample Rare",
            "is not in the outputs of 2017",
        ),
        (
            "sample-missing-in-year",
            Severity.WARNING,
            "data process 'data_obs', sample DATA_new",
            "is not in the outputs of 2017",
        ),
    ]


def test_selected_events_without_a_histogram_are_lost() -> None:
    toy = small_toy().know("Bkg", "2018", "Bkg_ext")
    toy.cutflow["presel"]["Bkg_ext"] = 12
    message = "dataset 'Bkg_ext' of sample 'Bkg' has 12 events after the preselection and no histogram"
    with pytest.raises(MissingInputError, match=message):
        findings_of(toy)


def test_what_one_output_lost_is_not_hidden_by_another() -> None:
    broken = Toy().know("Bkg", "2018", "Bkg_2018")
    broken.cutflow["presel"]["Bkg_2018"] = {"nominal": 7}
    with pytest.raises(MissingInputError, match=r"dataset 'Bkg_2018' of sample 'Bkg' has 7 events .* no histogram"):
        findings_of(small_toy(), broken)


def test_what_is_empty_in_one_output_may_be_filled_in_another() -> None:
    empty = Toy().know("Bkg", "2018", "Bkg_2018")
    empty.cutflow["presel"]["Bkg_2018"] = 0
    assert findings_of(empty, small_toy()) == []


def test_datasets_without_events_are_one_finding() -> None:
    toy = small_toy().know("Bkg", "2018", "Bkg_b").know("Bkg", "2018", "Bkg_a")
    toy.cutflow["presel"]["Bkg_a"] = {"nominal": 0}
    (finding,) = findings_of(toy)
    assert (finding.code, finding.severity) == ("empty-dataset", Severity.INFO)
    assert finding.message == "no events after the preselection, skipped: Bkg_a (sample Bkg), Bkg_b (sample Bkg)"


def test_contents_of_datasets_that_should_be_empty_are_an_error() -> None:
    toy = small_toy().simulate("Bkg", "2018", FLAT, dataset="Bkg_b", selected=None)
    (finding,) = findings_of(toy)
    assert (finding.code, finding.severity, finding.place) == (
        "ignored-dataset",
        Severity.ERROR,
        "sample Bkg, dataset Bkg_b",
    )
    assert finding.numbers == {"content": 4.0}


def variation_toy() -> Toy:
    """Two years, two backgrounds; JER on Bkg only, `odd` on one dataset of Bkg and with Up alone on Sig."""
    toy = Toy()
    for year in YEARS:
        toy.simulate("Bkg", year, FLAT, {"JER": PAIR}, dataset=f"Bkg_a_{year}")
        toy.simulate("Bkg", year, FLAT, {"JER": PAIR, "odd": PAIR}, dataset=f"Bkg_b_{year}")
        toy.add("Sig", year, {"nominal": FLAT, "oddUp": FLAT})
        toy.simulate("VV", year, FLAT)
    return toy


def variation_findings(*rows: object) -> list[Finding]:
    processes = signal_and_background(years=YEARS)
    processes["vv"] = MCProcess("vv", ["VV"], YEARS, False)
    return findings_of(variation_toy(), processes=processes, rows=Systematics(rows), years=YEARS)  # type: ignore[arg-type]


def test_a_missing_variation_is_one_finding_with_its_full_extent() -> None:
    (finding,) = variation_findings(shape("jer", ["sig", "bkg", "vv"], YEARS, coffea_name_alias="JER"))
    assert (finding.code, finding.severity, finding.place) == ("variation-missing", Severity.WARNING, "nuisance jer")
    assert finding.message == (
        "variation 'JER' is missing, nominal taken instead, in sample Sig (2017, 2018); sample VV (2017, 2018)"
    )
    assert finding.numbers == {"datasets": 4.0}


def test_a_variation_with_one_shift_only_is_said_to_be_so() -> None:
    missing, one_sided = variation_findings(shape("odd", ["sig", "bkg"], ["2018"]))
    assert (
        missing.message == "variation 'odd' is missing, nominal taken instead, in sample Bkg (2018); sample Sig (2018)"
    )
    assert one_sided.code == "variation-one-sided"
    assert one_sided.message == "only one of Up and Down is there, nominal taken for the other, in sample Sig (2018)"


def test_a_nuisance_that_falls_back_everywhere_is_an_error_that_names_the_nearest() -> None:
    (finding,) = variation_findings(shape("JRE", ["sig", "bkg"], YEARS))
    assert (finding.code, finding.severity, finding.place) == ("variation-nowhere", Severity.ERROR, "nuisance JRE")
    assert finding.message == (
        "variation 'JRE' is in none of the histograms it should act on: the nuisance does nothing"
    )
    assert finding.advice.startswith("did you mean 'JER'?")


def test_a_variation_that_only_other_processes_have_does_nothing() -> None:
    (finding,) = variation_findings(shape("JER", ["vv"], YEARS))
    assert (finding.code, finding.severity) == ("variation-nowhere", Severity.ERROR)


def test_a_mistyped_alias_of_one_process_is_an_error_though_the_nuisance_acts_elsewhere() -> None:
    alias = {"bkg": "JER", "vv": "JRE"}
    (finding,) = variation_findings(shape("jer", ["bkg", "vv"], YEARS, coffea_name_alias=alias))
    assert (finding.code, finding.severity) == ("variation-nowhere", Severity.ERROR)
    assert finding.message == (
        "variation 'JRE' is in none of the histograms it should act on: the nuisance does nothing in "
        "sample VV (2017, 2018)"
    )


def test_nuisances_are_reported_in_the_order_of_the_templates() -> None:
    rows = [shape(name, ["sig", "bkg", "vv"], YEARS, coffea_name_alias="JER") for name in ("z", "a", "m")]
    assert [finding.place for finding in variation_findings(*rows)] == ["nuisance a", "nuisance m", "nuisance z"]


def test_storages_without_variances_are_one_finding() -> None:
    toy = Toy(storage=hist.storage.Double()).simulate("Sig", "2018", [0.5] * 4).simulate("Bkg", "2018", [2.5] * 4)
    (finding,) = findings_of(toy)
    assert (finding.code, finding.severity, finding.place) == ("no-variances", Severity.WARNING, "2 datasets")
    assert "Bkg_2018 (sample Bkg), Sig_2018 (sample Sig)" in finding.message
