"""Findings of checks: like any other, with the parts of their place kept apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, SupportsInt

from pocket_combine.findings import Finding, Severity
from pocket_combine.plain import to_plain

__all__ = ["CheckFinding", "Where", "found"]

_SHOWN = 8


class Where(NamedTuple):
    """A place in a card; what is empty is not part of it.

    Attributes:
        channel: Name of the channel.
        process: Name of the process.
        nuisance: Name of the nuisance.
        bins: The bins, counted from 0 as in the names of Combine's bin parameters.
        file: A ROOT file.

    Examples:
        >>> str(Where("SR", "tt", bins=(0, 2))), str(Where(nuisance="JES")), str(Where())
        ('channel SR, process tt, bins 0, 2', 'nuisance JES', 'card')
    """

    channel: str = ""
    process: str = ""
    nuisance: str = ""
    bins: tuple[int, ...] = ()
    file: str = ""

    def at(self, bins: Iterable[SupportsInt]) -> Where:
        """Return the same place, restricted to some bins."""
        return self._replace(bins=tuple(int(index) for index in bins))

    def __str__(self) -> str:
        words = ("file", "channel", "process", "nuisance")
        parts = [f"{word} {getattr(self, word)}" for word in words if getattr(self, word)]
        if self.bins:
            more = ", …" if len(self.bins) > _SHOWN else ""
            parts.append(f"bin{'s' if len(self.bins) > 1 else ''} {', '.join(map(str, self.bins[:_SHOWN]))}{more}")
        return ", ".join(parts) or "card"


@dataclass(frozen=True)
class CheckFinding(Finding):
    """A finding about a channel, a process, a nuisance or some bins of a card.

    Attributes:
        where: The parts of `place`.
    """

    where: Where = field(default_factory=Where)

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as plain values for JSON, with those parts of its place that are set.

        Numbers that JSON lacks are the texts `inf`, `-inf` and `nan`.
        """
        parts = {name: to_plain(value) for name, value in self.where._asdict().items() if value}
        return super().to_dict() | {"numbers": to_plain(self.numbers)} | parts


def found(
    code: str, severity: Severity, where: Where, message: str, advice: str = "", **numbers: float
) -> CheckFinding:
    """Return a finding.

    Examples:
        >>> print(found("empty-process", Severity.WARNING, Where("SR", "tt"), "no content"))
        warning [empty-process] channel SR, process tt: no content
    """
    values = {name: float(value) for name, value in numbers.items()}
    return CheckFinding(code, severity, str(where), message, advice, values, where)
