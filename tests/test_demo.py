"""The toy analysis: PocketCoffea's layout, coherent numbers, the same bytes every time."""

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import hist
import lz4.frame
import numpy as np
import pytest
from conftest import Demo

from pocket_combine.demo import ANALYSIS_NAME, OUTPUT_NAME, STYLE_NAME, write_demo
from pocket_combine.demo.events import PROCESSES, simulate
from pocket_combine.demo.filling import CATEGORIES
from pocket_combine.demo.output import _generator
from pocket_combine.demo.variations import energy_variations, weight_variations
from pocket_combine.errors import PocketCombineError

PERIODS = ["2022_preEE", "2022_postEE", "2023_preBPix", "2023_postBPix", "2024"]
SEED = 3
"""That of `pocket-combine demo`."""


@pytest.fixture(scope="module")
def output(demo: Demo) -> dict[str, Any]:
    content: dict[str, Any] = pickle.loads(lz4.frame.decompress((demo.folder / "demo" / OUTPUT_NAME).read_bytes()))
    return content


def simulated(output: dict[str, Any], variable: str) -> dict[tuple[str, str], Any]:
    return {
        (sample, dataset): histogram
        for sample, datasets in output["variables"][variable].items()
        for dataset, histogram in datasets.items()
        if not sample.startswith("DATA_")
    }


def test_keys_are_those_of_pocketcoffea(output: dict[str, Any]) -> None:
    assert list(output) == [
        "sum_genweights",
        "sum_signOf_genweights",
        "sumw",
        "sumw2",
        "cutflow",
        "variables",
        "columns",
        "processing_metadata",
        "datasets_metadata",
    ]


def test_axes_and_storage(output: dict[str, Any]) -> None:
    data = output["variables"]["discriminant"]["DATA_EGamma"]["DATA_EGamma_2024_EraC"]
    assert [axis.name for axis in data.axes] == ["cat", "events.discriminant"]
    simulation = output["variables"]["discriminant"]["TTbar__bb"]["TTToLNu2Q_2024"]
    assert [axis.name for axis in simulation.axes] == ["cat", "variation", "events.discriminant"]
    for histogram in (data, simulation):
        assert histogram.storage_type is hist.storage.Weight
        assert not histogram.axes["cat"].traits.growth
    assert list(simulation.axes["variation"]) == sorted(simulation.axes["variation"])
    assert len(simulation.axes["variation"]) == 1 + 2 * 38
    assert len(output["variables"]["nJets"]["VV"]["WW_2024"].axes["variation"]) == 1 + 2 * 37


def test_metadata_name_every_dataset_of_the_histograms(output: dict[str, Any]) -> None:
    metadata = output["datasets_metadata"]
    assert list(metadata["by_datataking_period"]) == PERIODS
    for datasets_of in output["variables"].values():
        for sample, histograms in datasets_of.items():
            by_period = {year: samples[sample] for year, samples in metadata["by_datataking_period"].items()}
            assert set().union(*by_period.values()) == set(histograms)
            for year, datasets in by_period.items():
                for dataset in datasets:
                    entry = metadata["by_dataset"][dataset]
                    assert entry["sample"] == sample.split("__", maxsplit=1)[0]
                    assert entry["year"] == year
                    assert entry["isMC"] == str(not sample.startswith("DATA_"))
    samples = metadata["by_datataking_period"]["2024"]
    assert {"TTbar__bb", "TTbar__cc", "TTbar__lf"} < set(samples)
    assert samples["TTbar__cc"] == {"TTTo2L2Nu_2024", "TTToLNu2Q_2024"}


def test_jet_energy_sources_of_a_year_exist_in_that_year_only(output: dict[str, Any]) -> None:
    for (_, dataset), histogram in simulated(output, "nJets").items():
        year = dataset.split("_")[-1] if dataset.endswith("_2024") else dataset.split("_")[-2]
        sources = {name for name in histogram.axes["variation"] if name.startswith("JES_Absolute_")}
        assert sources == {f"JES_Absolute_{year}Up", f"JES_Absolute_{year}Down"}


