"""Command lines that make a part of a report alone."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

__all__ = ["command_line", "setting_words"]

_NAMED = {"values": "--set", "ranges": "--range"}
_LISTED = {"redefine_pois": "--poi", "freeze": "--freeze", "freeze_groups": "--freeze-group", "masks": "--mask"}


def command_line(verb: str, cards: Sequence[str], *words: str) -> str:
    """Return a command line as it is typed.

    Args:
        verb: The command, such as `fit`.
        cards: The cards.
        words: What follows them.

    Examples:
        >>> command_line("plot impacts", ["results/a b.json"])
        "pocket-combine plot impacts 'results/a b.json'"
    """
    return shlex.join(["pocket-combine", *verb.split(), *cards, *words])


def setting_words(settings: Mapping[str, Any]) -> list[str]:
    """Return the options of a command line that stand for arguments of `make_workspace`.

    Examples:
        >>> setting_words({"ranges": {"r": (-5.0, 5.0)}, "masks": ["CR"], "exact": True})
        ['--mask', 'CR', '--range', 'r=-5,5', '--exact']
    """
    return list(_words(settings))


def _words(settings: Mapping[str, Any]) -> Iterator[str]:
    for pattern, expression in (settings.get("pois") or {}).items():
        yield from ("--map", f"{pattern}:{expression}")
    for argument, option in _LISTED.items():
        for name in settings.get(argument) or ():
            yield from (option, name)
    for argument, option in _NAMED.items():
        for name, value in (settings.get(argument) or {}).items():
            numbers = value if isinstance(value, (tuple, list)) else (value,)
            yield from (option, f"{name}={','.join(f'{number:.12g}' for number in numbers)}")
    fits = settings.get("options")
    if fits is not None and fits.starts > 1:
        yield from ("--starts", str(fits.starts))
    if fits is not None and fits.seed != 1:
        yield from ("--seed", str(fits.seed))
    if settings.get("exact"):
        yield "--exact"
    if settings.get("mass") is not None:
        yield from ("--mass", f"{settings['mass']:.12g}")
