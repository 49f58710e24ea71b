"""`pocket-combine inspect`: what is in outputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from pocket_combine.cli.command import Command
from pocket_combine.cli.console import ExitCode, print_json, products
from pocket_combine.cli.outputs import outputs_argument, placeholder_option
from pocket_combine.cli.tables import yield_tables
from pocket_combine.io.coffea import load_output
from pocket_combine.io.pickles.trust import Allow
from pocket_combine.names import SHIFTS
from pocket_combine.wording import counted

__all__ = ["inspect"]


@click.command(
    cls=Command,
    examples=[
        "pocket-combine inspect output_all.coffea",
        "pocket-combine inspect outputs/*.coffea --variable nJets",
        "pocket-combine inspect output_all.coffea --json",
    ],
)
@outputs_argument
@click.option("--variable", metavar="NAME", help="Variable whose yields are shown; the first one by default.")
@placeholder_option
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def inspect(outputs: tuple[Path, ...], variable: str | None, allow: Allow, as_json: bool) -> ExitCode:
    """Show what is in outputs of PocketCoffea.

    Lists variables with their binning and categories, samples with their datasets and years, the systematic variations
    of each sample, and nominal yields. Several outputs are added up. No code of the files is run.
    """
    summary = load_output(outputs, allow=allow).summary(variable)
    if as_json:
        print_json(summary)
        return ExitCode.CLEAN
    console = products()
    console.print(_tree(summary))
    _show_yields(console, summary["yields"])
    return ExitCode.CLEAN


def _tree(summary: Mapping[str, Any]) -> Tree:
    paths = summary["paths"]
    tree = Tree(Text(paths[0] if len(paths) == 1 else f"{len(paths)} outputs, added up", "bold"))
    _branch(tree, counted(len(summary["years"]), "year"), ", ".join(summary["years"]))
    _branch(tree, counted(len(summary["categories"]), "category", "categories"), ", ".join(summary["categories"]))
    variables = _branch(tree, counted(len(summary["variables"]), "variable"))
    for name, variable in summary["variables"].items():
        axes = " × ".join(_axis(axis) for axis in variable["axes"])
        _branch(variables, name, f"{axes}, in {', '.join(variable['categories'])}")
    samples = _branch(tree, counted(len(summary["samples"]), "sample"))
    for name, sample in summary["samples"].items():
        known = counted(len(_sources(sample["variations"])), "variation") if sample["variations"] else "no variations"
        branch = _branch(samples, name, f"{counted(len(sample['datasets']), 'dataset')}, {known}")
        for year, datasets in _by_year(sample["datasets"]).items():
            _branch(branch, year, ", ".join(datasets))
    groups = _variation_groups(summary["samples"])
    if groups:
        variations = _branch(tree, "variations, without Up and Down")
        for names, sources in groups.items():
            _branch(variations, f"in {', '.join(names)}", ", ".join(sources))
    return tree


def _branch(tree: Tree, title: str, content: str = "") -> Tree:
    return tree.add(Text.assemble((title, "bold"), f": {content}" if content else ""))


def _axis(axis: Mapping[str, Any]) -> str:
    """Return the binning of an axis in words.

    Examples:
        >>> _axis({"bins": 3, "edges": [0.0, 0.5, 1.0, 10.0]})
        '3 bins from 0 to 10'
        >>> _axis({"bins": 2, "edges": None})
        '2 bins'
    """
    bins, edges = counted(axis["bins"], "bin"), axis["edges"]
    return f"{bins} from {edges[0]:g} to {edges[-1]:g}" if edges else bins


def _by_year(datasets: Mapping[str, str]) -> dict[str, list[str]]:
    result: dict[str, list[str]] = {}
    for dataset, year in sorted(datasets.items(), key=lambda item: (item[1], item[0])):
        result.setdefault(year, []).append(dataset)
    return result


def _sources(variations: Iterable[str]) -> list[str]:
    """Return the names of variations without their shift; one that has only one shift keeps it.

    Examples:
        >>> _sources(["JERDown", "JERUp", "pileupUp", "sf"])
        ['JER', 'pileupUp', 'sf']
    """
    names = dict.fromkeys(variations)
    result: dict[str, None] = {}
    for name in names:
        stem = next((name.removesuffix(shift) for shift in SHIFTS if name.endswith(shift)), name)
        paired = all(f"{stem}{shift}" in names for shift in SHIFTS)
        result[stem if paired else name] = None
    return list(result)


def _variation_groups(samples: Mapping[str, Mapping[str, Any]]) -> dict[tuple[str, ...], list[str]]:
    """Return variations by the samples that have them, those of most samples first."""
    owners: dict[str, list[str]] = {}
    for name, sample in samples.items():
        for source in _sources(sample["variations"]):
            owners.setdefault(source, []).append(name)
    groups: dict[tuple[str, ...], list[str]] = {}
    for source, names in owners.items():
        groups.setdefault(tuple(names), []).append(source)
    return dict(sorted(groups.items(), key=lambda item: -len(item[0])))


def _show_yields(console: Console, yields: Mapping[str, Any]) -> None:
    if yields["variable"] is None:
        return
    console.print()
    console.print(f"Nominal yields in {yields['variable']}, all years, flow bins included", style="bold")
    by_category = {
        category: {sample: sum(datasets.values()) for sample, datasets in samples.items()}
        for category, samples in yields["nominal"].items()
    }
    for table in yield_tables(by_category, first="Sample", width=console.width):
        console.print()
        console.print(table)
