"""From PocketCoffea histograms to CMS Combine datacards, fits and figures.

The public names are listed here and loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pocket_combine._version import __version__
from pocket_combine.on_demand import loaded

if TYPE_CHECKING:
    from pocket_combine.build.analysis import Analysis, load_analysis
    from pocket_combine.build.channel import Category
    from pocket_combine.build.job import build_cards
    from pocket_combine.build.scripts import fit_scripts
    from pocket_combine.build.variations import ArtificialVariation, add_binwise_variation, add_norm_variation
    from pocket_combine.card.combination import combine_cards
    from pocket_combine.card.load import load_card
    from pocket_combine.card.model import Card
    from pocket_combine.checks import run_checks
    from pocket_combine.comparison import diff
    from pocket_combine.datacard import Datacard, combine_datacards
    from pocket_combine.errors import PocketCombineError
    from pocket_combine.findings import Finding, Severity
    from pocket_combine.inference import (
        Blinding,
        ToyKind,
        fit,
        goodness_of_fit,
        impacts,
        limits,
        make_workspace,
        postfit,
        scan,
        significance,
        toy_fits,
    )
    from pocket_combine.io.coffea import load_output
    from pocket_combine.io.output import Output
    from pocket_combine.processes import DataProcess, DataProcesses, MCProcess, MCProcesses
    from pocket_combine.report import ReportOptions, make_report
    from pocket_combine.systematics import Systematics, SystematicUncertainty
    from pocket_combine.templates import Templates

_HOMES = {
    "MCProcess": "processes",
    "DataProcess": "processes",
    "MCProcesses": "processes",
    "DataProcesses": "processes",
    "SystematicUncertainty": "systematics",
    "Systematics": "systematics",
    "Datacard": "datacard",
    "combine_datacards": "datacard",
    "fit_scripts": "build.scripts",
    "ArtificialVariation": "build.variations",
    "add_norm_variation": "build.variations",
    "add_binwise_variation": "build.variations",
    "Analysis": "build.analysis",
    "load_analysis": "build.analysis",
    "Category": "build.channel",
    "build_cards": "build.job",
    "load_output": "io.coffea",
    "Output": "io.output",
    "load_card": "card.load",
    "combine_cards": "card.combination",
    "run_checks": "checks",
    "diff": "comparison",
    "make_workspace": "inference",
    "Blinding": "inference",
    "fit": "inference",
    "scan": "inference",
    "limits": "inference",
    "significance": "inference",
    "impacts": "inference",
    "goodness_of_fit": "inference",
    "toy_fits": "inference",
    "ToyKind": "inference",
    "postfit": "inference",
    "make_report": "report",
    "ReportOptions": "report",
    "Card": "card.model",
    "Templates": "templates",
    "Finding": "findings",
    "Severity": "findings",
    "PocketCombineError": "errors",
}
"""Public name → module of the package that defines it."""

__all__ = [
    "MCProcess",
    "DataProcess",
    "MCProcesses",
    "DataProcesses",
    "SystematicUncertainty",
    "Systematics",
    "Datacard",
    "combine_datacards",
    "fit_scripts",
    "ArtificialVariation",
    "add_norm_variation",
    "add_binwise_variation",
    "Analysis",
    "load_analysis",
    "Category",
    "build_cards",
    "load_output",
    "Output",
    "load_card",
    "combine_cards",
    "run_checks",
    "diff",
    "make_workspace",
    "Blinding",
    "fit",
    "scan",
    "limits",
    "significance",
    "impacts",
    "goodness_of_fit",
    "toy_fits",
    "ToyKind",
    "postfit",
    "make_report",
    "ReportOptions",
    "Card",
    "Templates",
    "Finding",
    "Severity",
    "PocketCombineError",
    "__version__",
]


def __getattr__(name: str) -> Any:
    return loaded(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return sorted(__all__)
