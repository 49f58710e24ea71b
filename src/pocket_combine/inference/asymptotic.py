"""Asymptotic upper limits and significances from profile likelihoods.

G. Cowan, K. Cranmer, E. Gross and O. Vitells, Eur. Phys. J. C 71 (2011) 1554, as Combine implements them
(`src/AsymptoticLimits.cc`, `src/Significance.cc`): q-tilde, CLs, expected limits on the actual Asimov profile.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pocket_combine.inference.fitter import BestFit, Fitter
from pocket_combine.inference.normal import normal_quantile, normal_tail
from pocket_combine.inference.roots import bracketed_root
from pocket_combine.results import Quantile, Status
from pocket_combine.templates import FloatArray

__all__ = [
    "EXPECTED_QUANTILES",
    "ExcessTest",
    "Profile",
    "excess",
    "expected_limits",
    "observed_limit",
    "tail_probability",
]

EXPECTED_QUANTILES = (0.025, 0.16, 0.5, 0.84, 0.975)
"""The quantiles of the background-only distribution that Combine reports."""

_TOLERANCE = 1e-5
"""Of an observed limit, relative, and of the logarithm of CLs there."""
_MOST_STEPS = 60


class Profile:
    """Twice the profile ΔNLL of one parameter of interest, which is not negative.

    Args:
        fitter: Fits of the likelihood.
        poi: The parameter of interest.
        best: The best fit with the parameter not below 0.
    """

    def __init__(self, fitter: Fitter, poi: str, best: BestFit) -> None:
        self.fitter = fitter
        self.position = fitter.parameters.index(poi)
        self.best = best
        self._last = best.theta
        self._floats = np.isin(np.arange(best.theta.size), fitter.profiler.floating)

    @property
    def best_value(self) -> float:
        """The parameter at the best fit; not a number where there is none or every value is as good."""
        return best_value(self.best, self.fitter.parameters.names[self.position], self.position)

    def q(self, value: float) -> float:
        """Return twice the ΔNLL between a value and the best fit; not a number where the fit failed."""
        fitted = self.fitter.profiler.fit(self._last, {self.position: value})
        if not fitted.status.usable:
            start = np.where(self._floats, self.fitter.parameters.initial, self.best.theta)
            fitted = self.fitter.profiler.fit(start, {self.position: value})
        if not fitted.status.usable:
            return math.nan
        self._last = fitted.theta
        return max(0.0, 2.0 * (fitted.nll - self.best.nll))


def best_value(best: BestFit, poi: str, position: int) -> float:
    """Return a parameter at a best fit; not a number where there is no minimum or the fit does not determine it."""
    unknown = not best.is_minimum or (best.status is Status.FLAT_DIRECTION and poi in best.concerned)
    return math.nan if unknown else float(best.theta[position])


def tail_probability(q_observed: float, q_asimov: float) -> tuple[float, float]:
    """Return (CLs+b, CLb) of a value of the parameter of interest with the test statistic q-tilde.

    Args:
        q_observed: q of the data.
        q_asimov: q of the background-only Asimov data.

    Examples:
        >>> both = tail_probability(2.7, 2.7)
        >>> round(both[0] / both[1], 4)
        0.1003
    """
    root_observed, root_asimov = math.sqrt(q_observed), math.sqrt(q_asimov)
    if q_observed <= q_asimov or q_asimov == 0:
        return normal_tail(root_observed), normal_tail(root_observed - root_asimov)
    both = normal_tail((q_observed + q_asimov) / (2.0 * root_asimov))
    return both, normal_tail((q_observed - q_asimov) / (2.0 * root_asimov))


def expected_limits(
    asimov: Profile, confidence_level: float, quantiles: Sequence[float] = EXPECTED_QUANTILES
) -> tuple[Quantile, ...]:
    """Return the expected limits, solved on the Asimov profile: q_A(μ) = [N_p + Φ⁻¹(1 - (1 - CL) p)]², N_p = Φ⁻¹(p).

    Args:
        asimov: Profile of the background-only Asimov data.
        confidence_level: Such as 0.95.
        quantiles: Quantiles p of the background-only distribution.
    """
    if not asimov.best.is_minimum:
        return tuple(Quantile(quantile, math.nan, asimov.best.status) for quantile in quantiles)
    limits = []
    out_of_reach = math.inf  # z that the whole range does not reach: larger ones need no search, which is a long one
    for quantile in quantiles:
        z = normal_quantile(quantile) - normal_quantile((1.0 - confidence_level) * quantile)
        if z <= 0 or z >= out_of_reach:
            limits.append(Quantile(quantile, math.nan, Status.NOT_FOUND))
            continue
        end = asimov.fitter.crossing(asimov.best, asimov.position, 0.5 * z**2, 1)
        found, status = end.status is Status.CONVERGED, _unfound(end.status)
        limits.append(Quantile(quantile, end.value if found else math.nan, status))
        if status is Status.NOT_FOUND:
            out_of_reach = z
    return tuple(limits)


def _unfound(status: Status) -> Status:
    return Status.NOT_FOUND if status is Status.AT_BOUNDARY else status


def observed_limit(observed: Profile, asimov: Profile, confidence_level: float, guess: float) -> Quantile:
    """Return the observed limit, where CLs = 1 - CL above the best fit.

    Args:
        observed: Profile of the data.
        asimov: Profile of the background-only Asimov data.
        confidence_level: Such as 0.95.
        guess: A value near the limit, such as the expected one.
    """
    for best in (observed.best, asimov.best):
        if not best.is_minimum:
            return Quantile(None, math.nan, best.status)

    def excess(value: float) -> float:
        both, background = tail_probability(observed.q(value), asimov.q(value))
        if background <= 0 or both <= 0:
            return -math.inf
        return math.log(both / background) - math.log(1.0 - confidence_level)

    low = max(0.0, float(observed.best.theta[observed.position]))
    at_low = excess(low)
    step = max(_gaussian_limit(low, guess, confidence_level) - low, 1e-6)
    high, at_high = low + step, excess(low + step)
    for _ in range(_MOST_STEPS):
        # So far up that the probabilities are 0 nothing tells how far the limit is.
        if at_high == -math.inf:
            middle = 0.5 * (low + high)
            at_middle = excess(middle)
            if at_middle > 0.0:
                low, at_low = middle, at_middle
            else:
                high, at_high = middle, at_middle
        elif at_high > 0.0:
            # Twice as far as a straight line says, which the logarithm of CLs falls below.
            line = at_high * (high - low) / (at_low - at_high) if at_low > at_high else step
            step = min(2.0 * step, 2.0 * line)
            low, at_low = high, at_high
            high, at_high = low + step, excess(low + step)
        else:
            limit = bracketed_root(excess, (low, high), (at_low, at_high), _TOLERANCE * high, negligible=_TOLERANCE)
            return Quantile(None, limit, Status.NOT_CONVERGED if math.isnan(limit) else Status.CONVERGED)
    return Quantile(None, math.nan, Status.NOT_FOUND)


def _gaussian_limit(best: float, median: float, confidence_level: float) -> float:
    """Return the limit if the likelihood were Gaussian, from the median expected one, or a guess of it (eq. 69)."""
    outside = 1.0 - confidence_level
    sigma = max(median if math.isfinite(median) else 1.0, 1e-6) / normal_quantile(1.0 - 0.5 * outside)
    return best + sigma * normal_quantile(1.0 - outside * (1.0 - normal_tail(best / sigma)))


@dataclass(frozen=True)
class ExcessTest:
    """Test of the background-only hypothesis.

    Attributes:
        q0: Twice the ΔNLL between no signal and the best fit.
        significance: Square root of it, negative for a deficit that is not capped.
        best_value: Parameter of interest at the best fit.
        status: How the fits ended. A flat direction of other parameters does not matter: the statistic needs the value
            of the likelihood at its minimum, and not its place.
        best: The best fit.
    """

    q0: float
    significance: float
    best_value: float
    status: Status
    best: BestFit


def excess(fitter: Fitter, poi: str, start: FloatArray | None = None, *, uncapped: bool = False) -> ExcessTest:
    """Return the test of no signal against the best fit.

    Args:
        fitter: Fits of the likelihood.
        poi: The parameter of interest.
        start: `start[parameter]`; the initial values by default.
        uncapped: Whether a deficit has a negative significance. The range of the parameter must allow it.
    """
    position = fitter.parameters.index(poi)
    best = fitter.best(start)
    null = fitter.best(best.theta, {position: 0.0})
    value = best_value(best, poi, position)
    if math.isnan(value) or not null.is_minimum:
        failed = best.status if math.isnan(value) else null.status
        return ExcessTest(math.nan, math.nan, value, failed, best)
    q0 = max(0.0, 2.0 * (null.nll - best.nll))
    if value < 0 and not uncapped:
        q0 = 0.0
    sign = -1.0 if value < 0 else 1.0
    status = best.status if best.status.usable else Status.CONVERGED
    return ExcessTest(q0, sign * float(np.sqrt(q0)), value, status, best)
