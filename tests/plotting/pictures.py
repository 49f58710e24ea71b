"""What tests ask of figures: where texts lie, what they say, and whether a figure looks like its reference."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np
from matplotlib.figure import Figure
from matplotlib.image import imread, imsave
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from pocket_combine.plotting.canvas import style_context

REFERENCES = Path(__file__).with_name("references")
TOLERANCE = 4.0
"""Root mean square of the differences of colours, of 255; lines that are smoothed differently stay below it."""


def drawn_texts(figure: Figure) -> Iterator[Text]:
    """Every text that a reader sees."""
    with style_context():
        figure.draw_without_rendering()
    for axes in figure.axes:
        if not axes.get_visible():
            continue
        own = {id(text): text for text in axes.findobj(Text)}
        for axis in (axes.xaxis, axes.yaxis):
            every = [label for tick in [*axis.majorTicks, *axis.minorTicks] for label in (tick.label1, tick.label2)]
            shown = axis._update_ticks() if axis.get_visible() and axes.axison else []  # type: ignore[union-attr]  # not in the types
            kept = {id(label) for tick in shown for label in (tick.label1, tick.label2) if label.get_visible()}
            for label in every:
                if id(label) not in kept:
                    own.pop(id(label), None)
        yield from (text for text in own.values() if text.get_visible() and text.get_text().strip())
    nested = {id(text) for axes in figure.axes for text in axes.findobj(Text)}
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        if id(text) not in nested and text.get_visible() and text.get_text().strip():
            yield text


_LOOKS: WeakKeyDictionary[Figure, list[tuple[str, Bbox]]] = WeakKeyDictionary()


def _boxes(figure: Figure) -> list[tuple[str, Bbox]]:
    """Every text and where it lies, in pixels; drawn anew only if the figure has changed since."""
    found = _LOOKS.get(figure)
    if found is None or figure.stale:
        found = _LOOKS[figure] = [(text.get_text(), text.get_window_extent()) for text in drawn_texts(figure)]
        figure.stale = False  # looking changes nothing, but matplotlib takes it for a change
    return found


def texts(figure: Figure) -> list[str]:
    """What a reader reads."""
    return [text for text, _ in _boxes(figure)]


def overlapping(figure: Figure, slack: float = 2.0) -> list[tuple[str, str]]:
    """Pairs of texts that lie on each other by more than `slack` pixels in both directions."""
    boxes = _boxes(figure)
    left, bottom, right, top = np.array([box.extents for _, box in boxes]).reshape(-1, 4).T
    width = np.minimum.outer(right, right) - np.maximum.outer(left, left)
    height = np.minimum.outer(top, top) - np.maximum.outer(bottom, bottom)
    pairs = np.argwhere(np.triu((width > slack) & (height > slack), k=1))
    return [(boxes[one][0], boxes[other][0]) for one, other in pairs]


def outside(figure: Figure, slack: float = 1.0) -> list[str]:
    """Texts that are cut by the edge of the figure."""
    width, height = figure.bbox.width, figure.bbox.height
    return [
        text
        for text, box in _boxes(figure)
        if box.x0 < -slack or box.y0 < -slack or box.x1 > width + slack or box.y1 > height + slack
    ]


def _without_text(figure: Figure, path: Path) -> None:
    """Draw a figure without its texts, whose letters depend on the version of matplotlib."""
    with style_context():
        figure.draw_without_rendering()
        for text in figure.findobj(Text):
            text.set_visible(False)
        for axes in figure.axes:
            axes.tick_params(which="both", labelleft=False, labelbottom=False, labelright=False, labeltop=False)
        figure.savefig(path, dpi=60)


def difference(figure: Figure, name: str, folder: Path) -> float:
    """Root mean square difference to a reference, of 255. The figure loses its texts.

    With POCKET_COMBINE_WRITE_REFERENCES=1 the reference is written first.
    """
    found, reference = folder / f"{name}.png", REFERENCES / f"{name}.png"
    _without_text(figure, found)
    if os.environ.get("POCKET_COMBINE_WRITE_REFERENCES"):
        REFERENCES.mkdir(exist_ok=True)
        imsave(reference, imread(found)[..., :3])
    new, old = imread(found)[..., :3], imread(reference)[..., :3]
    assert new.shape == old.shape, f"{name}: {new.shape} and not {old.shape} as the reference"
    return float(np.sqrt(np.mean((255.0 * (new - old)) ** 2)))
