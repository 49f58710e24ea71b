"""Figures as files: drawn where the executor says, unless they are there already."""

from __future__ import annotations

import dataclasses
import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from pocket_combine import plotting
from pocket_combine._version import __version__
from pocket_combine.execution import Executor, Progress
from pocket_combine.io.file_names import distinct_stems
from pocket_combine.report.contents import Figure
from pocket_combine.report.drafts import Drawing
from pocket_combine.report.figure_store import FigureStore

__all__ = ["Drawn", "draw_all"]

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Drawn:
    """What became of a drawing.

    Attributes:
        figures: One per page.
        problem: Why there is none; empty if there is.
    """

    figures: tuple[Figure, ...] = ()
    problem: str = ""


def draw_all(
    drawings: Sequence[Drawing], store: FigureStore, executor: Executor, progress: Progress | None = None
) -> dict[str, Drawn]:
    """Draw figures, write their files, and return them by name.

    A figure that cannot be drawn does not stop the others.

    Args:
        drawings: The figures, with distinct names.
        store: Where files go.
        executor: Where figures are drawn.
        progress: Told how many are done.

    Raises:
        OSError: If a file cannot be written.
    """
    stems = distinct_stems([drawing.name for drawing in drawings])
    keys = {drawing.name: _digest((__version__, drawing)) for drawing in drawings}
    drawn: dict[str, Drawn] = {}
    missing = []
    for drawing in drawings:
        kept = store.find(stems[drawing.name], keys[drawing.name], is_document=drawing.is_document)
        if kept is None:
            missing.append(drawing)
        else:
            drawn[drawing.name] = Drawn(_figures(drawing, kept))
    if missing:
        for drawing, outcome in zip(missing, executor.map(_draw, missing, progress=progress), strict=True):
            if isinstance(outcome, str):
                _logger.warning("the figure %s cannot be drawn: %s", drawing.name, outcome)
                drawn[drawing.name] = Drawn(problem=outcome)
                continue
            stem = stems[drawing.name]
            names = [stem] if len(outcome) == 1 else [f"{stem}-{page}" for page in range(1, len(outcome) + 1)]
            pages = dict(zip(names, outcome, strict=True))
            store.keep(stem, keys[drawing.name], pages)
            drawn[drawing.name] = Drawn(_figures(drawing, {name: files["png"] for name, files in pages.items()}))
    return drawn


def _figures(drawing: Drawing, pictures: Mapping[str, bytes]) -> tuple[Figure, ...]:
    pages = len(pictures)
    return tuple(
        Figure(
            name,
            drawing.caption + (f" Page {number} of {pages}." if pages > 1 else ""),
            drawing.alternative,
            picture,
        )
        for number, (name, picture) in enumerate(pictures.items(), start=1)
    )


# ---------------------------------------------------------------------- one figure, perhaps in another process


def _draw(drawing: Drawing) -> list[dict[str, bytes]] | str:
    """Return the files of each page by their endings, or why there is none."""
    try:
        made = getattr(plotting, drawing.function)(*drawing.arguments, **drawing.keywords)
        figures = [made] if hasattr(made, "savefig") else [figure for _, figure in made]
        return [_files(figure, drawing) for figure in figures]
    except Exception as error:  # noqa: BLE001  one figure less must not cost the report
        return f"{type(error).__name__}: {error}"


def _files(figure: Any, drawing: Drawing) -> dict[str, bytes]:
    formats = ("png", "pdf") if drawing.is_document else ("png",)
    files: dict[str, bytes] = plotting.figure_files(figure, formats, resolution=drawing.resolution)
    return files


# ---------------------------------------------------------------------- what a figure is drawn from


def _digest(value: Any) -> str:
    """Return a hash of a value made of plain values, arrays and dataclasses.

    Examples:
        >>> _digest((1.0, {"a": np.zeros(2)})) == _digest((1.0, {"a": np.zeros(2)})), _digest(1) == _digest(1.0)
        (True, False)
    """
    digest = hashlib.sha256()
    pending = [value]
    while pending:
        item = pending.pop()
        if dataclasses.is_dataclass(item) and not isinstance(item, type):
            digest.update(f"<{type(item).__name__}".encode())
            pending += [getattr(item, field.name) for field in dataclasses.fields(item)]
        elif isinstance(item, np.ndarray):
            digest.update(f"<{item.dtype.str}{item.shape}".encode() + np.ascontiguousarray(item).tobytes())
        elif isinstance(item, Mapping):
            digest.update(f"<{{{len(item)}".encode())
            pending += [part for pair in item.items() for part in pair]
        elif isinstance(item, (tuple, list)):
            digest.update(f"<[{len(item)}".encode())
            pending += item
        else:
            digest.update(f"<{item.name if isinstance(item, Enum) else item!r}".encode())
    return digest.hexdigest()
