"""Figures in a folder, each with the hash of what it was drawn from: it is used again while that is the same."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pocket_combine.io.atomic import atomic_write

__all__ = ["FigureStore"]

_INDEX = "index.json"
_ENDINGS = ("png", "pdf")
_UNKNOWN = ""
"""The hash of a figure that is being written."""


@dataclass(frozen=True)
class _Entry:
    """The hash of what a figure was drawn from, and the stems of the files of its pages."""

    key: str
    pages: tuple[str, ...]


class FigureStore:
    """Figures in a folder, by the stems of their files.

    The pages of a figure are written down before their files, so that after an interrupt, too, no file is there that
    the store does not know as its own. Other files in the folder are never touched.

    Args:
        folder: The folder, which need not be there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._entries = _read_index(folder / _INDEX)

    def find(self, stem: str, key: str, *, is_document: bool) -> dict[str, bytes] | None:
        """Return the pictures of a figure by the stems of its pages, if they are what would be drawn.

        Args:
            stem: Stem of its files.
            key: Hash of what it is drawn from.
            is_document: Whether each page must have a PDF beside its picture.
        """
        entry = self._entries.get(stem)
        if entry is None or entry.key != key:
            return None
        if is_document and not all((self._folder / f"{page}.pdf").is_file() for page in entry.pages):
            return None
        try:
            return {page: (self._folder / f"{page}.png").read_bytes() for page in entry.pages}
        except OSError:
            return None

    def keep(self, stem: str, key: str, pages: Mapping[str, Mapping[str, bytes]]) -> None:
        """Write the files of a figure in place of those that it had.

        Args:
            stem: Stem of its files.
            key: Hash of what it was drawn from.
            pages: Contents of files by their ending, by the stem of each page.

        Raises:
            OSError: If a file cannot be written.
        """
        former = self._entries.get(stem)
        claimed = dict.fromkeys([*pages, *(former.pages if former is not None else ())])
        self._enter(stem, _Entry(_UNKNOWN, tuple(claimed)))
        for page in claimed:
            files = pages.get(page, {})
            for ending in _ENDINGS:
                path = self._folder / f"{page}.{ending}"
                if ending in files:
                    _write(path, files[ending])
                else:
                    path.unlink(missing_ok=True)
        self._enter(stem, _Entry(key, tuple(pages)))

    def discard_others(self, pages: Collection[str]) -> list[Path]:
        """Remove the figures of the store that have pages beside some, and return the paths of their files."""
        removed = []
        for stem, entry in list(self._entries.items()):
            if set(entry.pages) <= set(pages):
                continue
            paths = [self._folder / f"{page}.{ending}" for page in entry.pages for ending in _ENDINGS]
            for path in [path for path in paths if path.is_file() and path.stem not in pages]:
                path.unlink()
                removed.append(path)
            del self._entries[stem]
            self._write_index()
        return removed

    def _enter(self, stem: str, entry: _Entry) -> None:
        self._entries[stem] = entry
        self._write_index()

    def _write_index(self) -> None:
        plain = {stem: {"key": entry.key, "pages": list(entry.pages)} for stem, entry in sorted(self._entries.items())}
        _write(self._folder / _INDEX, json.dumps(plain, indent=1).encode() + b"\n")


def _read_index(path: Path) -> dict[str, _Entry]:
    """Return what figures there are, by stem: those that are described as the store does."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    entries = found.items() if isinstance(found, dict) else ()
    return {stem: _Entry(str(entry["key"]), tuple(entry["pages"])) for stem, entry in entries if _is_entry(entry)}


def _is_entry(entry: Any) -> bool:
    """Return whether something read is an entry whose pages are names of files in the folder itself."""
    if not isinstance(entry, dict) or not isinstance(entry.get("pages"), list) or "key" not in entry:
        return False
    return all(isinstance(page, str) and Path(page).name == page for page in entry["pages"])


def _write(path: Path, content: bytes) -> None:
    with atomic_write(path) as file:
        file.write(content)
