"""The numbers from which on a check speaks."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

from pocket_combine.errors import DeclarationError

__all__ = ["Thresholds"]


@dataclass(frozen=True)
class Thresholds:
    """Thresholds of the checks; `docs/reference/checks.md` has the formulas that they belong to.

    Those that `ValidateDatacards.py` has too have its values.

    Attributes:
        normalisation_effect: Relative change of a yield from which on it is called large.
        dropped_normalisation: Relative change of a yield below which Combine drops it (both Up and Down).
        signal_fraction: Fraction of a channel's signal below which a signal process is called small.
        identical_normalisation: Difference of the Up and Down yield ratios below which they are the same.
        identical_bins: Relative difference of normalised bins up to which Up and Down are the same.
        equal_bins: Relative difference of bins up to which a varied template equals nominal.
        shape_effect: Sum over bins of the relative differences of normalised bins below which a shape has no effect.
        relative_bin_error: Statistical error of the background in a bin, relative to its content.
        poisson_error: Relative difference of squared error and content up to which an error is sqrt(N).
        one_sided_effect: Relative change of a bin on the same side by both Up and Down.
        outlier_effect: Relative change of a bin against what its neighbours predict.
        outlier_share: Fraction of the roughness of a variation that one bin accounts for.
        significance_level: Probability of a fluctuation above which a variation is compatible with one.
        visible: Size of an effect in units of the statistical error of the data from which on a fit can see it;
            smaller ones are only of severity *info*.
        invisible_shape: Size, in the same units, below which the shape of a variation beyond its normalisation does
            not matter.
        duplicate: Relative difference of two effects below which they are the same.
        effective_events: Effective events below which a Gaussian parameter for a bin is a poor description.
        outside: Content outside a histogram, relative to the content inside.

    Raises:
        DeclarationError: If a value is negative or not finite.

    Examples:
        >>> Thresholds(normalisation_effect=0.3).normalisation_effect
        0.3
        >>> Thresholds(visible=-1)
        Traceback (most recent call last):
        pocket_combine.errors.DeclarationError: threshold visible is -1, expected a finite number, 0 or more
    """

    normalisation_effect: float = 0.1
    dropped_normalisation: float = 1e-3
    signal_fraction: float = 1e-3
    identical_normalisation: float = 1e-7
    identical_bins: float = 1e-3
    equal_bins: float = 1e-6
    shape_effect: float = 1e-3
    relative_bin_error: float = 1.0
    poisson_error: float = 1e-6
    one_sided_effect: float = 0.01
    outlier_effect: float = 0.05
    outlier_share: float = 0.8
    significance_level: float = 0.05
    visible: float = 0.1
    invisible_shape: float = 0.05
    duplicate: float = 1e-3
    effective_events: float = 10.0
    outside: float = 1e-6

    def __post_init__(self) -> None:
        problems = []
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
                problems.append(f"threshold {field.name} is {value!r}, expected a finite number, 0 or more")
        if problems:
            raise DeclarationError(problems)
