"""Artificial variations: contents, variances, one-sided and mirrored, and what is refused."""

from __future__ import annotations

from typing import Any

import hist
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toys import Toy, observed, shape, signal_and_background, small_toy

from pocket_combine import ArtificialVariation, Datacard, Systematics, add_binwise_variation, add_norm_variation
from pocket_combine.build.variations import DownMode
from pocket_combine.errors import DeclarationError, MissingInputError, TemplateError

FLOW = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0]


def toy() -> Toy:
    made = Toy(categories=["SR", "CR"])
    pair = (FLOW, FLOW)
    made.simulate("TT", "2018", FLOW, {"JER": pair}, variances=[2.0] * 6)
    return made.simulate("TT", "2017", FLOW, {"JER": pair}).simulate("VV", "2018", FLOW)


def row(histograms: Any, variation: str, category: str = "SR", dataset: str = "TT_2018") -> list[float]:
    values: list[float] = histograms["TT"][dataset][category, variation, :].values(flow=True).tolist()
    return values


def test_a_factor_per_category_acts_on_all_bins_with_flow() -> None:
    made = add_norm_variation(toy().histograms, "norm", ["TT"], {"SR": 1.5}, default_scale=2.0)
    assert row(made, "normUp") == [1.5 * number for number in FLOW]
    assert row(made, "normUp", "CR") == [2.0 * number for number in FLOW]
    assert row(made, "normDown") == FLOW
    up = made["TT"]["TT_2018"]["SR", "normUp", :]
    assert up.variances(flow=True).tolist() == [2.0 * 1.5**2] * 6


def test_weights_per_bin_with_and_without_flow() -> None:
    inside = add_binwise_variation(toy().histograms, "rw", ["TT"], {"SR": [0.5, 1, 2, 3]})
    assert row(inside, "rwUp") == [1, 1, 4, 16, 48, 32]
    assert row(inside, "rwUp", "CR") == FLOW
    everywhere = add_binwise_variation(toy().histograms, "rw", ["TT"], {"SR": [7, 0.5, 1, 2, 3, 0]})
    assert row(everywhere, "rwUp") == [7, 1, 4, 16, 48, 0]


def test_mirrored_variations_divide_by_the_weights() -> None:
    made = add_binwise_variation(toy().histograms, "rw", ["TT"], {"SR": [0.5, 1, 2, 4]}, down_mode="mirror")
    assert row(made, "rwDown") == [1, 4, 4, 4, 4, 32]
    assert made["TT"]["TT_2018"]["SR", "rwDown", :].variances(flow=True).tolist() == [2, 8, 2, 0.5, 0.125, 2]


@given(weights=st.lists(st.floats(0.25, 4), min_size=4, max_size=4), mode=st.sampled_from(["nominal", "mirror"]))
def test_the_norm_may_be_kept_with_flow(weights: list[float], mode: DownMode) -> None:
    made = add_binwise_variation(toy().histograms, "rw", ["TT"], {"SR": weights}, down_mode=mode, preserve_norm=True)
    for shift in ("Up", "Down"):
        assert sum(row(made, f"rw{shift}")) == pytest.approx(sum(FLOW), rel=1e-14)
    scale = row(made, "rwUp")[0] / FLOW[0]  # the flow bins have weight 1 before the common factor
    assert row(made, "rwUp")[1:5] == pytest.approx(np.multiply(FLOW[1:5], weights) * scale, rel=1e-14)


def test_the_input_is_not_changed_and_the_rest_is_shared() -> None:
    made = toy()
    before = made.histograms["TT"]["TT_2018"].view(flow=True).tobytes()
    extended = add_norm_variation(made.histograms, "norm", ["TT"], {"SR": 1.5}, datasets=["TT_2018"])
    assert made.histograms["TT"]["TT_2018"].view(flow=True).tobytes() == before
    assert extended["VV"]["VV_2018"] is made.histograms["VV"]["VV_2018"]
    assert extended["TT"]["TT_2017"] is made.histograms["TT"]["TT_2017"]
    assert list(extended["TT"]["TT_2018"].axes["variation"]) == ["nominal", "JERUp", "JERDown", "normUp", "normDown"]
    assert row(extended, "JERUp") == FLOW


def test_repeated_calls_may_cover_other_datasets() -> None:
    made: Any = toy().histograms
    for dataset, weight in (("TT_2017", 2.0), ("TT_2018", 3.0)):
        made = add_norm_variation(made, "norm", ["TT"], {"SR": weight}, datasets=[dataset, "TT_2016"])
    assert row(made, "normUp", dataset="TT_2017") == [2 * number for number in FLOW]
    assert row(made, "normUp", dataset="TT_2018") == [3 * number for number in FLOW]
    with pytest.raises(DeclarationError, match="dataset TT_2018: variation 'norm' is already there"):
        add_norm_variation(made, "norm", ["TT"], {"SR": 1.1})


def test_weights_act_on_the_last_axis() -> None:
    axes = [hist.axis.Integer(0, 2, name="n", flow=False), hist.axis.Regular(2, 0, 1, name="x", flow=False)]
    made = Toy(axes=axes).simulate("TT", "2018", [[1, 2], [3, 4]])
    extended = add_binwise_variation(made.histograms, "rw", ["TT"], {"SR": [10, 100]})
    assert extended["TT"]["TT_2018"]["SR", "rwUp", ...].values().tolist() == [[10, 200], [30, 400]]


