"""Titles of axes that fit, and ticks that do not meet in the corner."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from pocket_combine.plotting.legends import plain_ticks
from pocket_combine.plotting.sheets import text_width

__all__ = ["set_titles", "set_value_ticks"]

_CORNER_PAD = 7.0
"""Points between axis and labels below, so that the first one keeps away from the lowest at the left."""


def set_titles(axes: Axes, below: str, left: str) -> None:
    """Write the titles of the axes, smaller where they are longer than these.

    Args:
        axes: The axes.
        below: Of the horizontal axis.
        left: Of the vertical axis.
    """
    box, resolution = axes.get_window_extent(), axes.figure.dpi
    for text, pixels in ((axes.set_xlabel(below), box.width), (axes.set_ylabel(left), box.height)):
        size = float(text.get_fontsize())
        text.set_fontsize(size * min(1.0, pixels / resolution / max(text_width([text.get_text()], size), 1e-9)))
    axes.tick_params(axis="x", which="major", pad=_CORNER_PAD)


def set_value_ticks(axes: Axes) -> None:
    """Let ticks of the horizontal axis be written in full, fewer of them where numbers are long."""
    largest = max(map(abs, axes.get_xlim()))
    long = not 1e-2 < largest < 1e4
    axes.xaxis.set_major_locator(MaxNLocator(3 if long else 6, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(plain_ticks())
