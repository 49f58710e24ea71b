"""Negative bins, empty variations, large variations: what each policy writes, and what is said about it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocket_combine.build.treat import (
    NegativePolicy,
    Policies,
    VariancePolicy,
    clip_negative,
    large_variations,
    repair_empty_variations,
    treat,
)
from pocket_combine.errors import DeclarationError, TemplateError
from pocket_combine.findings import Severity
from pocket_combine.templates import Templates

EDGES = [0.0, 1.0, 2.0, 3.0]


def negative() -> Templates:
    return Templates.of(
        EDGES,
        {"a": [1, -0.25, 3], "b": [1, 2, 3]},
        {("a", "JER"): ([1, 2, -3], [1, 2, 3]), ("b", "JER"): ([1, 2, 3], [-1, -2, 9])},
    )


def test_negative_bins_are_clipped_and_told() -> None:
    clipped, findings = clip_negative(negative(), "SR", "clip", "keep")
    assert clipped.values.tolist() == [[1, 0, 3], [1, 2, 3]]
    assert clipped.up.tolist() == [[1, 2, 0], [1, 2, 3]]
    assert clipped.down.tolist() == [[1, 2, 3], [0, 0, 9]]
    assert clipped.variances.tolist() == negative().variances.tolist()
    assert clipped.up_variances.tolist() == negative().up_variances.tolist()
    assert [(finding.severity, finding.place, finding.message) for finding in findings] == [
        (Severity.WARNING, "channel SR, process a", "clipped bin 1 (-0.25) to zero, moving the yield from 3.75 to 4"),
        (
            Severity.INFO,
            "channel SR, process a, template JERUp",
            "clipped bin 2 (-3) to zero, moving the yield from 0 to 3",
        ),
        (
            Severity.INFO,
            "channel SR, process b, template JERDown",
            "clipped bin 0 (-1), 1 (-2) to zero, moving the yield from 6 to 9",
        ),
    ]
    assert findings[2].numbers == {"before": 6.0, "after": 9.0, "bins": 2.0}


def test_the_variance_of_clipped_bins_is_kept_or_not() -> None:
    zeroed, _ = clip_negative(negative(), "SR", "clip", "zero")
    assert zeroed.variances.tolist() == [[1, 0, 3], [1, 2, 3]]
    assert zeroed.up_variances.tolist() == [[1, 2, 0], [1, 2, 3]]
    assert zeroed.down_variances.tolist() == [[1, 2, 3], [0, 0, 9]]


def test_negative_bins_may_be_kept_or_refused() -> None:
    kept, findings = clip_negative(negative(), "SR", "keep", "keep")
    assert kept.values.tolist() == negative().values.tolist()
    assert findings == []
    with pytest.raises(TemplateError, match=r"process a: clipped bin 1 .*; .*template JERUp: .*; .*process b"):
        clip_negative(negative(), "SR", "error", "keep")


CONTENTS = st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=3)


@given(nominal=CONTENTS, up=CONTENTS, down=CONTENTS, variance=st.sampled_from(["keep", "zero"]))
def test_clipping_never_lowers_a_bin_and_leaves_none_negative(
    nominal: list[float], up: list[float], down: list[float], variance: VariancePolicy
) -> None:
    before = Templates.of(EDGES, {"a": nominal}, {("a", "JER"): (up, down)})
    after, findings = clip_negative(before, "SR", "clip", variance)
    for name in ("values", "up", "down"):
        old, new = getattr(before, name), getattr(after, name)
        assert (new >= old).all()
        assert (new >= 0).all()
        assert (new[old >= 0] == old[old >= 0]).all()
    assert len(findings) == sum(any(number < 0 for number in contents) for contents in (nominal, up, down))
    assert after.observation is None


def empty_variations() -> Templates:
    return Templates.of(
        EDGES,
        {"a": [1, 2, 3], "b": [1, 1, 1], "nothing": [0, 0, 0]},
        {
            ("a", "x"): ([0, 0, 0], [1, 2, 4]),
            ("a", "y"): ([1, 2, 3], [1, 2, 3]),
            ("b", "x"): ([0, 0, 0], [-1, 0, 1]),
            ("nothing", "x"): ([0, 0, 0], [0, 0, 0]),
        },
        variances={"a": [5, 6, 7]},
    )


def test_an_empty_variation_is_what_combine_refuses() -> None:
    same, findings = repair_empty_variations(empty_variations(), "SR", "report")
    assert same.pairs == empty_variations().pairs
    assert [(finding.code, finding.severity, finding.place) for finding in findings] == [
        ("empty-variation", Severity.ERROR, "channel SR, process a, nuisance x"),
        ("empty-variation", Severity.ERROR, "channel SR, process b, nuisance x"),
        ("empty-variation", Severity.ERROR, "channel SR, process b, nuisance x"),
    ]
    assert findings[0].numbers == {"nominal": 6.0, "varied": 0.0}


def test_an_empty_variation_is_replaced_by_the_nominal_template() -> None:
    repaired, findings = repair_empty_variations(empty_variations(), "SR", "nominal")
    assert repaired.up[0].tolist() == [1, 2, 3]
    assert repaired.up_variances[0].tolist() == [5, 6, 7]
    assert repaired.down[0].tolist() == [1, 2, 4]
    assert repaired.down_variances[0].tolist() == [1, 2, 4]
    assert repaired.up[2].tolist() == repaired.down[2].tolist() == [1, 1, 1]
    assert repaired.up[3].tolist() == [0, 0, 0]
    assert {finding.severity for finding in findings} == {Severity.WARNING}


def test_a_nuisance_with_an_empty_variation_is_dropped_for_that_process() -> None:
    repaired, findings = repair_empty_variations(empty_variations(), "SR", "drop")
    assert repaired.pairs == (("a", "y"), ("nothing", "x"))
    assert repaired.up.tolist() == [[1, 2, 3], [0, 0, 0]]
    assert {finding.severity for finding in findings} == {Severity.WARNING}


def test_variations_by_more_than_the_nominal_content_are_one_warning_each() -> None:
    templates = Templates.of(
        EDGES,
        {"a": [1, 2, 3], "b": [1, 0, 4]},
        {
            ("a", "x"): ([2, 2, 3], [1, 2, 3]),
            ("a", "y"): ([1, 2, 3], [1, 2, 6.5]),
            ("b", "x"): ([1, 99, 4], [1, 0, 4]),
            ("b", "y"): ([3.5, 0, 4], [1, 0, 4]),
        },
    )
    (finding,) = large_variations(templates, "SR")
    assert (finding.code, finding.severity, finding.place) == (
        "large-variation",
        Severity.WARNING,
        "channel SR, nuisance y",
    )
    assert finding.message == ("differs by more than 100% from nominal in 2 processes, most in b, bin 0: 250%")
    assert finding.numbers == {"processes": 2.0, "largest": 2.5}


def test_variations_of_negative_bins_are_compared_with_their_size() -> None:
    def found(up: float) -> int:
        return len(large_variations(Templates.of([0, 1], {"a": [-2.0]}, {("a", "x"): ([up], [-2.0])}), "SR"))

    assert (found(-2.1), found(-0.1), found(0.1)) == (0, 0, 1)


def test_steps_follow_each_other_in_the_documented_order() -> None:
    templates = Templates.of(
        [-np.inf, 0, 1, 2, np.inf],
        {"a": [-5.0, 2, 3, 1]},
        {("a", "JER"): ([-1.0, 0.5, 0.25, -9], [0.0, 2, 3, 1])},
    )
    policies = Policies(flow="fold", empty_variation="nominal")
    final, findings = treat(templates, "SR", [0, 2], policies)
    # Rebinned: [-5, 5, 1]; folded: [1]. Up: [-1, 0.75, -9] → [-9.25] → clipped → empty → nominal.
    assert final.values.tolist() == [[1]]
    assert final.up.tolist() == [[1]]
    assert final.down.tolist() == [[6]]
    assert [finding.code for finding in findings] == [
        "outside-range",
        "negative-bin",
        "empty-variation",
        "large-variation",
    ]


@pytest.mark.parametrize("negative_bins", ["clip", "keep"])
def test_untouched_templates_stay_as_they_are(negative_bins: NegativePolicy) -> None:
    templates = Templates.of(EDGES, {"a": [1, 2, 3]}, {("a", "JER"): ([1, 2, 4], [1, 2, 2])}, observation=[1, 2, 3])
    final, findings = treat(templates, "SR", None, Policies(negative_bins=negative_bins))
    assert findings == []
    for name in ("edges", "values", "variances", "up", "down", "observation"):
        assert getattr(final, name).tolist() == getattr(templates, name).tolist()


def test_policies_are_checked_all_at_once() -> None:
    wrong: Any = {"flow": "keep", "negative_bins": True, "negative_variance": "drop", "empty_variation": None}
    with pytest.raises(DeclarationError) as caught:
        Policies(**wrong)
    assert str(caught.value) == (
        "4 problems:\n"
        "  1. flow is 'keep', expected one of 'drop', 'fold', 'error'\n"
        "  2. negative_bins is True, expected one of 'clip', 'keep', 'error'\n"
        "  3. negative_variance is 'drop', expected one of 'keep', 'zero'\n"
        "  4. empty_variation is None, expected one of 'report', 'nominal', 'drop'"
    )
