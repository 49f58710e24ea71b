"""Names that stand in cards and ROOT files: how they are made, and which are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocket_combine.names import channel_name, expand_rule, name_problem


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("ttbar_2018", None),
        ("_x", None),
        ("tt bar", "holds ' '"),
        ("tt\tbar", r"holds '\\t'"),
        ("tt-bar", "holds '-'"),
        ("a*b+c", r"holds '\*\+'"),
        ("tt$PROCESS", r"holds '\$'"),
        ("tt#1", "holds '#'"),
        ("größe", "holds 'öß'"),
        ("", "is empty"),
        (None, "is a NoneType, expected text"),
        ("2018", "begins with a digit"),
        ("ttbar\n", r"holds '\\n'"),
        ("٣", "holds"),
    ],
)
def test_names(name: object, problem: str | None) -> None:
    found = name_problem("nuisance", name)
    if problem is None:
        assert found is None
    else:
        assert found is not None
        with pytest.raises(ValueError, match=problem):
            raise ValueError(found)


def test_digits_may_lead_where_combine_allows_it() -> None:
    assert name_problem("process", "4top", leading_digit=True) is None


@given(st.text())
def test_what_is_allowed_is_one_word_of_safe_characters(name: str) -> None:
    if name_problem("process", name, leading_digit=True) is None:
        assert name.split() == [name]
        assert name.replace("_", "a").isalnum()
        assert name.isascii()


@pytest.mark.parametrize(
    ("prefix", "suffix", "name"),
    [(None, None, "SR"), ("", "", "SR"), ("cat", None, "cat_SR"), (None, "run3", "SR_run3"), ("a", "b", "a_SR_b")],
)
def test_channels(prefix: str | None, suffix: str | None, name: str) -> None:
    assert channel_name("SR", prefix, suffix) == name


def test_words_are_filled_in_in_combines_order() -> None:
    rule = "$CHANNEL/$PROCESS_$SYSTEMATIC_m$MASS"
    assert expand_rule(rule, process="tt", channel="SR", systematic="JERUp", mass="125") == "SR/tt_JERUp_m125"
    assert expand_rule("$PROCESS", process="$CHANNEL", channel="SR") == "SR"
