"""`pocket-combine plot pulls`, `impacts`, `correlations`, `breakdown` and `strengths`: figures of fits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
from click.core import ParameterSource

from pocket_combine.cli.command import Command
from pocket_combine.cli.console import ExitCode, diagnostics
from pocket_combine.cli.plots.inputs import labelled_argument, labelled_files, pattern_option, result_argument
from pocket_combine.cli.plots.setup import FigureFiles, figure_options
from pocket_combine.io.result_files import read_one_of, read_result
from pocket_combine.plotting.breakdown_values import TABLE_FORMATS, breakdown_table
from pocket_combine.plotting.correlation_values import correlations_of
from pocket_combine.plotting.pull_values import ORDERS, failure
from pocket_combine.plotting.strength_values import strengths_of
from pocket_combine.plotting.style import Style
from pocket_combine.results import FitResult, ImpactResult, Result

__all__ = ["breakdown", "correlations", "impacts", "pulls", "strengths"]

_PARAMETERS = pattern_option("parameter", "parameters", "JES_*")


def _read(path: Path) -> FitResult | ImpactResult:
    kinds: tuple[type[Result], ...] = (FitResult, ImpactResult)
    found = read_one_of(kinds, path)
    assert isinstance(found, (FitResult, ImpactResult))  # noqa: S101  one of the two that were asked for
    return found


def _code(problems: Sequence[str]) -> ExitCode:
    """Say what is no result, and return the exit code."""
    for problem in problems:
        diagnostics().print(f"Not a result, and drawn as such: {problem}", soft_wrap=True)
    return ExitCode.FINDINGS if problems else ExitCode.CLEAN


@click.command(
    cls=Command,
    examples=[
        "pocket-combine plot pulls fit.json --order pull -o figures/pulls",
        "pocket-combine plot pulls b-only=b.json s+b=s.json --parameter 'JES_*'",
    ],
)
@labelled_argument()
@click.option("--order", type=click.Choice(ORDERS), default="card", show_default=True, help="Order of the nuisances.")
@click.option("--bins", is_flag=True, help="Show the parameters of autoMCStats too.")
@_PARAMETERS
@click.option("--rows", type=click.IntRange(min=1), default=50, show_default=True, help="Most rows of a page.")
@click.option("--one-page", is_flag=True, help="Put all pages beside each other.")
@figure_options("pulls")
def pulls(
    results: dict[str, Path],
    style: Style,
    files: FigureFiles,
    order: str,
    bins: bool,
    parameters: Sequence[str],
    rows: int,
    one_page: bool,
) -> ExitCode:
    """Draw pulls and constraints of nuisances, and values of rate parameters, of up to three fits.

    FILE is a result of `pocket-combine fit -o` or `impacts -o`. Exit status: 0 if all fits can be used, 1 if not (they
    are drawn hollow), 2 if nothing was drawn.
    """
    from pocket_combine.plotting.pull_pages import (  # noqa: PLC0415  imports matplotlib
        PullOptions,
        pulls_figure,
        pulls_figures,
    )

    found = {name: _read(path) for name, path in results.items()}
    fits = next(iter(found.values())) if len(found) == 1 else found
    options = PullOptions(order, bins, tuple(parameters), rows)
    if one_page:
        files.save(pulls_figure(fits, style=style, options=options))
    else:
        files.save_all(pulls_figures(fits, style=style, options=options))
    failures = {name: failure(result) for name, result in found.items() if isinstance(result, FitResult)}
    return _code([f"{results[name]}: {problem}" for name, problem in failures.items() if problem])


@click.command(
    cls=Command,
    examples=[
        "pocket-combine plot impacts impacts.json -o figures/impacts",
        "pocket-combine plot impacts impacts.json --poi r_ggH --all --lumi 138",
    ],
)
@result_argument
@click.option("--poi", metavar="NAME", help="Parameter of interest; the first one by default.")
@_PARAMETERS
@click.option("--most", type=click.IntRange(min=1), default=30, show_default=True, help="How many are shown.")
@click.option("--all", "everything", is_flag=True, help="Show all, in pages of 30.")
@figure_options("impacts")
def impacts(
    result: Path,
    style: Style,
    files: FigureFiles,
    poi: str | None,
    parameters: Sequence[str],
    most: int,
    everything: bool,
) -> ExitCode:
    """Draw the largest impacts of nuisances on a parameter of interest, beside their pulls.

    FILE is a result of `pocket-combine impacts -o`. Exit status: 0 if all impacts were found, 1 if not (their rows are
    red), 2 if nothing was drawn.
    """
    from pocket_combine.plotting.impacts import impacts_figures  # noqa: PLC0415  imports matplotlib

    found = read_result(ImpactResult, result)
    shown = None if everything else most
    files.save_all(impacts_figures(found, style=style, poi=poi, parameters=parameters, most=shown))
    lost = [item.parameter for item in found.impacts if not all(status.usable for status in item.statuses)]
    return _code([f"{result}: impact of {name}" for name in lost])


@click.command(
    cls=Command,
    examples=[
        "pocket-combine plot correlations fit.json -o figures/correlations",
        "pocket-combine plot correlations fit.json --parameter 'JES_*' --parameter r",
        "pocket-combine plot correlations fit.json --around SF_ttbb --most 20",
    ],
)
@result_argument
@_PARAMETERS
@click.option("--around", metavar="NAME", help="Show this parameter and those that are most correlated with it.")
@click.option(
    "--most", type=click.IntRange(min=2), default=30, show_default=True, help="How many are shown in a block."
)
@figure_options("correlations")
def correlations(
    result: Path, style: Style, files: FigureFiles, parameters: Sequence[str], around: str | None, most: int
) -> ExitCode:
    """Draw the correlation matrix of fitted parameters.

    FILE is a result of `pocket-combine fit -o`. Of more than 60 parameters there are several figures: all of them, the
    block around each parameter of interest, and that of the largest correlations.
    """
    from pocket_combine.plotting.correlations import (  # noqa: PLC0415  imports matplotlib
        correlations_figure,
        correlations_figures,
    )

    found = read_result(FitResult, result)
    if around is not None:
        block = correlations_of(found, [*parameters, around] if parameters else ()).around(around, most)
        files.save(correlations_figure(block, style=style))
        return ExitCode.CLEAN
    files.save_all(correlations_figures(found, style=style, parameters=parameters, most=most))
    return ExitCode.CLEAN


@click.command(
    cls=Command,
    examples=[
        "pocket-combine plot breakdown impacts.json -o figures/breakdown",
        "pocket-combine plot breakdown impacts.json --table latex",
    ],
)
@result_argument
@click.option("--table", type=click.Choice(TABLE_FORMATS), help="Print a table instead of drawing.")
@figure_options("breakdown")
def breakdown(result: Path, style: Style, files: FigureFiles, table: str | None) -> ExitCode:
    """Draw what each group of nuisances brings to the uncertainty of the first parameter of interest.

    FILE is a result of `pocket-combine impacts -o`.
    """
    from pocket_combine.plotting.breakdown import breakdown_figure  # noqa: PLC0415  imports matplotlib

    found = read_result(ImpactResult, result)
    if table is not None:
        source = click.get_current_context().get_parameter_source
        if any(source(name) is ParameterSource.COMMANDLINE for name in ("output", "formats")):
            raise click.UsageError("--table prints a table and draws nothing: leave -o and --format out")
        click.echo(breakdown_table(found, table), nl=False)
    else:
        files.save(breakdown_figure(found, style=style))
    return ExitCode.CLEAN


@click.command(
    cls=Command,
    examples=[
        "pocket-combine plot strengths all=all.json 2017=fit17.json 2018=fit18.json",
        "pocket-combine plot strengths fit.json --stat-only frozen.json",
    ],
)
@labelled_argument()
@click.option("--poi", metavar="NAME", help="Parameter of interest; all of one result, the first of each of several.")
@click.option(
    "--stat-only",
    multiple=True,
    metavar="[LABEL=]FILE",
    callback=labelled_files,
    help="Fit with all nuisances frozen, which splits the uncertainty; may be repeated.",
)
@click.option("--expected", type=float, default=1.0, show_default=True, help="Value of the dashed line.")
@figure_options("strengths")
def strengths(
    results: dict[str, Path],
    style: Style,
    files: FigureFiles,
    poi: str | None,
    stat_only: dict[str, Path],
    expected: float,
) -> ExitCode:
    """Draw signal strengths: all of one result, or one of each of several.

    FILE is a result of `pocket-combine fit -o`, or of `impacts -o`, whose breakdown splits the uncertainty into
    statistical and systematic. Exit status: 0 if all fits can be used, 1 if not, 2 if nothing was drawn.
    """
    from pocket_combine.plotting.strengths import strengths_figure  # noqa: PLC0415  imports matplotlib

    found = {name: _read(path) for name, path in results.items()}
    frozen = {name: read_result(FitResult, path) for name, path in stat_only.items()}
    if len(found) == 1:
        alone = next(iter(frozen.values()), None)
        drawn = strengths_of(next(iter(found.values())), poi=poi, stat_only=alone, style=style)
    else:
        drawn = strengths_of(found, poi=poi, stat_only=frozen, style=style)
    files.save(strengths_figure(drawn, style=style, expected=expected))
    return _code([f"{item.label}: {item.problem}" for item in drawn if item.problem])
