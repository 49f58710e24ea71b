"""A report as one HTML file that needs nothing else: no network, no other file, no font."""

from __future__ import annotations

import base64
import functools
import hashlib
import logging
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import groupby
from typing import TYPE_CHECKING, Any

from pocket_combine.errors import DeclarationError, MissingDependencyError
from pocket_combine.report.contents import Cell, Column, Figure, Mark, Part, Report, Table
from pocket_combine.report.pictures import picture_of

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

__all__ = ["anchor", "detail_anchor", "render", "require_templates", "sort_value"]

_logger = logging.getLogger(__name__)

_GLYPHS = {Mark.GOOD: "✓", Mark.NOTICE: "!", Mark.BAD: "✗", Mark.SKIPPED: "–"}
"""Beside the word: a mark is never told by its colour alone."""

_KEPT = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-")

# What HTML cannot hold (WHATWG HTML, "control characters"), and what UTF-8 cannot encode.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")

# A sign, digits with or without separators of thousands, a fraction, a power of ten; then what may follow a number.
_NUMBER = re.compile(
    r"[<>≤≥~≈]?\s*(?P<number>[-+−]?(?:\d{1,3}(?:[,\u00a0\u202f\u2009]\d{3})+|\d+)?(?:\.\d*)?(?:[eE][-+−]?\d+)?)"
    r"(?=$|[%±/(]|\s+[^\s\d×·])"
)

_OPTION = re.compile(r"(?<!\S)(--?[A-Za-z][\w-]*)")


def render(report: Report) -> str:
    """Return the page of a report: HTML that is whole in itself, the same for the same report.

    Args:
        report: The report. Its texts may hold anything: they are escaped.

    Raises:
        DeclarationError: If the report contradicts itself: names that occur twice, rows with too few cells or with a
            detail that is not there, pictures that are none.
        MissingDependencyError: If Jinja is not installed.

    Examples:
        >>> page = render(Report("ttH", blind=True, made={"pocket_combine": "0.1.0"}, sections=()))
        >>> page.startswith("<!DOCTYPE html>"), "<title>ttH" in page
        (True, True)
    """
    problems = list(_problems(report))
    if problems:
        raise DeclarationError([f"report {report.title!r}: {problem}" for problem in problems])
    page = _environment().get_template("page.html.j2").render(report=report)
    _logger.info(
        "page of %s: %.1f MB, %d sections, %d details",
        report.title,
        len(page.encode()) / 1e6,
        len(report.sections),
        len(report.details),
    )
    return page


def require_templates() -> None:
    """Do nothing if pages can be made.

    Raises:
        MissingDependencyError: If Jinja is not installed.
    """
    _environment()


def anchor(name: str) -> str:
    """Return the `id` of what has a name: no two names have the same, and it stands in an address as it is.

    Examples:
        >>> anchor("CMS_scale_j"), anchor("a b/~")
        ('CMS_scale_j', 'a~20b~2f~7e')
    """
    encoded = name.encode("utf-8", "surrogatepass")
    return "".join(chr(byte) if byte in _KEPT else f"~{byte:02x}" for byte in encoded)


def detail_anchor(key: str) -> str:
    """Return the `id` of a detail, after the `#` of an address that opens it.

    Examples:
        >>> detail_anchor("CMS_scale_j")
        'detail/CMS_scale_j'
    """
    return f"detail/{anchor(key)}"


def sort_value(cell: Cell, column: Column) -> float | None:
    """Return the number that a cell is sorted by, `None` where it is sorted by its text or has no number.

    A cell of numbers without a `value` is read: its sign, digits and power of ten, up to a unit or an uncertainty.

    Examples:
        >>> pull = Column("pull", number=True)
        >>> [sort_value(Cell(text), pull) for text in ("−1.5", "1,200.5 ± 3", "2e-3", "–", "12 %")]
        [-1.5, 1200.5, 0.002, None, 12.0]
        >>> sort_value(Cell("small", value=0.1), Column("size"))
        0.1
    """
    value = cell.value
    if value is None and column.number:
        value = _read_number(cell.text)
    return None if value is None or math.isnan(value) else float(value)


def _read_number(text: str) -> float | None:
    found = _NUMBER.match(text.strip())
    digits = re.sub(r"[,\u00a0\u202f\u2009]", "", found["number"].replace("−", "-")) if found else ""
    try:
        return float(digits)
    except ValueError:
        return None


@dataclass(frozen=True)
class _Asset:
    """A style or a program inside of the page, with the hash by which the page allows it and nothing else."""

    text: Markup
    permission: str


def _asset(name: str) -> _Asset:
    from markupsafe import Markup  # noqa: PLC0415  # comes with Jinja, an extra

    text = (resources.files("pocket_combine.report") / "templates" / name).read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
    # A file of the package: nothing that a user wrote is in it.
    return _Asset(Markup(text), f"'sha256-{digest}'")  # noqa: S704


