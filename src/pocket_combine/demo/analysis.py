"""Analysis file of the toy analysis: a search for ttH(bb) with one lepton.

An analysis file is plain Python. `pocket-combine build` runs it and takes the names `years`, `label`, `mc_processes`,
`data_processes`, `systematics` and `categories` from it. Everything else here is ordinary code: loops, helper
variables and imports are all fine. Build the datacards with

    pocket-combine build analysis.py output_all.coffea -o datacards
"""

from pocket_combine import (
    Category,
    DataProcess,
    DataProcesses,
    MCProcess,
    MCProcesses,
    Systematics,
    SystematicUncertainty,
)

# 1. Data-taking periods. Each (process, year) pair becomes its own column of the datacard, "ttbb_2024" for example.

years = ["2022_preEE", "2022_postEE", "2023_preBPix", "2023_postBPix", "2024"]
label = "run3"  # ends the names of channels and files: SR_run3, datacard_SR_run3.txt

# 2. Processes. `samples` are the sample names of the PocketCoffea configuration; a subsample is "Sample__subsample".
#    Processes with a rate parameter float freely in the fit, as SF_ttbb and so on.

mc_processes = MCProcesses(
    [
        MCProcess(name="ttH", samples=["ttHTobb"], years=years, is_signal=True),
        MCProcess(name="ttbb", samples=["TTbar__bb"], years=years, is_signal=False, has_rateParam=True),
        MCProcess(name="ttcc", samples=["TTbar__cc"], years=years, is_signal=False, has_rateParam=True),
        MCProcess(name="ttlf", samples=["TTbar__lf"], years=years, is_signal=False),
        MCProcess(name="singletop", samples=["SingleTop"], years=years, is_signal=False),
        MCProcess(name="vjets", samples=["WJets", "DYJets"], years=years, is_signal=False),
        MCProcess(name="ttV", samples=["TTV"], years=years, is_signal=False),
        MCProcess(name="diboson", samples=["VV"], years=years, is_signal=False),
    ]
)

data_processes = DataProcesses([DataProcess(name="data_obs", samples=["DATA_EGamma", "DATA_SingleMuon"], years=years)])

all_processes = list(mc_processes)
ttbar = ["ttbb", "ttcc", "ttlf"]

# 3. Systematic uncertainties. The years that a declaration covers decide the correlation: one declaration for all
#    years is one nuisance for all years, one declaration per year is one nuisance per year.

uncertainties = []

# Luminosity: one part common to all years, one part per year of data taking.
luminosity = {"2022": (1.008, 1.011), "2023": (1.006, 1.011), "2024": (1.007, 1.014)}
for year, (common, own) in luminosity.items():
    eras = [era for era in years if era.startswith(year)]
    # Declarations with one datacard_name are one nuisance: the common part has another value in every year.
    uncertainties.append(
        SystematicUncertainty(
            name=f"lumi_common_{year}",
            datacard_name="lumi_13p6TeV",
            typ="lnN",
            processes=all_processes,
            years=eras,
            value=common,
            group="luminosity",
        )
    )
    uncertainties.append(
        SystematicUncertainty(
            name=f"lumi_{year}",
            typ="lnN",
            processes=all_processes,
            years=eras,
            value=own,
            group="luminosity",
        )
    )

# Cross sections of the processes without a rate parameter.
cross_sections = {
    "ttH": (0.905, 1.066),  # (down, up)
    "ttlf": (0.965, 1.024),
    "singletop": 1.05,
    "vjets": 1.10,
    "ttV": 1.12,
    "diboson": 1.06,
}
for process, value in cross_sections.items():
    uncertainties.append(
        SystematicUncertainty(
            name=f"xsec_{process}", typ="lnN", processes=[process], years=years, value=value, group="theory"
        )
    )

# Shapes: the Up and Down histograms are looked up under `name` on the variation axis of the output.
correlated = {
    "experimental": ["pileup", "met_unclustered"],
    "leptons": [
        "sf_ele_reco",
        "sf_ele_id",
        "sf_ele_trigger",
        "sf_mu_id",
        "sf_mu_iso",
        "sf_mu_trigger",
        "ele_scale",
        "ele_smear",
        "mu_scale",
    ],
    "btag": ["sf_btag_hf", "sf_btag_lf", "sf_btag_cferr1", "sf_btag_cferr2"],
    "theory": ["sf_lhe_pdf", "sf_alphas"],
}
for group, names in correlated.items():
    for name in names:
        uncertainties.append(
            SystematicUncertainty(name=name, typ="shape", processes=all_processes, years=years, value=1.0, group=group)
        )

# Statistical uncertainties of the b-tagging calibration are independent in every era, but the variation has the same
# name in all of them: `coffea_name_alias` says which one to read.
for variation in ["sf_btag_hfstats1", "sf_btag_hfstats2", "sf_btag_lfstats1", "sf_btag_lfstats2"]:
    for era in years:
        uncertainties.append(
            SystematicUncertainty(
                name=f"{variation}_{era}",
                typ="shape",
                processes=all_processes,
                years=[era],
                value=1.0,
                coffea_name_alias=variation,
                group="btag",
            )
        )

# Jet energy scale and resolution: sources common to all years, and sources that exist per year of data taking only.
jet_energy = {
    "JES_Absolute": years,
    "JES_BBEC1": years,
    "JES_EC2": years,
    "JES_HF": years,
    "JES_RelativeBal": years,
    "JES_FlavorQCD": years,
    "JER": years,
}
for source in ["JES_Absolute", "JES_BBEC1", "JES_EC2", "JES_HF", "JES_RelativeSample"]:
    for year in ["2022", "2023", "2024"]:
        jet_energy[f"{source}_{year}"] = [era for era in years if era.startswith(year)]
for source, source_years in jet_energy.items():
    uncertainties.append(
        SystematicUncertainty(
            name=source, typ="shape", processes=all_processes, years=source_years, value=1.0, group="jets"
        )
    )

# Theory: the same variations, but independent between groups of processes.
theory_groups = {"ttH": ["ttH"], "ttbar": ttbar, "other": ["singletop", "vjets", "ttV", "diboson"]}
for variation in ["sf_qcd_renorm_scale", "sf_qcd_factor_scale", "sf_partonshower_isr", "sf_partonshower_fsr"]:
    for group, processes in theory_groups.items():
        uncertainties.append(
            SystematicUncertainty(
                name=f"{variation}_{group}",
                typ="shape",
                processes=processes,
                years=years,
                value=1.0,
                coffea_name_alias=variation,
                group="theory",
            )
        )
uncertainties.append(
    SystematicUncertainty(name="sf_top_pt", typ="shape", processes=ttbar, years=years, value=1.0, group="theory")
)

systematics = Systematics(uncertainties)

# 4. Categories: which variable is fitted in each, and in which bins. Edges must be edges of the stored histogram.

categories = {
    "SR": Category("discriminant", bins_edges=[0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0]),
    "CR_tt": Category("deltaRbb_min", bins_edges=[0.4, 0.8, 1.2, 1.6, 2.0, 2.4, 2.8, 4.0]),
    "CR_nJets": Category("nJets", bins_edges=[4, 5, 6, 7, 8, 12]),
}
