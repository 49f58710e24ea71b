"""Figures and files."""

from __future__ import annotations

from pathlib import Path

import pytest

mpl = pytest.importorskip("matplotlib")
pytest.importorskip("mplhep")

from matplotlib.figure import Figure  # noqa: E402
from pictures import difference, outside, overlapping, texts  # noqa: E402

from pocket_combine.errors import StyleError  # noqa: E402
from pocket_combine.plotting import Labels, add_labels, figure_bytes, new_figure, save_figure, style_context  # noqa: E402


def labelled_figure(labels: Labels) -> Figure:
    with style_context():
        figure = new_figure()
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1])
        add_labels(axes, labels)
    return figure


def test_the_users_settings_stay() -> None:
    before = dict(mpl.rcParams)
    figure_bytes(labelled_figure(Labels()), "png")
    assert dict(mpl.rcParams) == before


def test_labels() -> None:
    figure = labelled_figure(Labels(text="Preliminary", luminosity=138, energy=13))
    said = texts(figure)
    assert [text for text in said if text in ("CMS", "Preliminary")] == ["CMS", "Preliminary"]
    assert "138 fb$^{-1}$ (13 TeV)" in said
    assert overlapping(figure) == []
    assert outside(figure) == []


def test_labels_that_would_meet_are_smaller() -> None:
    with style_context():
        figure = new_figure()
        axes = figure.add_subplot()
        few = add_labels(axes, Labels(text="", luminosity=138, energy=13))
        height = few[0].get_window_extent().height
        for text in few:
            text.remove()
        _, left, right = add_labels(axes, Labels(luminosity=138.25, energy="13, 13.6"), simulation=True)
        ends = left.get_window_extent()
        assert ends.x1 < right.get_window_extent().x0
    assert 0.6 * height < ends.height < height


@pytest.mark.parametrize("ending", ["pdf", "png", "svg"])
def test_the_same_figure_has_the_same_bytes(ending: str) -> None:
    one, two = (figure_bytes(labelled_figure(Labels()), ending) for _ in range(2))
    assert one == two


def test_files_appear_together_in_a_new_folder(tmp_path: Path) -> None:
    paths = save_figure(labelled_figure(Labels()), tmp_path / "new" / "fit.v1", ("pdf", "png"))
    assert [path.name for path in paths] == ["fit.v1.pdf", "fit.v1.png"]
    assert paths[0].read_bytes().startswith(b"%PDF")
    assert paths[1].read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["fit.v1.pdf", "fit.v1.png"]


def test_an_unknown_format_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(StyleError, match="no format 'jpg', expected one of pdf, png, svg"):
        save_figure(labelled_figure(Labels()), tmp_path / "fit", ("png", "jpg"))
    assert list(tmp_path.iterdir()) == []


def test_looks_like_the_reference(tmp_path: Path) -> None:
    assert difference(labelled_figure(Labels()), "labels", tmp_path) < 4.0
