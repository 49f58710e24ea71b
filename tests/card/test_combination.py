"""Cards joined as `combineCards.py` joins them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pocket_combine.card.combination import combine_cards
from pocket_combine.card.labels import labelled
from pocket_combine.card.load import load_card, load_templates
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
from pocket_combine.card.parser import parse_card, read_card
from pocket_combine.card.writer import dump_card, write_card
from pocket_combine.errors import CardError

REFERENCE = Path(__file__).resolve().parents[3] / "shared" / "reference" / "cards"
RULE = ShapeRule("*", "*", "shapes.root", "$CHANNEL/$PROCESS", "$CHANNEL/$PROCESS_$SYSTEMATIC")

ONE = Card(
    (Channel("bin1", 7),),
    (Column("bin1", "tt", 3, 5.0), Column("bin1", "ggH", -4, 1.0), Column("bin1", "qqH", 0, 0.5)),
)
TWO = Card(
    (Channel("SR", 2), Channel("CR", 30)),
    (
        Column("SR", "ggH", 0, 0.25),
        Column("SR", "dy", 1, 2.0),
        Column("CR", "tt", 2, 20.0),
        Column("CR", "dy", 1, 10.0),
    ),
)


def with_rows(card: Card, *rows: Nuisance) -> Card:
    return replace(card, nuisances=rows)


def problems_of(cards: dict[str, Card], **options: object) -> list[str]:
    with pytest.raises(CardError) as caught:
        combine_cards(cards, **options)  # type: ignore[arg-type] # options are named by the tests
    return list(caught.value.problems)


def test_channels_take_labels_and_integers_are_given_anew_with_signals_first() -> None:
    card = combine_cards({"a": ONE, "b": TWO})
    assert card.channels == (Channel("a", 7), Channel("b_SR", 2), Channel("b_CR", 30))
    assert [(column.channel, column.process, column.process_id, column.rate) for column in card.columns] == [
        ("a", "ggH", -1, 1.0),
        ("a", "qqH", 0, 0.5),
        ("a", "tt", 1, 5.0),
        ("b_SR", "ggH", -1, 0.25),
        ("b_SR", "dy", 2, 2.0),
        ("b_CR", "tt", 1, 20.0),
        ("b_CR", "dy", 2, 10.0),
    ]


def test_the_label_dot_keeps_names() -> None:
    card = combine_cards([(".", ONE), (".", TWO)])
    assert [channel.name for channel in card.channels] == ["bin1", "SR", "CR"]
    assert problems_of([(".", ONE), (".", ONE)]) == [  # type: ignore[arg-type] # pairs are fine
        "card .: channel bin1 is already in card .; choose other labels"
    ]


def test_observations_vanish_if_one_card_has_none() -> None:
    card = combine_cards({"a": ONE, "b": replace(ONE, channels=(Channel("bin1"),))})
    assert card.channels == (Channel("a"), Channel("b"))


def test_rows_of_one_name_are_joined_and_ordered_by_name() -> None:
    card = combine_cards(
        {
            "a": with_rows(ONE, Nuisance("lumi", "lnN", (1.1, 1.2, None)), Nuisance("b", "lnN", (None, None, 2.0))),
            "b": with_rows(TWO, Nuisance("lumi", "lnN", (1.3, (0.9, 1.1), None, None), no_float=True)),
        }
    )
    assert [row.name for row in card.nuisances] == ["b", "lumi"]
    assert card.nuisances[1] == Nuisance("lumi", "lnN", (1.2, None, 1.1, 1.3, (0.9, 1.1), None, None))


@pytest.mark.parametrize(
    ("first", "second", "joined"),
    [
        ("lnN", "shape", "shape?"),
        ("shapeN", "lnN", "shapeN?"),
        ("shape?", "lnN", "shape?"),
        ("shape", "shape?", "shape?"),
        ("lnN", "lnU", None),
        ("shape", "shapeN", None),
        ("shapeN?", "shape", None),
    ],
)
def test_kinds_are_joined_as_combine_joins_them(first: str, second: str, joined: str | None) -> None:
    cards = {
        "a": with_rows(ONE, Nuisance("n", first, (1.0, 1.2, None))),
        "b": with_rows(ONE, Nuisance("n", second, (1.0, 1.2, None))),
    }
    if joined is None:
        assert problems_of(cards) == [
            f"card b: nuisance n is {second}, and {first} in card a; these kinds cannot be joined"
        ]
    else:
        assert [row.kind for row in combine_cards(cards).nuisances] == [joined]


def test_numbers_after_the_kind_must_agree() -> None:
    cards = {
        "a": with_rows(ONE, Nuisance("n", "gmN", (0.5, None, None), arguments=(10,))),
        "b": with_rows(ONE, Nuisance("n", "gmN", (0.5, None, None), arguments=(12,))),
    }
    assert problems_of(cards) == ["card b: nuisance n (gmN) has 12 after the kind, and 10 in card a"]


def test_two_rows_of_one_name_in_one_card_stay_two() -> None:
    rows = (Nuisance("n", "lnN", (1.1, None, None)), Nuisance("n", "lnN", (1.2, 1.2, None)))
    card = combine_cards({"a": with_rows(ONE, *rows), "b": with_rows(ONE, rows[0])})
    assert [row.effects for row in card.nuisances] == [
        (None, None, 1.1, None, None, 1.1),
        (1.2, None, 1.2, None, None, None),
    ]


def test_templates_under_another_name_stay_apart() -> None:
    first = with_rows(ONE, Nuisance("n", "shape", (1.0, None, None), template_name="old"))
    card = combine_cards(
        {
            "a": replace(first, shapes=(RULE,)),
            "b": replace(with_rows(ONE, Nuisance("n", "shape", (1.0, None, None))), shapes=(RULE,)),
        }
    )
    assert [row.template_name for row in card.nuisances] == ["old", None]
    assert parse_card(write_card(card)) == card


def test_shapes_are_written_out_for_each_channel_and_rebased(tmp_path: Path) -> None:
    shapes = (
        ShapeRule("*", "*", "$CHANNEL_$TAG.root", "$CHANNEL/$PROCESS", "$CHANNEL/$PROCESS_$SYSTEMATIC"),
        ShapeRule("data_obs", "*", "/data.root", "$PROCESS"),
        ShapeRule("*", "CR", FAKE),
    )
    dump_card(replace(TWO, shapes=shapes), tmp_path / "card.txt")
    card = combine_cards({"b": tmp_path / "card.txt"}, keywords={"TAG": "v2"})
    assert card.shapes == (
        ShapeRule("*", "b_CR", FAKE),
        ShapeRule("*", "b_SR", f"{tmp_path}/SR_v2.root", "SR/$PROCESS", "SR/$PROCESS_$SYSTEMATIC"),
        ShapeRule("data_obs", "b_SR", "/data.root", "$PROCESS"),
    )


def test_counting_cards_join_template_cards_only_on_request() -> None:
    cards = {"a": ONE, "b": replace(TWO, shapes=(RULE,))}
    (problem,) = problems_of(cards)
    assert problem.startswith("card a has no shapes lines and card b has: force shapes lines")
    assert combine_cards(cards, force_shapes=True).shapes[0] == ShapeRule("*", "a", FAKE)


def test_parameters_are_shared_and_formulas_come_last() -> None:
    first = replace(
        ONE,
        parameters=(Parameter("k", 1, 0.1),),
        external_arguments=(ExternalArgument("x", 2),),
        rate_parameters=(
            RateParameter("f", "*", "tt", formula="@0*@1*@2", arguments=("SF", "k", "x")),
            RateParameter("SF", "*", "t*", 1, (0, 5)),
        ),
        constraints=(Constraint("c", "@0", ("k",), 0.5),),
        groups=(Group("g", ("k", "SF")),),
        mc_stats=(AutoMCStats("*", 10),),
        frozen=("k",),
    )
    second = replace(
        TWO,
        parameters=(Parameter("k", 1, 0.1),),
        rate_parameters=(RateParameter("SF", "*", "tt", 1, (0, 5)),),
        groups=(Group("g", ("SF",)), Group("h", ("k",))),
        mc_stats=(AutoMCStats("*", 0), AutoMCStats("CR", 5, include_signal=True)),
    )
    card = combine_cards({"a": first, "b": second})
    assert card.parameters == (Parameter("k", 1, 0.1),)
    assert [(line.name, line.channel, line.process) for line in card.rate_parameters] == [
        ("SF", "a", "tt"),
        ("SF", "b_CR", "tt"),
        ("f", "a", "tt"),
    ]
    assert card.groups == (Group("g", ("k", "SF")), Group("h", ("k",)))
    assert card.mc_stats == (
        AutoMCStats("a", 10),
        AutoMCStats("b_SR", 0),
        AutoMCStats("b_CR", 5, include_signal=True),
    )
    assert card.constraints == first.constraints
    assert card.frozen == ("k",)
    assert combine_cards({"a": first}, drop_constraints=True).constraints == ()
    assert parse_card(write_card(card)) == card


def test_parameters_that_contradict_each_other_are_refused_with_both_places() -> None:
    first = replace(
        ONE,
        parameters=(Parameter("k", 1, 0.1), Parameter("l", 0, (1.0, 2.0))),
        rate_parameters=(RateParameter("SF", "*", "tt", 1, (0, 5)),),
    )
    second = replace(
        ONE,
        parameters=(Parameter("k", 1, 0.2), Parameter("l", 0, (1.0, 2.0))),
        rate_parameters=(RateParameter("SF", "*", "tt", formula="2*@0", arguments=("k",)),),
    )
    assert problems_of({"a": first, "b": second}) == [
        "card b: k is defined by 'k param 1 0.2', and by 'k param 1 0.1' in card a",
        "card b: rateParam SF is 2*@0, and a free parameter in card a",
    ]


def test_a_process_must_be_signal_or_background_in_all_cards() -> None:
    other = Card((Channel("x", 1),), (Column("x", "tt", 0, 1.0), Column("x", "dy", 1, 1.0)))
    assert problems_of({"a": ONE, "b": other}) == [
        "card b: process tt is a signal in channel b, and a background in channel a of card a"
    ]


def test_a_formula_hidden_by_a_parameter_of_another_card_is_refused() -> None:
    first = with_rows(ONE, Nuisance("f", "lnN", (1.1, None, None)))
    second = replace(ONE, rate_parameters=(RateParameter("f", "*", "tt", formula="2*@0", arguments=("r",)),))
    (problem,) = problems_of({"a": first, "b": second})
    assert problem.startswith("rateParam f of channel b is a formula, and another card has a parameter of this name")


def test_channels_are_selected_by_name_or_by_the_label_of_a_single_one() -> None:
    cards = {"SRone": ONE, "b": TWO}
    assert [c.name for c in combine_cards(cards, include_channels=["SR"]).channels] == ["SRone", "b_SR"]
    assert [c.name for c in combine_cards(cards, exclude_channels=["SRone", "C.$"]).channels] == ["b_SR"]
    assert problems_of(cards, include_channels=["XX"]) == ["no channel is left to combine"]
    assert problems_of(cards, include_channels=["("]) == [
        "'(' is not a regular expression: missing ), unterminated subpattern at position 0"
    ]


def test_what_only_dropped_channels_use_vanishes() -> None:
    card = replace(
        TWO,
        nuisances=(Nuisance("cr_only", "lnN", (None, None, 1.1, 1.1)), Nuisance("both", "lnN", (1.1, None, 1.1, None))),
        rate_parameters=(RateParameter("SF", "CR", "tt", 1),),
        groups=(Group("g", ("cr_only", "both", "SF")), Group("h", ("cr_only",))),
        mc_stats=(AutoMCStats("*", 0),),
        frozen=("cr_only",),
    )
    combined = combine_cards({"b": card}, exclude_channels=["CR"])
    assert [row.name for row in combined.nuisances] == ["both"]
    assert combined.rate_parameters == ()
    assert combined.groups == (Group("g", ("both",)),)
    assert combined.mc_stats == (AutoMCStats("b_SR", 0),)
    assert combined.frozen == ()
    formula = RateParameter("f", "SR", "dy", formula="@0", arguments=("SF",))
    (problem,) = problems_of(
        {"b": replace(card, rate_parameters=(*card.rate_parameters, formula))}, exclude_channels=["CR"]
    )
    assert problem.startswith("rateParam f of process dy in channel b_SR needs 'SF', which was dropped")


def test_nuisances_are_excluded_by_the_beginning_of_their_name() -> None:
    card = replace(
        with_rows(ONE, Nuisance("CMS_a", "lnN", (1.1, 1.1, None)), Nuisance("lumi", "lnN", (1.1, 1.1, None))),
        groups=(Group("g", ("CMS_a", "lumi")),),
    )
    combined = combine_cards({"a": card}, exclude_nuisances=["CMS_"])
    assert [row.name for row in combined.nuisances] == ["lumi"]
    assert combined.groups == (Group("g", ("lumi",)),)


def test_a_formula_may_use_a_parameter_of_another_card(tmp_path: Path) -> None:
    control = replace(ONE, rate_parameters=(RateParameter("SF", "*", "tt", 1),))
    dump_card(control, tmp_path / "cr.txt")
    text = write_card(ONE).rstrip() + "\nf rateParam bin1 tt @0 SF\n"
    (tmp_path / "sr.txt").write_text(text)
    card = combine_cards({"SR": tmp_path / "sr.txt", "CR": tmp_path / "cr.txt"})
    assert [line.name for line in card.rate_parameters] == ["SF", "f"]
    with pytest.raises(CardError, match="needs 'SF', which no card defines"):
        combine_cards({"SR": tmp_path / "sr.txt"})


def test_cards_that_cannot_be_read_are_reported_together(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("bin a")
    (tmp_path / "b.txt").write_text("bin b")
    with pytest.raises(CardError) as caught:
        combine_cards({name: tmp_path / f"{name}.txt" for name in ("a", "b", "c")})
    assert [Path(problem.split(":")[0]).name for problem in caught.value.problems] == ["a.txt", "b.txt", "c.txt"]


def test_labels_come_from_arguments_or_positions() -> None:
    assert labelled(["SR=a.txt", "b.txt", ".=c.txt"]) == [("SR", "a.txt"), ("ch2", "b.txt"), (".", "c.txt")]
    assert problems_of({"1SR": ONE}) == ["card 1SR: label '1SR' begins with a digit, which Combine refuses"]
    assert problems_of({}) == ["no cards to combine"]


def test_a_card_given_twice_without_labels_is_refused(tmp_path: Path) -> None:
    card, link, other = (tmp_path / name for name in ("card.txt", "link.txt", "other.txt"))
    dump_card(ONE, card)
    link.symlink_to(card)
    meant = "its events would count twice; if that is meant, give both a label (LABEL=FILE)"
    with pytest.raises(CardError) as caught:
        labelled([str(card), f"A={other}", str(card), f"B={link}", f"C={other}"])
    assert list(caught.value.problems) == [
        f"{card} is given twice: {meant}",
        f"B={link} is the file of {card}: {meant}",
    ]
    assert labelled([f"A={card}", f"B={link}"]) == [("A", str(card)), ("B", str(link))]


def test_cards_that_say_the_same_are_noticed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        dump_card(ONE, tmp_path / folder / "counting.txt")
        dump_card(replace(TWO, shapes=(RULE,)), tmp_path / folder / "shapes.txt")
    first, copy = (tmp_path / folder / "counting.txt" for folder in ("x", "y"))
    combine_cards({"A": first, "B": copy})
    combine_cards({"A": tmp_path / "x/shapes.txt", "B": tmp_path / "x/shapes.txt"})
    combine_cards({"A": tmp_path / "x/shapes.txt", "B": tmp_path / "y/shapes.txt"})  # of other ROOT files
    assert caplog.messages == [
        f"{copy} says the same as {first}: events of A count a second time in B",
        f"{tmp_path}/x/shapes.txt is given twice: events of A_SR, A_CR count a second time in B_SR, B_CR",
    ]


@pytest.mark.parametrize("name", ["template-vhbb-zee", "template-htt-part4"])
def test_a_reference_card_taken_apart_and_joined_again_is_the_same(name: str, shared_folder: Path) -> None:
    """These reference cards were written by `combineCards.py`, so joining their channels gives them again."""
    whole = read_card(shared_folder / "reference" / "cards" / name / "datacard.txt")
    channels = [channel.name for channel in whole.channels]
    parts = [(channel, combine_cards([(".", whole)], include_channels=[f"{channel}$"])) for channel in channels]
    joined = combine_cards(parts)
    assert joined.channels == whole.channels
    assert joined.columns == whole.columns
    assert sorted(joined.nuisances, key=lambda row: row.name) == sorted(whole.nuisances, key=lambda row: row.name)
    assert set(joined.rate_parameters) == set(whole.rate_parameters)
    assert joined.mc_stats == whole.mc_stats


def test_templates_of_a_combination_are_those_of_its_parts(shared_folder: Path) -> None:
    folders = {name: shared_folder / "reference" / "cards" / f"synthetic-{name}" for name in ("plain", "two-channels")}
    card = combine_cards({label.replace("-", "_"): folder / "datacard.txt" for label, folder in folders.items()})
    templates = load_templates(card).templates
    assert list(templates) == ["plain", "two_channels_ch1", "two_channels_cr"]
    parts = {label: load_card(folder / "datacard.txt").templates for label, folder in folders.items()}
    for channel, part in (("plain", parts["plain"]["ch1"]), ("two_channels_cr", parts["two-channels"]["cr"])):
        assert templates[channel].up.tolist() == part.up.tolist()
        assert templates[channel].pairs == part.pairs
