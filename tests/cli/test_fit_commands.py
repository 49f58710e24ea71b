"""`fit`, `scan`, `limit`, `significance`: screens to the letter, exit codes, files, and that blind means blind.

After a change of the screens that is meant: `POCKET_COMBINE_WRITE_GOLDEN=1 pytest tests/cli/test_fit_commands.py`.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from degenerate_cards import TWO_MINIMA
from fit_cards import CARD
from screens import check_screen

from pocket_combine.cli import main
from pocket_combine.results import FitResult, ImpactResult, LimitResult, ScanResult, Status

GOLDEN = Path(__file__).parent / "golden_fits"

SCREENS = {
    "help-fit": "fit --help",
    "help-scan": "scan --help",
    "help-limit": "limit --help",
    "help-significance": "significance --help",
    "fit": "fit card.txt",
    "fit-observed": "fit card.txt --unblind --all",
    "scan": "scan card.txt --parameter r=0,2 --points 4",
    "limit": "limit card.txt --unblind",
    "limit-not-found": "limit card.txt --range r=0,0.1",
    "significance": "significance card.txt --unblind",
    "help-impacts": "impacts --help",
    "help-gof": "gof --help",
    "help-toys": "toys --help",
    "help-postfit": "postfit --help",
    "impacts": "impacts card.txt --unblind",
    "gof": "gof card.txt --unblind",
    "gof-blind": "gof card.txt",
    "toys": "toys card.txt --toys 20 --range r=-5,20",
    "toys-several": "toys card.txt --inject 0 --inject 1.5 --toys 20",
    "postfit": "postfit card.txt --unblind",
    "prefit": "postfit card.txt --prefit",
    "postfit-sums": "postfit a=card.txt b=card.txt --sum-channels SR=*_SR --sum-processes all=*",
    "poi": "fit card.txt --unblind --poi norm --cl 0.95",
    "gof-toys": "gof card.txt --unblind --toys 20 --toys-bayesian --freeze r --set r=1",
    "impacts-poi": "impacts card.txt --unblind --poi norm",
    "frozen-poi": "limit card.txt --freeze r",
    "asimov-unblind": "fit card.txt --asimov --unblind",
    "unknown-parameter": "fit card.txt --freeze lumy",
    "unknown-group": "fit card.txt --freeze-group shard",
}


@pytest.fixture(autouse=True)
def in_folder_with_cards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "card.txt").write_text(CARD)
    (tmp_path / "two_minima.txt").write_text(TWO_MINIMA)
    (tmp_path / "other_data.txt").write_text(CARD.replace("16     103", "40     77"))
    monkeypatch.chdir(tmp_path)


def test_minuit_that_agrees_is_one_line() -> None:
    pytest.importorskip("iminuit")
    result = run("fit card.txt --unblind --minuit -o fit.json")
    assert result.exit_code == 0
    assert "MINUIT agrees: ΔNLL +" in result.output
    opinion = FitResult.from_json(Path("fit.json").read_text()).second_opinion
    assert opinion is not None
    assert opinion.agrees


def test_minuit_that_does_not_agree_has_its_exit_code() -> None:
    pytest.importorskip("iminuit")
    assert run("fit two_minima.txt --unblind").exit_code == 0
    result = run("fit two_minima.txt --unblind --minuit")
    assert result.exit_code == 1
    assert "MINUIT does not agree: ΔNLL" in result.output
    assert "largest shift 1.6 σ (n)" in result.output


def run(command: str) -> Result:
    return CliRunner().invoke(main, command.split())


@pytest.mark.parametrize("width", [80, 200])
@pytest.mark.parametrize("name", SCREENS)
def test_screen(name: str, width: int) -> None:
    check_screen(GOLDEN / f"{name}.{width}.txt", SCREENS[name], width)


@pytest.mark.parametrize(
    "command",
    [
        "fit",
        "limit",
        "significance",
        "scan --parameter r=0,2 --points 3",
        "impacts",
        "gof --toys 5",
        "toys --toys 5",
        "postfit",
        "postfit --prefit",
        "fit --poi norm --cl 0.9",
        "gof --toys 5 --toys-bayesian",
        "toys --toys 5 --toys-no-systematics",
    ],
)
def test_without_unblind_no_output_depends_on_the_observation(command: str) -> None:
    name, *options = command.split()
    words = " ".join(options)
    first = run(f"{name} card.txt {words} -o first.json")
    second = run(f"{name} other_data.txt {words} -o second.json")
    assert first.exit_code == second.exit_code == 0
    assert first.output == second.output
    assert Path("first.json").read_bytes() == Path("second.json").read_bytes()


def test_results_are_files_for_programs() -> None:
    assert run("fit card.txt --unblind -o fit.json").exit_code == 0
    result = FitResult.from_json(Path("fit.json").read_text())
    assert result.value("norm") == pytest.approx(1.03, abs=1e-3)
    assert result.value("r") == pytest.approx((16 - 10.3) / 6, abs=1e-3)
    assert result.provenance.data == "observed"
    assert run("limit card.txt -o limit.json").exit_code == 0
    assert LimitResult.from_json(Path("limit.json").read_text()).observed is None
    assert run("scan card.txt --parameter r=0,2 --parameter norm=0.9,1.1 --points 9 -o scan.json").exit_code == 0
    assert ScanResult.from_json(Path("scan.json").read_text()).points.shape == (9, 2)


def test_impacts_are_written_for_combine_too() -> None:
    assert run("impacts card.txt --combine-json combine.json -o impacts.json").exit_code == 0
    plain = json.loads(Path("combine.json").read_text())
    result = ImpactResult.from_json(Path("impacts.json").read_text())
    by_name = {row["name"]: row for row in plain["params"]}
    assert set(by_name) == {"lumi", "theory", "norm"}
    assert by_name["theory"]["impact_r"] == pytest.approx(max(impact.impact("r") for impact in result.impacts[:2]))
    assert plain["POIs"][0]["fit"][1] == pytest.approx(1.0)


def test_a_map_has_the_colons_of_combine_and_those_of_regular_expressions() -> None:
    assert run("fit card.txt --map .*/(?:sig|other):mu[1,0,5] -o fit.json").exit_code == 0
    assert FitResult.from_json(Path("fit.json").read_text()).pois == ("mu",)
    assert run("fit card.txt --map .*/.*g:1 --map SR/sig:mu[1,0,5]").exit_code == 0


def test_several_cards_are_combined_on_the_way() -> None:
    assert run("fit a=card.txt b=card.txt -o both.json").exit_code == 0
    assert run("fit card.txt -o one.json").exit_code == 0
    both, one = (FitResult.from_json(Path(name).read_text()) for name in ("both.json", "one.json"))
    assert both.interval("r").high - 1 < one.interval("r").high - 1


def test_a_result_that_cannot_be_used_has_its_exit_code() -> None:
    result = run("limit card.txt --range r=0,0.1 -o limit.json")
    assert result.exit_code == 1
    assert LimitResult.from_json(Path("limit.json").read_text()).expected[2].status is Status.NOT_FOUND


@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        ("fit card.txt --frequentist", 2, "add --unblind"),
        ("fit card.txt --set lumi", 2, "expected NAME=VALUE"),
        ("fit card.txt --range r=1", 2, "expected r=LOW,HIGH"),
        ("fit card.txt --map nothing", 2, "expected PATTERN:EXPRESSION"),
        ("fit card.txt --map map=.*/sig:r[1,0,5]", 2, "leave 'map=' out and write '.*/sig:r[1,0,5]'"),
        ("fit card.txt --map turnoff=sig,bkg", 2, "write '.*/(sig|bkg)$:0'"),
        ("fit card.txt --map .*/sig:mu=expr::mu(1-@0,r)", 2, "'mu=expr::mu(1-@0,r)' is a factory of RooFit"),
        ("fit card.txt --map .*/sig:a[1,0,5] --map .*/sig:1", 2, "the pattern '.*/sig' stands twice"),
        ("fit missing.txt", 2, "missing.txt"),
        ("scan card.txt --parameter r=2,1", 2, "the range is empty"),
        ("fit card.txt --mask SR2", 2, "SR2"),
    ],
)
def test_wrong_options_are_explained(command: str, code: int, message: str) -> None:
    result = run(command)
    assert result.exit_code == code
    assert message in result.output


def test_a_label_that_comes_twice_is_refused() -> None:
    """The last card of a name must not stand for both."""
    for command in ("fit", "limit"):
        result = CliRunner().invoke(main, [command, "A=card.txt", "A=other_data.txt"])
        assert result.exit_code == 2
        assert "other_data.txt: channel A_SR is already in card.txt; choose other labels" in result.stderr


def test_all_cards_that_keep_the_names_of_their_channels_are_used() -> None:
    """The label `.` may come more than once."""
    for name in ("c", "d"):
        Path(f"{name}.txt").write_text(CARD.replace("SR", f"SR_{name}").replace("CR", f"CR_{name}"))
    result = CliRunner().invoke(main, ["postfit", ".=c.txt", ".=d.txt", "--prefit", "-o", "both.json"])
    assert result.exit_code == 0, result.output
    channels = [channel["channel"] for channel in json.loads(Path("both.json").read_text())["channels"]]
    assert sorted(channels) == ["CR_c", "CR_d", "SR_c", "SR_d"]
