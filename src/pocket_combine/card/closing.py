"""What can be judged only when the whole card is known: what Combine checks, drops or counts at the end."""

from __future__ import annotations

import math
from collections.abc import Collection

from pocket_combine.card.draft import Draft, DraftRow
from pocket_combine.card.formulas import check_formulas
from pocket_combine.card.lexical import format_number, shown
from pocket_combine.card.model import FAKE, Column
from pocket_combine.card.options import CardOptions
from pocket_combine.card.row_checks import check_rows
from pocket_combine.card.shapes import ShapeLookup
from pocket_combine.errors import counted
from pocket_combine.findings import Severity
from pocket_combine.names import DATA

__all__ = ["close"]

_TABLES = (".csv", ".json", ".html", ".pkl", ".xlsx", ".h5", ".parquet")


def close(draft: Draft, options: CardOptions) -> None:
    """Check the card as a whole and drop the rows that Combine drops."""
    lookup = ShapeLookup(placed.value for placed in draft.shapes)
    _check_channels(draft, options)
    _check_shapes(draft, lookup)
    _drop_rows_without_effect(draft)
    check_rows(draft, lookup)
    used = check_formulas(draft, options)
    _check_unused(draft, used)
    _check_rate_parameters(draft, options)
    _check_groups(draft)
    _check_mc_stats(draft, lookup)


def _check_channels(draft: Draft, options: CardOptions) -> None:
    line = draft.rate_line
    if not any(column.is_signal for column in draft.columns) and not options.allow_no_signal:
        draft.notes.problem(line, "no process is a signal, expected at least one with an integer of 0 or less")
    by_channel: dict[str, list[Column]] = {channel: [] for channel in draft.channels}
    for column in draft.columns:
        if column.rate != 0:
            by_channel[column.channel].append(column)
    for channel, columns in by_channel.items():
        if not columns:
            draft.notes.problem(line, f"channel {channel} has no process with a rate other than 0")
        elif all(column.is_signal for column in columns) and not options.allow_no_background:
            draft.notes.problem(line, f"channel {channel} has no background with a rate other than 0")
        elif not any(column.is_signal for column in columns) and not options.allow_no_signal:
            draft.notes.finding("no-signal-in-channel", Severity.INFO, line, f"channel {channel} has no signal")


def _check_shapes(draft: Draft, lookup: ShapeLookup) -> None:
    for placed in draft.shapes:
        line, rule = placed.line, placed.value
        place = f"shapes of process {rule.process}, channel {rule.channel}"
        if rule.path.endswith(_TABLES):
            draft.notes.problem(line, f"{place}: {shown(rule.path)} is a table, and only ROOT files are read")
        for name in (rule.nominal, rule.systematic):
            if ":" in name:
                draft.notes.problem(
                    line,
                    f"{place}: {shown(name)} is in a RooFit workspace or a tree: parametric cards are not read",
                )
        if rule.channel != "*" and rule.channel not in draft.channels:
            message = (
                f"{place}: no such channel, so the line does nothing{draft.notes.hint(rule.channel, draft.channels)}"
            )
            draft.notes.warn("unused-shapes-line", line, message)
        if rule.process not in ("*", DATA) and rule.process not in draft.processes:
            message = (
                f"{place}: no such process, so the line does nothing{draft.notes.hint(rule.process, draft.processes)}"
            )
            draft.notes.warn("unused-shapes-line", line, message)
    _check_counting(draft, lookup)


def _check_counting(draft: Draft, lookup: ShapeLookup) -> None:
    """Check that every channel has either templates for everything or for nothing, and numbers where it has none."""
    observed = dict.fromkeys(draft.channels, math.nan)
    if draft.observation is not None:
        observed.update(zip(draft.channels, draft.observation.value, strict=True))
    fake_channels: dict[str, set[bool]] = {}
    wanted = [(column.channel, column.process, column.rate, draft.rate_line) for column in draft.columns if column.rate]
    if draft.observation is not None:
        wanted += [(channel, DATA, number, draft.observation.line) for channel, number in observed.items()]
    for channel, process, number, line in wanted:
        if draft.shapes and lookup.rule(channel, process) is None:
            draft.notes.problem(line, f"no shapes line holds for process {process} in channel {channel}")
            continue
        fake = lookup.is_fake(channel, process)
        fake_channels.setdefault(channel, set()).add(fake)
        what = "observation" if process == DATA else "rate"
        if fake and number == -1:
            why = f"has no templates ({FAKE})" if draft.shapes else "belongs to a card without shapes lines"
            draft.notes.problem(
                line, f"{what} -1 of process {process} asks for an integral, but channel {channel} {why}"
            )
        elif number < 0 and process == DATA and number != -1:
            draft.notes.problem(line, f"observation {format_number(number)} in channel {channel} is negative")
    for channel, kinds in fake_channels.items():
        if len(kinds) > 1:
            draft.notes.problem(
                draft.rate_line, f"channel {channel} has templates for some processes and {FAKE} for others"
            )


