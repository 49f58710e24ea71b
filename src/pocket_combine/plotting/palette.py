"""Colours that stay apart for readers with a colour vision deficiency, and who gets which."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

__all__ = [
    "DOWN_COLOUR",
    "PETROFF_10",
    "PETROFF_6",
    "PETROFF_8",
    "SIGNAL_COLOURS",
    "UP_COLOUR",
    "distinct_colours",
]

PETROFF_6 = ("#5790fc", "#f89c20", "#e42536", "#964a8b", "#9c9ca1", "#7a21dd")
PETROFF_8 = ("#1845fb", "#ff5e02", "#c91f16", "#c849a9", "#adad7d", "#86c8dd", "#578dff", "#656364")
PETROFF_10 = (
    "#3f90da",
    "#ffa90e",
    "#bd1f01",
    "#94a4a2",
    "#832db6",
    "#a96b59",
    "#e76300",
    "#b9ac70",
    "#717581",
    "#92dadd",
)
"""Accessible colour cycles of M. A. Petroff (arXiv:2107.02270, tables for 6, 8 and 10 colours), as CMS recommends."""

UP_COLOUR, DOWN_COLOUR = "#bd1f01", "#3f90da"
"""What is varied up or lies above, and what is varied down or lies below."""

SIGNAL_COLOURS = ("#bd1f01", "#832db6", "#e76300")
"""Kept for signals while other colours are left."""


def distinct_colours(names: Sequence[str], signals: Sequence[str], taken: Mapping[str, str]) -> dict[str, str]:
    """Return a colour for each name: its own where it has one, else one that nobody has while there is one left.

    When none is left, a background takes that of another background: it is never taken for a signal before it.

    Args:
        names: Names, in the order in which colours are given out.
        signals: Those among them that get the colours of signals.
        taken: Colours that are set, by name.

    Examples:
        >>> distinct_colours(["ttbb", "ttH"], ["ttH"], {})
        {'ttbb': '#3f90da', 'ttH': '#bd1f01'}
        >>> distinct_colours(["ttbb", "ttH"], ["ttH"], {"ttbb": "#bd1f01"})
        {'ttbb': '#bd1f01', 'ttH': '#832db6'}
    """
    used = {colour.lower() for colour in taken.values()}
    backgrounds = [colour for colour in PETROFF_10 if colour not in SIGNAL_COLOURS]
    of_signals = {taken[name].lower() for name in signals if name in taken}
    pools = {
        True: _free([*SIGNAL_COLOURS, *backgrounds], used, set()),
        False: _free([*backgrounds, *reversed(SIGNAL_COLOURS)], used, of_signals),
    }
    chosen: dict[str, str] = {}
    for name in names:
        chosen[name] = taken[name] if name in taken else next(pools[name in signals])
        if name in signals:
            of_signals.add(chosen[name].lower())
    return chosen


def _free(colours: Sequence[str], used: set[str], avoided: set[str]) -> Iterator[str]:
    """Yield the colours that are not used, then all but those to avoid again and again; all if nothing is left."""
    for colour in colours:
        if colour not in used:
            used.add(colour)
            yield colour
    while True:
        yield from [colour for colour in colours if colour not in avoided] or colours
