"""Commands for cards: exit codes, JSON with its numbers, files that read back, standard input."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import click.testing
import pytest
from cards_folder import COUNTING, DATACARD, write_cards
from small_project import run

from pocket_combine.card.load import load_card
from pocket_combine.card.options import CardOptions
from pocket_combine.card.parser import parse_card, read_card
from pocket_combine.cli import main
from pocket_combine.effects import nuisance_effects


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small cards, in a new folder that is the current one."""
    write_cards(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def cards(*arguments: str, text: str | None = None) -> click.testing.Result:
    if text is None:
        return run("cards", *arguments)
    return click.testing.CliRunner().invoke(main, ["cards", *arguments], input=text)


def report(*arguments: str, status: int = 0) -> Any:
    result = cards(*arguments, "--json")
    assert result.exit_code == status, result.stderr
    return json.loads(result.stdout)


def test_show_as_json() -> None:
    shown = report("show", "datacard.txt")
    first, second = shown["channels"]
    assert (first["name"], first["bins"], first["observed"], first["total"]) == ("SR", 3, 60, pytest.approx(62))
    assert [(one["name"], one["signal"], one["events"]) for one in first["processes"]] == [
        ("signal", True, 12),
        ("ttbar", False, 40),
        ("dy", False, 10),
    ]
    assert [entry["treatment"] for entry in first["mc_stats"]["bins"]] == ["gaussian", "gaussian", "per-process"]
    assert (second["signal"], second["background"]) == (0, 300)
    lumi, xsec, *_ = shown["nuisances"]
    assert (lumi["types"], lumi["columns"], lumi["processes"]) == (["lnN"], 3, ["signal", "ttbar"])
    assert (xsec["smallest_yield"], xsec["largest_yield"]) == (0.95, 1.05)
    loaded = load_card("datacard.txt")
    sizes = {effect.name: effect.size for effect in nuisance_effects(loaded.card, loaded.templates)}
    assert {one["name"]: one["size"] for one in shown["nuisances"]} == sizes
    assert shown["parameters"] == [
        {"name": "SF_dy", "type": "rateParam", "value": "1 in [0, 5]", "acts_on": "dy in 2 channels"}
    ]
    assert shown["groups"]["theory"] == ["xsec_ttbar"]
    assert shown["frozen"] == ["CMS_btag"]
    assert [found["code"] for found in shown["findings"]] == ["no-signal-in-channel"]


def test_show_nuisances_as_json() -> None:
    shown = report("show", "datacard.txt", "--nuisance", "CMS_[bs]*", "--nuisance", "SF_dy")
    scale, btag = shown["nuisances"]
    assert (scale["name"], len(scale["columns"]), scale["frozen"]) == ("CMS_scale_j", 5, False)
    assert (btag["groups"], btag["frozen"]) == (["experiment"], True)
    assert btag["columns"][1] == {
        "channel": "SR",
        "process": "ttbar",
        "kind": "shape",
        "cell": "1",
        "yield_up": 1.25,
        "yield_down": 0.75,
        "moved_up": 0,
        "moved_down": 0,
        "size": pytest.approx((5**2 / 27 + 3**2 / 19 + 2**2 / 16) ** 0.5),
    }
    assert [place["channel"] for place in shown["parameters"][0]["columns"]] == ["SR", "CR"]


def test_show_all_lists_every_nuisance(folder: Path) -> None:
    rows = "".join(f"nuisance_{number} lnN {1 + number / 1000} - -\n" for number in range(1, 21))
    (folder / "many.txt").write_text(COUNTING.replace("kmax 3", "kmax *") + rows)
    short, full = cards("show", "many.txt").stdout, cards("show", "many.txt", "--all").stdout
    assert "The 15 largest effects; --all lists the others" in short
    assert "nuisance_1 " not in short.partition("Effects")[2]
    effects = full.partition("Effects, largest first")[2]
    names = [line.split()[0] for line in effects.splitlines() if " lnN " in line or " gmN " in line]
    assert names[:4] == ["WW_norm", "lumi", "others_norm", "nuisance_20"]
    assert len(names) == 23


def test_years_together(folder: Path) -> None:
    processes = "ggH_2018 WW_2023_preBPix WW_2016PostVFP"
    (folder / "years.txt").write_text(COUNTING.replace("ggH WW others", processes))
    lines = cards("show", "years.txt", "--years-together").stdout.splitlines()
    assert "Expected events, years together" in lines
    assert [line.split() for line in lines if line.startswith(("ggH", "WW "))] == [["ggH", "1.47"], ["WW", "0.86"]]
    assert "WW_2016PostVFP  " in cards("show", "years.txt").stdout


def test_mass_and_keywords_are_filled_in(folder: Path) -> None:
    (folder / "shapes_125_v2.root").write_bytes((folder / "shapes.root").read_bytes())
    (folder / "mass.txt").write_text(DATACARD.replace("shapes.root", "shapes_$MASS_$TAG.root"))
    refused = cards("show", "mass.txt")
    assert (refused.exit_code, "holds $MASS; give the mass" in refused.stderr) == (2, True)
    shown = report("show", "mass.txt", "-m", "125", "--keyword-value", "TAG=v2")
    assert shown["channels"][0]["total"] == pytest.approx(62)
    refused = cards("show", "mass.txt", "-m", "125", "--keyword-value", "TAG")
    assert "'TAG', expected WORD=VALUE" in refused.stderr


def test_options_for_what_is_accepted(folder: Path) -> None:
    (folder / "no_signal.txt").write_text(COUNTING.replace("process 0 1 2", "process 3 1 2"))
    assert cards("show", "no_signal.txt").exit_code == 2
    assert cards("show", "no_signal.txt", "--X-allow-no-signal").exit_code == 0
    (folder / "poi.txt").write_text(COUNTING + "twice rateParam bin1 others (2*@0) mu\n")
    assert "mu" in cards("format", "poi.txt").stderr
    assert cards("format", "poi.txt", "--poi", "mu").exit_code == 0


@pytest.mark.parametrize("command", ["show", "check", "format", "combine"])
def test_standard_input(command: str) -> None:
    result = cards(command, "-", text=COUNTING)
    assert result.exit_code == 0, result.stderr
    assert "WW" in result.stdout or command == "check"


def test_edits_of_standard_input() -> None:
    assert cards("rename", "-", "-o", "out", "--process", "WW=qqWW", text=COUNTING).exit_code == 0
    assert read_card("out/datacard.txt").processes("bin1") == ("ggH", "qqWW", "others")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "nothing.txt"], "nothing.txt: no such file"),
        (["show", "shapes.root"], "shapes.root"),
        (["show", "."], ".: cannot be read: it is a folder"),
        (["check", "datacard.txt", "--threshold", "visible"], "'visible', expected NAME=NUMBER"),
        (["check", "datacard.txt", "--threshold", "visible=x"], "'x' is not a number"),
        (["check", "datacard.txt", "--threshold", "visible=-1"], "threshold visible is -1.0"),
        (["check", "datacard.txt", "--validation-json", "counting.txt/x.json"], "which is a file"),
        (["check", "datacard.txt", "--fail-on", "info"], "'info' is not one of"),
        (["combine", "a=nothing.txt"], "nothing.txt: no such file"),
        (["combine", "counting.txt", "--json"], "--json needs -o"),
        (["combine", "counting.txt", "--xc", "("], "'(' is not a regular expression"),
        (["combine", "counting.txt", "--xc", ""], "no channel is left to combine"),
        (["combine", "counting.txt", "--xn-file", "nothing"], "nothing: no such file"),
        (["combine", "counting.txt", "-o", "counting.txt"], "is one of the cards to combine"),
        (["combine", "counting.txt", "-o", "counting.txt/x.txt"], "counting.txt"),
        (["rename", "counting.txt", "-o", "out"], "nothing to rename"),
        (["rename", "counting.txt", "-o", "out", "--process", "WW=a", "--process", "WW=b"], "'WW' is given twice"),
        (["rename", "counting.txt", "-o", "out", "--process", "other=a"], "did you mean 'others'?"),
        (["rename", "counting.txt", "-o", "out", "--nuisance", "lumi=a b"], "holds a blank"),
        (["rename", "counting.txt", "-o", "out", "--nuisances-from", "counting.txt"], "5 words, expected an old"),
        (["rename", "counting.txt", "-o", "out", "--nuisances-from", "nothing"], "nothing: no such file"),
        (["select", "datacard.txt", "-o", "out", "--drop-channel", "*R"], "no column of the card is left"),
        (["select", "datacard.txt", "-o", "out", "--scale", "dy=0"], "factor 0.0 for dy"),
        (["select", "datacard.txt", "-o", "out", "--drop-nuisance", "CMS_btagg"], "did you mean 'CMS_btag'?"),
        (["select", "datacard.txt", "-o", "out", "--group", "jets"], "'jets', expected NAME=PATTERN"),
        (["format", "datacard.txt", "--check", "-i"], "exclude each other"),
        (["format", "-", "-i"], "standard input cannot be changed"),
        (["format", "datacard.txt", "unfinished.txt", "-i"], "unfinished.txt:14"),
        (["names", "datacard.txt"], "Missing option '--dictionary'"),
        (["names", "datacard.txt", "--dictionary", "master.yml", "--template", "--json"], "exclude each other"),
    ],
)
def test_broken_input_is_one_message_on_standard_error(folder: Path, arguments: list[str], message: str) -> None:
    before = sorted(path.name for path in folder.iterdir())
    result = cards(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert "mistake in pocket_combine" not in result.stderr
    assert sorted(path.name for path in folder.iterdir() if path.name != "out") == before
    assert not list(folder.glob("out/*"))
    assert (folder / "datacard.txt").read_text() == DATACARD


def test_format_in_place(folder: Path) -> None:
    printed = cards("format", "datacard.txt").stdout
    with gzip.open(folder / "counting.txt.gz", "wt") as file:
        file.write(COUNTING)
    changed = report("format", "-i", "datacard.txt", "counting.txt.gz")
    assert changed == {"changed": ["datacard.txt", "counting.txt.gz"], "aligned": []}
    assert (folder / "datacard.txt").read_text() == printed
    assert parse_card(printed) == parse_card(DATACARD)
    assert [line for line in printed.splitlines() if "#" in line][1].endswith("# the yield of dy is free")
    assert read_card("counting.txt.gz") == parse_card(COUNTING)
    times = {name: (folder / name).stat().st_mtime_ns for name in changed["changed"]}
    assert report("format", "-i", "datacard.txt", "counting.txt.gz")["changed"] == []
    assert {name: (folder / name).stat().st_mtime_ns for name in times} == times
    assert cards("format", "--check", "datacard.txt").exit_code == 0
    assert cards("format", "--check", "datacard.txt", "counting.txt").exit_code == 1


def test_combination_can_be_read_from_anywhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = cards("combine", "-S", "low=counting.txt", "high=datacard.txt", "--xn", "CMS_f", "-o", "new/both.txt")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == "new/both.txt  (3 channels, 8 columns, 6 nuisances)\n"
    (folder / "new" / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "new" / "elsewhere")
    loaded = load_card("../both.txt")
    assert [channel.name for channel in loaded.card.channels] == ["low", "high_SR", "high_CR"]
    assert loaded.templates["high_CR"].integrals().tolist() == [200, 100]


def test_combination_on_standard_output_is_the_file(folder: Path) -> None:
    arguments = ("combine", "a=datacard.txt", "b=datacard.txt", "--ic", "SR")
    (folder / "veto").write_text("lumi\n\nxsec\n")
    printed = cards(*arguments, "--xn-file", "veto").stdout
    assert cards(*arguments, "--xn-file", "veto", "-o", "both.txt").exit_code == 0
    assert (folder / "both.txt").read_text() == printed
    combined = parse_card(printed)
    assert [channel.name for channel in combined.channels] == ["a_SR", "b_SR"]
    assert combined.nuisance_names == ("CMS_btag", "CMS_fake", "CMS_scale_j")


def test_rename_writes_a_pair_with_the_new_names(folder: Path) -> None:
    (folder / "names").write_text("CMS_scale_j CMS_scale_j_2018  # of one year\n\n# nothing here\nSF_dy rate_dy\n")
    done = report(
        "rename",
        "datacard.txt",
        "-o",
        "new/deep",
        "--nuisances-from",
        "names",
        "--process",
        "dy=Zll",
        "--channel",
        "CR=C",
    )
    assert (done["card"], done["shapes"]) == ("new/deep/datacard.txt", "new/deep/datacard.root")
    before, after = load_card("datacard.txt"), load_card(folder / "new/deep/datacard.txt")
    assert after.card.columns[2].process == "Zll"
    assert [line.name for line in after.card.rate_parameters] == ["rate_dy", "rate_dy"]
    assert after.card.groups[0].members == ("lumi", "CMS_scale_j_2018", "CMS_btag")
    old, new = before.templates["CR"], after.templates["C"]
    assert new.pairs == (("ttbar", "CMS_scale_j_2018"), ("Zll", "CMS_scale_j_2018"))
    assert (new.up == old.up).all()
    assert (new.variances == old.variances).all()


def test_files_that_were_read_are_not_replaced(folder: Path) -> None:
    (folder / "shapes.txt").write_text(DATACARD)
    (folder / "other").mkdir()
    (folder / "other" / "shapes.txt").write_text(DATACARD.replace("shapes.root", "../shapes.root"))
    before = (folder / "shapes.root").read_bytes()
    for card, name in (("shapes.txt", "shapes.txt"), ("other/shapes.txt", "shapes.root")):
        if name == "shapes.root":
            (folder / "shapes.txt").unlink()
        result = cards("select", card, "-o", ".")
        assert (result.exit_code, result.stdout) == (2, "")
        assert f"{name} is one of the files that were read; choose another directory with -o" in result.stderr
    assert (folder / "shapes.root").read_bytes() == before


def test_select_writes_a_pair_with_what_is_left(folder: Path) -> None:
    arguments = ["--drop-process", "signal", "--nuisance", "CMS_*", "--drop-nuisance", "CMS_fake", "--scale", "tt*=2"]
    done = report("select", "datacard.txt", "-o", "new", *arguments, "--group", "all=*", "--freeze", "SF_*")
    assert (done["columns"], done["nuisances"]) == (4, 2)
    loaded = load_card("new/datacard.txt", options=CardOptions(allow_no_signal=True))
    assert loaded.card.nuisance_names == ("CMS_scale_j", "CMS_btag")
    assert loaded.card.frozen == ("CMS_btag", "SF_dy")
    assert loaded.card.groups[-1].members == ("CMS_scale_j", "CMS_btag", "SF_dy")
    assert loaded.templates["SR"].values.tolist() == [[40, 24, 16], [5, 3, 2]]
    assert loaded.card.columns[0].rate == 80


def test_differences(folder: Path) -> None:
    found = report("diff", "datacard.txt", "revised.txt", status=1)
    assert not found["same"]
    lumi = next(change for change in found["changes"] if change["nuisance"] == "lumi")
    # 2.5% more of 14, 16, 14 expected events of signal and ttbar in SR, of 150 and 50 in CR.
    squares = sum((0.025 * part) ** 2 / total for part, total in ((22, 27), (16, 19), (14, 16), (150, 210), (50, 90)))
    assert lumi["size"] == pytest.approx(squares**0.5, rel=1e-6)
    renamed = [change["after"] for change in found["changes"] if change["action"] == "renamed"]
    assert renamed == [["ttbar_xsec"]]
    # Formatting, order and the names of templates do not count.
    assert cards("format", "-i", "revised.txt").exit_code == 0
    assert cards("select", "revised.txt", "-o", "new").exit_code == 0
    assert cards("diff", "revised.txt", "new/revised.txt").exit_code == 0


def test_difference_below_the_tolerance(folder: Path) -> None:
    (folder / "other.txt").write_text(COUNTING.replace("rate 1.47", "rate 1.4705"))
    assert cards("diff", "counting.txt", "other.txt").exit_code == 1
    assert cards("diff", "counting.txt", "other.txt", "--tolerance", "1e-3").exit_code == 0
    assert cards("diff", "-", "other.txt", "--tolerance", "1e-3", text=COUNTING).exit_code == 0
    assert cards("diff", "nothing.txt", "other.txt").exit_code == 2


def test_long_lists_of_differences_are_cut(folder: Path) -> None:
    rows = "".join(f"nuisance_{number} lnN {1 + number / 100} - -\n" for number in range(1, 31))
    (folder / "many.txt").write_text(COUNTING.replace("kmax 3", "kmax *") + rows)
    short = cards("diff", "counting.txt", "many.txt").stdout
    assert "… and 5 more; --all lists them" in short
    full = cards("diff", "counting.txt", "many.txt", "--all").stdout
    assert sum("appeared" in line for line in full.splitlines()) == 30 + 1


def test_validation_json(folder: Path) -> None:
    arguments = ("check", "datacard.txt", "--threshold", "normalisation_effect=0.15", "--validation-json", "v.json")
    assert cards(*arguments).exit_code == 0
    written = json.loads((folder / "v.json").read_text())
    assert written["largeNormEff"] == {"CMS_btag": {"SR": {"ttbar": {"value_d": 0.75, "value_u": 1.25}}}}
    assert "smallShapeEff" in written


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ([], 0),
        (["--fail-on", "warning"], 1),
        (["--fail-on", "never"], 0),
        (["--fail-on", "warning", "--ignore", "*"], 0),
    ],
)
def test_exit_status_of_checks(arguments: list[str], status: int) -> None:
    assert cards("check", "datacard.txt", *arguments).exit_code == status
    assert cards("check", "datacard.txt", *arguments, "--json").exit_code == status


