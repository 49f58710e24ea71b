"""The best fit of one card, carried to another card that shares parameters with it.

The other card may hold another observable of the same events, a validation region, or a part of what was fitted. Shared
parameters, which have one name in both, keep the values and the covariance of the fit. All others are as before a fit:
at their start values, with the uncertainties of their constraint terms, uncorrelated with anything. Parameters of
autoMCStats belong to the bins of one card, so that they are never shared, whatever their names.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pocket_combine.errors import CardError
from pocket_combine.inference.covariance import Spread, edges_of_draws, prefit_spread
from pocket_combine.inference.notices import named
from pocket_combine.inference.prefit import prefit_interval
from pocket_combine.inference.workspace import Blinding, Workspace
from pocket_combine.results import FitResult
from pocket_combine.templates import FloatArray, IntArray

__all__ = ["CarriedFit", "carried_fit"]

_FLAT = ("lnU", "shapeU", "unif")
"""Kinds of nuisances that are flat inside a range; without a width before the fit like free parameters, but no such."""

_SAME = 1e-5
"""Relative difference of constraints that counts as none: Combine rounds some to six digits."""

_NEGATIVE = 1e-6
"""How far below 0 the eigenvalues of a correlation matrix may be by rounding."""


@dataclass(frozen=True)
class CarriedFit:
    """Parameters of a card after a fit of another one.

    Attributes:
        spread: Values and covariance of all parameters.
        shared: Names of the parameters that come from the fit.
        own: Names of those that are as before the fit.
        notes: What a reader of results should know about both.
    """

    spread: Spread
    shared: tuple[str, ...]
    own: tuple[str, ...]
    notes: tuple[str, ...]


def carried_fit(workspace: Workspace, fit: FitResult) -> CarriedFit:
    """Return the parameters of a workspace after the fit of another card.

    Args:
        workspace: The other card.
        fit: The fit, with a covariance.

    Raises:
        CardError: If one depends on the observation and the other does not, no parameter is shared, or the two cards
            contradict each other about one.
    """
    _check_blinding(workspace, fit)
    model = workspace.model
    positions = {name: at for at, name in enumerate(fit.parameters) if fit.kinds[at] != "autoMCStats"}
    bins = set(model.bin_parameters)
    shared = tuple(name for name in model.parameters.names if name in positions and name not in bins)
    _check_shared(workspace, fit, shared)
    theirs: IntArray = np.array([positions[name] for name in shared], dtype=np.intp)
    _check_agreement(workspace, fit, shared, theirs)
    ours: IntArray = model.parameters.indices(shared)
    before = prefit_spread(workspace)
    theta = before.theta.copy()
    theta[ours] = fit.values[theirs]
    moves, root = _root_of_fit(fit, theirs)
    is_own = ~np.isin(before.moving, ours)
    moving = np.concatenate([ours[moves], before.moving[is_own]])
    whole = np.zeros((moving.size, root.shape[1] + int(is_own.sum())))
    whole[: len(root), : root.shape[1]] = root
    whole[len(root) :, root.shape[1] :] = before.root[np.ix_(is_own, is_own)]
    own = tuple(name for name in model.parameters.names if name not in set(shared))
    spread = Spread(theta, moving, whole, *edges_of_draws(workspace, theta))
    return CarriedFit(spread, shared, own, _notes(workspace, before, shared, own))


def _check_blinding(workspace: Workspace, fit: FitResult) -> None:
    fit_is_blind = fit.provenance.data == Blinding.ASIMOV.value
    if workspace.is_blind and not fit_is_blind:
        raise CardError(
            f"the fit is of {fit.provenance.data} data, which depend on the observation, but everything else here is "
            "blind: unblind this card, too, or take a fit of Asimov data"
        )
    if fit_is_blind and not workspace.is_blind:
        raise CardError(
            "the fit is of Asimov data, but this card is unblinded: leave it blind, or take a fit of the observation"
        )


def _check_shared(workspace: Workspace, fit: FitResult, shared: tuple[str, ...]) -> None:
    """Refuse cards that share nothing, or nothing but signal strengths although both have more: names differ then."""
    parameters = workspace.model.parameters
    bins = set(workspace.model.bin_parameters)
    ours = [item.name for item in parameters if not item.is_signal_strength and item.name not in bins]
    both = zip(fit.parameters, fit.kinds, strict=True)
    theirs = [name for name, kind in both if kind not in ("POI", "autoMCStats")]
    if shared and (set(shared) & set(ours) or not (ours and theirs)):
        return
    found = f"nothing but {', '.join(shared)}" if shared else "no parameter"
    raise CardError(
        f"the card shares {found} with the fit; parameters are matched by name. The fit has "
        f"{named(theirs or list(fit.parameters))}; this card has {named(ours or list(parameters.names))}"
    )


def _check_agreement(workspace: Workspace, fit: FitResult, shared: tuple[str, ...], theirs: IntArray) -> None:
    problems = []
    given = workspace.settings.get("values", {})
    for name, at in zip(shared, theirs.tolist(), strict=True):
        parameter = workspace.model.parameters.get(name)
        interval = np.array(prefit_interval(parameter))
        has_width = bool(np.ptp(interval)), bool(np.ptp(fit.prefit[at]))
        is_flat = parameter.kind in _FLAT, fit.kinds[at] in _FLAT
        if is_flat[0] != is_flat[1] or has_width[0] != has_width[1]:
            problems.append(
                f"{name} is {parameter.kind} here and {fit.kinds[at]} in the fit: one name, two constraints"
            )
        elif has_width[0] and not np.allclose(interval, fit.prefit[at], rtol=_SAME, atol=_SAME):
            problems.append(
                f"{name} is constrained to {_shown(interval)} here ({parameter.kind}) and to {_shown(fit.prefit[at])} "
                f"in the fit ({fit.kinds[at]}): one name, two constraints"
            )
        if parameter.frozen and fit.floating[at]:
            problems.append(
                f"{name} is frozen here and was fitted: freeze it in the fit, too, or do not freeze it here"
            )
        if name in given and given[name] != fit.values[at]:
            problems.append(f"{name} has the value {given[name]:g} here, but the fit gives it: leave the value out")
    if problems:
        raise CardError(problems)


def _shown(interval: FloatArray) -> str:
    low, middle, high = interval.tolist()
    return f"{middle:g} -{middle - low:.4g} +{high - middle:.4g}"


def _root_of_fit(fit: FitResult, theirs: IntArray) -> tuple[IntArray, FloatArray]:
    """Return which of some parameters of a fit have an uncertainty, and a root of the covariance of those."""
    place = np.full(len(fit.parameters), -1, dtype=np.intp)
    place[fit.floating] = np.arange(int(fit.floating.sum()))
    variances = np.diag(fit.covariance)
    moves: IntArray = np.flatnonzero([bool(place[at] >= 0 and variances[place[at]] > 0.0) for at in theirs.tolist()])
    if not moves.size:
        return moves, np.zeros((0, 0))
    rows = place[theirs[moves]]
    covariance = fit.covariance[np.ix_(rows, rows)]
    errors = np.sqrt(np.diag(covariance))
    values, vectors = np.linalg.eigh(covariance / np.outer(errors, errors))
    if values[0] < -_NEGATIVE * values[-1]:
        raise CardError("the covariance of the fit is none: some sum of parameters has a negative variance")
    root: FloatArray = errors[:, None] * vectors * np.sqrt(np.maximum(values, 0.0))
    return moves, root


def _notes(workspace: Workspace, before: Spread, shared: tuple[str, ...], own: tuple[str, ...]) -> tuple[str, ...]:
    model = workspace.model
    bins = set(model.bin_parameters)
    declared = [name for name in own if name not in bins]
    moving = {model.parameters.names[at] for at in before.moving.tolist()}
    fixed = [name for name in declared if name not in moving]
    constrained = [name for name in declared if name not in fixed]
    notes = [
        f"{len(shared)} of {len(model.parameters) - len(bins)} parameters of this card come from the fit of another"
    ]
    if constrained:
        notes.append(f"not in the fit, so with their uncertainties before it: {named(constrained)}")
    if fixed:
        notes.append(f"not in the fit and without a constraint or frozen, so fixed at start values: {named(fixed)}")
    if bins:
        notes.append(
            f"{len(bins)} parameters of autoMCStats are this card's own, with their uncertainties before a fit"
        )
    return tuple(notes)
