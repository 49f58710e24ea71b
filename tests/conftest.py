"""Fixtures that several test modules use."""

import signal
from pathlib import Path

import pytest


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
