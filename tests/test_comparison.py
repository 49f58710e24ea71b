"""Comparison of cards: what counts, what does not, and sizes worked by hand."""

import dataclasses
import json
import random
from typing import Any

import numpy as np
import pytest
import reference_cards
from hypothesis import given
from hypothesis import strategies as st
from small_cards import Row, card_of

from pocket_combine.card.model import (
    AutoMCStats,
    Card,
    Constraint,
    ExternalArgument,
    Group,
    Nuisance,
    Parameter,
    RateParameter,
)
from pocket_combine.comparison import CardAndTemplates, Comparison, diff
from pocket_combine.templates import Templates

NOMINAL = {"sig": [4.0, 0.0], "tt": [60.0, 20.0], "vv": [36.0, 5.0]}
"""100 and 25 events: data have errors of 10 and 5."""

SHAPE = ([66.0, 21.0], [54.0, 19.0])


def pair(**changes: Any) -> CardAndTemplates:
    """The card that the others are compared with, with changes."""
    nominal = changes.pop("nominal", NOMINAL)
    variations = changes.pop("variations", {("tt", "JES"): SHAPE, ("vv", "JES"): ([37.0, 5.0], [35.0, 5.0])})
    data = changes.pop("observation", [100, 25])
    variances = changes.pop("variances", None)
    name = changes.pop("channel", "SR")
    rows: dict[str, Row] = {
        "lumi": ("lnN", {"sig": 1.02, "tt": 1.02, "vv": 1.02}),
        "xsec_tt": ("lnN", {"tt": 1.05}),
        "JES": ("shape", {process: 1.0 for process, nuisance in variations if nuisance == "JES"}),
    }
    rows = changes.pop("rows", rows)
    rows = rows | changes.pop("more_rows", {})
    templates = {name: Templates.of([0, 1, 2], nominal, variations, observation=data, variances=variances)}
    return card_of(templates, rows, **changes), templates


def lines(a: CardAndTemplates, b: CardAndTemplates, **options: float) -> list[str]:
    return [str(change) for change in diff(a, b, **options).changes]


# ---------------------------------------------------------------- what does not count


def test_same_card() -> None:
    comparison = diff(pair(), pair())
    assert comparison == Comparison(())
    assert not comparison
    assert comparison.exit_status == 0
    assert comparison.to_dict() == {"same": True, "changes": []}


def test_order_and_writing_do_not_count() -> None:
    card, templates = pair(mc_stats=[AutoMCStats("*", 10)])
    order = [2, 0, 1]
    rows = []
    for nuisance in reversed(card.nuisances):
        effects = tuple(nuisance.effects[index] for index in order)
        if nuisance.name == "xsec_tt":
            effects = tuple(effect and (1 / 1.05, 1.05) for effect in effects)
        rows.append(Nuisance(nuisance.name, "shape?" if nuisance.kind == "shape" else nuisance.kind, effects))
    rows.append(Nuisance("idle", "lnN", (1.0, None, None)))
    rates = [
        dataclasses.replace(card.columns[index], rate=sum(NOMINAL[card.columns[index].process])) for index in order
    ]
    other = Card(card.channels, tuple(rates), nuisances=tuple(rows), mc_stats=(AutoMCStats("SR", 10),))
    own = templates["SR"]
    names = tuple(own.columns[index] for index in order)
    nominal = {name: own.values[own.column_index[name]] for name in names}
    shuffled = Templates.of(
        [0, 1, 2],
        nominal,
        {key: (own.up[row], own.down[row]) for key, row in own.pair_index.items()},
        observation=[100, 25],
    )
    assert lines((card, templates), (other, {"SR": shuffled})) == []
    assert lines((other, {"SR": shuffled}), (card, templates)) == []


def test_columns_of_rate_zero_do_not_count() -> None:
    card, templates = pair()
    more = card_of(
        templates,
        {
            nuisance.name: (nuisance.kind, dict(zip(("sig", "tt", "vv"), nuisance.effects, strict=True)))
            for nuisance in card.nuisances
        },
        rates={("SR", "off"): 0.0},
    )
    assert lines((card, templates), (more, templates)) == []