def _drop_rows_without_effect(draft: Draft) -> None:
    """Drop what Combine drops, and compare the number after `kmax` with what was there before, as Combine does."""
    active = [column.rate != 0 for column in draft.columns]
    kept: list[DraftRow] = []
    for row in draft.rows:
        effects = [effect for effect, counts in zip(row.effects, active, strict=True) if counts]
        if any(effect is not None for effect in effects):
            kept.append(row)
            continue
        draft.dropped.add(row.name)
        why = "acts on processes with rate 0 only" if any(row.effects) else "has no effect on any column"
        draft.notes.finding(
            "nuisance-without-effect",
            Severity.INFO,
            row.line,
            f"{row.place} {why}; Combine drops it, and so does the card",
        )
    declared = draft.declared_nuisances
    found = len(draft.rows) + len(draft.parameters) + len(draft.constraints)
    if declared is not None and not draft.edited and not draft.unread and declared.value != found:
        parts = [
            counted(len(draft.rows), "nuisance row"),
            counted(len(draft.parameters), "param line"),
            counted(len(draft.constraints), "constr line"),
        ]
        draft.notes.problem(
            declared.line,
            f"kmax {declared.value}, but the card has {', '.join(parts)}: expected kmax {found}, or * for any number",
        )
    draft.rows = kept


def _check_unused(draft: Draft, used: Collection[str]) -> None:
    rows = {row.name for row in draft.rows}
    for placed in draft.parameters:
        line, parameter = placed.line, placed.value
        if parameter.name not in used and parameter.name not in rows:
            draft.notes.warn(
                "unused-param",
                line,
                f"param {parameter.name} is used by no formula, so it does nothing",
                "in a card with a RooFit pdf it belongs to that pdf; such cards are not read",
            )
    for name, argument in draft.external_arguments.items():
        if name not in used:
            draft.notes.warn("unused-argument", argument.line, f"extArg {name} is used by no formula")


def _check_rate_parameters(draft: Draft, options: CardOptions) -> None:
    constrained = {row.name: row.line for row in draft.rows}
    others = {name: placed.line for name, placed in draft.external_arguments.items()}
    others |= {placed.value.name: placed.line for placed in draft.parameters} | constrained
    first: dict[str, tuple[int, object]] = {}
    for placed in draft.rate_parameters:
        line, parameter = placed.line, placed.value
        if parameter.formula is not None and parameter.name in others:
            draft.notes.problem(
                line,
                f"rateParam {parameter.name}: line {others[parameter.name]} defines a parameter of this name, "
                "for which Combine would ignore the formula; choose another name",
            )
        elif parameter.name in constrained:
            draft.notes.warn(
                "rate-parameter-is-nuisance",
                line,
                f"rateParam {parameter.name} is the nuisance of line {constrained[parameter.name]}, so the yield is "
                "multiplied by that nuisance, which begins at 0",
                "choose another name",
            )
        elif parameter.name in options.pois and parameter.formula is None:
            draft.notes.warn(
                "rate-parameter-is-nuisance",
                line,
                f"rateParam {parameter.name} is the parameter of interest, so the yield is multiplied by that one",
                "choose another name unless the yield is to follow the signal",
            )
        definition = (parameter.value, parameter.range, parameter.formula, parameter.arguments)
        earlier = first.setdefault(parameter.name, (line, definition))
        if earlier[1] != definition:
            draft.notes.warn(
                "repeated-parameter",
                line,
                f"rateParam {parameter.name} is defined otherwise in line {earlier[0]}, and that definition holds",
            )
    _check_constrained_rates(draft)


def _check_constrained_rates(draft: Draft) -> None:
    """Note rate parameters with a constraint, from a `param` line of that name, that give other numbers than that."""
    constrained = {placed.value.name: placed for placed in draft.parameters}
    for placed in draft.rate_parameters:
        line, rate = placed.line, placed.value
        if rate.name not in constrained or rate.formula is not None:
            continue
        parameter = constrained[rate.name].value
        low, high = parameter.limits
        if rate.value != parameter.mean or rate.range not in (None, (low, high)):
            draft.notes.warn(
                "repeated-parameter",
                line,
                f"rateParam {rate.name} is the param of line {constrained[rate.name].line}, whose mean "
                f"{format_number(parameter.mean)} and range [{format_number(low)},{format_number(high)}] hold",
                "write the range into the param line",
            )


def _check_groups(draft: Draft) -> None:
    formulas = {placed.value.name for placed in draft.rate_parameters if placed.value.formula is not None}
    free = {placed.value.name for placed in draft.rate_parameters if placed.value.formula is None}
    known = {row.name for row in draft.rows} | free | set(draft.flat_parameters) | set(draft.external_arguments)
    known |= {placed.value.name for placed in draft.parameters}
    for name, members in draft.group_members.items():
        for member, line in members.items():
            if member in known or member in draft.unread:
                continue
            if member in formulas:
                why = "is a formula, and only parameters can be members"
            elif member in draft.dropped:
                why = "is a nuisance that Combine drops, because it has no effect"
            else:
                why = f"does not exist{draft.notes.hint(member, known)}"
            draft.notes.problem(line, f"group {name}: {shown(member)} {why}")


def _check_mc_stats(draft: Draft, lookup: ShapeLookup) -> None:
    fake = [channel for channel in draft.channels if lookup.is_fake(channel, DATA)]
    for placed in draft.mc_stats if fake else ():
        line, settings = placed.line, placed.value
        if not draft.shapes:
            message = "autoMCStats does nothing in a card without shapes lines"
            draft.notes.warn("autoMCStats-without-templates", line, message)
            continue
        channel = next((channel for channel in fake if settings.matches(channel)), None)
        if channel is not None:
            draft.notes.problem(
                line,
                f"autoMCStats of {settings.channel}: channel {channel} has no templates ({FAKE}), so no bin errors",
            )