def test_cutflow_and_sums_agree_with_the_histograms(output: dict[str, Any]) -> None:
    for sample, datasets in output["variables"]["nJets"].items():
        for dataset, histogram in datasets.items():
            assert output["cutflow"]["presel"][dataset] > 0
            for category in CATEGORIES:
                events = output["cutflow"][category][dataset][sample]
                part = histogram[category, ...]
                if sample.startswith("DATA_"):
                    assert part.sum(flow=True).value == events
                    continue
                total = part["nominal", :].sum(flow=True)
                assert total.value == pytest.approx(output["sumw"][category][dataset][sample], rel=1e-12)
                assert total.variance == pytest.approx(output["sumw2"][category][dataset][sample], rel=1e-12)
                # Only negative weights make the sum smaller than what the same events could give.
                assert abs(total.value) <= np.sqrt(events * total.variance) * (1 + 1e-12)


def test_every_variable_sees_the_same_events(output: dict[str, Any]) -> None:
    for sample, datasets in output["variables"]["nJets"].items():
        for dataset, jets in datasets.items():
            other = output["variables"]["deltaRbb_min"][sample][dataset]
            expected = jets.values(flow=True)[:2].sum(axis=-1)
            np.testing.assert_allclose(other.values(flow=True)[:2].sum(axis=-1), expected, rtol=1e-12, atol=1e-12)


def test_histograms_are_what_plain_filling_gives(output: dict[str, Any]) -> None:
    process = next(process for process in PROCESSES if process.sample == "TTbar__bb")
    dataset, period = "TTToLNu2Q", "2022_preEE"
    events = simulate(process, period, _generator(SEED, process.sample, dataset, period), share=0.5)
    found: Any = output["variables"]["discriminant"][process.sample][f"{dataset}_{period}"]
    expected: Any = hist.Hist(*found.axes, storage=hist.storage.Weight())
    tilt = weight_variations(process, events)["sf_btag_hf"]
    energy = energy_variations(period, process, events)["JES_Absolute"]
    for variation, factor, shift in (
        ("nominal", 0.0 * tilt, 0.0 * energy),
        ("sf_btag_hfDown", -tilt, 0.0 * energy),
        ("JES_AbsoluteUp", 0.0 * tilt, energy),
    ):
        for index in range(events.weight.size):
            jets = int(events.jets[index] + 6.0 * shift[index])
            tags = events.tags[index]
            if jets >= 6 and tags == 4:
                category = "SR"
            elif jets in (4, 5) and tags >= 3:
                category = "CR_tt"
            else:
                continue
            logit = np.log(events.discriminant[index] / (1 - events.discriminant[index])) + 5.0 * shift[index]
            weight = events.weight[index] * np.exp(factor[index])
            expected.fill(category, variation, 1 / (1 + np.exp(-logit)), weight=weight)
        for category in ("SR", "CR_tt"):
            fast, slow = (histogram[{"cat": category, "variation": variation}] for histogram in (found, expected))
            assert slow.sum().value > 0
            for moment in ("value", "variance"):
                np.testing.assert_allclose(fast.view(True)[moment], slow.view(True)[moment], rtol=1e-9, atol=1e-12)


def total(output: dict[str, Any], variable: str, category: str, variation: str = "nominal") -> Any:
    return sum(histogram[category, variation, :].values() for histogram in simulated(output, variable).values())


