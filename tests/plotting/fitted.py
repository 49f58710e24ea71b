"""Results of fits whose numbers are easy to check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pocket_combine.results import (
    FitResult,
    Impact,
    ImpactResult,
    Interval,
    Provenance,
    Status,
    UncertaintyGroup,
)

CONVERGED = (Status.CONVERGED, Status.CONVERGED)
LONG = "CMS_a_rather_long_name_of_a_nuisance_{:03d}_2016_PreVFP_13TeV_end"
"""A name of 60 characters."""


@dataclass(frozen=True)
class Fitted:
    """A parameter of a fit.

    Attributes:
        value: At the minimum.
        error: From the covariance.
        prefit: (low, preferred, high).
        floating: Whether it was fitted.
        kind: What made it.
    """

    value: float
    error: float
    prefit: tuple[float, float, float] = (-1.0, 0.0, 1.0)
    floating: bool = True
    kind: str = "lnN"


R = Fitted(1.05, 0.2, (1.0, 1.0, 1.0), kind="POI")


def provenance(data: str = "observed", **options: Any) -> Provenance:
    return Provenance("a1", "0.1", data, options)


def fit(
    parameters: Mapping[str, Fitted],
    *,
    status: Status = Status.CONVERGED,
    concerned: tuple[str, ...] = (),
    intervals: Sequence[Interval] = (),
    correlations: Mapping[tuple[str, str], float] | None = None,
    pois: tuple[str, ...] = ("r",),
    origin: Provenance | None = None,
) -> FitResult:
    """A fit; without correlations its covariance is diagonal."""
    floating = [name for name, item in parameters.items() if item.floating]
    errors = np.nan_to_num([parameters[name].error for name in floating], posinf=0.0)
    matrix = np.eye(len(floating))
    for (one, other), value in (correlations or {}).items():
        at, there = floating.index(one), floating.index(other)
        matrix[at, there] = matrix[there, at] = value
    covariance = matrix * np.outer(errors, errors) if status.usable else np.zeros((0, 0))
    return FitResult(
        provenance=origin or provenance(),
        status=status,
        concerned=concerned,
        parameters=tuple(parameters),
        floating=np.array([item.floating for item in parameters.values()], dtype=np.bool_),
        values=np.array([item.value for item in parameters.values()]),
        errors=np.array([item.error for item in parameters.values()]),
        covariance=covariance,
        nll=1.0,
        delta_nll=-0.5,
        intervals=tuple(intervals),
        pois=pois,
        evaluations=10,
        prefit=np.array([item.prefit for item in parameters.values()]).reshape(-1, 3),
        kinds=tuple(item.kind for item in parameters.values()),
    )


def many(count: int) -> FitResult:
    """A fit of many nuisances with names of 60 characters, and of ten rate parameters."""
    parameters = {"r": R}
    parameters |= {LONG.format(at): Fitted(np.sin(at) * 1.5, 0.5 + 0.5 * np.cos(at) ** 2) for at in range(count)}
    parameters |= {f"SF_{at}": Fitted(1.0 + 0.1 * at, 0.1, (1.0, 1.0, 1.0), kind="rateParam") for at in range(10)}
    pairs = {("r", LONG.format(0)): -0.5, (LONG.format(1), LONG.format(2)): 0.7}
    return fit(parameters, correlations={pair: value for pair, value in pairs.items() if set(pair) <= set(parameters)})


def impact(
    name: str,
    low: float,
    high: float,
    *,
    best: float = 1.0,
    prefit: tuple[float, float, float] = (-1.0, 0.0, 1.0),
    fitted: tuple[float, float, float] = (-0.8, 0.1, 1.0),
    statuses: tuple[Status, Status] = CONVERGED,
    groups: tuple[str, ...] = (),
) -> Impact:
    """A nuisance that moves `r` from `best` by `low` and `high`."""
    kind = "Gaussian" if prefit[0] < prefit[2] else "Unconstrained"
    values = {"r": (best + low, best, best + high), "k": (best - high, best, best - low)}
    return Impact(name, kind, groups, prefit, fitted, values, statuses)


def impact_result(
    *impacts: Impact,
    breakdown: tuple[UncertaintyGroup, ...] = (),
    intervals: Sequence[Interval] = (Interval("r", 1.0, 0.8, 1.25, 0.5), Interval("k", 1.0, 0.9, 1.1, 0.5)),
    data: str = "observed",
) -> ImpactResult:
    return ImpactResult(provenance(data), tuple(intervals), impacts, breakdown)
