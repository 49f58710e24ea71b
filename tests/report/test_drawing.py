"""Figures of a report: files, pages, what is drawn again, and what cannot be drawn."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("mplhep")

from report_cards import loaded_card

from pocket_combine.execution import SerialExecutor
from pocket_combine.plotting import Labels, Style
from pocket_combine.report.assembling import finished
from pocket_combine.report.contents import Cell, Column, Paragraph, Row, Table
from pocket_combine.report.drafts import Drawing
from pocket_combine.report.drawing import draw_all
from pocket_combine.report.figure_store import FigureStore


@pytest.fixture
def drawing(tmp_path: Path) -> Drawing:
    card = loaded_card(tmp_path)
    return Drawing(
        "templates-JES", "A caption.", "JES", "nuisance_figure", (card.card, card.templates, "JES"), {"style": Style()}
    )


def test_files_are_drawn_once_while_nothing_changes(drawing: Drawing, tmp_path: Path) -> None:
    folder = tmp_path / "figures"
    folder.mkdir()
    first = draw_all([drawing], FigureStore(folder), SerialExecutor())["templates-JES"]
    (figure,) = first.figures
    assert (figure.name, figure.caption, figure.alternative) == ("templates-JES", "A caption.", "JES")
    assert (folder / "templates-JES.png").read_bytes() == figure.picture
    assert (folder / "templates-JES.pdf").read_bytes().startswith(b"%PDF")
    (folder / "templates-JES.png").write_bytes(b"\x89PNG kept")
    again = draw_all([drawing], FigureStore(folder), SerialExecutor())["templates-JES"]
    assert again.figures[0].picture == b"\x89PNG kept"
    other = dataclasses.replace(drawing, keywords={"style": Style(labels=Labels(experiment="LHCb"))})
    assert (
        draw_all([other], FigureStore(folder), SerialExecutor())["templates-JES"]
        .figures[0]
        .picture.startswith(b"\x89PNG\r\n")
    )


def test_a_picture_alone(drawing: Drawing, tmp_path: Path) -> None:
    draw_all([dataclasses.replace(drawing, is_document=False)], FigureStore(tmp_path), SerialExecutor())
    assert {"index.json", "templates-JES.png"} <= {path.name for path in tmp_path.iterdir()}
    assert not (tmp_path / "templates-JES.pdf").exists()


def test_a_figure_takes_the_place_of_all_pages_of_the_former_one(tmp_path: Path) -> None:
    both = {"png": b"picture", "pdf": b"document"}
    FigureStore(tmp_path).keep("a", "1", {f"a-{page}": both for page in (1, 2, 3)})
    (tmp_path / "a-4.png").write_bytes(b"of the user")
    store = FigureStore(tmp_path)
    store.keep("a", "2", {"a": {"png": b"picture"}})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a-4.png", "a.png", "index.json"]
    assert FigureStore(tmp_path).find("a", "2", is_document=False) == {"a": b"picture"}
    assert FigureStore(tmp_path).find("a", "2", is_document=True) is None
    assert FigureStore(tmp_path).find("a", "1", is_document=False) is None


def test_a_figure_that_was_being_written_is_known_and_drawn_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = Path.replace

    def full(path: Path, target: Path) -> Path:
        if target.suffix == ".pdf":
            raise OSError(28, "No space left on device")
        return replace(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        with pytest.raises(OSError, match="No space left"):
            FigureStore(tmp_path).keep("a", "1", {"a": {"png": b"picture", "pdf": b"document"}})
    assert FigureStore(tmp_path).find("a", "1", is_document=False) is None
    assert FigureStore(tmp_path).discard_others(()) == [tmp_path / "a.png"]


@pytest.mark.parametrize("pages", ['["../a"]', '["/tmp/a"]', '[""]', "[1]", '"a"'])
def test_an_index_never_leads_out_of_its_folder(pages: str, tmp_path: Path) -> None:
    (tmp_path / "figures").mkdir()
    (tmp_path / "a.png").write_bytes(b"of the user")
    (tmp_path / "figures" / "index.json").write_text(f'{{"a": {{"key": "1", "pages": {pages}}}}}')
    store = FigureStore(tmp_path / "figures")
    assert store.find("a", "1", is_document=False) is None
    assert store.discard_others(()) == []
    assert (tmp_path / "a.png").exists()


def test_names_that_files_cannot_have(drawing: Drawing, tmp_path: Path) -> None:
    names = ["a/b", "a_b", "A_B", "x" * 300]
    drawings = [dataclasses.replace(drawing, name=name, is_document=False) for name in names]
    drawn = draw_all(drawings, FigureStore(tmp_path), SerialExecutor())
    assert [drawn[name].figures[0].name for name in names] == ["a_b", "a_b-2", "A_B-3", "x" * 100]


def test_a_figure_that_cannot_be_drawn_is_a_paragraph(
    drawing: Drawing, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = dataclasses.replace(drawing, name="wrong", arguments=(*drawing.arguments[:2], "JEX"))
    drawn = draw_all([wrong, drawing], FigureStore(tmp_path), SerialExecutor())
    assert len(drawn["templates-JES"].figures) == 1
    (part,) = finished([wrong], drawn)
    assert part == Paragraph(
        "The figure wrong could not be drawn: CardError: no nuisance 'JEX' in the card: did you mean 'JES'?"
    )
    assert "the figure wrong cannot be drawn" in caplog.text


def test_rows_open_only_details_that_are_there() -> None:
    rows = (Row((Cell("a"),), detail="a"), Row((Cell("b"),), detail="b"))
    (table,) = finished([Table("t", (Column("name"),), rows)], {}, known=["b"])
    assert isinstance(table, Table)
    assert [row.detail for row in table.rows] == [None, "b"]
