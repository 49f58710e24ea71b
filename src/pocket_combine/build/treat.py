"""What is done to templates between collecting and writing: each step is Templates → Templates plus findings.

The order is that of `treat`: binning, flow bins, negative bins, empty variations. Each rule stands once, and rates are
read off the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from pocket_combine.build.rebin import FlowPolicy, rebin, remove_flow
from pocket_combine.errors import DeclarationError, TemplateError, counted
from pocket_combine.findings import Finding, Severity
from pocket_combine.names import SHIFTS, shifted_name
from pocket_combine.templates import FloatArray, Templates

__all__ = ["Policies", "treat", "clip_negative", "repair_empty_variations", "large_variations"]

NegativePolicy = Literal["clip", "keep", "error"]
VariancePolicy = Literal["keep", "zero"]
EmptyPolicy = Literal["report", "nominal", "drop"]


@dataclass(frozen=True)
class Policies:
    """What to do with contents that Combine cannot use as they are.

    Attributes:
        flow: Contents outside the range: `drop` them, `fold` them into the outer bins, or `error`.
        negative_bins: Negative contents: `clip` them to zero, `keep` them, or `error`.
        negative_variance: Variance of a clipped bin: `keep` it, so that autoMCStats still gives the bin a nuisance, or
            set it to `zero`.
        empty_variation: An Up or Down template without positive content while the nominal one has some, which Combine
            refuses: `report` it as a finding of severity error, take the `nominal` template in its place, or `drop` the
            nuisance for that column.

    Raises:
        DeclarationError: If a policy is not one of those named; all problems are listed.
    """

    flow: FlowPolicy = "drop"
    negative_bins: NegativePolicy = "clip"
    negative_variance: VariancePolicy = "keep"
    empty_variation: EmptyPolicy = "report"

    def __post_init__(self) -> None:
        problems = []
        for name, kind in (
            ("flow", FlowPolicy),
            ("negative_bins", NegativePolicy),
            ("negative_variance", VariancePolicy),
            ("empty_variation", EmptyPolicy),
        ):
            allowed = get_args(kind)
            if getattr(self, name) not in allowed:
                problems.append(f"{name} is {getattr(self, name)!r}, expected one of {', '.join(map(repr, allowed))}")
        if problems:
            raise DeclarationError(problems)


def treat(
    templates: Templates, channel: str, edges: Sequence[float] | None, policies: Policies
) -> tuple[Templates, list[Finding]]:
    """Return the templates as they are to be written, and what was changed on the way.

    Args:
        templates: As collected, with flow bins.
        channel: Name of the channel, for messages.
        edges: Edges to rebin to; `None` keeps the binning.
        policies: What to do with contents that Combine cannot use.

    Raises:
        TemplateError: If an edge does not exist, or a policy `error` meets its case.
    """
    findings: list[Finding] = []
    if edges is not None:
        templates = rebin(templates, edges, channel)
    templates, found = remove_flow(templates, channel, policies.flow)
    findings += found
    templates, found = clip_negative(templates, channel, policies.negative_bins, policies.negative_variance)
    findings += found
    templates, found = repair_empty_variations(templates, channel, policies.empty_variation)
    return templates, findings + found + large_variations(templates, channel)


def clip_negative(
    templates: Templates, channel: str, policy: NegativePolicy, variance: VariancePolicy
) -> tuple[Templates, list[Finding]]:
    """Return the templates without negative bins; every template that was clipped is a finding.

    Raises:
        TemplateError: If the policy is `error` and a bin is negative.

    Examples:
        >>> templates, findings = clip_negative(Templates.of([0, 1, 2], {"bkg": [-0.5, 2.0]}), "SR", "clip", "keep")
        >>> templates.values, templates.variances
        (array([[0., 2.]]), array([[0.5, 2. ]]))
        >>> print(findings[0])
        warning [negative-bin] channel SR, process bkg: clipped bin 0 (-0.5) to zero, moving the yield from 1.5 to 2
    """
    if policy == "keep":
        return templates, []
    changed: dict[str, FloatArray] = {}
    findings: list[Finding] = []
    for name, variances in (("values", "variances"), ("up", "up_variances"), ("down", "down_variances")):
        contents = getattr(templates, name)
        negative = contents < 0
        if not negative.any():
            continue
        for row in np.flatnonzero(negative.any(axis=1)):
            findings.append(_clipped(channel, *_label(templates, name, int(row)), contents[row], negative[row]))
        changed[name] = np.where(negative, 0.0, contents)
        if variance == "zero":
            changed[variances] = np.where(negative, 0.0, getattr(templates, variances))
    if policy == "error" and findings:
        raise TemplateError("; ".join(f"{finding.place}: {finding.message}" for finding in findings))
    return (templates.with_arrays(changed) if changed else templates), findings


def _label(templates: Templates, name: str, row: int) -> tuple[str, str]:
    """Return the process of a row of `values`, `up` or `down`, and its variation, empty for the nominal one."""
    if name == "values":
        return templates.columns[row], ""
    process, nuisance = templates.pairs[row]
    return process, shifted_name(nuisance, dict(zip(("up", "down"), SHIFTS, strict=True))[name])


def _clipped(
    channel: str, process: str, variation: str, contents: FloatArray, negative: npt.NDArray[np.bool_]
) -> Finding:
    bins = ", ".join(f"{index} ({contents[index]:.4g})" for index in np.flatnonzero(negative))
    before, after = float(contents.sum()), float(contents[~negative].sum())
    place = f"channel {channel}, process {process}" + (f", template {variation}" if variation else "")
    return Finding(
        "negative-bin",
        Severity.INFO if variation else Severity.WARNING,
        place,
        f"clipped bin {bins} to zero, moving the yield from {before:.4g} to {after:.4g}",
        numbers={"before": before, "after": after, "bins": float(np.count_nonzero(negative))},
    )


def repair_empty_variations(templates: Templates, channel: str, policy: EmptyPolicy) -> tuple[Templates, list[Finding]]:
    """Return the templates after the policy for variations without content whose nominal template has some.

    Combine forms the ratio of the integrals and refuses one that is not positive
    (`python/ShapeTools.py`: the effect of a shape nuisance on the normalisation).

    Examples:
        >>> empty = Templates.of([0, 1], {"bkg": [2.0]}, {("bkg", "JER"): ([0.0], [3.0])})
        >>> print(repair_empty_variations(empty, "SR", "report")[1][0])
        error [empty-variation] channel SR, process bkg, nuisance JER: the Up template sums to 0 while nominal has 2; \
