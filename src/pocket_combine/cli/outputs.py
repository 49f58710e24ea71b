"""How commands are given outputs of PocketCoffea, and which further names in them are read."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["outputs_argument", "placeholder_option"]

outputs_argument = click.argument(
    "outputs", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="OUTPUT..."
)


def _inert(_context: click.Context, _parameter: click.Parameter, names: tuple[str, ...]) -> dict[str, None]:
    """Return the names as `load_output` takes them."""
    return dict.fromkeys(names)


# Names that run code can be allowed in Python only: a line that is copied from somewhere runs nothing of a file.
placeholder_option = click.option(
    "--placeholder",
    "allow",
    multiple=True,
    metavar="MODULE.NAME",
    callback=_inert,
    help="Read what an output makes with this name, which the reader does not know, as placeholders that do nothing; "
    "may be repeated.",
)
