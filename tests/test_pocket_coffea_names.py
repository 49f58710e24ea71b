"""The module names that PocketCoffea documents, where PocketCoffea itself is not installed, and where it is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pocket_combine

SOURCE = Path(pocket_combine.__file__).parents[1]


def evaluate(program: str, *path: Path) -> Any:
    """Run a program in an interpreter of its own and return the JSON that it prints."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, [SOURCE, *path]))}
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_documented_names_are_those_of_the_package() -> None:
    program = """
import json, sys
from pocket_combine.pocket_coffea_names import install
install(), install()
before = "pocket_combine.datacard" in sys.modules
from pocket_coffea.utils.stat import (
    MCProcess, DataProcess, MCProcesses, DataProcesses,
    SystematicUncertainty, Systematics, Datacard,
)
from pocket_coffea.utils.stat.combine import Datacard as again, combine_datacards
import pocket_combine, pocket_coffea.utils.stat as stat, pocket_coffea.utils.stat.combine as combine
missing = []
for name in ("pocket_coffea.lib", "pocket_coffea.utils.stat.processes"):
    try:
        __import__(name)
    except ModuleNotFoundError as error:
        missing.append(str(error))
print(json.dumps({
    "names": [stat.__all__, combine.__all__],
    "same": [getattr(module, name) is getattr(pocket_combine, name) for module in (stat, combine)
             for name in module.__all__] + [again is Datacard],
    "finders": sum(type(finder).__name__ == "_NamesFinder" for finder in sys.meta_path),
    "before": before,
    "missing": missing,
}))
"""
    seen = evaluate(program)
    assert seen["names"] == [
        [
            "MCProcess",
            "DataProcess",
            "MCProcesses",
            "DataProcesses",
            "SystematicUncertainty",
            "Systematics",
            "Datacard",
        ],
        ["Datacard", "combine_datacards"],
    ]
    assert seen["same"] == [True] * 10
    assert seen["finders"] == 1
    assert seen["before"] is False
    assert seen["missing"] == [
        "No module named 'pocket_coffea.lib'",
        "No module named 'pocket_coffea.utils.stat.processes'",
    ]


def test_an_installed_pocket_coffea_comes_first(tmp_path: Path) -> None:
    package = tmp_path / "pocket_coffea"
    (package / "utils").mkdir(parents=True)
    (package / "__init__.py").write_text("own = True\n")
    (package / "utils" / "__init__.py").write_text("own = True\n")
    program = """
import json
from pocket_combine.pocket_coffea_names import install
install()
import pocket_coffea.utils
try:
    import pocket_coffea.utils.stat
    missing = ""
except ModuleNotFoundError as error:
    missing = str(error)
print(json.dumps([pocket_coffea.own, pocket_coffea.utils.own, missing]))
"""
    assert evaluate(program, tmp_path) == [True, True, "No module named 'pocket_coffea.utils.stat'"]


def test_the_file_that_the_interpreter_reads_is_one_plain_line() -> None:
    line = SOURCE.parent / "packaging" / "pocket_combine.pth"
    if line.is_file():
        assert line.read_text() == (
            "import pocket_combine.pocket_coffea_names; pocket_combine.pocket_coffea_names.install()\n"
        )
