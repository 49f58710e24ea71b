"""The uncertainty by groups: numbers, table to the letter, and figure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("mplhep")

from fitted import impact, impact_result
from matplotlib.patches import Rectangle
from pictures import TOLERANCE, difference, outside, overlapping, texts

from pocket_combine.errors import StyleError
from pocket_combine.plotting import (
    Labels,
    Style,
    breakdown_figure,
    breakdown_table,
    draw_breakdown,
    new_figure,
    style_context,
)
from pocket_combine.plotting.breakdown_values import systematic_part, total_of
from pocket_combine.results import Interval, Status, UncertaintyGroup

STYLE = Style(labels=Labels(luminosity=138, energy=13))
PARTS = (
    UncertaintyGroup("jets", 0.12, 0.2),
    UncertaintyGroup("b_tag", 0.0, 0.0),
    UncertaintyGroup("stat", 0.16, 0.15),
)
RESULT = impact_result(impact("a", -0.1, 0.1), breakdown=PARTS)

MARKDOWN = """\
| Uncertainty of r |  upper |  lower |
|------------------|-------:|-------:|
| jets             | +0.200 | -0.120 |
| b_tag            | +0.000 | -0.000 |
| stat             | +0.150 | -0.160 |
| total            | +0.250 | -0.200 |
"""

LATEX = r"""\begin{tabular}{lrr}
\hline
Uncertainty of r & upper & lower \\
\hline
jets & $+0.200$ & $-0.120$ \\
b\_tag & $+0.000$ & $-0.000$ \\
stat & $+0.150$ & $-0.160$ \\
\hline
total & $+0.250$ & $-0.200$ \\
\hline
\end{tabular}
"""


def test_tables() -> None:
    assert breakdown_table(RESULT) == MARKDOWN
    assert breakdown_table(RESULT, "latex") == LATEX
    with pytest.raises(StyleError, match=r"no format 'tex' of tables: did you mean 'latex'\?"):
        breakdown_table(RESULT, "tex")


def test_sums() -> None:
    total = total_of(PARTS)
    assert (total.low, total.high) == pytest.approx((0.2, 0.25))
    assert systematic_part(PARTS) == (PARTS[-1], UncertaintyGroup("syst", 0.12, 0.2))
    assert systematic_part(PARTS[:-1]) is None
    assert systematic_part(()) is None


def test_bars() -> None:
    axes = new_figure().add_subplot()
    drawn = draw_breakdown(axes, PARTS, poi="r")
    widths = [[bar.get_width() for bar in bars if isinstance(bar, Rectangle)] for bars in (drawn.low, drawn.high)]
    np.testing.assert_allclose(widths, [[-0.12, 0.0, -0.16], [0.2, 0.0, 0.15]])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["jets", "b_tag", "stat"]
    assert axes.get_xlim() == pytest.approx((-0.22, 0.22))


def test_figure() -> None:
    figure = breakdown_figure(RESULT, style=STYLE)
    said = texts(figure)
    assert "r = $1.00^{+0.25}_{-0.20}$" in said
    assert [text for text in said if text in ("jets", "b_tag", "stat", "total")] == ["jets", "b_tag", "stat", "total"]
    assert overlapping(figure) == []
    assert outside(figure) == []


def test_a_side_that_the_range_cuts_has_no_parts() -> None:
    cut = Interval("r", 1.0, 0.0, 1.25, 0.5, low_status=Status.AT_BOUNDARY)
    result = impact_result(impact("a", -0.1, 0.1), breakdown=PARTS, intervals=[cut])
    figure = breakdown_figure(result, style=STYLE)
    assert texts(figure).count("–") == len(PARTS) + 1
    for table_format, missing in (("markdown", "–"), ("latex", "--")):
        table = breakdown_table(result, table_format)
        assert f" {missing} " in table
        assert "-0" not in table
    assert "nan" not in "".join(texts(figure))


def test_long_and_many_groups() -> None:
    parts = tuple(
        UncertaintyGroup(f"a group of nuisances with a name of sixty characters, no. {at:02d}", 0.1, 0.1)
        for at in range(40)
    )
    figure = breakdown_figure(impact_result(impact("a", 0, 0), breakdown=parts), style=STYLE)
    assert overlapping(figure) == []
    assert outside(figure) == []


def test_without_a_breakdown() -> None:
    with pytest.raises(StyleError, match="the impacts have no breakdown of the uncertainty: repeat"):
        breakdown_figure(impact_result(impact("a", 0, 0)))


def test_looks_like_the_reference(tmp_path: Path) -> None:
    with style_context():
        figure = new_figure(6.0, 3.0)
        draw_breakdown(figure.add_subplot(), PARTS, style=STYLE)
    assert difference(figure, "breakdown", tmp_path) < TOLERANCE
