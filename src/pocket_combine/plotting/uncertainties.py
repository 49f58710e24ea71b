"""Numbers as text, for figures, tables and the report: how many digits they have and which sign.

An uncertainty has two significant digits, the smaller one of two, and its value ends at the same digit. A percentage
without an uncertainty has two significant digits. Texts here are in ASCII, for tables and files; `typographic` sets the
minus sign of figures, and mathematics (`asymmetric`) has its own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from pocket_combine.results import Interval, Status

__all__ = [
    "asymmetric",
    "decimals",
    "exponents",
    "figure_number",
    "fixed",
    "interval_decimals",
    "interval_text",
    "percent",
    "plain_asymmetric",
    "signed",
    "symmetric",
    "typographic",
]

_SIGNIFICANT = 2
_MOST_DECIMALS = 6
_LARGEST = 1e9
_KNOWN_ENDS = (Status.CONVERGED, Status.AT_BOUNDARY)
_NO_CHANGE = 5e-6
"""Relative changes below this are rounding of sums of events."""


def decimals(uncertainties: Iterable[float]) -> int:
    """Return how many decimals show the smallest of some uncertainties with two significant digits.

    Zeros and what is not finite do not count; 2 where nothing is left. The number is negative where digits before the
    point are rounded.

    Examples:
        >>> decimals([0.21, 0.19]), decimals([12.0, 0.0]), decimals([0.096]), decimals([1234.0]), decimals([math.nan])
        (2, 0, 3, -2, 2)
    """
    usable = [abs(number) for number in uncertainties if math.isfinite(number) and number]
    if not usable:
        return 2
    # 0.0996 is shown as 0.10, with the decimals of the rounded number.
    exponent = int(f"{min(usable):.{_SIGNIFICANT - 1}e}".partition("e")[2])
    return min(_SIGNIFICANT - 1 - exponent, _MOST_DECIMALS)


def fixed(number: float, places: int) -> str:
    """Return a number with so many decimals, or rounded before the point; zero has no sign.

    Examples:
        >>> fixed(123.456, 1), fixed(98765.0, -2), fixed(-0.001, 2), fixed(math.nan, 2), fixed(3e-9, 6)
        ('123.5', '98800', '0.00', '?', '3e-09')
    """
    if not math.isfinite(number):
        return "?" if math.isnan(number) else str(number)
    too_small = places >= _MOST_DECIMALS and 0.0 < abs(number) < 10.0**-_MOST_DECIMALS
    if abs(number) >= _LARGEST or too_small:
        return f"{number:.3g}"
    text = f"{round(number, places):.{max(places, 0)}f}"
    return text if float(text) else text.lstrip("-")


def signed(number: float, places: int) -> str:
    """Return the same with its sign; zero has none.

    Examples:
        >>> signed(0.123, 2), signed(-0.001, 2), signed(math.nan, 2)
        ('+0.12', '0.00', '?')
    """
    text = fixed(number, places)
    return f"+{text}" if number > 0 and text.strip("0.") else text


def percent(change: float) -> str:
    """Return a relative change in percent with its sign, and with two significant digits.

    Examples:
        >>> [percent(change) for change in (0.0321, -0.0012, 1.5, 0.0996, 1e-16)]
        ['+3.2%', '-0.12%', '+150%', '+10%', '0%']
    """
    if abs(change) < _NO_CHANGE:
        return "0%"
    return f"{signed(100.0 * change, max(decimals([100.0 * change]), 0))}%"


def symmetric(value: float, error: float) -> tuple[str, str]:
    """Return a value and its uncertainty.

    Examples:
        >>> symmetric(123.456, 0.827), symmetric(98765, 1234)
        (('123.46', '0.83'), ('98800', '1200'))
    """
    places = decimals([error])
    return fixed(value, places), fixed(error, places)


def typographic(text: str) -> str:
    """Return a text with numbers for a figure: hyphens before digits are minus signs; names keep theirs.

    Examples:
        >>> typographic("-1.5"), typographic("[-2, 3e-05]"), typographic("W-1 jet")
        ('−1.5', '[−2, 3e−05]', 'W-1 jet')
    """
    return re.sub(r"(?<![^\W\d])-(?=\d|inf)|(?<=\de)-(?=\d)", "\N{MINUS SIGN}", text)


def figure_number(value: float) -> str:
    r"""Return a number beside an axis of a figure: as short as it can be, with powers of ten written out.

    Examples:
        >>> figure_number(-0.5), figure_number(0.0), figure_number(2.5e-5)
        ('−0.5', '0', '$2.5\\times10^{-5}$')
    """
    if value == 0:
        return "0"
    if 1e-3 <= abs(value) < 1e5:
        return typographic(f"{value:g}")
    mantissa, exponent = f"{value:.4e}".split("e")
    return rf"${float(mantissa):g}\times10^{{{int(exponent)}}}$"


def _mathematics(number: float, places: int) -> str:
    text = fixed(number, places).replace("inf", r"\infty")
    mantissa, power, exponent = text.partition("e")
    return rf"{mantissa}\times10^{{{int(exponent)}}}" if power else text


def asymmetric(value: float, below: float, above: float, places: int | None = None) -> str:
    """Return a value with its uncertainties as mathematics; an uncertainty that is not a number is left out.

    Args:
        value: The value.
        below: Lower uncertainty, positive.
        above: Upper uncertainty, positive.
        places: Number of decimals; those of the smaller uncertainty by default.

    Examples:
        >>> asymmetric(1.0531, 0.19, 0.21)
        '$1.05^{+0.21}_{-0.19}$'
        >>> asymmetric(0.985, math.nan, 1.42)
        '$1.0^{+1.4}$'
    """
    places = decimals((below, above)) if places is None else places
    return f"${_mathematics(value, places)}{exponents(below, above, places)}$"


def exponents(below: float, above: float, places: int) -> str:
    """Return a superscript and a subscript for mathematics, without the `$`."""
    upper = "" if math.isnan(above) else f"^{{+{_mathematics(above, places)}}}"
    lower = "" if math.isnan(below) else f"_{{-{_mathematics(below, places)}}}"
    return upper + lower


def plain_asymmetric(value: float, below: float, above: float, places: int | None = None) -> str:
    """Return the same in letters of a table.

    Examples:
        >>> plain_asymmetric(1.0531, 0.19, 0.21)
        '1.05 +0.21 -0.19'
    """
    places = decimals((below, above)) if places is None else places
    parts = [f"{sign}{fixed(size, places)}" for sign, size in (("+", above), ("-", below)) if not math.isnan(size)]
    return " ".join([fixed(value, places), *parts])


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
        interval_decimals(interval),
    )
    problems = [f"{side} end: {status.value}" for side, status in _ends(interval) if not found[side]]
    return f"{text} ({', '.join(problems)})" if problems else text


def interval_decimals(interval: Interval) -> int:
    """Return how many decimals show an interval; the way to an edge of the range counts, though it is no uncertainty.

    Examples:
        >>> interval_decimals(Interval("r", 1.0, 0.0, 110.2, 0.5, low_status=Status.AT_BOUNDARY))
        1
    """
    sizes = {"lower": interval.best - interval.low, "upper": interval.high - interval.best}
    return decimals(sizes[side] for side, status in _ends(interval) if status in _KNOWN_ENDS)


def _ends(interval: Interval) -> tuple[tuple[str, Status], tuple[str, Status]]:
    return ("lower", interval.low_status), ("upper", interval.high_status)
