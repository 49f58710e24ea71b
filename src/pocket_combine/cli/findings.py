"""How commands show findings, and what findings make of the exit status."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import click
from rich.text import Text

from pocket_combine.cli.console import ExitCode, products
from pocket_combine.cli.tables import findings_table
from pocket_combine.findings import Finding, Severity, at_least
from pocket_combine.wording import counted

__all__ = ["counts", "exit_code", "fail_on_option", "show_findings"]

_Function = TypeVar("_Function", bound=Callable[..., Any])

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
