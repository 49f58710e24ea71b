"""Outputs added up: by label, exactly, in any order of the files."""

from __future__ import annotations

import copy
import itertools
import logging
from collections import defaultdict
from pathlib import Path
from typing import Any

import hist
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from outputs import SAMPLES, Sample, make_histogram, make_output, save_output

from pocket_combine.errors import OutputFileError, TemplateError
from pocket_combine.io.coffea import load_output
from pocket_combine.io.histogram_sum import add_histograms
from pocket_combine.io.output import Output
from pocket_combine.io.output_sum import OutputSum
from pocket_combine.io.pickles.plain_names import ColumnAccumulator

PLACES = ("a.coffea", "b.coffea")
"""Where the two histograms come from, for messages."""

AXIS = hist.axis.Regular(4, 0, 1, name="x")


def cells(histogram: hist.Hist[Any]) -> dict[tuple[Any, ...], tuple[float, ...]]:
    """Return the contents cell by cell, keyed by the labels of categories and the positions of other bins."""
    keys = []
    for axis in histogram.axes:
        named = isinstance(axis, (hist.axis.StrCategory, hist.axis.IntCategory))
        names = [*axis, "other"] if named and axis.extent > axis.size else list(axis)
        keys.append(names if named else range(axis.extent))
    view = histogram.view(flow=True)
    found = {}
    for index in itertools.product(*(range(axis.extent) for axis in histogram.axes)):
        cell = view[index]
        numbers = tuple(float(cell[name]) for name in view.dtype.names) if view.dtype.names else (float(cell),)
        found[tuple(names[position] for names, position in zip(keys, index, strict=True))] = numbers
    return found


def slow_sum(*histograms: hist.Hist[Any]) -> dict[tuple[Any, ...], tuple[float, ...]]:
    """The obvious sum, cell by cell, left to right; a cell that a histogram does not have is empty."""
    total: dict[tuple[Any, ...], tuple[float, ...]] = {}
    for histogram in histograms:
        for key, numbers in cells(histogram).items():
            before = total.get(key, (0.0,) * len(numbers))
            total[key] = tuple(a + b for a, b in zip(before, numbers, strict=True))
    return total


def assert_sum(total: hist.Hist[Any], *parts: hist.Hist[Any]) -> None:
    expected = slow_sum(*parts)
    found = cells(total)
    assert {key: found[key] for key in expected} == expected
    assert all(not any(numbers) for key, numbers in found.items() if key not in expected)


labels = st.lists(st.sampled_from(["nominal", "JERUp", "JERDown", "pileupUp", "pileupDown"]), min_size=1, unique=True)
storages = st.sampled_from(
    [hist.storage.Weight(), hist.storage.Double(), hist.storage.Int64(), hist.storage.Unlimited()]
)


