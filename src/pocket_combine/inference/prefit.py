"""Values and uncertainties of parameters before a fit, from their constraint terms."""

from __future__ import annotations

import numpy as np

from pocket_combine.inference.roots import bracketed_root
from pocket_combine.likelihood import ConstraintKind, ModelParameter
from pocket_combine.likelihood.constraints import Constraints

__all__ = ["prefit_interval"]


def prefit_interval(parameter: ModelParameter) -> tuple[float, float, float]:
    """Return (low, preferred, high): where the constraint term of a parameter is 0.5 above its minimum.

    That is what Combine calls prefit. An unconstrained parameter has its initial value three times.

    Examples:
        >>> from pocket_combine.likelihood import Constraint, ConstraintKind
        >>> constraint = Constraint(ConstraintKind.GAUSSIAN, 1.0, (0.2, 0.3))
        >>> prefit_interval(ModelParameter("k", "param", 1.0, (0.0, 2.0), constraint))
        (0.8, 1.0, 1.3)
    """
    constraint = parameter.constraint
    if constraint is None or constraint.kind is ConstraintKind.UNIFORM:
        return parameter.initial, parameter.initial, parameter.initial
    if constraint.kind is ConstraintKind.GAUSSIAN:
        mean = constraint.observable
        return mean - constraint.width[0], mean, mean + constraint.width[1]
    terms = Constraints([constraint])
    observable = np.array([[constraint.observable]])
    preferred = float(terms.preferred(observable)[0, 0])

    def rise(value: float) -> float:
        return float(terms.evaluate(np.array([[value]]), observable).value[0]) - 0.5

    def end(edge: float, inside: float) -> float:
        values = rise(inside), rise(preferred)
        return bracketed_root(rise, (inside, preferred), values, 1e-12 * abs(preferred)) if values[0] > 0.0 else edge

    # A count of 0 is preferred at the edge, where its term is not defined.
    low, high = parameter.range
    preferred = max(preferred, low + 1e-9)
    return end(low, low + 1e-9), float(terms.preferred(observable)[0, 0]), end(high, high)
