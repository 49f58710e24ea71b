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

_LIGHTER, _DARKER = 0.47, 0.4
"""Shares of white and of black in further tones of a colour."""


def distinct_colours(names: Sequence[str], signals: Sequence[str], taken: Mapping[str, str]) -> dict[str, str]:
    """Return a colour for each name: its own where it has one, else one that nobody has while there is one left.

    Beyond the ten of the palette there are lighter and darker tones of them; when none is left, a background takes that
    of another background. It is never taken for a signal before it.

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
    plenty = len(signals) <= len(SIGNAL_COLOURS)
    own = [*backgrounds, *reversed(SIGNAL_COLOURS)] if plenty else backgrounds
    pools = {
        True: _free([*_with_tones(SIGNAL_COLOURS), *_with_tones(backgrounds)], used, set()),
        False: _free(_with_tones(own), used, of_signals),
    }
    chosen: dict[str, str] = {}
    for name in names:
        chosen[name] = taken[name] if name in taken else next(pools[name in signals])
        if name in signals:
            of_signals.add(chosen[name].lower())
    return chosen


def _with_tones(colours: Sequence[str]) -> list[str]:
    """Return colours, then lighter ones and darker ones of the same hues, for figures with more than ten names.

    Examples:
        >>> _with_tones(["#3f90da"])
        ['#3f90da', '#99c4eb', '#265683']
    """
    lighter = [_mixed(colour, 255, _LIGHTER) for colour in colours]
    return [*colours, *lighter, *(_mixed(colour, 0, _DARKER) for colour in colours)]


def _mixed(colour: str, tone: int, share: float) -> str:
    """Return a colour mixed with black (0) or white (255)."""
    parts = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return "#" + "".join(f"{round((1.0 - share) * part + share * tone):02x}" for part in parts)


def _free(colours: Sequence[str], used: set[str], avoided: set[str]) -> Iterator[str]:
    """Yield the colours that are not used, then all but those to avoid again and again; all if nothing is left."""
    for colour in colours:
        if colour not in used:
            used.add(colour)
            yield colour
    while True:
        yield from [colour for colour in colours if colour not in avoided] or colours
