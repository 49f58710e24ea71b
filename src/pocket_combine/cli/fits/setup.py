"""What all fitting commands share: cards, data, parameters, and where the result goes."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from pocket_combine.card.combination import combine_cards, labelled
from pocket_combine.card.load import LoadedCard, load_templates
from pocket_combine.cli.cards.reading import Reading, pairs, reading_options
from pocket_combine.cli.console import ExitCode, activity, diagnostics, products
from pocket_combine.inference.fitter import FitOptions
from pocket_combine.inference.workspace import Blinding, make_workspace
from pocket_combine.io.atomic import atomic_write
from pocket_combine.results import Result, Status

__all__ = ["cards_argument", "finish", "fitting_options", "load_cards", "model_options", "show_notes"]

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _numbers(_: click.Context, parameter: click.Parameter, words: Sequence[str]) -> dict[str, float]:
    result = {}
    for name, value in pairs(_, parameter, words).items():
        try:
            result[name] = float(value)
        except ValueError as error:
            raise click.BadParameter(f"{name}={value!r} is no number") from error
    return result


def _ranges(_: click.Context, parameter: click.Parameter, words: Sequence[str]) -> dict[str, tuple[float, float]]:
    result = {}
    for name, text in pairs(_, parameter, words).items():
        try:
            low, high = (float(part) for part in text.split(","))
        except ValueError as error:
            raise click.BadParameter(f"{name}={text!r}, expected {name}=LOW,HIGH") from error
        result[name] = (low, high)
    return result


_MAP = re.compile(r"((?:\(\?:|[^:])+):(.+)", re.DOTALL)
"""Pattern and expression: the first colon divides them, as in Combine, unless it belongs to `(?:`."""


def _map(_: click.Context, __: click.Parameter, words: Sequence[str]) -> dict[str, str]:
    result = {}
    for word in words:
        option, equals, rest = word.partition("=")
        if equals and option == "map":
            raise click.BadParameter(f"{word!r}: leave 'map=' out and write {rest!r}")
        if equals and option == "turnoff":
            raise click.BadParameter(f"{word!r} is not supported: write '.*/({rest.replace(',', '|')})$:0'")
        found = _MAP.fullmatch(word)
        if found is None:
            raise click.BadParameter(f"{word!r}, expected PATTERN:EXPRESSION, for example '.*/ttH:r[1,0,20]'")
        pattern, expression = found.groups()
        if pattern in result:
            raise click.BadParameter(f"the pattern {pattern!r} stands twice")
        result[pattern] = expression
    return result


_DATA_OPTIONS = (
    click.option("--unblind", is_flag=True, help="Fit the observation. Without, nothing depends on it."),
    click.option(
        "--frequentist",
        is_flag=True,
        help="Asimov data after a fit to the observation (--toysFrequentist of Combine); needs --unblind.",
    ),
    click.option("--expect-signal", type=float, metavar="R", help="Signal strength of Asimov data; 1 by default."),
)

_MODEL_OPTIONS = (
    click.option(
        "--map",
        "scaling",
        multiple=True,
        callback=_map,
        metavar="PATTERN:EXPRESSION",
        help="What scales processes, as multiSignalModel of Combine; may be repeated.",
    ),
    click.option(
        "--set",
        "values",
        multiple=True,
        callback=_numbers,
        metavar="NAME=VALUE",
        help="Start value of a parameter, which frozen ones keep; may be repeated.",
    ),
    click.option("--freeze", multiple=True, metavar="NAME", help="Hold a parameter constant; may be repeated."),
    click.option("--freeze-group", "freeze_groups", multiple=True, metavar="GROUP", help="Hold a group constant."),
    click.option("--mask", "masks", multiple=True, metavar="CHANNEL", help="Leave a channel out; may be repeated."),
    click.option(
        "--range",
        "ranges",
        multiple=True,
        callback=_ranges,
        metavar="NAME=LOW,HIGH",
        help="Range of a parameter; may be repeated.",
    ),
    click.option("--starts", type=click.IntRange(min=1), default=1, show_default=True, help="Starting points of fits."),
    click.option("--exact", is_flag=True, help="Leave Combine's roundings out."),
)

_OUTPUT_OPTION = click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the result as JSON.",
)


def cards_argument(function: _Function) -> _Function:
    """Give a command the argument `cards`, one or several."""
    decorated: _Function = click.argument("cards", metavar="CARD...", nargs=-1, required=True)(function)
    return decorated


def model_options(function: _Function) -> _Function:
    """Give a command what makes a model of a card; its function gets `reading` and `settings`.

    The settings are the arguments of `make_workspace` that do not speak of data.
    """

    @functools.wraps(function)
    def with_settings(
        *arguments: Any,
        reading: Reading,
        scaling: Mapping[str, str],
        values: Mapping[str, float],
        freeze: tuple[str, ...],
        freeze_groups: tuple[str, ...],
        masks: tuple[str, ...],
        ranges: Mapping[str, tuple[float, float]],
        starts: int,
        exact: bool,
        **options: Any,
    ) -> Any:
        settings = {
            "pois": scaling or None,
            "values": values,
            "freeze": freeze,
            "freeze_groups": freeze_groups,
            "masks": masks,
            "ranges": ranges,
            "options": FitOptions(starts=starts),
            "mass": reading.mass,
            "exact": exact,
        }
        return function(*arguments, reading=reading, settings=settings, **options)

    result: _Function = _decorated(reading_options(with_settings), _MODEL_OPTIONS)
    return result


def fitting_options(function: _Function) -> _Function:
    """Give a command everything about cards and data; its function gets a `workspace` and the `output` file."""

    @functools.wraps(function)
    def with_workspace(
        *arguments: Any,
        cards: tuple[str, ...],
        reading: Reading,
        settings: Mapping[str, Any],
        unblind: bool,
        frequentist: bool,
        expect_signal: float | None,
        **options: Any,
    ) -> Any:
        if frequentist and not unblind:
            raise click.UsageError("--frequentist data come from a fit to the observation: add --unblind")
        kind = Blinding.ASIMOV
        if unblind:
            kind = Blinding.FREQUENTIST_ASIMOV if frequentist else Blinding.OBSERVED
        expected = 1.0 if expect_signal is None and kind is not Blinding.OBSERVED else expect_signal
        with activity("Reading cards"):
            loaded = load_cards(cards, reading)
            workspace = make_workspace(loaded.card, loaded.templates, kind=kind, expect_signal=expected, **settings)
        return function(*arguments, workspace=workspace, **options)

    result: _Function = cards_argument(_decorated(model_options(_OUTPUT_OPTION(with_workspace)), _DATA_OPTIONS))
    return result


def _decorated(command: Any, options: Sequence[Callable[[Any], Any]]) -> Any:
    """Return a command with options, the first of them outermost."""
    for option in reversed(options):
        command = option(command)
    return command


def load_cards(cards: Sequence[str], reading: Reading) -> LoadedCard:
    """Return one card with its templates, or the combination of several."""
    if len(cards) == 1 and "=" not in cards[0]:
        return reading.load(cards[0])
    card = combine_cards(dict(labelled(cards)))
    loaded = load_templates(card, mass=reading.mass, keywords=reading.keywords)
    return LoadedCard(card, loaded.templates, loaded.findings, " ".join(cards))


def show_notes(result: Result) -> None:
    """Show what data were used, and what was remarked on the way."""
    console = products()
    data = {
        Blinding.ASIMOV.value: "Asimov data, blind: nothing here depends on the observation (--unblind fits it)",
        Blinding.FREQUENTIST_ASIMOV.value: "Asimov data after a fit to the observation",
        Blinding.OBSERVED.value: "the observation",
    }[result.provenance.data]
    console.print(f"Data: {data}", style="dim")
    for note in result.provenance.options.get("notes", ()):
        console.print(f"Note: {note}", style="yellow")


def finish(result: Result, output: Path | None, status: Status) -> ExitCode:
    """Write the result where it is wanted, and return the exit code that its status deserves."""
    if output is not None:
        with atomic_write(output) as file:
            file.write(result.to_json().encode())
    if status.usable:
        return ExitCode.CLEAN
    diagnostics().print(f"Status: {status.value}: {status.advice}", style="bold red")
    return ExitCode.FINDINGS
