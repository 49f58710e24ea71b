"""Heat map of effects: numbers, blank cells, pages."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("mplhep")

import numpy as np
from fixed_pictures import fixed_axes
from matplotlib.figure import Figure
from pictures import TOLERANCE, difference, outside, overlapping, texts

from pocket_combine.card.model import Card, Channel, Column, Nuisance
from pocket_combine.effects import nuisance_effects
from pocket_combine.errors import StyleError
from pocket_combine.plotting.canvas import new_figure, style_context
from pocket_combine.plotting.effect_cells import EffectGrid, GridColumn, effect_grid
from pocket_combine.plotting.heat_map import HeatMapArtists, draw_heat_map, heat_map_figure, heat_map_figures
from pocket_combine.plotting.style import Style
from pocket_combine.templates import Templates

LONG = "a_name_of_sixty_characters_as_they_occur_in_combined_cards_x"
CARD = Card(
    channels=(Channel("SR"), Channel("CR")),
    columns=(
        Column("SR", "sig", 0, -1),
        Column("SR", "tt_2017", 1, -1),
        Column("SR", "tt_2018", 2, -1),
        Column("CR", "tt_2018", 2, 40.0),
    ),
    nuisances=(
        Nuisance("lumi_2018", "lnN", (None, None, 1.1, 1.1)),
        Nuisance("xsec", "lnN", (None, (0.8, 1.1), (0.8, 1.1), 1.0)),
        Nuisance("xsec", "lnN", (None, 1.05, None, None)),
        Nuisance("JES", "shape", (1.0, 1.0, None, None)),
    ),
)
TEMPLATES = {
    "SR": Templates.of(
        [0, 1, 2],
        {"sig": [5, 5], "tt_2017": [10, 20], "tt_2018": [5, 5]},
        {("sig", "JES"): ([6, 4], [5, 5]), ("tt_2017", "JES"): ([10, 20], [10, 20])},
    )
}


def grid(**options: object) -> EffectGrid:
    return effect_grid(CARD, TEMPLATES, nuisance_effects(CARD, TEMPLATES), **options)  # type: ignore[arg-type]


def test_effects_of_merged_processes() -> None:
    found = grid(order="card")
    assert found.nuisances == ("lumi_2018", "xsec", "JES")
    assert [(column.channel, column.label) for column in found.columns] == [("SR", "sig"), ("SR", "tt"), ("CR", "tt")]
    assert found.columns[1].members == ("tt_2017", "tt_2018")
    assert found.acts.tolist() == [[False, True, True], [False, True, False], [True, True, False]]
    # 2018 is 10 of 40 events. The two rows of xsec act together on 2017: 30 x 0.8 / 1.05 + 10 x 0.8 at -1, which is
    # further away than 30 x 1.1 x 1.05 + 10 x 1.1 at +1.
    down = (30 * 0.8 / 1.05 + 10 * 0.8) / 40 - 1
    expected = [[np.nan, 0.025, 0.1], [np.nan, down, np.nan], [0.0, 0.0, np.nan]]
    assert found.yields == pytest.approx(np.array(expected), nan_ok=True, abs=1e-12)
    # one of ten signal events moves to the first bin
    moved = [[np.nan] * 3, [np.nan] * 3, [0.1, 0.0, np.nan]]
    assert found.moved == pytest.approx(np.array(moved), nan_ok=True, abs=1e-12)


def test_years_stay_apart_if_the_style_says_so() -> None:
    found = grid(order="card", style=Style(years=None))
    assert [column.label for column in found.columns] == ["sig", "tt_2017", "tt_2018", "tt_2018"]
    assert found.yields[0] == pytest.approx([np.nan, np.nan, 0.1, 0.1], nan_ok=True)


def test_order_and_choice_of_channels() -> None:
    sizes = {effect.name: effect.size for effect in nuisance_effects(CARD, TEMPLATES)}
    found = grid(channels=["CR"])
    assert list(found.nuisances) == sorted(sizes, key=lambda name: -sizes[name])
    assert [column.channel for column in found.columns] == ["CR"]
    with pytest.raises(StyleError, match="no channel 'SL' in the card: available: 'CR', 'SR'"):
        grid(channels=["SL"])


def drawn(found: EffectGrid, **options: object) -> HeatMapArtists:
    with style_context():
        axes = new_figure(9, 6).add_subplot()
        return draw_heat_map(axes, found, **options)  # type: ignore[arg-type]  # as the tests give them


def test_cells_are_blank_only_where_nothing_acts() -> None:
    found = grid(order="card")
    artists = drawn(found)
    sizes = artists.cells.get_array()
    assert isinstance(sizes, np.ma.MaskedArray)
    assert (~np.ma.getmaskarray(sizes)).reshape(3, 3).tolist() == found.acts.tolist()
    assert float(sizes.reshape(3, 3)[0, 1]) == pytest.approx(0.025)
    colours = artists.cells.to_rgba(sizes).reshape(3, 3, 4)
    blank, nothing, some = colours[0, 0], colours[2, 0], colours[0, 1]
    assert len({tuple(colour.round(6)) for colour in (blank, nothing, some)}) == 3
    assert tuple(blank[:3]) == (1.0, 1.0, 1.0)
    # written in percent, smaller ones than 0.1 % not at all
    assert [text.get_text() for text in artists.numbers] == ["2.5", "10", "−23"]
    assert [text.get_text() for text in drawn(found, quantity="moved").numbers] == ["10"]
    assert [text.get_text() for text in artists.channels] == ["SR", "CR"]


def large(nuisances: int, channels: int = 3, processes: int = 4, name: str = LONG) -> EffectGrid:
    columns = tuple(
        GridColumn(f"{name[:20]}{channel}", f"{name[:25]}{process}", ())
        for channel in range(channels)
        for process in range(processes)
    )
    random = np.random.default_rng(1)
    sizes = 10 ** random.uniform(-5, 0, (nuisances, len(columns)))
    acts = random.random(sizes.shape) < 0.7
    names = tuple(f"{name[:-3]}{number}" for number in range(nuisances))
    return EffectGrid(names, columns, acts, np.where(acts, sizes, np.nan), np.where(acts, -sizes / 3, np.nan))


@pytest.mark.parametrize(("nuisances", "channels", "processes"), [(1, 1, 1), (5, 3, 4), (40, 1, 20)])
def test_extremes(nuisances: int, channels: int, processes: int) -> None:
    figure = heat_map_figure(large(nuisances, channels, processes))
    # hundreds of numbers in cells of their own need not be compared with each other
    for axes in figure.axes:
        for text in axes.texts:
            if text.get_fontsize() == 6.0:
                text.set_visible(False)
    assert overlapping(figure) == []
    assert outside(figure) == []


def test_pages_show_every_nuisance_that_acts_on_their_columns() -> None:
    whole = large(40, 7, 9)
    names = list(dict.fromkeys(column.channel for column in whole.columns))
    found: dict[str, list[str]] = {}
    for _, figure in heat_map_figures(whole, quantities=("yield",), rows=30):
        axes = figure.axes[0]
        rows = [label.get_text() for label in axes.get_yticklabels()]
        channels = [text.get_text() for text in axes.texts if text.get_text() in names]
        assert len(rows) <= 30
        assert len(axes.get_xticklabels()) == 9 * len(channels) <= 30
        found.setdefault(",".join(channels), []).extend(rows)
    assert list(found) == [",".join(names[first : first + 3]) for first in (0, 3, 6)]
    for first, rows in zip((0, 27, 54), found.values(), strict=True):
        acting = [bool(acts[first : first + 27].any()) for acts in whole.acts]
        assert rows == [name for name, acts in zip(whole.nuisances, acting, strict=True) if acts]


def test_a_channel_larger_than_a_page_is_divided_and_pages_leave_out_what_does_not_act() -> None:
    wide = large(4, 1, 50)
    wide.acts[:, :30] = False
    wide.acts[2, :30] = True
    pages = [figure for _, figure in heat_map_figures(wide, quantities=("yield",))]
    assert [len(figure.axes[0].get_xticklabels()) for figure in pages] == [30, 20]
    assert [label.get_text() for label in pages[0].axes[0].get_yticklabels()] == [wide.nuisances[2]]


def test_panels_without_any_effect_are_left_out() -> None:
    found = grid()
    still = EffectGrid(found.nuisances, found.columns, found.acts, found.yields, np.full(found.moved.shape, np.nan))
    ((_, figure),) = heat_map_figures(still)
    assert "Change of the yield [%]" in texts(figure)
    assert "Events moved between bins [%]" not in texts(figure)
    with pytest.raises(StyleError, match="no nuisance acts on a process"):
        next(heat_map_figures(EffectGrid((), (), np.zeros((0, 0), bool), np.zeros((0, 0)), np.zeros((0, 0)))))


def test_looks_like_the_reference(tmp_path: Path) -> None:
    with fixed_axes() as axes:
        draw_heat_map(axes, grid())
    assert isinstance(axes.figure, Figure)
    assert difference(axes.figure, "heat_map", tmp_path) < TOLERANCE
