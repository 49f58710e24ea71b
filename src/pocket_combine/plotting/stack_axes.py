"""The axes of stacks: where bins are drawn, what the axes are called, and the ranges that are blinded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from pocket_combine.plotting.stack_numbers import Stack
from pocket_combine.plotting.style import ChannelRule
from pocket_combine.plotting.uncertainties import figure_number
from pocket_combine.templates import FloatArray

__all__ = ["DrawnBins", "draw_bins", "mark_blinded", "name_axes", "quantity_title"]

_MOST_EDGES = 8
"""Up to so many bins of equal width have their edges below the axis; more are counted."""


@dataclass(frozen=True, eq=False)
class DrawnBins:
    """How bins are drawn.

    Attributes:
        edges: `edges[bin + 1]` on the axis.
        widths: `widths[bin]` by which contents are divided; `None` where they are not.
        equal: Whether the axis counts bins.
    """

    edges: FloatArray
    widths: FloatArray | None
    equal: bool

    @property
    def centres(self) -> FloatArray:
        """`centres[bin]` on the axis."""
        result: FloatArray = (self.edges[1:] + self.edges[:-1]) / 2
        return result

    def content(self, values: FloatArray) -> FloatArray:
        """Return `height[bin]` of contents in events."""
        return values if self.widths is None else values / self.widths


def draw_bins(stack: Stack, *, per_width: bool, equal: bool) -> DrawnBins:
    """Return how the bins of a stack are drawn.

    Args:
        stack: The stack.
        per_width: Whether contents are divided by the width of the bin.
        equal: Whether all bins are as wide; those of unrolled distributions always are.
    """
    counted = equal or bool(stack.bin_labels) or stack.rule.unroll is not None
    edges = np.arange(stack.edges.size, dtype=float) if counted else stack.edges
    return DrawnBins(edges, np.diff(stack.edges) if per_width and not stack.bin_labels else None, counted)


def mark_blinded(axes: Axes, stack: Stack, bins: DrawnBins) -> tuple[Rectangle, ...]:
    """Hatch the bins whose data are not shown, where there are data."""
    if stack.observed is None:
        return ()
    hidden = np.concatenate([[False], stack.blinded, [False]])
    begins = np.flatnonzero(hidden[1:] & ~hidden[:-1])
    ends = np.flatnonzero(~hidden[1:] & hidden[:-1])
    found = [
        Rectangle(
            (bins.edges[begin], 0.0),
            bins.edges[end] - bins.edges[begin],
            1.0,
            transform=axes.get_xaxis_transform(),
            facecolor="none",
            edgecolor="#bbbbbb",
            hatch="xxx",
            linewidth=0.0,
            zorder=3.5,
        )
        for begin, end in zip(begins, ends, strict=True)
    ]
    for patch in found:
        axes.add_patch(patch)
    return tuple(found)


def name_axes(axes: Axes, stack: Stack, bins: DrawnBins, *, events: bool = True) -> None:
    """Write what the axes show.

    Args:
        axes: The axes.
        stack: What they show.
        bins: How its bins are drawn.
        events: Whether the vertical axis counts events.
    """
    if events:
        axes.set_ylabel(_events_title(stack, bins))
    quantity, title = stack.rule.quantity, quantity_title(stack.rule)
    if stack.bin_labels:
        room = axes.get_window_extent().width / axes.figure.dpi * 72.0 / len(stack.bin_labels)
        long = max(map(len, stack.bin_labels)) * 10.0 * 0.6 > room
        axes.set_xticks(bins.centres, stack.bin_labels, rotation=90 if long else 0, size=8 if long else 10)
        axes.tick_params(axis="x", which="both", length=0)
    elif stack.total.size == 1 and not quantity:
        axes.set_xticks([])
        title = "One bin"
    elif bins.equal:
        if stack.rule.unroll is None and stack.total.size <= _MOST_EDGES:
            axes.set_xticks(bins.edges, [figure_number(edge) for edge in stack.edges])
            axes.tick_params(axis="x", which="minor", length=0)
        else:
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            title = f"{quantity}, number of the bin" if quantity else "Number of the bin"
    axes.set_xlabel("" if stack.bin_labels else title)


def quantity_title(rule: ChannelRule) -> str:
    """Return what a horizontal axis is called.

    Examples:
        >>> quantity_title(ChannelRule("SR", quantity="m(jj)", unit="GeV")), quantity_title(ChannelRule("SR"))
        ('m(jj) [GeV]', 'Observable')
    """
    if not rule.quantity:
        return "Observable"
    return f"{rule.quantity} [{rule.unit}]" if rule.unit else rule.quantity


def _events_title(stack: Stack, bins: DrawnBins) -> str:
    unit = stack.rule.unit
    if stack.bin_labels:
        return "Events"
    if bins.widths is not None:
        return f"Events / {unit}" if unit else "Events / unit of the axis"
    widths = np.diff(stack.edges)
    if unit and not bins.equal and np.allclose(widths, widths[0]):
        return f"Events / {widths[0]:g} {unit}"
    return "Events / bin"
