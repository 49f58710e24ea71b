"""What an output shows of what is inside."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path
from typing import Any

import hist
import numpy as np
import pytest
from outputs import CATEGORIES, SAMPLES, VARIATIONS, Sample, make_histogram, make_output, save_output

from pocket_combine.errors import MissingInputError, OutputFileError, TemplateError
from pocket_combine.io.coffea import load_output
from pocket_combine.io.output import Output


@pytest.fixture
def contents() -> dict[str, Any]:
    return make_output()


@pytest.fixture
def output(contents: dict[str, Any], tmp_path: Path) -> Output:
    return load_output(save_output(contents, tmp_path / "output_all.coffea"))


def test_it_is_a_dictionary_as_the_documentation_uses_it(output: Output, contents: dict[str, Any]) -> None:
    histograms = output["variables"]["discriminant"]
    assert list(histograms) == ["TTbar", "Vjets__light", "Vjets__heavy", "DATA_SingleMuon"]
    assert isinstance(histograms["TTbar"]["TTbar_2018"], hist.Hist)
    assert output["datasets_metadata"]["by_dataset"]["TTbar_2018"]["xsec"] == "88.29"
    assert output["cutflow"]["presel"] == contents["cutflow"]["presel"]
    assert list(output) == list(contents)
    assert len(output) == len(contents)
    assert "columns" in output
    assert output.get("nothing") is None


def test_a_mistyped_key_gets_the_nearest(output: Output) -> None:
    with pytest.raises(MissingInputError, match=r"the output has no 'variabels' \(did you mean 'variables'\?\)"):
        output["variabels"]
    with pytest.raises(KeyError):
        output["variabels"]


def test_it_cannot_be_changed(output: Output) -> None:
    with pytest.raises(TypeError):
        output["variables"] = {}  # type: ignore[index]  # that is what is tested
    with pytest.raises(AttributeError):
        output.paths = ()  # type: ignore[misc]  # that is what is tested


def test_views(output: Output, tmp_path: Path) -> None:
    assert output.variables == ("discriminant", "nJets")
    assert output.categories == CATEGORIES
    assert output.samples == ("TTbar", "Vjets__light", "Vjets__heavy", "DATA_SingleMuon")
    assert output.years == ("2017", "2018")
    assert output.datasets == {
        "TTbar": {"TTbar_2017": "2017", "TTbar_2018": "2018"},
        "Vjets__light": {"Vjets_2017": "2017", "Vjets_2018": "2018"},
        "Vjets__heavy": {"Vjets_2017": "2017", "Vjets_2018": "2018"},
        "DATA_SingleMuon": {"DATA_SingleMuon_2017_EraA": "2017", "DATA_SingleMuon_2018_EraA": "2018"},
    }
    assert output.paths == (tmp_path / "output_all.coffea",)
    assert repr(output) == "<Output: 2 variables, 3 categories, 4 samples, 6 datasets, years 2017, 2018>"


def test_variations(output: Output) -> None:
    assert output.variations("TTbar") == VARIATIONS[1:]
    assert output.variations("TTbar", "nJets") == VARIATIONS[1:]
    assert output.variations("DATA_SingleMuon") == ()
    with pytest.raises(MissingInputError, match=r"no sample 'TTbr' \(did you mean 'TTbar'\?\)"):
        output.variations("TTbr")
    with pytest.raises(MissingInputError, match=r"no variable 'njets' \(did you mean 'nJets'\?\)"):
        output.variations("TTbar", "njets")


def test_variations_and_categories_that_differ_between_variables(contents: dict[str, Any]) -> None:
    rng = np.random.default_rng(2)
    contents["variables"]["nJets"] = {
        "TTbar": {"TTbar_2018": make_histogram(
            hist.axis.Integer(0, 3, name="x"), categories=["SR", "VR"], variations=["nominal", "ISRUp"], rng=rng
        )}
    }  # fmt: skip
    output = Output(contents)
    assert output.variations("TTbar") == (*VARIATIONS[1:], "ISRUp")
    assert output.variations("TTbar", "nJets") == ("ISRUp",)
    assert output.categories_of("nJets") == ("SR", "VR")
    assert output.categories_of("discriminant") == CATEGORIES
    assert output.categories == (*CATEGORIES, "VR")
    with pytest.raises(MissingInputError, match="no variable 'pt'"):
        output.categories_of("pt")


@pytest.mark.parametrize("storage", [hist.storage.Weight(), hist.storage.Double(), hist.storage.Int64()])
def test_yields_are_nominal_sums_with_what_lies_outside(storage: Any) -> None:
    axes = [hist.axis.Regular(4, 0, 1, name="x"), hist.axis.Regular(2, 0, 1, name="y", flow=False)]
    output = Output(make_output(variables={"xy": axes}, storage=storage))
    yields = output.yields("xy")
    for category in CATEGORIES:
        for sample, datasets in output.datasets.items():
            for dataset in datasets:
                filled = output["variables"]["xy"][sample][dataset]
                chosen = {"cat": category} | ({"variation": "nominal"} if "variation" in filled.axes.name else {})
                total = filled[{name: hist.loc(label) for name, label in chosen.items()}].values(flow=True)
                assert total.ndim == 2
                assert yields[category][sample][dataset] == pytest.approx(total.sum(), rel=1e-12)
                assert yields[category][sample][dataset] > 0


def test_yields_need_a_nominal_histogram() -> None:
    output = Output(make_output([Sample("TTbar", variations=("JERUp", "JERDown"))]))
    with pytest.raises(TemplateError, match=r"variable nJets, sample TTbar, dataset TTbar_2018: .* no 'nominal' one"):
        output.yields("nJets")


def test_years_come_from_either_part_of_the_metadata(contents: dict[str, Any]) -> None:
    expected = Output(contents).datasets
    for part in ("by_dataset", "by_datataking_period"):
        changed = copy.deepcopy(contents)
        del changed["datasets_metadata"][part]
        assert Output(changed).datasets == expected


def test_a_dataset_without_a_year_is_refused(contents: dict[str, Any]) -> None:
    del contents["datasets_metadata"]["by_dataset"]["TTbar_2018"]
    del contents["datasets_metadata"]["by_datataking_period"]["2018"]["TTbar"]
    with pytest.raises(OutputFileError, match=r"with no year in datasets_metadata: TTbar_2018$"):
        Output(contents)


def test_histograms_without_a_category_axis_are_refused(contents: dict[str, Any]) -> None:
    contents["variables"]["nJets"]["TTbar"]["TTbar_2018"] = hist.Hist(hist.axis.Regular(2, 0, 1, name="x"))
    with pytest.raises(OutputFileError, match=r"nJets, sample TTbar, dataset TTbar_2018: .* no axis named 'cat'"):
        Output(contents)


def test_summary_is_plain_and_complete(output: Output) -> None:
    summary = output.summary()
    assert json.loads(json.dumps(summary)) == summary
    assert summary["variables"]["nJets"] == {
        "categories": list(CATEGORIES),
        "axes": [
            {"name": "events.nJets", "label": "$N_{j}$", "kind": "Integer", "bins": 5, "edges": [4, 5, 6, 7, 8, 9]}
        ],
    }
    assert list(summary["samples"]) == list(output.samples)
    assert summary["samples"]["Vjets__light"] == {
        "datasets": {"Vjets_2017": "2017", "Vjets_2018": "2018"},
        "variations": list(VARIATIONS[1:]),
    }
    assert summary["years"] == ["2017", "2018"]
    assert summary["yields"] == {"variable": "discriminant", "nominal": output.yields("discriminant")}
    assert output.summary("nJets")["yields"]["nominal"] == output.yields("nJets")
    assert summary["findings"] == []
    with pytest.raises(MissingInputError, match="no variable 'pt'"):
        output.summary("pt")


def test_an_output_without_variables_is_shown_too() -> None:
    output = Output(make_output(variables={}))
    assert output.summary()["yields"] == {"variable": None, "nominal": {}}
    assert repr(output) == "<Output: 0 variables, 0 categories, 0 samples, 0 datasets, years >"


def test_normalisations_are_those_of_simulated_datasets(output: Output, contents: dict[str, Any]) -> None:
    expected = ["TTbar_2017", "TTbar_2018", "Vjets_2017", "Vjets_2018"]
    assert output.normalisations() == {name: contents["sum_genweights"][name] for name in expected}
    contents["sum_genweights"]["TTbar_2017"] = {"nominal": 1.0}
    assert list(Output(contents).normalisations()) == expected[1:]
    del contents["sum_genweights"]
    assert Output(contents).normalisations() == {}


def test_it_travels_between_processes(output: Output) -> None:
    travelled = pickle.loads(pickle.dumps(output))
    assert travelled.yields("nJets") == output.yields("nJets")
    assert travelled.paths == output.paths


def test_real_outputs(shared_folder: Path) -> None:
    output = load_output(shared_folder / "data" / "coffea" / "shapes_2018.coffea")
    assert output.categories == ("1btag", "2btag", "baseline")
    assert output.datasets == {
        "DATA_SingleMuon__clean": {"DATA_SingleMuon_2018_EraA": "2018"},
        "TTTo2L2Nu": {"TTTo2L2Nu_2018": "2018"},
    }
    assert len(output.variations("TTTo2L2Nu")) == 32
    assert {"AK4PFchs_JES_TotalUp", "pileupDown"} <= set(output.variations("TTTo2L2Nu"))
    variable = next(name for name in output.variables if name == "nJetGood" or name.startswith("n"))
    events = output.yields(variable)["baseline"]
    assert events["DATA_SingleMuon__clean"]["DATA_SingleMuon_2018_EraA"] == 261
    assert events["TTTo2L2Nu"]["TTTo2L2Nu_2018"] == pytest.approx(
        output["sumw"]["baseline"]["TTTo2L2Nu_2018"]["TTTo2L2Nu"], rel=1e-9
    )


def test_samples_are_those_of_the_declarations() -> None:
    assert [column for sample in SAMPLES for column in sample.columns()] == list(Output(make_output()).samples)
