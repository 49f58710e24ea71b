"""The keys of a ROOT file: its header, its directories, and the bytes behind a key."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from pocket_combine.errors import RootFileError, listed
from pocket_combine.io.root_format import (
    DIRECTORY,
    DIRECTORY_BIG,
    DIRECTORY_CLASSES,
    FILE_BEGIN,
    FILE_HEADER,
    FILE_HEADER_BIG,
    KEY,
    KEY_BIG,
    MAGIC,
)

__all__ = ["RootKey", "list_keys", "read_records"]

_DEEPEST = 64  # directories inside directories
_LONGEST_FOLDER = 1000  # characters of their names together
_GAP = 1 << 16  # records closer than this are read in one go
_SPAN = 1 << 26  # but not more than this at once

_NOT_ROOT = {
    b"\x04\x22\x4d\x18": "an LZ4 frame, as `.coffea` files are",
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "gzip data",
}


class RootKey(NamedTuple):
    """One entry of a list of keys.

    Attributes:
        path: Directories and name, separated by slashes.
        cycle: The cycle number: objects of one name written one after another count up.
        classname: Class of the object.
        seek: Where the record starts.
        size: Bytes of the record: the key and the possibly compressed object.
        key_size: Bytes of the key at the start of the record.
        object_size: Bytes of the uncompressed object.
    """

    path: str
    cycle: int
    classname: str
    seek: int
    size: int
    key_size: int
    object_size: int


def list_keys(file: BinaryIO, path: Path) -> list[RootKey]:
    """Return the keys of all objects in a file, directory by directory, each in the order of its list.

    Where a directory's name has several cycles, only the first one in the list is entered, as ROOT does.

    Args:
        file: The open file.
        path: Its path, for messages.

    Raises:
        RootFileError: If it is not a ROOT file, or its header or directories are damaged.
    """
    size = file.seek(0, os.SEEK_END)
    try:
        return list(_walk(file, size, *_root_directory(file, size)))
    except RootFileError as error:
        raise RootFileError(f"{path}: {error}") from error
    except OSError as error:
        raise RootFileError(f"{path}: cannot be read: {error.strerror or error}") from error


def _root_directory(file: BinaryIO, size: int) -> tuple[int, int]:
    """Check the header; return position and size of the list of keys of the file itself."""
    file.seek(0)
    head = file.read(FILE_HEADER_BIG.size)
    if not head.startswith(MAGIC):
        known = next((text for magic, text in _NOT_ROOT.items() if head.startswith(magic)), f"{head[:4]!r}")
        raise RootFileError(f"is not a ROOT file: it begins with {known}" if head else "is empty")
    if len(head) < FILE_HEADER_BIG.size or size < FILE_BEGIN:
        raise RootFileError(f"is truncated: {size} bytes are less than the header of a ROOT file")
    _, version, begin, end, _, _, _, name_size, *_ = FILE_HEADER.unpack_from(head)
    if version >= 1_000_000:
        _, _, begin, end, _, _, _, name_size, *_ = FILE_HEADER_BIG.unpack_from(head)
    if end > size:
        raise RootFileError(f"is truncated: {size} bytes, its header says {end}; copy or write it again")
    if begin < FILE_HEADER.size or name_size < 0:
        raise RootFileError("has a damaged header")
    keys_seek, keys_size = _directory_record(file, size, begin + name_size, "/")
    if not keys_seek:
        raise RootFileError("has no list of keys: it was not closed by the program that wrote it; write it again")
    return keys_seek, keys_size


def _directory_record(file: BinaryIO, size: int, seek: int, name: str) -> tuple[int, int]:
    """Return position and size of the list of keys of the directory whose record is at `seek`; 0, 0 if it has none."""
    record = _read(file, size, seek, min(DIRECTORY_BIG.size, max(size - seek, 0)), f"directory {name!r}")
    layout = DIRECTORY
    if len(record) >= 2 and struct.unpack_from(">h", record)[0] > 1000:
        layout = DIRECTORY_BIG
    if len(record) < layout.size:
        raise RootFileError(f"directory {name!r} lies beyond the end of the file")
    _, _, _, keys_size, _, _, _, keys_seek = layout.unpack_from(record)
    return (keys_seek, keys_size) if keys_seek else (0, 0)


def _walk(file: BinaryIO, size: int, keys_seek: int, keys_size: int) -> Iterator[RootKey]:
    """Yield the keys of all objects, each directory's at the place of its key."""
    lists = {keys_seek}
    entered: set[str] = set()
    keys = _key_list(file, size, keys_seek, keys_size, "")
    total = len(keys)
    waiting = [iter(keys)]
    while waiting:
        key = next(waiting[-1], None)
        if key is None:
            waiting.pop()
        elif key.classname not in DIRECTORY_CLASSES:
            yield key
        elif key.path not in entered:
            entered.add(key.path)
            if len(waiting) > _DEEPEST or len(key.path) > _LONGEST_FOLDER:
                raise RootFileError(f"directories are nested too deep: {key.path[:80]!r}…")
            keys_seek, keys_size = _directory_record(file, size, key.seek + key.key_size, key.path)
            if keys_seek:
                keys = _key_list(file, size, keys_seek, keys_size, key.path + "/")
                total += len(keys)
                # Sound directories do not share their lists, so that all keys together are smaller than the file.
                if keys_seek in lists or total * KEY.size > size:
                    raise RootFileError(f"directory {key.path!r} lists the keys of another one: the file is damaged")
                lists.add(keys_seek)
                waiting.append(iter(keys))


