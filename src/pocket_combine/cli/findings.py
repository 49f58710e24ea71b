"""How commands show findings, and what findings make of the exit status."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import click
from rich.table import Table
from rich.text import Text

from pocket_combine.checks.finding import CheckFinding
from pocket_combine.cli.console import ExitCode, products
from pocket_combine.cli.tables import STYLES, counted, findings_table, plain_table
from pocket_combine.findings import Finding, Severity, at_least

__all__ = ["counts", "exit_code", "fail_on_option", "show_findings", "show_many_findings"]

_Function = TypeVar("_Function", bound=Callable[..., Any])

_EXAMPLES = {Severity.ERROR: 20, Severity.WARNING: 3, Severity.INFO: 0}
_PLACES = (("Channels", "channel"), ("Processes", "process"), ("Nuisances", "nuisance"))
_SEVERITIES = {"error": Severity.ERROR, "warning": Severity.WARNING, "never": None}


def _severity(_: click.Context, __: click.Parameter, word: str) -> Severity | None:
    return _SEVERITIES[word]


def fail_on_option(default: str = "error") -> Callable[[_Function], _Function]:
    """Return the decorator for `--fail-on`; the function gets `fail_on`, a severity or `None` for never."""
    return click.option(
        "--fail-on",
        type=click.Choice(list(_SEVERITIES)),
        default=default,
        show_default=True,
        callback=_severity,
        help="Severity of findings from which on the exit status is 1.",
    )


def exit_code(findings: Sequence[Finding], fail_on: Severity | None) -> ExitCode:
    """Return the exit code for some findings."""
    return ExitCode.FINDINGS if fail_on is not None and at_least(findings, fail_on) else ExitCode.CLEAN


def show_findings(findings: Sequence[Finding]) -> None:
    """Print findings, with their numbers by severity."""
    console = products()
    console.print(Text(f"Findings: {counts(findings)}", "bold"))
    if findings:
        console.print()
        console.print(findings_table(findings))


def counts(findings: Iterable[Finding]) -> str:
    """Return how many findings of each severity there are.

    Examples:
        >>> counts([Finding("x", Severity.INFO, "here", "a"), Finding("y", Severity.ERROR, "there", "b")]), counts([])
        ('1 error, 1 note', 'none')
    """
    number = Counter(finding.severity for finding in findings)
    words = ((Severity.ERROR, "error"), (Severity.WARNING, "warning"), (Severity.INFO, "note"))
    return ", ".join(counted(number[severity], word) for severity, word in words if number[severity]) or "none"


def show_many_findings(findings: Sequence[Finding], *, every: bool) -> None:
    """Print how many findings of each kind there are and where, then some examples of errors and warnings.

    Args:
        findings: The findings.
        every: Whether all are shown, notes too.
    """
    console = products()
    console.print(Text(f"Findings: {counts(findings)}", "bold"))
    if not findings:
        return
    console.print()
    console.print(_kinds(findings))
    shown = dict.fromkeys(Severity, len(findings)) if every else _EXAMPLES
    examples = findings_table(findings, shown=shown)
    if examples.row_count:
        console.print()
        console.print(examples)
    if not every and any(finding.severity is Severity.INFO for finding in findings):
        console.print()
        console.print("Notes are shown with --all.", style="dim")


def _kinds(findings: Sequence[Finding]) -> Table:
    """Return a table of the kinds of findings, worst first, with the number of places of each."""
    table = plain_table("Kind", *((title, "right") for title in ("Number", *(part for part, _ in _PLACES))))
    kinds: dict[Severity, dict[str, list[Finding]]] = {}
    for finding in sorted(findings, key=lambda finding: -finding.severity):
        kinds.setdefault(finding.severity, {}).setdefault(finding.code, []).append(finding)
    for severity, codes in kinds.items():
        table.add_section()
        table.add_row(Text(str(severity), STYLES[severity]))
        for code, alike in codes.items():
            places = [finding.where for finding in alike if isinstance(finding, CheckFinding)]
            distinct = [len({getattr(place, part) for place in places} - {""}) for _, part in _PLACES]
            table.add_row(f"  {code}", str(len(alike)), *(str(number or "") for number in distinct))
    return table
