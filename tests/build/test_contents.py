"""Reading one histogram: what is refused, with its place, and what is none of the builder's business."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import hist
import numpy as np
import pytest
from toys import Toy, observed, shape, signal_and_background, small_toy

from pocket_combine import Systematics
from pocket_combine.build.collect import Collected, collect
from pocket_combine.build.plan import Plan, make_plan
from pocket_combine.errors import DeclarationError, MissingInputError, TemplateError

NO_SYSTEMATICS = Systematics([])


def collect_small(toy: Toy, plan: Plan | None = None, categories: Sequence[str] = ("SR",)) -> Collected:
    plan = plan or make_plan(signal_and_background(), NO_SYSTEMATICS, ["2018"], observed())
    return collect(**toy.inputs, plan=plan, categories=categories)


def test_one_histogram_in_place_of_all_of_them_is_refused() -> None:
    toy = small_toy()
    plan = make_plan(signal_and_background(), NO_SYSTEMATICS, ["2018"])
    layout = r"expected \{sample: \{dataset: histogram\}\}, which is output\['variables'\]\[name\]"
    with pytest.raises(DeclarationError, match=f"histograms is a Hist, {layout}"):
        collect(toy.histograms["Bkg"]["Bkg_2018"], toy.metadata, toy.cutflow, plan, ["SR"])
    with pytest.raises(DeclarationError, match=rf"histograms\['Bkg_2018'\] is a Hist, {layout}"):
        collect(toy.histograms["Bkg"], toy.metadata, toy.cutflow, plan, ["SR"])
    with pytest.raises(DeclarationError, match=f"holds several variables, 'score', …: give those of one, {layout[9:]}"):
        collect({"score": toy.histograms}, toy.metadata, toy.cutflow, plan, ["SR"])
    toy.histograms["Bkg"]["Bkg_2018"] = {"not": "a histogram"}
    with pytest.raises(TemplateError, match=r"sample Bkg, dataset Bkg_2018: found a dict, expected a hist\.Hist"):
        collect_small(toy)


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("moment", ["value", "variance"])
def test_a_content_that_is_not_finite_is_refused_with_its_place(number: float, moment: str) -> None:
    toy = small_toy()
    view = toy.histograms["Bkg"]["Bkg_2018"].view(flow=True)
    view[moment][0, 1, 3] = number
    plan = make_plan(signal_and_background(), Systematics([shape("JER")]), ["2018"])
    place = "sample Bkg, dataset Bkg_2018, category SR, variation JERUp"
    with pytest.raises(TemplateError, match=rf"{place}: {moment} of bin 3 \(flow bins counted\) is {number}"):
        collect_small(toy, plan)


def test_infinities_of_both_signs_do_not_cancel() -> None:
    toy = small_toy().simulate("Bkg", "2018", [0, -np.inf, 0, 0], dataset="Bkg_b", variances=[0, 0, 0, 0])
    toy.histograms["Bkg"]["Bkg_2018"].view()["value"][0, 0, 1] = np.inf
    with pytest.raises(TemplateError, match="dataset Bkg_2018, category SR, variation nominal: value of bin 2"):
        collect_small(toy)


def test_data_that_are_not_finite_are_refused() -> None:
    toy = small_toy()
    toy.histograms["DATA"]["DATA_2018"].view()["value"][0, 0] = np.nan
    with pytest.raises(TemplateError, match="sample DATA, dataset DATA_2018, category SR, variation nominal"):
        collect_small(toy)


def test_what_no_nuisance_reads_may_be_anything() -> None:
    toy = small_toy()
    toy.histograms["Bkg"]["Bkg_2018"].view()["value"][0, 1] = np.nan  # JERUp
    assert collect_small(toy).templates["SR"].values[1].sum() == 100.0


def test_the_overflow_of_the_category_and_variation_axes_counts_for_nothing() -> None:
    toy = small_toy()
    view = toy.histograms["Bkg"]["Bkg_2018"].view(flow=True)
    view["value"][-1], view["value"][:, -1] = 1e6, np.nan
    assert collect_small(toy).templates["SR"].values[1].sum() == 100.0


@pytest.mark.parametrize("storage", [hist.storage.Mean(), hist.storage.WeightedMean()], ids=repr)
def test_a_storage_that_holds_no_counts_is_refused(storage: Any) -> None:
    toy = small_toy()
    mean = hist.Hist(*toy.histograms["Bkg"]["Bkg_2018"].axes, storage=storage)
    toy.histograms["Bkg"]["Bkg_2018"] = mean
    with pytest.raises(TemplateError, match=r"sample Bkg, dataset Bkg_2018: storage with .* is no count; use Weight"):
        collect_small(toy)


def test_weights_in_a_storage_without_variances_are_noticed() -> None:
    toy = Toy(storage=hist.storage.Double())
    toy.simulate("Sig", "2018", [1, 2, 3, 4]).simulate("Bkg", "2018", [40, 30, 20, 10]).observe("DATA", "2018", [1] * 4)
    assert collect_small(toy).coverage.unweighted == frozenset()
    toy.simulate("Bkg", "2018", [0.5, 1, 2, 3], dataset="Bkg_weighted")
    collected = collect_small(toy)
    assert collected.coverage.unweighted == {("Bkg", "Bkg_weighted")}
    assert collected.templates["SR"].variances[1, 1] == 40.5


def test_a_missing_category_names_the_nearest() -> None:
    with pytest.raises(MissingInputError, match=r"category 'sr' is not on the category axis; did you mean 'SR'\?"):
        collect_small(small_toy(), categories=["sr"])


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ((), r"has the axes \['variation', 'x'\], expected one named 'cat'"),
        (("cat",), r"no 'nominal' on the variation axis; did you mean 'Nominal'\?"),
    ],
)
def test_histograms_of_another_layout_are_refused(axes: tuple[str, ...], message: str) -> None:
    toy = small_toy()
    leading = [hist.axis.StrCategory(["SR"], name=name) for name in axes]
    toy.histograms["Bkg"]["Bkg_2018"] = hist.Hist(
        *leading, hist.axis.StrCategory(["Nominal"], name="variation"), *toy.axes
    )
    with pytest.raises((TemplateError, MissingInputError), match=message):
        collect_small(toy)


def test_a_histogram_without_a_variable_is_refused() -> None:
    toy = small_toy()
    toy.histograms["Bkg"]["Bkg_2018"] = hist.Hist(hist.axis.StrCategory(["SR"], name="cat"))
    with pytest.raises(TemplateError, match=r"dataset Bkg_2018: the histogram has the axes \['cat'\] and no variable"):
        collect_small(toy)


def test_an_infinite_edge_is_refused() -> None:
    toy = Toy(axes=[hist.axis.Variable([0, 1, np.inf], name="x")]).simulate("Sig", "2018", [1, 2])
    with pytest.raises(
        TemplateError, match="sample Sig, dataset Sig_2018: axis 'x' has an infinite edge, which no ROOT"
    ):
        collect_small(toy)
