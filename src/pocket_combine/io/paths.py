"""Why a file cannot be read, in words that lead to the right one."""

from __future__ import annotations

import contextlib
import os
from itertools import islice
from pathlib import Path

from pocket_combine.errors import similar

__all__ = ["missing_file", "why_unreadable"]

_MOST_SHOWN = 4
_MOST_NAMES = 2000
"""Names in a folder that are looked at for a similar one."""


def why_unreadable(path: str | os.PathLike[str], error: Exception) -> str:
    """Return what was wrong with a path that could not be read.

    Args:
        path: The path as the user gave it.
        error: What reading it raised.

    Examples:
        >>> why_unreadable(".", IsADirectoryError(21, "Is a directory"))
        'cannot be read: it is a folder'
        >>> why_unreadable("card.txt", PermissionError(13, "Permission denied"))
        'cannot be read: Permission denied'
    """
    if isinstance(error, FileNotFoundError):
        return missing_file(path)
    if isinstance(error, IsADirectoryError):
        return "cannot be read: it is a folder"
    return f"cannot be read: {getattr(error, 'strerror', None) or error}"


def missing_file(path: str | os.PathLike[str]) -> str:
    """Return what is missing of a path that is not there, with the most similar name in its place.

    Examples:
        >>> import pathlib, tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp(), "cards")
        >>> folder.mkdir()
        >>> (folder / "datacard_SR.txt").touch()
        >>> missing_file(folder / "datacard_SR.tx").replace(str(folder.parent), "")
        "no such file: did you mean '/cards/datacard_SR.txt'?"
        >>> missing_file(folder.parent / "card" / "datacard_SR.txt").replace(str(folder.parent), "")
        "no such file: there is no folder '/card'; did you mean '/cards'?"
    """
    wanted = Path(path)
    first = wanted  # that is not there
    for parent in wanted.parents:
        if parent.exists():
            break
        first = parent
    names: list[str] = []
    with contextlib.suppress(OSError), os.scandir(first.parent) as entries:
        names = [entry.name for entry in islice(entries, _MOST_NAMES) if first == wanted or entry.is_dir()]
    hints = [f"there is no folder {str(first)!r}"] if first != wanted else []
    alike = similar(first.name, names)
    of_its_kind = sorted(name for name in names if wanted.suffix and name.endswith(wanted.suffix))
    if alike:
        hints.append(f"did you mean {' or '.join(repr(str(first.parent / name)) for name in alike)}?")
    elif of_its_kind:
        more = ", …" if len(of_its_kind) > _MOST_SHOWN else ""
        hints.append(f"available: {', '.join(map(repr, of_its_kind[:_MOST_SHOWN]))}{more}")
    return f"no such file: {'; '.join(hints)}" if hints else "no such file"
