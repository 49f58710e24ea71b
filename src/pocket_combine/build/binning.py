"""The binning of one histogram of an output, whatever its axes, as one line of bins with what lies outside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pocket_combine.errors import TemplateError
from pocket_combine.templates import FloatArray

__all__ = ["CATEGORY_AXIS", "VARIATION_AXIS", "Binning", "variable_axes"]

CATEGORY_AXIS = "cat"
VARIATION_AXIS = "variation"
"""Names of the two axes that are not part of the variable, as PocketCoffea writes them."""


def variable_axes(histogram: Any) -> list[Any]:
    """Return the axes of a histogram that make up its variable, in order."""
    return [axis for axis in histogram.axes if axis.name not in (CATEGORY_AXIS, VARIATION_AXIS)]


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

    @classmethod
    def of(cls, histogram: Any) -> Binning:
        """Return the binning of a histogram's variable.

        Raises:
            TemplateError: If the histogram has no variable axis.
        """
        axes = variable_axes(histogram)
        if not axes:
            raise TemplateError(f"a histogram with the axes {[axis.name for axis in histogram.axes]} has no variable")
        edges, labels = [], []
        for axis in axes:
            categories = type(axis).__name__ in ("Boolean", "IntCategory", "StrCategory")
            labels.append(tuple(str(axis.bin(index)) for index in range(len(axis))) if categories else ())
            edges.append(tuple(map(float, range(len(axis) + 1) if categories else axis.edges)))
        return cls(
            names=tuple(axis.name for axis in axes),
            axis_edges=tuple(edges),
            labels=tuple(labels),
            flow=tuple((bool(axis.traits.underflow), bool(axis.traits.overflow)) for axis in axes),
        )

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
        """Return contents with the variable axes last, flow included, as an array whose last axis is `edges`' bins.

        Args:
            contents: Array whose last axes are the variable axes with their flow bins.
        """
        if not self.is_unrolled:
            return contents
        count = len(self.names)
        inside = np.zeros(contents.shape[-count:], dtype=bool)
        lengths: tuple[int, ...] = inside.shape
        inside[tuple(slice(under, length - over) for (under, over), length in zip(self.flow, lengths, strict=True))] = (
            True
        )
        cells: FloatArray = contents[..., inside]
        if inside.all():
            return cells
        # Summed over the cells outside, not as total minus inside: the difference of two large sums is not exact.
        return np.concatenate([cells, contents[..., ~inside].sum(axis=-1, keepdims=True)], axis=-1)

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
        for name, edges, labels in zip(self.names, self.axis_edges, self.labels, strict=True):
            shown = f"categories {', '.join(labels)}" if labels else f"{len(edges) - 1} bins {edges[0]:g}…{edges[-1]:g}"
            parts.append(f"{name or 'variable'}: {shown}")
        return " × ".join(parts)
