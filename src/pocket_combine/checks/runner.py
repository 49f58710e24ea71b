"""Run checks on a card with its templates."""

from __future__ import annotations

import fnmatch
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from pocket_combine.card.model import Card
from pocket_combine.checks.file_contents import FileContents
from pocket_combine.checks.finding import CheckFinding
from pocket_combine.checks.registry import CHECKS
from pocket_combine.checks.subject import Subject
from pocket_combine.checks.thresholds import Thresholds
from pocket_combine.errors import DeclarationError, nearest
from pocket_combine.findings import Finding, Severity
from pocket_combine.templates import Templates

__all__ = ["CODES", "TEXT_CODES", "findings_to_dict", "run_checks"]

CODES: tuple[str, ...] = tuple(code for check in CHECKS for code in check.codes)
"""Codes of all findings that `run_checks` can return."""

TEXT_CODES: tuple[str, ...] = tuple(code for check in CHECKS if check.of_text for code in check.codes)
"""Those of findings that are right without templates."""

_DEFAULTS = Thresholds()


def run_checks(
    card: Card,
    templates: Mapping[str, Templates],
    *,
    thresholds: Thresholds = _DEFAULTS,
    select: Sequence[str] | None = None,
    files: Iterable[FileContents] = (),
) -> list[CheckFinding]:
    """Return what the checks find, in the order of the checks and then of the card.

    Args:
        card: The card.
        templates: Templates by channel; a channel without is a counting channel.
        thresholds: From which numbers on the checks speak.
        select: Codes of the findings to look for, or shell patterns of them; `None` for all.
        files: What the ROOT files hold; without, findings about files are not made.

    Raises:
        DeclarationError: If `select` names a code that does not exist. Nothing in a card or its templates raises.

    Examples:
        >>> from pocket_combine.card.model import Channel, Column, Nuisance
        >>> card = Card(
        ...     channels=(Channel("SR", 30),),
        ...     columns=(Column("SR", "signal", 0, -1), Column("SR", "background", 1, -1)),
        ...     nuisances=(Nuisance("JES", "shape", (None, 1.0)),),
        ... )
        >>> templates = Templates.of(
        ...     [0, 1, 2],
        ...     {"signal": [1.0, 3.0], "background": [20.0, 5.0]},
        ...     {("background", "JES"): ([22.0, 6.0], [22.0, 6.0])},
        ...     observation=[22, 8],
        ... )
        >>> for finding in run_checks(card, {"SR": templates}, select=["identical-*"]):
        ...     print(finding)  # doctest: +ELLIPSIS
        warning [identical-up-down] channel SR, process background, nuisance JES: Up and Down are the same, ...
    """
    codes = _codes(select)
    subject = Subject(card, templates, tuple(files))
    findings: list[CheckFinding] = []
    # Numbers near the limits of double precision overflow in squares; what follows from that are findings, too.
    with np.errstate(all="ignore"):
        for check in CHECKS:
            if codes.isdisjoint(check.codes):
                continue
            findings += [finding for finding in check.function(subject, thresholds) if finding.code in codes]
    return findings


def _codes(select: Sequence[str] | None) -> frozenset[str]:
    if select is None:
        return frozenset(CODES)
    patterns = [select] if isinstance(select, str) else list(select)
    found = {pattern: fnmatch.filter(CODES, pattern) for pattern in patterns}
    unknown = [pattern for pattern in patterns if not found[pattern]]
    problems = [f"there is no check {pattern!r}, {nearest(pattern, CODES)}" for pattern in unknown]
    if problems:
        raise DeclarationError(problems)
    return frozenset(code for codes in found.values() for code in codes)


def findings_to_dict(findings: Iterable[Finding]) -> dict[str, Any]:
    """Return findings as plain values for JSON: how many of each severity and code, and each one.

    Examples:
        >>> findings_to_dict([Finding("no-signal", Severity.INFO, "channel CR", "no signal")])["counts"]
        {'severity': {'error': 0, 'warning': 0, 'info': 1}, 'code': {'no-signal': 1}}
    """
    findings = list(findings)
    severities = Counter(finding.severity for finding in findings)
    codes = Counter(finding.code for finding in findings)
    return {
        "counts": {
            "severity": {str(severity): severities[severity] for severity in sorted(Severity, reverse=True)},
            "code": dict(sorted(codes.items())),
        },
        "findings": [finding.to_dict() for finding in findings],
    }
