"""What sections are made from, and what they are before their figures are drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pocket_combine.report.contents import Mark, Paragraph, Table
from pocket_combine.report.options import ReportOptions
from pocket_combine.report.run import Outcome
from pocket_combine.report.subject import Subject
from pocket_combine.report.workspaces import Sample, Workspaces
from pocket_combine.results import Result

__all__ = ["Builder", "Draft", "Drawing", "Material", "PartDraft"]

_Result = TypeVar("_Result", bound=Result)


@dataclass(frozen=True)
class Drawing:
    """A figure that is to be drawn.

    Attributes:
        name: Stem of its files.
        caption: What stands below it.
        alternative: What it shows, for those who do not see it.
        function: Name of the function of `pocket_combine.plotting` that makes it, or pages of it.
        arguments: Its arguments.
        keywords: Its arguments by name.
        resolution: Dots per inch on the page.
        is_document: Whether there is a PDF beside the picture.
    """

    name: str
    caption: str
    alternative: str
    function: str
    arguments: tuple[Any, ...]
    keywords: Mapping[str, Any] = field(default_factory=dict)
    resolution: float = 150.0
    is_document: bool = True

    @property
    def label(self) -> str:
        """Name of the task in messages."""
        return self.name


PartDraft = Paragraph | Table | Drawing


@dataclass(frozen=True)
class Draft:
    """A section before its figures are drawn.

    Attributes:
        lead: The answer in one sentence.
        mark: How it came out.
        parts: What follows.
        numbers: The answer for programs.
    """

    lead: str
    mark: Mark = Mark.GOOD
    parts: tuple[PartDraft, ...] = ()
    numbers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Material:
    """What all sections are made from.

    Attributes:
        subject: The card.
        options: What was asked for.
        workspaces: Data sets; `None` where the card makes no model.
        outcomes: What became of each step, by name.
        problem: Why the card makes no model.
    """

    subject: Subject
    options: ReportOptions
    workspaces: Workspaces | None
    outcomes: Mapping[str, Outcome]
    problem: str = ""

    @property
    def poi(self) -> str:
        """The first parameter of interest that floats."""
        return self.workspaces.pois[0] if self.workspaces is not None else "r"

    @property
    def data(self) -> Sample:
        """The data set that counts: the observation, or signal Asimov data in a blind report."""
        return Sample.OBSERVED if self.options.unblind else Sample.SIGNAL

    def describe(self, sample: Sample) -> str:
        """Return what a data set is, in words."""
        return self.workspaces.describe(sample) if self.workspaces is not None else sample.value

    def outcomes_of(self, section: str) -> list[Outcome]:
        """Return what became of the steps of a section, in their order."""
        return [outcome for outcome in self.outcomes.values() if outcome.step.section == section]

    def result(self, kind: type[_Result], name: str) -> _Result | None:
        """Return the result of a step, `None` where there is none."""
        outcome = self.outcomes.get(name)
        return outcome.result if outcome is not None and isinstance(outcome.result, kind) else None

    def results(self, kind: type[_Result], section: str) -> list[tuple[Outcome, _Result]]:
        """Return the results of one type that a section has, with where they come from."""
        return [(outcome, outcome.result) for outcome in self.outcomes_of(section) if isinstance(outcome.result, kind)]


Builder = Callable[[Material], Draft]
"""Makes the draft of a section. One that has steps is called only if at least one of them has a result."""
