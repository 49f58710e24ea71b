"""The covariance of the yields of processes gives the uncertainties of their sums."""

from __future__ import annotations

import math

import numpy as np
import pytest
from model_cards import shape_workspace

from pocket_combine.card.parser import parse_card
from pocket_combine.inference.postfit_yields import postfit
from pocket_combine.inference.questions import fit
from pocket_combine.inference.workspace import make_workspace
from pocket_combine.plotting.style import ProcessRule, Style
from pocket_combine.plotting.yield_tables import yield_table

TEXT = """imax 1
bin SR
observation 160
bin SR SR SR
process sig tt_2017 tt_2018
process 0 1 2
rate 10 100 50
lumi lnN - 1.1 1.1
one lnN - 1.2 -
"""


def test_of_two_processes_that_share_a_nuisance() -> None:
    (channel,) = postfit(make_workspace(parse_card(TEXT), {}), None).channels
    lumi, one = math.log(1.1), math.log(1.2)
    expected = [
        [0.0, 0.0, 0.0],
        [0.0, 100**2 * (lumi**2 + one**2), 5000 * lumi**2],
        [0.0, 5000 * lumi**2, 2500 * lumi**2],
    ]
    assert channel.yield_covariance == pytest.approx(np.array(expected), rel=1e-12)


def test_a_merged_row_of_a_table_is_the_sum_that_postfit_makes() -> None:
    workspace = make_workspace(parse_card(TEXT), {})
    fitted = fit(workspace)
    summed = postfit(workspace, fitted, process_sums={"tt": ["tt_2017", "tt_2018"]})
    (row,) = [row for row in yield_table(postfit(workspace, fitted)).rows if row.label == "tt"]
    assert row.cells[0] is not None
    assert (row.cells[0].value, row.cells[0].error) == pytest.approx(summed.yields["SR/tt"], rel=1e-9)
    quadrature = math.hypot(*(postfit(workspace, fitted).yields[f"SR/tt_{year}"][1] for year in (2017, 2018)))
    assert row.cells[0].error != pytest.approx(quadrature, rel=0.02)


@pytest.mark.parametrize("method", ["propagation", "sampling"])
def test_with_shapes_and_bin_parameters(method: str) -> None:
    workspace = shape_workspace()
    fitted = fit(workspace)
    sums = {"process_sums": {"background": ["bkg1", "bkg2"]}, "method": method}
    summed = postfit(workspace, fitted, **sums)  # type: ignore[arg-type]  # of several types
    parts = postfit(workspace, fitted, method=method)
    style = Style(processes=(ProcessRule("bkg.", "background"),))
    (row,) = [row for row in yield_table(parts, style=style).rows if row.label == "background"]
    for channel, cell in zip(parts.channels, row.cells, strict=True):
        assert cell is not None
        assert (cell.value, cell.error) == pytest.approx(summed.yields[f"{channel.channel}/background"], rel=1e-9)
        assert channel.yield_covariance is not None
        assert np.sqrt(np.diag(channel.yield_covariance)) == pytest.approx(
            [parts.yields[f"{channel.channel}/{name}"][1] for name in channel.processes], rel=1e-9
        )
