"""Which channels and processes are added bin by bin in expected events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pocket_combine.errors import CardError, nearest
from pocket_combine.likelihood import Model, ModelChannel
from pocket_combine.templates import FloatArray

__all__ = ["TOTAL", "TOTAL_BACKGROUND", "YieldSum", "yield_sums"]

TOTAL, TOTAL_BACKGROUND = "total", "total_background"
"""What stands for a channel's sums among its processes in `PostfitResult.yields`."""


@dataclass(frozen=True)
class YieldSum:
    """Channels whose processes are added bin by bin; one channel for most.

    Attributes:
        name: Its name.
        channels: The channels.
        processes: Names of the processes, with what is added for each: (channel, row of the channel's processes).
        signal: `signal[process]`.
    """

    name: str
    channels: tuple[ModelChannel, ...]
    processes: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]
    signal: tuple[bool, ...]

    def add(self, processes: Mapping[str, FloatArray], totals: Mapping[str, FloatArray]) -> FloatArray:
        """Return `result[row, bin, …]`: the processes, then the total.

        Args:
            processes: `processes[channel][process, bin, …]`.
            totals: `totals[channel][bin, …]`.
        """
        rows = [sum(processes[channel][row] for channel, row in parts) for _, parts in self.processes]
        return np.stack([*rows, sum(totals[channel.name] for channel in self.channels)])

    def background(self, rows: FloatArray) -> FloatArray:
        """Return `result[bin, …]`, the total without signals, of the rows that `add` returned."""
        result: FloatArray = rows[-1] - rows[:-1][np.array(self.signal, dtype=bool)].sum(axis=0)
        return result


def yield_sums(
    model: Model, channel_sums: Mapping[str, Sequence[str]], process_sums: Mapping[str, Sequence[str]]
) -> list[YieldSum]:
    """Return all channels of a model, then the sums of channels, with sums of processes in place of their parts.

    Args:
        model: The model.
        channel_sums: Channels of each sum, by its name.
        process_sums: Processes of each sum, by its name.

    Raises:
        CardError: If a name is not in the model or has two meanings, or if channels cannot be added; with all problems.
    """
    channels = {channel.name: channel for channel in model.channels}
    problems = _problems(channels, channel_sums, process_sums)
    if problems:
        raise CardError(problems)
    wanted = {name: [name] for name in channels} | {name: list(parts) for name, parts in channel_sums.items()}
    return [_one_sum(name, tuple(channels[part] for part in parts), process_sums) for name, parts in wanted.items()]


def _problems(
    channels: Mapping[str, ModelChannel],
    channel_sums: Mapping[str, Sequence[str]],
    process_sums: Mapping[str, Sequence[str]],
) -> list[str]:
    problems = []
    known = list(dict.fromkeys(process for channel in channels.values() for process in channel.processes))
    for name, parts in channel_sums.items():
        if name in channels:
            problems.append(f"the sum of channels {name!r} has the name of a channel")
        if not parts:
            problems.append(f"the sum of channels {name!r} is empty")
        unknown = [part for part in parts if part not in channels]
        problems += [f"no channel {part!r} in the model: {nearest(part, channels)}" for part in unknown]
        counts = {part: channels[part].bin_count for part in parts if part in channels}
        if len(set(counts.values())) > 1:
            found = ", ".join(f"{part} has {count}" for part, count in counts.items())
            problems.append(f"channels of {name!r} have different numbers of bins and cannot be added: {found}")
    owner: dict[str, str] = {}
    for name, parts in process_sums.items():
        problems += [f"no process {part!r} in the model: {nearest(part, known)}" for part in parts if part not in known]
        for part in parts:
            if part in owner:
                problems.append(f"process {part!r} is in two sums, {owner[part]!r} and {name!r}")
            owner[part] = name
        if name in known and name not in parts:
            problems.append(f"the sum of processes {name!r} has the name of a process that is not in it")
    problems += [
        f"a process {name!r} would take the place of what results call by this name; give it another name, for example "
        f"by a sum of processes with this one alone"
        for name in (*(process for process in known if process not in owner), *process_sums)
        if name in (TOTAL, TOTAL_BACKGROUND)
    ]
    return problems


def _one_sum(name: str, channels: tuple[ModelChannel, ...], process_sums: Mapping[str, Sequence[str]]) -> YieldSum:
    owner = {part: group for group, parts in process_sums.items() for part in parts}
    rows: dict[str, list[tuple[str, int]]] = {}
    signal: dict[str, bool] = {}
    for channel in channels:
        for row, (process, is_signal) in enumerate(zip(channel.processes, channel.is_signal, strict=True)):
            label = owner.get(process, process)
            rows.setdefault(label, []).append((channel.name, row))
            signal[label] = signal.get(label, True) and is_signal
    return YieldSum(
        name,
        channels,
        tuple((label, tuple(parts)) for label, parts in rows.items()),
        tuple(signal.values()),
    )
