"""What `autoMCStats` does in each bin, and why; the decision itself is that of `pocket_combine.mcstats`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pocket_combine.card.model import AutoMCStats, Card
from pocket_combine.checks.finding import CheckFinding, Where, found
from pocket_combine.checks.subject import ChannelArrays, Subject
from pocket_combine.checks.thresholds import Thresholds
from pocket_combine.findings import Severity
from pocket_combine.mcstats import BinDecision, BinParameters, decide_bin_parameters
from pocket_combine.templates import FloatArray, Templates

__all__ = ["BinTreatment", "ChannelTreatment", "check_mc_stats", "mc_stats_treatment"]

_FLOOR = 1e-9  # Combine crops templates there (`src/CMSHistFunc.cc`)


@dataclass(frozen=True)
class BinTreatment:
    """What autoMCStats does in one bin.

    Attributes:
        treatment: `none`, `gaussian` (one parameter for the sum) or `per-process`.
        effective_events: Rounded number of unweighted events with the relative error of the counted processes.
        gaussian: Number of Gaussian parameters.
        poisson: Number of Poisson parameters.
        reason: Why.
    """

    treatment: str
    effective_events: float
    gaussian: int
    poisson: int
    reason: str


@dataclass(frozen=True)
class ChannelTreatment:
    """What autoMCStats does in one channel.

    Attributes:
        channel: Name of the channel.
        threshold: Effective events above which a bin has one Gaussian parameter.
        include_signal: Whether signals count for the decision.
        bins: What is done in each bin, in order.
        assumption: What was assumed about yields at the initial point; empty if nothing was.
    """

    channel: str
    threshold: float
    include_signal: bool
    bins: tuple[BinTreatment, ...]
    assumption: str = ""

    @property
    def parameters(self) -> int:
        """Number of parameters of the channel."""
        return sum(entry.gaussian + entry.poisson for entry in self.bins)

    def to_dict(self) -> dict[str, Any]:
        """Return the treatment as plain values for JSON."""
        return {
            "channel": self.channel,
            "threshold": self.threshold,
            "include_signal": self.include_signal,
            "parameters": self.parameters,
            "assumption": self.assumption,
            "bins": [vars(entry).copy() for entry in self.bins],
        }


def mc_stats_treatment(card: Card, templates: Mapping[str, Templates]) -> tuple[ChannelTreatment, ...]:
    """Return what autoMCStats does in each template channel that has an `autoMCStats` line.

    Args:
        card: The card.
        templates: Templates by channel.

    Examples:
        >>> from pocket_combine.card.model import AutoMCStats, Channel, Column
        >>> card = Card(
        ...     channels=(Channel("SR"),),
        ...     columns=(Column("SR", "sig", 0, -1), Column("SR", "bkg", 1, -1)),
        ...     mc_stats=(AutoMCStats("SR", 10),),
        ... )
        >>> templates = Templates.of([0, 1, 2], {"sig": [1.0, 1.0], "bkg": [20.0, 4.0]})
        >>> (channel,) = mc_stats_treatment(card, {"SR": templates})
        >>> [entry.treatment for entry in channel.bins], channel.parameters
        (['gaussian', 'per-process'], 3)
        >>> channel.bins[1].reason
        '4 effective events, not above the threshold of 10'
    """
    subject = Subject(card, templates)
    factors = _factors(subject)
    return tuple(
        _treatment(card, channel, channel.mc_stats, factors.get(channel.name, []))
        for channel in subject.channels
        if channel.mc_stats is not None
    )


def _treatment(
    card: Card, channel: ChannelArrays, line: AutoMCStats, factors: Iterable[tuple[str, float]]
) -> ChannelTreatment:
    scales, assumption = _initial_scales(card, channel, factors)
    contents = np.maximum(channel.values.astype(np.float32).astype(np.float64), _FLOOR)
    counted = ~channel.signal | line.include_signal
    parameters = decide_bin_parameters(contents, np.sqrt(channel.variances), scales, counted, line.threshold)
    bins = tuple(_bin(parameters, index, line.threshold, line.include_signal) for index in range(channel.bins))
    return ChannelTreatment(channel.name, line.threshold, line.include_signal, bins, assumption)


def _bin(parameters: BinParameters, index: int, threshold: float, include_signal: bool) -> BinTreatment:
    events = float(parameters.effective_events[index])
    gaussian, poisson = int(parameters.gaussian[:, index].sum()), int(parameters.poisson[:, index].sum())
    decision = BinDecision(parameters.decisions[index])
    if decision is BinDecision.SHARED:
        return BinTreatment(
            "gaussian", events, 1, 0, f"{events:g} effective events, above the threshold of {threshold:g}"
        )
    if decision is BinDecision.SEPARATE:
        reason = f"{events:g} effective events, not above the threshold of {threshold:g}"
        return BinTreatment("per-process", events, gaussian, poisson, reason)
    reason = f"no {'process' if include_signal else 'background'} has a statistical error here"
    return BinTreatment("none", events, 0, 0, "the threshold is negative" if threshold < 0 else reason)


def _factors(subject: Subject) -> dict[str, list[tuple[str, float]]]:
    """Return (process, factor) of the nuisances that do not start at 1, by channel."""
    result: dict[str, list[tuple[str, float]]] = {}
    for cell in subject.reach.numbers:
        nuisance = subject.card.nuisances[cell.row]
        if nuisance.kind not in ("gmN", "unif") or isinstance(cell.effect, tuple):
            continue
        if nuisance.kind == "gmN":
            count = nuisance.arguments[0]
            factor = (count + 1) / count if count > 0 else 1.0
        else:
            factor = 1 + cell.effect * math.fsum(nuisance.arguments[:2]) / 2
        column = subject.card.columns[cell.column]
        result.setdefault(column.channel, []).append((column.process, factor))
    return result


def _initial_scales(card: Card, channel: ChannelArrays, factors: Iterable[tuple[str, float]]) -> tuple[FloatArray, str]:
    """Return what multiplies each template at the initial point, and what could not be known.

    Signal strengths are 1, rate parameters have their initial value, `gmN` rows stand at N + 1 and `unif` rows in the
    middle of their range; all other nuisances are 0. Formulas are taken as 1.
    """
    scales = np.ones(len(channel.columns))
    formulas = set()
    for position, column in enumerate(channel.columns):
        for line in card.rate_parameters:
            if line.matches(column.channel, column.process):
                if line.value is None:
                    formulas.add(line.name)
                else:
                    scales[position] *= line.value
    order = {column.process: position for position, column in enumerate(channel.columns)}
    for process, factor in factors:
        if process in order:
            scales[order[process]] *= factor
    names = ", ".join(sorted(formulas))
    return scales, f"the formula of {names} is taken as 1" if names else ""


def check_mc_stats(subject: Subject, thresholds: Thresholds) -> Iterator[CheckFinding]:
    """Yield what autoMCStats does in each channel, and bins where a Gaussian parameter is a poor description."""
    factors = _factors(subject)
    for channel in subject.channels:
        if channel.mc_stats is None:
            message = "there is no autoMCStats line: the templates are taken as exact"
            advice = f"add '{channel.name} autoMCStats 10'"
            yield found("mc-stats-missing", Severity.INFO, Where(channel.name), message, advice)
            continue
        treatment = _treatment(subject.card, channel, channel.mc_stats, factors.get(channel.name, []))
        kinds = ("none", "gaussian", "per-process")
        counts = {kind: sum(entry.treatment == kind for entry in treatment.bins) for kind in kinds}
        gaussian = sum(entry.gaussian for entry in treatment.bins if entry.treatment == "per-process")
        poisson = sum(entry.poisson for entry in treatment.bins)
        message = (
            f"autoMCStats {treatment.threshold:g} makes {treatment.parameters} parameters: of {channel.bins} bins "
            f"{counts['gaussian']} have one Gaussian parameter, {counts['per-process']} have one per process "
            f"({poisson} Poisson, {gaussian} Gaussian), {counts['none']} have none"
        )
        message += f"; {treatment.assumption}" if treatment.assumption else ""
        numbers = {
            "parameters": float(treatment.parameters),
            "bins_gaussian": float(counts["gaussian"]),
            "bins_per_process": float(counts["per-process"]),
            "bins_none": float(counts["none"]),
        }
        yield found("mc-stats", Severity.INFO, Where(channel.name), message, "", **numbers)
        few = [
            index
            for index, entry in enumerate(treatment.bins)
            if entry.treatment == "gaussian" and entry.effective_events < thresholds.effective_events
        ]
        if few:
            fewest = min(treatment.bins[index].effective_events for index in few)
            message = f"one Gaussian parameter for as few as {fewest:g} effective events"
            advice = f"raise the threshold to {thresholds.effective_events:g}, or merge the bins"
            where = Where(channel.name).at(few)
            yield found("mc-stats-few-events", Severity.WARNING, where, message, advice, fewest=fewest)
