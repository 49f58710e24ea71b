"""`pocket-combine report`: the statistical step of a card on one page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from pocket_combine.cli.cards.reading import Reading
from pocket_combine.cli.command import Command
from pocket_combine.cli.console import ExitCode, activity, products, steps_bar
from pocket_combine.cli.executors import executing, executor_options
from pocket_combine.cli.fits.setup import cards_argument, load_cards, model_options
from pocket_combine.cli.new_files import NEW_FOLDER
from pocket_combine.cli.plots.setup import style_options
from pocket_combine.cli.tables import plain_table
from pocket_combine.plotting.style import Style
from pocket_combine.report import SECTION_NAMES, MadeReport, ReportOptions, make_report
from pocket_combine.report.claim import FIGURES, RESULTS
from pocket_combine.report.contents import Mark
from pocket_combine.wording import counted

__all__ = ["report"]

_STYLES = {Mark.GOOD: "green", Mark.NOTICE: "yellow", Mark.BAD: "bold red", Mark.SKIPPED: "dim"}
_WORDS = {Mark.GOOD: "good", Mark.NOTICE: "look", Mark.BAD: "bad", Mark.SKIPPED: "–"}
_DEFAULTS = ReportOptions()


@click.command(
    cls=Command,
    examples=[
        "pocket-combine report datacard.txt -o report",
        "pocket-combine report SR=sr.txt CR=cr.txt --jobs 2 --naming master.yml",
        "pocket-combine report datacard.txt --unblind --toys 500 -o report",
    ],
)
@cards_argument
@click.option("--unblind", is_flag=True, help="Fit and show the observation. Without, nothing depends on it.")
@click.option(
    "--expect-signal",
    type=float,
    default=_DEFAULTS.expect_signal,
    show_default=True,
    metavar="R",
    help="Signal strength of Asimov data and of the second bias test; the first ones are at 0.",
)
@click.option(
    "--toys",
    type=click.IntRange(min=2),
    default=_DEFAULTS.toys,
    show_default=True,
    help="Number of toys of each bias test and of the goodness of fit.",
)
@click.option(
    "--points",
    type=click.IntRange(min=3),
    default=_DEFAULTS.points,
    show_default=True,
    help="Number of points of a likelihood scan.",
)
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(SECTION_NAMES),
    metavar="SECTION",
    help=f"Make this section alone; may be repeated. One of {', '.join(SECTION_NAMES)}.",
)
@click.option(
    "--skip", multiple=True, type=click.Choice(SECTION_NAMES), metavar="SECTION", help="Leave a section out, likewise."
)
@click.option(
    "--naming",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Naming dictionary of the collaboration, in YAML.",
)
@click.option(
    "--analysis",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Naming dictionary of this analysis.",
)
@click.option(
    "--details",
    type=click.IntRange(min=0),
    default=_DEFAULTS.details,
    show_default=True,
    help="Number of nuisances, the most important ones, whose templates are drawn.",
)
@model_options
@style_options
@click.option(
    "-o",
    "--output",
    type=NEW_FOLDER,
    default=Path("report"),
    show_default=True,
    metavar="DIR",
    help="Folder of the report.",
)
@click.option("--replace", is_flag=True, help="Remove the report of another card that DIR holds.")
@executor_options("fit and draw")
def report(
    cards: tuple[str, ...],
    unblind: bool,
    expect_signal: float,
    toys: int,
    points: int,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    naming: Path | None,
    analysis: Path | None,
    details: int,
    reading: Reading,
    settings: Mapping[str, Any],
    style: Style,
    output: Path,
    replace: bool,
    jobs: int,
    dask: str | None,
) -> ExitCode:
    """Put the whole statistical step of a card on one page.

    Runs checks, fits, impacts, toys, limits, significances and scans, and draws their figures. DIR/report.html opens in
    any browser without a network; DIR/report.json holds the numbers, DIR/results and DIR/figures what they are made
    from. What is in DIR already is not run again while card, version, data and options are the same. What a former
    report left there and this one does not need is removed: a folder never holds results of two cards, nor unblinded
    ones beside a blind page.

    Several cards are combined on the way. Without --unblind the report is blind: nothing in it depends on the
    observation. Exit status: 0 if all is well, 1 if the checks find errors or something cannot be used, 2 if there is
    no report.
    """
    if analysis is not None and naming is None:
        raise click.UsageError("--analysis needs --naming beside it")
    options = ReportOptions(
        unblind=unblind,
        expect_signal=expect_signal,
        toys=toys,
        seed=settings["options"].seed,
        points=points,
        only=only,
        skip=skip,
        dictionary=naming,
        analysis_dictionary=analysis,
        style=style,
        details=details,
    )
    with activity("Reading cards"):
        loaded = load_cards(cards, reading)
    try:
        with executing(jobs, dask) as executor, steps_bar() as observer:
            made = make_report(
                loaded,
                output,
                options=options,
                settings=settings,
                cards=cards,
                keywords=reading.keywords,
                executor=executor,
                observer=observer,
                replace=replace,
            )
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"answers so far are in {output / 'results'}; the same command goes on") from None
    console = products()
    data = "the observation is shown" if unblind else "blind: nothing here depends on the observation"
    console.print(Text.assemble((made.report.title, "bold"), (f" ({data})", "dim")))
    console.print()
    console.print(_table(made, options.sections))
    console.print()
    if made.removed:
        console.print(f"Removed from {output}, left by a former report: {_count(made.removed)}.")
        console.print()
    console.print(str(made.page), soft_wrap=True)
    return ExitCode.CLEAN if made.is_good else ExitCode.FINDINGS


def _table(made: MadeReport, asked: Sequence[str]) -> Table:
    table = plain_table("Section", "", "Answer", ("Seconds", "right"))
    for section in made.report.sections:
        if section.name not in asked:
            continue
        seconds = made.seconds[section.name]
        table.add_row(
            section.title,
            Text(_WORDS[section.mark], _STYLES[section.mark]),
            section.lead,
            "" if seconds is None else f"{seconds:.1f}",
        )
    return table


def _count(removed: Sequence[Path]) -> str:
    """Return how many results and figures were removed; the page is not among them, because there is a new one."""
    results = [path for path in removed if path.parent.name == RESULTS]
    figures = {path.stem for path in removed if path.parent.name == FIGURES}
    numbers = ((len(results), "result"), (len(figures), "figure"))
    return " and ".join(counted(number, word) for number, word in numbers if number) or "the page"
