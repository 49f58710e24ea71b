"""What is run for a report: steps, each with one result, and the command line that runs it alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pocket_combine.errors import CardError
from pocket_combine.execution import Executor, Progress
from pocket_combine.inference import (
    Workspace,
    fit,
    goodness_of_fit,
    grid_values,
    impacts,
    limits,
    postfit,
    scan,
    significance,
    toy_fits,
)
from pocket_combine.inference.selection import ALL_NUISANCES
from pocket_combine.report.commands import command_line
from pocket_combine.report.options import ReportOptions
from pocket_combine.report.workspaces import Sample, Workspaces
from pocket_combine.results import (
    FitResult,
    GoodnessOfFitResult,
    ImpactResult,
    LimitResult,
    PostfitResult,
    Result,
    ScanResult,
    SignificanceResult,
    ToyResult,
)
from pocket_combine.templates import FloatArray

__all__ = ["STEPPED", "Step", "Tools", "plan_steps"]

STEPPED = ("fit", "yields", "impacts", "goodness", "bias", "limits", "significance", "scan")
"""The sections that something is run for."""

_SCANNED_WIDTHS = 3.0
"""Half the range of a scan, in uncertainties on either side of the best fit."""


@dataclass(frozen=True)
class Tools:
    """What a step may use beside its workspace.

    Attributes:
        workspaces: Workspaces of all data sets.
        results: Results of the steps that it needs, by name.
        executor: Where lists of fits run.
        progress: Told how many of them are done.
    """

    workspaces: Workspaces
    results: Mapping[str, Result]
    executor: Executor
    progress: Progress | None = None


@dataclass(frozen=True)
class Step:
    """One question with one result.

    Attributes:
        name: Name of its result, and of the file that holds it.
        section: The section that it is for.
        title: What it does, for people.
        kind: Type of the result.
        sample: What is fitted.
        function: Makes the result of a workspace.
        command: The command line that runs it alone.
        options: Arguments of the function that the result depends on.
        is_open: Whether signal strengths may become negative.
        needs: Names of the steps whose results it uses.
        seed: Seed of its random numbers; `None` where there are none.
    """

    name: str
    section: str
    title: str
    kind: type[Result]
    sample: Sample
    function: Callable[[Workspace, Tools], Result]
    command: str
    options: Mapping[str, Any] = field(default_factory=dict)
    is_open: bool = False
    needs: tuple[str, ...] = ()
    seed: int | None = None

    def workspace(self, workspaces: Workspaces) -> Workspace:
        """Return the workspace that it runs on."""
        return workspaces.get(self.sample, is_open=self.is_open, seed=self.seed)


def plan_steps(workspaces: Workspaces, cards: tuple[str, ...], options: ReportOptions) -> tuple[Step, ...]:
    r"""Return the steps of the wanted sections, and those that they need, in the order in which they run.

    Args:
        workspaces: Workspaces of all data sets.
        cards: The cards as a command line names them, with what it says about reading them.
        options: What is wanted.

    Examples:
        >>> from pocket_combine.card.load import LoadedCard
        >>> from pocket_combine.card.parser import parse_card
        >>> from pocket_combine.report.subject import subject_of
        >>> text = "imax 1\nbin SR\nobservation 9\nbin SR SR\nprocess s b\nprocess 0 1\nrate 5 10\n"
        >>> subject = subject_of(LoadedCard(parse_card(text), {}, (), "-"), blind=True)
        >>> workspaces = Workspaces(subject, {}, expect_signal=1.0)
        >>> for step in plan_steps(workspaces, ("card.txt",), ReportOptions(only=("scan",)))[:2]:
        ...     print(step.name, "|", step.command)
        fit-signal | pocket-combine fit card.txt --expect-signal 1
        scan-signal-r | pocket-combine scan card.txt --expect-signal 1 --parameter r=LOW,HIGH --points 31 --align-edges
    """
    every = {step.name: step for step in _Planner(workspaces, cards, options).steps()}
    wanted: set[str] = set()
    pending = [step.name for step in every.values() if step.section in options.sections]
    while pending:
        name = pending.pop()
        wanted.add(name)
        pending += [other for other in every[name].needs if other not in wanted]
    return tuple(step for step in every.values() if step.name in wanted)


@dataclass(frozen=True)
class _Planner:
    workspaces: Workspaces
    cards: tuple[str, ...]
    options: ReportOptions

    def steps(self) -> Iterator[Step]:
        """Yield all steps, each after those that it needs."""
        samples = [Sample.BACKGROUND, Sample.SIGNAL]
        if self.options.unblind:
            samples.append(Sample.OBSERVED)
        for sample in samples:
            yield self._fit(sample)
        yield from self._yields(samples[-1])
        for sample in samples:
            yield self._impacts(sample)
        yield self._goodness(samples[-1])
        seeds = self.options.toy_seeds
        yield self._bias(samples[-1], 0.0, seeds["first bias test"])
        if self.options.expect_signal != 0.0:
            yield self._bias(samples[-1], self.options.expect_signal, seeds["second bias test"])
        limited = Sample.OBSERVED if self.options.unblind else Sample.BACKGROUND
        name = f"limits-{limited.value}"
        yield self._step(name, "limits", "Upper limits", LimitResult, limited, _limits, "limit")
        for sample in samples[1:]:
            title = f"Significance in {self._data(sample)}"
            yield self._step(
                f"significance-{sample.value}",
                "significance",
                title,
                SignificanceResult,
                sample,
                _significance,
                "significance",
            )
        for sample in samples[1:]:
            for poi in self.workspaces.pois:
                yield from self._scans(sample, poi)

    def _step(
        self,
        name: str,
        section: str,
        title: str,
        kind: type[Result],
        sample: Sample,
        function: Callable[[Workspace, Tools], Result],
        verb: str,
        *words: str,
        is_open: bool = False,
        seed: int | None = None,
        **more: Any,
    ) -> Step:
        data = self.workspaces.words(sample, is_open=is_open, seed=seed)
        command = command_line(verb, self.cards, *data, *words)
        return Step(name, section, title, kind, sample, function, command, is_open=is_open, seed=seed, **more)

    def _data(self, sample: Sample) -> str:
        return self.workspaces.describe(sample)

    def _fit(self, sample: Sample) -> Step:
        title = f"Fit of {self._data(sample)}"
        is_open = sample is Sample.BACKGROUND
        return self._step(f"fit-{sample.value}", "fit", title, FitResult, sample, _fit, "fit", is_open=is_open)

    def _yields(self, sample: Sample) -> Iterator[Step]:
        yield self._step(
            f"prefit-{sample.value}",
            "yields",
            "Expected events before the fit",
            PostfitResult,
            sample,
            _prefit,
            "postfit",
            "--prefit",
        )
        fitted = f"fit-{sample.value}"

        def after(workspace: Workspace, tools: Tools) -> Result:
            return postfit(workspace, _needed(FitResult, tools, fitted))

        title = f"Expected events after the fit of {self._data(sample)}"
        yield self._step(
            f"postfit-{sample.value}", "yields", title, PostfitResult, sample, after, "postfit", needs=(fitted,)
        )

    def _impacts(self, sample: Sample) -> Step:
        title = f"Impacts in {self._data(sample)}"
        is_open = sample is Sample.BACKGROUND
        name = f"impacts-{sample.value}"
        return self._step(name, "impacts", title, ImpactResult, sample, _impacts, "impacts", is_open=is_open)

    def _goodness(self, sample: Sample) -> Step:
        toys, seed = self.options.toys, self.options.toy_seeds["goodness"]

        def function(workspace: Workspace, tools: Tools) -> Result:
            return goodness_of_fit(workspace, toys=toys, seed=seed, executor=tools.executor, progress=tools.progress)

        return self._step(
            f"goodness-{sample.value}",
            "goodness",
            "Goodness of fit" if sample is Sample.OBSERVED else "Goodness of fit of toys",
            GoodnessOfFitResult,
            sample,
            function,
            "gof",
            "--toys",
            str(toys),
            options={"toys": toys, "seed": seed},
            seed=seed,
        )

    def _bias(self, sample: Sample, injected: float, seed: int) -> Step:
        toys = self.options.toys

        def function(workspace: Workspace, tools: Tools) -> Result:
            return toy_fits(workspace, injected, toys, seed, executor=tools.executor, progress=tools.progress)

        return self._step(
            f"toys-{sample.value}-{injected:g}",
            "bias",
            f"Toys with {self.workspaces.pois[0]} = {injected:g}",
            ToyResult,
            sample,
            function,
            "toys",
            "--inject",
            f"{injected:.12g}",
            "--toys",
            str(toys),
            options={"injected": injected, "toys": toys, "seed": seed},
            is_open=True,
            seed=seed,
        )

    def _scans(self, sample: Sample, poi: str) -> Iterator[Step]:
        name, fitted, points = f"scan-{sample.value}-{poi}", f"fit-{sample.value}", self.options.points

        def whole(workspace: Workspace, tools: Tools) -> Result:
            grid = _grid(workspace, _needed(FitResult, tools, fitted), poi, points)
            return scan(workspace, {poi: grid}, progress=tools.progress)

        def statistical(_: Workspace, tools: Tools) -> Result:
            best = _needed(FitResult, tools, fitted)
            frozen = tools.workspaces.without_nuisances(sample, best)
            return scan(frozen, {poi: _grid(frozen, best, poi, points)}, progress=tools.progress)

        about = f"{poi} in {self._data(sample)}"
        shared: dict[str, Any] = {
            "options": {"parameter": poi, "points": points, "uncertainties on either side": _SCANNED_WIDTHS},
            "needs": (fitted,),
        }
        words = ("--parameter", f"{poi}=LOW,HIGH", "--points", str(points), "--align-edges")
        yield self._step(name, "scan", f"Scan of {about}", ScanResult, sample, whole, "scan", *words, **shared)
        title = f"Scan of {about}, nuisances at their best fit"
        frozen_words = ("--freeze", ALL_NUISANCES)
        yield self._step(
            f"{name}-statistics",
            "scan",
            title,
            ScanResult,
            sample,
            statistical,
            "scan",
            *words,
            *frozen_words,
            **shared,
        )


def _needed(kind: type[Any], tools: Tools, name: str) -> Any:
    result = tools.results[name]
    if not isinstance(result, kind):
        raise CardError(f"{name} is a {type(result).__name__}, expected a {kind.__name__}")
    return result


def _fit(workspace: Workspace, _: Tools) -> Result:
    return fit(workspace)


def _prefit(workspace: Workspace, _: Tools) -> Result:
    return postfit(workspace, None)


def _impacts(workspace: Workspace, tools: Tools) -> Result:
    return impacts(workspace, executor=tools.executor, progress=tools.progress)


def _limits(workspace: Workspace, _: Tools) -> Result:
    return limits(workspace)


def _significance(workspace: Workspace, _: Tools) -> Result:
    return significance(workspace)


def _grid(workspace: Workspace, fitted: FitResult, poi: str, points: int) -> FloatArray:
    """Return values around the best fit, inside of the range of the parameter."""
    interval = fitted.interval(poi)
    low, high = workspace.model.parameters.get(poi).range
    first = max(low, interval.best - _SCANNED_WIDTHS * (interval.best - interval.low))
    last = min(max(high, interval.high), interval.best + _SCANNED_WIDTHS * (interval.high - interval.best))
    if not (math.isfinite(first) and math.isfinite(last) and first < last):
        raise CardError(f"the fit gives no interval of {poi}, so that there is no range to scan")
    return grid_values(first, last, points, align_edges=True)
