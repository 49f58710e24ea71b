"""Screens: what a command prints and the status it ends with, compared with a file to the letter."""

from __future__ import annotations

import os
from pathlib import Path

from small_project import run

WRITE = "POCKET_COMBINE_WRITE_GOLDEN" in os.environ


def check_screen(golden: Path, command: str, width: int) -> None:
    """Run a command in the current folder and compare what it prints with a file, or write the file anew."""
    result = run(*command.split(), width=width)
    lines = [f"$ pocket-combine {command}", *result.stdout.splitlines()]
    if result.stderr:
        lines += ["--- standard error ---", *result.stderr.splitlines()]
    lines.append(f"--- exit status {result.exit_code} ---")
    found = "".join(f"{line.rstrip()}\n" for line in lines)
    if WRITE:
        golden.write_text(found, encoding="utf-8")
    assert found == golden.read_text(encoding="utf-8")
    # JSON, usage and messages without a terminal are not broken into lines.
    if "json" not in command and not result.stderr:
        assert max(map(len, result.stdout.splitlines())) <= width
