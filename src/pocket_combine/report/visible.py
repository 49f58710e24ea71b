"""How much of what a finding speaks of the data could see, so that the worst is read first."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from pocket_combine.card.model import Card
from pocket_combine.checks.finding import CheckFinding, Where
from pocket_combine.checks.subject import ChannelArrays, Subject
from pocket_combine.effects import nuisance_effects
from pocket_combine.findings import Finding
from pocket_combine.templates import FloatArray, Templates

__all__ = ["visible_sizes"]

_VISIBILITY = "visibility"
"""The number of findings whose check finds the size itself."""


def visible_sizes(card: Card, templates: Mapping[str, Templates], findings: Iterable[Finding]) -> list[float]:
    """Return the size of what each finding speaks of, in standard deviations of the data.

    That is the root of the sum over bins of (change / statistical error of the data)², where the error is the root of
    all expected events of the bin, at least 1. The change is, for

    - `same-direction-normalisation`: that of the yield that Up and Down have in common, the smaller of both;
    - `no-shape-effect`: what remains of the larger of Up and Down when the yield is that of nominal;
    - `one-sided-bins`, `variation-outlier` and others with a number `visibility`: what the check says;
    - other findings about a nuisance: its effect on the process, or on all columns where no process is named;
    - other findings about a process: its events, in the bins of the finding if it names some.

    Args:
        card: The card.
        templates: Templates by channel; a channel without is a counting channel.
        findings: What the checks found.

    Returns:
        A size per finding; NaN for those about a channel, a file or the whole card.

    Examples:
        >>> from pocket_combine.card.model import Channel, Column, Nuisance
        >>> from pocket_combine.checks import run_checks
        >>> columns = (Column("SR", "sig", 0, -1), Column("SR", "tt", 1, -1))
        >>> card = Card((Channel("SR"),), columns, nuisances=(Nuisance("JES", "shape", (None, 1.0)),))
        >>> channel = {"SR": Templates.of([0, 1], {"sig": [0.0], "tt": [100.0]}, {("tt", "JES"): ([120.0], [84.0])})}
        >>> findings = run_checks(card, channel, select=["large-normalisation-effect"])
        >>> visible_sizes(card, channel, findings)  # 20 of 100 events
        [2.0]
    """
    sizes = _Sizes(card, templates)
    return [sizes.of(finding) if isinstance(finding, CheckFinding) else math.nan for finding in findings]


class _Sizes:
    """Sizes of what is in a card, each found once.

    Args:
        card: The card.
        templates: Templates by channel.
    """

    def __init__(self, card: Card, templates: Mapping[str, Templates]) -> None:
        effects = nuisance_effects(card, templates)
        self._nuisances = {effect.name: effect.size for effect in effects}
        self._cells: dict[tuple[str, str, str], float] = {}
        for effect in effects:
            for column in effect.columns:
                key = column.channel, column.process, effect.name
                self._cells[key] = max(column.size, self._cells.get(key, 0.0))
        self._channels = {channel.name: channel for channel in Subject(card, templates).channels}
        self._pairs = {
            (channel.name, channel.where(pair).process, channel.nuisances[pair].name): pair
            for channel in self._channels.values()
            for pair in range(len(channel.cells))
        }

    def of(self, finding: CheckFinding) -> float:
        """Return the size of what a finding speaks of."""
        if _VISIBILITY in finding.numbers:
            return finding.numbers[_VISIBILITY]
        where = finding.where
        if not where.nuisance:
            return self._process(where)
        if not where.channel:
            return self._nuisances.get(where.nuisance, math.nan)
        channel, pair = self._channels.get(where.channel), self._pairs.get(where[:3])
        part = _PARTS.get(finding.code)
        if channel is not None and pair is not None and part is not None:
            return float(part(channel, pair))
        return self._cells.get(where[:3], math.nan)

    def _process(self, where: Where) -> float:
        channel = self._channels.get(where.channel)
        names = [] if channel is None else [column.process for column in channel.columns]
        if channel is None or where.process not in names:
            return math.nan
        events: FloatArray = channel.values[names.index(where.process)]
        concerned = np.isin(np.arange(channel.bins), where.bins) if where.bins else np.ones(channel.bins, dtype=bool)
        return float(channel.visibility(np.where(concerned, events, 0.0)))


def _common_yield(channel: ChannelArrays, pair: int) -> FloatArray:
    changes = np.abs([channel.up_ratios[pair] - 1.0, channel.down_ratios[pair] - 1.0])
    return channel.visibility(channel.strengths[pair] * changes.min() * channel.nominal[pair])


def _shape_alone(channel: ChannelArrays, pair: int) -> FloatArray:
    nominal = channel.nominal[pair]
    sides = ((channel.up, channel.up_ratios[pair]), (channel.down, channel.down_ratios[pair]))
    shifts = np.array([varied[pair] / ratio - nominal if ratio else -nominal for varied, ratio in sides])
    result: FloatArray = channel.visibility(channel.strengths[pair] * shifts).max()
    return result


_PARTS: Mapping[str, Callable[[ChannelArrays, int], FloatArray]] = {
    "same-direction-normalisation": _common_yield,
    "no-shape-effect": _shape_alone,
}
"""For findings that speak of a part of an effect: how large that is."""
