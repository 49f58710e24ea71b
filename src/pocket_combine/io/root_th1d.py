"""One `TH1D` as bytes, with the places of what differs between histograms of one binning.

The bytes are those that ROOT writes for a histogram with default line, fill, marker and axis attributes (class versions
of ROOT 6.24, which every ROOT since 2015 reads: TH1D 3, TH1 8, TAxis 10).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from pocket_combine.io.root_format import BYTE_COUNT_MASK, encode_string
from pocket_combine.templates import FloatArray

__all__ = ["Stamp", "th1d_stamp", "fixed_bins"]

_TOBJECT = struct.pack(">HII", 1, 0, 0x03000000)
"""Version, `fUniqueID` and `fBits`: `kIsOnHeap` and `kNotDeleted`."""

_TOBJECT_HISTOGRAM = struct.pack(">HII", 1, 0, 0x03000008)
"""The same and `kMustCleanup`, as histograms have it."""


@dataclass(frozen=True)
class Stamp:
    """The bytes of one histogram with zeros where names and numbers go, and the offsets of these places.

    Attributes:
        data: The object as it stands behind its key.
        name: Offset of the characters of `fName`.
        statistics: Offset of `fEntries`, `fTsumw`, `fTsumw2`, `fTsumwx` and `fTsumwx2`, five doubles.
        sumw2: Offset of the doubles of `fSumw2`, with underflow first and overflow last; `None` without `fSumw2`.
        contents: Offset of the doubles of the contents, with underflow first and overflow last.
    """

    data: bytes
    name: int
    statistics: int
    sumw2: int | None
    contents: int


def fixed_bins(edges: FloatArray) -> bool:
    """Return whether ROOT's formula for bins of equal width gives exactly these edges.

    `TAxis` computes `fXmin + bin * ((fXmax - fXmin) / fNbins)`; so does `numpy.linspace`.

    Examples:
        >>> fixed_bins(np.array([0.0, 0.5, 1.0])), fixed_bins(np.array([0.0, 0.4, 1.0]))
        (True, False)
    """
    return bool(np.array_equal(edges, np.linspace(edges[0], edges[-1], edges.size)))


def th1d_stamp(name_size: int, title: bytes, edges: FloatArray, *, sumw2: bool) -> Stamp:
    """Return the bytes of a `TH1D` with a name of `name_size` bytes, empty contents and the given edges.

    Args:
        name_size: Number of bytes of the encoded name.
        title: The encoded title.
        edges: `edges[bin + 1]`.
        sumw2: Whether the histogram has its own array of squared errors.
    """
    cells = edges.size + 1
    prefix = len(encode_string(bytes(name_size))) - name_size
    named = _versioned(1, _TOBJECT_HISTOGRAM, encode_string(bytes(name_size)), encode_string(title))
    attributes = (
        _versioned(2, struct.pack(">hhh", 602, 1, 1))  # TAttLine: fLineColor, fLineStyle, fLineWidth
        + _versioned(2, struct.pack(">hh", 0, 1001))  # TAttFill: fFillColor, fFillStyle
        + _versioned(2, struct.pack(">hhf", 1, 1, 1.0))  # TAttMarker: fMarkerColor, fMarkerStyle, fMarkerSize
        + struct.pack(">i", cells)  # fNcells
        + _axis(b"xaxis", edges, title_offset=1.0)
        + _axis(b"yaxis", np.array([0.0, 1.0]), title_offset=0.0)
        + _axis(b"zaxis", np.array([0.0, 1.0]), title_offset=1.0)
        + struct.pack(">hh", 0, 1000)  # fBarOffset, fBarWidth
    )
    # fMaximum, fMinimum, fNormFactor, fContour
    limits = struct.pack(">dddi", -1111.0, -1111.0, 0.0, 0)
    errors = struct.pack(">i", cells) + bytes(8 * cells) if sumw2 else struct.pack(">i", 0)
    # fOption, fFunctions (an empty TList), fBufferSize, no fBuffer, fBinStatErrOpt kNormal, fStatOverflows kNeutral
    functions = _versioned(5, struct.pack(">HII", 1, 0, 0x03010000), encode_string(b""), struct.pack(">i", 0))
    tail = encode_string(b"") + functions + struct.pack(">iBii", 0, 0, 0, 2)

    base = _versioned(8, named, attributes, bytes(40), limits, errors, tail)
    data = _versioned(3, base, struct.pack(">i", cells), bytes(8 * cells))
    # Two headers of six bytes stand before TNamed; its own header and TObject, sixteen bytes, before the name.
    statistics = 12 + len(named) + len(attributes)
    return Stamp(
        data,
        name=12 + 16 + prefix,
        statistics=statistics,
        sumw2=statistics + 40 + len(limits) + 4 if sumw2 else None,
        contents=len(data) - 8 * cells,
    )


def _versioned(version: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">IH", (len(body) + 2) | BYTE_COUNT_MASK, version) + body


def _axis(name: bytes, edges: FloatArray, *, title_offset: float) -> bytes:
    stored = b"" if fixed_bins(edges) else edges.astype(">f8").tobytes()
    return _versioned(
        10,
        _versioned(1, _TOBJECT, encode_string(name), encode_string(b"")),
        # TAttAxis: fNdivisions, fAxisColor, fLabelColor, fLabelFont, fLabelOffset, fLabelSize, fTickLength,
        # fTitleOffset, fTitleSize, fTitleColor, fTitleFont
        _versioned(4, struct.pack(">ihhhfffffhh", 510, 1, 1, 42, 0.005, 0.035, 0.03, title_offset, 0.035, 1, 42)),
        struct.pack(">iddi", edges.size - 1, edges[0], edges[-1], len(stored) // 8),
        stored,
        struct.pack(">iiHB", 0, 0, 0, 0),  # fFirst, fLast, fBits2, fTimeDisplay
        encode_string(b""),  # fTimeFormat
        struct.pack(">ii", 0, 0),  # fLabels, fModLabs: null pointers
    )
