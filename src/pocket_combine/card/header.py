"""Phase 1 of a card: everything up to and including the `rate` row.

Combine looks at the first word of a line only; lines that begin with another word are text for the reader. Nothing is
cut at `#` here: what follows becomes words of the line.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from pocket_combine.card.columns import HeaderLines, make_columns
from pocket_combine.card.draft import Draft, Placed
from pocket_combine.card.lexical import BEGINS_WITH_DIGIT, read_integer, read_number, shown
from pocket_combine.card.model import FAKE, ShapeRule
from pocket_combine.errors import counted

__all__ = ["read_header"]

_KEYWORDS = ("imax", "jmax", "kmax", "shapes", "observation", "Observation", "bin", "process", "rate")


def read_header(lines: Sequence[str], draft: Draft) -> int:
    """Read phase 1 into `draft` and return the number of lines that belong to it."""
    header = HeaderLines(draft)
    last = len(lines)
    for number, text in enumerate(lines, start=1):
        words = text.split()
        if not words:
            continue
        _read_line(header, number, words)
        if header.rates is not None:
            last = number
            break
    draft.rate_line = last
    make_columns(header)
    return last


def _read_line(header: HeaderLines, number: int, words: list[str]) -> None:
    keyword = words[0]
    if keyword in ("imax", "jmax", "kmax"):
        _count(header, number, words)
    elif keyword == "shapes":
        _shapes(header, number, words)
    elif keyword in ("observation", "Observation"):
        _observation(header, number, words[1:])
    elif keyword == "bin":
        _bin(header, number, words[1:])
    elif keyword == "process":
        _process(header, number, words[1:])
    elif keyword == "rate":
        header.rates = Placed(number, words[1:])
    else:
        _suspect(header, number, words)


def _suspect(header: HeaderLines, number: int, words: Sequence[str]) -> None:
    """Keep a line that Combine ignores but that looks like a mistyped keyword."""
    word = words[0].lstrip("\ufeff").rstrip(":=")
    if len(words) < 2 or len(word) > 20:
        return
    match = difflib.get_close_matches(word.lower(), _KEYWORDS, n=1, cutoff=0.8)
    if match or word in _KEYWORDS:
        meant = match[0] if match else word
        header.suspects.append((number, words[0]))
        header.draft.notes.warn(
            "ignored-line",
            number,
            f"the line begins with {shown(words[0])} and is ignored, like any text above the rate row",
            f"write {meant!r} if that is what it is meant to be",
        )


def _count(header: HeaderLines, number: int, words: Sequence[str]) -> None:
    keyword = words[0]
    if len(words) < 2:
        header.problem(number, f"{keyword} without a number, expected an integer or *")
        return
    if words[1] == "*":
        count = None
    else:
        try:
            count = read_integer(words[1])
        except ValueError as error:
            header.problem(number, f"{keyword}: {error}, expected an integer or *")
            return
        if count == -1 and keyword != "jmax":  # what * stands for in Combine; of jmax it is one more
            count = None
        elif count < 0:
            header.problem(number, f"{keyword}: {count} is negative, expected an integer of at least 0 or *")
            return
    placed = None if count is None else Placed(number, count)
    if keyword == "imax":
        header.channel_count = placed
    elif keyword == "jmax":
        header.process_count = placed
    else:
        header.draft.declared_nuisances = placed


def _shapes(header: HeaderLines, number: int, words: Sequence[str]) -> None:
    form = "expected 'shapes PROCESS CHANNEL FILE TEMPLATE [VARIED_TEMPLATE]' or 'shapes PROCESS CHANNEL FAKE'"
    if len(words) < 4:
        header.problem(number, f"a shapes line of {len(words)} words, {form}")
        return
    process, channel, path, *names = words[1:]
    if path == FAKE and names:
        header.problem(number, f"{FAKE} takes no template names, found {shown(names[0])}; {form}")
        return
    if path != FAKE and not names:
        header.problem(number, f"a shapes line without the name of a template, {form}")
        return
    first = header.shape_lines.setdefault((process, channel), number)
    if first != number:
        header.problem(number, f"shapes of process {process}, channel {channel} are already given in line {first}")
        return
    if len(names) > 2 and not names[2].startswith("#"):
        header.draft.notes.warn("extra-words", number, f"words from {shown(names[2])} on are ignored")
    nominal, systematic = (*names, "", "")[:2]
    if systematic.startswith("#"):
        header.draft.notes.warn(
            "comment-as-word",
            number,
            f"{shown(systematic)} is the name of the varied templates: nothing is cut at '#' above the rate row",
            "put the comment into a line of its own",
        )
    header.draft.shapes.append(Placed(number, ShapeRule(process, channel, path, nominal, systematic)))


def _observation(header: HeaderLines, number: int, words: Sequence[str]) -> None:
    if header.draft.observation is not None:
        first = header.draft.observation.line
        header.problem(number, f"a second observation line; the first is line {first}")
        return
    numbers = []
    for position, word in enumerate(words, start=1):
        try:
            numbers.append(read_number(word))
        except ValueError as error:
            hint = "; nothing is cut at '#' here, put the comment into a line of its own" if "#" in word else ""
            header.problem(number, f"observation {position}: {error}{hint}")
            if hint:
                return
            numbers.append(0.0)
    header.draft.observation = Placed(number, numbers)
    bins, header.bins = header.bins, None
    if bins is None:
        return
    header.observed_channels = bins
    if len(bins.value) != len(numbers):
        header.problem(
            number,
            f"{counted(len(numbers), 'observation')} for the {counted(len(bins.value), 'channel')} "
            f"of the bin line above (line {bins.line})",
        )


def _bin(header: HeaderLines, number: int, words: list[str]) -> None:
    for word in dict.fromkeys(words):
        if BEGINS_WITH_DIGIT.match(word):
            header.problem(number, f"channel {shown(word)} begins with a digit, which Combine refuses; prefix a letter")
    header.bins = Placed(number, words)


def _process(header: HeaderLines, number: int, words: list[str]) -> None:
    if header.names is not None:
        if header.ids is None:
            header.ids, header.column_bins = Placed(number, words), header.bins
        else:
            lines = f"{header.names.line} and {header.ids.line}"
            header.problem(number, f"a third process line; names and integers are in lines {lines}")
        return
    header.names = Placed(number, words)
    if header.bins is None:
        header.problem(
            number, "no bin line for the columns above the process line; expected the channel of each column"
        )
    elif len(header.bins.value) != len(words):
        header.problem(
            number,
            f"{counted(len(words), 'process', 'processes')} for the {counted(len(header.bins.value), 'channel')} "
            f"of the bin line above (line {header.bins.line})",
        )
