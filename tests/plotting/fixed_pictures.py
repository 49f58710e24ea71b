"""Axes whose place does not depend on the letters of a version of matplotlib, for reference pictures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from matplotlib.axes import Axes

from pocket_combine.plotting.canvas import new_figure, style_context

__all__ = ["fixed_axes", "without_legend"]


@contextmanager
def fixed_axes(width: float = 4.0, height: float = 3.0) -> Iterator[Axes]:
    """Axes in the middle of a new figure, in CMS style."""
    with style_context():
        figure = new_figure(width, height)
        figure.set_layout_engine("none")
        yield figure.add_axes((0.1, 0.1, 0.85, 0.85))


def without_legend(axes: Axes, low: float, high: float) -> None:
    """Take the legend away, and the room that is left for it, which depends on its letters."""
    legend = axes.get_legend()
    assert legend is not None
    legend.remove()
    axes.set_ylim(low, high)
    for line in axes.lines:
        line.set_clip_path(axes.patch)
