"""Styles: rules, files, colours, and the CMS style that leaves no trace."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pocket_combine.errors import StyleError
from pocket_combine.plotting.palette import PETROFF_10, distinct_colours
from pocket_combine.plotting.style import (
    ChannelRule,
    Labels,
    ParameterRule,
    ProcessRule,
    Style,
    load_style,
    style_text,
)

pytest.importorskip("yaml")

CARD = (["ttH_2017", "ttH_2018", "ttbb_2018", "a.b"], ["ttH_2017", "ttH_2018"], ["SR", "CR+1"])


def test_a_written_style_is_read_back_and_draws_the_same(tmp_path: Path) -> None:
    processes, signals, channels = CARD
    begin = Style(Labels(text="Preliminary", luminosity=138.0, energy="13"), parameters=(ParameterRule("l.*", "lumi"),))
    path = tmp_path / "style.yaml"
    path.write_text(style_text(begin, processes, signals, channels), encoding="utf-8")
    again = load_style(path)
    assert again.labels == begin.labels
    assert again.parameters == begin.parameters
    assert again.groups(processes, signals) == begin.groups(processes, signals)
    assert again.channel("CR+1").label == "CR+1"
    assert [rule.match for rule in again.processes[1:]] == [r"ttbb_20[12]\d(_?([pP]re|[pP]ost)[A-Za-z]+)?", r"a\.b"]


def test_years_are_added_unless_they_are_wanted_apart() -> None:
    names = ["ttH_2016_PreVFP", "ttH_2016_PostVFP", "ttH_2022_preEE", "ttH_2018", "ttH_2018_low"]
    assert [group.label for group in Style().groups(names, names)] == ["ttH", "ttH_2018_low"]
    assert [group.label for group in Style(years=None).groups(names, names)] == names


def test_a_signal_is_never_added_to_backgrounds() -> None:
    style = Style(processes=(ProcessRule("tt.*", "tt"),))
    with pytest.raises(StyleError, match=r"'tt' adds signals \(ttH\) to backgrounds \(ttbb\)"):
        style.groups(["ttH", "ttbb"], ["ttH"])


def test_colours_are_distinct_while_there_are_enough() -> None:
    names = [f"p{number}" for number in range(10)]
    colours = distinct_colours(names, ["p9"], {"p3": PETROFF_10[0].upper()})
    assert len({colour.lower() for colour in colours.values()}) == 10
    assert colours["p9"] == "#bd1f01"
    more = distinct_colours([f"p{number}" for number in range(30)], [], {})
    assert set(list(more.values())[:10]) == set(PETROFF_10)
    assert len(set(more.values())) == 30


def test_a_background_never_has_the_colour_of_a_signal() -> None:
    signals = [f"s{number}" for number in range(9)]
    backgrounds = [f"b{number}" for number in range(25)]
    colours = distinct_colours([*signals, *backgrounds], signals, {})
    assert len({colours[name] for name in signals}) == 9
    assert len({colours[name] for name in backgrounds}) == 21  # seven hues in three tones
    assert not {colours[name] for name in signals} & {colours[name] for name in backgrounds}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("processes: [{match: 'a(', label: a}]", "ProcessRule: 'a(' is not a regular expression"),
        ("processes: [{match: a}]", "style.processes[0]: the field 'label' is missing"),
        (
            "labels: {lumi: 3}",
            "labels: the field 'lumi' is unknown: available: 'energy', 'experiment', 'luminosity', 'text'; ",
        ),
        ("colours: 3", "the field 'colours' is unknown"),
        ("[1, 2]", "expected an object"),
        ("a: [", ".yaml:1: is not YAML: while parsing a flow node: expected the node content, but found"),
        ("labels: !!python/object/apply:os.system [ls]", ".yaml:1: is not YAML: could not determine a constructor"),
        ("channels: [{match: SR, unroll: many}]", "style.channels[0].unroll is 'many', expected int"),
    ],
)
def test_wrong_files_are_refused_with_their_place(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "style.yaml"
    path.write_text(text)
    with pytest.raises(StyleError) as caught:
        load_style(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_missing_and_empty_files(tmp_path: Path) -> None:
    with pytest.raises(StyleError, match="no such file"):
        load_style(tmp_path / "none.yaml")
    (tmp_path / "empty.yaml").write_text("")
    assert load_style(tmp_path / "empty.yaml") == Style()


def test_first_rule_counts() -> None:
    style = Style(channels=(ChannelRule("SR.*", "signal region", "score"), ChannelRule(".*", "other")))
    assert (style.channel("SR_1").label, style.channel("SR_1").quantity) == ("signal region", "score")
    assert style.channel("CR").label == "other"


def test_names_with_dollars_are_no_mathematics() -> None:
    assert Style().parameter("a$x$") == r"a\$x\$"


@pytest.mark.parametrize(
    ("labels", "right"),
    [
        (Labels(), ""),
        (Labels(energy=13.6), "13.6 TeV"),
        (Labels(energy="13, 13.6", luminosity=300.5), "300.5 fb$^{-1}$ (13, 13.6 TeV)"),
        (Labels(luminosity=138), "138 fb$^{-1}$"),
    ],
)
def test_luminosity_and_energy(labels: Labels, right: str) -> None:
    assert labels.right == right


def test_importing_the_package_and_its_plotting_does_not_import_matplotlib() -> None:
    program = "import sys, pocket_combine, pocket_combine.plotting; print('matplotlib' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603  our own
    assert run.stdout == "False\n"
