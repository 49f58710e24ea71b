"""`Templates` and ROOT files: the names that the rest of the package uses.

Writing: `write_templates` for channels, `write_histograms` for anything else.
Reading: `RootFile` lists the keys of a file and reads histograms by name, `read_histograms` does both in one call.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Literal

import numpy as np

from pocket_combine.errors import RootFileError, join_problems
from pocket_combine.io.root_block import HistogramBlock
from pocket_combine.io.root_file import RootKey
from pocket_combine.io.root_read import HistogramSet, RootFile, read_histograms, same_edges
from pocket_combine.io.root_write import write_histograms
from pocket_combine.names import (
    DATA,
    NOMINAL_RULE,
    NOMINAL_RULE_DIRECTORIES,
    SHIFTS,
    SYSTEMATIC_RULE,
    SYSTEMATIC_RULE_DIRECTORIES,
    expand_rule,
    shifted_name,
)
from pocket_combine.templates import Templates

__all__ = [
    "HistogramBlock",
    "HistogramSet",
    "Layout",
    "RootFile",
    "RootKey",
    "read_histograms",
    "same_edges",
    "template_blocks",
    "write_histograms",
    "write_templates",
]

Layout = Literal["flat", "directories"]
"""`flat`: `process_nominal`, `process_nuisanceUp`; `directories`: `channel/process`, `channel/process_nuisanceUp`."""

_RULES: dict[str, tuple[str, str]] = {
    "flat": (NOMINAL_RULE, SYSTEMATIC_RULE),
    "directories": (NOMINAL_RULE_DIRECTORIES, SYSTEMATIC_RULE_DIRECTORIES),
}


def template_blocks(
    channel: str, templates: Templates, *, nominal: str = NOMINAL_RULE, systematic: str = SYSTEMATIC_RULE
) -> list[HistogramBlock]:
    """Return the histograms of one channel, named by Combine's `shapes` patterns.

    The observation, where there is one, comes first. Its errors are left to ROOT's rule for unweighted counts,
    sqrt(content); all other histograms carry their own.

    Args:
        channel: Name of the channel.
        templates: Its templates.
        nominal: Pattern of nominal templates and of the observation.
        systematic: Pattern of varied templates.

    Examples:
        >>> templates = Templates.of([0, 1], {"ttbar": [5.0]}, {("ttbar", "JES"): ([6.0], [4.0])}, observation=[7])
        >>> [name for block in template_blocks("SR", templates) for name in block.names]
        ['data_obs_nominal', 'ttbar_nominal', 'ttbar_JESUp', 'ttbar_JESDown']
    """
    blocks = []
    if templates.observation is not None:
        data = expand_rule(nominal, process=DATA, channel=channel)
        blocks.append(HistogramBlock([data], templates.edges, templates.observation[np.newaxis]))
    names = [expand_rule(nominal, process=process, channel=channel) for process in templates.columns]
    blocks.append(HistogramBlock(names, templates.edges, templates.values, templates.variances))
    varied = ((templates.up, templates.up_variances), (templates.down, templates.down_variances))
    for shift, (values, variances) in zip(SHIFTS, varied, strict=True):
        names = _varied_names(systematic, channel, templates, shift)
        blocks.append(HistogramBlock(names, templates.edges, values, variances))
    return blocks


def _varied_names(rule: str, channel: str, templates: Templates, shift: str) -> list[str]:
    """Return the names of the varied templates; the rule is filled in once per process, not once per template."""
    around = {
        process: expand_rule(rule, process=process, channel=channel, systematic="\0").split("\0")
        for process in templates.columns
    }
    return [shifted_name(nuisance, shift).join(around[process]) for process, nuisance in templates.pairs]


def write_templates(
    path: str | os.PathLike[str], channels: Mapping[str, Templates], *, layout: Layout = "flat"
) -> None:
    """Write the templates of channels to a new ROOT file that Combine can read.

    Args:
        path: The file; an existing one is replaced as a whole.
        channels: Templates by channel.
        layout: How histograms are named; see `Layout`. Names of the flat layout do not hold the channel, so that a
            file with several channels needs directories.

    Raises:
        RootFileError: If the layout is unknown or does not fit the number of channels, or as `write_histograms` does.

    Examples:
        >>> import pathlib, tempfile, uproot
        >>> target = pathlib.Path(tempfile.mkdtemp(), "shapes.root")
        >>> write_templates(target, {"SR": Templates.of([0, 1], {"ttbar": [5.0]})}, layout="directories")
        >>> with uproot.open(target) as file:
        ...     file.keys(cycle=False)
        ['SR', 'SR/ttbar']
    """
    problems = []
    if layout not in _RULES:
        problems.append(f"layout {layout!r} is unknown, expected 'flat' or 'directories'")
    if layout == "flat" and len(channels) > 1:
        problems.append(
            f"the flat layout holds one channel, found {len(channels)} ({', '.join(channels)}): "
            "choose layout='directories' or one file per channel"
        )
    if problems:
        raise RootFileError(f"{os.fspath(path)} was not written: {join_problems(problems)}")
    nominal, systematic = _RULES[layout]
    blocks: list[HistogramBlock] = []
    for channel, templates in channels.items():
        blocks += template_blocks(channel, templates, nominal=nominal, systematic=systematic)
    write_histograms(path, blocks)