Combine refuses it — empty_variation='nominal' or 'drop' writes a card without it
        >>> repair_empty_variations(empty, "SR", "nominal")[0].up
        array([[2.]])
    """
    nominal = templates.integrals()[templates.pair_columns]
    sums = {"up": templates.up.sum(axis=1), "down": templates.down.sum(axis=1)}
    bad = {name: (total <= 0) & (nominal > 0) for name, total in sums.items()}
    rows = np.flatnonzero(bad["up"] | bad["down"])
    if not rows.size:
        return templates, []
    outcome = {
        "report": "Combine refuses it",
        "nominal": "the nominal template is written in its place",
        "drop": "the nuisance is left out for this process",
    }[policy]
    findings = []
    for row in rows:
        process, nuisance = templates.pairs[row]
        for shift, name in zip(SHIFTS, ("up", "down"), strict=True):
            if bad[name][row]:
                findings.append(
                    Finding(
                        "empty-variation",
                        Severity.ERROR if policy == "report" else Severity.WARNING,
                        f"channel {channel}, process {process}, nuisance {nuisance}",
                        f"the {shift} template sums to {sums[name][row]:.4g} while nominal has {nominal[row]:.4g}; "
                        f"{outcome}",
                        "empty_variation='nominal' or 'drop' writes a card without it" if policy == "report" else "",
                        {"nominal": float(nominal[row]), "varied": float(sums[name][row])},
                    )
                )
    if policy == "drop":
        return templates.select_pairs(~(bad["up"] | bad["down"])), findings
    if policy == "nominal":
        changed: dict[str, FloatArray] = {}
        for name in ("up", "down"):
            selected = bad[name][:, np.newaxis]
            own, variances = templates.values[templates.pair_columns], templates.variances[templates.pair_columns]
            changed[name] = np.where(selected, own, getattr(templates, name))
            changed[f"{name}_variances"] = np.where(selected, variances, getattr(templates, f"{name}_variances"))
        templates = templates.with_arrays(changed)
    return templates, findings


def large_variations(templates: Templates, channel: str, threshold: float = 1.0) -> list[Finding]:
    """Return one finding per nuisance that moves some bin by more than `threshold` times its nominal content."""
    by_nuisance: dict[str, dict[int, tuple[float, int]]] = {}
    for row, shift in _large_shifts(templates, threshold).items():
        by_nuisance.setdefault(templates.pairs[row][1], {})[row] = shift
    findings = []
    for nuisance, found in by_nuisance.items():
        worst = max(found, key=lambda row: found[row][0])
        largest, at = found[worst]
        findings.append(
            Finding(
                "large-variation",
                Severity.WARNING,
                f"channel {channel}, nuisance {nuisance}",
                f"differs by more than {threshold:.0%} from nominal in "
                f"{counted(len(found), 'process', 'processes')}, "
                f"most in {templates.pairs[worst][0]}, bin {at}: {largest:.0%}",
                "look at the statistics of that bin; merge bins or processes",
                {"processes": float(len(found)), "largest": largest},
            )
        )
    return findings


def _large_shifts(templates: Templates, threshold: float) -> dict[int, tuple[float, int]]:
    """Return by pair, where a bin moves by more than `threshold`, the largest shift and the bin where it is.

    Shifts are in units of the nominal content of the bin.
    """
    large: dict[int, tuple[float, int]] = {}
    stops = np.searchsorted(templates.pair_columns, np.arange(len(templates.columns)), side="right")
    start = 0
    # Column by column: the arrays of one stay in the processor's cache.
    for nominal, stop in zip(templates.values, stops.tolist(), strict=True):
        rows = slice(start, stop)
        unit = np.where(nominal != 0, np.abs(nominal), np.inf)
        shifts = np.maximum(np.abs(templates.up[rows] - nominal), np.abs(templates.down[rows] - nominal))
        found = np.flatnonzero((shifts > threshold * unit).any(axis=1))
        if found.size:
            relative = shifts[found] / unit
            worst = zip(relative.max(axis=1).tolist(), relative.argmax(axis=1).tolist(), strict=True)
            large |= dict(zip((start + found).tolist(), worst, strict=True))
        start = stop
    return large