def test_numbers_agree_up_to_the_tolerance() -> None:
    near = {name: [value * (1 + 5e-7) for value in values] for name, values in NOMINAL.items()}
    assert lines(pair(), pair(nominal=near, variations={}, rows={})) != []
    same = pair(rows={}, variations={}), pair(nominal=near, rows={}, variations={})
    assert lines(*same) == []
    assert len(lines(*same, tolerance=1e-8)) == 3


@given(st.randoms(use_true_random=False))
def test_any_order_is_the_same(shuffle: random.Random) -> None:
    card, templates = pair(groups=(Group("all", ("lumi", "JES")),))
    order = list(range(3))
    shuffle.shuffle(order)
    rows = list(card.nuisances)
    shuffle.shuffle(rows)
    other = dataclasses.replace(
        card,
        columns=tuple(card.columns[index] for index in order),
        nuisances=tuple(dataclasses.replace(row, effects=tuple(row.effects[index] for index in order)) for row in rows),
        groups=(Group("all", ("JES", "lumi")),),
    )
    assert lines((card, templates), (other, templates)) == []


# ---------------------------------------------------------------- contents


def test_contents_by_size() -> None:
    nominal = NOMINAL | {"tt": [60.0, 23.0], "vv": [46.0, 5.0]}
    found = diff(pair(rows={}), pair(nominal=nominal, observation=[100, 28], rows={})).changes
    # 10 events on 100 expected, 3 data events where 25 are expected, 3 events of tt.
    assert [(change.subject, change.process) for change in found] == [
        ("template", "vv"),
        ("data", ""),
        ("template", "tt"),
    ]
    assert [change.size for change in found] == pytest.approx([10 / 10, 3 / 5, 3 / 5])
    assert str(found[0]) == (
        "template of channel SR, process vv changed: 41 → 51 events (+24.39%), most in bin 0: 36 → 46 "
        "(1 standard deviations of the data)"
    )
    assert (found[0].before, found[0].after) == (("41",), ("51",))


def test_sizes_add_up_in_quadrature_over_bins() -> None:
    nominal = NOMINAL | {"vv": [42.0, 9.0]}
    (found,) = diff(pair(rows={}), pair(nominal=nominal, rows={})).changes
    assert found.size == pytest.approx(np.hypot(6 / 10, 4 / 5))


def test_rate_is_the_yield_without_auto_mc_stats() -> None:
    rates = {("SR", "tt"): 80.4}
    assert lines(pair(rows={}), pair(rows={}, rates=rates)) == [
        "template of channel SR, process tt changed: 80 → 80.4 events (+0.50%), most in bin 0: 60 → 60.3 "
        f"({np.hypot(0.3 / 10, 0.1 / 5):.2g} standard deviations of the data)"
    ]
    stats = [AutoMCStats("SR", 0)]
    assert lines(pair(rows={}, mc_stats=stats), pair(rows={}, rates=rates, mc_stats=stats)) == []


def test_errors_and_auto_mc_stats_and_class() -> None:
    changed = pair(rows={}, variances={"tt": [60.0, 45.0]}, mc_stats=[AutoMCStats("*", 10)], signals=["sig", "vv"])
    assert lines(pair(rows={}), changed) == [
        "class of channel SR, process vv changed: was background, is signal",
        "bin errors of channel SR, process tt changed: statistical error most in bin 1: 4.47214 → 6.7082 "
        f"({(np.sqrt(45) - np.sqrt(20)) / 5:.2g} standard deviations of the data)",
        "autoMCStats of channel SR changed: none → 10 0 1",
    ]


def test_binning() -> None:
    card, templates = pair(rows={}, variations={})
    moved = dataclasses.replace(templates["SR"], edges=np.array([0.0, 1.5, 2.0]))
    assert lines((card, templates), (card, {"SR": moved})) == [
        "binning of channel SR changed: 2 bins from 0 to 2 → 2 bins from 0 to 2"
    ]
    one = Templates.of([0, 2], {name: [sum(values)] for name, values in NOMINAL.items()}, observation=[130])
    assert lines((card, templates), (card, {"SR": one}))[-1] == (
        "binning of channel SR changed: 2 bins from 0 to 2 → 1 bin from 0 to 2"
    )
    # Yields agree; the data are 5 more, of 125 expected.
    found = diff((card, templates), (card, {"SR": one})).of("data")
    assert found[0].size == pytest.approx(5 / np.sqrt(125))


