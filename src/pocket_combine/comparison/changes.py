"""What differs between two cards, as plain frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Change", "Comparison"]

_PLACED = frozenset({"template", "yield", "bin errors", "data", "binning", "autoMCStats", "class"})
"""Subjects that are called by their channel and process; `before` and `after` are values."""

_INTO = {"renamed": "to", "split": "into", "merged": "into", "regrouped": "into"}


@dataclass(frozen=True)
class Change:
    """One difference.

    Attributes:
        subject: What differs: `channel`, `process`, `column`, `nuisance`, `template`, `data`, `rate parameter`, ….
        action: `appeared`, `vanished`, `renamed`, `split`, `merged`, `regrouped` or `changed`.
        before: Names in the first card, or its value.
        after: Names in the second card, or its value.
        message: What differs, one sentence.
        channel: The channel, by its name in the second card if it is there; empty where it is not about one.
        process: The process, likewise.
        nuisance: The nuisance, likewise.
        size: Size of the effect in units of the statistical error of the data, 0 where there is no such number.

    Examples:
        >>> print(Change("channel", "renamed", ("SR",), ("signal",), "", channel="signal"))
        channel SR renamed to signal
        >>> print(Change("nuisance", "changed", ("JES",), ("JES",), "kappa 1.02 → 1.03", nuisance="JES", size=0.25))
        nuisance JES changed: kappa 1.02 → 1.03 (0.25 standard deviations of the data)
    """

    subject: str
    action: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    message: str = ""
    channel: str = ""
    process: str = ""
    nuisance: str = ""
    size: float = 0.0

    def __str__(self) -> str:
        if self.subject in _PLACED:
            words = (("channel", self.channel), ("process", self.process))
            what = "of " + ", ".join(f"{word} {name}" for word, name in words if name)
        else:
            what = ", ".join(self.before or self.after)
        text = f"{self.subject} {what} {self.action}"
        if self.action in _INTO:
            text += f" {_INTO[self.action]} {', '.join(self.after)}"
        text += f": {self.message}" if self.message else ""
        return text + (f" ({self.size:.2g} standard deviations of the data)" if self.size else "")

    def to_dict(self) -> dict[str, Any]:
        """Return the change as plain values for JSON."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in vars(self).items()}


@dataclass(frozen=True)
class Comparison:
    """All differences between two cards; true if there are any.

    Attributes:
        changes: First what appeared, vanished or was renamed, in the order channels, columns, nuisances, parameters,
            then what changed, the largest effect first.

    Examples:
        >>> comparison = Comparison((Change("channel", "vanished", ("CR",), ()),))
        >>> bool(comparison), comparison.exit_status
        (True, 1)
        >>> bool(Comparison(())), Comparison(()).exit_status
        (False, 0)
    """

    changes: tuple[Change, ...]

    def __bool__(self) -> bool:
        return bool(self.changes)

    @property
    def exit_status(self) -> int:
        """0 if the cards mean the same, 1 if not, as of the program `diff`."""
        return int(bool(self.changes))

    def of(self, subject: str) -> tuple[Change, ...]:
        """Return the changes of one subject, in their order."""
        return tuple(change for change in self.changes if change.subject == subject)

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as plain values for JSON."""
        return {"same": not self.changes, "changes": [change.to_dict() for change in self.changes]}
