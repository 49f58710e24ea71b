"""The findings that CMS' `ValidateDatacards.py` would write, in the layout of its `validation.json`.

Definitions, thresholds and keys are those of CombineHarvester, `CombineTools/src/ValidationTools.cc`; what the program
reads differently from Combine is kept: the yield of a template process is always the integral of its template, the
strength of a shape is ignored, only kinds `shape` (with `shape?` where there are templates) and `lnN` are looked at,
and the Down value of a symmetric `lnN` is written as 0. It takes nominal templates in single precision, so that its
sums of very small differences can differ in the eighth digit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from pocket_combine.card.model import Card, Column
from pocket_combine.checks.normalisation import same_direction, small_signals, yield_of
from pocket_combine.checks.shapes import identical, shape_differences
from pocket_combine.checks.statistics import errors_are_poisson
from pocket_combine.checks.subject import BoolArray, ChannelArrays, Subject, divide
from pocket_combine.checks.thresholds import Thresholds
from pocket_combine.templates import FloatArray, Templates

__all__ = ["validation_json"]

_LARGEST_BIN_ERROR = 2.0  # the default of `ValidateCards`, which the script does not change


class _Effect(NamedTuple):
    """Where a nuisance acts, and the change of the yield as CombineHarvester has it."""

    nuisance: str
    column: Column
    up: float
    down: float


def validation_json(
    card: Card,
    templates: Mapping[str, Templates],
    *,
    max_normalisation_effect: float = 0.1,
    min_signal_fraction: float = 0.001,
    max_relative_bin_error: float = _LARGEST_BIN_ERROR,
) -> dict[str, Any]:
    """Return the content of `validation.json`; `json.dumps(..., indent=4)` writes it as the program does.

    Keys are sorted and appear only if there is something to report; bins count from 1.

    Args:
        card: The card.
        templates: Templates by channel. If any channel has none, what concerns templates is left out, as the program
            does.
        max_normalisation_effect: `--checkUncertOver`.
        min_signal_fraction: `--reportSigUnder`.
        max_relative_bin_error: From which relative error on a bin is in `largeBinError`.

    Examples:
        >>> from pocket_combine.card.model import Channel, Nuisance
        >>> card = Card(
        ...     channels=(Channel("SR", 30),),
        ...     columns=(Column("SR", "sig", 0, 1.5), Column("SR", "bkg", 1, 25.0)),
        ...     nuisances=(Nuisance("xsec", "lnN", (None, 1.2)),),
        ... )
        >>> validation_json(card, {})
        {'largeNormEff': {'xsec': {'SR': {'bkg': {'value_d': 0.0, 'value_u': 1.2}}}}}
    """
    subject = Subject(card, templates)
    defaults = Thresholds()
    report: dict[str, Any] = {}
    with np.errstate(all="ignore"):
        if all(channel.name in templates for channel in card.channels):
            for channel in subject.channels:
                _report_shapes(report, channel, defaults)
                _report_bins(report, channel, max_relative_bin_error)
        _report_yields(report, subject, max_normalisation_effect)
    for column, events, total in small_signals(subject, min_signal_fraction):
        numbers = {"procrate": events, "sigrate_tot": total}
        report.setdefault("smallSignalProc", {}).setdefault(column.channel, {})[column.process] = numbers
    return _sorted(report)


def _shape_rows(channel: ChannelArrays) -> list[int]:
    kinds = ("shape", "shape?")
    return [pair for pair, nuisance in enumerate(channel.nuisances) if nuisance.kind in kinds]


def _effect(channel: ChannelArrays, pair: int) -> _Effect:
    column = channel.columns[channel.pair_columns[pair]]
    up, down = float(channel.up_ratios[pair]), float(channel.down_ratios[pair])
    if channel.nominal_integrals[pair] <= 0:
        # Without a nominal yield CombineHarvester keeps what stands in the cell.
        up, down = float(channel.strengths[pair]), 0.0
    return _Effect(channel.nuisances[pair].name, column, up, down)


_YIELDS = ("value_u", "value_d")
_SHAPES = ("diff_u", "diff_d")


def _add_effect(report: dict[str, Any], key: str, effect: _Effect, names: tuple[str, str] = _YIELDS) -> None:
    place = report.setdefault(key, {}).setdefault(effect.nuisance, {}).setdefault(effect.column.channel, {})
    place[effect.column.process] = {names[0]: effect.up, names[1]: effect.down}


def _report_shapes(report: dict[str, Any], channel: ChannelArrays, defaults: Thresholds) -> None:
    directed, same = same_direction(channel), identical(channel, defaults)
    differences = shape_differences(channel)
    small = (differences.up < defaults.shape_effect) & (differences.down < defaults.shape_effect)
    for pair in _shape_rows(channel):
        effect = _effect(channel, pair)
        if directed[pair]:
            _add_effect(report, "uncertVarySameDirect", effect)
        if same[pair]:
            _add_effect(report, "uncertTemplSame", effect)
        if channel.bins == 1 or small[pair]:
            key = "smallShapeEff1bin" if channel.bins == 1 else "smallShapeEff"
            shape = effect._replace(up=float(differences.up[pair]), down=float(differences.down[pair]))
            _add_effect(report, key, shape, _SHAPES)


def _report_bins(report: dict[str, Any], channel: ChannelArrays, max_relative_bin_error: float) -> None:
    # Negative bins are set to zero where CombineHarvester adds templates up.
    background: FloatArray = np.maximum(channel.values[~channel.signal], 0.0).sum(axis=0)
    _add_bins(report, "emptyBkgBin", channel.name, background <= 0)
    if channel.mc_stats is None:
        return
    poisson = errors_are_poisson(channel.values, channel.variances, 1e-6)
    for row, column in enumerate(channel.columns):
        if poisson[row]:
            place = report.setdefault("binErrorIsNotSumw2", {}).setdefault(channel.name, {})
            place[column.process] = "BinErrorIsSqrtN"
    relative = divide(channel.background_error, background)
    _add_bins(report, "largeBinError", channel.name, relative > max_relative_bin_error)


def _add_bins(report: dict[str, Any], key: str, channel: str, mask: BoolArray) -> None:
    bins = (np.flatnonzero(mask) + 1).tolist()
    if bins:
        report.setdefault(key, {})[channel] = bins


def _report_yields(report: dict[str, Any], subject: Subject, limit: float) -> None:
    empty = [yield_of(column, subject.templates.get(column.channel)) == 0 for column in subject.card.columns]
    for column, nothing in zip(subject.card.columns, empty, strict=True):
        if nothing:
            report.setdefault("emptyProcessShape", {}).setdefault(column.channel, []).append(column.process)
    for cell in subject.reach.numbers:
        kind = subject.card.nuisances[cell.row].kind
        if empty[cell.column] or (kind != "lnN" and "?" not in kind):
            continue
        down, up = cell.effect if isinstance(cell.effect, tuple) else (0.0, cell.effect)
        if abs(up - 1) > limit:
            name = subject.card.nuisances[cell.row].name
            _add_effect(report, "largeNormEff", _Effect(name, subject.card.columns[cell.column], up, down))
    for channel in subject.channels:
        for pair in _shape_rows(channel):
            effect = _effect(channel, pair)
            if channel.nominal_integrals[pair] == 0:
                continue
            if abs(effect.up - 1) > limit or abs(effect.down - 1) > limit:
                _add_effect(report, "largeNormEff", effect)
            if 0.0 in (effect.up, effect.down):
                _add_effect(report, "emptySystematicShape", effect)


def _sorted(report: dict[str, Any]) -> dict[str, Any]:
    return {key: _sorted(value) if isinstance(value, dict) else value for key, value in sorted(report.items())}
