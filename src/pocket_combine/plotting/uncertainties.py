"""Numbers with uncertainties as text, for figures and tables."""

from __future__ import annotations

import math
from collections.abc import Iterable

from pocket_combine.results import Interval, Status

__all__ = ["asymmetric", "decimals", "interval_text", "plain_asymmetric", "signed"]

_SIGNIFICANT = 2
_MOST_DECIMALS = 6
_LARGEST = 1e6


def decimals(uncertainties: Iterable[float]) -> int:
    """Return how many decimals show the smallest of some uncertainties with two significant digits.

    Zeros and what is not finite do not count; 2 where nothing is left.

    Examples:
        >>> decimals([0.21, 0.19]), decimals([12.0, 0.0]), decimals([0.096]), decimals([math.nan])
        (2, 0, 3, 2)
    """
    usable = [abs(number) for number in uncertainties if math.isfinite(number) and number]
    if not usable:
        return 2
    # 0.0996 is shown as 0.10, with the decimals of the rounded number.
    exponent = int(f"{min(usable):.{_SIGNIFICANT - 1}e}".partition("e")[2])
    return min(max(_SIGNIFICANT - 1 - exponent, 0), _MOST_DECIMALS)


def signed(number: float, places: int) -> str:
    """Return a number with its sign; zero has none.

    Examples:
        >>> signed(0.123, 2), signed(-0.001, 2), signed(math.nan, 2)
        ('+0.12', '0.00', '?')
    """
    if not math.isfinite(number):
        return "?" if math.isnan(number) else "+inf" if number > 0 else "-inf"
    text = f"{number:+.{places}f}"
    return text[1:] if not float(text) else text


def _number(number: float, places: int) -> str:
    if not math.isfinite(number):
        return "?" if math.isnan(number) else r"\infty"
    if abs(number) >= _LARGEST or 0 < abs(number) < 10.0**-_MOST_DECIMALS:
        return f"{number:.3g}"
    text = f"{number:.{places}f}"
    return text.lstrip("-") if not float(text) else text


def asymmetric(value: float, below: float, above: float) -> str:
    """Return a value with its uncertainties as mathematics; an uncertainty that is not a number is left out.

    Args:
        value: The value.
        below: Lower uncertainty, positive.
        above: Upper uncertainty, positive.

    Examples:
        >>> asymmetric(1.0531, 0.19, 0.21)
        '$1.05^{+0.21}_{-0.19}$'
        >>> asymmetric(0.985, math.nan, 1.42)
        '$1.0^{+1.4}$'
    """
    places = decimals((below, above))
    return f"${_number(value, places)}{exponents(below, above, places)}$"


def exponents(below: float, above: float, places: int) -> str:
    """Return a superscript and a subscript for mathematics, without the `$`."""
    upper = "" if math.isnan(above) else f"^{{+{_number(above, places)}}}"
    lower = "" if math.isnan(below) else f"_{{-{_number(below, places)}}}"
    return upper + lower


def plain_asymmetric(value: float, below: float, above: float) -> str:
    """Return the same in letters of a table.

    Examples:
        >>> plain_asymmetric(1.0531, 0.19, 0.21)
        '1.05 +0.21 -0.19'
    """
    places = decimals((below, above))
    parts = [_number(value, places)]
    parts += [f"{sign}{_number(size, places)}" for sign, size in (("+", above), ("-", below)) if not math.isnan(size)]
    return " ".join(parts).replace(r"\infty", "inf")


def interval_text(interval: Interval) -> str:
    r"""Return an interval as mathematics, with what stopped an end that is none.

    Examples:
        >>> interval_text(Interval("r", 1.05, 0.86, 1.26, 0.5))
        '$1.05^{+0.21}_{-0.19}$'
        >>> print(interval_text(Interval("r", 0.4, 0.0, 1.1, 0.5, low_status=Status.AT_BOUNDARY)))
        $0.40^{+0.70}$ (lower end: at boundary)
    """
    found = {side: status is Status.CONVERGED for side, status in _ends(interval)}
    text = asymmetric(
        interval.best,
        interval.best - interval.low if found["lower"] else math.nan,
        interval.high - interval.best if found["upper"] else math.nan,
    )
    problems = [f"{side} end: {status.value}" for side, status in _ends(interval) if not found[side]]
    return f"{text} ({', '.join(problems)})" if problems else text


def _ends(interval: Interval) -> tuple[tuple[str, Status], tuple[str, Status]]:
    return ("lower", interval.low_status), ("upper", interval.high_status)
