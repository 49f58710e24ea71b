"""The range and the edges of a channel: rebinning to a subset of the edges, and what lies outside of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from pocket_combine.build.binning import edge_tolerances
from pocket_combine.errors import TemplateError
from pocket_combine.findings import Finding, Severity
from pocket_combine.templates import FloatArray, Templates

__all__ = ["FlowPolicy", "rebin", "remove_flow"]

FlowPolicy = Literal["drop", "fold", "error"]


def rebin(templates: Templates, edges: Sequence[float], channel: str) -> Templates:
    """Return the templates with a subset of their edges; what lies outside is in flow bins with infinite edges.

    Raises:
        TemplateError: If an edge is not one of the templates' edges, or the edges do not increase.

    Examples:
        >>> fine = Templates.of([0, 1, 2, 3, 4], {"bkg": [1.0, 2.0, 3.0, 4.0]})
        >>> coarse = rebin(fine, [1, 3], "SR")
        >>> coarse.edges, coarse.values
        (array([-inf,   1.,   3.,  inf]), array([[1., 5., 4.]]))
    """
    at = _match_edges(templates.edges, edges, channel)
    last = templates.edges.size - 1
    starts = ([0] if at[0] > 0 else []) + at[:-1] + ([at[-1]] if at[-1] < last else [])
    stop = last if at[-1] < last else at[-1]
    wanted = templates.edges[at]
    new_edges = np.concatenate([[-np.inf] * (at[0] > 0), wanted, [np.inf] * (at[-1] < last)])

    def summed(array: FloatArray) -> FloatArray:
        result: FloatArray = np.add.reduceat(array[..., :stop], starts, axis=-1)
        return result

    return templates.map_bins(new_edges, summed)


def _match_edges(existing: FloatArray, edges: Sequence[float], channel: str) -> list[int]:
    """Return the position of each requested edge among the existing ones."""
    try:
        wanted = np.asarray(edges, dtype=np.float64)
    except (TypeError, ValueError):
        wanted = np.array([np.nan])
    if wanted.ndim != 1 or wanted.size < 2 or not np.isfinite(wanted).all() or not (np.diff(wanted) > 0).all():
        raise TemplateError(
            f"channel {channel}: bins_edges is {edges!r}, expected at least two finite, increasing numbers "
            "(flow='fold' takes what lies outside into the outer bins)"
        )
    inside = np.flatnonzero(np.isfinite(existing))
    finite = existing[inside]
    nearest = np.abs(finite[:, np.newaxis] - wanted).argmin(axis=0)
    off = np.abs(finite[nearest] - wanted) > edge_tolerances(finite)[nearest]
    if off.any():
        problems = []
        for edge in wanted[off]:
            below, above = finite[finite < edge], finite[finite > edge]
            beside = [f"{number:.10g}" for number in (*below[-1:], *above[:1])]
            problems.append(f"{edge:.10g} (nearest: {', '.join(beside)})")
        raise TemplateError(
            f"channel {channel}: bins_edges not among the edges of the histogram: {'; '.join(problems)}"
        )
    same = np.flatnonzero(np.diff(nearest) == 0)
    if same.size:
        first, second = wanted[same[0]], wanted[same[0] + 1]
        raise TemplateError(
            f"channel {channel}: bins_edges has {float(first)!r} and {float(second)!r}, which are both the edge "
            f"{finite[nearest[same[0]]]:.10g} of the histogram"
        )
    return [int(index) for index in inside[nearest]]


def remove_flow(templates: Templates, channel: str, policy: FlowPolicy) -> tuple[Templates, list[Finding]]:
    """Return the templates without flow bins; what was outside is a finding with its yield.

    Raises:
        TemplateError: If the policy is `error` and something lies outside.

    Examples:
        >>> import numpy as np
        >>> outside = Templates.of([-np.inf, 0, 1, np.inf], {"bkg": [1.0, 10.0, 2.0]})
        >>> remove_flow(outside, "SR", "fold")[0].values
        array([[13.]])
        >>> print(remove_flow(outside, "SR", "drop")[1][0])
        warning [outside-range] channel SR: dropped 3 of 13 expected events outside [0, 1]: bkg 3 — flow='fold' \
takes them into the outer bins
    """
    low = int(np.isneginf(templates.edges[0]))
    high = templates.bins - int(np.isposinf(templates.edges[-1]))
    if high - low < 1:
        raise TemplateError(f"channel {channel}: no bin inside the range")
    kept = slice(low, high)

    def without(array: FloatArray) -> FloatArray:
        result: FloatArray = array[..., kept]
        if policy == "fold":
            result = result.copy()
            result[..., 0] += array[..., :low].sum(axis=-1)
            result[..., -1] += array[..., high:].sum(axis=-1)
        return result

    findings = _outside_range(templates, channel, policy, low, high)
    return templates.map_bins(templates.edges[low : high + 1], without), findings


def _outside_range(templates: Templates, channel: str, policy: FlowPolicy, low: int, high: int) -> list[Finding]:
    def outside(array: FloatArray) -> FloatArray:
        return np.concatenate([array[..., :low], array[..., high:]], axis=-1)

    nominal = outside(templates.values)
    varied = int(np.count_nonzero(outside(templates.up).any(axis=1) | outside(templates.down).any(axis=1)))
    observed = 0.0 if templates.observation is None else float(outside(templates.observation).sum())
    if not nominal.any() and not varied and not observed:
        return []
    per_column = nominal.sum(axis=1)
    order = np.argsort(-np.abs(per_column), kind="stable")
    worst = ", ".join(f"{templates.columns[row]} {per_column[row]:.4g}" for row in order[:4] if per_column[row])
    more = f" and {np.count_nonzero(per_column) - 4} more" if np.count_nonzero(per_column) > 4 else ""
    span = f"[{templates.edges[low]:.6g}, {templates.edges[high]:.6g}]"
    data = f", {observed:g} in data" if observed else ""
    listed = f": {worst}{more}" if worst else f": only in varied templates, {varied} of them" if varied else ""
    message = f"{per_column.sum():.4g} of {templates.values.sum():.4g} expected events outside {span}{data}{listed}"
    if policy == "error":
        raise TemplateError(f"channel {channel}: {message}; flow='drop' or flow='fold' accepts that")
    numbers = {"expected": float(per_column.sum()), "observed": observed, "varied": float(varied)}
    if policy == "fold":
        message = f"folded {message.replace('outside', 'from outside', 1)}"
        return [Finding("outside-range", Severity.INFO, f"channel {channel}", message, "", numbers)]
    advice = "flow='fold' takes them into the outer bins"
    return [Finding("outside-range", Severity.WARNING, f"channel {channel}", f"dropped {message}", advice, numbers)]
