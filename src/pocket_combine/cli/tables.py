"""Tables for people: yields per channel and process, and findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from pocket_combine.findings import Finding, Severity

__all__ = ["counted", "events", "findings_table", "yield_tables"]

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "dim"}
_SHOWN = {Severity.ERROR: 20, Severity.WARNING: 5, Severity.INFO: 1}
"""How many findings of one kind are worth a reader's time."""
_COLUMN_GAP = 3
_BOX = box.Box("    \n    \n ── \n    \n ── \n ── \n    \n    \n")
"""As `box.SIMPLE`, with a line between sections."""


def events(number: float) -> str:
    """Return a number of events as text: whole, with one decimal, or with three significant digits below ten.

    Examples:
        >>> [events(number) for number in (1250.0, 12345.678, 3.14159, 0.001234, 0.0, -2.5)]
        ['1,250', '12,345.7', '3.14', '0.00123', '0', '-2.5']
    """
    if float(number).is_integer():
        return f"{number:,.0f}"
    return f"{number:,.1f}" if abs(number) >= 10 else f"{number:.3g}"


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun.

    Examples:
        >>> counted(1, "card"), counted(3, "card"), counted(2, "category", "categories")
        ('1 card', '3 cards', '2 categories')
    """
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def yield_tables(
    yields: Mapping[str, Mapping[str, float]], *, first: str, last: Sequence[str] = (), width: int
) -> Iterator[Table]:
    """Yield tables with one row per process or sample and one column per channel, as many columns in each as fit.

    Args:
        yields: Events by channel and row.
        first: What the rows are: heading of the first column.
        last: Rows below the line: totals and the observation.
        width: Characters that there are.
    """
    rows = list(dict.fromkeys(row for channel in yields.values() for row in channel))
    cells = {name: {row: events(value) for row, value in channel.items()} for name, channel in yields.items()}
    room = width - max(map(len, (first, *rows)))
    widths = {name: max(map(len, (name, *column.values()))) for name, column in cells.items()}
    for names in _groups(widths, room):
        table = Table(box=_BOX, show_edge=False, pad_edge=False)
        table.add_column(first, no_wrap=True)
        for name in names:
            table.add_column(name, justify="right", overflow="fold")
        for row in [row for row in rows if row not in last]:
            table.add_row(row, *(cells[name].get(row, "") for name in names))
        table.add_section()
        for row in [row for row in rows if row in last]:
            table.add_row(row, *(cells[name].get(row, "") for name in names), style="bold")
        yield table


def _groups(widths: Mapping[str, int], room: int) -> Iterator[list[str]]:
    """Yield names in groups that fit into `room` characters; at least one at a time."""
    group: list[str] = []
    used = 0
    for name, width in widths.items():
        if group and used + width + _COLUMN_GAP > room:
            yield group
            group, used = [], 0
        group.append(name)
        used += width + _COLUMN_GAP
    if group:
        yield group


def findings_table(findings: Sequence[Finding]) -> Table:
    """Return a table of findings, worst first, with some examples of each kind.

    Args:
        findings: The findings.
    """
    table = Table(box=None, show_edge=False, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    kinds: dict[tuple[Severity, str], list[Finding]] = {}
    for finding in sorted(findings, key=lambda finding: -finding.severity):
        kinds.setdefault((finding.severity, finding.code), []).append(finding)
    for (severity, code), alike in kinds.items():
        shown = _SHOWN[severity]
        for finding in alike[:shown]:
            table.add_row(Text(str(severity), _STYLES[severity]), _description(finding))
        if len(alike) > shown:
            table.add_row("", Text(f"… and {len(alike) - shown} more [{code}]; --json lists them all", "dim"))
    return table


def _description(finding: Finding) -> Text:
    text = Text.assemble((finding.place, "bold"), f": {finding.message} ", (f"[{finding.code}]", "dim"))
    if finding.advice:
        text.append(f"\n→ {finding.advice}")
    return text
