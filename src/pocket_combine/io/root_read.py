"""One-dimensional histograms of a ROOT file as arrays."""

from __future__ import annotations

import contextlib
import heapq
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt

from pocket_combine.errors import RootFileError, join_problems, listed, nearest
from pocket_combine.findings import Finding, Severity
from pocket_combine.io.root_bulk import Batch, read_batches
from pocket_combine.io.root_file import RootKey, list_keys
from pocket_combine.io.root_parse import TH1_CLASSES
from pocket_combine.templates import FloatArray, IntArray

__all__ = ["HistogramSet", "RootFile", "read_histograms", "same_edges"]

_MOST_BYTES = 1 << 30
_SHOWN = 20
_CANDIDATES = 500
_EDGE_TOLERANCE = 1e-4
"""Part of the width of a bin. Edges that went through single precision are off by up to 1e-7 of their size."""


@dataclass(frozen=True, eq=False)
class HistogramSet:
    """Histograms of one binning, in the order in which they were asked for.

    Contents of single precision and integer classes are widened to double precision. They need not be finite.

    Attributes:
        names: `names[histogram]`, as they were asked for.
        edges: `edges[bin + 1]`.
        values: `values[histogram, bin]`, the contents without under- and overflow, in events.
        variances: `variances[histogram, bin]`, the sums of squared weights; where a histogram has none, the absolute
            contents, which `TH1::GetBinError` takes for them.
        has_sumw2: `has_sumw2[histogram]`, whether the histogram holds sums of squared weights.
        underflow: `underflow[histogram]`, the content below the first edge.
        overflow: `overflow[histogram]`, the content above the last edge.
        findings: What was noticed about the names that were asked for.
    """

    names: tuple[str, ...]
    edges: FloatArray
    values: FloatArray
    variances: FloatArray
    has_sumw2: npt.NDArray[np.bool_]
    underflow: FloatArray
    overflow: FloatArray
    findings: tuple[Finding, ...] = ()


