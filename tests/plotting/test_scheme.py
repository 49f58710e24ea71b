"""Correlation schemes: who shares what, and where it is drawn."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("mplhep")

from fixed_pictures import fixed_axes
from matplotlib.figure import Figure
from pictures import TOLERANCE, difference, outside, overlapping, texts

from pocket_combine.card.model import Card, Channel, Column, Nuisance, RateParameter
from pocket_combine.errors import StyleError
from pocket_combine.plotting.canvas import new_figure, style_context
from pocket_combine.plotting.scheme import draw_scheme, scheme_figure, scheme_figures
from pocket_combine.plotting.scheme_grid import Scheme, Sharing, correlation_scheme
from pocket_combine.plotting.style import Style

LONG = "a_name_of_sixty_characters_as_they_occur_in_combined_cards_x"
YEARS = ("2016_PreVFP", "2016_PostVFP", "2017", "2018")


def yearly(*nuisances: Nuisance, rates: tuple[RateParameter, ...] = ()) -> Card:
    """One channel, the processes sig and tt in four years; rates 5 but for sig in 2018."""
    columns = [
        Column("SR", f"{process}_{year}", number, 0.0 if (process, year) == ("sig", "2018") else 5.0)
        for number, process in enumerate(("sig", "tt"))
        for year in reversed(YEARS)
    ]
    return Card((Channel("SR"),), tuple(columns), nuisances=nuisances, rate_parameters=rates)


def row(*years: int, process: int | None = None) -> tuple[float | None, ...]:
    """Cells that act in some of the years, which count from 2018 backwards in the card."""
    cells: list[float | None] = [None] * 8
    for number in (0, 1) if process is None else (process,):
        for year in years:
            cells[4 * number + 3 - year] = 1.1
    return tuple(cells)


def blocks(scheme: Scheme) -> dict[str, tuple[tuple[int, ...], Sharing, int]]:
    return {block.name: (block.columns, block.sharing, block.lane) for line in scheme.rows for block in line.blocks}


def test_years() -> None:
    scheme = correlation_scheme(
        yearly(
            Nuisance("lumi", "lnN", row(0, 1, 2, 3)),
            Nuisance("JES_2017", "lnN", row(2)),
            Nuisance("JES_2018", "lnN", row(3)),
            Nuisance("JES", "lnN", row(0, 1, 2, 3, process=1)),
            Nuisance("JES_2016", "lnN", row(0, 1)),
            Nuisance("HEM", "lnN", row(3)),
            Nuisance("skip", "lnN", row(0, 2)),
            Nuisance("nothing", "lnN", (1.0,) * 8),
        )
    )
    assert (scheme.by, scheme.columns) == ("year", YEARS)
    assert [(line.stem, line.lanes) for line in scheme.rows] == [("lumi", 1), ("JES", 3), ("HEM", 1), ("skip", 1)]
    assert blocks(scheme) == {
        "lumi": ((0, 1, 2, 3), Sharing.ALL, 0),
        "JES_2017": ((2,), Sharing.SPLIT, 0),
        "JES_2018": ((3,), Sharing.SPLIT, 0),
        "JES": ((0, 1, 2, 3), Sharing.ALL, 1),
        "JES_2016": ((0, 1), Sharing.SOME, 2),
        "HEM": ((3,), Sharing.SINGLE, 0),
        "skip": ((0, 2), Sharing.SOME, 0),
    }
    found = {block.name: (block.processes, block.others) for line in scheme.rows for block in line.blocks}
    assert found["lumi"] == (("sig", "tt"), 0)
    assert found["JES"] == (("tt",), 1)
    # sig is not in the model in 2018
    assert found["HEM"] == (("tt",), 0)


def test_the_year_of_a_process_may_stand_in_the_name_of_the_channel() -> None:
    columns = [Column(f"SR_{year}_high", "tt", 1, 5.0) for year in (2017, 2018)] + [Column("CR", "tt", 1, 5.0)]
    card = Card(
        tuple(Channel(column.channel) for column in columns),
        tuple(columns),
        nuisances=(Nuisance("a", "lnN", (1.1, 1.1, 1.1)), Nuisance("b", "lnN", (1.1, None, None))),
    )
    scheme = correlation_scheme(card)
    assert scheme.columns == ("2017", "2018", "no year")
    assert blocks(scheme)["a"] == ((0, 1, 2), Sharing.ALL, 0)


def test_cards_without_years_have_channels() -> None:
    card = Card(
        (Channel("SR"), Channel("CR")),
        (Column("SR", "sig", 0, 5.0), Column("SR", "tt", 1, 5.0), Column("CR", "tt", 1, 5.0)),
        nuisances=(
            Nuisance("fakes_SR", "lnN", (None, 1.1, None)),
            Nuisance("fakes_CR", "lnN", (None, None, 1.1)),
            Nuisance("JES", "shape", (1.0, 1.0, 0.0)),
        ),
        rate_parameters=(RateParameter("SF", "*", "tt", 1.0), RateParameter("f", "*", "tt", None, formula="@0")),
    )
    scheme = correlation_scheme(card)
    assert (scheme.by, scheme.columns) == ("channel", ("SR", "CR"))
    assert [(line.stem, line.free) for line in scheme.rows] == [("fakes", False), ("JES", False), ("SF", True)]
    assert blocks(scheme)["fakes_CR"] == ((1,), Sharing.SPLIT, 0)
    assert blocks(scheme)["JES"] == ((0,), Sharing.SINGLE, 0)
    assert correlation_scheme(card, by="year").columns == ("no year",)


def test_drawn_blocks() -> None:
    scheme = correlation_scheme(
        yearly(Nuisance("apart", "lnN", row(0, 1, 3, process=1)), rates=(RateParameter("SF", "SR", "tt_2017", 1.0),))
    )
    with style_context():
        axes = new_figure(8, 3).add_subplot()
        artists = draw_scheme(axes, scheme)
    boxes = {name: [(box.get_x(), box.get_width()) for box in found] for name, found in artists.blocks.items()}
    assert boxes["apart"] == [pytest.approx((0.03, 1.94)), pytest.approx((3.03, 0.94))]
    (join,) = artists.joins
    assert list(map(float, join.get_xdata())) == [0.5, 3.5]  # type: ignore[arg-type]  # numbers
    assert [text.get_text() for text in artists.texts] == ["tt", "tt"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["apart", "SF (free)"]


def many(nuisances: int, channels: int) -> Scheme:
    columns = tuple(Column(f"{LONG[:30]}{number}", "tt", 1, 5.0) for number in range(channels))
    rows = tuple(
        Nuisance(f"{LONG[:-4]}{number}", "lnN", tuple(1.1 if (at + number) % 3 else None for at in range(channels)))
        for number in range(nuisances)
    )
    return correlation_scheme(Card(tuple(Channel(column.channel) for column in columns), columns, nuisances=rows))


@pytest.mark.parametrize(("nuisances", "channels"), [(5, 2), (40, 26)])
def test_extremes(nuisances: int, channels: int) -> None:
    figure = scheme_figure(many(nuisances, channels))
    assert overlapping(figure) == []
    assert outside(figure) == []


def test_pages_hold_all_rows_once() -> None:
    scheme = many(100, 3)
    labels: list[str] = []
    for number, (name, figure) in enumerate(scheme_figures(scheme, lanes=40), start=1):
        assert name == str(number)
        labels += [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == [line.blocks[0].name for line in scheme.rows]
    assert len(labels) == 100


def test_legend_and_nothing_to_draw() -> None:
    card = yearly(Nuisance("JES_2017", "lnN", row(2)), Nuisance("JES_2018", "lnN", row(3)))
    said = texts(scheme_figure(correlation_scheme(card), style=Style()))
    assert "A parameter for each year" in said
    assert "One parameter for all years" not in said
    for draw in (scheme_figure, lambda scheme: next(scheme_figures(scheme))):
        with pytest.raises(StyleError, match="no correlation scheme to draw"):
            draw(correlation_scheme(yearly()))


def test_looks_like_the_reference(tmp_path: Path) -> None:
    card = yearly(
        Nuisance("lumi", "lnN", row(0, 1, 2, 3)),
        Nuisance("JES", "lnN", row(0, 1, 2, 3)),
        Nuisance("JES_2018", "lnN", row(3)),
        Nuisance("JES_2017", "lnN", row(2, process=1)),
        Nuisance("skip", "lnN", row(0, 2)),
    )
    with fixed_axes() as axes:
        draw_scheme(axes, correlation_scheme(card))
    assert isinstance(axes.figure, Figure)
    assert difference(axes.figure, "scheme", tmp_path) < TOLERANCE
