"""Paths that a command writes to: what cannot be written is refused before hours of work, not after them."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import click

__all__ = ["NEW_FILE", "NEW_FOLDER", "NEW_PATH"]


class _NewPath(click.Path):
    """A path whose folder can be written, or can be made."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path, or refuse it."""
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        # A file is replaced, for which its folder must be writable, not the file.
        places = (
            (path.absolute(), *path.absolute().parents) if _exists(path) and path.is_dir() else path.absolute().parents
        )
        there = next(place for place in places if _exists(place))
        if not there.is_dir():
            self.fail(f"{str(path)!r} is to be in {str(there)!r}, which is a file.", param, ctx)
        if not os.access(there, os.W_OK | os.X_OK) and not _is_device(path):
            self.fail(f"{str(path)!r}: no permission to write in {str(there)!r}.", param, ctx)
        return path


def _exists(path: Path) -> bool:
    with contextlib.suppress(OSError):  # what may not be looked at is as good as absent
        return path.exists()
    return False


def _is_device(path: Path) -> bool:
    return _exists(path) and not (path.is_file() or path.is_dir())


NEW_FILE = _NewPath(dir_okay=False, path_type=Path)
"""Type of an option for a file that is written; folders on the way to it are made."""

NEW_FOLDER = _NewPath(file_okay=False, path_type=Path)
"""Type of an option for a folder that files are written to, made if it does not exist."""

NEW_PATH = _NewPath(path_type=Path)
"""Type of an option for what may be either."""
