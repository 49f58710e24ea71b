"""What reader and writer share of ROOT's file format: headers, keys, strings and byte counts.

All numbers in a ROOT file are big-endian. The format is described in ROOT's own documentation, folder `io/doc/TFile`
of its repository (`header.md`, `datarecord.md`, `tdirectory.md`, `freesegments.md`), and in the class `TBufferFile`.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

__all__ = [
    "BIG_FILE",
    "BYTE_COUNT_MASK",
    "DIRECTORY",
    "DIRECTORY_BIG",
    "DIRECTORY_CLASSES",
    "FILE_BEGIN",
    "FILE_HEADER",
    "FILE_HEADER_BIG",
    "KEY",
    "KEY_BIG",
    "MAGIC",
    "encode_string",
    "record_type",
]

MAGIC = b"root"
"""The first four bytes of every ROOT file."""

FILE_BEGIN = 100
"""`TFile::fBEGIN`: where the first record of a file stands."""

BIG_FILE = 2_000_000_000
"""`TFile::kStartBigFile`: positions beyond need eight bytes (two billion, not two GiB)."""

BYTE_COUNT_MASK = 0x40000000
"""`TBufferFile::kByteCountMask`: marks the four bytes before a class version as a number of bytes."""

DIRECTORY_CLASSES = ("TDirectory", "TDirectoryFile")
"""Class names of keys that hold a directory."""

# magic, fVersion, fBEGIN, fEND, fSeekFree, fNbytesFree, nfree, fNbytesName, fUnits, fCompress, fSeekInfo, fNbytesInfo,
# version of TUUID, UUID
FILE_HEADER = struct.Struct(">4siiiiiiiBiiiH16s")
FILE_HEADER_BIG = struct.Struct(">4siiqqiiiBiqiH16s")

# fNbytes, fVersion, fObjlen, fDatime, fKeylen, fCycle, fSeekKey, fSeekPdir; then the strings class, name and title
KEY = struct.Struct(">ihiIhhii")
KEY_BIG = struct.Struct(">ihiIhhqq")

# fVersion, fDatimeC, fDatimeM, fNbytesKeys, fNbytesName, fSeekDir, fSeekParent, fSeekKeys
DIRECTORY = struct.Struct(">hIIiiiii")
DIRECTORY_BIG = struct.Struct(">hIIiiqqq")


def encode_string(text: bytes) -> bytes:
    r"""Return a `TString` as it stands in a file: its length in one byte, or 255 and the length in four, and its bytes.

    Examples:
        >>> encode_string(b"ttbar")
        b'\x05ttbar'
        >>> encode_string(b"x" * 255)[:6]
        b'\xff\x00\x00\x00\xffx'
    """
    if len(text) < 255:
        return struct.pack(">B", len(text)) + text
    return struct.pack(">BI", 255, len(text)) + text


def record_type(fields: Mapping[str, tuple[npt.DTypeLike, int]], size: int) -> np.dtype[np.void]:
    """Return the type of records of `size` bytes in which each field has a type and an offset.

    Examples:
        >>> record_type({"seek": (">i4", 2)}, 8)
        dtype({'names': ['seek'], 'formats': ['>i4'], 'offsets': [2], 'itemsize': 8})
    """
    formats = [form for form, _ in fields.values()]
    offsets = [offset for _, offset in fields.values()]
    record: np.dtype[np.void] = np.dtype(
        {"names": list(fields), "formats": formats, "offsets": offsets, "itemsize": size}
    )
    return record
