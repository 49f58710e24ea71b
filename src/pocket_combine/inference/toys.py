"""Toys: random data of a model, and the bias test that fits them.

Toys are frequentist, as with Combine's `--toysFrequentist`: counts are drawn from the expectation at one parameter
point, and global observables from their constraint terms at the same point. Each toy has a random stream of its own,
made of the seed and the number of the toy, so that it does not depend on how toys are shared among tasks.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from pocket_combine.errors import CardError
from pocket_combine.execution import Executor, Progress, SerialExecutor
from pocket_combine.inference.toy_fitter import ToyFitter, toys_per_task
from pocket_combine.inference.workspace import Workspace, conditional_fit
from pocket_combine.likelihood import ConstraintKind, Data, ParameterList
from pocket_combine.results import ToyResult
from pocket_combine.templates import FloatArray, IntArray

__all__ = ["ObservableSampler", "ToyChunk", "generate_toys", "toy_chunks", "toy_fits", "truth"]


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
        rows: dict[ConstraintKind, list[int]] = {kind: [] for kind in ConstraintKind}
        for at, parameter in enumerate(parameters):
            if parameter.constraint is not None and parameter.constraint.moves:
                rows[parameter.constraint.kind].append(at)
        self._rows: dict[ConstraintKind, IntArray] = {kind: np.array(at, dtype=np.intp) for kind, at in rows.items()}
        widths = [(1.0, 1.0) if item.constraint is None else item.constraint.width for item in parameters]
        self._low, self._high = np.array(widths, dtype=np.float64).reshape(-1, 2).T

    def draw(self, theta: FloatArray, random: np.random.Generator) -> FloatArray:
        """Return `observables[parameter]` at `theta[parameter]`."""
        result = np.array(self._observables)
        rows = self._rows[ConstraintKind.GAUSSIAN]
        size = np.abs(random.normal(size=rows.size))
        # An observable above θ sees θ below it, where the lower width holds.
        low, high = self._low[rows], self._high[rows]
        above = random.uniform(size=rows.size) < low / (low + high)
        result[rows] = theta[rows] + size * np.where(above, low, -high)
        rows = self._rows[ConstraintKind.POISSON]
        result[rows] = random.poisson(np.maximum(theta[rows], 0.0))
        rows = self._rows[ConstraintKind.GAMMA]
        result[rows] = 1.0 + random.poisson(np.maximum(theta[rows] / self._low[rows], 0.0))
        rows = self._rows[ConstraintKind.FERMI_DIRAC]
        blurred = random.uniform(-1.0, 1.0, rows.size) + random.logistic(size=rows.size) / self._low[rows]
        result[rows] = theta[rows] - blurred
        return result


def generate_toys(workspace: Workspace, theta: FloatArray, count: int, seed: int, *, first: int = 0) -> Data:
    r"""Return toys: Poisson counts in every bin, and random global observables.

    Args:
        workspace: The model.
        theta: `theta[parameter]`, all parameters of the model.
        count: Number of toys.
        seed: Seed of the random numbers.
        first: Number of the first toy; a call with `first=100` gives the toys that follow those of a call for 100.

    Raises:
        CardError: If an expectation is not finite.

    Examples:
        >>> from pocket_combine.card.parser import parse_card
        >>> from pocket_combine.inference.workspace import make_workspace
        >>> text = "imax 1\nbin SR\nobservation 0\nbin SR SR\nprocess s b\nprocess 0 1\nrate 10 100\n"
        >>> workspace = make_workspace(parse_card(text), {})
        >>> generate_toys(workspace, workspace.start, 3, seed=1).observations.ravel()
        array([116., 109., 101.])
    """
    model = workspace.model
    expected = model.totals(theta)
    if not np.isfinite(expected).all():
        raise CardError("toys cannot be drawn: the expectation of a bin is not a finite number at these parameters")
    sampler = ObservableSampler(model.parameters)
    observations = np.zeros((count, model.bin_count))
    observables = np.zeros((count, len(model.parameters)))
    for at in range(count):
        random = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(first + at,)))
        observations[at] = random.poisson(np.maximum(expected, 0.0))
        observables[at] = sampler.draw(theta, random)
    return Data(observations, observables)


@dataclass(frozen=True)
class ToyChunk:
    """Some of the toys, as a task.

    Attributes:
        workspace: The model.
        theta: `theta[model parameter]`, where toys are drawn.
        seed: Seed of all toys.
        first: Number of the first toy.
        count: Number of toys.
    """

    workspace: Workspace
    theta: FloatArray
    seed: int
    first: int
    count: int

    @property
    def label(self) -> str:
        """Name of the task in messages."""
        return f"toys {self.first + 1}-{self.first + self.count}"

    def fitter(self) -> ToyFitter:
        """Return fits of the toys, which are drawn now."""
        data = generate_toys(self.workspace, self.theta, self.count, self.seed, first=self.first)
        return ToyFitter(self.workspace, data, self.theta)


def toy_chunks(workspace: Workspace, theta: FloatArray, count: int, seed: int) -> list[ToyChunk]:
    """Return toys in chunks that are fitted together."""
    size = toys_per_task(workspace)
    return [ToyChunk(workspace, theta, seed, first, min(size, count - first)) for first in range(0, count, size)]


def _signals(chunk: ToyChunk) -> FloatArray:
    """Return the best fit and interval of the first parameter of interest in every toy, see `ToyFitter.intervals`."""
    fitter = chunk.fitter()
    return fitter.intervals(fitter.fit(), chunk.workspace.poi)


def toy_fits(
    workspace: Workspace,
    injected: float,
    count: int,
    seed: int,
    *,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> ToyResult:
    """Return fits of toys with a known signal: the bias test.

    Toys are drawn with the first parameter of interest at the injected value (other parameters of interest at their
    start values) and nuisances at their best values in the observed data; in a blind workspace at their start values.
    Pulls of an unbiased fit have mean 0 and width 1. Where the range of the parameter of interest cuts intervals, pulls
    are distorted, and a note says how many; a range that allows negative values avoids it.

    Args:
        workspace: Model and data.
        injected: Value of the first parameter of interest.
        count: Number of toys.
        seed: Seed of the random numbers.
        executor: Where toys are fitted; in this process by default. The result does not depend on it.
        progress: Told how many chunks of toys are done.

    Raises:
        CardError: If the fit that nuisances are taken from fails.
    """
    theta = truth(workspace, injected)
    chunks = toy_chunks(workspace, theta, count, seed)
    parts = list((executor or SerialExecutor()).map(_signals, chunks, progress=progress))
    rows = np.concatenate([*parts, np.zeros((0, 4))])
    return _result(workspace, injected, seed, rows)


def truth(workspace: Workspace, injected: float) -> FloatArray:
    """Return `theta[parameter]` where toys with an injected signal are drawn."""
    theta: FloatArray = workspace.start.copy()
    theta[workspace.model.parameters.index(workspace.poi)] = injected
    if workspace.is_blind:
        return theta
    return conditional_fit(workspace.model, workspace.data, theta, workspace.options)


def _result(workspace: Workspace, injected: float, seed: int, rows: FloatArray) -> ToyResult:
    usable = np.isfinite(rows).all(axis=1)
    values, low, high, cut = rows[usable].T
    distance = values - injected
    width = np.where(distance > 0.0, low, high)
    pulls = np.divide(distance, width, out=np.zeros_like(distance), where=width > 0.0)
    notes = []
    distorted = int(((cut > 0.0) & (distance > 0.0)).sum())
    if distorted:
        notes.append(f"in {distorted} toys the range of {workspace.poi} cuts the interval that the pull is made of")
    provenance = dataclasses.replace(workspace.provenance(seed, notes=notes, toys=len(rows)), data="toy")
    return ToyResult(provenance, workspace.poi, injected, values, low, high, pulls, int((~usable).sum()))
