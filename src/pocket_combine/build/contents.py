"""The contents of one histogram of an output as arrays, whatever its storage and axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pocket_combine.build.binning import Binning
from pocket_combine.build.coverage import Source
from pocket_combine.errors import MissingInputError, TemplateError, join_problems, nearest
from pocket_combine.names import CATEGORY_AXIS, NOMINAL, VARIATION_AXIS
from pocket_combine.templates import FloatArray

__all__ = ["MOMENTS", "VALUE", "VARIANCE", "Contents", "Layout", "read_contents", "read_layout", "require_finite"]

MOMENTS = ("value", "variance")
"""What a bin holds."""

VALUE, VARIANCE = range(2)


@dataclass(frozen=True)
class Layout:
    """Where a histogram has what; the same for most histograms of an output.

    Attributes:
        axes: The axes of the histogram.
        order: The axes in the order variable, variation, category.
        variations: Entries of the variation axis; `nominal` alone where there is no such axis.
        rows: Where the wanted categories are on the category axis.
        binning: Binning of the variable.
    """

    axes: Any
    order: tuple[int, ...]
    variations: tuple[str, ...]
    rows: tuple[int, ...]
    binning: Binning


@dataclass(frozen=True)
class Contents:
    """Contents of one histogram; where possible a view of its own memory, never to be written to.

    Attributes:
        layout: Where it has what.
        array: `array[bin, variation, category, moment]`, flow bins included, for the wanted categories. This is the
            order in which histograms lie in memory, so that whatever is taken lies close together.
        lacks_variances: Whether weighted events are in a storage without variances.
    """

    layout: Layout
    array: FloatArray
    lacks_variances: bool


def read_layout(histogram: Any, source: Source, categories: Sequence[str]) -> Layout:
    """Return the layout of a histogram.

    Raises:
        MissingInputError: If a category or the nominal variation is not there; all categories are listed.
        TemplateError: If it is no histogram, or has no category axis or no variable.
    """
    place = _place(source)
    if not hasattr(histogram, "axes") or not hasattr(histogram, "view"):
        raise TemplateError(f"{place}: found a {type(histogram).__name__}, expected a hist.Hist")
    names = [axis.name for axis in histogram.axes]
    if CATEGORY_AXIS not in names:
        raise TemplateError(f"{place}: the histogram has the axes {names}, expected one named {CATEGORY_AXIS!r}")
    category_axis = names.index(CATEGORY_AXIS)
    available = list(histogram.axes[category_axis])
    missing = [category for category in categories if category not in available]
    if missing:
        hints = [f"category {name!r} is not on the category axis; {nearest(name, available)}" for name in missing]
        raise MissingInputError(join_problems([f"{place}: {hint}" for hint in hints]))
    variations: tuple[str, ...] = (NOMINAL,)
    order = [at for at, name in enumerate(names) if name not in (CATEGORY_AXIS, VARIATION_AXIS)]
    if VARIATION_AXIS in names:
        order.append(names.index(VARIATION_AXIS))
        variations = tuple(histogram.axes[order[-1]])
        if NOMINAL not in variations:
            raise MissingInputError(f"{place}: no {NOMINAL!r} on the variation axis; {nearest(NOMINAL, variations)}")
    try:
        binning = Binning.of(histogram)
    except TemplateError as error:
        raise TemplateError(f"{place}: {error}") from error
    rows = tuple(available.index(category) for category in categories)
    return Layout(histogram.axes, (*order, category_axis), variations, rows, binning)


def read_contents(histogram: Any, layout: Layout, source: Source) -> Contents:
    """Return the contents of a histogram of a known layout.

    Raises:
        TemplateError: If its storage holds no counts.
    """
    array, lacks_variances = _moments(histogram, _place(source))
    array = array.transpose([*layout.order, array.ndim - 1])
    if len(layout.order) == len(layout.binning.names) + 1:  # no variation axis
        array = np.expand_dims(array, -3)
    return Contents(layout, _entries(layout.binning.line_up(array), layout.rows), lacks_variances)


def _place(source: Source) -> str:
    return f"sample {source.sample}, dataset {source.dataset}"


def _moments(histogram: Any, place: str) -> tuple[FloatArray, bool]:
    """Return the contents of a histogram, with flow bins and a last axis of moments, and whether it lacks variances."""
    view = np.asarray(histogram.view(flow=True))
    if view.dtype.names is None:
        values = view.astype(np.float64)
        return np.stack([values, np.abs(values)], axis=-1), not bool((values == np.rint(values)).all())
    if set(view.dtype.names) != set(MOMENTS):
        raise TemplateError(
            f"{place}: storage with {', '.join(view.dtype.names)} is no count; use Weight or Double storage"
        )
    if view.flags.f_contiguous and view.dtype == _WEIGHT:
        # Histograms lie in memory with the first axis fastest.
        numbers = view.T.view(np.float64).reshape(*view.T.shape, len(MOMENTS))
        return numbers.transpose([*range(view.ndim - 1, -1, -1), view.ndim]), False
    return np.stack([view[moment] for moment in MOMENTS], axis=-1), False


_WEIGHT = np.dtype([(moment, np.float64) for moment in MOMENTS])


def _entries(array: FloatArray, rows: Sequence[int]) -> FloatArray:
    """Return the wanted entries of the category axis, as a view where they follow each other."""
    following = range(rows[0], rows[0] + len(rows))
    return array[:, :, following.start : following.stop] if rows == tuple(following) else array[:, :, rows]


def require_finite(contents: Contents, source: Source, categories: Sequence[str]) -> None:
    """Check that all contents are finite.

    Raises:
        TemplateError: With the place of the first number that is not finite.
    """
    variations = contents.layout.variations
    for at, moment in enumerate(MOMENTS):
        for row, category in enumerate(categories):
            array = contents.array[:, : len(variations), row, at].T
            bad = np.argwhere(~np.isfinite(array))
            if bad.size:
                variation, bin_index = variations[bad[0][0]], int(bad[0][1])
                raise TemplateError(
                    f"{_place(source)}, category {category}, variation {variation}: {moment} of bin {bin_index} "
                    f"(flow bins counted) is {array[tuple(bad[0])]}; find the event and run the sample again"
                )
