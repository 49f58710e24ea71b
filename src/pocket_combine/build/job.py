"""Cards of a whole analysis from any number of outputs, in one pass over the files."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pocket_combine.build.analysis import Analysis
from pocket_combine.build.channel import BuiltChannel, build_channel, categories_to_collect
from pocket_combine.build.collect import Collected, collect
from pocket_combine.build.plan import Plan
from pocket_combine.build.scripts import combination_script, write_script
from pocket_combine.build.variations import ArtificialVariation
from pocket_combine.build.write import write_channel
from pocket_combine.errors import DeclarationError, MissingInputError, TemplateError, join_problems, nearest
from pocket_combine.execution import Executor, Progress, SerialExecutor
from pocket_combine.findings import Finding, raise_errors
from pocket_combine.io.coffea import load_output, output_paths
from pocket_combine.io.output_sum import data_counts
from pocket_combine.io.pickles.trust import Allow

__all__ = ["BuildReport", "build_cards", "build_channels", "collect_outputs"]


@dataclass(frozen=True)
class CollectTask:
    """What to collect from one output file.

    Attributes:
        path: The file.
        plan: What to collect.
        categories: Entries of the category axis, by variable.
        variations: Artificial variations that go into the histograms first.
        allow: Further names that the file may use, as `load_output` takes them.
    """

    path: str
    plan: Plan
    categories: Mapping[str, tuple[str, ...]]
    variations: tuple[ArtificialVariation, ...] = ()
    allow: Allow = ()

    @property
    def label(self) -> str:
        """Name of the task in messages and progress."""
        return Path(self.path).name


@dataclass(frozen=True)
class CollectedOutput:
    """Templates of one output file by variable, where it has the variable, and all variables that it has."""

    collected: Mapping[str, Collected]
    variables: frozenset[str]


def collect_output(task: CollectTask) -> CollectedOutput:
    """Return the templates of one output file; what a task runs, in whatever process."""
    output = load_output(task.path, allow=task.allow)
    variables: Mapping[str, Any] = output["variables"]
    normalisations, texts = output.normalisations(), data_counts(output)
    collected = {}
    for variable, categories in task.categories.items():
        # Outputs may come from runs with different variables, so that this one need not be in all of them.
        if variable not in variables:
            continue
        histograms = variables[variable]
        for variation in task.variations:
            histograms = variation.apply(histograms, categories)
        part = collect(histograms, output["datasets_metadata"], output["cutflow"], task.plan, categories)
        datasets = {dataset for _, dataset in part.coverage.present}
        normalised = dict.fromkeys(sorted(datasets & normalisations.keys()), (task.path,))
        counts = {name: ((task.path, texts[name]),) for name in sorted(datasets & texts.keys())}
        coverage = dataclasses.replace(part.coverage, normalised=normalised, data_counts=counts)
        collected[variable] = dataclasses.replace(part, coverage=coverage)
    return CollectedOutput(collected, frozenset(map(str, variables)))


def collect_outputs(
    paths: Sequence[str | os.PathLike[str]],
    plan: Plan,
    categories: Mapping[str, Sequence[str]],
    *,
    variations: Sequence[ArtificialVariation] = (),
    executor: Executor | None = None,
    progress: Progress | None = None,
    allow: Allow = (),
) -> dict[str, Collected]:
    """Return what all outputs hold together, by variable.

    Outputs are added in the order of their paths, whatever order they are given in and whichever executor reads them,
    so that the sums have the same bits. Besides the sums, only the templates of the outputs under way are in memory.
    An output without a variable contributes nothing to it.

    Args:
        paths: Output files.
        plan: What to collect.
        categories: Entries of the category axis, by variable.
        variations: Artificial variations that go into the histograms first.
        executor: What reads the files; one after the other by default.
        progress: Told how many files are done.
        allow: Further names that the outputs may use, as `load_output` takes them; it goes along to other processes.

    Raises:
        DeclarationError: If there is no path or one occurs twice.
        MissingInputError: If a variable is in none of the outputs.
    """
    ordered = _ordered_paths(paths)
    wanted = {variable: tuple(names) for variable, names in categories.items()}
    allow = allow if isinstance(allow, str | Mapping) else tuple(allow)
    tasks = [CollectTask(path, plan, wanted, tuple(variations), allow) for path in ordered]
    total: dict[str, Collected] = {}
    available: set[str] = set()
    outputs = (executor or SerialExecutor()).map(collect_output, tasks, progress=progress)
    for path, output in zip(ordered, outputs, strict=True):
        available |= output.variables
        for variable, part in output.collected.items():
            try:
                total[variable] = total[variable] + part if variable in total else part
            except TemplateError as error:
                raise TemplateError(f"variable {variable!r}, {path}, and the outputs before it: {error}") from error
            del part
        del output  # not to be in memory while the next one is read
    missing = [variable for variable in wanted if variable not in available]
    if missing:
        problems = [f"variable {name!r} is in none of the outputs; {nearest(name, available)}" for name in missing]
        raise MissingInputError(join_problems(problems))
    return total


def _ordered_paths(paths: Sequence[str | os.PathLike[str]]) -> list[str]:
    if isinstance(paths, str | os.PathLike):
        raise DeclarationError(f"outputs is {os.fspath(paths)!r}, expected a list: [{os.fspath(paths)!r}]")
    return [str(path) for path in output_paths(paths)]


def build_channels(
    analysis: Analysis,
    outputs: Sequence[str | os.PathLike[str]],
    *,
    executor: Executor | None = None,
    blind: bool = False,
    progress: Progress | None = None,
    allow: Allow = (),
) -> dict[str, BuiltChannel]:
    """Return the channels of an analysis, by category.

    Args:
        analysis: The declarations.
        outputs: Output files; each is read once, for all categories.
        executor: What reads the files; one after the other by default.
        blind: Whether to write the sum of all simulated processes in place of the data, which are then never read.
        progress: Told how many files are done.
        allow: Further names that the outputs may use, as `load_output` takes them; it goes along to other processes.

    Raises:
        PocketCombineError: As `collect_outputs` and `build_channel` do.
    """
    plan = analysis.plan(blind=blind)
    needed: dict[str, dict[str, None]] = {}
    for name, category in analysis.categories.items():
        needed.setdefault(category.variable, {}).update(dict.fromkeys(categories_to_collect(name, category)))
    collected = collect_outputs(
        outputs,
        plan,
        {name: list(entries) for name, entries in needed.items()},
        variations=analysis.artificial_variations,
        executor=executor,
        progress=progress,
        allow=allow,
    )
    return {
        name: build_channel(
            collected[category.variable],
            plan,
            analysis.systematics,
            name,
            category,
            default_suffix=analysis.label,
            blind=blind,
        )
        for name, category in analysis.categories.items()
    }


@dataclass(frozen=True)
class BuildReport:
    """What a build wrote, and what was noticed.

    Attributes:
        directory: Where the files are.
        channels: The channels, by file name of their card.
        combination: File name of the script that combines the cards.
        combined_card: File name of the card that the script writes.
        findings: Findings of all channels in order; one that several channels share stands once.
    """

    directory: Path
    channels: Mapping[str, BuiltChannel]
    combination: str
    combined_card: str
    findings: tuple[Finding, ...]


def build_cards(
    analysis: Analysis,
    outputs: Sequence[str | os.PathLike[str]],
    directory: str | os.PathLike[str],
    *,
    executor: Executor | None = None,
    blind: bool = False,
    strict: bool = True,
    progress: Progress | None = None,
    allow: Allow = (),
) -> BuildReport:
    """Build the cards of an analysis, write them with their ROOT files and the combination script, and report.

    Nothing is written before all channels are built and, if `strict`, found free of errors.

    Args:
        analysis: The declarations.
        outputs: Output files.
        directory: Where to write; made where it does not exist.
        executor: What reads the files; one after the other by default.
        blind: Whether to write the sum of all simulated processes in place of the data, which are then never read.
        strict: Whether findings of severity *error* raise one exception that lists them.
        progress: Told how many files are done.
        allow: Further names that the outputs may use, as `load_output` takes them; it goes along to other processes.

    Raises:
        FindingsError: If `strict` and there is a finding of severity *error*.
        PocketCombineError: As `build_channels` does.
    """
    channels = build_channels(analysis, outputs, executor=executor, blind=blind, progress=progress, allow=allow)
    findings = tuple(dict.fromkeys(finding for channel in channels.values() for finding in channel.findings))
    if strict:
        raise_errors(findings)
    label = analysis.label
    written: dict[str, BuiltChannel] = {}
    for category, channel in channels.items():
        card_name = f"datacard_{category}_{label}.txt"
        write_channel(channel.card, channel.templates, directory, card_name, f"shapes_{category}_{label}.root")
        written[card_name] = channel
    combined = f"datacard_combined_{label}.txt"
    script = f"combine_datacards_{label}.sh"
    text = combination_script(
        {card_name: channel.name for card_name, channel in written.items()},
        card_name=combined,
        workspace_name=f"workspace_{label}.root",
    )
    write_script(Path(directory) / script, text)
    return BuildReport(Path(directory), written, script, combined, findings)
