"""What cards mean, beyond the corpus of `test_card_corpus.py`."""

from __future__ import annotations

import gzip
import io
import math
import sys
from pathlib import Path

import pytest

from pocket_combine.card.model import Card
from pocket_combine.card.parser import (
    CardOptions,
    parse_card,
    parse_card_with_findings,
    read_card,
    read_card_with_findings,
)
from pocket_combine.errors import CardError

HEADER = """\
bin          SR   CR
observation  10   20
bin          SR   SR    CR
process      sig  bkg   bkg
process      0    1     1
rate         2    9.5   20
"""


def problems_of(text: str, **options: bool) -> list[str]:
    with pytest.raises(CardError) as caught:
        parse_card(text, source="card.txt", options=CardOptions(**options))  # type: ignore[arg-type] # only booleans
    return list(caught.value.problems)


def findings_of(text: str) -> list[str]:
    return [f"{finding.place} {finding.code}" for finding in parse_card_with_findings(text, source="c").findings]


def test_all_problems_are_reported_in_the_order_of_their_lines() -> None:
    rows = "lumi lnM 1 1 1\nJES shape 1/2 - -\nb lnN 1.1\nSF rateParam XR bkg 1\n"
    assert problems_of(HEADER + rows) == [
        "card.txt:7: 'lumi': unknown kind 'lnM'; did you mean 'lnU' or 'lnN'?",
        "card.txt:8: nuisance JES, cell 1 (channel SR, process sig): '1/2' gives two numbers, "
        "which only lnN, lnU and kinds that end in ? may have",
        "card.txt:9: nuisance b (lnN): 1 cell, expected one for each of the 3 columns",
        "card.txt:10: rateParam SF: no channel 'XR'; available: 'CR', 'SR'",
    ]
    assert problems_of(f"imax 3\njmax 2\n{HEADER}") == [
        "card.txt:1: imax 3, but the card has 2 channels",
        "card.txt:2: jmax 2, but the card has 2 processes, expected jmax 1",
    ]


def test_a_row_of_a_broken_header_is_still_checked() -> None:
    problems = problems_of("bin SR\nprocess sig\nrate 1\nlumi lnN 1.1 -1\nx foo 1\n")
    assert problems == [
        "card.txt:3: the process line with integers is missing",
        "card.txt:4: nuisance lumi, cell 2: '-1' is negative, expected a positive number or -",
        "card.txt:5: 'x': unknown kind 'foo'; "
        "available: 'autoMCStats', 'constr', 'dFD', 'dFD2', 'edit', 'extArg', 'flatParam', 'gmM', … (21 in all)",
    ]


def test_a_mistyped_keyword_is_named_where_something_is_missing() -> None:
    text = HEADER.replace("process      sig", "proces       sig")
    assert problems_of(text) == [
        "card.txt:6: the process line with integers is missing; line 4 begins with 'proces'",
    ]


def test_observation_rate_and_bin_lines_below_the_rate_row_are_refused() -> None:
    assert problems_of(HEADER + "observation 1 2\n") == [
        "card.txt:7: a line observation below the rate row, which ends the header"
    ]


@pytest.mark.parametrize("header", ["imax", "imax two", "imax -2", "imax 1.5"])
def test_counts_must_be_integers(header: str) -> None:
    (problem,) = problems_of(f"{header}\n{HEADER}")
    assert problem.startswith("card.txt:1: imax")


def test_minus_one_leaves_the_number_of_channels_and_nuisances_open_as_in_combine() -> None:
    assert len(parse_card(f"imax -1\nkmax -1\n{HEADER}a lnN 1.1 - -\n").channels) == 2
    (problem,) = problems_of(f"jmax -1\n{HEADER}")
    assert problem == "card.txt:1: jmax: -1 is negative, expected an integer of at least 0 or *"


