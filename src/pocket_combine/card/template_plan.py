"""Which templates a card asks for, and where: `shapes` lines applied to columns and nuisances."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from pocket_combine.card.model import FAKE, Card, Effect, Nuisance, ShapeRule, is_shape_kind
from pocket_combine.card.shapes import ShapeLookup, check_keywords, expand, format_mass
from pocket_combine.names import DATA, SHIFTS, shifted_name

__all__ = ["ChannelPlan", "ColumnPlan", "PairPlan", "Places", "plan_templates", "rule_text"]

_LISTED = 5
"""Lines of a card that one message quotes."""


@dataclass
class PairPlan:
    """The two varied templates of a nuisance in a column.

    Attributes:
        nuisance: Name of the nuisance.
        effect: The cell.
        optional: Whether the cell is a log-normal where there is no template (kinds that end in `?`).
        names: Names of the templates up and down.
    """

    nuisance: str
    effect: Effect
    optional: bool
    names: tuple[str, str]


@dataclass
class ColumnPlan:
    """The templates of a process, or the data, in a channel.

    Attributes:
        process: Name of the process, or `data_obs`.
        number: The rate, or the observation.
        rule: The line of the card that holds.
        path: The file.
        name: Name of the nominal template.
        pairs: Varied templates.
    """

    process: str
    number: float
    rule: ShapeRule
    path: Path
    name: str
    pairs: list[PairPlan] = field(default_factory=list)

    @cached_property
    def file(self) -> str:
        """The file as text, which is compared faster."""
        return str(self.path)


@dataclass
class ChannelPlan:
    """The templates of a channel, without processes of rate 0.

    Attributes:
        channel: Name of the channel.
        columns: Its processes, in the order of the card.
        data: The observation; `None` without one.
    """

    channel: str
    columns: list[ColumnPlan]
    data: ColumnPlan | None = None

    def everything(self) -> list[ColumnPlan]:
        """Return the processes and the data."""
        return self.columns if self.data is None else [*self.columns, self.data]


@dataclass(frozen=True)
class Places:
    """Where files are and what words stand for.

    Attributes:
        directory: Folder of the card, for files that are not found from the current folder.
        mass: What `$MASS` stands for; `None` where it may not occur.
        keywords: What further words stand for.
    """

    directory: Path
    mass: str | None
    keywords: Mapping[str, str]

    @classmethod
    def of(cls, directory: str | os.PathLike[str], mass: float | None, keywords: Mapping[str, str]) -> Places:
        """Return the places for what a caller of `load_templates` gives.

        Raises:
            CardError: If a keyword is one that Combine fills in itself.
        """
        check_keywords(keywords)
        return cls(Path(directory), None if mass is None else format_mass(mass), keywords)

    def find(self, path: str) -> Path:
        """Return a file as Combine finds it: as given if it is there, otherwise from the folder of the card."""
        given = Path(path)
        if given.is_absolute() or os.path.lexists(given):
            return given
        beside = self.directory / given
        return beside if os.path.lexists(beside) else given


def plan_templates(card: Card, places: Places) -> tuple[list[ChannelPlan], list[str]]:
    """Return what to read for every channel that has templates, and what is wrong with the request."""
    if places.mass is None:
        lines = [text for rule in card.shapes if "$MASS" in (text := rule_text(rule))]
        if lines:
            more = f", and {len(lines) - _LISTED} more shapes lines," if len(lines) > _LISTED else ""
            verb = "holds" if len(lines) == 1 else "hold"
            return [], [
                f"{', '.join(lines[:_LISTED])}{more} {verb} $MASS; give the mass that it stands for: `-m 125`, or "
                "`mass=125` in Python"
            ]
    lookup = ShapeLookup(card.shapes)
    problems: list[str] = []
    shapes = [row for row in card.nuisances if is_shape_kind(row.kind)]
    plans = []
    for channel in card.channels:
        plan = ChannelPlan(channel.name, [])
        for column in card.columns_of(channel.name):
            if column.rate == 0 or lookup.is_fake(channel.name, column.process):
                continue
            planned = _plan_column(lookup, channel.name, column.process, column.rate, places)
            if planned is None:
                problems.append(f"channel {channel.name}, process {column.process}: no shapes line holds")
                continue
            index = card.column_index[channel.name, column.process]
            problems += _plan_pairs(planned, channel.name, shapes, index, places)
            plan.columns.append(planned)
        if plan.columns and channel.observation is not None:
            plan.data = _plan_column(lookup, channel.name, DATA, channel.observation, places)
            if plan.data is None:
                problems.append(f"channel {channel.name}, {DATA}: no shapes line with a template holds")
        if plan.columns:
            plans.append(plan)
    return plans, problems


def _plan_column(lookup: ShapeLookup, channel: str, process: str, number: float, places: Places) -> ColumnPlan | None:
    rule = lookup.rule(channel, process)
    if rule is None or rule.path == FAKE:
        return None
    path, name = (
        expand(pattern, process=process, channel=channel, mass=places.mass or "", keywords=places.keywords)
        for pattern in (rule.path, rule.nominal)
    )
    return ColumnPlan(process, number, rule, places.find(path), name)


def _plan_pairs(plan: ColumnPlan, channel: str, shapes: list[Nuisance], index: int, places: Places) -> list[str]:
    """Add the varied templates of a column; return what is wrong with them."""
    place = f"channel {channel}, process {plan.process}"
    problems = []
    # The words before and after $SYSTEMATIC are the same for all nuisances.
    parts = [
        expand(part, process=plan.process, channel=channel, mass=places.mass or "", keywords=places.keywords)
        for part in plan.rule.systematic.split("$SYSTEMATIC")
    ]
    seen: dict[str, str] = {}
    for row in shapes:
        effect = row.effects[index]
        if effect is None:
            continue
        optional = "?" in row.kind
        if not plan.rule.systematic:
            if not optional:
                problems.append(
                    f"{place}, nuisance {row.name}: {rule_text(plan.rule)} gives no name for varied templates"
                )
            continue
        looked_up = row.template_name or row.name
        if row.name in seen:
            if seen[row.name] != looked_up:
                problems.append(f"{place}, nuisance {row.name}: two rows read different templates")
            continue
        seen[row.name] = looked_up
        up, down = (shifted_name(looked_up, shift).join(parts) for shift in SHIFTS)
        if len(parts) == 1:
            problems.append(
                f"{place}, nuisance {row.name}: {rule_text(plan.rule)} names one template, without $SYSTEMATIC, "
                "for all variations"
            )
            continue
        plan.pairs.append(PairPlan(row.name, effect, optional, (up, down)))
    return problems


def rule_text(rule: ShapeRule) -> str:
    """Return a `shapes` line as it stands in the card, quoted for a message."""
    words = ("shapes", rule.process, rule.channel, rule.path, rule.nominal, rule.systematic)
    return f"'{' '.join(filter(None, words))}'"
