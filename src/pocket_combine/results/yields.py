"""Expected events per channel and process, with their uncertainties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pocket_combine.results.common import Numbers, Result

__all__ = ["ChannelYields", "PostfitResult"]


@dataclass(frozen=True, eq=False)
class ChannelYields:
    """Expected events of one channel, or of a sum of channels.

    Attributes:
        channel: Name.
        edges: `edges[bin + 1]`.
        processes: Names of the processes.
        expected: `expected[process, bin]`.
        errors: `errors[process, bin]`.
        total: `total[bin]`, with MC-statistics parameters.
        total_errors: `total_errors[bin]`.
        covariance: `covariance[bin, bin]` of the total.
        signal: `signal[process]`, whether it is a signal.
        observed: `observed[bin]`; `None` in a blind result.
        yield_covariance: `yield_covariance[process, process]` of the sums over bins, which gives the uncertainty of any
            sum of processes; `None` in results of older versions.
    """

    channel: str
    edges: Numbers
    processes: tuple[str, ...]
    expected: Numbers
    errors: Numbers
    total: Numbers
    total_errors: Numbers
    covariance: Numbers
    signal: tuple[bool, ...]
    observed: Numbers | None = None
    yield_covariance: Numbers | None = None


@dataclass(frozen=True)
class PostfitResult(Result):
    """Expected events with uncertainties at a parameter point.

    Attributes:
        point: `prefit`, or the name of the fit.
        method: How uncertainties were found: `propagation` or `sampling`.
        channels: One entry per channel.
        yields: Total yield and error per `channel/process`, with `channel/total` and `channel/total_background`, the
            total without signals.
        not_in_fit: Parameters as before the fit, because the fit is of another card, which does not have them.
        held: Parameters that ended at the edge of their range in the fit and are fixed there, so that uncertainties
            are without them; that of a process that such a parameter scales may be 0.
    """

    point: str
    method: str
    channels: tuple[ChannelYields, ...]
    yields: Mapping[str, tuple[float, float]]
    not_in_fit: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
