"""Random global observables and random parameters, from the constraint terms of a model.

A constraint term is a probability density read both ways. Of the global observable, at a value of the parameter, it is
what frequentist toys draw from. Of the parameter, at the nominal global observable and normalised over the range, it is
the prior that Combine draws from without `--toysFrequentist`.
"""

from __future__ import annotations

import numpy as np

from pocket_combine.errors import CardError
from pocket_combine.likelihood import ConstraintKind, ParameterList
from pocket_combine.templates import FloatArray, IntArray

__all__ = ["ObservableSampler", "PriorSampler"]

_MOST_DRAWS = 10_000


class _Terms:
    """Positions of the parameters with each kind of constraint, and the widths of all.

    Args:
        parameters: All parameters of a model.
        chosen: Positions of those to be drawn.
    """

    def __init__(self, parameters: ParameterList, chosen: list[int]) -> None:
        rows: dict[ConstraintKind, list[int]] = {kind: [] for kind in ConstraintKind}
        for at in chosen:
            constraint = parameters[at].constraint
            if constraint is not None:
                rows[constraint.kind].append(at)
        self.rows: dict[ConstraintKind, IntArray] = {kind: np.array(at, dtype=np.intp) for kind, at in rows.items()}
        widths = [(1.0, 1.0) if item.constraint is None else item.constraint.width for item in parameters]
        self.low, self.high = np.array(widths, dtype=np.float64).reshape(-1, 2).T

    def gaussian(self, below: FloatArray, above: FloatArray, random: np.random.Generator) -> FloatArray:
        """Return draws from two halves of a Gaussian around 0, with widths `below[row]` and `above[row]`."""
        size = np.abs(random.normal(size=below.size))
        is_above = random.uniform(size=below.size) < above / (below + above)
        result: FloatArray = size * np.where(is_above, above, -below)
        return result

    def fermi_dirac(self, random: np.random.Generator) -> FloatArray:
        """Return draws from the Fermi-Dirac term around 0: a flat distribution folded with a logistic one."""
        rows = self.rows[ConstraintKind.FERMI_DIRAC]
        result: FloatArray = random.uniform(-1.0, 1.0, rows.size) + random.logistic(size=rows.size) / self.low[rows]
        return result


class ObservableSampler:
    """Random global observables, given the parameters.

    Gaussian terms give θ plus a normal number, for two widths from the density in which each side has its own; Poisson
    and gamma terms a Poisson count (for gamma the shape less one is the count); the Fermi-Dirac term, which is a flat
    distribution folded with a logistic one, their difference from θ. Those of uniform terms stay.

    Args:
        parameters: All parameters of a model.

    Examples:
        >>> from pocket_combine.likelihood import Constraint, ModelParameter
        >>> parameter = ModelParameter("b", "gmN", 12.0, (0.0, 40.0), Constraint(ConstraintKind.POISSON, 11.0))
        >>> ObservableSampler(ParameterList([parameter])).draw(np.array([20.0]), np.random.default_rng(1))
        array([17.])
    """

    def __init__(self, parameters: ParameterList) -> None:
        self._observables = parameters.observables
        moving = [at for at, item in enumerate(parameters) if item.constraint is not None and item.constraint.moves]
        self._terms = _Terms(parameters, moving)

    def draw(self, theta: FloatArray, random: np.random.Generator) -> FloatArray:
        """Return `observables[parameter]` at `theta[parameter]`."""
        result = np.array(self._observables)
        terms, low = self._terms, self._terms.low
        rows = terms.rows[ConstraintKind.GAUSSIAN]
        # An observable above θ sees θ below it, where the lower width holds.
        result[rows] = theta[rows] + terms.gaussian(terms.high[rows], low[rows], random)
        rows = terms.rows[ConstraintKind.POISSON]
        result[rows] = random.poisson(np.maximum(theta[rows], 0.0))
        rows = terms.rows[ConstraintKind.GAMMA]
        result[rows] = 1.0 + random.poisson(np.maximum(theta[rows] / low[rows], 0.0))
        rows = terms.rows[ConstraintKind.FERMI_DIRAC]
        result[rows] = theta[rows] - terms.fermi_dirac(random)
        return result


class PriorSampler:
    """Random parameters, given the nominal global observables.

    Each parameter has the density of its constraint term inside its range: a Gaussian, with two widths where the term
    has two; a gamma distribution for Poisson (shape count + 1) and gamma terms; a flat one for uniform terms. Frozen
    parameters and those without a constraint stay.

    Args:
        parameters: All parameters of a model.

    Raises:
        CardError: If a flat prior has no finite range.

    Examples:
        >>> from pocket_combine.likelihood import Constraint, ModelParameter
        >>> count = ModelParameter("b", "gmN", 12.0, (0.0, 40.0), Constraint(ConstraintKind.POISSON, 11.0))
        >>> sampler = PriorSampler(ParameterList([ModelParameter("r", "POI", 1.0, (0.0, 20.0)), count]))
        >>> sampler.draw(np.array([1.0, 12.0]), np.random.default_rng(1)).round(3)
        array([ 1.   , 12.887])
    """

    def __init__(self, parameters: ParameterList) -> None:
        self._parameters = parameters
        drawn = [at for at, item in enumerate(parameters) if item.constraint is not None and not item.frozen]
        self._terms = _Terms(parameters, drawn)
        self._drawn: IntArray = np.array(drawn, dtype=np.intp)
        flat = self._terms.rows[ConstraintKind.UNIFORM]
        endless = flat[~np.isfinite(parameters.upper[flat] - parameters.lower[flat])]
        if endless.size:
            names = ", ".join(parameters.names[int(at)] for at in endless)
            raise CardError(f"values of {names} cannot be drawn: a flat prior needs a finite range")

    def draw(self, theta: FloatArray, random: np.random.Generator) -> FloatArray:
        """Return `theta[parameter]` with random values for nuisances.

        Raises:
            CardError: If a range lies so far from what the constraint term prefers that next to no draw is in it.
        """
        result: FloatArray = np.array(theta, dtype=np.float64)
        lower, upper = self._parameters.lower, self._parameters.upper
        outside = self._drawn
        for _ in range(_MOST_DRAWS):
            proposal = self._proposal(random)
            result[outside] = proposal[outside]
            outside = outside[(result[outside] < lower[outside]) | (result[outside] > upper[outside])]
            if not outside.size:
                return result
        names = ", ".join(self._parameters.names[int(at)] for at in outside)
        raise CardError(f"toys cannot be drawn: next to nothing of the prior lies in the range of {names}")

    def _proposal(self, random: np.random.Generator) -> FloatArray:
        """Return draws that do not know of ranges."""
        terms = self._terms
        observables = self._parameters.observables
        result = np.array(observables)
        rows = terms.rows[ConstraintKind.GAUSSIAN]
        result[rows] = observables[rows] + terms.gaussian(terms.low[rows], terms.high[rows], random)
        rows = terms.rows[ConstraintKind.POISSON]
        result[rows] = random.gamma(observables[rows] + 1.0)
        rows = terms.rows[ConstraintKind.GAMMA]
        result[rows] = random.gamma(observables[rows]) * terms.low[rows]
        rows = terms.rows[ConstraintKind.FERMI_DIRAC]
        result[rows] = observables[rows] + terms.fermi_dirac(random)
        rows = terms.rows[ConstraintKind.UNIFORM]
        result[rows] = random.uniform(self._parameters.lower[rows], self._parameters.upper[rows])
        return result
