"""`TH1` objects as bytes → places of their numbers, and the numbers of many objects at once.

An object is read member by member once. Everything that decides where the next member stands (byte counts, versions,
lengths) is remembered as its *structure*; any other object of the same size whose bytes agree there has its numbers at
the same places, so that all of them are taken out with one view of a two-dimensional array.

Members are described in ROOT's `TH1.h` and `TAxis.h`; the byte layout in `TBufferFile`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from pocket_combine.errors import RootFileError
from pocket_combine.io.root_format import BYTE_COUNT_MASK, record_type
from pocket_combine.templates import FloatArray, IntArray

__all__ = ["TH1_CLASSES", "Layout", "Numbers", "UnknownLayoutError", "find_layout", "take_numbers"]

TH1_CLASSES = {"TH1C": ">i1", "TH1S": ">i2", "TH1I": ">i4", "TH1L": ">i8", "TH1F": ">f4", "TH1D": ">f8"}
"""Type of the contents for each class of one-dimensional histograms."""

# Versions whose members up to the ones that are needed here stand in the same order. In the versions of TH1 they are
# followed by others that the byte count skips.
_TH1_VERSIONS = range(5, 9)
_AXIS_VERSIONS = range(6, 11)
_OBJECT_VERSIONS = range(4)

_IS_REFERENCED = 1 << 4  # TObject::kIsReferenced: two more bytes follow
_LARGEST_VERSION = 99  # uproot is not asked about more: it takes long over what is only damaged
_LARGEST_CELLS = 1 << 27

UInt8Array = npt.NDArray[np.uint8]


class UnknownLayoutError(Exception):
    """The object is of a version that this module does not know; never leaves `pocket_combine.io`."""


@dataclass(frozen=True)
class Layout:
    """Where the numbers of an object are.

    Attributes:
        structure: Offsets of the bytes that decide about all other offsets.
        cells: Number of bins with underflow and overflow.
        kind: NumPy type of the contents in the file.
        limits: Offset of `fXmin` and `fXmax`.
        edges: Offset of the edges; `None` for bins of equal width.
        sumw2: Offset of the squared errors; `None` if the histogram has none of its own.
        contents: Offset of the contents.
        buffer: Offset of `fBuffer`, whose first element counts entries that are not yet in the bins; `None` if empty.
    """

    structure: IntArray
    cells: int
    kind: str
    limits: int
    edges: int | None
    sumw2: int | None
    contents: int
    buffer: int | None


@dataclass(frozen=True)
class Numbers:
    """Numbers of several objects of one layout.

    Attributes:
        axes: `axes[object, k]`: the two limits, or all edges if the bins are stored with their edges.
        contents: `contents[object, cell]`, underflow first, overflow last.
        sumw2: `sumw2[object, cell]`, or `None`.
        pending: `pending[object]`, whether entries wait in the buffer of the histogram.
    """

    axes: FloatArray
    contents: FloatArray
    sumw2: FloatArray | None
    pending: npt.NDArray[np.bool_]


@dataclass
class _Cursor:
    """Reads members one after another and remembers which bytes were structure."""

    data: bytes
    position: int = 0
    structure: list[int] = field(default_factory=list)

    def take(self, form: str) -> int:
        """Return a number that decides where other members stand."""
        try:
            (value,) = struct.unpack_from(form, self.data, self.position)
        except struct.error as error:
            raise RootFileError(f"the object ends at byte {len(self.data)}, inside a number") from error
        size = struct.calcsize(form)
        self.structure += range(self.position, self.position + size)
        self.position += size
        return int(value)

    def skip(self, size: int) -> int:
        """Step over bytes that decide nothing; return where they start."""
        start = self.position
        if size < 0 or size > len(self.data) - start:
            raise RootFileError(f"a member of {size} bytes at byte {start} does not fit into the object")
        self.position += size
        return start

    def string(self) -> None:
        length = self.take(">B")
        self.skip(self.take(">I") if length == 255 else length)

    def begin(self, known: range) -> int:
        """Read byte count and version of a class; return where its members end."""
        count = self.take(">I")
        if not count & BYTE_COUNT_MASK:
            raise RootFileError(f"a part at byte {self.position - 4} has no byte count")
        end = self.position + (count & ~BYTE_COUNT_MASK)
        if end > len(self.data):
            raise RootFileError(f"a part of {count & ~BYTE_COUNT_MASK} bytes does not fit into the object")
        version = self.take(">H")
        if version not in known:
            if version > _LARGEST_VERSION:
                raise RootFileError(f"a part at byte {self.position} has version {version}")
            raise UnknownLayoutError(f"version {version}")
        return end

    def jump(self, end: int) -> None:
        self.skip(end - self.position)

    def skip_object(self) -> None:
        """Step over an object, whatever its version."""
        self.jump(self.begin(range(1 << 16)))

    def array(self, size: int) -> tuple[int, int]:
        """Step over a `TArray` with elements of `size` bytes; return their number and where they start."""
        count = self.take(">i")
        if count > _LARGEST_CELLS:
            raise RootFileError(f"an array of {count} elements does not fit into the object")
        return count, self.skip(count * size)


def find_layout(data: bytes, classname: str) -> Layout:
    """Return where the numbers of one object are.

    Args:
        data: The uncompressed object behind its key.
        classname: One of `TH1_CLASSES`.

    Raises:
        RootFileError: If the object contradicts itself.
        UnknownLayoutError: If the object, or a part of it, is of an unknown version.
    """
    kind = TH1_CLASSES[classname]
    cursor = _Cursor(data)
    end = cursor.begin(_OBJECT_VERSIONS)
    base_end = cursor.begin(_TH1_VERSIONS)
    _skip_named(cursor)
    for _ in ("TAttLine", "TAttFill", "TAttMarker"):
        cursor.skip_object()
    cells = cursor.take(">i")
    bins, limits, edges = _axis(cursor)
    for _ in ("y axis", "z axis"):
        cursor.skip_object()
    # fBarOffset, fBarWidth; fEntries, fTsumw, fTsumw2, fTsumwx, fTsumwx2, fMaximum, fMinimum, fNormFactor
    cursor.skip(2 * 2 + 8 * 8)
    cursor.array(8)  # fContour
    errors, sumw2 = cursor.array(8)
    cursor.string()  # fOption
    cursor.skip_object()  # fFunctions
    waiting = cursor.take(">i")  # fBufferSize; a byte says whether the elements of fBuffer follow
    buffer = cursor.position if waiting > 0 and cursor.take(">B") else None
    if buffer is not None:
        buffer = cursor.skip(8 * waiting)
    cursor.jump(base_end)
    count, contents = cursor.array(np.dtype(kind).itemsize)
    if cursor.position != end:
        raise RootFileError(f"the contents end at byte {cursor.position}, the object at {end}")
    if cells < 3 or bins != cells - 2 or count != cells or errors not in (0, cells):
        raise RootFileError(
            f"numbers of bins contradict each other: axis {bins}, all cells {cells}, contents {count}, errors {errors}"
        )
    structure = np.array(cursor.structure, dtype=np.intp)
    return Layout(structure, cells, kind, limits, edges, sumw2 if errors else None, contents, buffer)


def _skip_named(cursor: _Cursor) -> None:
    """Step over a `TNamed`: a `TObject`, name and title."""
    end = cursor.begin(range(1, 2))
    if (version := cursor.take(">H")) != 1:
        raise RootFileError(f"version {version} of TObject")
    cursor.skip(4 + 3)  # fUniqueID and the upper bytes of fBits
    if cursor.take(">B") & _IS_REFERENCED:
        cursor.skip(2)
    cursor.string()
    cursor.string()
    cursor.jump(end)


def _axis(cursor: _Cursor) -> tuple[int, int, int | None]:
    """Step over the x axis; return the number of bins, where the limits and where the edges are."""
    end = cursor.begin(_AXIS_VERSIONS)
    _skip_named(cursor)
    cursor.skip_object()  # TAttAxis
    bins = cursor.take(">i")
    limits = cursor.skip(2 * 8)
    count, edges = cursor.array(8)
    cursor.jump(end)
    if count not in (0, bins + 1):
        raise RootFileError(f"the axis has {bins} bins and {count} edges")
    return bins, limits, edges if count else None


def take_numbers(objects: UInt8Array, layout: Layout) -> Numbers:
    """Return the numbers of objects of one layout.

    Args:
        objects: `objects[object, byte]`.
        layout: What `find_layout` says of one of them; all have the same `structure`.
    """
    axis = (">f8", 2) if layout.edges is None else (">f8", layout.cells - 1)
    fields: dict[str, tuple[npt.DTypeLike, int]] = {
        "axis": (axis, layout.limits if layout.edges is None else layout.edges),
        "contents": ((layout.kind, layout.cells), layout.contents),
    }
    if layout.sumw2 is not None:
        fields["sumw2"] = ((">f8", layout.cells), layout.sumw2)
    if layout.buffer is not None:
        fields["buffer"] = (">f8", layout.buffer)
    record = record_type(fields, objects.shape[1])
    view = np.ascontiguousarray(objects).view(record)[:, 0]
    return Numbers(
        view["axis"].astype(np.float64),
        view["contents"].astype(np.float64),
        None if layout.sumw2 is None else view["sumw2"].astype(np.float64),
        view["buffer"] > 0 if layout.buffer is not None else np.zeros(len(objects), dtype=bool),
    )