class RootFile:
    """A ROOT file whose one-dimensional histograms are read many at a time; a context manager.

    Only the lists of keys are read when the file is opened, and only the records that are asked for afterwards.

    Args:
        path: The file.
        max_bytes: How many bytes of uncompressed objects one call may ask for; a guard against files made to fill the
            memory.

    Attributes:
        path: The file.
        keys: All objects but directories, in the order of the file's lists.

    Raises:
        RootFileError: If the file is missing, not a ROOT file, truncated or damaged.

    Examples:
        >>> import tempfile
        >>> from pocket_combine.io.root import HistogramBlock, write_histograms
        >>> path = Path(tempfile.mkdtemp(), "shapes.root")
        >>> write_histograms(path, [HistogramBlock(["SR/ttbar", "SR/data_obs"], [0, 1, 2], [[1.5, 2.5], [1, 3]])])
        >>> with RootFile(path) as file:
        ...     [key.path for key in file.keys], file.read(["SR/data_obs"]).values
        (['SR/ttbar', 'SR/data_obs'], array([[1., 3.]]))
    """

    def __init__(self, path: str | os.PathLike[str], *, max_bytes: int = _MOST_BYTES) -> None:
        self.path = Path(path)
        self.max_bytes = max_bytes
        with contextlib.ExitStack() as stack:
            try:
                self._file = stack.enter_context(self.path.open("rb"))
            except (OSError, ValueError) as error:
                raise RootFileError(f"{self.path}: cannot be opened: {_reason(error)}") from error
            self.keys: tuple[RootKey, ...] = tuple(list_keys(self._file, self.path))
            self._stack = stack.pop_all()

    def __enter__(self) -> RootFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __contains__(self, name: object) -> bool:
        """Return whether an object, of whatever class, has this path."""
        return name in self._first

    def close(self) -> None:
        """Close the file; `keys` stay."""
        self._stack.close()

    @cached_property
    def _first(self) -> dict[str, RootKey]:
        """For each path the key that ROOT returns: the first in the order of the list."""
        return {key.path: key for key in reversed(self.keys)}

    @cached_property
    def _ambiguous(self) -> dict[str, list[int]]:
        """The cycles of paths that have several."""
        if len(self._first) == len(self.keys):
            return {}
        cycles: dict[str, list[int]] = {}
        for key in self.keys:
            cycles.setdefault(key.path, []).append(key.cycle)
        return {path: found for path, found in cycles.items() if len(found) > 1}

    def read(self, names: Iterable[str]) -> HistogramSet:
        """Return histograms of one binning.

        Two binnings count as one if no edge differs by more than 1e-4 of the width of a bin beside it; the set has the
        edges of the first histogram.

        Args:
            names: Paths in the file, such as `SR/ttbar`; `SR/ttbar;2` asks for a cycle. A path of several cycles
                without a number means what it means to ROOT, the first key of this path in the order of the file's
                list (not always the highest cycle), and a finding says so.

        Raises:
            RootFileError: If a name is missing or of another class, a record is damaged, or binnings differ. All
                problems of one kind are listed.
        """
        sets = self.read_groups(names)
        if not sets:
            raise RootFileError(f"{self.path}: no histogram was asked for")
        if len(sets) > 1:
            shown = [
                f"{group.edges.size - 1} bins from {group.edges[0]:g} to {group.edges[-1]:g}: "
                f"{listed(map(repr, group.names), 3)}"
                for group in sets
            ]
            raise RootFileError(f"{self.path}: one binning was expected, found {len(sets)}; {'; '.join(shown[:5])}")
        return sets[0]

    def read_groups(self, names: Iterable[str]) -> tuple[HistogramSet, ...]:
        """Return histograms in one set for each binning, in the order of their first names; see `read`."""
        if isinstance(names, str):
            raise RootFileError(f"{self.path}: names are a text, expected a list: [{names!r}]")
        names = tuple(names)
        asked = self._find(names)
        keys = list(dict.fromkeys(asked))
        total = sum(key.object_size for key in keys)
        if total > self.max_bytes:
            raise RootFileError(
                f"{self.path}: {len(keys)} histograms take {total} bytes of memory, more than max_bytes = "
                f"{self.max_bytes}; read fewer at once or allow more"
            )
        try:
            batches = read_batches(self._file, self.path, keys)
        except RootFileError:
            raise
        except (OSError, ValueError, MemoryError) as error:  # ValueError: the file was closed
            raise RootFileError(f"{self.path}: cannot be read: {_reason(error)}") from error
        place = {key: row for row, key in enumerate(keys)}
        return _sets(batches, names, np.array([place[key] for key in asked], dtype=np.intp), self._findings(names))

    def _find(self, names: Sequence[str]) -> list[RootKey]:
        found: list[RootKey] = []
        problems: list[str] = []
        for name in names:
            key = self._first.get(name) or self._with_cycle(name)
            if key is not None and key.classname in TH1_CLASSES:
                found.append(key)
            elif len(problems) < _SHOWN:
                problems.append(self._missing(name) if key is None else _wrong_class(name, key.classname))
        if problems:
            hidden = len(names) - len(found) - len(problems)
            problems += [f"… and {hidden} more names"] if hidden else []
            raise RootFileError(f"{self.path}: {join_problems(problems)}")
        return found

    def _with_cycle(self, name: str) -> RootKey | None:
        path, separator, cycle = str(name).rpartition(";")
        if not separator:
            return None
        return next((key for key in self.keys if key.path == path and str(key.cycle) == cycle), None)

    def _missing(self, name: str) -> str:
        candidates = list(self._first)
        if len(candidates) > _CANDIDATES:
            # Comparing a name with all of 10^5 takes seconds; what begins and ends alike is near enough.
            candidates = heapq.nlargest(_CANDIDATES, candidates, key=lambda path: _common_ends(name, path))
        hint = nearest(name, candidates)
        if len(candidates) < len(self._first) and not hint.startswith("did you mean"):
            hint = f"nor anything like it among its {len(self._first)} objects"
        return f"histogram {name!r} is not in the file, {hint}"

    def _findings(self, names: Sequence[str]) -> tuple[Finding, ...]:
        if not self._ambiguous:
            return ()
        several = {name: self._ambiguous[name] for name in dict.fromkeys(names) if name in self._ambiguous}
        if not several:
            return ()
        shown = listed(f"{name!r} (cycles {', '.join(map(str, cycles))})" for name, cycles in several.items())
        return (
            Finding(
                "ambiguous-key",
                Severity.WARNING,
                f"file {self.path}",
                f"several objects have one name: {shown}; taken is the one that the file lists first, "
                "which is what ROOT returns",
                "write the file anew with one object for each name",
                {"names": len(several)},
            ),
        )


def read_histograms(path: str | os.PathLike[str], names: Iterable[str]) -> HistogramSet:
    """Return histograms of one binning from a file; see `RootFile.read`.

    Raises:
        RootFileError: As `RootFile` and `RootFile.read` do.
    """
    with RootFile(path) as file:
        return file.read(names)


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or str(error) or type(error).__name__)


