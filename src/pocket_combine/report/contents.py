"""What a report is made of: sections of sentences, tables and figures, before they become a page.

The rooms of the report meet here: `sections` fill it from results, `page` turns it into HTML. Texts are plain texts;
the page escapes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

__all__ = [
    "Cell",
    "Column",
    "Detail",
    "Figure",
    "Mark",
    "Paragraph",
    "Part",
    "Report",
    "Row",
    "Section",
    "Table",
]


class Mark(Enum):
    """How a section came out."""

    GOOD = "good"
    NOTICE = "notice"
    BAD = "bad"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Paragraph:
    """A text; `code` is shown as it is, in a box that can be copied."""

    text: str
    code: bool = False


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        title: Its head.
        number: Whether cells are numbers: aligned to the right, and sorted as such.
        help: A sentence on what it is.
    """

    title: str
    number: bool = False
    help: str = ""


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes:
        text: What is shown.
        value: What it is sorted by, where that is not the text.
        mark: How it is coloured.
    """

    text: str
    value: float | None = None
    mark: Mark | None = None


@dataclass(frozen=True)
class Row:
    """A row of a table.

    Attributes:
        cells: One per column.
        detail: Key of the `Detail` that a click on the row opens.
    """

    cells: tuple[Cell, ...]
    detail: str | None = None


@dataclass(frozen=True)
class Table:
    """A table, which a click on a head sorts.

    Attributes:
        name: Its anchor in the section or detail, other than those of the other tables there.
        columns: Its columns; the first of texts names the rows.
        rows: Its rows.
        caption: What it shows, above it: the first sentence is its title.
        filterable: Whether, with more than ten rows, it has a field that keeps the rows with a text.
    """

    name: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    caption: str = ""
    filterable: bool = False


@dataclass(frozen=True)
class Figure:
    """A figure.

    Attributes:
        name: Stem of its files in the folder `figures` of the report.
        caption: What it shows, below it.
        alternative: What it shows, for those who do not see it.
        picture: The bytes of a PNG or SVG file.
        media_type: `image/png` or `image/svg+xml`.
    """

    name: str
    caption: str
    alternative: str
    picture: bytes
    media_type: str = "image/png"


Part = Paragraph | Table | Figure


@dataclass(frozen=True)
class Section:
    """A section.

    Attributes:
        name: Its anchor.
        title: Its head.
        lead: The answer in one sentence.
        mark: How it came out.
        parts: What follows.
        command: How to run it alone.
        options: What it was run with, by name.
        seconds: How long that took; `None` where nothing was run.
    """

    name: str
    title: str
    lead: str
    mark: Mark = Mark.GOOD
    parts: tuple[Part, ...] = ()
    command: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    seconds: float | None = None


@dataclass(frozen=True)
class Detail:
    """What opens when a row is clicked: for a nuisance, what it does and the templates that drive it."""

    key: str
    title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Report:
    """A whole report.

    Attributes:
        title: Such as the name of the card.
        blind: Whether nothing in it depends on the observation.
        made: What made it: version, date where one is wanted, hash of the card.
        sections: In the order of the page.
        details: By key.
    """

    title: str
    blind: bool
    made: Mapping[str, str]
    sections: tuple[Section, ...]
    details: Mapping[str, Detail] = field(default_factory=dict)
