"""`pocket-combine demo`, from nothing to cards."""

import math
from pathlib import Path

import pytest
import uproot
from small_project import run

CHANNELS = {"SR": 8, "CR_tt": 7, "CR_nJets": 5}


def test_demo_builds_cards_without_anything_to_remark_upon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("demo")
    assert result.exit_code == 0
    assert result.stderr == ""
    assert "Findings: none" in result.stdout
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
    commands = [line.strip() for line in result.stdout.splitlines() if line.startswith("    pocket-combine ")]
    assert [command.split()[1] for command in commands] == ["inspect", "build"]
    before = {path.name: path.read_bytes() for path in cards.iterdir()}
    for command in commands:
        assert run(*command.split()[1:]).exit_code == 0
    assert {path.name: path.read_bytes() for path in cards.iterdir()} == before
