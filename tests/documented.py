"""The flow of the documentation with its generic names: an output that fits it, and its snippets in their order."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hist
import numpy as np

YEARS = ["2022_preEE", "2022_postEE", "2023_preBPix", "2023_postBPix", "2024"]

AXES: dict[str, Any] = {
    "discriminant": hist.axis.Regular(20, 0, 1, name="discriminant"),
    "control_var_1": hist.axis.Regular(10, 0, 200, name="control_var_1"),
    "nJets": hist.axis.Integer(0, 12, name="nJets"),
}

COMMON = ["sf_ele_reco", "sf_mu_id", "ele_scale", "muon_scale", "met_unclustered", "pileup", "btag_stat"]
COMMON += ["JES_Absolute", "JER"]

SIMULATED = {
    "SignalSampleA": ["SignalA"],
    "SignalSampleB": ["SignalB"],
    "TTbar": ["TTTo2L2Nu", "TTToSemiLeptonic"],
    "SingleTop": ["ST"],
    "Vjets": ["WJets", "DYJets"],
    "VV": ["WW"],
    **{f"BkgSample__bin_{bin_}_{part}": ["Bkg"] for bin_ in ("lo", "mid", "hi") for part in "ab"},
}

GROUPS = {"TTbar": "sf_btag_groupA", "SingleTop": "sf_btag_groupA", "Vjets": "sf_btag_groupB", "VV": "sf_btag_groupB"}


def make_merged_output() -> dict[str, Any]:
    """A merged output with the generic names of the documentation."""
    rng = np.random.default_rng(2024)
    output: dict[str, Any] = {
        "variables": {name: {} for name in AXES},
        "cutflow": {"presel": {}},
        "datasets_metadata": {"by_datataking_period": {year: {} for year in YEARS}, "by_dataset": {}},
    }

    def add(sample: str, dataset: str, year: str, variations: list[str] | None) -> None:
        for variable, axis in AXES.items():
            axes: list[Any] = [hist.axis.StrCategory(["SR", "CR1", "CR2"], name="cat")]
            if variations is not None:
                shifted = [name + shift for name in variations for shift in ("Up", "Down")]
                axes.append(hist.axis.StrCategory(["nominal", *shifted], name="variation"))
            axes.append(axis)
            filled = hist.Hist(*axes, storage=hist.storage.Weight())
            view = filled.view()
            if variations is None:
                contents = rng.poisson(20, view.shape).astype(float)
            else:
                nominal = rng.gamma(20, 1, (view.shape[0], 1, view.shape[-1]))
                contents = nominal * np.append([1.0], rng.normal(1, 0.05, 2 * len(variations)))[:, np.newaxis]
            view["value"], view["variance"] = contents, contents
            output["variables"][variable].setdefault(sample, {})[dataset] = filled
        output["cutflow"]["presel"][dataset] = 100
        metadata = output["datasets_metadata"]
        metadata["by_datataking_period"][year].setdefault(sample, set()).add(dataset)
        metadata["by_dataset"][dataset] = {"sample": sample.split("__", maxsplit=1)[0], "year": year}

    for year in YEARS:
        for sample, names in SIMULATED.items():
            more = ["JES_Absolute_2024"] if year == "2024" else []
            more += [GROUPS[sample]] if sample in GROUPS else []
            for name in names:
                add(sample, f"{name}_{year}", year, COMMON + more)
        for sample in ("DATA_EGamma", "DATA_SingleMuon"):
            add(sample, f"{sample}_{year}", year, None)
    return output


@dataclass
class Products:
    """What the flow leaves behind."""

    datacards: dict[str, Any] = field(default_factory=dict)
    mc_processes: Any = None
    systematics: Any = None
    output: Any = None


def follow_the_documentation(load: Any, names: Any, combine: Any, output_all: Path, output_dir: Path) -> Products:
    """Execute the snippets of the documentation in their order, call by call as they stand there."""
    MCProcess, DataProcess = names.MCProcess, names.DataProcess  # noqa: N806  as imported by the first snippet
    MCProcesses, DataProcesses = names.MCProcesses, names.DataProcesses  # noqa: N806
    SystematicUncertainty, Systematics = names.SystematicUncertainty, names.Systematics  # noqa: N806
    Datacard, combine_datacards = names.Datacard, combine.combine_datacards  # noqa: N806

    # 1. Loading the output
    df = load(output_all)
    datasets_metadata = df["datasets_metadata"]
    cutflow = df["cutflow"]

    years = ["2022_preEE", "2022_postEE", "2023_preBPix", "2023_postBPix", "2024"]
    label = "run3"

    hist_dict = {
        "SR": df["variables"]["discriminant"],
        "CR1": df["variables"]["control_var_1"],
        "CR2": df["variables"]["nJets"],
    }

    bins_edges_dict = {
        "SR": [0.0, 0.2, 0.4, 0.6, 0.8, 1.0],
        "CR1": None,
        "CR2": [4, 5, 6, 12],
    }

    # 2. Processes
    mc_processes = MCProcesses(
        [
            MCProcess(name="signal", samples=["SignalSampleA", "SignalSampleB"], years=years, is_signal=True),
            MCProcess(name="ttbar", samples=["TTbar"], years=years, is_signal=False, has_rateParam=True),
            MCProcess(name="singletop", samples=["SingleTop"], years=years, is_signal=False),
            MCProcess(name="vjets", samples=["Vjets"], years=years, is_signal=False),
            MCProcess(name="diboson", samples=["VV"], years=years, is_signal=False),
        ]
    )

    template_bins = [
        ("bin_lo", ["BkgSample__bin_lo_a", "BkgSample__bin_lo_b"]),
        ("bin_mid", ["BkgSample__bin_mid_a", "BkgSample__bin_mid_b"]),
        ("bin_hi", ["BkgSample__bin_hi_a", "BkgSample__bin_hi_b"]),
    ]

    for suffix, samples in template_bins:
        name = f"bkg_{suffix}"
        mc_processes[name] = MCProcess(
            name=name,
            samples=samples,
            years=years,
            is_signal=False,
            has_rateParam=True,
        )

    data_processes = DataProcesses(
        [
            DataProcess(
                name="data_obs",
                samples=["DATA_EGamma", "DATA_SingleMuon"],
                years=years,
            )
        ]
    )

    # 3. Systematic uncertainties
    all_process_names = [p.name for p in mc_processes.values()]
    sys_unc = [
        # symmetric
        SystematicUncertainty(
            name="lumi_2024",
            typ="lnN",
            processes=[p.name for p in mc_processes.values()],
            years=["2024"],
            value=1.016,
        ),
        # asymmetric: down, up
        SystematicUncertainty(name="some_unc", typ="lnN", processes=["ttbar"], years=years, value=(0.98, 1.05)),
        # per-process values in one nuisance (no `value` argument)
        SystematicUncertainty(name="xsec", typ="lnN", processes={"ttbar": 1.06, "diboson": 1.05}, years=years),
    ]
    # The next snippet declares lumi_2024 once more, in the scheme of all years.
    sys_unc = sys_unc[1:]

    lumi_systematics = {
        "2022_preEE": 1.014, "2022_postEE": 1.014,
        "2023_preBPix": 1.013, "2023_postBPix": 1.013,
        "2024": 1.016,
    }  # fmt: skip

    # group eras by main year (2022 / 2023 / 2024) ...
    lumi_by_main_year: dict[str, Any] = {}
    for era, value in lumi_systematics.items():
        main_year = era.split("_")[0]
        lumi_by_main_year.setdefault(main_year, {"eras": [], "value": value})["eras"].append(era)

    # ... and emit one correlated nuisance per main year
    for main_year, data in lumi_by_main_year.items():
        sys_unc.append(
            SystematicUncertainty(
                name=f"lumi_{main_year}",
                typ="lnN",
                processes=[p.name for p in mc_processes.values()],
                years=data["eras"],
                value=data["value"],
            )
        )

    norm = {"singletop": 1.05, "diboson": 1.05, "vjets": 1.05}

    for process, value in norm.items():
        sys_unc.append(
            SystematicUncertainty(
                name=f"process_norms_{process}",
                typ="lnN",
                processes=[process],
                value=value,
                years=years,
            )
        )

    shapes_corr_by_year = [
        "sf_ele_reco", "sf_mu_id", "ele_scale", "muon_scale", "met_unclustered",
        # ...
    ]  # fmt: skip

    for syst in shapes_corr_by_year:
        sys_unc.append(
            SystematicUncertainty(
                name=syst,
                typ="shape",
                processes=all_process_names,
                years=years,
                value=1.0,
            )
        )

    shapes_split_by_year = ["pileup", "btag_stat"]

    for syst in shapes_split_by_year:
        for year in years:
            sys_unc.append(
                SystematicUncertainty(
                    name=f"{syst}_{year}",
                    typ="shape",
                    processes=all_process_names,
                    years=[year],
                    value=1.0,
                    datacard_name=f"{syst}_{year}",  # per-year nuisance in the card
                    coffea_name_alias=syst,  # but read the year-agnostic variation
                )
            )

    # the variation of each process as stored in the histogram
    alias = {
        "ttbar": "sf_btag_groupA",
        "singletop": "sf_btag_groupA",
        "vjets": "sf_btag_groupB",
        "diboson": "sf_btag_groupB",
    }

    sys_unc.append(
        SystematicUncertainty(
            name="sf_btag",
            typ="shape",
            processes=list(alias.keys()),
            years=years,
            value=1.0,
            coffea_name_alias=alias,
        )
    )

    jes_sources = {
        "JES_Absolute": years,  # correlated across years
        "JER": years,
        "JES_Absolute_2024": ["2024"],  # per-year, decorrelated
        # ...
    }

    for syst, syst_years in jes_sources.items():
        sys_unc.append(
            SystematicUncertainty(
                name=syst,
                typ="shape",
                processes=all_process_names,
                years=syst_years,
                value=1.0,
            )
        )

    systematics = Systematics(sys_unc)
    assert [s.name for s in systematics.values() if s.typ == "lnN"] == [
        "some_unc", "xsec", "lumi_2022", "lumi_2023", "lumi_2024",
        "process_norms_singletop", "process_norms_diboson", "process_norms_vjets",
    ]  # fmt: skip
    assert len([s.name for s in systematics.values() if s.typ == "shape"]) == 5 + 2 * 5 + 1 + 3

    # 4. Building the datacards
    datacards = {}

    for cat, histograms in hist_dict.items():
        datacard = Datacard(
            histograms=histograms,
            datasets_metadata=datasets_metadata,
            cutflow=cutflow,
            years=years,
            mc_processes=mc_processes,
            data_processes=data_processes,
            systematics=systematics,
            category=cat,
            bin_suffix=label,
            bins_edges=bins_edges_dict[cat],
        )

        card_name = f"datacard_{cat}_{label}.txt"
        shapes_name = f"shapes_{cat}_{label}.root"
        datacard.dump(directory=output_dir, card_name=card_name, shapes_name=shapes_name)
        datacards[card_name] = datacard

    # 5. Combining categories
    combine_datacards(
        datacards,  # {filename: Datacard}
        directory=output_dir,
        path=f"combine_datacards_{label}.sh",  # script to write (must end in .sh)
        card_name=f"datacard_combined_{label}.txt",
        workspace_name=f"workspace_{label}.root",
        channel_masks=False,
    )
    return Products(datacards, mc_processes, systematics, df)
