"""Time to read a large combined card and to write it back, beside splitting its text into words.

Run with `python benchmarks/parse_card.py [ROWS COLUMNS]`. The default, 400 rows for 250 columns, makes a text of
about 3 MB with the long names of a real combination.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from pocket_combine.card.model import AutoMCStats, Card, Channel, Column, Effect, Nuisance, RateParameter
from pocket_combine.card.parser import parse_card
from pocket_combine.card.writer import write_card

_Result = TypeVar("_Result")


def make_card(rows: int, columns: int) -> Card:
    """Return a card whose cells are half empty and half log-normal, every tenth with two numbers."""
    random = np.random.default_rng(0)
    processes = 10
    channels = [f"SR_high_dnn_score_2jets_{number}_run3" for number in range(columns // processes)]
    names = [("signal", 0)] + [(f"a_background_{number}_2022_postEE", number) for number in range(1, processes)]
    cells = [Column(channel, name, index, random.uniform(1, 1000)) for channel in channels for name, index in names]
    nuisances = []
    for number in range(rows):
        effects: list[Effect] = [None] * len(cells)
        for index in np.flatnonzero(random.random(len(cells)) < 0.5).tolist():
            kappa = round(random.uniform(1.001, 1.2), 4)
            effects[index] = kappa if random.random() < 0.9 else (kappa, round(2 - kappa, 4))
        nuisances.append(Nuisance(f"CMS_a_systematic_uncertainty_{number}_2022_postEE", "lnN", tuple(effects)))
    return Card(
        tuple(Channel(channel, 100) for channel in channels),
        tuple(cells),
        nuisances=tuple(nuisances),
        rate_parameters=(RateParameter("SF", "*", "a_background_1*", 1.0, (0, 5)),),
        mc_stats=tuple(AutoMCStats(channel, 10) for channel in channels),
    )


def split_and_join(text: str) -> str:
    """Return the text with every line split into words and joined again: the least that any reader and writer do."""
    return "\n".join("  ".join(f"{word:<40}" for word in line.split()) for line in text.split("\n"))


def best_of(function: Callable[[], _Result], repeats: int = 5) -> tuple[float, _Result]:
    """Return the shortest CPU time of several calls, in seconds, and the result."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        result = function()
        times.append(time.process_time() - start)
    return min(times), result


def main() -> None:
    """Print times, their ratio to the baseline, and peak memory."""
    rows, columns = map(int, sys.argv[1:3]) if len(sys.argv) > 2 else (400, 250)
    card = make_card(rows, columns)
    text = write_card(card)
    print(f"{rows} rows x {columns} columns, {len(text) / 1e6:.1f} MB")
    baseline, _ = best_of(lambda: split_and_join(text))
    parsing, read = best_of(lambda: parse_card(text))
    writing, _ = best_of(lambda: write_card(card))
    if read != card:
        raise SystemExit("the card did not read back the same")
    print(f"splitting and joining words  {baseline:6.3f} s")
    print(f"parse_card                   {parsing:6.3f} s")
    print(f"write_card                   {writing:6.3f} s")
    print(f"both / baseline              {(parsing + writing) / baseline:6.2f}")
    print(f"peak memory                  {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:6.0f} MB")


if __name__ == "__main__":
    main()
