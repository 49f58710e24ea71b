"""Scripts: their text, that they run under a real shell, and what is refused."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cards_of_toys import build
from toys import shape, signal_and_background, small_toy

from pocket_combine import (
    Datacard,
    MCProcess,
    MCProcesses,
    Systematics,
    SystematicUncertainty,
    combine_datacards,
    fit_scripts,
)
from pocket_combine.build.scripts import conflicts
from pocket_combine.errors import DeclarationError


@pytest.fixture
def tools(tmp_path: Path) -> dict[str, str]:
    """Environment in which Combine's programs print where they run and what they are given."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("combineCards.py", "text2workspace.py", "combine", "combineTool.py", "plotImpacts.py"):
        program = folder / name
        program.write_text(f'#!/bin/sh\necho "{name}" "$(basename "$PWD")" "$@"\n')
        program.chmod(0o755)
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}


def run(script: Path, environment: dict[str, str], cwd: Path) -> list[str]:
    done = subprocess.run([script], env=environment, cwd=cwd, capture_output=True, text=True, check=True)  # noqa: S603
    return done.stdout.splitlines()


def two_cards() -> dict[str, Datacard]:
    toy = small_toy(categories=["SR", "CR"])
    return {f"datacard_{name}.txt": build(toy, category=name, bin_suffix="run2") for name in ("SR", "CR")}


def test_text_of_the_combination(tmp_path: Path) -> None:
    combine_datacards(
        two_cards(), directory=tmp_path, path="combine_run2.sh", card_name="combined.txt", workspace_name="ws.root"
    )
    assert (tmp_path / "combine_run2.sh").read_text() == (
        "#!/usr/bin/env bash\n"
        "set -euo pipefail\n"
        'cd "$(dirname "${BASH_SOURCE[0]}")"\n'
        "combineCards.py SR_run2=datacard_SR.txt CR_run2=datacard_CR.txt > combined.txt\n"
        "text2workspace.py combined.txt -o ws.root\n"
    )
    assert (tmp_path / "combine_run2.sh").stat().st_mode & stat.S_IXUSR


def test_defaults_and_masks(tmp_path: Path) -> None:
    combine_datacards(two_cards(), tmp_path / "new" / "folder", channel_masks=True)
    text = (tmp_path / "new" / "folder" / "combine_cards.sh").read_text()
    assert text.splitlines()[-2].endswith(" > datacard_combined.txt")
    assert text.splitlines()[-1] == "text2workspace.py datacard_combined.txt -o workspace.root --channel-masks"


def test_the_combination_runs_from_anywhere(tmp_path: Path, tools: dict[str, str]) -> None:
    folder = tmp_path / "a folder; with $odd names"
    cards = {"it's.txt": two_cards()["datacard_SR.txt"], "b&c.txt": two_cards()["datacard_CR.txt"]}
    combine_datacards(cards, folder, card_name="all(1).txt")
    lines = run(folder / "combine_cards.sh", tools, tmp_path)
    assert (folder / "all(1).txt").read_text() == f"combineCards.py {folder.name} SR_run2=it's.txt CR_run2=b&c.txt\n"
    assert lines == [f"text2workspace.py {folder.name} all(1).txt -o workspace.root"]


def test_the_combination_stops_at_the_first_failure(tmp_path: Path, tools: dict[str, str]) -> None:
    (tmp_path / "bin" / "combineCards.py").write_text("#!/bin/sh\nexit 3\n")
    combine_datacards(two_cards(), tmp_path)
    done = subprocess.run(  # noqa: S603
        [tmp_path / "combine_cards.sh"], env=tools, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (3, "")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"path": "combine.txt"}, r"path is 'combine.txt', expected a name that ends in \.sh"),
        ({"path": "a/combine.sh"}, "path is 'a/combine.sh', expected a file name without folders"),
        (
            {"card_name": "all cards.txt"},
            "card_name is 'all cards.txt', expected a file name without folders and blanks",
        ),
        ({"workspace_name": "../ws.root"}, "workspace_name is '../ws.root', expected a file name"),
        ({"card_name": "datacard_SR.txt"}, "card_name 'datacard_SR.txt' is one of the cards to combine"),
        ({"datacards": {}}, "there is no card to combine"),
        ({"datacards": {"a.txt": "card"}}, r"datacards\['a.txt'\] is a str, expected Datacard"),
    ],
)
def test_scripts_that_cannot_be(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match=message):
        combine_datacards(**{"datacards": two_cards(), "directory": tmp_path / "out", **options})
    assert not (tmp_path / "out").exists()


