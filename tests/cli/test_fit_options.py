"""Options of the fitting commands, as users of Combine would guess them."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from fit_cards import CARD

import pocket_combine
from pocket_combine.cli import main
from pocket_combine.results import (
    FitResult,
    GoodnessOfFitResult,
    ImpactResult,
    LimitResult,
    PostfitResult,
    ScanResult,
    ToyResult,
)

OTHER = """
imax 1
jmax *
kmax *
bin         VR
observation 30
bin         VR     VR     VR
process     sig    bkg    top
process     0      1      2
rate        2      20     5
lumi   lnN  1.02   -      1.02
mtop   lnN  -      -      1.3
norm  rateParam VR bkg 1 [0,5]
"""


@pytest.fixture(autouse=True)
def in_folder_with_cards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "card.txt").write_text(CARD)
    (tmp_path / "other.txt").write_text(OTHER)
    monkeypatch.chdir(tmp_path)


def run(*words: str) -> Result:
    """Run a command; its first argument may be a whole line."""
    return CliRunner().invoke(main, [*words[0].split(), *words[1:]])


def done(*words: str) -> str:
    result = run(*words)
    assert result.exit_code == 0, result.output
    return result.output


def fitted(*words: str) -> FitResult:
    done(*words, "-o", "fit.json")
    return FitResult.from_json(Path("fit.json").read_text())


# ---------------------------------------------------------------------- what is of interest, what is frozen


def test_poi_in_every_command() -> None:
    assert fitted("fit card.txt --unblind --poi norm").pois == ("norm",)
    interval = fitted("fit card.txt --unblind --poi norm --freeze r --set r=0").interval("norm")
    assert interval.best == pytest.approx(119 / 110, abs=1e-4)
    done("limit card.txt --unblind --poi theory -o limit.json")
    assert LimitResult.from_json(Path("limit.json").read_text()).poi == "theory"
    assert "best fit of theory" in done("significance card.txt --poi theory")
    done("impacts card.txt --poi norm -o impacts.json")
    impacts = ImpactResult.from_json(Path("impacts.json").read_text())
    assert [interval.parameter for interval in impacts.pois] == ["norm"]
    assert {impact.parameter for impact in impacts.impacts} == {"r", "lumi", "theory"}
    assert "20 toys at norm = 1" in done("toys card.txt --poi norm -t 20")
    done("scan card.txt --poi norm --parameter norm=0.9,1.1 --points 2")
    assert fitted("fit card.txt --poi norm,theory").pois == ("norm", "theory")


def test_names_and_values_may_stand_in_lists() -> None:
    result = fitted("fit card.txt --freeze lumi,theory --set lumi=1,theory=-1 --range r=-5,10:norm=0.5,2")
    assert (result.value("lumi"), result.value("theory")) == (1.0, -1.0)
    assert result.provenance.options["ranges"] == {"r": [-5.0, 10.0], "norm": [0.5, 2.0]}
    assert fitted("fit card.txt --freeze allConstrainedNuisances").floating.tolist() == [True, False, False, True]
    assert fitted("fit card.txt --freeze rgx{l.*}").floating.tolist() == [True, False, True, True]
    assert fitted("fit card.txt --freeze-group ^shared").floating.tolist() == [True, True, True, True]


def test_a_map_gives_the_names_that_formulas_may_use() -> None:
    card = CARD.replace("norm  rateParam * bkg 1 [0,5]", "norm rateParam * bkg 1.5-0.5*@0 mu")
    Path("formula.txt").write_text(card)
    assert fitted("fit formula.txt --map .*/sig:mu[1,0,5]").pois == ("mu",)
    result = run("fit formula.txt")
    assert result.exit_code == 2
    assert "mu" in result.output


# ---------------------------------------------------------------------- data


def test_asimov_is_what_is_done_without_unblind() -> None:
    first = done("fit card.txt -o first.json")
    assert done("fit card.txt --asimov -o second.json") == first
    assert Path("first.json").read_bytes() == Path("second.json").read_bytes()
    assert fitted("fit card.txt --asimov --frequentist --unblind").provenance.data == "frequentist asimov"


def test_signal_strength_of_asimov_data_is_the_start_value() -> None:
    assert fitted("fit card.txt --set r=2").value("r") == pytest.approx(2.0, abs=1e-3)
    assert fitted("fit card.txt --map .*/sig:mu[3,0,5]").value("mu") == pytest.approx(3.0, abs=1e-3)
    assert fitted("fit card.txt --set r=2 --expect-signal 0.5").value("r") == pytest.approx(0.5, abs=1e-3)


# ---------------------------------------------------------------------- levels, seeds, executors


def test_intervals_at_a_confidence_level() -> None:
    output = done("fit card.txt --unblind --cl 0.95 --interval norm -o fit.json")
    assert "ends at CL 0.95" in output
    result = FitResult.from_json(Path("fit.json").read_text())
    assert [item.delta_nll for item in result.intervals] == pytest.approx([1.920729, 1.920729], abs=1e-6)
    done("scan card.txt --unblind --parameter norm=0.9,1.1 --points 2 --cl 0.95 -o scan.json")
    (interval,) = ScanResult.from_json(Path("scan.json").read_text()).crossings
    assert (interval.low, interval.high) == pytest.approx(
        (result.interval("norm").low, result.interval("norm").high), abs=1e-4
    )


def test_scans_in_two_processes_are_the_same() -> None:
    command = "scan card.txt --unblind --parameter r=0,2 --parameter norm=0.9,1.1 --points 16"
    done(f"{command} -o one.json")
    done(f"{command} --jobs 2 -o two.json")
    assert Path("one.json").read_bytes() == Path("two.json").read_bytes()


def test_seeds_of_starts_and_toys() -> None:
    assert fitted("fit card.txt --starts 3 --seed 7").provenance.options["seed_of_starts"] == 7
    for name, seed in (("one", "5"), ("two", "5"), ("three", "6")):
        done(f"toys card.txt -t 5 --seed {seed} -o {name}.json")
    results = [ToyResult.from_json(Path(f"{name}.json").read_text()) for name in ("one", "two", "three")]
    assert (results[0].values == results[1].values).all()
    assert (results[0].values != results[2].values).any()
    assert results[0].provenance.seed == 5


def test_kinds_of_toys() -> None:
    options = "--freeze r --set r=0"
    for kind in ("frequentist", "bayesian", "no-systematics"):
        done(f"gof card.txt -t 20 --toys-{kind} {options} -o gof.json")
        result = GoodnessOfFitResult.from_json(Path("gof.json").read_text())
        assert result.provenance.options["toy_kind"] == kind.replace("-", " ")
        assert result.toys.size == 20
    done("toys card.txt -t 5 --toys-bayesian -o toys.json")
    assert ToyResult.from_json(Path("toys.json").read_text()).provenance.options["toy_kind"] == "bayesian"


# ---------------------------------------------------------------------- postfit


def yields(*words: str) -> PostfitResult:
    done(*words, "-o", "postfit.json")
    return PostfitResult.from_json(Path("postfit.json").read_text())


def test_postfit_of_a_saved_fit_is_that_of_the_fit() -> None:
    fitted("fit card.txt --unblind --starts 2")
    assert yields("postfit card.txt --unblind --fit fit.json").yields == yields("postfit card.txt --unblind").yields


def test_postfit_of_another_card() -> None:
    result = fitted("fit card.txt --unblind")
    output = done("postfit other.txt --unblind --fit fit.json -o postfit.json")
    assert "Note: 3 of 4 parameters of this card come from the fit of another" in output
    assert "Note: not in the fit, so with their uncertainties before it: mtop" in output
    found = PostfitResult.from_json(Path("postfit.json").read_text())
    assert found.yields["VR/bkg"] == pytest.approx((20 * result.value("norm"), 20 * result.error("norm")), rel=1e-4)
    assert found.yields["VR/top"][1] == pytest.approx(5 * math.hypot(math.log(1.3), math.log(1.02)), rel=1e-2)
    assert found.channels[0].observed is not None
    done("fit card.txt -o blind.json")
    assert yields("postfit other.txt --fit blind.json").channels[0].observed is None


def test_sums_of_channels_and_processes() -> None:
    both = yields("postfit a=card.txt b=card.txt --sum-channels SR=*_SR --sum-processes all=*")
    parts = yields("postfit a=card.txt b=card.txt")
    names = [channel.channel for channel in both.channels]
    assert names == ["a_SR", "a_CR", "b_SR", "b_CR", "SR"]
    assert both.channels[-1].processes == ("all",)
    assert both.yields["SR/total"][0] == pytest.approx(32.0)
    # One norm for both: uncertainties of the sum add linearly.
    assert both.yields["SR/all"][1] == pytest.approx(2 * both.yields["a_SR/total"][1], rel=1e-6)
    assert np.sum([parts.yields[f"{channel}_SR/bkg"][0] for channel in "ab"]) == pytest.approx(20.0)


def test_files_are_written_although_nobody_reads_the_screen() -> None:
    command = [sys.executable, "-m", "pocket_combine", "fit", "card.txt", "-o", "fit.json"]
    environment = {**os.environ, "PYTHONPATH": str(Path(pocket_combine.__file__).parents[1])}
    with subprocess.Popen(  # noqa: S603
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        process.wait(timeout=60)
    assert FitResult.from_json(Path("fit.json").read_text()).pois == ("r",)


# ---------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("fit card.txt --asimov --unblind", "--asimov and --unblind exclude each other"),
        ("fit card.txt --robust --cl 0.95", "--robust and --cl exclude each other"),
        ("fit card.txt --cl 95", "95"),
        ("fit card.txt --poi nrom", "did you mean 'norm'"),
        ("fit card.txt --poi r --freeze r", "r is frozen and cannot be of interest"),
        ("limit card.txt --freeze r", "r is frozen, so that no parameter of interest is left"),
        ("toys card.txt --toys-bayesian --toys-frequentist", "--toys-frequentist and --toys-bayesian exclude"),
        ("scan card.txt --parameter r=0,1 --jobs 2 --dask tcp://host:1", "--jobs and --dask exclude each other"),
        ("scan card.txt --parameter r=0,1 --parameter r=1,2", "r is scanned already"),
        ("scan card.txt --parameter r=0,inf", "the range is empty or endless"),
        ("postfit card.txt --prefit --fit fit.json", "--prefit and --fit exclude each other"),
        ("postfit card.txt --fit missing.json", "missing.json: no such file"),
        ("postfit card.txt --sum-channels SR", "expected NAME=PATTERN"),
        ("postfit card.txt --sum-channels all=X*", "sum 'all': no channel matches 'X*'; available: 'CR', 'SR'"),
        ("postfit card.txt --sum-processes top=t*", "sum 'top': no process matches 't*'"),
    ],
)
def test_what_cannot_be_meant(command: str, message: str) -> None:
    result = run(command)
    assert result.exit_code == 2
    assert message in result.output


def test_saved_fits_that_must_not_or_cannot_be_used() -> None:
    done("fit card.txt -o blind.json")
    done("fit card.txt --unblind -o fit.json")
    done("fit card.txt --unblind --freeze lumi -o frozen.json")
    done("scan card.txt --parameter r=0,1 --points 2 -o scan.json")
    text = Path("fit.json").read_text()
    plain = json.loads(text)
    Path("truncated.json").write_text(text[: len(text) // 2])
    Path("binary.json").write_bytes(b"\xff\xfe")
    Path("nan.json").write_text(json.dumps(plain | {"values": ["nan", *plain["values"][1:]]}))
    Path("short.json").write_text(json.dumps(plain | {"values": plain["values"][1:]}))
    Path("failed.json").write_text(json.dumps(plain | {"status": "flat direction", "concerned": ["norm"]}))
    problems = {
        "card.txt --fit fit.json": "the fit in fit.json is of data that depend on the observation: add --unblind",
        "card.txt --unblind --fit blind.json": "the fit in blind.json is of Asimov data: leave --unblind out",
        "card.txt --unblind --fit frozen.json": "freeze: None here, ['lumi'] in the fit",
        "other.txt --unblind --freeze lumi --fit fit.json": "lumi is frozen here and was fitted",
        "card.txt --fit scan.json": "scan.json: holds the result of `pocket-combine scan`, expected that of",
        "card.txt --unblind --fit truncated.json": "truncated.json: not JSON",
        "card.txt --unblind --fit binary.json": "binary.json: cannot be read",
        "card.txt --unblind --fit nan.json": "a value or a covariance in it is no finite number",
        "card.txt --unblind --fit short.json": "values has shape (3,), expected (4,)",
        "card.txt --unblind --fit failed.json": "its status is 'flat direction' (norm)",
    }
    for command, message in problems.items():
        result = run(f"postfit {command} -o postfit.json")
        assert result.exit_code == 2, result.output
        assert message in result.output
        assert not Path("postfit.json").exists()
