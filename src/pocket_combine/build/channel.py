"""From collected histograms to one channel: its card, its templates and what was noticed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pocket_combine.build.assemble import assemble, mc_stats
from pocket_combine.build.binning import Binning
from pocket_combine.build.check_card import check_card
from pocket_combine.build.check_coverage import check_coverage
from pocket_combine.build.check_declarations import check_declarations
from pocket_combine.build.collect import Collected
from pocket_combine.build.plan import Plan
from pocket_combine.build.rebin import FlowPolicy
from pocket_combine.build.shape_only import apply_factors, shape_only_factors
from pocket_combine.build.treat import EmptyPolicy, NegativePolicy, Policies, VariancePolicy, treat
from pocket_combine.card.model import Card
from pocket_combine.declarations import all_problems, text_list
from pocket_combine.errors import DeclarationError, MissingInputError, TemplateError
from pocket_combine.findings import Finding, Severity
from pocket_combine.names import channel_name, name_problem
from pocket_combine.systematics import Systematics
from pocket_combine.templates import Templates

__all__ = ["Category", "BuiltChannel", "build_channel", "categories_to_collect", "SHAPES_NAME"]

SHAPES_NAME = "shapes.root"
"""Name of the ROOT file in a card that has not been written to a file of another name."""


@dataclass(frozen=True)
class Category:
    """How one category becomes a channel.

    Attributes:
        variable: Name of the variable whose histogram is fitted.
        bins_edges: Edges to rebin to, a subset of the existing ones; `None` keeps the binning. For a variable of
            several axes, which is unrolled, and for axes of categories, edges are bin numbers.
        bin_prefix: Goes before the category in the name of the channel.
        bin_suffix: Goes after it; by default the label of the analysis or the years, nothing for an empty text.
        mcstat: `True` for an autoMCStats line with threshold 0, `False` for none, or a dict with some of `threshold`,
            `include_signal`, `hist_mode`.
        shape_only_for_rateparam: Whether shape nuisances keep the total yield of processes with a rate parameter.
        rateparam_norm_categories: Categories over which that total is taken; by default this category alone.
        flow: Contents outside the range: `"drop"`, `"fold"` into the outer bins (of one ordered axis), or `"error"`.
        negative_bins: Negative bins: `"clip"` to zero, `"keep"` or `"error"`.
        negative_variance: Variance of clipped bins: `"keep"`, so that autoMCStats still covers them, or `"zero"`.
        empty_variation: Up or Down templates without content: `"report"`, take the `"nominal"` one, or `"drop"`.

    Raises:
        DeclarationError: If a value can never be right; all problems are listed.

    Examples:
        >>> Category("discriminant", bins_edges=[0.0, 0.5, 1.0]).policies.flow
        'drop'
    """

    variable: str
    bins_edges: Sequence[float] | None = None
    bin_prefix: str | None = None
    bin_suffix: str | None = None
    mcstat: bool | Mapping[str, Any] = True
    shape_only_for_rateparam: bool = False
    rateparam_norm_categories: Sequence[str] | None = None
    flow: FlowPolicy = "drop"
    negative_bins: NegativePolicy = "clip"
    negative_variance: VariancePolicy = "keep"
    empty_variation: EmptyPolicy = "report"

    def __post_init__(self) -> None:
        problems = []
        given: object = self.shape_only_for_rateparam
        if not isinstance(given, bool):
            problems.append(f"shape_only_for_rateparam is {given!r}, expected True or False")
        if self.rateparam_norm_categories is not None:
            _, found = text_list("the channel", "rateparam_norm_categories", self.rateparam_norm_categories)
            problems += found
        with all_problems() as check:
            with check():
                if problems:
                    raise DeclarationError(problems)
            with check():
                _ = self.policies
            with check():
                mc_stats(self.mcstat, "")

    @property
    def policies(self) -> Policies:
        """The policies as one value."""
        return Policies(self.flow, self.negative_bins, self.negative_variance, self.empty_variation)

    def channel(self, category: str, default_suffix: str) -> str:
        """Return the name of the channel of `category`.

        Raises:
            DeclarationError: If the name would break the card.
        """
        suffix = default_suffix if self.bin_suffix is None else self.bin_suffix
        given: dict[str, object] = {"category": category, "bin_prefix": self.bin_prefix or "", "bin_suffix": suffix}
        wrong = [f"{what} is {part!r}, expected text" for what, part in given.items() if not isinstance(part, str)]
        if wrong:
            raise DeclarationError(wrong)
        name = channel_name(category, self.bin_prefix, suffix)
        problem = name_problem("channel", name, leading_digit=True)
        if problem:
            raise DeclarationError(f"category {category!r}: {problem}")
        return name


def categories_to_collect(name: str, category: Category) -> list[str]:
    """Return the entries of the category axis that a channel needs: its own, and those of the total yield."""
    needed = [name]
    if category.shape_only_for_rateparam:
        needed += category.rateparam_norm_categories or ()
    return list(dict.fromkeys(needed))


@dataclass(frozen=True)
class BuiltChannel:
    """A channel, ready to be written.

    Attributes:
        card: The card of this channel alone.
        templates: Its final templates.
        findings: What was noticed, in order of the steps.
        binning: Binning of the histograms before rebinning.
    """

    card: Card
    templates: Templates
    findings: tuple[Finding, ...]
    binning: Binning

    @property
    def name(self) -> str:
        """Name of the channel."""
        return self.card.channels[0].name


def build_channel(
    collected: Collected,
    plan: Plan,
    systematics: Systematics,
    name: str,
    category: Category,
    *,
    default_suffix: str,
    blind: bool = False,
) -> BuiltChannel:
    """Return the channel of one category.

    Args:
        collected: Sum over all outputs; holds the categories of `categories_to_collect`.
        plan: What was collected.
        systematics: The nuisances, in the order of the card.
        name: The category.
        category: How it becomes a channel.
        default_suffix: Suffix of the channel's name where `category` has none.
        blind: Whether the observation is the sum of all simulated processes instead of data.

    Raises:
        MissingInputError: If samples or histograms are missing.
        DeclarationError: If the name of the channel would break the card.
        TemplateError: If an edge does not exist, or a policy `error` meets its case.
    """
    channel = category.channel(name, default_suffix)
    findings = check_declarations(plan, systematics) + check_coverage(collected.coverage, plan)
    if collected.binning is None:
        variable = f" of {category.variable!r}" if category.variable else ""
        raise MissingInputError(f"channel {channel}: none of its datasets has events and a histogram{variable}")
    findings += _check_binning(collected.binning, channel, category)
    templates = collected.templates[name]
    if category.shape_only_for_rateparam:
        norm_categories = category.rateparam_norm_categories or [name]
        factors, found = shape_only_factors(collected.templates, plan, norm_categories)
        templates = apply_factors(templates, factors)
        findings += found
    findings += _idle_arguments(category, plan, channel)
    templates, found = treat(templates, channel, category.bins_edges, category.policies)
    findings += found
    templates, observation, found = _observe(templates, plan, channel, blind=blind)
    findings += found
    card = assemble(plan, systematics, templates, channel, observation, category.mcstat, SHAPES_NAME)
    findings += check_card(card, templates, has_data=plan.data is not None)
    return BuiltChannel(card, templates, tuple(findings), collected.binning)


def _check_binning(binning: Binning, channel: str, category: Category) -> list[Finding]:
    """Return how a variable of several axes was unrolled, and refuse to fold where there is no outer bin."""
    if category.flow == "fold" and not binning.can_fold:
        raise TemplateError(
            f"channel {channel}: flow='fold' needs one axis with an order, found {binning.describe()}; "
            "what lies outside is beyond no particular bin: use flow='drop' or 'error'"
        )
    if not binning.is_unrolled:
        return []
    return [
        Finding(
            "unrolled-variable",
            Severity.INFO,
            f"channel {channel}",
            f"several axes lined up in one, the last one fastest: {binning.describe()}",
            "binning.bin_map() has the edges of every bin",
        )
    ]


def _idle_arguments(category: Category, plan: Plan, channel: str) -> list[Finding]:
    """Return arguments for processes with a rate parameter that have no effect."""
    place = f"channel {channel}"
    if category.shape_only_for_rateparam and not any(column.process.floats for column in plan.columns):
        message = "shape_only_for_rateparam=True has no effect: no background has a rate parameter"
        advice = "set has_rateParam=True for a background, or leave the argument out"
        return [Finding("unused-shape-only", Severity.ERROR, place, message, advice)]
    if category.rateparam_norm_categories is not None and not category.shape_only_for_rateparam:
        message = "rateparam_norm_categories has no effect without shape_only_for_rateparam=True"
        advice = "set shape_only_for_rateparam=True, or leave the categories out"
        return [Finding("unused-norm-categories", Severity.ERROR, place, message, advice)]
    return []


def _observe(templates: Templates, plan: Plan, channel: str, *, blind: bool) -> tuple[Templates, float, list[Finding]]:
    """Return the templates with their observation, and the number for the card."""
    if plan.data is not None:
        data = np.zeros(templates.bins) if templates.observation is None else templates.observation
        return dataclasses.replace(templates, observation=data), float(data.sum()), []
    asimov = templates.values.sum(axis=0)
    templates = dataclasses.replace(templates, observation=asimov)
    if blind:
        message = "blinded: data_obs is the sum of all simulated processes, signal included, not rounded"
        return templates, float(asimov.sum()), [Finding("blinded", Severity.INFO, f"channel {channel}", message)]
    message = (
        "no data: observation is -1, and data_obs in the ROOT file is the sum of all simulated processes, "
        "because Combine reads a template for it"
    )
    return templates, -1.0, [Finding("no-data", Severity.INFO, f"channel {channel}", message)]
