"""The layout of ValidateDatacards' `validation.json`, against a transcription of its definitions."""

import json
import math
from collections.abc import Mapping
from typing import Any

import pytest
import reference_cards
from hypothesis import given
from hypothesis import strategies as st
from small_cards import Row, card_of

from pocket_combine.card.model import AutoMCStats, Card
from pocket_combine.checks import validation_json
from pocket_combine.templates import Templates


def scaled(row: list[float]) -> list[float]:
    """`Scale(1. / Integral())` where the integral is positive."""
    return [value / math.fsum(row) for value in row] if math.fsum(row) > 0 else row


def difference(one: float, other: float) -> float:
    return 2 * abs(one - other) / (abs(one) + abs(other)) if abs(one) + abs(other) > 0 else 0.0


class Program:
    """ValidateDatacards for shape cards, in the order and with the conditions of `ValidationTools.cc`."""

    def __init__(self, card: Card, templates: Mapping[str, Templates]) -> None:
        self.report: dict[str, Any] = {}
        self.card = card
        self.own = templates
        for channel in card.channels:
            own = templates[channel.name]
            self.rows = {name: own.values[index].tolist() for name, index in own.column_index.items()}
            self.background_bins(channel.name)
            for row, nuisance in enumerate(card.nuisances):
                for column in card.columns_of(channel.name):
                    effect = nuisance.effects[card.column_index[channel.name, column.process]]
                    if effect is not None:
                        self.systematic(channel.name, column.process, row, effect)
            self.processes(channel.name)

    def put(self, key: str, nuisance: str, channel: str, process: str, entry: Any) -> None:
        self.report.setdefault(key, {}).setdefault(nuisance, {}).setdefault(channel, {})[process] = entry

    def systematic(self, channel: str, process: str, row: int, effect: Any) -> None:
        nuisance = self.card.nuisances[row]
        nominal = self.rows[process]
        rate = math.fsum(nominal)
        if nuisance.kind == "lnN":
            value_d, value_u = effect if isinstance(effect, tuple) else (0.0, effect)
            if rate != 0 and abs(value_u - 1) > 0.1:
                self.put("largeNormEff", nuisance.name, channel, process, {"value_u": value_u, "value_d": value_d})
            return
        if nuisance.kind != "shape":
            return
        pair = self.own[channel].pair_index[process, nuisance.name]
        up, down = self.own[channel].up[pair].tolist(), self.own[channel].down[pair].tolist()
        value_u, value_d = math.fsum(up) / rate, math.fsum(down) / rate
        values = {"value_u": value_u, "value_d": value_d}
        if (value_u > 1 and value_d > 1) or (value_u < 1 and value_d < 1):
            self.put("uncertVarySameDirect", nuisance.name, channel, process, values)
        up, down = scaled(up), scaled(down)
        shape = scaled([max(value, 0.0) for value in scaled(nominal)])
        sums = {
            "diff_u": math.fsum(difference(a, b) for a, b in zip(up, shape, strict=True)),
            "diff_d": math.fsum(difference(a, b) for a, b in zip(down, shape, strict=True)),
        }
        if len(nominal) == 1:
            self.put("smallShapeEff1bin", nuisance.name, channel, process, sums)
        elif sums["diff_u"] < 0.001 and sums["diff_d"] < 0.001:
            self.put("smallShapeEff", nuisance.name, channel, process, sums)
        same = all(difference(a, b) <= 0.001 for a, b in zip(up, down, strict=True))
        if abs(value_u - value_d) < 0.0000001 and same:
            self.put("uncertTemplSame", nuisance.name, channel, process, values)
        if value_u == 0 or value_d == 0:
            self.put("emptySystematicShape", nuisance.name, channel, process, values)
        if abs(value_u - 1) > 0.1 or abs(value_d - 1) > 0.1:
            self.put("largeNormEff", nuisance.name, channel, process, values)

    def background_bins(self, channel: str) -> None:
        own = self.own[channel]
        backgrounds = [column.process for column in self.card.columns_of(channel) if not column.is_signal]
        for j in range(own.bins):
            content = math.fsum(max(self.rows[name][j], 0.0) for name in backgrounds)
            if content <= 0:
                self.report.setdefault("emptyBkgBin", {}).setdefault(channel, []).append(j + 1)
            if self.card.mc_stats_of(channel) and content != 0:
                variance = math.fsum(own.variances[own.column_index[name], j] for name in backgrounds)
                if math.sqrt(variance) / content > 2:
                    self.report.setdefault("largeBinError", {}).setdefault(channel, []).append(j + 1)

    def processes(self, channel: str) -> None:
        columns = self.card.columns_of(channel)
        signals = [column.process for column in columns if column.is_signal]
        total = sum(math.fsum(self.rows[name]) for name in signals)
        for column in columns:
            rate = math.fsum(self.rows[column.process])
            if rate == 0:
                self.report.setdefault("emptyProcessShape", {}).setdefault(channel, []).append(column.process)
            if column.is_signal and rate < 0.001 * total:
                entry = {"sigrate_tot": total, "procrate": rate}
                self.report.setdefault("smallSignalProc", {}).setdefault(channel, {})[column.process] = entry
            if self.card.mc_stats_of(channel):
                own = self.own[channel]
                variances = own.variances[own.column_index[column.process]].tolist()
                pairs = [(abs(n), v) for n, v in zip(self.rows[column.process], variances, strict=True) if n != 0]
                if all(abs(n - v) <= 1e-6 * max(n, v) for n, v in pairs):
                    place = self.report.setdefault("binErrorIsNotSumw2", {}).setdefault(channel, {})
                    place[column.process] = "BinErrorIsSqrtN"


