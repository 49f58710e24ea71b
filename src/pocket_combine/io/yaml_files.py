"""YAML files: naming dictionaries and styles. PyYAML is an extra, so it is imported when it is needed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pocket_combine.errors import MissingDependencyError
from pocket_combine.io.paths import why_unreadable

__all__ = ["import_yaml", "read_yaml"]


def import_yaml(reason: str, extra: str) -> Any:
    """Return the module `yaml`.

    Args:
        reason: What needs it, such as `style files need`.
        extra: The extra of this package that brings it along.

    Raises:
        MissingDependencyError: If PyYAML is not installed.
    """
    try:
        import yaml  # noqa: PLC0415  an extra
    except ImportError as error:
        raise MissingDependencyError(f"{reason} PyYAML: pip install 'pocket-combine[{extra}]'") from error
    return yaml


def read_yaml(path: str | os.PathLike[str], yaml: Any, refusal: Callable[[str], Exception]) -> Any:
    """Return what a YAML file holds: plain values only, `None` for an empty file.

    Args:
        path: The file.
        yaml: As `import_yaml` returns it.
        refusal: Makes an exception of a message, which names the file, and the line where there is one.

    Raises:
        Exception: From `refusal`, if the file cannot be read, or is not YAML.
    """
    name = os.fspath(path)
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise refusal(f"{name}: {why_unreadable(path, error)}") from error
    try:
        return yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = "" if error.problem_mark is None else f":{error.problem_mark.line + 1}"
        problem = ": ".join(filter(None, (error.context, error.problem)))
        raise refusal(f"{name}{line}: is not YAML: {problem}") from error
    except yaml.reader.ReaderError as error:
        raise refusal(f"{name}: is not YAML: character {error.position + 1}: {error.reason}") from error
    except RecursionError as error:
        raise refusal(f"{name}: is not YAML: nested too deeply") from error
    except ValueError as error:  # a date or a number that is none
        raise refusal(f"{name}: is not YAML: {error}") from error
