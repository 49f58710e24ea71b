"""`pocket-combine plot gof` and `toys`: from results of `pocket-combine gof` and `toys`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from pocket_combine.cli.command import Command
from pocket_combine.cli.console import ExitCode
from pocket_combine.cli.plots.inputs import FILE, result_argument
from pocket_combine.cli.plots.setup import FigureFiles, figure_options
from pocket_combine.io.result_files import read_one_of, read_result
from pocket_combine.plotting.style import Style
from pocket_combine.results import BiasResult, GoodnessOfFitResult, ToyResult

__all__ = ["gof", "toys"]


@click.command(cls=Command, examples=["pocket-combine plot gof gof.json -o figures/gof --text Preliminary"])
@result_argument
@figure_options("gof")
def gof(result: Path, style: Style, files: FigureFiles) -> ExitCode:
    """Draw a goodness-of-fit test: the statistic in toys, and where the data lie.

    FILE is a result of `pocket-combine gof -o`.
    """
    from pocket_combine.plotting.toys import goodness_figure  # noqa: PLC0415  imports matplotlib

    files.save(goodness_figure(read_result(GoodnessOfFitResult, result), style=style))
    return ExitCode.CLEAN


@click.command(
    cls=Command,
    examples=["pocket-combine plot toys toys.json", "pocket-combine plot toys r0.json r1.json r2.json -o figures/bias"],
)
@click.argument("results", type=FILE, metavar="FILE...", nargs=-1, required=True)
@figure_options("toys")
def toys(results: Sequence[Path], style: Style, files: FigureFiles) -> ExitCode:
    """Draw fits of toys with a known signal: best fits and pulls.

    Several injected signals, in one result or in several, have a figure each and one of the bias against the injected
    value. FILE is a result of `pocket-combine toys -o`.
    """
    from pocket_combine.plotting.toys import toys_figures  # noqa: PLC0415  imports matplotlib

    found = [test for path in results for test in _tests(path)]
    for name, figure in toys_figures(found, style=style):
        files.save(figure, name if len(found) > 1 else "")
    return ExitCode.CLEAN


def _tests(path: Path) -> tuple[ToyResult, ...]:
    """Return the toys in a file, one entry for each injected value."""
    kinds: tuple[type[ToyResult | BiasResult], ...] = (ToyResult, BiasResult)
    found = read_one_of(kinds, path)
    return found.tests if isinstance(found, BiasResult) else (found,)
