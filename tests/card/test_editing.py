"""Edits of a card and its templates, and the pair of files that holds them afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pocket_combine.card.editing import (
    freeze,
    group,
    scale_processes,
    select_channels,
    select_nuisances,
    select_processes,
)
from pocket_combine.card.load import load_card, load_templates
from pocket_combine.card.model import (
    FAKE,
    AutoMCStats,
    Card,
    Channel,
    Column,
    Constraint,
    Group,
    Nuisance,
    Parameter,
    RateParameter,
    ShapeRule,
)
from pocket_combine.card.pair import ChannelTemplates, Pair, dump_pair
from pocket_combine.card.renaming import rename_channels, rename_nuisances, rename_processes
from pocket_combine.errors import CardError
from pocket_combine.io.root import write_templates
from pocket_combine.templates import Templates

CARD = Card(
    (Channel("SR", -1), Channel("CR", -1), Channel("N", 4)),
    (
        Column("SR", "sig", 0, -1),
        Column("SR", "tt", 1, 30),
        Column("CR", "tt", 1, -1),
        Column("CR", "dy", 2, -1),
        Column("N", "dy", 2, 3.5),
    ),
    shapes=(
        ShapeRule("*", "*", "shapes.root", "$CHANNEL/$PROCESS", "$CHANNEL/$PROCESS_$SYSTEMATIC"),
        ShapeRule("*", "N", FAKE),
    ),
    nuisances=(
        Nuisance("lumi", "lnN", (1.02, 1.02, 1.02, 1.02, 1.02)),
        Nuisance("JES_a", "shape", (None, 1.0, None, None, None)),
        Nuisance("JES_b", "shape", (None, None, 1.0, 0.5, None)),
        Nuisance("side", "gmN", (None, None, None, None, 0.35), arguments=(10,)),
    ),
    parameters=(Parameter("k", 1, 0.1),),
    rate_parameters=(
        RateParameter("SF_tt", "*", "t*", 1, (0, 5)),
        RateParameter("f", "CR", "dy", formula="@0*@1", arguments=("k", "SF_tt")),
    ),
    constraints=(Constraint("c", "k-SF_tt", (), 0.5),),
    groups=(Group("g", ("lumi", "JES_a", "SF_tt")),),
    mc_stats=(AutoMCStats("?R*", 10),),
    frozen=("k",),
)
TEMPLATES = {
    "SR": Templates.of(
        [0, 1, 2], {"sig": [1, 2], "tt": [10, 20]}, {("tt", "JES_a"): ([11, 22], [9, 18])}, observation=[12, 21]
    ),
    "CR": Templates.of(
        [0, 1, 3],
        {"tt": [5, 6], "dy": [7, 8]},
        {("tt", "JES_b"): ([6, 6], [5, 5]), ("dy", "JES_b"): ([8, 8], [7, 7])},
        observation=[11, 15],
    ),
}


def same(first: ChannelTemplates, second: ChannelTemplates) -> bool:
    arrays = ("edges", "values", "variances", "up", "down", "up_variances", "down_variances", "observation")
    return list(first) == list(second) and all(
        first[name].columns == second[name].columns
        and first[name].pairs == second[name].pairs
        and all(getattr(first[name], array).tolist() == getattr(second[name], array).tolist() for array in arrays)
        for name in first
    )


@pytest.mark.parametrize(
    "edit",
    [
        lambda: (CARD, dict(TEMPLATES)),
        lambda: rename_channels(CARD, TEMPLATES, {"SR": "signal_region", "CR": "SR"}),
        lambda: rename_processes(CARD, TEMPLATES, {"tt": "ttbar", "sig": "ggH"}),
        lambda: rename_nuisances(CARD, TEMPLATES, {"JES_a": "zz_JES", "JES_b": "a_JES", "SF_tt": "SF"}),
        lambda: rename_nuisances(CARD, TEMPLATES, {"JES_a": "JES", "JES_b": "JES"}),
        lambda: select_channels(CARD, TEMPLATES, ["?R", "N"]),
        lambda: select_nuisances(CARD, TEMPLATES, ["lumi", "JES_b", "k"]),
    ],
    ids=["as it is", "channels", "processes", "nuisances", "joined", "select channels", "select nuisances"],
)
def test_an_edited_card_reads_the_old_files_and_the_pair_reads_back(edit: Callable[[], Pair], tmp_path: Path) -> None:
    write_templates(tmp_path / "shapes.root", TEMPLATES, layout="directories")
    card, templates = edit()
    assert same(load_templates(card, directory=tmp_path).templates, templates)
    written = dump_pair(card, templates, tmp_path / "new.txt")
    read = load_card(tmp_path / "new.txt")
    assert read.card == written
    assert same(read.templates, templates)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.root", "new.txt", "shapes.root"]


def test_channels_are_renamed_everywhere() -> None:
    card, templates = rename_channels(CARD, TEMPLATES, {"SR": "A"})
    assert [channel.name for channel in card.channels] == ["A", "CR", "N"]
    assert [column.channel for column in card.columns] == ["A", "A", "CR", "CR", "N"]
    assert [(line.name, line.channel) for line in card.rate_parameters] == [
        ("SF_tt", "A"),
        ("SF_tt", "CR"),
        ("f", "CR"),
    ]
    assert [line.channel for line in card.mc_stats] == ["A", "CR"]
    assert list(templates) == ["A", "CR"]


def test_nuisances_are_renamed_everywhere_and_joined() -> None:
    names = {"JES_a": "JES", "JES_b": "JES", "SF_tt": "SF", "k": "kappa"}
    card, templates = rename_nuisances(CARD, TEMPLATES, names)
    rows = {(row.name, row.template_name): row.effects for row in card.nuisances}
    assert rows[("JES", "JES_a")] == (None, 1.0, None, None, None)
    assert rows[("JES", "JES_b")] == (None, None, 1.0, 0.5, None)
    assert card.rate_parameters[1].arguments == ("kappa", "SF")
    assert card.constraints[0].formula == "kappa-SF"
    assert card.groups == (Group("g", ("lumi", "JES", "SF")),)
    assert card.frozen == ("kappa",)
    assert templates["CR"].pairs == (("tt", "JES"), ("dy", "JES"))


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda: rename_channels(CARD, {}, {"SRR": "A"}), "no channel 'SRR'; did you mean 'SR'?"),
        (lambda: rename_channels(CARD, {}, {"SR": "CR"}), "CR and SR cannot both be channel CR"),
        (lambda: rename_processes(CARD, {}, {"tt": "dy"}), "dy and tt cannot both be process dy"),
        (lambda: rename_nuisances(CARD, {}, {"JES": "x"}), "no parameter 'JES'; "),
        (lambda: rename_nuisances(CARD, {}, {"lumi": "k"}), "k and lumi cannot both be k: only rows"),
        (
            lambda: rename_nuisances(CARD, {}, {"JES_a": "lumi"}),
            "lumi is lnN and JES_a is shape: they cannot both be lumi",
        ),
        (lambda: select_channels(CARD, {}, ["X*"]), "no channel matches 'X*'; "),
        (lambda: select_channels(CARD, {}, ["N"]), "constr c needs 'SF_tt', which was dropped"),
        (
            lambda: select_nuisances(CARD, {}, ["lumi"]),
            "rateParam f of process dy in channel CR needs 'k', which was dropped",
        ),
        (lambda: scale_processes(CARD, {}, {"tt": 0}), "factor 0 for tt: expected a number above 0"),
        (lambda: scale_processes(CARD, {}, {"tt": 2, "t*": 3}), "process tt matches several patterns"),
        (lambda: freeze(CARD, ["JEC*"]), "no parameter matches 'JEC*'; "),
    ],
)
def test_edits_that_make_no_sense_are_refused(edit: Callable[[], object], message: str) -> None:
    with pytest.raises(CardError) as caught:
        edit()
    assert message in str(caught.value)


def test_two_nuisances_on_one_column_are_not_joined() -> None:
    rows = (Nuisance("a", "lnN", (1.1, 1.1, None, None, None)), Nuisance("b", "lnN", (None, 1.2, 1.2, None, None)))
    with pytest.raises(CardError, match="a and b both act on process tt in channel SR: they cannot both be ab"):
        rename_nuisances(replace(CARD, nuisances=rows, groups=()), {}, {"a": "ab", "b": "ab"})
    # Each of them has templates of its own.
    shapes = tuple(replace(row, kind="shape") for row in rows)
    with pytest.raises(CardError, match="a and b both act on process tt in channel SR: they cannot both be b"):
        rename_nuisances(replace(CARD, nuisances=shapes, groups=()), TEMPLATES, {"a": "b"})


def test_selected_processes_take_their_templates_along(tmp_path: Path) -> None:
    card = replace(CARD, rate_parameters=CARD.rate_parameters[:1], constraints=())
    card, templates = select_processes(card, TEMPLATES, ["sig", "tt"])
    assert [(column.channel, column.process) for column in card.columns] == [("SR", "sig"), ("SR", "tt"), ("CR", "tt")]
    assert [channel.name for channel in card.channels] == ["SR", "CR"]
    assert [row.name for row in card.nuisances] == ["lumi", "JES_a", "JES_b"]
    assert templates["CR"].pairs == (("tt", "JES_b"),)
    assert templates["CR"].values.tolist() == [[5, 6]]
    assert templates["CR"].up.tolist() == [[6, 6]]


def test_scaling_scales_rates_templates_and_sidebands(tmp_path: Path) -> None:
    card, templates = scale_processes(CARD, TEMPLATES, {"tt": 2.0, "dy": 10.0}, channel="[SN]*")
    assert [column.rate for column in card.columns] == [-1, 60, -1, -1, 35]
    assert templates["SR"].values.tolist() == [[1, 2], [20, 40]]
    assert templates["SR"].variances.tolist() == [[1, 2], [40, 80]]
    assert templates["SR"].up.tolist() == [[22, 44]]
    assert templates["SR"].down_variances.tolist() == [[36, 72]]
    assert templates["CR"].values.tolist() == [[5, 6], [7, 8]]
    assert card.nuisances[3].effects[-1] == 3.5
    dump_pair(card, templates, tmp_path / "card.txt")
    assert load_card(tmp_path / "card.txt").templates["SR"].values.tolist() == [[1, 2], [20, 40]]


def test_freezing_and_grouping_by_pattern() -> None:
    assert freeze(CARD, ["JES*", "SF*"]).frozen == ("k", "JES_a", "JES_b", "SF_tt")
    card = group(group(CARD, "g", ["side"]), "jets", ["JES*"])
    assert card.groups == (Group("g", ("lumi", "JES_a", "SF_tt", "side")), Group("jets", ("JES_a", "JES_b")))


def test_a_pair_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    bad = replace(CARD, channels=(Channel("SR", float("nan")), *CARD.channels[1:]))
    with pytest.raises(CardError):
        dump_pair(bad, TEMPLATES, tmp_path / "card.txt")
    assert not list(tmp_path.iterdir())
