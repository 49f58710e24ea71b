"""What is said of a path that is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from pocket_combine.io.paths import missing_file


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "cards").mkdir()
    for name in ("datacard_SR.txt", "datacard_CR.txt", "shapes_SR.root"):
        (tmp_path / "cards" / name).touch()
    (tmp_path / "card.txt").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("cards/datacard_SR.tx", "no such file: did you mean 'cards/datacard_SR.txt' or 'cards/datacard_CR.txt'?"),
        ("cards/DATACARD_CR.TXT", "no such file: did you mean 'cards/datacard_CR.txt'?"),
        ("card/datacard_SR.txt", "no such file: there is no folder 'card'; did you mean 'cards'?"),
        ("SR:cards/datacard_SR.txt", "no such file: there is no folder 'SR:cards'; did you mean 'cards'?"),
        ("cards/zzz.root", "no such file: available: 'shapes_SR.root'"),
        ("cards/zzz.json", "no such file"),
        ("cards/run3/2024/x.txt", "no such file: there is no folder 'cards/run3'"),
        ("cart.txt", "no such file: did you mean 'card.txt'?"),
        ("nowhere", "no such file"),
    ],
)
def test_the_nearest_name_is_named(path: str, said: str) -> None:
    assert missing_file(path) == said
