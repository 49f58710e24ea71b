"""Reading outputs of PocketCoffea (`.coffea` files: an LZ4 frame around a pickle) without running code from them."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeAlias

from pocket_combine.errors import DeclarationError, OutputFileError
from pocket_combine.io.compressed import LZ4Stream
from pocket_combine.io.output import Output
from pocket_combine.io.output_sum import OutputSum
from pocket_combine.io.pickles.histogram_names import HISTOGRAM_NAMES
from pocket_combine.io.pickles.limits import Limits
from pocket_combine.io.pickles.numpy_names import NUMPY_NAMES
from pocket_combine.io.pickles.plain_names import PLAIN_NAMES
from pocket_combine.io.pickles.reader import unpickle
from pocket_combine.io.pickles.trust import Allow, NameTable, read_allow

__all__ = ["DEFAULT_MAX_BYTES", "Paths", "load_output", "output_paths", "read_contents"]

logger = logging.getLogger(__name__)

PathLike: TypeAlias = "str | os.PathLike[str]"
Paths: TypeAlias = "PathLike | Iterable[PathLike]"

DEFAULT_MAX_BYTES = 16 * 1024**3
"""Bytes that a file may decompress to, if nothing else is said."""


def load_output(path_or_paths: Paths, *, allow: Allow = (), max_bytes: int = DEFAULT_MAX_BYTES) -> Output:
    """Return what is in an output of PocketCoffea, or the sum of several outputs.

    The file is a pickle, hence a program. It is read by a machine that knows only data: containers, numbers, NumPy
    arrays, histograms, and coffea's accumulators as plain containers. coffea is not needed, and nothing that the file
    names is imported or run. `collections.defaultdict` is read as `dict`.

    Several files are read one after the other in the order of their names, so that the sum is the same to the last
    bit in whatever order they are given. Histograms are added category by category and variation by variation, by
    name; counts and sums of weights are added; metadata are united.

    Args:
        path_or_paths: A file, or several.
        allow: Further names that the files may use, either a list (`["mycode.Cuts"]`: imported and run, so only for
            files of which you know who wrote them) or a mapping (`{"mycode.Cuts": None}`: what the file makes with
            the name is read as an inert placeholder).
        max_bytes: Limit of the decompressed size of each file, and again of the objects made from it.

    Raises:
        OutputFileError: If a file cannot be read, is no output of PocketCoffea, or contradicts another one.
        UnsafePickleError: If a file asks for code that is not allowed.
        TemplateError: If histograms of several files cannot be added.
        DeclarationError: If an argument cannot be right.

    Examples:
        >>> import lz4.frame, pathlib, pickle, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp(), "output_all.coffea")
        >>> contents = {"variables": {}, "cutflow": {}, "datasets_metadata": {}}
        >>> _ = path.write_bytes(lz4.frame.compress(pickle.dumps(contents)))
        >>> load_output(path)["cutflow"]
        {}
        >>> _ = path.write_bytes(lz4.frame.compress(pickle.dumps(print)))
        >>> load_output(path)  # doctest: +IGNORE_EXCEPTION_DETAIL
        Traceback (most recent call last):
        ...
        pocket_combine.errors.UnsafePickleError: …/output_all.coffea: asks for code … builtins.print …
    """
    paths = output_paths(path_or_paths)
    if len(paths) == 1:
        return _read(paths[0], allow, max_bytes)
    total = OutputSum()
    for path in paths:
        total.add(path, _read(path, allow, max_bytes))
    result = total.result()
    for finding in result.findings:
        logger.warning("%s", finding)
    return result


def read_contents(path: PathLike, *, allow: Allow = (), max_bytes: int = DEFAULT_MAX_BYTES) -> Any:
    """Return the object in a `.coffea` file, whatever it is; see `load_output` for arguments and safety.

    Raises:
        OutputFileError: If the file cannot be read.
        UnsafePickleError: If the file asks for code that is not allowed.
        DeclarationError: If an argument cannot be right.

    Examples:
        >>> import lz4.frame, pathlib, pickle, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp(), "numbers.coffea")
        >>> _ = path.write_bytes(lz4.frame.compress(pickle.dumps({"a": [1, 2.5]})))
        >>> read_contents(path)
        {'a': [1, 2.5]}
    """
    if type(max_bytes) is not int or max_bytes <= 0:
        raise DeclarationError(f"max_bytes={max_bytes!r}, expected a number of bytes greater than 0")
    table: NameTable = {**PLAIN_NAMES, **NUMPY_NAMES, **HISTOGRAM_NAMES, **read_allow(allow)}
    path = Path(path).expanduser()
    try:
        with LZ4Stream(path, max_bytes) as stream:
            return unpickle(stream, table, Limits(max_bytes))
    except OutputFileError as error:
        raise _at(path, error) from error


def _read(path: Path, allow: Allow, max_bytes: int) -> Output:
    contents = read_contents(path, allow=allow, max_bytes=max_bytes)
    try:
        return Output(contents, (path,))
    except OutputFileError as error:
        raise _at(path, error) from error


def _at(path: Path, error: OutputFileError) -> OutputFileError:
    """Return an error of the same kind whose message begins with the file."""
    return type(error)(f"{path}: {error}")


def output_paths(path_or_paths: Paths) -> tuple[Path, ...]:
    """Return the paths of outputs in the order in which they are added: sorted by their full names.

    Raises:
        DeclarationError: If there is none, or a file is given twice, which would count its events twice.

    Examples:
        >>> [path.name for path in output_paths(["b.coffea", "a.coffea"])]
        ['a.coffea', 'b.coffea']
        >>> output_paths(["a.coffea", "./a.coffea"])
        Traceback (most recent call last):
        ...
        pocket_combine.errors.DeclarationError: output a.coffea is given 2 times: its events would count 2 times
    """
    given = [path_or_paths] if isinstance(path_or_paths, (str, os.PathLike)) else list(path_or_paths)
    if not given:
        raise DeclarationError("no output is given, expected at least one `.coffea` file")
    places: dict[Path, list[Path]] = {}
    for item in given:
        path = Path(item).expanduser()
        try:
            full = path.resolve()
        except (ValueError, RuntimeError) as error:
            # A name that no file can have, or a circle of links.
            raise DeclarationError(f"the output {item!r} cannot be found: {error}") from error
        places.setdefault(full, []).append(path)
    problems = [
        f"output {' and '.join(dict.fromkeys(map(str, names)))} is given {len(names)} times: its events would count "
        f"{len(names)} times"
        for names in places.values()
        if len(names) > 1
    ]
    if problems:
        raise DeclarationError(problems)
    return tuple(places[full][0] for full in sorted(places))
