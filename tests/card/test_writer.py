"""The text of a card, word for word where it matters."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from pocket_combine.card.model import (
    FAKE,
    AutoMCStats,
    Card,
    Channel,
    Column,
    Constraint,
    ExternalArgument,
    Group,
    Nuisance,
    Parameter,
    RateParameter,
    ShapeRule,
)
from pocket_combine.card.writer import dump_card, write_card
from pocket_combine.errors import CardError

SMALL = Card(
    channels=(Channel("SR", -1), Channel("CR", 12)),
    columns=(
        Column("SR", "signal", 0, -1),
        Column("SR", "a_background_with_a_long_name_2022_postEE", 1, 0.1),
        Column("CR", "a_background_with_a_long_name_2022_postEE", 1, 1e-9),
    ),
)


def with_parts(**parts: object) -> Card:
    return Card(SMALL.channels, SMALL.columns, **parts)  # type: ignore[arg-type] # parts are named by the tests


def words_of(card: Card) -> list[list[str]]:
    return [line.split() for line in write_card(card).splitlines()]


def test_every_kind_of_line_is_written_as_combine_reads_it() -> None:
    card = with_parts(
        shapes=(
            ShapeRule("*", "SR", "shapes.root", "$CHANNEL/$PROCESS", "$CHANNEL/$PROCESS_$SYSTEMATIC"),
            ShapeRule("*", "CR", FAKE),
        ),
        nuisances=(
            Nuisance("lumi", "lnN", (1.016, (0.9, 1.1), None)),
            Nuisance("sideband", "gmN", (None, None, 0.5), arguments=(11,)),
            Nuisance("JES", "shape", (1.0, 0.5, None), no_float=True),
        ),
        parameters=(Parameter("kB", 1, 0.15), Parameter("kC", 0, (0.2, 0.4), range=(-1, 2))),
        constraints=(Constraint("c", "@0-@1", ("kB", "kC"), 0.1), Constraint("d", "kB-kC", (), "kB")),
        flat_parameters=("flat",),
        external_arguments=(ExternalArgument("x", 1.5, (0, 3)), ExternalArgument("y", 2, constant=True)),
        rate_parameters=(
            RateParameter("SF_tt", "*", "a_*", 1, (0, 5)),
            RateParameter("free", "CR", "signal", 2.5),
            RateParameter("f", "CR", "signal", formula="(@0*@1)", arguments=("SF_tt", "kB")),
        ),
        groups=(Group("theory", ("kB", "JES")),),
        mc_stats=(AutoMCStats("SR", 0), AutoMCStats("C*", 10, include_signal=True, hist_mode=2)),
        frozen=("lumi", "a+b"),
    )
    lines = [" ".join(words) for words in words_of(card)]
    ruler = "-" * 80
    long = "a_background_with_a_long_name_2022_postEE"
    assert lines == [
        "imax 2 number of channels",
        "jmax 1 number of processes minus 1",
        "kmax 7 number of nuisance parameters",
        ruler,
        "shapes * SR shapes.root $CHANNEL/$PROCESS $CHANNEL/$PROCESS_$SYSTEMATIC",
        "shapes * CR FAKE",
        ruler,
        "bin SR CR",
        "observation -1 12",
        ruler,
        "bin SR SR CR",
        f"process signal {long} {long}",
        "process 0 1 1",
        "rate -1 0.1 1e-09",
        ruler,
        "lumi lnN 1.016 0.9/1.1 -",
        "sideband gmN 11 - - 0.5",
        "JES[nofloat] shape 1 0.5 -",
        ruler,
        "kB param 1 0.15",
        "kC param 0 -0.2/+0.4 [-1,2]",
        "c constr @0-@1 kB,kC 0.1",
        "d constr kB-kC kB",
        "flat flatParam",
        "x extArg 1.5 [0,3]",
        "y extArg 2 [const]",
        "SF_tt rateParam * a_* 1 [0,5]",
        "free rateParam CR signal 2.5",
        "f rateParam CR signal (@0*@1) SF_tt,kB",
        ruler,
        "theory group = kB JES",
        "SR autoMCStats 0 0 1",
        "C* autoMCStats 10 1 2",
        "nuisance edit freeze lumi",
        r"nuisance edit freeze a\+b",
    ]


def test_columns_stay_apart_and_aligned() -> None:
    card = with_parts(nuisances=(Nuisance("n" * 70, "lnN", ((1e-300, 1.2345678901234567), 1.1, 1.1)),))
    table = write_card(card).splitlines()[7:]
    table = [line for line in table if not line.startswith("---")]
    assert [len(line.split()) for line in table] == [4, 4, 4, 4, 5]
    assert len({line.rindex(" ") for line in table}) == 1


@pytest.mark.parametrize("value", [0.1, 1 / 3, 1e-300, 123456789.123456789, 2.0**60, 5e15 + 0.5])
def test_numbers_read_back_exactly(value: float) -> None:
    card = Card((Channel("SR", 1),), (Column("SR", "s", 0, value),))
    rate = next(words for words in words_of(card) if words[0] == "rate")
    assert float(rate[1]) == value


def test_rows_without_effect_vanish_with_their_names() -> None:
    card = with_parts(
        nuisances=(Nuisance("nothing", "lnN", (None, None, None)), Nuisance("lumi", "lnN", (1.1, None, None))),
        groups=(Group("all", ("nothing", "lumi")), Group("none", ("nothing",))),
        frozen=("nothing",),
    )
    text = write_card(card)
    assert "nothing" not in text
    assert "none" not in text
    assert "kmax 1 " in text
    assert "all group = lumi\n" in text


def test_templates_under_another_name_become_a_rename() -> None:
    card = with_parts(nuisances=(Nuisance("CMS_scale_j", "shape", (1.0, None, 1.0), template_name="JES"),))
    lines = [" ".join(words) for words in words_of(card)]
    assert lines[-2:] == ["JES shape 1 - 1", "nuisance edit rename JES CMS_scale_j"]


def test_templates_shared_by_two_nuisances_become_a_move_of_cells() -> None:
    card = with_parts(
        nuisances=(
            Nuisance("JES", "shape", (1.0, None, 0.5)),
            Nuisance("JES_b", "shape", (None, 0.25, None), template_name="JES"),
        )
    )
    lines = [" ".join(words) for words in words_of(card)]
    assert lines[-2:] == [
        "JES shape 1 0.25 0.5",
        "nuisance edit rename a_background_with_a_long_name_2022_postEE SR JES JES_b",
    ]


def test_all_that_cannot_be_said_is_reported_at_once() -> None:
    card = Card(
        channels=(Channel("SR", float("nan")), Channel("1CR", 3)),
        columns=(Column("SR", "tt bar", 0, float("inf")), Column("1CR", "-", 1, 1)),
        nuisances=(
            Nuisance("2018_lumi", "lnN", (1.1, (1.1, float("nan")))),
            Nuisance("lumi", "lnN", (1.1, None), template_name="JES"),
        ),
        rate_parameters=(RateParameter("SF", "*", "*", formula="@0 * @1", arguments=("a", "b")),),
        groups=(Group("g#", ("lumi",)),),
    )
    with pytest.raises(CardError) as caught:
        write_card(card)
    assert caught.value.problems == (
        "channel SR, observation: nan is not a finite number",
        "process 'tt bar' holds a blank, which splits a word of the card in two",
        "process '-' consists of dashes, which stand for a zero",
        "channel SR, process tt bar, rate: inf is not a finite number",
        "nuisance '2018_lumi' begins with a digit; Combine would call it 'theta2018_lumi'",
        "nuisance 2018_lumi (lnN): (1.1, nan) is not a finite number",
        "rateParam SF: formula '@0 * @1' holds a blank, which splits a word of the card in two",
        "group 'g#' holds '#', which begins a comment",
        "nuisance lumi (lnN) with templates of JES: only shape nuisances have templates",
    )


def test_channels_without_processes_or_with_mixed_observations_are_refused() -> None:
    card = Card((Channel("SR", 1), Channel("CR")), (Column("SR", "s", 0, 1.0),))
    with pytest.raises(CardError) as caught:
        write_card(card)
    assert caught.value.problems == (
        "channel 'CR' has no process, and a card cannot say that",
        "channel 'CR' has no observation while others have one; give all of them one, or none",
    )


def test_a_file_appears_whole_and_compressed_output_is_reproducible(tmp_path: Path) -> None:
    dump_card(SMALL, tmp_path / "card.txt.gz", comment="two\nlines")
    first = (tmp_path / "card.txt.gz").read_bytes()
    dump_card(SMALL, tmp_path / "card.txt.gz", comment="two\nlines")
    assert (tmp_path / "card.txt.gz").read_bytes() == first
    assert gzip.decompress(first).decode() == "# two\n# lines\n" + write_card(SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["card.txt.gz"]


def test_an_unwritable_place_is_a_card_error_that_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CardError, match=r"file/card\.txt: cannot be written: Not a directory"):
        dump_card(SMALL, tmp_path / "file" / "card.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