@functools.cache
def _environment() -> Environment:
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415  # an extra
    except ImportError as error:
        raise MissingDependencyError(
            "the page of a report needs Jinja, which is not installed: pip install 'pocket-combine[plot]'"
        ) from error
    environment = Environment(
        loader=PackageLoader("pocket_combine.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals.update(
        style=_asset("page.css"),
        program=_asset("page.js"),
        glyphs=_GLYPHS,
        marks=tuple(Mark),
        detail_anchor=detail_anchor,
    )
    environment.filters.update(
        anchor=anchor,
        breakable=_breakable,
        code=_code,
        duration=_duration,
        has_long_names=_has_long_names,
        head_column=_head_column,
        picture=lambda figure: picture_of(figure.picture, figure.media_type),
        runs=_runs,
        sort_text=_sort_text,
    )
    environment.tests["table"] = lambda part: isinstance(part, Table)
    return environment


def _printable(value: Any) -> Any:
    """Replace what a page cannot hold in a text that goes into it."""
    return _UNPRINTABLE.sub("\ufffd", value) if type(value) is str else value


def _breakable(text: str) -> Markup:
    """Return a text, escaped, whose long names may be broken after an underscore."""
    from markupsafe import Markup  # noqa: PLC0415  # comes with Jinja, an extra

    return Markup("_<wbr>").join(_printable(text).split("_"))


def _code(text: str) -> Markup:
    """Return commands, escaped: each line stands by itself, and none is broken after a hyphen of an option."""
    from markupsafe import Markup  # noqa: PLC0415  # comes with Jinja, an extra

    line = Markup('<span class="line">{}</span>')
    return Markup().join(line.format(_command(each)) for each in _printable(text).splitlines(keepends=True))


def _command(text: str) -> Markup:
    from markupsafe import Markup, escape  # noqa: PLC0415  # comes with Jinja, an extra

    whole = Markup('<span class="whole">{}</span>')
    pieces = _OPTION.split(text)
    return Markup().join(whole.format(piece) if place % 2 else escape(piece) for place, piece in enumerate(pieces))


def _duration(seconds: float) -> str:
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 3599.5:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes} min {rest} s" if minutes else f"{rest} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min"


def _runs(parts: Iterable[Part]) -> list[tuple[bool, list[Part]]]:
    """Return parts in their order, with figures that follow each other together: they stand side by side."""
    return [(figures, list(run)) for figures, run in groupby(parts, key=lambda part: isinstance(part, Figure))]


def _head_column(table: Table) -> int:
    """Return the place of the column that names the rows: the first of texts, or else the first."""
    return next((place for place, column in enumerate(table.columns) if not column.number), 0)


def _has_long_names(table: Table) -> bool:
    """Return whether names of rows are so long that they must be broken on a phone."""
    place = _head_column(table)
    return any(len(row.cells[place].text) > 22 for row in table.rows)


def _sort_text(cell: Cell, column: Column) -> str | None:
    """Return the number that a cell is sorted by as JavaScript reads it."""
    value = sort_value(cell, column)
    if value is None:
        return None
    return repr(value) if math.isfinite(value) else f"{'-' if value < 0 else ''}Infinity"


def _problems(report: Report) -> Iterator[str]:
    """Yield what contradicts itself in a report."""
    yield from _repeated("", "sections", [section.name for section in report.sections])
    for section in report.sections:
        yield from _problems_of_parts(f"section {section.name!r}", section.parts, report)
    for key, detail in report.details.items():
        if detail.key != key:
            yield f"detail {detail.key!r} is kept under the key {key!r}"
        yield from _problems_of_parts(f"detail {key!r}", detail.parts, report)


def _problems_of_parts(place: str, parts: Sequence[Part], report: Report) -> Iterator[str]:
    tables = [part for part in parts if isinstance(part, Table)]
    yield from _repeated(f"{place}: ", "tables", [table.name for table in tables])
    for table in tables:
        for number, row in enumerate(table.rows, start=1):
            where = f"{place}: table {table.name!r}: row {number}"
            if len(row.cells) != len(table.columns):
                yield f"{where} has {len(row.cells)} cells, expected {len(table.columns)}, one per column"
            if row.detail is not None and row.detail not in report.details:
                yield f"{where} opens the detail {row.detail!r}, which is not there"
    for figure in (part for part in parts if isinstance(part, Figure)):
        try:
            picture_of(figure.picture, figure.media_type)
        except ValueError as error:
            yield f"{place}: figure {figure.name!r}: {error}"


def _repeated(place: str, what: str, names: Sequence[str]) -> Iterator[str]:
    for name, count in Counter(names).items():
        if count > 1:
            yield f"{place}{count} {what} have the name {name!r}"
