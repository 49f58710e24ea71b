"""Effects of nuisances, against a loop over bins, and the sums of a card."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from small_cards import Row, card_of

from pocket_combine.card.model import AutoMCStats, Card, Channel, Column, Nuisance, RateParameter, is_shape_kind
from pocket_combine.effects import nuisance_effects
from pocket_combine.likelihood import build_model
from pocket_combine.summary import channel_yields, scaled_columns
from pocket_combine.templates import Templates

EDGES = [0, 1, 2, 3]


def channel(seed: int) -> Templates:
    random = np.random.default_rng(seed)
    nominal = {name: random.uniform(1, 100, 3) for name in ("sig", "tt", "dy", "vv")}
    varied = {
        (process, nuisance): (
            nominal[process] * random.uniform(0.6, 1.4, 3),
            nominal[process] * random.uniform(0.6, 1.4, 3),
        )
        for process, nuisance in itertools.product(nominal, ("JES", "JER", "log"))
    }
    # Below Combine's threshold for an effect on the yield.
    varied["tt", "JER"] = (nominal["tt"] * [1, 1.0001, 1], nominal["tt"] * [1, 1, 0.9999])
    return Templates.of(EDGES, nominal, varied, observation=[10, 20, 30])


TEMPLATES = {"SR": channel(1), "CR": channel(2)}
ROWS: dict[str, Row] = {
    "lumi": ("lnN", {"sig": 1.02, "tt": 1.02, "dy": 1.02}),
    "xsec": ("lnN", {"tt": (0.9, 1.2)}),
    "JES": ("shape", {"sig": 1.0, ("SR", "tt"): 0.5, "dy": 2.0}),
    "JER": ("shape?", {"tt": 1.0}),
    "log": ("shapeN", {("SR", "vv"): 0.5, ("CR", "vv"): 2.0}),
}


def slow_side(card: Card, templates: dict[str, Templates], place: Column, row: Nuisance, side: int) -> list[float]:
    """Events of a column at +1 (side 0) or -1 (side 1) standard deviation, by the formulas of Combine."""
    own = templates[place.channel]
    effect = row.effects[card.column_index[place.channel, place.process]]
    nominal = own.values[own.column_index[place.process]].tolist()
    assert effect is not None
    if isinstance(effect, tuple) or not is_shape_kind(row.kind):
        down, up = effect if isinstance(effect, tuple) else (1 / effect, effect)
        return [events * (down if side else up) for events in nominal]
    pair = own.pair_index[place.process, row.name]
    both = own.up[pair].tolist(), own.down[pair].tolist()
    varied = both[side]
    ratios = [sum(one) / sum(nominal) for one in both]
    scale = ratios[side] ** effect if any(abs(ratio - 1) >= 1e-3 for ratio in ratios) else 1.0
    n, v = ([one / sum(events) for one in events] for events in (nominal, varied))
    if "shapeN" in row.kind:
        moved = [math.exp(math.log(a) + effect * math.log(b / a)) for a, b in zip(n, v, strict=True)]
    else:
        moved = [a + effect * (b - a) for a, b in zip(n, v, strict=True)]
    return [sum(nominal) * scale * one / sum(moved) for one in moved]


def test_effects_agree_with_a_loop() -> None:
    card = card_of(TEMPLATES, ROWS)
    effects = nuisance_effects(card, TEMPLATES)
    assert [effect.name for effect in effects] == list(ROWS)
    totals = {name: own.values.sum(axis=0).tolist() for name, own in TEMPLATES.items()}
    for effect, row in zip(effects, card.nuisances, strict=True):
        acting = [place for place, cell in zip(card.columns, row.effects, strict=True) if cell is not None]
        assert [(one.channel, one.process) for one in effect.columns] == [(one.channel, one.process) for one in acting]
        squares = [0.0, 0.0]
        summed = [{name: [0.0] * 3 for name in TEMPLATES} for _ in range(2)]
        for one, place in zip(effect.columns, acting, strict=True):
            own = TEMPLATES[place.channel]
            nominal = own.values[own.column_index[place.process]].tolist()
            sizes = []
            for side, (found, moved) in enumerate(((one.yield_up, one.moved_up), (one.yield_down, one.moved_down))):
                events = slow_side(card, TEMPLATES, place, row, side)
                assert found == pytest.approx(sum(events) / sum(nominal), rel=1e-12)
                differences = [a / sum(events) - b / sum(nominal) for a, b in zip(events, nominal, strict=True)]
                if is_shape_kind(row.kind):
                    assert moved == pytest.approx(sum(map(abs, differences)) / 2, rel=1e-9)
                else:
                    assert moved is None
                shifts = [a - b for a, b in zip(events, nominal, strict=True)]
                sizes.append(math.sqrt(sum(s**2 / e for s, e in zip(shifts, totals[place.channel], strict=True))))
                for index, shift in enumerate(shifts):
                    summed[side][place.channel][index] += shift
            assert one.size == pytest.approx(max(sizes), rel=1e-9)
        for side, name in itertools.product(range(2), TEMPLATES):
            squares[side] += sum(s**2 / e for s, e in zip(summed[side][name], totals[name], strict=True))
        assert effect.size == pytest.approx(math.sqrt(max(squares)), rel=1e-9)
    only = nuisance_effects(card, TEMPLATES, {"JES", "lumi"})
    assert only == tuple(effect for effect in effects if effect.name in ("JES", "lumi"))


def test_yields_that_are_morphed_with_the_template() -> None:
    card = card_of(
        TEMPLATES,
        {"JES": ("shape", {"dy": 2.0}), "log": ("shapeN", {"tt": 1.0})},
        mc_stats=[AutoMCStats("*", 0, hist_mode=2)],
    )
    jes, log = nuisance_effects(card, TEMPLATES)
    for effect in jes.columns:
        own = TEMPLATES[effect.channel]
        nominal, up = own.values[own.column_index["dy"]], own.up[own.pair_index["dy", "JES"]]
        assert effect.yield_up == pytest.approx((nominal + 2 * (up - nominal)).sum() / nominal.sum(), rel=1e-12)
    assert [effect.yield_up for effect in log.columns] == [1, 1]


@pytest.mark.parametrize(
    ("row", "up", "down"),
    [
        (Nuisance("x", "lnN", (None, 1.25)), 1.25, 0.8),
        (Nuisance("x", "lnU", (None, (0.5, 1.5))), 1.5, 0.5),
        (Nuisance("x", "gmN", (None, 2.0), (3.0,)), 1.5, 0.5),
        (Nuisance("x", "gmM", (None, 0.3)), 1.3, 0.7),
        (Nuisance("x", "trG", (None, -0.2)), 0.8, 1.2),
        (Nuisance("x", "unif", (None, 0.1), (-2.0, 4.0)), 1.4, 0.8),
        (Nuisance("x", "dFD", (None, 0.1), (5.0,)), 1.1, 0.9),
    ],
    ids=lambda value: value.kind if isinstance(value, Nuisance) else "",
)
def test_kinds_of_counting_channels(row: Nuisance, up: float, down: float) -> None:
    card = Card((Channel("SR", 5),), (Column("SR", "s", 0, 0.5), Column("SR", "b", 1, 8.5)), nuisances=(row,))
    (effect,) = nuisance_effects(card, {})
    (column,) = effect.columns
    assert (column.process, column.cell) == ("b", row.effects[1])
    assert (column.yield_up, column.yield_down) == pytest.approx((up, down), rel=1e-12)
    assert (column.moved_up, column.moved_down) == (None, None)
    assert effect.size == column.size == pytest.approx(8.5 * max(abs(up - 1), abs(down - 1)) / 3, rel=1e-12)


def test_rows_of_one_name_add_up_and_idle_ones_have_no_columns() -> None:
    columns = (Column("SR", "s", 0, 1.0), Column("SR", "b", 1, 99.0), Column("SR", "none", 2, 0.0))
    rows = (
        Nuisance("twice", "lnN", (None, 1.1, None)),
        Nuisance("idle", "lnN", (None, None, 1.5)),
        Nuisance("twice", "lnU", (2.0, 1.1, None)),
    )
    twice, idle = nuisance_effects(Card((Channel("SR", 5),), columns, nuisances=rows), {})
    assert [(one.process, one.kind) for one in twice.columns] == [("s", "lnU"), ("b", "lnN"), ("b", "lnU")]
    assert twice.kinds == ("lnN", "lnU")
    assert twice.size == pytest.approx((2 * 9.9 + 1) / 10, rel=1e-12)
    assert (idle.columns, idle.size) == ((), 0)


def test_yields() -> None:
    card = card_of(
        {"SR": TEMPLATES["SR"]},
        rates={("count", "sig"): 2.5, ("count", "tt"): 7.0, ("SR", "dy"): 0.0},
        observations={"count": 11.0},
    )
    # Combine drops a process of rate 0 before it looks for a template.
    own = Templates.of(EDGES, {name: TEMPLATES["SR"].values[row] for row, name in enumerate(("sig", "tt"))})
    first, second = channel_yields(card, {"SR": own})
    assert (first.name, first.bins, first.observed) == ("SR", 3, None)
    assert list(first.processes) == ["sig", "tt", "dy", "vv"]
    assert first.processes["dy"] == 0
    assert first.processes["tt"] == pytest.approx(own.values[1].sum())
    assert (second.bins, second.observed) == (None, 11)
    assert (second.signal, second.background, second.total) == (2.5, 7, 9.5)


def test_lines_of_one_rate_parameter_are_one() -> None:
    lines = (
        RateParameter("SF", "SR", "tt", 1.0),
        RateParameter("a", "SR", "x", 2.0),
        RateParameter("SF", "CR", "tt", 1.0),
    )
    found = scaled_columns(card_of(TEMPLATES, rate_parameters=lines))
    assert [(one.parameter.name, one.columns) for one in found] == [("SF", (("SR", "tt"), ("CR", "tt"))), ("a", ())]


@pytest.mark.parametrize("mc_stats", [(), (AutoMCStats("*", 0),), (AutoMCStats("*", 0, hist_mode=2),)])
def test_effects_agree_with_the_likelihood(mc_stats: tuple[AutoMCStats, ...]) -> None:
    card = card_of(TEMPLATES, ROWS, mc_stats=mc_stats)
    model = build_model(card, TEMPLATES)
    nominal = model.expected(model.parameters.initial).processes
    for effect in nuisance_effects(card, TEMPLATES):
        for theta in (1.0, -1.0):
            shifted = model.expected(model.parameters.vector({effect.name: theta})).processes
            for column in effect.columns:
                row = card.processes(column.channel).index(column.process)
                before, after = nominal[column.channel][row], shifted[column.channel][row]
                ratio = column.yield_up if theta > 0 else column.yield_down
                moved = column.moved_up if theta > 0 else column.moved_down
                # Combine works in single precision and rounds kappas to six decimals.
                assert after.sum() / before.sum() == pytest.approx(ratio, rel=2e-6)
                share = np.abs(after / after.sum() - before / before.sum()).sum() / 2
                assert share == pytest.approx(moved or 0, abs=1e-6)
