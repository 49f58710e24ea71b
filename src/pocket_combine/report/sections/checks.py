"""What the checks of the card find, and whether names of nuisances follow a convention."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Sequence

from pocket_combine.checks import (
    CheckFinding,
    NamingDictionary,
    check_nuisance_names,
    findings_to_dict,
    load_naming_dictionary,
    run_checks,
)
from pocket_combine.effects import nuisance_effects
from pocket_combine.findings import Finding, Severity
from pocket_combine.report.contents import Cell, Column, Mark, Paragraph, Row, Table
from pocket_combine.report.drafts import Draft, Drawing, Material, PartDraft
from pocket_combine.wording import counted

__all__ = ["build_checks", "build_names"]

_SHOWN = 50
"""Findings of one kind that are listed; the JSON file holds all of them."""
_FIGURES = 4
_INVISIBLE = ("no-effect", "no-shape-effect")
"""Findings about templates that have nothing to show."""
_MARKS = {Severity.ERROR: Mark.BAD, Severity.WARNING: Mark.NOTICE, Severity.INFO: None}


def build_checks(material: Material) -> Draft:
    """Return the findings, the worst first, with figures of the worst offenders."""
    subject = material.subject
    found = run_checks(subject.card, subject.templates, files=subject.contents)
    sizes = _sizes(material)
    found.sort(key=lambda finding: -sizes.get(finding.where[:3], 0.0))
    findings: list[Finding] = sorted([*subject.findings, *found], key=lambda finding: -finding.severity)
    parts = [*_tables(findings), *_worst_offenders(material, found)]
    return Draft(_lead(findings), _mark(findings), tuple(parts), findings_to_dict(findings))


def build_names(material: Material) -> Draft:
    """Return which names of nuisances do not follow the convention, or how to find out."""
    options = material.options
    if options.dictionary is None:
        advice = (
            "Give the naming dictionary of the collaboration with --naming FILE, for CMS systematics_master.yml, and "
            "that of this analysis, if there is one, with --analysis FILE."
        )
        return Draft("Not checked: there is no naming dictionary.", Mark.SKIPPED, (Paragraph(advice),))
    own = options.analysis_dictionary
    master = load_naming_dictionary(options.dictionary)
    analysis = NamingDictionary((), "no dictionary") if own is None else load_naming_dictionary(own)
    findings = check_nuisance_names(material.subject.card, master, analysis)
    names = {finding.where.nuisance for finding in findings}
    total = len(material.subject.card.nuisance_names)
    lead = (
        f"{len(names)} of {counted(total, 'name')} do not follow the convention."
        if names
        else f"All {counted(total, 'name')} follow the convention."
    )
    return Draft(lead, _mark(findings), tuple(_tables(findings)), findings_to_dict(findings))


def _sizes(material: Material) -> dict[tuple[str, str, str], float]:
    """Return the size of the effect of each nuisance on each column, by (channel, process, nuisance)."""
    subject = material.subject
    return {
        (column.channel, column.process, effect.name): column.size
        for effect in nuisance_effects(subject.card, subject.templates)
        for column in effect.columns
    }


def naming_command(material: Material) -> str:
    """Return the command line that checks names alone; empty without a dictionary."""
    options = material.options
    if options.dictionary is None:
        return ""
    words = ["--dictionary", str(options.dictionary)]
    if options.analysis_dictionary is not None:
        words += ["--analysis", str(options.analysis_dictionary)]
    return shlex.join(["pocket-combine", "cards", "names", *material.subject.cards, *words])


def _lead(findings: Sequence[Finding]) -> str:
    numbers = Counter(finding.severity for finding in findings)
    words = ((Severity.ERROR, "error"), (Severity.WARNING, "warning"), (Severity.INFO, "note"))
    parts = [counted(numbers[severity], word) for severity, word in words if numbers[severity]]
    if not parts:
        return "Nothing was found."
    kinds = counted(len({finding.code for finding in findings}), "kind")
    return f"{', '.join(parts)}, of {kinds}{'' if numbers[Severity.ERROR] else '; no errors'}."


def _mark(findings: Sequence[Finding]) -> Mark:
    worst = max((finding.severity for finding in findings), default=Severity.INFO)
    return _MARKS[worst] or Mark.GOOD


def _tables(findings: Sequence[Finding]) -> Iterator[PartDraft]:
    if not findings:
        return
    alike: dict[tuple[Severity, str], list[Finding]] = {}
    for finding in findings:
        alike.setdefault((finding.severity, finding.code), []).append(finding)
    yield Table(
        "kinds",
        (Column("Severity"), Column("Kind"), Column("Number", number=True), Column("For example")),
        tuple(
            Row(
                (
                    Cell(str(severity), float(severity), _MARKS[severity]),
                    Cell(code),
                    Cell(str(len(found)), len(found)),
                    Cell(f"{found[0].place}: {found[0].message}"),
                )
            )
            for (severity, code), found in alike.items()
        ),
        "Kinds of findings.",
    )
    shown = [finding for found in alike.values() for finding in found[:_SHOWN]]
    left_out = len(findings) - len(shown)
    more = f" {left_out} more of the same kinds are in report.json." if left_out else ""
    yield Table(
        "findings",
        (Column("Where"), Column("Severity"), Column("Kind"), Column("What"), Column("What to do")),
        tuple(
            Row(
                (
                    Cell(finding.place),
                    Cell(str(finding.severity), float(finding.severity), _MARKS[finding.severity]),
                    Cell(finding.code),
                    Cell(finding.message),
                    Cell(finding.advice),
                ),
                detail=_nuisance(finding),
            )
            for finding in shown
        ),
        f"Findings: errors first, and those of one kind by the size of the effect.{more}",
        filterable=True,
    )


def _nuisance(finding: Finding) -> str | None:
    return finding.where.nuisance or None if isinstance(finding, CheckFinding) else None


def _worst_offenders(material: Material, findings: Sequence[CheckFinding]) -> Iterator[Drawing]:
    """Yield figures of the templates that warnings and errors speak of: of each kind in turn, none twice."""
    templates = material.subject.templates
    by_kind: dict[tuple[Severity, str], list[CheckFinding]] = {}
    for finding in sorted(findings, key=lambda finding: -finding.severity):
        channel, process, nuisance, *_ = finding.where
        known = channel in templates and (process, nuisance) in templates[channel].pair_index
        if finding.severity >= Severity.WARNING and known and finding.code not in _INVISIBLE:
            by_kind.setdefault((finding.severity, finding.code), []).append(finding)
    drawn: set[tuple[str, str, str]] = set()
    for (_, code), found in by_kind.items():
        if len(drawn) == _FIGURES:
            return
        where = next((entry.where for entry in found if entry.where[:3] not in drawn), None)
        if where is None:
            continue
        drawn.add(where[:3])
        yield _offender(material, code, where.channel, where.process, where.nuisance)


def _offender(material: Material, code: str, channel: str, process: str, nuisance: str) -> Drawing:
    return Drawing(
        f"check-{code}",
        f"{code}: {nuisance} of {process} in {channel}.",
        f"Templates of {process} in {channel} varied by {nuisance}.",
        "template_figures",
        (material.subject.card, material.subject.templates_of(nuisance, [channel])),
        {"channels": [channel], "processes": [process], "nuisances": [nuisance], "style": material.options.style},
        is_document=False,
    )
