"""Expected events with their uncertainties, before or after a fit, for channels, processes and sums of either.

Uncertainties are propagated linearly: with the Jacobian J of the expectation and the covariance C of all parameters,
that of the expectation is J C Jᵀ. C holds the bin parameters of autoMCStats too, which fits profile analytically. For
comparison, parameter vectors can be drawn from C and the spread of the expectation be taken, as Combine does for
`--saveWithUncertainties` (`src/FitDiagnostics.cc`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from pocket_combine.errors import CardError, nearest
from pocket_combine.inference.carried import carried_fit
from pocket_combine.inference.covariance import Spread, postfit_spread, prefit_spread
from pocket_combine.inference.notices import held_notice
from pocket_combine.inference.postfit_sums import TOTAL, TOTAL_BACKGROUND, YieldSum, yield_sums
from pocket_combine.inference.workspace import Blinding, Workspace
from pocket_combine.results import ChannelYields, FitResult, PostfitResult
from pocket_combine.templates import FloatArray

__all__ = ["METHODS", "postfit"]

METHODS = ("propagation", "sampling")

_SAMPLES_AT_ONCE = 100
_ROUNDING = 1e-6
"""Asymmetry of a correlation matrix that comes from its inversion."""


def postfit(
    workspace: Workspace,
    fit: FitResult | None,
    *,
    method: str = "propagation",
    samples: int = 1000,
    seed: int = 1,
    channel_sums: Mapping[str, Sequence[str]] | None = None,
    process_sums: Mapping[str, Sequence[str]] | None = None,
) -> PostfitResult:
    """Return expected events per channel, process and bin, totals, and their uncertainties.

    Processes and totals are with bin parameters of autoMCStats and their uncertainties. A parameter of a whole bin
    shifts each process in proportion to the square of its statistical error, as in what Combine saves, so that a total
    is the sum of its processes, unless that is below 0, where the likelihood crops it. Before the fit, parameters are
    at their start values with the uncertainties of their constraints, and those without a constraint have none.

    The fit may be of another card that shares parameters, for instance of another observable. Parameters with the name
    of a fitted one have its value, uncertainty and correlations; the others, among them all of autoMCStats, are as
    before the fit, and the result names them. The fit and the workspace are then both blind or both not.

    Args:
        workspace: The model, and the data that were fitted.
        fit: A fit of this workspace, or of one that shares parameters; `None` for the expectation before the fit.
        method: `propagation` or `sampling`.
        samples: Number of parameter vectors that are drawn.
        seed: Seed of the draws.
        channel_sums: More entries: sums of channels with equal numbers of bins, bin by bin, by name.
        process_sums: Processes to be added in every channel that has some, by the name of the sum; a process in none
            stays as it is.

    Raises:
        CardError: If the fit cannot be used, is of this card with other options, or of a card that shares nothing or
            contradicts this one; or if a name is not in the model.

    Examples:
        >>> from pocket_combine.card.parser import parse_card
        >>> from pocket_combine.inference.workspace import make_workspace
        >>> text = '''imax 1
        ... bin SR
        ... observation 110
        ... bin SR SR
        ... process sig bkg
        ... process 0 1
        ... rate 10 100
        ... norm lnN - 1.1'''
        >>> result = postfit(make_workspace(parse_card(text), {}), None)
        >>> {name: tuple(round(number, 2) for number in pair) for name, pair in result.yields.items()}
        {'SR/sig': (10.0, 0.0), 'SR/bkg': (100.0, 9.53), 'SR/total': (110.0, 9.53),
        'SR/total_background': (100.0, 9.53)}
    """
    if method not in METHODS:
        raise CardError(f"no method {method!r}: {nearest(method, METHODS)}")
    if samples < 1:
        raise CardError(f"samples is {samples}, expected a number of parameter vectors, at least 1")
    spread, about = _parameters(workspace, fit)
    sums = yield_sums(workspace.model, channel_sums or {}, process_sums or {})
    central = workspace.model.expected(spread.theta)
    centres = [entry.add(central.shifted, central.totals) for entry in sums]
    if method == "propagation":
        found = _propagated(workspace, spread, sums)
    else:
        found = _sampled(workspace, spread, sums, centres, samples, seed)
    channels, yields = [], {}
    for entry, values, uncertainty in zip(sums, centres, found, strict=True):
        channels.append(_channel(workspace, entry, values, uncertainty))
        names = [*(name for name, _ in entry.processes), TOTAL]
        for name, row, variance in zip(names, values, uncertainty.whole, strict=True):
            yields[f"{entry.name}/{name}"] = (float(row.sum()), float(np.sqrt(variance)))
        background = entry.background(values)
        yields[f"{entry.name}/{TOTAL_BACKGROUND}"] = (float(background.sum()), float(np.sqrt(uncertainty.background)))
    provenance = workspace.provenance(
        seed if method == "sampling" else None,
        **({"samples": samples} if method == "sampling" else {}),
        **about.options,
    )
    point = "prefit" if fit is None else "fit"
    return PostfitResult(provenance, point, method, tuple(channels), yields, about.not_in_fit, about.held)


@dataclass(frozen=True)
class _Origin:
    """Where parameters come from, for the result.

    Attributes:
        options: For the provenance.
        not_in_fit: Parameters that a fit of another card does not have.
        held: Parameters of the fit that are fixed at the edge of their range.
    """

    options: Mapping[str, Any] = field(default_factory=dict)
    not_in_fit: tuple[str, ...] = ()
    held: tuple[str, ...] = ()


def _parameters(workspace: Workspace, fit: FitResult | None) -> tuple[Spread, _Origin]:
    """Return values and covariance of the parameters."""
    if fit is None:
        return prefit_spread(workspace), _Origin()
    fit = _with_covariance(fit)
    held = _held(fit)
    if fit.provenance.card == workspace.card:
        return postfit_spread(workspace, fit), _Origin({"notes": held_notice(held)}, held=held)
    carried = carried_fit(workspace, fit)
    held = tuple(name for name in held if name in carried.shared)
    source = {"card": fit.provenance.card, "data": fit.provenance.data, "options": dict(fit.provenance.options)}
    return carried.spread, _Origin({"notes": [*carried.notes, *held_notice(held)], "fit": source}, carried.own, held)


def _held(fit: FitResult) -> tuple[str, ...]:
    """Return the parameters that the covariance of a fit holds fixed: those that ended at the edge of their range."""
    at_edge = np.flatnonzero(fit.floating)[np.diag(fit.covariance) == 0.0]
    return tuple(fit.parameters[at] for at in at_edge.tolist())


def _with_covariance(fit: FitResult) -> FitResult:
    """Return a fit whose covariance can be propagated, with an empty one as a matrix."""
    fitted = int(fit.floating.sum())
    if not fit.status.usable or fit.covariance.size != fitted**2:
        concerned = f" ({', '.join(fit.concerned)})" if fit.concerned else ""
        raise CardError(
            f"the fit has no covariance to propagate; its status is '{fit.status.value}'{concerned}: "
            f"{fit.status.advice}"
        )
    if not (np.isfinite(fit.values).all() and np.isfinite(fit.covariance).all()):
        raise CardError("the fit cannot be propagated: a value or a covariance in it is no finite number")
    covariance = fit.covariance.reshape(fitted, fitted)
    variances = np.diag(covariance)
    errors = np.sqrt(np.maximum(variances, 0.0))
    asymmetry = np.abs(covariance - covariance.T)
    if (variances < 0.0).any() or (asymmetry > _ROUNDING * np.outer(errors, errors)).any():
        raise CardError("the fit cannot be propagated: its covariance is not symmetric, or a variance is negative")
    return replace(fit, covariance=covariance)


def _channel(workspace: Workspace, entry: YieldSum, values: FloatArray, uncertainty: _Uncertainty) -> ChannelYields:
    errors = np.sqrt(uncertainty.bins)
    observed = None
    if workspace.kind is Blinding.OBSERVED:
        observed = np.sum([workspace.data.observations[channel.bins] for channel in entry.channels], axis=0)
    return ChannelYields(
        channel=entry.name,
        edges=entry.channels[0].edges,
        processes=tuple(name for name, _ in entry.processes),
        expected=values[:-1],
        errors=errors[:-1],
        total=values[-1],
        total_errors=errors[-1],
        covariance=uncertainty.total,
        signal=entry.signal,
        observed=observed,
        yield_covariance=uncertainty.processes,
    )


# ---------------------------------------------------------------------- uncertainties


@dataclass(frozen=True)
class _Uncertainty:
    """Variances of an entry; rows are the processes and the total.

    Attributes:
        bins: `bins[row, bin]`, variances.
        total: `total[bin, bin]`, covariance of the total.
        whole: `whole[row]`, variances of the sums over bins.
        background: Variance of the sum over bins of the total without signals.
        processes: `processes[process, process]`, covariance of the sums over bins.
    """

    bins: FloatArray
    total: FloatArray
    whole: FloatArray
    background: float
    processes: FloatArray


def _of_roots(roots: FloatArray, entry: YieldSum) -> _Uncertainty:
    """Return the variances of `roots[row, bin, k]`, whose products summed over k are covariances."""
    whole = roots.sum(axis=1)
    return _Uncertainty(
        (roots**2).sum(axis=-1),
        roots[-1] @ roots[-1].T,
        (whole**2).sum(axis=-1),
        float((entry.background(roots).sum(axis=0) ** 2).sum()),
        whole[:-1] @ whole[:-1].T,
    )


def _propagated(workspace: Workspace, spread: Spread, sums: Sequence[YieldSum]) -> list[_Uncertainty]:
    model = workspace.model
    totals = model.total_jacobian(spread.theta)
    found = []
    for entry in sums:
        roots = entry.add(
            {part.name: spread.project(model.shifted_jacobian(spread.theta, part.name)) for part in entry.channels},
            {part.name: spread.project(totals[part.bins]) for part in entry.channels},
        )
        found.append(_of_roots(roots, entry))
    return found


def _sampled(
    workspace: Workspace,
    spread: Spread,
    sums: Sequence[YieldSum],
    centres: Sequence[FloatArray],
    samples: int,
    seed: int,
) -> list[_Uncertainty]:
    """Return mean squared differences from the central expectation, `centres[sum][row, bin]`, in chunks of samples."""
    model = workspace.model
    random = np.random.default_rng(seed)
    found: list[_Uncertainty | None] = [None] * len(sums)
    for first in range(0, samples, _SAMPLES_AT_ONCE):
        drawn = model.expected(spread.draw(random, min(_SAMPLES_AT_ONCE, samples - first)))
        processes = {name: np.moveaxis(part, 0, -1) for name, part in drawn.shifted.items()}
        totals = {name: np.moveaxis(part, 0, -1) for name, part in drawn.totals.items()}
        for at, (entry, centre) in enumerate(zip(sums, centres, strict=True)):
            part = _of_roots((entry.add(processes, totals) - centre[:, :, None]) / np.sqrt(samples), entry)
            found[at] = _added(found[at], part)
    return [part for part in found if part is not None]


def _added(one: _Uncertainty | None, other: _Uncertainty) -> _Uncertainty:
    if one is None:
        return other
    return _Uncertainty(
        one.bins + other.bins,
        one.total + other.total,
        one.whole + other.whole,
        one.background + other.background,
        one.processes + other.processes,
    )
