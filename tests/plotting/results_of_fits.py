"""Small results for tests of figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from pocket_combine.results import (
    Interval,
    LimitResult,
    Provenance,
    Quantile,
    ScanResult,
    Status,
    ToyResult,
)
from pocket_combine.templates import FloatArray

CONVERGED, FAILED = Status.CONVERGED, Status.NOT_CONVERGED


def provenance(data: str = "asimov", card: str = "a1") -> Provenance:
    return Provenance(card, "0.1", data)


def parabola(
    width: float = 0.5,
    best: float = 1.0,
    *,
    points: Sequence[float] | FloatArray | None = None,
    failed: Sequence[int] = (),
    data: str = "asimov",
    card: str = "a1",
    name: str = "r",
    crossings: tuple[Interval, ...] = (),
    profiled: bool = True,
) -> ScanResult:
    """A scan whose -2 delta NLL is ((r - best) / width)²."""
    values = np.linspace(-1.0, 3.0, 21) if points is None else np.asarray(points, float)
    delta_nll = ((values - best) / width) ** 2 / 2
    statuses = [FAILED if at in failed else CONVERGED for at in range(values.size)]
    delta_nll[list(failed)] = np.nan
    return ScanResult(
        provenance(data, card),
        (name,),
        values[:, np.newaxis],
        delta_nll,
        tuple(statuses),
        np.array([best]),
        profiled,
        crossings,
    )


def bowl(
    correlation: float = 0.0,
    *,
    keep: npt.NDArray[np.bool_] | None = None,
    failed: Sequence[int] = (),
    steps: int = 21,
    data: str = "asimov",
    names: tuple[str, str] = ("r_ggH", "r_VBF"),
) -> ScanResult:
    """A scan of two parameters around (1, 2) with widths 0.5 and 1."""
    x, y = np.meshgrid(np.linspace(-1.0, 3.0, steps), np.linspace(-2.0, 6.0, steps), indexing="ij")
    points = np.column_stack([x.ravel(), y.ravel()])
    if keep is not None:
        points = points[keep]
    u, v = (points[:, 0] - 1.0) / 0.5, points[:, 1] - 2.0
    delta_nll = (u**2 + v**2 - 2 * correlation * u * v) / (1 - correlation**2) / 2
    statuses = [FAILED if at in failed else CONVERGED for at in range(len(points))]
    return ScanResult(provenance(data), names, points, delta_nll, tuple(statuses), np.array([1.0, 2.0]))


def limit(
    scale: float = 1.0,
    *,
    observed: float | None = None,
    missing: Sequence[float] = (),
    poi: str = "r",
    confidence_level: float = 0.95,
) -> LimitResult:
    """Limits at 0.5, 0.7, 1, 1.4 and 2 times a scale; those of `missing` quantiles were not found."""
    expected = tuple(
        Quantile(quantile, float("nan"), Status.NOT_FOUND)
        if quantile in missing
        else Quantile(quantile, scale * factor)
        for quantile, factor in zip((0.025, 0.16, 0.5, 0.84, 0.975), (0.5, 0.7, 1.0, 1.4, 2.0), strict=True)
    )
    seen = None if observed is None else Quantile(None, observed)
    data = "asimov" if observed is None else "observed"
    return LimitResult(provenance(data), poi, confidence_level, seen, expected, None if observed is None else 0.1)


def toys(
    injected: float = 1.0, count: int = 400, *, bias: float = 0.0, width: float = 1.0, failed: int = 0
) -> ToyResult:
    """Toys whose pulls are quantiles of a Gaussian, in order."""
    pulls = bias + width * norm.ppf((np.arange(count) + 0.5) / count)
    sigma = np.full(count, 0.2)
    return ToyResult(provenance("toy"), "r", injected, injected + 0.2 * pulls, sigma, sigma, pulls, failed)
