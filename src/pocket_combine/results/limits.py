"""Upper limits, and the significance of an excess."""

from __future__ import annotations

from dataclasses import dataclass

from pocket_combine.results.common import Result, Status

__all__ = ["Quantile", "LimitResult", "SignificanceResult"]


@dataclass(frozen=True)
class Quantile:
    """An upper limit.

    Attributes:
        quantile: Quantile of the background-only distribution (0.5 is the median); `None` for the observed limit.
        limit: The limit; not a number where it was not found.
        status: How it was found.
    """

    quantile: float | None
    limit: float
    status: Status = Status.CONVERGED


@dataclass(frozen=True)
class LimitResult(Result):
    """Asymptotic CLs upper limits.

    Attributes:
        poi: The parameter of interest.
        confidence_level: Such as 0.95.
        observed: The observed limit; `None` in a blind result.
        expected: Expected limits, lowest quantile first.
        best_fit: Best-fit value of the parameter in the observed data; `None` in a blind result.
        status: `CONVERGED` if all limits were found. `FLAT_DIRECTION` if there are none because the data do not
            constrain the parameter; otherwise the status of the first limit that was not found, which is also the
            default.
        concerned: Parameters that the status is about.

    Examples:
        >>> from pocket_combine.results import Provenance
        >>> lost = Quantile(0.5, float("nan"), Status.NOT_FOUND)
        >>> LimitResult(Provenance("a1", "0.1", "asimov"), "r", 0.95, None, (lost,)).status.usable
        False
    """

    poi: str
    confidence_level: float
    observed: Quantile | None
    expected: tuple[Quantile, ...]
    best_fit: float | None = None
    status: Status = Status.CONVERGED
    concerned: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        lost = [quantile.status for quantile in self.limits if not quantile.status.usable]
        if lost and self.status.usable:
            object.__setattr__(self, "status", lost[0])

    @property
    def limits(self) -> tuple[Quantile, ...]:
        """All limits, the expected ones first."""
        return self.expected if self.observed is None else (*self.expected, self.observed)


@dataclass(frozen=True)
class SignificanceResult(Result):
    """Significance of an excess over the background-only hypothesis.

    Attributes:
        poi: The parameter of interest.
        significance: In standard deviations.
        p_value: One-sided.
        q0: Test statistic, twice the ΔNLL between no signal and the best fit.
        best_fit: Best-fit value of the parameter.
        status: How the fits ended.
    """

    poi: str
    significance: float
    p_value: float
    q0: float
    best_fit: float
    status: Status