def test_two_cards_of_one_channel_are_refused(tmp_path: Path) -> None:
    card = two_cards()["datacard_SR.txt"]
    with pytest.raises(DeclarationError, match=r"channel 'SR_run2' is in a.txt and b.txt: give the cards another bin_"):
        combine_datacards({"a.txt": card, "b.txt": card}, tmp_path)


def test_cards_that_combine_would_refuse_together(tmp_path: Path) -> None:
    toy = small_toy(categories=["SR", "CR"])
    swapped = MCProcesses([MCProcess("sig", ["Sig"], ["2018"], False), MCProcess("bkg", ["Bkg"], ["2018"], True)])
    log_normal = SystematicUncertainty("JER", "lnU", ["sig", "bkg"], ["2018"], 1.1)
    cards = {
        "a.txt": build(toy, category="SR"),
        "b.txt": build(toy, category="CR", mc_processes=swapped, systematics=Systematics([log_normal])),
    }
    with pytest.raises(DeclarationError) as caught:
        combine_datacards(cards, tmp_path)
    assert str(caught.value) == (
        "3 problems:\n"
        "  1. process 'sig_2018' is signal in a.txt and background in b.txt, which Combine refuses: give it one "
        "is_signal\n"
        "  2. process 'bkg_2018' is signal in b.txt and background in a.txt, which Combine refuses: give it one "
        "is_signal\n"
        "  3. nuisance 'JER' is shape in a.txt and lnU in b.txt, which combineCards.py refuses: give it one typ, or "
        "two names"
    )


@pytest.mark.parametrize(
    ("kinds", "refused"),
    [
        (["lnN", "shape"], False),
        (["lnN", "shapeN"], False),
        (["lnN", "lnN"], False),
        (["lnN", "lnU"], True),
        (["shape", "shapeN"], True),
        (["lnN", "shape", "shapeU"], True),
    ],
)
def test_kinds_that_go_together(kinds: list[str], refused: bool) -> None:
    toy = small_toy(categories=["A", "B", "C"])
    cards = {}
    for category, kind in zip(toy.categories, kinds, strict=False):
        row = SystematicUncertainty("JER", kind, ["sig", "bkg"], ["2018"], 1.1)
        cards[category] = build(toy, category=category, systematics=Systematics([row])).card
    assert bool(conflicts(cards)) == refused


def test_gamma_rows_with_other_counts_do_not_go_together() -> None:
    def card(events: int) -> Any:
        row = SystematicUncertainty("side", "gmN", ["bkg"], ["2018"], 100 / events, events=events)
        return build(systematics=Systematics([row])).card

    assert conflicts({"a": card(10), "b": card(10)}) == []
    assert "'side' is gmN 10 in a and gmN 20 in b" in conflicts({"a": card(10), "b": card(20)})[0]


