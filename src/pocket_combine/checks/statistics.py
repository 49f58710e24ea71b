"""Checks of statistical errors: of nominal templates, of backgrounds per bin, and of variations against fluctuations.

Two numbers are not known from templates alone: which events a variation shares with nominal, and so how its
fluctuations are correlated with those of nominal. `check_insignificant` and `check_outliers` say what they assume.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.special import chdtrc

from pocket_combine.checks.finding import CheckFinding, Where, found
from pocket_combine.checks.subject import BoolArray, ChannelArrays, Subject, divide, in_any_bin, rows_of
from pocket_combine.checks.thresholds import Thresholds
from pocket_combine.findings import Severity
from pocket_combine.templates import FloatArray

__all__ = [
    "changes_one_bin",
    "check_background_bins",
    "check_bin_errors",
    "check_insignificant",
    "check_outliers",
    "errors_are_poisson",
    "fluctuation_probabilities",
    "smooth_probabilities",
    "spikes",
]

_FEWEST_BINS = 4  # a straight line through fewer leaves nothing to judge it by
_FEWEST_BINS_FOR_SPIKES = 6
_SAME_FACTOR = 1e-5


def errors_are_poisson(values: FloatArray, variances: FloatArray, tolerance: float) -> BoolArray:
    """Return for each row whether all bins with content have an error of sqrt(N) (`binErrorIsNotSumw2`).

    Examples:
        >>> errors_are_poisson(np.array([[4.0, 0.0], [4.0, 9.0]]), np.array([[4.0, 1.0], [4.0, 3.0]]), 1e-6)
        array([ True, False])
    """
    size = np.abs(values)
    same = np.abs(size - variances) <= tolerance * np.maximum(size, variances)
    result: BoolArray = (same | (size == 0)).all(axis=1)
    return result


def check_bin_errors(subject: Subject, thresholds: Thresholds) -> Iterator[CheckFinding]:
    """Yield processes of channels with `autoMCStats` whose bin errors are sqrt(N), or absent."""
    for channel in subject.channels:
        if channel.mc_stats is None or channel.mc_stats.threshold < 0:
            continue
        filled = in_any_bin(channel.values != 0)
        absent = filled & ~in_any_bin(channel.variances > 0)
        for row in rows_of(absent):
            where = Where(channel.name, channel.columns[row].process)
            message = "no bin has a statistical error: autoMCStats takes the template as exact"
            advice = "write histograms with Sumw2, or leave it if the template is exact"
            yield found("bin-errors-absent", Severity.WARNING, where, message, advice)
        poisson = filled & ~absent & errors_are_poisson(channel.values, channel.variances, thresholds.poisson_error)
        counts: BoolArray = np.logical_and.reduce(np.abs(channel.values - np.round(channel.values)) <= 1e-6, axis=1)
        for row in rows_of(poisson):
            where = Where(channel.name, channel.columns[row].process)
            if counts[row]:
                message = "all bin errors are sqrt(N) of whole numbers: right for unweighted events only"
                yield found("bin-errors-sqrt-n", Severity.INFO, where, message)
            else:
                message = "all bin errors are sqrt(N), of contents that are no whole numbers: the weights are lost"
                advice = "autoMCStats needs the sums of squared weights: fill or write the histogram with Sumw2"
                yield found("bin-errors-sqrt-n", Severity.WARNING, where, message, advice)


def check_background_bins(subject: Subject, thresholds: Thresholds) -> Iterator[CheckFinding]:
    """Yield bins without background, bins with data but no expectation, and large errors of the background."""
    for channel in subject.channels:
        background, error = channel.background, channel.background_error
        empty: BoolArray = background <= 0
        if empty.any():
            signal = float(channel.expected[empty].sum() - background[empty].sum())
            message = f"no background in {int(empty.sum())} of {channel.bins} bins, with {signal:.4g} signal events"
            where, advice = Where(channel.name).at(rows_of(empty)), "merge the bins with their neighbours"
            yield found("empty-background-bin", Severity.WARNING, where, message, advice, signal=signal)
        if channel.observation is not None:
            bad: BoolArray = (channel.observation > 0) & (channel.expected <= 0)
            if bad.any():
                events = float(channel.observation[bad].sum())
                message = f"{events:g} observed events where nothing is expected: no parameter value describes them"
                where, advice = Where(channel.name).at(rows_of(bad)), "merge the bins or add the missing process"
                yield found("data-without-expectation", Severity.WARNING, where, message, advice, events=events)
        relative = divide(error, background)
        large: BoolArray = (background > 0) & (relative > thresholds.relative_bin_error)
        if large.any():
            worst = float(relative[large].max())
            message = f"the statistical error of the background is up to {worst:.2f} times its content"
            where, advice = Where(channel.name).at(rows_of(large)), "merge the bins with their neighbours"
            yield found("large-bin-error", Severity.WARNING, where, message, advice, largest=worst)


def smooth_probabilities(shifts: FloatArray, variances: FloatArray, nominal: FloatArray) -> FloatArray:
    """Return for each row the probability of a shift as smooth as this one, or more, if it is a fluctuation.

    The shift in bin j is described by nominal (a + c j), a change of the yield and a slope. With the sum of squares S0
    of all shifts in units of their errors and S1 of those that remain after the best a and c, the probability is
    (S1 / S0)^((n - 2) / 2) for n bins: the F test for two parameters. A factor common to all errors drops out. So it is
    not assumed that the events of variation and nominal are independent, only that the part of their fluctuations that
    they share is the same in all bins, and that bins fluctuate independently. Rows with fewer than four bins have
    probability 1.

    Examples:
        >>> flat = np.full((1, 4), 100.0)
        >>> smooth_probabilities(np.array([[2.0, 2.1, 2.0, 2.1]]), 200 * np.ones((1, 4)), flat).round(4)
        array([0.0005])
        >>> smooth_probabilities(np.array([[2.0, -2.1, 2.0, -2.1]]), 200 * np.ones((1, 4)), flat).round(2)
        array([0.8])
    """
    weights = divide(np.ones_like(variances), variances)
    used: FloatArray = (weights > 0).sum(axis=1).astype(np.float64)
    # The position is counted from the weighted middle, so that the two terms do not mix.
    position = np.arange(shifts.shape[1], dtype=np.float64)
    mass = weights * nominal**2
    middle = divide(mass @ position, mass.sum(axis=1))[:, np.newaxis]
    slope = nominal * (position - middle)
    total = (weights * shifts**2).sum(axis=1)
    explained = np.zeros_like(total)
    for term in (nominal, slope):
        explained += divide((weights * term * shifts).sum(axis=1) ** 2, (weights * term**2).sum(axis=1))
    ratio = np.clip(divide(total - explained, total, otherwise=1.0), 0.0, 1.0)
    result: FloatArray = np.where(used < _FEWEST_BINS, 1.0, ratio ** np.maximum((used - 2) / 2, 0.0))
    return result


def fluctuation_probabilities(shifts: FloatArray, variances: FloatArray) -> FloatArray:
    """Return for each row the probability of shifts as large as these, or larger, between independent samples.

    Shared events only make fluctuations smaller, so that a small probability speaks for a true effect in any case;
    events that move from bin to bin count as independent ones.
    """
    terms = divide(shifts**2, variances)
    result: FloatArray = chdtrc((variances > 0).sum(axis=1).clip(min=1), terms.sum(axis=1))
    return result


def changes_one_bin(nominal: FloatArray, varied: FloatArray) -> BoolArray:
    """Return for each row whether varied is nominal times a factor in all bins but one, or in all.

    Such a variation is a spike on purpose: the statistical uncertainty of one bin as a nuisance of its own, of which
    CombineHarvester's bin-by-bin tool keeps the yield.

    Examples:
        >>> nominal = np.array([[1.0, 2.0, 4.0, 8.0]])
        >>> changes_one_bin(nominal, np.array([[0.9, 1.8, 5.0, 7.2]]))
        array([ True])
        >>> changes_one_bin(nominal, np.array([[0.9, 1.8, 5.0, 8.0]]))
        array([False])
    """
    filled = nominal != 0
    ratios = np.sort(np.where(filled, divide(varied, nominal), np.nan), axis=1)  # not-a-number comes last
    count = np.maximum(np.count_nonzero(filled, axis=1), 2)[:, np.newaxis]
    first, second = ratios[:, :1], ratios[:, min(1, ratios.shape[1] - 1) :][:, :1]
    last = np.take_along_axis(ratios, np.minimum(count - 1, ratios.shape[1] - 1), axis=1)
    last_but_one = np.take_along_axis(ratios, count - 2, axis=1)
    spreads = np.concatenate([last_but_one - first, last - second], axis=1)
    factor = np.nan_to_num(spreads).min(axis=1) <= _SAME_FACTOR
    elsewhere = np.count_nonzero(~filled & (varied != 0), axis=1)
    everywhere = np.nan_to_num(last - first)[:, 0] <= _SAME_FACTOR
    result: BoolArray = factor & (elsewhere + ~everywhere <= 1)
    return result


def check_insignificant(subject: Subject, thresholds: Thresholds) -> Iterator[CheckFinding]:
    """Yield pairs of which neither side can be told from a fluctuation.

    A side is compatible with a fluctuation if its shifts are no larger than those between independent samples, and no
    smoother than fluctuations are; see `fluctuation_probabilities` and `smooth_probabilities`.
    """
    level = thresholds.significance_level
    for channel in subject.channels:
        if channel.bins < _FEWEST_BINS:
            continue
        nominal_variances = channel.variances[channel.pair_columns]
        insignificant = np.ones(len(channel.cells), dtype=np.bool_)
        some = np.zeros(len(channel.cells), dtype=np.bool_)
        probabilities = []
        for varied, own in ((channel.up, channel.up_variances), (channel.down, channel.down_variances)):
            shifts, variances = varied - channel.nominal, own + nominal_variances
            large = fluctuation_probabilities(shifts, variances)
            smooth = smooth_probabilities(shifts, variances, channel.nominal)
            zero = ~in_any_bin(shifts != 0)
            judged: BoolArray = (variances > 0).sum(axis=1) >= _FEWEST_BINS
            judged &= ~changes_one_bin(channel.nominal, varied)
            insignificant &= zero | (judged & (large > level) & (smooth > level))
            some |= ~zero
            probabilities.append((large, smooth))
        for pair in rows_of(insignificant & some):
            yield _insignificant(channel, pair, probabilities, thresholds)


def _insignificant(
    channel: ChannelArrays, pair: int, probabilities: list[tuple[FloatArray, FloatArray]], thresholds: Thresholds
) -> CheckFinding:
    size = float(channel.visibilities[pair])
    large = float(min(pairs[0][pair] for pairs in probabilities))
    smooth = float(min(pairs[1][pair] for pairs in probabilities))
    message = (
        f"neither Up nor Down can be told from a fluctuation: probabilities {large:.2g} (size, if the events are "
        f"independent of nominal) and {smooth:.2g} (smoothness, if all bins share equally many events); "
        f"the effect is {size:.2g} standard deviations of the data"
    )
    advice = "smooth it, take its yield only, or use more events; weights on the events of nominal may be right as is"
    severity = Severity.WARNING if size >= thresholds.visible else Severity.INFO
    numbers = {"probability_size": large, "probability_smooth": smooth, "visibility": size}
    return found("insignificant-variation", severity, channel.where(pair), message, advice, **numbers)


def spikes(curves: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return for each bin of each row by how much it sticks out from what its neighbours predict.

    The roughness of a curve is the sum of its squared second differences. The height of a bin is the change that,
    subtracted from this bin alone, makes the curve as little rough as possible.

    Args:
        curves: `curves[row, bin]`.

    Returns:
        `heights[row, bin]`; `shares[row, bin]`, the fraction of the roughness that goes with the height; and the
        matrix `filters[bin, bin]` with heights = curves @ filters.

    Examples:
        >>> heights, shares, _ = spikes(np.array([[1.0, 2.0, 3.0, 9.0, 5.0, 6.0, 7.0]]))
        >>> heights.round(2).tolist()[0][3], shares.round(2).tolist()[0][3]
        (5.0, 1.0)
    """
    bins = curves.shape[1]
    second = np.zeros((max(bins - 2, 0), bins))
    for row in range(bins - 2):
        second[row, row : row + 3] = 1.0, -2.0, 1.0
    gram = second.T @ second
    diagonal = np.diag(gram)
    filters = divide(gram, np.broadcast_to(diagonal, gram.shape))
    heights = curves @ filters
    roughness = ((curves @ second.T) ** 2).sum(axis=1, keepdims=True)
    shares = np.clip(divide(heights**2 * diagonal, roughness), 0.0, 1.0)
    return heights, shares, filters


