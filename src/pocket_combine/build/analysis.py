"""An analysis file: plain Python that declares processes, systematics, years and categories."""

from __future__ import annotations

import contextlib
import runpy
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pocket_combine.build.channel import Category, categories_to_collect
from pocket_combine.build.plan import Plan, make_plan
from pocket_combine.build.variations import ArtificialVariation
from pocket_combine.declarations import all_problems
from pocket_combine.errors import DeclarationError, PocketCombineError, nearest
from pocket_combine.io.paths import missing_file, why_unreadable
from pocket_combine.names import name_problem
from pocket_combine.processes import DataProcesses, MCProcesses
from pocket_combine.systematics import Systematics

__all__ = ["Analysis", "load_analysis"]

_MOST_BYTES = 65536
_REQUIRED = ("mc_processes", "systematics", "years", "categories")


@dataclass(frozen=True)
class Analysis:
    """What an analysis declares.

    Attributes:
        mc_processes: The simulated processes.
        systematics: The systematic uncertainties.
        years: Years to include.
        categories: `{category: Category(...)}`, one channel each; a text stands for `Category(text)`, the variable.
        data_processes: The data process; `None` for cards without data.
        label: Goes into the names of channels and files; the years by default.
        artificial_variations: Variations that go into the histograms before the cards are built.

    Raises:
        DeclarationError: If something can never be right; all problems are listed.
    """

    mc_processes: MCProcesses
    systematics: Systematics
    years: list[str]
    categories: dict[str, Category]
    data_processes: DataProcesses | None = None
    label: str = ""
    artificial_variations: Sequence[ArtificialVariation] = ()

    def __post_init__(self) -> None:
        categories, problems = self._read_categories()
        problems += self._variation_problems(categories)
        problem = name_problem("label", self.label, leading_digit=True) if self.label else None
        if problem:
            problems.append(problem)
        with all_problems() as check:
            with check():
                make_plan(self.mc_processes, self.systematics, self.years, self.data_processes)
            with check():
                if problems:
                    raise DeclarationError(problems)
        object.__setattr__(self, "categories", categories)
        object.__setattr__(self, "years", list(self.years))
        object.__setattr__(self, "label", self.label or "_".join(self.years))
        self._require_distinct_channels()

    def _read_categories(self) -> tuple[dict[str, Category], list[str]]:
        given: Any = self.categories
        if not isinstance(given, Mapping) or not given:
            return {}, [f"categories is {given!r:.80}, expected a dict such as {{'SR': Category('discriminant')}}"]
        problems = []
        categories: dict[str, Category] = {}
        for name, category in given.items():
            if isinstance(category, str):
                category = Category(category)
            if isinstance(category, Category):
                categories[name] = category
            else:
                problems.append(
                    f"categories[{name!r}] is a {type(category).__name__}, expected Category(variable, ...) or the "
                    "name of a variable"
                )
        return categories, problems

    def _variation_problems(self, categories: Mapping[str, Category]) -> list[str]:
        """Return artificial variations that nothing reads, or that would silently change nothing."""
        given: Any = self._given("artificial_variations")
        wrong = [item for item in given if not isinstance(item, ArtificialVariation)]
        if wrong:
            return [
                f"artificial_variations holds a {type(item).__name__}, expected ArtificialVariation(...)"
                for item in wrong
            ]
        processes, systematics = self._given("mc_processes"), self._given("systematics")
        if not isinstance(processes, MCProcesses) or not isinstance(systematics, Systematics):
            return []
        entries = {entry for name, category in categories.items() for entry in categories_to_collect(name, category)}
        samples = {sample for process in processes.values() for sample in process.samples}
        read = {row.variation(*cell) for row in systematics.values() if row.is_shape for cell in row.cells}
        problems = []
        for item in self.artificial_variations:
            owner = f"variation {item.name!r}"
            if item.name not in read:
                problems.append(f"{owner} is read by no shape systematic; {nearest(item.name, read)}")
            for what, names, known in (
                ("sample", item.samples, samples),
                ("category", item.weights_by_category, entries),
            ):
                problems += [
                    f"{owner}: no {what} {name!r}; {nearest(name, known)}" for name in names if name not in known
                ]
        return problems

    def _given(self, name: str) -> object:
        """Return what the user gave for a field, whatever its type is."""
        given: object = getattr(self, name)
        return given

    def _require_distinct_channels(self) -> None:
        by_channel: dict[str, list[str]] = {}
        for name, category in self.categories.items():
            by_channel.setdefault(category.channel(name, self.label), []).append(name)
        problems = [
            f"the categories {' and '.join(names)} give the same channel {channel!r}: use bin_prefix or bin_suffix"
            for channel, names in by_channel.items()
            if len(names) > 1
        ]
        if problems:
            raise DeclarationError(problems)

    def plan(self, *, blind: bool) -> Plan:
        """Return what to collect; data are left out of a blind build."""
        plan = make_plan(self.mc_processes, self.systematics, self.years, self.data_processes)
        return plan.without_data() if blind else plan


