"""What surrounds the histograms of a new ROOT file: header, directories, class descriptions, lists of keys, free space.

Dates are constant and UUIDs are given, so that equal content gives equal bytes.
"""

from __future__ import annotations

import functools
import importlib.resources
import struct
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import BinaryIO

from pocket_combine.errors import RootFileError
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

__all__ = [
    "Directory",
    "Ends",
    "Pointers",
    "class_descriptions",
    "file_head",
    "free_segments",
    "make_directories",
    "place_directories",
    "write_key_list",
]

_ROOT_VERSION = 62400  # the version whose class descriptions are written
_DATE = (0 << 26) | (1 << 22) | (1 << 17)  # 1 January 1995, the first day that a TDatime can hold
_STREAMERS = 14  # class descriptions in streamers_th1d.bin
_LARGEST_RECORD = (1 << 31) - 1  # TKey::fNbytes is a signed 32-bit number


@dataclass(frozen=True)
class Pointers:
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
class Directory:
    """A directory of the new file and the keys in it; positions and sizes are in bytes.

    Attributes:
        path: Directories and name, separated by slashes; empty for the file itself.
        parent: The directory that it is in; `None` for the file itself.
        seek: Where its record starts.
        key: Its own key.
        strings: What stands between its key and its record: for the file itself its name and title.
        keys: The keys in it, as bytes.
        keys_seek: Where the list of its keys starts.
        keys_size: Size of that list.
    """

    path: str
    parent: Directory | None
    seek: int = 0
    key: bytes = b""
    strings: bytes = b""
    keys: list[bytes] = field(default_factory=list)
    keys_seek: int = 0
    keys_size: int = 0

    @property
    def name(self) -> bytes:
        """The last part of the path."""
        return self.path.rpartition("/")[2].encode()


@dataclass(frozen=True)
class Ends:
    """What the file header says about the end of the file, its free segments and its class descriptions, in bytes."""

    end: int = 0
    free_seek: int = 0
    free_size: int = 0
    streamers_seek: int = 0
    streamers_size: int = 0


def make_directories(folders: Iterable[str]) -> dict[str, Directory]:
    """Return directories by path, the file itself first under an empty path, parents before their children."""
    directories = {"": Directory("", None)}
    for folder in folders:
        parts = folder.split("/") if folder else []
        for depth in range(1, len(parts) + 1):
            path = "/".join(parts[:depth])
            if path not in directories:
                directories[path] = Directory(path, directories["/".join(parts[: depth - 1])])
    return directories


def place_directories(pointers: Pointers, filename: bytes, directories: dict[str, Directory]) -> None:
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


def file_head(pointers: Pointers, identity: bytes, directories: dict[str, Directory], ends: Ends) -> bytes:
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


def class_descriptions(pointers: Pointers, seek: int) -> bytes:
    """Return the record of class descriptions, which stands at `seek`."""
    records = _streamer_records()
    # TList: byte count and version, TObject (version, fUniqueID, fBits = kNotDeleted), an empty name, the size
    header = struct.Struct(">IHHIIBi")
    size = header.size + len(records)
    key = pointers.key(b"TList", b"StreamerInfo", b"Doubly linked list", size=size, seek=seek, parent=FILE_BEGIN)
    return key + header.pack((size - 4) | BYTE_COUNT_MASK, 5, 1, 0, 0x02000000, 0, _STREAMERS) + records


def write_key_list(file: BinaryIO, pointers: Pointers, filename: bytes, directory: Directory) -> None:
    """Write the list of keys of a directory, and remember in it where that is.

    Raises:
        RootFileError: If it is larger than a record can be.
    """
    listed = struct.pack(">i", len(directory.keys)) + b"".join(directory.keys)
    classname, name, title = (
        (b"TDirectory", directory.name, directory.name) if directory.parent else (b"TFile", filename, b"")
    )
    directory.keys_seek = file.tell()
    key = pointers.key(classname, name, title, size=len(listed), seek=directory.keys_seek, parent=directory.seek)
    directory.keys_size = len(key) + len(listed)
    if directory.keys_size > _LARGEST_RECORD:
        raise RootFileError(f"directory {directory.path or '/'!r} has more keys than a ROOT file can list")
    file.write(key + listed)


def free_segments(pointers: Pointers, filename: bytes, seek: int) -> bytes:
    """Return the record of free space, which stands at `seek` and ends the file: only what is behind it is free."""
    segment = struct.Struct(">Hqq" if pointers.big else ">Hii")
    key = pointers.key(b"TFile", filename, b"", size=segment.size, seek=seek, parent=FILE_BEGIN)
    end = seek + len(key) + segment.size
    last = max(BIG_FILE, end + 1_000_000_000) if pointers.big else BIG_FILE
    return key + segment.pack(1 + 1000 * pointers.big, end, last)
