"""Answers do not depend on how a card is written: order, split channels, merged processes, exact rate parameters."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_cards import RULES, shape_card

from pocket_combine.card.model import AutoMCStats, Card, Channel, Column, Nuisance, RateParameter
from pocket_combine.inference.questions import fit, limits
from pocket_combine.inference.workspace import Blinding, make_workspace
from pocket_combine.templates import FloatArray, Templates

RELATIVE = 2e-4
"""Interval ends and limits are found to 1e-5 of their distance from the best fit."""


def answers(card: Card, templates: dict[str, Templates], *, exact: bool = False) -> list[float]:
    """Return r with its interval, and the limits."""
    workspace = make_workspace(card, templates, kind=Blinding.OBSERVED, ranges={"r": (-5.0, 10.0)}, exact=exact)
    interval = fit(workspace).interval("r")
    result = limits(workspace)
    assert result.observed is not None
    bands = [quantile.limit for quantile in result.expected]
    return [interval.low, interval.best, interval.high, result.observed.limit, *bands]


@given(st.integers(0, 10_000))
@settings(max_examples=2, deadline=None)
def test_order_of_channels_processes_and_nuisances(seed: int) -> None:
    card, templates = shape_card(bins=3, seed=seed)
    random = np.random.default_rng(seed)
    order = random.permutation(len(card.columns)).tolist()
    shuffled = dataclasses.replace(
        card,
        channels=tuple(card.channels[at] for at in random.permutation(len(card.channels))),
        columns=tuple(card.columns[at] for at in order),
        nuisances=tuple(
            dataclasses.replace(row, effects=tuple(row.effects[at] for at in order))
            for row in (card.nuisances[at] for at in random.permutation(len(card.nuisances)))
        ),
    )
    assert answers(shuffled, templates) == pytest.approx(answers(card, templates), rel=RELATIVE, abs=1e-3 * RELATIVE)


def bins_of(chosen: slice, names: dict[str, FloatArray], observed: FloatArray) -> Templates:
    parts = {name: values[chosen] for name, values in names.items()}
    edges = np.arange(observed[chosen].size + 1.0)
    variances = {name: values * 0.5 for name, values in parts.items()}
    return Templates.of(edges, parts, observation=observed[chosen], variances=variances)


SIGNAL, BACKGROUND, OBSERVED = np.array([5.0, 12.0, 8.0]), np.array([90.0, 60.0, 30.0]), np.array([99.0, 70.0, 41.0])


def simple_card(channels: tuple[str, ...], processes: tuple[str, ...], **fields: object) -> Card:
    columns = tuple(Column(channel, name, at, -1) for channel in channels for at, name in enumerate(processes))
    effects = tuple(1.05 if column.process == "sig" else 1.1 for column in columns)
    rows = (Nuisance("norm", "lnN", effects),)
    return dataclasses.replace(
        Card(tuple(Channel(name, -1) for name in channels), columns, shapes=RULES, nuisances=rows),
        **fields,  # type: ignore[arg-type]  # any field of a card
    )


def test_splitting_a_channel_in_two() -> None:
    both = {"sig": SIGNAL, "bkg": BACKGROUND}
    stats = {"mc_stats": (AutoMCStats("*", 0.0, hist_mode=2),)}
    whole = answers(simple_card(("a",), ("sig", "bkg"), **stats), {"a": bins_of(slice(None), both, OBSERVED)})
    parts = {"a": bins_of(slice(2), both, OBSERVED), "b": bins_of(slice(2, 3), both, OBSERVED)}
    assert answers(simple_card(("a", "b"), ("sig", "bkg"), **stats), parts) == pytest.approx(whole, rel=RELATIVE)


def test_merging_two_equal_processes() -> None:
    halves = {"sig": SIGNAL, "one": 0.5 * BACKGROUND, "two": 0.5 * BACKGROUND}
    split = answers(simple_card(("a",), ("sig", "one", "two")), {"a": bins_of(slice(None), halves, OBSERVED)})
    both = {"sig": SIGNAL, "bkg": BACKGROUND}
    merged = answers(simple_card(("a",), ("sig", "bkg")), {"a": bins_of(slice(None), both, OBSERVED)})
    # Yields are written in single precision.
    assert split == pytest.approx(merged, rel=RELATIVE)


def test_an_exact_rate_parameter_scales_like_a_rate() -> None:
    tenth = {"sig": SIGNAL, "bkg": 0.1 * BACKGROUND}
    ten = (RateParameter("ten", "a", "bkg", 10.0),)
    frozen = simple_card(("a",), ("sig", "bkg"), rate_parameters=ten, frozen=("ten",))
    scaled = answers(frozen, {"a": bins_of(slice(None), tenth, OBSERVED)}, exact=True)
    plain = {"sig": SIGNAL, "bkg": BACKGROUND}
    wanted = answers(simple_card(("a",), ("sig", "bkg")), {"a": bins_of(slice(None), plain, OBSERVED)}, exact=True)
    assert scaled == pytest.approx(wanted, rel=RELATIVE)
