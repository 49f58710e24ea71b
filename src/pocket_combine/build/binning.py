"""The binning of one histogram of an output, whatever its axes, as one line of bins with what lies outside."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pocket_combine.errors import TemplateError
from pocket_combine.names import CATEGORY_AXIS, VARIATION_AXIS
from pocket_combine.templates import FloatArray

__all__ = ["EDGE_TOLERANCE", "Binning", "edge_tolerances", "variable_axes"]

EDGE_TOLERANCE = 1e-6
"""Two edges are the same if they are closer than this fraction of the narrower bin beside them."""


def variable_axes(histogram: Any) -> list[Any]:
    """Return the axes of a histogram that make up its variable, in order."""
    return [axis for axis in histogram.axes if axis.name not in (CATEGORY_AXIS, VARIATION_AXIS)]


def edge_tolerances(edges: FloatArray) -> FloatArray:
    """Return for each edge how far another number may be off and still be the same edge.

    Examples:
        >>> edge_tolerances(np.array([0.0, 1.0, 1.5]))
        array([1.e-06, 5.e-07, 5.e-07])
    """
    widths = np.diff(edges)
    tolerances: FloatArray = EDGE_TOLERANCE * np.minimum(np.append(widths, np.inf), np.insert(widths, 0, np.inf))
    return tolerances


@dataclass(frozen=True)
class Binning:
    """How the bins of a histogram's variable line up in one dimension.

    One axis keeps its edges, with the flow bins as outer bins with infinite edges. Several axes are unrolled row by
    row (the last axis fastest) into bins 0, 1, 2, …, and everything outside any of them goes into one last bin with an
    infinite edge. Axes of categories are numbered in the same way.

    Attributes:
        names: Name of each variable axis.
        axis_edges: Edges of each axis without flow; for axes of categories the numbers 0, 1, 2, ….
        labels: For axes of categories, their entries as text; empty for others.
        flow: For each axis, whether it has (an underflow bin, an overflow bin).
        circular: For each axis, whether it is circular: its overflow bin then holds what is not a number.

    Examples:
        >>> import hist
        >>> binning = Binning.of(hist.Hist(hist.axis.Regular(2, 0, 1, name="x")))
        >>> binning.edges
        array([-inf,  0. ,  0.5,  1. ,  inf])
    """

    names: tuple[str, ...]
    axis_edges: tuple[tuple[float, ...], ...]
    labels: tuple[tuple[str, ...], ...]
    flow: tuple[tuple[bool, bool], ...]
    circular: tuple[bool, ...]

    @classmethod
    def of(cls, histogram: Any) -> Binning:
        """Return the binning of a histogram's variable.

        Raises:
            TemplateError: If the histogram has no variable axis, or an axis has an infinite edge.
        """
        axes = variable_axes(histogram)
        if not axes:
            raise TemplateError(f"the histogram has the axes {[axis.name for axis in histogram.axes]} and no variable")
        edges, labels = [], []
        for axis in axes:
            if not np.isfinite(axis.edges).all():
                raise TemplateError(
                    f"axis {axis.name!r} has an infinite edge, which no ROOT histogram can have; what lies beyond the "
                    "last edge is in the overflow bin anyway"
                )
            categories = type(axis).__name__ in ("Boolean", "IntCategory", "StrCategory")
            labels.append(tuple(str(axis.bin(index)) for index in range(len(axis))) if categories else ())
            edges.append(tuple(map(float, range(len(axis) + 1) if categories else axis.edges)))
        return cls(
            names=tuple(axis.name for axis in axes),
            axis_edges=tuple(edges),
            labels=tuple(labels),
            flow=tuple((bool(axis.traits.underflow), bool(axis.traits.overflow)) for axis in axes),
            circular=tuple(bool(axis.traits.circular) for axis in axes),
        )

    def difference(self, other: Binning) -> str:
        """Return why histograms of both binnings cannot be added; nothing where they can.

        They can where the axes are the same and the edges are equal within rounding. The name of a single axis does not
        count: PocketCoffea puts that of the collection there, which differs between Run 2 (`MET.pt`) and Run 3
        (`PuppiMET.pt`).
        """
        if self == other:
            return ""
        names = self.names if self.is_unrolled else other.names
        if dataclasses.replace(self, names=names, axis_edges=other.axis_edges) != other or any(
            len(mine) != len(theirs) for mine, theirs in zip(self.axis_edges, other.axis_edges, strict=True)
        ):
            return f"{self.describe()}, the other {other.describe()}"
        for name, mine, theirs in zip(self.names, self.axis_edges, other.axis_edges, strict=True):
            off = np.abs(np.subtract(mine, theirs)) > edge_tolerances(np.array(mine))
            if off.any():
                at = int(off.argmax())
                return f"{self.describe()}, the other differs from edge {at} of {name!r} on: {theirs[at]:.10g}"
        return ""

    @property
    def can_fold(self) -> bool:
        """Whether what lies outside the range is beyond one of the outer bins, so that it can be added to them."""
        return not (self.is_unrolled or any(self.labels) or any(self.circular))

    @property
    def is_unrolled(self) -> bool:
        """Whether several axes were lined up into one."""
        return len(self.names) > 1

    @property
    def edges(self) -> FloatArray:
        """Edges of the line of bins, with infinite outer edges where there are flow bins."""
        if self.is_unrolled:
            cells = int(np.prod([len(edges) - 1 for edges in self.axis_edges]))
            inside = np.arange(cells + 1, dtype=np.float64)
            return np.append(inside, np.inf) if any(any(pair) for pair in self.flow) else inside
        under, over = self.flow[0]
        return np.concatenate([[-np.inf] * under, self.axis_edges[0], [np.inf] * over])

    def line_up(self, contents: FloatArray) -> FloatArray:
        """Return contents as an array whose first axis is the line of bins.

        Args:
            contents: Array whose first axes are the variable axes with their flow bins.
        """
        if not self.is_unrolled:
            return contents
        inside = np.zeros(contents.shape[: len(self.names)], dtype=bool)
        lengths: tuple[int, ...] = inside.shape
        inside[tuple(slice(under, length - over) for (under, over), length in zip(self.flow, lengths, strict=True))] = (
            True
        )
        cells: FloatArray = contents[inside]
        if inside.all():
            return cells
        # Summed over the cells outside, not as total minus inside: the difference of two large sums is not exact.
        return np.concatenate([cells, contents[~inside].sum(axis=0, keepdims=True)])

    def bin_map(self) -> list[tuple[tuple[float, float], ...]]:
        """Return for each bin inside the range its (low, high) edges on every axis, in the order of the bins.

        Examples:
            >>> import hist
            >>> axes = hist.axis.Regular(2, 0, 2, name="x"), hist.axis.Regular(2, 0, 20, name="y")
            >>> Binning.of(hist.Hist(*axes)).bin_map()[1]
            ((0.0, 1.0), (10.0, 20.0))
        """
        shape = tuple(len(edges) - 1 for edges in self.axis_edges)
        return [
            tuple((edges[at], edges[at + 1]) for edges, at in zip(self.axis_edges, position, strict=True))
            for position in np.ndindex(*shape)
        ]

    def describe(self) -> str:
        """Return the binning in a few words, for messages."""
        parts = []
        for name, edges, labels, flow in zip(self.names, self.axis_edges, self.labels, self.flow, strict=True):
            shown = f"categories {', '.join(labels)}" if labels else f"{len(edges) - 1} bins {_shown(edges)}"
            lacking = " and ".join(end for end, there in zip(("underflow", "overflow"), flow, strict=True) if not there)
            parts.append(f"{name or 'variable'}: {shown}{f' without {lacking}' if lacking and not labels else ''}")
        return " × ".join(parts)


def _shown(edges: Sequence[float]) -> str:
    """Return all edges where they are few, else the first and the last ones."""
    texts = [f"{edge:.10g}" for edge in edges]
    return f"[{', '.join(texts if len(texts) <= 8 else [*texts[:4], '…', *texts[-3:]])}]"
