"""Decompression of ROOT records: zlib, LZMA, LZ4, Zstandard and the raw deflate of old files.

A compressed record is a series of blocks of at most 16 MB, each with a header of nine bytes: two letters for the
algorithm, one byte for its version, the compressed and the uncompressed size as three bytes each, little-endian
(`R__zip` and `R__unzip` in `core/zip` of ROOT). No more memory is taken than these sizes say, whatever is inside.
"""

from __future__ import annotations

import importlib
import lzma
import zlib
from collections.abc import Callable
from typing import Any

import lz4.block

from pocket_combine.errors import RootFileError

__all__ = ["Decompressor"]

_BLOCK_HEADER = 9
_CHECKSUM = 8
_LZMA_MEMORY = 256 << 20  # more than any preset of ROOT's needs

Codec = Callable[[bytes, int], Any]


class Decompressor:
    r"""Decompresses records; keeps what the codecs can use again.

    Examples:
        >>> data = zlib.compress(b"a" * 1000)
        >>> sizes = len(data).to_bytes(3, "little") + (1000).to_bytes(3, "little")
        >>> Decompressor()(b"ZL\x08" + sizes + data, 1000) == b"a" * 1000
        True
    """

    def __init__(self) -> None:
        self._codecs: dict[bytes, Codec] = {}

    def __call__(self, record: bytes, size: int) -> bytes:
        """Return the `size` bytes that a record expands to.

        Raises:
            RootFileError: If the record is damaged, of another size, or of an algorithm that is not available.
        """
        parts = []
        position = 0
        missing = size
        while position < len(record):
            header = record[position : position + _BLOCK_HEADER]
            if len(header) < _BLOCK_HEADER:
                raise RootFileError("a compressed block ends inside its header")
            codec = self._codec(header[:2])
            packed, unpacked = int.from_bytes(header[3:6], "little"), int.from_bytes(header[6:9], "little")
            position += _BLOCK_HEADER
            block = record[position : position + packed]
            position += packed
            missing -= unpacked
            if len(block) < packed or missing < 0:
                raise RootFileError("the sizes of the compressed blocks contradict the size of the record")
            parts.append(_expand(codec, header[:2].decode(), block, unpacked))
        if missing:
            raise RootFileError(f"the compressed blocks hold {size - missing} bytes, expected {size}")
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _codec(self, algorithm: bytes) -> Codec:
        if algorithm not in self._codecs:
            if algorithm not in _CODECS:
                known = ", ".join(repr(name.decode()) for name in _CODECS)
                raise RootFileError(f"compression algorithm {algorithm!r} is unknown, expected one of {known}")
            self._codecs[algorithm] = _CODECS[algorithm]()
        return self._codecs[algorithm]


def _expand(codec: Codec, algorithm: str, block: bytes, size: int) -> bytes:
    try:
        data = bytes(codec(block, size))
    except RootFileError:
        raise
    except Exception as error:  # each codec has exceptions of its own
        raise RootFileError(f"{algorithm} data are damaged: {error}") from error
    if len(data) != size:
        raise RootFileError(f"{algorithm} data are damaged: {len(data)} bytes, expected {size}")
    return data


def _bounded(decompressor: Any, block: bytes, size: int) -> bytes:
    # One byte more than expected lets the stream come to its end, where checksums are compared.
    data: bytes = decompressor.decompress(block, size + 1)
    if not decompressor.eof:
        raise RootFileError("compressed data are damaged: their end is missing, or they expand to more than announced")
    return data


def _zlib() -> Codec:
    return lambda block, size: _bounded(zlib.decompressobj(), block, size)


def _deflate() -> Codec:
    # ROOT before 5.0 and `kOldCompressionAlgo`: deflate without zlib's header and checksum.
    return lambda block, size: _bounded(zlib.decompressobj(wbits=-zlib.MAX_WBITS), block, size)


def _lzma() -> Codec:
    return lambda block, size: _bounded(lzma.LZMADecompressor(memlimit=_LZMA_MEMORY), block, size)


def _lz4() -> Codec:
    """LZ4 blocks follow a checksum of the compressed bytes, which is compared where the package xxhash is installed."""
    try:
        digest = importlib.import_module("xxhash").xxh64_digest
    except ImportError:
        digest = None

    def codec(block: bytes, size: int) -> bytes:
        checksum, data = block[:_CHECKSUM], block[_CHECKSUM:]
        if digest is not None and digest(data) != checksum:
            raise RootFileError("L4 data are damaged: the checksum does not match")
        expanded: bytes = lz4.block.decompress(data, uncompressed_size=size)
        return expanded

    return codec


def _zstd() -> Codec:
    """Zstandard comes with Python 3.14, with the package zstandard, or with cramjam, which uproot 5 brings along."""
    for name, maker in _ZSTD_PACKAGES.items():
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        return maker(module)
    raise RootFileError(
        "the record is compressed with Zstandard, for which Python has no module here: "
        "run `python -m pip install zstandard` and try again"
    )


def _zstd_standard_library(module: Any) -> Codec:
    return lambda block, size: _bounded(module.ZstdDecompressor(), block, size)


def _zstd_zstandard(module: Any) -> Codec:
    decompressor = module.ZstdDecompressor()

    def codec(block: bytes, size: int) -> Any:
        # The size that a frame announces is what `decompress` takes memory for.
        if module.frame_content_size(block) not in (-1, size):
            raise RootFileError("ZS data are damaged: the frame is of another size")
        return decompressor.decompress(block, max_output_size=size)

    return codec


def _zstd_cramjam(module: Any) -> Codec:
    def codec(block: bytes, size: int) -> bytes:
        output = bytearray(size)
        written = module.zstd.decompress_into(block, output)
        return bytes(output[:written])

    return codec


_ZSTD_PACKAGES: dict[str, Callable[[Any], Codec]] = {
    "compression.zstd": _zstd_standard_library,
    "zstandard": _zstd_zstandard,
    "cramjam": _zstd_cramjam,
}

_CODECS: dict[bytes, Callable[[], Codec]] = {
    b"ZL": _zlib,
    b"CS": _deflate,
    b"XZ": _lzma,
    b"L4": _lz4,
    b"ZS": _zstd,
}
