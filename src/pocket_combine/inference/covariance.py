"""The covariance of all parameters of a model, before and after a fit, in the form of a matrix root."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pocket_combine.errors import CardError
from pocket_combine.inference.definite import cholesky, half_solved
from pocket_combine.inference.workspace import Workspace
from pocket_combine.likelihood import ConstraintKind, ModelParameter
from pocket_combine.results import FitResult
from pocket_combine.templates import FloatArray, IntArray

__all__ = ["Spread", "edges_of_draws", "postfit_spread", "prefit_spread", "prefit_variance"]

_OF_THE_SEARCH = ("notes", "starts", "seed_of_starts")
"""Options in the provenance of a fit that change how the minimum is sought, not what is fitted."""


@dataclass(frozen=True)
class Spread:
    """A point with a covariance R Rᵀ of some of the parameters; the others are fixed.

    Attributes:
        theta: `theta[parameter]`, all parameters of the model.
        moving: Positions of the parameters that have an uncertainty.
        root: `root[moving, k]`, R.
        lower: `lower[parameter]`, which draws do not leave.
        upper: `upper[parameter]`.
    """

    theta: FloatArray
    moving: IntArray
    root: FloatArray
    lower: FloatArray
    upper: FloatArray

    def project(self, jacobian: FloatArray) -> FloatArray:
        """Return `result[…, k]` for `jacobian[…, parameter]`: products of two rows are covariances."""
        result: FloatArray = jacobian[..., self.moving] @ self.root
        return result

    def covariance(self) -> FloatArray:
        """Return `covariance[moving, moving]`."""
        result: FloatArray = self.root @ self.root.T
        return result

    def draw(self, random: np.random.Generator, count: int) -> FloatArray:
        """Return `theta[draw, parameter]` normally distributed, cut at the edges of ranges that have a meaning."""
        result = np.tile(self.theta, (count, 1))
        result[:, self.moving] += random.normal(size=(count, self.root.shape[1])) @ self.root.T
        return np.clip(result, self.lower, self.upper)


def prefit_spread(workspace: Workspace) -> Spread:
    """Return the start values of a workspace with the uncertainties of constraints; frozen parameters have none."""
    parameters = workspace.model.parameters
    variances = np.array([0.0 if item.frozen else prefit_variance(item) for item in parameters])
    moving: IntArray = np.flatnonzero(variances)
    return Spread(
        workspace.start, moving, np.diag(np.sqrt(variances[moving])), *edges_of_draws(workspace, workspace.start)
    )


def prefit_variance(parameter: ModelParameter) -> float:
    """Return the variance that the constraint term of a parameter gives it; 0 without one.

    That is the square of the mean of two Gaussian widths, the expectation of a Poisson count, and the square of the
    range over 12 for a flat distribution.

    Examples:
        >>> from pocket_combine.likelihood import Constraint
        >>> prefit_variance(ModelParameter("x", "lnU", 0.0, (-3.0, 3.0), Constraint(ConstraintKind.UNIFORM)))
        3.0
    """
    constraint = parameter.constraint
    if constraint is None:
        return 0.0
    low, high = constraint.width
    if constraint.kind is ConstraintKind.GAUSSIAN:
        return (0.5 * (low + high)) ** 2
    if constraint.kind is ConstraintKind.POISSON:
        return parameter.initial
    if constraint.kind is ConstraintKind.GAMMA:
        return parameter.initial * low
    if constraint.kind is ConstraintKind.FERMI_DIRAC:
        return 1.0 / 3.0 + math.pi**2 / (3.0 * low**2)
    return (parameter.range[1] - parameter.range[0]) ** 2 / 12.0


def postfit_spread(workspace: Workspace, fit: FitResult) -> Spread:
    """Return the best fit with the covariance of all parameters: the inverse Hessian with bin parameters in it.

    Parameters that ended at a bound are fixed there, as in the covariance of the fit.

    Args:
        workspace: What was fitted.
        fit: The fit.

    Raises:
        CardError: If the fit is of another card or with other options, or the likelihood has no minimum there.
    """
    model = workspace.model
    _check_options(workspace, fit)
    moves = np.zeros(len(model.parameters), dtype=bool)
    moves[np.flatnonzero(fit.floating)[np.diag(fit.covariance) > 0.0]] = True
    for at in model.parameters.indices(model.bin_parameters):
        moves[at] |= not (model.parameters[int(at)].frozen or fit.floating[at])
    moving: IntArray = np.flatnonzero(moves)
    hessian = model.likelihood(workspace.data, profile=False).hessian(fit.values)[np.ix_(moving, moving)]
    scale = 1.0 / np.sqrt(np.maximum(np.diag(hessian), np.finfo(float).tiny))
    factor = cholesky(scale[:, None] * hessian * scale)
    if factor is None:
        raise CardError("the likelihood curves downwards at this point, so there is no covariance to propagate")
    # H = L Lᵀ, so that its inverse is R Rᵀ with R = (L⁻¹)ᵀ.
    root = half_solved(factor, np.eye(moving.size)).T
    return Spread(fit.values, moving, scale[:, None] * root, *edges_of_draws(workspace, fit.values))


def _check_options(workspace: Workspace, fit: FitResult) -> None:
    ours, theirs = (
        {name: value for name, value in options.items() if name not in _OF_THE_SEARCH}
        for options in (workspace.settings, fit.provenance.options)
    )
    different = sorted(name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name))
    problems = [f"{name}: {ours.get(name)!r} here, {theirs.get(name)!r} in the fit" for name in different]
    if fit.provenance.data != workspace.kind.value:
        problems.append(f"data: {workspace.kind.value} here, {fit.provenance.data} in the fit")
    if fit.provenance.card != workspace.card or fit.parameters != workspace.model.parameters.names:
        problems.append("the parameters are others")
    if problems:
        raise CardError(
            "the fit is not of this card with these options: fit it again, with the same options as here "
            f"({'; '.join(problems)})"
        )


def edges_of_draws(workspace: Workspace, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return what draws around `theta[parameter]` do not leave: ranges, infinite for Gaussian constraints."""
    parameters = workspace.model.parameters
    gaussian = np.array(
        [item.constraint is not None and item.constraint.kind is ConstraintKind.GAUSSIAN for item in parameters],
        dtype=bool,
    )
    lower, upper = np.minimum(parameters.lower, theta), np.maximum(parameters.upper, theta)
    return np.where(gaussian, -np.inf, lower), np.where(gaussian, np.inf, upper)
