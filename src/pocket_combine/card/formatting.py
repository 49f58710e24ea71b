"""Card → the same card with aligned columns: only blanks change, comments and the order of lines stay.

Text that the writer produced stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pocket_combine.card.cells import ARGUMENT_NAMES, is_kind
from pocket_combine.card.options import CardOptions
from pocket_combine.card.parser import parse_card

__all__ = ["format_card"]

_GAP = "  "
_COUNTS = ("imax", "jmax", "kmax")
_HEADER = (*_COUNTS, "shapes", "observation", "Observation", "bin", "process", "rate")
_SHAPES_WORDS = 6
_DEFAULTS = CardOptions()


@dataclass(frozen=True)
class _Line:
    """A line of the card.

    Attributes:
        cells: Its words, those of a table in columns.
        table: Name of the table that it is aligned with; empty for a line of its own.
        tail: What follows: a comment, or words that Combine ignores.
    """

    cells: tuple[str, ...]
    table: str = ""
    tail: str = ""


def format_card(text: str, *, source: str = "<text>", options: CardOptions = _DEFAULTS) -> str:
    r"""Return a card with its columns aligned.

    The words of every line stay as they are, and so do comments, rulers and other lines without a meaning.

    Args:
        text: The text of the card.
        source: What messages call it, usually its file.
        options: What is accepted in the card.

    Raises:
        CardError: If the card cannot be read.

    Examples:
        >>> print(format_card('''\
        ... bin SR
        ... observation   25
        ... # expected events
        ... bin SR SR
        ... process signal background
        ... process 0 1
        ... rate 3.2 21
        ... lumi lnN 1.016 1.016 # integrated luminosity
        ... background_norm lnN - 1.1
        ... '''), end="")
        bin          SR
        observation  25
        # expected events
        bin                   SR      SR
        process               signal  background
        process               0       1
        rate                  3.2     21
        lumi             lnN  1.016   1.016       # integrated luminosity
        background_norm  lnN  -       1.1
    """
    columns = len(parse_card(text, source=source, options=options).columns)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").rstrip().split("\n")
    last = next(number for number, line in enumerate(lines) if line.split()[:1] == ["rate"])
    entries = [*_header_lines(lines[: last + 1]), *(_body_line(line, columns) for line in lines[last + 1 :])]
    widths: dict[str, list[int]] = {}
    for entry in entries:
        if entry.table:
            known = widths.setdefault(entry.table, [])
            known += [0] * (len(entry.cells) - len(known))
            known[: len(entry.cells)] = map(max, known, map(len, entry.cells))
    return "".join(f"{_written(entry, widths)}\n" for entry in entries)


def _header_lines(lines: Sequence[str]) -> Iterator[_Line]:
    keywords = [next(iter(line.split()), "") for line in lines]
    for number, (line, keyword) in enumerate(zip(lines, keywords, strict=True)):
        words = line.split()
        if keyword not in _HEADER:
            yield _Line((line.rstrip(),))
        elif keyword in _COUNTS:
            yield _Line((*words[:2], *line.split(maxsplit=2)[2:]))
        elif keyword == "shapes":
            tail = "".join(line.rstrip().split(maxsplit=_SHAPES_WORDS)[_SHAPES_WORDS:])
            yield _Line(tuple(words[:_SHAPES_WORDS]), "shapes", tail)
        elif keyword.lower() == "observation" or _belongs_to_observation(keyword, keywords[number + 1 :]):
            yield _Line(tuple(words), "observation")
        else:
            yield _Line((keyword, "", *words[1:]), "columns")


def _belongs_to_observation(keyword: str, following: Sequence[str]) -> bool:
    """Return whether a line is the `bin` line of the observations, by the keywords of the lines that follow."""
    if keyword != "bin":
        return False
    next_one = next((word for word in following if word in ("process", "rate", "observation", "Observation")), "")
    return next_one.lower() == "observation"


def _body_line(line: str, columns: int) -> _Line:
    start = line.find("#")
    words = (line[:start] if start > 0 else line).split()
    if line.startswith(("#", "--")) or len(words) < 2:
        return _Line((line.rstrip(),))
    name, kind = words[:2]
    if kind == "edit" or not is_kind(kind):
        return _Line((" ".join(words),), "", line[start:].rstrip() if start > 0 else "")
    arguments = 2 + len(ARGUMENT_NAMES.get(kind, ()))
    count = arguments + columns
    tail = "".join(line.rstrip().split(maxsplit=count)[count:]) if len(words) > count else ""
    if not tail and start > 0:
        tail = line[start:].rstrip()
    return _Line((name, " ".join(words[1:arguments]), *words[arguments:count]), "columns", tail)


def _written(line: _Line, widths: dict[str, list[int]]) -> str:
    if not line.table:
        return _with_tail(" ".join(line.cells), line.tail)
    known = widths[line.table]
    written = _GAP.join(map(str.ljust, line.cells, known))
    return _with_tail(written, line.tail) if line.tail else written.rstrip()


def _with_tail(text: str, tail: str) -> str:
    return f"{text}{_GAP}{tail}" if tail else text
