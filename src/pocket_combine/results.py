"""What the fits answer: one frozen type per question, with JSON in and out.

Likelihood differences are ΔNLL (not doubled). Intervals, limits and impacts are in units of the parameter, which for
most nuisances is their standard deviation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from pocket_combine.errors import ResultError
from pocket_combine.plain import dump_json, load_json

__all__ = [
    "Provenance",
    "Status",
    "Result",
    "Interval",
    "SecondOpinion",
    "FitResult",
    "ScanResult",
    "Quantile",
    "LimitResult",
    "SignificanceResult",
    "Impact",
    "ImpactResult",
    "UncertaintyGroup",
    "GoodnessOfFitResult",
    "ToyResult",
    "ChannelYields",
    "PostfitResult",
]

Numbers = npt.NDArray[np.float64]
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


@dataclass(frozen=True)
class SecondOpinion:
    """What another minimiser, MINUIT, finds from the same start.

    Attributes:
        nll_difference: Its negative log-likelihood minus that of the fit; negative where it found a lower minimum.
        largest_shift: The largest difference of a parameter, in units of its error.
        parameter: The parameter with that difference; empty where none was fitted.
        is_valid: Whether MINUIT is content with its minimum.
        distance: MINUIT's estimated distance to its minimum, in units of the negative log-likelihood.
        calls: Number of likelihood evaluations.
        agrees: Whether both found the same minimum, and the fit can be used.
    """

    nll_difference: float
    largest_shift: float
    parameter: str
    is_valid: bool
    distance: float
    calls: int
    agrees: bool


@dataclass(frozen=True, eq=False)
class FitResult(Result):
    """A best fit.

    Attributes:
        status: How it ended.
        concerned: Parameters that the status is about.
        parameters: Names of all parameters, in the order of the arrays.
        floating: `floating[parameter]`, whether it was fitted.
        values: `values[parameter]` at the minimum.
        errors: `errors[parameter]`, from the covariance; zero for parameters that were not fitted.
        covariance: `covariance[floating, floating]`, the inverse Hessian of the NLL, in the order of the floating
            parameters; empty where it does not exist.
        nll: Negative log-likelihood at the minimum, relative to the saturated model's Poisson terms.
        delta_nll: The same relative to the starting point.
        intervals: Profile-likelihood intervals of the parameters that were asked for.
        pois: Names of the parameters of interest.
        evaluations: Number of likelihood evaluations.
        prefit: `prefit[parameter, 3]`: (low, preferred, high) of the constraint term, what Combine calls prefit; three
            times the initial value of parameters without a constraint.
        kinds: What made each parameter: `POI`, the kind of its row (`lnN`, `shape`, …), `param`, `rateParam`, `extArg`
            or `autoMCStats`.
        second_opinion: What MINUIT found, if it was asked.

    Raises:
        ResultError: If arrays contradict each other in their shapes.
    """

    status: Status
    concerned: tuple[str, ...]
    parameters: tuple[str, ...]
    floating: npt.NDArray[np.bool_]
    values: Numbers
    errors: Numbers
    covariance: Numbers
    nll: float
    delta_nll: float
    intervals: tuple[Interval, ...]
    pois: tuple[str, ...]
    evaluations: int
    prefit: Numbers
    kinds: tuple[str, ...]
    second_opinion: SecondOpinion | None = None

    def __post_init__(self) -> None:
        count = len(self.parameters)
        expected = dict.fromkeys(("floating", "values", "errors"), (count,)) | {"prefit": (count, 3)}
        if self.covariance.size:
            fitted = int(self.floating.sum())
            expected["covariance"] = (fitted, fitted)
        shapes = {name: getattr(self, name).shape for name in expected}
        problems = [
            f"{name} has shape {shapes[name]}, expected {shape}"
            for name, shape in expected.items()
            # An empty list has lost its second axis.
            if shapes[name] != shape and not shapes[name] == (0,) == shape[:1]
        ]
        if len(self.kinds) != count:
            problems.append(f"kinds has {len(self.kinds)} entries, expected {count}")
        if problems:
            raise ResultError(f"FitResult of {count} parameters: {'; '.join(problems)}")

    def value(self, parameter: str) -> float:
        """Return the best-fit value of a parameter."""
        return float(self.values[self.parameters.index(parameter)])

    def error(self, parameter: str) -> float:
        """Return the error of a parameter from the covariance."""
        return float(self.errors[self.parameters.index(parameter)])

    def interval(self, parameter: str) -> Interval:
        """Return the profile-likelihood interval of a parameter that was asked for.

        Raises:
            KeyError: If it was not asked for.
        """
        for interval in self.intervals:
            if interval.parameter == parameter:
                return interval
        raise KeyError(parameter)

    def correlation(self) -> Numbers:
        """Return `correlation[floating, floating]`; rows of parameters at a bound, which have no error, are zero."""
        errors = np.sqrt(np.diag(self.covariance))
        inverse = np.divide(1.0, errors, out=np.zeros_like(errors), where=errors > 0.0)
        result: Numbers = self.covariance * np.outer(inverse, inverse)
        return result


@dataclass(frozen=True, eq=False)
class ScanResult(Result):
    """A profile likelihood on a grid.

    Attributes:
        scanned: Names of the scanned parameters.
        points: `points[point, scanned]`.
        delta_nll: `delta_nll[point]` relative to the best fit.
        statuses: Status of each point's fit.
        best: `best[scanned]` at the global minimum.
        profiled: Whether the other parameters were refitted at each point.
        crossings: Intervals where the scan is one-dimensional.
    """

    scanned: tuple[str, ...]
    points: Numbers
    delta_nll: Numbers
    statuses: tuple[Status, ...]
    best: Numbers
    profiled: bool = True
    crossings: tuple[Interval, ...] = ()


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
    """

    poi: str
    confidence_level: float
    observed: Quantile | None
    expected: tuple[Quantile, ...]
    best_fit: float | None = None


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


