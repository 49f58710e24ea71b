"""The decompressed bytes of an LZ4 frame, chunk by chunk, up to a limit."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import lz4.frame

from pocket_combine.errors import OutputFileError
from pocket_combine.io.paths import missing_file
from pocket_combine.io.pickles.limits import RAISE_LIMIT

__all__ = ["LZ4Stream"]

_MAGIC = b"\x04\x22\x4d\x18"
_OTHER_FORMATS = {
    b"root\x00": "is a ROOT file, expected an output of PocketCoffea (`.coffea`)",
    **dict.fromkeys(
        (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"),
        "is a pickle that is not compressed; save it with coffea.util.save, or compress it with the tool lz4",
    ),
    b"\x1f\x8b": "is compressed with gzip, expected an LZ4 frame",
    b"\x28\xb5\x2f\xfd": "is compressed with zstd, expected an LZ4 frame",
    b"BZh": "is compressed with bzip2, expected an LZ4 frame",
    b"\xfd7zXZ": "is compressed with xz, expected an LZ4 frame",
    b"\x02\x21\x4c\x18": "is in the legacy LZ4 format, expected an LZ4 frame",
    b"PK\x03\x04": "is a zip archive, expected an output of PocketCoffea (`.coffea`)",
    b"PAR1": "is a Parquet file (PocketCoffea's exported columns?), expected an output with histograms (`.coffea`)",
    b"\x89HDF": "is an HDF5 file, expected an output of PocketCoffea (`.coffea`)",
}
_GOES_ON = "goes on after the end of its LZ4 frame (were files joined with `cat`?); give the files one by one"
_CHUNK = 1 << 16
"""Compressed bytes read at once; LZ4 makes at most 255 times as many of them."""


class LZ4Stream(AbstractContextManager["LZ4Stream"]):
    """The contents of a file that is one LZ4 frame.

    Args:
        path: The file.
        limit: How many bytes the contents may have.

    Attributes:
        size: Bytes decompressed so far.

    Raises:
        OutputFileError: If the file is missing, cannot be opened, is empty or is in another format.
    """

    def __init__(self, path: Path, limit: int) -> None:
        self._limit = limit
        self.size = 0
        self._file = _open(path)
        try:
            self._check_format()
        except OutputFileError:
            self._file.close()
            raise
        self._chunks = self._decompress()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._chunks.close()
        self._file.close()

    def read(self) -> bytes:
        """Return the next decompressed bytes, some 64 KiB to 16 MiB of them; nothing at the end.

        Raises:
            OutputFileError: If the file is damaged or truncated, or its contents pass the limit.
        """
        try:
            return next(self._chunks, b"")
        except OSError as error:
            raise OutputFileError(f"cannot be read: {error.strerror or error}") from error

    def _check_format(self) -> None:
        try:
            start = self._file.read(8)
        except OSError as error:
            raise OutputFileError(f"cannot be read: {error.strerror or error}") from error
        if not start:
            raise OutputFileError("is empty: the job that wrote it did not finish, or the disk was full")
        if not start.startswith(_MAGIC):
            for magic, message in _OTHER_FORMATS.items():
                if start.startswith(magic):
                    raise OutputFileError(message)
            if _MAGIC.startswith(start):
                raise OutputFileError(f"is truncated: it has {len(start)} bytes")
            raise OutputFileError(
                f"is no LZ4 frame (it begins with {start!r}), so not an output that coffea.util.save has written"
            )
        self._file.seek(0)

    def _decompress(self) -> Generator[bytes, None, None]:
        decompressor = lz4.frame.LZ4FrameDecompressor()
        while block := self._file.read(_CHUNK):
            if decompressor.eof:
                raise OutputFileError(_GOES_ON)
            try:
                chunk = decompressor.decompress(block)
            except (RuntimeError, EOFError, MemoryError) as error:
                raise OutputFileError(f"is damaged: {error}; copy it again or run its job again") from error
            if decompressor.unused_data:
                raise OutputFileError(_GOES_ON)
            self.size += len(chunk)
            if self.size > self._limit:
                raise OutputFileError(f"decompresses to more than {self._limit:,} bytes: {RAISE_LIMIT}")
            if chunk:
                yield chunk
        if not decompressor.eof:
            raise OutputFileError("is truncated: its LZ4 frame does not end; copy it again or run its job again")


def _open(path: Path) -> BinaryIO:
    if path.is_dir():
        raise OutputFileError("is a folder; give the files in it, for example sorted(folder.glob('*.coffea'))")
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise OutputFileError(missing_file(path)) from error
    except OSError as error:
        raise OutputFileError(f"cannot be opened: {error.strerror or error}") from error
    except ValueError as error:
        # A name that no file can have.
        raise OutputFileError(f"cannot be opened: {error}") from error
