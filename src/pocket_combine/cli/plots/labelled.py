"""Files with labels on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

__all__ = ["labelled_files"]


def labelled_files(_: click.Context, parameter: click.Parameter, words: Sequence[str]) -> dict[str, Path]:
    """Return `LABEL=FILE` or `FILE` words as files by label, which is the name of the file without its ending.

    A word that is the name of a file is one, even with a `=`.

    Raises:
        click.BadParameter: If a label or a file is empty, or a label comes twice.
    """
    result: dict[str, Path] = {}
    for word in words:
        label, equals, file = word.partition("=")
        if not equals or Path(word).exists():
            label, file = Path(word).stem, word
        if not (label and file):
            raise click.BadParameter(f"{word!r}, expected {parameter.metavar}")
        if label in result:
            raise click.BadParameter(f"two results are called {label!r}; write LABEL=FILE to tell them apart")
        result[label] = Path(file)
    return result
