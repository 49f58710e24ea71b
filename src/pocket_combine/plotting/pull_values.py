"""Pulls and constraints as numbers: where parameters were before a fit and where they are after it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from pocket_combine.errors import StyleError, join_problems, nearest
from pocket_combine.names import bin_parameter_name
from pocket_combine.patterns import matched, unmatched
from pocket_combine.results import FitResult, Impact, ImpactResult, Status

__all__ = [
    "BIN_PARAMETER",
    "ORDERS",
    "Pull",
    "PullState",
    "failure",
    "matching",
    "ordered",
    "pull_of_impact",
    "pull_position",
    "pulls_of",
]

BIN_PARAMETER = "autoMCStats"
"""Kind, and group, of the parameters that autoMCStats gives to bins."""

_Range = tuple[float, float, float]


class PullState(Enum):
    """What a fit did with a parameter."""

    FITTED = "fitted"
    AT_BOUNDARY = "at boundary"
    NO_ERROR = "no uncertainty"
    FROZEN = "frozen"
    MASKED = "masked"


@dataclass(frozen=True)
class Pull:
    """A parameter before and after a fit.

    Attributes:
        parameter: Its name.
        state: What the fit did with it.
        prefit: (low, preferred, high) of its constraint term; three times the same without one.
        fit: (low, best, high); ends that the fit does not give are not numbers.
    """

    parameter: str
    state: PullState
    prefit: _Range
    fit: _Range

    @property
    def is_constrained(self) -> bool:
        """Whether a constraint term gives it an uncertainty before the fit; otherwise there is no pull."""
        low, _, high = self.prefit
        return high > low

    @property
    def pull(self) -> float:
        """Distance to the preferred value in units of the uncertainty before the fit, with its sign.

        Not a number without a constraint term.
        """
        return pull_position(self.fit[1], self.prefit)

    @property
    def ends(self) -> tuple[float, float]:
        """Both ends after the fit in the same units."""
        return pull_position(self.fit[0], self.prefit), pull_position(self.fit[2], self.prefit)

    @property
    def constraint(self) -> float:
        """Uncertainty after the fit, of that before it: half the distance of the ends in the units of the pull.

        Not a number without a constraint term or without both ends.
        """
        low, high = self.ends
        return (high - low) / 2.0


def pull_position(value: float, prefit: _Range) -> float:
    """Return a value in units of the uncertainty before the fit: that above the preferred value where it is higher.

    That is the definition of Combine's `plotImpacts.py`. Where one of the two uncertainties is zero, as below a count
    of 0, the other one is taken; without a constraint the result is not a number.

    Examples:
        >>> pull_position(1.6, (0.8, 1.0, 1.3)), pull_position(0.9, (0.8, 1.0, 1.3))
        (2.0, -0.5)
    """
    low, preferred, high = prefit
    below, above = preferred - low, high - preferred
    width = (above or below) if value >= preferred else (below or above)
    # 0.3 is not 1.3 - 1.0 in binary; what matters is the eleventh digit of a pull at most.
    return round((value - preferred) / width, 10) if width > 0.0 else math.nan


def failure(result: FitResult) -> str:
    r"""Return why a fit is no result, empty if it is one.

    Examples:
        >>> from pocket_combine.card.parser import parse_card
        >>> from pocket_combine.inference.questions import fit
        >>> from pocket_combine.inference.workspace import make_workspace
        >>> card = "imax 1\nbin a\nobservation 9\nbin a a\nprocess s b\nprocess 0 1\nrate 3 6\nlumi lnN 1.1 -"
        >>> failure(fit(make_workspace(parse_card(card), {})))
        ''
    """
    if result.status.usable:
        return ""
    concerned = f": {', '.join(result.concerned)}" if result.concerned else ""
    return f"{result.status.value}{concerned}"


def pulls_of(result: FitResult | ImpactResult, *, bins: bool = False) -> tuple[Pull, ...]:
    """Return the pulls of all parameters that are not of interest, in the order of the card.

    Uncertainties after the fit are profile-likelihood intervals where the result has them, else from the covariance.
    Parameters of autoMCStats that were profiled analytically have no uncertainty in a `FitResult`.

    Args:
        result: A fit, or impacts, whose intervals are those of the profile likelihood.
        bins: Whether parameters of autoMCStats are among them.
    """
    if isinstance(result, ImpactResult):
        return tuple(pull_of_impact(item) for item in result.impacts if bins or BIN_PARAMETER not in item.groups)
    options = result.provenance.options
    masked = tuple(bin_parameter_name(channel, 0)[:-1] for channel in options.get("masks", ()))
    frozen = set(options.get("freeze", ()))
    all_bins_frozen = BIN_PARAMETER in options.get("freeze_groups", ())
    intervals = {interval.parameter: interval for interval in result.intervals}
    found = []
    for at, (name, kind) in enumerate(zip(result.parameters, result.kinds, strict=True)):
        is_bin = kind == BIN_PARAMETER
        if name in result.pois or (is_bin and not bins):
            continue
        value, error = float(result.values[at]), float(result.errors[at])
        low, high = (value - error, value + error) if error > 0.0 else (math.nan, math.nan)
        if result.floating[at]:
            state = PullState.FITTED if error > 0.0 else _without_error(result.status)
        elif is_bin and name.startswith(masked):
            state = PullState.MASKED
        else:
            profiled = is_bin and not (all_bins_frozen or name in frozen)
            state = PullState.NO_ERROR if profiled else PullState.FROZEN
        if name in intervals:
            interval = intervals[name]
            low = interval.low if interval.low_status.usable else low
            high = interval.high if interval.high_status.usable else high
        prefit = (float(result.prefit[at, 0]), float(result.prefit[at, 1]), float(result.prefit[at, 2]))
        found.append(Pull(name, state, prefit, (low, value, high)))
    return tuple(found)


def _without_error(status: Status) -> PullState:
    return PullState.AT_BOUNDARY if status is Status.AT_BOUNDARY else PullState.NO_ERROR


def pull_of_impact(impact: Impact) -> Pull:
    """Return the pull of a nuisance whose impact is known; ends that were not found are not numbers."""
    low, high = (
        end if status.usable else math.nan
        for end, status in zip((impact.fit[0], impact.fit[2]), impact.statuses, strict=True)
    )
    stuck = Status.AT_BOUNDARY in impact.statuses and impact.fit[1] in (impact.fit[0], impact.fit[2])
    state = PullState.AT_BOUNDARY if stuck else PullState.FITTED
    if not all(status.usable for status in impact.statuses):
        state = PullState.NO_ERROR
    return Pull(impact.parameter, state, impact.prefit, (low, impact.fit[1], high))


ORDERS = ("card", "name", "pull", "constraint")


def ordered(rows: Sequence[Pull], order: str = "card") -> tuple[Pull, ...]:
    """Return pulls in another order.

    Args:
        rows: The pulls.
        order: `card` as they are; `name`; `pull`, the largest first; `constraint`, the strongest first. Pulls and
            constraints that are not numbers come last.

    Raises:
        StyleError: If there is no such order.
    """
    if order not in ORDERS:
        raise StyleError(f"no order {order!r}: {nearest(order, ORDERS)}")
    keys = {
        "card": lambda _: 0.0,
        "name": lambda item: item.parameter,
        "pull": lambda item: -abs(item.pull) if math.isfinite(item.pull) else math.inf,
        "constraint": lambda item: item.constraint if math.isfinite(item.constraint) else math.inf,
    }
    return tuple(sorted(rows, key=keys[order]))


def matching(names: Sequence[str], patterns: Sequence[str]) -> tuple[str, ...]:
    """Return the names that one of some shell patterns matches, in the order of the names.

    Raises:
        StyleError: If a pattern matches nothing.

    Examples:
        >>> matching(("lumi_2017", "lumi_2018", "JER"), ["lumi_*"])
        ('lumi_2017', 'lumi_2018')
    """
    problems = unmatched("parameter", names, patterns)
    if problems:
        raise StyleError(join_problems(problems))
    return matched(names, patterns)
