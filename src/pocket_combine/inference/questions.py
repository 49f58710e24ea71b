"""Fit, scan, limits and significance of a workspace, as results."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pocket_combine.inference.asymptotic import (
    EXPECTED_QUANTILES,
    Profile,
    excess,
    expected_limits,
    observed_limit,
)
from pocket_combine.inference.fitter import MINOS_LEVEL, BestFit, Fitter
from pocket_combine.inference.minuit import second_opinion
from pocket_combine.inference.normal import normal_tail
from pocket_combine.inference.notices import covariance_notices, few_events_notice
from pocket_combine.inference.prefit import prefit_interval
from pocket_combine.inference.usable import explain
from pocket_combine.inference.workspace import Workspace, conditional_fit
from pocket_combine.results import FitResult, Interval, LimitResult, SecondOpinion, SignificanceResult, Status
from pocket_combine.templates import FloatArray

__all__ = ["fit", "limits", "significance"]


def fit(
    workspace: Workspace,
    *,
    intervals: Sequence[str] | None = None,
    level: float = MINOS_LEVEL,
    minuit: bool = False,
) -> FitResult:
    """Return the best fit of a workspace.

    Args:
        workspace: Model and data.
        intervals: Parameters whose profile-likelihood intervals are wanted; by default those of interest that float.
        level: ΔNLL of the intervals.
        minuit: Whether MINUIT fits, too, for a second opinion.

    Raises:
        MissingDependencyError: If MINUIT is wanted and iminuit is not installed.
        CardError: If a name is not in the model, or is frozen.
    """
    names = workspace.floating_pois if intervals is None else tuple(map(workspace.asked_parameter, intervals))
    bin_parameters = [name for name in names if name in workspace.model.bin_parameters]
    fitter = workspace.fitter(explicit=bin_parameters)
    start = workspace.start_of(fitter)
    best = fitter.best(start)
    found: list[Interval] = []
    if best.status.usable:
        for name in names:
            interval, best = fitter.interval(best, name, level)
            found.append(interval)
    opinion = second_opinion(fitter, start, best) if minuit else None
    return _fit_result(workspace, fitter, best, start, tuple(found), opinion)


def _fit_result(
    workspace: Workspace,
    fitter: Fitter,
    best: BestFit,
    start: FloatArray,
    intervals: tuple[Interval, ...],
    opinion: SecondOpinion | None,
) -> FitResult:
    model = workspace.model
    values = fitter.likelihood.complete(best.theta)
    positions = model.parameters.indices(fitter.parameters.names)
    floating = np.zeros(len(model.parameters), dtype=bool)
    floating[positions[best.conditional.free]] = True
    errors = np.zeros(len(model.parameters))
    if best.covariance.size:
        errors[positions[best.conditional.free]] = np.sqrt(np.maximum(np.diag(best.covariance), 0.0))
    notes = list(fitter.notes)
    if best.status is Status.CONVERGED:
        notes += covariance_notices(model.parameters, errors, intervals, model.parameters.pois)
    return FitResult(
        provenance=workspace.provenance(notes=notes),
        status=best.status,
        concerned=best.concerned,
        parameters=model.parameters.names,
        floating=floating,
        values=values,
        errors=errors,
        covariance=best.covariance,
        nll=best.nll,
        delta_nll=best.nll - float(fitter.likelihood.value(start)),
        intervals=intervals,
        pois=model.parameters.pois,
        evaluations=fitter.profiler.evaluations,
        prefit=np.array([prefit_interval(parameter) for parameter in model.parameters]).reshape(-1, 3),
        kinds=tuple(parameter.kind for parameter in model.parameters),
        second_opinion=opinion,
    )


def limits(
    workspace: Workspace,
    *,
    poi: str | None = None,
    confidence_level: float = 0.95,
    quantiles: Sequence[float] = EXPECTED_QUANTILES,
) -> LimitResult:
    """Return asymptotic CLs upper limits.

    A blind workspace gives expected limits on the a-priori background-only Asimov data. Otherwise these data are made
    after a background-only fit, as Combine does, and there is an observed limit. Other parameters of interest float.

    Args:
        workspace: Model and data.
        poi: The parameter of interest; the first one by default.
        confidence_level: Such as 0.95.
        quantiles: Quantiles of the expected limits.
    """
    name = workspace.asked_parameter(poi)
    model = workspace.model
    background = workspace.injected.copy()
    background[model.parameters.indices([name])] = 0.0
    if workspace.is_blind:
        asimov_data = model.asimov(background)
        asimov_start = background
    else:
        asimov_start = conditional_fit(model, workspace.data, background, workspace.options, [name])
        asimov_data = model.asimov(asimov_start, move_global_observables=True)
    asimov_fitter = workspace.fitter(asimov_data, keep_ranges=True)
    asimov = _profile(asimov_fitter, name, asimov_start[model.parameters.indices(asimov_fitter.parameters.names)])
    expected = expected_limits(asimov, confidence_level, quantiles)
    explain(asimov_fitter, asimov.best, "the best fit of the Asimov data")
    observed, best_value, notes, profiles = None, None, list(asimov_fitter.notes), [asimov]
    found = [limit.limit for limit in expected if math.isfinite(limit.limit)]
    median = found[len(found) // 2] if found else None
    if median is not None:
        notes += few_events_notice(model, name, asimov_start, median)
    if not workspace.is_blind:
        fitter = workspace.fitter(keep_ranges=True)
        profile = _profile(fitter, name, workspace.start_of(fitter))
        observed = observed_limit(profile, asimov, confidence_level, 1.0 if median is None else median)
        best_value = profile.best_value
        explain(fitter, profile.best)
        notes += fitter.notes
        profiles.append(profile)
    result = LimitResult(workspace.provenance(notes=notes), name, confidence_level, observed, expected, best_value)
    return result if result.status.usable else _with_reason(result, profiles)


def _with_reason(result: LimitResult, profiles: Sequence[Profile]) -> LimitResult:
    """Return limits that were not all found with the status of the fit that says why, if one does."""
    for profile in profiles:
        best = profile.best
        if not best.is_minimum or (best.status is Status.FLAT_DIRECTION and result.poi in best.concerned):
            return replace(result, status=best.status, concerned=best.concerned)
    return replace(result, concerned=(result.poi,))


def _profile(fitter: Fitter, poi: str, start: FloatArray) -> Profile:
    """Return the profile of a parameter that is not negative at the best fit, as q-tilde wants it."""
    position = fitter.parameters.index(poi)
    lower = fitter.profiler.lower[position]
    fitter.profiler.lower[position] = max(0.0, lower)
    return Profile(fitter, poi, fitter.best(np.maximum(start, fitter.profiler.lower)))


def significance(workspace: Workspace, *, poi: str | None = None, uncapped: bool = False) -> SignificanceResult:
    """Return the significance of an excess over the background-only hypothesis.

    Args:
        workspace: Model and data.
        poi: The parameter of interest; the first one by default.
        uncapped: Whether a deficit has a negative significance.
    """
    name = workspace.asked_parameter(poi)
    fitter = workspace.fitter(keep_ranges=True)
    if not uncapped:
        position = fitter.parameters.index(name)
        fitter.profiler.lower[position] = max(0.0, fitter.profiler.lower[position])
    test = excess(fitter, name, workspace.start_of(fitter), uncapped=uncapped)
    explain(fitter, test.best)
    notes = list(fitter.notes)
    if test.status.usable and test.q0 > 0.0:
        notes += few_events_notice(workspace.model, name, fitter.likelihood.complete(test.best.theta), test.best_value)
    return SignificanceResult(
        workspace.provenance(notes=notes, uncapped=uncapped),
        name,
        test.significance,
        normal_tail(test.significance),
        test.q0,
        test.best_value,
        test.status,
    )