def check_outliers(subject: Subject, thresholds: Thresholds) -> Iterator[CheckFinding]:
    """Yield pairs with one bin that sticks out of the relative variation, with the significance of its height.

    The significance takes the events of variation and nominal as independent; it is larger if they are shared.
    """
    for channel in subject.channels:
        if channel.bins < _FEWEST_BINS_FOR_SPIKES or not channel.cells:
            continue
        for side, varied, own in (
            ("Up", channel.up, channel.up_variances),
            ("Down", channel.down, channel.down_variances),
        ):
            yield from _outliers(channel, side, varied, own, thresholds)


def _outliers(
    channel: ChannelArrays, side: str, varied: FloatArray, own: FloatArray, thresholds: Thresholds
) -> Iterator[CheckFinding]:
    filled: BoolArray = channel.nominal > 0
    curves = _fill_gaps(divide(varied - channel.nominal, np.where(filled, channel.nominal, 0.0)), filled)
    heights, shares, filters = spikes(curves)
    shares[~filled | changes_one_bin(channel.nominal, varied)[:, np.newaxis]] = 0.0
    rows = np.arange(len(curves))
    worst = shares.argmax(axis=1)
    height, share = heights[rows, worst], shares[rows, worst]
    events = height * channel.nominal[rows, worst]
    sizes = channel.strengths * np.abs(events) / channel.data_error[worst]
    large = (np.abs(height) > thresholds.outlier_effect) & (share > thresholds.outlier_share)
    for pair in rows_of(large & (sizes >= thresholds.visible) & (filled.sum(axis=1) >= _FEWEST_BINS_FOR_SPIKES)):
        at = int(worst[pair])
        relative = divide(
            own[pair] + channel.variances[channel.pair_columns[pair]], channel.nominal[pair] ** 2 * filled[pair]
        )
        error = float(np.sqrt((filters[:, at] ** 2 * relative).sum()))
        numbers = {"height": float(height[pair]), "events": float(events[pair]), "visibility": float(sizes[pair])}
        text = "without statistical errors"
        if error > 0:
            numbers["significance"] = float(abs(height[pair]) / error)
            text = f"{numbers['significance']:.1f} statistical errors if the events are independent of nominal"
        message = f"{side} sticks out by {height[pair]:+.1%} of nominal from what its neighbours predict, {text}"
        advice = "a fluctuation needs smoothing or wider bins; otherwise look for a mistake in this bin"
        where = channel.where(pair).at([at])
        yield found("variation-outlier", Severity.WARNING, where, message, advice, **numbers)


def _fill_gaps(curves: FloatArray, filled: BoolArray) -> FloatArray:
    """Return curves whose bins without nominal content repeat the last one with content, or the first one."""
    position = np.where(filled, np.arange(curves.shape[1]), -1)
    last = np.maximum.accumulate(position, axis=1)
    first = np.argmax(filled, axis=1)[:, np.newaxis]
    result: FloatArray = np.take_along_axis(curves, np.where(last < 0, first, last), axis=1)
    return result
