"""What all `nuisance edit` commands share: the columns they name, their options, and new rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from pocket_combine.card.draft import Draft, DraftRow
from pocket_combine.card.lexical import shown
from pocket_combine.card.model import Effect
from pocket_combine.card.patterns import column_match, repetitions, whole_match

__all__ = ["Edit", "is_null"]

_MOST_CELLS = 50_000_000
_MOST_EFFORT = 100_000_000
_CHEAP = 1000


def is_null(effect: Effect) -> bool:
    """Return whether `nuisance edit` takes a cell for one without effect: nothing, or 1.

    Examples:
        >>> [is_null(effect) for effect in (None, 1.0, 1.02, (1.0, 1.0))]
        [True, True, False, False]
    """
    return effect is None or effect == 1.0


@dataclass
class Edit:
    """One command, with what it acts on.

    Attributes:
        draft: The card as read so far.
        line: Number of the line.
    """

    draft: Draft
    line: int

    def warn(self, code: str, message: str, advice: str = "") -> None:
        """Note something that looks wrong."""
        self.draft.notes.warn(code, self.line, f"nuisance edit {message}", advice)

    def columns(self, process: str, channel: str) -> list[int]:
        """Return the positions of the columns that a PROCESS and a CHANNEL word match."""
        matches_process, matches_channel = column_match(process, channel)
        self._spend(process, self.draft.processes)
        self._spend(channel, self.draft.channels)
        channels = {name for name in self.draft.channels if matches_channel(name)}
        processes = {name for name in self.draft.processes if matches_process(name)}
        return [
            index
            for index, column in enumerate(self.draft.columns)
            if column.channel in channels and column.process in processes
        ]

    def _spend(self, pattern: str, names: Collection[str]) -> None:
        """Add the effort of matching names, and refuse a card that was made to take hours.

        Raises:
            ValueError: If all edits of the card together take too much.
        """
        longest = max(map(len, names), default=0)
        self.draft.effort += len(names) * (1 + longest ** repetitions(pattern) // _CHEAP) if pattern != "*" else 0
        if self.draft.effort > _MOST_EFFORT:
            raise ValueError("matching the patterns of all edits takes too long; write simpler patterns, or fewer")

    def channels(self, channel: str) -> list[str]:
        """Return the channels that a CHANNEL word matches."""
        _, matches_channel = column_match("*", channel)
        return [name for name in self.draft.channels if matches_channel(name)]

    def rows(self, pattern: str) -> list[DraftRow]:
        """Return the rows whose whole name matches a pattern."""
        matches = self.matcher(pattern)
        return [row for row in self.draft.rows if matches(row.name)]

    def matcher(self, pattern: str) -> Callable[[str], bool]:
        """Return the function that tells whether the whole name of a parameter matches a pattern."""
        matches = whole_match(pattern)
        names = [row.name for row in self.draft.rows]
        names += [placed.value.name for placed in self.draft.parameters]
        names += [placed.value.name for placed in self.draft.rate_parameters]
        self._spend(pattern, names)
        return matches

    def options(self, words: Sequence[str], allowed: Collection[str]) -> set[str]:
        """Return the words at the end of a command, with a warning for those that Combine does not know."""
        for word in words:
            if word not in allowed:
                expected = ", ".join(sorted(allowed)) or "nothing"
                self.warn("extra-words", f"option {shown(word)} is ignored", f"known here: {expected}")
        return set(words)

    def not_found(self, what: str, channel: str, options: Collection[str], hint: str = "") -> None:
        """Refuse a command that acts on nothing, where Combine does: not with `ifexists`, nor with channel `*`.

        Raises:
            ValueError: If the command must act on something.
        """
        if channel != "*" and "ifexists" not in options:
            raise ValueError(f"{what}; add the option ifexists if that is as it should be{hint}")
        self.warn("edit-without-effect", f"acts on nothing: {what}")

    def new_row(self, name: str, kind: str, model: DraftRow | None = None) -> DraftRow:
        """Append a row without effects and return it.

        Raises:
            ValueError: If the card would become absurdly large.
        """
        if (len(self.draft.rows) + 1) * len(self.draft.columns) > _MOST_CELLS:
            raise ValueError(f"the card would have more than {_MOST_CELLS} cells")
        row = DraftRow(self.line, name, kind, [None] * len(self.draft.columns))
        if model is not None:
            row.arguments, row.no_float = model.arguments, model.no_float
        self.draft.add_row(row)
        return row