COMMANDS = {
    "singles_data": [
        "combine {} -M MultiDimFit --algo singles --robustFit 1 -d ws.root -m 125 --rMin -10 --rMax 10 "
        "-n _singles_data"
    ],
    "scan_asimov": [
        "combine {} -M MultiDimFit --algo grid --points 50 -d ws.root -m 125 -t -1 --expectSignal 1 --rMin -10 "
        "--rMax 10 -n _scan_asimov"
    ],
    "diagnostics_data": [
        "combine {} -M FitDiagnostics --saveShapes --saveWithUncertainties --saveNormalizations -d ws.root -m 125 "
        "--rMin -10 --rMax 10 -n _diagnostics_data"
    ],
    "limits_data": ["combine {} -M AsymptoticLimits -d ws.root -m 125 -n _limits_data"],
    "limits_asimov": ["combine {} -M AsymptoticLimits --run blind -d ws.root -m 125 -n _limits_asimov"],
    "impacts_asimov": [
        "combineTool.py {} -M Impacts -d ws.root -m 125 -t -1 --expectSignal 1 --doInitialFit --robustFit 1 --rMin -10 "
        "--rMax 10 -n _impacts_asimov",
        "combineTool.py {} -M Impacts -d ws.root -m 125 -t -1 --expectSignal 1 --doFits --robustFit 1 --rMin -10 "
        "--rMax 10 -n _impacts_asimov",
        "combineTool.py {} -M Impacts -d ws.root -m 125 -t -1 --expectSignal 1 -o impacts_impacts_asimov.json "
        "-n _impacts_asimov",
        "plotImpacts.py {} -i impacts_impacts_asimov.json -o impacts_impacts_asimov",
    ],
    "goodness_of_fit_data": [
        "combine {} -M GoodnessOfFit --algo saturated -d ws.root -m 125 -n _goodness_of_fit",
        "combine {} -M GoodnessOfFit --algo saturated -d ws.root -m 125 -t 500 --toysFrequentist -s 1 "
        "-n _goodness_of_fit_toys",
        "combineTool.py {} -M CollectGoodnessOfFit --input higgsCombine_goodness_of_fit.GoodnessOfFit.mH125.root "
        "higgsCombine_goodness_of_fit_toys.GoodnessOfFit.mH125.1.root -m 125 -o goodness_of_fit.json",
    ],
}  # fmt: skip


def test_fit_scripts_run_the_usual_commands(tmp_path: Path, tools: dict[str, str]) -> None:
    folder = tmp_path / "fits of today"
    paths = fit_scripts(folder, "ws.root")
    assert {path.stem for path in paths} == {
        *(f"{question}_{sample}" for question in ("singles", "scan", "diagnostics", "limits", "impacts")
          for sample in ("data", "asimov")),
        "goodness_of_fit_data",
    }  # fmt: skip
    for path in paths:
        lines = run(path, tools, tmp_path)
        assert lines == [line.format("fits of today") for line in COMMANDS.get(path.stem, lines)], path.stem


def test_every_command_has_one_line_of_comment(tmp_path: Path) -> None:
    for path in fit_scripts(tmp_path):
        lines = path.read_text().splitlines()
        assert lines[:2] == ["#!/usr/bin/env bash", "set -euo pipefail"]
        commands = [index for index, line in enumerate(lines) if line.startswith(("combine", "plot"))]
        assert commands
        assert all(lines[index - 1].startswith("# ") for index in commands)
        assert len(lines) == 3 + 2 * len(commands)


def test_masks_mass_and_ranges(tmp_path: Path) -> None:
    paths = fit_scripts(
        tmp_path, masks=["SR_run3", "CR_run3"], mass="125.0", r_range=(0, 2.5), points=7, toys=3, expect_signal=0
    )
    texts = {path.stem: path.read_text() for path in paths}
    assert all("--setParameters mask_SR_run3=1,mask_CR_run3=1" in text for text in texts.values())
    assert "--points 7" in texts["scan_data"]
    assert "--rMin 0 --rMax 2.5" in texts["scan_data"]
    assert "--expectSignal 0" in texts["scan_asimov"]
    assert "-t 3 " in texts["goodness_of_fit_data"]
    assert "GoodnessOfFit.mH125.root" in texts["goodness_of_fit_data"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"workspace_name": "ws"}, r"workspace_name is 'ws', expected a name that ends in \.root"),
        ({"mass": "heavy"}, "mass is 'heavy', expected a number as text"),
        ({"masks": "SR"}, r"masks is the text 'SR', expected a list of channels: \['SR'\]"),
        ({"masks": ["S R"]}, "channel name 'S R' holds ' '"),
        ({"expect_signal": float("nan")}, "expect_signal is nan, expected a finite number"),
        ({"r_range": (1, 1)}, r"r_range is \(1, 1\), expected \(low, high\) with low < high"),
        ({"points": 0, "toys": 0}, "2 problems:\n  1. points is 0, expected at least 1\n  2. toys is 0"),
    ],
)
def test_fit_scripts_that_cannot_be(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match=message):
        fit_scripts(tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_the_same_shape_in_all_cards_is_no_conflict() -> None:
    toy = small_toy(categories=["SR", "CR"])
    rows = Systematics([shape("JER")])
    cards = {name: build(toy, category=name, systematics=rows).card for name in ("SR", "CR")}
    assert conflicts(cards) == []
    assert signal_and_background().n_processes == 2