def test_counting_channels() -> None:
    def counting(rate: float, observed: float) -> CardAndTemplates:
        rates = {("N", "sig"): 1.0, ("N", "bkg"): rate}
        return card_of({}, {"x": ("lnN", {"bkg": 1.1})}, rates=rates, observations={"N": observed}), {}

    assert lines(counting(15.0, 16), counting(19.0, 16)) == [
        "yield of channel N, process bkg changed: 15 → 19 events (+26.67%) (1 standard deviations of the data)"
    ]
    assert lines(counting(15.0, 16), counting(15.0, 18)) == [
        "data of channel N changed: 16 → 18 events (+12.50%) (0.5 standard deviations of the data)"
    ]


# ---------------------------------------------------------------- names of channels and processes


def test_channels() -> None:
    assert lines(pair(), pair(channel="signal_region")) == ["channel SR renamed to signal_region"]
    other = pair(channel="CR", observation=[90, 25])
    assert lines(pair(), other)[:2] == [
        "channel SR vanished: 125 expected events, 125 observed",
        "channel CR appeared: 125 expected events, 115 observed",
    ]


def test_processes_are_renamed_with_their_nuisances() -> None:
    nominal = {"sig": NOMINAL["sig"], "ttbar": NOMINAL["tt"], "vv": NOMINAL["vv"]}
    rows: dict[str, Row] = {
        "lumi": ("lnN", {"sig": 1.02, "ttbar": 1.02, "vv": 1.02}),
        "xsec_tt": ("lnN", {"ttbar": 1.05}),
        "JES": ("shape", {"ttbar": 1.0, "vv": 1.0}),
    }
    variations = {("ttbar", "JES"): SHAPE, ("vv", "JES"): ([37.0, 5.0], [35.0, 5.0])}
    changed = pair(nominal=nominal, rows=rows, variations=variations)
    assert lines(pair(), changed) == ["process tt renamed to ttbar"]
    assert lines(changed, pair()) == ["process ttbar renamed to tt"]


def test_processes_come_and_go() -> None:
    nominal = {"sig": [4.0, 0.0], "tt": [60.0, 20.0], "dy": [3.0, 4.0]}
    rows: dict[str, Row] = {"lumi": ("lnN", {"sig": 1.02, "tt": 1.02, "dy": 1.02})}
    old = pair(rows={"lumi": ("lnN", {"sig": 1.02, "tt": 1.02, "vv": 1.02})}, variations={})
    # 36 / 10 and 5 / 5; 3 / 10 and 4 / 5.
    assert lines(old, pair(nominal=nominal, rows=rows, variations={})) == [
        f"process vv vanished: 41 events in 1 channel ({np.hypot(3.6, 1):.2g} standard deviations of the data)",
        f"process dy appeared: 7 events in 1 channel ({np.hypot(0.3, 0.8):.2g} standard deviations of the data)",
    ]


def test_a_column_of_one_channel() -> None:
    own = Templates.of([0, 1], {"sig": [1.0], "tt": [15.0]})
    without = Templates.of([0, 1], {"sig": [1.0]})
    both, one = {"A": own, "B": own}, {"A": own, "B": without}
    assert lines((card_of(both), both), (card_of(one), one)) == [
        "column B/tt vanished: 15 events (3.8 standard deviations of the data)"
    ]


# ---------------------------------------------------------------- nuisances


def test_rename() -> None:
    rows: dict[str, Row] = {
        "lumi_13TeV": ("lnN", {"sig": 1.02, "tt": 1.02, "vv": 1.02}),
        "xsec_tt": ("lnN", {"tt": 1.05}),
        "CMS_scale_j": ("shape", {"tt": 1.0, "vv": 1.0}),
    }
    variations = {("tt", "CMS_scale_j"): SHAPE, ("vv", "CMS_scale_j"): ([37.0, 5.0], [35.0, 5.0])}
    groups = (Group("theory", ("xsec_tt", "lumi")),)
    found = diff(
        pair(groups=groups, frozen=("JES",)),
        pair(
            rows=rows,
            variations=variations,
            groups=(Group("theory", ("lumi_13TeV", "xsec_tt")),),
            frozen=("CMS_scale_j",),
        ),
    )
    assert [str(change) for change in found.changes] == [
        "nuisance JES renamed to CMS_scale_j: same effect on 2 columns",
        "nuisance lumi renamed to lumi_13TeV: same effect on 3 columns",
    ]


