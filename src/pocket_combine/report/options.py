"""What may be asked of a report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pocket_combine.errors import DeclarationError, nearest
from pocket_combine.plotting.style import Style

__all__ = ["SECTION_NAMES", "ReportOptions"]

SECTION_NAMES = (
    "card",
    "checks",
    "names",
    "fit",
    "yields",
    "impacts",
    "goodness",
    "bias",
    "limits",
    "significance",
    "scan",
    "effects",
    "scheme",
)
"""The sections of a report, in the order of the page."""


@dataclass(frozen=True)
class ReportOptions:
    """What a report holds and how it is drawn.

    Attributes:
        unblind: Whether the observation is fitted and shown. Without, nothing in a report depends on it.
        expect_signal: Signal strength of Asimov data and of the second bias test; the first one is at 0.
        toys: Number of toys of each bias test and of the goodness of fit.
        seed: Seed that those of the toys are derived from; see `toy_seeds`.
        points: Number of points of likelihood scans.
        only: Names of the sections that are wanted; all if empty.
        skip: Names of sections that are not wanted.
        dictionary: Naming dictionary of the collaboration, a YAML file.
        analysis_dictionary: Dictionary of this analysis.
        style: How figures are drawn.
        details: Number of nuisances, those with the largest impacts, whose templates are drawn.

    Raises:
        DeclarationError: If there is no such section, or a number makes no sense.

    Examples:
        >>> ReportOptions(only=("impacts", "fit")).sections
        ('fit', 'impacts')
        >>> ReportOptions(seed=1).toy_seeds
        {'goodness': 1835504127, 'first bias test': 1731038949, 'second bias test': 1320224556}
    """

    unblind: bool = False
    expect_signal: float = 1.0
    toys: int = 100
    seed: int = 1
    points: int = 31
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    dictionary: Path | None = None
    analysis_dictionary: Path | None = None
    style: Style = field(default_factory=Style)
    details: int = 40

    def __post_init__(self) -> None:
        problems = list(_unknown(self.only)) + list(_unknown(self.skip))
        if not problems and not self.sections:
            problems.append("no section is left: all that are wanted are skipped, too")
        smallest = {"toys": 2, "seed": 0, "points": 3, "details": 0}
        for name, least in smallest.items():
            if getattr(self, name) < least:
                problems.append(f"{name} is {getattr(self, name)}, expected at least {least}")
        if self.analysis_dictionary is not None and self.dictionary is None:
            problems.append("a dictionary of the analysis needs the one of the collaboration beside it")
        if problems:
            raise DeclarationError(problems)

    @property
    def toy_seeds(self) -> dict[str, int]:
        """Seeds of the toys by what they are for: different, so that tests with toys are independent of each other.

        They are words of the state of `numpy.random.SeedSequence(seed)`.
        """
        names = ("goodness", "first bias test", "second bias test")
        return dict(zip(names, np.random.SeedSequence(self.seed).generate_state(len(names)).tolist(), strict=True))

    @property
    def sections(self) -> tuple[str, ...]:
        """Names of the sections that are wanted, in the order of the page."""
        return tuple(name for name in SECTION_NAMES if name in (self.only or SECTION_NAMES) and name not in self.skip)


def _unknown(names: Iterable[str]) -> Iterable[str]:
    return (f"no section {name!r}: {nearest(name, SECTION_NAMES)}" for name in names if name not in SECTION_NAMES)
