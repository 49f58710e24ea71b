"""Tables for people: yields per channel and process, and findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from rich import box
from rich.table import Table
from rich.text import Text

from pocket_combine.findings import Finding, Severity
from pocket_combine.wording import events

__all__ = ["SHOWN", "STYLES", "findings_table", "plain_table", "yield_tables"]

STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "dim"}
"""How each severity looks."""
SHOWN = {Severity.ERROR: 20, Severity.WARNING: 5, Severity.INFO: 1}
"""How many findings of one kind are worth a reader's time."""
_COLUMN_GAP = 3
_BOX = box.Box("    \n    \n ── \n    \n ── \n ── \n    \n    \n")
"""As `box.SIMPLE`, with a line between sections."""


def plain_table(*headings: str | tuple[str, Literal["right"]]) -> Table:
    """Return an empty table in the style of all others.

    Args:
        headings: Heading of each column; with `"right"` where its cells are numbers.
    """
    table = Table(box=_BOX, show_edge=False, pad_edge=False)
    for heading in headings:
        title, right = (heading[0], True) if isinstance(heading, tuple) else (heading, False)
        table.add_column(title, justify="right" if right else "left", overflow="fold")
    return table


def yield_tables(
    yields: Mapping[str, Mapping[str, float]],
    *,
    first: str,
    width: int,
    head: Sequence[str] = (),
    last: Sequence[str] = (),
) -> Iterator[Table]:
    """Yield tables with one row per process or sample and one column per channel, as many columns in each as fit.

    Args:
        yields: Events by channel and row.
        first: What the rows are: heading of the first column.
        width: Characters that there are.
        head: Rows above a line of their own: signals.
        last: Rows below the line: totals and the observation.
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
        inner = [row for row in rows if row not in head and row not in last]
        for section, style in ((head, ""), (inner, ""), (last, "bold")):
            for row in [row for row in rows if row in section]:
                table.add_row(row, *(cells[name].get(row, "") for name in names), style=style)
            table.add_section()
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


def findings_table(findings: Sequence[Finding], *, shown: Mapping[Severity, int] = SHOWN) -> Table:
    """Return a table of findings, worst first, with some examples of each kind.

    Args:
        findings: The findings.
        shown: How many of one kind are shown, by severity; with 0 nothing is said about them.
    """
    table = Table(box=None, show_edge=False, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    kinds: dict[tuple[Severity, str], list[Finding]] = {}
    for finding in sorted(findings, key=lambda finding: -finding.severity):
        kinds.setdefault((finding.severity, finding.code), []).append(finding)
    for (severity, code), alike in kinds.items():
        chosen = alike[: shown[severity]]
        for finding, following in zip(chosen, [*chosen, None][1:], strict=True):
            # Advice that several in a row share stands below the last of them.
            advice = "" if following is not None and following.advice == finding.advice else finding.advice
            table.add_row(Text(str(severity), STYLES[severity]), _description(finding, advice))
        if chosen and len(alike) > len(chosen):
            table.add_row("", Text(f"… and {len(alike) - len(chosen)} more [{code}]; --json lists them all", "dim"))
    return table


def _description(finding: Finding, advice: str) -> Text:
    text = Text.assemble((finding.place, "bold"), f": {finding.message} ", (f"[{finding.code}]", "dim"))
    if advice:
        text.append(f"\n→ {advice}")
    return text
