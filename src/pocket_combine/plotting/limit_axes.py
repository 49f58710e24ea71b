"""What all figures of limits share: quantiles and colours of bands, the scale of limits, and what is predicted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from pocket_combine.errors import StyleError
from pocket_combine.plotting.legends import plain_ticks
from pocket_combine.plotting.limit_points import LimitPoints
from pocket_combine.plotting.style import Style
from pocket_combine.templates import FloatArray

__all__ = [
    "BANDS",
    "BAND_COLOURS",
    "CLASSIC_BAND_COLOURS",
    "MIDDLE",
    "PLAIN",
    "LimitOptions",
    "Prediction",
    "limit_title",
    "set_scale",
]

BAND_COLOURS = ("#607641", "#F5BB54")
"""Of the 68 % and the 95 % band: those that CMS recommends for readers with a colour vision deficiency (`cmsstyle`)."""
CLASSIC_BAND_COLOURS = ("#00CC00", "#FFCC00")
"""The older green and yellow of ROOT (`kGreen+1`, `kOrange`)."""

BANDS = ((1, 3, "68% expected"), (0, 4, "95% expected"))
"""Quantiles at the ends of bands, and their names."""
MIDDLE = 2
"""The quantile that is the median."""

_LOGARITHMIC_FROM = 5.0
"""Ratio of the largest limit to the smallest from which the axis is logarithmic."""
_FEW_DECADES = 2.0


@dataclass(frozen=True)
class LimitOptions:
    """How limits are drawn.

    Attributes:
        logarithmic: Whether limits are on a logarithmic axis; by default if the largest is five times the smallest.
        colours: Of the 68 % and the 95 % band.
    """

    logarithmic: bool | None = None
    colours: tuple[str, str] = BAND_COLOURS


PLAIN = LimitOptions()
"""What holds where nothing is wanted."""


@dataclass(frozen=True)
class Prediction:
    """A line beside limits.

    Attributes:
        values: Value by value of the parameter on the horizontal axis.
        label: Its name.
    """

    values: Mapping[float, float]
    label: str = "Prediction"


def limit_title(points: LimitPoints, style: Style) -> str:
    """Return what the axis of limits is called."""
    return f"{100 * points.confidence_level:.4g}% CL upper limit on {style.parameter(points.poi)}"


def set_scale(
    axes: Axes, which: Literal["x", "y"], values: FloatArray, logarithmic: bool | None, taken: float = 0.0
) -> None:
    """Choose the range of the axis of limits, and whether it is logarithmic.

    Args:
        axes: The axes.
        which: The axis.
        values: All that is drawn.
        logarithmic: Whether it is wanted; by default if numbers differ much.
        taken: Part of the axis at its end that is left free.
    """
    put_scale, set_range = (axes.set_xscale, axes.set_xlim) if which == "x" else (axes.set_yscale, axes.set_ylim)
    lowest, highest = (float(values.min()), float(values.max())) if values.size else (1.0, 1.0)
    if logarithmic and lowest <= 0:
        raise StyleError(f"a limit of {lowest:.4g} does not fit on a logarithmic axis")
    if logarithmic is None:
        logarithmic = lowest > 0 and highest > _LOGARITHMIC_FROM * lowest
    if not logarithmic:
        bottom = min(0.0, 1.1 * lowest)
        set_range(bottom, bottom + (max(1.1 * highest, 1e-300) - bottom) / (1.0 - taken))
        return
    put_scale("log")
    low, high = math.log10(lowest / 1.6), math.log10(highest * 1.4)
    high = low + (high - low) / (1.0 - taken)
    set_range(10.0**low, 10.0**high)
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_formatter(plain_ticks())
    between = (2, 5) if high - low < _FEW_DECADES else ()
    axis.set_minor_formatter(FuncFormatter(lambda value, _: _between_text(value, between)))


def _between_text(value: float, digits: Sequence[int]) -> str:
    """Return a label for ticks between powers of ten whose first digit is wanted."""
    digit = value / 10.0 ** math.floor(math.log10(value) + 1e-9)
    return f"{value:g}" if 1e-4 <= value < 1e4 and any(abs(digit - wanted) < 1e-6 for wanted in digits) else ""
