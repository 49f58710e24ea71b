"""Differences between channels, processes, expected events and data of two cards."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pocket_combine.comparison.changes import Change
from pocket_combine.comparison.sizes import Ruler
from pocket_combine.comparison.view import CardView, ChannelView, ColumnKey, ColumnView, same_numbers
from pocket_combine.templates import FloatArray

__all__ = ["compare_channels", "compare_columns", "compare_contents"]


def compare_channels(before: CardView, after: CardView, renamed: Mapping[str, str]) -> list[Change]:
    """Return channels that appeared, vanished or were renamed; `before` has the new names already."""
    changes = [Change("channel", "renamed", (old,), (new,), channel=new) for old, new in renamed.items()]
    for name in before.channels:
        if name not in after.channels:
            changes.append(Change("channel", "vanished", (name,), (), _events(before, name), channel=name))
    for name in after.channels:
        if name not in before.channels:
            changes.append(Change("channel", "appeared", (), (name,), _events(after, name), channel=name))
    return changes


def _events(view: CardView, channel: str) -> str:
    data = view.channels[channel].data
    text = f"{view.expected(channel).sum():.6g} expected events"
    return text if data is None else f"{text}, {data.sum():.6g} observed"


def compare_columns(before: CardView, after: CardView, renamed: Mapping[str, str], ruler: Ruler) -> list[Change]:
    """Return processes that appeared, vanished or were renamed, in all channels or in some that both cards have."""
    changes = [Change("process", "renamed", (old,), (new,), process=new) for old, new in renamed.items()]
    for view, other, action in ((before, after, "vanished"), (after, before, "appeared")):
        known = set(other.processes())
        for process in view.processes():
            own = [key for key in view.columns if key.process == process and key not in other.columns]
            shared = [key for key in own if key.channel in other.channels]
            if process not in known:
                changes.append(_process(process, own, view, action, ruler))
            else:
                changes += [_column(key, view.columns[key], action, ruler) for key in shared]
    for key, column in before.columns.items():
        new = after.columns.get(key)
        if new is not None and new.signal != column.signal:
            words = ("signal", "background") if column.signal else ("background", "signal")
            changes.append(_changed("class", key, words, f"was {words[0]}, is {words[1]}"))
    return changes


def _process(process: str, keys: list[ColumnKey], view: CardView, action: str, ruler: Ruler) -> Change:
    events = sum(float(view.columns[key].events.sum()) for key in keys)
    size = float(np.sqrt(sum(ruler.size(key.channel, view.columns[key].events) ** 2 for key in keys)))
    message = f"{events:.6g} events in {len(keys)} channel{'' if len(keys) == 1 else 's'}"
    before, after = ((process,), ()) if action == "vanished" else ((), (process,))
    return Change("process", action, before, after, message, process=process, size=size)


def _column(key: ColumnKey, column: ColumnView, action: str, ruler: Ruler) -> Change:
    name = f"{key.channel}/{key.process}"
    before, after = ((name,), ()) if action == "vanished" else ((), (name,))
    message = f"{column.events.sum():.6g} events"
    size = ruler.size(key.channel, column.events)
    return Change("column", action, before, after, message, channel=key.channel, process=key.process, size=size)


def _changed(subject: str, key: ColumnKey, values: tuple[str, str], message: str, size: float = 0.0) -> Change:
    before, after = values
    return Change(subject, "changed", (before,), (after,), message, channel=key.channel, process=key.process, size=size)


def compare_contents(before: CardView, after: CardView, ruler: Ruler, tolerance: float) -> list[Change]:
    """Return what changed in the channels and columns that both cards have: binning, data, events and their errors."""
    changes = []
    for name, old in before.channels.items():
        if name in after.channels:
            changes += _channel(name, old, after.channels[name], ruler, tolerance)
    for key, column in before.columns.items():
        if key in after.columns:
            changes += _contents(key, column, after.columns[key], ruler, tolerance)
    return changes


def _channel(name: str, old: ChannelView, new: ChannelView, ruler: Ruler, tolerance: float) -> list[Change]:
    changes = []
    if old.bins != new.bins or not _same_edges(old.edges, new.edges, tolerance):
        words = _binning(old), _binning(new)
        changes.append(_changed("binning", ColumnKey(name, ""), words, f"{words[0]} → {words[1]}"))
    if (old.data is None) != (new.data is None):
        words = _data(old), _data(new)
        changes.append(_changed("data", ColumnKey(name, ""), words, f"{words[0]} → {words[1]}"))
    elif old.data is not None and new.data is not None and not _same_contents(old.data, new.data, tolerance):
        changes.append(_shift("data", ColumnKey(name, ""), old.data, new.data, ruler))
    if old.mc_stats != new.mc_stats and _mc_stats(old) != _mc_stats(new):
        words = _mc_stats(old), _mc_stats(new)
        changes.append(_changed("autoMCStats", ColumnKey(name, ""), words, f"{words[0]} → {words[1]}"))
    return changes


def _same_contents(old: FloatArray, new: FloatArray, tolerance: float) -> bool:
    """Return whether contents agree, bin by bin or, in different binnings, in sum."""
    if old.shape != new.shape:
        old, new = old.sum(keepdims=True), new.sum(keepdims=True)
    return same_numbers(old, new, tolerance)


def _same_edges(old: FloatArray | None, new: FloatArray | None, tolerance: float) -> bool:
    if old is None or new is None:
        return old is new
    return old.shape == new.shape and bool(
        (np.abs(old - new) <= tolerance * max(float(np.ptp(old)), float(np.ptp(new)))).all()
    )


def _binning(channel: ChannelView) -> str:
    if channel.edges is None:
        return "a counting channel"
    return f"{channel.bins} bin{'' if channel.bins == 1 else 's'} from {channel.edges[0]:g} to {channel.edges[-1]:g}"


def _data(channel: ChannelView) -> str:
    return "no data" if channel.data is None else f"{channel.data.sum():.6g} events"


def _mc_stats(channel: ChannelView) -> str:
    line = channel.mc_stats
    return "none" if line is None else f"{line.threshold:g} {int(line.include_signal)} {line.hist_mode}"


def _contents(key: ColumnKey, old: ColumnView, new: ColumnView, ruler: Ruler, tolerance: float) -> list[Change]:
    if not _same_contents(old.events, new.events, tolerance):
        return [_shift("template" if old.events.size > 1 else "yield", key, old.events, new.events, ruler)]
    if old.variances.shape == new.variances.shape and not same_numbers(old.variances, new.variances, 2 * tolerance):
        errors = np.sqrt(old.variances), np.sqrt(new.variances)
        at = int(np.argmax(np.abs(errors[1] - errors[0])))
        words = f"{errors[0][at]:.6g}", f"{errors[1][at]:.6g}"
        message = f"statistical error most in bin {at}: {words[0]} → {words[1]}"
        return [_changed("bin errors", key, words, message, ruler.size(key.channel, errors[1] - errors[0]))]
    return []


def _shift(subject: str, key: ColumnKey, old: FloatArray, new: FloatArray, ruler: Ruler) -> Change:
    """Return the change of contents, with the bin where it is largest."""
    sums = float(old.sum()), float(new.sum())
    message = f"{sums[0]:.6g} → {sums[1]:.6g} events"
    if sums[0] > 0:
        message += f" ({sums[1] / sums[0] - 1:+.2%})"
    size = ruler.size(key.channel, new.sum(keepdims=True) - old.sum(keepdims=True))
    if old.shape == new.shape:
        size = ruler.size(key.channel, new - old)
        at = int(np.argmax(np.abs(new - old) / ruler.error(key.channel)))
        message += f", most in bin {at}: {old[at]:.6g} → {new[at]:.6g}" if old.size > 1 else ""
    return _changed(subject, key, (f"{sums[0]:.6g}", f"{sums[1]:.6g}"), message, size)
