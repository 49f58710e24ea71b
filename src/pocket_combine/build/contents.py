"""The contents of one histogram of an output as arrays, whatever its storage and axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pocket_combine.build.binning import CATEGORY_AXIS, VARIATION_AXIS, Binning
from pocket_combine.build.coverage import Source
from pocket_combine.errors import MissingInputError, TemplateError, join_problems, nearest
from pocket_combine.names import NOMINAL
from pocket_combine.templates import FloatArray

__all__ = ["MOMENTS", "Contents", "read_contents", "require_finite"]

MOMENTS = ("values", "variances")
"""What is summed."""


@dataclass(frozen=True)
class Contents:
    """Contents of one histogram; views of its own memory, never to be written to.

    Attributes:
        variations: Entries of the variation axis; `nominal` alone where there is no such axis.
        values: Per category, `[variation, bin]`, flow bins included.
        variances: Per category, `[variation, bin]`.
        binning: Binning of the variable.
        lacks_variances: Whether weighted events are in a storage without variances.
    """

    variations: tuple[str, ...]
    values: tuple[FloatArray, ...]
    variances: tuple[FloatArray, ...]
    binning: Binning
    lacks_variances: bool


def read_contents(histogram: Any, source: Source, categories: Sequence[str]) -> Contents:
    """Return the contents of the wanted categories of a histogram.

    Raises:
        MissingInputError: If a category or the nominal variation is not there.
        TemplateError: If it is no histogram, has no category axis or no variable, or its storage holds no counts.
    """
    place = _place(source)
    if not hasattr(histogram, "axes") or not hasattr(histogram, "view"):
        raise TemplateError(f"{place}: found a {type(histogram).__name__}, expected a hist.Hist")
    names = [axis.name for axis in histogram.axes]
    if CATEGORY_AXIS not in names:
        raise TemplateError(f"{place}: the histogram has the axes {names}, expected one named {CATEGORY_AXIS!r}")
    available = list(histogram.axes[names.index(CATEGORY_AXIS)])
    missing = [category for category in categories if category not in available]
    if missing:
        hints = [f"category {name!r} is not on the category axis; {nearest(name, available)}" for name in missing]
        raise MissingInputError(join_problems([f"{place}: {hint}" for hint in hints]))
    order = [names.index(CATEGORY_AXIS)]
    variations: tuple[str, ...] = (NOMINAL,)
    if VARIATION_AXIS in names:
        order.append(names.index(VARIATION_AXIS))
        variations = tuple(histogram.axes[order[-1]])
        if NOMINAL not in variations:
            raise MissingInputError(f"{place}: no {NOMINAL!r} on the variation axis; {nearest(NOMINAL, variations)}")
    order += [at for at in range(len(names)) if at not in order]
    binning = Binning.of(histogram)
    values, variances = _values_and_variances(histogram, place)
    lacks_variances = variances is None and not bool((values == np.rint(values)).all())
    values = values.transpose(order)
    variances = np.abs(values) if variances is None else variances.transpose(order)
    if VARIATION_AXIS not in names:
        values, variances = values[:, np.newaxis], variances[:, np.newaxis]
    rows = [available.index(category) for category in categories]
    return Contents(
        variations,
        tuple(binning.line_up(values[row]) for row in rows),
        tuple(binning.line_up(variances[row]) for row in rows),
        binning,
        lacks_variances,
    )


def _place(source: Source) -> str:
    return f"sample {source.sample}, dataset {source.dataset}"


def _values_and_variances(histogram: Any, place: str) -> tuple[FloatArray, FloatArray | None]:
    """Return the contents of a histogram with flow bins, and its variances if its storage has them."""
    view = histogram.view(flow=True)
    if view.dtype.names is None:
        return np.asarray(view, dtype=np.float64), None
    if set(view.dtype.names) == {"value", "variance"}:
        return np.asarray(view["value"]), np.asarray(view["variance"])
    raise TemplateError(
        f"{place}: storage with {', '.join(view.dtype.names)} is no count; use Weight or Double storage"
    )


def require_finite(contents: Contents, source: Source, categories: Sequence[str]) -> None:
    """Check that all contents are finite.

    Raises:
        TemplateError: With the place of the first number that is not finite.
    """
    count = len(contents.variations)
    for moment in MOMENTS:
        for category, array in zip(categories, getattr(contents, moment), strict=True):
            bad = np.argwhere(~np.isfinite(array[:count]))
            if bad.size:
                variation, bin_index = contents.variations[bad[0][0]], int(bad[0][1])
                raise TemplateError(
                    f"{_place(source)}, category {category}, variation {variation}: "
                    f"{moment.removesuffix('s')} of bin {bin_index} (flow bins counted) is {array[tuple(bad[0])]}; "
                    "find the event and run the sample again"
                )
