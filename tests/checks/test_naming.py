"""Names of nuisances against a naming dictionary."""

import sys
from pathlib import Path

import pytest
from small_cards import card_of

from pocket_combine.card.model import Card, Parameter
from pocket_combine.checks import (
    NamingDictionary,
    check_nuisance_names,
    description_template,
    load_naming_dictionary,
)
from pocket_combine.checks.similar_names import SimilarNames
from pocket_combine.errors import CardError, MissingDependencyError

MASTER = """\
luminosity:
  lumi_(2016|2017|2018):
    description: portion of luminosity uncertainty on 13TeV pp data in a given year
      which is uncorrelated with other Run 2 years.
  lumi_13TeV_correlated:
    description: correlated part
jets:
  CMS_scale_j_(Absolute|BBEC1)(_201[678])?:
    description: jet energy scale
  CMS_res_j:
    description: jet energy resolution
    years: [2022, 2023]
"""
ANALYSIS = """\
CMS_HIG17020_norm_fakes:
  class: custom
  description: Normalisation of fakes
CMS_HIG17020_empty:
  class: custom
  description:
lumi_2018:
  class: luminosity
  description: its own words
CMS_res_jet:
  class: jets
  description: x
weird:
  class: luminositi
  description: y
"""


def master() -> NamingDictionary:
    return NamingDictionary.of(
        {
            "luminosity": {
                "lumi_(2016|2017|2018)": {"description": "in a\n given year"},
                "lumi_13TeV_correlated": {"description": "correlated part"},
            },
            "jets": {
                "CMS_scale_j_(Absolute|BBEC1)(_201[678])?": {"description": "jet energy scale"},
                "CMS_res_j": {"description": "jet energy resolution", "years": [2022, 2023]},
            },
        },
        "master.yml",
    )


def card_with(*names: str) -> Card:
    rows = {name: ("lnN", {"bkg": 1.1}) for name in names}
    return card_of({}, rows, rates={("SR", "sig"): 1.0, ("SR", "bkg"): 2.0})


def verdicts(card: Card, analysis: NamingDictionary | None = None) -> dict[str, tuple[str, str]]:
    found = check_nuisance_names(card, master(), analysis) if analysis else check_nuisance_names(card, master())
    return {finding.where.nuisance: (finding.code, finding.advice) for finding in found}


def test_names_of_the_convention() -> None:
    names = ["lumi_2018", "lumi_13TeV_correlated", "CMS_scale_j_Absolute_2017", "CMS_scale_j_BBEC1", "CMS_res_j_2022"]
    assert verdicts(card_with(*names, "CMS_res_j")) == {}


def test_names_that_do_not_follow() -> None:
    card = card_with("lumi_2019", "CMS_scale_j_Absolut_2017", "CMS_res_jet_2023", "theory", "CMS_HIG17020_norm_fakes")
    assert verdicts(card) == {
        "lumi_2019": ("name-not-in-convention", "did you mean lumi_2018 or lumi_2017 or lumi_2016?"),
        "CMS_scale_j_Absolut_2017": (
            "name-not-in-convention",
            "did you mean CMS_scale_j_Absolute_2017 or CMS_scale_j_BBEC1_2017 or CMS_scale_j_Absolute_2018?",
        ),
        "CMS_res_jet_2023": ("name-not-in-convention", "did you mean CMS_res_j_2023 or CMS_res_j_2022?"),
        "theory": ("name-not-in-convention", "if only this analysis has it: CMS_<analysis>_<name>"),
        "CMS_HIG17020_norm_fakes": ("name-without-description", "describe it, with class custom"),
    }


def test_dictionary_of_the_analysis() -> None:
    analysis = NamingDictionary.of(
        {
            "CMS_HIG17020_norm_fakes": {"class": "custom", "description": "Normalisation of fakes"},
            "CMS_HIG17020_empty": {"class": "custom", "description": None},
            "lumi_2018": {"class": "luminosity", "description": "its own words"},
            "CMS_res_jet": {"class": "jets", "description": "x"},
            "weird": {"class": "luminositi", "description": "y"},
        }
    )
    card = card_with("CMS_HIG17020_norm_fakes", "CMS_HIG17020_empty", "lumi_2018", "CMS_res_jet", "weird")
    assert verdicts(card, analysis) == {
        "CMS_HIG17020_empty": ("name-without-description", "say what it is"),
        "CMS_res_jet": ("name-not-in-convention", "did you mean CMS_res_j_2023 or CMS_res_j_2022?"),
        "weird": ("name-of-another-class", "did you mean luminosity?"),
    }


def test_constrained_parameters_have_names_too() -> None:
    card = card_of({}, rates={("SR", "sig"): 1.0, ("SR", "bkg"): 2.0}, parameters=(Parameter("alpha", 0.0, 1.0),))
    assert list(verdicts(card)) == ["alpha"]


