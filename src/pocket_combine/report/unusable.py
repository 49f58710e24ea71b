"""Whether a result can be used, and if not, why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pocket_combine.results import (
    FitResult,
    GoodnessOfFitResult,
    ImpactResult,
    LimitResult,
    Result,
    ScanResult,
    SignificanceResult,
    Status,
    ToyResult,
)
from pocket_combine.wording import counted

__all__ = ["why_unusable"]

_SHOWN = 3


def why_unusable(result: Result) -> str:
    """Return why a result, or a part of it, cannot be used; an empty text if it can.

    Examples:
        >>> from pocket_combine.results import Provenance, Quantile
        >>> lost = Quantile(0.5, float("nan"), Status.NOT_FOUND)
        >>> result = LimitResult(Provenance("a1", "0.1", "asimov"), "r", 0.95, None, (lost,))
        >>> why_unusable(result).partition(": the likelihood")[0]
        'the 0.5 quantile: not found'
    """
    return "; ".join(_reasons(result))


def _reasons(result: Result) -> Iterator[str]:
    if isinstance(result, FitResult):
        yield from _of_status(result.status, result.concerned)
    elif isinstance(result, SignificanceResult):
        yield from _of_status(result.status)
    elif isinstance(result, GoodnessOfFitResult):
        yield from _of_status(result.status)
        yield from _of_toys(result.failed_toys, result.toys.size)
    elif isinstance(result, ToyResult):
        yield from _of_toys(result.failed, result.values.size)
    elif isinstance(result, LimitResult):
        if result.status is Status.FLAT_DIRECTION:
            yield from _of_status(result.status, result.concerned)
            return
        for quantile in result.limits:
            what = "the observed limit" if quantile.quantile is None else f"the {quantile.quantile:g} quantile"
            yield from (f"{what}: {reason}" for reason in _of_status(quantile.status))
    elif isinstance(result, ScanResult):
        yield from _of_many("point", result.statuses)
    elif isinstance(result, ImpactResult):
        lost = {
            impact.parameter: status for impact in result.impacts for status in impact.statuses if not status.usable
        }
        if lost:
            names = ", ".join([*list(lost)[:_SHOWN], *(["…"] if len(lost) > _SHOWN else [])])
            yield f"{counted(len(lost), 'impact')} not found ({names}): {next(iter(lost.values())).advice}"


def _of_status(status: Status, concerned: Sequence[str] = ()) -> Iterator[str]:
    if not status.usable:
        names = f" ({', '.join(concerned)})" if concerned else ""
        yield f"{status.value}{names}: {status.advice}"


def _of_toys(failed: int, usable: int) -> Iterator[str]:
    if failed:
        yield f"the fits of {failed} of {failed + usable} toys failed"


def _of_many(what: str, statuses: Iterable[Status]) -> Iterator[str]:
    statuses = list(statuses)
    lost = [status for status in statuses if not status.usable]
    if lost:
        yield f"{len(lost)} of {counted(len(statuses), what)} not fitted: {lost[0].advice}"