def test_of_equal_effects_the_most_similar_name_is_the_new_one() -> None:
    old: dict[str, Row] = {"xsec_a": ("lnN", {"tt": 1.05}), "theory_b": ("lnN", {"tt": 1.05})}
    new: dict[str, Row] = {"xsec_aa": ("lnN", {"tt": 1.05}), "theory_bb": ("lnN", {"tt": 1.05})}
    found = diff(pair(rows=old, variations={}), pair(rows=new, variations={})).changes
    assert {(change.before, change.after) for change in found} == {
        (("xsec_a",), ("xsec_aa",)),
        (("theory_b",), ("theory_bb",)),
    }


def test_another_effect_is_no_rename() -> None:
    old: dict[str, Row] = {"xsec": ("lnN", {"tt": 1.05})}
    new: dict[str, Row] = {"xsec_tt": ("lnN", {"tt": 1.06})}
    # 5 % and 6 % of 60 and 20 events.
    before, after = (np.hypot(60 * size / 10, 20 * size / 5) for size in (0.05, 0.06))
    assert lines(pair(rows=old, variations={}), pair(rows=new, variations={})) == [
        f"nuisance xsec vanished: acted on 1 column ({before:.2g} standard deviations of the data)",
        f"nuisance xsec_tt appeared: acts on 1 column ({after:.2g} standard deviations of the data)",
    ]


def test_correlations() -> None:
    together: dict[str, Row] = {"lumi": ("lnN", {"sig": 1.02, "tt": 1.02, "vv": 1.03})}
    apart: dict[str, Row] = {"lumi_a": ("lnN", {"sig": 1.02, "tt": 1.02}), "lumi_b": ("lnN", {"vv": 1.03})}
    left: dict[str, Row] = {"lumi": ("lnN", {"sig": 1.02, "tt": 1.02}), "lumi_b": ("lnN", {"vv": 1.03})}
    other: dict[str, Row] = {"lumi_x": ("lnN", {"sig": 1.02, "vv": 1.03}), "lumi_y": ("lnN", {"tt": 1.02})}

    def texts(a: dict[str, Row], b: dict[str, Row]) -> list[str]:
        found = diff(pair(rows=a, variations={}), pair(rows=b, variations={})).changes
        return [str(dataclasses.replace(change, size=0.0)) for change in found]

    assert texts(together, apart) == [
        "correlation lumi split into lumi_a, lumi_b: same effects, no longer correlated, on 3 columns"
    ]
    assert texts(apart, together) == [
        "correlation lumi_a, lumi_b merged into lumi: same effects, now correlated, on 3 columns"
    ]
    assert texts(together, left) == [
        "correlation lumi split into lumi, lumi_b: same effects, no longer correlated, on 1 column"
    ]
    assert texts(left, together) == [
        "correlation lumi, lumi_b merged into lumi: same effects, now correlated, on 1 column"
    ]
    assert texts(apart, other) == [
        "correlation lumi_a, lumi_b regrouped into lumi_x, lumi_y: "
        "same effects, correlated in another way, on 3 columns"
    ]
    # A cell that is nowhere else makes it no split.
    apart["lumi_b"] = ("lnN", {"vv": 1.04})
    assert [text.split(":")[0] for text in texts(together, apart)] == [
        "nuisance lumi vanished",
        "nuisance lumi_a appeared",
        "nuisance lumi_b appeared",
    ]


def test_size_of_a_lost_correlation() -> None:
    together: dict[str, Row] = {"lumi": ("lnN", {"sig": 1.02, "tt": 1.02, "vv": 1.02})}
    apart: dict[str, Row] = {"a": ("lnN", {"sig": 1.02, "tt": 1.02}), "b": ("lnN", {"vv": 1.02})}
    (found,) = diff(pair(rows=together, variations={}), pair(rows=apart, variations={})).changes
    # All processes together: 2 of 100 events and 0.5 of 25.
    assert found.size == pytest.approx(np.hypot(2 / 10, 0.5 / 5))


