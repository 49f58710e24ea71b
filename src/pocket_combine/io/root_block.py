"""Histograms of one binning that are to be written together, and what can be wrong with them."""

from __future__ import annotations

import collections
import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pocket_combine.errors import RootFileError
from pocket_combine.templates import FloatArray

__all__ = ["HistogramBlock", "block_problems"]

_LARGEST_NAME = 16_000
"""In bytes, for names and titles: `TKey::fKeylen`, the size of a key with both, is a signed 16-bit number."""

_LARGEST_OBJECT = 1 << 30
"""Larger objects cannot be expressed by the 30 bits of a byte count, nor by ROOT's buffers."""

_SHOWN = 20
"""How many problems of one kind are listed."""

_BAD_CHARACTER = re.compile(r"[\x00-\x1f\x7f;:]")


@dataclass(frozen=True, eq=False, init=False)
class HistogramBlock:
    """Histograms of one binning.

    Attributes:
        names: One path per histogram: a name, or directories and a name, separated by slashes.
        edges: `edges[bin + 1]`, finite and strictly increasing.
        values: `values[histogram, bin]`, in events.
        variances: `variances[histogram, bin]`, the squared errors; `None` for unweighted counts, whose error ROOT
            takes from the contents.
        title: The title of all of them.

    Raises:
        RootFileError: If edges, values or variances are not arrays of numbers.

    Examples:
        >>> block = HistogramBlock(["SR/ttbar", "SR/data_obs"], [0, 1, 2], [[1.5, 2.5], [1, 3]])
        >>> block.values.shape
        (2, 2)
    """

    names: tuple[str, ...]
    edges: FloatArray
    values: FloatArray
    variances: FloatArray | None
    title: str

    def __init__(
        self,
        names: Iterable[str],
        edges: npt.ArrayLike,
        values: npt.ArrayLike,
        variances: npt.ArrayLike | None = None,
        title: str = "",
    ) -> None:
        object.__setattr__(self, "names", tuple(names))
        object.__setattr__(self, "title", title)
        for field, value in (("edges", edges), ("values", values), ("variances", variances)):
            try:
                array = None if value is None else np.asarray(value, dtype=np.float64)
            except (TypeError, ValueError) as error:
                raise RootFileError(f"{field} of {_span(self.names)} are not an array of numbers: {error}") from error
            object.__setattr__(self, field, array)


def block_problems(blocks: Sequence[HistogramBlock]) -> list[str]:
    """Return all that prevents these blocks from being written to one file, one sentence each.

    Examples:
        >>> block_problems([HistogramBlock(["a", "a"], [0, 1], [[1.0], [float("nan")]])])
        ["histogram 'a': content not finite in bin 0", "histogram 'a' occurs twice"]
    """
    problems: list[str] = []
    for number, block in enumerate(blocks):
        shape = _shape_problems(block, f"block {number} ({_span(block.names)})")
        problems += shape or _number_problems(block)
        problems += _name_problems(block)
    problems += _collisions(list(itertools.chain.from_iterable(block.names for block in blocks)))
    return problems


def _span(names: Sequence[str]) -> str:
    return "no histograms" if not names else repr(names[0]) + (f" … {names[-1]!r}" if len(names) > 1 else "")


def _shape_problems(block: HistogramBlock, where: str) -> list[str]:
    edges = block.edges
    if edges.ndim != 1 or edges.size < 2:
        return [f"{where}: edges have shape {edges.shape}, expected at least two edges in one dimension"]
    problems = []
    if not np.isfinite(edges).all() or not (np.diff(edges) > 0).all():
        problems.append(
            f"{where}: edges are not finite and strictly increasing: {np.array2string(edges, threshold=12)}; "
            "flow bins have to be folded or dropped before"
        )
    expected = (len(block.names), edges.size - 1)
    for field in ("values", "variances"):
        array = getattr(block, field)
        if array is not None and array.shape != expected:
            problems.append(f"{where}: {field} have shape {array.shape}, expected {expected} (histogram, bin)")
    if title := _text_problem("title", block.title):
        problems.append(f"{where}: {title}")
    if 16 * (edges.size + 1) + 4 * _LARGEST_NAME > _LARGEST_OBJECT:
        problems.append(f"{where}: {edges.size - 1} bins are more than a ROOT object can hold")
    return problems


def _number_problems(block: HistogramBlock) -> list[str]:
    found: list[tuple[int, str]] = []
    checks = [(block.values, "content", False)]
    if block.variances is not None:
        checks.append((block.variances, "squared error", True))
    for array, what, positive in checks:
        finite = np.isfinite(array)
        if not finite.all():
            found += _rows(block, ~finite, f"{what} not finite")
        if positive and (array < 0).any():
            found += _rows(block, array < 0, f"{what} negative")
    return _shorten([message for _, message in sorted(found)])


def _rows(block: HistogramBlock, bad: npt.NDArray[np.bool_], what: str) -> list[tuple[int, str]]:
    rows = []
    for row in np.flatnonzero(bad.any(axis=1)).tolist():
        bins = np.flatnonzero(bad[row]).tolist()
        shown = ", ".join(map(str, bins[:8])) + (", …" if len(bins) > 8 else "")
        rows.append((row, f"histogram {block.names[row]!r}: {what} in bin {shown}"))
    return rows


def _name_problems(block: HistogramBlock) -> list[str]:
    # All names are checked as one path first: one by one takes longer than writing the histograms.
    try:
        joined = "/".join(block.names)
        joined.encode()
    except (TypeError, UnicodeEncodeError):
        pass
    else:
        whole = joined and "//" not in f"/{joined}/"
        plain = joined.isprintable() and not _BAD_CHARACTER.search(joined)
        if whole and plain and 4 * max(map(len, block.names)) <= _LARGEST_NAME:
            return []
    return _shorten([problem for name in block.names if (problem := _name_problem(name)) is not None])


def _name_problem(name: object) -> str | None:
    if not isinstance(name, str):
        return f"histogram name {name!r} is a {type(name).__name__}, expected text"
    if any(not part for part in name.split("/")):
        return f"histogram name {name!r} is empty or has an empty part between slashes"
    if found := "".join(dict.fromkeys(_BAD_CHARACTER.findall(name))):
        return f"histogram name {name!r} holds {found!r}: control characters, ';' and ':' cannot be looked up"
    return _text_problem("histogram name", name)


def _text_problem(what: str, text: str) -> str | None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return f"{what} {text!r} cannot be written as UTF-8"
    if size > _LARGEST_NAME:
        return f"{what} {text[:40]!r}… has {size} bytes, more than the {_LARGEST_NAME} for which a ROOT key has room"
    return None


def _collisions(names: Sequence[str]) -> list[str]:
    problems = []
    if len(set(names)) != len(names):
        counts = collections.Counter(names)
        problems = [f"histogram {name!r} occurs {_times(count)}" for name, count in counts.items() if count > 1]
    folders = {folder for name in names if "/" in str(name) for folder in _parents(str(name))}
    problems += [f"{name!r} is both a histogram and a directory" for name in names if name in folders]
    return _shorten(problems)


def _times(count: int) -> str:
    return "twice" if count == 2 else f"{count} times"


def _parents(name: str) -> list[str]:
    parts = name.split("/")[:-1]
    return ["/".join(parts[: depth + 1]) for depth in range(len(parts))]


def _shorten(problems: list[str]) -> list[str]:
    if len(problems) <= _SHOWN:
        return problems
    return [*problems[:_SHOWN], f"… and {len(problems) - _SHOWN} more like these"]