def test_axes_in_another_order_are_found_by_name() -> None:
    axes: list[Any] = [
        hist.axis.StrCategory(["nominal"], name="variation"),
        hist.axis.Regular(2, 0, 1, name="x", flow=False),
        hist.axis.StrCategory(["SR"], name="cat"),
    ]
    filled = hist.Hist(*axes, storage=hist.storage.Weight())
    filled.view()["value"][0, :, 0] = [1, 2]
    extended = add_binwise_variation({"TT": {"TT_2018": filled}}, "rw", ["TT"], {"SR": [10, 100]})
    assert extended["TT"]["TT_2018"]["rwUp", :, "SR"].values().tolist() == [10, 200]


def test_the_card_of_an_artificial_variation() -> None:
    made = small_toy()
    made.histograms = add_norm_variation(made.histograms, "extra", ["Bkg"], {"SR": 1.25}, down_mode="mirror")
    card = Datacard(
        **made.inputs, years=["2018"], mc_processes=signal_and_background(), data_processes=observed(),
        systematics=Systematics([shape("extra", ["bkg"])]), category="SR", verbose=False,
    )  # fmt: skip
    assert (card.rate("bkg_2018", "extraUp"), card.rate("bkg_2018", "extraDown")) == (125.0, 80.0)
    assert card.findings == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"variation_name": "r w"}, "variation 'r w': variation name 'r w' holds ' '"),
        ({"samples": "TT"}, r"variation 'rw': samples is the text 'TT', expected a list: samples=\['TT'\]"),
        ({"datasets": "TT_2018"}, "variation 'rw': datasets is the text 'TT_2018'"),
        ({"down_mode": "flip"}, "down_mode is 'flip', expected 'nominal' or 'mirror'"),
        ({"weights_by_category": [1.0]}, r"weights_by_category is a list, expected \{category: weights\}"),
        ({"weights_by_category": {"SR": "one"}}, "weights of category 'SR' are 'one', expected a finite number or one"),
        ({"weights_by_category": {"SR": [1, np.nan]}}, r"weights of category 'SR' are \[1, nan\], expected a finite"),
        ({"weights_by_category": {"SR": [[1], [2]]}}, r"weights of category 'SR' are \[\[1\], \[2\]\], expected"),
        ({"weights_by_category": {"SR": []}}, r"weights of category 'SR' are \[\], expected"),
        ({"default_weight": np.inf}, r"weights of category '\(default\)' are inf"),
        ({"weights_by_category": {"SR": [1, 0]}, "down_mode": "mirror"}, "have 0, and down_mode='mirror' divides by"),
    ],
)
def test_arguments_that_can_never_be_right(changes: dict[str, Any], message: str) -> None:
    arguments = {"variation_name": "rw", "samples": ["TT"], "weights_by_category": {"SR": 1.1}, **changes}
    with pytest.raises(DeclarationError, match=message):
        add_binwise_variation(toy().histograms, **arguments)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        (
            {"samples": ["TTT", "TT"]},
            MissingInputError,
            r"variation 'rw': sample 'TTT' has no histogram; did you mean 'TT'",
        ),
        ({"datasets": ["TT_2108"]}, MissingInputError, r"none of the datasets \['TT_2108'\] has a histogram; did you"),
        (
            {"weights_by_category": {"sr": 1.1}},
            MissingInputError,
            "sample TT, dataset TT_2018: no category 'sr'; did you mean 'SR'",
        ),
        (
            {"weights_by_category": {"SR": [1, 2]}},
            TemplateError,
            r"category SR: 2 weights for variation 'rw', expected 4 \(one per bin of 'x'\) or 6 \(with flow bins\)",
        ),
    ],
)
def test_arguments_that_do_not_fit_the_histograms(changes: dict[str, Any], error: Any, message: str) -> None:
    arguments = {"variation_name": "rw", "samples": ["TT"], "weights_by_category": {"SR": 1.1}, **changes}
    with pytest.raises(error, match=message):
        add_binwise_variation(toy().histograms, **arguments)


def test_histograms_that_cannot_be_varied() -> None:
    data = Toy().observe("DATA", "2018", [1, 2, 3, 4]).histograms
    with pytest.raises(TemplateError, match=r"expected 'cat' and 'variation' too; is it data\?"):
        add_norm_variation(data, "rw", ["DATA"], {"SR": 1.1})
    counts = Toy(storage=hist.storage.Double()).simulate("TT", "2018", [1, 2, 3, 4]).histograms
    with pytest.raises(TemplateError, match="sample TT, dataset TT_2018: varied histograms need Weight storage"):
        add_norm_variation(counts, "rw", ["TT"], {"SR": 1.1})
    with pytest.raises(DeclarationError, match=r"the factor of category 'SR' is .*, expected a number; add_binwise"):
        add_norm_variation(toy().histograms, "rw", ["TT"], {"SR": [1, 2]})  # type: ignore[dict-item]  # what is tested


def test_only_the_categories_that_matter_need_to_fit() -> None:
    variation = ArtificialVariation("rw", ["TT", "elsewhere"], {"SR": [0.5, 1, 2, 3], "CR": [1, 2], "none": 2.0})
    made = variation.apply(toy().histograms, ["SR"])
    assert row(made, "rwUp") == [1, 1, 4, 16, 48, 32]
    assert row(made, "rwUp", "CR") == FLOW
    with pytest.raises(TemplateError, match="category CR: 2 weights"):
        variation.apply(toy().histograms, ["CR"])
