"""Shape nuisances without an effect on the yield of processes whose norm floats.

A free rate parameter absorbs any overall change of a process, so a shape nuisance that changes the total yield as well
is correlated with it for no physical reason. Here every varied template of such a process is scaled by one factor per
nuisance and shift so that its total over a set of categories and over the years of the nuisance equals the nominal
total, flow bins included. What moves events between the bins, categories and years is kept.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pocket_combine.build.plan import Plan
from pocket_combine.findings import Finding, Severity
from pocket_combine.names import SHIFTS
from pocket_combine.templates import FloatArray, Templates

__all__ = ["ShapeOnlyFactors", "shape_only_factors", "apply_factors"]


@dataclass(frozen=True)
class ShapeOnlyFactors:
    """Factors `up[pair]` and `down[pair]` on the varied templates of a plan; 1 where nothing is to be scaled."""

    up: FloatArray
    down: FloatArray


def shape_only_factors(
    templates: Mapping[str, Templates], plan: Plan, categories: Sequence[str]
) -> tuple[ShapeOnlyFactors, list[Finding]]:
    """Return the factors that keep the total yield of floating processes under shape nuisances.

    Args:
        templates: Per category, as collected: with flow bins, before any treatment.
        plan: What was collected.
        categories: Categories whose sum keeps its yield. They should not overlap.
    """
    factors = {shift: np.ones(len(plan.pairs)) for shift in SHIFTS}
    findings = []
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, pair in enumerate(plan.pairs):
        process = plan.columns[pair.column].process
        if process.floats:
            groups[process.name, pair.nuisance].append(index)
    parts = [templates[category] for category in categories]
    for (process_name, nuisance), rows in groups.items():
        nominal = sum(float(part.values[part.pair_columns[rows]].sum()) for part in parts)
        for shift, name in zip(SHIFTS, ("up", "down"), strict=True):
            varied = sum(float(getattr(part, name)[rows].sum()) for part in parts)
            if nominal > 0 and varied > 0:
                factors[shift][rows] = nominal / varied
                continue
            findings.append(
                Finding(
                    "shape-only-impossible",
                    Severity.WARNING if nominal == varied else Severity.ERROR,
                    f"process {process_name}, nuisance {nuisance}",
                    f"the {shift} templates sum to {varied:.4g} and the nominal ones to {nominal:.4g} over "
                    f"{', '.join(categories)}, so no factor keeps the yield; left as they are",
                    "add categories with content to rateparam_norm_categories",
                    {"nominal": nominal, "varied": varied},
                )
            )
    up, down = SHIFTS
    return ShapeOnlyFactors(factors[up], factors[down]), findings


def apply_factors(templates: Templates, factors: ShapeOnlyFactors) -> Templates:
    """Return the templates of one category with their varied templates scaled.

    Examples:
        >>> one = Templates.of([0, 1], {"tt": [10.0]}, {("tt", "JER"): ([12.0], [8.0])})
        >>> apply_factors(one, ShapeOnlyFactors(np.array([0.5]), np.array([1.0]))).up
        array([[6.]])
    """
    up, down = factors.up[:, np.newaxis], factors.down[:, np.newaxis]
    return templates.with_arrays(
        {
            "up": templates.up * up,
            "down": templates.down * down,
            "up_variances": templates.up_variances * up**2,
            "down_variances": templates.down_variances * down**2,
        }
    )
