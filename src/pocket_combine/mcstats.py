"""Which parameters `autoMCStats` puts on a bin: the only place that decides.

Combine decides once, at the initial point of the model (`src/CMSHistErrorPropagator.cc`, `setupBinPars`). The
likelihood and the checks both take the decision from here.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pocket_combine.templates import FloatArray

__all__ = ["BinDecision", "BinParameters", "decide_bin_parameters"]

BoolArray = npt.NDArray[np.bool_]

_ALMOST_ONE_EVENT = 0.999
"""A content of at least this many of its errors may get a Poisson parameter."""


class BinDecision(enum.IntEnum):
    """How the statistical uncertainty of the templates enters a bin."""

    NONE = 0
    """No parameter: no counted process has an error."""
    SHARED = 1
    """One Gaussian parameter for the sum of all processes (Barlow-Beeston lite)."""
    SEPARATE = 2
    """A parameter for each process that has an error (Barlow-Beeston)."""


@dataclass(frozen=True, eq=False)
class BinParameters:
    """The parameters of the bins of one channel.

    Attributes:
        decisions: `decisions[bin]`, values of `BinDecision`.
        effective_events: `effective_events[bin]`, the rounded number of unweighted events with the relative error of
            the sum of the counted processes; 0 without errors.
        poisson: `poisson[column, bin]`, whether the process has a Poisson parameter of its own.
        gaussian: `gaussian[column, bin]`, whether the process has a Gaussian parameter of its own.
        events: `events[column, bin]`, the mean of each Poisson parameter; 0 where there is none.
    """

    decisions: npt.NDArray[np.int8]
    effective_events: FloatArray
    poisson: BoolArray
    gaussian: BoolArray
    events: FloatArray

    @property
    def count(self) -> int:
        """Number of parameters."""
        shared = int((self.decisions == BinDecision.SHARED).sum())
        return shared + int(self.poisson.sum()) + int(self.gaussian.sum())


def decide_bin_parameters(
    contents: FloatArray, errors: FloatArray, scales: FloatArray, counted: BoolArray, threshold: float
) -> BinParameters:
    """Return the parameters of the bins of one channel.

    With S = Σ C T and E² = Σ (C e)² over the counted processes, a bin without errors (E = 0) has no parameter; one
    with m = ⌊1/2 + S²/E²⌋ effective events above the threshold has one Gaussian parameter for the sum. In any other
    bin each process decides for itself: with k = ⌊1/2 + T²/e²⌋ it has a Poisson parameter of mean k if T ≥ 0.999 e
    and k is at most the threshold, otherwise a Gaussian one; none if e = 0.

    Args:
        contents: `contents[column, bin]`, T, the templates, not below Combine's floor of 1e-9.
        errors: `errors[column, bin]`, e, their statistical uncertainties.
        scales: `scales[column]`, C, what multiplies each template at the initial point.
        counted: `counted[column]`, whether the process counts for the decision: backgrounds, and signals with
            `include_signal`.
        threshold: The threshold of the `autoMCStats` line; below 0 there are no parameters.

    Examples:
        >>> parameters = decide_bin_parameters(
        ...     np.array([[100.0, 4.0], [10.0, 0.5]]),
        ...     np.array([[5.0, 2.0], [1.0, 1.0]]),
        ...     np.ones(2),
        ...     np.array([True, True]),
        ...     threshold=10,
        ... )
        >>> [BinDecision(decision).name for decision in parameters.decisions], parameters.effective_events.tolist()
        (['SHARED', 'SEPARATE'], [465.0, 4.0])
        >>> parameters.poisson[:, 1].tolist(), parameters.gaussian[:, 1].tolist(), parameters.events[:, 1].tolist()
        ([True, False], [False, True], [4.0, 0.0])
        >>> parameters.count
        3
    """
    weights = scales[counted, np.newaxis]
    sums: FloatArray = (weights * contents[counted]).sum(axis=0)
    squares: FloatArray = ((weights * errors[counted]) ** 2).sum(axis=0)
    some = squares > 0
    effective = np.zeros_like(sums)
    effective[some] = np.floor(0.5 + sums[some] ** 2 / squares[some])
    decisions = np.zeros(sums.shape, dtype=np.int8)
    if threshold >= 0:
        decisions[some] = np.where(effective[some] > threshold, BinDecision.SHARED, BinDecision.SEPARATE)

    own = (errors > 0) & (decisions == BinDecision.SEPARATE)
    events = np.zeros_like(contents)
    events[own] = np.floor(0.5 + contents[own] ** 2 / errors[own] ** 2)
    poisson = own & (contents > 0) & (contents >= _ALMOST_ONE_EVENT * errors) & (events <= threshold)
    return BinParameters(decisions, effective, poisson, own & ~poisson, np.where(poisson, events, 0.0))