@settings(max_examples=60, deadline=None)
@given(labels, labels, labels, labels, storages, st.integers(0, 2**32))
def test_histograms_add_up_by_label(
    categories: list[str], others: list[str], first: list[str], second: list[str], storage: Any, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    left, right = (
        make_histogram(AXIS, categories=names, variations=variations, storage=storage, rng=rng)
        for names, variations in ((categories, first), (others, second))
    )
    parts = copy.deepcopy(left), copy.deepcopy(right)
    total = add_histograms(left, right, PLACES)
    assert_sum(total, *parts)
    assert list(total.axes["variation"]) == list(dict.fromkeys([*first, *second]))
    assert list(total.axes["cat"]) == list(dict.fromkeys([*categories, *others]))
    assert right == parts[1]


@pytest.mark.parametrize("labels_of_second", [["SR", "CR"], ["CR", "SR"], ["VR", "SR"]])
@pytest.mark.parametrize("storage", ["Mean", "WeightedMean"])
def test_means_are_added_by_their_weights(storage: str, labels_of_second: list[str]) -> None:
    kind = getattr(hist.storage, storage)
    left = hist.Hist(hist.axis.StrCategory(["SR", "CR"], name="cat"), AXIS, storage=kind())
    right = hist.Hist(hist.axis.StrCategory(labels_of_second, name="cat"), AXIS, storage=kind())
    left.fill(["SR", "SR"], [0.1, 0.1], sample=[1.0, 2.0])
    right.fill(["SR"], [0.1], sample=[6.0])
    total: Any = add_histograms(left, right, PLACES)
    assert total[{"cat": "SR", "x": 0}].value == pytest.approx(3.0)
    summed = total[{"cat": "SR", "x": 0}]
    assert (summed.count if storage == "Mean" else summed.sum_of_weights) == 3.0
    assert (list(total.axes["cat"])[:2], total.axes["cat"].size) == (["SR", "CR"], len({*labels_of_second, "CR"}))


def test_growing_axes_and_whole_numbers_as_categories_add_up_by_label() -> None:
    def filled(names: list[str], numbers: list[int]) -> hist.Hist[Any]:
        axes = hist.axis.StrCategory([], name="s", growth=True), hist.axis.IntCategory(numbers, name="i")
        made = hist.Hist(*axes, storage=hist.storage.Weight())
        made.fill(names, [numbers[0]] * len(names), weight=np.arange(1.0, len(names) + 1))
        return made

    left, right = filled(["a", "b"], [4, 5]), filled(["c", "b"], [7, 4])
    parts = copy.deepcopy(left), copy.deepcopy(right)
    assert_sum(add_histograms(left, right, PLACES), *parts)


def test_titles_may_differ_but_edges_may_not() -> None:
    rng = np.random.default_rng(1)

    def filled(axis: Any) -> hist.Hist[Any]:
        return make_histogram(axis, rng=rng)

    left, right = filled(AXIS), filled(hist.axis.Regular(4, 0, 1, name="x", label="$x$"))
    parts = copy.deepcopy(left), copy.deepcopy(right)
    assert_sum(add_histograms(left, right, PLACES), *parts)
    for other, what in (
        (hist.axis.Regular(4, 0, 2, name="x"), r"axes 'x' differ: .*0\.25.* in a\.coffea, .*2\.0.* in b\.coffea"),
        (hist.axis.Regular(4, 0, 1, name="x", flow=False), r"axes 'x' differ"),
        (hist.axis.Variable([0, 0.25, 0.5, 0.75, 1], name="x"), r"axes 'x' differ: \('Regular'.*\('Variable'"),
        (hist.axis.Regular(4, 0, 1, name="y"), r"axes differ: \['cat', 'variation', 'x'\] in a\.coffea"),
    ):
        with pytest.raises(TemplateError, match=what):
            add_histograms(filled(AXIS), filled(other), PLACES)
    with pytest.raises(TemplateError, match=r"axes differ: \['cat', 'variation', 'x'\] in a\.coffea, \['cat', 'x'\]"):
        add_histograms(filled(AXIS), make_histogram(AXIS, variations=None, rng=rng), PLACES)
    with pytest.raises(TemplateError, match=r"storages differ: Weight in a\.coffea, Double in b\.coffea"):
        add_histograms(filled(AXIS), make_histogram(AXIS, storage=hist.storage.Double(), rng=rng), PLACES)


@pytest.mark.parametrize("labels_of_second", [["SR", "CR"], ["VR", "SR"]])
@pytest.mark.parametrize(
    ("weighted", "known"), [((False, False), True), ((True, False), False), ((False, True), False)]
)
def test_variances_that_are_not_known_stay_unknown(
    weighted: tuple[bool, bool], known: bool, labels_of_second: list[str]
) -> None:
    def filled(names: list[str], with_weights: bool) -> hist.Hist[Any]:
        made = hist.Hist(hist.axis.StrCategory(names, name="cat"), AXIS, storage=hist.storage.Double())
        made.fill(["SR"], [0.1], weight=[0.5] if with_weights else None)
        return made

    total = add_histograms(filled(["SR", "CR"], weighted[0]), filled(labels_of_second, weighted[1]), PLACES)
    assert (total.variances() is not None) == known


def save_parts(folder: Path, count: int = 3) -> tuple[list[Path], list[dict[str, Any]]]:
    """Save jobs that ran over parts of the same data, with other variations each."""
    contents = [
        make_output(
            [
                Sample("TTbar", variations=("nominal", *extra)),
                Sample("DATA_SingleMuon", data=True),
                *([Sample("Vjets", years=("2017",))] if number else []),
            ],
            seed=number,
        )
        for number, extra in enumerate([("JERUp", "JERDown"), ("pileupUp", "JERUp"), ()][:count])
    ]
    return [save_output(part, folder / f"job_{number}.coffea") for number, part in enumerate(contents)], contents


def bits(output: Output) -> Any:
    """Everything in an output, to the last bit."""

    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            return [(key, walk(inner)) for key, inner in value.items()]
        if isinstance(value, hist.Hist):
            return [list(axis) for axis in value.axes], value.view(flow=True).tobytes()
        return value.hex() if isinstance(value, float) else repr(sorted(value) if isinstance(value, set) else value)

    return walk(dict(output))


def test_the_order_of_the_files_does_not_matter_to_the_last_bit(tmp_path: Path) -> None:
    paths, _ = save_parts(tmp_path)
    outputs = [load_output(order) for order in itertools.permutations(paths)]
    assert all(bits(output) == bits(outputs[0]) for output in outputs)
    assert all(output.paths == tuple(paths) for output in outputs)


def test_contents_of_all_files_are_added(tmp_path: Path) -> None:
    paths, contents = save_parts(tmp_path)
    output = load_output(paths)
    for variable in output.variables:
        for sample in output.samples:
            for dataset in output.datasets[sample]:
                parts = [part["variables"][variable].get(sample, {}).get(dataset) for part in contents]
                total = output["variables"][variable][sample][dataset]
                assert_sum(total, *(part for part in parts if part is not None))
    assert output.variations("TTbar") == ("JERUp", "JERDown", "pileupUp")
    for key in ("initial", "presel"):
        for dataset in ("TTbar_2018", "Vjets_2017", "DATA_SingleMuon_2018_EraA"):
            expected = sum(part["cutflow"][key].get(dataset, 0) for part in contents)
            assert output["cutflow"][key][dataset] == expected
    for category in output.categories:
        expected = contents[0]["sumw"][category]["TTbar_2018"]["TTbar"]
        for part in contents[1:]:
            expected += part["sumw"][category]["TTbar_2018"]["TTbar"]
        assert output["sumw"][category]["TTbar_2018"]["TTbar"] == expected
    assert output["datasets_metadata"]["by_datataking_period"] == {
        "2018": {"TTbar": {"TTbar_2018"}, "DATA_SingleMuon": {"DATA_SingleMuon_2018_EraA"}},
        "2017": {"Vjets": {"Vjets_2017"}},
    }


def test_one_file_per_year_gives_what_one_file_for_all_gives(tmp_path: Path) -> None:
    whole = make_output(SAMPLES)
    paths = []
    for year in ("2017", "2018"):
        part = copy.deepcopy(whole)
        names = [name for name, entry in whole["datasets_metadata"]["by_dataset"].items() if entry["year"] == year]
        for samples in part["variables"].values():
            for sample, found in samples.items():
                samples[sample] = {name: filled for name, filled in found.items() if name in names}
        metadata = part["datasets_metadata"]
        metadata["by_dataset"] = {name: metadata["by_dataset"][name] for name in names}
        metadata["by_datataking_period"] = {year: metadata["by_datataking_period"][year]}
        for key in ("initial", "presel"):
            part["cutflow"][key] = {name: count for name, count in part["cutflow"][key].items() if name in names}
        paths.append(save_output(part, tmp_path / f"output_{year}.coffea"))
    output, expected = load_output(paths), load_output(save_output(whole, tmp_path / "output_all.coffea"))
    assert output["variables"] == expected["variables"]
    assert output["datasets_metadata"] == expected["datasets_metadata"]
    assert output["cutflow"]["presel"] == expected["cutflow"]["presel"]
    assert output.findings == ()
    assert output.yields("nJets") == expected.yields("nJets")


def test_nested_cutflows_are_added(tmp_path: Path) -> None:
    parts = [make_output([Sample("TTbar")], nested_cutflow=True, seed=seed) for seed in (1, 2)]
    paths = [save_output(part, tmp_path / f"{number}.coffea") for number, part in enumerate(parts)]
    counts = [part["cutflow"]["presel"]["TTbar_2018"]["nominal"] for part in parts]
    assert load_output(paths)["cutflow"]["presel"] == {"TTbar_2018": {"nominal": sum(counts)}}


def test_contradictory_metadata_name_both_files(tmp_path: Path) -> None:
    paths, contents = save_parts(tmp_path)
    contents[2]["datasets_metadata"]["by_dataset"]["TTbar_2018"]["xsec"] = "831.76"
    save_output(contents[2], paths[2])
    message = (
        r"datasets_metadata / by_dataset / TTbar_2018 / xsec differs: "
        rf"'88\.29' in {paths[0]}, '831\.76' in {paths[2]}"
    )
    with pytest.raises(OutputFileError, match=message):
        load_output(paths)


def test_histograms_that_cannot_be_added_name_both_places(tmp_path: Path) -> None:
    paths, contents = save_parts(tmp_path)
    other = hist.axis.Regular(10, 0, 2, name="events.discriminant")
    rng = np.random.default_rng(5)
    contents[2]["variables"]["discriminant"]["Vjets"]["Vjets_2017"] = make_histogram(other, rng=rng)
    save_output(contents[2], paths[2])
    place = r"variables / discriminant / Vjets / Vjets_2017"
    message = rf"axes 'events\.discriminant' differ: .* in {paths[1]} \({place}\), .* in {paths[2]} \({place}\)"
    with pytest.raises(TemplateError, match=message):
        load_output(paths)


@pytest.mark.parametrize(
    ("first", "second", "total"),
    [
        (1, 2.5, 3.5),
        (np.int64(1), np.float64(2.5), 3.5),
        ([1], [2, 3], [1, 2, 3]),
        ({1}, {2}, {1, 2}),
        ("a", "a", "a"),
        (None, None, None),
        (True, True, True),
        ({"a": {"b": 1}}, {"a": {"c": 2}}, {"a": {"b": 1, "c": 2}}),
    ],
)
def test_other_contents_are_added(first: Any, second: Any, total: Any, tmp_path: Path) -> None:
    paths = [
        save_output(make_output() | {"processing_metadata": {"x": value}}, tmp_path / f"{number}.coffea")
        for number, value in enumerate((first, second))
    ]
    found = load_output(paths)["processing_metadata"]["x"]
    assert found == total
    assert isinstance(found, type(total))


@pytest.mark.parametrize(("first", "second"), [("a", "b"), (1, "1"), (True, False), (True, 1), (None, 1), ({}, [])])
def test_other_contents_that_contradict_each_other(first: Any, second: Any, tmp_path: Path) -> None:
    paths = [
        save_output(make_output() | {"processing_metadata": {"x": value}}, tmp_path / f"{number}.coffea")
        for number, value in enumerate((first, second))
    ]
    with pytest.raises(OutputFileError, match=r"processing_metadata / x differs: .*0\.coffea, .*1\.coffea"):
        load_output(paths)


def test_columns_are_appended() -> None:
    total = OutputSum()
    for number in (1.0, 2.0):
        column = ColumnAccumulator(np.full(2, number))
        total.add(Path(f"{number}.coffea"), Output(make_output() | {"columns": {"TTbar": {"pt": column}}}))
    assert total.result()["columns"]["TTbar"]["pt"].value.tolist() == [1.0, 1.0, 2.0, 2.0]


def test_a_simulated_dataset_in_two_normalised_outputs_is_noticed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    paths, _ = save_parts(tmp_path)
    with caplog.at_level(logging.WARNING, logger="pocket_combine"):
        output = load_output(paths)
    (finding,) = output.findings
    assert finding.code == "dataset-in-several-outputs"
    assert finding.place == "dataset TTbar_2018, Vjets_2017"
    assert finding.numbers == {"datasets": 2.0, "files": 3.0}
    assert "so their sum counts them repeatedly" in finding.message
    assert caplog.messages == [str(finding)]


def test_data_in_several_outputs_are_no_finding(tmp_path: Path) -> None:
    sample = Sample("DATA_SingleMuon", data=True)
    paths = [save_output(make_output([sample], seed=seed), tmp_path / f"{seed}.coffea") for seed in (1, 2)]
    assert load_output(paths).findings == ()


def test_the_same_data_in_two_outputs_are_noticed(tmp_path: Path) -> None:
    samples = [Sample("DATA_SingleMuon", data=True), Sample("DATA_EGamma", data=True)]
    outputs = [make_output(samples, seed=1), make_output(samples, seed=1)]
    # One event more in one step: another job of the same dataset.
    (other,) = (name for name in outputs[1]["cutflow"]["presel"] if "EGamma" in name)
    outputs[1]["cutflow"]["presel"][other] += 1
    paths = [save_output(output, tmp_path / f"{number}.coffea") for number, output in enumerate(outputs)]
    (finding,) = load_output(paths).findings
    assert (finding.code, finding.place) == ("data-in-several-outputs", "dataset DATA_SingleMuon_2018_EraA")
    assert finding.numbers == {"datasets": 1.0, "files": 2.0}
    assert finding.message.startswith("1 dataset of collision data with the same number of events at each step")
    assert "a copy, by the look of it, whose events are counted repeatedly" in finding.message


def test_an_object_that_one_file_has_at_two_places_is_added_once_at_each(tmp_path: Path) -> None:
    shared = make_histogram(AXIS, rng=np.random.default_rng(1))
    inner = {"c": shared}
    contents = make_output() | {"processing_metadata": {"a": shared, "b": shared, "d": inner, "e": inner}}
    paths = [save_output(contents, tmp_path / f"{number}.coffea") for number in (1, 2)]
    metadata = load_output(paths)["processing_metadata"]
    assert_sum(metadata["a"], shared, shared)
    assert_sum(metadata["b"], shared, shared)
    assert_sum(metadata["d"]["c"], shared, shared)
    assert_sum(metadata["e"]["c"], shared, shared)


def test_periods_stay_sets(tmp_path: Path) -> None:
    paths, _ = save_parts(tmp_path)
    periods = load_output(paths)["datasets_metadata"]["by_datataking_period"]
    assert defaultdict(set, periods["2018"])["TTbar"] == {"TTbar_2018"}
