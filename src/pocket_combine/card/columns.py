"""The columns of a card, from the lines up to and including the `rate` row."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pocket_combine.card.draft import Draft, Placed
from pocket_combine.card.lexical import read_integer, read_number, shown, word_problem
from pocket_combine.card.model import Column, repeated
from pocket_combine.errors import counted

__all__ = ["HeaderLines", "make_columns"]

_INTEGER_LIKE = re.compile(r"-?[0-9]+")


@dataclass
class HeaderLines:
    """The lines of phase 1 as Combine keeps them while it reads.

    Attributes:
        draft: What is filled.
        channel_count: The number after `imax`.
        process_count: The number after `jmax`.
        bins: Words of the last `bin` line that no `observation` line has used.
        observed_channels: Words of the `bin` line above the `observation` line.
        names: Words of the first `process` line.
        ids: Words of the second `process` line.
        column_bins: Words of the `bin` line above the `process` lines.
        rates: Words of the `rate` line.
        shape_lines: Line of each `shapes` line, by process and channel.
        suspects: Lines that look like a mistyped keyword: number and first word.
        broken: Whether there was a problem.
    """

    draft: Draft
    channel_count: Placed[int] | None = None
    process_count: Placed[int] | None = None
    bins: Placed[list[str]] | None = None
    observed_channels: Placed[list[str]] | None = None
    names: Placed[list[str]] | None = None
    ids: Placed[list[str]] | None = None
    column_bins: Placed[list[str]] | None = None
    rates: Placed[list[str]] | None = None
    shape_lines: dict[tuple[str, str], int] = field(default_factory=dict)
    suspects: list[tuple[int, str]] = field(default_factory=list)
    broken: bool = False

    def problem(self, line: int, message: str) -> None:
        """Note a problem, after which the columns cannot be trusted."""
        self.broken = True
        self.draft.notes.problem(line, message)


def make_columns(header: HeaderLines) -> None:
    """Fill channels, columns and rates of the draft, or note why that is impossible."""
    bins, names, ids, rates = header.column_bins, header.names, header.ids, header.rates
    if bins is None or names is None or ids is None or rates is None:
        _report_missing(header)
        return
    if header.broken:
        return
    if len(ids.value) != len(names.value):
        header.problem(
            ids.line,
            f"{counted(len(ids.value), 'word')} in the second process line, "
            f"{len(names.value)} in the first (line {names.line})",
        )
        return
    if len(bins.value) != len(names.value):
        header.problem(
            bins.line, f"{counted(len(bins.value), 'channel')} for the {len(names.value)} columns of line {names.line}"
        )
        return
    if not names.value:
        header.problem(names.line, "a card without columns, expected at least one process in one channel")
        return
    if _INTEGER_LIKE.match(names.value[0]) and not _INTEGER_LIKE.match(ids.value[0]):
        names, ids = ids, names
    columns = []
    for index, (channel, process, word) in enumerate(zip(bins.value, names.value, ids.value, strict=True), start=1):
        process_id = 0
        try:
            process_id = read_integer(word)
        except ValueError as error:
            header.problem(ids.line, f"column {index} (channel {channel}, process {process}): {error}")
        columns.append(Column(channel, process, process_id, 0.0))
    header.draft.columns = columns
    if not header.broken:
        _check_processes(header, names.line, ids.line)
    _set_channels(header, bins)
    _read_rates(header, rates)
    header.draft.complete = not header.broken


def _report_missing(header: HeaderLines) -> None:
    if header.broken and header.rates is not None:
        return  # what is missing follows from the problems above
    parts = {
        "the bin line of the columns": header.column_bins or header.bins,
        "the process line with names": header.names,
        "the process line with integers": header.ids,
        "the rate line": header.rates,
    }
    missing = [what for what, part in parts.items() if part is None]
    hints = "".join(f"; line {line} begins with {shown(word)}" for line, word in header.suspects[:3])
    verb = "is" if len(missing) == 1 else "are"
    header.problem(header.draft.rate_line, f"{', '.join(missing)} {verb} missing{hints}")


def _set_channels(header: HeaderLines, bins: Placed[list[str]]) -> None:
    appearance = list(dict.fromkeys(bins.value))
    observed = header.observed_channels
    draft = header.draft
    if observed is not None:
        draft.channels = list(dict.fromkeys(observed.value))
        twice = repeated(observed.value)
        for channel in twice:
            header.problem(observed.line, f"channel {channel} occurs twice")
        if twice:
            return
        known = set(observed.value)
        for channel in appearance:
            if channel not in known:
                hint = draft.notes.hint(channel, draft.channels)
                header.problem(bins.line, f"channel {shown(channel)} is not in line {observed.line}{hint}")
    else:
        draft.channels = appearance
        if draft.observation is not None and len(draft.observation.value) != len(appearance):
            header.problem(
                draft.observation.line,
                f"{counted(len(draft.observation.value), 'observation')} "
                f"for {counted(len(appearance), 'channel')}: {', '.join(appearance[:8])}",
            )
    declared = header.channel_count
    if declared is not None and declared.value != len(draft.channels):
        found = counted(len(draft.channels), "channel")
        header.problem(declared.line, f"imax {declared.value}, but the card has {found}")
    for channel in draft.channels:
        _check_channel_name(header, bins.line, channel)


def _check_channel_name(header: HeaderLines, line: int, channel: str) -> None:
    problem = word_problem("channel", channel)
    if problem:
        header.problem(line, problem)
    elif "AND" in channel:
        header.draft.notes.warn(
            "channel-name",
            line,
            f"channel {channel} holds 'AND', where combineCards.py splits names",
            "rename the channel before cards with rate parameters are combined",
        )


def _check_processes(header: HeaderLines, names_line: int, ids_line: int) -> None:
    columns = header.draft.columns
    for channel, process in repeated([(column.channel, column.process) for column in columns]):
        header.problem(names_line, f"process {process} occurs twice in channel {channel}")
    classes: dict[str, Column] = {}
    for column in columns:
        first = classes.setdefault(column.process, column)
        if first.is_signal != column.is_signal:
            header.problem(
                ids_line,
                f"process {column.process} is a {_class(first)} in channel {first.channel} "
                f"and a {_class(column)} in channel {column.channel}",
            )
    for process in classes:
        problem = word_problem("process", process)
        if problem:
            header.problem(names_line, problem)
    declared = header.process_count
    if declared is not None and declared.value != len(classes) - 1:
        found = counted(len(classes), "process", "processes")
        header.problem(
            declared.line, f"jmax {declared.value}, but the card has {found}, expected jmax {len(classes) - 1}"
        )


def _class(column: Column) -> str:
    return f"{'signal' if column.is_signal else 'background'} ({column.process_id})"


def _read_rates(header: HeaderLines, rates: Placed[list[str]]) -> None:
    columns = header.draft.columns
    if len(rates.value) != len(columns):
        found = f"{counted(len(rates.value), 'rate')} for {counted(len(columns), 'column')}"
        header.problem(rates.line, found + _comment_hint(rates.value))
        return
    for index, (column, word) in enumerate(zip(columns, rates.value, strict=True)):
        place = f"column {index + 1} ({column.place})"
        try:
            columns[index] = replace(column, rate=read_number(word))
        except ValueError as error:
            header.problem(rates.line, f"{place}: rate: {error}")
            continue
        if columns[index].rate < 0 and columns[index].rate != -1:
            header.problem(
                rates.line,
                f"{place}: rate {shown(word)} is negative, "
                "expected a number of at least 0, or -1 for the integral of the template",
            )


def _comment_hint(words: Sequence[str]) -> str:
    if any("#" in word for word in words):
        return "; nothing is cut at '#' here, put the comment into a line of its own"
    return ""
