"""Sizes of what findings speak of, in standard deviations of the data, against numbers worked out by hand."""

from __future__ import annotations

import math

import pytest

pytest.importorskip("matplotlib")

from small_cards import card_of

from pocket_combine.card.model import Card
from pocket_combine.checks import CheckFinding, Where, run_checks
from pocket_combine.findings import Finding, Severity
from pocket_combine.report.visible import visible_sizes
from pocket_combine.templates import Templates

# 100 and 400 expected events: errors of the data are 10 and 20.
TEMPLATES = {
    "SR": Templates.of(
        [0.0, 1.0, 2.0],
        {"sig": [10.0, 40.0], "tt": [90.0, 360.0]},
        {
            ("tt", "both_up"): ([99.0, 396.0], [91.8, 367.2]),  # +10% and +2%
            ("tt", "flat"): ([94.5, 378.0], [85.5, 342.0]),  # ±5%, no change of shape
            ("tt", "kink"): ([100.0, 360.0], [95.0, 360.0]),  # bin 0: +10 and +5
            ("tt", "shape"): ([81.0, 369.0], [99.0, 351.0]),
        },
    )
}
CARD = card_of(
    TEMPLATES,
    {name: ("shape", {"tt": 1.0}) for name in ("both_up", "flat", "kink", "shape")} | {"lumi": ("lnN", {"sig": 1.2})},
)


def finding(code: str, where: Where, **numbers: float) -> CheckFinding:
    return CheckFinding(code, Severity.WARNING, str(where), "", "", numbers, where)


def size(code: str, where: Where, **numbers: float) -> float:
    (result,) = visible_sizes(CARD, TEMPLATES, [finding(code, where, **numbers)])
    return result


def test_yields_to_one_side_count_with_the_smaller_change() -> None:
    (found,) = run_checks(CARD, TEMPLATES, select=["same-direction-normalisation"])[:1]
    assert found.where.nuisance == "both_up"
    # 2% of 90 and of 360 events
    assert visible_sizes(CARD, TEMPLATES, [found]) == [pytest.approx(math.hypot(1.8 / 10, 7.2 / 20))]


def test_a_shape_counts_without_its_yield() -> None:
    assert size("no-shape-effect", Where("SR", "tt", "flat")) == pytest.approx(0.0, abs=1e-12)
    assert size("no-shape-effect", Where("SR", "tt", "shape")) == pytest.approx(math.hypot(9 / 10, 9 / 20))


def test_the_check_itself_comes_first() -> None:
    (found,) = run_checks(CARD, TEMPLATES, select=["one-sided-bins"])[1:]
    assert found.where == Where("SR", "tt", "kink", (0,))
    assert visible_sizes(CARD, TEMPLATES, [found]) == [pytest.approx(5 / 10)]


def test_other_findings_have_the_size_of_the_effect() -> None:
    assert size("large-normalisation-effect", Where("SR", "sig", "lumi")) == pytest.approx(math.hypot(2 / 10, 8 / 20))
    assert size("could-be-lnn", Where(nuisance="flat")) == pytest.approx(math.hypot(4.5 / 10, 18 / 20))
    assert size("negative-bin", Where("SR", "tt")) == pytest.approx(math.hypot(90 / 10, 360 / 20))
    assert size("negative-bin", Where("SR", "tt", bins=(1,))) == pytest.approx(360 / 20)


@pytest.mark.parametrize("where", [Where(), Where("SR"), Where("XX", "tt"), Where("SR", "xx"), Where("SR", "tt", "xx")])
def test_what_is_not_there_or_about_more_has_no_size(where: Where) -> None:
    assert math.isnan(size("mc-stats", where))


def test_findings_without_a_place_have_no_size() -> None:
    sizes = visible_sizes(Card((), ()), {}, [Finding("line", Severity.INFO, "card.txt:3", "")])
    assert [math.isnan(value) for value in sizes] == [True]
