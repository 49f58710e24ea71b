"""Lines that say something about what is defined elsewhere: `group` and `autoMCStats`."""

from __future__ import annotations

from collections.abc import Sequence

from pocket_combine.card.draft import Draft, Placed
from pocket_combine.card.lexical import read_integer, read_number, shown
from pocket_combine.card.model import AutoMCStats

__all__ = ["read_group", "read_auto_mc_stats"]


def read_group(draft: Draft, line: int, name: str, words: Sequence[str]) -> None:
    """Read `name group = member member …` or `name group += member …`."""
    place = f"group {name}"
    operator = words[1] if len(words) > 1 else ""
    if operator not in ("=", "+="):
        found = f"found {shown(operator)}" if operator else "found nothing"
        draft.notes.problem(line, f"{place}: {found} after the word group, expected = or +=")
        return
    if len(words) == 2:
        draft.notes.problem(line, f"{place}: no members, expected the names of nuisances or rate parameters")
        return
    known = draft.group_members.get(name)
    if operator == "=" and known is not None:
        first = min(known.values())
        draft.notes.problem(line, f"{place} is already defined in line {first}; write += to add members")
        return
    if operator == "+=" and known is None:
        draft.notes.problem(
            line, f"{place}: += before the group is defined{draft.notes.hint(name, draft.group_members)}"
        )
        return
    members = draft.group_members.setdefault(name, {})
    for member in words[2:]:
        members.setdefault(member, line)


def read_auto_mc_stats(draft: Draft, line: int, name: str, words: Sequence[str]) -> None:
    """Read `CHANNEL autoMCStats threshold [include_signal] [hist_mode]`."""
    place = f"autoMCStats of {name}"
    if not 2 <= len(words) <= 4:
        draft.notes.problem(line, f"{place}: expected 'CHANNEL autoMCStats THRESHOLD [INCLUDE_SIGNAL] [HIST_MODE]'")
        return
    try:
        threshold = read_number(words[1])
        include_signal = bool(read_integer(words[2])) if len(words) > 2 else False
        hist_mode = read_integer(words[3]) if len(words) > 3 else 1
    except ValueError as error:
        draft.notes.problem(line, f"{place}: {error}")
        return
    if hist_mode not in (1, 2):
        draft.notes.problem(
            line,
            f"{place}: hist_mode {hist_mode}, expected 1 (Combine's default) or 2; "
            "Combine crashes on other modes where there are shape nuisances",
        )
        return
    settings = AutoMCStats(name, threshold, include_signal, hist_mode)
    if draft.complete and not any(settings.matches(channel) for channel in draft.channels):
        if "*" not in name:
            draft.notes.problem(line, f"{place}: no such channel{draft.notes.hint(name, draft.channels)}")
            return
        hint = draft.notes.hint(name.strip("*"), draft.channels)
        draft.notes.warn("pattern-without-match", line, f"{place}: no channel matches the pattern{hint}")
    draft.mc_stats.append(Placed(line, settings))
