"""Figures as files: drawn where the executor says, kept, and used again while they would be the same."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from pocket_combine import plotting
from pocket_combine._version import __version__
from pocket_combine.execution import Executor, Progress
from pocket_combine.io.atomic import atomic_write
from pocket_combine.report.contents import Figure
from pocket_combine.report.drafts import Drawing

__all__ = ["Drawn", "draw_all", "require_plotting"]

_logger = logging.getLogger(__name__)

_INDEX = "index.json"
_LONGEST = 100


@dataclass(frozen=True)
class Drawn:
    """What became of a drawing.

    Attributes:
        figures: One per page.
        problem: Why there is none; empty if there is.
    """

    figures: tuple[Figure, ...] = ()
    problem: str = ""


def require_plotting() -> None:
    """Raise `MissingDependencyError` if there is nothing to draw with."""
    _ = plotting.style_context


def draw_all(
    drawings: Sequence[Drawing], folder: Path, executor: Executor, progress: Progress | None = None
) -> dict[str, Drawn]:
    """Draw figures, write their files, and return them by name.

    A figure that cannot be drawn does not stop the others.

    Args:
        drawings: The figures, with distinct names.
        folder: Where files go.
        executor: Where figures are drawn.
        progress: Told how many are done.

    Raises:
        OSError: If a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stems = _stems([drawing.name for drawing in drawings])
    index = _read_index(folder)
    keys = {drawing.name: _digest((__version__, drawing)) for drawing in drawings}
    drawn: dict[str, Drawn] = {}
    missing = []
    for drawing in drawings:
        kept = _kept(drawing, folder, index.get(stems[drawing.name]), keys[drawing.name])
        if kept is None:
            missing.append(drawing)
        else:
            drawn[drawing.name] = kept
    if missing:
        for drawing, outcome in zip(missing, executor.map(_draw, missing, progress=progress), strict=True):
            if isinstance(outcome, str):
                _logger.warning("the figure %s cannot be drawn: %s", drawing.name, outcome)
                drawn[drawing.name] = Drawn(problem=outcome)
                continue
            stem = stems[drawing.name]
            names = [stem] if len(outcome) == 1 else [f"{stem}-{page}" for page in range(1, len(outcome) + 1)]
            for name, files in zip(names, outcome, strict=True):
                for ending, content in files.items():
                    _write(folder / f"{name}.{ending}", content)
            index[stem] = {"key": keys[drawing.name], "pages": names}
            _write(folder / _INDEX, json.dumps(dict(sorted(index.items())), indent=1).encode() + b"\n")
            drawn[drawing.name] = Drawn(_figures(drawing, names, [files["png"] for files in outcome]))
    return drawn


def _figures(drawing: Drawing, names: Sequence[str], pictures: Sequence[bytes]) -> tuple[Figure, ...]:
    pages = len(names)
    return tuple(
        Figure(
            name,
            drawing.caption + (f" Page {number} of {pages}." if pages > 1 else ""),
            drawing.alternative,
            picture,
        )
        for number, (name, picture) in enumerate(zip(names, pictures, strict=True), start=1)
    )


def _write(path: Path, content: bytes) -> None:
    with atomic_write(path) as file:
        file.write(content)


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


# ---------------------------------------------------------------------- names of files


def _stems(names: Sequence[str]) -> dict[str, str]:
    """Return a stem of a file for each name: distinct even where letters are not told apart by their case.

    Examples:
        >>> _stems(["prefit-SR/a", "prefit-SR_a", "x"])
        {'prefit-SR/a': 'prefit-SR_a', 'prefit-SR_a': 'prefit-SR_a-2', 'x': 'x'}
    """
    taken: set[str] = set()
    stems = {}
    for name in names:
        plain = "".join(
            letter if letter.isascii() and (letter.isalnum() or letter in "_-.") else "_" for letter in name
        )
        plain = plain[:_LONGEST]
        stem, number = plain, 1
        while stem.lower() in taken:
            number += 1
            stem = f"{plain}-{number}"
        taken.add(stem.lower())
        stems[name] = stem
    return stems


# ---------------------------------------------------------------------- figures that are there already


def _read_index(folder: Path) -> dict[str, Any]:
    """Return what figures there are, by stem; nothing if that cannot be read."""
    try:
        found = json.loads((folder / _INDEX).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _kept(drawing: Drawing, folder: Path, entry: Any, key: str) -> Drawn | None:
    """Return the figures of a drawing that are there already, if they are those that would be drawn."""
    if not isinstance(entry, dict) or entry.get("key") != key or not isinstance(entry.get("pages"), list):
        return None
    names = [str(name) for name in entry["pages"]]
    if drawing.is_document and not all((folder / f"{name}.pdf").is_file() for name in names):
        return None
    try:
        pictures = [(folder / f"{name}.png").read_bytes() for name in names]
    except OSError:
        return None
    return Drawn(_figures(drawing, names, pictures))


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
