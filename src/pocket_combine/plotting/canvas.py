"""Where figures are drawn and how they become files: CMS style in a context, nothing global."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import mplhep
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from pocket_combine.errors import StyleError
from pocket_combine.io.atomic import atomic_write
from pocket_combine.plotting.palette import PETROFF_10
from pocket_combine.plotting.style import Labels

__all__ = ["FORMATS", "add_labels", "figure_bytes", "figure_files", "new_figure", "save_figure", "style_context"]

FORMATS = ("pdf", "png", "svg")

_SCALE = 0.5
"""mplhep's CMS style is made for figures of 10 x 10 inches with a font of 26 points. Ours are half as large, so that
several stand on a page; everything shrinks alike."""

_SHRINK = ("size", "linewidth", "markersize", "width")


def _settings() -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for name, value in mplhep.style.CMS.items():
        if isinstance(value, (int, float)) and not isinstance(value, bool) and name.split(".")[-1] in _SHRINK:
            settings[name] = value * _SCALE
        else:
            settings[name] = value
    width, height = settings["figure.figsize"]
    return settings | {
        "figure.figsize": (width * _SCALE, height * _SCALE),
        "axes.unicode_minus": True,
        "figure.autolayout": False,
        "figure.constrained_layout.use": False,
        "xtick.major.pad": 4.0,
        "ytick.major.pad": 4.0,
        "axes.prop_cycle": cycler(color=PETROFF_10),
        "font.sans-serif": [*settings["font.sans-serif"], "DejaVu Sans"],
        "lines.linewidth": 1.2,
        "hatch.linewidth": 0.6,
        "pdf.fonttype": 42,  # fonts as fonts, so that the text of a PDF can be searched
        "svg.fonttype": "path",
        "svg.hashsalt": "pocket_combine",  # the same bytes at every run
    }


@contextlib.contextmanager
def style_context() -> Iterator[None]:
    """Set the CMS style of mplhep, at half its size and with Petroff's colours, inside a `with` block.

    Examples:
        >>> import matplotlib as mpl
        >>> before = mpl.rcParams["font.size"]
        >>> with style_context():
        ...     mpl.rcParams["font.size"]
        13.0
        >>> mpl.rcParams["font.size"] == before
        True
    """
    with mpl.rc_context(_settings()):  # type: ignore[arg-type]  # matplotlib's types list every name
        yield


def new_figure(width: float = 5.0, height: float = 5.0) -> Figure:
    """Return an empty figure that matplotlib's pyplot does not know, so that it is freed with its last reference.

    Args:
        width: In inches.
        height: In inches.
    """
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def add_labels(axes: Axes, labels: Labels, *, simulation: bool = False) -> tuple[Text, ...]:
    """Write the labels above axes, smaller where they would meet, and return them.

    Args:
        axes: The axes, the uppermost of the figure.
        labels: What is written.
        simulation: Whether the figure shows nothing but simulation, which is then said.
    """
    size = float(mpl.rcParams["font.size"])
    figure = axes.get_figure(root=True)
    assert figure is not None  # noqa: S101  axes that are drawn on have a figure
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
    figure.set_layout_engine("none")
    try:
        with _nothing_but_the_y_axis(figure, axes):
            texts = _write_labels(axes, labels, simulation, size)
            width = axes.get_window_extent().width
            needed = sum(text.get_window_extent().width for text in texts) + 1.5 * size * figure.dpi / 72.0
            if needed > width:
                for text in texts:
                    text.remove()
                texts = _write_labels(axes, labels, simulation, size * width / needed)
    finally:
        figure.set_layout_engine(engine)
    return texts


@contextlib.contextmanager
def _nothing_but_the_y_axis(figure: Figure, axes: Axes) -> Iterator[None]:
    """Hide all else while mplhep draws the figure, which takes long, to find the power of ten above the y axis."""
    _ = axes.viewLim  # limits that are found from what is drawn, which must be there
    shown = [artist for artist in (*figure.get_children(), *axes.get_children()) if artist.get_visible()]
    hidden = [artist for artist in shown if artist not in (axes, axes.yaxis)]
    for artist in hidden:
        artist.set_visible(False)
    try:
        yield
    finally:
        for artist in hidden:
            artist.set_visible(True)


def _write_labels(axes: Axes, labels: Labels, simulation: bool, size: float) -> tuple[Text, ...]:
    found = mplhep.label.exp_label(
        exp=labels.experiment, text=labels.text, data=not simulation, rlabel=labels.right, ax=axes, fontsize=size
    )
    return tuple(text for text in found if text is not None)


_METADATA: dict[str, dict[str, Any]] = {
    "pdf": {"CreationDate": None, "Creator": "pocket_combine", "Producer": None},
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": "pocket_combine"},
}
"""Without dates and versions: the same figure has the same bytes."""


def figure_bytes(figure: Figure, file_format: str, *, resolution: float = 150.0) -> bytes:
    """Return a figure as the bytes of a file.

    Args:
        figure: The figure.
        file_format: One of `FORMATS`.
        resolution: Dots per inch of pictures made of dots.

    Raises:
        StyleError: If the format is unknown.
    """
    if file_format not in FORMATS:
        raise StyleError(f"no format {file_format!r}, expected one of {', '.join(FORMATS)}")
    buffer = io.BytesIO()
    with style_context():  # ticks are made while a figure is drawn
        figure.savefig(buffer, format=file_format, dpi=resolution, metadata=_METADATA[file_format])
    return buffer.getvalue()


def figure_files(figure: Figure, formats: Sequence[str], *, resolution: float = 150.0) -> dict[str, bytes]:
    """Return a figure as the bytes of several files, by their endings; its layout is found once for all.

    Args:
        figure: The figure.
        formats: Endings, of `FORMATS`.
        resolution: Dots per inch of pictures made of dots.

    Raises:
        StyleError: If a format is unknown.
    """
    engine = figure.get_layout_engine()
    if engine is not None:
        with style_context():
            engine.execute(figure)
        figure.set_layout_engine(None)  # with "none" matplotlib would draw once more for each file, for a layout
    try:
        return {ending: figure_bytes(figure, ending, resolution=resolution) for ending in formats}
    finally:
        figure.set_layout_engine(engine)


def save_figure(
    figure: Figure, stem: str | os.PathLike[str], formats: Sequence[str] = ("pdf", "png"), *, resolution: float = 150.0
) -> tuple[Path, ...]:
    """Write a figure to files, each whole or not at all, and return their paths.

    Args:
        figure: The figure.
        stem: Path without the ending; folders are made.
        formats: Endings, of `FORMATS`.
        resolution: Dots per inch of pictures made of dots.

    Raises:
        StyleError: If a format is unknown.
        OSError: If a file cannot be written.
    """
    target = Path(stem)
    files = figure_files(figure, formats, resolution=resolution)
    contents = {Path(f"{target}.{ending}"): content for ending, content in files.items()}
    target.parent.mkdir(parents=True, exist_ok=True)
    for path, content in contents.items():
        with atomic_write(path) as file:
            file.write(content)
    return tuple(contents)
