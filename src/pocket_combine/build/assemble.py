"""From declarations and final templates to the card of a channel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pocket_combine.build.plan import Plan
from pocket_combine.card.model import (
    AutoMCStats,
    Card,
    Channel,
    Column,
    Effect,
    Group,
    Nuisance,
    RateParameter,
    ShapeRule,
)
from pocket_combine.errors import DeclarationError, nearest
from pocket_combine.names import NOMINAL_RULE, SYSTEMATIC_RULE, rate_parameter_name
from pocket_combine.systematics import Systematics
from pocket_combine.templates import Templates

__all__ = ["DEFAULT_MCSTAT", "mc_stats", "assemble"]

DEFAULT_MCSTAT: Mapping[str, int] = {"threshold": 0, "include_signal": 0, "hist_mode": 1}
"""autoMCStats as written by default."""


def mc_stats(mcstat: bool | Mapping[str, Any], channel: str) -> tuple[AutoMCStats, ...]:
    """Return the autoMCStats line of a channel, or none.

    Args:
        mcstat: `True` for the defaults, `False` for no line, or a mapping with some of `threshold`, `include_signal`
            and `hist_mode`, which is not changed.
        channel: Name of the channel.

    Raises:
        DeclarationError: If a key or a value is not one that Combine has; all problems are listed.

    Examples:
        >>> mc_stats({"threshold": 10}, "SR")
        (AutoMCStats(channel='SR', threshold=10.0, include_signal=False, hist_mode=1),)
        >>> mc_stats(False, "SR")
        ()
    """
    if isinstance(mcstat, bool):
        if not mcstat:
            return ()
        mcstat = DEFAULT_MCSTAT
    if not isinstance(mcstat, Mapping):
        raise DeclarationError(f"mcstat is {mcstat!r}, expected True, False or a dict with {', '.join(DEFAULT_MCSTAT)}")
    problems = [
        f"mcstat has the key {key!r}; {nearest(str(key), DEFAULT_MCSTAT)}"
        for key in mcstat
        if key not in DEFAULT_MCSTAT
    ]
    values = dict(DEFAULT_MCSTAT) | dict(mcstat)
    threshold, include_signal, hist_mode = (values[key] for key in DEFAULT_MCSTAT)
    if isinstance(threshold, bool | str) or not np.isscalar(threshold) or not np.isfinite(threshold):
        problems.append(f"mcstat threshold is {threshold!r}, expected a number of effective events")
    if include_signal not in (0, 1):
        problems.append(f"mcstat include_signal is {include_signal!r}, expected 0 or 1")
    if hist_mode not in (1, 2):
        problems.append(f"mcstat hist_mode is {hist_mode!r}, expected 1 or 2")
    if problems:
        raise DeclarationError(problems)
    return (AutoMCStats(channel, float(threshold), bool(include_signal), int(hist_mode)),)


def assemble(
    plan: Plan,
    systematics: Systematics,
    templates: Templates,
    channel: str,
    observation: float,
    mcstat: bool | Mapping[str, Any],
    shapes_name: str,
) -> Card:
    """Return the card of a channel; its rates are the integrals of its templates.

    Args:
        plan: The columns.
        systematics: The nuisances, in the order of the card.
        templates: Final templates, without flow bins.
        channel: Name of the channel.
        observation: Events observed, -1 for the integral of the `data_obs` template.
        mcstat: See `mc_stats`.
        shapes_name: Name of the ROOT file, relative to the card.
    """
    rates = templates.integrals()
    columns = tuple(
        Column(channel, column.name, column.process_id, float(rate))
        for column, rate in zip(plan.columns, rates, strict=True)
    )
    cells = [(column.process.name, column.year) for column in plan.columns]
    left_out = _left_out(plan, templates)
    nuisances = []
    for row in systematics.values():
        effects: tuple[Effect, ...] = tuple(map(row.cells.get, cells))
        if row.datacard_name in left_out:
            absent = left_out[row.datacard_name]
            effects = tuple(None if at in absent else effect for at, effect in enumerate(effects))
        if any(effect is not None for effect in effects):
            arguments = () if row.events is None else (float(row.events),)
            nuisances.append(Nuisance(str(row.datacard_name), row.typ, effects, arguments))
    return Card(
        channels=(Channel(channel, observation),),
        columns=columns,
        shapes=(ShapeRule("*", channel, shapes_name, NOMINAL_RULE, SYSTEMATIC_RULE),),
        nuisances=tuple(nuisances),
        rate_parameters=_rate_parameters(plan),
        groups=_groups(systematics, {nuisance.name for nuisance in nuisances}),
        mc_stats=mc_stats(mcstat, channel),
    )


def _left_out(plan: Plan, templates: Templates) -> dict[str, set[int]]:
    """Return the columns, by shape nuisance, whose varied templates were collected and then dropped."""
    if len(templates.pairs) == len(plan.pairs):
        return {}
    left_out: dict[str, set[int]] = {}
    for pair in plan.pairs:
        if (templates.columns[pair.column], pair.nuisance) not in templates.pair_index:
            left_out.setdefault(pair.nuisance, set()).add(pair.column)
    return left_out


def _rate_parameters(plan: Plan) -> tuple[RateParameter, ...]:
    return tuple(
        RateParameter(
            rate_parameter_name(column.process.name),
            "*",
            column.name,
            column.process.rateParam_value,
            column.process.rateParam_range,
        )
        for column in plan.columns
        if column.process.floats
    )


def _groups(systematics: Systematics, written: set[str]) -> tuple[Group, ...]:
    members: dict[str, list[str]] = {}
    for row in systematics.values():
        if row.datacard_name in written:
            for group in row.groups:
                members.setdefault(group, []).append(str(row.datacard_name))
    return tuple(Group(name, tuple(names)) for name, names in members.items())
