"""Findings by the thousand: how many of each kind and where, and examples."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from pocket_combine.checks import CheckFinding, findings_to_dict
from pocket_combine.cli.console import ExitCode, print_json, products
from pocket_combine.cli.findings import counts, exit_code
from pocket_combine.cli.tables import STYLES, findings_table, plain_table
from pocket_combine.findings import Finding, Severity

__all__ = ["report_findings"]

_EXAMPLES = {Severity.ERROR: 20, Severity.WARNING: 3, Severity.INFO: 0}
_PLACES = (("Channels", "channel"), ("Processes", "process"), ("Nuisances", "nuisance"))


def report_findings(
    source: str, findings: Sequence[Finding], *, every: bool, as_json: bool, fail_on: Severity | None
) -> ExitCode:
    """Print the findings about a card, and return the exit code that they deserve.

    Args:
        source: What messages call the card.
        findings: The findings.
        every: Whether all are shown, notes too; JSON has them all anyway.
        as_json: Whether they are printed as JSON.
        fail_on: Severity from which on findings make the exit code `FINDINGS`; `None` for never.
    """
    if as_json:
        print_json({"card": source, **findings_to_dict(findings)})
    else:
        products().print(source, soft_wrap=True, style="bold")
        _show(findings, every=every)
    return exit_code(findings, fail_on)


def _show(findings: Sequence[Finding], *, every: bool) -> None:
    """Print how many findings of each kind there are and where, then some examples of errors and warnings."""
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