@dataclass(frozen=True)
class Impact:
    """Impact of one nuisance on the parameters of interest.

    Attributes:
        parameter: Name of the nuisance.
        kind: Kind of its constraint: `Gaussian`, `Poisson`, `Unconstrained`, ….
        groups: Groups that it belongs to.
        prefit: (low, nominal, high) before the fit.
        fit: (low, best, high) after it.
        values: For each parameter of interest its value at (low, best, high) of the nuisance.
        statuses: Status of the fits at the low and the high end.
    """

    parameter: str
    kind: str
    groups: tuple[str, ...]
    prefit: tuple[float, float, float]
    fit: tuple[float, float, float]
    values: Mapping[str, tuple[float, float, float]]
    statuses: tuple[Status, Status]

    def impact(self, poi: str) -> float:
        """Return the largest change of a parameter of interest, as Combine ranks by."""
        low, best, high = self.values[poi]
        return max(abs(low - best), abs(high - best))


@dataclass(frozen=True)
class UncertaintyGroup:
    """Part of the uncertainty of a parameter of interest that a group of nuisances brings.

    Attributes:
        group: Name of the group; `stat` for what is left with all nuisances fixed.
        low: Contribution to the lower uncertainty, positive.
        high: Contribution to the upper uncertainty, positive.
    """

    group: str
    low: float
    high: float


@dataclass(frozen=True)
class ImpactResult(Result):
    """Impacts of nuisances.

    Attributes:
        pois: Intervals of the parameters of interest.
        impacts: One per nuisance, in the order of the model.
        breakdown: Decomposition of the uncertainty of the first parameter of interest that adds in quadrature.
    """

    pois: tuple[Interval, ...]
    impacts: tuple[Impact, ...]
    breakdown: tuple[UncertaintyGroup, ...] = ()


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
class ChannelYields:
    """Expected events of one channel, or of a sum of channels.

    Attributes:
        channel: Name.
        edges: `edges[bin + 1]`.
        processes: Names of the processes.
        expected: `expected[process, bin]`.
        errors: `errors[process, bin]`.
        total: `total[bin]`, with MC-statistics parameters.
        total_errors: `total_errors[bin]`.
        covariance: `covariance[bin, bin]` of the total.
        signal: `signal[process]`, whether it is a signal.
        observed: `observed[bin]`; `None` in a blind result.
    """

    channel: str
    edges: Numbers
    processes: tuple[str, ...]
    expected: Numbers
    errors: Numbers
    total: Numbers
    total_errors: Numbers
    covariance: Numbers
    signal: tuple[bool, ...]
    observed: Numbers | None = None


@dataclass(frozen=True)
class PostfitResult(Result):
    """Expected events with uncertainties at a parameter point.

    Attributes:
        point: `prefit`, or the name of the fit.
        method: How uncertainties were found: `propagation` or `sampling`.
        channels: One entry per channel.
        yields: Total yield and error per `channel/process`, with `channel/total` and `channel/total_background`, the
            total without signals.
        not_in_fit: Parameters as before the fit, because the fit is of another card, which does not have them.
        held: Parameters that ended at the edge of their range in the fit and are fixed there, so that uncertainties
            are without them; that of a process that such a parameter scales may be 0.
    """

    point: str
    method: str
    channels: tuple[ChannelYields, ...]
    yields: Mapping[str, tuple[float, float]]
    not_in_fit: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
