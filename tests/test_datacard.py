"""Datacards: what the documentation promises of them, read back from the written files."""

from __future__ import annotations

import logging
from typing import Any

import hist
import numpy as np
import pytest
from cards_of_toys import build, random_card
from toys import (
    Toy,
    shape,
    signal_and_background,
    small_toy,
)

from pocket_combine import Datacard, Severity, Systematics
from pocket_combine.errors import DeclarationError, FindingsError, MissingInputError, TemplateError


class TestProperties:
    """What a card says about itself."""

    def test_documented_properties(self) -> None:
        card = build()
        assert card.bin == "SR_2018"
        assert card.observation == 111.0
        assert card.rate("bkg_2018") == 100.0
        assert card.rate("sig_2018", "JERDown") == 9.5
        assert (card.imax, card.jmax, card.kmax) == (1, 1, 1)
        assert repr(card) == "<Datacard SR_2018: 2 processes, 1 nuisances, 4 bins>"
        assert card.findings == []

    @pytest.mark.parametrize(
        ("options", "name"),
        [
            ({}, "SR_2018"),
            ({"bin_suffix": "run3"}, "SR_run3"),
            ({"bin_prefix": "cat"}, "cat_SR_2018"),
            ({"bin_prefix": "cat", "bin_suffix": ""}, "cat_SR"),
            ({"bin_suffix": ""}, "SR"),
        ],
    )
    def test_name_of_the_channel(self, options: dict[str, Any], name: str) -> None:
        assert build(**options).bin == name

    def test_the_years_are_the_default_suffix(self) -> None:
        assert random_card(0).bin == "SR_2017_2018"

    def test_what_is_not_there_names_the_nearest(self) -> None:
        with pytest.raises(
            MissingInputError, match=r"channel SR_2018 has no process 'bkg'; available: 'bkg_2018', 'sig_2018'"
        ):
            build().rate("bkg")
        with pytest.raises(MissingInputError, match=r"process bkg_2018 has no template 'JER'; did you mean 'JERUp'"):
            build().rate("bkg_2018", "JER")

    def test_observation_is_the_data_in_the_binning_of_the_card(self) -> None:
        assert build(bins_edges=[1, 3]).observation == 55.0
        assert build(data_processes=None).observation == -1.0

    def test_bins_of_an_unrolled_variable_are_recorded(self) -> None:
        axes = [hist.axis.Regular(2, 0, 2, name="x"), hist.axis.StrCategory(["ee", "mm"], name="channel")]
        toy = Toy(axes=axes).simulate("Sig", "2018", np.ones((2, 2))).simulate("Bkg", "2018", [[1, 2], [3, 4]])
        card = build(toy, systematics=Systematics([]), data_processes=None, bins_edges=[0, 3, 4])
        assert card.templates.values[1].tolist() == [6, 4]
        assert card.binning.bin_map()[2] == ((1.0, 2.0), (0.0, 1.0))
        (finding,) = [item for item in card.findings if item.code == "unrolled-variable"]
        assert finding.message.endswith("x: 2 bins [0, 1, 2] × channel: categories ee, mm")
        with pytest.raises(TemplateError, match="flow='fold' needs one axis with an order, found x: 2 bins"):
            build(toy, systematics=Systematics([]), data_processes=None, flow="fold")

    @pytest.mark.parametrize(
        "axis",
        [
            hist.axis.StrCategory(["a", "b"], name="x"),
            hist.axis.IntCategory([1, 2], name="x"),
            hist.axis.Regular(2, 0, 1, name="x", circular=True),
        ],
        ids=repr,
    )
    def test_nothing_is_folded_where_there_is_no_outer_bin(self, axis: Any) -> None:
        toy = Toy(axes=[axis]).simulate("Sig", "2018", [1, 1]).simulate("Bkg", "2018", [1, 2])
        with pytest.raises(TemplateError, match="flow='fold' needs one axis with an order"):
            build(toy, systematics=Systematics([]), data_processes=None, flow="fold")


