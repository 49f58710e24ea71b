"""How all commands of the group read cards: their arguments, and what Combine's options of the same name mean."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from pocket_combine.card.load import LoadedCard, complete
from pocket_combine.card.options import CardOptions
from pocket_combine.card.parser import ParsedCard, read_card_with_findings
from pocket_combine.cli.command import with_options
from pocket_combine.errors import CardError
from pocket_combine.io.paths import why_unreadable

__all__ = [
    "Reading",
    "allowing_options",
    "card_argument",
    "card_options",
    "keyword_option",
    "lines_of",
    "mass_option",
    "numbers",
    "pairs",
    "patterns_by_name",
    "poi_option",
    "reading_options",
]

_Function = TypeVar("_Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Reading:
    """What the command line says about reading cards.

    Attributes:
        mass: What `$MASS` stands for.
        keywords: What further words stand for.
        options: What is accepted in a card.
    """

    mass: float | None
    keywords: Mapping[str, str]
    options: CardOptions

    def load(self, path: str) -> LoadedCard:
        """Return a card with its templates; `-` is standard input, whose files are looked for in the current folder.

        Raises:
            CardError: As `load_card`.
        """
        return self.complete(self.parse(path), path)

    def parse(self, path: str) -> ParsedCard:
        """Return a card without its templates.

        Raises:
            CardError: As `read_card`.
        """
        return read_card_with_findings(path, options=self.options)

    def complete(self, parsed: ParsedCard, path: str) -> LoadedCard:
        """Return a card from `parse` with its templates.

        Raises:
            CardError: As `load_templates`.
        """
        return complete(parsed, directory=Path(path).parent, mass=self.mass, keywords=self.keywords)


def pairs(_: click.Context, parameter: click.Parameter, words: Sequence[str]) -> dict[str, str]:
    """Return `A=B` words as a dictionary, for options that are given several times.

    Raises:
        click.BadParameter: If a word has no `=`, or a name comes twice.
    """
    result: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not (name and equals and value):
            raise click.BadParameter(f"{word!r}, expected {parameter.metavar}")
        if name in result:
            raise click.BadParameter(f"{name!r} is given twice")
        result[name] = value
    return result


def numbers(context: click.Context, parameter: click.Parameter, words: Sequence[str]) -> dict[str, float]:
    """Return `A=NUMBER` words as a dictionary, for options that are given several times.

    Raises:
        click.BadParameter: As `pairs`, or if the second part is no number.
    """
    result = {}
    for name, word in pairs(context, parameter, words).items():
        try:
            result[name] = float(word)
        except ValueError:
            raise click.BadParameter(f"{word!r} is not a number") from None
    return result


def patterns_by_name(_: click.Context, parameter: click.Parameter, words: Sequence[str]) -> dict[str, list[str]]:
    """Return `NAME=PATTERN` words as patterns by name, which may be given several times.

    Raises:
        click.BadParameter: If a word has no `=`.
    """
    result: dict[str, list[str]] = {}
    for word in words:
        name, equals, pattern = word.partition("=")
        if not (name and equals and pattern):
            raise click.BadParameter(f"{word!r}, expected {parameter.metavar}")
        result.setdefault(name, []).append(pattern)
    return result


card_argument = click.argument("card", metavar="CARD")
"""A card; `-` for standard input."""


poi_option = click.option(
    "--poi",
    "pois",
    multiple=True,
    metavar="NAME",
    help="Parameter of the physics model that formulas use; r by default. May be repeated.",
)
"""The function gets `pois`, which is empty where the default holds."""

keyword_option = click.option(
    "--keyword-value",
    "keywords",
    multiple=True,
    callback=pairs,
    metavar="WORD=VALUE",
    help="What $WORD stands for, as in Combine; may be repeated.",
)
"""The function gets `keywords`, a dictionary."""

mass_option = click.option("-m", "--mass", type=float, metavar="MASS", help="What $MASS stands for, as in Combine.")
"""The function gets `mass`, `None` without the option."""


def lines_of(path: Path | None) -> list[str]:
    """Return the lines of a text file; none where there is no file.

    Raises:
        CardError: If the file cannot be read.
    """
    if path is None:
        return []
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CardError(f"{path}: {why_unreadable(path, error)}") from error


def card_options(function: _Function) -> _Function:
    """Give a command the options for what is accepted in cards; its function gets them as `accepted`."""

    @functools.wraps(function)
    def with_accepted(
        *arguments: Any, pois: tuple[str, ...], allow_no_signal: bool, allow_no_background: bool, **options: Any
    ) -> Any:
        accepted = CardOptions(pois or CardOptions().pois, allow_no_signal, allow_no_background)
        return function(*arguments, accepted=accepted, **options)

    result: _Function = with_options(allowing_options(with_accepted), [poi_option])
    return result


def allowing_options(function: _Function) -> _Function:
    """Give a command `allow_no_signal` and `allow_no_background`."""
    result: _Function = with_options(
        function,
        [
            click.option("--X-allow-no-signal", "allow_no_signal", is_flag=True, help="Accept cards without a signal."),
            click.option(
                "--X-allow-no-background",
                "allow_no_background",
                is_flag=True,
                help="Accept channels without a background.",
            ),
        ],
    )
    return result


def reading_options(function: _Function) -> _Function:
    """Give a command the options for reading cards with templates; its function gets them as `reading`."""

    @functools.wraps(function)
    def with_reading(
        *arguments: Any, mass: float | None, keywords: dict[str, str], accepted: CardOptions, **options: Any
    ) -> Any:
        return function(*arguments, reading=Reading(mass, keywords, accepted), **options)

    result: _Function = with_options(card_options(with_reading), [mass_option, keyword_option])
    return result
