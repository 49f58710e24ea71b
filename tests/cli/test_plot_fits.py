"""`plot pulls`, `impacts`, `correlations`, `breakdown`, `strengths`: files, tables, messages and exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("mplhep")

from click.testing import CliRunner, Result
from fit_cards import CARD
from screens import check_screen

from pocket_combine.cli import main
from pocket_combine.io.result_files import read_result, write_result
from pocket_combine.results import FitResult, ImpactResult, Status

GOLDEN = Path(__file__).parent / "golden_fits"

SCREENS = {"plot-breakdown-table": "plot breakdown impacts.json --table markdown"}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    (folder / "card.txt").write_text(CARD)
    for kind in ("fit", "impacts"):
        words = [kind, str(folder / "card.txt"), "--unblind", "-o", str(folder / f"{kind}.json")]
        made = CliRunner().invoke(main, words)
        assert made.exit_code == 0
    return folder


@pytest.fixture(autouse=True)
def in_folder_with_results(results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in results.glob("*.json"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.chdir(tmp_path)


def run(command: str) -> Result:
    return CliRunner().invoke(main, command.split())


@pytest.mark.parametrize("width", [80, 200])
@pytest.mark.parametrize("name", SCREENS)
def test_screen(name: str, width: int) -> None:
    check_screen(GOLDEN / f"{name}.{width}.txt", SCREENS[name], width)


@pytest.mark.parametrize(
    ("command", "files"),
    [
        ("pulls fit.json", ["pulls.png"]),
        ("pulls fit=fit.json profile=impacts.json --order name", ["pulls.png"]),
        ("pulls fit.json --rows 2", ["pulls_1.png", "pulls_2.png"]),
        ("pulls fit.json --rows 2 --one-page -o new/all", ["new/all.png"]),
        ("impacts impacts.json --most 2", ["impacts.png"]),
        ("impacts impacts.json --all --parameter l*", ["impacts.png"]),
        ("correlations fit.json", ["correlations.png"]),
        ("correlations fit.json --around norm --most 2", ["correlations.png"]),
        ("breakdown impacts.json", ["breakdown.png"]),
        ("strengths fit.json", ["strengths.png"]),
        ("strengths a=fit.json b=impacts.json", ["strengths.png"]),
    ],
)
def test_figures_are_files_whose_paths_are_shown(command: str, files: list[str]) -> None:
    result = run(f"plot {command} --format png")
    assert result.stdout.splitlines() == files
    assert result.exit_code == 0
    assert result.stderr == ""
    assert all(Path(name).read_bytes().startswith(b"\x89PNG") for name in files)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (
            "impacts fit.json",
            "fit.json: holds the result of `pocket-combine fit`, expected that of `pocket-combine impacts -o`",
        ),
        ("strengths card.txt", "card.txt: no such file"),
        ("pulls fit.json --parameter lumy", "no parameter matches 'lumy'; did you mean 'lumi'?"),
        ("impacts impacts.json --poi R", "no parameter of interest 'R' in the impacts: did you mean 'r'?"),
        ("correlations fit.json --around thory", "no correlation of 'thory': did you mean 'theory'?"),
        ("pulls a=fit.json a=impacts.json", "two results are called 'a'; write LABEL=FILE"),
        ("strengths a=fit.json b=fit.json --stat-only c=fit.json", "no result for 'c': available: 'a', 'b'"),
    ],
)
def test_mistakes_are_explained(command: str, message: str) -> None:
    result = run(f"plot {command}")
    assert message in " ".join(result.stderr.split())
    assert result.exit_code == 2
    assert not list(Path().rglob("*.p*"))


def test_another_type_names_what_is_expected() -> None:
    Path("limit.json").write_text('{"type": "LimitResult"}')
    result = run("plot pulls limit.json")
    expected = "expected that of `pocket-combine fit -o` or `pocket-combine impacts -o`"
    assert f"limit.json: holds the result of `pocket-combine limit`, {expected}" in " ".join(result.stderr.split())


def failed_fit() -> None:
    plain = read_result(FitResult, "fit.json").to_json()
    plain = plain.replace('"status": "converged"', '"status": "flat direction"', 1)
    Path("failed.json").write_text(plain.replace('"concerned": []', '"concerned": ["lumi"]'))
    assert read_result(FitResult, "failed.json").status is Status.FLAT_DIRECTION


@pytest.mark.parametrize(
    "command", ["pulls failed.json", "strengths failed.json", "strengths a=fit.json b=failed.json"]
)
def test_a_failed_fit_is_drawn_as_such_with_another_exit_code(command: str) -> None:
    failed_fit()
    result = run(f"plot {command} --format png")
    assert result.exit_code == 1
    assert "Not a result, and drawn as such" in result.stderr
    assert "flat direction: lumi" in result.stderr
    assert len(result.stdout.splitlines()) == 1


def test_correlations_of_a_failed_fit_are_refused() -> None:
    failed_fit()
    result = run("plot correlations failed.json")
    assert result.exit_code == 2
    assert "the fit has no covariance: flat direction: lumi" in result.stderr


def test_lost_impacts_have_another_exit_code() -> None:
    text = read_result(ImpactResult, "impacts.json").to_json()
    Path("lost.json").write_text(
        text.replace('"statuses": ["converged", "converged"]', '"statuses": ["not found", "converged"]', 1)
    )
    result = run("plot impacts lost.json --format png")
    assert result.exit_code == 1
    assert "lost.json: impact of lumi" in result.stderr


def test_the_same_result_gives_the_same_bytes() -> None:
    write_result(read_result(FitResult, "fit.json"), "again.json")
    assert run("plot pulls fit.json -o one").exit_code == run("plot pulls again.json -o two").exit_code == 0
    for ending in ("pdf", "png"):
        assert Path(f"one.{ending}").read_bytes() == Path(f"two.{ending}").read_bytes()
