"""Sizes of differences in units of the statistical error of the data."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pocket_combine.comparison.view import CardView, CellView, ColumnKey
from pocket_combine.templates import FloatArray

__all__ = ["Ruler"]

_SIDES = ("up", "down")


class Ruler:
    """Measures changes of expected events in units of the statistical error of the data.

    The error in a bin is sqrt(expected events), at least 1; expected is the sum of all processes of the first card, or
    of the second in channels that only it has. Changes of the processes of a channel are added before they are
    measured, those of bins and channels in quadrature.

    Args:
        before: The first card.
        after: The second card, with the channels named alike.
    """

    def __init__(self, before: CardView, after: CardView) -> None:
        self._before, self._after = before, after
        self._errors: dict[str, FloatArray] = {}

    def error(self, channel: str) -> FloatArray:
        """Return `error[bin]`, the statistical error of the data of a channel."""
        if channel not in self._errors:
            view = self._before if channel in self._before.channels else self._after
            self._errors[channel] = np.sqrt(np.maximum(view.expected(channel), 1.0))
        return self._errors[channel]

    def size(self, channel: str, shift: FloatArray) -> float:
        """Return sqrt(sum over bins of (shift / error)^2) of one channel."""
        return float(np.sqrt((self._scaled(channel, shift) ** 2).sum()))

    def _scaled(self, channel: str, shift: FloatArray) -> FloatArray:
        error = self.error(channel)
        # A channel with another binning is measured as a whole.
        if shift.shape != error.shape:
            shift, error = shift.sum(keepdims=True), np.sqrt((error**2).sum(keepdims=True))
        return shift / error

    def effect(
        self,
        old: Mapping[ColumnKey, tuple[CellView, ...]],
        new: Mapping[ColumnKey, tuple[CellView, ...]],
    ) -> float:
        """Return the size of the difference between two effects at one standard deviation, the larger of both sides.

        The variation relative to nominal counts: both are applied to the nominal templates of one card.
        """
        squares = dict.fromkeys(_SIDES, 0.0)
        for side in _SIDES:
            totals: dict[str, FloatArray] = {}
            for key in dict.fromkeys((*old, *new)):
                shift = self._shift(key, new.get(key, ()), side) - self._shift(key, old.get(key, ()), side)
                totals[key.channel] = totals.get(key.channel, 0.0) + shift
            for channel, shift in totals.items():
                squares[side] += float((self._scaled(channel, shift) ** 2).sum())
        return float(np.sqrt(max(squares.values())))

    def _shift(self, key: ColumnKey, cells: tuple[CellView, ...], side: str) -> FloatArray:
        """Return the change of events that cells make on the nominal template of a column."""
        column = self._before.columns.get(key) or self._after.columns[key]
        total = np.zeros(column.events.shape)
        for cell in cells:
            ratio = cell.up if side == "up" else cell.down
            if ratio.shape != total.shape:
                ratio = np.full(total.shape, float(ratio.mean()))
            if not cell.by_templates:
                total = total + column.events * (ratio - 1)
                continue
            # Where nominal is empty the ratio holds events.
            total = total + cell.numbers[0] * np.where(column.events != 0, column.events * (ratio - 1), ratio)
        return total
