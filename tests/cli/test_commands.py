"""Commands: exit codes, products on standard output, the same files whatever reads the outputs."""

import json
import os
import pickle
import pty
import re
import subprocess
import sys
from pathlib import Path

import click
import click.testing
import lz4.frame
import pytest
import uproot
from small_project import ANALYSIS, MISSPELLED, NEGATIVE, run, write_output, write_project

from pocket_combine.cli import main
from pocket_combine.cli.command import Command
from pocket_combine.cli.console import ExitCode

PROGRAM = [sys.executable, "-m", "pocket_combine"]


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small project, in a new folder that is the current one."""
    write_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def build(*arguments: str) -> click.testing.Result:
    return run("build", "analysis.py", "output_all.coffea", "-o", "cards", *arguments)


@pytest.mark.parametrize(
    ("analysis", "contents", "arguments", "status"),
    [
        (ANALYSIS, {}, [], 0),
        (ANALYSIS, {}, ["--fail-on", "warning"], 0),
        (ANALYSIS, NEGATIVE, [], 0),
        (ANALYSIS, NEGATIVE, ["--fail-on", "error"], 0),
        (ANALYSIS, NEGATIVE, ["--fail-on", "warning"], 1),
        (ANALYSIS, NEGATIVE, ["--fail-on", "never"], 0),
        (MISSPELLED, {}, [], 2),
        (MISSPELLED, {}, ["--fail-on", "never"], 2),
        (MISSPELLED, {}, ["--no-strict"], 1),
        (MISSPELLED, {}, ["--no-strict", "--fail-on", "warning"], 1),
        (MISSPELLED, {}, ["--no-strict", "--fail-on", "never"], 0),
    ],
)
def test_exit_status(project: Path, analysis: str, contents: object, arguments: list[str], status: int) -> None:
    write_project(project, analysis, contents=contents)
    result = build(*arguments)
    assert result.exit_code == status
    assert (project / "cards").exists() == (status != 2)
    # JSON or not, the status is the same.
    assert build(*arguments, "--json").exit_code == status


def test_written_files(project: Path) -> None:
    assert build().exit_code == 0
    assert sorted(path.name for path in (project / "cards").iterdir()) == [
        "combine_datacards_run2.sh",
        "datacard_CR_run2.txt",
        "datacard_SR_run2.txt",
        "shapes_CR_run2.root",
        "shapes_SR_run2.root",
    ]
    with uproot.open(project / "cards" / "shapes_SR_run2.root") as file:
        assert file["ttbar_2017_nominal"].values().tolist() == [15, 25, 15]
        assert file["signal_2018_JERUp"].values().tolist() == pytest.approx([2.2, 4.4, 6.6])
        assert file["data_obs_nominal"].values().tolist() == [45, 85, 45]


def test_report_as_json(project: Path) -> None:
    write_project(project, contents=NEGATIVE)
    report = json.loads(build("--json").stdout)
    assert report["directory"] == "cards"
    card = report["cards"]["datacard_SR_run2.txt"]
    assert card["yields"] == {"signal": {"2017": 6, "2018": 12}, "ttbar": {"2017": 55, "2018": 70}}
    assert (card["channel"], card["bins"], card["observation"]) == ("SR_run2", 3, 175)
    assert next((found["code"], found["severity"]) for found in report["findings"]) == ("negative-bin", "warning")


def test_json_of_a_refused_build_lists_the_findings(project: Path) -> None:
    write_project(project, MISSPELLED)
    result = build("--json")
    assert [found["place"] for found in json.loads(result.stdout)["findings"]] == ["nuisance JRE"]
    assert result.stderr.startswith("Error: 1 finding of severity error")


def test_blind_build_does_not_show_data(project: Path) -> None:
    assert "175" in build().stdout
    result = build("--blind")
    assert "175" not in result.stdout
    assert json.loads(build("--blind", "--json").stdout)["cards"]["datacard_SR_run2.txt"]["observation"] is None


def test_files_are_the_same_whatever_reads_the_outputs(project: Path) -> None:
    outputs = [write_output(project / f"output_{year}.coffea", (year,)).name for year in ("2017", "2018")]
    ways = {"serial": [], "reversed": [], "processes": ["--jobs", "2"]}
    for name, arguments in ways.items():
        given = outputs[::-1] if name == "reversed" else outputs
        result = run("build", "analysis.py", *given, "-o", name, *arguments)
        assert result.exit_code == 0, result.stderr
    files = {name: {path.name: path.read_bytes() for path in (project / name).iterdir()} for name in ways}
    assert len(files["serial"]) == 5
    assert files["reversed"] == files["serial"]
    assert files["processes"] == files["serial"]


def test_outputs_read_on_a_cluster_give_the_same_files(project: Path) -> None:
    distributed = pytest.importorskip("distributed")
    outputs = [write_output(project / f"output_{year}.coffea", (year,)).name for year in ("2017", "2018")]
    assert run("build", "analysis.py", *outputs, "-o", "serial").exit_code == 0
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0", silence_logs=True
    ) as cluster:
        result = run("build", "analysis.py", *outputs, "-o", "dask", "--dask", cluster.scheduler_address)
    assert result.exit_code == 0, result.stderr
    for path in (project / "serial").iterdir():
        assert (project / "dask" / path.name).read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["build", "analysis.py"], "Missing argument 'OUTPUT...'"),
        (["build", "analysis.py", "a.coffea", "b.coffea"], "2. output b.coffea: no such file"),
        (["build", "nothing.py", "output_all.coffea"], "nothing.py: no such file"),
        (["build", "analysis.py", "analysis.py"], "is no LZ4 frame"),
        (["build", "analysis.py", "output_all.coffea", "output_all.coffea"], "given"),
        (["build", "analysis.py", "output_all.coffea", "--jobs", "0"], "0 is not in the range"),
        (["build", "analysis.py", "output_all.coffea", "--jobs", "2", "--dask", "x"], "exclude each other"),
        (["build", "analysis.py", "output_all.coffea", "--fail-on", "info"], "'info' is not one of"),
        (["build", "analysis.py", "output_all.coffea", "-o", "analysis.py"], "is a file"),
        (["inspect"], "Missing argument 'OUTPUT...'"),
        (["inspect", "nothing.coffea"], "nothing.coffea"),
        (["inspect", "output_all.coffea", "--variable", "maas"], "did you mean 'mass'?"),
        (["demo", "analysis.py"], "is a file"),
        (["demo", "."], "analysis.py was edited, or belongs to another analysis"),
    ],
)
def test_broken_input_is_one_message_on_standard_error(arguments: list[str], message: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_truncated_output(project: Path) -> None:
    path = project / "output_all.coffea"
    path.write_bytes(path.read_bytes()[:-200])
    result = build()
    assert result.exit_code == 2
    assert "output_all.coffea" in result.stderr
    assert not (project / "cards").exists()


def test_debug_shows_the_traceback(project: Path) -> None:
    (project / "analysis.py").write_text("years = 1 / 0\n")
    assert build().stderr == "Error: analysis.py, line 1: ZeroDivisionError: division by zero\n"
    debugged = build("--debug").stderr
    assert "Traceback (most recent call last):" in debugged
    assert debugged.endswith("\nError: analysis.py, line 1: ZeroDivisionError: division by zero\n")


def test_verbose_logs_without_a_terminal() -> None:
    assert build().stderr == ""
    assert build("-v").stderr == "Info: Reading outputs: 1 of 1 (output_all.coffea)\n"


def test_interrupt(project: Path) -> None:
    (project / "analysis.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    result = build()
    assert result.exit_code == ExitCode.INTERRUPTED
    assert result.stderr == "Error: interrupted\n"


def test_mistake_of_ours_is_not_taken_for_findings() -> None:
    def callback() -> ExitCode:
        raise RuntimeError("this cannot happen")

    result = click.testing.CliRunner().invoke(Command("broken", callback=callback, examples=[]), [])
    assert result.exit_code == ExitCode.FAILED
    assert result.stderr.startswith("Error: RuntimeError: this cannot happen. This is a mistake in pocket_combine")


def test_summary_of_several_outputs_adds_up(project: Path) -> None:
    outputs = [write_output(project / f"output_{year}.coffea", (year,)).name for year in ("2017", "2018")]
    several = json.loads(run("inspect", *outputs, "--json").stdout)
    one = json.loads(run("inspect", "output_all.coffea", "--json").stdout)
    assert several["paths"] == outputs
    assert several["yields"] == one["yields"]
    assert one["yields"]["nominal"]["SR"]["TTbar__bb"] == {"TTbar_2017": 40, "TTbar_2018": 80}
    assert one["variables"]["mass"]["axes"][0]["edges"] == [0, 100, 200, 300]


class Cuts:
    """What an output may hold that the reader does not know."""


@pytest.fixture
def with_cuts(project: Path) -> Path:
    path = project / "output_all.coffea"
    contents = pickle.loads(lz4.frame.decompress(path.read_bytes()))
    path.write_bytes(lz4.frame.compress(pickle.dumps(contents | {"cuts": Cuts()})))
    return path


COMMANDS = [["inspect", "output_all.coffea", "--json"], ["build", "analysis.py", "output_all.coffea", "--jobs", "2"]]


@pytest.mark.usefixtures("with_cuts")
@pytest.mark.parametrize("command", COMMANDS)
def test_unknown_names_in_outputs_are_read_on_request(command: list[str]) -> None:
    name = f"{Cuts.__module__}.Cuts"
    refused = run(*command)
    assert refused.exit_code == 2
    assert f"asks for code that an output does not need: {name}. Nothing of it was run." in refused.stderr
    assert "--placeholder NAME" in refused.stderr
    assert run(*command, "--placeholder", name).exit_code == 0


def test_reader_that_has_seen_enough() -> None:
    command = f"{sys.executable} -m pocket_combine inspect output_all.coffea | head -n 1"
    result = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)  # noqa: S602
    assert result.stdout == "output_all.coffea\n"
    assert result.stderr == ""


def surroundings(**changes: str) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if name not in ("FORCE_COLOR", "NO_COLOR", "COLUMNS")}
    return plain | {"TERM": "xterm-256color"} | changes


def run_in_terminal(*arguments: str, **changes: str) -> str:
    """Return everything that a command writes to a terminal."""
    master, terminal = pty.openpty()
    with subprocess.Popen(  # noqa: S603
        [*PROGRAM, *arguments], stdin=terminal, stdout=terminal, stderr=terminal, env=surroundings(**changes)
    ) as process:
        os.close(terminal)
        chunks = []
        while True:
            try:
                chunk = os.read(master, 65536)
            except OSError:  # what Linux says when the other end is closed
                break
            if not chunk:
                break
            chunks.append(chunk)
    os.close(master)
    assert process.returncode == 0
    return b"".join(chunks).decode()


COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-9][0-9;]*m")


def test_terminal_gets_a_progress_bar_that_goes_away() -> None:
    screen = run_in_terminal("build", "analysis.py", "output_all.coffea")
    assert COLOUR.search(screen)
    assert "1/1" in screen
    # The line of the bar is erased before the report begins.
    bar, _, report = screen.rpartition("\x1b[2K")
    assert "Reading outputs" in bar
    assert "Reading outputs" not in report
    assert "Expected events in each channel" in report


def test_no_color_is_respected() -> None:
    screen = run_in_terminal("build", "analysis.py", "output_all.coffea", NO_COLOR="1")
    assert "Expected events in each channel" in screen
    assert not COLOUR.search(screen)


def test_pipe_gets_plain_text() -> None:
    """Also where nothing says how wide it is, and the terminal knows colours."""
    unsaid = dict.fromkeys(("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "COLUMNS"), None)
    words = ["build", "analysis.py", "output_all.coffea"]
    result = click.testing.CliRunner().invoke(main, words, env={**unsaid, "TERM": "xterm-256color"})
    assert result.exit_code == 0
    assert "Expected events in each channel" in result.stdout
    assert "\x1b" not in result.stdout
    assert result.stderr == ""
    assert max(map(len, result.stdout.splitlines())) <= 80
