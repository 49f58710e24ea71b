"""Templates at ±1 standard deviation of a nuisance, one figure each, with their ratios to the nominal ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch

from pocket_combine.card.model import Card
from pocket_combine.plotting.canvas import add_labels, new_figure, style_context
from pocket_combine.plotting.legends import PlacedLegend, height_above, lay_out, place_legend, plain_ticks
from pocket_combine.plotting.palette import DOWN_COLOUR, UP_COLOUR
from pocket_combine.plotting.stack_axes import quantity_title
from pocket_combine.plotting.style import Style, literal
from pocket_combine.plotting.uncertainties import typographic
from pocket_combine.plotting.variations import EVERYTHING, Selection, Variation, round_range, summed_variations
from pocket_combine.templates import Templates

__all__ = ["VariationArtists", "draw_variation", "draw_variation_ratio", "template_figure", "template_figures"]

_DEFAULT = Style()


@dataclass(frozen=True)
class VariationArtists:
    """What was drawn.

    Attributes:
        nominal: Line of the nominal template; `None` for ratios.
        band: Its statistical uncertainty.
        up: Line at +1 standard deviation.
        down: Line at -1 standard deviation.
        legend: The legend; `None` for ratios.
    """

    nominal: StepPatch | None
    band: StepPatch
    up: StepPatch
    down: StepPatch
    legend: PlacedLegend | None


def draw_variation(axes: Axes, shown: Variation, *, style: Style = _DEFAULT) -> VariationArtists:
    """Draw the nominal template with its statistical uncertainty, and those at ±1 standard deviation.

    Args:
        axes: Where to draw.
        shown: What is drawn.
        style: Names of channels and nuisances.
    """
    edges = shown.edges
    band = axes.stairs(
        shown.nominal + shown.errors,
        edges,
        baseline=shown.nominal - shown.errors,
        fill=True,
        color="#d0d0d0",
        linewidth=0.0,
    )
    nominal = axes.stairs(shown.nominal, edges, baseline=None, color="black", linewidth=1.2)
    up = axes.stairs(shown.up, edges, baseline=None, color=UP_COLOUR, linewidth=1.2)
    down = axes.stairs(shown.down, edges, baseline=None, color=DOWN_COLOUR, linewidth=1.2)
    axes.set_xlim(edges[0], edges[-1])
    axes.set_ylabel("Events / bin")
    axes.yaxis.set_major_formatter(plain_ticks())
    changes = [typographic(change) for change in shown.yield_texts]
    sigma = "\N{GREEK SMALL LETTER SIGMA}"
    labels = [
        "Nominal",
        "Statistical",
        f"+1{sigma} (yield {changes[0]})",
        f"\N{MINUS SIGN}1{sigma} (yield {changes[1]})",
    ]
    legend = place_legend(axes, [nominal, band, up, down], labels, _title(shown, style))
    artists = VariationArtists(nominal, band, up, down, legend)
    _make_room(axes, shown, legend)
    return artists


def _title(shown: Variation, style: Style) -> str:
    listed = ", ".join(shown.processes[:3])
    if len(shown.processes) > 3:
        listed = f"{len(shown.processes)} processes: {listed}, …"
    kinds = ", ".join(shown.kinds)
    return f"{style.parameter(shown.nuisance)} ({kinds})\n{style.channel(shown.channel).label}\n{literal(listed)}"


def _make_room(axes: Axes, shown: Variation, legend: PlacedLegend) -> None:
    found = np.concatenate([shown.nominal + shown.errors, shown.nominal - shown.errors, shown.up, shown.down])
    low, high = min(float(found.min()), 0.0), float(found.max())
    share = max(1.0 - height_above(axes, legend) - 0.05, 0.2)
    bottom, top = 1.1 * low, high if high > 0 else 1.0
    axes.set_ylim(bottom, bottom + (top - bottom) / share)


def draw_variation_ratio(axes: Axes, shown: Variation) -> VariationArtists:
    """Draw the ratios of the templates to the nominal one, with its relative statistical uncertainty.

    Args:
        axes: Where to draw.
        shown: What is drawn.
    """
    up, down = shown.relative(shown.up), shown.relative(shown.down)
    error = np.nan_to_num(shown.relative(shown.nominal + shown.errors))
    band = axes.stairs(1 + error, shown.edges, baseline=1 - error, fill=True, color="#d0d0d0", linewidth=0.0)
    axes.axhline(1.0, color="black", linewidth=0.8)
    lines = [
        axes.stairs(1 + change, shown.edges, baseline=None, color=colour, linewidth=1.2)
        for change, colour in ((up, UP_COLOUR), (down, DOWN_COLOUR))
    ]
    half = round_range(1.05 * shown.largest_change)
    axes.set_ylim(1 - half, 1 + half)
    axes.set_yticks([1 - half / 2, 1.0, 1 + half / 2])
    axes.set_xlim(shown.edges[0], shown.edges[-1])
    axes.set_ylabel("Ratio", loc="center")
    return VariationArtists(None, band, lines[0], lines[1], None)


def template_figure(shown: Variation, *, style: Style = _DEFAULT) -> Figure:
    """Return a variation with its ratios below.

    Args:
        shown: What is drawn.
        style: Labels, and names of channels and nuisances.
    """
    rule = style.channel(shown.channel)
    with style_context():
        figure = new_figure()
        figure.get_layout_engine().set(hspace=0.0, h_pad=0.03, w_pad=0.05)  # type: ignore[union-attr, call-arg]  # constrained layout
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        artists = draw_variation(upper, shown, style=style)
        draw_variation_ratio(lower, shown)
        upper.tick_params(labelbottom=False)
        lower.set_xlabel(quantity_title(rule))
        if shown.nominal.size == 1 and not rule.quantity:
            lower.set_xticks([])
            lower.set_xlabel("One bin")
        if artists.legend is not None and not artists.legend.inside:
            figure.set_size_inches(5.0 + artists.legend.width, 5.0)
        figure.align_ylabels()
        add_labels(upper, style.labels, simulation=True)
        lay_out(figure)
        if artists.legend is not None:
            _make_room(upper, shown, artists.legend)
    return figure


def template_figures(
    card: Card,
    templates: Mapping[str, Templates],
    *,
    selection: Selection = EVERYTHING,
    style: Style = _DEFAULT,
) -> Iterator[tuple[str, Figure]]:
    """Yield a figure for each channel and nuisance, named `channel_nuisance`: the sum of the processes it acts on.

    Args:
        card: The card.
        templates: Templates by channel; a channel without is a counting channel.
        selection: Which of them, and which processes are added.
        style: Labels, and names of channels and nuisances.
    """
    for variation in summed_variations(card, templates, selection=selection):
        yield f"{variation.channel}_{variation.nuisance}", template_figure(variation, style=style)
