"""The sum of two histograms that different jobs have filled: categories are matched by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import hist
import numpy as np

from pocket_combine.errors import TemplateError

__all__ = ["add_histograms"]

_CATEGORIES = (hist.axis.StrCategory, hist.axis.IntCategory)
# Storages whose contents simply add up; the others (means) are added by the library.
_ADDITIVE = (hist.storage.Double, hist.storage.Int64, hist.storage.AtomicInt64, hist.storage.Weight)


def add_histograms(first: hist.Hist[Any], second: hist.Hist[Any], places: tuple[str, str]) -> hist.Hist[Any]:
    """Return the sum of two histograms; `first` may be changed and returned.

    Categories are matched by name, whatever their order. A category that only one histogram has is kept: those of
    `first` come first, then the new ones of `second`.

    Args:
        first: A histogram that is not needed any more.
        second: The other one.
        places: Where each comes from, for messages.

    Raises:
        TemplateError: If the histograms have other axes, another binning or another storage.

    Examples:
        >>> import hist
        >>> def filled(*names):
        ...     return hist.new.StrCat(names, name="variation").Reg(1, 0, 1, name="x").Double().fill(names, x=0.5)
        >>> total = add_histograms(filled("nominal", "JERUp"), filled("nominal", "JERDown"), ("a", "b"))
        >>> list(total.axes["variation"]), total.values().ravel().tolist()
        (['nominal', 'JERUp', 'JERDown'], [2.0, 1.0, 1.0])
    """
    _check_alike(first, second, places)
    labels = [_union(left, right) for left, right in zip(first.axes, second.axes, strict=True)]
    additive = first.storage_type in _ADDITIVE
    # Means are added by the library, which wants axes that agree in everything, titles included.
    if not additive or not _has(first, labels):
        first = _spread(first, first.axes, labels)
    if not additive or not _has(second, labels):
        second = _spread(second, first.axes, labels)
    if not additive:
        return first + second
    _add_contents(first.view(flow=True), second.view(flow=True))
    _set_variance_known(first, _variance_known(first) and _variance_known(second))
    return first


def _check_alike(first: hist.Hist[Any], second: hist.Hist[Any], places: tuple[str, str]) -> None:
    _check_equal("axes", [axis.name for axis in first.axes], [axis.name for axis in second.axes], places)
    _check_equal("storages", first.storage_type.__name__, second.storage_type.__name__, places)
    for left, right in zip(first.axes, second.axes, strict=True):
        _check_equal(f"axes {left.name!r}", _binning(left), _binning(right), places)


def _check_equal(what: str, first: Any, second: Any, places: tuple[str, str]) -> None:
    if first != second:
        raise TemplateError(
            f"histograms cannot be added, their {what} differ: {_shown(first)} in {places[0]}, "
            f"{_shown(second)} in {places[1]}"
        )


def _binning(axis: Any) -> tuple[Any, ...]:
    """Return what has to agree: for categories only their kind, for other axes the edges and flow bins too."""
    kind = type(axis).__name__
    if isinstance(axis, _CATEGORIES):
        return (kind, axis.traits.overflow)
    traits = axis.traits
    return kind, traits.underflow, traits.overflow, traits.circular, tuple(axis.edges.tolist())


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) < 200 else f"{text[:120]} … {text[-40:]}"


def _union(first: Any, second: Any) -> list[Any] | None:
    if not isinstance(first, _CATEGORIES):
        return None
    return list(dict.fromkeys([*first, *second]))


def _has(histogram: hist.Hist[Any], labels: Sequence[list[Any] | None]) -> bool:
    return all(names in (None, list(axis)) for names, axis in zip(labels, histogram.axes, strict=True))


def _spread(histogram: hist.Hist[Any], axes: Sequence[Any], labels: Sequence[list[Any] | None]) -> hist.Hist[Any]:
    """Return a copy of a histogram with the given axes, categories replaced by `labels`; new ones are empty."""
    new_axes = [axis if names is None else _with_labels(axis, names) for axis, names in zip(axes, labels, strict=True)]
    spread = hist.Hist(*new_axes, storage=histogram.storage_type(), name=histogram.name, label=histogram.label)
    indices = []
    for old, new in zip(histogram.axes, spread.axes, strict=True):
        index = np.arange(old.extent)
        if isinstance(old, _CATEGORIES):
            order = {name: position for position, name in enumerate(new)}
            index[: old.size] = [order[name] for name in old]
            index[old.size :] = new.size
        indices.append(index)
    spread.view(flow=True)[np.ix_(*indices)] = histogram.view(flow=True)
    _set_variance_known(spread, _variance_known(histogram))
    return spread


def _with_labels(axis: Any, labels: list[Any]) -> Any:
    return type(axis)(
        labels, growth=axis.traits.growth, overflow=axis.traits.overflow, name=axis.name, label=axis.label
    )


def _add_contents(total: Any, part: Any) -> None:
    if total.dtype.names is None:
        total += part
        return
    for field in total.dtype.names:
        total[field] += part[field]


def _variance_known(histogram: hist.Hist[Any]) -> bool:
    """Return whether the contents are counts, whose variance they are; a histogram filled with weights says no."""
    return bool(histogram._variance_known)  # noqa: SLF001 (the library offers no other way to keep it)


def _set_variance_known(histogram: hist.Hist[Any], known: bool) -> None:
    histogram._variance_known = known  # noqa: SLF001
