"""Goodness of fit: the saturated model, Kolmogorov-Smirnov and Anderson-Darling, as in `src/GoodnessOfFit.cc`.

The saturated statistic is twice the negative log-likelihood at the best fit, which is relative to an expectation equal
to the data and to constraint terms at their minima (S. Baker and R. D. Cousins, Nucl. Instrum. Meth. 221 (1984) 437).
The other two compare cumulative distributions of data and fitted expectation in each channel; those of channels are
added.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

import numpy as np

from pocket_combine.errors import CardError, nearest
from pocket_combine.execution import Executor, Progress, SerialExecutor
from pocket_combine.inference.toys import ToyChunk, ToyKind, toy_chunks
from pocket_combine.inference.usable import usable_best
from pocket_combine.inference.workspace import Workspace, conditional_fit
from pocket_combine.likelihood import Model
from pocket_combine.likelihood.poisson import poisson_term
from pocket_combine.results import GoodnessOfFitResult
from pocket_combine.templates import FloatArray

__all__ = ["ALGORITHMS", "anderson_darling", "goodness_of_fit", "kolmogorov_smirnov", "toy_point"]

ALGORITHMS = ("saturated", "KS", "AD")


def goodness_of_fit(
    workspace: Workspace,
    algorithm: str = "saturated",
    *,
    toys: int = 0,
    seed: int = 1,
    kind: ToyKind = ToyKind.FREQUENTIST,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> GoodnessOfFitResult:
    """Return the goodness of fit of the model with everything floating, the parameters of interest among it.

    Toys are drawn where `toy_point` says. In a blind workspace the data are Asimov data and their statistic says
    nothing, so there are only toys. Masked channels are left out.

    Args:
        workspace: Model and data.
        algorithm: `saturated`, `KS` or `AD`.
        toys: Number of toys for the p-value.
        seed: Seed of the toys.
        kind: What is random in toys beside the counts.
        executor: Where toys are fitted; in this process by default. The result does not depend on it.
        progress: Told how many chunks of toys are done.

    Returns:
        The statistic, per channel too. The parts of the saturated statistic are the Poisson terms of channels; what is
        missing to the whole are the constraint terms.

    Raises:
        CardError: If there is no such algorithm, or the best fit cannot be used.
    """
    if algorithm not in ALGORITHMS:
        raise CardError(f"no goodness-of-fit algorithm {algorithm!r}: {nearest(algorithm, ALGORITHMS)}")
    model = workspace.model
    fitter = workspace.fitter()
    best = usable_best(fitter, workspace.start_of(fitter))
    theta = fitter.likelihood.complete(best.theta)
    parts = _by_channel(model, algorithm, model.totals(theta), workspace.data.observations)
    statistic = 2.0 * best.nll if algorithm == "saturated" else float(sum(parts.values()))
    chunks = toy_chunks(workspace, toy_point(workspace, theta, kind) if toys else theta, toys, seed, kind)
    function = functools.partial(_statistics, algorithm=algorithm)
    results = (executor or SerialExecutor()).map(function, chunks, progress=progress)
    drawn = np.concatenate([*results, np.zeros(0)])
    usable = drawn[np.isfinite(drawn)]
    seen = not workspace.is_blind
    return GoodnessOfFitResult(
        provenance=workspace.provenance(
            seed if toys else None,
            notes=list(fitter.notes),
            **({"toys": toys, "toy_kind": kind.value} if toys else {}),
        ),
        algorithm=algorithm,
        statistic=statistic if seen else None,
        by_channel={name: float(part) for name, part in parts.items()} if seen else {},
        toys=usable,
        p_value=float((usable >= statistic).mean()) if seen and usable.size else None,
        failed_toys=int(drawn.size - usable.size),
        status=best.status,
    )


def toy_point(workspace: Workspace, best: FloatArray, kind: ToyKind) -> FloatArray:
    """Return `theta[parameter]` where toys for the goodness of fit are drawn.

    Frequentist toys are drawn at the best fit. If the workspace has an `expect_signal`, signal strengths have that
    value and, with the parameters of interest at their start values, the others their best ones in the data: Combine's
    toys, for which it is 0 without the option (`src/Combine.cc`). Other toys are drawn where a-priori Asimov data are.

    Args:
        workspace: Model and data.
        best: `best[parameter]`, the best fit.
        kind: What is random in toys beside the counts.

    Raises:
        CardError: If the fit with fixed parameters fails.
    """
    if kind is not ToyKind.FREQUENTIST:
        return workspace.injected
    if workspace.settings.get("expect_signal") is None:
        return best
    if workspace.is_blind:
        return workspace.injected
    parameters = workspace.model.parameters
    fixed = dict.fromkeys((*parameters.pois, *(item.name for item in parameters if item.is_signal_strength)))
    return conditional_fit(workspace.model, workspace.data, workspace.injected, workspace.options, tuple(fixed))


def _statistics(chunk: ToyChunk, algorithm: str) -> FloatArray:
    """Return `statistic[toy]`; not a number where the fit failed."""
    fitter = chunk.fitter()
    fits = fitter.fit()
    if algorithm == "saturated":
        return np.where(fits.converged, 2.0 * fits.value, np.nan)
    model = chunk.workspace.model
    parts = _by_channel(model, algorithm, model.totals(fitter.complete(fits)), fitter.data.observations)
    return np.where(fits.converged, sum(parts.values(), np.zeros(chunk.count)), np.nan)


def kolmogorov_smirnov(expected: FloatArray, observed: FloatArray) -> FloatArray:
    """Return the largest difference of the cumulative distributions at upper edges of bins; 0 without any events.

    Args:
        expected: `expected[…, bin]`.
        observed: `observed[…, bin]`.

    Examples:
        >>> kolmogorov_smirnov(np.array([1.0, 1.0, 2.0]), np.array([2.0, 1.0, 1.0])).item()
        0.25
    """
    distance: FloatArray = np.abs(_cumulative(observed) - _cumulative(expected)).max(axis=-1)
    return np.where(observed.sum(axis=-1) > 0.0, distance, 0.0)


def anderson_darling(expected: FloatArray, observed: FloatArray) -> FloatArray:
    """Return Σ N (E - F)² / [F (1 - F)] ΔF over bins, of the cumulative distributions E of data and F of expectation.

    The last bin, where F is 1, has no term.

    Args:
        expected: `expected[…, bin]`.
        observed: `observed[…, bin]`.

    Examples:
        >>> anderson_darling(np.array([1.0, 1.0, 2.0]), np.array([2.0, 1.0, 1.0])).round(4).item()  # (1/3 + 1/4) · 4/4
        0.5833
    """
    model, data = _cumulative(expected), _cumulative(observed)
    steps = np.diff(model, axis=-1, prepend=0.0)[..., :-1]
    model, data = model[..., :-1], data[..., :-1]
    inside = (model > 0.0) & (model < 1.0)
    spread = np.where(inside, model * (1.0 - model), 1.0)
    terms = np.where(inside, (data - model) ** 2 / spread * steps, 0.0)
    result: FloatArray = observed.sum(axis=-1) * terms.sum(axis=-1)
    return result


def _cumulative(contents: FloatArray) -> FloatArray:
    total = contents.sum(axis=-1, keepdims=True)
    result: FloatArray = np.cumsum(contents, axis=-1) / np.where(total > 0.0, total, 1.0)
    return result


def _by_channel(model: Model, algorithm: str, expected: FloatArray, observed: FloatArray) -> Mapping[str, FloatArray]:
    """Return the part of each channel that is not masked, one number per data set."""
    result = {}
    for channel in model.channels:
        if channel.is_masked:
            continue
        ours, theirs = expected[..., channel.bins], observed[..., channel.bins]
        if algorithm == "saturated":
            result[channel.name] = 2.0 * poisson_term(ours, theirs).sum(axis=-1)
        elif algorithm == "KS":
            result[channel.name] = kolmogorov_smirnov(ours, theirs)
        else:
            result[channel.name] = anderson_darling(ours, theirs)
    return result
