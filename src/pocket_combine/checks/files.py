"""Checks of the ROOT files behind a card: content outside histograms, templates that nothing reads."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import numpy as np

from pocket_combine.card.model import Column, Nuisance, is_shape_kind
from pocket_combine.card.shapes import ShapeLookup
from pocket_combine.checks.finding import CheckFinding, Where, found
from pocket_combine.checks.subject import Subject
from pocket_combine.checks.thresholds import Thresholds
from pocket_combine.errors import nearest
from pocket_combine.findings import Severity
from pocket_combine.names import SHIFTS, SYSTEMATIC_RULE, expand_rule, shifted_name

__all__ = ["check_content_outside", "check_optional_shapes", "check_unused_templates"]

_SHOWN = 5


def check_content_outside(subject: Subject, thresholds: Thresholds) -> Iterator[CheckFinding]:
    """Yield files with templates that have content outside their axis, which Combine ignores."""
    for contents in subject.files:
        outside = np.abs(contents.underflow) + np.abs(contents.overflow)
        rows = np.flatnonzero(outside > thresholds.outside * np.abs(contents.integrals))
        if not rows.size:
            continue
        share = outside[rows] / np.maximum(np.abs(contents.integrals[rows]), 1e-300)
        order = rows[np.argsort(-share, kind="stable")][:_SHOWN]
        shown = ", ".join(
            f"{contents.names[row]} ({contents.underflow[row]:.4g} below, {contents.overflow[row]:.4g} above, "
            f"{contents.integrals[row]:.4g} inside)"
            for row in order.tolist()
        )
        count, total = rows.size, len(contents.names)
        message = f"{count} of {total} templates have content outside their axis: {shown}"
        advice = "Combine ignores it: add it to the outer bins where it belongs to the selection"
        yield found("content-outside", Severity.WARNING, Where(file=contents.path), message, advice, templates=count)


def check_unused_templates(subject: Subject, _: Thresholds) -> Iterator[CheckFinding]:
    """Yield files with templates that the card does not use, and nuisances that have templates but no shape row."""
    shapes = {nuisance.name for nuisance in subject.card.nuisances if is_shape_kind(nuisance.kind)}
    others = set(subject.card.nuisance_names) - shapes
    prefix = _process_prefix(subject)
    for contents in subject.files:
        unused = contents.unused
        if not unused:
            continue
        guesses = Counter(_nuisance_of(key, prefix) for key in unused)
        guesses.pop("", None)
        shown = ", ".join(unused[:_SHOWN]) + (", …" if len(unused) > _SHOWN else "")
        message = f"{len(unused)} of {len(contents.keys)} templates are not used: {shown}"
        if guesses:
            common = ", ".join(f"{name} ({count})" for name, count in guesses.most_common(_SHOWN))
            message += f"; by nuisance: {common}"
        advice = "look for names that do not match the rows of the card"
        where = Where(file=contents.path)
        yield found("unused-templates", Severity.INFO, where, message, advice, templates=len(unused))
        for name in sorted(others & set(guesses)):
            message = f"the file has {guesses[name]} templates for it, but its row is no shape row"
            advice = "write shape if the templates are meant"
            yield found("templates-without-row", Severity.WARNING, where._replace(nuisance=name), message, advice)


def _process_prefix(subject: Subject) -> re.Pattern[str]:
    """Return what matches the process at the beginning of a template's name, with a mass that may follow it."""
    processes = sorted({column.process for column in subject.card.columns}, key=len, reverse=True)
    return re.compile(rf"(?:{'|'.join(map(re.escape, processes))})[\d.]*_")


def _nuisance_of(key: str, prefix: re.Pattern[str]) -> str:
    """Return the nuisance that a name such as `SR/ttbar_JESUp` seems to speak of; empty for a nominal template."""
    name = key.rpartition("/")[2]
    shift = next((shift for shift in SHIFTS if name.endswith(shift)), "")
    if not shift:
        return ""
    name = name.removesuffix(shift)
    match = prefix.match(name)
    return name[match.end() :] if match else name


def check_optional_shapes(subject: Subject, _: Thresholds) -> Iterator[CheckFinding]:
    """Yield cells of `shape?` rows that Combine may understand in another way than meant.

    Without templates the number is a log-normal, and 1 is no effect. With templates it is their strength.
    """
    unused = [key for contents in subject.files for key in contents.unused]
    lookup = ShapeLookup(subject.card.shapes)
    with_templates = {(cell.row, cell.column) for cell in subject.reach.pairs}
    for cell in subject.reach.pairs:
        if "?" in subject.card.nuisances[cell.row].kind and cell.strength != 1:
            message = f"there are templates, which are scaled by {cell.strength:g}; the number is no log-normal here"
            where = subject.where(cell.column, cell.row)
            yield found(
                "optional-shape-scaled", Severity.WARNING, where, message, "write 1, or lnN in a row of its own"
            )
    for row, nuisance in enumerate(subject.card.nuisances):
        if "?" not in nuisance.kind:
            continue
        for index in subject.reach.columns:
            column = subject.card.columns[index]
            absent = nuisance.effects[index] == 1 and (row, index) not in with_templates
            if not absent or column.channel not in subject.templates:
                continue
            message = f"{nuisance.kind} finds no templates and takes the number as lnN 1: no effect"
            if unused:
                message += f"; of the unused templates {nearest(_expected_name(lookup, column, nuisance), unused)}"
            advice = "write '-' if it is not meant to act here, or correct the names of the templates"
            yield found("optional-shape-absent", Severity.WARNING, subject.where(index, row), message, advice)


def _expected_name(lookup: ShapeLookup, column: Column, nuisance: Nuisance) -> str:
    """Return the name under which Combine looks for the Up template, without a mass."""
    rule = lookup.rule(column.channel, column.process)
    pattern = rule.systematic if rule is not None else SYSTEMATIC_RULE
    systematic = shifted_name(nuisance.template_name or nuisance.name, SHIFTS[0])
    return expand_rule(pattern, process=column.process, channel=column.channel, systematic=systematic)
