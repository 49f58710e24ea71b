"""`pocket-combine report`: its screens to the letter, exit codes, and files.

After a change of the screens that is meant: `POCKET_COMBINE_WRITE_GOLDEN=1 pytest tests/cli/test_report_command.py`.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("mplhep")
pytest.importorskip("jinja2")

from click.testing import CliRunner, Result
from fit_cards import CARD
from screens import check_screen

from pocket_combine.cli import main

GOLDEN = Path(__file__).parent / "golden_report"

PARTS = "--only limits --only significance --only names --details 0"

SCREENS = {
    "report": f"report card.txt {PARTS} -o blind",
    "unblind": f"report card.txt {PARTS} --unblind -o observed",
    "unusable": f"report card.txt {PARTS} --range r=0,0.1 -o bad",
    "unknown-section": "report card.txt --only limit",
    "no-card": "report cards.txt",
    "another-card": f"report other.txt {PARTS} -o blind",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a card, and with reports, so that screens show no times: nothing is run again."""
    path = tmp_path_factory.mktemp("report")
    (path / "card.txt").write_text(CARD)
    (path / "other.txt").write_text(CARD.replace("1.02", "1.03"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path)
        for name in ("report", "unblind", "unusable"):
            assert run(SCREENS[name]).exit_code == (1 if name == "unusable" else 0)
    return path


@pytest.fixture(autouse=True)
def in_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


def run(command: str) -> Result:
    return CliRunner().invoke(main, command.split())


@pytest.mark.parametrize("width", [80, 200])
@pytest.mark.parametrize("name", SCREENS)
def test_screen(name: str, width: int) -> None:
    check_screen(GOLDEN / f"{name}.{width}.txt", SCREENS[name], width)


def test_the_report_is_made_of_files() -> None:
    names = ["claim.json", "figures", "report.html", "report.json", "results"]
    assert sorted(path.name for path in Path("blind").iterdir()) == names
    plain = json.loads(Path("blind/report.json").read_text())
    limits = next(section for section in plain["sections"] if section["name"] == "limits")
    assert limits["command"] == "pocket-combine limit card.txt --expect-signal 0"
    assert limits["results"] == ["results/limits-background.json"]
    assert plain["files"] == [{"path": "card.txt", "sha256": None}]
    assert "<!DOCTYPE html>" in Path("blind/report.html").read_text()


def test_a_command_of_the_report_gives_its_numbers() -> None:
    plain = json.loads(Path("observed/report.json").read_text())
    limits = next(section for section in plain["sections"] if section["name"] == "limits")
    assert run(f"{limits['command'].removeprefix('pocket-combine ')} -o limit.json").exit_code == 0
    alone = json.loads(Path("limit.json").read_text())
    assert alone["observed"]["limit"] == limits["numbers"]["observed"]


def test_toys_alone_are_those_of_the_report() -> None:
    assert run("report card.txt --only bias --toys 4 --seed 5 --starts 2 --details 0 -o toys").exit_code == 0
    plain = json.loads(Path("toys/report.json").read_text())
    bias = next(section for section in plain["sections"] if section["name"] == "bias")
    commands = [line for line in bias["command"].splitlines() if " toys " in line and " plot " not in line]
    found = []
    for command, path in zip(commands, bias["results"], strict=True):
        run(f"{command.removeprefix('pocket-combine ')} -o alone.json")
        assert Path("alone.json").read_bytes() == (Path("toys") / path).read_bytes()
        found.append(json.loads(Path("alone.json").read_text())["provenance"]["seed"])
    assert len(set(found)) == 2


def test_what_is_removed_is_said() -> None:
    parts = "--only limits --details 0 -o changing"
    assert "Removed" not in run(f"report card.txt {parts} --unblind").output
    assert (
        "Removed from changing, left by a former report: 1 result and 1 figure.\n"
        in run(f"report card.txt {parts}").output
    )
    replaced = run(f"report other.txt {parts} --replace").output
    assert "Removed from changing, left by a former report: 1 result and 1 figure.\n" in replaced
    assert "Removed" not in run(f"report other.txt {parts} --replace").output


def test_an_interrupted_report_says_how_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("jinja2.Template.render", interrupted)
    result = run("report card.txt -o again")
    assert result.exit_code == 130
    assert (
        result.stderr
        == f"Error: interrupted: answers so far are in {Path('again/results')}; the same command goes on\n"
    )
