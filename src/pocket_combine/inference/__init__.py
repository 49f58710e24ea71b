"""Answers that are found by fitting: best fits, intervals, scans, limits and significances of a card.

`make_workspace` puts a card, its data and options together; each question is a function of a workspace that returns a
frozen result.
"""

from pocket_combine.inference.fitter import MINOS_LEVEL, ROBUST_LEVEL, FitOptions
from pocket_combine.inference.goodness import goodness_of_fit
from pocket_combine.inference.impacts import impacts, to_impacts_json
from pocket_combine.inference.levels import interval_level
from pocket_combine.inference.postfit import postfit
from pocket_combine.inference.questions import fit, limits, significance
from pocket_combine.inference.scans import grid_values, scan
from pocket_combine.inference.toys import ToyKind, bias_test, generate_toys, toy_fits
from pocket_combine.inference.workspace import Blinding, Workspace, make_workspace

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
