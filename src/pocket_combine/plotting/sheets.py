"""Figures on which axes and texts are placed in inches, as large as what is on them; and their pages."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import replace

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pocket_combine.plotting.canvas import add_labels, new_figure
from pocket_combine.plotting.style import Labels

__all__ = [
    "FAILED_COLOUR",
    "HEAD",
    "LINE",
    "MARGIN",
    "NOTE_SIZE",
    "Sheet",
    "head_width",
    "page_names",
    "text_width",
    "wrapped",
]

NOTE_SIZE = 8.0
FAILED_COLOUR = "#c91f16"
"""Of what is said about fits that are no results."""
HEAD = 0.42
"""Inches for the labels above the axes."""
LINE = 0.16
"""Inches from one line of a note to the next."""
MARGIN = 0.1
"""Inches that stay free at the edges."""


def page_names(count: int) -> list[str]:
    """Return the names of pages: their numbers, or an empty text for the only one.

    Examples:
        >>> page_names(1), page_names(3)
        ([''], ['1', '2', '3'])
    """
    return [""] if count == 1 else [str(at + 1) for at in range(count)]


def text_width(texts: Iterable[str], size: float, weight: str = "normal") -> float:
    """Return the width of the widest of some texts in inches; 0 without any."""
    figure = new_figure(1.0, 1.0)
    widths = [
        figure.text(0.0, 0.0, text, fontsize=size, fontweight=weight).get_window_extent().width
        for text in dict.fromkeys(texts)
    ]
    return max(widths, default=0.0) / float(figure.dpi)


def wrapped(text: str, width: float, size: float = NOTE_SIZE) -> list[str]:
    """Return a text as lines that are at most some inches wide."""
    letters = max(int(width / text_width(["n"], size)), 10)
    return textwrap.wrap(text, letters, break_on_hyphens=False)


def head_width(labels: Labels, *, simulation: bool) -> float:
    """Return the inches that labels need above axes, with what `add_labels` says of simulation."""
    size = float(mpl.rcParams["font.size"])
    words = [labels.experiment, *(["Simulation"] if simulation else []), labels.text]
    left = text_width([" ".join(words)], size, "bold")
    return left + text_width([labels.right], size) + 0.25


class Sheet:
    """A figure on which axes are placed in inches from its upper left corner.

    Args:
        width: In inches.
        height: In inches.
    """

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self.figure: Figure = new_figure(width, height)
        self.figure.set_layout_engine("none")

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Return new axes."""
        box = (
            left / self.width,
            1.0 - (top + height) / self.height,
            width / self.width,
            height / self.height,
        )
        return self.figure.add_axes(box)

    def write(
        self, x: float, top: float, text: str, *, size: float = NOTE_SIZE, colour: str = "black", right: bool = False
    ) -> None:
        """Write text whose upper left corner is given; whose right end and middle are given if it is to end there."""
        self.figure.text(
            x / self.width,
            1.0 - top / self.height,
            text,
            fontsize=size,
            color=colour,
            ha="right" if right else "left",
            va="center_baseline" if right else "top",
        )

    def legend(self, handles: Sequence[Artist], left: float, top: float, *, columns: int = 1) -> None:
        """Write a legend whose upper left corner is given; each of its lines is 1.1 `LINE` high."""
        self.figure.legend(
            handles=handles,
            loc="upper left",
            bbox_to_anchor=(left / self.width, 1.0 - top / self.height),
            ncols=columns,
            fontsize=NOTE_SIZE,
            borderaxespad=0.0,
            borderpad=0.0,
            handlelength=1.6,
            labelspacing=0.35,
        )

    def count(self, top: float, first: int, shown: int, everything: int) -> None:
        """Write at the right edge which rows a page shows, with the middle of the line at a place.

        Args:
            top: Inches from the top.
            first: Index of the first row.
            shown: How many there are.
            everything: How many all pages have.
        """
        rows = f"{first + 1}–{first + shown}" if shown > 1 else str(first + 1)
        self.write(self.width - MARGIN, top, f"{rows} of {everything} parameters", right=True)

    def warn(self, top: float, lines: Sequence[str]) -> None:
        """Write lines about what is no result, from a place downwards."""
        for at, line in enumerate(lines):
            self.write(MARGIN, top + at * LINE, line, colour=FAILED_COLOUR)

    def labels(self, first: Axes, last: Axes, labels: Labels, *, simulation: bool) -> None:
        """Write the labels above a row of axes, the right one above the last of them.

        Quickest before the axes are filled, because mplhep draws the figure to place them.
        """
        if first is last:
            add_labels(first, labels, simulation=simulation)
            return
        add_labels(first, replace(labels, luminosity=None, energy=None), simulation=simulation)
        last.text(1.0, 1.0, f"{labels.right}", transform=last.transAxes, ha="right", va="bottom")
