"""Thousands of findings on a page: rows, their order, and what is left out."""

from __future__ import annotations

import math

import pytest

pytest.importorskip("matplotlib")

from pocket_combine.checks import CheckFinding, Where
from pocket_combine.findings import Finding, Severity
from pocket_combine.report.contents import Mark, Table
from pocket_combine.report.sections.findings import Sized, findings_tables


def entry(code: str, nuisance: str, process: str, size: float, severity: Severity = Severity.WARNING) -> Sized:
    where = Where("SR", process, nuisance)
    return Sized(CheckFinding(code, severity, str(where), f"{process} is odd", "look", {}, where), size)


def tables(*findings: Sized) -> dict[str, Table]:
    return {part.name: part for part in findings_tables(findings) if isinstance(part, Table)}


def cells(table: Table, *columns: str) -> list[tuple[str, ...]]:
    places = [[column.title for column in table.columns].index(title) for title in columns]
    return [tuple(row.cells[place].text for place in places) for row in table.rows]


def test_a_row_is_a_kind_and_a_nuisance_and_the_worst_is_first() -> None:
    found = tables(
        entry("same", "JES", "tt", 0.3),
        entry("same", "JES", "dy", 1.25),
        entry("outlier", "JES", "tt", 0.7),
        entry("same", "JER", "tt", 2.0, Severity.INFO),
        entry("empty", "JER", "tt", 0.0, Severity.ERROR),
        Sized(Finding("mc-stats", Severity.WARNING, "channel SR", "few events"), math.nan),
    )
    assert cells(found["findings"], "Kind", "Size", "Number", "Nuisance", "Worst place") == [
        ("empty", "0", "1", "JER", "SR, tt"),
        ("mc-stats", "–", "1", "–", "channel SR"),
        ("same", "1.2", "2", "JES", "SR, dy"),
        ("outlier", "0.7", "1", "JES", "SR, tt"),
        ("same", "2", "1", "JER", "SR, tt"),
    ]
    marks = [row.cells[-1].mark for row in found["findings"].rows]
    assert marks == [Mark.BAD, Mark.NOTICE, Mark.NOTICE, Mark.NOTICE, None]
    assert [row.detail for row in found["findings"].rows] == ["JER", None, "JES", "JES", "JER"]
    assert cells(found["kinds"], "Kind", "Severity", "Number", "Largest size", "What to do") == [
        ("empty", "error", "1", "0", "look"),
        ("mc-stats", "warning", "1", "–", ""),
        ("same", "warning", "2", "1.2", "look"),
        ("outlier", "warning", "1", "0.7", "look"),
        ("same", "info", "1", "2", "look"),
    ]
    assert "more finding" not in found["findings"].caption


def test_what_the_data_cannot_see_is_counted_and_not_listed() -> None:
    many = [entry("same", f"n{at % 60}", f"p{at}", 0.2 + at / 1000) for at in range(120)]
    small = [entry("same", "tiny", f"p{at}", 0.01 * at) for at in range(9)]
    found = tables(*many, *small)
    assert len(found["findings"].rows) == 50
    assert found["findings"].rows[0].cells[2].value == pytest.approx(0.319)
    # n0 to n9 have 2 findings each, the largest with 0.269, and the small ones up to 0.08 are one row.
    assert found["findings"].caption.endswith(
        "29 more findings of sizes up to 0.27, which would be 11 rows, are in report.json."
    )
    assert list(tables(*small)) == ["kinds"]


def test_places_say_bins_and_files() -> None:
    where = Where("SR", "tt", "JES", (0, 4))
    (table,) = (
        part
        for part in findings_tables(
            [
                Sized(CheckFinding("one-sided-bins", Severity.WARNING, str(where), "", "", {}, where)),
                Sized(CheckFinding("unused", Severity.WARNING, "", "", "", {}, Where(file="a.root"))),
                Sized(CheckFinding("other", Severity.WARNING, "card", "", "", {}, Where())),
            ]
        )
        if isinstance(part, Table) and part.name == "findings"
    )
    assert [row.cells[1].text for row in table.rows] == ["SR, tt, bins 0, 4", "a.root", "–"]


def test_findings_without_sizes_have_no_column_for_them() -> None:
    found = tables(Sized(Finding("name", Severity.WARNING, "nuisance JES", "not in the dictionary")))
    assert "Size" not in [column.title for column in found["findings"].columns]
    assert found["findings"].caption == (
        "The worst findings. A row is one kind of finding about one nuisance, at its worst place."
    )
    assert list(findings_tables(())) == []
