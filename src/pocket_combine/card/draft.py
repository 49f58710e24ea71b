"""What the parser knows of a card while it reads: mutable, with the line of everything.

Problems and findings are collected in a `Notes`, so that all errors of a card are reported in one go.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Generic, TypeVar

from pocket_combine.card.model import (
    AutoMCStats,
    Column,
    Constraint,
    Effect,
    ExternalArgument,
    Parameter,
    RateParameter,
    ShapeRule,
)
from pocket_combine.errors import CardError, nearest
from pocket_combine.findings import Finding, Severity

__all__ = ["Notes", "Draft", "DraftRow", "Placed"]

_T = TypeVar("_T")

_MOST_PROBLEMS = 100
_MOST_HINTS = 20
_LONGEST_HINTED = 200


@dataclass(frozen=True)
class Placed(Generic[_T]):
    """A part of the card and the line that it stands in."""

    line: int
    value: _T


@dataclass
class Notes:
    """Problems and findings of one card.

    Attributes:
        source: What messages call the card: its file.
        problems: Line and sentence of each problem.
        findings: Line and text of what was noticed.
        hints: How many names were looked for so far, see `hint`.
    """

    source: str
    problems: list[tuple[int, str]] = field(default_factory=list)
    findings: list[tuple[int, Finding]] = field(default_factory=list)
    hints: int = 0

    def problem(self, line: int, message: str) -> None:
        """Note something that makes the card unreadable."""
        self.problems.append((line, message))

    def finding(self, code: str, severity: Severity, line: int, message: str, advice: str = "") -> None:
        """Note something that is worth knowing."""
        self.findings.append((line, Finding(code, severity, f"{self.source}:{line}", message, advice)))

    def warn(self, code: str, line: int, message: str, advice: str = "") -> None:
        """Note something that looks wrong."""
        self.finding(code, Severity.WARNING, line, message, advice)

    def hint(self, name: str, existing: Iterable[str]) -> str:
        """Return the nearest existing names as the end of a sentence; the first few problems get one.

        Comparing a thousand unknown names with a thousand known ones would take minutes.
        """
        existing = set(existing)
        if not existing or len(name) > _LONGEST_HINTED or self.hints >= _MOST_HINTS:
            return ""
        self.hints += 1
        return f"; {nearest(name, existing)}"

    def ordered_findings(self) -> tuple[Finding, ...]:
        """Return the findings in the order of their lines."""
        return tuple(finding for _, finding in sorted(self.findings, key=lambda found: found[0]))

    def raise_problems(self) -> None:
        """Raise all problems together, in the order of their lines.

        Raises:
            CardError: If there is a problem.
        """
        if not self.problems:
            return
        ordered = sorted(self.problems, key=lambda problem: problem[0])
        messages = [f"{self.source}:{line}: {message}" for line, message in dict.fromkeys(ordered)]
        if len(messages) > _MOST_PROBLEMS:
            hidden = len(messages) - _MOST_PROBLEMS
            messages = [*messages[:_MOST_PROBLEMS], f"{messages[_MOST_PROBLEMS]} (and {hidden - 1} more problems)"]
        raise CardError(messages)


@dataclass(eq=False)
class DraftRow:
    """A nuisance row; `nuisance edit` changes it."""

    line: int
    name: str
    kind: str
    effects: list[Effect]
    arguments: tuple[float, ...] = ()
    no_float: bool = False
    template_name: str | None = None

    @property
    def place(self) -> str:
        """What this is, for messages."""
        return f"nuisance {self.name} ({self.kind})"


@dataclass
class Draft:
    """The card as read so far.

    Attributes:
        notes: Problems and findings.
        channels: Names, in order.
        observation: One number per channel, or `None`.
        columns: In order; empty where the header is broken. A rate may still change (`gmN` with a rate of 0).
        complete: Whether the header was understood, so that rows can be compared with the columns.
        declared_nuisances: The number after `kmax`, or `None`.
        rate_line: Line of the `rate` row.
        edited: Whether there is a `nuisance edit` line.
        kind_lines: First line of the rows of each name and kind.
        effort: Rows and columns that edits have looked at, a guard against cards made to take hours.
        group_members: Members of each group, with the line that named them.
        dropped: Names of nuisances without effect.
        unread: Names whose lines could not be read, so that what refers to them is not to blame.
    """

    notes: Notes
    channels: list[str] = field(default_factory=list)
    observation: Placed[list[float]] | None = None
    columns: list[Column] = field(default_factory=list)
    complete: bool = False
    declared_nuisances: Placed[int] | None = None
    rate_line: int = 1
    edited: bool = False
    kind_lines: dict[tuple[str, str], int] = field(default_factory=dict)
    effort: int = 0
    shapes: list[Placed[ShapeRule]] = field(default_factory=list)
    rows: list[DraftRow] = field(default_factory=list)
    parameters: list[Placed[Parameter]] = field(default_factory=list)
    external_arguments: dict[str, Placed[ExternalArgument]] = field(default_factory=dict)
    flat_parameters: dict[str, int] = field(default_factory=dict)
    rate_parameters: list[Placed[RateParameter]] = field(default_factory=list)
    constraints: list[Placed[Constraint]] = field(default_factory=list)
    group_members: dict[str, dict[str, int]] = field(default_factory=dict)
    mc_stats: list[Placed[AutoMCStats]] = field(default_factory=list)
    frozen: dict[str, int] = field(default_factory=dict)
    dropped: set[str] = field(default_factory=set)
    unread: set[str] = field(default_factory=set)
    _rows_by_name: dict[str, list[DraftRow]] = field(default_factory=dict)

    @cached_property
    def processes(self) -> dict[str, None]:
        """Names of the processes, each once, in order of appearance; for use below the header."""
        return dict.fromkeys(column.process for column in self.columns)

    @cached_property
    def places(self) -> set[tuple[str, str]]:
        """Channel and process of each column; for use below the header."""
        return {(column.channel, column.process) for column in self.columns}

    def add_row(self, row: DraftRow) -> None:
        """Append a nuisance row."""
        self.rows.append(row)
        self._rows_by_name.setdefault(row.name, []).append(row)
        self.kind_lines.setdefault((row.name, row.kind), row.line)

    def rename_row(self, row: DraftRow, name: str) -> None:
        """Give a row another name."""
        self._rows_by_name[row.name].remove(row)
        row.name = name
        self._rows_by_name.setdefault(name, []).append(row)
        self.kind_lines.setdefault((name, row.kind), row.line)

    def rows_named(self, name: str) -> list[DraftRow]:
        """Return the rows of a nuisance."""
        return list(self._rows_by_name.get(name, ()))
