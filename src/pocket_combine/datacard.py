"""One datacard per category: collect → treat → card → files."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pocket_combine.build.channel import SHAPES_NAME, Category, build_channel, categories_to_collect
from pocket_combine.build.collect import Histograms, collect
from pocket_combine.build.plan import make_plan
from pocket_combine.build.rebin import FlowPolicy
from pocket_combine.build.scripts import combination_script, conflicts, write_script
from pocket_combine.build.treat import EmptyPolicy, NegativePolicy, VariancePolicy
from pocket_combine.build.write import file_name_problem, make_folder, with_shapes_name, write_channel
from pocket_combine.card.writer import write_card
from pocket_combine.declarations import all_problems
from pocket_combine.errors import DeclarationError, MissingInputError, nearest
from pocket_combine.findings import Finding, Severity, raise_errors
from pocket_combine.names import NOMINAL, SHIFTS, shifted_name
from pocket_combine.processes import DataProcesses, MCProcesses
from pocket_combine.systematics import Systematics

__all__ = ["Datacard", "combine_datacards"]

_logger = logging.getLogger(__name__)


class Datacard:
    """The datacard of one category, ready to be written.

    The templates are collected, treated and checked when the object is made; nothing changes afterwards. What was
    noticed on the way is in `findings`.

    Args:
        histograms: The variable's histograms, `output["variables"][name]`: `{sample: {dataset: histogram}}`.
        datasets_metadata: `output["datasets_metadata"]`.
        cutflow: `output["cutflow"]`; tells which datasets have no events after the preselection.
        years: Years to include.
        mc_processes: The simulated processes.
        systematics: The systematic uncertainties.
        category: Entry of the category axis.
        data_processes: The data process; without one the card has `observation -1`.
        mcstat: `True` for an autoMCStats line with threshold 0, `False` for none, or a dict with some of `threshold`,
            `include_signal`, `hist_mode`.
        bins_edges: Edges to rebin to, a subset of the existing ones; `None` keeps the binning. For a variable of
            several axes, unrolled, or of categories, edges are bin numbers.
        bin_prefix: Goes before the category in the name of the channel.
        bin_suffix: Goes after it; the years by default, nothing for an empty text.
        verbose: Whether to log a summary of the findings.
        shape_only_for_rateparam: Whether shape nuisances keep the total yield of processes with a rate parameter.
        rateparam_norm_categories: Categories over which that total is taken; this one by default.
        blind: Whether to write the sum of all simulated processes in place of the data, which are then never read.
        flow: Contents outside the range: `"drop"`, `"fold"` into the outer bins, or `"error"`.
        negative_bins: Negative bins: `"clip"` to zero, `"keep"` or `"error"`.
        negative_variance: Variance of clipped bins: `"keep"`, so that autoMCStats still covers them, or `"zero"`.
        empty_variation: Up or Down templates without content: `"report"`, take the `"nominal"` one, or `"drop"`.
        strict: Whether findings of severity *error* raise one exception that lists them.

    Attributes:
        bin: Name of the channel, `[prefix_]category[_suffix]`.
        mc_processes: The simulated processes.
        card: The card.
        templates: Its templates, as written.
        findings: What was noticed, in order of the steps.
        binning: Binning of the histograms before rebinning.

    Raises:
        DeclarationError: If declarations or arguments contradict each other.
        MissingInputError: If a sample, a category, or the histogram of a dataset with events is missing.
        TemplateError: If contents are not finite, binnings differ or a requested edge does not exist.
        FindingsError: If `strict` and there is a finding of severity *error*.
    """

    def __init__(
        self,
        histograms: Histograms,
        datasets_metadata: Mapping[str, Any],
        cutflow: Mapping[str, Any],
        years: Sequence[str],
        mc_processes: MCProcesses,
        systematics: Systematics,
        category: str,
        data_processes: DataProcesses | None = None,
        mcstat: bool | Mapping[str, Any] = True,
        bins_edges: Sequence[float] | None = None,
        bin_prefix: str | None = None,
        bin_suffix: str | None = None,
        verbose: bool = True,
        *,
        shape_only_for_rateparam: bool = False,
        rateparam_norm_categories: Sequence[str] | None = None,
        blind: bool = False,
        flow: FlowPolicy = "drop",
        negative_bins: NegativePolicy = "clip",
        negative_variance: VariancePolicy = "keep",
        empty_variation: EmptyPolicy = "report",
        strict: bool = False,
    ) -> None:
        with all_problems() as check:
            with check():
                plan = make_plan(mc_processes, systematics, years, data_processes)
            with check():
                options = Category(
                    variable="",
                    bins_edges=bins_edges,
                    bin_prefix=bin_prefix,
                    bin_suffix=bin_suffix,
                    mcstat=mcstat,
                    shape_only_for_rateparam=shape_only_for_rateparam,
                    rateparam_norm_categories=rateparam_norm_categories,
                    flow=flow,
                    negative_bins=negative_bins,
                    negative_variance=negative_variance,
                    empty_variation=empty_variation,
                )
        if blind:
            plan = plan.without_data()
        suffix = "_".join(plan.years)
        options.channel(category, suffix)  # refuses a name that would break the card before anything is read
        needed = categories_to_collect(category, options)
        collected = collect(histograms, datasets_metadata, cutflow, plan, needed)
        channel = build_channel(collected, plan, systematics, category, options, default_suffix=suffix, blind=blind)
        self.card = channel.card
        self.templates = channel.templates
        self.findings = list(channel.findings)
        self.binning = channel.binning
        self.bin = channel.name
        self.mc_processes = mc_processes
        if verbose:
            _log_summary(self.bin, self.findings)
        if strict:
            raise_errors(self.findings)

    def __repr__(self) -> str:
        counts = f"{len(self.card.columns)} processes, {len(self.card.nuisances)} nuisances, {self.templates.bins} bins"
        return f"<Datacard {self.bin}: {counts}>"

    @property
    def observation(self) -> float:
        """Events observed in the binning of the card; -1 without data."""
        observation = self.card.channels[0].observation
        return -1.0 if observation is None else observation

    def rate(self, process: str, systematic: str = NOMINAL) -> float:
        """Return the expected events of a column, `process_year`, as written in the card.

        Args:
            process: Name of the column.
            systematic: `nominal`, or the name of a varied template, such as `JERUp`.

        Raises:
            MissingInputError: If the card has no such column or template.
        """
        if process not in self.templates.column_index:
            hint = nearest(process, self.templates.columns)
            raise MissingInputError(f"channel {self.bin} has no process {process!r}; {hint}")
        if systematic == NOMINAL:
            return float(self.templates.values[self.templates.column_index[process]].sum())
        available = []
        for shift, contents in zip(SHIFTS, (self.templates.up, self.templates.down), strict=True):
            for (column, nuisance), row in self.templates.pair_index.items():
                if column == process and shifted_name(nuisance, shift) == systematic:
                    return float(contents[row].sum())
                if column == process:
                    available.append(shifted_name(nuisance, shift))
        hint = nearest(systematic, available)
        raise MissingInputError(f"channel {self.bin}, process {process} has no template {systematic!r}; {hint}")

    @property
    def imax(self) -> int:
        """Number of channels."""
        return len(self.card.channels)

    @property
    def jmax(self) -> int:
        """Number of columns minus one."""
        return len(self.card.columns) - 1

    @property
    def kmax(self) -> int:
        """Number of nuisances that are written."""
        return len(self.card.nuisances)

    def content(self, shapes_name: str = SHAPES_NAME) -> str:
        """Return the text of the card."""
        return write_card(with_shapes_name(self.card, shapes_name))

    def dump(
        self,
        directory: str | os.PathLike[str],
        card_name: str = "datacard.txt",
        shapes_name: str = SHAPES_NAME,
    ) -> None:
        """Write the card and its ROOT file into a directory, which is made where it does not exist.

        The ROOT file holds `process_year_nominal`, `process_year_<nuisance>Up` and `…Down` for every column, and
        `data_obs_nominal`. Both files appear whole or not at all, the ROOT file first.

        Raises:
            DeclarationError: If one of the names is not a plain file name.
        """
        write_channel(self.card, self.templates, directory, card_name, shapes_name)


def combine_datacards(
    datacards: Mapping[str, Datacard],
    directory: str | os.PathLike[str],
    path: str = "combine_cards.sh",
    card_name: str = "datacard_combined.txt",
    workspace_name: str = "workspace.root",
    channel_masks: bool = False,
) -> None:
    """Write the script that combines the cards of several categories inside a CMSSW + Combine environment.

    Args:
        datacards: `{file name of the card: Datacard}`.
        directory: Where the cards are, and where the script goes.
        path: File name of the script; must end in `.sh`.
        card_name: File name of the combined card that the script writes.
        workspace_name: File name of the workspace that the script writes.
        channel_masks: Whether to give `--channel-masks` to `text2workspace.py`.

    Raises:
        DeclarationError: If a name is not a plain file name, two cards have the same channel, or Combine would refuse
            the cards together: a process that is signal in one and background in another, or a nuisance of kinds that
            do not go together.
    """
    problem = file_name_problem("path", path, ".sh")
    problems = ([problem] if problem else []) + _combination_problems(datacards)
    if problems:
        raise DeclarationError(problems)
    text = combination_script(
        {name: datacard.bin for name, datacard in datacards.items()},
        card_name=card_name,
        workspace_name=workspace_name,
        channel_masks=channel_masks,
    )
    write_script(make_folder(directory) / path, text)


def _combination_problems(datacards: Mapping[str, Datacard]) -> list[str]:
    given: object = datacards
    if not isinstance(given, Mapping):
        return [f"datacards is a {type(given).__name__}, expected {{file name of the card: Datacard}}"]
    wrong = {name: value for name, value in given.items() if not isinstance(value, Datacard)}
    if wrong:
        return [f"datacards[{name!r}] is a {type(value).__name__}, expected Datacard" for name, value in wrong.items()]
    return conflicts({name: datacard.card for name, datacard in datacards.items()})


def _log_summary(channel: str, findings: Sequence[Finding]) -> None:
    """Log how many findings there are by code, and the errors in full."""
    if not findings:
        _logger.info("channel %s: no findings", channel)
        return
    counts = Counter((finding.severity, finding.code) for finding in findings)
    worst = max(finding.severity for finding in findings)
    listed = ", ".join(
        f"{count} x {code} ({severity})" for (severity, code), count in sorted(counts.items(), reverse=True)
    )
    level = logging.INFO if worst is Severity.INFO else logging.WARNING
    _logger.log(level, "channel %s: %s; see datacard.findings", channel, listed)
    for finding in findings:
        if finding.severity is Severity.ERROR:
            _logger.warning("%s", finding)
