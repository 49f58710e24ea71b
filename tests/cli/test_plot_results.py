"""`plot scan`, `limits`, `gof`, `toys`, `effects`, `correlation-scheme`: files, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

pytest.importorskip("matplotlib")
pytest.importorskip("mplhep")

from results_of_fits import bowl, limit, parabola, provenance, toys

from pocket_combine.cli import main
from pocket_combine.io.result_files import write_result
from pocket_combine.results import BiasResult, GoodnessOfFitResult, Status

CARD = """
imax 2
jmax 1
kmax *
bin         SR       CR
observation 16       103
bin         SR       SR       CR
process     sig_2018 tt_2018  tt_2018
process     0        1        1
rate        6        10       100
lumi      lnN  1.02  1.02  1.02
JES_2018  lnN  -     1.1   -
"""


@pytest.fixture(autouse=True)
def in_folder_with_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("card.txt").write_text(CARD)
    write_result(parabola(0.5), "total.json")
    write_result(parabola(0.3), "stat.json")
    write_result(bowl(), "two.json")
    write_result(limit(1.0), "a.json")
    write_result(limit(3.0, observed=2.0), "b.json")
    write_result(toys(0.0, 20), "toys0.json")
    write_result(toys(1.0, 20), "toys1.json")
    write_result(BiasResult(provenance("toy"), "r", (toys(0.0, 20), toys(1.0, 20))), "both.json")
    values = toys().values
    write_result(
        GoodnessOfFitResult(provenance("observed"), "KS", 1.0, {}, values, 0.5, 0, Status.CONVERGED), "gof.json"
    )
    Path("theory.txt").write_text("# mass, value\n300, 2.0\n400 1.0\n")


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["plot", *words])


@pytest.mark.parametrize(
    ("words", "files"),
    [
        (["scan", "total.json"], ["scan.png"]),
        (["scan", "total=total.json", "stat only=stat.json", "--breakdown", "syst,stat"], ["scan.png"]),
        (["scan", "two.json", "--colours", "--mark", "1,2", "--cl", "0.95"], ["scan.png"]),
        (["limits", "300=a.json", "400=b.json", "--theory", "theory.txt", "--axis-title", "m"], ["limits.png"]),
        (["limits", "SR=a.json", "b.json", "--linear", "--classic-colours"], ["limits.png"]),
        (["gof", "gof.json"], ["gof.png"]),
        (["toys", "toys0.json"], ["toys.png"]),
        (["toys", "toys0.json", "toys1.json"], ["toys_bias.png", "toys_r_0.png", "toys_r_1.png"]),
        (["toys", "both.json"], ["toys_bias.png", "toys_r_0.png", "toys_r_1.png"]),
        (["effects", "card.txt", "--quantity", "yield"], ["effects.png"]),
        (["correlation-scheme", "card.txt"], ["correlation_scheme.png"]),
    ],
)
def test_figures_are_written_and_named(words: list[str], files: list[str]) -> None:
    result = run(*words, "--format", "png")
    assert result.output.splitlines() == files
    assert result.exit_code == 0
    assert all(Path(file).read_bytes().startswith(b"\x89PNG") for file in files)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["scan", "a.json"],
            "a.json: holds the result of `pocket-combine limit`, expected that of `pocket-combine scan -o`",
        ),
        (["scan", "total.json", "two.json"], "expected one parameter"),
        (["scan", "total.json", "--colours"], "--colours is for scans of two parameters"),
        (["scan", "total.json", "--mark", "1,1"], "--mark is for scans of two parameters"),
        (["scan", "two.json", "--breakdown", "syst,stat"], "--breakdown is for scans of one parameter"),
        (["scan", "total.json", "--breakdown", "syst,"], "'syst,', expected PART,PART"),
        (["scan", "two.json", "--mark", "1"], "'1', expected X,Y"),
        (["scan", "total.json", "total.json"], "two results are called 'total'"),
        (["scan", "A=", "total.json"], "'A=', expected [LABEL=]FILE..."),
        (["scan", "s=stat.json", "t=total.json", "--breakdown", "syst,stat"], "the uncertainty of 't' (0.5) is larger"),
        (["limits", "300=a.json", "300.0=b.json"], "a point is given twice"),
        (["limits", "a.json", "--theory", "theory.txt"], "need points that are numbers"),
        (["limits", "300=a.json", "400=b.json"], "say what the points are, with their unit: --axis-title"),
        (
            ["limits", "1=a.json", "--axis-title", "m", "--theory", "card.txt"],
            "card.txt:2: 'imax 2', expected a point and its value",
        ),
        (["limits", "1=a.json", "--axis-title", "m", "--theory", "none.txt"], "none.txt: no such file"),
        (["effects", "card.txt", "--channel", "SL"], "no channel matches 'SL'; available: 'CR', 'SR'"),
    ],
)
def test_what_cannot_be_drawn_is_refused_and_writes_nothing(words: list[str], message: str) -> None:
    before = sorted(Path().iterdir())
    result = run(*words)
    assert result.exit_code == 2
    assert message in " ".join(result.output.replace("\n", " ").split())
    assert sorted(Path().iterdir()) == before