def _wrong_class(name: str, classname: str) -> str:
    return f"{name!r} is a {classname}, expected a one-dimensional histogram ({', '.join(TH1_CLASSES)})"


def _common_ends(first: str, second: str) -> int:
    return _common_start(first, second) + _common_start(first[::-1], second[::-1])


def _common_start(first: str, second: str) -> int:
    pairs = enumerate(zip(first, second, strict=False))
    return next((place for place, (one, other) in pairs if one != other), min(len(first), len(second)))


def _sets(
    batches: Sequence[Batch], names: Sequence[str], rows: IntArray, findings: tuple[Finding, ...]
) -> tuple[HistogramSet, ...]:
    """Return one set for each binning; `rows[name]` is the index of the key of each name."""
    edges, exact = _edges(batches, int(rows.max(initial=-1)) + 1)
    merged = _merge(edges)
    group = merged[exact[rows]]
    sets = []
    for number in dict.fromkeys(group.tolist()):
        members = np.flatnonzero(group == number)
        wanted, take = np.unique(rows[members], return_inverse=True)
        contents, squares, has_sumw2 = _collect(batches, wanted, edges[number].size + 1)
        sets.append(
            HistogramSet(
                tuple(names[member] for member in members.tolist()),
                edges[exact[rows[members[0]]]],
                contents[take, 1:-1],
                squares[take, 1:-1],
                has_sumw2[take],
                contents[take, 0],
                contents[take, -1],
                findings,
            )
        )
    return tuple(sets)


def _edges(batches: Sequence[Batch], count: int) -> tuple[list[FloatArray], IntArray]:
    """Return all different edges, and for each key which of them it has."""
    edges: dict[bytes, FloatArray] = {}
    order: dict[bytes, int] = {}
    exact = np.zeros(count, dtype=np.intp)
    for batch in batches:
        axes = batch.numbers.axes
        bins = batch.numbers.contents.shape[1] - 2
        distinct, inverse = axes[:1], np.zeros(len(axes), dtype=np.intp)
        if not (axes == axes[0]).all():
            distinct, inverse = np.unique(axes, axis=0, return_inverse=True)
        found = []
        for axis in distinct:
            # The formula of TAxis for bins of equal width; see `root_th1d.fixed_bins`.
            full = axis if axis.size > 2 else np.linspace(axis[0], axis[1], bins + 1)
            number = order.setdefault(full.tobytes(), len(edges))
            edges.setdefault(full.tobytes(), full)
            found.append(number)
        exact[batch.rows] = np.array(found, dtype=np.intp)[inverse.reshape(-1)]
    return list(edges.values()), exact


def _merge(edges: Sequence[FloatArray]) -> IntArray:
    """Return for each binning the first one that it equals within the tolerance."""
    merged = np.arange(len(edges))
    for number, own in enumerate(edges):
        for other in np.unique(merged[:number]).tolist():
            if same_edges(own, edges[other]):
                merged[number] = other
                break
    return merged


def same_edges(first: FloatArray, second: FloatArray) -> bool:
    """Return whether two binnings count as one: no edge is off by more than 1e-4 of the width of a bin beside it.

    Examples:
        >>> same_edges(np.array([0.0, 1.0, 3.0]), np.array([0.0, 1.00005, 3.0]))
        True
        >>> same_edges(np.array([0.0, 1.0, 3.0]), np.array([0.0, 1.0005, 3.0]))
        False
    """
    if first.size != second.size:
        return False
    widths = np.diff(second)
    narrower = np.minimum(np.append(widths, np.inf), np.append(np.inf, widths))
    return bool((np.abs(first - second) <= _EDGE_TOLERANCE * narrower).all())


def _collect(
    batches: Sequence[Batch], wanted: IntArray, cells: int
) -> tuple[FloatArray, FloatArray, npt.NDArray[np.bool_]]:
    """Return contents and squared errors, `[key, cell]`, and whether there were sums of squared weights, `[key]`."""
    contents = np.empty((wanted.size, cells))
    squares = np.empty((wanted.size, cells))
    has_sumw2 = np.zeros(wanted.size, dtype=bool)
    for batch in batches:
        inside = np.isin(batch.rows, wanted)
        if not inside.any():
            continue
        target = np.searchsorted(wanted, batch.rows[inside])
        numbers = batch.numbers
        contents[target] = numbers.contents[inside]
        squares[target] = np.abs(contents[target]) if numbers.sumw2 is None else numbers.sumw2[inside]
        has_sumw2[target] = numbers.sumw2 is not None
    return contents, squares, has_sumw2
