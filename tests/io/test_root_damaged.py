"""Damaged and hostile ROOT files: each gets a message of its own, never another exception, a hang or much memory."""

import random
import struct
import time
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest

from pocket_combine.errors import RootFileError
from pocket_combine.io.root import HistogramBlock, RootFile, write_histograms
from pocket_combine.io.root_codecs import Decompressor

DATA = Path(__file__).resolve().parents[1] / "data" / "root"


def read_all(path: Path) -> None:
    with RootFile(path) as file:
        file.read_groups([key.path for key in file.keys])


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A small sound file: `a` and `b` with three bins of unequal width, `SR/c` with two equal ones."""
    path = tmp_path_factory.mktemp("sound") / "sound.root"
    blocks = [
        HistogramBlock(["a", "b"], [0.0, 1.0, 2.5, 4.0], [[1.0, 2.0, 3.0]] * 2, [[16.0, 25.0, 36.0]] * 2),
        HistogramBlock(["SR/c"], [0.0, 1.0, 2.0], [[5.0, 6.0]]),
    ]
    write_histograms(path, blocks)
    read_all(path)
    return path.read_bytes()


def places(data: bytes) -> dict[str, int]:
    """Offsets of parts of the sound file."""
    key, root = b"\x05TFile\x0asound.root\x00", b"\x0asound.root\x00"
    histogram = data.index(b"\x04TH1D\x01a\x00")
    return {
        "header": 0,
        "root": data.index(key) + len(key) + len(root),
        "SR": data.index(b"\x0aTDirectory\x02SR\x02SR") + 17,
        "key of a": data.rindex(b"\x04TH1D\x01a\x00") - 26,
        "a": histogram + 8,
        "cells": data.index(struct.pack(">i", 5), histogram),
        "edges": data.index(struct.pack(">4d", 0.0, 1.0, 2.5, 4.0), histogram),
        "squares": data.index(struct.pack(">5d", 0.0, 16.0, 25.0, 36.0, 0.0), histogram),
        "contents": data.index(struct.pack(">5d", 0.0, 1.0, 2.0, 3.0, 0.0), histogram),
        "list of keys": struct.unpack_from(">i", data, data.index(key) + len(key) + len(root) + 26)[0],
    }


# One number is changed in each: where, how far behind that, how it is written, its new value, what the message says.
DAMAGES = [
    ("header", 8, "i", -5, "has a damaged header"),
    ("header", 12, "i", 1 << 30, "is truncated: 13401 bytes, its header says 1073741824; copy or write it again"),
    ("header", 28, "i", 1 << 30, "directory '/' lies beyond the end of the file"),
    ("root", 26, "i", 0, "has no list of keys: it was not closed by the program that wrote it; write it again"),
    ("root", 26, "i", 1 << 29, "the list of keys lies beyond the end of the file"),
    ("root", 26, "i", -100, "the list of keys lies beyond the end of the file"),
    ("root", 26, "i", 200, "the list of keys is damaged"),
    ("root", 10, "i", 3, "the list of keys is damaged"),
    ("root", 10, "i", -1, "the list of keys lies beyond the end of the file"),
    ("list of keys", 14, "h", 5000, "the list of keys is damaged"),
    ("list of keys", 45, "i", (1 << 31) - 1, "the list of keys is damaged"),
    ("SR", 26, "i", 1 << 30, "the list of keys of directory 'SR' lies beyond the end of the file"),
    ("key of a", 14, "h", 0, "the list of keys is damaged"),
    ("key of a", 14, "h", -40, "the list of keys is damaged"),
    ("key of a", 26, "B", 255, "the list of keys is damaged"),
    ("key of a", 31, "B", 200, "the list of keys is damaged"),
    ("key of a", 0, "i", 3, "the list of keys is damaged"),
    ("key of a", 0, "i", 1 << 29, "records lie beyond the end of the file (13401 bytes): 'a'"),
    ("key of a", 18, "i", 1 << 30, "records lie beyond the end of the file (13401 bytes): 'a'"),
    ("key of a", 18, "i", -8, "the list of keys is damaged"),
    ("key of a", 6, "i", (1 << 31) - 1, "histograms take 2147484841 bytes of memory, more than max_bytes = 1073741824"),
    ("key of a", 6, "i", 5000, "histogram 'a': compression algorithm b'@\\x00' is unknown, expected one of 'ZL', 'CS'"),
    ("key of a", 6, "i", 500, "histogram 'a': a part of "),
    ("key of a", 6, "i", 0, "histogram 'a': has an empty record"),
    ("key of a", 30, "B", ord("K"), "'a' is a TH1K, expected a one-dimensional histogram"),
    ("a", 0, "I", 0x40FFFFFF, "histogram 'a': a part of 16777215 bytes does not fit into the object"),
    ("a", 0, "I", 0x40000100, "histogram 'a': the contents end at byte"),
    ("a", 6, "I", 0x40000010, "histogram 'a': a member of -"),
    ("cells", 0, "i", 6, "numbers of bins contradict each other: axis 3, all cells 6, contents 5, errors 5"),
    ("edges", -4, "i", 3, "histogram 'a': the axis has 3 bins and 3 edges"),
    ("edges", -4, "i", 1 << 30, "histogram 'a': an array of 1073741824 elements does not fit into the object"),
    ("edges", -4, "i", -4, "histogram 'a': a member of -32 bytes at byte"),
    ("edges", 8, "d", 9.0, "histogram 'a': has an axis whose edges are not finite and strictly increasing"),
    ("edges", 8, "d", np.nan, "histogram 'a': has an axis whose edges are not finite and strictly increasing"),
    ("edges", 24, "d", np.inf, "histogram 'a': has an axis whose edges are not finite and strictly increasing"),
    ("squares", 8, "d", -1.0, "histogram 'a': holds a negative sum of squared weights"),
    ("squares", -4, "i", 100, "histogram 'a': a member of "),
    ("contents", -4, "i", 4, "histogram 'a': the contents end at byte"),
    ("contents", -4, "i", 1 << 27, "histogram 'a': a member of 1073741824 bytes at byte"),
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: f"{damage[0]}+{damage[1]}={damage[3]}".replace(" ", "_"))
def test_one_changed_number(sound: bytes, tmp_path: Path, damage: tuple[str, int, str, float, str]) -> None:
    where, offset, form, value, message = damage
    data = bytearray(sound)
    struct.pack_into(f">{form}", data, places(sound)[where] + offset, value)
    (tmp_path / "a.root").write_bytes(data)
    with pytest.raises(RootFileError) as caught:
        read_all(tmp_path / "a.root")
    assert str(caught.value).startswith(f"{tmp_path / 'a.root'}: ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("begin", "message"),
    [
        (b"", "is empty"),
        (b"root", "is truncated: 4 bytes are less than the header of a ROOT file"),
        (b"root" + bytes(90), "is truncated: 94 bytes are less than the header of a ROOT file"),
        (b"imax * number of channels", "is not a ROOT file: it begins with b'imax'"),
        (b"\x04\x22\x4d\x18" + bytes(200), "is not a ROOT file: it begins with an LZ4 frame, as `.coffea` files are"),
        (b"PK\x03\x04" + bytes(200), "is not a ROOT file: it begins with a zip archive"),
        (b"\x1f\x8b\x08\x00" + bytes(200), "is not a ROOT file: it begins with gzip data"),
    ],
)
def test_other_files(tmp_path: Path, begin: bytes, message: str) -> None:
    (tmp_path / "a.root").write_bytes(begin)
    with pytest.raises(RootFileError) as caught:
        RootFile(tmp_path / "a.root")
    assert str(caught.value) == f"{tmp_path / 'a.root'}: {message}"


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(RootFileError, match=r"missing\.root: cannot be opened: No such file or directory"):
        RootFile(tmp_path / "missing.root")
    with pytest.raises(RootFileError, match="cannot be opened: Is a directory"):
        RootFile(tmp_path)
    with pytest.raises(RootFileError, match="cannot be opened: embedded null byte"):
        RootFile("a\0.root")


def test_directories_that_contain_themselves(sound: bytes, tmp_path: Path) -> None:
    data = bytearray(sound)
    found = places(sound)
    data[found["SR"] + 10 : found["SR"] + 14] = sound[found["root"] + 10 : found["root"] + 14]
    data[found["SR"] + 26 : found["SR"] + 30] = sound[found["root"] + 26 : found["root"] + 30]
    (tmp_path / "a.root").write_bytes(data)
    with pytest.raises(RootFileError, match="directory 'SR' lists the keys of another one: the file is damaged"):
        read_all(tmp_path / "a.root")


def test_directories_without_end(tmp_path: Path) -> None:
    for name in ("/".join(["d"] * 70) + "/a", "/".join(["d" * 400] * 4) + "/a"):
        write_histograms(tmp_path / "a.root", [HistogramBlock([name], [0, 1], [[1.0]])])
        with pytest.raises(RootFileError, match="directories are nested too deep: 'd"):
            read_all(tmp_path / "a.root")


def test_a_file_cut_anywhere(sound: bytes, tmp_path: Path) -> None:
    for size in range(0, len(sound), 97):
        (tmp_path / "a.root").write_bytes(sound[:size])
        with pytest.raises(RootFileError, match=r"is (truncated|empty)"):
            read_all(tmp_path / "a.root")


def test_a_file_that_shrinks_while_it_is_open(sound: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.root").write_bytes(sound)
    with RootFile(tmp_path / "a.root") as file:
        (tmp_path / "a.root").write_bytes(sound[:200])
        with pytest.raises(RootFileError, match=r"a\.root: records lie beyond the end of the file \(200 bytes\): 'a'"):
            file.read(["a"])


def block(algorithm: bytes, packed: bytes, size: int) -> bytes:
    return algorithm + b"\x08" + len(packed).to_bytes(3, "little") + size.to_bytes(3, "little") + packed


def test_records_of_several_blocks() -> None:
    parts = [bytes([number]) * 1000 for number in range(3)]
    record = b"".join(block(b"ZL", zlib.compress(part), 1000) for part in parts)
    assert Decompressor()(record, 3000) == b"".join(parts)


@pytest.mark.parametrize(
    ("record", "size", "message"),
    [
        (b"ZL\x08\x01", 100, "a compressed block ends inside its header"),
        (block(b"ZL", zlib.compress(bytes(100)), 100)[:-5], 100, "the sizes of the compressed blocks contradict"),
        (block(b"ZL", zlib.compress(bytes(100)), 100) * 2, 100, "the sizes of the compressed blocks contradict"),
        (block(b"ZL", zlib.compress(bytes(100)), 100), 200, "the compressed blocks hold 100 bytes, expected 200"),
        (block(b"ZL", zlib.compress(bytes(90)), 100), 100, "ZL data are damaged: 90 bytes, expected 100"),
        (
            block(b"ZL", zlib.compress(bytes(10**7)), 100),
            100,
            "compressed data are damaged: their end is missing, or the",
        ),
        (block(b"ZL", zlib.compress(bytes(100))[:-2], 100), 100, "compressed data are damaged: their end is missing"),
        (block(b"ZL", b"nonsense", 100), 100, "ZL data are damaged: Error -3 while decompressing data"),
        (block(b"CS", b"nonsense", 100), 100, "CS data are damaged: Error -3 while decompressing data"),
        (block(b"XZ", b"nonsense", 100), 100, "XZ data are damaged: Input format not supported by decoder"),
        (block(b"L4", bytes(8) + b"nonsense", 100), 100, "L4 data are damaged: "),
        (block(b"L4", b"", 100), 100, "L4 data are damaged: "),
        (
            block(b"QQ", b"nonsense", 100),
            100,
            "compression algorithm b'QQ' is unknown, expected one of 'ZL', 'CS', 'XZ'",
        ),
        (b"", 100, "the compressed blocks hold 0 bytes, expected 100"),
    ],
)
def test_damaged_compression(record: bytes, size: int, message: str) -> None:
    with pytest.raises(RootFileError) as caught:
        Decompressor()(record, size)
    assert message in str(caught.value)


def test_damaged_zstandard() -> None:
    zstandard = pytest.importorskip("zstandard")
    packed = zstandard.compress(bytes(10**7))
    with pytest.raises(RootFileError, match="ZS data are damaged"):
        Decompressor()(block(b"ZS", packed, 100), 100)
    with pytest.raises(RootFileError, match="ZS data are damaged"):
        Decompressor()(block(b"ZS", b"nonsense", 100), 100)


def test_a_bomb_takes_no_memory() -> None:
    """Sixteen kilobytes that expand to sixteen megabytes, announced as a thousand bytes."""
    bomb = zlib.compress(bytes(1 << 24))
    tracemalloc.start()
    try:
        with pytest.raises(RootFileError):
            Decompressor()(block(b"ZL", bomb, 1000), 1000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1 << 20


@pytest.mark.parametrize(
    "name", ["sound", "kinds.root", "zlib.root", "lz4.root", "lzma.root", "old.root", "cycles.root"]
)
def test_random_damage_raises_nothing_else(sound: bytes, tmp_path: Path, name: str) -> None:
    """Bytes at random places become others; `tests/fuzz_root.py` does the same for as long as one likes."""
    original = sound if name == "sound" else (DATA / name).read_bytes()
    path = tmp_path / "a.root"
    dice = random.Random(name)  # noqa: S311  # repeats itself
    stop = time.monotonic() + 2
    refused = trials = 0
    while time.monotonic() < stop and trials < 400:
        data = bytearray(original)
        for _ in range(dice.choice((1, 1, 2, 10))):
            data[dice.randrange(len(data))] = dice.choice((0, 1, 0x40, 0x7F, 0x80, 0xFF, dice.randrange(256)))
        path.write_bytes(data)
        trials += 1
        try:
            read_all(path)
        except RootFileError:
            refused += 1
    assert 0 < refused <= trials
