"""`pocket-combine demo`, from nothing to cards."""

import math
import shutil
import sys
from pathlib import Path

import pytest
import uproot
from conftest import Demo
from small_project import run

CHANNELS = {"SR": 8, "CR_tt": 7, "CR_nJets": 5}


def test_demo_builds_cards_without_anything_to_remark_upon(
    demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert demo.exit_code == 0
    assert demo.stderr == ""
    assert "Findings: none" in demo.stdout
    shutil.copytree(demo.folder, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    cards = tmp_path / "demo" / "datacards"
    for channel, bins in CHANNELS.items():
        lines = (cards / f"datacard_{channel}_run3.txt").read_text().splitlines()
        rows = {words[0]: words[1:] for words in map(str.split, lines) if words}
        assert rows["imax"][0] == "1"
        assert rows["jmax"][0] == str(8 * 5 - 1)
        assert int(rows["kmax"][0]) == len([line for line in lines if " lnN " in line or " shape " in line]) > 80
        with uproot.open(cards / f"shapes_{channel}_run3.root") as file:
            nominal = file["ttbb_2024_nominal"].values()
            assert nominal.size == bins
            position = next(words for words in map(str.split, lines) if words[:1] == ["process"]).index("ttbb_2024") - 1
            assert math.isclose(float(rows["rate"][position]), nominal.sum(), rel_tol=1e-9)
            varied = file["ttbb_2024_sf_btag_hfUp"].values()
            assert 1.0 < varied.sum() / nominal.sum() < 1.2
            assert float(rows["observation"][0]) == file["data_obs_nominal"].values().sum()
    commands = [line.strip() for line in demo.stdout.splitlines() if line.startswith("    pocket-combine ")]
    assert [command.split()[1] for command in commands] == ["inspect", "build", "report"]
    assert all(Path(word).exists() for word in commands.pop().replace("=", " ").split() if word.startswith("demo/d"))
    before = {path.name: path.read_bytes() for path in cards.iterdir()}
    for command in commands:
        assert run(*command.split()[1:]).exit_code == 0
    assert {path.name: path.read_bytes() for path in cards.iterdir()} == before


def test_the_demo_draws_its_signal_region(demo: Demo) -> None:
    for module in ("matplotlib", "mplhep", "yaml"):
        pytest.importorskip(module)
    assert "The signal region after a fit of the three cards to the generated data\n  demo/signal_region" in demo.stdout
    assert (demo.folder / "demo" / "signal_region.png").read_bytes().startswith(b"\x89PNG")
    assert "</svg>" in (demo.folder / "demo" / "signal_region.svg").read_text()


def test_without_something_to_draw_with_the_demo_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "yaml", None)
    result = run("demo")
    assert result.exit_code == 0
    assert "No figure: style files need PyYAML: pip install 'pocket-combine[plot]'" in result.stdout
    assert "report" in result.stdout.splitlines()[-1]
