"""Templates at one standard deviation: numbers by hand, and that every cell of a card is somewhere."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pocket_combine.card.model import Card, Channel, Column, Nuisance
from pocket_combine.effects import nuisance_effects
from pocket_combine.plotting.variations import (
    Selection,
    largest_by_nuisance,
    largest_variations,
    summed_variations,
    variations,
)
from pocket_combine.templates import Templates

CARD = Card(
    channels=(Channel("SR"), Channel("CR"), Channel("count")),
    columns=(
        Column("SR", "sig", 0, -1),
        Column("SR", "bkg", 1, -1),
        Column("CR", "bkg", 1, -1),
        Column("count", "bkg", 1, 30.0),
        Column("count", "none", 2, 0.0),
    ),
    nuisances=(
        Nuisance("JES", "shape", (1.0, 1.0, None, None, None)),
        Nuisance("lumi", "lnN", (1.1, 1.1, None, (0.8, 1.3), 1.1)),
        Nuisance("idle", "lnN", (None, None, None, None, None)),
    ),
)
TEMPLATES = {
    "SR": Templates.of(
        [0, 1, 3],
        {"sig": [5.0, 5.0], "bkg": [40.0, 60.0]},
        {("sig", "JES"): ([6.0, 6.0], [4.0, 5.0]), ("bkg", "JES"): ([50.0, 60.0], [38.0, 52.0])},
        variances={"sig": [1.0, 4.0], "bkg": [8.0, 12.0]},
    ),
    "CR": Templates.of([0, 1], {"bkg": [1000.0]}),
}


def test_variations_of_single_processes() -> None:
    found = {(one.channel, one.processes, one.nuisance): one for one in variations(CARD, TEMPLATES)}
    assert list(found) == [
        ("SR", ("sig",), "lumi"),
        ("SR", ("bkg",), "lumi"),
        ("SR", ("sig",), "JES"),
        ("SR", ("bkg",), "JES"),
        ("count", ("bkg",), "lumi"),
    ]
    jes = found["SR", ("bkg",), "JES"]
    np.testing.assert_allclose([jes.up, jes.down], [[50, 60], [38, 52]])
    np.testing.assert_allclose(jes.errors, np.sqrt([8, 12]))
    np.testing.assert_allclose(jes.yield_changes, [0.1, -0.1])
    assert jes.kinds == ("shape",)
    counted = found["count", ("bkg",), "lumi"]
    assert (counted.up.tolist(), counted.down.tolist()) == ([39.0], [24.0])
    assert (counted.edges.tolist(), counted.errors.tolist()) == ([0.0, 1.0], [0.0])


def test_sums_add_processes() -> None:
    found = {(one.channel, one.nuisance): one for one in summed_variations(CARD, TEMPLATES)}
    assert list(found) == [("SR", "JES"), ("SR", "lumi"), ("count", "lumi")]
    jes = found["SR", "JES"]
    assert jes.processes == ("sig", "bkg")
    np.testing.assert_allclose(jes.nominal, [45, 65])
    np.testing.assert_allclose(jes.up, [56, 66])
    np.testing.assert_allclose(jes.down, [42, 57])
    np.testing.assert_allclose(jes.errors, [3, 4])
    only = next(summed_variations(CARD, TEMPLATES, selection=Selection(processes=["sig"], nuisances=["JES"])))
    np.testing.assert_allclose(only.up, [6, 6])


def test_two_rows_of_one_name_act_on_a_process_together() -> None:
    both = (
        Nuisance("JES", "shape", (None, 1.0, None, None, None)),
        Nuisance("JES", "lnN", (None, 1.1, None, None, None)),
    )
    card = Card(CARD.channels, CARD.columns, nuisances=both)
    (one,) = variations(card, TEMPLATES)
    assert one.kinds == ("lnN", "shape")
    np.testing.assert_allclose(one.nominal, [40, 60])
    np.testing.assert_allclose(one.up, [50 + 4, 60 + 6])


def test_largest_first() -> None:
    sizes = [
        (effect.size, name.name, effect.channel, effect.process)
        for name in nuisance_effects(CARD, TEMPLATES)
        for effect in name.columns
    ]
    slow = sorted(sizes, reverse=True)
    found = largest_variations(CARD, TEMPLATES, most=3)
    assert [(one.size, one.nuisance, one.channel, one.processes[0]) for one in found] == slow[:3]
    assert len(largest_variations(CARD, TEMPLATES, most=100)) == len(slow)
    assert {one.channel for one in largest_variations(CARD, TEMPLATES, most=9, selection=Selection(["count"]))} == {
        "count"
    }


def test_largest_of_each_nuisance() -> None:
    found = largest_by_nuisance(CARD, TEMPLATES, most=1)
    assert {name: [one.processes for one in kept] for name, kept in found.items()} == {
        "JES": [("bkg",)],
        "lumi": [("bkg",)],
        "idle": [],
    }


def test_empty_templates_have_no_relative_change() -> None:
    templates = {"SR": Templates.of([0, 1, 2], {"sig": [0.0, 0.0], "bkg": [1.0, 0.0]})}
    card = Card(
        (Channel("SR"),),
        (Column("SR", "sig", 0, -1), Column("SR", "bkg", 1, -1)),
        nuisances=(Nuisance("lumi", "lnN", (1.1, 1.1)),),
    )
    sig, bkg = variations(card, templates)
    assert math.isnan(sig.yield_changes[0])
    assert sig.largest_change == 0.0
    np.testing.assert_allclose(bkg.relative(bkg.up), [0.1, np.nan])
    assert bkg.largest_change == pytest.approx(0.1)


def test_small_bins_do_not_set_the_range() -> None:
    templates = {"SR": Templates.of([0, 1, 2], {"bkg": [100.0, 1.0]}, {("bkg", "JES"): ([105.0, 9.0], [98.0, 1.0])})}
    card = Card((Channel("SR"),), (Column("SR", "bkg", 1, -1),), nuisances=(Nuisance("JES", "shape", (1.0,)),))
    (one,) = variations(card, templates)
    assert one.largest_change == pytest.approx(0.05)
