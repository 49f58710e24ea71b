"""What is said of a file that holds no result, or another one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pocket_combine.errors import ResultError
from pocket_combine.io.result_files import read_one_of, read_result
from pocket_combine.results import FitResult, ImpactResult, ScanResult


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"type": "LimitResult"}', "the result of `pocket-combine limit`, expected that of `pocket-combine scan -o`"),
        ('{"type": "Card"}', "holds 'Card', expected that of `pocket-combine scan -o`"),
        ('{"a": 1}', "holds JSON that is no result, expected that of"),
        ("[1, 2]", "holds JSON that is no result, expected that of"),
        (
            "imax 2",
            "Expecting value: line 1 column 1 (char 0); expected the whole file that `pocket-combine scan -o` wrote",
        ),
        ("", "not JSON: Expecting value"),
        ('{"type": "ScanResult"}', "ScanResult"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_what_is_no_scan(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(ResultError, match=re.escape(message)) as caught:
        read_result(ScanResult, path)
    assert str(caught.value).startswith(f"{path}: ")


def test_one_of_several_types(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"type": "ToyResult"}')
    with pytest.raises(ResultError, match="toys`, expected that of `pocket-combine fit -o` or `pocket-combine imp"):
        read_one_of((FitResult, ImpactResult), path)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match=r"none\.json: no such file"):
        read_result(ScanResult, tmp_path / "none.json")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ResultError, match=r"binary\.json: cannot be read"):
        read_result(ScanResult, tmp_path / "binary.json")
