"""Combine's likelihood in arrays: from a card and its templates to value, gradient and Hessian.

`build_model` makes a `Model` of a `Card` and its `Templates`; `Model.likelihood` makes the `Likelihood` of data that
minimisers work with. Formulas: `docs/explanation/likelihood.md`.
"""

from pocket_combine.likelihood.assembly import build_model
from pocket_combine.likelihood.constraints import Constraint, ConstraintKind
from pocket_combine.likelihood.data import Data
from pocket_combine.likelihood.model import ExpectedEvents, Model, ModelChannel
from pocket_combine.likelihood.nll import Evaluation, Likelihood
from pocket_combine.likelihood.parameters import ModelParameter, ParameterList

__all__ = [
    "build_model",
    "Model",
    "ModelChannel",
    "ExpectedEvents",
    "Likelihood",
    "Evaluation",
    "Data",
    "ParameterList",
    "ModelParameter",
    "Constraint",
    "ConstraintKind",
]
