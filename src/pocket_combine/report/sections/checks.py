"""What the checks of the card find, and whether names of nuisances follow a convention."""

from __future__ import annotations

import math
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from pocket_combine.checks import (
    CheckFinding,
    NamingDictionary,
    check_nuisance_names,
    findings_to_dict,
    load_naming_dictionary,
    run_checks,
)
from pocket_combine.findings import Severity
from pocket_combine.plotting.variations import Selection, summed_variations
from pocket_combine.report.contents import Mark, Paragraph
from pocket_combine.report.drafts import Draft, Drawing, Material
from pocket_combine.report.sections.findings import MARKS, Sized, findings_tables, worst_first
from pocket_combine.report.visible import visible_sizes
from pocket_combine.wording import counted

__all__ = ["build_checks", "build_names"]

_FIGURES = 4
_INVISIBLE = ("no-effect", "no-shape-effect")
"""Findings about templates that have nothing to show."""


def build_checks(material: Material) -> Draft:
    """Return the findings, the worst first, with figures of the worst offenders."""
    subject = material.subject
    found = [*subject.findings, *run_checks(subject.card, subject.templates, files=subject.contents)]
    sizes = visible_sizes(subject.card, subject.templates, found)
    findings = worst_first([Sized(*entry) for entry in zip(found, sizes, strict=True)])
    parts = [*findings_tables(findings), *_worst_offenders(material, findings)]
    return Draft(_lead(findings), _mark(findings), tuple(parts), _numbers(findings))


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
    found = check_nuisance_names(material.subject.card, master, analysis)
    findings = worst_first([Sized(finding) for finding in found])
    names = {finding.where.nuisance for finding in found}
    total = len(material.subject.card.nuisance_names)
    lead = (
        f"{len(names)} of {counted(total, 'name')} do not follow the convention."
        if names
        else f"All {counted(total, 'name')} follow the convention."
    )
    return Draft(lead, _mark(findings), tuple(findings_tables(findings)), _numbers(findings))


def naming_command(material: Material) -> str:
    """Return the command line that checks names alone; empty without a dictionary."""
    options = material.options
    if options.dictionary is None:
        return ""
    words = ["--dictionary", str(options.dictionary)]
    if options.analysis_dictionary is not None:
        words += ["--analysis", str(options.analysis_dictionary)]
    return shlex.join(["pocket-combine", "cards", "names", *material.subject.cards, *words])


def _lead(findings: Sequence[Sized]) -> str:
    numbers = Counter(entry.finding.severity for entry in findings)
    words = ((Severity.ERROR, "error"), (Severity.WARNING, "warning"), (Severity.INFO, "note"))
    parts = [counted(numbers[severity], word) for severity, word in words if numbers[severity]]
    if not parts:
        return "Nothing was found."
    kinds = counted(len({entry.finding.code for entry in findings}), "kind")
    return f"{', '.join(parts)}, of {kinds}{'' if numbers[Severity.ERROR] else '; no errors'}."


def _mark(findings: Sequence[Sized]) -> Mark:
    worst = max((entry.finding.severity for entry in findings), default=Severity.INFO)
    return MARKS[worst] or Mark.GOOD


def _numbers(findings: Sequence[Sized]) -> dict[str, Any]:
    """Return findings for programs, in the order of the page, those with a size with it."""
    plain = findings_to_dict([entry.finding for entry in findings])
    for item, entry in zip(plain["findings"], findings, strict=True):
        if math.isfinite(entry.size):
            item["size"] = entry.size
    return plain


def _worst_offenders(material: Material, findings: Sequence[Sized]) -> Iterator[Drawing]:
    """Yield figures of the templates that the worst warnings and errors speak of: of each kind one, none twice."""
    templates = material.subject.templates
    drawn: dict[str, tuple[str, str, str]] = {}
    for entry in findings:
        finding = entry.finding
        if len(drawn) == _FIGURES or finding.severity < Severity.WARNING:
            return
        if not isinstance(finding, CheckFinding) or finding.code in (*_INVISIBLE, *drawn):
            continue
        channel, process, nuisance, *_ = finding.where
        known = channel in templates and (process, nuisance) in templates[channel].pair_index
        if known and finding.where[:3] not in drawn.values():
            drawn[finding.code] = channel, process, nuisance
            yield from _offender(material, finding.code, channel, process, nuisance)


def _offender(material: Material, code: str, channel: str, process: str, nuisance: str) -> Iterator[Drawing]:
    card, templates = material.subject.card, material.subject.templates
    selection = Selection([channel], [process], [nuisance])
    for shown in summed_variations(card, templates, selection=selection):
        yield Drawing(
            f"check-{code}",
            f"{code}: {nuisance} of {process} in {channel}.",
            f"Templates of {process} in {channel} varied by {nuisance}.",
            "template_figure",
            (shown,),
            {"style": material.options.style},
            is_document=False,
        )
