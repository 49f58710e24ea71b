"""What the fits answer: one frozen type per question, with JSON in and out.

Likelihood differences are ΔNLL (not doubled). Intervals, limits and impacts are in units of the parameter, which for
most nuisances is their standard deviation.
"""

from pocket_combine.results.common import Interval, Provenance, Result, Status
from pocket_combine.results.fits import FitResult, ScanResult, SecondOpinion
from pocket_combine.results.impacts import Impact, ImpactResult, UncertaintyGroup
from pocket_combine.results.limits import LimitResult, Quantile, SignificanceResult
from pocket_combine.results.toys import BiasResult, GoodnessOfFitResult, ToyResult
from pocket_combine.results.yields import ChannelYields, PostfitResult

__all__ = [
    "Provenance",
    "Status",
    "Result",
    "Interval",
    "SecondOpinion",
    "FitResult",
    "ScanResult",
    "Quantile",
    "LimitResult",
    "SignificanceResult",
    "Impact",
    "ImpactResult",
    "UncertaintyGroup",
    "GoodnessOfFitResult",
    "ToyResult",
    "BiasResult",
    "ChannelYields",
    "PostfitResult",
]
