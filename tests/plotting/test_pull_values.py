"""Pulls and constraints against numbers worked out by hand."""

from __future__ import annotations

import dataclasses
import math

import pytest
from fitted import CONVERGED, Fitted, R, fit, impact, impact_result, provenance

from pocket_combine.errors import StyleError
from pocket_combine.plotting.pull_values import (
    Pull,
    PullState,
    failure,
    matching,
    ordered,
    pull_of_impact,
    pull_position,
    pulls_of,
)
from pocket_combine.results import Interval, Status


def test_the_pull_uses_the_width_on_its_side() -> None:
    prefit = (0.8, 1.0, 1.3)
    assert pull_position(1.6, prefit) == 2.0
    assert pull_position(0.9, prefit) == -0.5
    (pull,) = pulls_of(fit({"r": R, "k": Fitted(1.15, 0.25, prefit, kind="param")}))
    assert pull.pull == 0.5
    # 1.15 ± 0.25: 0.9 lies 0.1 below 1, which is half of 0.2; 1.4 lies 0.4 above, which is 4/3 of 0.3.
    assert pull.ends == pytest.approx((-0.5, 4.0 / 3.0))
    assert pull.constraint == pytest.approx((4.0 / 3.0 + 0.5) / 2.0)


def test_a_side_without_a_width_takes_the_other() -> None:
    assert pull_position(0.5, (0.0, 0.0, 0.5)) == 1.0
    assert pull_position(-0.5, (0.0, 0.0, 0.5)) == -1.0


def test_what_a_fit_did_with_each_parameter() -> None:
    result = fit(
        {
            "r": R,
            "lumi": Fitted(0.2, 0.9),
            "frozen": Fitted(0.5, 0.0, floating=False),
            "SF": Fitted(0.0, 0.0, (1.0, 1.0, 1.0), kind="rateParam"),
            "prop_binSR_bin0": Fitted(0.3, 0.0, floating=False, kind="autoMCStats"),
            "prop_binCR_bin0": Fitted(0.0, 0.0, floating=False, kind="autoMCStats"),
            "prop_binCR_2_bin0": Fitted(0.1, 0.0, floating=False, kind="autoMCStats"),
            "prop_binSR_bin1": Fitted(0.3, 0.0, floating=False, kind="autoMCStats"),
        },
        status=Status.AT_BOUNDARY,
        origin=provenance(masks=["CR"], freeze=["frozen", "prop_binSR_bin1"]),
    )
    assert [item.parameter for item in pulls_of(result)] == ["lumi", "frozen", "SF"]
    found = {item.parameter: item for item in pulls_of(result, bins=True)}
    assert {name: item.state for name, item in found.items()} == {
        "lumi": PullState.FITTED,
        "frozen": PullState.FROZEN,
        "SF": PullState.AT_BOUNDARY,
        "prop_binSR_bin0": PullState.NO_ERROR,
        "prop_binCR_bin0": PullState.MASKED,
        "prop_binCR_2_bin0": PullState.NO_ERROR,
        "prop_binSR_bin1": PullState.FROZEN,
    }
    assert not found["SF"].is_constrained
    assert math.isnan(found["SF"].pull)
    assert math.isnan(found["SF"].constraint)
    assert found["prop_binSR_bin0"].pull == 0.3
    assert math.isnan(found["prop_binSR_bin0"].constraint)


def test_a_group_of_frozen_bins() -> None:
    bins = {"r": R, "prop_binSR_bin0": Fitted(0.0, 0.0, floating=False, kind="autoMCStats")}
    frozen = fit(bins, origin=provenance(freeze_groups=["autoMCStats"]))
    assert pulls_of(frozen, bins=True)[0].state is PullState.FROZEN


def test_profile_intervals_count_where_both_their_ends_were_found() -> None:
    intervals = [
        Interval("a", 0.1, -0.7, 1.2, 0.5),
        Interval("b", 0.1, -5.0, 1.2, 0.5, low_status=Status.NOT_FOUND),
    ]
    first, second = pulls_of(fit({"r": R, "a": Fitted(0.1, 0.9), "b": Fitted(0.1, 0.9)}, intervals=intervals))
    assert first.fit == (-0.7, 0.1, 1.2)
    assert second.fit == pytest.approx((-0.8, 0.1, 1.2))


def test_a_failed_fit_says_so() -> None:
    failed = fit({"r": R, "a": Fitted(0.1, 0.0)}, status=Status.FLAT_DIRECTION, concerned=("a", "r"))
    assert failure(failed) == "flat direction: a, r"
    assert failure(fit({"r": R})) == ""
    assert pulls_of(failed)[0].state is PullState.NO_ERROR


def test_pulls_of_impacts() -> None:
    found = pull_of_impact(impact("a", -0.1, 0.1, fitted=(-0.8, 0.1, 1.0)))
    assert (found.pull, found.ends) == (0.1, (-0.8, 1.0))
    lost = pull_of_impact(impact("a", 0.0, 0.1, statuses=(Status.NOT_CONVERGED, Status.CONVERGED)))
    assert math.isnan(lost.fit[0])
    assert lost.fit[1:] == (0.1, 1.0)
    stuck = pull_of_impact(
        impact("SF", 0.0, 0.1, prefit=(1, 1, 1), fitted=(0.0, 0.0, 0.8), statuses=(Status.AT_BOUNDARY, CONVERGED[1]))
    )
    assert stuck.state is PullState.AT_BOUNDARY
    bins = impact_result(impact("a", 0, 0), impact("prop_binSR_bin0", 0, 0, groups=("autoMCStats",)))
    assert [item.parameter for item in pulls_of(bins)] == ["a"]
    assert [item.parameter for item in pulls_of(bins, bins=True)] == ["a", "prop_binSR_bin0"]


def test_orders() -> None:
    def pull(name: str, value: float, error: float) -> Pull:
        return Pull(name, PullState.FITTED, (-1.0, 0.0, 1.0), (value - error, value, value + error))

    free = Pull("SF", PullState.FITTED, (1.0, 1.0, 1.0), (0.9, 1.0, 1.1))
    rows = [free, pull("b", -2.0, 0.5), pull("a", 1.0, 0.9), pull("c", 1.5, 0.2)]
    assert [row.parameter for row in ordered(rows)] == ["SF", "b", "a", "c"]
    assert [row.parameter for row in ordered(rows, "name")] == ["SF", "a", "b", "c"]
    assert [row.parameter for row in ordered(rows, "pull")] == ["b", "c", "a", "SF"]
    assert [row.parameter for row in ordered(rows, "constraint")] == ["c", "b", "a", "SF"]
    with pytest.raises(StyleError, match=r"no order 'pulls': did you mean 'pull'\?"):
        ordered(rows, "pulls")


def test_patterns_that_match_nothing_are_named_together() -> None:
    names = ("lumi_2017", "JER")
    with pytest.raises(StyleError, match=r"'lumy_2017'; did you mean 'lumi_2017'\?\n  2\. no parameter matches 'x\*'"):
        matching(names, ["JER", "lumy_2017", "x*"])


def test_infinite_and_missing_numbers_are_no_pulls() -> None:
    result = fit({"r": R, "a": Fitted(math.nan, 1.0), "b": Fitted(0.0, math.inf)})
    first, second = pulls_of(result)
    assert math.isnan(first.pull)
    assert second.ends == (-math.inf, math.inf)
    assert [row.parameter for row in ordered([first, second], "pull")] == ["b", "a"]
    assert [row.parameter for row in ordered([first, second], "constraint")] == ["a", "b"]
    assert dataclasses.replace(first, state=PullState.FROZEN).state.value == "frozen"
