"""Keys of a ROOT file → numbers of their histograms, many at a time.

Records are read and decompressed one after another and then taken apart together: objects of one class and size whose
structure agrees are rows of one array (`pocket_combine.io.root_parse`). Objects of versions that are not known there go
through uproot, one at a time.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from pocket_combine.errors import RootFileError, join_problems
from pocket_combine.io.root_codecs import Decompressor
from pocket_combine.io.root_fallback import read_with_uproot
from pocket_combine.io.root_file import RootKey, read_records
from pocket_combine.io.root_parse import Numbers, UInt8Array, UnknownLayoutError, find_layout, take_numbers
from pocket_combine.templates import IntArray

__all__ = ["Batch", "read_batches"]

logger = logging.getLogger(__name__)

_MOST_LAYOUTS = 256
"""Objects of one class and size that differ in more structures than this are taken one by one."""

_SHOWN = 20
"""How many problems are listed."""


class Batch(NamedTuple):
    """Numbers of some of the keys.

    Attributes:
        rows: Indices of the keys.
        numbers: Their numbers, in the same order.
    """

    rows: IntArray
    numbers: Numbers


def read_batches(file: BinaryIO, path: Path, keys: Sequence[RootKey]) -> list[Batch]:
    """Return the numbers of all keys, in batches of one layout.

    Args:
        file: The open file.
        path: Its path, for messages and for uproot.
        keys: Keys of classes in `root_parse.TH1_CLASSES`.

    Raises:
        RootFileError: If records are damaged; all of them are named.
    """
    problems: dict[int, str] = {}
    unknown: list[int] = []
    batches: list[Batch] = []
    for rows, objects in _objects(file, path, keys, problems):
        batches += _take(objects, rows, keys[rows[0]].classname, problems, unknown)
    if unknown:
        logger.info("%s: %d histograms of unknown versions are read through uproot", path, len(unknown))
        batches += _through_uproot(path, keys, sorted(unknown), problems)
    for batch in batches:
        _check(batch, problems)
    if problems:
        found = [f"histogram {keys[row].path!r}: {problems[row]}" for row in sorted(problems)]
        hidden = len(found) - _SHOWN
        found = found[:_SHOWN] + ([f"… and {hidden} more histograms"] if hidden > 0 else [])
        raise RootFileError(f"{path}: {join_problems(found)}")
    return batches


def _objects(
    file: BinaryIO, path: Path, keys: Sequence[RootKey], problems: dict[int, str]
) -> Iterator[tuple[IntArray, UInt8Array]]:
    """Yield indices of keys of one class and size, and `objects[key, byte]`, their uncompressed objects."""
    groups: dict[tuple[str, int], list[int]] = {}
    for row, key in enumerate(keys):
        groups.setdefault((key.classname, key.object_size), []).append(row)
    records = read_records(file, path, keys)
    decompress = Decompressor()
    for (_, size), rows in groups.items():
        sound: list[int] = []
        objects: list[bytes | memoryview] = []
        if not size:
            problems |= dict.fromkeys(rows, "has an empty record")
            continue
        for row in rows:
            record = records[row]
            try:
                # As in ROOT, a record is compressed if it is smaller than its object.
                objects.append(record[:size] if len(record) >= size else decompress(bytes(record), size))
                sound.append(row)
            except RootFileError as error:
                problems[row] = str(error)
        if sound:
            data = np.frombuffer(b"".join(objects), dtype=np.uint8).reshape(len(sound), size)
            yield np.array(sound, dtype=np.intp), data


def _take(
    objects: UInt8Array, rows: IntArray, classname: str, problems: dict[int, str], unknown: list[int]
) -> Iterator[Batch]:
    """Yield the numbers of objects of one class and size, in batches of one structure."""
    waiting = np.arange(len(rows))
    found = 0
    while waiting.size:
        first = waiting[0]
        try:
            layout = find_layout(objects[first].tobytes(), classname)
        except (RootFileError, UnknownLayoutError) as error:
            if isinstance(error, RootFileError):
                problems[int(rows[first])] = str(error)
            else:
                unknown.append(int(rows[first]))
            waiting = waiting[1:]
            continue
        found += 1
        candidates = waiting if found <= _MOST_LAYOUTS else waiting[:1]
        structure = objects[np.ix_(candidates, layout.structure)]
        same = np.zeros(waiting.size, dtype=bool)
        same[: candidates.size] = (structure == structure[0]).all(axis=1)
        members = waiting[same]
        selected = objects if members.size == len(objects) else objects[members]
        yield Batch(rows[members], take_numbers(selected, layout))
        waiting = waiting[~same]


def _through_uproot(
    path: Path, keys: Sequence[RootKey], rows: Sequence[int], problems: dict[int, str]
) -> Iterator[Batch]:
    for row, numbers in zip(rows, read_with_uproot(path, [keys[row] for row in rows]), strict=True):
        if isinstance(numbers, RootFileError):
            problems[row] = str(numbers)
        else:
            yield Batch(np.array([row], dtype=np.intp), numbers)


def _check(batch: Batch, problems: dict[int, str]) -> None:
    numbers = batch.numbers
    for row in batch.rows[numbers.pending].tolist():
        problems[row] = "holds entries that are not in its bins yet; call BufferEmpty() on it before it is written"
    if numbers.sumw2 is not None:
        for row in batch.rows[(numbers.sumw2 < 0).any(axis=1)].tolist():
            problems[row] = "holds a negative sum of squared weights"
    # A comparison with NaN is false.
    sound = np.isfinite(numbers.axes).all(axis=1) & (np.diff(numbers.axes, axis=1) > 0).all(axis=1)
    for row in batch.rows[~sound].tolist():
        problems[row] = "has an axis whose edges are not finite and strictly increasing"
