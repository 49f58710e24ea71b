"""Blind cards and cards without data: data are not read, and nothing depends on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import uproot
from cards_of_toys import build, tokens
from toys import (
    YEARS,
    observed,
    random_declarations,
    random_toy,
    small_toy,
)

from pocket_combine import Severity, Systematics
from pocket_combine.errors import DeclarationError


class Untouchable:
    """Stands for a histogram that must not be looked at."""

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(f"{name} of a data histogram was asked for")


class TestBlind:
    """Blind cards: data are not read, and nothing depends on them."""

    def test_data_are_never_read(self) -> None:
        toy = small_toy()
        toy.histograms["DATA"]["DATA_2018"] = Untouchable()
        card = build(toy, blind=True)
        assert card.observation == 110.0
        with pytest.raises(AssertionError, match="of a data histogram was asked for"):
            build(toy)

    def test_nothing_depends_on_data(self) -> None:
        first, second = random_toy(4), random_toy(4)
        for datasets in second.histograms["DATA"].values():
            datasets.view(flow=True)["value"] *= 17.5
        second.cutflow["presel"]["DATA_2017_EraA"] = 0
        second.metadata["by_datataking_period"]["2018"].pop("DATA")
        processes, systematics, data = random_declarations()
        cards = [
            build(toy, years=YEARS, mc_processes=processes, systematics=systematics, data_processes=data, blind=True)
            for toy in (first, second)
        ]
        assert cards[0].content() == cards[1].content()
        assert cards[0].findings == cards[1].findings
        for name in ("values", "variances", "up", "down", "observation"):
            assert getattr(cards[0].templates, name).tobytes() == getattr(cards[1].templates, name).tobytes()

    def test_the_observation_is_the_sum_of_all_processes_unrounded(self) -> None:
        toy = small_toy().simulate("Bkg", "2018", [0.1, 0.2, 0.3, 0.4], dataset="Bkg_b")
        card = build(toy, blind=True, systematics=Systematics([]))
        assert card.templates.observation is not None
        assert card.templates.observation.tolist() == card.templates.values.sum(axis=0).tolist()
        assert card.observation == pytest.approx(111.0, rel=1e-15)
        assert [(item.code, item.severity) for item in card.findings] == [("blinded", Severity.INFO)]

    def test_declarations_of_data_are_checked_all_the_same(self) -> None:
        with pytest.raises(DeclarationError, match="data process 'data_obs' has the years"):
            build(data_processes=observed(years=["2017"]), blind=True)

    def test_without_data_combine_still_finds_a_template(self, tmp_path: Path) -> None:
        card = build(data_processes=None)
        card.dump(tmp_path, "card.txt", "shapes.root")
        assert tokens((tmp_path / "card.txt").read_text())["observation"] == [["-1"]]
        with uproot.open(tmp_path / "shapes.root") as file:
            assert file["data_obs_nominal"].values().tolist() == [41, 32, 23, 14]
        assert [(item.code, item.severity) for item in card.findings] == [("no-data", Severity.INFO)]
