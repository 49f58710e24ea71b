"""Draws a channel of a written card: expected events by process, their uncertainty before the fit, and the data.

From the project's folder:

    pocket-combine demo demo
    python docs/figures/sr_stack.py demo/datacards/datacard_SR_run3.txt docs/figures/sr_stack.svg
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from pocket_combine.card.load import load_card
from pocket_combine.card.model import Card, Effect, is_shape_kind
from pocket_combine.templates import FloatArray, Templates

# Colours that stay apart for readers with a colour vision deficiency (Petroff, arXiv:2107.02270).
COLOURS = ["#717581", "#b9ac70", "#e76300", "#a96b59", "#94a4a2", "#832db6", "#ffa90e", "#3f90da"]
SIGNAL, SIGNAL_COLOUR = "ttH", "#bd1f01"
AXIS_LABEL = "Discriminant"


def process_totals(templates: Templates, years: Sequence[str]) -> dict[str, FloatArray]:
    """Return `total[bin]`, in events, by process: the sum of its columns of all years."""
    totals: dict[str, FloatArray] = {}
    for row, column in enumerate(templates.columns):
        name = next(column.removesuffix(f"_{year}") for year in years if column.endswith(f"_{year}"))
        totals[name] = totals.get(name, np.zeros(templates.bins)) + templates.values[row]
    return totals


def prefit_uncertainty(card: Card, templates: Templates) -> FloatArray:
    """Return `sigma[bin]`, in events: all nuisances and the size of the samples, added in quadrature.

    A nuisance counts with half the distance of its Up and Down totals: it moves all columns together. Parameters
    without a constraint (rate parameters) have no uncertainty before the fit and are left out.
    """
    variance: FloatArray = templates.variances.sum(axis=0)
    for nuisance in card.nuisances:
        effects = dict(zip((column.process for column in card.columns), nuisance.effects, strict=True))
        shifts = np.zeros((2, templates.bins))
        for up, down in column_shifts(nuisance.name, nuisance.kind, effects, templates):
            shifts += np.stack([up, down])
        variance = variance + ((shifts[0] - shifts[1]) / 2.0) ** 2
    result: FloatArray = np.sqrt(variance)
    return result


def column_shifts(
    name: str, kind: str, effects: dict[str, Effect], templates: Templates
) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Yield the changes of a column's contents at +1 and -1 standard deviation, for every column of a nuisance."""
    for row, process in enumerate(templates.columns):
        effect, nominal = effects[process], templates.values[row]
        if effect is None:
            continue
        if is_shape_kind(kind):
            pair = templates.pair_index[process, name]
            yield templates.up[pair] - nominal, templates.down[pair] - nominal
        else:
            below, above = effect if isinstance(effect, tuple) else (1.0 / effect, effect)
            yield nominal * (above - 1.0), nominal * (below - 1.0)


def draw(card: Card, templates: Templates, years: Sequence[str], path: Path) -> None:
    """Write the figure."""
    totals = process_totals(templates, years)
    backgrounds = sorted((name for name in totals if name != SIGNAL), key=lambda name: totals[name].sum())
    order = [*backgrounds, SIGNAL]
    total, sigma = sum(totals.values()), prefit_uncertainty(card, templates)
    edges, data = templates.edges, templates.observation
    centres, half = (edges[1:] + edges[:-1]) / 2.0, np.diff(edges) / 2.0
    figure, (top, bottom) = plt.subplots(
        2, 1, sharex=True, figsize=(6.4, 4.8), height_ratios=(3, 1), layout="constrained"
    )
    top.stackplot(
        np.repeat(edges, 2)[1:-1],
        [np.repeat(totals[name], 2) for name in order],
        colors=[*COLOURS[: len(backgrounds)], SIGNAL_COLOUR],
        labels=order,
        linewidth=0,
    )
    hatch = {"step": "post", "facecolor": "none", "edgecolor": "black", "hatch": "////", "linewidth": 0}
    for axes, centre, width in ((top, total, sigma), (bottom, np.ones_like(total), sigma / total)):
        low, high = (np.append(curve, curve[-1]) for curve in (centre - width, centre + width))
        axes.fill_between(edges, low, high, label="uncertainty before the fit" if axes is top else None, **hatch)
    if data is not None:
        style = {"xerr": half, "fmt": "o", "color": "black", "markersize": 4, "linewidth": 1}
        top.errorbar(centres, data, yerr=np.sqrt(data), label="data (toy)", **style)
        bottom.errorbar(centres, data / total, yerr=np.sqrt(data) / total, **style)
    top.set(ylabel="Events / bin", ylim=(0, 1.45 * float(np.max(total + sigma))))
    top.set_title(card.channels[0].name, loc="left", fontsize="medium")
    handles, labels = top.get_legend_handles_labels()
    top.legend(handles[::-1], labels[::-1], ncols=3, frameon=False, fontsize="small")
    bottom.axhline(1.0, color="black", linewidth=0.8)
    bottom.set(ylabel="Data / sum", xlabel=AXIS_LABEL, xlim=(edges[0], edges[-1]), ylim=(0.5, 1.5))
    figure.align_ylabels()
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    plt.close(figure)


def main(card_path: str, figure_path: str) -> None:
    """Read the card and draw its only channel."""
    loaded = load_card(card_path)
    years = ["2022_preEE", "2022_postEE", "2023_preBPix", "2023_postBPix", "2024"]
    mpl.rcParams["svg.hashsalt"] = "pocket_combine"  # the same bytes at every run
    draw(loaded.card, loaded.templates[loaded.card.channels[0].name], years, Path(figure_path))


if __name__ == "__main__":
    main(*sys.argv[1:])
