"""How stacks are drawn, and what their panels have in common: points of data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer

from pocket_combine.errors import StyleError, nearest
from pocket_combine.plotting.stack_axes import DrawnBins
from pocket_combine.templates import FloatArray

__all__ = ["PANELS", "PLAIN", "StackOptions", "draw_points"]

PANELS = ("ratio", "pull", "none")


@dataclass(frozen=True)
class StackOptions:
    """How a stack is drawn.

    Attributes:
        panel: What stands below: `ratio`, `pull` or `none`. Pulls need data.
        log: Whether the axis of events is logarithmic.
        signal_scale: Draw each signal as a line too, multiplied by this; `None` for no lines.
        per_width: Whether events are divided by the width of the bin.
        equal_bins: Whether all bins are drawn with the same width.

    Raises:
        StyleError: If `panel` is unknown, or `signal_scale` is not positive.
    """

    panel: str = "ratio"
    log: bool = False
    signal_scale: float | None = None
    per_width: bool = False
    equal_bins: bool = False

    def __post_init__(self) -> None:
        if self.panel not in PANELS:
            raise StyleError(f"no panel {self.panel!r}: {nearest(self.panel, PANELS)}")
        if self.signal_scale is not None and not (math.isfinite(self.signal_scale) and self.signal_scale > 0):
            raise StyleError(f"signal_scale is {self.signal_scale}, expected a positive factor")


PLAIN = StackOptions()
"""What holds where nothing is wanted."""


def draw_points(
    axes: Axes, bins: DrawnBins, centre: FloatArray, low: FloatArray, high: FloatArray, scale: Any, shown: Any
) -> ErrorbarContainer:
    """Draw data with their intervals, one point for each bin of `shown[bin]`.

    Args:
        axes: Where to draw.
        bins: Where bins are drawn.
        centre: `centre[bin]`, heights of the points.
        low: `low[bin]`, lower ends of their intervals.
        high: `high[bin]`, upper ends.
        scale: What turns heights into those of the axis.
        shown: `shown[bin]`.
    """
    centre, low, high = (scale(values)[shown] for values in (centre, low, high))
    return axes.errorbar(
        bins.centres[shown],
        centre,
        yerr=np.maximum([centre - low, high - centre], 0.0),
        fmt="o",
        color="black",
        markersize=4.0 if shown.size <= 60 else 2.0,
        linewidth=1.0 if shown.size <= 60 else 0.6,
        capsize=0.0,
        zorder=4,
    )
