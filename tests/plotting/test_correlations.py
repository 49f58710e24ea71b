"""Correlation matrices: numbers, blocks, and what is legible at which size."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("mplhep")

from fitted import LONG, Fitted, R, fit, many, provenance
from pictures import TOLERANCE, difference, outside, overlapping, texts

from pocket_combine.errors import ResultError, StyleError
from pocket_combine.plotting import (
    Labels,
    Style,
    correlations_figure,
    correlations_figures,
    correlations_of,
    draw_correlations,
    new_figure,
    style_context,
)
from pocket_combine.results import Status

STYLE = Style(labels=Labels(luminosity=138, energy=13))
SMALL = fit(
    {
        "lumi": Fitted(0.2, 0.9),
        "frozen": Fitted(0.0, 0.0, floating=False),
        "r": R,
        "stuck": Fitted(0.0, 0.0, (1.0, 1.0, 1.0), kind="rateParam"),
        "scale": Fitted(-1.5, 0.5),
        "prop_binSR_bin0": Fitted(0.0, 0.0, floating=False, kind="autoMCStats"),
        "theory": Fitted(0.0, 1.0),
    },
    correlations={("r", "lumi"): -0.3, ("r", "scale"): 0.7, ("lumi", "theory"): -0.9},
    origin=provenance("asimov"),
)


def test_the_parameters_of_interest_come_first() -> None:
    found = correlations_of(SMALL)
    assert found.parameters == ("r", "lumi", "scale", "theory")
    np.testing.assert_allclose(
        found.values,
        [[1.0, -0.3, 0.7, 0.0], [-0.3, 1.0, 0.0, -0.9], [0.7, 0.0, 1.0, 0.0], [0.0, -0.9, 0.0, 1.0]],
        atol=1e-12,
    )
    assert found.left_out == ("frozen", "stuck")
    assert found.profiled == ("prop_binSR_bin0",)


def test_blocks() -> None:
    found = correlations_of(SMALL)
    assert found.around("r", 3).parameters == ("r", "scale", "lumi")
    np.testing.assert_allclose(found.around("r", 3).values[0], [1.0, 0.7, -0.3])
    assert found.largest(2).parameters == ("lumi", "theory")
    assert found.largest(3).parameters == ("lumi", "theory")  # the next pair would make it four
    assert found.largest(4).parameters == ("r", "lumi", "scale", "theory")
    assert correlations_of(SMALL, ["lumi", "t*"]).parameters == ("lumi", "theory")
    with pytest.raises(StyleError, match="no correlation of 'stuck', which has no covariance: available"):
        found.around("stuck", 3)
    with pytest.raises(StyleError, match="none of the parameters has a covariance: frozen"):
        correlations_of(SMALL, ["frozen"])


def test_a_failed_fit_has_none() -> None:
    failed = fit({"r": R, "a": Fitted(0.1, 0.2)}, status=Status.FLAT_DIRECTION, concerned=("a",))
    with pytest.raises(ResultError, match=r"no covariance: flat direction: a; .* freeze one of them"):
        correlations_of(failed)


def test_small_matrices_hold_numbers() -> None:
    axes = new_figure().add_subplot()
    drawn = draw_correlations(axes, correlations_of(SMALL))
    assert [text.get_text() for text in drawn.numbers[:8]] == ["100", "−30", "70", "0", "−30", "100", "0", "−90"]
    assert [text.get_color() for text in drawn.numbers[:3]] == ["white", "black", "white"]
    assert drawn.image.get_clim() == (-1.0, 1.0)
    np.testing.assert_allclose(np.asarray(drawn.image.get_array())[0], [1.0, -0.3, 0.7, 0.0], atol=1e-12)
    figure = correlations_figure(SMALL, style=STYLE)
    said = texts(figure)
    assert "Asimov data" in said
    assert "Without covariance: frozen, stuck" in said
    assert "1 parameters of autoMCStats are profiled and not shown" in said
    assert "correlation in %" in said


@pytest.mark.parametrize("count", [1, 14, 15, 49])
def test_names_do_not_meet(count: int) -> None:
    figure = correlations_figure(many(count), style=STYLE)
    assert LONG.format(0) in texts(figure)
    assert overlapping(figure) == []
    assert outside(figure) == []


def test_a_large_matrix_comes_with_its_interesting_blocks() -> None:
    pages = dict(correlations_figures(many(300), style=STYLE))
    assert list(pages) == ["all", "r", "largest"]
    assert not [text for text in texts(pages["all"]) if text.startswith("CMS_")]
    assert [text for text in texts(pages["all"]) if text == "300"] == ["300", "300"]
    names = [label.get_text() for label in pages["r"].axes[0].get_yticklabels()]
    assert names[:2] == ["r", LONG.format(0)]
    assert len(names) == 30
    assert {LONG.format(1), LONG.format(2)} <= set(texts(pages["largest"]))
    for figure in pages.values():
        assert overlapping(figure) == []
        assert outside(figure) == []


def test_a_covariance_that_is_not_finite_is_left_out() -> None:
    odd = fit({"r": R, "a": Fitted(0.0, 1.0), "b": Fitted(0.0, 1.0)})
    odd.covariance[2, 2] = math.nan
    assert correlations_of(odd).parameters == ("r", "a")
    assert correlations_of(odd).left_out == ("b",)


def test_looks_like_the_reference(tmp_path: Path) -> None:
    with style_context():
        figure = new_figure(3.0, 3.0)
        figure.set_layout_engine("none")
        draw_correlations(figure.add_axes((0.1, 0.1, 0.8, 0.8)), correlations_of(SMALL), style=STYLE)
    assert difference(figure, "correlations", tmp_path) < TOLERANCE
