"""How commands speak."""

import json

import pytest

from pocket_combine.cli.console import print_json, products, show_error
from pocket_combine.cli.tables import plain_table


def test_json_has_no_numbers_that_json_lacks(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"ratio": float("inf"), "list": [float("nan"), 1.5], "nested": {"minus": float("-inf")}, "text": "NaN"})
    assert json.loads(capsys.readouterr().out) == {
        "ratio": None,
        "list": [None, 1.5],
        "nested": {"minus": None},
        "text": "NaN",
    }


def test_errors_are_not_read_as_markup_and_stay_on_their_line(capsys: pytest.CaptureFixture[str]) -> None:
    message = f"file [bold]{'x' * 300}[/bold]: [/red] :smile:"
    show_error(message)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == f"Error: {message}\n"


LONG = "shape_" * 60


def print_table() -> None:
    table = plain_table("Nuisance", "Acts on")
    table.add_row(LONG, "SR")
    table.add_row("JES", "SR, CR")
    products().print(table)


@pytest.mark.parametrize("columns", [None, "", "wide"])
def test_tables_in_a_pipe_are_as_wide_as_what_is_in_them(
    columns: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if columns is None:
        monkeypatch.delenv("COLUMNS", raising=False)
    else:
        monkeypatch.setenv("COLUMNS", columns)
    print_table()
    heading, rule, *rows = capsys.readouterr().out.splitlines()
    assert heading == f"{'Nuisance':<360}   Acts on"
    assert rule == "─" * 370
    assert rows == [f"{LONG}   SR", f"{'JES':<360}   SR, CR"]


def test_tables_in_a_pipe_are_as_wide_as_columns_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    print_table()
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) == 40
    assert not any(line.endswith(" ") for line in lines)


def test_padding_goes_where_colours_are_forced(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    table = plain_table("Name")
    table.add_row("a", style="bold")
    table.add_row("longer")
    products().print(table)
    assert capsys.readouterr().out.splitlines()[2:] == ["\x1b[1ma\x1b[0m", "longer"]
