"""The data sets of a report: background-only and signal Asimov data, and the observation where it may be seen."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from enum import Enum
from typing import Any

import numpy as np

from pocket_combine.errors import CardError
from pocket_combine.inference import Blinding, FitOptions, Workspace, make_workspace
from pocket_combine.inference.selection import ALL_NUISANCES
from pocket_combine.report.commands import setting_words
from pocket_combine.report.subject import Subject
from pocket_combine.results import FitResult

__all__ = ["Sample", "Workspaces"]

_PART = 0.5
"""Of the background of a bin, what a negative signal may take away."""
_LEAST = 1e-3
"""An extension that is a smaller part of the range is none."""


class Sample(Enum):
    """What is fitted."""

    BACKGROUND = "background"
    SIGNAL = "signal"
    OBSERVED = "observed"


class Workspaces:
    """Workspaces of one card for all data sets, each made once.

    Args:
        subject: The card.
        settings: Arguments of `make_workspace` that do not speak of data.
        expect_signal: Signal strength of signal Asimov data.

    Raises:
        CardError: If the card makes no model, or there is no parameter of interest that floats.
    """

    def __init__(self, subject: Subject, settings: Mapping[str, Any], expect_signal: float) -> None:
        self._subject = subject
        self.settings = dict(settings)
        """Arguments of `make_workspace` that do not speak of data."""
        self.expect_signal = expect_signal
        self._made: dict[tuple[Sample, bool], Workspace] = {}
        workspace = self.get(Sample.SIGNAL)
        parameters = workspace.model.parameters
        self.pois = workspace.floating_pois
        """Names of the parameters of interest that are not frozen."""
        if not self.pois:
            frozen = f"all parameters of interest are frozen ({', '.join(parameters.pois)})"
            raise CardError(
                f"{frozen if parameters.pois else 'the card has no parameter of interest'}, so that nothing can be "
                "fitted for it"
            )
        self.strengths = tuple(item.name for item in parameters if item.is_signal_strength)
        """Names of the signal strengths."""
        self.open_ranges = _open_ranges(workspace, self.settings.get("ranges") or {})
        """Ranges that let signal strengths become negative, where the user did not set one."""

    def get(self, sample: Sample, *, is_open: bool = False, seed: int | None = None) -> Workspace:
        """Return the workspace of a data set.

        Args:
            sample: The data set.
            is_open: Whether signal strengths may become negative. A best fit at the edge of its range has a one-sided
                interval, impacts on one side only, and a distorted pull.
            seed: Seed of random numbers; that of the settings by default.

        Raises:
            CardError: If the card makes no model, or has no observation where it is needed.
        """
        key = sample, is_open
        if key not in self._made:
            self._made[key] = self._make(sample, self._with_ranges(is_open))
        return self._made[key] if seed is None else _seeded(self._made[key], seed)

    def without_nuisances(self, sample: Sample, fitted: FitResult) -> Workspace:
        """Return a workspace with all constrained parameters frozen at their best fit: what is left is statistics."""
        settings = self._with_ranges(False)
        settings["freeze"] = (*(settings.get("freeze") or ()), ALL_NUISANCES)
        if sample is Sample.OBSERVED:  # Asimov data have their best fit where they were made
            settings["values"] = dict(zip(fitted.parameters, fitted.values.tolist(), strict=True))
        return self._make(sample, settings)

    def words(self, sample: Sample, *, is_open: bool = False, seed: int | None = None) -> list[str]:
        """Return the options of a command line that stand for a data set."""
        data = {
            Sample.BACKGROUND: ["--expect-signal", "0"],
            Sample.SIGNAL: ["--expect-signal", f"{self.expect_signal:.12g}"],
            Sample.OBSERVED: ["--unblind"],
        }[sample]
        settings = self._with_ranges(is_open)
        if seed is not None:
            settings["options"] = dataclasses.replace(settings.get("options") or FitOptions(), seed=seed)
        return [*data, *setting_words(settings)]

    def describe(self, sample: Sample) -> str:
        """Return what is fitted, in words."""
        names = " = ".join(self.strengths) or "signals"
        return {
            Sample.BACKGROUND: f"Asimov data with {names} = 0",
            Sample.SIGNAL: f"Asimov data with {names} = {self.expect_signal:g}",
            Sample.OBSERVED: "the observation",
        }[sample]

    def _with_ranges(self, is_open: bool) -> dict[str, Any]:
        if not is_open or not self.open_ranges:
            return dict(self.settings)
        return self.settings | {"ranges": {**(self.settings.get("ranges") or {}), **self.open_ranges}}

    def _make(self, sample: Sample, settings: Mapping[str, Any]) -> Workspace:
        kind = Blinding.OBSERVED if sample is Sample.OBSERVED else Blinding.ASIMOV
        expected = {Sample.BACKGROUND: 0.0, Sample.SIGNAL: self.expect_signal, Sample.OBSERVED: None}[sample]
        return make_workspace(
            self._subject.card, self._subject.templates, kind=kind, expect_signal=expected, **settings
        )


def _seeded(workspace: Workspace, seed: int) -> Workspace:
    """Return a workspace as the option `--seed` of a command makes it."""
    options = dataclasses.replace(workspace.options, seed=seed)
    starts = {"seed_of_starts": seed} if options.starts > 1 else {}
    return dataclasses.replace(workspace, options=options, settings={**workspace.settings, **starts})


def _open_ranges(workspace: Workspace, asked: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """Return ranges of signal strengths that end at 0, extended to where the expectation of every bin is positive.

    Args:
        workspace: Any workspace of the card.
        asked: Ranges that the user set, by name.
    """
    model = workspace.model
    strengths = [(at, item) for at, item in enumerate(model.parameters) if item.is_signal_strength and not item.frozen]
    shown = np.zeros(model.bin_count, dtype=bool)
    for part in model.channels:
        shown[part.bins] = not part.is_masked
    none = workspace.start.copy()
    none[[at for at, _ in strengths]] = 0.0
    background = model.totals(none)[shown]
    result = {}
    for at, item in strengths:
        if item.name in asked or item.range[0] != 0.0 or not math.isfinite(item.range[1]):
            continue
        one = none.copy()
        one[at] = 1.0
        signal = model.totals(one)[shown] - background
        grows = signal > 0.0
        lowest = float((background[grows] / signal[grows]).min(initial=item.range[1] / _PART))
        if lowest > _LEAST * item.range[1]:
            result[item.name] = (-float(f"{_PART * lowest:.3g}"), item.range[1])
    return result
