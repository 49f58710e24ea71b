"""What was noticed about an input: a finding has a stable code, a severity, a place, numbers and advice.

Nothing is printed where a finding arises. Builders and checks return findings; the command line presents them.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pocket_combine.errors import FindingsError

__all__ = ["Severity", "Finding", "at_least", "raise_errors"]


class Severity(enum.IntEnum):
    """How bad a finding is.

    `ERROR`: Combine would refuse it, or it does nothing. `WARNING`: it looks wrong. `INFO`: good to know.
    """

    INFO = 10
    WARNING = 20
    ERROR = 30

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True)
class Finding:
    """One thing noticed about an input.

    Attributes:
        code: Stable identifier in kebab-case, for filters and documentation.
        severity: See `Severity`.
        place: Where: `channel SR_run3, process ttbar_2018, bin 3`, a file and line, ….
        message: What was found and what was expected, one sentence.
        advice: What to do next; may be empty.
        numbers: The figures behind the message, by name.

    Examples:
        >>> print(Finding("negative-bin", Severity.WARNING, "channel SR, process ttbar", "bin 2 has content -0.3"))
        warning [negative-bin] channel SR, process ttbar: bin 2 has content -0.3
    """

    code: str
    severity: Severity
    place: str
    message: str
    advice: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        advice = f" — {self.advice}" if self.advice else ""
        return f"{self.severity} [{self.code}] {self.place}: {self.message}{advice}"

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as plain values for JSON."""
        return {
            "code": self.code,
            "severity": str(self.severity),
            "place": self.place,
            "message": self.message,
            "advice": self.advice,
            "numbers": dict(self.numbers),
        }


def at_least(findings: Iterable[Finding], severity: Severity) -> list[Finding]:
    """Return the findings that are as bad as `severity` or worse, in their order."""
    return [finding for finding in findings if finding.severity >= severity]


def raise_errors(findings: Iterable[Finding]) -> None:
    """Raise `FindingsError` with all findings of severity *error*, if there is one.

    Raises:
        FindingsError: If at least one finding has severity *error*.
    """
    errors = at_least(findings, Severity.ERROR)
    if errors:
        raise FindingsError(errors)