def approximately(report: Any) -> Any:
    if isinstance(report, dict):
        return {key: approximately(value) for key, value in sorted(report.items())}
    return pytest.approx(report, rel=1e-9, abs=1e-12) if isinstance(report, float) else report


# Sums of these are exact, so that a ratio of 1 is 1 in any order of adding up.
contents = st.sampled_from([0.0, 2**-10, 1.0, 2.0, 2 + 2**-11, 5.0, 7.0, 100.0])


@given(st.data(), st.integers(1, 4), st.booleans())
def test_like_the_program(data: st.DataObject, bins: int, errors: bool) -> None:
    row = st.lists(contents, min_size=bins, max_size=bins)
    positive = row.filter(any)
    nominal = {
        "sig": data.draw(positive),
        "sig2": data.draw(row),
        "bkg": data.draw(positive),
        "bkg2": data.draw(positive),
    }
    pairs = {
        (name, source): (data.draw(row), data.draw(row))
        for name in ("sig", "bkg", "bkg2")
        for source in ("A", "B", "C")
    }
    # Pairs that resemble nominal, or each other.
    pairs["bkg", "B"] = ([1.0004 * value for value in nominal["bkg"]], [0.85 * value for value in nominal["bkg"]])
    pairs["sig", "C"] = (pairs["sig", "A"][0], [1.00001 * value for value in pairs["sig", "A"][0]])
    variances = {name: data.draw(row) for name in nominal} if errors else {}
    own = Templates.of(list(range(bins + 1)), nominal, pairs, variances=variances)
    everywhere = dict.fromkeys(("sig", "bkg", "bkg2"), 1.0)
    rows: dict[str, Row] = {
        "A": ("shape", everywhere),
        "B": ("shape", everywhere),
        "C": ("shapeN", everywhere),
        "xsec": ("lnN", {"sig": 1.05, "bkg": 0.8, "bkg2": (0.7, 1.3)}),
        "free": ("lnU", {"bkg": 2.0}),
    }
    mc_stats = [AutoMCStats("SR", 0)] if data.draw(st.booleans()) else []
    card = card_of({"SR": own}, rows, signals=("sig", "sig2"), mc_stats=mc_stats)
    assert validation_json(card, {"SR": own}) == approximately(Program(card, {"SR": own}).report)


