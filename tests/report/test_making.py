"""Whole reports: what they hold, what is run again, what fails, and that blind means blind."""

from __future__ import annotations

import json
import logging
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("mplhep")
pytest.importorskip("jinja2")

from report_cards import OBSERVED, loaded_card, write_card

from pocket_combine.card.load import LoadedCard, load_card
from pocket_combine.cli import main
from pocket_combine.execution import Progress
from pocket_combine.inference import Blinding, goodness_of_fit, impacts, limits, make_workspace, scan, toy_fits
from pocket_combine.io.result_files import read_result
from pocket_combine.report import SECTION_NAMES, MadeReport, ReportOptions, make_report
from pocket_combine.report.contents import Mark, Paragraph, Section
from pocket_combine.results import FitResult, ScanResult

FEW = ReportOptions(toys=6, points=7, details=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("report")


@pytest.fixture(scope="module")
def card(folder: Path) -> LoadedCard:
    return loaded_card(folder)


@pytest.fixture(scope="module")
def blind(folder: Path, card: LoadedCard) -> MadeReport:
    """A whole blind report."""
    return make_report(card, folder / "blind", options=FEW)


def plain(made: MadeReport) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(made.data.read_text())
    return found


def numbers_of(made: MadeReport, section: str) -> Any:
    return next(entry for entry in plain(made)["sections"] if entry["name"] == section)["numbers"]


def section_of(made: MadeReport, name: str) -> Section:
    return next(section for section in made.report.sections if section.name == name)


def contents(folder: Path) -> Mapping[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_report_has_all_sections_and_every_figure_is_drawn(blind: MadeReport, folder: Path) -> None:
    assert [section.name for section in blind.report.sections] == list(SECTION_NAMES)
    assert {section.name: section.mark for section in blind.report.sections if section.mark is not Mark.GOOD} == {
        "names": Mark.SKIPPED,
        "checks": Mark.NOTICE,
    }
    texts = [part.text for section in blind.report.sections for part in section.parts if isinstance(part, Paragraph)]
    texts += [part.text for item in blind.report.details.values() for part in item.parts if isinstance(part, Paragraph)]
    assert [text for text in texts if "could not be drawn" in text] == []
    figures = [name for section in plain(blind)["sections"] for name in section["figures"]]
    assert len(figures) >= 15
    assert all((folder / "blind" / name).is_file() for name in figures)
    documents = [name for name in figures if not name.startswith("figures/check-")]
    assert all((folder / "blind" / name).with_suffix(".pdf").is_file() for name in documents)
    assert set(blind.report.details) == {"lumi", "norm_dy", "JES", "SF_tt", *(f"prop_binSR_bin{at}" for at in range(3))}
    assert blind.is_good
    assert blind.page.read_text().startswith("<!DOCTYPE html>")


def test_numbers_are_those_of_direct_calls(blind: MadeReport, card: LoadedCard) -> None:
    workspace = make_workspace(card.card, card.templates, expect_signal=1.0)
    direct = impacts(workspace)
    found = numbers_of(blind, "impacts")["impacts-signal"]
    assert found["impacts"] == {impact.parameter: {"r": impact.impact("r")} for impact in direct.impacts}
    assert found["breakdown"] == {part.group: {"low": part.low, "high": part.high} for part in direct.breakdown}
    expected = limits(workspace).expected
    assert numbers_of(blind, "limits")["expected"] == {f"{entry.quantile:g}": entry.limit for entry in expected}
    assert numbers_of(blind, "limits")["observed"] is None
    goodness = goodness_of_fit(workspace, toys=6, seed=1835504127)
    assert numbers_of(blind, "goodness")["toys_mean"] == goodness.toys.mean()
    wide = make_workspace(card.card, card.templates, expect_signal=1.0, ranges={"r": (-0.667, 20.0)})
    toys = toy_fits(wide, 0.0, 6, 1731038949)
    assert numbers_of(blind, "bias")["toys-signal-0"]["mean_pull"] == toys.pulls.mean()
    points = numbers_of(blind, "scan")["scan-signal-r"]["points"]
    again = scan(workspace, {"r": [entry["point"][0] for entry in points]})
    assert [entry["delta_nll"] for entry in points] == pytest.approx(again.delta_nll.tolist(), abs=1e-9)
    yields = {channel["name"]: channel for channel in numbers_of(blind, "card")["channels"]}
    assert yields["SR"]["processes"] == {"sig": 14.0, "tt": 58.0, "dy": 33.0}
    assert yields["SR"]["observed"] is None


def test_results_are_files_for_the_commands_that_draw(blind: MadeReport, folder: Path) -> None:
    results = [name for section in plain(blind)["sections"] for name in section["results"]]
    assert "results/fit-signal.json" in results
    fitted = read_result(FitResult, folder / "blind" / "results/fit-signal.json")
    assert fitted.value("r") == pytest.approx(1.0, abs=1e-4)
    assert fitted.provenance.options == {"expect_signal": 1.0, "notes": []}
    statistics = read_result(ScanResult, folder / "blind" / "results/scan-signal-r-statistics.json")
    whole = read_result(ScanResult, folder / "blind" / "results/scan-signal-r.json")
    assert statistics.crossings[0].high < whole.crossings[0].high
    assert statistics.provenance.options["freeze"] == ["allConstrainedNuisances"]


def test_sections_say_how_to_run_them_alone(blind: MadeReport, folder: Path) -> None:
    commands = section_of(blind, "fit").command.splitlines()
    assert commands == [
        f"pocket-combine fit {folder / 'card.txt'} --expect-signal 0 --range r=-0.667,20",
        f"pocket-combine fit {folder / 'card.txt'} --expect-signal 1",
        "# in the folder of the report, from the saved results",
        "pocket-combine plot pulls results/fit-background.json results/fit-signal.json",
    ]
    assert section_of(blind, "scan").command.splitlines()[-1] == (
        "pocket-combine plot scan total=results/scan-signal-r.json 'stat only=results/scan-signal-r-statistics.json' "
        "--breakdown syst,stat"
    )
    assert "--parameter r=LOW,HIGH" not in section_of(blind, "scan").command
    assert section_of(blind, "fit").options["range"] == "r from -0.667 to 20, in background-only data"
    assert section_of(blind, "bias").options["toys"] == "6"
    assert section_of(blind, "bias").options["seed"] == ("1731038949, 1320224556 (made of --seed 1 of the report)")


def test_the_commands_of_a_report_are_valid(blind: MadeReport) -> None:
    texts = [section.command for section in blind.report.sections]
    parts = [part for detail in blind.report.details.values() for part in detail.parts]
    texts += [part.text for part in parts if isinstance(part, Paragraph) and part.code]
    lines = [line for text in texts for line in text.splitlines() if not line.startswith("#")]
    assert len(lines) > 20
    for line in lines:
        command: click.Command = main
        words = shlex.split(line)[1:]
        while isinstance(command, click.Group):
            found = command.get_command(click.Context(command), words.pop(0))
            assert found is not None, line
            command = found
        command.make_context(line, words)  # raises if the words do not fit


def test_what_is_there_is_not_run_again(blind: MadeReport, folder: Path, card: LoadedCard) -> None:
    before = {
        path: path.stat().st_mtime_ns for path in (folder / "blind").rglob("*.*") if path.parent != folder / "blind"
    }
    first = contents(folder / "blind")
    again = make_report(card, folder / "blind", options=FEW)
    assert set(again.seconds.values()) == {None}
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert contents(folder / "blind") == first


def test_blind_means_that_no_byte_depends_on_the_observation(blind: MadeReport, folder: Path) -> None:
    other = load_card(write_card(folder, (5.0, 61.0, 99.0)))
    make_report(other, folder / "other", options=FEW)
    ours, theirs = contents(folder / "blind"), contents(folder / "other")
    assert sorted(ours) == sorted(theirs)
    assert [name for name in ours if ours[name] != theirs[name]] == []


# ---------------------------------------------------------------------- parts of reports

LIMITS = ReportOptions(only=("card", "limits", "significance"), details=0)


def test_other_options_are_another_question(tmp_path: Path) -> None:
    card = loaded_card(tmp_path)
    one = ReportOptions(only=("significance",), details=0)
    make_report(card, tmp_path / "out", options=one)
    frozen = make_report(card, tmp_path / "out", options=one, settings={"freeze": ("JES",)})
    assert frozen.seconds["significance"] is not None
    stronger = ReportOptions(only=("significance",), details=0, expect_signal=2.0)
    again = make_report(card, tmp_path / "out", options=stronger, settings={"freeze": ("JES",)})
    assert again.seconds["significance"] is not None
    assert numbers_of(again, "significance")["significance-signal"]["best_fit"] == pytest.approx(2.0, abs=1e-3)
    changed = load_card(write_card(tmp_path, (52.0, 33.0, 25.0)))
    same = make_report(changed, tmp_path / "out", options=stronger, settings={"freeze": ("JES",)})
    assert same.seconds["significance"] is None  # the observation is no part of a blind question


def test_a_damaged_result_is_made_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    card = loaded_card(tmp_path)
    first = make_report(card, tmp_path / "out", options=LIMITS)
    path = tmp_path / "out" / "results" / "limits-background.json"
    before = path.read_text()
    path.write_text(before[: len(before) // 2])
    with caplog.at_level(logging.WARNING):
        second = make_report(card, tmp_path / "out", options=LIMITS)
    assert "limits-background.json: not JSON" in caplog.text
    assert path.read_text() == before
    assert (second.seconds["limits"] is None, second.seconds["significance"]) == (False, None)
    assert numbers_of(second, "limits") == numbers_of(first, "limits")


def test_after_an_interrupt_a_report_goes_on_where_it_stopped(tmp_path: Path) -> None:
    card = loaded_card(tmp_path)

    def impatient(number: int, total: int, title: str) -> Progress | None:
        if title.startswith("Significance"):
            raise KeyboardInterrupt
        return None

    with pytest.raises(KeyboardInterrupt):
        make_report(card, tmp_path / "out", options=LIMITS, observer=impatient)
    assert not (tmp_path / "out" / "report.json").exists()
    made = make_report(card, tmp_path / "out", options=LIMITS)
    assert made.seconds["limits"] is None
    assert made.seconds["significance"] is not None


def test_what_fails_is_a_section_with_the_reason_and_the_rest_goes_on(tmp_path: Path) -> None:
    card = loaded_card(tmp_path)
    made = make_report(card, tmp_path / "out", options=LIMITS, settings={"ranges": {"r": (0.0, 0.1)}})
    section = section_of(made, "limits")
    assert section.mark is Mark.BAD
    assert "widen the range" in " ".join(part.text for part in section.parts if isinstance(part, Paragraph))
    assert section_of(made, "significance").mark is not Mark.SKIPPED
    assert not made.is_good


def test_a_card_without_observation_cannot_be_unblinded(tmp_path: Path) -> None:
    card = loaded_card(tmp_path)
    from pocket_combine.report.subject import without_observation  # noqa: PLC0415

    stripped = LoadedCard(*without_observation(card.card, card.templates), (), card.source)
    options = ReportOptions(only=("fit", "limits"), unblind=True, details=0)
    made = make_report(stripped, tmp_path / "out", options=options)
    assert section_of(made, "limits").lead.startswith("Failed: Upper limits: the card has no observation")
    assert section_of(made, "fit").mark is Mark.BAD
    assert numbers_of(made, "fit")["fit-signal"]["pois"]["r"]["best"] == pytest.approx(1.0, abs=1e-4)


def test_a_card_that_makes_no_model_still_has_a_report(tmp_path: Path) -> None:
    card = loaded_card(tmp_path)
    made = make_report(card, tmp_path / "out", options=LIMITS, settings={"freeze": ("JEX",)})
    assert section_of(made, "card").mark is Mark.GOOD
    assert section_of(made, "limits").lead == "Failed: no parameter 'JEX' in the model: did you mean 'JES'?"


def test_an_unblinded_report_holds_the_observation(tmp_path: Path) -> None:
    card = loaded_card(tmp_path)
    options = ReportOptions(only=("card", "limits", "significance"), unblind=True, details=0)
    made = make_report(card, tmp_path / "out", options=options, cards=[str(tmp_path / "card.txt")])
    workspace = make_workspace(card.card, card.templates, kind=Blinding.OBSERVED)
    observed = limits(workspace).observed
    assert observed is not None
    assert numbers_of(made, "limits")["observed"] == observed.limit
    assert numbers_of(made, "card")["channels"][0]["observed"] == sum(OBSERVED)
    assert list(numbers_of(made, "significance")) == ["significance-signal", "significance-observed"]
    assert all(len(file["sha256"]) == 64 for file in plain(made)["files"])
    assert [Path(file["path"]).name for file in plain(made)["files"]] == ["card.txt", "card.root"]


def test_only_and_skip(tmp_path: Path) -> None:
    made = make_report(loaded_card(tmp_path), tmp_path / "out", options=ReportOptions(only=("card",), details=0))
    assert {section.name for section in made.report.sections if section.mark is not Mark.SKIPPED} == {"card"}
    assert section_of(made, "limits").lead == "Not asked for."
    assert list((tmp_path / "out" / "results").iterdir()) == []


def test_names_are_checked_with_a_dictionary(tmp_path: Path) -> None:
    pytest.importorskip("yaml")
    dictionary = tmp_path / "master.yml"
    dictionary.write_text("luminosity:\n  lumi: {description: Luminosity}\njets:\n  JES: {description: Scale}\n")
    options = ReportOptions(only=("names",), details=0, dictionary=dictionary)
    section = section_of(make_report(loaded_card(tmp_path), tmp_path / "out", options=options), "names")
    assert (section.mark, section.lead) == (Mark.NOTICE, "1 of 3 names do not follow the convention.")
    assert section.command.endswith(f"--dictionary {dictionary}")
