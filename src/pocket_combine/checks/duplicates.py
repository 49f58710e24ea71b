"""Checks for the same thing twice: processes, data, and nuisances with the same templates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from pocket_combine.checks.finding import CheckFinding, Where, found
from pocket_combine.checks.subject import ChannelArrays, Subject, divide
from pocket_combine.checks.thresholds import Thresholds
from pocket_combine.findings import Severity
from pocket_combine.templates import FloatArray

__all__ = ["check_duplicate_data", "check_duplicate_nuisances", "check_duplicate_processes", "relative_distances"]

_FEWEST_BINS = 3  # counts in fewer bins agree by chance


def relative_distances(vectors: FloatArray) -> FloatArray:
    """Return `distance[row, row]`, |a - b| / max(|a|, |b|); 0 for two rows of zeros.

    Examples:
        >>> relative_distances(np.array([[3.0, 4.0], [3.0, 4.0], [0.0, 4.0]])).round(2).tolist()
        [[0.0, 0.0, 0.6], [0.0, 0.0, 0.6], [0.6, 0.6, 0.0]]
    """
    products = vectors @ vectors.T
    squares = np.diag(products)
    largest = np.maximum(squares[:, np.newaxis], squares)
    distances = np.maximum(squares[:, np.newaxis] + squares - 2 * products, 0.0)
    return np.sqrt(divide(distances, largest))


def check_duplicate_processes(subject: Subject, thresholds: Thresholds) -> Iterator[CheckFinding]:
    """Yield processes of one channel with the same nominal template."""
    for channel in subject.channels:
        if channel.bins < _FEWEST_BINS or len(channel.columns) < 2:
            continue
        filled = np.flatnonzero(channel.values.any(axis=1))
        distances = relative_distances(channel.values[filled])
        for first, second in _close_pairs(distances, thresholds.duplicate):
            one, other = channel.columns[filled[first]].process, channel.columns[filled[second]].process
            distance = float(distances[first, second])
            message = f"the template is that of process {one}{_how_close(distance)}"
            advice = "look for a sample that was taken twice"
            where = Where(channel.name, other)
            yield found("duplicate-process", Severity.WARNING, where, message, advice, difference=distance)


def check_duplicate_data(subject: Subject, _: Thresholds) -> Iterator[CheckFinding]:
    """Yield channels with the same data, which would count them twice."""
    seen: dict[bytes, str] = {}
    for channel in subject.channels:
        data = channel.observation
        if data is None or np.count_nonzero(data) < _FEWEST_BINS:
            continue
        first = seen.setdefault(np.ascontiguousarray(data + 0.0).tobytes(), channel.name)
        if first != channel.name:
            message = f"the data are those of channel {first}, bin by bin"
            advice = "events must not be counted in two channels"
            yield found("duplicate-data", Severity.WARNING, Where(channel.name), message, advice)


def check_duplicate_nuisances(subject: Subject, thresholds: Thresholds) -> Iterator[CheckFinding]:
    """Yield pairs of nuisances that have the same templates in every column on which either acts by templates."""
    reach: Counter[str] = Counter()
    same: Counter[tuple[str, str]] = Counter()
    largest: dict[tuple[str, str], float] = {}
    for channel in subject.channels:
        for names, distances in _distances_by_column(channel):
            reach.update(names)
            for first, second in _close_pairs(distances, thresholds.duplicate):
                key = names[first], names[second]
                same[key] += 1
                largest[key] = max(largest.get(key, 0.0), float(distances[first, second]))
    for (first_name, second_name), columns in same.items():
        if first_name == second_name or not columns == reach[first_name] == reach[second_name]:
            continue
        distance = largest[first_name, second_name]
        where = Where(nuisance=second_name)
        message = f"its templates are those of nuisance {first_name} in all {columns} columns{_how_close(distance)}"
        advice = "look for one source of uncertainty under two names"
        numbers = {"columns": float(columns), "difference": distance}
        yield found("duplicate-nuisance", Severity.WARNING, where, message, advice, **numbers)


def _distances_by_column(channel: ChannelArrays) -> Iterator[tuple[list[str], FloatArray]]:
    """Yield names and distances of the variations of each column; those without any effect are left out."""
    effects = np.concatenate([channel.up_shifts, channel.down_shifts], axis=1) / np.tile(channel.data_error, 2)
    # Differences of two large numbers leave remainders of rounding, which are no effect.
    size = 1e-9 * np.abs(channel.nominal).max(axis=1, initial=0.0)
    acting = np.abs(channel.up_shifts).max(axis=1, initial=0.0) > size
    acting |= np.abs(channel.down_shifts).max(axis=1, initial=0.0) > size
    starts = np.searchsorted(channel.pair_columns, np.arange(len(channel.columns) + 1))
    for begin, end in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        rows = begin + np.flatnonzero(acting[begin:end])
        names = sorted((channel.nuisances[row].name, row) for row in rows.tolist())
        order = [row for _, row in names]
        yield [name for name, _ in names], relative_distances(effects[order])


def _close_pairs(distances: FloatArray, tolerance: float) -> list[tuple[int, int]]:
    rows, columns = np.nonzero(np.triu(distances <= tolerance, k=1))
    return list(zip(rows.tolist(), columns.tolist(), strict=True))


def _how_close(distance: float) -> str:
    # The distance is the root of a difference of products, exact to about 1e-8.
    return "" if distance < 1e-6 else f", up to a relative difference of {distance:.1e}"
