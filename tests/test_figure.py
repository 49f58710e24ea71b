"""The program that draws the figure of the README."""

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pocket_combine.card.model import Card, Channel, Column, Nuisance
from pocket_combine.templates import Templates

PROGRAM = Path(__file__).resolve().parents[1] / "docs" / "figures" / "sr_stack.py"


@pytest.fixture(scope="module")
def program() -> dict[str, Any]:
    pytest.importorskip("matplotlib")
    return runpy.run_path(str(PROGRAM))


TEMPLATES = Templates.of(
    [0, 1, 2],
    {"ttH_2024": [10.0, 20.0], "ttbb_2024": [100.0, 200.0], "ttbb_2023": [30.0, 40.0]},
    {("ttbb_2024", "JER"): ([104.0, 190.0], [98.0, 206.0]), ("ttbb_2023", "JER"): ([33.0, 40.0], [30.0, 44.0])},
    variances={"ttH_2024": [1.0, 4.0], "ttbb_2024": [9.0, 16.0], "ttbb_2023": [0.0, 0.0]},
    observation=[142, 251],
)
CARD = Card(
    (Channel("SR", 393.0),),
    tuple(Column("SR", name, index, 1.0) for index, name in enumerate(TEMPLATES.columns)),
    nuisances=(
        Nuisance("lumi", "lnN", (1.1, 1.1, None)),
        Nuisance("xsec", "lnN", (None, (0.9, 1.2), None)),
        Nuisance("JER", "shape", (None, 1.0, 1.0)),
    ),
)


def test_columns_of_all_years_are_one_process(program: dict[str, Any]) -> None:
    totals = program["process_totals"](TEMPLATES, ["2023", "2024"])
    assert {name: total.tolist() for name, total in totals.items()} == {"ttH": [10, 20], "ttbb": [130, 240]}


def test_uncertainty_adds_nuisances_in_quadrature_and_columns_linearly(program: dict[str, Any]) -> None:
    luminosity = np.array([110.0, 220.0]) * (1.1 - 1 / 1.1) / 2
    cross_section = np.array([100.0, 200.0]) * 0.15
    resolution = np.array([(4 + 3 + 2 + 0) / 2, (-10 + 0 - 6 - 4) / 2])
    samples = np.array([10.0, 20.0])
    expected = np.sqrt(luminosity**2 + cross_section**2 + resolution**2 + samples)
    np.testing.assert_allclose(program["prefit_uncertainty"](CARD, TEMPLATES), expected, rtol=1e-14)


def test_the_figure_has_the_same_bytes_at_every_run(program: dict[str, Any], tmp_path: Path) -> None:
    with program["mpl"].rc_context({"svg.hashsalt": "test"}):
        for name in ("one.svg", "two.svg"):
            program["draw"](CARD, TEMPLATES, ["2023", "2024"], tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
