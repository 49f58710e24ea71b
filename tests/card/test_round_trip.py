"""What is written reads back the same, whatever the card."""

from __future__ import annotations

from card_strategies import cards
from hypothesis import given, settings

from pocket_combine.card.model import Card, Channel, Column, Nuisance
from pocket_combine.card.parser import parse_card
from pocket_combine.card.writer import write_card


@settings(max_examples=80, deadline=None)
@given(cards())
def test_parse_is_the_inverse_of_write(card: Card) -> None:
    text = write_card(card)
    read = parse_card(text)
    assert read == card
    assert write_card(read) == text


def test_nuisances_that_share_templates_read_back() -> None:
    columns = (Column("SR+", "s", 0, 1.0), Column("SR+", "b", 1, 2.0), Column("C.R", "b", 1, 3.0))
    card = Card(
        (Channel("SR+", 3), Channel("C.R", 4)),
        columns,
        nuisances=(
            Nuisance("JES_a", "shape", (1.0, None, None), template_name="JES"),
            Nuisance("JES", "shape", (None, 1.0, None)),
            Nuisance("lumi", "lnN", (1.1, 1.1, 1.1)),
            Nuisance("JES_b", "shape", (0.5, None, 0.25), template_name="JES"),
            Nuisance("JES_b", "shape", (None, 2.0, None)),
        ),
    )
    assert parse_card(write_card(card)) == card
