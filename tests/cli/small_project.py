"""A small analysis with numbers that can be checked by hand, and a way to run commands on it."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import click.testing
import hist
import lz4.frame
import numpy as np

from pocket_combine.cli import main

ANALYSIS = """\
from pocket_combine import *

years = ["2017", "2018"]
label = "run2"
mc_processes = MCProcesses([
    MCProcess(name="signal", samples=["Signal"], years=years, is_signal=True),
    MCProcess(name="ttbar", samples=["TTbar__bb", "TTbar__lf"], years=years, is_signal=False),
])
data_processes = DataProcesses([DataProcess(name="data_obs", samples=["DATA"], years=years)])
systematics = Systematics([
    SystematicUncertainty(name="lumi", typ="lnN", processes=["signal", "ttbar"], years=years, value=1.02),
    SystematicUncertainty(name="JER", typ="shape", processes=["signal", "ttbar"], years=years, value=1.0),
])
categories = {"SR": Category("mass"), "CR": "mass"}
"""
"""An analysis file without anything to remark upon."""

MISSPELLED = ANALYSIS.replace('"JER"', '"JRE"')
"""One with a nuisance that does nothing: a finding of severity error."""

# Expected events per bin of the three bins of `mass`, by sample, year and category.
CONTENTS = {
    ("Signal", "2017"): {"SR": [1.0, 2.0, 3.0], "CR": [0.5, 0.5, 0.25]},
    ("Signal", "2018"): {"SR": [2.0, 4.0, 6.0], "CR": [1.0, 1.0, 0.5]},
    ("TTbar__bb", "2017"): {"SR": [10.0, 20.0, 10.0], "CR": [100.0, 200.0, 100.0]},
    ("TTbar__bb", "2018"): {"SR": [20.0, 40.0, 20.0], "CR": [200.0, 400.0, 200.0]},
    ("TTbar__lf", "2017"): {"SR": [5.0, 5.0, 5.0], "CR": [1000.0, 500.0, 250.5]},
    ("TTbar__lf", "2018"): {"SR": [5.0, 5.0, 5.0], "CR": [2000.0, 1000.0, 500.0]},
    ("DATA", "2017"): {"SR": [15.0, 30.0, 14.0], "CR": [1100.0, 690.0, 360.0]},
    ("DATA", "2018"): {"SR": [30.0, 55.0, 31.0], "CR": [2210.0, 1400.0, 690.0]},
}

NEGATIVE = {("TTbar__bb", "2018"): {"SR": [20.0, 40.0, -20.0], "CR": [200.0, 400.0, 200.0]}}
"""Contents that give a negative bin: a finding of severity warning."""


def write_output(path: Path, years: tuple[str, ...] = ("2017", "2018"), **changes: Any) -> Path:
    """Write an output with the contents above; `contents=` replaces some of them."""
    contents = CONTENTS | changes.get("contents", {})
    histograms: dict[str, dict[str, Any]] = {}
    metadata: dict[str, Any] = {"by_datataking_period": {}, "by_dataset": {}}
    presel: dict[str, int] = {}
    for (sample, year), by_category in contents.items():
        if year in years:
            dataset = f"{sample.split('__', maxsplit=1)[0]}_{year}"
            histograms.setdefault(sample, {})[dataset] = _histogram(by_category, is_data=sample == "DATA")
            metadata["by_datataking_period"].setdefault(year, {}).setdefault(sample, set()).add(dataset)
            is_simulation = str(sample != "DATA")
            metadata["by_dataset"][dataset] = {"sample": sample.split("__")[0], "year": year, "isMC": is_simulation}
            presel[dataset] = 1000
    output = {
        "variables": {"mass": histograms},
        "cutflow": {"presel": presel},
        "datasets_metadata": metadata,
    }
    path.write_bytes(lz4.frame.compress(pickle.dumps(output)))
    return path


def _histogram(by_category: dict[str, list[float]], *, is_data: bool) -> Any:
    categories = hist.axis.StrCategory(list(by_category), name="cat", label="Category")
    variations = hist.axis.StrCategory(["JERDown", "JERUp", "nominal"], name="variation", label="Variation")
    mass = hist.axis.Regular(3, 0.0, 300.0, name="mass", label="Mass [GeV]")
    axes = (categories, mass) if is_data else (categories, variations, mass)
    histogram = hist.Hist(*axes, storage=hist.storage.Weight(), name="Counts")
    for row, values in enumerate(by_category.values()):
        shifted = [np.array(values)] if is_data else [np.array(values) * factor for factor in (0.9, 1.1, 1.0)]
        for position, array in enumerate(shifted):
            place = (row,) if is_data else (row, position)
            histogram.view()["value"][place] = array
            histogram.view()["variance"][place] = np.abs(array)
    return histogram


def write_project(folder: Path, analysis: str = ANALYSIS, **changes: Any) -> None:
    """Write `analysis.py` and `output_all.coffea`."""
    (folder / "analysis.py").write_text(analysis)
    write_output(folder / "output_all.coffea", **changes)


def run(*arguments: str, width: int = 80) -> click.testing.Result:
    """Run a command in this process, with the surroundings of a plain pipe."""
    surroundings = {"COLUMNS": str(width), **dict.fromkeys(("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE"), None)}
    return click.testing.CliRunner().invoke(main, arguments, env=surroundings, prog_name="pocket-combine")
