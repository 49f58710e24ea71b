"""Cards with templates for the tests of inference: one by hand, and one of any size from a seed."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from pocket_combine.card.model import AutoMCStats, Card, Channel, Column, Effect, Group, Nuisance, ShapeRule
from pocket_combine.card.parser import parse_card
from pocket_combine.inference.workspace import Blinding, Workspace, make_workspace
from pocket_combine.templates import Templates

RULES = (ShapeRule("*", "*", "templates.root", "$CHANNEL/$PROCESS", "$CHANNEL/$PROCESS_$SYSTEMATIC"),)


def counting(nuisances: str, observed: int = 110, **options: Any) -> Workspace:
    """A signal of 10 and a background of 100 in one bin."""
    text = f"imax 1\nbin SR\nobservation {observed}\nbin SR SR\nprocess sig bkg\nprocess 0 1\nrate 10 100\n{nuisances}"
    return make_workspace(parse_card(text), {}, **{"kind": Blinding.OBSERVED, **options})


def shape_card(
    bins: int = 6, nuisances: int = 4, processes: int = 3, channels: int = 2, seed: int = 1, *, mc_stats: bool = True
) -> tuple[Card, dict[str, Templates]]:
    """A peak over falling backgrounds; half of the nuisances are shapes, half log-normals."""
    random = np.random.default_rng(seed)
    names = ["sig", *(f"bkg{number}" for number in range(1, processes))]
    shapes = [f"shape{number}" for number in range(nuisances // 2)]
    x = (np.arange(bins) + 0.5) / bins
    templates, columns, counts = {}, [], []
    for channel in [f"ch{number}" for number in range(channels)]:
        nominal = {name: 400 / number * np.exp(-x * (1 + number / 2)) for number, name in enumerate(names) if number}
        nominal = {"sig": 30 * np.exp(-0.5 * ((x - 0.6) / 0.15) ** 2) + 0.1, **nominal}
        pairs = {}
        for name in names:
            for number, shape in enumerate(shapes):
                if name == "sig" or random.random() < 0.5:
                    change = random.normal(0, 0.03) * np.sin(3 * x + number) + random.normal(0, 0.01)
                    pairs[name, shape] = (nominal[name] * (1 + change), nominal[name] * (1 - change))
        observation = random.poisson(sum(nominal.values())).astype(float)
        errors = {name: values * 0.5 for name, values in nominal.items()}
        part = Templates.of(np.linspace(0, 1, bins + 1), nominal, pairs)
        variances = np.array([errors[name] for name in part.columns])
        templates[channel] = dataclasses.replace(part, observation=observation, variances=variances)
        counts.append(Channel(channel, float(observation.sum())))
        columns += [Column(channel, name, number, float(nominal[name].sum())) for number, name in enumerate(names)]
    rows = []
    for shape in shapes:
        cells: list[Effect] = [
            1.0 if (column.process, shape) in templates[column.channel].pairs else None for column in columns
        ]
        rows.append(Nuisance(shape, "shape", tuple(cells)))
    for number in range(nuisances - len(shapes)):
        cells = [1.0 + round(float(random.uniform(0.01, 0.1)), 4) if random.random() < 0.5 else None for _ in columns]
        cells[number % len(cells)] = 1.05
        rows.append(Nuisance(f"norm{number}", "lnN", tuple(cells)))
    card = Card(
        tuple(counts),
        tuple(columns),
        shapes=RULES,
        nuisances=tuple(rows),
        groups=(Group("shapes", tuple(shapes)),) if shapes else (),
        mc_stats=tuple(AutoMCStats(channel.name, 10.0) for channel in counts) if mc_stats else (),
    )
    return card, templates


def shape_workspace(kind: Blinding = Blinding.OBSERVED, **sizes: Any) -> Workspace:
    """A workspace of such a card, whose signal may be negative."""
    card, templates = shape_card(**sizes)
    return make_workspace(card, templates, kind=kind, ranges={"r": (-5.0, 10.0)})
