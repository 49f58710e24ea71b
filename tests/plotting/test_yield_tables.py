"""Tables of expected events: to the letter, and uncertainties that are known or not shown."""

from __future__ import annotations

import dataclasses

import pytest
from expected_events import channel, result

from pocket_combine.errors import ResultError
from pocket_combine.plotting.style import ChannelRule, ProcessRule, Style
from pocket_combine.plotting.yield_tables import RowKind, yield_table
from pocket_combine.results import PostfitResult

YIELDS = {
    "SR/ttH": (6.04, 0.451),
    "SR/tt_2017": (40.0, 3.0),
    "SR/tt_2018": (35.2, 4.0),
    "SR/W+jets": (6.0, 0.96),
    "SR/total": (88.04, 6.7),
    "SR/total_background": (82.0, 5.9),
    "CR/W+jets": (1000.4, 51.0),
    "CR/total": (1000.4, 51.0),
    "CR/total_background": (1000.4, 51.0),
}
POSTFIT = result(
    channel(
        "SR",
        {"ttH": [2.04, 4.0], "tt_2017": [30.0, 10.0], "tt_2018": [20.0, 15.2], "W+jets": [5.0, 1.0]},
        observed=[60, 25],
        total=[58.0, 30.04],
    ),
    channel("CR", {"W+jets": [1000.4]}, observed=[1012]),
    yields=YIELDS,
)
STYLE = Style(processes=(ProcessRule("tt_.*", r"$t\bar{t}$"),), channels=(ChannelRule("CR", "W_control"),))

MARKDOWN = r"""
| Process          |          SR | W_control |
| ---------------- | ----------: | --------: |
| W+jets           | 6.00 ± 0.96 | 1000 ± 51 |
| $t\bar{t}$       |        75.2 |         – |
| Total background |  82.0 ± 5.9 | 1000 ± 51 |
| ttH              | 6.04 ± 0.45 |         – |
| Total            |  88.0 ± 6.7 | 1000 ± 51 |
| Data             |          85 |      1012 |

Expected events, post-fit.

The result is of an older version, without uncertainties of sums: make it anew, pocket-combine postfit CARD -o FILE.
"""

LATEX = r"""
% Expected events, post-fit.
% The result is of an older version, without uncertainties of sums: make it anew, pocket-combine postfit CARD -o FILE.
\begin{tabular}{lrr}
\toprule
Process & SR & W\_control \\
\midrule
W+jets & $6.00 \pm 0.96$ & $1000 \pm 51$ \\
$t\bar{t}$ & $75.2$ & -- \\
\midrule
Total background & $82.0 \pm 5.9$ & $1000 \pm 51$ \\
ttH & $6.04 \pm 0.45$ & -- \\
Total & $88.0 \pm 6.7$ & $1000 \pm 51$ \\
\midrule
Data & $85$ & $1012$ \\
\bottomrule
\end{tabular}
"""

PLAIN = """
Process           SR, pre-fit  SR, post-fit
-------------------------------------------
tt                         75          75.2
W+jets            6.00 ± 0.96   6.00 ± 0.96
-------------------------------------------
Total background      82 ± 15    82.0 ± 5.9
ttH                 3.0 ± 2.0   6.04 ± 0.45
Total                 88 ± 15    88.0 ± 6.7
-------------------------------------------
Data                       85            85
The result is of an older version, without uncertainties of sums: make it anew, pocket-combine postfit CARD -o FILE.
"""


def test_markdown() -> None:
    assert "\n" + yield_table(POSTFIT, style=STYLE).text("markdown") == MARKDOWN


def test_latex() -> None:
    assert "\n" + yield_table(POSTFIT, style=STYLE).text("latex") == LATEX


def test_plain_before_and_after_the_fit() -> None:
    yields = {**YIELDS, "SR/ttH": (3.02, 1.97), "SR/total": (88.04, 15.2), "SR/total_background": (82.0, 15.0)}
    before = dataclasses.replace(POSTFIT, point="prefit", yields=yields)
    assert "\n" + yield_table(POSTFIT, ["SR"], prefit=before).text("plain") == PLAIN


def cells(table_of: PostfitResult, style: Style, label: str) -> list[object]:
    (row,) = [row for row in yield_table(table_of, style=style).rows if row.label == label]
    return [None if cell is None else (cell.value, cell.error) for cell in row.cells]


def test_sums_of_processes_have_no_uncertainty_unless_the_result_has_it() -> None:
    assert cells(POSTFIT, STYLE, r"$t\bar{t}$") == [(75.2, None), None]
    summed = result(
        channel("SR", {"ttH": [6.04], "tt": [75.2]}),
        yields={
            "SR/ttH": (6.04, 0.5),
            "SR/tt": (75.2, 6.3),
            "SR/total": (81.24, 6.4),
            "SR/total_background": (75.2, 6.3),
        },
    )
    assert cells(summed, Style(), "tt") == [(75.2, 6.3)]


def test_blind_results_and_blinded_channels_show_no_data() -> None:
    table = yield_table(POSTFIT, style=Style(channels=(ChannelRule("SR", blinded=((1.5, 2.0),)),)))
    assert "Data                  blinded       1012\n" in table.text("plain")
    assert "85" not in table.text("plain")
    assert " & blinded & $1012$" in table.text("latex")
    blind = result(
        channel("SR", {"tt": [3.0]}),
        yields={"SR/tt": (3.0, 0.2), "SR/total": (3.0, 0.2), "SR/total_background": (3.0, 0.2)},
    )
    table = yield_table(blind)
    assert [row.kind for row in table.rows] == [RowKind.BACKGROUND, RowKind.TOTAL_BACKGROUND, RowKind.TOTAL]
    assert table.notes == ("Expected events, post-fit, Asimov data.",)


def test_results_without_a_total_are_refused() -> None:
    yields = {name: pair for name, pair in YIELDS.items() if name != "CR/total_background"}
    with pytest.raises(
        ResultError, match=r"no 'total_background' of channel 'CR'; make it anew .*: pocket-combine postfit"
    ):
        yield_table(dataclasses.replace(POSTFIT, yields=yields))


def test_unknown_channels_and_formats_are_refused() -> None:
    with pytest.raises(ResultError, match="no channel 'SSR' in the result: did you mean 'SR'"):
        yield_table(POSTFIT, ["SSR"])
    with pytest.raises(ResultError, match="no format 'html' for tables, expected one of latex, markdown, plain"):
        yield_table(POSTFIT).text("html")


def test_parameters_at_an_edge_are_said() -> None:
    table = yield_table(dataclasses.replace(POSTFIT, held=("r", "k")))
    assert table.notes[-1] == "Uncertainties are without r, k, at the edge of the range."