def test_data_follow_the_simulation(output: dict[str, Any]) -> None:
    for variable, category, bins in (
        ("discriminant", "SR", 20),
        ("deltaRbb_min", "CR_tt", 18),
        ("nJets", "CR_nJets", 7),
    ):
        expected = total(output, variable, category)[:bins]
        variance = sum(h[category, "nominal", :].variances() for h in simulated(output, variable).values())[:bins]
        observed = sum(
            histogram[category, :].values()
            for sample in ("DATA_EGamma", "DATA_SingleMuon")
            for histogram in output["variables"][variable][sample].values()
        )[:bins]
        chi2 = ((observed - expected) ** 2 / (expected + variance)).sum()
        # Three standard deviations of a chi-squared distribution either way.
        assert bins - 3 * np.sqrt(2 * bins) < chi2 < bins + 3 * np.sqrt(2 * bins)


def test_effects_have_the_signs_of_physics(output: dict[str, Any]) -> None:
    more_jets = [total(output, "nJets", "SR", f"JES_Absolute{shift}").sum() for shift in ("Down", "Up")]
    nominal = total(output, "nJets", "SR").sum()
    assert 0.9 * nominal < more_jets[0] < nominal < more_jets[1] < 1.1 * nominal
    fewer_jets = [total(output, "nJets", "CR_tt", f"JES_Absolute{shift}").sum() for shift in ("Up", "Down")]
    assert fewer_jets[0] < total(output, "nJets", "CR_tt").sum() < fewer_jets[1]
    light = {sample: [0.0, 0.0] for sample in ("TTbar__lf", "TTbar__bb")}
    for (sample, _), histogram in simulated(output, "discriminant").items():
        if sample in light:
            light[sample][0] += histogram["SR", "nominal", :].sum().value
            light[sample][1] += histogram["SR", "sf_btag_lfUp", :].sum().value
    effect = {sample: up / nominal - 1 for sample, (nominal, up) in light.items()}
    assert effect["TTbar__lf"] > 5 * effect["TTbar__bb"] > 0


def test_some_weights_are_negative(output: dict[str, Any]) -> None:
    signs = output["sum_signOf_genweights"]
    selected = output["cutflow"]["presel"]
    fraction = {dataset: (1 - signs[dataset] / selected[dataset]) / 2 for dataset in signs}
    assert 0.08 < fraction["TTLL_MLL-50_2024"] < 0.12
    assert fraction["WW_2024"] == 0


def test_written_files_are_the_same_in_every_process_and_an_edited_one_is_kept(demo: Demo, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    folder.mkdir(parents=True)
    (folder / ANALYSIS_NAME).write_text("mine")
    with pytest.raises(PocketCombineError, match=r"analysis\.py was edited, or belongs to another analysis"):
        write_demo(folder)
    assert [file.name for file in folder.iterdir()] == [ANALYSIS_NAME]
    assert (folder / ANALYSIS_NAME).read_text() == "mine"
    # On request it is replaced; the seed of hashes is not that of this process, by default one by chance.
    program = "import sys; from pocket_combine.demo import write_demo; print(*write_demo(sys.argv[1], overwrite=True))"
    command = [sys.executable, "-c", program, str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | {"PYTHONHASHSEED": "1"})  # noqa: S603
    analysis, path = map(Path, done.stdout.split())
    assert (analysis, path) == (folder / ANALYSIS_NAME, folder / OUTPUT_NAME)
    assert path.read_bytes() == (demo.folder / "demo" / OUTPUT_NAME).read_bytes()
    assert sorted(file.name for file in folder.iterdir()) == [ANALYSIS_NAME, OUTPUT_NAME, STYLE_NAME]
    assert "MCProcesses" in analysis.read_text()
    assert path.stat().st_size < 8e6
    content = pickle.loads(lz4.frame.decompress(path.read_bytes()))
    datasets = content["datasets_metadata"]["by_datataking_period"]["2024"]["TTbar__lf"]
    assert datasets == {"TTTo2L2Nu_2024", "TTToLNu2Q_2024"}


def test_an_edited_style_is_kept(tmp_path: Path) -> None:
    (tmp_path / STYLE_NAME).write_text("labels: {text: Preliminary}")
    with pytest.raises(PocketCombineError, match=r"style\.yaml was edited"):
        write_demo(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == [STYLE_NAME]
