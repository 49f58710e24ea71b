"""`plot stack`, `yields`, `templates` and `contact-sheet`: files, tables, and what is refused."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pocket_combine.cli import main

pytest.importorskip("matplotlib")
pytest.importorskip("mplhep")

CARD = """
imax 2
jmax 2
kmax *
bin         SR     CR
observation 16     103
bin         SR     SR       SR       CR
process     sig    bkg_2017 bkg_2018 bkg_2017
process     0      1        2        1
rate        6      4        6        100
lumi   lnN  1.02   1.03     1.03     -
theory lnN  1.1    -        -        0.9/1.2
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Path("card.txt").write_text(CARD)
        for options in ("--unblind -o fit.json", "--unblind --prefit -o prefit.json", "-o blind.json"):
            assert run(f"postfit card.txt {options}").exit_code == 0
    return folder


@pytest.fixture(autouse=True)
def in_folder_with_results(results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(results, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)


def run(command: str) -> Result:
    return CliRunner().invoke(main, shlex.split(command))


def test_a_file_for_each_channel() -> None:
    result = run("plot stack fit.json --prefit prefit.json --log --signal-scale 5 -o out/stack --format svg")
    assert (result.exit_code, result.output) == (0, "out/stack_SR.svg\nout/stack_CR.svg\n")
    assert Path("out/stack_SR.svg").read_text().startswith("<?xml")
    result = run("plot stack blind.json --channel 'S*' --panel pull --per-width --equal-bins --format png")
    assert (result.exit_code, result.output) == (0, "stack.png\n")
    result = run("plot stack fit.json --overview --format png -o all")
    assert (result.exit_code, result.output) == (0, "all.png\n")


@pytest.mark.parametrize(
    ("output", "files"),
    [
        ("all.svg", "all.svg\n"),
        ("all.png --format svg", "all.png\nall.svg\n"),
        ("sr.v2 --format svg", "sr.v2.svg\n"),
        (". --format png", "stack.png\n"),
    ],
)
def test_the_path_of_a_figure_may_have_an_ending_or_be_a_folder(output: str, files: str) -> None:
    result = run(f"plot stack fit.json --channel SR -o {output}")
    assert (result.exit_code, result.output) == (0, files)


def test_a_figure_is_not_drawn_for_a_place_where_it_cannot_be() -> None:
    result = run("plot stack fit.json -o card.txt/stack")
    assert result.exit_code == 2
    assert "'card.txt/stack' is to be in" in result.output
    assert "which is a file" in result.output


def test_blind_figures_do_not_depend_on_the_data() -> None:
    assert run("plot stack blind.json --format svg -o one").exit_code == 0
    Path("card.txt").write_text(CARD.replace("16     103", "40     77"))
    assert run("postfit card.txt -o blind.json").exit_code == 0
    assert run("plot stack blind.json --format svg -o two").exit_code == 0
    for channel in ("SR", "CR"):
        assert Path(f"one_{channel}.svg").read_bytes() == Path(f"two_{channel}.svg").read_bytes()


def test_yields_before_the_fit() -> None:
    result = run("plot yields prefit.json --table markdown")
    assert result.exit_code == 0
    assert result.output == (
        "| Process          |           SR |       CR |\n"
        "| ---------------- | -----------: | -------: |\n"
        "| bkg              | 10.00 ± 0.30 | 100 ± 14 |\n"
        "| Total background | 10.00 ± 0.30 | 100 ± 14 |\n"
        "| sig              |  6.00 ± 0.58 |        – |\n"
        "| Total            | 16.00 ± 0.71 | 100 ± 14 |\n"
        "| Data             |           16 |      103 |\n"
        "\nExpected events, pre-fit.\n"
    )


def test_yields_in_a_file() -> None:
    result = run("plot yields fit.json --prefit prefit.json --table latex --channel CR -o yields.tex")
    assert (result.exit_code, result.output) == (0, "")
    text = Path("yields.tex").read_text()
    assert text.startswith("\\begin{tabular}{lrr}\n\\toprule\nProcess & CR, pre-fit & CR, post-fit \\\\\n\\midrule\n")
    assert text.endswith("\\midrule\nData & $103$ & $103$ \\\\\n\\bottomrule\n\\end{tabular}\n")


def test_templates_and_sheets() -> None:
    result = run("plot templates card.txt --nuisance lumi -o t --format png")
    assert (result.exit_code, result.output) == (0, "t_SR_lumi.png\n")
    result = run("plot contact-sheet card.txt --most 3 --format pdf")
    assert (result.exit_code, result.output) == (0, "contact_sheet_1.pdf\n")


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("plot stack fit.json --channel TR", "no channel matches 'TR'; available: 'CR', 'SR'"),
        ("plot stack card.txt", "Error: card.txt: "),
        ("plot stack fit.json --signal-scale 0", "signal_scale is 0.0, expected a positive factor"),
        ("plot yields none.json", "none.json: no such file"),
        ("plot templates card.txt --nuisance lumy --process bkg", "card.txt: no nuisance matches 'lumy'; did you mean"),
        (
            "plot templates card.txt --channel CR --nuisance lumi",
            "card.txt: no nuisance acts on any of the chosen processes",
        ),
        ("plot contact-sheet card.txt --process x", "card.txt: no process matches 'x'"),
    ],
)
def test_mistakes_are_one_message_and_leave_no_file(command: str, message: str) -> None:
    before = sorted(Path().iterdir())
    result = run(command)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert sorted(Path().iterdir()) == before
