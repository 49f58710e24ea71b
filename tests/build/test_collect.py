"""Collecting: every storage, axis and layout against the plain twin; order, parts and bad contents."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Any

import hist
import numpy as np
import pytest
from build_twin import Template, collected_by_hand, rebinned_by_hand
from hypothesis import given, settings
from hypothesis import strategies as st
from toys import YEARS, Toy, observed, random_declarations, random_toy, shape, signal_and_background, small_toy

from pocket_combine import Datacard, MCProcess, MCProcesses, Systematics
from pocket_combine.build.collect import Collected, collect
from pocket_combine.build.plan import Plan, make_plan
from pocket_combine.build.rebin import FlowPolicy
from pocket_combine.errors import MissingInputError, TemplateError
from pocket_combine.templates import Templates

NO_SYSTEMATICS = Systematics([])


def random_plan() -> Plan:
    processes, systematics, data = random_declarations()
    return make_plan(processes, systematics, YEARS, data)


def as_dict(templates: Templates) -> dict[str, Template]:
    """Templates by their names in the ROOT file, as the twin has them."""
    result = {
        f"{name}_nominal": Template(templates.values[row].tolist(), templates.variances[row].tolist())
        for row, name in enumerate(templates.columns)
    }
    for (process, nuisance), row in templates.pair_index.items():
        up, down = f"{process}_{nuisance}Up", f"{process}_{nuisance}Down"
        result[up] = Template(templates.up[row].tolist(), templates.up_variances[row].tolist())
        result[down] = Template(templates.down[row].tolist(), templates.down_variances[row].tolist())
    if templates.observation is not None:
        result["data_obs_nominal"] = Template(templates.observation.tolist(), templates.observation.tolist())
    return result


def arrays_of(collected: Collected) -> dict[str, dict[str, Any]]:
    """All arrays as bytes, to be compared to the last bit."""
    return {
        category: {
            field.name: value.tobytes()
            for field in dataclasses.fields(templates)
            if isinstance(value := getattr(templates, field.name), np.ndarray)
        }
        for category, templates in collected.templates.items()
    }


@pytest.mark.parametrize("storage", [hist.storage.Weight(), hist.storage.Double(), hist.storage.Int64()], ids=repr)
@pytest.mark.parametrize("seed", range(3))
def test_every_template_is_that_of_the_plain_loop(storage: Any, seed: int) -> None:
    toy = random_toy(seed, storage=storage)
    processes, systematics, data = random_declarations()
    collected = collect(**toy.inputs, plan=random_plan(), categories=["SR", "VR"])
    for category in ("SR", "VR"):
        expected = collected_by_hand(toy.inputs, YEARS, processes, systematics, data, category)
        found = as_dict(collected.templates[category])
        assert found.keys() == expected.keys()
        for name in found:
            if name == "data_obs_nominal":
                assert found[name].values == expected[name].values
            else:
                assert found[name] == expected[name], name


AXES = {
    "regular": hist.axis.Regular(5, -1, 1, name="x"),
    "without flow": hist.axis.Regular(5, -1, 1, name="x", flow=False),
    "overflow only": hist.axis.Regular(5, -1, 1, name="x", underflow=False),
    "underflow only": hist.axis.Regular(5, -1, 1, name="x", overflow=False),
    "circular": hist.axis.Regular(5, 0, 6, name="x", circular=True),
    "growing": hist.axis.Regular(5, 0, 6, name="x", growth=True),
    "logarithmic": hist.axis.Regular(4, 1, 1e4, name="x", transform=hist.axis.transform.log),
    "variable": hist.axis.Variable([0, 0.1, 0.5, 3, 40], name="x"),
    "integer": hist.axis.Integer(4, 9, name="x"),
    "boolean": hist.axis.Boolean(name="x"),
    "int categories": hist.axis.IntCategory([7, 3, 5], name="x"),
    "str categories": hist.axis.StrCategory(["ee", "mm", "em"], name="x"),
    "growing categories": hist.axis.StrCategory(["ee", "mm"], name="x", growth=True),
}


@pytest.mark.parametrize("axis", AXES.values(), ids=AXES)
def test_every_axis_is_collected_bin_by_bin(axis: Any) -> None:
    toy = random_toy(5, axes=[axis])
    processes, systematics, data = random_declarations()
    collected = collect(**toy.inputs, plan=random_plan(), categories=["CR"])
    expected = collected_by_hand(toy.inputs, YEARS, processes, systematics, data, "CR")
    found = as_dict(collected.templates["CR"])
    assert found["tt_2018_JERUp"] == expected["tt_2018_JERUp"]
    assert found["data_obs_nominal"].values == expected["data_obs_nominal"].values


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), fold=st.booleans(), picked=st.sets(st.integers(0, 6), min_size=2))
def test_rebinned_cards_are_those_of_the_plain_loop(seed: int, fold: bool, picked: set[int]) -> None:
    native = [0.0, 0.1, 0.2, 0.30000000000000004, 0.4, 0.7, 1.0]
    edges = [round(native[index], 6) for index in sorted(picked)]
    toy = random_toy(seed, axes=[hist.axis.Variable(native, name="x")])
    processes, systematics, data = random_declarations()
    flow: FlowPolicy = "fold" if fold else "drop"
    card = Datacard(
        **toy.inputs, years=YEARS, mc_processes=processes, systematics=systematics, data_processes=data,
        category="SR", bins_edges=edges, flow=flow, negative_bins="keep", verbose=False,
    )  # fmt: skip
    expected = collected_by_hand(toy.inputs, YEARS, processes, systematics, data, "SR")
    found = as_dict(card.templates)
    for name, template in expected.items():
        rebinned = rebinned_by_hand(template, native, edges, underflow=True, overflow=True, fold=fold)
        assert found[name].values == rebinned.values, name
        if name != "data_obs_nominal":
            assert found[name].variances == rebinned.variances, name


def reordered(toy: Toy, rng: np.random.Generator) -> Toy:
    """The same output with samples, datasets and metadata in another order."""

    def shuffled(items: dict[str, Any]) -> dict[str, Any]:
        keys = list(items)
        return {keys[at]: items[keys[at]] for at in rng.permutation(len(keys))}

    histograms = {sample: shuffled(datasets) for sample, datasets in shuffled(toy.histograms).items()}
    periods = toy.metadata["by_datataking_period"]
    by_period = {
        year: {sample: sorted(names, reverse=rng.random() < 0.5) for sample, names in shuffled(periods[year]).items()}
        for year in shuffled(periods)
    }
    return dataclasses.replace(toy, histograms=histograms, metadata={"by_datataking_period": by_period})


def with_thirds(toy: Toy) -> Toy:
    """The same output with contents whose sums depend on the order in which they are taken."""
    histograms = {
        sample: {dataset: histogram * (1 / 3) for dataset, histogram in datasets.items()}
        for sample, datasets in toy.histograms.items()
    }
    return dataclasses.replace(toy, histograms=histograms)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_order_of_samples_and_datasets_does_not_change_a_bit(seed: int) -> None:
    toy = with_thirds(random_toy(seed))
    first = collect(**toy.inputs, plan=random_plan(), categories=["CR", "SR"])
    other = reordered(toy, np.random.default_rng(seed))
    second = collect(**other.inputs, plan=random_plan(), categories=["CR", "SR"])
    assert arrays_of(first) == arrays_of(second)
    assert first.coverage == second.coverage


def parts_of(toy: Toy, rng: np.random.Generator, count: int = 3) -> list[Toy]:
    """Outputs that hold the datasets of one, each in one part, all with the metadata of their own."""
    parts = [Toy(toy.axes, toy.categories, toy.storage) for _ in range(count)]
    periods = toy.metadata["by_datataking_period"]
    datasets = sorted({dataset for samples in periods.values() for names in samples.values() for dataset in names})
    place = {dataset: parts[int(rng.integers(len(parts)))] for dataset in datasets}
    for year, samples in periods.items():
        for sample, names in samples.items():
            for dataset in names:
                part = place[dataset].know(sample, year, dataset)
                if dataset in toy.histograms.get(sample, {}):
                    part.histograms.setdefault(sample, {})[dataset] = toy.histograms[sample][dataset]
                if dataset in toy.cutflow["presel"]:
                    part.cutflow["presel"][dataset] = toy.cutflow["presel"][dataset]
    return parts


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_parts_add_up_to_the_whole(seed: int) -> None:
    toy = random_toy(seed)
    whole = collect(**toy.inputs, plan=random_plan(), categories=["SR"])
    parts = [
        collect(**part.inputs, plan=random_plan(), categories=["SR"])
        for part in parts_of(toy, np.random.default_rng(seed))
    ]
    total = parts[0] + parts[1] + parts[2]
    assert arrays_of(total) == arrays_of(whole)
    assert total.coverage == whole.coverage
    assert total.binning == whole.binning


def test_half_histograms_in_two_outputs_add_up() -> None:
    toy = small_toy()
    plan = make_plan(signal_and_background(), Systematics([shape("JER")]), ["2018"], observed())
    half = collect(**toy.inputs, plan=plan, categories=["SR"])
    total = half + half
    templates = total.templates["SR"]
    assert templates.values[:, 1:-1].tolist() == [[2.0, 4.0, 6.0, 8.0], [80.0, 60.0, 40.0, 20.0]]
    assert templates.up[templates.pair_index["bkg_2018", "JER"], 1:-1].tolist() == [88.0, 66.0, 44.0, 22.0]
    assert templates.observation is not None
    assert templates.observation[1:-1].tolist() == [82.0, 66.0, 44.0, 30.0]


def collect_small(toy: Toy, plan: Plan | None = None, categories: Sequence[str] = ("SR",)) -> Collected:
    return collect(**toy.inputs, plan=plan or make_plan(signal_and_background(), NO_SYSTEMATICS, ["2018"], observed()),
                   categories=categories)  # fmt: skip


def test_subsamples_are_found_with_and_without_being_listed() -> None:
    processes = MCProcesses([MCProcess("tt", ["TT__b", "TT__l"], ["2018"], False)])
    toy = Toy()
    toy.simulate("TT__b", "2018", [1, 1, 1, 1], dataset="TT_2018").simulate(
        "TT__l", "2018", [2, 2, 2, 2], dataset="TT_2018"
    )
    listed = collect_small(toy, make_plan(processes, NO_SYSTEMATICS, ["2018"]))
    assert listed.templates["SR"].values[0, 1:-1].tolist() == [3.0] * 4
    toy.metadata["by_datataking_period"]["2018"] = {"TT": ["TT_2018"]}
    unlisted = collect_small(toy, make_plan(processes, NO_SYSTEMATICS, ["2018"]))
    assert arrays_of(unlisted) == arrays_of(listed)


@pytest.mark.parametrize("selected", [5, 5.0, np.int64(5), {"nominal": 5}, {"nominal": 0, "JERUp": 5}], ids=str)
def test_both_layouts_of_the_cutflow(selected: Any) -> None:
    toy = small_toy()
    toy.cutflow["presel"]["Bkg_2018"] = selected
    collected = collect_small(toy)
    assert collected.templates["SR"].values[1].sum() == 100.0


@pytest.mark.parametrize("selected", [0, 0.0, {"nominal": 0}, {}, None], ids=str)
def test_datasets_without_selected_events_are_skipped(selected: Any) -> None:
    toy = small_toy().simulate("Bkg", "2018", [7, 7, 7, 7], dataset="Bkg_ext", selected=selected)
    collected = collect_small(toy)
    assert collected.templates["SR"].values[1].sum() == 100.0
    assert collected.coverage.ignored == {("Bkg", "Bkg_ext"): 28.0}


def test_an_empty_histogram_of_a_skipped_dataset_is_nothing_to_speak_of() -> None:
    toy = small_toy().simulate("Bkg", "2018", [0, 0, 0, 0], dataset="Bkg_ext", selected=None)
    assert collect_small(toy).coverage.ignored == {}


@pytest.mark.parametrize("selected", ["many", None, [1, 2]], ids=str)
def test_a_cutflow_that_holds_no_numbers_is_refused(selected: Any) -> None:
    toy = small_toy()
    toy.cutflow["presel"]["Bkg_2018"] = selected
    with pytest.raises(
        MissingInputError, match=r"cutflow\['presel'\]\['Bkg_2018'\] is .*, expected a number of events"
    ):
        collect_small(toy)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"datasets_metadata": {}}, "datasets_metadata has no 'by_datataking_period'"),
        ({"cutflow": {"skim": {}}}, "cutflow has no 'presel'; is this the 'cutflow' of a PocketCoffea output"),
        ({"cutflow": None}, "cutflow has no 'presel'"),
    ],
)
def test_inputs_that_are_something_else_are_refused(change: dict[str, Any], message: str) -> None:
    plan = make_plan(signal_and_background(), NO_SYSTEMATICS, ["2018"])
    with pytest.raises(MissingInputError, match=message):
        collect(**{**small_toy().inputs, **change}, plan=plan, categories=["SR"])


def test_edges_that_differ_by_rounding_add_up_and_others_are_refused() -> None:
    plan = make_plan(signal_and_background(), NO_SYSTEMATICS, ["2018"])

    def with_edges(edges: list[float]) -> Collected:
        toy = Toy(axes=[hist.axis.Variable(edges, name="x")]).simulate("Bkg", "2018", [1, 2])
        toy.histograms["Sig"] = {}
        toy.know("Sig", "2018", "Sig_2018").cutflow["presel"]["Sig_2018"] = 0
        return collect(**toy.inputs, plan=plan, categories=["SR"])

    total = with_edges([0, 0.3, 1]) + with_edges([0, 0.1 + 0.2, 1])
    assert total.templates["SR"].values[1].tolist() == [0, 2, 4, 0]
    assert total.templates["SR"].edges[2] == 0.3
    with pytest.raises(TemplateError, match=r"one has x: 2 bins \[0, 0.3, 1\], the other differs from edge 1 .*: 0.31"):
        with_edges([0, 0.3, 1]) + with_edges([0, 0.31, 1])
    axis = hist.axis.Variable([0, 0.3, 1], name="x", overflow=False)
    toy = Toy(axes=[axis]).simulate("Bkg", "2018", [1, 2]).simulate("Sig", "2018", [1, 2])
    without_overflow = collect(**toy.inputs, plan=plan, categories=["SR"])
    with pytest.raises(TemplateError, match=r"one has x: 2 bins \[0, 0.3, 1\], the other .* without overflow"):
        with_edges([0, 0.3, 1]) + without_overflow


def test_datasets_with_different_binnings_are_refused() -> None:
    toy = small_toy()
    other = Toy(axes=[hist.axis.Regular(3, 0, 4, name="x")]).simulate("Sig", "2018", [1, 2, 3])
    toy.histograms["Sig"] = other.histograms["Sig"]
    message = (
        r"sample Bkg, dataset Bkg_2018 is binned differently than sample Sig, dataset Sig_2018: "
        r"it has x: 4 bins \[0, 1, 2, 3, 4\], the other x: 3 bins .*"
    )
    with pytest.raises(TemplateError, match=message):
        collect_small(toy)


def test_several_axes_are_unrolled_row_by_row() -> None:
    axes = [hist.axis.Regular(2, 0, 2, name="x"), hist.axis.Integer(0, 3, name="n", flow=False)]
    contents = np.arange(12.0).reshape(4, 3)  # x has flow bins
    toy = Toy(axes=axes).simulate("Bkg", "2018", contents).simulate("Sig", "2018", contents)
    plan = make_plan(signal_and_background(), NO_SYSTEMATICS, ["2018"])
    collected = collect(**toy.inputs, plan=plan, categories=["SR"])
    assert collected.templates["SR"].edges.tolist() == [0, 1, 2, 3, 4, 5, 6, np.inf]
    assert collected.templates["SR"].values[0].tolist() == [3, 4, 5, 6, 7, 8, 0 + 1 + 2 + 9 + 10 + 11]
    assert collected.binning is not None
    assert collected.binning.bin_map()[4] == ((1.0, 2.0), (1.0, 2.0))


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_unrolled_contents_are_all_there_once(seed: int) -> None:
    axes: list[Any] = [AXES["regular"], hist.axis.IntCategory([1, 2], name="n"), hist.axis.Boolean(name="b")]
    toy = random_toy(seed, axes=axes)
    collected = collect(**toy.inputs, plan=random_plan(), categories=["SR"])
    line = collected.templates["SR"].values[0]
    filled = toy.histograms["Sig"]["Sig_2017"][{"cat": "SR", "variation": "nominal"}]
    inside = filled.values()
    assert line[:-1].tolist() == [inside[place] for place in itertools.product(range(5), range(2), range(2))]
    assert line[-1] == filled.values(flow=True).sum() - inside.sum()


def test_only_what_is_planned_is_read() -> None:
    class Untouchable:
        def __getattr__(self, name: str) -> Any:
            raise AssertionError(f"{name} was asked for")

    toy = small_toy()
    toy.histograms["DATA"]["DATA_2018"] = Untouchable()
    toy.histograms["Other"] = {"Other_2018": Untouchable()}
    plan = make_plan(signal_and_background(), NO_SYSTEMATICS, ["2018"])
    assert collect(**toy.inputs, plan=plan, categories=["SR"]).templates["SR"].observation is None


def test_the_histograms_are_not_changed() -> None:
    toy = random_toy(3)
    before = {
        (s, d): histogram.view(flow=True).tobytes() for s, ds in toy.histograms.items() for d, histogram in ds.items()
    }
    collected = collect(**toy.inputs, plan=random_plan(), categories=["SR"])
    _ = collected + collected
    after = {
        (s, d): histogram.view(flow=True).tobytes() for s, ds in toy.histograms.items() for d, histogram in ds.items()
    }
    assert before == after
