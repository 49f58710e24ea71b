"""Notes of results: what a reader should know before numbers are used; sentences without the last full stop."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["held_notice", "named"]

_NAMED = 8


def named(names: Sequence[str]) -> str:
    """Return the first names of a list, and how many more there are.

    Examples:
        >>> named(["JES", "JER"]), named([f"stat_{number}" for number in range(10)])[-17:]
        ('JES, JER', 'stat_7 and 2 more')
    """
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def held_notice(names: Sequence[str]) -> list[str]:
    """Return what to know about uncertainties that hold parameters fixed at edges of their ranges.

    Examples:
        >>> held_notice(["r"])
        ['fixed at the edge of its range: r. Uncertainties are without it: that of a process that it scales may be 0']
        >>> held_notice([])
        []
    """
    if not names:
        return []
    edges, them, scales = (
        ("the edge of its range", "it", "it scales") if len(names) == 1 else ("edges of ranges", "them", "they scale")
    )
    return [
        f"fixed at {edges}: {named(names)}. Uncertainties are without {them}: that of a process that {scales} may be 0"
    ]
