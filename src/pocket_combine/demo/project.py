"""Writes the toy analysis into a folder."""

from __future__ import annotations

import os
import pickle
from collections import defaultdict
from importlib import resources
from pathlib import Path
from typing import Any

import lz4.frame

from pocket_combine.errors import PocketCombineError
from pocket_combine.io.atomic import atomic_write

__all__ = ["ANALYSIS_NAME", "OUTPUT_NAME", "STYLE_NAME", "write_demo"]

ANALYSIS_NAME = "analysis.py"
"""Name of the analysis file in the folder of the demo."""

OUTPUT_NAME = "output_all.coffea"
"""Name of the output in the folder of the demo."""

STYLE_NAME = "style.yaml"
"""Name of the style of figures in the folder of the demo."""


def write_demo(directory: str | os.PathLike[str], *, seed: int = 3, overwrite: bool = False) -> tuple[Path, Path]:
    """Write the output, the analysis file and the style of figures of the toy analysis.

    Equal seeds give equal files with equal versions of hist and NumPy.

    Args:
        directory: Folder to write to; made if it does not exist.
        seed: Seed of the random numbers behind the output.
        overwrite: Whether to replace an analysis file or a style that was edited.

    Returns:
        The paths of the analysis file and of the output.

    Raises:
        PocketCombineError: If the folder holds an analysis file or a style with other content.
        OSError: If the folder cannot be written.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     paths = write_demo(folder)
        ...     [path.name for path in paths]
        ['analysis.py', 'output_all.coffea']
    """
    folder = Path(directory)
    analysis, output = folder / ANALYSIS_NAME, folder / OUTPUT_NAME
    package = resources.files(__package__)
    texts = {folder / name: package.joinpath(name).read_bytes() for name in (ANALYSIS_NAME, STYLE_NAME)}
    for path, text in texts.items():
        if path.exists() and not overwrite and path.read_bytes() != text:
            raise PocketCombineError(
                f"{path} was edited, or belongs to another analysis: choose another folder, or replace it with "
                "overwrite=True (--overwrite on the command line)"
            )
    from pocket_combine.demo.output import make_output  # noqa: PLC0415  hist takes half a second to import

    folder.mkdir(parents=True, exist_ok=True)
    content = pickle.dumps(_with_ordered_sets(make_output(seed)), protocol=4)
    with atomic_write(output) as stream:
        stream.write(lz4.frame.compress(content))
    for path, text in texts.items():
        with atomic_write(path) as stream:
            stream.write(text)
    return analysis, output


class _OrderedSet:
    """A set that is pickled in order. The order of a set itself changes from run to run with the hashes of texts."""

    def __init__(self, items: set[str]) -> None:
        self.items = items

    def __reduce__(self) -> tuple[type[set[str]], tuple[list[str]]]:
        return set, (sorted(self.items),)


def _with_ordered_sets(output: dict[str, Any]) -> dict[str, Any]:
    metadata = output["datasets_metadata"]
    by_period = {
        period: defaultdict(set, {sample: _OrderedSet(datasets) for sample, datasets in samples.items()})
        for period, samples in metadata["by_datataking_period"].items()
    }
    return output | {"datasets_metadata": metadata | {"by_datataking_period": by_period}}