def test_changed_effects_by_size() -> None:
    rows: dict[str, Row] = {
        "lumi": ("lnN", {"sig": 1.02, "tt": 1.025, "vv": 1.025}),
        "xsec_tt": ("lnN", {"tt": (0.9, 1.05)}),
        "JES": ("shape", {"tt": 1.0, "vv": 1.0}),
    }
    variations = {("tt", "JES"): ([66.0, 24.0], [54.0, 19.0]), ("vv", "JES"): ([37.0, 5.0], [35.0, 5.0])}
    found = diff(pair(), pair(rows=rows, variations=variations)).changes
    # JES: 3 events in bin 1. xsec_tt: down 1/1.05 -> 0.9. lumi: 0.5 % of tt and vv together, 96 and 25 events.
    xsec = (1 / 1.05 - 0.9) * np.hypot(60 / 10, 20 / 5)
    lumi = 0.005 * np.hypot(96 / 10, 25 / 5)
    assert [change.nuisance for change in found] == ["JES", "xsec_tt", "lumi"]
    assert [change.size for change in found] == pytest.approx([3 / 5, xsec, lumi])
    assert found[0].message == (
        "1 column changed; most in channel SR, process tt: Up in bin 1 +5.000% → +20.000% of nominal"
    )
    assert found[1].message == ("1 column changed; most in channel SR, process tt: lnN 0.952381/1.05 → lnN 0.9/1.05")
    assert found[2].message.startswith(
        "2 columns changed; most in channel SR, process tt: lnN 0.980392/1.02 → lnN 0.97561"
    )


def test_variations_count_relative_to_nominal() -> None:
    nominal = NOMINAL | {"tt": [120.0, 30.0]}
    variations = {("tt", "JES"): ([132.0, 31.5], [108.0, 28.5]), ("vv", "JES"): ([37.0, 5.0], [35.0, 5.0])}
    found = diff(pair(), pair(nominal=nominal, variations=variations)).changes
    assert [change.subject for change in found] == ["template"]


def test_kind_strength_and_reach() -> None:
    rows: dict[str, Row] = {
        "lumi": ("lnU", {"sig": 1.02, "tt": 1.02, "vv": 1.02}),
        "xsec_tt": ("lnN", {"tt": 1.05, "vv": 1.05}),
        "JES": ("shape", {"tt": 2.0}),
    }
    found = {
        change.nuisance: change for change in diff(pair(), pair(rows=rows, variations={("tt", "JES"): SHAPE})).changes
    }
    assert found["lumi"].message.endswith("process sig: lnN 0.980392/1.02 → lnU 0.980392/1.02")
    assert found["xsec_tt"].message == "1 column new; most in channel SR, process vv: nothing → lnN 0.952381/1.05"
    assert found["xsec_tt"].size == pytest.approx(0.05 * np.hypot(36 / 10, 5 / 5))
    assert found["JES"].message == (
        "1 column changed, 1 column gone; most in channel SR, process tt: shape 1 → shape 2"
    )
    # One more standard deviation of tt, one less of vv: 6 - 1 events of 100, 1 event of 25; down 6 - 1 and 1.
    assert found["JES"].size == pytest.approx(np.hypot(5 / 10, 1 / 5))


# ---------------------------------------------------------------- the rest of the card


