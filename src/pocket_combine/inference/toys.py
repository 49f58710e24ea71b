"""Toys: random data of a model, and the bias test that fits them.

Each toy has a random stream of its own, made of the seed and the number of the toy, so that it does not depend on how
toys are shared among tasks.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from pocket_combine.errors import CardError
from pocket_combine.execution import Executor, Progress, SerialExecutor
from pocket_combine.inference.sampling import ObservableSampler, PriorSampler
from pocket_combine.inference.toy_fitter import ToyFitter, toys_per_task
from pocket_combine.inference.usable import reason
from pocket_combine.inference.workspace import Workspace, conditional_fit
from pocket_combine.likelihood import Data
from pocket_combine.results import BiasResult, Status, ToyResult
from pocket_combine.templates import FloatArray

__all__ = ["ToyChunk", "ToyKind", "bias_test", "generate_toys", "toy_chunks", "toy_fits", "truth"]


class ToyKind(Enum):
    """What is random in toys beside the counts.

    `FREQUENTIST`: global observables, from their constraint terms at one parameter point (Combine's
    `--toysFrequentist`). `BAYESIAN`: nuisances, from their constraint terms at the nominal global observables, which
    stay; each toy has an expectation of its own (what Combine does without an option). `NO_SYSTEMATICS`: nothing
    (`--toysNoSystematics`).
    """

    FREQUENTIST = "frequentist"
    BAYESIAN = "bayesian"
    NO_SYSTEMATICS = "no systematics"


def generate_toys(
    workspace: Workspace,
    theta: FloatArray,
    count: int,
    seed: int,
    *,
    first: int = 0,
    kind: ToyKind = ToyKind.FREQUENTIST,
) -> Data:
    r"""Return toys: Poisson counts in every bin, and global observables.

    Args:
        workspace: The model.
        theta: `theta[parameter]`, all parameters of the model; Bayesian toys have values of their own for nuisances
            that float.
        count: Number of toys.
        seed: Seed of the random numbers.
        first: Number of the first toy; a call with `first=100` gives the toys that follow those of a call for 100.
        kind: What is random beside the counts.

    Raises:
        CardError: If an expectation is not finite, or there is a prior that Bayesian toys cannot draw from: that of a
            `constr` line, or a flat one without a finite range.

    Examples:
        >>> from pocket_combine.card.parser import parse_card
        >>> from pocket_combine.inference.workspace import make_workspace
        >>> text = "imax 1\nbin SR\nobservation 0\nbin SR SR\nprocess s b\nprocess 0 1\nrate 10 100\n"
        >>> workspace = make_workspace(parse_card(text), {})
        >>> generate_toys(workspace, workspace.start, 3, seed=1).observations.ravel()
        array([116., 109., 101.])
    """
    model = workspace.model
    streams = [np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(first + at,))) for at in range(count)]
    points = np.asarray(theta, dtype=np.float64)[np.newaxis]
    if kind is ToyKind.BAYESIAN and count:
        points = _prior_points(workspace, theta, streams)
    expected = model.totals(points)
    if not np.isfinite(expected).all():
        raise CardError("toys cannot be drawn: the expectation of a bin is not a finite number at these parameters")
    expected = np.broadcast_to(np.maximum(expected, 0.0), (count, model.bin_count))
    sampler = ObservableSampler(model.parameters)
    observations = np.zeros((count, model.bin_count))
    observables = np.tile(model.parameters.observables, (count, 1))
    for at, random in enumerate(streams):
        observations[at] = random.poisson(expected[at])
        if kind is ToyKind.FREQUENTIST:
            observables[at] = sampler.draw(theta, random)
    return Data(observations, observables)


def _prior_points(workspace: Workspace, theta: FloatArray, streams: list[np.random.Generator]) -> FloatArray:
    """Return `points[toy, parameter]` with nuisances drawn from their priors."""
    model = workspace.model
    if model.has_formula_constraints:
        raise CardError(
            "Bayesian toys cannot be drawn: `constr` lines constrain functions of parameters, whose prior is not known "
            "in closed form; draw frequentist toys"
        )
    sampler = PriorSampler(model.parameters)
    return np.array([sampler.draw(theta, random) for random in streams]).reshape(-1, len(model.parameters))


@dataclass(frozen=True)
class ToyChunk:
    """Some of the toys, as a task.

    Attributes:
        workspace: The model.
        theta: `theta[model parameter]`, where toys are drawn.
        seed: Seed of all toys.
        first: Number of the first toy.
        count: Number of toys.
        kind: What is random in them.
    """

    workspace: Workspace
    theta: FloatArray
    seed: int
    first: int
    count: int
    kind: ToyKind = ToyKind.FREQUENTIST

    @property
    def label(self) -> str:
        """Name of the task in messages."""
        return f"toys {self.first + 1}-{self.first + self.count}"

    def fitter(self) -> ToyFitter:
        """Return fits of the toys, which are drawn now."""
        data = generate_toys(self.workspace, self.theta, self.count, self.seed, first=self.first, kind=self.kind)
        return ToyFitter(self.workspace, data, self.theta)


def toy_chunks(workspace: Workspace, theta: FloatArray, count: int, seed: int, kind: ToyKind) -> list[ToyChunk]:
    """Return toys in chunks that are fitted together."""
    size = toys_per_task(workspace)
    return [ToyChunk(workspace, theta, seed, first, min(size, count - first), kind) for first in range(0, count, size)]


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
    kind: ToyKind = ToyKind.FREQUENTIST,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> ToyResult:
    """Return fits of toys with a known signal.

    Toys are drawn at the point that `truth` gives. Pulls of an unbiased fit have mean 0 and width 1. Where the range of
    the parameter of interest cuts intervals, pulls are distorted, and a note says how many; a range that allows
    negative values avoids it.

    Args:
        workspace: Model and data.
        injected: Value of the first parameter of interest.
        count: Number of toys.
        seed: Seed of the random numbers.
        kind: What is random in toys beside the counts.
        executor: Where toys are fitted; in this process by default. The result does not depend on it.
        progress: Told how many chunks of toys are done.

    Raises:
        CardError: If the fit that nuisances are taken from fails, or toys cannot be drawn, or have no
            unique best fit.
    """
    return bias_test(workspace, [injected], count, seed, kind=kind, executor=executor, progress=progress).tests[0]


def bias_test(
    workspace: Workspace,
    injected: Sequence[float],
    count: int,
    seed: int,
    *,
    kind: ToyKind = ToyKind.FREQUENTIST,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> BiasResult:
    """Return fits of toys at several values of a known signal, as `toy_fits` makes them at one.

    Args:
        workspace: Model and data.
        injected: Values of the first parameter of interest, each once.
        count: Number of toys at each value.
        seed: Seed of the random numbers at the first value; the next ones have seed + 1, seed + 2, …, so that toys at
            different values are independent.
        kind: What is random in toys beside the counts.
        executor: Where toys are fitted; in this process by default. The result does not depend on it.
        progress: Told how many chunks of toys are done.

    Raises:
        CardError: As for `toy_fits`, or if a value comes twice.
    """
    repeated = [value for at, value in enumerate(injected) if value in injected[:at]]
    if repeated:
        raise CardError(f"the injected value {repeated[0]:g} comes twice; ask for more toys instead")
    chunks: list[ToyChunk] = []
    for at, value in enumerate(injected):
        theta = truth(workspace, value, kind)
        _check_unique(workspace, theta)
        chunks += toy_chunks(workspace, theta, count, seed + at, kind)
    parts = list((executor or SerialExecutor()).map(_signals, chunks, progress=progress))
    tests = []
    for at, value in enumerate(injected):
        own = [part for chunk, part in zip(chunks, parts, strict=True) if chunk.seed == seed + at]
        tests.append(_result(workspace, value, seed + at, kind, np.concatenate([*own, np.zeros((0, 5))])))
    notes = [
        f"{workspace.poi} = {test.injected:g}: {note}" for test in tests for note in test.provenance.options["notes"]
    ]
    options = {"notes": notes, "toys": count, "toy_kind": kind.value, "inject": [float(value) for value in injected]}
    provenance = dataclasses.replace(workspace.provenance(seed, **options), data="toy")
    return BiasResult(provenance, workspace.poi, tuple(tests))


def _check_unique(workspace: Workspace, theta: FloatArray) -> None:
    """Raise if a fit of the expectation itself has no unique answer, as then no toy has."""
    fitter = workspace.fitter(workspace.model.asimov(theta))
    best = fitter.best(theta[workspace.model.parameters.indices(fitter.parameters.names)])
    if best.status is Status.FLAT_DIRECTION:
        raise CardError(f"toys of this model cannot be fitted: {reason(best)}")


def truth(workspace: Workspace, injected: float, kind: ToyKind = ToyKind.FREQUENTIST) -> FloatArray:
    """Return `theta[parameter]` where toys with an injected signal are drawn.

    The first parameter of interest is at the injected value, others of interest as in a-priori Asimov data. The rest of
    the parameters are at their best values in the observed data for frequentist toys, and as in a-priori Asimov data
    for other toys and in a blind workspace.
    """
    theta: FloatArray = workspace.injected.copy()
    theta[workspace.model.parameters.index(workspace.poi)] = injected
    if workspace.is_blind or kind is not ToyKind.FREQUENTIST:
        return theta
    return conditional_fit(workspace.model, workspace.data, theta, workspace.options)


def _result(workspace: Workspace, injected: float, seed: int, kind: ToyKind, rows: FloatArray) -> ToyResult:
    usable = np.isfinite(rows).all(axis=1)
    values, low, high, cut_low, cut_high = rows[usable].T
    distance = values - injected
    width = np.where(distance > 0.0, low, high)
    pulls = np.divide(distance, width, out=np.zeros_like(distance), where=width > 0.0)
    notes = []
    distorted = int((np.where(distance > 0.0, cut_low, cut_high) > 0.0).sum())
    if distorted:
        notes.append(f"in {distorted} toys the range of {workspace.poi} cuts the interval that the pull is made of")
    provenance = dataclasses.replace(
        workspace.provenance(seed, notes=notes, toys=len(rows), toy_kind=kind.value), data="toy"
    )
    return ToyResult(provenance, workspace.poi, injected, values, low, high, pulls, int((~usable).sum()))