def test_kmax_counts_rows_that_have_no_effect_and_not_what_is_no_nuisance() -> None:
    rows = "a lnN 1.1 - -\nb lnN - - -\nk param 0 1\nSF rateParam * bkg @0 k\ng group = a\n"
    assert len(parse_card(f"kmax 3\n{HEADER}{rows}").nuisances) == 1
    assert problems_of(f"kmax 2\n{HEADER}{rows}") == [
        "card.txt:1: kmax 2, but the card has 2 nuisance rows, 1 param line, 0 constr lines: "
        "expected kmax 3, or * for any number"
    ]
    parse_card(f"kmax 77\n{HEADER}{rows}nuisance edit drop * * a\n".replace("g group = a\n", ""))


def test_no_signal_and_no_background_are_refused_unless_allowed() -> None:
    only_background = HEADER.replace("0    1     1", "1    2     2")
    assert problems_of(only_background) == [
        "card.txt:6: no process is a signal, expected at least one with an integer of 0 or less"
    ]
    assert parse_card(only_background, options=CardOptions(allow_no_signal=True)).columns[0].process_id == 1
    only_signal = HEADER.replace("0    1     1", "0    -1    -1")
    assert problems_of(only_signal) == [
        "card.txt:6: channel SR has no background with a rate other than 0",
        "card.txt:6: channel CR has no background with a rate other than 0",
    ]
    parse_card(only_signal, options=CardOptions(allow_no_background=True))


def test_findings_name_what_combine_ignores() -> None:
    text = "obsrvation 3\n" + HEADER + "lumi lnN 1.1 1.1 1.1 1.2 1.3\nJES lnN 1.1 - - comment\nlonely\n"
    assert findings_of(text) == ["c:1 ignored-line", "c:7 no-signal-in-channel", "c:8 extra-cells", "c:10 ignored-line"]


def test_one_name_in_several_rows_is_one_nuisance() -> None:
    text = HEADER + "a lnN 1.1 - -\na lnN - 1.1 -\n"
    assert parse_card(text).nuisance_names == ("a",)
    assert not [code for code in findings_of(text) if "repeated" in code]
    assert "c:8 repeated-nuisance" in findings_of(HEADER + "a lnN 1.1 - -\na lnN 1.2 - -\n")


def test_rate_parameters_that_are_other_parameters() -> None:
    rate = "SF rateParam * bkg {} {}\n"
    constrained = HEADER + rate.format(1, "[0.5,1.5]") + "SF param 1 0.125\n"
    assert findings_of(constrained) == ["c:6 no-signal-in-channel"]
    for value, limits in ((1.25, "[0.5,1.5]"), (1, "[0,5]")):
        assert "c:7 repeated-parameter" in findings_of(HEADER + rate.format(value, limits) + "SF param 1 0.125\n")
    assert "c:7 rate-parameter-is-nuisance" in findings_of(HEADER + "r rateParam * bkg 1\n")
    assert "c:8 rate-parameter-is-nuisance" in findings_of(HEADER + "a lnN 1.1 - -\na rateParam * bkg 1\n")


def test_physics_model_parameters_may_be_used_in_formulas() -> None:
    text = HEADER + "f rateParam CR bkg @0*@1 r_ggH,MH\n"
    assert problems_of(text) == ["card.txt:7: rateParam f: no parameter 'r_ggH'; available: 'MH', 'f', 'r'"]
    parse_card(text, options=CardOptions(pois=("r_ggH",)))


def test_cyclic_formulas_are_refused() -> None:
    rows = "f rateParam SR bkg @0 g\ng rateParam SR bkg @0*@1 h,r\nh rateParam CR bkg 2*@0 f\nk rateParam CR bkg @0 f\n"
    assert problems_of(HEADER + rows) == ["card.txt:7: rateParam f depends on itself: f -> g -> h -> f"]


