"""Which `shapes` line holds for a column, and what its words become."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pocket_combine.card.model import FAKE, ShapeRule
from pocket_combine.errors import CardError
from pocket_combine.names import expand_rule

__all__ = ["ShapeLookup", "expand", "format_mass", "check_keywords"]

_BUILT_IN = ("PROCESS", "CHANNEL", "SYSTEMATIC", "MASS")


class ShapeLookup:
    """The `shapes` lines of a card, looked up in Combine's order.

    An entry for the channel is used before one for channel `*`, and inside either an entry for the process before one
    for process `*`. A line for a channel and all processes therefore hides a line `data_obs *`.

    Args:
        rules: The lines.

    Examples:
        >>> lookup = ShapeLookup([ShapeRule("*", "SR", "a.root", "h"), ShapeRule("data_obs", "*", "b.root", "h")])
        >>> lookup.rule("SR", "data_obs").path
        'a.root'
        >>> lookup.rule("CR", "ttbar") is None
        True
    """

    def __init__(self, rules: Iterable[ShapeRule]) -> None:
        self._by_channel: dict[str, dict[str, ShapeRule]] = {}
        for rule in rules:
            self._by_channel.setdefault(rule.channel, {})[rule.process] = rule

    def rule(self, channel: str, process: str) -> ShapeRule | None:
        """Return the line that holds for a process (or `data_obs`) in a channel, or `None`."""
        anywhere = self._by_channel.get("*", {})
        for group in (self._by_channel.get(channel, anywhere), anywhere):
            found = group.get(process) or group.get("*")
            if found is not None:
                return found
        return None

    def is_fake(self, channel: str, process: str) -> bool:
        """Return whether a process has no template in a channel: a pure counting card, or a `FAKE` line."""
        found = self.rule(channel, process)
        return not self._by_channel or (found is not None and found.path == FAKE)


def expand(
    pattern: str, *, process: str, channel: str, systematic: str = "", mass: str, keywords: Mapping[str, str]
) -> str:
    """Return a file or template name with all words that begin with `$` filled in.

    Examples:
        >>> expand("$CHANNEL/$PROCESS$MASS_$TAG", process="ggH", channel="SR", mass="125", keywords={"TAG": "v2"})
        'SR/ggH125_v2'
    """
    name = expand_rule(pattern, process=process, channel=channel, systematic=systematic, mass=mass)
    for word, value in keywords.items():
        name = name.replace(f"${word}", value)
    return name


def format_mass(mass: float) -> str:
    """Return what `$MASS` stands for: an integer where the mass is one.

    Examples:
        >>> format_mass(125), format_mass(125.5)
        ('125', '125.5')
    """
    return str(int(mass)) if float(mass).is_integer() else str(float(mass))


def check_keywords(keywords: Mapping[str, str]) -> None:
    """Refuse keywords that Combine fills in itself.

    Raises:
        CardError: If there is one.
    """
    taken = [word for word in keywords if word in _BUILT_IN]
    if taken:
        raise CardError(f"keyword {taken[0]} is filled in by Combine itself; choose another word")
