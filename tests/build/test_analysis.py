"""Analysis files: what they declare, what is refused with file and line, and names of channels."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from toys import observed, shape, signal_and_background

from pocket_combine import Analysis, ArtificialVariation, Category, Systematics, load_analysis
from pocket_combine.errors import DeclarationError

DECLARATIONS = """\
from pocket_combine import *
years = ["2018"]
mc_processes = MCProcesses([MCProcess("sig", ["Sig"], years, True), MCProcess("bkg", ["Bkg"], years, False)])
systematics = Systematics([])
categories = {"SR": Category("x", bins_edges=[0, 1]), "CR": "y"}
"""


def analysis(**changes: Any) -> Analysis:
    arguments: dict[str, Any] = {
        "mc_processes": signal_and_background(),
        "systematics": Systematics([shape("JER")]),
        "years": ["2018"],
        "categories": {"SR": Category("x")},
        "data_processes": observed(),
    }
    return Analysis(**{**arguments, **changes})


def load(folder: Path, text: str) -> Analysis:
    (folder / "analysis.py").write_text(text)
    return load_analysis(folder / "analysis.py")


def test_declared_names_are_taken(tmp_path: Path) -> None:
    loaded = load(tmp_path, DECLARATIONS + "label = 'run2'\n" + "data_processes = None\n")
    assert list(loaded.mc_processes) == ["sig", "bkg"]
    assert loaded.categories == {"SR": Category("x", bins_edges=[0, 1]), "CR": Category("y")}
    assert (loaded.label, loaded.years, loaded.data_processes) == ("run2", ["2018"], None)
    assert loaded.artificial_variations == ()


def test_the_years_are_the_default_label(tmp_path: Path) -> None:
    assert load(tmp_path, DECLARATIONS).label == "2018"
    assert analysis(years=["2018"], label="").label == "2018"


def test_modules_beside_the_file_may_be_imported(tmp_path: Path) -> None:
    (tmp_path / "samples_of_this_test.py").write_text("years = ['2018']\n")
    before = list(sys.path)
    loaded = load(tmp_path, DECLARATIONS.replace('years = ["2018"]', "from samples_of_this_test import years"))
    assert loaded.years == ["2018"]
    assert sys.path == before


def test_a_blind_plan_has_no_data() -> None:
    assert analysis().plan(blind=False).data is not None
    assert analysis().plan(blind=True).data is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("years = [", "line 1: SyntaxError"),
        ("years = ['2018']\nimport nothing_of_this_name", "line 2: ModuleNotFoundError: No module named 'nothing_of"),
        ("\n\nraise SystemExit(1)", "line 3: SystemExit: 1"),
        ("x = 1\ny = 1 / 0", "line 2: ZeroDivisionError: division by zero"),
        (
            DECLARATIONS.replace('["Sig"]', '"Sig"'),
            r"line 3: MCProcess 'sig': samples is the text 'Sig', expected a list: samples=\['Sig'\]",
        ),
        (
            DECLARATIONS.replace("systematics", "systematic"),
            "does not declare 'systematics'; did you mean 'systematic'",
        ),
        ("", "4 problems:"),
        (DECLARATIONS + "label = 2018", "label name 2018 is a int, expected text"),
        (DECLARATIONS + "label = 'run 2'", "label name 'run 2' holds ' '"),
        (DECLARATIONS + "years = ['2017']", "no process is defined for any of the years"),
    ],
)
def test_files_that_cannot_be_used(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match=message) as caught:
        load(tmp_path, text)
    assert str(tmp_path / "analysis.py") in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "analysis.py").touch()
    message = r"none\.py: no such file: available: 'analysis\.py' \(an analysis is a Python file that declares mc_"
    with pytest.raises(DeclarationError, match=message):
        load_analysis(tmp_path / "none.py")


def test_an_output_in_place_of_the_analysis(tmp_path: Path) -> None:
    (tmp_path / "output.coffea").write_bytes(b"\x04\x22\x4d\x18\0\0")
    message = r"output\.coffea: is no text: an analysis is a Python file that declares .*, and comes before the outputs"
    with pytest.raises(DeclarationError, match=message):
        load_analysis(tmp_path / "output.coffea")
    with pytest.raises(DeclarationError, match="is a folder"):
        load_analysis(tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"categories": {}}, r"categories is {}, expected a dict such as {'SR': Category\('discriminant'\)}"),
        ({"categories": ["SR"]}, r"categories is \['SR'\], expected a dict"),
        ({"categories": {"SR": 3}}, r"categories\['SR'\] is a int, expected Category\(variable, ...\) or the name of"),
        ({"mc_processes": []}, "mc_processes is a list, expected MCProcesses"),
        (
            {"categories": {"SR": Category("x", bin_prefix="a"), "a_SR": "x"}},
            "the categories SR and a_SR give the same channel 'a_SR_2018': use bin_prefix or bin_suffix",
        ),
        ({"categories": {"S R": "x"}}, "category 'S R': channel name 'S R_2018' holds ' '"),
        ({"artificial_variations": [3]}, r"artificial_variations holds a int, expected ArtificialVariation\(...\)"),
    ],
)
def test_declarations_that_can_never_be_right(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        analysis(**changes)


def test_artificial_variations_must_do_something() -> None:
    with pytest.raises(DeclarationError) as caught:
        analysis(artificial_variations=[ArtificialVariation("JRE", ["Bgk"], {"CR": 1.1})])
    assert str(caught.value) == (
        "3 problems:\n"
        "  1. variation 'JRE' is read by no shape systematic; did you mean 'JER'?\n"
        "  2. variation 'JRE': no sample 'Bgk'; did you mean 'Bkg'?\n"
        "  3. variation 'JRE': no category 'CR'; available: 'SR'"
    )
    norm = Category("x", shape_only_for_rateparam=True, rateparam_norm_categories=["SR", "CR"])
    fine = ArtificialVariation("JER", ["Bkg"], {"CR": 1.1})
    assert analysis(artificial_variations=[fine], categories={"SR": norm}).artificial_variations == [fine]


def test_categories_check_their_policies() -> None:
    with pytest.raises(DeclarationError, match="flow is 'keep', expected one of 'drop', 'fold', 'error'"):
        Category("x", flow="keep")  # type: ignore[arg-type]  # what is tested
    wrong: dict[str, Any] = {
        "rateparam_norm_categories": ["SR", "SR"],
        "shape_only_for_rateparam": "SR",
        "negative_bins": None,
        "mcstat": {"hist_mode": 0},
    }
    with pytest.raises(DeclarationError) as caught:
        Category("x", **wrong)
    assert str(caught.value) == (
        "4 problems:\n"
        "  1. shape_only_for_rateparam is 'SR', expected True or False\n"
        "  2. the channel: rateparam_norm_categories names 'SR' twice\n"
        "  3. negative_bins is None, expected one of 'clip', 'keep', 'error'\n"
        "  4. mcstat hist_mode is 0, expected 1 or 2"
    )
