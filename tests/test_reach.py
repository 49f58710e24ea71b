"""Which cells act on which columns, against a loop over all cells."""

from hypothesis import given
from hypothesis import strategies as st
from small_cards import Row, card_of

from pocket_combine.card.model import Effect
from pocket_combine.reach import find_reach
from pocket_combine.templates import Templates

cells = st.sampled_from([None, 0.0, 1.0, 1.1, (0.9, 1.1)])
kinds = st.sampled_from(["lnN", "lnU", "shape", "shapeN", "shape?", "trG", "gmN"])


def expected_place(kind: str, effect: Effect, channel: str, process: str, rate: float, gamma: bool) -> str:
    """Which list a cell of nuisance A is in; templates are there for the background of SR."""
    if effect is None or effect == 0 or (kind in ("lnN", "lnU") and effect == 1):
        return ""
    if rate == 0 and not gamma:
        return ""
    if not kind.startswith("shape"):
        return "number"
    if (channel, process) == ("SR", "bkg") and not isinstance(effect, tuple):
        return "pair"
    if kind == "shape?":
        return "" if effect == 1 else "number"
    return "missing" if channel == "SR" else ""


@given(kinds, st.lists(cells, min_size=5, max_size=5), st.lists(cells, min_size=5, max_size=5))
def test_like_a_loop(kind: str, effects: list[Effect], gammas: list[Effect]) -> None:
    own = Templates.of([0, 1], {"sig": [1.0], "bkg": [9.0]}, {("bkg", "A"): ([10.0], [8.0])})
    places = [("SR", "sig"), ("SR", "bkg"), ("SR", "off"), ("N", "sig"), ("N", "bkg")]
    rows: dict[str, Row] = {
        "A": (kind, dict(zip(places, effects, strict=True))),
        "G": ("gmN", dict(zip(places, gammas, strict=True))),
    }
    rates = {("SR", "off"): 0.0, ("N", "sig"): 1.0, ("N", "bkg"): 3.0}
    card = card_of({"SR": own}, rows, rates=rates)
    gamma = [any(row.kind == "gmN" and row.effects[index] for row in card.nuisances) for index in range(5)]
    found = find_reach(card, {"SR": own})
    lists = {
        "number": {(cell.column, cell.row) for cell in found.numbers},
        "pair": {(cell.column, cell.row) for cell in found.pairs},
        "missing": {(cell.column, cell.row) for cell in found.missing},
    }
    for index, (channel, process) in enumerate(places):
        rate = card.columns[index].rate
        place = expected_place(kind, effects[index], channel, process, rate, gamma[index])
        inside = [name for name, members in lists.items() if (index, 0) in members]
        assert inside == ([place] if place else []), (channel, process)
        assert (index in found.columns) == (rate != 0 or gamma[index])
    assert [cell.pair for cell in found.pairs] == [0] * len(found.pairs)
