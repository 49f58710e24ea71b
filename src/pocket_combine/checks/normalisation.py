"""Checks of yields: processes without content, small signals, rates beside integrals, large and one-sided effects."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pocket_combine.card.model import AutoMCStats, Column
from pocket_combine.card.template_checks import observation_disagrees, rate_disagrees
from pocket_combine.checks.finding import CheckFinding, Where, found
from pocket_combine.checks.subject import BoolArray, ChannelArrays, Subject, rows_of
from pocket_combine.checks.thresholds import Thresholds
from pocket_combine.findings import Severity
from pocket_combine.reach import NumberCell
from pocket_combine.templates import FloatArray, Templates

__all__ = [
    "check_empty_processes",
    "check_large_effects",
    "check_missing_templates",
    "check_rates",
    "check_same_direction",
    "check_signal_and_background",
    "check_small_signals",
    "check_varied_yields",
    "same_direction",
    "small_signals",
    "yield_of",
]

_ROUNDING = 1e-6

_REMOVE_COLUMN = "remove the column from the channel"
_WRITE_MINUS_ONE = "write -1, which takes the integral, or write card and templates again together"


def yield_of(column: Column, templates: Templates | None) -> float:
    """Return the expected events of a column: the integral of its template, or its rate in a counting channel."""
    if templates is None or column.process not in templates.column_index:
        return 0.0 if column.rate < 0 else column.rate
    return float(templates.values[templates.column_index[column.process]].sum())


def check_missing_templates(subject: Subject, _: Thresholds) -> Iterator[CheckFinding]:
    """Yield columns and cells of shape rows whose templates are missing."""
    for index in subject.reach.columns:
        column = subject.card.columns[index]
        templates = subject.templates.get(column.channel)
        if templates is not None and column.process not in templates.column_index:
            where, advice = Where(column.channel, column.process), "write it, or give the column rate 0"
            yield found("missing-template", Severity.ERROR, where, "there is no template", advice)
    for missing in subject.reach.missing:
        where = subject.where(missing.column, missing.row)
        message = f"the {subject.card.nuisances[missing.row].kind} row acts on this column, but there are no templates"
        advice = "write Up and Down templates, or put '-' into the cell"
        yield found("missing-template", Severity.ERROR, where, message, advice)


def check_empty_processes(subject: Subject, _: Thresholds) -> Iterator[CheckFinding]:
    """Yield processes without events, and those with a negative yield."""
    for column in subject.card.columns:
        templates = subject.templates.get(column.channel)
        where = Where(column.channel, column.process)
        if column.rate == 0:
            message = "the rate is 0: Combine leaves the process out of the channel"
            yield found("empty-process", Severity.WARNING, where, message, _REMOVE_COLUMN)
            continue
        if templates is not None and column.process not in templates.column_index:
            continue  # reported as missing
        events = yield_of(column, templates)
        if templates is not None and not templates.values[templates.column_index[column.process]].any():
            message = f"the template is empty while the rate is {column.rate:g}: Combine stops with a null norm"
            yield found("empty-process", Severity.ERROR, where, message, _REMOVE_COLUMN)
        elif events <= 0:
            message = f"the yield is {events:.6g} events, expected more than 0"
            advice = "merge the process with another one, or treat its negative weights"
            yield found("negative-rate", Severity.ERROR, where, message, advice, events=events)


def check_rates(subject: Subject, _: Thresholds) -> Iterator[CheckFinding]:
    """Yield rates and observations which differ from the integrals of their histograms by more than Combine accepts."""
    for column in subject.card.columns:
        templates = subject.templates.get(column.channel)
        if templates is None or column.process not in templates.column_index:
            continue
        rate, integral = column.rate, yield_of(column, templates)
        if rate_disagrees(rate, integral):
            message = f"the rate is {rate:g} and the integral of the template {integral:.6g}: Combine stops"
            where = Where(column.channel, column.process)
            numbers = {"rate": rate, "integral": integral}
            yield found("rate-mismatch", Severity.ERROR, where, message, _WRITE_MINUS_ONE, **numbers)
    for channel in subject.card.channels:
        templates, events = subject.templates.get(channel.name), channel.observation
        if templates is None or templates.observation is None or events is None:
            continue
        integral = float(templates.observation.sum())
        if observation_disagrees(events, integral):
            message = f"the observation is {events:g} and the integral of the data {integral:.6g}: Combine stops"
            numbers = {"observation": events, "integral": integral}
            where = Where(channel.name)
            yield found("observation-mismatch", Severity.ERROR, where, message, _WRITE_MINUS_ONE, **numbers)


def check_signal_and_background(subject: Subject, _: Thresholds) -> Iterator[CheckFinding]:
    """Yield channels without a signal or without a background."""
    classes: dict[str, set[bool]] = {channel.name: set() for channel in subject.card.channels}
    for index in subject.reach.columns:
        column = subject.card.columns[index]
        classes[column.channel].add(column.is_signal)
    for name, signals in classes.items():
        if False not in signals:
            message = "no background process has a rate other than 0: Combine stops"
            yield found("no-background", Severity.ERROR, Where(name), message, "add a background or drop the channel")
        if True not in signals:
            message = "no signal process: the channel constrains nuisances only"
            yield found("no-signal-in-channel", Severity.INFO, Where(name), message)


def small_signals(subject: Subject, fraction: float) -> Iterator[tuple[Column, float, float]]:
    """Yield (column, its events, all signal events of its channel) of signals below a fraction of the latter."""
    for channel in subject.card.channels:
        templates = subject.templates.get(channel.name)
        signals = [column for column in subject.card.columns_of(channel.name) if column.is_signal]
        yields = [yield_of(column, templates) for column in signals]
        total = sum(yields)
        for column, events in zip(signals, yields, strict=True):
            if events < fraction * total:
                yield column, events, total


def check_small_signals(subject: Subject, thresholds: Thresholds) -> Iterator[CheckFinding]:
    """Yield signal processes with a very small part of the signal of their channel (`smallSignalProc`)."""
    for column, events, total in small_signals(subject, thresholds.signal_fraction):
        if column.rate == 0:
            continue  # reported as empty
        message = f"{events:.4g} of {total:.4g} signal events in the channel"
        advice = "leave the process out of the channel where fits are slow"
        where = Where(column.channel, column.process)
        yield found("small-signal", Severity.INFO, where, message, advice, events=events, signal=total)


def check_large_effects(subject: Subject, thresholds: Thresholds) -> Iterator[CheckFinding]:
    """Yield nuisances that change the yield of a column by more than the threshold (`largeNormEff`)."""
    # 1.1 - 1 is a little more than 0.1 in double precision.
    limit = thresholds.normalisation_effect + 1e-9
    for cell in subject.reach.numbers:
        down, up = _ratios_of_number(subject, cell)
        # A single kappa is judged by itself, as ValidateDatacards does, not by its inverse.
        judged = (down, up) if isinstance(cell.effect, tuple) else (up,)
        if any(abs(ratio - 1) > limit for ratio in judged):
            yield _large_effect(down, up, limit, subject.where(cell.column, cell.row))
    for channel in subject.channels:
        flat = np.array([nuisance.kind == "shapeU" for nuisance in channel.nuisances], dtype=np.bool_)
        downs, ups = _ratios_of_templates(channel)
        for pair in rows_of(~flat & ((np.abs(ups - 1) > limit) | (np.abs(downs - 1) > limit))):
            yield _large_effect(float(downs[pair]), float(ups[pair]), limit, channel.where(pair))


def _ratios_of_number(subject: Subject, cell: NumberCell) -> tuple[float, float]:
    """Yield ratios at -1 and +1 standard deviation of a log-normal or a linear cell; 1 for kinds without a width."""
    kind, effect = subject.card.nuisances[cell.row].kind, cell.effect
    if kind == "lnN" or "?" in kind:
        return effect if isinstance(effect, tuple) else (1 / effect, effect)
    if kind == "trG" and not isinstance(effect, tuple):
        return 1 - effect, 1 + effect
    return 1.0, 1.0


def _ratios_of_templates(channel: ChannelArrays) -> tuple[FloatArray, FloatArray]:
    """Yield ratios at -1 and +1 standard deviation: those of the templates to the power of the strength."""
    downs, ups = (np.maximum(ratios, 0.0) for ratios in (channel.down_ratios, channel.up_ratios))
    return downs**channel.strengths, ups**channel.strengths


def _large_effect(down: float, up: float, limit: float, where: Where) -> CheckFinding:
    message = f"changes the yield by {up - 1:+.1%} (Up) and {down - 1:+.1%} (Down), more than {limit:.0%}"
    advice = "make sure that it is meant to be that large"
    return found("large-normalisation-effect", Severity.WARNING, where, message, advice, up=up, down=down)


def same_direction(channel: ChannelArrays) -> BoolArray:
    """Return for each pair whether Up and Down both raise or both lower the yield."""
    downs, ups = channel.down_ratios, channel.up_ratios
    result: BoolArray = ((ups > 1) & (downs > 1)) | ((ups < 1) & (downs < 1))
    return result


def check_same_direction(subject: Subject, thresholds: Thresholds) -> Iterator[CheckFinding]:
    """Yield nuisances whose Up and Down both raise or both lower the yield of a column (`uncertVarySameDirect`)."""
    limit = thresholds.dropped_normalisation
    for cell in subject.reach.numbers:
        if isinstance(cell.effect, tuple) and (min(cell.effect) > 1 or max(cell.effect) < 1):
            yield _same_direction(*cell.effect, subject.where(cell.column, cell.row))
    for channel in subject.channels:
        dropped = (np.abs(channel.up_ratios - 1) < limit) & (np.abs(channel.down_ratios - 1) < limit)
        # Templates of single precision differ by less than this without meaning to.
        visible = (np.abs(channel.up_ratios - 1) > _ROUNDING) & (np.abs(channel.down_ratios - 1) > _ROUNDING)
        for pair in rows_of(same_direction(channel) & visible):
            down, up = float(channel.down_ratios[pair]), float(channel.up_ratios[pair])
            yield _same_direction(down, up, channel.where(pair), limit if dropped[pair] else None)


def _same_direction(down: float, up: float, where: Where, dropped: float | None = None) -> CheckFinding:
    direction, opposite = ("raise", "lower") if up > 1 else ("lower", "raise")
    message = f"Up and Down both {direction} the yield: {up - 1:+.3%} and {down - 1:+.3%}"
    advice = f"look for a mistake or a fluctuation; no value of the nuisance can {opposite} the yield by much"
    severity = Severity.WARNING
    if dropped is not None:
        severity, advice = Severity.INFO, f"Combine drops a change of the yield below {dropped:g} on both sides"
    return found("same-direction-normalisation", severity, where, message, advice, up=up, down=down)


def check_varied_yields(subject: Subject, _: Thresholds) -> Iterator[CheckFinding]:
    """Yield pairs of which a template sums to no positive yield while nominal does."""
    for channel in subject.channels:
        if _morphs_yields(channel.mc_stats):
            continue
        bad = (channel.nominal_integrals > 0) & ((channel.up_integrals <= 0) | (channel.down_integrals <= 0))
        for pair in rows_of(bad):
            up, down = float(channel.up_integrals[pair]), float(channel.down_integrals[pair])
            empty = " and ".join(shift for shift, events in (("Up", up), ("Down", down)) if events <= 0)
            message = (
                f"{empty} not above 0 events while nominal has {channel.nominal_integrals[pair]:.4g} "
                f"(Up {up:.4g}, Down {down:.4g}): Combine stops"
            )
            advice = "remove the nuisance from this column, merge processes, or use lnN"
            yield found("empty-variation", Severity.ERROR, channel.where(pair), message, advice, up=up, down=down)


def _morphs_yields(mc_stats: AutoMCStats | None) -> bool:
    """With `hist_mode` 2 the templates are morphed with their yields, and an integral of 0 is accepted."""
    return mc_stats is not None and mc_stats.hist_mode == 2
