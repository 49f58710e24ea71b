"""Numbers and words as they stand in a card: the one place that prints and reads them."""

from __future__ import annotations

import math
import re

__all__ = ["format_number", "read_number", "read_integer", "read_range", "word_problem", "BEGINS_WITH_DIGIT"]

BEGINS_WITH_DIGIT = re.compile(r"[0-9]")

_EXACT_INTEGERS = 2.0**53


def format_number(value: float) -> str:
    """Return the shortest text that reads back as exactly this number.

    Raises:
        ValueError: If the number is not finite.

    Examples:
        >>> [format_number(value) for value in (-1, 25.0, 0.1, 1e-7, 6.02e23)]
        ['-1', '25', '0.1', '1e-07', '6.02e+23']
    """
    value = float(value)
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a finite number")
    if value.is_integer() and abs(value) < _EXACT_INTEGERS:
        return str(int(value))
    return repr(value)


def read_number(word: str) -> float:
    """Return the number that a word of a card stands for.

    Raises:
        ValueError: If it is no number, or not a finite one; the message quotes the word.

    Examples:
        >>> read_number("1e-3")
        0.001
        >>> read_number("1,5")
        Traceback (most recent call last):
        ValueError: '1,5' is not a number (the decimal sign is a point)
    """
    try:
        value = float(word)
    except ValueError:
        hint = " (the decimal sign is a point)" if re.fullmatch(r"[+-]?\d+,\d+", word) else ""
        raise ValueError(f"{shown(word)} is not a number{hint}") from None
    if not math.isfinite(value):
        raise ValueError(f"{shown(word)} is not a finite number")
    return value


def read_integer(word: str) -> int:
    """Return the integer that a word of a card stands for.

    Raises:
        ValueError: If it is no integer, or longer than 18 digits; the message quotes the word.
    """
    if len(word) > 19:
        raise ValueError(f"{shown(word)} is not an integer of at most 18 digits")
    try:
        return int(word)
    except ValueError:
        raise ValueError(f"{shown(word)} is not an integer") from None


def read_range(word: str) -> tuple[float, float]:
    """Return the two ends of a range `[low,high]`.

    Raises:
        ValueError: If it is no range, or the low end is not below the high one.

    Examples:
        >>> read_range("[0,5]")
        (0.0, 5.0)
    """
    if not (word.startswith("[") and word.endswith("]")):
        raise ValueError(f"{shown(word)} is not a range of the form [low,high]")
    ends = word[1:-1].split(",")
    if len(ends) != 2:
        raise ValueError(f"{shown(word)} is not a range of the form [low,high]")
    low, high = read_number(ends[0]), read_number(ends[1])
    if not low < high:
        raise ValueError(f"the range {shown(word)} is empty: its low end is not below its high end")
    return low, high


def shown(text: str, length: int = 60) -> str:
    """Return a piece of the input as it may stand in a message: quoted, and cut where it is long.

    Examples:
        >>> shown("a" * 100, 8)
        "'aaaaaaaa…'"
    """
    return repr(text) if len(text) <= length else repr(text[:length] + "…")


def word_problem(what: str, word: str) -> str | None:
    """Return why a word cannot be written into a card, or `None`.

    Combine splits lines at blanks, cuts them at `#` and takes a word of dashes for a zero.

    Examples:
        >>> word_problem("process", "tt bar")
        "process 'tt bar' holds a blank, which splits a word of the card in two"
        >>> word_problem("process", "ttbar") is None
        True
    """
    if not word:
        return f"{what} is empty"
    if len(word.split()) != 1 or word != word.strip():
        return f"{what} {shown(word)} holds a blank, which splits a word of the card in two"
    if not word.isprintable():
        return f"{what} {shown(word)} holds a character that cannot be printed"
    if "#" in word:
        return f"{what} {shown(word)} holds '#', which begins a comment"
    if not word.strip("-"):
        return f"{what} {shown(word)} consists of dashes, which stand for a zero"
    return None
