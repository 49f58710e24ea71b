"""`pocket-combine cards check`: what looks wrong in a card and its templates."""

from __future__ import annotations

import dataclasses
import fnmatch
import json
from collections.abc import Sequence
from pathlib import Path

import click

from pocket_combine.card.load import LoadedCard
from pocket_combine.card.parser import ParsedCard
from pocket_combine.checks import (
    CODES,
    TEXT_CODES,
    Thresholds,
    findings_to_dict,
    read_file_contents,
    run_checks,
    validation_json,
)
from pocket_combine.cli.cards.many_findings import report_findings
from pocket_combine.cli.cards.reading import Reading, card_argument, numbers, reading_options
from pocket_combine.cli.command import Command
from pocket_combine.cli.console import ExitCode, print_json
from pocket_combine.cli.findings import fail_on_option
from pocket_combine.cli.new_files import NEW_FILE
from pocket_combine.errors import CardError, nearest
from pocket_combine.findings import Finding, Severity
from pocket_combine.io.atomic import atomic_write

__all__ = ["check"]


@click.command(
    cls=Command,
    examples=[
        "pocket-combine cards check datacard.txt",
        "pocket-combine cards check card.txt --ignore 'mc-stats*' --fail-on warning",
        "pocket-combine cards check card.txt --threshold normalisation_effect=0.3",
    ],
)
@card_argument
@click.option(
    "--select", "selected", multiple=True, metavar="CODE", help="Look for these findings only; patterns are allowed."
)
@click.option("--ignore", "ignored", multiple=True, metavar="CODE", help="Leave these findings out, likewise.")
@click.option(
    "--threshold",
    "limits",
    multiple=True,
    callback=numbers,
    metavar="NAME=NUMBER",
    help="Change a threshold of the checks; may be repeated.",
)
@click.option(
    "--validation-json",
    "validation_path",
    type=NEW_FILE,
    help="Write the findings of ValidateDatacards.py to this file, in its layout.",
)
@fail_on_option()
@click.option("--all", "every", is_flag=True, help="Show all findings, not only some of each kind.")
@reading_options
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def check(
    card: str,
    selected: tuple[str, ...],
    ignored: tuple[str, ...],
    limits: dict[str, float],
    validation_path: Path | None,
    fail_on: Severity | None,
    every: bool,
    reading: Reading,
    as_json: bool,
) -> ExitCode:
    """Check a card and its templates.

    Looks for what Combine refuses, for what does nothing, and for what looks like a mistake: empty templates, one-sided
    or insignificant variations, normalisation effects that are too large, missing bin errors, and more. CARD is a
    datacard, or - for standard input.

    Exit status: 0 if all is well, 1 if there are findings of the severity of --fail-on or worse, 2 if the card cannot
    be read or used; then the checks that need no templates run, and --json lists the problems too.
    """
    thresholds = _thresholds(limits)
    parsed: ParsedCard | None = None
    try:
        parsed = reading.parse(card)
        loaded = reading.complete(parsed, card)
    except CardError as error:
        findings = [] if parsed is None else _chosen(_of_text(parsed, thresholds), selected, ignored)
        if as_json:
            print_json({"card": card, "problems": list(error.problems), **findings_to_dict(findings)})
        elif findings:
            report_findings(f"{card}, without templates", findings, every=every, as_json=False, fail_on=None)
        raise
    files = read_file_contents(loaded.card, directory=Path(card).parent, mass=reading.mass, keywords=reading.keywords)
    # What reading the card finds and a check too is said once, with the place that the check gives.
    noticed = [finding for finding in loaded.findings if finding.code not in CODES]
    found = [*noticed, *run_checks(loaded.card, loaded.templates, thresholds=thresholds, files=files)]
    findings = _chosen(found, selected, ignored)
    if validation_path is not None:
        _write_validation(loaded, thresholds, validation_path)
    return report_findings(loaded.source, findings, every=every, as_json=as_json, fail_on=fail_on)


def _of_text(parsed: ParsedCard, thresholds: Thresholds) -> list[Finding]:
    """Return what can be found where the templates cannot be used."""
    return [*parsed.findings, *run_checks(parsed.card, {}, thresholds=thresholds, select=TEXT_CODES)]


def _thresholds(limits: dict[str, float]) -> Thresholds:
    known = [field.name for field in dataclasses.fields(Thresholds)]
    for name in limits:
        if name not in known:
            raise click.UsageError(f"there is no threshold {name!r}; {nearest(name, known)}")
    return Thresholds(**limits)


def _chosen(findings: Sequence[Finding], selected: Sequence[str], ignored: Sequence[str]) -> list[Finding]:
    """Return the findings that are selected and not ignored."""
    codes = {*CODES, *(finding.code for finding in findings)}
    for pattern in selected:
        if not fnmatch.filter(codes, pattern):
            raise click.UsageError(f"there is no check {pattern!r}; {nearest(pattern, codes)}")
    return [
        finding
        for finding in findings
        if (not selected or _matches(finding.code, selected)) and not _matches(finding.code, ignored)
    ]


def _matches(code: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(code, pattern) for pattern in patterns)


def _write_validation(loaded: LoadedCard, thresholds: Thresholds, path: Path) -> None:
    """Write what ValidateDatacards.py would write, with its two thresholds.

    Raises:
        CardError: If the file cannot be written.
    """
    report = validation_json(
        loaded.card,
        loaded.templates,
        max_normalisation_effect=thresholds.normalisation_effect,
        min_signal_fraction=thresholds.signal_fraction,
    )
    try:
        with atomic_write(path) as file:
            file.write(json.dumps(report, indent=4).encode())
    except OSError as error:
        raise CardError(f"{path}: cannot be written: {error.strerror or error}") from error
