"""What acts on each column of a card: log-normals, factors and morphs, with Combine's roundings of kappas.

This is section 3 of `docs/explanation/likelihood.md` in symbolic form; `normalisation` and `morphing` turn it into
arrays.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pocket_combine.card.cells import KINDS
from pocket_combine.card.model import AutoMCStats, Card, Column, Nuisance, is_shape_kind
from pocket_combine.card.row_checks import morphing_of
from pocket_combine.errors import nearest
from pocket_combine.likelihood.effects import LogNormal, log_normal
from pocket_combine.likelihood.poi import Scaling
from pocket_combine.reach import LOG_NORMAL, PairCell, find_reach
from pocket_combine.templates import FloatArray, Templates

__all__ = ["CompiledColumns", "LinearFactor", "Machinery", "ModelColumn", "Morph", "compile_columns"]

_NO_NORM_EFFECT = 1e-3
"""A shape whose yield ratios are both within this of 1 has no normalisation effect (`python/ShapeTools.py`)."""

_LINEAR_KINDS = ("trG", "unif", "dFD", "dFD2")


class Machinery(enum.Enum):
    """How a channel turns templates into expected events.

    `COUNTING`: no templates. `FRACTIONS`: normalised templates times the rate, Combine's
    `FastVerticalInterpHistPdf2`. `EVENTS`: templates in events, Combine's `CMSHistFunc`, in channels with autoMCStats.
    """

    COUNTING = "counting"
    FRACTIONS = "fractions"
    EVENTS = "events"


@dataclass(frozen=True)
class LinearFactor:
    """A factor 1 + coefficient x parameter."""

    parameter: str
    coefficient: float


@dataclass(frozen=True)
class Morph:
    """A nuisance that changes the template of a column.

    Attributes:
        nuisance: Name of the nuisance.
        strength: Number in the card's cell.
        pair: Row of the varied templates in the channel's `Templates`.
    """

    nuisance: str
    strength: float
    pair: int


@dataclass
class ModelColumn:
    """A column of the card as the model sees it.

    Attributes:
        column: The column.
        channel: Position of its channel.
        machinery: How its channel works.
        settings: The autoMCStats line of its channel.
        template: Row of its nominal template in the channel's `Templates`; -1 in counting channels.
        base: Yield before log-normals and factors.
        log_normals: Nuisances that act as log-normals, the normalisation of shapes included.
        factors: Names of factors, or factors that are linear in a parameter.
        morphs: Nuisances that change the template.
        logarithmic: Whether the morph acts on logarithms of contents (`shapeN`).
        morphing: The kind of morph, empty without one.
        explicit_log_normals: Number of log-normals that are not the normalisation of a shape.
        sideband_yield: Yield per event of the sideband (`gmN`), if there is one.
    """

    column: Column
    channel: int
    machinery: Machinery
    settings: AutoMCStats | None
    template: int
    base: float
    log_normals: list[tuple[str, LogNormal]] = field(default_factory=list)
    factors: list[str | LinearFactor] = field(default_factory=list)
    morphs: list[Morph] = field(default_factory=list)
    logarithmic: bool = False
    morphing: str = ""
    explicit_log_normals: int = 0
    sideband_yield: float | None = None

    @property
    def place(self) -> str:
        """Where it is, for messages."""
        return f"channel {self.column.channel}, process {self.column.process}"


@dataclass(frozen=True)
class CompiledColumns:
    """The columns of a model and what is wrong with them.

    Attributes:
        columns: Kept columns, in the order of the card.
        acting: Coefficients of each nuisance row that acts on a kept column, by name of the nuisance.
        problems: What Combine would refuse, or cannot be represented.
    """

    columns: list[ModelColumn]
    acting: dict[str, list[float]]
    problems: list[str]


def compile_columns(
    card: Card, templates: Mapping[str, Templates], scaling: Scaling, *, exact: bool
) -> CompiledColumns:
    """Return the columns of a card that have a rate, and everything that acts on them.

    Args:
        card: The card.
        templates: Templates of the channels that have them.
        scaling: Which parameter of interest scales which column.
        exact: Whether Combine's roundings are left out.
    """
    return _Compiler(card, templates, scaling, exact).compile()


class _Compiler:
    def __init__(self, card: Card, templates: Mapping[str, Templates], scaling: Scaling, exact: bool) -> None:
        self.card = card
        self.templates = templates
        self.scaling = scaling
        self.exact = exact
        self.problems: list[str] = []
        self.acting: dict[str, list[float]] = {}
        self.ratios = {name: _yield_ratios(item) for name, item in templates.items()}

    def compile(self) -> CompiledColumns:
        reach = find_reach(self.card, self.templates)
        kept = dict(self._columns(reach.columns))
        for number in reach.numbers:
            if number.column in kept:
                self._act_by_number(self.card.nuisances[number.row], number.effect, kept[number.column])
        for pair in reach.pairs:
            if pair.column in kept:
                self._act_by_templates(self.card.nuisances[pair.row], pair, kept[pair.column])
        for cell in reach.missing:
            # In a counting channel a shape does nothing.
            if cell.column in kept and kept[cell.column].machinery is not Machinery.COUNTING:
                row = self.card.nuisances[cell.row]
                place = f"{kept[cell.column].place}, nuisance {row.name} ({row.kind})"
                self.problems.append(f"{place}: there are no varied templates")
        self._add_rate_parameters(list(kept.values()))
        for item in kept.values():
            self._finish(item)
        return CompiledColumns(list(kept.values()), self.acting, self.problems)

    def _columns(self, positions: Sequence[int]) -> Iterator[tuple[int, ModelColumn]]:
        channels = {channel.name: position for position, channel in enumerate(self.card.channels)}
        settings = {name: self.card.mc_stats_of(name) for name in channels}
        for position in positions:
            if self.scaling.removed[position]:
                continue
            column = self.card.columns[position]
            templates = self.templates.get(column.channel)
            machinery = Machinery.COUNTING
            row, base = -1, column.rate
            if templates is not None:
                machinery = Machinery.FRACTIONS if settings[column.channel] is None else Machinery.EVENTS
                row = templates.column_index.get(column.process, -1)
                if row < 0:
                    self.problems.append(f"channel {column.channel}, process {column.process}: there is no template")
                    continue
                if column.rate == -1:
                    base = float(templates.values[row].sum())
            item = ModelColumn(column, channels[column.channel], machinery, settings[column.channel], row, base)
            name = self.scaling.scale[position]
            if name is not None:
                item.factors.append(name)
            yield position, item

    def _act_by_number(self, row: Nuisance, effect: float | tuple[float, float], item: ModelColumn) -> None:
        self.acting.setdefault(row.name, []).append(0.0 if isinstance(effect, tuple) else effect)
        if row.kind in LOG_NORMAL or is_shape_kind(row.kind):
            self._act_as_log_normal(row, effect, item)
        elif isinstance(effect, tuple):
            self.problems.append(f"{item.place}, nuisance {row.name}: a pair of numbers is not allowed for {row.kind}")
        elif row.kind == "gmN":
            self._act_as_sideband(row, effect, item)
        elif row.kind == "gmM":
            item.factors.append(row.name)
        elif row.kind in _LINEAR_KINDS:
            item.factors.append(LinearFactor(row.name, effect if self.exact else round(effect, 6)))
        else:
            self.problems.append(f"nuisance {row.name}: the kind {row.kind} is not known: {nearest(row.kind, KINDS)}")

    def _act_as_log_normal(self, row: Nuisance, effect: float | tuple[float, float], item: ModelColumn) -> None:
        if min(effect if isinstance(effect, tuple) else (effect,)) <= 0:
            self.problems.append(f"{item.place}, nuisance {row.name}: kappas must be above 0, found {effect}")
            return
        item.log_normals.append((row.name, log_normal(effect, exact=self.exact)))
        item.explicit_log_normals += 1

    def _act_as_sideband(self, row: Nuisance, alpha: float, item: ModelColumn) -> None:
        if item.sideband_yield is not None:
            self.problems.append(f"{item.place}, nuisance {row.name}: another gmN acts already, at most one may")
        count = row.arguments[0]
        in_events = item.machinery is Machinery.EVENTS
        item.sideband_yield = (1.0 / count if count > 0 else 1.0) if in_events else alpha
        item.factors.append(row.name)

    def _act_by_templates(self, row: Nuisance, cell: PairCell, item: ModelColumn) -> None:
        self.acting.setdefault(row.name, []).append(cell.strength)
        morphing = morphing_of(row.kind)
        if item.morphing not in ("", morphing):
            self.problems.append(f"{item.place}, nuisance {row.name}: {morphing} beside {item.morphing} in one process")
        if cell.strength <= 0:
            self.problems.append(
                f"{item.place}, nuisance {row.name}: the strength must be above 0, found {cell.strength}"
            )
            return
        item.morphing = morphing
        item.logarithmic = "shapeN" in row.kind
        item.morphs.append(Morph(row.name, cell.strength, cell.pair))
        self._add_shape_normalisation(row, cell.strength, cell.pair, item)

    def _add_shape_normalisation(self, row: Nuisance, strength: float, pair: int, item: ModelColumn) -> None:
        if item.settings is not None and item.settings.hist_mode == 2:
            return
        down, up = (float(ratios[pair]) for ratios in self.ratios[item.column.channel])
        if not (down > 0 and up > 0):
            self.problems.append(
                f"{item.place}, nuisance {row.name}: a varied template has a yield of 0 or less "
                f"(down {down:g}, up {up:g} times the nominal), which Combine refuses"
            )
            return
        if not self.exact:
            if abs(up - 1.0) < _NO_NORM_EFFECT and abs(down - 1.0) < _NO_NORM_EFFECT:
                return
            down, up = round(down**strength, 6), round(up**strength, 6)
        else:
            down, up = down**strength, up**strength
        if down <= 0 or up <= 0:
            self.problems.append(f"{item.place}, nuisance {row.name}: the yield ratio {min(down, up):g} rounds to 0")
            return
        # The shortcut for nearly symmetric pairs does not apply to shapes.
        item.log_normals.append((row.name, log_normal((down, up), exact=True)))

    def _add_rate_parameters(self, kept: list[ModelColumn]) -> None:
        for line in self.card.rate_parameters:
            if not any(line.matches(column.channel, column.process) for column in self.card.columns):
                self.problems.append(
                    f"rateParam {line.name}: no column matches channel {line.channel!r} and process {line.process!r}"
                )
            for item in kept:
                if line.matches(item.column.channel, item.column.process):
                    item.factors.append(line.name)

    def _finish(self, item: ModelColumn) -> None:
        if item.sideband_yield is not None:
            item.base = item.sideband_yield
        elif item.machinery is Machinery.EVENTS:
            item.base = 1.0
        if not self.exact and not item.factors and not item.explicit_log_normals:
            # Combine writes a yield that nothing changes with six digits (`python/ModelTools.py`).
            item.base = float(f"{item.base:.6g}")


def _yield_ratios(templates: Templates) -> tuple[FloatArray, FloatArray]:
    """Return the yields of the down and up templates relative to nominal, per pair; NaN where that is 0."""
    nominal = templates.integrals()[templates.pair_columns]
    nominal = np.where(nominal == 0.0, np.nan, nominal)
    return templates.down.sum(axis=1) / nominal, templates.up.sum(axis=1) / nominal
