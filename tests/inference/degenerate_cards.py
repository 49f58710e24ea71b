"""Models at the edge of what can be fitted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from pocket_combine.card.model import AutoMCStats, Card, Channel, Column, Nuisance, ShapeRule
from pocket_combine.card.parser import parse_card
from pocket_combine.inference.workspace import Blinding, Workspace, make_workspace
from pocket_combine.templates import Templates

RULE = ShapeRule("*", "*", "templates.root", "$CHANNEL/$PROCESS", "$CHANNEL/$PROCESS_$SYSTEMATIC")
SHAPE = (Nuisance("s", "shape", (None, 1.0)),)
NORM = (Nuisance("n", "lnN", (None, 1.1)),)


def count(
    observed: float, signal: float, background: float, rows: str = "", control: tuple[float, float] | None = None
) -> Callable[..., Workspace]:
    """One bin with a signal and a background, and perhaps a control region (observed, background)."""
    bins, counts, processes, numbers, rates = ["SR", "SR"], [f"{observed}"], "sig bkg", "0 1", f"{signal} {background}"
    channels = "SR"
    if control is not None:
        channels += " CR"
        bins.append("CR")
        counts.append(f"{control[0]}")
        processes, numbers, rates = f"{processes} bkg", f"{numbers} 1", f"{rates} {control[1]}"
    text = (
        f"imax {len(counts)}\nbin {channels}\nobservation {' '.join(counts)}\nbin {' '.join(bins)}\n"
        f"process {processes}\nprocess {numbers}\nrate {rates}\n{rows}"
    )

    def make(kind: Blinding = Blinding.OBSERVED, **options: Any) -> Workspace:
        return make_workspace(parse_card(text), {}, kind=kind, **options)

    return make


def shapes(
    observed: Sequence[float],
    signal: Sequence[float],
    background: Sequence[float],
    *,
    errors: tuple[Sequence[float], Sequence[float]] | None = None,
    variation: tuple[Sequence[float], Sequence[float]] | None = None,
    nuisances: tuple[Nuisance, ...] = (),
    threshold: float | None = None,
) -> Callable[..., Workspace]:
    """Templates of a signal and a background in one channel; `errors` are those of both, `variation` of the latter."""
    given: Mapping[str, Sequence[float]] = {"sig": signal, "bkg": background}
    variances = None if errors is None else {name: np.square(part) for name, part in zip(given, errors, strict=True)}
    pairs = {} if variation is None else {("bkg", "s"): variation}
    templates = Templates.of(
        np.arange(len(observed) + 1.0), dict(given), pairs, observation=observed, **_optional(variances)
    )
    columns = (Column("c", "sig", 0, -1), Column("c", "bkg", 1, -1))
    stats = () if threshold is None else (AutoMCStats("c", threshold),)
    card = Card((Channel("c", -1),), columns, (RULE,), nuisances, mc_stats=stats)

    def make(kind: Blinding = Blinding.OBSERVED, **options: Any) -> Workspace:
        return make_workspace(card, {"c": templates}, kind=kind, **options)

    return make


def _optional(variances: Any) -> dict[str, Any]:
    return {} if variances is None else {"variances": variances}


TWO_MINIMA = """
imax 2
bin a d
observation 135 94
bin a a d
process sig b b
process 0 1 1
rate 10 100 100
n lnN - 0.88/0.77 0.83/0.83
m lnN - 1.08/1.25 1.09/1.18
"""
"""Both variations of each nuisance point the same way, so that n = 0.3 and n = -1.0 describe the data equally well."""

TWO = "k rateParam * bkg 1\nl rateParam * bkg 1\n"

MODELS: dict[str, Callable[..., Workspace]] = {
    "no data": count(0, 1, 3, "n lnN - 1.1\n"),
    "no data, nothing to fit but r": count(0, 1, 3),
    "no data, free background": count(0, 1, 3, "n lnN 1.1 1.1 1.2\nk rateParam * bkg 1 [0,5]\n", (0, 30)),
    "no expectation in a bin with data": shapes([3, 5], [0, 1], [0, 4]),
    "no expectation in a bin without data": shapes([0, 5], [0, 1], [0, 4]),
    "no expectation, with autoMCStats": shapes([0, 5], [0, 1], [0, 4], errors=([0, 0.3], [0, 0.6]), threshold=0),
    "no expectation at all": shapes([0, 5], [0, 0], [0, 0]),
    "signal alone in a bin with data": shapes([3, 5], [1, 1], [0, 4]),
    "one bin": shapes([5], [1], [4], variation=([5], [3]), nuisances=SHAPE),
    "no nuisances": count(14, 2, 8),
    "signal of rate 0": count(14, 0, 8, "n lnN - 1.1\n"),
    "signal without content": shapes([3, 5], [0, 0], [4, 4], nuisances=NORM),
    "signal that is negligible": count(14, 1e-30, 8, "n lnN - 1.1\n"),
    "signal that is tiny": count(14, 1e-9, 8, "n lnN - 1.1\n"),
    "rate parameters at their bounds": count(14, 2, 8, "k rateParam * bkg 1 [0,2]\n", (300, 100)),
    "anticorrelated nuisances": count(14, 2, 8, "n1 lnN - 1.1\nn2 lnN - 0.9090909090909091\n"),
    "correlated nuisances": count(14, 2, 8, "n1 lnN - 1.1\nn2 lnN - 1.1\n"),
    "two rate parameters of one process": count(14, 2, 8, TWO, (300, 100)),
    "rate parameter of the signal": count(14, 2, 8, "k rateParam SR sig 1 [0,5]\n"),
    "rate parameter beside r in one bin": count(14, 2, 8, "k rateParam SR bkg 1\n"),
    "flat nuisance of the signal alone": count(14, 2, 8, "u lnU 1.5 -\n"),
    "single events": shapes([1, 0, 2], [0.5] * 3, [1.3, 0, 1.3], errors=([0.1] * 3, [1.3, 0, 1.3]), threshold=0),
    "single events, one by one": shapes(
        [1, 0, 2], [0.5] * 3, [1.3, 0, 1.3], errors=([0.1] * 3, [1.3, 0, 1.3]), threshold=10
    ),
    "a billion events": count(10**9, 1e5, 1e9, "n lnN - 1.001\n"),
    "a million events where few are expected": count(10**6, 1, 10),
    "a billionth of an event": count(0, 1e-8, 1e-9, "n lnN - 1.5\n"),
    "one event where a billionth is expected": count(1, 1e-8, 1e-9, "n lnN - 1.5\n"),
    "negative bin": shapes([2, 5], [1, 1], [-0.5, 4], errors=([0.3, 0.3], [0.7, 0.7]), threshold=0),
    "empty sideband": count(2, 1, 0.5, "g gmN 0 - 0.5\n"),
}
