"""Figures of templates at one standard deviation, and contact sheets of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("mplhep")

from pictures import TOLERANCE, difference, outside, overlapping, texts
from test_variation_values import CARD, TEMPLATES

from pocket_combine.card.model import Card, Channel, Column, Nuisance
from pocket_combine.errors import CardError
from pocket_combine.plotting import (
    ChannelRule,
    Labels,
    ParameterRule,
    Selection,
    Style,
    contact_sheet_figures,
    draw_contact_sheet,
    draw_variation,
    draw_variation_ratio,
    largest_variations,
    new_figure,
    nuisance_figure,
    nuisance_figures,
    style_context,
    summed_variations,
    template_figures,
)
from pocket_combine.plotting.canvas import figure_bytes
from pocket_combine.templates import Templates

JES = Selection(nuisances=["JES"])


def large_card(
    channels: int, processes: int, nuisances: int, bins: int = 20, length: int = 60
) -> tuple[Card, dict[str, Templates]]:
    """A card with long names and a pair of templates everywhere."""
    random = np.random.default_rng(1)
    names = [f"process_{at:02d}_".ljust(length, "p") for at in range(processes)]
    shapes = [f"CMS_nuisance_{at:03d}_".ljust(length, "n") for at in range(nuisances)]
    places = [f"channel_{at}_".ljust(length, "c") for at in range(channels)]
    nominal = {name: 100.0 * random.uniform(0.5, 1.5, bins) for name in names}
    templates = {}
    for place in places:
        varied = {
            (name, shape): (nominal[name] * (1 + change), nominal[name] * (1 - change))
            for name in names
            for shape, change in ((shape, 0.2 * random.normal(size=bins)) for shape in shapes)
        }
        templates[place] = Templates.of(np.linspace(0, 1000, bins + 1), nominal, varied)
    card = Card(
        tuple(Channel(place) for place in places),
        tuple(Column(place, name, at, -1) for place in places for at, name in enumerate(names)),
        nuisances=tuple(Nuisance(shape, "shape", (1.0,) * (channels * processes)) for shape in shapes),
    )
    return card, templates


def test_panels_show_relative_changes() -> None:
    shown = largest_variations(CARD, TEMPLATES, most=2, selection=JES)
    with style_context():
        axes = new_figure(4, 2).add_subplot()
        drawn = draw_contact_sheet(axes, shown, columns=2, rows=1)
    bkg, _ = shown
    assert bkg.processes == ("bkg",)
    assert drawn.ranges[0] == 0.5  # the largest change is 0.25
    across, height = np.asarray(drawn.up.get_segments()[0]).T
    low, high = 0.88, 0.26  # the frame
    middle, reach = (low + high) / 2, (low - high) / 2
    np.testing.assert_allclose(height, np.repeat(middle - reach * np.array([0.25, 0.0]) / 0.5, 2))
    np.testing.assert_allclose(across, 0.17 + 0.8 * np.array([0, 1 / 3, 1 / 3, 1]))
    below = np.asarray(drawn.down.get_segments()[0])[:, 1]
    np.testing.assert_allclose(below, np.repeat(middle + reach * np.array([0.05, 8 / 60]) / 0.5, 2))
    band = np.asarray(drawn.bands.get_paths()[0].vertices)[:4, 1]
    np.testing.assert_allclose(band, np.repeat(middle - reach * np.sqrt([8, 12]) / [40, 60] / 0.5, 2))


def test_figure_of_a_sum() -> None:
    one = next(summed_variations(CARD, TEMPLATES, selection=JES))
    with style_context():
        figure = new_figure()
        upper, lower = figure.subplots(2)
        above, below = draw_variation(upper, one), draw_variation_ratio(lower, one)
    np.testing.assert_allclose(above.up.get_data()[0], [56, 66])
    np.testing.assert_allclose(above.down.get_data()[0], [42, 57])
    np.testing.assert_allclose(below.up.get_data()[0], [56 / 45, 66 / 65])
    np.testing.assert_allclose(below.band.get_data()[0], [1 + 3 / 45, 1 + 4 / 65])
    assert "+1σ (yield +11%)" in texts(figure)


def test_names_of_a_style() -> None:
    style = Style(
        Labels(luminosity=138.0),
        channels=(ChannelRule("SR", "signal region", "score"),),
        parameters=(ParameterRule("JES", "jet energy scale"),),
    )
    pages = dict(contact_sheet_figures(CARD, TEMPLATES, style=style))
    assert list(pages) == ["1"]
    said = texts(pages["1"])
    assert "jet energy scale" in said
    assert "signal region, bkg" in said
    assert "138 fb$^{-1}$" in said
    (name, figure), *_ = template_figures(CARD, TEMPLATES, style=style, selection=JES)
    assert name == "SR_JES"
    assert "score" in texts(figure)


def test_sheet_of_a_nuisance() -> None:
    figure = nuisance_figure(CARD, TEMPLATES, "lumi")
    said = texts(figure)
    assert said.count("+10%") == 4  # the change of two processes, and the ends of their axes
    assert "+30%" in said
    assert "lumi" in said
    with pytest.raises(CardError, match="no nuisance 'Lumi' in the card: did you mean 'lumi'"):
        nuisance_figure(CARD, TEMPLATES, "Lumi")
    with pytest.raises(CardError, match="nuisance 'idle' acts on no process"):
        nuisance_figure(CARD, TEMPLATES, "idle")
    assert [name for name, _ in nuisance_figures(CARD, TEMPLATES)] == ["JES", "lumi"]


def test_long_names_stay_inside_and_apart() -> None:
    card, templates = large_card(1, 7, 5)
    (_, page), (_, second) = contact_sheet_figures(card, templates)
    for figure in (page, second, nuisance_figure(card, templates, card.nuisance_names[0])):
        assert overlapping(figure) == []
        assert outside(figure) == []
    _, figure = next(template_figures(card, templates))
    assert overlapping(figure) == []
    assert outside(figure) == []


@pytest.mark.parametrize("bins", [1, 500])
def test_one_bin_and_500(bins: int) -> None:
    card, templates = large_card(1, 2, 1, bins=bins, length=5)
    for figure in (
        nuisance_figure(card, templates, card.nuisance_names[0]),
        next(template_figures(card, templates))[1],
    ):
        assert overlapping(figure) == []
        assert outside(figure) == []


def test_empty_templates_are_drawn() -> None:
    templates = {"SR": Templates.of([0, 1, 2], {"sig": [0.0, 0.0]})}
    card = Card((Channel("SR"),), (Column("SR", "sig", 0, -1),), nuisances=(Nuisance("lumi", "lnN", (1.1,)),))
    assert "empty" in texts(nuisance_figure(card, templates, "lumi"))
    assert overlapping(next(template_figures(card, templates))[1]) == []


def test_sheets_of_nuisances_are_small() -> None:
    card, templates = large_card(2, 5, 6, length=20)
    pictures = [figure_bytes(figure, "png", resolution=100.0) for _, figure in nuisance_figures(card, templates)]
    assert len(pictures) == 6
    assert max(map(len, pictures)) < 40_000


def test_looks_like_the_reference(tmp_path: Path) -> None:
    card, templates = large_card(1, 2, 3, length=12)
    with style_context():
        figure = new_figure(4, 3)
        figure.set_layout_engine("none")
        axes = figure.add_axes((0.05, 0.05, 0.9, 0.9))
        draw_contact_sheet(axes, largest_variations(card, templates, most=6), columns=3, rows=2)
    assert difference(figure, "contact_sheet", tmp_path) < TOLERANCE
