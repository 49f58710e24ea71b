"""Checks of the ROOT files behind a card."""

from pathlib import Path

import numpy as np
import pytest
from small_cards import Row, card_of

from pocket_combine.card.load import load_templates
from pocket_combine.card.model import ShapeRule
from pocket_combine.checks import FileContents, read_file_contents, run_checks
from pocket_combine.errors import CardError
from pocket_combine.findings import Severity
from pocket_combine.io.root import write_templates
from pocket_combine.templates import Templates

RULE = ShapeRule("*", "*", "shapes.root", "$CHANNEL/$PROCESS", "$CHANNEL/$PROCESS_$SYSTEMATIC")
OWN = Templates.of(
    [0, 1, 2],
    {"sig": [1.0, 2.0], "bkg": [10.0, 9.0], "old": [1.0, 1.0]},
    {
        ("sig", "JES"): ([1.1, 2.1], [0.9, 1.9]),
        ("bkg", "JES"): ([11.0, 9.1], [9.0, 8.9]),
        ("bkg", "JESS"): ([11.0, 9.1], [9.0, 8.9]),
        ("bkg", "lumi"): ([11.0, 9.1], [9.0, 8.9]),
    },
    observation=[9, 12],
)


def test_unused_templates(tmp_path: Path) -> None:
    write_templates(tmp_path / "shapes.root", {"SR": OWN}, layout="directories")
    used = Templates.of([0, 1, 2], {"sig": [1.0, 2.0], "bkg": [10.0, 9.0]})
    rows: dict[str, Row] = {
        "JES": ("shape", {"sig": 1.0, "bkg": 1.0}),
        "lumi": ("lnN", {"sig": 1.02, "bkg": 1.02}),
    }
    card = card_of({"SR": used}, rows, shapes=(RULE,))
    templates = load_templates(card, directory=tmp_path).templates
    files = read_file_contents(card, directory=tmp_path)
    found = run_checks(card, templates, select=["unused-templates", "templates-without-row"], files=files)
    # Of 12 histograms there are data_obs, sig, bkg and two pairs in use; old and the pairs of JESS and lumi are not.
    assert found[0].message == (
        "5 of 12 templates are not used: SR/old, SR/bkg_JESSUp, SR/bkg_lumiUp, SR/bkg_JESSDown, SR/bkg_lumiDown; "
        "by nuisance: JESS (2), lumi (2)"
    )
    assert (found[0].code, found[0].place) == ("unused-templates", f"file {tmp_path / 'shapes.root'}")
    assert [(finding.code, finding.where.nuisance) for finding in found[1:]] == [("templates-without-row", "lumi")]
    assert run_checks(card, templates, select=["unused-templates"]) == []


def test_optional_shapes(tmp_path: Path) -> None:
    write_templates(tmp_path / "shapes.root", {"SR": OWN}, layout="directories")
    used = Templates.of([0, 1, 2], {"sig": [1.0, 2.0], "bkg": [10.0, 9.0]})
    rows: dict[str, Row] = {
        # A template for bkg, nothing for sig.
        "JESS": ("shape?", {"sig": 1.0, "bkg": 1.0}),
        # A log-normal for sig, and a strength for bkg.
        "lumi": ("shape?", {"sig": 1.02, "bkg": 1.02}),
    }
    card = card_of({"SR": used}, rows, shapes=(RULE,))
    templates = load_templates(card, directory=tmp_path).templates
    found = run_checks(card, templates, select=["optional-shape-*"], files=read_file_contents(card, directory=tmp_path))
    assert [(finding.code, finding.place) for finding in found] == [
        ("optional-shape-scaled", "channel SR, process bkg, nuisance lumi"),
        ("optional-shape-absent", "channel SR, process sig, nuisance JESS"),
    ]
    # Looked up was SR/sig_JESSUp.
    assert "of the unused templates did you mean 'SR/sig_JESUp'" in found[1].message
    (without, absent) = run_checks(card, templates, select=["optional-shape-*"])
    assert absent.message == "shape? finds no templates and takes the number as lnN 1: no effect"
    assert without == found[0]


def test_content_outside() -> None:
    contents = FileContents(
        path="shapes.root",
        keys=("a", "b", "c"),
        names=("a", "b", "c"),
        integrals=np.array([10.0, 20.0, 5.0]),
        underflow=np.array([0.0, 0.5, 0.0]),
        overflow=np.array([1.0, 0.0, 1e-7]),
        has_sumw2=np.array([True, True, True]),
    )
    card = card_of({}, rates={("SR", "sig"): 1.0, ("SR", "bkg"): 2.0}, observations={"SR": 2.0})
    (found,) = run_checks(card, {}, select=["content-outside"], files=[contents])
    assert found.severity is Severity.WARNING
    assert found.message == (
        "2 of 3 templates have content outside their axis: a (0 below, 1 above, 10 inside), "
        "b (0.5 below, 0 above, 20 inside)"
    )
    assert found.to_dict()["file"] == "shapes.root"


def test_contents_of_a_file(tmp_path: Path) -> None:
    write_templates(tmp_path / "shapes.root", {"SR": OWN}, layout="directories")
    card = card_of({"SR": Templates.of([0, 1, 2], {"sig": [1.0, 2.0], "bkg": [10.0, 9.0]})}, shapes=(RULE,))
    (contents,) = read_file_contents(card, directory=tmp_path)
    assert dict(zip(contents.names, contents.integrals.tolist(), strict=True)) == {
        "SR/sig": 3.0,
        "SR/bkg": 19.0,
        "SR/data_obs": 21.0,
    }
    assert len(contents.keys) == 12
    assert contents.has_sumw2.tolist() == [name != "SR/data_obs" for name in contents.names]
    with pytest.raises(CardError, match="no such file"):
        read_file_contents(card, directory=tmp_path / "elsewhere")