class TestFindings:
    """Findings are kept, raised together, or logged; nothing is printed."""

    def wrong(self, **options: Any) -> Datacard:
        toy = small_toy(categories=["1btag"])
        return build(toy, category="1btag", systematics=Systematics([shape("JRE")]), **options)

    def test_findings_are_kept(self) -> None:
        card = self.wrong()
        assert [finding.code for finding in card.findings] == ["variation-nowhere", "channel-leading-digit"]
        assert card.kmax == 1

    def test_strict_raises_all_errors_at_once(self) -> None:
        with pytest.raises(FindingsError) as caught:
            self.wrong(strict=True)
        assert [finding.code for finding in caught.value.findings] == ["variation-nowhere", "channel-leading-digit"]
        assert "1. error [variation-nowhere] nuisance JRE: variation 'JRE' is in none" in str(caught.value)

    def test_strict_lets_warnings_pass(self) -> None:
        toy = small_toy().simulate("Bkg", "2018", [1, -2000, 1, 1], dataset="Bkg_b")
        card = build(toy, strict=True, systematics=Systematics([]))
        assert next((item.code, item.severity) for item in card.findings) == ("negative-bin", Severity.WARNING)

    def test_verbose_logs_a_summary_and_prints_nothing(
        self, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with caplog.at_level(logging.DEBUG, logger="pocket_combine"):
            self.wrong(verbose=True)
        assert [(record.name, record.levelname) for record in caplog.records] == [
            ("pocket_combine.datacard", "WARNING")
        ] * 3
        assert caplog.messages[0] == (
            "channel 1btag_2018: 1 x variation-nowhere (error), 1 x channel-leading-digit (error); "
            "see datacard.findings"
        )
        assert "did you mean 'JER'?" in caplog.messages[1]
        assert capsys.readouterr() == ("", "")

    def test_verbose_without_anything_to_say(self, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.INFO, logger="pocket_combine"):
            build(verbose=True)
            build(verbose=True, blind=True)
        assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
            ("INFO", "channel SR_2018: no findings"),
            ("INFO", "channel SR_2018: 1 x blinded (info); see datacard.findings"),
        ]

    def test_silence_without_verbose(self, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.DEBUG):
            self.wrong(verbose=False)
        assert caplog.records == []

    def test_verbose_is_the_default(self, caplog: pytest.LogCaptureFixture) -> None:
        inputs = small_toy().inputs
        with caplog.at_level(logging.INFO, logger="pocket_combine"):
            Datacard(
                inputs["histograms"], inputs["datasets_metadata"], inputs["cutflow"], ["2018"],
                signal_and_background(), Systematics([]), "SR",
            )  # fmt: skip
        assert "1 x no-data (info)" in caplog.messages[0]


class TestArguments:
    """Arguments that can never be right."""

    def test_all_problems_of_the_declarations_at_once(self) -> None:
        with pytest.raises(DeclarationError) as caught:
            build(mc_processes=[], systematics={}, data_processes="data", years="2018", flow="up", mcstat=None)
        assert len(caught.value.problems) == 6

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"flow": "keep"}, "flow is 'keep', expected one of 'drop', 'fold', 'error'"),
            ({"negative_bins": "zero"}, "negative_bins is 'zero', expected one of 'clip', 'keep', 'error'"),
            ({"mcstat": 3}, "mcstat is 3, expected True, False or a dict"),
            ({"bin_suffix": "run 3"}, "category 'SR': channel name 'SR_run 3' holds ' '"),
            ({"bin_prefix": "a-b"}, "category 'SR': channel name 'a-b_SR_2018' holds '-'"),
            ({"category": 5}, "category is 5, expected text"),
            ({"bin_suffix": 2018}, "bin_suffix is 2018, expected text"),
        ],
    )
    def test_values_that_combine_does_not_have(self, options: dict[str, Any], message: str) -> None:
        with pytest.raises(DeclarationError, match=message):
            build(**options)

    def test_a_category_that_is_not_there(self) -> None:
        with pytest.raises(MissingInputError, match=r"category 'sr' is not on the category axis; did you mean 'SR'\?"):
            build(category="sr")

    def test_contents_outside_may_be_refused(self) -> None:
        with pytest.raises(TemplateError, match=r"channel SR_2018: .* expected events outside \[1, 3\]"):
            build(bins_edges=[1, 3], flow="error")

    def test_nothing_but_empty_datasets(self) -> None:
        toy = small_toy()
        toy.cutflow["presel"] = {}
        with pytest.raises(MissingInputError, match="channel SR_2018: none of its datasets has events and a histogram"):
            build(toy)

    def test_arguments_are_not_changed(self) -> None:
        mcstat = {"threshold": 1}
        edges = [0.0, 2.0, 4.0]
        years = ["2018"]
        build(mcstat=mcstat, bins_edges=edges, years=years)
        assert (mcstat, edges, years) == ({"threshold": 1}, [0.0, 2.0, 4.0], ["2018"])
        assert build(bins_edges=np.array(edges)).templates.bins == 2
