"""A report from a card: what is missing is run, sections are made, figures drawn, and files written."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pocket_combine._version import __version__
from pocket_combine.card.load import LoadedCard
from pocket_combine.errors import PocketCombineError
from pocket_combine.execution import Executor, Progress, SerialExecutor
from pocket_combine.io.atomic import atomic_write
from pocket_combine.plotting import require_plotting
from pocket_combine.report.assembling import as_json, draft_of, finished, section_of
from pocket_combine.report.claim import DATA, FIGURES, PAGE, RESULTS, claim_folder
from pocket_combine.report.contents import Detail, Mark, Report
from pocket_combine.report.drafts import Drawing, Material
from pocket_combine.report.drawing import draw_all
from pocket_combine.report.figure_store import FigureStore
from pocket_combine.report.options import SECTION_NAMES, ReportOptions
from pocket_combine.report.page import render, require_templates
from pocket_combine.report.plan import plan_steps
from pocket_combine.report.run import Observer, find_answered, run_steps
from pocket_combine.report.sections.details import draft_details
from pocket_combine.report.store import Store
from pocket_combine.report.subject import Subject, subject_of
from pocket_combine.report.workspaces import Workspaces

__all__ = ["MadeReport", "make_report"]

_NO_SETTINGS: Mapping[str, Any] = {}
_NO_KEYWORDS: Mapping[str, str] = {}
_DEFAULTS = ReportOptions()


@dataclass(frozen=True)
class MadeReport:
    """A report that was written.

    Attributes:
        report: What it holds.
        page: The HTML file.
        data: The same for programs, a JSON file.
        seconds: How long the steps of each section took, by name; `None` where all results were there already, and
            for sections without steps.
        removed: What a former report wrote in the folder, and this one neither holds nor would use again.
    """

    report: Report
    page: Path
    data: Path
    seconds: Mapping[str, float | None]
    removed: tuple[Path, ...] = ()

    @property
    def is_good(self) -> bool:
        """Whether no section found an error or something that cannot be used."""
        return all(section.mark is not Mark.BAD for section in self.report.sections)


def make_report(
    loaded: LoadedCard,
    folder: str | os.PathLike[str],
    *,
    options: ReportOptions = _DEFAULTS,
    settings: Mapping[str, Any] = _NO_SETTINGS,
    cards: Sequence[str] = (),
    keywords: Mapping[str, str] = _NO_KEYWORDS,
    executor: Executor | None = None,
    observer: Observer | None = None,
    replace: bool = False,
) -> MadeReport:
    """Make a report of a card: run what is missing, and write `report.html`, `report.json`, results and figures.

    Results are kept in the folder `results` and used again while card, version, data and options are the same, so that
    a report that was interrupted goes on where it stopped. Blind unless `options.unblind`: nothing that is written
    depends on the observation.

    A folder holds one report. What a former one of the same card wrote, and this one neither holds nor would use again,
    is removed; a blind report begins with that. Other files in the folder are never touched.

    Args:
        loaded: The card, or a combination of cards.
        folder: Where the files go; it is made if it is not there.
        options: What is wanted.
        settings: Arguments of `make_workspace` but `kind` and `expect_signal`.
        cards: The cards as a command line names them, for the commands that the report shows; the source of the card
            by default.
        keywords: What further words stand for in names of templates.
        executor: Where fits run and figures are drawn; in this process by default.
        observer: Told which step is run.
        replace: Whether the report of another card, if the folder holds one, is removed.

    Raises:
        CardError: If a file of the card cannot be read.
        ResultError: If the folder holds the report of another card, or a page that no report wrote.
        MissingDependencyError: If what draws figures or makes the page is not installed.
        OSError: If a file cannot be written.
    """
    require_plotting()
    require_templates()  # what is not installed is found before anything is run
    target = Path(folder)
    runner = executor or SerialExecutor()
    subject = subject_of(loaded, blind=not options.unblind, cards=cards, mass=settings.get("mass"), keywords=keywords)
    words = (*subject.cards, *(word for pair in keywords.items() for word in ("--keyword-value", "=".join(pair))))
    removed = claim_folder(target, subject, replace=replace)
    store, figures = Store(_made(target / RESULTS)), FigureStore(_made(target / FIGURES))
    material, useful = _run(subject, settings, options, words, store, runner, observer or _unobserved)

    drafts = {name: draft_of(name, material) for name in SECTION_NAMES}
    details = draft_details(material)
    parts = [part for draft in drafts.values() for part in draft.parts]
    parts += [part for detail in details.values() for part in detail.parts]
    drawings = {part.name: part for part in parts if isinstance(part, Drawing)}
    last = len(material.outcomes) + 1
    progress = (observer or _unobserved)(last, last, "Drawing figures")
    drawn = draw_all(list(drawings.values()), figures, runner, progress)
    removed += figures.discard_others({figure.name for made in drawn.values() for figure in made.figures})
    for name in [name for name in store.names if name not in useful]:
        removed += store.discard(name)

    report = Report(
        title=subject.title,
        blind=subject.blind,
        made={"pocket_combine": __version__, "card": subject.digest},
        sections=tuple(section_of(name, draft, material, drawn, details) for name, draft in drafts.items()),
        details={key: Detail(key, detail.title, finished(detail.parts, drawn)) for key, detail in details.items()},
    )
    data, page = target / DATA, target / PAGE
    _write(data, as_json(report, material, drafts))
    _write(page, render(report))
    seconds = {name: _seconds(material, name) for name in SECTION_NAMES}
    return MadeReport(report, page, data, seconds, tuple(removed))


def _run(
    subject: Subject,
    settings: Mapping[str, Any],
    options: ReportOptions,
    words: tuple[str, ...],
    store: Store,
    executor: Executor,
    observer: Observer,
) -> tuple[Material, set[str]]:
    """Return what sections are made from, and the names of the results that this report holds or would use again.

    A card that makes no model has no outcomes, but a problem.
    """
    try:
        workspaces = Workspaces(subject, settings, options.expect_signal)
        steps = plan_steps(workspaces, words, options)
    except PocketCombineError as error:
        hashes = {subject.content, subject.digest}
        return Material(subject, options, None, {}, str(error)), {n for n in store.names if store.card(n) in hashes}

    def observe(number: int, total: int, title: str) -> Progress | None:
        return observer(number, total + 1, title)  # figures come after the steps

    outcomes = run_steps(steps, workspaces, store, executor, observe)
    useful = {name for name, outcome in outcomes.items() if outcome.result is not None}
    every = plan_steps(workspaces, words, dataclasses.replace(options, only=(), skip=()))
    useful |= find_answered([step for step in every if step.name not in outcomes], workspaces, store)
    return Material(subject, options, workspaces, outcomes), useful


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


def _unobserved(number: int, total: int, title: str) -> Progress | None:  # noqa: ARG001  nobody listens
    return None


def _write(path: Path, text: str) -> None:
    with atomic_write(path) as file:
        file.write(text.encode())


def _seconds(material: Material, section: str) -> float | None:
    """Return how long the steps of a section took, `None` where none was run."""
    taken = [outcome.seconds for outcome in material.outcomes_of(section) if outcome.seconds is not None]
    return sum(taken) if taken else None
