"""Checks of pairs of varied templates: no effect, identical, one-sided, or nothing but a normalisation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from pocket_combine.checks.finding import CheckFinding, Where, found
from pocket_combine.checks.subject import BoolArray, ChannelArrays, Subject, divide, in_any_bin, rows_of
from pocket_combine.checks.thresholds import Thresholds
from pocket_combine.findings import Severity
from pocket_combine.templates import FloatArray

__all__ = [
    "ShapeDifferences",
    "check_identical",
    "check_log_normal_rows",
    "check_one_sided_bins",
    "check_small_shapes",
    "identical",
    "relative_differences",
    "shape_differences",
    "without_effect",
]


def relative_differences(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return 2 |a - b| / (|a| + |b|) bin by bin, 0 where both are 0.

    Examples:
        >>> relative_differences(np.array([3.0, 0.0, 1.0]), np.array([1.0, 0.0, 0.0]))
        array([1., 0., 2.])
    """
    return divide(2 * np.abs(first - second), np.abs(first) + np.abs(second))


def normalised(contents: FloatArray) -> FloatArray:
    """Return each row divided by its sum; rows whose sum is not above 0 stay as they are."""
    sums = contents.sum(axis=1, keepdims=True)
    return divide(contents, np.where(sums > 0, sums, 1.0))


class ShapeDifferences(NamedTuple):
    """Sums over bins of the relative differences to normalised nominal; `up[pair]`, `down[pair]`."""

    up: FloatArray
    down: FloatArray


def shape_differences(channel: ChannelArrays) -> ShapeDifferences:
    """Return how much the normalised varied templates differ from normalised nominal (`smallShapeEff`).

    As in `ValidateDatacards.py` negative bins of nominal count as empty.
    """
    nominal = normalised(np.maximum(normalised(channel.values), 0.0))[channel.pair_columns]
    up, down = (relative_differences(normalised(varied), nominal).sum(axis=1) for varied in (channel.up, channel.down))
    return ShapeDifferences(up, down)


def identical(channel: ChannelArrays, thresholds: Thresholds) -> BoolArray:
    """Return for each pair whether Up and Down are the same (`uncertTemplSame`)."""
    same_yield = np.abs(channel.up_ratios - channel.down_ratios) < thresholds.identical_normalisation
    largest = relative_differences(normalised(channel.up), normalised(channel.down)).max(axis=1, initial=0.0)
    result: BoolArray = same_yield & (largest <= thresholds.identical_bins)
    return result


def without_effect(channel: ChannelArrays, thresholds: Thresholds) -> BoolArray:
    """Return for each pair whether Up and Down both equal nominal."""
    up = _equal(channel.up, channel.nominal, thresholds.equal_bins)
    return up & _equal(channel.down, channel.nominal, thresholds.equal_bins)


def _equal(first: FloatArray, second: FloatArray, tolerance: float) -> BoolArray:
    result: BoolArray = relative_differences(first, second).max(axis=1, initial=0.0) <= tolerance
    return result


def check_identical(subject: Subject, thresholds: Thresholds) -> Iterator[CheckFinding]:
    """Yield pairs that equal nominal, pairs whose Up equals Down, and pairs of which one side equals nominal."""
    for channel in subject.channels:
        up_is_nominal = _equal(channel.up, channel.nominal, thresholds.equal_bins)
        down_is_nominal = _equal(channel.down, channel.nominal, thresholds.equal_bins)
        nothing = up_is_nominal & down_is_nominal
        for pair in rows_of(nothing):
            message = "Up and Down equal nominal: the nuisance does nothing here"
            advice = "put '-' into the cell, or find out why the variation was not applied"
            yield found("no-effect", Severity.WARNING, channel.where(pair), message, advice)
        for pair in rows_of(identical(channel, thresholds) & ~nothing):
            ratio = float(channel.up_ratios[pair])
            message = f"Up and Down are the same, both with {ratio - 1:+.3%} of the yield"
            advice = "look for one template that was taken for both; a one-sided variation needs a mirrored Down"
            yield found("identical-up-down", Severity.WARNING, channel.where(pair), message, advice, ratio=ratio)
        for pair in rows_of(up_is_nominal ^ down_is_nominal):
            side, other = ("Up", "Down") if up_is_nominal[pair] else ("Down", "Up")
            message = f"{side} equals nominal, only {other} differs"
            advice = (
                "mirror the variation if the true effect has two sides; as it is, one sign of the nuisance does nothing"
            )
            yield found("one-sided-template", Severity.INFO, channel.where(pair), message, advice)


def check_small_shapes(subject: Subject, thresholds: Thresholds) -> Iterator[CheckFinding]:
    """Yield pairs without a change of shape; in channels of one bin there is none by construction."""
    for channel in subject.channels:
        if channel.bins == 1:
            continue
        differences = shape_differences(channel)
        small = (differences.up < thresholds.shape_effect) & (differences.down < thresholds.shape_effect)
        for pair in rows_of(small & ~without_effect(channel, thresholds)):
            up, down = float(differences.up[pair]), float(differences.down[pair])
            ratios = float(channel.down_ratios[pair]), float(channel.up_ratios[pair])
            message = f"no change of shape: the normalised bins differ by {up:.2g} (Up) and {down:.2g} (Down) in sum"
            advice = f"for this column lnN {ratios[0]:.4g}/{ratios[1]:.4g} says the same"
            if max(abs(ratio - 1) for ratio in ratios) < thresholds.dropped_normalisation:
                advice = "put '-' into the cell: Combine drops a change of the yield as small as this"
            yield found("no-shape-effect", Severity.WARNING, channel.where(pair), message, advice, up=up, down=down)


