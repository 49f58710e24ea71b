"""Text → card: every line is understood, or refused with its number.

A card is read in two phases, as Combine reads it: the header up to the `rate` row, where lines that begin with an
unknown word are text, and the rows below, where `#` begins a comment and every line has a meaning.
"""

from __future__ import annotations

import gzip
import os
import sys
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from pocket_combine.card.cells import KINDS, CellReader, is_kind
from pocket_combine.card.closing import close
from pocket_combine.card.directives import read_auto_mc_stats, read_group
from pocket_combine.card.draft import Draft, Notes
from pocket_combine.card.edits import read_edit
from pocket_combine.card.header import read_header
from pocket_combine.card.lexical import BEGINS_WITH_DIGIT, shown, word_problem
from pocket_combine.card.model import Card, Channel, Group, Nuisance
from pocket_combine.card.options import CardOptions
from pocket_combine.card.parameters import read_constr, read_ext_arg, read_flat_param, read_param, read_rate_param
from pocket_combine.card.rows import read_row
from pocket_combine.card.writable import problems_of
from pocket_combine.errors import CardError
from pocket_combine.findings import Finding
from pocket_combine.io.paths import why_unreadable

__all__ = [
    "CardOptions",
    "ParsedCard",
    "parse_card",
    "parse_card_with_findings",
    "read_card",
    "read_card_with_findings",
]

_DEFAULTS = CardOptions()
_LARGEST = 1 << 29  # bytes; the largest combinations have some ten million


@dataclass(frozen=True)
class ParsedCard:
    """A card, with what was noticed while reading it.

    Attributes:
        card: The card.
        findings: What was noticed, in the order of the lines.
        source: What messages call the card: its file.
        text: The text that was read.
    """

    card: Card
    findings: tuple[Finding, ...]
    source: str
    text: str


def parse_card(text: str, *, source: str = "<text>", options: CardOptions = _DEFAULTS) -> Card:
    r"""Return the card that a text stands for.

    Args:
        text: The text.
        source: What messages call it, usually its file.
        options: What is accepted.

    Raises:
        CardError: If Combine would refuse the card, or if it needs what is not read here (RooFit workspaces, tables).
            All problems are reported together, each beginning with `source:line:`.

    Examples:
        >>> card = parse_card('''
        ... bin          SR
        ... observation  25
        ... bin          SR      SR
        ... process      signal  background
        ... process      0       1
        ... rate         3.2     21
        ... lumi    lnN  1.016   -            # integrated luminosity
        ... SF rateParam SR background 1 [0,5]
        ... ''')
        >>> card.nuisances[0].name, card.nuisances[0].effects
        ('lumi', (1.016, None))
        >>> parse_card("bin SR\nprocess signal\nrate 1", source="card.txt")
        Traceback (most recent call last):
        pocket_combine.errors.CardError: card.txt:3: the process line with integers is missing
    """
    return parse_card_with_findings(text, source=source, options=options).card


def parse_card_with_findings(text: str, *, source: str = "<text>", options: CardOptions = _DEFAULTS) -> ParsedCard:
    """Return a card with what was noticed: cells beyond the last column, ignored lines, idle nuisances, ….

    Args:
        text: The text.
        source: What messages call it, usually its file.
        options: What is accepted.

    Raises:
        CardError: As `parse_card`.

    Examples:
        >>> parsed = parse_card_with_findings('''
        ... obsevation 25
        ... bin          SR      SR
        ... process      signal  background
        ... process      0       1
        ... rate         3.2     21
        ... ''')
        >>> [finding.code for finding in parsed.findings]
        ['ignored-line']
    """
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise CardError(f"{source}:{line}: holds a zero byte: this is no text file")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    draft = Draft(Notes(source))
    first = read_header(lines, draft)
    _read_rows(lines, first, draft)
    if draft.complete:
        close(draft, options)
    draft.notes.raise_problems()
    card = _card(draft)
    strange = problems_of(card)
    if strange:  # words that are harmless to Combine but could not be written again
        raise CardError([f"{source}: {problem}" for problem in strange])
    return ParsedCard(card, draft.notes.ordered_findings(), source, text)


def read_card(path: str | os.PathLike[str] | TextIO, *, options: CardOptions = _DEFAULTS) -> Card:
    """Return the card in a file.

    Args:
        path: A file, compressed if it ends in `.gz`; `-` for standard input; or an open text file.
        options: What is accepted.

    Raises:
        CardError: As `parse_card`, or if the file cannot be read or is no text.

    Examples:
        >>> read_card("no_such_card.txt")
        Traceback (most recent call last):
        pocket_combine.errors.CardError: no_such_card.txt: no such file
    """
    return read_card_with_findings(path, options=options).card


def read_card_with_findings(path: str | os.PathLike[str] | TextIO, *, options: CardOptions = _DEFAULTS) -> ParsedCard:
    """Return the card in a file with what was noticed; see `read_card` and `parse_card_with_findings`.

    Args:
        path: A file, compressed if it ends in `.gz`; `-` for standard input; or an open text file.
        options: What is accepted.

    Raises:
        CardError: As `read_card`.
    """
    source, text = _read_text(path)
    return parse_card_with_findings(text, source=source, options=options)


