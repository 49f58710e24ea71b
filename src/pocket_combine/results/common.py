"""What all results have in common: where they are from, how fits ended, intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from pocket_combine.plain import dump_json, load_json

__all__ = ["Interval", "Numbers", "Provenance", "Result", "Status"]

Numbers: TypeAlias = npt.NDArray[np.float64]
_Result = TypeVar("_Result", bound="Result")


class Status(Enum):
    """How a fit ended. Only `CONVERGED` and `AT_BOUNDARY` can be used as results."""

    CONVERGED = "converged"
    AT_BOUNDARY = "at boundary"
    FLAT_DIRECTION = "flat direction"
    NOT_POSITIVE_DEFINITE = "not positive definite"
    NOT_CONVERGED = "not converged"
    NOT_FINITE = "not finite"
    NOT_FOUND = "not found"

    @property
    def usable(self) -> bool:
        """Whether numbers with this status can be used."""
        return self in (Status.CONVERGED, Status.AT_BOUNDARY)

    @property
    def advice(self) -> str:
        """What the status means and what to do next."""
        return _ADVICE[self]


_ADVICE = {
    Status.CONVERGED: "the minimum was found",
    Status.AT_BOUNDARY: "the minimum lies at the edge of a parameter's range, so the interval is one-sided; "
    "widen the range if the edge has no meaning",
    Status.FLAT_DIRECTION: "the likelihood does not change along the named parameters; freeze one of them",
    Status.NOT_POSITIVE_DEFINITE: "the likelihood curves downwards at the point that was found, so there is no "
    "covariance; start from other values",
    Status.NOT_CONVERGED: "the minimiser stopped before the minimum; start from other values or freeze parameters",
    Status.NOT_FINITE: "the likelihood is not finite at the start; look for a bin with data and no expectation",
    Status.NOT_FOUND: "the likelihood does not reach the level inside the parameter's range; widen the range",
}


@dataclass(frozen=True)
class Provenance:
    """Where a result comes from.

    Attributes:
        card: SHA-256 of the card and its templates.
        version: Version of the package.
        data: `observed`, `asimov` or `toy`.
        options: Options of the call, by name.
        seed: Seed of the random numbers, if any were drawn.
    """

    card: str
    version: str
    data: str
    options: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None


@dataclass(frozen=True)
class Result:
    """What all results have in common.

    Attributes:
        provenance: Where the result comes from.
    """

    provenance: Provenance

    def to_json(self) -> str:
        """Return the result as JSON text."""
        return dump_json(self)

    @classmethod
    def from_json(cls: type[_Result], text: str) -> _Result:
        """Return the result that `to_json` wrote.

        Raises:
            ResultError: If the text is not JSON or holds something else.
        """
        return load_json(cls, text)


@dataclass(frozen=True)
class Interval:
    """A profile-likelihood interval of one parameter.

    Attributes:
        parameter: Name of the parameter.
        best: Best-fit value.
        low: Lower end; the edge of the range where `low_status` is not `CONVERGED`.
        high: Upper end.
        delta_nll: The level: 0.5 for 68.27 % as MINOS takes it.
        low_status: How the lower end was found.
        high_status: How the upper end was found.
    """

    parameter: str
    best: float
    low: float
    high: float
    delta_nll: float
    low_status: Status = Status.CONVERGED
    high_status: Status = Status.CONVERGED