def load_analysis(path: str | Path) -> Analysis:
    """Return the analysis that a Python file declares.

    The file is run, and may import modules beside it. It declares the names `mc_processes`, `systematics`, `years`
    and `categories`, and may declare `data_processes`, `label` and `artificial_variations`; whatever else it defines is
    its own affair.

    Raises:
        DeclarationError: If the file cannot be run, lacks a name, or declares something that can never be right.
    """
    file = Path(path)
    _require_python(file)
    try:
        # An analysis file is the user's own program, unlike the outputs that it is used on.
        with _importable(file.resolve().parent):
            names = runpy.run_path(str(file))
    except PocketCombineError as error:
        raise DeclarationError(f"{file}, line {_line_of(error, file)}: {error}") from error
    except (Exception, SystemExit) as error:
        place = f"{file}, line {_line_of(error, file)}"
        said = error.msg if isinstance(error, SyntaxError) else error
        raise DeclarationError(f"{place}: {type(error).__name__}: {said}") from error
    missing = [name for name in _REQUIRED if name not in names]
    if missing:
        own = [name for name, value in names.items() if not name.startswith("_") and not callable(value)]
        raise DeclarationError([f"{file} does not declare {name!r}; {nearest(name, own)}" for name in missing])
    try:
        return Analysis(
            mc_processes=names["mc_processes"],
            systematics=names["systematics"],
            years=names["years"],
            categories=names["categories"],
            data_processes=names.get("data_processes"),
            label=names.get("label") or "",
            artificial_variations=names.get("artificial_variations") or (),
        )
    except DeclarationError as error:
        raise DeclarationError([f"{file}: {problem}" for problem in error.problems]) from error


def _require_python(file: Path) -> None:
    """Raise `DeclarationError` if a file cannot hold Python."""
    wanted = f"an analysis is a Python file that declares {', '.join(_REQUIRED)}"
    if not file.is_file():
        reason = "is a folder" if file.is_dir() else missing_file(file)
        raise DeclarationError(f"{file}: {reason} ({wanted})")
    try:
        with file.open("rb") as stream:
            begin = stream.read(_MOST_BYTES)
    except OSError as error:
        raise DeclarationError(f"{file}: {why_unreadable(file, error)}") from error
    if b"\0" in begin:
        raise DeclarationError(f"{file}: is no text: {wanted}, and comes before the outputs")


@contextlib.contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Let modules of a folder be imported, as Python does for the folder of a script."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):
            sys.path.remove(str(folder))


def _line_of(error: BaseException, file: Path) -> int | str:
    """Return the last line of the analysis file that an exception passed through."""
    if isinstance(error, SyntaxError) and error.lineno is not None:
        return error.lineno
    lines = [entry.lineno for entry in traceback.extract_tb(error.__traceback__) if entry.filename == str(file)]
    return lines[-1] if lines and lines[-1] is not None else "?"
