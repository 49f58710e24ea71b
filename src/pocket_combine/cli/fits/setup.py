"""What all fitting commands share: cards, data, parameters, and where the result goes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console

from pocket_combine.card.combination import combine_cards
from pocket_combine.card.labels import labelled
from pocket_combine.card.load import LoadedCard, load_templates
from pocket_combine.card.options import CardOptions
from pocket_combine.cli.cards.reading import Reading, allowing_options, keyword_option, mass_option
from pocket_combine.cli.command import with_options
from pocket_combine.cli.console import ExitCode, activity, diagnostics, products
from pocket_combine.cli.fits.values import maps, names, ranges, values
from pocket_combine.cli.new_files import NEW_FILE
from pocket_combine.inference.fitter import FitOptions
from pocket_combine.inference.workspace import Blinding, make_workspace
from pocket_combine.io.result_files import write_result
from pocket_combine.likelihood.poi import signal_strengths
from pocket_combine.results import Result, Status

__all__ = [
    "cards_argument",
    "distance_text",
    "finish",
    "fitting_options",
    "introduce",
    "load_cards",
    "model_options",
    "save",
    "show_notes",
]

_Function = TypeVar("_Function", bound=Callable[..., Any])


_DATA_OPTIONS = (
    click.option("--unblind", is_flag=True, help="Fit the observation. Without, nothing depends on it."),
    click.option(
        "--asimov", is_flag=True, help="Fit Asimov data (-t -1 of Combine), as is done anyway without --unblind."
    ),
    click.option(
        "--frequentist",
        is_flag=True,
        help="Asimov data after a fit to the observation (-t -1 --toysFrequentist of Combine); needs --unblind.",
    ),
    click.option(
        "--expect-signal",
        type=float,
        metavar="R",
        help="Signal strength of Asimov data; its start value by default, which is 1 for r.",
    ),
)

_MODEL_OPTIONS = (
    click.option(
        "--map",
        "scaling",
        multiple=True,
        callback=maps,
        metavar="PATTERN:EXPRESSION",
        help="What scales processes, as multiSignalModel of Combine; may be repeated.",
    ),
    click.option(
        "--poi",
        "redefine_pois",
        multiple=True,
        callback=names,
        metavar="NAME",
        help="Parameter of interest instead of the signal strength, which floats on unless it is frozen; may be "
        "repeated.",
    ),
    click.option(
        "--set",
        "values",
        multiple=True,
        callback=values,
        metavar="NAME=VALUE",
        help="Start value of a parameter, which frozen ones keep; may be repeated.",
    ),
    click.option(
        "--freeze",
        multiple=True,
        callback=names,
        metavar="NAME",
        help="Hold a parameter constant; also rgx{PATTERN}, or allConstrainedNuisances; may be repeated.",
    ),
    click.option(
        "--freeze-group",
        "freeze_groups",
        multiple=True,
        callback=names,
        metavar="GROUP",
        help="Hold a group constant; with ^GROUP all nuisances but those of the group; may be repeated.",
    ),
    click.option(
        "--mask",
        "masks",
        multiple=True,
        callback=names,
        metavar="CHANNEL",
        help="Leave a channel out; may be repeated.",
    ),
    click.option(
        "--range",
        "ranges",
        multiple=True,
        callback=ranges,
        metavar="NAME=LOW,HIGH",
        help="Range of a parameter; may be repeated.",
    ),
    click.option("--starts", type=click.IntRange(min=1), default=1, show_default=True, help="Starting points of fits."),
    click.option(
        "--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Seed of all random numbers."
    ),
    click.option("--exact", is_flag=True, help="Leave Combine's roundings out."),
)

_OUTPUT_OPTION = click.option(
    "-o",
    "--output",
    type=NEW_FILE,
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
        mass: float | None,
        keywords: dict[str, str],
        allow_no_signal: bool,
        allow_no_background: bool,
        scaling: Mapping[str, str],
        redefine_pois: tuple[str, ...],
        values: Mapping[str, float],
        freeze: tuple[str, ...],
        freeze_groups: tuple[str, ...],
        masks: tuple[str, ...],
        ranges: Mapping[str, tuple[float, float]],
        starts: int,
        seed: int,
        exact: bool,
        **options: Any,
    ) -> Any:
        pois = scaling or None
        reading = Reading(mass, keywords, CardOptions(signal_strengths(pois), allow_no_signal, allow_no_background))
        settings = {
            "pois": pois,
            "redefine_pois": redefine_pois,
            "values": values,
            "freeze": freeze,
            "freeze_groups": freeze_groups,
            "masks": masks,
            "ranges": ranges,
            "options": FitOptions(starts=starts, seed=seed),
            "mass": mass,
            "exact": exact,
        }
        return function(*arguments, reading=reading, settings=settings, **options)

    result: _Function = with_options(with_settings, [*_MODEL_OPTIONS, mass_option, keyword_option, allowing_options])
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
        asimov: bool,
        frequentist: bool,
        expect_signal: float | None,
        **options: Any,
    ) -> Any:
        kind = _data_kind(unblind=unblind, asimov=asimov, frequentist=frequentist)
        with activity("Reading cards"):
            loaded = load_cards(cards, reading)
            workspace = make_workspace(
                loaded.card, loaded.templates, kind=kind, expect_signal=expect_signal, **settings
            )
        return function(*arguments, workspace=workspace, **options)

    result: _Function = cards_argument(with_options(model_options(_OUTPUT_OPTION(with_workspace)), _DATA_OPTIONS))
    return result


def _data_kind(*, unblind: bool, asimov: bool, frequentist: bool) -> Blinding:
    if frequentist and not unblind:
        raise click.UsageError("--frequentist data come from a fit to the observation: add --unblind")
    if frequentist:
        return Blinding.FREQUENTIST_ASIMOV
    if asimov and unblind:
        raise click.UsageError(
            "--asimov and --unblind exclude each other: Asimov data before any fit do not use the observation. "
            "For those after a fit to it write --unblind --frequentist"
        )
    return Blinding.OBSERVED if unblind else Blinding.ASIMOV


def load_cards(cards: Sequence[str], reading: Reading) -> LoadedCard:
    """Return one card with its templates, or the combination of several."""
    if len(cards) == 1 and "=" not in cards[0]:
        return reading.load(cards[0])
    card = combine_cards(labelled(cards), keywords=reading.keywords, pois=reading.options.pois)
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


def save(result: Result, output: Path | None) -> None:
    """Write the result where it is wanted: before it is shown, because whoever reads the screen may stop early."""
    if output is not None:
        write_result(result, output)


def introduce(result: Result, output: Path | None) -> Console:
    """Write the result where it is wanted, show its data and notes, and return the console for what it says."""
    save(result, output)
    show_notes(result)
    console = products()
    console.print()
    return console


def distance_text(distance: float, status: Status) -> str:
    """Return how far an end of an interval is from the best value, with what is wrong with that end.

    Examples:
        >>> distance_text(0.2514, Status.CONVERGED), distance_text(1.0, Status.AT_BOUNDARY)
        ('0.251', '1 (at boundary)')
    """
    return f"{distance:.3g}" if status is Status.CONVERGED else f"{distance:.3g} ({status.value})"


def finish(status: Status, concerned: Sequence[str] = ()) -> ExitCode:
    """Return the exit code that a status deserves, and say what is wrong with which parameters."""
    if status.usable:
        return ExitCode.CLEAN
    names = f" ({', '.join(concerned)})" if concerned else ""
    diagnostics().print(f"Status: {status.value}{names}: {status.advice}", style="bold red")
    return ExitCode.FINDINGS