def test_problems_of_an_unreadable_card_as_json() -> None:
    result = cards("check", "unfinished.txt", "--json")
    assert result.exit_code == 2
    problems = json.loads(result.stdout)["problems"]
    assert [problem.partition(": ")[0] for problem in problems] == ["unfinished.txt:13", "unfinished.txt:14"]
    assert result.stderr.startswith("Error: 2 problems:")


def test_names_that_follow_the_convention() -> None:
    pytest.importorskip("yaml")
    arguments = ("names", "datacard.txt", "--dictionary", "master.yml", "--analysis", "own.yml")
    assert cards(*arguments).exit_code == 1
    assert cards(*arguments, "--fail-on", "error").exit_code == 0
    codes = {found["nuisance"]: found["code"] for found in report(*arguments, status=1)["findings"]}
    assert codes == {
        "lumi": "name-not-in-convention",
        "xsec_ttbar": "name-not-in-convention",
        "CMS_btag": "name-of-another-class",
    }


def test_a_card_without_its_templates_is_checked_as_far_as_it_goes(folder: Path) -> None:
    rows = "".join(f"{name}_{year} lnN 1.1 - - 1.1 -\n" for name in ("a", "b", "c") for year in (2017, 2018))
    text = DATACARD.replace("shapes.root", "nowhere.root").replace("CMS_scale_j   shape", f"{rows}CMS_scale_j   shape")
    (folder / "without.txt").write_text(text.replace("c_2018 lnN 1.1 - - 1.1 -\n", ""))
    result = run("cards", "check", "without.txt", width=200)
    assert result.exit_code == 2
    assert result.stdout.splitlines()[0] == "without.txt, without templates"
    assert "nuisance c_{year}: there for 2017 and not for 2018, as 2 other names are" in result.stdout
    assert "nowhere.root" in result.stderr
    listed = json.loads(cards("check", "without.txt", "--json").stdout)
    assert [finding["code"] for finding in listed["findings"]] == ["no-signal-in-channel", "missing-year"]
    assert len(listed["problems"]) == 1
    assert "nowhere.root" in listed["problems"][0]
    assert "missing-year" not in cards("check", "without.txt", "--ignore", "missing-*").stdout
