"""What a stack of processes shows, as numbers: no drawing here.

Data have central 68.27 % intervals for the mean of a Poisson distribution (F. Garwood, Biometrika 28 (1936) 437; PDG,
Statistics, "Frequentist confidence intervals"). Pulls are (data - prediction) / σ with σ² = prediction + error² before
a fit, and σ² = prediction - error² after a fit to these data, whose prediction is correlated with them (L. Demortier
and L. Lyons, CDF/ANAL/PUBLIC/5776).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincinv

from pocket_combine.errors import ResultError, StyleError, nearest
from pocket_combine.plotting.data_words import data_name
from pocket_combine.plotting.style import ChannelRule, Style
from pocket_combine.results import ChannelYields, PostfitResult
from pocket_combine.templates import FloatArray

__all__ = ["Stack", "StackedProcess", "find_channel", "overview_of", "poisson_interval", "stack_of", "state_of"]

BoolArray = npt.NDArray[np.bool_]

_DEFAULT = Style()

_TAIL = 0.158655253931457
"""Probability above one standard deviation."""


def poisson_interval(counts: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the lower and upper ends of the Garwood intervals of counts, in events.

    Args:
        counts: `counts[bin]`; what is below 0 counts as 0.

    Examples:
        >>> low, high = poisson_interval(np.array([0.0, 1.0, 100.0]))
        >>> low.round(3).tolist(), high.round(3).tolist()
        ([0.0, 0.173, 90.017], [1.841, 3.3, 111.033])
    """
    counts = np.maximum(counts, 0.0)
    low = np.where(counts > 0, gammaincinv(np.where(counts > 0, counts, 1.0), _TAIL), 0.0)
    high: FloatArray = gammaincinv(counts + 1.0, 1.0 - _TAIL)
    return low, high


@dataclass(frozen=True, eq=False)
class StackedProcess:
    """Processes that are drawn as one.

    Attributes:
        label: Name in the legend.
        colour: Its colour.
        signal: Whether it is a signal.
        expected: `expected[bin]`, in events.
    """

    label: str
    colour: str
    signal: bool
    expected: FloatArray


@dataclass(frozen=True, eq=False)
class Stack:
    """What a stack shows.

    Attributes:
        rule: How the channel is drawn.
        state: What is shown, such as `post-fit`.
        edges: `edges[bin + 1]`.
        processes: Lowest in the stack first: backgrounds by yield, then signals.
        total: `total[bin]`, in events, with bin parameters.
        errors: `errors[bin]` of the total.
        observed: `observed[bin]`; not a number where it is blinded, `None` without data.
        fitted: Whether the prediction was fitted to the data that are shown.
        compared: `compared[bin]`, a total for comparison; `None` for none.
        bin_labels: Names of the bins, where they stand for something else than a range.
    """

    rule: ChannelRule
    state: str
    edges: FloatArray
    processes: tuple[StackedProcess, ...]
    total: FloatArray
    errors: FloatArray
    observed: FloatArray | None
    fitted: bool
    compared: FloatArray | None = None
    bin_labels: tuple[str, ...] = ()

    @property
    def blinded(self) -> BoolArray:
        """`blinded[bin]`, whether the bin lies in a range whose data are not shown."""
        if self.bin_labels:
            return np.zeros(self.total.size, dtype=bool) if self.observed is None else np.isnan(self.observed)
        return _blinded(self.rule, self.edges)

    def ratios(self, values: FloatArray) -> FloatArray:
        """Return `ratio[bin]` of values to the total; not a number where the total is not positive."""
        result = np.full(self.total.shape, np.nan)
        np.divide(values, self.total, out=result, where=self.total > 0)
        return result

    def pulls(self) -> FloatArray:
        """Return `pull[bin]` of the data; not a number without data, or where the fit leaves no room for a pull.

        Examples:
            >>> rule, one = ChannelRule("SR"), np.ones(1)
            >>> before = Stack(rule, "pre-fit", np.array([0, 1]), (), 100 * one, 6 * one, 110 * one, fitted=False)
            >>> after = Stack(rule, "post-fit", np.array([0, 1]), (), 100 * one, 6 * one, 110 * one, fitted=True)
            >>> float(before.pulls()[0].round(4)), float(after.pulls()[0].round(4))
            (0.8575, 1.25)
        """
        result = np.full(self.total.shape, np.nan)
        if self.observed is not None:
            expected = np.maximum(self.total, 0.0)
            variance = expected + (-1 if self.fitted else 1) * self.errors**2
            usable = variance > 1e-3 * expected
            result[usable] = (self.observed - self.total)[usable] / np.sqrt(variance[usable])
        return result


def _blinded(rule: ChannelRule, edges: FloatArray) -> BoolArray:
    hidden = np.zeros(edges.size - 1, dtype=bool)
    for low, high in rule.blinded:
        hidden |= (edges[1:] > low) & (edges[:-1] < high)
    return hidden


def find_channel(result: PostfitResult, name: str) -> ChannelYields:
    """Return a channel of a result.

    Raises:
        ResultError: If it has no such channel.
    """
    for channel in result.channels:
        if channel.channel == name:
            return channel
    raise ResultError(f"no channel {name!r} in the result: {nearest(name, [one.channel for one in result.channels])}")


