"""Fits and scans: best values, errors, intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pocket_combine.errors import ResultError
from pocket_combine.results.common import Interval, Numbers, Result, Status

__all__ = ["SecondOpinion", "FitResult", "ScanResult"]


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
