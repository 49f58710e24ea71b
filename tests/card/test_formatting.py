"""Aligning the columns of a card changes blanks and nothing else."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from card_strategies import cards
from hypothesis import given, settings
from hypothesis import strategies as st

from pocket_combine.card.formatting import format_card
from pocket_combine.card.model import Card
from pocket_combine.card.parser import parse_card
from pocket_combine.card.writer import write_card
from pocket_combine.errors import CardError

UGLY = """\
Made by hand  for   the  thesis
imax 1   number of channels   (SR)
jmax *
kmax *
   ------------
shapes * * $CHANNEL.root $PROCESS $PROCESS_$SYSTEMATIC ignored   words
shapes data_obs SR data.root h
# the data
bin\t SR
observation    12

bin SR SR SR
# names
process  signal  dy  top_quark_pairs
process 0 1    2
rate  1.50 20 3e2
-------
lumi lnN 1.02 1.02 1.02#from   the twiki
   # an indented comment
CMS_scale_j[nofloat] shapeN - 0.5 1.0   words  beyond # the columns
sideband gmN 150 - - 2.0
asymmetric  lnN 0.9/1.1 - -
oneword
SF rateParam   SR dy   1   [0,5]   #  free
a param 0 1
all  group =  lumi   CMS_scale_j
* autoMCStats   10 0   1
nuisance edit  freeze   lumi
"""

ALIGNED = """\
Made by hand  for   the  thesis
imax 1 number of channels   (SR)
jmax *
kmax *
   ------------
shapes  *         *   $CHANNEL.root  $PROCESS  $PROCESS_$SYSTEMATIC  ignored   words
shapes  data_obs  SR  data.root      h
# the data
bin          SR
observation  12

bin                            SR       SR    SR
# names
process                        signal   dy    top_quark_pairs
process                        0        1     2
rate                           1.50     20    3e2
-------
lumi                  lnN      1.02     1.02  1.02             #from   the twiki
   # an indented comment
CMS_scale_j[nofloat]  shapeN   -        0.5   1.0              words  beyond # the columns
sideband              gmN 150  -        -     2.0
asymmetric            lnN      0.9/1.1  -     -
oneword
SF rateParam SR dy 1 [0,5]  #  free
a param 0 1
all group = lumi CMS_scale_j
* autoMCStats 10 0 1
nuisance edit freeze lumi
"""


def test_every_kind_of_line() -> None:
    assert format_card(UGLY) == ALIGNED
    assert format_card(ALIGNED) == ALIGNED
    assert parse_card(ALIGNED) == parse_card(UGLY)


def test_line_ends_and_blanks_at_the_end() -> None:
    assert format_card(UGLY.replace("\n", "\r\n") + "\r\n \t\r\n") == ALIGNED
    assert format_card(UGLY.rstrip("\n")) == ALIGNED


def test_observation_below_the_columns() -> None:
    card = "bin a_channel\nprocess s\nprocess 0\nbin x\nobservation 1\nrate 2\n"
    with pytest.raises(CardError):
        format_card(card)
    card = "bin SR SR\nprocess s b\nprocess 0 1\nbin SR\nobservation 1\nrate 2 33\n"
    assert format_card(card) == (
        "bin        SR  SR\nprocess    s   b\nprocess    0   1\nbin          SR\nobservation  1\nrate       2   33\n"
    )


def test_a_card_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(CardError, match=r"card\.txt:7: 'lumi': unknown kind 'lnn'; did you mean 'lnN'"):
        format_card(
            "bin S\nobservation 1\nbin S S\nprocess s b\nprocess 0 1\nrate 1 1\nlumi lnn 1 1", source="card.txt"
        )


@settings(max_examples=30, deadline=None)
@given(cards())
def test_what_the_writer_wrote_stays(card: Card) -> None:
    text = write_card(card, comment="A comment  with blanks\nof two lines")
    assert format_card(text) == text


@settings(max_examples=30, deadline=None)
@given(cards(), st.randoms(use_true_random=False))
def test_only_blanks_change(card: Card, chance: random.Random) -> None:
    text = disarranged(write_card(card), chance)
    formatted = format_card(text)
    assert [line.split() for line in formatted.splitlines()] == [line.split() for line in text.rstrip().splitlines()]
    assert parse_card(formatted) == card
    assert format_card(formatted) == formatted


def disarranged(text: str, chance: random.Random) -> str:
    lines = []
    for line in text.splitlines():
        blanks = [chance.choice((" ", "   ", "\t")) for _ in line.split()]
        lines.append("".join(f"{word}{blank}" for word, blank in zip(line.split(), blanks, strict=True)))
        if chance.random() < 0.2:
            lines.append(chance.choice(("", "# a comment   here", "-----", "#")))
    return "\n".join(lines)


def test_reference_cards(shared_folder: Path) -> None:
    paths = sorted((shared_folder / "reference" / "cards").glob("*/datacard.txt"))
    assert len(paths) > 30
    for path in paths:
        text = path.read_text()
        formatted = format_card(text)
        assert formatted.split() == text.split()
        assert parse_card(formatted) == parse_card(text)
        assert format_card(formatted) == formatted