def _read_text(path: str | os.PathLike[str] | TextIO) -> tuple[str, str]:
    if isinstance(path, str) and path == "-":
        return "<stdin>", _decode("<stdin>", sys.stdin.buffer.read(_LARGEST + 1))
    if not isinstance(path, (str, os.PathLike)):
        return str(getattr(path, "name", "<stream>")), path.read()
    source = os.fspath(path)
    try:
        with gzip.open(path, "rb") if Path(path).suffix == ".gz" else Path(path).open("rb") as stream:
            content = stream.read(_LARGEST + 1)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise CardError(f"{source}: {why_unreadable(path, error)}") from error
    return source, _decode(source, content)


_NO_CARDS = {
    b"root\0": "a ROOT file, which a card names in a shapes line",
    b"{": "JSON, as results are",
    b"\x04\x22\x4d\x18": "an output of PocketCoffea, of which `pocket-combine build` makes cards",
}
"""How files begin that are given in place of cards."""


def _decode(source: str, content: bytes) -> str:
    if len(content) > _LARGEST:
        raise CardError(f"{source}: holds more than {_LARGEST} bytes, which no card does")
    other = next((what for begin, what in _NO_CARDS.items() if content.lstrip().startswith(begin)), None)
    if other:
        raise CardError(f"{source}: is {other}; expected the text of a datacard")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = f"0x{content[error.start]:02x}"
        raise CardError(
            f"{source}:{line}: byte {found} is not UTF-8: this is no text file, or one in another encoding, to be "
            "saved as UTF-8"
        ) from None


_Reader = Callable[[Draft, int, str, Sequence[str]], None]

_READERS: dict[str, _Reader] = {
    "param": read_param,
    "flatParam": read_flat_param,
    "extArg": read_ext_arg,
    "rateParam": read_rate_param,
    "constr": read_constr,
    "group": read_group,
    "autoMCStats": read_auto_mc_stats,
}


def _read_rows(lines: Sequence[str], first: int, draft: Draft) -> None:
    """Read everything below the `rate` row; `first` is the number of lines up to it."""
    cells: dict[str, CellReader] = {}
    for number, text in enumerate(lines[first:], start=first + 1):
        if text.startswith(("--", "#")):
            continue
        end = text.find("#")
        words = (text[:end] if end > 0 else text).split()
        if len(words) > 1:
            known = len(draft.notes.problems)
            _read_words(draft, number, words, cells)
            if len(draft.notes.problems) > known:
                draft.unread.add(words[0])
        elif words and words[0].strip("-"):
            draft.notes.warn("ignored-line", number, f"a line of one word, {shown(words[0])}, is ignored")


def _read_words(draft: Draft, line: int, words: list[str], cells: dict[str, CellReader]) -> None:
    name, kind = words[:2]
    if BEGINS_WITH_DIGIT.match(name):
        name = f"theta{name}"
    problem = word_problem("the name", name)
    if kind == "edit":
        read_edit(draft, line, words[1:])
    elif problem:
        draft.notes.problem(line, problem)
    elif is_kind(kind):
        read_row(draft, line, name, words[1:], cells)
    elif kind in _READERS:
        _READERS[kind](draft, line, name, words[1:])
    else:
        _refuse(draft, line, words)


def _refuse(draft: Draft, line: int, words: Sequence[str]) -> None:
    name, kind = words[:2]
    if kind == "discrete":
        message = f"{name} discrete selects a RooFit pdf: parametric cards are not read"
    else:
        known = (*KINDS, *_READERS, "edit")
        message = f"{shown(name)}: unknown kind {shown(kind)}{draft.notes.hint(kind, known)}"
        if name in ("bin", "process", "rate", "observation", "shapes", "imax", "jmax", "kmax"):
            message = f"a line {name} below the rate row, which ends the header"
    draft.notes.problem(line, message)


def _card(draft: Draft) -> Card:
    numbers: Sequence[float | None] = [None] * len(draft.channels)
    if draft.observation is not None:
        numbers = draft.observation.value
    return Card(
        channels=tuple(Channel(name, number) for name, number in zip(draft.channels, numbers, strict=True)),
        columns=tuple(draft.columns),
        shapes=tuple(placed.value for placed in draft.shapes),
        nuisances=tuple(
            Nuisance(row.name, row.kind, tuple(row.effects), row.arguments, row.no_float, row.template_name)
            for row in draft.rows
        ),
        parameters=tuple(placed.value for placed in draft.parameters),
        external_arguments=tuple(placed.value for placed in draft.external_arguments.values()),
        flat_parameters=tuple(draft.flat_parameters),
        rate_parameters=tuple(placed.value for placed in draft.rate_parameters),
        constraints=tuple(placed.value for placed in draft.constraints),
        groups=tuple(Group(name, tuple(members)) for name, members in draft.group_members.items()),
        mc_stats=tuple(placed.value for placed in draft.mc_stats),
        frozen=tuple(draft.frozen),
    )
