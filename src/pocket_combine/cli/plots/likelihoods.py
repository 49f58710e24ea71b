"""`pocket-combine plot scan` and `limits`: from results of `pocket-combine scan` and `limit`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from pocket_combine.cli.command import Command
from pocket_combine.cli.console import ExitCode
from pocket_combine.cli.plots.inputs import FILE, labelled_argument
from pocket_combine.cli.plots.setup import FigureFiles, figure_options
from pocket_combine.errors import StyleError
from pocket_combine.io.paths import why_unreadable
from pocket_combine.io.result_files import read_result
from pocket_combine.plotting.limit_points import quantity_of
from pocket_combine.plotting.style import Style
from pocket_combine.results import LimitResult, ScanResult

__all__ = ["limits", "scan"]


def _words(_: click.Context, parameter: click.Parameter, text: str | None) -> tuple[str, ...]:
    words = tuple(word.strip() for word in (text or "").split(","))
    if text is not None and not all(words):
        raise click.BadParameter(f"{text!r}, expected {parameter.metavar}")
    return words if text is not None else ()


def _point(_: click.Context, __: click.Parameter, text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError:
        raise click.BadParameter(f"{text!r}, expected X,Y") from None
    return x, y


@click.command(
    cls=Command,
    examples=[
        "pocket-combine plot scan scan.json -o figures/scan_r",
        "pocket-combine plot scan Observed=observed.json Expected=asimov.json",
        "pocket-combine plot scan total=t.json 'stat only=s.json' --breakdown syst,stat",
        "pocket-combine plot scan scan_2d.json --colours --mark 1,1",
    ],
)
@labelled_argument()
@click.option(
    "--cl",
    "levels",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    multiple=True,
    metavar="LEVEL",
    help="Confidence level to mark, 0.6827 and 0.9545 by default; may be repeated.",
)
@click.option(
    "--breakdown",
    "parts",
    callback=_words,
    metavar="PART,PART",
    help="Split the uncertainty of the first scan: what each further scan froze, and what the last one leaves.",
)
@click.option("--colours", is_flag=True, help="Show the likelihood of two parameters in colours.")
@click.option("--mark", "reference", callback=_point, metavar="X,Y", help="Mark a prediction of two parameters.")
@figure_options("scan")
def scan(
    results: Mapping[str, Path],
    levels: Sequence[float],
    parts: tuple[str, ...],
    colours: bool,
    reference: tuple[float, float] | None,
    style: Style,
    files: FigureFiles,
) -> ExitCode:
    """Draw scans: -2 ΔNLL with intervals of one parameter, contours of two; several scans in one figure.

    FILE is a result of `pocket-combine scan -o`.
    """
    from pocket_combine.plotting.contours import contour_figure  # noqa: PLC0415  imports matplotlib
    from pocket_combine.plotting.curves import LEVELS  # noqa: PLC0415  imports scipy
    from pocket_combine.plotting.scans import scan_figure  # noqa: PLC0415  imports matplotlib

    scans = {label: read_result(ScanResult, path) for label, path in results.items()}
    if len(scans) == 1 and [path.stem for path in results.values()] == list(scans):
        scans = {"": next(iter(scans.values()))}  # called after its data
    wanted = tuple(levels) or LEVELS
    of_two = len(next(iter(scans.values())).scanned) == 2
    unused = ("--breakdown" if parts else "") if of_two else ("--colours" if colours else "--mark" if reference else "")
    if unused:
        raise click.UsageError(f"{unused} is for scans of {'one parameter' if of_two else 'two parameters'}")
    if of_two:
        figure = contour_figure(scans, style=style, levels=wanted, colours=colours, reference=reference)
    else:
        figure = scan_figure(scans, style=style, levels=wanted, parts=parts)
    files.save(figure)
    return ExitCode.CLEAN


@click.command(
    cls=Command,
    examples=[
        "pocket-combine plot limits 300=a.json 400=b.json --axis-title 'Mass [GeV]'",
        "pocket-combine plot limits SR=sr.json CR=cr.json Combined=all.json",
    ],
)
@labelled_argument("POINT=FILE...")
@click.option(
    "--axis-title",
    "quantity",
    default="",
    metavar="TEXT",
    help="What points are, with the unit; needed if they are numbers and not the --mass of the limits.",
)
@click.option(
    "--theory",
    "theory_file",
    type=FILE,
    metavar="FILE",
    help="Prediction to draw: lines of a point and its value.",
)
@click.option("--theory-label", default="Prediction", show_default=True, metavar="TEXT", help="Its name.")
@click.option(
    "--log/--linear", "logarithmic", default=None, help="Scale of the limits; chosen by their range if left out."
)
@click.option("--classic-colours", is_flag=True, help="Bands in the older green and yellow.")
@figure_options("limits")
def limits(
    results: Mapping[str, Path],
    quantity: str,
    theory_file: Path | None,
    theory_label: str,
    logarithmic: bool | None,
    classic_colours: bool,
    style: Style,
    files: FigureFiles,
) -> ExitCode:
    """Draw upper limits with the bands that are expected.

    Points that are numbers, such as masses, are drawn along an axis; others, such as channels, as bars.
    FILE is a result of `pocket-combine limit -o`.
    """
    from pocket_combine.plotting.limit_axes import (  # noqa: PLC0415  imports matplotlib
        BAND_COLOURS,
        CLASSIC_BAND_COLOURS,
        LimitOptions,
        Prediction,
    )
    from pocket_combine.plotting.limit_bars import limit_bars_figure  # noqa: PLC0415  imports matplotlib
    from pocket_combine.plotting.limits import limits_figure  # noqa: PLC0415  imports matplotlib

    found = {label: read_result(LimitResult, path) for label, path in results.items()}
    options = LimitOptions(logarithmic, CLASSIC_BAND_COLOURS if classic_colours else BAND_COLOURS)
    points = _numbers(list(found))
    if points is None:
        if theory_file is not None or quantity:
            raise click.UsageError("--theory and --axis-title need points that are numbers, such as 300=limit.json")
        files.save(limit_bars_figure(found, style=style, options=options))
        return ExitCode.CLEAN
    by_point = dict(zip(points, found.values(), strict=True))
    if not (quantity or quantity_of(by_point)):
        raise click.UsageError(
            "say what the points are, with their unit: --axis-title 'm(X) [GeV]' (limits that were made with their "
            "point as --mass say it themselves)"
        )
    prediction = None if theory_file is None else Prediction(_theory(theory_file), theory_label)
    files.save(limits_figure(by_point, style=style, quantity=quantity, prediction=prediction, options=options))
    return ExitCode.CLEAN


def _numbers(labels: Sequence[str]) -> list[float] | None:
    """Return labels as numbers; `None` if one is none."""
    try:
        points = [float(label) for label in labels]
    except ValueError:
        return None
    if len(set(points)) < len(points):
        raise click.UsageError("a point is given twice")
    return points


def _theory(path: Path) -> dict[float, float]:
    """Return a prediction, value by point, from a text file of two columns; `#` begins a comment."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise StyleError(f"{path}: {why_unreadable(path, error)}") from error
    result: dict[float, float] = {}
    for number, line in enumerate(lines, start=1):
        words = line.partition("#")[0].replace(",", " ").split()
        if not words:
            continue
        try:
            point, value = (float(word) for word in words)
        except ValueError:
            raise StyleError(f"{path}:{number}: {line.strip()!r}, expected a point and its value") from None
        result[point] = value
    if not result:
        raise StyleError(f"{path}: holds no numbers, expected lines of a point and its value")
    return result
