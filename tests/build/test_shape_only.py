"""Processes whose norm floats keep their total yield under shape nuisances, over categories and years."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toys import YEARS, Toy, random_declarations, random_toy, shape

from pocket_combine import Datacard, MCProcess, MCProcesses, Severity, Systematics
from pocket_combine.errors import DeclarationError, MissingInputError


def processes() -> MCProcesses:
    return MCProcesses(
        [
            MCProcess("sig", ["Sig"], YEARS, True, has_rateParam=True),
            MCProcess("tt", ["TT"], YEARS, False, has_rateParam=True),
            MCProcess("vv", ["VV"], YEARS, False),
        ]
    )


def toy() -> Toy:
    """Two categories; JER takes tt from 30 to 36 (2017) and from 60 to 66 (2018) and moves events into SR."""
    made = Toy(categories=["SR", "CR"])
    for year, factor in (("2017", 1.0), ("2018", 2.0)):
        # Four bins and flow: 1 event of tt in each of the flow bins of SR.
        nominal = {"SR": np.array([1, 1, 2, 3, 2, 1.0]) * factor, "CR": np.array([0, 5, 5, 5, 5, 0.0]) * factor}
        up = {"SR": nominal["SR"] * 2, "CR": nominal["CR"] * 0.8}
        down = {"SR": nominal["SR"] * 0.5, "CR": nominal["CR"] * 1.1}
        for sample in ("Sig", "TT", "VV"):
            made.simulate(sample, year, nominal, {"JER": (up, down)})
    return made


def build(category: str, systematics: Systematics, **options: Any) -> Datacard:
    return Datacard(
        **toy().inputs, years=YEARS, mc_processes=processes(), systematics=systematics, category=category,
        shape_only_for_rateparam=True, verbose=False, **options,
    )  # fmt: skip


ALL_YEARS = Systematics([shape("JER", ["sig", "tt", "vv"], YEARS)])


def test_the_sum_over_categories_and_years_equals_the_nominal_one() -> None:
    both = ["SR", "CR"]
    cards = [build(name, ALL_YEARS, rateparam_norm_categories=both) for name in both]
    # Up: SR doubles (20 + 40 with flow instead of 10 + 20), CR falls by a fifth (16 + 32); 108 in all instead of 90.
    scale = 90.0 / 108.0
    sr, cr = (card.templates for card in cards)
    row = sr.pair_index["tt_2017", "JER"]
    assert sr.up[row] == pytest.approx(np.array([2, 4, 6, 4]) * scale, rel=1e-14)
    assert sr.up_variances[row] == pytest.approx(np.array([2, 4, 6, 4]) * scale**2, rel=1e-14)
    assert cr.up[cr.pair_index["tt_2018", "JER"]] == pytest.approx(np.full(4, 8) * scale, rel=1e-14)
    # Down: 15 + 66 = 81 instead of 90.
    assert sr.down[row] == pytest.approx(np.array([0.5, 1, 1.5, 1]) * 90 / 81, rel=1e-14)


def test_processes_that_do_not_float_and_signals_keep_the_effect_on_their_yield() -> None:
    card = build("SR", ALL_YEARS)
    for column in ("sig_2017", "vv_2018"):
        assert card.rate(column, "JERUp") == pytest.approx(2 * card.rate(column), rel=1e-14)


def test_by_default_the_category_itself_keeps_its_yield_with_flow() -> None:
    card = build("SR", ALL_YEARS, flow="fold")
    for shift in ("JERUp", "JERDown"):
        assert card.rate("tt_2017", shift) == pytest.approx(10.0, rel=1e-14)
    dropped = build("SR", ALL_YEARS)
    assert dropped.rate("tt_2017", "JERUp") == pytest.approx(8.0, rel=1e-14)


def test_years_of_the_nuisance_decide_over_what_is_summed() -> None:
    one_year = build("SR", Systematics([shape("JER", ["tt"], ["2018"])]))
    assert one_year.templates.pairs == (("tt_2018", "JER"),)
    assert one_year.rate("tt_2018", "JERUp") == pytest.approx(one_year.rate("tt_2018"), rel=1e-14)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_totals_are_kept_for_random_outputs(seed: int) -> None:
    declared, systematics, data = random_declarations()
    made = random_toy(seed)

    def build_one(name: str) -> Datacard:
        return Datacard(
            **made.inputs, years=YEARS, mc_processes=declared, systematics=systematics, data_processes=data,
            category=name, shape_only_for_rateparam=True, rateparam_norm_categories=["SR", "CR"], flow="fold",
            negative_bins="keep", verbose=False,
        )  # fmt: skip

    cards = [build_one("SR"), build_one("CR")]
    for nuisance, years in (("JER", YEARS), ("pileup_2017", ["2017"]), ("btag", YEARS), ("scale", ["2018"])):
        for shift in ("Up", "Down"):
            nominal = sum(card.rate(f"tt_{year}") for card in cards for year in years)
            varied = sum(card.rate(f"tt_{year}", nuisance + shift) for card in cards for year in years)
            assert varied == pytest.approx(nominal, rel=1e-12)


def test_a_template_without_content_cannot_be_scaled() -> None:
    made = Toy().simulate("Sig", "2018", [1] * 4).simulate("TT", "2018", [1] * 4, {"JER": ([0] * 4, [2] * 4)})
    declared = MCProcesses(
        [MCProcess("sig", ["Sig"], ["2018"], True), MCProcess("tt", ["TT"], ["2018"], False, has_rateParam=True)]
    )
    card = Datacard(
        **made.inputs, years=["2018"], mc_processes=declared, systematics=Systematics([shape("JER", ["tt"])]),
        category="SR", shape_only_for_rateparam=True, verbose=False,
    )  # fmt: skip
    (finding,) = [item for item in card.findings if item.code == "shape-only-impossible"]
    assert finding.severity == Severity.ERROR
    assert finding.place == "process tt, nuisance JER"
    assert finding.numbers == {"nominal": 4.0, "varied": 0.0}
    assert card.rate("tt_2018", "JERDown") == 4.0


def test_categories_of_the_norm_are_checked() -> None:
    with pytest.raises(MissingInputError, match=r"category 'cr' is not on the category axis; did you mean 'CR'\?"):
        build("SR", ALL_YEARS, rateparam_norm_categories=["SR", "cr"])
    with pytest.raises(DeclarationError, match=r"the text 'SR', expected a list: rateparam_norm_categories=\['SR'\]"):
        build("SR", ALL_YEARS, rateparam_norm_categories="SR")


def test_the_switch_without_a_rate_parameter_does_nothing() -> None:
    plain = MCProcesses(
        [MCProcess("sig", ["Sig"], YEARS, True, has_rateParam=True), MCProcess("vv", ["VV"], YEARS, False)]
    )
    card = Datacard(
        **toy().inputs, years=YEARS, mc_processes=plain, systematics=Systematics([shape("JER", ["vv"], YEARS)]),
        category="SR", shape_only_for_rateparam=True, verbose=False,
    )  # fmt: skip
    assert ("unused-shape-only", Severity.ERROR) in [(item.code, item.severity) for item in card.findings]
    assert card.rate("vv_2017", "JERUp") == 16.0


def test_norm_categories_without_the_switch_do_nothing() -> None:
    card = Datacard(
        **toy().inputs, years=YEARS, mc_processes=processes(), systematics=ALL_YEARS, category="SR",
        rateparam_norm_categories=["SR"], verbose=False,
    )  # fmt: skip
    assert [(item.code, item.severity) for item in card.findings if item.code.startswith("unused")] == [
        ("unused-norm-categories", Severity.ERROR)
    ]
    assert card.rate("tt_2017", "JERUp") == 16.0
