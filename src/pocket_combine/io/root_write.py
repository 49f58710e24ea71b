"""Many `TH1D` into one new ROOT file, fast.

Histograms of one binning differ only in name and numbers. One is serialised for each length of a name; its copies
become rows of one array, and names, numbers and positions are written into the columns. The file holds, in this order:
its header and directories, the descriptions of the classes, the histograms, the lists of keys, and the free segments
(`pocket_combine.io.root_skeleton`). The UUID is a digest of the content.
"""

from __future__ import annotations

import hashlib
import os
import struct
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from pocket_combine.errors import RootFileError, join_problems
from pocket_combine.io.atomic import atomic_write
from pocket_combine.io.root_block import HistogramBlock, block_problems
from pocket_combine.io.root_format import BIG_FILE, encode_string, record_type
from pocket_combine.io.root_skeleton import (
    Directory,
    Ends,
    Pointers,
    class_descriptions,
    file_head,
    free_segments,
    make_directories,
    place_directories,
    write_key_list,
)
from pocket_combine.io.root_th1d import th1d_stamp
from pocket_combine.templates import IntArray

__all__ = ["write_histograms"]

_CHUNK_BYTES = 1 << 22  # rows are stamped in pieces that stay in the processor's cache


def write_histograms(path: str | os.PathLike[str], blocks: Iterable[HistogramBlock]) -> None:
    """Write histograms as `TH1D` to a new ROOT file, or leave what stands at `path` as it is.

    `fEntries` is the sum of the contents, as uproot writes it; `fTsumw`, `fTsumw2`, `fTsumwx` and `fTsumwx2` are the
    sums of contents, squared errors, contents times bin centre and contents times its square, which `TH1::GetStats`
    gives for a histogram filled from its contents. Bins that ROOT's formula for equal widths reproduces exactly are
    stored as such, all others with their edges. Records are not compressed. Files beyond two billion bytes get the
    eight-byte positions that ROOT uses there.

    Args:
        path: The file; an existing one is replaced.
        blocks: Histograms, each block with its binning. Keys stand in the file in this order.

    Raises:
        RootFileError: If names repeat or cannot be used, arrays do not fit together, numbers are not finite, or the
            file cannot be written. All problems of the blocks are listed.

    Examples:
        >>> import pathlib, tempfile
        >>> target = pathlib.Path(tempfile.mkdtemp(), "shapes.root")
        >>> contents = np.array([[1.0, 2.0], [3.0, 4.0]])
        >>> write_histograms(target, [HistogramBlock(["ttbar", "ttbar_JESUp"], [0, 1, 2], contents, contents)])
        >>> import uproot
        >>> with uproot.open(target) as file:
        ...     file.keys(cycle=False), file["ttbar_JESUp"].values()
        (['ttbar', 'ttbar_JESUp'], array([3., 4.]))
    """
    blocks = list(blocks)
    if problems := block_problems(blocks):
        raise RootFileError(f"{os.fspath(path)} was not written: {join_problems(problems)}")
    try:
        with atomic_write(path) as file:
            _write_file(file, Path(path).name.encode(errors="replace"), blocks)
    except (OSError, RootFileError) as error:
        reason = getattr(error, "strerror", None) or error
        raise RootFileError(f"{os.fspath(path)} was not written: {reason}") from error


def _write_file(file: BinaryIO, filename: bytes, blocks: Sequence[HistogramBlock]) -> None:
    pointers = Pointers(_size_bound(blocks) > BIG_FILE)
    identity = _identity(blocks)
    directories = make_directories(dict.fromkeys(folder for block in blocks for folder in _folders(block.names)))
    place_directories(pointers, filename, directories)
    # The head is written twice: first to learn its size and positions, at the end with the positions of the key lists.
    file.write(file_head(pointers, identity, directories, Ends()))
    streamers_seek = file.tell()
    file.write(class_descriptions(pointers, streamers_seek))
    streamers_size = file.tell() - streamers_seek
    for block in blocks:
        _write_block(file, pointers, block, directories)
    for directory in directories.values():
        write_key_list(file, pointers, filename, directory)
    free_seek = file.tell()
    free = free_segments(pointers, filename, free_seek)
    file.write(free)
    ends = Ends(free_seek + len(free), free_seek, len(free), streamers_seek, streamers_size)
    file.seek(0)
    file.write(file_head(pointers, identity, directories, ends))


def _size_bound(blocks: Sequence[HistogramBlock]) -> int:
    """Return a number of bytes that the file does not exceed."""
    bound = 1 << 16
    for block in blocks:
        # A name of n characters takes at most 4 n bytes, and stands in the key, in the object and in the list of keys.
        names = 12 * sum(map(len, block.names))
        bound += names + len(block.names) * (24 * (block.edges.size + 1) + 1024 + 12 * len(block.title))
    return bound


