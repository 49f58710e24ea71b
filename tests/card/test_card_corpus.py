"""Cards on disk: what Combine's own reading of the reference cards says, and the corpus of this folder."""

from __future__ import annotations

import dataclasses
import functools
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import reference_cards

from pocket_combine.card.load import load_card
from pocket_combine.card.model import Card
from pocket_combine.card.parser import parse_card, read_card, read_card_with_findings
from pocket_combine.card.writer import write_card
from pocket_combine.errors import CardError
from pocket_combine.names import DATA

CORPUS = Path(__file__).resolve().parents[1] / "data" / "cards"
VALID = sorted(CORPUS.glob("valid/*.txt"))
INVALID = sorted(path for path in CORPUS.glob("invalid/*.txt") if not path.name.endswith(".error.txt"))
Reference = tuple[Card, dict[str, Any]]


@functools.cache
def read(name: str) -> Card:
    return read_card(reference_cards.FOLDER / name / "datacard.txt")


@pytest.fixture(params=reference_cards.NAMES or ["missing"])
def reference(request: pytest.FixtureRequest) -> Reference:
    if not reference_cards.NAMES:
        pytest.skip(f"no reference cards in {reference_cards.FOLDER}")
    return read(request.param), reference_cards.expected(request.param)["model"]


def test_channels_and_processes_are_those_of_combine(reference: Reference) -> None:
    card, model = reference
    assert [channel.name for channel in card.channels] == [channel["name"] for channel in model["channels"]]
    for channel, expected in zip(card.channels, model["channels"], strict=True):
        assert channel.observation == expected["observation_in_card"]
        columns = [
            (column.process, column.process_id, column.is_signal, column.rate)
            for column in card.columns_of(channel.name)
        ]
        assert columns == [
            (process["name"], process["id"], process["signal"], process["rate_in_card"])
            for process in expected["processes"]
        ]
        settings = card.mc_stats_of(channel.name)
        found = settings and {
            "threshold": settings.threshold,
            "include_signal": settings.include_signal,
            "hist_mode": settings.hist_mode,
        }
        assert found == expected.get("autoMCStats")


def test_parameters_are_those_of_combine(reference: Reference) -> None:
    card, model = reference
    in_card = [item for item in model["nuisances"] if item["type"] not in ("autoMCStats", "other")]
    expected = {item["name"]: item["type"] for item in in_card}
    found = {row.name: row.kind for row in card.nuisances}
    found |= {parameter.name: "param" for parameter in card.parameters}
    found |= {parameter.name: "rateParam" for parameter in card.rate_parameters if parameter.formula is None}
    assert found == expected
    for item in in_card:
        if item["type"] == "rateParam":
            first = next(parameter for parameter in card.rate_parameters if parameter.name == item["name"])
            assert first.value == item["nominal"]
            if first.range is not None:
                assert list(first.range) == item["range"]
        if item["type"] == "param":
            parameter = next(parameter for parameter in card.parameters if parameter.name == item["name"])
            constraint = item["constraint"]
            sigma = parameter.sigma
            widths = (constraint.get("sigma_low"), constraint.get("sigma_high"))
            assert sigma == (widths if isinstance(sigma, tuple) else constraint["sigma"])
            assert parameter.mean == constraint["mean"]


def test_groups_are_those_of_combine(reference: Reference) -> None:
    card, model = reference
    assert {group.name: sorted(group.members) for group in card.groups} == {
        name: sorted(members) for name, members in model["groups"].items() if name != "autoMCStats"
    }


def test_what_is_written_reads_back_the_same(reference: Reference) -> None:
    card, _ = reference
    text = write_card(card)
    assert parse_card(text) == card
    assert write_card(parse_card(text)) == text
    assert DATA not in {column.process for column in card.columns}


@pytest.mark.parametrize("name", reference_cards.NAMES)
def test_templates_are_those_of_combine(name: str) -> None:
    expected, loaded = reference_cards.expected(name), reference_cards.loaded(name)
    nominal = next(point for point in expected["points"] if point["name"] == "nominal")["yields"]
    compared = 0
    for channel in expected["model"]["channels"]:
        templates = loaded.templates.get(channel["name"])
        if templates is None:
            assert channel["nbins"] == 1
            continue
        assert templates.observation is not None
        np.testing.assert_allclose(templates.observation, channel["observed"], rtol=1e-7)
        np.testing.assert_allclose(templates.edges, channel["bin_edges"], rtol=1e-12, atol=1e-12)
        for process in channel["processes"]:
            row = templates.values[templates.column_index[process["name"]]] if process["rate_in_card"] else None
            if process["rate_in_card"] == -1 and row is not None and (row >= 0).all():
                # Combine stores templates in single precision, and 1e-9 of the total stands in for an empty bin.
                combine = nominal[channel["name"]]["processes"][process["name"]]
                np.testing.assert_allclose(row, combine, rtol=2e-7, atol=1.001e-9 * row.sum())
                compared += 1
    assert compared or "synthetic" not in name


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_valid_cards_mean_what_stands_beside_them(path: Path) -> None:
    parsed = read_card_with_findings(path)
    found = {name: value for name, value in dataclasses.asdict(parsed.card).items() if value}
    found["findings"] = [f"{finding.place.rpartition(':')[2]} {finding.code}" for finding in parsed.findings]
    assert json.loads(json.dumps(found)) == json.loads(path.with_suffix(".json").read_text())
    assert parse_card(write_card(parsed.card)) == parsed.card


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_invalid_cards_are_refused_as_stands_beside_them(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    with pytest.raises(CardError) as caught:
        load_card(path.name)
    expected, found = path.with_suffix(".error.txt").read_text(), f"{caught.value}\n"
    # [...] stands for details of damaged ROOT files, which belong to their reader.
    assert expected == found or re.fullmatch(re.escape(expected).replace(r"\[\.\.\.\]", ".+"), found)


def test_the_corpus_is_complete() -> None:
    assert len(INVALID) >= 120
    assert {path.stem.split("-")[0] for path in INVALID} >= {"header", "shapes", "row", "rateParam", "edit", "root"}
