"""Cards of every variable and category of outputs that PocketCoffea wrote, built and read back."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot

from pocket_combine import (
    Analysis,
    Category,
    Datacard,
    DataProcess,
    DataProcesses,
    MCProcess,
    MCProcesses,
    Severity,
    Systematics,
    SystematicUncertainty,
    build_cards,
    load_output,
)
from pocket_combine.card.load import load_card

FILES = {"shapes_2018": 12, "shapes_2023_postBPix": 10, "weights_2018": 8}
"""The outputs, and how many variables each has."""

CATEGORIES = ["1btag", "2btag", "baseline"]


@lru_cache(maxsize=1)
def load(path: Path) -> Any:
    return load_output(path)


@pytest.fixture(params=FILES)
def path(request: pytest.FixtureRequest, shared_folder: Path) -> Path:
    found = shared_folder / "data" / "coffea" / f"{request.param}.coffea"
    if not found.is_file():
        pytest.skip(f"the output is not there: {found}")
    return found


def declare(output: Any) -> dict[str, Any]:
    """Declarations for all variations of the only simulated sample, twice: as signal and as background."""
    (year,) = output["datasets_metadata"]["by_datataking_period"]
    data = [name for name in output.samples if name.startswith("DATA")]
    names = [name.removesuffix("Up") for name in output.variations("TTTo2L2Nu") if name.endswith("Up")]
    both = ["signal", "ttbar"]
    rows = [SystematicUncertainty(name, "shape", both, [year], 1.0) for name in names]
    return {
        "mc_processes": MCProcesses(
            [
                MCProcess("signal", ["TTTo2L2Nu"], [year], is_signal=True),
                MCProcess("ttbar", ["TTTo2L2Nu"], [year], is_signal=False, has_rateParam=True),
            ]
        ),
        "data_processes": DataProcesses([DataProcess("data_obs", data, [year])]),
        "systematics": Systematics([*rows, SystematicUncertainty("lumi", "lnN", both, [year], 1.025)]),
        "years": [year],
    }


def test_every_variable_and_category(path: Path, tmp_path: Path) -> None:
    output = load(path)
    declared = declare(output)
    (year,) = declared["years"]
    (data,) = [name for name in output.samples if name.startswith("DATA")]
    assert len(output.variables) == FILES[path.stem]
    for variable in output.variables:
        for category in CATEGORIES:
            card = Datacard(
                output["variables"][variable], output["datasets_metadata"], output["cutflow"], category=category,
                bin_prefix="cat", verbose=False, **declared,
            )  # fmt: skip
            errors = [finding for finding in card.findings if finding.severity is Severity.ERROR]
            assert {finding.code for finding in errors} <= {"empty-variation", "variation-nowhere"}, errors
            card.dump(tmp_path, "card.txt", "shapes.root")
            (simulated,) = output["variables"][variable]["TTTo2L2Nu"].values()
            (observed,) = output["variables"][variable][data].values()
            nominal = simulated[category, "nominal", :]
            with uproot.open(tmp_path / "shapes.root") as file:
                assert file["data_obs_nominal"].values().tolist() == observed[category, :].values().tolist()
                clipped = np.maximum(nominal.values(), 0.0)
                assert file[f"ttbar_{year}_nominal"].values().tolist() == clipped.tolist()
                assert file[f"ttbar_{year}_nominal"].variances() == pytest.approx(nominal.variances(), rel=1e-14)
                for name in list(simulated.axes["variation"])[::7]:
                    if name != "nominal":
                        expected = np.maximum(simulated[category, name, :].values(), 0.0)
                        assert file[f"signal_{year}_{name}"].values().tolist() == expected.tolist()
            assert card.observation == observed[category, :].values().sum()


def test_cards_parse_back(path: Path, tmp_path: Path) -> None:
    output = load(path)
    declared = declare(output)
    variable = "JetGood_pt"
    card = Datacard(
        output["variables"][variable], output["datasets_metadata"], output["cutflow"], category="baseline",
        bins_edges=[0, 30, 60, 90, 150], flow="fold", verbose=False, **declared,
    )  # fmt: skip
    card.dump(tmp_path, "card.txt", "shapes.root")
    loaded = load_card(tmp_path / "card.txt")
    assert loaded.card.columns == card.card.columns
    assert loaded.card.nuisances == card.card.nuisances
    (templates,) = loaded.templates.values()
    assert templates.values.tolist() == card.templates.values.tolist()
    assert templates.up.tolist() == card.templates.up.tolist()


def test_the_category_that_begins_with_a_digit(path: Path) -> None:
    output = load(path)
    card = Datacard(
        output["variables"]["nJetGood"], output["datasets_metadata"], output["cutflow"], category="1btag",
        verbose=False, **declare(output),
    )  # fmt: skip
    assert "channel-leading-digit" in {finding.code for finding in card.findings}


def test_the_two_outputs_of_2018_and_one_of_2023_together(shared_folder: Path, tmp_path: Path) -> None:
    folder = shared_folder / "data" / "coffea"
    if not folder.is_dir():
        pytest.skip(f"the outputs are not there: {folder}")
    years = ["2018", "2023_postBPix"]
    declared = Analysis(
        mc_processes=MCProcesses(
            [
                MCProcess("signal", ["TTTo2L2Nu"], ["2018"], is_signal=True),
                MCProcess("ttbar", ["TTTo2L2Nu"], ["2023_postBPix"], is_signal=False),
            ]
        ),
        systematics=Systematics(
            [
                SystematicUncertainty("pileup", "shape", ["signal", "ttbar"], years, 1),
                SystematicUncertainty(
                    "JES_2018", "shape", ["signal"], ["2018"], 1, coffea_name_alias="AK4PFchs_JES_Total"
                ),
            ]
        ),
        years=years,
        categories={"baseline": Category("ElectronGood_eta"), "2btag": Category("nBJetGood", bin_prefix="cat")},
        data_processes=DataProcesses([DataProcess("data_obs", ["DATA_SingleMuon__clean", "DATA_SingleEle"], years)]),
        label="run",
    )
    report = build_cards(declared, sorted(folder.glob("shapes_*.coffea")), tmp_path)
    assert {finding.code for finding in report.findings} <= {
        "outside-range", "sample-missing-in-year", "large-variation", "data-without-expectation", "negative-bin",
    }  # fmt: skip
    outputs = {path.stem: load_output(path) for path in folder.glob("shapes_*.coffea")}
    for (card_name, channel), variable in zip(report.channels.items(), ["ElectronGood_eta", "nBJetGood"], strict=True):
        category = card_name.split("_")[1]
        (old,) = outputs["shapes_2018"]["variables"][variable]["TTTo2L2Nu"].values()
        (new,) = outputs["shapes_2023_postBPix"]["variables"][variable]["TTTo2L2Nu"].values()
        assert channel.templates.values.tolist() == [
            np.maximum(found[category, "nominal", :].values(), 0.0).tolist() for found in (old, new)
        ]
        assert (tmp_path / card_name).is_file()
