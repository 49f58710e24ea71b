"""How numbers, lists and the reach of parameters are put into words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pocket_combine.card.lexical import format_number
from pocket_combine.card.model import Card, Effect, ExternalArgument, Parameter, RateParameter
from pocket_combine.errors import counted
from pocket_combine.summary import scaled_columns

if TYPE_CHECKING:
    from pocket_combine.effects import ColumnEffect, NuisanceEffect

__all__ = [
    "cell_text",
    "counted",
    "error_text",
    "events",
    "free_parameters",
    "moved_shares",
    "percent",
    "reach",
    "rounded",
    "short_percent",
    "size",
    "some_of",
    "span",
]

_ROUNDING = 1e-9
"""What is left of a rounding error is no effect."""
_SINGLE_PRECISION = 2.0**-24


def events(number: float) -> str:
    """Return a number of events as text: whole, with one decimal, or with three significant digits below ten.

    A sum of whole numbers that were stored in single precision is whole.

    Examples:
        >>> [events(number) for number in (1250.0, 12345.678, 794.99998, 3.14159, 0.001234, 0.0, -2.5)]
        ['1,250', '12,345.7', '795', '3.14', '0.00123', '0', '-2.5']
    """
    if abs(number - round(number)) <= _SINGLE_PRECISION * abs(number):
        return f"{number:,.0f}"
    return f"{number:,.1f}" if abs(number) >= 10 else f"{number:.3g}"


def error_text(error: float) -> str:
    """Return an uncertainty of a number of events with three significant digits, or whole.

    Examples:
        >>> error_text(1250.4), error_text(12.345), error_text(0.0)
        ('1,250', '12.3', '0')
    """
    return f"{error:,.0f}" if abs(error) >= 100 else f"{error:.3g}"


def rounded(number: float, smallest: float) -> float:
    """Return 0 for a number that is 0 within what a fit can tell, so that neither noise nor its sign is shown.

    Examples:
        >>> rounded(-1e-9, 1e-6), rounded(0.5, 1e-6)
        (0.0, 0.5)
    """
    return 0.0 if abs(number) < smallest else float(number)


def percent(fraction: float) -> str:
    """Return a change as a percentage with two decimals; only no change at all is `0%`.

    Examples:
        >>> percent(0.025), percent(-0.1234567), percent(3e-6), percent(0.0)
        ('+2.50%', '-12.35%', '+0.00%', '0%')
    """
    return f"{100 * fraction:+.2f}%" if abs(fraction) > _ROUNDING else "0%"


def short_percent(fraction: float, *, sign: bool = True) -> str:
    """Return a fraction as a percentage with two significant digits, at most two decimals.

    Examples:
        >>> short_percent(0.025), short_percent(-0.1234567), short_percent(0.0075), short_percent(0.3, sign=False)
        ('+2.5%', '-12%', '+0.75%', '30%')
    """
    number = 100 * fraction
    if abs(fraction) <= _ROUNDING:
        return "0%"
    decimals = 0 if abs(number) >= 9.95 else 1 if abs(number) >= 0.995 else 2
    return f"{number:{'+' if sign else ''}.{decimals}f}%"


def span(fractions: Sequence[float]) -> str:
    """Return the smallest and the largest of some changes as percentages.

    Examples:
        >>> span([0.025, 0.025]), span([0.1, -0.2, 0.0]), span([])
        ('+2.5%', '-20% to +10%', '')
    """
    if not fractions:
        return ""
    ends = dict.fromkeys((short_percent(min(fractions)), short_percent(max(fractions))))
    return " to ".join(ends)


def size(number: float) -> str:
    """Return a number of standard deviations with two decimals.

    Examples:
        >>> size(9.955), size(0.0042), size(0.0)
        ('9.96', '<0.01', '0')
    """
    if number == 0:
        return "0"
    return f"{number:.2f}" if number >= 0.005 else "<0.01"


def some_of(names: Sequence[str], room: int) -> str:
    """Return as many names as fit, at least one, and the number of those left out.

    Examples:
        >>> some_of(["JES", "JER", "btag_hf"], 80), some_of(["JES", "JER", "btag_hf"], 16)
        ('JES, JER, btag_hf', 'JES, and 2 more')
    """
    for count in range(len(names), 0, -1):
        rest = len(names) - count
        text = ", ".join([*names[:count], *([f"and {rest} more"] if rest else [])])
        if len(text) <= room:
            return text
    return ", ".join([*names[:1], *([f"and {len(names) - 1} more"] if len(names) > 1 else [])])


def cell_text(effect: Effect) -> str:
    """Return a cell as it stands in a card.

    Examples:
        >>> cell_text(1.02), cell_text((0.9, 1.1)), cell_text(None)
        ('1.02', '0.9/1.1', '-')
    """
    if effect is None:
        return "-"
    return "/".join(map(format_number, effect)) if isinstance(effect, tuple) else format_number(effect)


def reach(effect: NuisanceEffect, columns: int) -> str:
    """Return on how much of a card a nuisance acts.

    Args:
        effect: The nuisance.
        columns: Number of columns that are in the model.
    """
    return _reach([(column.channel, column.process) for column in effect.columns], columns)


def _reach(places: Sequence[tuple[str, str]], columns: int) -> str:
    places = list(dict.fromkeys(places))
    if not places:
        return "nothing"
    if len(places) == columns and columns > 1:
        return f"all {columns} columns"
    channels = counted(len({channel for channel, _ in places}), "channel")
    processes = counted(len({process for _, process in places}), "process", "processes")
    return f"{processes}, {channels}"


def moved_shares(column: ColumnEffect) -> tuple[float, ...]:
    """Return the shares of events that change their bin, up and down; nothing where there are no templates."""
    return tuple(share for share in (column.moved_up, column.moved_down) if share is not None)


def free_parameters(card: Card) -> Iterator[tuple[str, str, str, str]]:
    """Yield name, type, value and reach of everything in a card that is neither a nuisance row nor a bin parameter."""
    for scaled in scaled_columns(card):
        yield scaled.parameter.name, "rateParam", _rate(scaled.parameter), _scaled(scaled.columns)
    for parameter in card.parameters:
        yield parameter.name, "param", _gaussian(parameter), _users(card, parameter.name)
    for argument in card.external_arguments:
        yield argument.name, "extArg", _external(argument), _users(card, argument.name)
    for name in card.flat_parameters:
        yield name, "flatParam", "", _users(card, name)
    for constraint in card.constraints:
        width = constraint.sigma if isinstance(constraint.sigma, str) else format_number(constraint.sigma)
        yield constraint.name, "constr", f"{constraint.formula} ± {width}", ", ".join(constraint.arguments)


def _rate(parameter: RateParameter) -> str:
    if parameter.formula is not None:
        return f"{parameter.formula} of {', '.join(parameter.arguments)}"
    return f"{format_number(1.0 if parameter.value is None else parameter.value)}{_range(parameter.range)}"


def _gaussian(parameter: Parameter) -> str:
    sigma = parameter.sigma
    width = f"-{sigma[0]:g}/+{sigma[1]:g}" if isinstance(sigma, tuple) else f"± {format_number(sigma)}"
    return f"{format_number(parameter.mean)} {width}{_range(parameter.range)}"


def _external(argument: ExternalArgument) -> str:
    return f"{format_number(argument.value)}{' constant' if argument.constant else _range(argument.range)}"


def _range(limits: tuple[float, float] | None) -> str:
    return "" if limits is None else " in [{}, {}]".format(*map(format_number, limits))


def _scaled(columns: Sequence[tuple[str, str]]) -> str:
    processes = list(dict.fromkeys(process for _, process in columns))
    channels = list(dict.fromkeys(channel for channel, _ in columns))
    if not columns:
        return "nothing"
    first = processes[0] if len(processes) == 1 else counted(len(processes), "process", "processes")
    return f"{first} in {channels[0] if len(channels) == 1 else counted(len(channels), 'channel')}"


def _users(card: Card, name: str) -> str:
    """Return the names of the formulas that use a parameter."""
    users = [line.name for line in card.rate_parameters if name in line.arguments]
    users += [line.name for line in card.constraints if name in (*line.arguments, line.sigma)]
    return ", ".join(dict.fromkeys(users))
