"""The manual: every example of README.md and docs/ is executed, every link leads somewhere, every finding is described.

In a page, blocks marked `python` are run in order with the names of the blocks before them; those with `>>>` show what
they print. In blocks marked `console`, lines that begin with `$ ` are run by a shell and the lines below show what it
prints, with `...` for any text. Examples begin in a folder with the demo's files in `demo/` and one output per period
in `outputs/`. Blocks marked `text` are not run.
"""

import ast
import doctest
import os
import pickle
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click.testing
import lz4.frame
import pytest
from conftest import Demo

from pocket_combine import load_output
from pocket_combine.cli import main

PROJECT = Path(__file__).resolve().parents[1]
PAGES = [PROJECT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")]
PAGES += sorted((PROJECT / "docs").rglob("*.md"))
SOURCE = PROJECT / "src" / "pocket_combine"
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
QUOTED = re.compile(r"'[^']*'|\"[^\"$`\\]*\"")
SHELL = re.compile(r"^(?!pocket-combine )|[|&;<>*?$`\\]")
"""What only a shell understands, outside quotes."""
INTO_A_FILE = re.compile(r"\s> ([\w./-]+)$")
FINDING_MAKERS = {"Finding", "finding", "warn"}


@dataclass(frozen=True)
class Block:
    """A code block of a page."""

    page: Path
    line: int
    language: str
    text: str

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(PROJECT)}, line {self.line}"


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [Block(page, text.count("\n", 0, match.start()) + 2, match[1], match[2]) for match in FENCE.finditer(text)]


def name_of(page: Path) -> str:
    return str(page.relative_to(PROJECT))


@pytest.fixture(scope="session")
def demo_folder(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the demo's files, and its output divided into one per period."""
    assert demo.exit_code == 0, demo.stderr
    folder = tmp_path_factory.mktemp("docs")
    shutil.copytree(demo.folder / "demo", folder / "demo")
    output = load_output(folder / "demo" / "output_all.coffea")
    (folder / "outputs").mkdir()
    for period in output.years:
        part = pickle.dumps(only_period(output, period), protocol=4)
        (folder / "outputs" / f"output_{period}.coffea").write_bytes(lz4.frame.compress(part))
    return folder


def only_period(output: Any, period: str) -> dict[str, Any]:
    metadata = output["datasets_metadata"]
    datasets = {name for name, found in metadata["by_dataset"].items() if found["year"] == period}

    def chosen(by_dataset: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in by_dataset.items() if name in datasets}

    return {
        "variables": {
            variable: {sample: chosen(filled) for sample, filled in samples.items()}
            for variable, samples in output["variables"].items()
        },
        "cutflow": {step: chosen(counts) for step, counts in output["cutflow"].items()},
        "sum_genweights": chosen(output["sum_genweights"]),
        "datasets_metadata": {
            "by_datataking_period": {period: metadata["by_datataking_period"][period]},
            "by_dataset": chosen(metadata["by_dataset"]),
        },
    }


@pytest.fixture
def workplace(demo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "work"
    shutil.copytree(demo_folder, folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    return folder


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_examples(page: Path, workplace: Path, demo: Demo) -> None:
    names: dict[str, Any] = {"__name__": "__docs__"}
    for block in blocks_of(page):
        if block.language == "python":
            run_python(block, names)
        elif block.language == "console":
            run_console(block, {"pocket-combine demo demo\n": demo.stdout})
        else:
            allowed = {"text"} if "docs" in page.parts else {"text", "bash"}
            assert block.language in allowed, f"{block.place}: a block of {block.language or 'no language'} is not run"


def run_python(block: Block, names: dict[str, Any]) -> None:
    for module in ("distributed", "matplotlib"):
        if f"import {module}" in block.text or f"from {module} " in block.text:
            pytest.importorskip(module)
    if ">>>" not in block.text:
        # Line numbers of the page in tracebacks.
        code = compile("\n" * (block.line - 1) + block.text, str(block.page), "exec")
        exec(code, names)  # noqa: S102  the examples of this project
        return
    test = doctest.DocTestParser().get_doctest(block.text, names, block.place, str(block.page), block.line - 1)
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    runner.run(test, out=report.append, clear_globs=False)
    names.update(test.globs)
    assert runner.summarize(verbose=False).failed == 0, "".join(report)


def run_console(block: Block, done: dict[str, str]) -> None:
    """Run the commands of a block; `done` has what those printed that were run before."""
    for command, expected in commands_of(block.text):
        printed = done.get(command) or printed_by(command)
        checker = doctest.OutputChecker()
        if not checker.check_output(expected, printed, FLAGS):
            difference = checker.output_difference(doctest.Example(command, expected), printed, FLAGS)
            pytest.fail(f"{block.place}: $ {command}\n{difference}")


def printed_by(command: str) -> str:
    """Run `pocket-combine …` in this process, which has imported everything already, and all else by a shell."""
    one_line = command.replace("\\\n", " ").rstrip()
    file = INTO_A_FILE.search(one_line)
    plain = one_line[: file.start()] if file else one_line
    if SHELL.search(QUOTED.sub("", plain)):
        return printed_by_shell(command)
    result = click.testing.CliRunner().invoke(main, shlex.split(plain)[1:], prog_name="pocket-combine")
    if file is None:
        return result.output
    Path(file[1]).write_text(result.stdout)
    return result.stderr


def printed_by_shell(command: str) -> str:
    """Run a command in a shell that knows this environment's `pocket-combine`."""
    shell = f'pocket-combine() {{ "{sys.executable}" -m pocket_combine "$@"; }}\n'
    return subprocess.run(  # noqa: S603  the examples of this project
        ["/usr/bin/env", "bash", "-c", shell + command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    ).stdout


def commands_of(text: str) -> Iterator[tuple[str, str]]:
    """Yield the commands of a console block with the output that is shown below each."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        lines = part.splitlines(keepends=True)
        count = next(number for number, line in enumerate(lines, start=1) if not line.rstrip().endswith("\\"))
        yield "".join(lines[:count]), "".join(lines[count:])


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for target in LINK.findall(text):
        path, _, anchor = target.partition("#")
        if "://" in path:
            continue
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{name_of(page)}: {target} leads nowhere"
        if anchor:
            assert anchor in anchors_of(file), f"{name_of(page)}: no heading {anchor!r} in {name_of(file)}"


def anchors_of(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_page_can_be_reached_from_the_index() -> None:
    index = PROJECT / "docs" / "index.md"
    linked = {(index.parent / target.partition("#")[0]).resolve() for target in LINK.findall(index.read_text())}
    assert {page for page in PAGES if "docs" in page.parts and page != index} <= linked


def finding_codes() -> set[str]:
    codes = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            code = node.args[0]
            if called in FINDING_MAKERS and isinstance(code, ast.Constant) and isinstance(code.value, str):
                codes.add(code.value)
    return codes


def test_every_finding_is_described_and_nothing_else() -> None:
    page = (PROJECT / "docs" / "reference" / "findings.md").read_text(encoding="utf-8")
    described = re.findall(r"^### `([\w-]+)`", page, flags=re.MULTILINE)
    assert len(described) == len(set(described))
    codes = finding_codes()
    assert codes - set(described) == set(), "to be described in docs/reference/findings.md"
    assert set(described) - codes == set(), "no longer there, to be taken out of docs/reference/findings.md"
