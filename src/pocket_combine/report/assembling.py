"""From results to sections, and the report for programs."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pocket_combine.errors import PocketCombineError
from pocket_combine.plain import to_plain
from pocket_combine.report.commands import command_line, setting_words
from pocket_combine.report.contents import Figure, Mark, Paragraph, Part, Report, Section, Table
from pocket_combine.report.drafts import Draft, Material, PartDraft
from pocket_combine.report.drawing import Drawn
from pocket_combine.report.plan import STEPPED
from pocket_combine.report.run import Outcome
from pocket_combine.report.sections import BUILDERS
from pocket_combine.report.sections.checks import naming_command
from pocket_combine.report.subject import split_label
from pocket_combine.results import ScanResult

__all__ = ["as_json", "draft_of", "finished", "section_of"]


def draft_of(name: str, material: Material) -> Draft:
    """Return the draft of a section; where something failed, with the reason."""
    if name not in material.options.sections:
        return Draft("Not asked for.", Mark.SKIPPED)
    problems = _problems(name, material)
    if name in STEPPED and not any(outcome.result is not None for outcome in material.outcomes_of(name)):
        return Draft(f"Failed: {problems[0]}", Mark.BAD, tuple(Paragraph(problem) for problem in problems[1:]))
    try:
        draft = BUILDERS[name][1](material)
    except PocketCombineError as error:
        return Draft(f"Failed: {error}", Mark.BAD)
    notes = tuple(Paragraph(f"Note: {note}.") for note in _notes(name, material))
    draft = dataclasses.replace(draft, parts=(*notes, *draft.parts))
    if not problems:
        return draft
    reasons = tuple(Paragraph(problem) for problem in problems)
    return dataclasses.replace(draft, mark=Mark.BAD, parts=(*reasons, *draft.parts))


def _problems(name: str, material: Material) -> list[str]:
    if name in STEPPED and material.problem:
        return [material.problem]
    return [f"{outcome.step.title}: {outcome.problem}" for outcome in material.outcomes_of(name) if outcome.problem]


def _notes(name: str, material: Material) -> Iterator[str]:
    """Yield what fits of a section say about themselves, after the step that it is about; each once."""
    lines = [
        f"{outcome.step.title}: {note}"
        for outcome in material.outcomes_of(name)
        if outcome.result is not None
        for note in outcome.result.provenance.options.get("notes", ())
    ]
    yield from dict.fromkeys(lines)


def finished(parts: Iterable[PartDraft], drawn: Mapping[str, Drawn], known: Iterable[str] = ()) -> tuple[Part, ...]:
    """Return parts with their figures.

    Args:
        parts: Parts of a draft.
        drawn: What became of drawings, by name.
        known: Keys of the details that there are; rows with another one are not clicked.
    """
    keys = set(known)
    result: list[Part] = []
    for part in parts:
        if isinstance(part, Paragraph):
            result.append(part)
        elif isinstance(part, Table):
            rows = tuple(row if row.detail in keys else dataclasses.replace(row, detail=None) for row in part.rows)
            result.append(dataclasses.replace(part, rows=rows))
        elif drawn[part.name].problem:
            result.append(Paragraph(f"The figure {part.name} could not be drawn: {drawn[part.name].problem}"))
        else:
            result += drawn[part.name].figures
    return tuple(result)


def section_of(
    name: str, draft: Draft, material: Material, drawn: Mapping[str, Drawn], known: Iterable[str]
) -> Section:
    """Return a section with its figures, its options, and how to run it alone."""
    skipped = name not in material.options.sections
    return Section(
        name=name,
        title=BUILDERS[name][0],
        lead=draft.lead,
        mark=draft.mark,
        parts=finished(draft.parts, drawn, known),
        command="" if skipped else _command(name, material),
        options={} if skipped else _options(name, material),
    )


_CARD_COMMANDS = {"card": "cards show", "checks": "cards check"}
_FIGURE_COMMANDS = {"effects": "plot effects", "scheme": "plot correlation-scheme"}


def _command(name: str, material: Material) -> str:
    """Return the command lines that run a section alone."""
    if name == "names":
        return naming_command(material)
    if name in _CARD_COMMANDS:
        paths = [split_label(word)[1] for word in material.subject.cards]
        return "\n".join(command_line(_CARD_COMMANDS[name], [path]) for path in paths)
    if name in _FIGURE_COMMANDS:
        return command_line(_FIGURE_COMMANDS[name], material.subject.cards)
    outcomes = material.outcomes_of(name)
    lines = list(dict.fromkeys(_filled(outcome) for outcome in outcomes))
    drawn = _plot_command(name, [outcome.step.name for outcome in outcomes if outcome.result is not None])
    return "\n".join([*lines, *(["# in the folder of the report, from the saved results", drawn] if drawn else [])])


_PLOTS = {"fit": "pulls", "impacts": "impacts", "goodness": "gof", "bias": "toys", "yields": "stack", "scan": "scan"}


def _plot_command(section: str, results: Sequence[str]) -> str:
    """Return the command line that draws the saved results of a section, those of the data that count."""
    if section not in _PLOTS or not results:
        return ""
    paths = [f"results/{name}.json" for name in results]
    words = {
        "impacts": paths[-1:],
        "yields": [paths[-1], *(["--prefit", paths[0]] if len(paths) > 1 else [])],
        "scan": ["total=" + paths[0], *(f"stat only={path}" for path in paths[1:2])],
    }.get(section, paths)
    if section == "scan" and len(paths) > 1:
        words += ["--breakdown", "syst,stat"]
    return command_line(f"plot {_PLOTS[section]}", words)


def _filled(outcome: Outcome) -> str:
    """Return the command line of a step, with the range that was scanned."""
    if not isinstance(outcome.result, ScanResult):
        return outcome.step.command
    points = outcome.result.points[:, 0]
    return outcome.step.command.replace("=LOW,HIGH", f"={points.min():.6g},{points.max():.6g}")


def _options(name: str, material: Material) -> dict[str, str]:
    """Return what a section was run with."""
    outcomes = material.outcomes_of(name)
    if not outcomes or material.workspaces is None:
        return {}
    steps = [outcome.step for outcome in outcomes]
    values: dict[str, dict[str, None]] = {"data": dict.fromkeys(material.describe(step.sample) for step in steps)}
    for step in steps:
        for key, value in step.options.items():
            values.setdefault(key, {})[f"{value:g}" if isinstance(value, float) else str(value)] = None
    options = {key: ", ".join(found) for key, found in values.items()}
    if any(step.seed is not None for step in steps):
        options["seed"] += f" (made of --seed {material.options.seed} of the report)"
    if any(step.is_open for step in steps) and material.workspaces.open_ranges:
        ranges = ", ".join(
            f"{key} from {low:g} to {high:g}" for key, (low, high) in material.workspaces.open_ranges.items()
        )
        every = all(step.is_open for step in steps)
        options["range"] = ranges + ("" if every else ", in background-only data")
    settings = setting_words(material.workspaces.settings)
    if settings:
        options["model"] = " ".join(settings)
    return options


# ---------------------------------------------------------------------- for programs


def as_json(report: Report, material: Material, drafts: Mapping[str, Draft]) -> str:
    """Return the report for programs: what was found, as numbers, and which files belong to it."""
    plain = {
        "type": "Report",
        "title": report.title,
        "blind": report.blind,
        "made": dict(report.made),
        "cards": list(material.subject.cards),
        "files": [dataclasses.asdict(file) for file in material.subject.files],
        "sections": [_section_as_plain(section, material, drafts[section.name]) for section in report.sections],
    }
    return json.dumps(to_plain(plain), indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def _section_as_plain(section: Section, material: Material, draft: Draft) -> dict[str, Any]:
    outcomes = material.outcomes_of(section.name)
    return {
        "name": section.name,
        "title": section.title,
        "lead": section.lead,
        "mark": section.mark.value,
        "command": section.command,
        "options": dict(section.options),
        "numbers": draft.numbers,
        "problems": _problems(section.name, material),
        "results": [f"results/{outcome.step.name}.json" for outcome in outcomes if outcome.result is not None],
        "figures": [f"figures/{part.name}.png" for part in section.parts if isinstance(part, Figure)],
    }
