"""Tables of yields and findings."""

import io

import pytest
from rich.console import Console, RenderableType

from pocket_combine.cli.tables import findings_table, yield_tables
from pocket_combine.findings import Finding, Severity


def lines(*tables: RenderableType, width: int = 80) -> list[str]:
    console = Console(width=width, file=io.StringIO())
    for table in tables:
        console.print(table)
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_rows_of_some_channels_only_stay_empty_in_the_others() -> None:
    yields = {"A": {"x": 1.0, "all": 1.0}, "B": {"y": 2000.25, "all": 2000.25}}
    assert lines(*yield_tables(yields, first="Process", last=("all",), width=80)) == [
        "Process   A         B",
        "─────────────────────",
        "x         1",
        "y             2,000.2",
        "─────────────────────",
        "all       1   2,000.2",
    ]


def test_as_many_channels_as_fit_stand_side_by_side() -> None:
    yields = {f"channel_{number}": {"process": 10.0 * number} for number in range(1, 6)}
    tables = list(yield_tables(yields, first="Process", width=40))
    # 7 characters for the first column, 3 + 9 for each channel.
    assert [len(table.columns) - 1 for table in tables] == [2, 2, 1]
    assert max(map(len, lines(*tables, width=40))) <= 40
    assert len(list(yield_tables(yields, first="Process", width=67))) == 1
    assert len(list(yield_tables(yields, first="Process", width=66))) == 2


def test_a_channel_that_is_too_wide_still_gets_its_table() -> None:
    yields = {"a_name_of_thirty_characters_xxx": {"process": 1.0}, "b": {"process": 2.0}}
    tables = list(yield_tables(yields, first="Process", width=20))
    assert [len(table.columns) for table in tables] == [2, 2]
    assert "".join(lines(*tables, width=20)).count("_") == 5


def finding(code: str, severity: Severity, number: int = 0) -> Finding:
    return Finding(code, severity, f"channel {number}", "text", "do this" if severity is Severity.ERROR else "")


def test_findings_stand_worst_first_and_alike_ones_are_cut() -> None:
    findings = [
        *(finding("note", Severity.INFO, number) for number in range(3)),
        *(finding("odd", Severity.WARNING, number) for number in range(7)),
        finding("bad", Severity.ERROR),
        *(finding("odd", Severity.INFO, number) for number in range(2)),
    ]
    assert lines(findings_table(findings)) == [
        "error    channel 0: text [bad]",
        "         → do this",
        *(f"warning  channel {number}: text [odd]" for number in range(5)),
        "         … and 2 more [odd]; --json lists them all",
        "info     channel 0: text [note]",
        "         … and 2 more [note]; --json lists them all",
        "info     channel 0: text [odd]",
        "         … and 1 more [odd]; --json lists them all",
    ]


@pytest.mark.parametrize("text", ["[bold]x[/bold]", "[/]", ":smile:", "a" * 300])
def test_text_of_findings_is_never_read_as_markup(text: str) -> None:
    shown = lines(findings_table([Finding("code", Severity.WARNING, "here", text)]), width=400)
    assert shown == [f"warning  here: {text} [code]"]
