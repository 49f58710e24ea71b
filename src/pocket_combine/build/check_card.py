"""What Combine would refuse about a card that was just assembled, and what does nothing in it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pocket_combine.card.model import Card, is_shape_kind
from pocket_combine.card.row_checks import morphing_of, sideband_disagrees
from pocket_combine.findings import Finding, Severity
from pocket_combine.templates import Templates

__all__ = ["check_card"]


def check_card(card: Card, templates: Templates, *, has_data: bool) -> list[Finding]:
    """Return what Combine would refuse about a one-channel card that was just assembled, and what does nothing.

    The rules are those of `python/DatacardParser.py` and `python/ShapeTools.py` of Combine.

    Args:
        card: The card.
        templates: Its templates.
        has_data: Whether the observation is data, not the sum of all processes.
    """
    channel = card.channels[0].name
    place = f"channel {channel}"
    findings = []
    if channel[0].isdigit():
        findings.append(
            Finding(
                "channel-leading-digit",
                Severity.ERROR,
                place,
                "the name begins with a digit, which Combine refuses",
                f"give the card a bin_prefix, for example bin_prefix='cat' for cat_{channel}",
            )
        )
    if not any(column.rate for column in card.columns if not column.is_signal):
        findings.append(
            Finding(
                "no-background",
                Severity.ERROR,
                place,
                "no background process has any expected events, which Combine refuses",
                "add a background, merge categories, or give text2workspace.py the option --X-allow-no-background",
            )
        )
    return [
        *findings,
        *_reserved_word(card, place),
        *_negative_and_empty_columns(card, templates, place),
        *_gamma_problems(card, place),
        *_mixed_morphing(card, place),
        *_data_findings(templates, place, has_data=has_data),
    ]


def _reserved_word(card: Card, place: str) -> list[Finding]:
    """Return names with `AND`, at which Combine splits (channel, process) where there are rate parameters."""
    names = [card.channels[0].name, *(column.process for column in card.columns)]
    broken = [name for name in names if "AND" in name]
    if not broken or not card.rate_parameters:
        return []
    return [
        Finding(
            "reserved-word",
            Severity.ERROR,
            place,
            f"the card has rate parameters, and Combine splits names at 'AND': {', '.join(broken)}",
            "rename the category or the processes, for example to lower case",
        )
    ]


def _negative_and_empty_columns(card: Card, templates: Templates, place: str) -> list[Finding]:
    findings = [
        Finding(
            "negative-rate",
            Severity.ERROR,
            f"{place}, process {column.process}",
            f"the template sums to {column.rate:.6g} events, a negative yield",
            "negative_bins='clip' writes the bins with content only",
            {"rate": column.rate},
        )
        for column in card.columns
        if column.rate < 0
    ]
    empty = [column.process for column in card.columns if column.rate == 0]
    if not empty:
        return findings
    return [
        *findings,
        _empty_columns(empty, templates, place),
        *_idle_nuisances(card, place),
    ]


def _empty_columns(empty: Sequence[str], templates: Templates, place: str) -> Finding:
    cancelled = [name for name in empty if templates.values[templates.column_index[name]].any()]
    some = f" ({', '.join(cancelled)}: negative bins cancel positive ones)" if cancelled else ""
    return Finding(
        "empty-process",
        Severity.WARNING,
        place,
        f"no yield, so that Combine leaves them out of the channel: {', '.join(empty)}{some}",
        "expected where a sample has no events in the category; otherwise look at the samples and the category",
        {"processes": float(len(empty))},
    )


def _idle_nuisances(card: Card, place: str) -> list[Finding]:
    """Return nuisances that act only on columns without yield, for which this channel gives no parameter."""
    alive = [index for index, column in enumerate(card.columns) if column.rate != 0]
    idle = [row.name for row in card.nuisances if all(row.effects[index] is None for index in alive)]
    if not idle:
        return []
    return [
        Finding(
            "nuisance-without-effect",
            Severity.INFO,
            place,
            f"act only on processes without yield, so that they have no effect here: {', '.join(idle)}",
            numbers={"nuisances": float(len(idle))},
        )
    ]


def _gamma_problems(card: Card, place: str) -> list[Finding]:
    """Return gmN cells whose alpha × N is not the rate of their column, and columns with more than one gmN."""
    rows = [nuisance for nuisance in card.nuisances if nuisance.kind == "gmN"]
    findings = [
        Finding(
            "gamma-twice",
            Severity.ERROR,
            f"{place}, process {column.process}",
            f"has {len(names)} gmN nuisances ({', '.join(names)}); Combine takes one per process",
            "split the process, or use lnN for one of them",
        )
        for index, column in enumerate(card.columns)
        if len(names := [nuisance.name for nuisance in rows if nuisance.effects[index] is not None]) > 1
    ]
    for nuisance in rows:
        for column, alpha in zip(card.columns, nuisance.effects, strict=True):
            if not isinstance(alpha, float):
                continue
            expected = alpha * nuisance.arguments[0]
            if column.rate == 0:
                message = "acts on a process without content: Combine gives it a rate of 1e-6 and refuses the template"
            elif sideband_disagrees(nuisance.arguments[0], alpha, column.rate):
                message = (
                    f"alpha × events = {alpha:g} × {nuisance.arguments[0]:g} = {expected:.6g}, but the rate is "
                    f"{column.rate:.6g}; Combine refuses the difference"
                )
            else:
                continue
            findings.append(
                Finding(
                    "gamma-rate",
                    Severity.ERROR,
                    f"{place}, process {column.process}, nuisance {nuisance.name}",
                    message,
                    "set value to the rate divided by events",
                    {"rate": column.rate, "expected": expected},
                )
            )
    return findings


def _mixed_morphing(card: Card, place: str) -> list[Finding]:
    """Return columns with shape kinds of different morphing, which Combine refuses in one process of a channel."""
    findings = []
    for index, column in enumerate(card.columns):
        kinds = {
            morphing_of(nuisance.kind)
            for nuisance in card.nuisances
            if is_shape_kind(nuisance.kind) and nuisance.effects[index] is not None
        }
        if len(kinds) > 1:
            findings.append(
                Finding(
                    "mixed-morphing",
                    Severity.ERROR,
                    f"{place}, process {column.process}",
                    f"has nuisances of the kinds {' and '.join(sorted(kinds))}; Combine takes one kind per process",
                    "use one of them for all nuisances of the process",
                )
            )
    return findings


def _data_findings(templates: Templates, place: str, *, has_data: bool) -> list[Finding]:
    data = templates.observation
    if data is None:
        return []
    findings = []
    negative = np.flatnonzero(data < 0)
    if negative.size:
        findings.append(
            Finding(
                "negative-data",
                Severity.ERROR,
                place,
                f"{'data' if has_data else 'all processes together'} are negative in bin "
                f"{', '.join(map(str, negative))}",
                "data histograms must not carry weights" if has_data else "negative_bins='clip' prevents that",
            )
        )
    expected = templates.values.sum(axis=0)
    unexpected = np.flatnonzero((data > 0) & (expected <= 0))
    if unexpected.size:
        findings.append(
            Finding(
                "data-without-expectation",
                Severity.WARNING,
                place,
                f"data but no expected events in bin {', '.join(map(str, unexpected))}: "
                "the likelihood depends on Combine's floor of 1e-9 events there",
                "merge these bins with their neighbours",
                {"bins": float(unexpected.size)},
            )
        )
    return findings
