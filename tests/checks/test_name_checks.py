"""Checks of names against each other."""

import pytest
from small_cards import Row, card_of

from pocket_combine.card.model import RateParameter
from pocket_combine.checks import run_checks
from pocket_combine.checks.names import is_slip, years_in
from pocket_combine.findings import Severity
from pocket_combine.templates import Templates

RATES = {("SR", name): 10.0 for name in ("sig", "tt", "vv", "dy", "qcd")}


@pytest.mark.parametrize(
    ("first", "second", "slip"),
    [
        ("CMS_scale_j", "CMS_Scale_j", True),
        ("CMS_scale_j", "CMS_scalej", True),
        ("CMS_scale_j_Absolute", "CMS_scale_j_Absolte", True),
        ("CMS_scale_j_Absolute", "CMS_scale_j_Absollute", True),
        ("CMS_scale_j_Absolute", "CMS_scale_j_Abosolute", True),
        ("CMS_scale_j_Absolute", "CMS_scale_j_Abslute_2018", False),
        ("CMS_pileup_2017", "CMS_pielup_2017", True),
        ("CMS_pileup_2017", "CMS_pileup_2018", False),
        ("stat_bin12", "stat_bin13", False),
        ("stat_binn1", "stat_binn12", False),
        ("pdf_gg", "pdf_qg", False),
        ("CMS_eff_e_trigger", "CMS_eff_m_trigger", False),
        ("sourceA", "sourceB", False),
        ("same", "same", False),
        ("alpha", "gamma", False),
    ],
)
def test_slips(first: str, second: str, slip: bool) -> None:
    assert is_slip(first, second) is slip
    assert is_slip(second, first) is slip


@pytest.mark.parametrize(
    ("name", "years"),
    [
        ("lumi_2018", ("2018",)),
        ("2016preVFP_lumi", ("2016preVFP",)),
        ("JES_2022_preEE", ("2022preEE",)),
        ("CMS_2023BPix_x", ("2023BPix",)),
        ("lumi_2017_2018", ("2017", "2018")),
        ("lumi_13TeV_1718", ()),
        ("pt20160", ()),
        ("x2018", ()),
    ],
)
def test_years_in_names(name: str, years: tuple[str, ...]) -> None:
    assert years_in(name) == years


def test_nuisances_without_effect() -> None:
    own = Templates.of(
        [0, 1],
        {"sig": [1.0], "bkg": [9.0]},
        {("sig", "A"): ([1.0], [1.0]), ("bkg", "A"): ([9.0], [9.0]), ("bkg", "B"): ([9.0], [9.0])},
    )
    rows: dict[str, Row] = {
        "A": ("shape", {"sig": 1.0, "bkg": 1.0}),
        "B": ("shape", {"bkg": 1.0}),
        "none": ("lnN", {}),
        "ones": ("lnN", {"sig": 1.0, "bkg": 1.0}),
        "off": ("lnN", {"off": 1.2}),
        "used": ("lnN", {}),
        "fine": ("lnN", {"bkg": 1.2}),
    }
    formula = RateParameter("SF", "SR", "bkg", formula="(1+0.1*@0)", arguments=("used",))
    card = card_of({"SR": own}, rows, rates={("SR", "off"): 0.0}, rate_parameters=(formula,))
    found = run_checks(card, {"SR": own}, select=["nuisance-*"])
    assert [(finding.code, finding.where.nuisance, finding.severity) for finding in found] == [
        ("nuisance-equals-nominal", "A", Severity.WARNING),
        ("nuisance-equals-nominal", "B", Severity.WARNING),
        ("nuisance-without-effect", "none", Severity.INFO),
        ("nuisance-without-effect", "ones", Severity.INFO),
        ("nuisance-without-effect", "off", Severity.INFO),
    ]
    assert found[0].message == "Up and Down equal nominal in all 2 columns: it does nothing"
    assert found[2].message == "acts on no column with a rate other than 0: Combine drops it"
    # A number on another column makes a nuisance act.
    rows["B"] = ("shape?", {"bkg": 1.0, "sig": 1.1})
    card = card_of({"SR": own}, {"B": rows["B"]})
    assert run_checks(card, {"SR": own}, select=["nuisance-*"]) == []


def test_likely_typing_errors() -> None:
    rows: dict[str, Row] = {
        "CMS_pileup": ("lnN", {"sig": 1.1, "tt": 1.1, "vv": 1.1}),
        "CMS_Pileup": ("lnN", {"dy": 1.1}),
        # On a column on which the other acts, too: no substitute for it.
        "CMSpileup": ("lnN", {"tt": 1.1}),
        # On several columns: no slip of one cell.
        "CMS_pilleup": ("lnN", {"dy": 1.1, "qcd": 1.1}),
        "xsec_tt": ("lnN", {"tt": 1.1}),
        "xsec_vv": ("lnN", {"vv": 1.1}),
    }
    card = card_of({}, rows, rates=RATES)
    found = run_checks(card, {}, select=["likely-typo"])
    assert [finding.place for finding in found] == ["channel SR, process dy, nuisance CMS_Pileup"]
    assert found[0].message == "acts on this column only, while CMS_pileup acts on 3 columns and not on this one"


def test_missing_years() -> None:
    rows: dict[str, Row] = {
        f"{stem}_{year}": ("lnN", {"tt": 1.1})
        for stem, years in {
            "lumi": ["2016", "2017", "2018"],
            "JES": ["2016", "2017", "2018"],
            "prefiring": ["2016", "2017"],
            "btag": ["2018"],
            "split": ["2016preVFP", "2016postVFP"],
        }.items()
        for year in years
    }
    card = card_of({}, rows, rates=RATES)
    found = run_checks(card, {}, select=["missing-year"])
    assert [(finding.place, finding.message) for finding in found] == [
        (
            "nuisance prefiring_{year}",
            "there for 2016, 2017 and not for 2018, as 2 other names are (2016, 2017, 2018)",
        ),
        (
            "nuisance btag_{year}",
            "there for 2018 and not for 2016, 2017, as 2 other names are (2016, 2017, 2018)",
        ),
    ]
    # One other name makes no scheme.
    del rows["JES_2016"], rows["JES_2017"], rows["JES_2018"]
    assert run_checks(card_of({}, rows, rates=RATES), {}, select=["missing-year"]) == []


def test_years_mixed_up() -> None:
    rates = {("SR", "sig_2017"): 1.0, ("SR", "tt_2017"): 5.0, ("SR", "tt_2018"): 6.0, ("SR", "tt_2022_preEE"): 7.0}
    rates |= {("CR_2018", "tt"): 5.0}
    rows: dict[str, Row] = {
        "lumi_2017": ("lnN", {"sig_2017": 1.02, "tt_2017": 1.02}),
        "lumi_2018": ("lnN", {"tt_2018": 1.02, "tt_2017": 1.02, ("CR_2018", "tt"): 1.02}),
        "lumi_2022": ("lnN", {"tt_2022_preEE": 1.02}),
        "JES_2017": ("lnN", {("CR_2018", "tt"): 1.02}),
        "lumi_2017_2018": ("lnN", {"tt_2022_preEE": 1.02}),
    }
    card = card_of({}, rows, rates=rates, signals=["sig_2017"])
    found = run_checks(card, {}, select=["year-mismatch"])
    assert [(finding.where.nuisance, finding.message) for finding in found] == [
        ("lumi_2018", "acts on 1 columns of another year, first on process tt_2017 in channel SR"),
        ("JES_2017", "acts on 1 columns of another year, first on process tt in channel CR_2018"),
    ]
