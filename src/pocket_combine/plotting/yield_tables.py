"""Tables of expected events for notes and papers: LaTeX, Markdown and plain text, without matplotlib.

Digits are those of `uncertainties`. Uncertainties of added processes come from the covariance of their yields; they are
never added in quadrature.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from pocket_combine.errors import ResultError
from pocket_combine.plotting.stack_numbers import find_channel, state_of
from pocket_combine.plotting.style import ChannelRule, Style
from pocket_combine.plotting.uncertainties import decimals, fixed, symmetric
from pocket_combine.results import ChannelYields, PostfitResult

__all__ = ["RowKind", "TABLE_FORMATS", "YieldCell", "YieldRow", "YieldTable", "yield_table"]

_DEFAULT = Style()

TABLE_FORMATS = ("latex", "markdown", "plain")


class RowKind(Enum):
    """What a row counts."""

    BACKGROUND = "background"
    TOTAL_BACKGROUND = "total background"
    SIGNAL = "signal"
    TOTAL = "total"
    DATA = "data"


@dataclass(frozen=True)
class YieldCell:
    """A number of events.

    Attributes:
        value: Events; not a number where they are blinded.
        error: Their uncertainty; `None` where it is not known, or for data.
        digits: Digits after the point of a value without uncertainty.
    """

    value: float
    error: float | None = None
    digits: int = 1


@dataclass(frozen=True)
class YieldRow:
    """A row: a name, and a cell per column; `None` where a process is not in a channel."""

    label: str
    kind: RowKind
    cells: tuple[YieldCell | None, ...]


@dataclass(frozen=True)
class YieldTable:
    """A table of expected events.

    Attributes:
        columns: Names of the columns.
        rows: Backgrounds by yield, their total, signals, the total of all, data.
        notes: What has to be known to read it.
    """

    columns: tuple[str, ...]
    rows: tuple[YieldRow, ...]
    notes: tuple[str, ...] = ()

    def text(self, table_format: str) -> str:
        """Return the table as text that ends with a newline.

        Args:
            table_format: One of `TABLE_FORMATS`.

        Raises:
            ResultError: If the format is unknown.
        """
        writers = {"latex": _latex, "markdown": _markdown, "plain": _plain}
        if table_format not in writers:
            raise ResultError(f"no format {table_format!r} for tables, expected one of {', '.join(writers)}")
        return writers[table_format](self)


# ---------------------------------------------------------------------- contents


@dataclass(frozen=True)
class _Source:
    """A column: a channel of a result, how it is drawn, and its name."""

    result: PostfitResult
    yields: ChannelYields
    rule: ChannelRule
    label: str

    @property
    def total(self) -> tuple[float, float]:
        return self._whole("total")

    def _whole(self, name: str) -> tuple[float, float]:
        """Return events and uncertainty, over all bins, of a process or a total."""
        found = self.result.yields.get(f"{self.yields.channel}/{name}")
        if found is None:
            raise ResultError(
                f"the result has no {name!r} of channel {self.yields.channel!r}; make it anew with this version: "
                "pocket-combine postfit CARD -o FILE"
            )
        return found

    def cell(self, processes: Sequence[str]) -> YieldCell | None:
        """Return the sum of processes, with its uncertainty where the result has their correlations."""
        rows = [row for row, process in enumerate(self.yields.processes) if process in processes]
        if not rows:
            return None
        if len(rows) == 1:
            return YieldCell(*self._whole(self.yields.processes[rows[0]]))
        value, covariance = float(self.yields.expected[rows].sum()), self.yields.yield_covariance
        if covariance is None:
            return self._bare(value)
        return YieldCell(value, math.sqrt(max(float(covariance[np.ix_(rows, rows)].sum()), 0.0)))

    def _bare(self, value: float) -> YieldCell:
        """Return a value without uncertainty, with the digits of the total and at least two."""
        exponent = math.floor(math.log10(abs(value))) if value else 0
        return YieldCell(value, None, max(decimals([self.total[1]]), 1 - exponent, 0))

    def data(self) -> YieldCell | None:
        if self.yields.observed is None:
            return None
        edges = self.yields.edges
        hidden = any(bool(((edges[1:] > low) & (edges[:-1] < high)).any()) for low, high in self.rule.blinded)
        return YieldCell(math.nan if hidden else float(self.yields.observed.sum()), None, 0)

    def background(self) -> YieldCell:
        """Return the total without signals."""
        return YieldCell(*self._whole("total_background"))


def yield_table(
    result: PostfitResult,
    channels: Sequence[str] | None = None,
    *,
    prefit: PostfitResult | None = None,
    style: Style = _DEFAULT,
) -> YieldTable:
    """Return expected events and data: a column per channel, a row per process.

    A row of several processes has the uncertainty of their sum, with the correlations of the processes. Totals are with
    bin parameters.

    Args:
        result: Expected events before or after a fit.
        channels: Names of channels; `None` for all.
        prefit: A result that is shown beside it, a column before each.
        style: Names of channels, names and merging of processes, blinded ranges, whose channels show no data.

    Raises:
        ResultError: If there is no such channel.
        StyleError: If a rule adds signals to backgrounds.
    """
    names = [one.channel for one in result.channels] if channels is None else list(channels)
    sources = []
    for name in names:
        rule = style.channel(name)
        if prefit is not None:
            sources.append(_Source(prefit, find_channel(prefit, name), rule, f"{rule.label}, pre-fit"))
        label = str(rule.label) if prefit is None else f"{rule.label}, post-fit"
        sources.append(_Source(result, find_channel(result, name), rule, label))
    rows = _process_rows(sources, style)
    order = {kind: place for place, kind in enumerate(RowKind)}
    rows.append(
        YieldRow("Total background", RowKind.TOTAL_BACKGROUND, tuple(source.background() for source in sources))
    )
    rows.append(YieldRow("Total", RowKind.TOTAL, tuple(YieldCell(*source.total) for source in sources)))
    data = tuple(source.data() for source in sources)
    if any(cell is not None for cell in data):
        rows.append(YieldRow("Data", RowKind.DATA, data))
    rows.sort(key=lambda row: order[row.kind])
    return YieldTable(tuple(source.label for source in sources), tuple(rows), _notes(result, rows, prefit is None))


def _process_rows(sources: Sequence[_Source], style: Style) -> list[YieldRow]:
    """Return the rows of processes, those with most events over all columns first."""
    pairs = {
        process: signal
        for source in sources
        for channel in source.result.channels
        for process, signal in zip(channel.processes, channel.signal, strict=True)
    }
    rows = []
    for group in style.groups(list(pairs), {process for process, signal in pairs.items() if signal}):
        cells = tuple(source.cell(group.members) for source in sources)
        if any(cell is not None for cell in cells):
            rows.append(YieldRow(group.label, RowKind.SIGNAL if group.signal else RowKind.BACKGROUND, cells))
    return sorted(rows, key=lambda row: -sum(cell.value for cell in row.cells if cell is not None))


def _notes(result: PostfitResult, rows: Sequence[YieldRow], alone: bool) -> tuple[str, ...]:
    notes = []
    has_data = any(row.kind is RowKind.DATA for row in rows)
    if alone or not has_data:
        notes.append(f"Expected events, {state_of(result, has_data=has_data)}.")
    if any(
        cell is not None and cell.error is None for row in rows if row.kind is not RowKind.DATA for cell in row.cells
    ):
        notes.append(
            "The result is of an older version, without uncertainties of sums: make it anew, "
            "pocket-combine postfit CARD -o FILE."
        )
    if any(cell is not None and math.isnan(cell.value) for row in rows for cell in row.cells):
        notes.append("Blinded: a part of the channel is blinded.")
    if result.held:
        notes.append(f"Uncertainties are without {', '.join(result.held)}, at the edge of the range.")
    return tuple(notes)


# ---------------------------------------------------------------------- texts


def _cell_text(cell: YieldCell | None, kind: RowKind, plus_minus: str, missing: str) -> str:
    if cell is None:
        return missing
    if math.isnan(cell.value):
        return "blinded"
    if kind is RowKind.DATA:
        return f"{cell.value:.0f}" if cell.value == round(cell.value) else f"{cell.value:.2f}"
    if cell.error is None:
        return fixed(cell.value, cell.digits)
    return plus_minus.join(symmetric(cell.value, cell.error))


_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{letter: f"\\{letter}" for letter in "&%#_{}$"},
}


def _latex_name(label: str) -> str:
    r"""Return a label for LaTeX: mathematics stays as it is, the rest is escaped.

    Examples:
        >>> print(_latex_name("tt_lf & $t\\bar{t}$"), _latex_name(r"a\$b"))
        tt\_lf \& $t\bar{t}$ a\$b
    """
    parts = re.split(r"(?<!\\)\$", label)
    if len(parts) % 2 == 0:
        parts = [label]
    escaped = [
        f"${part}$" if place % 2 else "".join(_SPECIAL.get(letter, letter) for letter in part.replace(r"\$", "$"))
        for place, part in enumerate(parts)
    ]
    return "".join(escaped)


def _latex(table: YieldTable) -> str:
    lines = [f"% {note}" for note in table.notes]
    lines += [f"\\begin{{tabular}}{{l{'r' * len(table.columns)}}}", r"\toprule"]
    lines += [" & ".join(["Process", *(_latex_name(name) for name in table.columns)]) + r" \\", r"\midrule"]
    for row, ruled in _with_rules(table):
        if ruled:
            lines.append(r"\midrule")
        cells = [_cell_text(cell, row.kind, r" \pm ", "--") for cell in row.cells]
        shown = [f"${cell}$" if cell[-1].isdigit() else cell for cell in cells]
        lines.append(" & ".join([_latex_name(row.label), *shown]) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def _with_rules(table: YieldTable) -> list[tuple[YieldRow, bool]]:
    """Return the rows, and whether a line stands before each."""
    parts = [(row.kind in (RowKind.BACKGROUND,), row.kind is RowKind.DATA) for row in table.rows]
    return [(row, place > 0 and parts[place] != parts[place - 1]) for place, row in enumerate(table.rows)]


def _words(table: YieldTable) -> tuple[list[str], list[list[str]]]:
    head = ["Process", *(name.replace(r"\$", "$") for name in table.columns)]
    body = [
        [row.label.replace(r"\$", "$"), *(_cell_text(cell, row.kind, " ± ", "–") for cell in row.cells)]
        for row in table.rows
    ]
    return head, body


def _aligned(line: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [
        text.rjust(width) if place else text.ljust(width)
        for place, (text, width) in enumerate(zip(line, widths, strict=True))
    ]


def _markdown(table: YieldTable) -> str:
    head, body = _words(table)
    cells = [[re.sub(r"([|*])", r"\\\1", text) for text in line] for line in [head, *body]]
    widths = [max(len(line[place]) for line in cells) for place in range(len(head))]
    rule = [("-" * (width - 1) + ":") if place else "-" * width for place, width in enumerate(widths)]
    lines = [_aligned(cells[0], widths), rule, *(_aligned(line, widths) for line in cells[1:])]
    text = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return text + "".join(f"\n{note}\n" for note in table.notes)


def _plain(table: YieldTable) -> str:
    head, body = _words(table)
    widths = [max(len(line[place]) for line in [head, *body]) for place in range(len(head))]
    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    lines = ["  ".join(_aligned(head, widths)), rule]
    for (_, ruled), line in zip(_with_rules(table), body, strict=True):
        lines += [rule] if ruled else []
        lines.append("  ".join(_aligned(line, widths)))
    return "\n".join([*(line.rstrip() for line in lines), *table.notes]) + "\n"
