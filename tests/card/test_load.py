"""Templates of a card: which histogram is read for what, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pocket_combine.card.load import acts_as_shape, load_card, load_templates
from pocket_combine.card.model import FAKE, AutoMCStats, Card, Channel, Column, Nuisance, ShapeRule
from pocket_combine.card.writer import dump_card
from pocket_combine.errors import CardError
from pocket_combine.io.root import HistogramBlock, write_histograms

EDGES = [0.0, 1.0, 3.0]
RULE = ShapeRule("*", "*", "shapes.root", "$CHANNEL/$PROCESS", "$CHANNEL/$PROCESS_$SYSTEMATIC")
CARD = Card(
    (Channel("SR", -1),),
    (Column("SR", "sig", 0, -1), Column("SR", "bkg", 1, 30), Column("SR", "none", 2, 0)),
    shapes=(RULE,),
)
HISTOGRAMS = {"SR/sig": [1.0, 2.0], "SR/bkg": [10.0, 20.0], "SR/data_obs": [12.0, 21.0]}


def write_file(folder: Path, histograms: dict[str, list[float]], name: str = "shapes.root") -> None:
    blocks = [HistogramBlock([path], EDGES, [values], [np.abs(values) / 4]) for path, values in histograms.items()]
    write_histograms(folder / name, blocks)


def problems_of(card: Card, folder: Path, **arguments: object) -> tuple[str, ...]:
    with pytest.raises(CardError) as caught:
        load_templates(card, directory=folder, **arguments)  # type: ignore[arg-type] # mass or keywords
    return tuple(problem.replace(f"{folder}/", "") for problem in caught.value.problems)


def with_row(row: Nuisance, card: Card = CARD) -> Card:
    return replace(card, nuisances=(*card.nuisances, row))


def test_contents_variances_and_pairs_end_up_in_their_rows(tmp_path: Path) -> None:
    varied = {
        "SR/bkg_JESUp": [11.0, 22.0],
        "SR/bkg_JESDown": [9.0, 18.0],
        "SR/sig_AUp": [2.0, 2.0],
        "SR/sig_ADown": [1.0, 1.5],
    }
    write_file(tmp_path, HISTOGRAMS | varied)
    card = with_row(Nuisance("JES", "shape", (None, 1.0, 1.0)), with_row(Nuisance("A", "shapeN", (0.5, None, None))))
    dump_card(card, tmp_path / "card.txt")
    loaded = load_card(tmp_path / "card.txt")
    templates = loaded.templates["SR"]
    assert templates.columns == ("sig", "bkg")  # the process with rate 0 has no template and needs none
    assert templates.edges.tolist() == EDGES
    assert templates.values.tolist() == [[1, 2], [10, 20]]
    assert templates.variances.tolist() == [[0.25, 0.5], [2.5, 5]]
    assert templates.pairs == (("sig", "A"), ("bkg", "JES"))
    assert templates.up.tolist() == [[2, 2], [11, 22]]
    assert templates.down.tolist() == [[1, 1.5], [9, 18]]
    assert templates.observation is not None
    assert templates.observation.tolist() == [12, 21]
    assert loaded.card == card


def test_files_are_found_from_the_current_folder_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    write_file(there, HISTOGRAMS)
    monkeypatch.chdir(here)
    assert load_templates(CARD, directory=there).templates["SR"].values[0].tolist() == [1, 2]
    write_file(here, HISTOGRAMS | {"SR/sig": [3.0, 4.0]})
    assert load_templates(CARD, directory=there).templates["SR"].values[0].tolist() == [3, 4]


def test_words_are_filled_in(tmp_path: Path) -> None:
    histograms = {f"v2_SR_{process.split('/')[1]}125": values for process, values in HISTOGRAMS.items()}
    write_file(tmp_path, histograms, "in_SR_125.root")
    card = replace(CARD, shapes=(ShapeRule("*", "*", "in_$CHANNEL_$MASS.root", "$TAG_$CHANNEL_$PROCESS$MASS"),))
    loaded = load_templates(card, directory=tmp_path, mass=125.0, keywords={"TAG": "v2"})
    assert loaded.templates["SR"].values[1].tolist() == [10, 20]
    text = "'shapes * * in_$CHANNEL_$MASS.root $TAG_$CHANNEL_$PROCESS$MASS'"
    assert problems_of(card, tmp_path) == (
        f"{text} holds $MASS; give the mass that it stands for: `-m 125`, or `mass=125` in Python",
    )
    many = replace(CARD, shapes=tuple(ShapeRule(f"p{number}", "SR", "in.root", "$PROCESS$MASS") for number in range(7)))
    lines = ", ".join(f"'shapes p{number} SR in.root $PROCESS$MASS'" for number in range(5))
    assert problems_of(many, tmp_path) == (
        f"{lines}, and 2 more shapes lines, hold $MASS; give the mass that it stands for: `-m 125`, or `mass=125` in "
        "Python",
    )
    (problem, *_) = problems_of(card, tmp_path, mass=125.0)
    assert problem.endswith("; $TAG_SR_sig125 is not filled in: give its value as a keyword")
    assert problems_of(card, tmp_path, keywords={"MASS": "1"}) == (
        "keyword MASS is filled in by Combine itself; choose another word",
    )


def test_counting_channels_have_no_templates(tmp_path: Path) -> None:
    write_file(tmp_path, HISTOGRAMS)
    card = Card(
        (*CARD.channels, Channel("CR", 3)),
        (*CARD.columns, Column("CR", "bkg", 1, 2.5)),
        shapes=(RULE, ShapeRule("*", "CR", FAKE)),
    )
    assert list(load_templates(card, directory=tmp_path).templates) == ["SR"]


def test_an_optional_shape_is_a_shape_where_there_is_a_template(tmp_path: Path) -> None:
    write_file(tmp_path, HISTOGRAMS | {"SR/bkg_JESUp": [11.0, 22.0], "SR/bkg_JESDown": [9.0, 18.0]})
    row = Nuisance("JES", "shape?", (1.07, 1.0, None))
    templates = load_templates(with_row(row), directory=tmp_path).templates["SR"]
    assert [acts_as_shape(row, process, templates) for process in ("sig", "bkg")] == [False, True]
    pair = Nuisance("JES", "shape?", (None, (0.9, 1.1), None))
    assert problems_of(with_row(pair), tmp_path) == (
        "channel SR, process bkg, nuisance JES: the cell 0.9/1.1 is a log-normal, "
        "but there is a template 'SR/bkg_JESUp'",
    )


def test_an_optional_shape_with_one_template_is_noticed(tmp_path: Path) -> None:
    row = Nuisance("JES", "shape?", (1.07, 1.0, None))
    write_file(tmp_path, HISTOGRAMS | {"SR/bkg_JESDown": [9.0, 18.0]})
    loaded = load_templates(with_row(row), directory=tmp_path)
    assert [finding.code for finding in loaded.findings] == ["down-without-up"]
    write_file(tmp_path, HISTOGRAMS | {"SR/bkg_JESUp": [9.0, 18.0]})
    (problem,) = problems_of(with_row(row), tmp_path)
    assert problem.startswith("channel SR, process bkg, nuisance JES Down: shapes.root: ")
    assert "histogram 'SR/bkg_JESDown' is not in the file, did you mean 'SR/bkg_JESUp'" in problem


def test_templates_of_a_renamed_nuisance_keep_their_name(tmp_path: Path) -> None:
    write_file(tmp_path, HISTOGRAMS | {"SR/bkg_JESUp": [11.0, 22.0], "SR/bkg_JESDown": [9.0, 18.0]})
    card = with_row(Nuisance("CMS_scale_j", "shape", (None, 1.0, None), template_name="JES"))
    assert load_templates(card, directory=tmp_path).templates["SR"].pairs == (("bkg", "CMS_scale_j"),)


def test_missing_templates_say_what_was_looked_up_and_why(tmp_path: Path) -> None:
    write_file(tmp_path, {name.replace("bkg", "bkgd"): values for name, values in HISTOGRAMS.items()})
    rule = "'shapes * * shapes.root $CHANNEL/$PROCESS $CHANNEL/$PROCESS_$SYSTEMATIC'"
    missing = problems_of(with_row(Nuisance("JES", "shape", (None, 1.0, None))), tmp_path)
    assert [problem.split(": ")[0] for problem in missing] == [
        "channel SR, process bkg",
        "channel SR, process bkg, nuisance JES Up",
        "channel SR, process bkg, nuisance JES Down",
    ]
    assert missing[0] == (
        "channel SR, process bkg: shapes.root: histogram 'SR/bkg' is not in the file, "
        f"did you mean 'SR/bkgd' or 'SR/sig'? (from {rule})"
    )


def test_a_missing_file_is_reported_once_with_the_rule(tmp_path: Path) -> None:
    assert problems_of(CARD, tmp_path) == (
        "channel SR, process sig, 'shapes * * shapes.root $CHANNEL/$PROCESS $CHANNEL/$PROCESS_$SYSTEMATIC': "
        "shapes.root: no such file, neither from the current folder nor beside the card",
    )


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"SR/bkg": [10.0, 21.0]},
            "process bkg: the rate 30 disagrees with the integral 31 of 'SR/bkg' by more than 1%",
        ),
        ({"SR/sig": [0.0, 0.0]}, "process sig: the template 'SR/sig' is empty; set the rate to 0"),
        ({"SR/sig": [1.0, -2.0]}, "process sig: the integral of the template 'SR/sig' is negative: -1"),
        ({"SR/bkg_JESDown": [1.0, -1.0]}, "nuisance JES: the integral of the template Down is 0, expected"),
    ],
)
def test_numbers_that_combine_refuses(changed: dict[str, list[float]], message: str, tmp_path: Path) -> None:
    varied = {"SR/bkg_JESUp": [11.0, 22.0], "SR/bkg_JESDown": [9.0, 18.0]}
    write_file(tmp_path, HISTOGRAMS | varied | changed)
    (problem,) = problems_of(with_row(Nuisance("JES", "shape", (None, 1.0, None))), tmp_path)
    assert problem.startswith("channel SR, ")
    assert message in problem


def test_integrals_need_not_exist_without_renormalisation(tmp_path: Path) -> None:
    write_file(tmp_path, HISTOGRAMS | {"SR/sig": [0.0, 0.0]})
    card = replace(CARD, mc_stats=(AutoMCStats("*", 0, hist_mode=2),))
    assert load_templates(card, directory=tmp_path).templates["SR"].integrals().tolist() == [0, 30]


@pytest.mark.parametrize(("observed", "accepted"), [(-1, True), (33, True), (33.2, False), (0, False)])
def test_the_observation_must_agree_with_the_data(observed: float, accepted: bool, tmp_path: Path) -> None:
    write_file(tmp_path, HISTOGRAMS)
    card = replace(CARD, channels=(Channel("SR", observed),))
    if accepted:
        load_templates(card, directory=tmp_path)
    else:
        (problem,) = problems_of(card, tmp_path)
        assert problem.startswith("channel SR: the observation ")


def test_different_binnings_and_bad_numbers_are_named(tmp_path: Path) -> None:
    blocks = [
        HistogramBlock(["SR/sig"], EDGES, [[1.0, 2.0]]),
        HistogramBlock(["SR/bkg"], [0, 1, 2], [[10.0, 20.0]]),
        HistogramBlock(["SR/data_obs"], [0, 1, 2, 3], [[1.0, 2.0, 30.0]]),
    ]
    write_histograms(tmp_path / "shapes.root", blocks)
    rule = "'shapes * * shapes.root $CHANNEL/$PROCESS $CHANNEL/$PROCESS_$SYSTEMATIC'"
    assert problems_of(CARD, tmp_path) == (
        "channel SR, process bkg: 'SR/bkg' has 2 bins with edges 0.0, 1.0, 2.0, but 'SR/sig' of process sig has "
        f"2 bins with edges 0.0, 1.0, 3.0 (from {rule})",
        "channel SR, process data_obs: 'SR/data_obs' has 3 bins with edges 0.0, 1.0, 2.0, 3.0, but 'SR/sig' of "
        f"process sig has 2 bins with edges 0.0, 1.0, 3.0 (from {rule})",
    )


def test_numbers_that_are_not_finite_are_named(tmp_path: Path) -> None:
    uproot = pytest.importorskip("uproot")
    with uproot.recreate(tmp_path / "shapes.root") as file:
        for name, values in (HISTOGRAMS | {"SR/bkg": [10.0, float("nan")]}).items():
            file[name] = (np.array(values), np.array(EDGES))
    assert problems_of(CARD, tmp_path) == (
        "channel SR, process bkg: content of 'SR/bkg' in shapes.root is not finite in bin 1 (counted from 0)",
        "channel SR, process bkg: variance of 'SR/bkg' in shapes.root is not finite in bin 1 (counted from 0)",
    )


def test_a_sideband_is_compared_with_the_integral(tmp_path: Path) -> None:
    write_file(tmp_path, HISTOGRAMS | {"SR/bkg": [5.0, 5.0]})
    card = replace(CARD, columns=(CARD.columns[0], Column("SR", "bkg", 1, -1)))
    row = Nuisance("side", "gmN", (None, 0.5), arguments=(10,))
    assert problems_of(replace(card, nuisances=(row,)), tmp_path) == (
        "channel SR, process bkg, nuisance side (gmN): N * alpha = 5 disagrees with the integral 10",
    )
