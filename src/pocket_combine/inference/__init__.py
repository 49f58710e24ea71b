"""Answers that are found by fitting: best fits, intervals, scans, limits and significances of a card.

`make_workspace` puts a card, its data and options together; each question is a function of a workspace that returns a
frozen result. Each is loaded when it is first used: a fit does not wait for what makes toys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pocket_combine.on_demand import loaded

if TYPE_CHECKING:
    from pocket_combine.inference.fitter import MINOS_LEVEL, ROBUST_LEVEL, FitOptions
    from pocket_combine.inference.goodness import goodness_of_fit
    from pocket_combine.inference.impact_fits import impacts, to_impacts_json
    from pocket_combine.inference.levels import interval_level
    from pocket_combine.inference.postfit_yields import postfit
    from pocket_combine.inference.questions import fit, limits, significance
    from pocket_combine.inference.scans import grid_values, scan
    from pocket_combine.inference.toys import ToyKind, bias_test, generate_toys, toy_fits
    from pocket_combine.inference.workspace import Blinding, Workspace, make_workspace

_HOMES = {
    "MINOS_LEVEL": "fitter",
    "ROBUST_LEVEL": "fitter",
    "FitOptions": "fitter",
    "goodness_of_fit": "goodness",
    "impacts": "impact_fits",
    "to_impacts_json": "impact_fits",
    "interval_level": "levels",
    "postfit": "postfit_yields",
    "fit": "questions",
    "limits": "questions",
    "significance": "questions",
    "grid_values": "scans",
    "scan": "scans",
    "ToyKind": "toys",
    "bias_test": "toys",
    "generate_toys": "toys",
    "toy_fits": "toys",
    "Blinding": "workspace",
    "Workspace": "workspace",
    "make_workspace": "workspace",
}
"""Public name → module of this package that defines it. No module has the name of a function: it would hide it."""

__all__ = [
    "Blinding",
    "FitOptions",
    "MINOS_LEVEL",
    "ROBUST_LEVEL",
    "ToyKind",
    "Workspace",
    "bias_test",
    "fit",
    "generate_toys",
    "goodness_of_fit",
    "grid_values",
    "impacts",
    "interval_level",
    "limits",
    "make_workspace",
    "postfit",
    "scan",
    "significance",
    "to_impacts_json",
    "toy_fits",
]


def __getattr__(name: str) -> Any:
    return loaded(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return sorted(__all__)