def test_by_hand() -> None:
    own = Templates.of(
        [0, 1, 2],
        {"sig": [1.0, 3.0], "bkg": [30.0, 10.0], "none": [0.0, 0.0]},
        {("bkg", "A"): ([36.0, 12.0], [33.0, 11.0]), ("sig", "A"): ([0.0, 0.0], [1.0, 3.0])},
    )
    rows: dict[str, Row] = {
        "A": ("shape?", {"bkg": 1.0, "sig": 1.0, "none": 1.3}),
        "xsec": ("lnN", {"bkg": 1.2, "sig": (0.9, 1.05)}),
    }
    card = card_of({"SR": own}, rows)
    report = validation_json(card, {"SR": own})
    # `none` has no template for A, so that 1.3 is a log-normal; without events it is not looked at.
    assert report == {
        "emptyProcessShape": {"SR": ["none"]},
        "emptySystematicShape": {"A": {"SR": {"sig": {"value_d": 1.0, "value_u": 0.0}}}},
        "largeNormEff": {
            "A": {
                "SR": {
                    "bkg": {"value_d": pytest.approx(1.1), "value_u": pytest.approx(1.2)},
                    "sig": {"value_d": 1.0, "value_u": 0.0},
                }
            },
            "xsec": {"SR": {"bkg": {"value_d": 0.0, "value_u": 1.2}}},
        },
        "smallShapeEff": {"A": {"SR": {"bkg": {"diff_d": pytest.approx(0), "diff_u": pytest.approx(0)}}}},
        "uncertVarySameDirect": {"A": {"SR": {"bkg": {"value_d": pytest.approx(1.1), "value_u": pytest.approx(1.2)}}}},
    }
    assert list(report) == sorted(report)
    json.dumps(report, indent=4)


def test_cards_with_counting_channels_have_no_checks_of_shapes() -> None:
    own = Templates.of([0, 1], {"sig": [1.0], "bkg": [9.0]}, {("bkg", "A"): ([9.5], [9.5])})
    rates = {("N", "sig"): 0.0, ("N", "bkg"): 3.0}
    card = card_of({"SR": own}, {"A": ("shape", {("SR", "bkg"): 1.0})}, rates=rates, observations={"N": 3.0})
    assert validation_json(card, {"SR": own}) == {"emptyProcessShape": {"N": ["sig"]}}
    alone = card_of({"SR": own}, {"A": ("shape", {"bkg": 1.0})})
    assert set(validation_json(alone, {"SR": own})) == {"smallShapeEff1bin", "uncertTemplSame", "uncertVarySameDirect"}


def test_limits_are_arguments() -> None:
    own = Templates.of([0, 1], {"sig": [1.0], "sig2": [0.01], "bkg": [9.0]}, variances={"bkg": [100.0]})
    card = card_of({"SR": own}, {"x": ("lnN", {"bkg": 1.05})}, signals=("sig", "sig2"), mc_stats=[AutoMCStats("SR")])
    assert set(validation_json(card, {"SR": own})) == {"binErrorIsNotSumw2"}
    report = validation_json(
        card, {"SR": own}, max_normalisation_effect=0.02, min_signal_fraction=0.1, max_relative_bin_error=1.0
    )
    assert set(report) == {"binErrorIsNotSumw2", "largeBinError", "largeNormEff", "smallSignalProc"}
    assert report["smallSignalProc"] == {"SR": {"sig2": {"procrate": 0.01, "sigrate_tot": 1.01}}}
    assert report["largeBinError"] == {"SR": [1]}


@reference_cards.needed
def test_a_large_card() -> None:
    loaded = reference_cards.loaded("template-vhbb-zee")
    report = validation_json(loaded.card, loaded.templates)
    assert report == approximately(Program(loaded.card, loaded.templates).report)
    assert len(report["uncertTemplSame"]) > 100
