"""Results in files."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from pocket_combine.errors import ResultError
from pocket_combine.io.atomic import atomic_write
from pocket_combine.io.paths import why_unreadable
from pocket_combine.results import Result

__all__ = ["read_one_of", "read_result", "write_result"]

_Result = TypeVar("_Result", bound=Result)


_COMMANDS = {
    "FitResult": "fit",
    "ScanResult": "scan",
    "LimitResult": "limit",
    "SignificanceResult": "significance",
    "ImpactResult": "impacts",
    "GoodnessOfFitResult": "gof",
    "ToyResult": "toys",
    "BiasResult": "toys",
    "PostfitResult": "postfit",
}
"""The command that makes a result of each type."""


def read_result(kind: type[_Result], path: str | os.PathLike[str]) -> _Result:
    """Return the result in a file that `write_result`, or `-o` of a command, wrote.

    Args:
        kind: The expected type, such as `FitResult`.
        path: The file.

    Raises:
        ResultError: If the file cannot be read or holds something else.
    """
    return read_one_of((kind,), path)


def read_one_of(kinds: Sequence[type[_Result]], path: str | os.PathLike[str]) -> _Result:
    """Return the result in a file, which is one of several types.

    Args:
        kinds: The expected types, such as `FitResult` and `ImpactResult`.
        path: The file.

    Raises:
        ResultError: If the file cannot be read or holds something else.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ResultError(f"{path}: {why_unreadable(path, error)}") from error
    commands = " or ".join(dict.fromkeys(f"`pocket-combine {_COMMANDS[kind.__name__]} -o`" for kind in kinds))
    found = _type_in(text)
    chosen = next((kind for kind in kinds if kind.__name__ == found), None)
    if chosen is None and found is not None:
        said = repr(found) if found else "JSON that is no result"
        if found in _COMMANDS:
            said = f"the result of `pocket-combine {_COMMANDS[found]}`"
        raise ResultError(f"{path}: holds {said}, expected that of {commands}")
    try:
        return (chosen or kinds[0]).from_json(text)
    except ResultError as error:
        whole = f"; expected the whole file that {commands} wrote" if found is None else ""
        raise ResultError(f"{path}: {error}{whole}") from error


def _type_in(text: str) -> str | None:
    """Return what a file says it holds, empty if nothing; `None` if it is no JSON, which its reader explains."""
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(plain, dict):
        return ""
    return str(plain.get("type", ""))


def write_result(result: Result, path: str | os.PathLike[str]) -> None:
    """Write a result as JSON; the file appears whole or not at all.

    Raises:
        OSError: If the file cannot be written.

    Examples:
        >>> import tempfile
        >>> from pocket_combine.results import LimitResult, Provenance
        >>> path = Path(tempfile.mkdtemp(), "limit.json")
        >>> write_result(LimitResult(Provenance("a1", "0.1", "asimov"), "r", 0.95, None, ()), path)
        >>> read_result(LimitResult, path).confidence_level
        0.95
    """
    with atomic_write(path) as file:
        file.write(result.to_json().encode())
