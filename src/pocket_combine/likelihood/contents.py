"""Template contents as the two histogram machineries use them: rounding, normalisation, differences of variations.

Section 4 of `docs/explanation/likelihood.md`. The morph of a column is linear in its nuisances θ and in |θ|_w (see
`pocket_combine.likelihood.effects`); this module returns the coefficients.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pocket_combine.likelihood.columns import Machinery, ModelColumn
from pocket_combine.templates import FloatArray, Templates

__all__ = ["FLOOR", "Contents", "column_contents", "single_precision"]

FLOOR = 1e-9
"""What Combine puts in place of smaller contents."""

_LOG_OF_NOTHING = -999.0
"""Combine's logarithm of an empty or negative bin."""


@dataclass(frozen=True)
class Contents:
    """The template of a column and how nuisances change it.

    Attributes:
        start: `start[bin]`: the template, or its logarithm.
        linear: `linear[morph, bin]`, coefficients of θ.
        rounded: `rounded[morph, bin]`, coefficients of |θ|_w.
        widths: `widths[morph]`, the w of each morph.
        floor: Smallest content: before normalising (fractions, additive morph) or after (logarithmic morph).
        target: What the sum over bins is scaled to after the morph; 0 if it is not scaled.
        padding: What bins beyond the channel's own add to that sum.
    """

    start: FloatArray
    linear: FloatArray
    rounded: FloatArray
    widths: FloatArray
    floor: float
    target: float
    padding: float = 0.0


def single_precision(values: FloatArray, *, exact: bool) -> FloatArray:
    """Return contents as Combine keeps them, rounded to IEEE single precision.

    Examples:
        >>> single_precision(np.array([0.1]), exact=False).item()
        0.10000000149011612
    """
    return values if exact else values.astype(np.float32).astype(np.float64)


def column_contents(item: ModelColumn, templates: Templates | None, longest: int, *, exact: bool) -> Contents:
    """Return the contents of a column.

    Args:
        item: The column.
        templates: Templates of its channel; `None` in a counting channel.
        longest: Number of bins of the longest channel with templates: Combine pads the others with empty bins.
        exact: Whether Combine's roundings, floors and padding are left out.
    """
    floor = 0.0 if exact else FLOOR
    if templates is None:
        return Contents(np.ones(1), np.empty((0, 1)), np.empty((0, 1)), np.empty(0), -np.inf, 0.0)
    nominal = single_precision(templates.values[item.template], exact=exact)
    rows = [morph.pair for morph in item.morphs]
    up = single_precision(templates.up[rows], exact=exact)
    down = single_precision(templates.down[rows], exact=exact)
    if item.machinery is Machinery.FRACTIONS:
        nominal, up, down = _normalised(nominal), _normalised(up), _normalised(down)
    elif item.settings is not None and item.settings.hist_mode == 1:
        up, down = (_rescaled(varied, nominal, exact=exact) for varied in (up, down))
    variations = _Variations(nominal, up, down, np.array([morph.strength for morph in item.morphs]))
    if item.logarithmic:
        return _logarithmic(item, variations, floor)
    return _additive(item, variations, floor, longest)


@dataclass(frozen=True)
class _Variations:
    """Rounded and normalised contents: `nominal[bin]`, `up[morph, bin]`, `down[morph, bin]`, and `strengths[morph]`."""

    nominal: FloatArray
    up: FloatArray
    down: FloatArray
    strengths: FloatArray

    @property
    def widths(self) -> FloatArray:
        """`widths[morph]`: the quadratic region, common to all morphs in θ times strength, in θ."""
        widths: FloatArray = min(1.0, self.strengths.min(initial=1.0)) / self.strengths
        return widths


def _additive(item: ModelColumn, variations: _Variations, floor: float, longest: int) -> Contents:
    nominal = variations.nominal
    half = 0.5 * variations.strengths[:, None]
    linear = half * (variations.up - variations.down)
    rounded = half * (variations.up + variations.down - 2.0 * nominal)
    start, padding, target = nominal, 0.0, 0.0
    if item.machinery is Machinery.FRACTIONS:
        target = 1.0
        if item.morphs and nominal.size < longest:
            start = np.maximum(nominal, floor)
        elif not item.morphs:
            padding = (longest - nominal.size) * floor
    return Contents(start, linear, rounded, variations.widths, floor, target, padding)


def _logarithmic(item: ModelColumn, variations: _Variations, floor: float) -> Contents:
    nominal = variations.nominal
    upper, lower = (_log_ratio(varied, nominal) for varied in (variations.up, variations.down))
    half = 0.5 * variations.strengths[:, None]
    positive = nominal > 0
    start = np.where(positive, np.log(np.where(positive, nominal, 1.0)), _LOG_OF_NOTHING)
    in_fractions = item.machinery is Machinery.FRACTIONS
    target = 1.0 if in_fractions else float(nominal.sum())
    cropped = -np.inf if in_fractions else floor
    return Contents(start, half * (upper - lower), half * (upper + lower), variations.widths, cropped, target)


def _log_ratio(varied: FloatArray, nominal: FloatArray) -> FloatArray:
    """ln(varied / nominal) where both are positive, else 0."""
    usable = (varied > 0) & (nominal > 0)
    ratio = np.divide(varied, nominal, out=np.ones_like(varied), where=usable)
    result: FloatArray = np.log(ratio)
    return result


def _normalised(contents: FloatArray) -> FloatArray:
    total = contents.sum(axis=-1, keepdims=True)
    result: FloatArray = contents / np.where(total > 0, total, 1.0)
    return result


def _rescaled(varied: FloatArray, nominal: FloatArray, *, exact: bool) -> FloatArray:
    """Variations with the nominal yield (hist_mode 1), so that only their shape differs."""
    total = varied.sum(axis=-1, keepdims=True)
    scale = np.where(total > 0, nominal.sum() / np.where(total > 0, total, 1.0), 1.0)
    return np.where(total > 0, single_precision(varied * scale, exact=exact), varied)