def _key_list(file: BinaryIO, size: int, seek: int, length: int, prefix: str) -> list[RootKey]:
    """Return the keys of one directory."""
    where = f"the list of keys of directory {prefix[:-1]!r}" if prefix else "the list of keys"
    data = _read(file, size, seek, length, where)
    try:
        # The list is a record itself: a key, the number of entries, the entries.
        _, _, _, _, own_size, *_ = KEY.unpack_from(data)
        (count,) = struct.unpack_from(">I", data, own_size)
        return _parse_keys(data, own_size + 4, count, prefix)
    except (struct.error, IndexError) as error:
        raise RootFileError(f"{where} is damaged") from error


def _parse_keys(data: bytes, position: int, count: int, prefix: str) -> list[RootKey]:
    keys = []
    for _ in range(count):
        size, version, object_size, _, key_size, cycle, seek, _ = KEY.unpack_from(data, position)
        strings = position + KEY.size
        if version > 1000:
            size, version, object_size, _, key_size, cycle, seek, _ = KEY_BIG.unpack_from(data, position)
            strings = position + KEY_BIG.size
        end = position + key_size
        classname, strings = _string(data, strings, end)
        name, strings = _string(data, strings, end)
        if size < key_size or object_size < 0 or seek < 0:
            raise IndexError
        keys.append(RootKey(prefix + name, cycle, classname, seek, size, key_size, object_size))
        position = end
    return keys


def _string(data: bytes, position: int, end: int) -> tuple[str, int]:
    length = data[position]
    position += 1
    if length == 255:
        (length,) = struct.unpack_from(">i", data, position)
        position += 4
    stop = position + length
    if not position <= stop <= end <= len(data):
        raise IndexError
    return data[position:stop].decode("utf-8", "backslashreplace"), stop


def _read(file: BinaryIO, size: int, seek: int, length: int, what: str) -> bytes:
    if seek < 0 or length < 0 or seek + length > size:
        raise RootFileError(f"{what} lies beyond the end of the file ({length} bytes at {seek}, the file has {size})")
    file.seek(seek)
    return file.read(length)


def read_records(file: BinaryIO, path: Path, keys: Sequence[RootKey]) -> list[memoryview]:
    """Return the bytes behind each key, compressed as they are; neighbours are read together.

    Args:
        file: The open file.
        path: Its path, for messages.
        keys: Keys of the file.

    Raises:
        RootFileError: If records lie outside of the file; all of them are named.
    """
    size = file.seek(0, os.SEEK_END)
    outside = [key.path for key in keys if key.seek + key.size > size]
    if outside:
        shown = listed(map(repr, outside))
        raise RootFileError(f"{path}: records lie beyond the end of the file ({size} bytes): {shown}")
    records: list[memoryview] = [memoryview(b"")] * len(keys)
    for (start, stop), members in _spans(keys):
        file.seek(start)
        data = memoryview(file.read(stop - start))
        if len(data) < stop - start:
            raise RootFileError(f"{path}: became shorter while it was read")
        for index in members:
            key = keys[index]
            records[index] = data[key.seek - start + key.key_size : key.seek - start + key.size]
    return records


def _spans(keys: Sequence[RootKey]) -> Iterator[tuple[tuple[int, int], list[int]]]:
    """Yield ranges of bytes that cover all records, and the indices of the keys in each."""
    start = stop = 0
    members: list[int] = []
    for index in sorted(range(len(keys)), key=lambda index: keys[index].seek):
        key = keys[index]
        end = key.seek + key.size
        if members and (key.seek > stop + _GAP or end - start > _SPAN):
            yield (start, stop), members
            members = []
        if not members:
            start, stop = key.seek, end
        members.append(index)
        stop = max(stop, end)
    if members:
        yield (start, stop), members
