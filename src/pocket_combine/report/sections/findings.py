"""Findings by the thousand in tables of a page: those alike are one row, and the worst is read first."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pocket_combine.checks import CheckFinding, Thresholds, Where
from pocket_combine.findings import Finding, Severity
from pocket_combine.report.contents import Cell, Column, Mark, Row, Table
from pocket_combine.report.drafts import PartDraft
from pocket_combine.report.words import number_cell
from pocket_combine.wording import counted

__all__ = ["MARKS", "Group", "Sized", "findings_tables", "grouped", "worst_first"]

MARKS = {Severity.ERROR: Mark.BAD, Severity.WARNING: Mark.NOTICE, Severity.INFO: None}
_SHOWN = 50
"""Rows that are listed; the JSON file holds all findings."""
_VISIBLE = Thresholds().visible
"""Standard deviations of the data below which a row is not listed, unless it is an error."""


@dataclass(frozen=True)
class Sized:
    """A finding, with the size of what it speaks of in standard deviations of the data; NaN where it has none."""

    finding: Finding
    size: float = math.nan

    @property
    def rank(self) -> tuple[int, float]:
        """Where it stands: errors first; then what has no size, because it is about more than one process."""
        return -self.finding.severity, -math.inf if math.isnan(self.size) else -self.size

    @property
    def nuisance(self) -> str:
        """The nuisance that it is about; empty where there is none."""
        return self.finding.where.nuisance if isinstance(self.finding, CheckFinding) else ""


@dataclass(frozen=True)
class Group:
    """Findings of one kind about one nuisance, or of one kind about no nuisance: the worst, and how many there are."""

    worst: Sized
    number: int


def worst_first(findings: Sequence[Sized]) -> list[Sized]:
    """Return findings by severity, and those of one severity by size."""
    return sorted(findings, key=lambda entry: entry.rank)


def grouped(findings: Sequence[Sized]) -> list[Group]:
    """Return findings in groups, the worst first.

    Examples:
        >>> small, large = (Sized(Finding("empty", Severity.INFO, "SR", "no events"), size) for size in (0.1, 2.0))
        >>> [(group.number, group.worst.size) for group in grouped([small, large])]
        [(2, 2.0)]
    """
    alike: dict[tuple[Severity, str, str], list[Sized]] = {}
    for entry in worst_first(findings):
        alike.setdefault((entry.finding.severity, entry.finding.code, entry.nuisance), []).append(entry)
    return [Group(entries[0], len(entries)) for entries in alike.values()]


def findings_tables(findings: Sequence[Sized]) -> Iterator[PartDraft]:
    """Yield the worst findings, and how many of each kind there are."""
    if not findings:
        return
    sized = any(math.isfinite(entry.size) for entry in findings)
    shown: list[Group] = []
    left_out: list[Group] = []
    for group in grouped(findings):
        is_small = group.worst.size < _VISIBLE and group.worst.finding.severity is not Severity.ERROR
        (left_out if is_small or len(shown) == _SHOWN else shown).append(group)
    if shown:
        yield _worst(shown, left_out, sized=sized)
    yield _kinds(findings, sized=sized)


def _worst(shown: Sequence[Group], left_out: Sequence[Group], *, sized: bool) -> Table:
    columns = [
        Column("Nuisance"),
        Column("Worst place", help="Channel, process and bins, the first bin being 0."),
        Column("Number", number=True, help="Findings of this kind about this nuisance."),
        Column("What"),
        Column("Kind", help="A notice is a warning, what is bad an error; the others are notes."),
    ]
    if sized:
        columns.insert(2, Column("Size", number=True, help="Of the worst, in standard deviations of the data."))
    return Table(
        "findings",
        tuple(columns),
        tuple(_row(group, sized=sized) for group in shown),
        f"The worst findings. {_order(left_out, sized=sized)}",
        filterable=True,
    )


def _order(left_out: Sequence[Group], *, sized: bool) -> str:
    """Return what the rows are, what their order is, and what is left out."""
    order = "A row is one kind of finding about one nuisance, at its worst place"
    if sized:
        order += (
            "; errors come first, then warnings, then notes, each by size: what the data could see of it, the root of "
            "the sum over bins of (change / statistical error of the data)²"
        )
    if not left_out:
        return f"{order}."
    number = sum(group.number for group in left_out)
    largest = max((group.worst.size for group in left_out if not math.isnan(group.worst.size)), default=math.nan)
    size = f" of sizes up to {largest:.2g}" if math.isfinite(largest) else ""
    return f"{order}. {counted(number, 'more finding')}{size}, which would be {counted(len(left_out), 'row')}, " + (
        "are in report.json."
    )


def _row(group: Group, *, sized: bool) -> Row:
    finding = group.worst.finding
    cells = [
        Cell(group.worst.nuisance or "–"),
        Cell(_place(finding)),
        Cell(str(group.number), group.number),
        Cell(finding.message),
        Cell(finding.code, mark=MARKS[finding.severity]),
    ]
    if sized:
        cells.insert(2, number_cell(group.worst.size, ".2g"))
    return Row(tuple(cells), detail=group.worst.nuisance or None)


def _place(finding: Finding) -> str:
    """Return the place of a finding without its nuisance."""
    if not isinstance(finding, CheckFinding):
        return finding.place
    where = finding.where
    bins = str(Where(bins=where.bins)) if where.bins else ""
    return ", ".join(part for part in (where.file, where.channel, where.process, bins) if part) or "–"


def _kinds(findings: Sequence[Sized], *, sized: bool) -> Table:
    alike: dict[tuple[Severity, str], list[Sized]] = {}
    for entry in worst_first(findings):
        alike.setdefault((entry.finding.severity, entry.finding.code), []).append(entry)
    columns = [Column("Kind"), Column("Severity"), Column("Number", number=True)]
    if sized:
        columns.append(Column("Largest size", number=True, help="In standard deviations of the data."))
    columns.append(Column("What to do"))
    rows = []
    for (severity, code), found in alike.items():
        cells = [Cell(code), Cell(str(severity), float(severity), MARKS[severity]), Cell(str(len(found)), len(found))]
        if sized:
            cells.append(number_cell(found[0].size, ".2g"))
        cells.append(Cell(found[0].finding.advice))
        rows.append(Row(tuple(cells)))
    return Table("kinds", tuple(columns), tuple(rows), "Kinds of findings. What to do is about the worst of them.")
