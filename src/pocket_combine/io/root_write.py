"""Many `TH1D` into one new ROOT file, fast.

Histograms of one binning differ only in name and numbers. One is serialised for each length of a name; its copies
become rows of one array, and names, numbers and positions are written into the columns. The file holds, in this order:
its header and directories, the descriptions of the classes, the histograms, the lists of keys, and the free segments.
Dates are constant and the UUID is a digest of the content, so that equal input gives equal bytes.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.resources
import os
import struct
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np

from pocket_combine.errors import RootFileError, join_problems
from pocket_combine.io.atomic import atomic_write
from pocket_combine.io.root_block import HistogramBlock, block_problems
from pocket_combine.io.root_format import (
    BIG_FILE,
    BYTE_COUNT_MASK,
    DIRECTORY,
    DIRECTORY_BIG,
    FILE_BEGIN,
    FILE_HEADER,
    FILE_HEADER_BIG,
    KEY,
    KEY_BIG,
    MAGIC,
    encode_string,
)
from pocket_combine.io.root_th1d import th1d_stamp
from pocket_combine.templates import IntArray

__all__ = ["write_histograms"]

_ROOT_VERSION = 62400  # the version whose class descriptions are written
_DATE = (0 << 26) | (1 << 22) | (1 << 17)  # 1 January 1995, the first day that a TDatime can hold
_CHUNK_BYTES = 1 << 22  # rows are stamped in pieces that stay in the processor's cache
_STREAMERS = 14  # class descriptions in streamers_th1d.bin


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
    except OSError as error:
        raise RootFileError(f"{os.fspath(path)} was not written: {error.strerror or error}") from error


@dataclass(frozen=True)
class _Pointers:
    """How positions are written: with four bytes, or with eight in a file beyond `BIG_FILE`."""

    big: bool

    def key(self, classname: bytes, name: bytes, title: bytes, *, size: int, seek: int, parent: int) -> bytes:
        """Return a `TKey` for an object of `size` bytes that starts, with its key, at `seek`."""
        layout = KEY_BIG if self.big else KEY
        strings = encode_string(classname) + encode_string(name) + encode_string(title)
        length = layout.size + len(strings)
        return layout.pack(length + size, 4 + 1000 * self.big, size, _DATE, length, 1, seek, parent) + strings

    def directory(self, identity: bytes, keys_size: int, name_size: int, seeks: tuple[int, int, int]) -> bytes:
        """Return the record of a directory; `seeks` are its own position, that of its parent and that of its keys."""
        layout = DIRECTORY_BIG if self.big else DIRECTORY
        record = layout.pack(5 + 1000 * self.big, _DATE, _DATE, keys_size, name_size, *seeks)
        # ROOT leaves room for eight-byte positions.
        return record + struct.pack(">H16s", 1, identity) + bytes(0 if self.big else 12)


@dataclass
class _Directory:
    """A directory of the new file and the keys in it."""

    path: str
    parent: _Directory | None
    seek: int = 0
    key: bytes = b""
    strings: bytes = b""
    keys: list[bytes] = field(default_factory=list)
    keys_seek: int = 0
    keys_size: int = 0

    @property
    def name(self) -> bytes:
        return self.path.rpartition("/")[2].encode()


def _write_file(file: BinaryIO, filename: bytes, blocks: Sequence[HistogramBlock]) -> None:
    pointers = _Pointers(_size_bound(blocks) > BIG_FILE)
    identity = _identity(blocks)
    directories = _directories(blocks)
    _place(pointers, filename, directories)
    # The head is written twice: first to learn its size and positions, at the end with the positions of the key lists.
    file.write(_head(pointers, identity, directories, _Ends()))
    streamers_seek = file.tell()
    file.write(_streamers(pointers, streamers_seek))
    streamers_size = file.tell() - streamers_seek
    for block in blocks:
        _write_block(file, pointers, block, directories)
    for directory in directories.values():
        _write_key_list(file, pointers, filename, directory)
    free_seek = file.tell()
    free = _free_segments(pointers, filename, free_seek)
    file.write(free)
    ends = _Ends(free_seek + len(free), free_seek, len(free), streamers_seek, streamers_size)
    file.seek(0)
    file.write(_head(pointers, identity, directories, ends))


@dataclass(frozen=True)
class _Ends:
    """What the file header says about the end of the file, its free segments and its class descriptions."""

    end: int = 0
    free_seek: int = 0
    free_size: int = 0
    streamers_seek: int = 0
    streamers_size: int = 0


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


def _directories(blocks: Sequence[HistogramBlock]) -> dict[str, _Directory]:
    """Return the directories by path, the file itself first under an empty path, parents before their children."""
    directories = {"": _Directory("", None)}
    folders = {folder: None for block in blocks for folder in dict.fromkeys(_folders(block.names))}
    for folder in folders:
        parts = folder.split("/") if folder else []
        for depth in range(1, len(parts) + 1):
            path = "/".join(parts[:depth])
            if path not in directories:
                directories[path] = _Directory(path, directories["/".join(parts[: depth - 1])])
    return directories


def _folders(names: Sequence[str]) -> list[str]:
    if "/" not in "".join(names):
        return [""] * len(names)
    return [name.rpartition("/")[0] for name in names]


def _place(pointers: _Pointers, filename: bytes, directories: dict[str, _Directory]) -> None:
    """Give each directory its key and its position behind the file header, and its parent the key."""
    seek = FILE_BEGIN
    size = len(pointers.directory(bytes(16), 0, 0, (0, 0, 0)))
    for directory in directories.values():
        directory.seek = seek
        if directory.parent is None:
            # The file repeats its name and title behind its key.
            directory.strings = encode_string(filename) + encode_string(b"")
            directory.key = pointers.key(
                b"TFile", filename, b"", size=len(directory.strings) + size, seek=seek, parent=0
            )
        else:
            name, parent = directory.name, directory.parent
            directory.key = pointers.key(b"TDirectory", name, name, size=size, seek=seek, parent=parent.seek)
            parent.keys.append(directory.key)
        seek += len(directory.key) + len(directory.strings) + size


def _head(pointers: _Pointers, identity: bytes, directories: dict[str, _Directory], ends: _Ends) -> bytes:
    """Return the file header, the record of the file as a directory, and the records of the directories in it."""
    root = directories[""]
    header = (FILE_HEADER_BIG if pointers.big else FILE_HEADER).pack(
        MAGIC,
        _ROOT_VERSION + 1_000_000 * pointers.big,
        FILE_BEGIN,
        ends.end,
        ends.free_seek,
        ends.free_size,
        1,  # number of free segments: the one behind the end
        len(root.key) + len(root.strings),
        8 if pointers.big else 4,
        0,  # compression settings
        ends.streamers_seek,
        ends.streamers_size,
        1,
        identity,
    )
    head = header.ljust(FILE_BEGIN, b"\0")
    for directory in directories.values():
        own = uuid.uuid5(uuid.UUID(bytes=identity), directory.path).bytes if directory.parent else identity
        parent = directory.parent.seek if directory.parent else 0
        name_size = len(directory.key) + len(directory.strings)
        seeks = (directory.seek, parent, directory.keys_seek)
        head += directory.key + directory.strings + pointers.directory(own, directory.keys_size, name_size, seeks)
    return head


@functools.cache
def _streamer_records() -> bytes:
    """Return the `TStreamerInfo` of `TH1D` and of all classes in it, as ROOT 6.24 and uproot write them."""
    return importlib.resources.files("pocket_combine.io").joinpath("streamers_th1d.bin").read_bytes()


def _streamers(pointers: _Pointers, seek: int) -> bytes:
    records = _streamer_records()
    # TList: byte count and version, TObject (version, fUniqueID, fBits = kNotDeleted), an empty name, the size
    header = struct.Struct(">IHHIIBi")
    size = header.size + len(records)
    key = pointers.key(b"TList", b"StreamerInfo", b"Doubly linked list", size=size, seek=seek, parent=FILE_BEGIN)
    return key + header.pack((size - 4) | BYTE_COUNT_MASK, 5, 1, 0, 0x02000000, 0, _STREAMERS) + records


def _write_block(
    file: BinaryIO, pointers: _Pointers, block: HistogramBlock, directories: dict[str, _Directory]
) -> None:
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
    pointers: _Pointers,
    block: HistogramBlock,
    names: Sequence[bytes],
    rows: IntArray,
    directory: _Directory,
) -> list[bytes]:
    """Write the histograms of a block whose names have the same length; return their keys."""
    title = block.title.encode()
    stamp = th1d_stamp(len(names[0]), title, block.edges, sumw2=block.variances is not None)
    key = pointers.key(b"TH1D", names[0], title, size=len(stamp.data), seek=0, parent=directory.seek)
    cells = block.edges.size + 1
    fields: dict[str, tuple[object, int]] = {
        "key": (f"V{len(key)}", 0),
        "seek": (">i8" if pointers.big else ">i4", 18),
        "key_name": (f"S{len(names[0])}", len(key) - len(encode_string(title)) - len(names[0])),
        "name": (f"S{len(names[0])}", len(key) + stamp.name),
        "statistics": ((">f8", 5), len(key) + stamp.statistics),
        "contents": ((">f8", cells), len(key) + stamp.contents),
    }
    if stamp.sumw2 is not None:
        fields["sumw2"] = ((">f8", cells), len(key) + stamp.sumw2)
    record = np.dtype(
        {
            "names": list(fields),
            "formats": [form for form, _ in fields.values()],
            "offsets": [offset for _, offset in fields.values()],
            "itemsize": len(key) + len(stamp.data),
        }
    )
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
    values = block.values[rows]
    # With flow bins, as uproot adds them up: the last digit depends on the grouping of the terms.
    contents = np.zeros((rows.size, block.edges.size + 1))
    contents[:, 1:-1] = values
    records["contents"] = contents
    centers = (block.edges[:-1] + block.edges[1:]) / 2
    statistics = records["statistics"]
    statistics[:, 0] = contents.sum(axis=1)
    statistics[:, 1] = values.sum(axis=1)
    statistics[:, 2] = statistics[:, 1]
    statistics[:, 3] = (values * centers).sum(axis=1)
    statistics[:, 4] = (values * centers**2).sum(axis=1)
    if block.variances is not None:
        variances = block.variances[rows]
        records["sumw2"][:, 1:-1] = variances
        statistics[:, 2] = variances.sum(axis=1)


def _write_key_list(file: BinaryIO, pointers: _Pointers, filename: bytes, directory: _Directory) -> None:
    listed = struct.pack(">i", len(directory.keys)) + b"".join(directory.keys)
    classname, name, title = (
        (b"TDirectory", directory.name, directory.name) if directory.parent else (b"TFile", filename, b"")
    )
    directory.keys_seek = file.tell()
    key = pointers.key(classname, name, title, size=len(listed), seek=directory.keys_seek, parent=directory.seek)
    directory.keys_size = len(key) + len(listed)
    file.write(key + listed)


def _free_segments(pointers: _Pointers, filename: bytes, seek: int) -> bytes:
    segment = struct.Struct(">Hqq" if pointers.big else ">Hii")
    key = pointers.key(b"TFile", filename, b"", size=segment.size, seek=seek, parent=FILE_BEGIN)
    end = seek + len(key) + segment.size
    last = max(BIG_FILE, end + 1_000_000_000) if pointers.big else BIG_FILE
    return key + segment.pack(1 + 1000 * pointers.big, end, last)