@pytest.mark.parametrize("suffix", ["txt", "txt.gz"])
def test_files_may_be_compressed(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"card.{suffix}"
    path.write_bytes(gzip.compress(HEADER.encode()) if suffix.endswith("gz") else HEADER.encode())
    assert read_card(path) == parse_card(HEADER)
    assert read_card_with_findings(path).source == str(path)


def test_streams_and_standard_input_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_card(io.StringIO(HEADER)) == parse_card(HEADER)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(HEADER.encode())))
    assert read_card("-") == parse_card(HEADER)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"imax 1\nbin \xff\n", "card.txt:2: byte 0xff is not UTF-8: this is no text file"),
        (
            b"root\0\0\xf3",
            "card.txt: is a ROOT file, which a card names in a shapes line; expected the text of a datacard",
        ),
        (b' {"type": "FitResult"}', "card.txt: is JSON, as results are; expected the text of a datacard"),
        (b"\x04\x22\x4d\x18", "card.txt: is an output of PocketCoffea, of which `pocket-combine build` makes cards"),
        (b"imax 1\n\nbin \0 SR\n", "card.txt:3: holds a zero byte: this is no text file"),
        (b"", "card.txt:1: the bin line of the columns, the process line with names, "),
    ],
)
def test_files_that_are_no_cards(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "card.txt").write_bytes(content)
    with pytest.raises(CardError) as caught:
        read_card(tmp_path / "card.txt")
    assert str(caught.value).replace(f"{tmp_path}/", "").startswith(message)


@pytest.mark.parametrize("content", [b"not gzip", gzip.compress(HEADER.encode())[:-9]], ids=["other", "truncated"])
def test_damaged_compressed_files_are_card_errors(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "card.txt.gz").write_bytes(content)
    with pytest.raises(CardError, match="cannot be read: "):
        read_card(tmp_path / "card.txt.gz")


@pytest.mark.parametrize(
    ("path", "reason"), [("missing.txt", "no such file"), (".", "it is a folder"), ("a\0b", "cannot be read: ")]
)
def test_files_that_cannot_be_opened_are_card_errors(path: str, reason: str) -> None:
    with pytest.raises(CardError, match=reason):
        read_card(path)


def test_enormous_input_is_refused_in_little_time() -> None:
    columns = 30_000
    wide = "\n".join(
        ["bin" + " SR" * columns, "process" + "".join(f" p{i}" for i in range(columns)), "process" + " 1" * columns]
    )
    assert problems_of(f"{wide}\nrate{' 1' * columns}\n") == [
        "card.txt:4: no process is a signal, expected at least one with an integer of 0 or less"
    ]
    deep = "(" * 50_000 + "@0" + ")" * 50_000
    assert problems_of(f"{HEADER}f rateParam SR bkg {deep} r\n")[0].endswith(
        "has 100002 characters, expected at most 100000"
    )
    many = "".join(f"n{i} lnX 1 1 1\n" for i in range(5000))
    problems = problems_of(HEADER + many)
    assert len(problems) == 101
    assert problems[-1].endswith("(and 4899 more problems)")


def test_patterns_that_take_forever_are_refused() -> None:
    text = HEADER + f"{'a' * 40}b lnN 1.1 1.1 1.1\nnuisance edit drop * * (a+)+$\n"
    assert problems_of(text) == [
        "card.txt:8: nuisance edit drop: the pattern '(a+)+$' repeats a group that holds a repetition or an "
        "alternative: it may take forever"
    ]


def test_patterns_that_take_long_together_are_refused() -> None:
    name = "a" * 300
    text = HEADER + f"{name} lnN 1.1 1.1 1.1\nnuisance edit drop * * .*a.*a.*a.*a.*a.*b ifexists\n"
    assert problems_of(text) == [
        "card.txt:8: nuisance edit drop: matching the patterns of all edits takes too long; "
        "write simpler patterns, or fewer"
    ]
    assert parse_card(text.replace(".*a.*a.*a.*a.*a.*b", ".*.*.*.*.*.*b")).nuisances[0].name == name


def test_rows_and_groups_that_combine_would_drop() -> None:
    text = HEADER + "idle lnN - - -\nlumi lnN 1.1 1.1 1.1\ng group = lumi idle\n"
    assert problems_of(text) == [
        "card.txt:9: group g: 'idle' is a nuisance that Combine drops, because it has no effect"
    ]