def test_an_exact_name_wins_over_a_pattern() -> None:
    dictionary = NamingDictionary.of(
        {"any": {"lumi.*": {"description": "a"}}, "luminosity": {"lumi": {"description": "b"}}}
    )
    entry = dictionary.find("lumi")
    assert entry is not None
    assert entry.group == "luminosity"


def test_template_can_be_read_again() -> None:
    yaml = pytest.importorskip("yaml")
    card = card_with("lumi_2018", "CMS_HIG17020_norm_fakes", "no", "shape:odd", "norm_tt")
    text = description_template(card, master(), cadi="HIG-17-020")
    content = yaml.safe_load(text)
    assert content == {
        "lumi_2018": {"class": "luminosity", "description": "in a given year"},
        "CMS_HIG17020_norm_fakes": {"class": "custom", "description": ""},
        "no": {"class": "custom", "description": ""},
        "shape:odd": {"class": "custom", "description": ""},
        "norm_tt": {"class": "custom", "description": ""},
    }
    assert "norm_tt:  # to be named CMS_HIG17020_norm_tt\n" in text
    assert "CMS_HIG17020_norm_fakes:\n" in text
    # What it asks for is what is missing.
    analysis = NamingDictionary.of(content)
    assert set(verdicts(card, analysis)) == {"CMS_HIG17020_norm_fakes", "no", "shape:odd", "norm_tt"}
    # Filled in, it is kept as it is.
    for entry in content.values():
        entry["description"] = entry["description"] or 'with "quotes": and a colon'
    done = NamingDictionary.of(content)
    assert verdicts(card, done) == {}
    assert yaml.safe_load(description_template(card, master(), done)) == content


def test_files(tmp_path: Path) -> None:
    pytest.importorskip("yaml")
    (tmp_path / "master.yml").write_text(MASTER)
    (tmp_path / "analysis.yml").write_text(ANALYSIS)
    (tmp_path / "empty.yml").write_text("")
    assert load_naming_dictionary(tmp_path / "empty.yml").entries == ()
    found = load_naming_dictionary(tmp_path / "master.yml")
    assert [entry.group for entry in found.entries] == ["luminosity", "luminosity", "jets", "jets"]
    assert found.entries[0].description.endswith("in a given year which is uncorrelated with other Run 2 years.")
    assert [entry.group for entry in load_naming_dictionary(tmp_path / "analysis.yml").entries] == [
        "custom",
        "custom",
        "luminosity",
        "jets",
        "luminositi",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("- a\n- b\n", "holds a list, expected names or classes with entries"),
        ("a: b\n", "a: found 'b', expected an entry with a description, or a class of entries"),
        ("jets:\n  a(: {description: x}\n", r"jets: a\(: is not a regular expression"),
        ("jets:\n  a: {years: {x: 1}}\n", "jets: a: years are {'x': 1}, expected a list"),
        ("jets:\n  a: 5\n", "jets: a: found 5, expected description"),
        ("a:\n  b: [}\n", r"names\.yml:2: is not YAML: while parsing a flow node: expected the node content, but"),
        ("a: b: c\n", r"names\.yml:1: is not YAML: mapping values are not allowed here$"),
        ("a: \x00", r"names\.yml: is not YAML: character 4: special characters are not allowed$"),
        ("a: 2020-13-01\n", r"names\.yml: is not YAML: month must be in 1\.\.12$"),
        ("[" * 5000, r"names\.yml: is not YAML: nested too deeply$"),
    ],
)
def test_files_that_are_no_dictionaries(tmp_path: Path, content: str, message: str) -> None:
    pytest.importorskip("yaml")
    (tmp_path / "names.yml").write_text(content)
    with pytest.raises(CardError, match=message) as caught:
        load_naming_dictionary(tmp_path / "names.yml")
    assert str(tmp_path / "names.yml") in str(caught.value)


def test_missing_file(tmp_path: Path) -> None:
    pytest.importorskip("yaml")
    with pytest.raises(CardError, match=r"none\.yml: no such file"):
        load_naming_dictionary(tmp_path / "none.yml")


def test_without_pyyaml(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'pocket-combine\[names\]'"):
        load_naming_dictionary(tmp_path / "names.yml")


@pytest.mark.parametrize("at", range(4, 20))
def test_a_slip_is_found_among_thousands_of_names(at: int) -> None:
    name = "CMS_scale_j_FlavorQCD_2018"
    others = [
        f"CMS_{kind}_{source}{number}_{year}"
        for kind in ("scale", "res", "eff")
        for source in ("j", "e", "FlavorX")
        for number in range(200)
        for year in (2016, 2017, 2018)
    ]
    assert SimilarNames([*others, name]).nearest(name[:at] + name[at + 1 :])[0] == name
