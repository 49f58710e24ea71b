"""What is found with toys: the goodness of fit, and the bias test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pocket_combine.results.common import Numbers, Result, Status

__all__ = ["BiasResult", "GoodnessOfFitResult", "ToyResult"]


@dataclass(frozen=True, eq=False)
class GoodnessOfFitResult(Result):
    """Goodness of fit.

    Attributes:
        algorithm: `saturated`, `KS` or `AD`.
        statistic: Test statistic of the data; `None` in a blind result.
        by_channel: Its part per channel.
        toys: `toys[toy]`, the statistic in toys.
        p_value: Fraction of toys at least as large as the data's; `None` without toys or data.
        failed_toys: Number of toys whose fit failed; they are not among `toys`.
        status: How the fit of the data ended.
    """

    algorithm: str
    statistic: float | None
    by_channel: Mapping[str, float]
    toys: Numbers
    p_value: float | None
    failed_toys: int
    status: Status


@dataclass(frozen=True, eq=False)
class ToyResult(Result):
    """Fits of toys.

    Attributes:
        poi: The fitted parameter of interest.
        injected: Its value in the toys.
        values: `values[toy]`, best fits.
        low: `low[toy]`, uncertainty below the best fit, positive.
        high: `high[toy]`, uncertainty above it.
        pulls: `pulls[toy]`, (best fit - injected) / uncertainty on the side of the injected value.
        failed: Number of toys whose fit failed; they are not in the arrays.
    """

    poi: str
    injected: float
    values: Numbers
    low: Numbers
    high: Numbers
    pulls: Numbers
    failed: int


@dataclass(frozen=True, eq=False)
class BiasResult(Result):
    """Fits of toys at several injected values of one parameter.

    Attributes:
        poi: The fitted parameter of interest.
        tests: The toys at each injected value, in the order of the request; each knows its own seed.
    """

    poi: str
    tests: tuple[ToyResult, ...]

    @property
    def failed(self) -> int:
        """Number of toys of all values whose fit failed."""
        return sum(test.failed for test in self.tests)
