"""What fitting commands import: a small card takes less time to fit than SciPy takes to import."""

from __future__ import annotations

import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import pocket_combine.inference

CARD = """imax 1
jmax 1
kmax 2
bin ch
observation 12
bin ch ch
process sig bkg
process 0 1
rate 5 10
lumi lnN 1.02 1.02
side gmN 20 - 0.5
"""

NOT_NEEDED = [
    "hist",
    "importlib.metadata",
    "matplotlib",
    "multiprocessing",
    "numpy.testing",
    "pocket_combine.inference.batch",
    "pocket_combine.inference.impact_fits",
    "pocket_combine.inference.postfit_yields",
    "pocket_combine.inference.toys",
    "pocket_combine.io.root_write",
    "rich.progress",
    "scipy",
    "uproot",
]

PROGRAM = f"""
import sys
from pocket_combine.cli import main
try:
    main(sys.argv[1:])
finally:
    print("imported:", [name for name in {NOT_NEEDED} if name in sys.modules])
"""


COMMANDS = [["fit"], ["limit"], ["significance"], ["scan", "--parameter", "r=0,2", "--points", "3"]]


@pytest.mark.parametrize("words", COMMANDS, ids=[words[0] for words in COMMANDS])
def test_small_fits_import_what_they_need(words: list[str], tmp_path: Path) -> None:
    card = tmp_path / "card.txt"
    card.write_text(CARD)
    arguments = [words[0], str(card), *words[1:], "--unblind"]

    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines()[-1] == "imported: []"


def test_no_module_hides_a_function_of_its_package() -> None:
    """Whoever imports a module binds its name in the package, in place of what is loaded on demand."""
    package = pocket_combine.inference
    modules = {module.name for module in pkgutil.iter_modules(package.__path__)}

    assert modules & set(package.__all__) == set()
    assert sorted(package._HOMES) == sorted(package.__all__)
    assert all(getattr(package, name).__module__.startswith(package.__name__) for name in ("fit", "impacts", "postfit"))


ENTRY = """
import os, sys
import pocket_combine.__main__
assert "numpy" not in sys.modules
try:
    pocket_combine.__main__.main()
finally:
    print("numpy" in sys.modules, os.environ.get("OPENBLAS_NUM_THREADS"), os.environ.get("OMP_NUM_THREADS"))
"""


@pytest.mark.parametrize(
    ("chosen", "expected"), [({}, "True 1 1"), ({"OMP_NUM_THREADS": "3"}, "True None 3")], ids=["default", "chosen"]
)
def test_commands_compute_with_one_thread_unless_told_otherwise(chosen: dict[str, str], expected: str) -> None:
    others = {
        name: value for name, value in os.environ.items() if not name.endswith(("_NUM_THREADS", "_MAXIMUM_THREADS"))
    }
    command = [sys.executable, "-c", ENTRY, "fit", "--help"]
    result = subprocess.run(  # noqa: S603
        command, capture_output=True, text=True, check=True, env={**others, **chosen}
    )
    assert result.stdout.splitlines()[0] == "Usage: pocket-combine fit [OPTIONS] CARD..."
    assert result.stdout.splitlines()[-1] == expected
