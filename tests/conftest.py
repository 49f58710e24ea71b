"""Fixtures that several test modules use."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from pocket_combine.cli import main


def pytest_configure() -> None:
    """Let tests of Ctrl-C work where the tests were started in the background, which makes a shell ignore it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared_folder() -> Path:
    """The folder of large reference material beside the project; tests that need it are skipped where it is missing."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip(f"the folder of reference material is not there: {folder}")
    return folder


@dataclass(frozen=True)
class Demo:
    """What `pocket-combine demo demo` printed, and the folder with its `demo`: copy it to write there."""

    folder: Path
    stdout: str
    stderr: str
    exit_code: int


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The demo, made once: it takes seconds."""
    folder = tmp_path_factory.mktemp("folder_of_demo")
    before = Path.cwd()
    os.chdir(folder)
    try:
        surroundings = {"COLUMNS": "80", **dict.fromkeys(("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE"), None)}
        result = CliRunner().invoke(main, ["demo", "demo"], env=surroundings, prog_name="pocket-combine")
    finally:
        os.chdir(before)
    return Demo(folder, result.stdout, result.stderr, result.exit_code)