def edited(*lines: str) -> Card:
    rows = "a lnN 1.1 0.9/1.2 -\nb lnN 1.2 - 1.3\ns shape 1 0.5 -\nt trG - 0.1 -\n"
    text = "shapes * * f.root $PROCESS $PROCESS_$SYSTEMATIC\n" + HEADER
    return parse_card(text + rows + "".join(f"nuisance edit {line}\n" for line in lines))


def effects_of(card: Card) -> dict[str, tuple[object, ...]]:
    return {row.name: row.effects for row in card.nuisances}


def test_edit_patterns_match_whole_names_with_the_first_alternative() -> None:
    assert effects_of(edited("drop b.* CR b"))["b"] == (1.2, None, None)
    assert effects_of(edited("drop b * b"))["b"] == (1.2, None, 1.3)
    assert "a" not in effects_of(edited("drop (bkg|sig) * a"))
    # Like Combine: the alternative S matches first and does not cover SR.
    assert effects_of(edited("drop * (S|SR) a ifexists"))["a"] == (1.1, (0.9, 1.2), None)


def test_edit_add_fills_empty_cells_and_needs_leave_to_change_others() -> None:
    assert effects_of(edited("add * CR a lnN 1.5"))["a"] == (1.1, (0.9, 1.2), 1.5)
    with pytest.raises(CardError, match=r"a already has 1\.1 in channel SR, process sig; add the option addq"):
        edited("add * * a lnN 1.5")
    added = effects_of(edited("add bkg SR a lnN 1.1 addq"))["a"][1]
    down, up = math.hypot(math.log(0.9), math.log(1.1)), math.hypot(math.log(1.2), math.log(1.1))
    assert added == pytest.approx((math.exp(-down), math.exp(up)), rel=1e-14)
    with pytest.raises(CardError, match="go in different directions"):
        edited("add sig SR a lnN 0.9 addq")
    with pytest.raises(CardError, match="a is lnN in line 8 and cannot be lnU here"):
        edited("add sig SR a lnU 1.2 overwrite")


def test_edit_rename_moves_cells_and_keeps_the_templates_name() -> None:
    card = edited("rename bkg SR s s_bkg", "rename a A", "rename s S")
    rows = {row.name: (row.effects, row.template_name) for row in card.nuisances}
    assert rows["A"] == ((1.1, (0.9, 1.2), None), None)
    assert rows["S"] == ((1.0, None, None), "s")
    assert rows["s_bkg"] == ((None, 0.5, None), "s")
    for line, message in [
        ("rename t T", "cannot be renamed by Combine"),
        ("rename x y", "no nuisance 'x' above this line; "),
        ("rename XX * a y", "no process matches 'XX'"),
        ("rename a 2a", "begins with a digit"),
    ]:
        with pytest.raises(CardError, match=message):
            edited(line)


def test_edit_changepdf_converts_between_the_families() -> None:
    assert effects_of(edited("changepdf t lnN"))["t"] == (None, pytest.approx(1.1051709180756477), None)
    assert effects_of(edited("changepdf b trG"))["b"] == pytest.approx((0.1823215567939546, None, 0.26236426446749106))
    assert [row.kind for row in edited("changepdf s shapeN").nuisances if row.name == "s"] == ["shapeN"]
    for line, message in [
        ("changepdf a trG", "has the cell 0.9/1.2, which trG cannot express"),
        ("changepdf s lnN", "cannot become lnN"),
        ("changepdf b unif", "needs low high, which changepdf cannot give"),
        ("changepdf b lnX", "unknown kind 'lnX'"),
    ]:
        with pytest.raises(CardError, match=message):
            edited(line)


def test_edit_freeze_names_parameters_of_any_kind() -> None:
    assert edited("freeze (a|b)").frozen == ("a", "b")
    with pytest.raises(CardError, match="no parameter above this line matches 'c'"):
        edited("freeze c")
    assert edited("freeze c ifexists").frozen == ()


@pytest.mark.parametrize(
    "line",
    ["", "frobnicate", "add * * a", "drop *", "split * * a b c", "flip * * a", "merge a", "changepdf a", "freeze"],
)
def test_edits_without_enough_words_are_refused(line: str) -> None:
    with pytest.raises(CardError, match="nuisance edit"):
        edited(line)
