"""What toys say about a fit: means, widths and their statistical errors."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pocket_combine.plotting.uncertainties import symmetric, typographic
from pocket_combine.results import ToyResult
from pocket_combine.templates import FloatArray

__all__ = ["Moments", "bias_of", "bin_edges", "p_value_text", "p_value_words"]

_FEWEST_BINS, _MOST_BINS = 8, 60


@dataclass(frozen=True)
class Moments:
    """Mean and width of numbers, with statistical errors; not a number where there are too few.

    Attributes:
        count: How many numbers.
        mean: Their mean.
        mean_error: Width / √count.
        width: Their standard deviation, with count - 1 in the denominator.
        width_error: Width / √(2 (count - 1)), that of Gaussian numbers.
    """

    count: int
    mean: float
    mean_error: float
    width: float
    width_error: float

    @classmethod
    def of(cls, values: FloatArray) -> Moments:
        """Return the moments of those numbers that are finite.

        Examples:
            >>> found = Moments.of(np.array([1.0, 2.0, 3.0, np.nan]))
            >>> found.count, found.mean, found.width, found.width_error
            (3, 2.0, 1.0, 0.5)
        """
        used = values[np.isfinite(values)]
        count = int(used.size)
        mean = float(used.mean()) if count else math.nan
        width = float(used.std(ddof=1)) if count > 1 else math.nan
        return cls(count, mean, width / math.sqrt(max(count, 1)), width, width / math.sqrt(2 * max(count - 1, 1)))

    def texts(self) -> tuple[str, str]:
        """Return mean and width with errors, two digits of these.

        Examples:
            >>> Moments(300, -0.16612, 0.0562, 0.9741, 0.0398).texts()
            ('mean −0.166 ± 0.056', 'width 0.974 ± 0.040')
        """
        return (
            f"mean {_with_error(self.mean, self.mean_error)}",
            f"width {_with_error(self.width, self.width_error)}",
        )


def _with_error(value: float, error: float) -> str:
    return typographic(" ± ".join(symmetric(value, error)))


def bias_of(results: tuple[ToyResult, ...]) -> tuple[FloatArray, tuple[Moments, ...]]:
    """Return the injected values, increasing, and the moments of the pulls at each."""
    ordered = sorted(results, key=lambda result: result.injected)
    return (
        np.array([result.injected for result in ordered], dtype=np.float64),
        tuple(Moments.of(result.pulls) for result in ordered),
    )


def bin_edges(values: FloatArray, *more: float) -> FloatArray:
    """Return edges of bins for finite numbers, as wide as Freedman and Diaconis advise.

    Args:
        values: The numbers.
        more: Numbers that shall lie in the range too, without making bins narrower.

    Examples:
        >>> bin_edges(np.arange(9.0)).tolist()
        [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]
    """
    used = values[np.isfinite(values)]
    if not used.size:
        used = np.array([*more, 0.0])[:1]
    low, high = float(used.min()), float(used.max())
    spread = high - low
    if spread <= 1e-9 * max(abs(low), abs(high), 1e-300):  # all numbers are the same
        half = 0.5 * abs(low) or 0.5
        low, high, spread = low - half, low + half, 2 * half
    quarter, threequarters = np.quantile(used, (0.25, 0.75))
    width = 2.0 * float(threequarters - quarter) / used.size ** (1 / 3)
    bins = int(np.clip(np.ceil(spread / width) if width > 0 else _FEWEST_BINS, _FEWEST_BINS, _MOST_BINS))
    result: FloatArray = np.linspace(low, high, bins + 1)
    return result


def p_value_words(p_value: float, toys: int) -> str:
    """Return a fraction of toys with its binomial error; where no toy is as large, one toy is the bound.

    Examples:
        >>> p_value_words(0.4, 200), p_value_words(0.0, 500), p_value_words(1.0, 500)
        ('0.400 ± 0.035', '< 0.002 (none of 500 toys)', '1')
    """
    if toys == 0:
        return f"{p_value:.3g}"
    if p_value <= 0:
        return f"< {1 / toys:.3g} (none of {toys} toys)"
    error = math.sqrt(p_value * (1 - p_value) / toys)
    return " ± ".join(symmetric(p_value, error)) if error else f"{p_value:.3g}"


def p_value_text(p_value: float, toys: int) -> str:
    """Return the same with the letter of the p-value.

    Examples:
        >>> p_value_text(0.4, 200), p_value_text(0.0, 500)
        ('p = 0.400 ± 0.035', 'p < 0.002 (none of 500 toys)')
    """
    words = p_value_words(p_value, toys)
    return f"p {words}" if words.startswith("<") else f"p = {words}"
