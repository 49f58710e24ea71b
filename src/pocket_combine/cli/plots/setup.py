"""What all figures share: style, labels, and the files they go to."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pocket_combine.cli.command import with_options
from pocket_combine.cli.console import products
from pocket_combine.cli.new_files import NEW_PATH
from pocket_combine.cli.plots.inputs import FILE
from pocket_combine.io.file_names import file_stem
from pocket_combine.plotting import require_plotting
from pocket_combine.plotting.style import Style, load_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["FigureFiles", "figure_options", "style_file_option", "style_options"]

_Function = TypeVar("_Function", bound=Callable[..., Any])
_FORMATS = ("pdf", "png", "svg")


@dataclass(frozen=True)
class FigureFiles:
    """Where a command puts its figures.

    Attributes:
        stem: Path without the ending.
        formats: Endings.
    """

    stem: Path
    formats: tuple[str, ...]

    @classmethod
    def of(cls, kind: str, output: Path | None, formats: Sequence[str]) -> FigureFiles:
        """Return the files that a user wants.

        Args:
            kind: Name of the files where nothing else is wanted.
            output: A path with or without the ending of a format, or a folder; `None` for the current one.
            formats: Formats besides that of the ending.

        Examples:
            >>> FigureFiles.of("stack", None, [])
            FigureFiles(stem=PosixPath('stack'), formats=('pdf', 'png'))
            >>> FigureFiles.of("stack", Path("sr.run3.svg"), ["png"])
            FigureFiles(stem=PosixPath('sr.run3'), formats=('svg', 'png'))
        """
        stem = Path(kind) if output is None else output / kind if output.is_dir() else output
        ending = stem.suffix[1:]
        if ending in _FORMATS:
            stem, formats = stem.with_suffix(""), (ending, *formats)
        return cls(stem, tuple(dict.fromkeys(formats)) or ("pdf", "png"))

    def save(self, figure: Figure, suffix: str = "") -> None:
        """Write a figure and show the paths.

        Args:
            figure: The figure.
            suffix: What is added to the name, for one of several figures.
        """
        from pocket_combine.plotting.canvas import save_figure  # noqa: PLC0415  imports matplotlib

        stem = self.stem.with_name(f"{self.stem.name}_{file_stem(suffix)}") if suffix else self.stem
        for path in save_figure(figure, stem, self.formats):
            products().print(str(path), soft_wrap=True)

    def save_all(self, figures: Iterable[tuple[str, Figure]]) -> int:
        """Write figures, each as it is made, and return how many there are.

        Args:
            figures: (suffix, figure); see `save`.
        """
        count = 0
        for suffix, figure in figures:
            self.save(figure, suffix)
            count += 1
        return count


style_file_option = click.option(
    "--style",
    "style_file",
    type=FILE,
    metavar="FILE",
    help="Labels, names, colours and merging; `pocket-combine plot style` prints one to begin with.",
)

_STYLE_OPTIONS = (
    style_file_option,
    click.option("--text", metavar="TEXT", help="Text behind the name of the experiment, such as Preliminary."),
    click.option("--lumi", type=float, metavar="NUMBER", help="Luminosity in inverse femtobarns."),
    click.option("--energy", metavar="TEV", help="Centre-of-mass energy in TeV."),
)

_FILE_OPTIONS = (
    click.option(
        "-o",
        "--output",
        type=NEW_PATH,
        metavar="PATH",
        help="Path of the figure, with the ending of a format or without; a folder, the current one by default, gets "
        "it under the name of its kind.",
    ),
    click.option(
        "--format",
        "formats",
        type=click.Choice(_FORMATS),
        multiple=True,
        help="Kind of file, may be repeated; pdf and png by default.",
    ),
)


def style_options(function: _Function) -> _Function:
    """Give a command the options for how figures are drawn; its function gets a `style`."""

    @functools.wraps(function)
    def with_style(
        *arguments: Any,
        style_file: Path | None,
        text: str | None,
        lumi: float | None,
        energy: str | None,
        **options: Any,
    ) -> Any:
        require_plotting()
        style = Style() if style_file is None else load_style(style_file)
        changes = {"text": text, "luminosity": lumi, "energy": energy}
        changed = {name: value for name, value in changes.items() if value is not None}
        labels = dataclasses.replace(style.labels, **changed)  # type: ignore[arg-type]  # each of its own type
        return function(*arguments, style=dataclasses.replace(style, labels=labels), **options)

    result: _Function = with_options(with_style, _STYLE_OPTIONS)
    return result


def figure_options(kind: str) -> Callable[[_Function], _Function]:
    """Return a decorator that gives a command the options of figures.

    Its function gets a `style` and the `files` that figures go to.

    Args:
        kind: Name of the files where nothing else is wanted.
    """

    def decorate(function: _Function) -> _Function:
        @functools.wraps(function)
        def with_files(*arguments: Any, output: Path | None, formats: Sequence[str], **options: Any) -> Any:
            return function(*arguments, files=FigureFiles.of(kind, output, formats), **options)

        result: _Function = style_options(with_options(with_files, _FILE_OPTIONS))
        return result

    return decorate
