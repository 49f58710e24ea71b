"""The public names, each of which is a promise."""

from __future__ import annotations

import subprocess
import sys

import pytest

import pocket_combine

PUBLIC = [
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


def test_public_names_are_these() -> None:
    assert pocket_combine.__all__ == PUBLIC
    assert dir(pocket_combine) == sorted(PUBLIC)


@pytest.mark.parametrize("name", [name for name in PUBLIC if not name.startswith("_")])
def test_every_name_is_there_and_knows_its_own(name: str) -> None:
    value = getattr(pocket_combine, name)
    assert value.__name__ == name
    assert value.__module__.startswith("pocket_combine.")
    assert value.__doc__


def test_other_names_are_not() -> None:
    with pytest.raises(AttributeError, match="module 'pocket_combine' has no attribute 'Datacards'"):
        _ = pocket_combine.Datacards
    with pytest.raises(ImportError, match="cannot import name 'Datacards'"):
        exec("from pocket_combine import Datacards")  # noqa: S102  an import in a function cannot be wrong on purpose


def test_importing_the_package_loads_nothing_heavy() -> None:
    program = (
        "import sys, pocket_combine\n"
        "heavy = {'numpy', 'scipy', 'hist', 'uproot', 'lz4', 'click', 'rich', 'dask', 'matplotlib'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
        "from pocket_combine import MCProcess, Datacard, load_output\n"
        "print('hist' in sys.modules, 'scipy' in sys.modules, 'dask' in sys.modules, 'click' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.splitlines() == ["[]", "True False False False"]
