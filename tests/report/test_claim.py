"""What a report does with a folder that holds another one: of another card, of more data, of more sections."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("mplhep")
pytest.importorskip("jinja2")

from report_cards import loaded_card, write_card

from pocket_combine.card.load import load_card
from pocket_combine.errors import ResultError
from pocket_combine.execution import Progress
from pocket_combine.report import MadeReport, ReportOptions, make_report

BLIND = ReportOptions(only=("limits", "significance"), details=0)
UNBLINDED = ReportOptions(only=BLIND.only, details=0, unblind=True)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def names(made: MadeReport) -> list[str]:
    folder = made.page.parent
    return sorted(path.relative_to(folder).as_posix() for path in made.removed)


def another_card(folder: Path) -> Path:
    path = write_card(folder)
    path.write_text(path.read_text().replace("1.3", "1.4"))
    return path


def test_a_blind_report_leaves_nothing_of_an_unblinded_one(tmp_path: Path) -> None:
    card = loaded_card(tmp_path)
    make_report(card, tmp_path / "fresh", options=BLIND)
    make_report(card, tmp_path / "out", options=UNBLINDED)
    own = [tmp_path / "out" / name for name in ("notes.txt", "results/mine.json", "figures/pulls.svg")]
    for path in own:
        path.write_text("of the user")
    made = make_report(card, tmp_path / "out", options=BLIND)
    left = contents(tmp_path / "out")
    assert [left.pop(path.relative_to(tmp_path / "out").as_posix()) for path in own] == [b"of the user"] * 3
    assert left == contents(tmp_path / "fresh")
    assert names(made) == [
        "figures/limits.pdf",
        "figures/limits.png",
        "report.html",
        "report.json",
        "results/limits-observed.json",
        "results/significance-observed.json",
    ]
    assert made.seconds["significance"] is None  # that of Asimov data was there


def test_a_blind_report_that_is_interrupted_has_removed_the_observation_already(tmp_path: Path) -> None:
    card = loaded_card(tmp_path)
    make_report(card, tmp_path / "out", options=UNBLINDED)

    def impatient(number: int, total: int, title: str) -> Progress | None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_report(card, tmp_path / "out", options=BLIND, observer=impatient)
    assert sorted(contents(tmp_path / "out")) == [
        "claim.json",
        "figures/index.json",
        "results/questions.json",
        "results/significance-signal.json",
    ]
    other = load_card(write_card(tmp_path / "other", (5.0, 61.0, 99.0)))
    make_report(other, tmp_path / "elsewhere", options=BLIND)
    make_report(card, tmp_path / "out", options=BLIND)
    ours, theirs = contents(tmp_path / "out"), contents(tmp_path / "elsewhere")
    assert ours["results/questions.json"] == theirs["results/questions.json"]


def test_the_report_of_another_card_is_not_replaced_unless_that_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    one, two = write_card(Path("a")), another_card(Path("b"))
    make_report(load_card(one), "out", options=BLIND)
    before = contents(Path("out"))
    with pytest.raises(ResultError) as error:
        make_report(load_card(two), "out", options=BLIND)
    assert str(error.value) == (
        "out holds the report of a/card.txt, not of b/card.txt: choose another folder (-o DIR), or have that report "
        "removed, with its results and figures (--replace)"
    )
    assert contents(Path("out")) == before
    make_report(load_card(two), "fresh", options=BLIND)
    Path("out/figures/mine.png").write_bytes(b"of the user")
    made = make_report(load_card(two), "out", options=BLIND, replace=True)
    assert {**contents(Path("fresh")), "figures/mine.png": b"of the user"} == contents(Path("out"))
    assert set(names(made)) == set(before) - {"claim.json", "results/questions.json", "figures/index.json"}


def test_a_card_that_was_edited_or_moved_is_the_same_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = ReportOptions(only=("significance",), details=0)
    make_report(load_card(write_card(tmp_path / "a")), tmp_path / "out", options=options)
    edited = make_report(load_card(another_card(tmp_path / "a")), tmp_path / "out", options=options)
    assert edited.seconds["significance"] is not None
    monkeypatch.chdir(tmp_path / "a")
    again = make_report(load_card("card.txt"), "../out", options=options)
    assert again.seconds["significance"] is None
    moved = make_report(load_card(another_card(tmp_path / "c")), tmp_path / "out", options=options)
    assert moved.seconds["significance"] is None
    assert json.loads((tmp_path / "out" / "claim.json").read_text())["cards"] == ["../c/card.txt"]


def test_cards_of_one_name_in_two_folders_are_two_cards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = ReportOptions(only=("card",), details=0)
    write_card(tmp_path / "a")
    another_card(tmp_path / "b")
    monkeypatch.chdir(tmp_path / "a")
    make_report(load_card("card.txt"), "../out", options=options)
    monkeypatch.chdir(tmp_path / "b")
    with pytest.raises(ResultError, match=r"holds the report of \.\./a/card\.txt, not of card\.txt"):
        make_report(load_card("card.txt"), "../out", options=options)


def test_results_that_a_whole_report_would_use_again_stay(tmp_path: Path) -> None:
    card = loaded_card(tmp_path)
    toys = ReportOptions(only=("goodness", "significance"), toys=3, details=0)
    make_report(card, tmp_path / "out", options=toys)
    part = make_report(card, tmp_path / "out", options=ReportOptions(only=("significance",), toys=3, details=0))
    assert {path.parent.name for path in part.removed} == {"figures"}
    assert make_report(card, tmp_path / "out", options=toys).seconds["goodness"] is None
    other = make_report(card, tmp_path / "out", options=ReportOptions(only=("significance",), toys=4, details=0))
    assert [name for name in names(other) if name.startswith("results/")] == ["results/goodness-signal.json"]


def test_a_slip_in_an_option_does_not_cost_the_results(tmp_path: Path) -> None:
    card = loaded_card(tmp_path)
    options = ReportOptions(only=("significance",), details=0)
    make_report(card, tmp_path / "out", options=options)
    slipped = make_report(card, tmp_path / "out", options=options, settings={"freeze": ("JEX",)})
    assert not slipped.is_good
    assert not [name for name in names(slipped) if name.startswith("results/")]
    edited = load_card(another_card(tmp_path))
    stale = make_report(edited, tmp_path / "out", options=options, settings={"freeze": ("JEX",)})
    assert [name for name in names(stale) if name.startswith("results/")] == ["results/significance-signal.json"]


@pytest.mark.parametrize("name", ["report.html", "report.json"])
def test_a_page_that_no_report_wrote_is_not_replaced(name: str, tmp_path: Path) -> None:
    card = loaded_card(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).write_text("of the user")
    with pytest.raises(ResultError, match=f"{name} is there, and claim.json, which says"):
        make_report(card, tmp_path / "out", options=BLIND, replace=True)
    assert contents(tmp_path / "out") == {name: b"of the user"}


@pytest.mark.parametrize("text", ["", "[]", '{"cards": []}', "{"])
def test_a_claim_that_cannot_be_read_is_refused(text: str, tmp_path: Path) -> None:
    card = loaded_card(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "claim.json").write_text(text)
    with pytest.raises(ResultError, match=r"claim\.json does not say what report the folder holds"):
        make_report(card, tmp_path / "out", options=BLIND)


def test_links_are_removed_and_not_what_they_point_to(tmp_path: Path) -> None:
    card = loaded_card(tmp_path)
    make_report(card, tmp_path / "out", options=ReportOptions(only=("significance",), details=0, unblind=True))
    result = tmp_path / "out" / "results" / "significance-observed.json"
    result.rename(tmp_path / "kept.json")
    result.symlink_to(tmp_path / "kept.json")
    make_report(card, tmp_path / "out", options=ReportOptions(only=("card",), details=0))
    assert not result.is_symlink()
    assert (tmp_path / "kept.json").is_file()


def test_questions_that_lead_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    card = loaded_card(tmp_path)
    options = ReportOptions(only=("significance",), details=0)
    make_report(card, tmp_path / "out", options=options)
    (tmp_path / "out" / "results" / "questions.json").write_text('{"../../victim": null, "significance-signal": null}')
    (tmp_path / "victim.json").write_text("of the user")
    make_report(card, tmp_path / "out", options=options)
    assert (tmp_path / "victim.json").exists()
