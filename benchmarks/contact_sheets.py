"""Times contact sheets of 500 panels against the obvious way, one axes of matplotlib for each panel.

    python benchmarks/contact_sheets.py [PANELS]

Prints the seconds of processor time for the pages as PNG, those of the obvious way for one page scaled to all, their
ratio, and the peak memory.
"""

from __future__ import annotations

import io
import resource
import sys
import time

import numpy as np

from pocket_combine.card.model import Card, Channel, Column, Nuisance
from pocket_combine.plotting import contact_sheet_figures, figure_bytes, new_figure, style_context
from pocket_combine.plotting.variations import Variation, largest_variations
from pocket_combine.templates import Templates

PER_PAGE = 30


def large_card(panels: int, bins: int = 20) -> tuple[Card, dict[str, Templates]]:
    """Return a card with a pair of templates for each panel: ten processes in two channels."""
    random = np.random.default_rng(1)
    processes = [f"process_{at}" for at in range(10)]
    nuisances = [f"CMS_nuisance_{at}" for at in range(-(-panels // 20))]
    templates = {}
    for channel in ("SR", "CR"):
        nominal = {name: random.uniform(50, 150, bins) for name in processes}
        varied = {
            (name, nuisance): (nominal[name] * (1 + change), nominal[name] * (1 - change))
            for name in processes
            for nuisance, change in ((nuisance, 0.1 * random.normal(size=bins)) for nuisance in nuisances)
        }
        templates[channel] = Templates.of(np.linspace(0, 1, bins + 1), nominal, varied)
    card = Card(
        (Channel("SR"), Channel("CR")),
        tuple(Column(channel, name, at, -1) for channel in templates for at, name in enumerate(processes)),
        nuisances=tuple(Nuisance(name, "shape", (1.0,) * 20) for name in nuisances),
    )
    return card, templates


def obvious_page(shown: tuple[Variation, ...]) -> bytes:
    """Return a page with an axes for each panel."""
    with style_context():
        figure = new_figure(8.5, 9.3)
        for axes, one in zip(figure.subplots(6, 5).ravel(), shown, strict=False):
            error = one.relative(one.nominal + one.errors)
            axes.stairs(error, one.edges, baseline=-error, fill=True, color="#d0d0d0")
            axes.stairs(one.relative(one.up), one.edges, baseline=None)
            axes.stairs(one.relative(one.down), one.edges, baseline=None)
            axes.set_title(f"{one.nuisance}\n{one.channel}, {one.processes[0]}", size=6, loc="left")
            axes.tick_params(labelsize=6)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=150)
    return buffer.getvalue()


def main(panels: int) -> None:
    """Measure and print."""
    card, templates = large_card(panels)
    start = time.process_time()
    pages = [figure_bytes(figure, "png") for _, figure in contact_sheet_figures(card, templates, most=panels)]
    ours = time.process_time() - start
    shown = largest_variations(card, templates, most=PER_PAGE)
    start = time.process_time()
    obvious_page(shown)
    obvious = (time.process_time() - start) * panels / len(shown)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{panels} panels on {len(pages)} pages: {ours:.1f} s")
    print(f"one axes per panel: {obvious:.1f} s, {obvious / ours:.1f} times as long")
    print(f"peak memory: {memory:.0f} MiB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
