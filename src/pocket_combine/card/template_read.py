"""The templates that a card asks for, read from their ROOT files: every file once, all histograms of a file at once."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pocket_combine.card.template_plan import ChannelPlan, ColumnPlan, PairPlan, rule_text
from pocket_combine.errors import RootFileError
from pocket_combine.findings import Finding, Severity
from pocket_combine.io.root_read import HistogramSet, RootFile
from pocket_combine.names import DATA, SHIFTS

__all__ = ["Library", "read_library"]

_MOST_MISSING = 20


@dataclass
class Library:
    """Histograms that were read.

    Attributes:
        sets: Histograms by binning.
        places: Index in `sets` and row there, by file and name.
        findings: What was noticed about the files.
    """

    sets: list[HistogramSet] = field(default_factory=list)
    places: dict[str, dict[str, tuple[int, int]]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def add(self, path: Path, histograms: HistogramSet) -> None:
        """Add histograms of a file."""
        number = len(self.sets)
        self.sets.append(histograms)
        places = self.places.setdefault(str(path), {})
        places.update((name, (number, row)) for row, name in enumerate(histograms.names))

    def find(self, wanted: Iterable[tuple[ColumnPlan, str]]) -> list[tuple[int, int]]:
        """Return index in `sets` and row there of the histograms of columns."""
        return [self.places[column.file][name] for column, name in wanted]


@dataclass(frozen=True)
class _Request:
    """A histogram that is needed, and who asks for it."""

    name: str
    place: str
    column: ColumnPlan
    is_nominal: bool = False


def read_library(plans: Sequence[ChannelPlan]) -> tuple[Library, list[str]]:
    """Read everything that the plans ask for, and drop optional pairs that do not exist from the plans.

    Returns:
        What was read, and what is missing or cannot be read.
    """
    library = Library()
    problems: list[str] = []
    by_file: dict[Path, list[tuple[ChannelPlan, ColumnPlan]]] = {}
    for plan in plans:
        for column in plan.everything():
            by_file.setdefault(column.path, []).append((plan, column))
    for path, columns in by_file.items():
        plan, column = columns[0]
        place = f"channel {plan.channel}, process {column.process}, {rule_text(column.rule)}"
        if "://" in column.rule.path:
            problems.append(f"{place}: {column.rule.path} is on a server; copy it beside the card")
            continue
        if not os.path.lexists(path):
            where = "neither from the current folder nor beside the card"
            problems.append(f"{place}: {path}: no such file, {where}{_unfilled(str(path))}")
            continue
        try:
            with RootFile(path) as file:
                problems += _read_file(file, path, columns, library)
        except RootFileError as error:
            problems.append(f"{place}: {error}")
    return library, problems


def _read_file(
    file: RootFile, path: Path, columns: Sequence[tuple[ChannelPlan, ColumnPlan]], library: Library
) -> list[str]:
    classes = {key.path: key.classname for key in reversed(file.keys)}
    requests: dict[str, _Request] = {}
    for plan, column in columns:
        for request in _requests(plan, column, classes, path, library):
            requests.setdefault(request.name, request)
    bad = [request for request in requests.values() if not classes.get(request.name, "").startswith("TH1")]
    # A name may end in the number of a cycle, which only the file itself can look up.
    bad = [request for request in bad if ";" not in request.name]
    problems = [f"{request.place}: {_explain(file, request)}" for request in bad[:_MOST_MISSING]]
    if len(bad) > _MOST_MISSING:
        problems.append(f"{path}: {len(bad) - _MOST_MISSING} more histograms are missing or of another class")
    if problems:
        return problems
    for histograms in file.read_groups(requests):
        library.add(path, histograms)
        library.findings += [found for found in histograms.findings if found not in library.findings]
        problems += _not_finite(histograms, requests)
    return problems


def _requests(
    plan: ChannelPlan, column: ColumnPlan, classes: dict[str, str], path: Path, library: Library
) -> Iterator[_Request]:
    place = f"channel {plan.channel}, process {column.process}"
    yield _Request(column.name, place, column, column.process != DATA)
    kept = []
    for pair in column.pairs:
        if pair.optional and pair.names[0] not in classes:
            if pair.names[1] in classes:
                library.findings.append(_down_alone(place, pair, path))
            continue
        kept.append(pair)
        for shift, name in zip(SHIFTS, pair.names, strict=True):
            yield _Request(name, f"{place}, nuisance {pair.nuisance} {shift}", column)
    column.pairs = kept


def _down_alone(place: str, pair: PairPlan, path: Path) -> Finding:
    return Finding(
        "down-without-up",
        Severity.WARNING,
        f"{place}, nuisance {pair.nuisance}",
        f"{path} holds {pair.names[1]!r} but not {pair.names[0]!r}, so the cell is taken for a log-normal",
        "write both templates, or none",
    )


def _explain(file: RootFile, request: _Request) -> str:
    try:
        file.read_groups([request.name])
    except RootFileError as error:
        return f"{error} (from {rule_text(request.column.rule)}){_unfilled(request.name)}"
    return f"{file.path}: {request.name!r} cannot be read"


def _unfilled(name: str) -> str:
    """Return a hint where a word of a `shapes` line was not filled in."""
    found = re.search(r"\$\w+", name)
    return f"; {found[0]} is not filled in: give its value as a keyword" if found else ""


def _not_finite(histograms: HistogramSet, requests: dict[str, _Request]) -> list[str]:
    """Return which contents are not finite, and which variances where variances count: in nominal templates."""
    problems = []
    for what, array in (("content", histograms.values), ("variance", histograms.variances)):
        for row in np.flatnonzero(~np.isfinite(array).all(axis=1)).tolist():
            request = requests[histograms.names[row]]
            if what == "variance" and not request.is_nominal:
                continue
            bins = np.flatnonzero(~np.isfinite(array[row])).tolist()
            shown = ", ".join(map(str, bins[:8])) + (", …" if len(bins) > 8 else "")
            problems.append(
                f"{request.place}: {what} of {request.name!r} in {request.column.path} is not finite in bin {shown} "
                "(counted from 0)"
            )
    if len(problems) > _MOST_MISSING:
        problems = [*problems[:_MOST_MISSING], f"{len(problems) - _MOST_MISSING} more histograms are not finite"]
    return problems