def test_parameters() -> None:
    old = pair(
        rate_parameters=(
            RateParameter("SF_tt", "SR", "tt", 1.0, (0.0, 5.0)),
            RateParameter("SF_vv", "SR", "vv", 1.0),
            RateParameter("product", "SR", "sig", formula="@0*@1", arguments=("SF_tt", "alpha")),
            RateParameter("old_name", "SR", "sig", 2.0),
        ),
        parameters=(Parameter("alpha", 1.0, 0.1), Parameter("beta", 0.0, (0.1, 0.2))),
        external_arguments=(ExternalArgument("MX", 120.0, constant=True),),
        constraints=(Constraint("soft", "SF_vv-1", (), 0.2),),
        groups=(Group("theory", ("alpha", "lumi")), Group("rates", ("SF_tt",))),
        frozen=("alpha", "beta"),
    )
    new = pair(
        rate_parameters=(
            RateParameter("SF_tt", "*", "tt", 1.0, (0.0, 2.0)),
            RateParameter("SF_vv", "*", "*", 1.0),
            RateParameter("product", "SR", "sig", formula="@1*@0", arguments=("a", "SF_tt")),
            RateParameter("new_name", "SR", "sig", 2.0),
        ),
        parameters=(Parameter("a", 1.0, 0.1), Parameter("beta", 0.0, (0.1, 0.3))),
        external_arguments=(ExternalArgument("MX", 125.0, constant=True),),
        constraints=(Constraint("soft", "@0-1", ("SF_vv",), 0.3),),
        groups=(Group("theory", ("a", "JES")),),
        frozen=("a",),
    )
    assert lines(old, new) == [
        "parameter alpha renamed to a: 1 ±0.1",
        "parameter beta changed: 0 -0.1/+0.2 → 0 -0.1/+0.3",
        "external argument MX changed: 120 constant → 125 constant",
        "rate parameter old_name renamed to new_name: 2 on SR/sig",
        "rate parameter SF_tt changed: 1 [0,5] → 1 [0,2]",
        "rate parameter SF_vv changed: now on SR/sig, SR/tt",
        "constraint soft changed: SF_vv-1, width 0.2 → SF_vv-1, width 0.3",
        "group rates vanished: SF_tt",
        "group theory changed: without lumi, with JES",
        "frozen parameter beta vanished: at its initial value",
    ]


def test_rate_parameters_follow_renamed_channels() -> None:
    rate = RateParameter("SF_tt", "SR", "tt", 1.0)
    new = RateParameter("SF_tt", "*", "tt", 1.0)
    assert lines(pair(rate_parameters=(rate,)), pair(channel="A", rate_parameters=(new,))) == [
        "channel SR renamed to A"
    ]


def test_structure_comes_first_and_everything_is_json() -> None:
    comparison = diff(pair(), pair(rows={}, nominal=NOMINAL | {"vv": [46.0, 5.0], "new": [1.0, 1.0]}))
    assert bool(comparison)
    assert comparison.exit_status == 1
    kinds = [change.action for change in comparison.changes]
    assert kinds == ["appeared", "vanished", "vanished", "vanished", "changed"]
    report = json.loads(json.dumps(comparison.to_dict(), allow_nan=False))
    assert report["same"] is False
    assert report["changes"][0] == {
        "subject": "process",
        "action": "appeared",
        "before": [],
        "after": ["new"],
        "message": "2 events in 1 channel",
        "channel": "",
        "process": "new",
        "nuisance": "",
        "size": pytest.approx(np.hypot(1 / 10, 1 / 5)),
    }


# ---------------------------------------------------------------- cards of the field


def renamed(loaded: CardAndTemplates, prefix: str) -> CardAndTemplates:
    card, templates = loaded
    rows = tuple(dataclasses.replace(row, name=prefix + row.name) for row in card.nuisances)
    new = {
        channel: dataclasses.replace(own, pairs=tuple((process, prefix + name) for process, name in own.pairs))
        for channel, own in templates.items()
    }
    return dataclasses.replace(card, nuisances=rows), new


@reference_cards.needed
def test_a_large_card() -> None:
    loaded = reference_cards.loaded("template-vhbb-zee")
    own = loaded.card, loaded.templates
    assert not diff(own, own)
    found = diff(own, renamed(own, "CMS_")).changes
    names = {nuisance.name for nuisance in loaded.card.nuisances}
    assert {(change.before[0], change.after[0]) for change in found} == {(name, f"CMS_{name}") for name in names}
    assert {change.action for change in found} == {"renamed"}


@reference_cards.needed
def test_reference_cards() -> None:
    def load(name: str) -> CardAndTemplates:
        loaded = reference_cards.loaded(name)
        return loaded.card, loaded.templates

    plain = load("synthetic-plain")
    assert lines(plain, load("synthetic-mcstats")) == ["autoMCStats of channel ch1 changed: none → 0 0 1"]
    (only,) = diff(plain, load("synthetic-same-side")).changes
    assert (only.subject, only.nuisance) == ("nuisance", "alpha")
    # The card with an empty process of rate 0 means the same as the one without it.
    assert lines(load("synthetic-mcstats"), load("synthetic-zero-process")) == []