def check_log_normal_rows(subject: Subject, thresholds: Thresholds) -> Iterator[CheckFinding]:
    """Yield shape nuisances that could be `lnN` rows: beyond the yields the data could not see them.

    For each channel the changes of shape of all processes, at one standard deviation of the nuisance, are added up and
    compared with the statistical error of the data.
    """
    squares: dict[str, list[float]] = {}
    yields: dict[str, float] = {}
    for channel in subject.channels:
        shifts = _shape_shifts(channel)
        groups: dict[str, list[int]] = {}
        for pair, nuisance in enumerate(channel.nuisances):
            groups.setdefault(nuisance.name, []).append(pair)
        for name, pairs in groups.items():
            total = squares.setdefault(name, [0.0, 0.0])
            for side, shift in enumerate(shifts):
                total[side] += float(channel.visibility(shift[pairs].sum(axis=0))) ** 2
            largest = np.abs([channel.up_ratios[pairs] - 1, channel.down_ratios[pairs] - 1]).max()
            yields[name] = max(yields.get(name, 0.0), float(largest))
    for name, (up, down) in squares.items():
        size = max(up, down) ** 0.5
        if size >= thresholds.invisible_shape or yields[name] < thresholds.dropped_normalisation:
            continue
        message = (
            f"beyond changes of yields of up to {yields[name]:.2%} its effect is {size:.2g} standard deviations of "
            "the data: a pure normalisation"
        )
        advice = "a lnN row with the yield ratios says the same and fits faster"
        numbers = {"visibility": size, "largest_yield_change": yields[name]}
        yield found("could-be-lnn", Severity.INFO, Where(nuisance=name), message, advice, **numbers)


def _shape_shifts(channel: ChannelArrays) -> tuple[FloatArray, FloatArray]:
    """`shift[pair, bin]`: what remains of a variation after its yield was scaled to nominal, for Up and Down."""
    strengths = channel.strengths[:, np.newaxis]
    up, down = (
        strengths * (varied - ratios[:, np.newaxis] * channel.nominal)
        for varied, ratios in ((channel.up, channel.up_ratios), (channel.down, channel.down_ratios))
    )
    return up, down


def check_one_sided_bins(subject: Subject, thresholds: Thresholds) -> Iterator[CheckFinding]:
    """Yield pairs with bins that Up and Down both raise or both lower by more than the threshold."""
    for channel in subject.channels:
        up, down = channel.up - channel.nominal, channel.down - channel.nominal
        smaller = np.where(up * down > 0, np.minimum(np.abs(up), np.abs(down)), 0.0)
        # An empty bin can only be raised; pairs that are the same on both sides are reported as such.
        bins = (smaller > thresholds.one_sided_effect * channel.nominal) & (channel.nominal > 0)
        bins &= ~identical(channel, thresholds)[:, np.newaxis]
        pairs = np.flatnonzero(in_any_bin(bins))
        smaller = np.where(bins, smaller, 0.0)[pairs]
        worst = smaller.argmax(axis=1)
        variances = channel.variances[channel.pair_columns[pairs], worst]
        variances += np.maximum(channel.up_variances[pairs, worst], channel.down_variances[pairs, worst])
        numbers = {
            "up": up[pairs, worst],
            "down": down[pairs, worst],
            "nominal": channel.nominal[pairs, worst],
            "significance": divide(smaller.max(axis=1, initial=0.0), np.sqrt(variances)),
            "visibility": channel.visibility(channel.strengths[pairs, np.newaxis] * smaller),
        }
        values = np.array(list(numbers.values())).T.tolist()
        for pair, at, concerned, own in zip(pairs.tolist(), worst.tolist(), bins[pairs].tolist(), values, strict=True):
            where = channel.where(pair).at(index for index, one_sided in enumerate(concerned) if one_sided)
            yield _one_sided(where, at, dict(zip(numbers, own, strict=True)), thresholds.visible)


def _one_sided(where: Where, worst: int, numbers: dict[str, float], visible: float) -> CheckFinding:
    bins = "1 bin" if len(where.bins) == 1 else f"{len(where.bins)} bins"
    message = (
        f"Up and Down change {bins} to the same side, most in bin {worst}: "
        f"{numbers['up']:+.3g} and {numbers['down']:+.3g} on {numbers['nominal']:.3g} events"
    )
    if numbers["significance"]:
        message += f", {numbers['significance']:.1f} statistical errors if the events are independent of nominal"
    advice = "check the variation; fluctuations need smoothing or wider bins"
    severity = Severity.WARNING if numbers["visibility"] >= visible else Severity.INFO
    return found("one-sided-bins", severity, where, message, advice, **numbers)