def stack_of(
    result: PostfitResult, channel: str, *, style: Style = _DEFAULT, prefit: PostfitResult | None = None
) -> Stack:
    """Return what the stack of a channel shows.

    Args:
        result: Expected events before or after a fit.
        channel: Name of one of its channels.
        style: Merging, labels and colours.
        prefit: A result whose total is shown for comparison.

    Raises:
        ResultError: If there is no such channel, or the bins of `prefit` differ.
        StyleError: If the style does not fit the channel: an unrolled one has other numbers of bins or labels, or a
            rule adds signals to backgrounds.

    Examples:
        >>> from pocket_combine.results import Provenance
        >>> yields = ChannelYields(
        ...     "SR", np.array([0.0, 1.0]), ("ttH", "tt_2017", "tt_2018"), np.array([[5.0], [20.0], [30.0]]),
        ...     np.zeros((3, 1)), np.array([55.0]), np.array([4.0]), np.array([[16.0]]), (True, False, False),
        ... )
        >>> result = PostfitResult(Provenance("a1", "0.1", "asimov"), "prefit", "propagation", (yields,), {})
        >>> stack = stack_of(result, "SR")
        >>> stack.state, [(part.label, part.expected.tolist()) for part in stack.processes]
        ('pre-fit, expected', [('tt', [50.0]), ('ttH', [5.0])])
    """
    yields = find_channel(result, channel)
    rule = style.channel(channel)
    _check_unrolling(rule, yields.total.size)
    observed = yields.observed
    if observed is not None:
        observed = np.where(_blinded(rule, yields.edges), np.nan, observed)
    compared = None if prefit is None else find_channel(prefit, channel).total
    if compared is not None and compared.shape != yields.total.shape:
        raise ResultError(
            f"channel {channel}: {yields.total.size} bins, but {compared.size} in the result for comparison; "
            "both must come from the same card"
        )
    rows = {name: row for row, name in enumerate(yields.processes)}
    expected = {name: yields.expected[row] for name, row in rows.items()}
    return Stack(
        rule=rule,
        state=state_of(result, has_data=observed is not None),
        edges=np.asarray(yields.edges, dtype=float),
        processes=_ordered(style, result, expected),
        total=yields.total,
        errors=yields.total_errors,
        observed=observed,
        fitted=_is_fitted(result, channel),
        compared=compared,
    )


def overview_of(
    result: PostfitResult,
    channels: Sequence[str] | None = None,
    *,
    style: Style = _DEFAULT,
    prefit: PostfitResult | None = None,
) -> Stack:
    """Return a stack with one bin for each channel. The data of a channel with blinded ranges are not shown.

    Args:
        result: Expected events before or after a fit.
        channels: Names of channels; `None` for all.
        style: Merging, labels and colours.
        prefit: A result whose totals are shown for comparison.

    Raises:
        ResultError: If there is no such channel.
        StyleError: If a rule adds signals to backgrounds.
    """
    names = [one.channel for one in result.channels] if channels is None else list(channels)
    found = [find_channel(result, name) for name in names]
    if not found:
        raise ResultError("no channels to draw")
    expected: dict[str, FloatArray] = {}
    for at, yields in enumerate(found):
        for process, row in zip(yields.processes, yields.expected, strict=True):
            expected.setdefault(process, np.zeros(len(found)))[at] = row.sum()
    observed = None
    if all(yields.observed is not None for yields in found):
        observed = np.array([_sum_if_shown(style.channel(one.channel), one) for one in found])
    before = None if prefit is None else np.array([find_channel(prefit, name).total.sum() for name in names])
    return Stack(
        rule=ChannelRule("overview", "All channels" if channels is None else ""),
        state=state_of(result, has_data=observed is not None),
        edges=np.arange(len(found) + 1.0),
        processes=_ordered(style, result, expected),
        total=np.array([yields.total.sum() for yields in found]),
        errors=np.array([np.sqrt(max(float(yields.covariance.sum()), 0.0)) for yields in found]),
        observed=observed,
        fitted=all(_is_fitted(result, name) for name in names),
        compared=before,
        bin_labels=tuple(str(style.channel(name).label) for name in names),
    )


def _sum_if_shown(rule: ChannelRule, yields: ChannelYields) -> float:
    hidden = yields.observed is None or _blinded(rule, yields.edges).any()
    return float("nan") if hidden or yields.observed is None else float(yields.observed.sum())


def state_of(result: PostfitResult, *, has_data: bool) -> str:
    """Return what expected events are: before or after a fit, and of which data where none are shown."""
    state = "pre-fit" if result.point == "prefit" else "post-fit"
    if has_data:
        return state
    if result.point == "prefit":
        return f"{state}, expected"
    return f"{state}, {data_name(result.provenance.data)}"


def _is_fitted(result: PostfitResult, channel: str) -> bool:
    options = result.provenance.options
    of_another_card = "fit" in options
    return result.point != "prefit" and not of_another_card and channel not in options.get("masks", ())


def _ordered(style: Style, result: PostfitResult, expected: dict[str, FloatArray]) -> tuple[StackedProcess, ...]:
    """Return groups of processes in the order of the stack. Colours are given out over all channels of the result."""
    processes = [process for channel in result.channels for process in channel.processes]
    signals = {
        process
        for channel in result.channels
        for process, signal in zip(channel.processes, channel.signal, strict=True)
        if signal
    }
    found = []
    for group in style.groups(processes, signals):
        members = [expected[name] for name in group.members if name in expected]
        if members:
            found.append(StackedProcess(group.label, group.colour, group.signal, np.sum(members, axis=0)))
    return tuple(sorted(found, key=lambda process: (process.signal, float(process.expected.sum()))))


def _check_unrolling(rule: ChannelRule, bins: int) -> None:
    if rule.unroll is None:
        return
    if rule.unroll < 1 or bins % rule.unroll:
        raise StyleError(
            f"channel {rule.match}: unroll is {rule.unroll}, expected the number of inner bins, which divides the "
            f"{bins} bins"
        )
    if rule.unroll_labels and len(rule.unroll_labels) != bins // rule.unroll:
        raise StyleError(
            f"channel {rule.match}: {len(rule.unroll_labels)} unroll_labels for {bins // rule.unroll} outer bins of "
            f"{rule.unroll} bins"
        )
