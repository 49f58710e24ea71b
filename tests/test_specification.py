"""The documentation of the statistical analysis, executed section by section, and its products read back."""

from __future__ import annotations

import importlib
import itertools
import os
import re
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot
from documented import AXES, YEARS, Products, follow_the_documentation, make_merged_output
from outputs import save_output

from pocket_combine import Datacard, MCProcess, MCProcesses, Systematics, SystematicUncertainty, load_output
from pocket_combine.card.load import load_card
from pocket_combine.pocket_coffea_names import _NamesFinder, install


@pytest.fixture(scope="module")
def output_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_output(make_merged_output(), tmp_path_factory.mktemp("output") / "output_all.coffea")


@pytest.fixture
def documented_modules(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The finder that an installation puts in place, for this test."""
    monkeypatch.setattr(sys, "meta_path", [finder for finder in sys.meta_path if not isinstance(finder, _NamesFinder)])
    install()
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "pocket_coffea"]:
        del sys.modules[name]


def documented_load() -> Any:
    """`coffea.util.load`, or where coffea is not installed, the package's own."""
    try:
        return importlib.import_module("coffea.util").load
    except ImportError:
        return load_output


@pytest.fixture(scope="module")
def places() -> dict[str, tuple[str, str]]:
    return {
        "pocket_combine": ("pocket_combine", "pocket_combine"),
        "pocket_coffea": ("pocket_coffea.utils.stat", "pocket_coffea.utils.stat.combine"),
    }


@pytest.mark.usefixtures("documented_modules")
@pytest.mark.parametrize("place", ["pocket_combine", "pocket_coffea"])
@pytest.mark.parametrize("load", [load_output, documented_load()], ids=["load_output", "documented load"])
def test_the_documented_flow(
    place: str, load: Any, places: dict[str, tuple[str, str]], output_file: Path, tmp_path: Path
) -> None:
    names, combine = map(importlib.import_module, places[place])
    assert combine.Datacard is names.Datacard
    check_products(follow_the_documentation(load, names, combine, output_file, tmp_path), tmp_path)


def snippets(text: str) -> list[str]:
    """The snippets of the documentation, whose lines are numbered from 1."""
    blocks: list[list[str]] = []
    for line in text.splitlines():
        match = re.match(r" *(\d+)(?!\. )(.*)", line)
        if match and int(match[1]) == 1:
            blocks.append([match[2]])
        elif match and blocks and int(match[1]) == len(blocks[-1]) + 1:
            blocks[-1].append(match[2])
    return ["\n".join(block) for block in blocks]


def test_numbered_lines_are_snippets() -> None:
    text = "1. Heading\n  1. item\n 1for x in y:\n 2    pass\n100 words\n1a = 1\n2\n3b = 2"
    assert snippets(text) == ["for x in y:\n    pass", "a = 1\n\nb = 2"]


@pytest.mark.usefixtures("documented_modules")
def test_the_documentation_word_for_word(
    shared_folder: Path, output_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (shared_folder / "specification" / "statistical-analysis.txt").read_text()
    if importlib.util.find_spec("coffea") is None:
        stand_in = types.ModuleType("coffea.util")
        stand_in.load = load_output  # type: ignore[attr-defined]  # modules have any attribute
        monkeypatch.setitem(sys.modules, "coffea", types.ModuleType("coffea"))
        monkeypatch.setitem(sys.modules, "coffea.util", stand_in)
    monkeypatch.chdir(output_file.parent)
    # What the snippets use and leave to the reader.
    names: dict[str, Any] = {"output_dir": tmp_path, "sys_unc": []}
    for snippet in snippets(text):
        if "mc_processes" in names:
            names["all_process_names"] = [process.name for process in names["mc_processes"].values()]
        exec(compile(snippet, "statistical-analysis.txt", "exec"), names)  # noqa: S102  that is what is tested
        if "symmetric" in snippet:
            # The first snippet of uncertainties makes examples; the two that nothing else declares join the analysis.
            names["sys_unc"] += [
                SystematicUncertainty("some_unc", "lnN", ["ttbar"], YEARS, (0.98, 1.05)),
                SystematicUncertainty("xsec", "lnN", {"ttbar": 1.06, "diboson": 1.05}, YEARS),
            ]
    assert len(snippets(text)) > 15
    products = Products(names["datacards"], names["mc_processes"], names["systematics"], names["df"])
    check_products(products, tmp_path)


def check_products(products: Products, tmp_path: Path) -> None:
    """All that the documentation promises."""
    check_declarations(products)
    for category, variable in (("SR", "discriminant"), ("CR1", "control_var_1"), ("CR2", "nJets")):
        check_card(products, category, variable, tmp_path)
    check_script(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "combine_datacards_run3.sh",
        "datacard_CR1_run3.txt",
        "datacard_CR2_run3.txt",
        "datacard_SR_run3.txt",
        "shapes_CR1_run3.root",
        "shapes_CR2_run3.root",
        "shapes_SR_run3.root",
    ]


def check_declarations(products: Products) -> None:
    """Section 2: per-year column names; section 3: unique names in the card."""
    processes = products.mc_processes
    assert processes.signal_processes == [f"signal_{year}" for year in YEARS]
    assert processes.background_processes[:5] == [f"ttbar_{year}" for year in YEARS]
    assert processes.n_processes == 8 * 5
    assert processes["ttbar"].label == "ttbar"
    assert "pileup_2022_preEE" in products.systematics


def check_card(products: Products, category: str, variable: str, folder: Path) -> None:
    """Section 4: what stands in the card and in the ROOT file of a category."""
    datacard = products.datacards[f"datacard_{category}_run3.txt"]
    assert datacard.bin == f"{category}_run3"
    text = (folder / f"datacard_{category}_run3.txt").read_text()
    words = [line.split() for line in text.splitlines()]
    rows = {line[0]: line[1:] for line in words if line}
    columns = [f"{process}_{year}" for process in products.mc_processes for year in YEARS]
    identifiers = [*range(0, -5, -1), *range(1, 36)]
    assert ["process", *columns] in words
    assert ["process", *map(str, identifiers)] in words
    assert rows["shapes"] == [
        "*",
        datacard.bin,
        f"shapes_{category}_run3.root",
        "$PROCESS_nominal",
        "$PROCESS_$SYSTEMATIC",
    ]
    assert float(rows["observation"][0]) == datacard.observation
    assert [float(word) for word in rows["rate"]] == [datacard.rate(column) for column in columns]
    assert [rows[name][0] for name in ("imax", "jmax", "kmax")] == ["1", "39", str(8 + 19)]
    check_rows(rows, columns, words)
    assert rows[datacard.bin] == ["autoMCStats", "0", "0", "1"]
    check_templates(products, category, variable, folder / f"shapes_{category}_run3.root", datacard)
    loaded = load_card(folder / f"datacard_{category}_run3.txt")
    assert loaded.card.columns == datacard.card.columns
    assert loaded.card.rate_parameters == datacard.card.rate_parameters


def check_rows(rows: dict[str, list[str]], columns: list[str], words: list[list[str]]) -> None:
    """Sections 2 and 3: the cells of nuisances, and rate parameters of backgrounds."""

    def cells(name: str) -> dict[str, str]:
        return {column: cell for column, cell in zip(columns, rows[name][1:], strict=True) if cell != "-"}

    assert rows["lumi_2022"][0] == "lnN"
    assert cells("lumi_2022") == {column: "1.014" for column in columns if "_2022_" in column}
    assert cells("lumi_2024") == {column: "1.016" for column in columns if column.endswith("_2024")}
    assert cells("some_unc") == {f"ttbar_{year}": "0.98/1.05" for year in YEARS}
    assert cells("xsec") == {
        **{f"ttbar_{year}": "1.06" for year in YEARS},
        **{f"diboson_{year}": "1.05" for year in YEARS},
    }
    assert cells("process_norms_vjets") == {f"vjets_{year}": "1.05" for year in YEARS}
    assert cells("ele_scale") == dict.fromkeys(columns, "1")
    assert cells("pileup_2024") == {column: "1" for column in columns if column.endswith("_2024")}
    assert list(cells("sf_btag")) == [column for column in columns if column.split("_")[0] in
                                      ("ttbar", "singletop", "vjets", "diboson")]  # fmt: skip
    assert "sf_btag_groupA" not in rows
    parameters = [line for line in words if line[1:2] == ["rateParam"]]
    assert parameters == [
        [f"SF_{process}", "rateParam", "*", f"{process}_{year}", "1", "[0,5]"]
        for process in ("ttbar", "bkg_bin_lo", "bkg_bin_mid", "bkg_bin_hi")
        for year in YEARS
    ]


def check_templates(products: Products, category: str, variable: str, shapes: Path, datacard: Any) -> None:
    """Sections 1 and 4: templates and rebinning, computed from the output by plain `hist` indexing."""
    output = products.output
    edges = {"SR": [0.0, 0.2, 0.4, 0.6, 0.8, 1.0], "CR1": AXES[variable].edges.tolist(), "CR2": [4, 5, 6, 12]}[category]

    def expected(sample: str, dataset: str, variation: str) -> list[float]:
        filled = output["variables"][variable][sample][dataset]
        selected = filled[{"cat": category} | ({"variation": variation} if variation else {})]
        values, centers = selected.values(), selected.axes[0].centers
        return [
            float(sum(value for value, center in zip(values, centers, strict=True) if low < center < high))
            for low, high in itertools.pairwise(edges)
        ]

    with uproot.open(shapes) as file:
        names = set(file.keys(cycle=False))
        assert {f"signal_{year}_nominal" for year in YEARS} <= names
        assert {"ttbar_2024_pileup_2024Up", "ttbar_2024_pileup_2024Down", "data_obs_nominal"} <= names
        assert "ttbar_2024_pileupUp" not in names
        assert "ttbar_2022_preEE_pileup_2024Up" not in names
        assert file["signal_2024_nominal"].axis().edges() == pytest.approx(edges, rel=1e-12)
        for name, parts in {
            "signal_2024_nominal": [
                ("SignalSampleA", "SignalA_2024", "nominal"),
                ("SignalSampleB", "SignalB_2024", "nominal"),
            ],
            "ttbar_2024_pileup_2024Up": [
                ("TTbar", "TTTo2L2Nu_2024", "pileupUp"),
                ("TTbar", "TTToSemiLeptonic_2024", "pileupUp"),
            ],
            "vjets_2022_preEE_sf_btagDown": [
                ("Vjets", "WJets_2022_preEE", "sf_btag_groupBDown"),
                ("Vjets", "DYJets_2022_preEE", "sf_btag_groupBDown"),
            ],
            "data_obs_nominal": [
                (sample, f"{sample}_{year}", "") for sample in ("DATA_EGamma", "DATA_SingleMuon") for year in YEARS
            ],
        }.items():
            total = np.sum([expected(*part) for part in parts], axis=0)
            assert file[name].values() == pytest.approx(total, rel=1e-12), name
        assert datacard.observation == file["data_obs_nominal"].values().sum()
        assert datacard.rate("signal_2024") == pytest.approx(file["signal_2024_nominal"].values().sum(), rel=1e-12)


def check_script(folder: Path) -> None:
    """Section 5: the script, run with stand-ins for the programs that it calls."""
    text = (folder / "combine_datacards_run3.sh").read_text()
    assert "combineCards.py SR_run3=datacard_SR_run3.txt CR1_run3=datacard_CR1_run3.txt CR2_run3=" in text
    assert "> datacard_combined_run3.txt\n" in text
    assert text.endswith("text2workspace.py datacard_combined_run3.txt -o workspace_run3.root\n")
    bash = subprocess.run(  # noqa: S603
        ["bash", "-n", folder / "combine_datacards_run3.sh"],  # noqa: S607
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert (bash.returncode, bash.stderr) == (0, "")
    assert os.access(folder / "combine_datacards_run3.sh", os.X_OK)


def test_without_data_the_observation_is_a_placeholder(output_file: Path, tmp_path: Path) -> None:
    df = load_output(output_file)
    processes = MCProcesses([MCProcess(name="ttbar", samples=["TTbar"], years=["2024"], is_signal=True)])
    card = Datacard(
        histograms=df["variables"]["nJets"], datasets_metadata=df["datasets_metadata"], cutflow=df["cutflow"],
        years=["2024"], mc_processes=processes, systematics=Systematics([]), category="CR2",
    )  # fmt: skip
    assert card.bin == "CR2_2024"
    card.dump(directory=tmp_path, card_name="card.txt", shapes_name="shapes.root")
    assert "\nobservation  -1\n" in (tmp_path / "card.txt").read_text()


@pytest.mark.parametrize("variation_missing", ["JER", "pileup"])
def test_a_missing_variation_falls_back_to_the_nominal_template(output_file: Path, variation_missing: str) -> None:
    df = load_output(output_file)
    processes = MCProcesses([MCProcess(name="ttbar", samples=["TTbar"], years=["2024"], is_signal=False)])
    rows = [SystematicUncertainty(name="shifted", typ="shape", processes=["ttbar"], years=["2024"], value=1.0,
                                  coffea_name_alias=f"{variation_missing}_x")]  # fmt: skip
    card = Datacard(
        histograms=df["variables"]["discriminant"], datasets_metadata=df["datasets_metadata"], cutflow=df["cutflow"],
        years=["2024"], mc_processes=processes, systematics=Systematics(rows), category="SR", verbose=False,
    )  # fmt: skip
    templates = card.templates
    assert templates.up.tolist() == templates.down.tolist() == templates.values.tolist()
    (finding,) = [item for item in card.findings if item.code == "variation-nowhere"]
    assert f"did you mean '{variation_missing}'" in finding.advice
