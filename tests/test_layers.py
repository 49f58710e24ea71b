"""The one direction of imports: a module imports from lower layers, or within its own room; siblings do not meet."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import pocket_combine

ROOT = Path(pocket_combine.__file__).parent

VOCABULARY = [
    "_version",
    "on_demand",
    "errors",
    "findings",
    "names",
    "patterns",
    "plain",
    "templates",
    "card.parts",
    "card.model",
    "declarations",
    "processes",
    "systematics",
    "results",
    "execution",
    "mcstats",
]
"""The lowest layer. Here a module may import those that stand before it."""

LAYERS = [
    ["io"],
    ["card"],
    ["reach"],
    ["build", "checks", "comparison", "effects", "likelihood", "summary"],
    ["datacard", "wording"],
    ["inference"],
    ["plotting"],
    ["report"],
    ["demo"],
    ["cli"],
    ["__main__"],
]
"""The layers above it, from low to high. A room may import from all layers below its own."""

RANKS = {room: rank for rank, room in enumerate(VOCABULARY)}
RANKS |= {room: len(VOCABULARY) + height for height, rooms in enumerate(LAYERS) for room in rooms}

EXEMPT = {"": "lists the public names", "pocket_coffea_names": "finds them", "demo.analysis": "is a user's file"}
"""Modules that stand outside of the layers: they know the public names alone."""


def modules() -> dict[str, Path]:
    found = {}
    for path in ROOT.rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def room_of(module: str) -> str:
    """The longest name in the table that a module begins with."""
    parts = module.split(".")
    names = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
    return next((name for name in names if name in RANKS), "")


def imports_of(path: Path) -> Iterator[tuple[int, str]]:
    """The lines and modules of the package that are imported when the program runs."""
    pending: list[ast.AST] = [ast.parse(path.read_text())]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            pending += node.orelse
            continue
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            for name in node.names:
                inner = f"{node.module}.{name.name}".removeprefix("pocket_combine.")
                if (node.module or "").split(".")[0] == "pocket_combine":
                    module = (node.module or "").removeprefix("pocket_combine").lstrip(".")
                    yield node.lineno, inner if inner in MODULES else module
        elif isinstance(node, ast.Import):
            for name in node.names:
                if name.name.split(".")[0] == "pocket_combine":
                    yield node.lineno, name.name.removeprefix("pocket_combine").lstrip(".")
        pending += ast.iter_child_nodes(node)


def test_every_module_has_a_place() -> None:
    homeless = [name for name in MODULES if name not in EXEMPT and not room_of(name)]
    assert homeless == [], f"give these modules a layer in {Path(__file__).name}: {homeless}"
    assert set(EXEMPT) <= set(MODULES)


@pytest.mark.parametrize("module", sorted(set(MODULES) - set(EXEMPT)))
def test_imports_go_down(module: str) -> None:
    room = room_of(module)
    wrong = []
    for line, imported in imports_of(MODULES[module]):
        other = room_of(imported)
        if imported == "" or (other != room and RANKS.get(other, len(RANKS)) >= RANKS[room]):
            wrong.append(f"{MODULES[module]}:{line}: {module} (in {room}) imports {imported or 'the public names'}")
    assert wrong == []


def test_the_exempt_know_the_public_names_alone() -> None:
    assert {imported for _, imported in imports_of(MODULES[""])} == {"_version", "on_demand"}
    assert list(imports_of(MODULES["pocket_coffea_names"])) == []
    assert {imported for _, imported in imports_of(MODULES["demo.analysis"])} == {""}


def test_the_test_finds_a_wrong_import(tmp_path: Path) -> None:
    text = """
from typing import TYPE_CHECKING
import pocket_combine.cli.build
from pocket_combine import checks, Datacard
if TYPE_CHECKING:
    from pocket_combine.datacard import Datacard
else:
    from pocket_combine.inference import fitter
def later():
    from pocket_combine.card.model import Card
"""
    (tmp_path / "module.py").write_text(text)
    assert sorted(imports_of(tmp_path / "module.py")) == [
        (3, "cli.build"),
        (4, ""),
        (4, "checks"),
        (8, "inference.fitter"),
        (10, "card.model"),
    ]


def test_no_two_modules_of_tests_share_a_name() -> None:
    """Else pytest takes one for the other where both are run, and mypy stops."""
    names = [path.name for path in Path(__file__).parent.rglob("*.py")]
    assert sorted(name for name in set(names) if names.count(name) > 1) == []
