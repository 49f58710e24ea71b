"""From a card and its templates to a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from pocket_combine.card.model import Card
from pocket_combine.card.shapes import ShapeLookup
from pocket_combine.errors import CardError, nearest
from pocket_combine.likelihood.bin_parameters import make_bin_parameters
from pocket_combine.likelihood.bins import BinLayer, BinRules
from pocket_combine.likelihood.columns import Machinery, ModelColumn, compile_columns
from pocket_combine.likelihood.contents import FLOOR, Contents, column_contents, single_precision
from pocket_combine.likelihood.data import Data
from pocket_combine.likelihood.declared import declare_parameters
from pocket_combine.likelihood.engine import Engine
from pocket_combine.likelihood.formula_constraints import FormulaConstraints
from pocket_combine.likelihood.model import Model, ModelChannel
from pocket_combine.likelihood.parameters import ModelParameter, ParameterList
from pocket_combine.likelihood.poi import scale_columns
from pocket_combine.likelihood.scales import FormulaTable
from pocket_combine.likelihood.yields import YieldModel
from pocket_combine.templates import FloatArray, IntArray, Templates

__all__ = ["build_model"]


def build_model(
    card: Card,
    templates: Mapping[str, Templates],
    *,
    pois: Mapping[str, str] | None = None,
    masks: Iterable[str] = (),
    frozen: Iterable[str] = (),
    ranges: Mapping[str, tuple[float, float]] | None = None,
    mass: float | None = None,
    exact: bool = False,
    redefine_pois: Iterable[str] = (),
) -> Model:
    """Return the model of a card.

    Args:
        card: The card.
        templates: Templates by channel; a channel without is a counting channel.
        pois: Parameters of interest and what they scale, see `pocket_combine.likelihood.poi.scale_columns`; by default
            `r` scales every signal.
        masks: Channels whose Poisson terms are left out; their constraint terms stay.
        frozen: Parameters to be held constant, beside those that the card freezes.
        ranges: Ranges of parameters in place of those of the card.
        mass: Value of `MH` in formulas.
        exact: Whether all of Combine's roundings and floors are left out; see `docs/explanation/likelihood.md`.
        redefine_pois: Parameters of interest in place of those of the physics model, which float on (Combine's
            `--redefineSignalPOIs`).

    Raises:
        CardError: If the card and the templates contradict each other, or hold something that is not understood. All
            problems of one kind are listed.

    Examples:
        >>> from pocket_combine.card.model import Channel, Column, Nuisance
        >>> card = Card(
        ...     channels=(Channel("SR", 25),),
        ...     columns=(Column("SR", "signal", 0, 3.2), Column("SR", "background", 1, 21.0)),
        ...     nuisances=(Nuisance("lumi", "lnN", (1.016, 1.016)),),
        ... )
        >>> model = build_model(card, {})
        >>> model.parameters.names
        ('r', 'lumi')
        >>> model.totals(model.parameters.vector({"r": 2.0}))
        array([27.4])
    """
    return _Assembly(card, dict(templates), dict(pois) if pois is not None else None, mass, exact).build(
        tuple(masks), tuple(frozen), ranges, tuple(redefine_pois)
    )


@dataclass
class _Assembly:
    card: Card
    templates: dict[str, Templates]
    pois: dict[str, str] | None
    mass: float | None
    exact: bool

    def build(
        self,
        masks: tuple[str, ...],
        frozen: tuple[str, ...],
        ranges: Mapping[str, tuple[float, float]] | None,
        redefine_pois: tuple[str, ...],
    ) -> Model:
        _raise(_card_problems(self.card, self.templates, masks))
        scaling = scale_columns(self.card.columns, self.pois)
        compiled = compile_columns(self.card, self.templates, scaling, exact=self.exact)
        columns = compiled.columns
        _raise([*compiled.problems, *_empty_channels(self.card, columns)])
        factors = [factor for item in columns for factor in item.factors if isinstance(factor, str)]
        own = declare_parameters(self.card, scaling.pois, compiled.acting, factors, exact=self.exact)
        table = self._formula_table([parameter.name for parameter in own])
        sizes = [self.templates[c.name].bins if c.name in self.templates else 1 for c in self.card.channels]
        longest = max((item.bins for item in self.templates.values()), default=1)
        contents = partial(self._contents, longest=longest)
        yields = YieldModel(columns, contents, sizes, table)
        formulas = FormulaConstraints(self.card.constraints, table) if self.card.constraints else None
        at_start = yields.evaluate(np.array([[parameter.initial] for parameter in own]))
        bin_parameters = make_bin_parameters(
            columns, self.templates, yields.layout, at_start.columns.yields[:, 0], at_start.templates[:, 0]
        )
        parameters = _finish_parameters([*own, *bin_parameters.parameters], self.card, frozen, ranges, redefine_pois)
        rules = self._rules(columns, yields, set(masks), at_start.templates[:, 0])
        engine = Engine(yields, BinLayer(yields, bin_parameters, rules))
        channels, cells = self._channels(columns, yields, set(masks))
        data = self._data(parameters)
        return Model(parameters, channels, engine, cells, formulas, data, exact=self.exact)

    def _contents(self, item: ModelColumn, longest: int) -> Contents:
        return column_contents(item, self.templates.get(item.column.channel), longest, exact=self.exact)

    def _formula_table(self, names: Sequence[str]) -> FormulaTable:
        constants = {line.name: line.value for line in self.card.variables if line.constant}
        if self.mass is not None:
            constants["MH"] = self.mass
        formulas = {line.name: line for line in reversed(self.card.rate_parameters) if line.formula is not None}
        return FormulaTable(names, constants, formulas)

    def _rules(
        self, columns: Sequence[ModelColumn], yields: YieldModel, masks: set[str], contents: FloatArray
    ) -> BinRules:
        layout = yields.layout
        ordered = [columns[index] for index in layout.order]
        lowest = 0.0 if self.exact else FLOOR
        floor = np.full(layout.bin_count + 1, -np.inf)
        active = np.zeros(layout.bin_count + 1, dtype=bool)
        for item in ordered:
            bins = layout.channel_bins[item.channel]
            floor[bins] = lowest if item.machinery is Machinery.EVENTS else -np.inf
            active[bins] = item.column.channel not in masks
        in_fractions = np.array([item.machinery is Machinery.FRACTIONS for item in ordered])
        counts = np.array([item.column.channel not in masks for item in ordered])
        # A template without morphs is normalised over padding bins too, and the likelihood counts what lies there.
        still = np.array([not item.morphs for item in ordered])
        inside = yields.sum_by_column(contents[:, None])[:, 0]
        leakage = np.where(in_fractions & still & counts, 1.0 - inside, 0.0)
        positive = np.array([item.machinery is not Machinery.EVENTS for item in ordered]) & counts
        return BinRules(floor, active, leakage, positive)

    def _channels(
        self, columns: Sequence[ModelColumn], yields: YieldModel, masks: set[str]
    ) -> tuple[tuple[ModelChannel, ...], dict[str, IntArray]]:
        channels = []
        cells: dict[str, IntArray] = {}
        for number, channel in enumerate(self.card.channels):
            bins = yields.layout.channel_bins[number]
            own = [(index, item) for index, item in enumerate(columns) if item.channel == number]
            size = bins.stop - bins.start
            starts = [yields.layout.cells_of(index, size).start for index, _ in own]
            cells[channel.name] = np.add.outer(starts, np.arange(size)).astype(np.intp)
            source = self.templates.get(channel.name)
            channels.append(
                ModelChannel(
                    channel.name,
                    bins,
                    np.array([0.0, 1.0]) if source is None else source.edges,
                    tuple(item.column.process for _, item in own),
                    tuple(item.column.is_signal for _, item in own),
                    own[0][1].machinery,
                    channel.name in masks,
                )
            )
        return tuple(channels), cells

    def _data(self, parameters: ParameterList) -> Data | None:
        observations: list[FloatArray] = []
        for channel in self.card.channels:
            source = self.templates.get(channel.name)
            if source is None:
                if channel.observation is None:
                    return None
                observations.append(np.array([channel.observation]))
            elif source.observation is None:
                return None
            else:
                observations.append(single_precision(source.observation, exact=self.exact))
        return Data(np.concatenate(observations), parameters.observables)


def _raise(problems: Sequence[str]) -> None:
    if problems:
        raise CardError(problems)


def _card_problems(card: Card, templates: Mapping[str, Templates], masks: Iterable[str]) -> list[str]:
    problems = []
    names = [channel.name for channel in card.channels]
    for kind, unknown in (("templates", set(templates) - set(names)), ("a mask", set(masks) - set(names))):
        problems += [f"{kind} for channel {name!r}, which the card lacks: {nearest(name, names)}" for name in unknown]
    lookup = ShapeLookup(card.shapes)
    for channel in card.channels:
        settings = card.mc_stats_of(channel.name)
        place = f"channel {channel.name}"
        if channel.name in templates:
            if settings is not None and settings.hist_mode not in (1, 2):
                problems.append(f"{place}: autoMCStats has hist_mode {settings.hist_mode}, expected 1 or 2")
            continue
        if channel.observation is not None and channel.observation < 0:
            problems.append(f"{place}: the observation {channel.observation:g} needs a data histogram")
        if settings is not None and card.shapes:  # without shapes lines Combine does not look at it
            problems.append(f"{place}: autoMCStats needs templates, which a counting channel has not")
        for column in card.columns_of(channel.name):
            if column.rate != 0 and not lookup.is_fake(channel.name, column.process):
                problems.append(f"{place}, process {column.process}: a shapes line gives templates, but there are none")
            elif column.rate < 0:
                problems.append(f"{place}, process {column.process}: the rate {column.rate:g} needs a template")
    problems += [
        f"flatParam {name}: names that end in _norm belong to parametric models, which are not supported"
        for name in card.flat_parameters
        if name.endswith("_norm")
    ]
    return problems


def _empty_channels(card: Card, columns: Sequence[ModelColumn]) -> list[str]:
    filled = {item.column.channel for item in columns}
    return [
        f"channel {channel.name}: no process has a rate, so nothing is expected there"
        for channel in card.channels
        if channel.name not in filled
    ]


def _finish_parameters(
    parameters: Sequence[ModelParameter],
    card: Card,
    frozen: Iterable[str],
    ranges: Mapping[str, tuple[float, float]] | None,
    redefine_pois: Iterable[str],
) -> ParameterList:
    result = ParameterList(parameters)
    declared = {
        *(row.name for row in card.nuisances),
        *(line.name for line in card.parameters),
        *(line.name for line in card.rate_parameters),
        *(line.name for line in card.variables),
        *card.flat_parameters,
    }
    problems = [
        f"group {group.name}: {member!r} is no parameter of the card: {nearest(member, declared)}"
        for group in card.groups
        for member in group.members
        if member not in declared and member not in result
    ]
    _raise(problems)
    return result.changed(frozen=frozen, ranges=ranges, pois=redefine_pois)
