"""Time the full set of checks on a card with 100 000 templates.

Prints the ratio to a program that looks at one template after the other: the checks of CMS' `ValidateDatacards.py`
alone, written as loops over nuisances (and NumPy over bins), timed in the same run on a part of the same card.

    python benchmarks/check_cards.py [--channels 26] [--processes 19] [--nuisances 100] [--bins 15]
"""

from __future__ import annotations

import argparse
import resource
import time
from collections import Counter

import numpy as np

from pocket_combine.card.model import AutoMCStats, Card, Channel, Column, Nuisance
from pocket_combine.checks import run_checks, validation_json
from pocket_combine.templates import Templates


def make(channels: int, processes: int, nuisances: int, bins: int) -> tuple[Card, dict[str, Templates]]:
    """Return a card in which every nuisance acts on every column, with smooth variations and some fluctuations."""
    random = np.random.default_rng(1)
    names = tuple(f"process{index:03d}_2018" for index in range(processes))
    sources = tuple(f"CMS_source{index:04d}_2018" for index in range(nuisances))
    templates = {}
    position = np.linspace(-1, 1, bins)
    for number in range(channels):
        values = random.uniform(1, 200, (processes, 1)) * np.exp(-position * random.uniform(0, 2, (processes, 1)))
        pairs = tuple((name, source) for name in names for source in sources)
        nominal = np.repeat(values, nuisances, axis=0)
        slope = random.normal(0, 0.03, (len(pairs), 1)) + position * random.normal(0, 0.03, (len(pairs), 1))
        noise = random.normal(0, 0.01, (2, len(pairs), bins))
        up, down = nominal * (1 + slope + noise[0]), nominal * (1 - slope + noise[1])
        data = random.poisson(values.sum(axis=0)).astype(float)
        arrays = (values, 0.3 * values, pairs, up, down, 0.3 * up, 0.3 * down, data)
        templates[f"SR{number:02d}"] = Templates(np.arange(bins + 1.0), names, *arrays)
    columns = tuple(Column(channel, name, index, -1) for channel in templates for index, name in enumerate(names))
    rows = tuple(Nuisance(name, "shape", (1.0,) * len(columns)) for name in sources)
    card = Card(
        channels=tuple(Channel(channel, -1) for channel in templates),
        columns=columns,
        nuisances=rows,
        mc_stats=(AutoMCStats("*", 10),),
    )
    return card, templates


def one_at_a_time(templates: dict[str, Templates], channels: int) -> int:
    """Return how often the definitions of `ValidateDatacards.py` match, one pair of templates after the other."""
    count = 0
    for channel in list(templates)[:channels]:
        own = templates[channel]
        for index, (process, _) in enumerate(own.pairs):
            nominal, up, down = own.values[own.column_index[process]], own.up[index], own.down[index]
            ratio_up, ratio_down = up.sum() / nominal.sum(), down.sum() / nominal.sum()
            count += (ratio_up > 1 and ratio_down > 1) or (ratio_up < 1 and ratio_down < 1)
            count += abs(ratio_up - 1) > 0.1 or abs(ratio_down - 1) > 0.1
            count += ratio_up == 0 or ratio_down == 0
            nominal, up, down = nominal / nominal.sum(), up / up.sum(), down / down.sum()
            count += abs(ratio_up - ratio_down) < 1e-7 and (2 * abs(up - down) / (abs(up) + abs(down))).max() < 1e-3
            change_up = (2 * abs(up - nominal) / (abs(up) + abs(nominal))).sum()
            change_down = (2 * abs(down - nominal) / (abs(down) + abs(nominal))).sum()
            count += change_up < 1e-3 and change_down < 1e-3
    return count


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("channels", 26), ("processes", 19), ("nuisances", 100), ("bins", 15)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    card, templates = make(options.channels, options.processes, options.nuisances, options.bins)
    count = sum(2 * len(own.pairs) + len(own.columns) for own in templates.values())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    start = time.process_time()
    findings = run_checks(card, templates)
    checks = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    validation_json(card, templates)
    layout = time.process_time() - start

    part = max(options.channels // 10, 1)
    start = time.process_time()
    one_at_a_time(templates, part)
    loop = (time.process_time() - start) * options.channels / part

    print(f"{count} templates in {options.channels} channels of {options.bins} bins: {len(findings)} findings")
    for code, number in Counter(finding.code for finding in findings).most_common():
        print(f"  {number:7d} {code}")
    print(f"all checks: {checks:.2f} s of CPU, {(peak - before) / 1024:.0f} MiB more than the templates")
    print(f"validation.json: {layout:.2f} s of CPU")
    print(f"the checks of ValidateDatacards, one template at a time: {loop:.2f} s of CPU")
    print(f"ratio to the full set of checks: {loop / checks:.1f}, to validation.json: {loop / layout:.1f}")


if __name__ == "__main__":
    main()
