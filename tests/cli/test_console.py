"""How commands speak."""

import json

import pytest

from pocket_combine.cli.console import print_json, show_error


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
