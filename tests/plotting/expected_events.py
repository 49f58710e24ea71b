"""Results of `postfit` for tests of figures and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pocket_combine.results import ChannelYields, PostfitResult, Provenance


def channel(
    name: str,
    processes: Mapping[str, npt.ArrayLike],
    *,
    signals: Sequence[str] = ("ttH",),
    edges: npt.ArrayLike | None = None,
    errors: npt.ArrayLike = 0.0,
    observed: npt.ArrayLike | None = None,
    total: npt.ArrayLike | None = None,
) -> ChannelYields:
    """A channel whose bins are uncorrelated."""
    expected = np.array([np.asarray(row, dtype=float) for row in processes.values()])
    bins = expected.shape[1]
    sums = expected.sum(axis=0) if total is None else np.array(total, dtype=float)
    spread = np.broadcast_to(np.asarray(errors, dtype=float), bins)
    return ChannelYields(
        channel=name,
        edges=np.arange(bins + 1.0) if edges is None else np.array(edges, dtype=float),
        processes=tuple(processes),
        expected=expected,
        errors=np.zeros_like(expected),
        total=sums,
        total_errors=spread,
        covariance=np.diag(spread**2),
        signal=tuple(process in signals for process in processes),
        observed=None if observed is None else np.array(observed, dtype=float),
    )


def result(
    *channels: ChannelYields,
    point: str = "fit",
    yields: Mapping[str, tuple[float, float]] | None = None,
    options: Mapping[str, Any] | None = None,
) -> PostfitResult:
    """A result with these channels; without observation it is one of Asimov data."""
    data = "asimov" if any(one.observed is None for one in channels) else "observed"
    return PostfitResult(Provenance("a1", "0.1", data, options or {}), point, "propagation", channels, yields or {})
