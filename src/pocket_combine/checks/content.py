"""Checks of single numbers: not finite, negative, or observations that are no counts."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from pocket_combine.checks.finding import CheckFinding, Where, found
from pocket_combine.checks.subject import Subject, in_any_bin, rows_of
from pocket_combine.checks.thresholds import Thresholds
from pocket_combine.findings import Severity

__all__ = ["check_finite", "check_negative", "check_observations"]

_COUNT_TOLERANCE = 1e-6


def check_finite(subject: Subject, _: Thresholds) -> Iterator[CheckFinding]:
    """Yield numbers of the card that are not finite; templates cannot hold any."""
    advice = "look for a division by zero in the program that wrote the card"
    for column in subject.card.columns:
        if not math.isfinite(column.rate):
            where = Where(column.channel, column.process)
            yield found("not-finite", Severity.ERROR, where, f"the rate is {column.rate}", advice)
    for channel in subject.card.channels:
        if channel.observation is not None and not math.isfinite(channel.observation):
            message = f"the observation is {channel.observation}"
            yield found("not-finite", Severity.ERROR, Where(channel.name), message, advice)
    for row, nuisance in enumerate(subject.card.nuisances):
        for index, effect in enumerate(nuisance.effects):
            values = effect if isinstance(effect, tuple) else (effect,)
            if not all(value is None or math.isfinite(value) for value in values):
                text = "/".join(f"{value}" for value in values)
                yield found("not-finite", Severity.ERROR, subject.where(index, row), f"the cell is {text}", advice)


def check_negative(subject: Subject, _: Thresholds) -> Iterator[CheckFinding]:
    """Yield bins with negative content, in nominal and in varied templates."""
    for channel in subject.channels:
        negative = channel.values < 0
        for row in rows_of(in_any_bin(negative)):
            bins = rows_of(negative[row])
            lowest = float(channel.values[row].min())
            message = f"negative content in {len(bins)} of {channel.bins} bins, down to {lowest:.4g}"
            advice = "Combine takes such a bin as almost empty: merge bins or treat negative weights"
            where = Where(channel.name, channel.columns[row].process).at(bins)
            yield found("negative-bin", Severity.WARNING, where, message, advice, lowest=lowest)
        # Where nominal is negative, too, the variation is no news.
        up, down = (channel.up < 0) & (channel.nominal >= 0), (channel.down < 0) & (channel.nominal >= 0)
        for pair in rows_of(in_any_bin(up | down)):
            bins = rows_of(up[pair] | down[pair])
            lowest = float(min(channel.up[pair].min(), channel.down[pair].min()))
            message = f"Up or Down is negative in {len(bins)} bins where nominal is not, down to {lowest:.4g}"
            advice = "merge bins or treat negative weights"
            where = channel.where(pair).at(bins)
            yield found("negative-variation-bin", Severity.WARNING, where, message, advice, lowest=lowest)
        if channel.observation is not None and (channel.observation < 0).any():
            bins = rows_of(channel.observation < 0)
            message = f"negative data in {len(bins)} bins"
            where, advice = Where(channel.name).at(bins), "data are counts: look for a subtraction or a weight"
            yield found("negative-data", Severity.ERROR, where, message, advice)
    for counting in subject.card.channels:
        events = counting.observation
        if counting.name not in subject.templates and events is not None and events < 0:
            message = f"the observation is {events:g} and there is no histogram that it could be taken from"
            yield found("negative-data", Severity.ERROR, Where(counting.name), message, "write the observed count")


def check_observations(subject: Subject, _: Thresholds) -> Iterator[CheckFinding]:
    """Yield observations that are no whole numbers."""
    for channel in subject.card.channels:
        templates = subject.templates.get(channel.name)
        if templates is not None and templates.observation is not None:
            data = templates.observation
        elif templates is None and channel.observation is not None and math.isfinite(channel.observation):
            data = np.array([channel.observation])
        else:
            continue
        broken = np.abs(data - np.round(data)) > _COUNT_TOLERANCE * np.maximum(np.abs(data), 1.0)
        if broken.any():
            first = float(data[broken][0])
            message = f"the data are no whole numbers in {int(broken.sum())} of {data.size} bins, first {first:.6g}"
            advice = "right for Asimov data or a blinded card; otherwise data were weighted"
            where = Where(channel.name).at(rows_of(broken) if templates is not None else ())
            yield found("observation-not-integer", Severity.WARNING, where, message, advice, first=first)
