"""Names that match patterns."""

from __future__ import annotations

from pocket_combine.patterns import matched, unmatched


def test_names_keep_their_order_and_match_with_case() -> None:
    names = ["lumi_2018", "JER", "lumi_2017", "Lumi"]
    assert matched(names, ["lumi_2017", "lumi_*"]) == ("lumi_2018", "lumi_2017")
    assert matched(names, []) == ()


def test_a_name_with_signs_of_patterns_is_its_own_pattern() -> None:
    assert matched(["mu[1]", "mu1"], ["mu[1]"]) == ("mu[1]", "mu1")
    assert unmatched("parameter", ["mu[x]"], ["mu[x]"]) == []


def test_each_pattern_without_a_match_is_one_problem() -> None:
    problems = unmatched("channel", ["SR", "CR"], ["S*", "SRR", "SRR", "X*"])
    assert problems == [
        "no channel matches 'SRR'; did you mean 'SR'?",
        "no channel matches 'X*'; available: 'CR', 'SR'",
    ]
