"""Scans of one parameter as curves of −2ΔNLL: their intervals, and how these split into parts.

Between neighbouring points √(2ΔNLL) is interpolated, with the sign of the side of the best fit: a straight line where
the likelihood is a parabola. Nothing is interpolated across a point whose fit failed.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from pocket_combine.errors import StyleError
from pocket_combine.results import ScanResult, Status, UncertaintyGroup
from pocket_combine.templates import FloatArray

__all__ = ["LEVELS", "Curve", "curves_of", "height_of", "split_uncertainty"]

LEVELS = (float(chi2.cdf(1.0, 1)), float(chi2.cdf(4.0, 1)))
"""Probabilities of one and two standard deviations of a Gaussian: 68.27 % and 95.45 %."""

_MINOS_DELTA_NLL = 0.5
_RISE = 0.01
"""By how much, relative, an uncertainty may rise when more is frozen: intervals are searched with a tolerance."""


def height_of(level: float, parameters: int) -> float:
    """Return the −2ΔNLL at which the profile likelihood has a probability, by Wilks' theorem.

    Args:
        level: The probability.
        parameters: Number of parameters: the degrees of freedom of the χ² distribution.

    Raises:
        StyleError: If the level is no probability between 0 and 1.

    Examples:
        >>> [round(height_of(level, 2), 2) for level in LEVELS], round(height_of(0.95, 1), 2)
        ([2.3, 6.18], 3.84)
    """
    if not 0.0 < level < 1.0:
        raise StyleError(f"a confidence level of {level:g}, expected a number between 0 and 1")
    return float(chi2.ppf(level, parameters))


@dataclass(frozen=True, eq=False)
class Curve:
    """A scan of one parameter.

    Attributes:
        label: What it is called; may be empty.
        parameter: Name of the parameter.
        data: What was fitted: `observed`, `asimov`, ….
        best: Best-fit value.
        values: `values[point]` of the parameter, increasing.
        heights: `heights[point]`, −2ΔNLL; not a number where the fit failed.
        ends: Ends of the profile-likelihood interval at −2ΔNLL = 1 that fits found, where they are known.
    """

    label: str
    parameter: str
    data: str
    best: float
    values: FloatArray
    heights: FloatArray
    ends: tuple[float, float] = (math.nan, math.nan)

    @classmethod
    def of(cls, scan: ScanResult, label: str = "") -> Curve:
        """Return the curve of a scan.

        Args:
            scan: The scan.
            label: What it is called.

        Raises:
            StyleError: If the scan has another number of parameters than one.

        Examples:
            >>> from pocket_combine.results import Provenance
            >>> points, converged = np.array([[0.0], [1.0], [3.0]]), (Status.CONVERGED,) * 3
            >>> delta_nll, best = np.array([0.5, 0.0, 2.0]), np.array([1.0])
            >>> scan = ScanResult(Provenance("a1", "0.1", "asimov"), ("r",), points, delta_nll, converged, best)
            >>> Curve.of(scan).interval(1.0)
            (0.0, 2.0)
        """
        if len(scan.scanned) != 1:
            raise StyleError(f"the scan is one of {' and '.join(scan.scanned)}, expected one parameter")
        values = np.asarray(scan.points, dtype=np.float64).reshape(-1)
        usable = np.array([status.usable for status in scan.statuses], dtype=bool) & np.isfinite(scan.delta_nll)
        heights = np.where(usable, 2.0 * scan.delta_nll, np.nan)
        order = np.argsort(values, kind="stable")
        ends = [math.nan, math.nan]
        for interval in scan.crossings if scan.profiled else ():
            if interval.parameter == scan.scanned[0] and math.isclose(interval.delta_nll, _MINOS_DELTA_NLL):
                ends[0] = interval.low if interval.low_status is Status.CONVERGED else math.nan
                ends[1] = interval.high if interval.high_status is Status.CONVERGED else math.nan
        return cls(
            label=label,
            parameter=scan.scanned[0],
            data=scan.provenance.data,
            best=float(scan.best[0]),
            values=values[order],
            heights=heights[order],
            ends=(ends[0], ends[1]),
        )

    @property
    def failed(self) -> FloatArray:
        """Values at which the fit failed."""
        result: FloatArray = self.values[np.isnan(self.heights)]
        return result

    def sections(self) -> tuple[tuple[FloatArray, FloatArray], ...]:
        """Return (values, heights) of neighbouring points without a failed one among them, the best fit added."""
        values, heights = self.values, self.heights
        if math.isfinite(self.best) and not np.isclose(values, self.best, rtol=1e-12, atol=0.0).any():
            place = int(np.searchsorted(values, self.best))
            inside = 0 < place < values.size and np.isfinite(heights[place - 1 : place + 1]).all()
            if inside:
                values, heights = np.insert(values, place, self.best), np.insert(heights, place, 0.0)
        breaks = np.flatnonzero(np.isnan(heights))
        parts = zip(np.split(values, breaks), np.split(heights, breaks), strict=True)
        kept = ((x[np.isfinite(y)], y[np.isfinite(y)]) for x, y in parts)
        return tuple((x, y) for x, y in kept if x.size)

    def smooth(self, steps: int = 12) -> tuple[FloatArray, FloatArray]:
        """Return (values, heights) to be joined by a line, with gaps of nan.

        Args:
            steps: Number of steps between two points.
        """
        parts: list[tuple[FloatArray, FloatArray]] = []
        for values, heights in self.sections():
            fractions = np.arange(steps) / steps
            fine = (values[:-1, np.newaxis] + np.diff(values)[:, np.newaxis] * fractions).reshape(-1)
            fine = np.append(fine, values[-1])
            parts += [(fine, self._interpolated(fine, values, heights)), (np.array([np.nan]), np.array([np.nan]))]
        if not parts:
            return np.zeros(0), np.zeros(0)
        return np.concatenate([x for x, _ in parts]), np.concatenate([y for _, y in parts])

    def _interpolated(self, at: FloatArray, values: FloatArray, heights: FloatArray) -> FloatArray:
        """Return heights between points; below the best fit, where roots do not exist, heights are interpolated."""
        roots = np.sign(values - self.best) * np.sqrt(np.maximum(heights, 0.0))
        place = np.clip(np.searchsorted(values, at, side="right") - 1, 0, max(values.size - 2, 0))
        below = np.minimum(heights[place], heights[np.minimum(place + 1, values.size - 1)]) < 0.0
        result: FloatArray = np.where(below, np.interp(at, values, heights), np.interp(at, values, roots) ** 2)
        return result

    def crossings(self, height: float) -> tuple[float, ...]:
        """Return all values at which the curve crosses a height, increasing."""
        found: list[float] = []
        for values, heights in self.sections():
            roots = np.sqrt(np.maximum(heights, 0.0)) - math.sqrt(height)
            for left in np.flatnonzero(roots[:-1] * roots[1:] < 0.0):
                share = roots[left] / (roots[left] - roots[left + 1])
                found.append(float(values[left] + share * (values[left + 1] - values[left])))
            found += values[roots == 0.0].tolist()
        if math.isclose(height, 2.0 * _MINOS_DELTA_NLL):
            found = self._with_ends(found)
        return tuple(sorted(set(found)))

    def _with_ends(self, found: Sequence[float]) -> list[float]:
        """Return crossings with those next to the best fit replaced by what fits found."""
        low, high = self.ends
        result = list(found)
        below, above = [x for x in found if x < self.best], [x for x in found if x > self.best]
        if math.isfinite(low):
            result = [x for x in result if not below or x != max(below)] + [low]
        if math.isfinite(high):
            result = [x for x in result if not above or x != min(above)] + [high]
        return result

    def interval(self, height: float) -> tuple[float, float]:
        """Return the crossings next to the best fit, below and above.

        Not a number where the scan ends before it crosses, or where a failed point lies between it and the best fit.
        """
        exact = self.ends if math.isclose(height, 2.0 * _MINOS_DELTA_NLL) else (math.nan, math.nan)
        low = max((x for x in self.crossings(height) if x <= self.best), default=math.nan)
        high = min((x for x in self.crossings(height) if x >= self.best), default=math.nan)
        failed = self.failed
        if ((failed > low) & (failed < self.best)).any():
            low = math.nan
        if ((failed < high) & (failed > self.best)).any():
            high = math.nan
        return (
            exact[0] if math.isfinite(exact[0]) else low,
            exact[1] if math.isfinite(exact[1]) else high,
        )


def curves_of(scans: Mapping[str, ScanResult]) -> tuple[Curve, ...]:
    """Return the curves of scans that are drawn together.

    Args:
        scans: Scans of one parameter, by label.

    Raises:
        StyleError: If there are none, or they are scans of different parameters.
    """
    curves = tuple(Curve.of(scan, label) for label, scan in scans.items())
    names = dict.fromkeys(curve.parameter for curve in curves)
    if len(names) != 1:
        raise StyleError(f"scans of one parameter are drawn together, found {', '.join(names) or 'none'}")
    return curves


def split_uncertainty(
    scans: Mapping[str, ScanResult], parts: Sequence[str], height: float = 1.0
) -> tuple[UncertaintyGroup, ...]:
    """Return the parts of an uncertainty, from scans with more and more nuisances frozen.

    The part that is frozen from one scan to the next is √(σ² - σ'²) on either side; what the last scan leaves is the
    last part. They add to the uncertainty of the first scan in quadrature.

    Args:
        scans: Scans of one parameter, the one with all nuisances floating first.
        parts: Names of the parts, as many as scans: what the second scan froze, …, what the last one leaves.
        height: −2ΔNLL of the intervals.

    Returns:
        One part each; not a number where an end of an interval is not known.

    Raises:
        StyleError: If numbers of scans and parts differ, the scans are of different cards or data, or an uncertainty
            grows as more is frozen.

    Examples:
        >>> from pocket_combine.results import Provenance
        >>> def scan(width):
        ...     points = np.linspace(-10, 10, 41)[:, np.newaxis]
        ...     delta_nll, statuses = (points[:, 0] / width) ** 2 / 2, (Status.CONVERGED,) * 41
        ...     return ScanResult(Provenance("a1", "0.1", "asimov"), ("r",), points, delta_nll, statuses, np.zeros(1))
        >>> [(part.group, round(part.low, 9)) for part in
        ...     split_uncertainty({"total": scan(5.0), "stat only": scan(4.0)}, ["syst", "stat"])]
        [('syst', 3.0), ('stat', 4.0)]
    """
    curves = curves_of(scans)
    if len(parts) != len(curves) or len(curves) < 2:
        raise StyleError(
            f"{len(parts)} parts of the uncertainty ({', '.join(parts)}) and {len(curves)} scans; expected a scan with "
            "everything floating and one more for each part but the last, such as total and stat only for syst,stat"
        )
    for what, found in (
        ("cards", {scan.provenance.card for scan in scans.values()}),
        ("data", {scan.provenance.data for scan in scans.values()}),
    ):
        if len(found) > 1:
            raise StyleError(f"scans of one card and the same data split an uncertainty; these have other {what}")
    sides = [_steps(curves, side, height) for side in (0, 1)]
    return tuple(UncertaintyGroup(name, low, high) for name, low, high in zip(parts, *sides, strict=True))


def _steps(curves: Sequence[Curve], side: int, height: float) -> list[float]:
    widths = [abs(curve.interval(height)[side] - curve.best) for curve in curves]
    result = []
    for (before, wide), (after, narrow) in itertools.pairwise(zip(curves, widths, strict=True)):
        if narrow > wide * (1.0 + _RISE):
            raise StyleError(
                f"the uncertainty of {after.label!r} ({narrow:.4g}) is larger than that of "
                f"{before.label!r} ({wide:.4g}); give the scans from most floating to most frozen"
            )
        result.append(math.sqrt(max(wide**2 - narrow**2, 0.0)) if math.isfinite(wide - narrow) else math.nan)
    return [*result, widths[-1]]