def _identity(blocks: Sequence[HistogramBlock]) -> bytes:
    """Return the UUID of the file, from its content.

    A constant would not do: readers such as uproot take two files with one UUID for one file and return the objects
    of the first for the second.
    """
    digest = hashlib.sha256()
    for block in blocks:
        texts = "\n".join((block.title, *block.names)).encode()
        digest.update(struct.pack(">qqq", len(texts), len(block.names), block.edges.size) + texts)
        for array in (block.edges, block.values, block.variances):
            if array is not None:
                digest.update(np.ascontiguousarray(array, dtype="<f8").data)
    return uuid.UUID(bytes=digest.digest()[:16], version=5).bytes


def _folders(names: Sequence[str]) -> list[str]:
    if "/" not in "".join(names):
        return [""] * len(names)
    return [name.rpartition("/")[0] for name in names]


def _write_block(file: BinaryIO, pointers: Pointers, block: HistogramBlock, directories: dict[str, Directory]) -> None:
    folders = _folders(block.names)
    names = [name[len(folder) + bool(folder) :].encode() for name, folder in zip(block.names, folders, strict=True)]
    keys: list[bytes] = [b""] * len(names)
    groups: dict[tuple[str, int], list[int]] = {}
    for row, group in enumerate(zip(folders, map(len, names), strict=True)):
        groups.setdefault(group, []).append(row)
    for (folder, _), rows in groups.items():
        written = _write_rows(file, pointers, block, [names[row] for row in rows], np.array(rows), directories[folder])
        for row, key in zip(rows, written, strict=True):
            keys[row] = key
    for folder, key in zip(folders, keys, strict=True):
        directories[folder].keys.append(key)


def _write_rows(
    file: BinaryIO,
    pointers: Pointers,
    block: HistogramBlock,
    names: Sequence[bytes],
    rows: IntArray,
    directory: Directory,
) -> list[bytes]:
    """Write the histograms of a block whose names have the same length; return their keys."""
    title = block.title.encode()
    stamp = th1d_stamp(len(names[0]), title, block.edges, sumw2=block.variances is not None)
    key = pointers.key(b"TH1D", names[0], title, size=len(stamp.data), seek=0, parent=directory.seek)
    cells = block.edges.size + 1
    fields: dict[str, tuple[npt.DTypeLike, int]] = {
        "key": (f"V{len(key)}", 0),
        "seek": (">i8" if pointers.big else ">i4", 18),
        "key_name": (f"S{len(names[0])}", len(key) - len(encode_string(title)) - len(names[0])),
        "name": (f"S{len(names[0])}", len(key) + stamp.name),
        "statistics": ((">f8", 5), len(key) + stamp.statistics),
        "contents": ((">f8", cells), len(key) + stamp.contents),
    }
    if stamp.sumw2 is not None:
        fields["sumw2"] = ((">f8", cells), len(key) + stamp.sumw2)
    record = record_type(fields, len(key) + len(stamp.data))
    length = max(1, min(len(names), _CHUNK_BYTES // record.itemsize))
    stamped = np.frombuffer((key + stamp.data) * length, dtype=np.uint8).copy().view(record)
    keys: list[bytes] = []
    for start in range(0, len(names), length):
        chunk = slice(start, start + length)
        records = stamped[: len(names[chunk])]
        records["seek"] = file.tell() + np.arange(records.size) * record.itemsize
        records["key_name"] = records["name"] = np.frombuffer(b"".join(names[chunk]), record["name"])
        _fill_numbers(records, block, rows[chunk])
        file.write(records.view(np.uint8).data)
        keys += records["key"].tolist()
    return keys


def _fill_numbers(records: np.ndarray[tuple[int], np.dtype[np.void]], block: HistogramBlock, rows: IntArray) -> None:
    values = squares = block.values[rows]
    if block.variances is not None:
        squares = block.variances[rows]
        records["sumw2"][:, 1:-1] = squares
    # With flow bins, as uproot adds them up: the last digit depends on the grouping of the terms.
    contents = np.zeros((rows.size, block.edges.size + 1))
    contents[:, 1:-1] = values
    records["contents"] = contents
    # Near the end of the range of doubles sums overflow to infinity, as ROOT's own do.
    with np.errstate(over="ignore", invalid="ignore"):
        centers = (block.edges[:-1] + block.edges[1:]) / 2
        moments = (contents, values, squares, values * centers, values * centers**2)
        records["statistics"] = np.stack([moment.sum(axis=1) for moment in moments], axis=1)
