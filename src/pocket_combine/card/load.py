"""A card and its templates from disk: the pair that everything else works with."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pocket_combine.card.model import Card, Nuisance, is_shape_kind
from pocket_combine.card.options import CardOptions
from pocket_combine.card.parser import ParsedCard, read_card_with_findings
from pocket_combine.card.template_checks import check_numbers
from pocket_combine.card.template_plan import ChannelPlan, ColumnPlan, Places, plan_templates, rule_text
from pocket_combine.card.template_read import Library, read_library
from pocket_combine.errors import CardError, TemplateError
from pocket_combine.findings import Finding
from pocket_combine.io.root_read import same_edges
from pocket_combine.templates import FloatArray, Templates

__all__ = ["LoadedCard", "LoadedTemplates", "acts_as_shape", "complete", "load_card", "load_templates"]

_NO_KEYWORDS: Mapping[str, str] = {}
_DEFAULTS = CardOptions()


@dataclass(frozen=True)
class LoadedTemplates:
    """The templates of a card.

    Attributes:
        templates: By channel; counting channels have none. A process with rate 0 is not in them, because Combine drops
            it before it looks for a template. A pair (process, nuisance) is there where the nuisance changes the shape;
            a nuisance of a kind that ends in `?` without a pair is a log-normal there.
        findings: What was noticed.
    """

    templates: Mapping[str, Templates]
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class LoadedCard:
    """A card, its templates, and what was noticed while reading them.

    Attributes:
        card: The card.
        templates: By channel, see `LoadedTemplates`.
        findings: What was noticed about text and templates.
        source: What messages call the card: its file.
    """

    card: Card
    templates: Mapping[str, Templates]
    findings: tuple[Finding, ...]
    source: str


def load_card(
    path: str | os.PathLike[str],
    *,
    mass: float | None = None,
    keywords: Mapping[str, str] = _NO_KEYWORDS,
    options: CardOptions = _DEFAULTS,
) -> LoadedCard:
    """Return a card and its templates.

    Args:
        path: The card.
        mass: What `$MASS` stands for (`-m` of Combine); needed where the card uses it.
        keywords: What further words stand for: `{"TAG": "v2"}` for `$TAG` (`--keyword-value` of Combine).
        options: What is accepted in the card.

    Raises:
        CardError: If the card cannot be read, or if Combine would refuse it with its templates: a missing file or
            template, a rate that disagrees with its template, …. All problems are listed.
    """
    parsed = read_card_with_findings(path, options=options)
    return complete(parsed, directory=Path(path).parent, mass=mass, keywords=keywords)


def complete(
    parsed: ParsedCard,
    *,
    directory: str | os.PathLike[str] = ".",
    mass: float | None = None,
    keywords: Mapping[str, str] = _NO_KEYWORDS,
) -> LoadedCard:
    """Return a card that was read with its templates; for arguments see `load_templates`.

    Raises:
        CardError: As `load_templates`; each problem begins with the file.
    """
    try:
        loaded = load_templates(parsed.card, directory=directory, mass=mass, keywords=keywords)
    except CardError as error:
        raise CardError([f"{parsed.source}: {problem}" for problem in error.problems]) from error
    return LoadedCard(parsed.card, loaded.templates, (*parsed.findings, *loaded.findings), parsed.source)


def load_templates(
    card: Card,
    *,
    directory: str | os.PathLike[str] = ".",
    mass: float | None = None,
    keywords: Mapping[str, str] = _NO_KEYWORDS,
) -> LoadedTemplates:
    """Return the templates of a card, read from the ROOT files that it names.

    Contents are taken as they are stored, in double precision; under- and overflow bins are left out.

    Args:
        card: The card.
        directory: Where its files are, if they are not found from the current folder.
        mass: What `$MASS` stands for; needed where the card uses it.
        keywords: What further words stand for.

    Raises:
        CardError: If a file or template is missing or unusable, or if Combine would refuse it: different binnings in a
            channel, numbers that are not finite, a rate that disagrees with its template, a varied template without
            content, …. All problems are listed.

    Examples:
        >>> import tempfile
        >>> from pocket_combine.card.model import Channel, Column, ShapeRule
        >>> from pocket_combine.io.root import write_templates
        >>> folder = tempfile.mkdtemp()
        >>> channel = Templates.of([0, 1, 2], {"sig": [1, 2], "bkg": [10, 20]}, observation=[12, 21])
        >>> write_templates(Path(folder, "shapes.root"), {"SR": channel}, layout="directories")
        >>> card = Card(
        ...     (Channel("SR", -1),),
        ...     (Column("SR", "sig", 0, -1), Column("SR", "bkg", 1, 30)),
        ...     shapes=(ShapeRule("*", "*", "shapes.root", "$CHANNEL/$PROCESS"),),
        ... )
        >>> load_templates(card, directory=folder).templates["SR"].values
        array([[ 1.,  2.],
               [10., 20.]])
    """
    plans, problems = plan_templates(card, Places.of(directory, mass, keywords))
    library, more = read_library(plans)
    problems += more
    templates = {}
    if not problems:
        for plan in plans:
            assembled, wrong = _assemble(plan, library)
            problems += wrong
            if assembled is not None:
                templates[plan.channel] = assembled
                problems += check_numbers(card, plan, assembled)
    if problems:
        raise CardError(problems)
    return LoadedTemplates(templates, tuple(library.findings))


def acts_as_shape(nuisance: Nuisance, process: str, templates: Templates | None) -> bool:
    """Return whether a nuisance changes the shape of a process in a channel, rather than its yield alone.

    Args:
        nuisance: The row.
        process: Name of the process.
        templates: Templates of the channel; `None` for a counting channel.

    Examples:
        >>> templates = Templates.of([0, 1], {"tt": [5.0]}, {("tt", "JES"): ([6.0], [4.0])})
        >>> [acts_as_shape(Nuisance(name, "shape?", (1.1,)), "tt", templates) for name in ("JES", "lumi")]
        [True, False]
    """
    if not is_shape_kind(nuisance.kind) or templates is None:
        return False
    return (process, nuisance.name) in templates.pair_index


def _assemble(plan: ChannelPlan, library: Library) -> tuple[Templates | None, list[str]]:
    columns = plan.everything()
    wanted = [(column, column.name) for column in columns]
    wanted += [(column, name) for column in columns for pair in column.pairs for name in pair.names]
    found = library.find(wanted)
    problems = _binning_problems(plan, library, wanted, [number for number, _ in found])
    problems += [
        f"channel {plan.channel}, process {column.process}, nuisance {pair.nuisance}: the cell "
        f"{pair.effect[0]}/{pair.effect[1]} is a log-normal, but there is a template {pair.names[0]!r}"
        for column in columns
        for pair in column.pairs
        if isinstance(pair.effect, tuple)
    ]
    if problems:
        return None, problems
    position = {column.process: index for index, column in enumerate(plan.columns)}
    pairs = sorted(
        ((column, pair) for column in plan.columns for pair in column.pairs),
        key=lambda item: (position[item[0].process], item[1].nuisance),
    )
    values, variances = _rows(library, [(column, column.name) for column in plan.columns])
    up, up_variances = _rows(library, [(column, pair.names[0]) for column, pair in pairs])
    down, down_variances = _rows(library, [(column, pair.names[1]) for column, pair in pairs])
    edges = library.sets[found[0][0]].edges
    bins = edges.size - 1
    data = None if plan.data is None else _rows(library, [(plan.data, plan.data.name)])[0][0]
    try:
        assembled = Templates(
            edges,
            tuple(column.process for column in plan.columns),
            values.reshape(-1, bins),
            variances.reshape(-1, bins),
            tuple((column.process, pair.nuisance) for column, pair in pairs),
            up.reshape(-1, bins),
            down.reshape(-1, bins),
            up_variances.reshape(-1, bins),
            down_variances.reshape(-1, bins),
            data,
        )
    except TemplateError as error:
        return None, [f"channel {plan.channel}: {error}"]
    return assembled, []


def _binning_problems(
    plan: ChannelPlan, library: Library, wanted: list[tuple[ColumnPlan, str]], numbers: list[int]
) -> list[str]:
    """Return what is wrong where the histograms of a channel do not all have the binning of the first."""
    first_column, first_name = wanted[0]
    reference = library.sets[numbers[0]].edges
    same = {number: same_edges(library.sets[number].edges, reference) for number in set(numbers)}
    problems = []
    for (column, name), number in zip(wanted, numbers, strict=True):
        if not same[number]:
            edges = library.sets[number].edges
            problems.append(
                f"channel {plan.channel}, process {column.process}: {name!r} has {_binning(edges)}, but "
                f"{first_name!r} of process {first_column.process} has {_binning(reference)} "
                f"(from {rule_text(column.rule)})"
            )
    if len(problems) > 5:
        problems = [*problems[:5], f"channel {plan.channel}: {len(problems) - 5} more templates differ in binning"]
    return problems


def _binning(edges: FloatArray) -> str:
    shown = edges.tolist() if edges.size <= 6 else [*edges[:3].tolist(), "…", *edges[-2:].tolist()]
    return f"{edges.size - 1} bins with edges {', '.join(str(edge) for edge in shown)}"


def _rows(library: Library, wanted: list[tuple[ColumnPlan, str]]) -> tuple[FloatArray, FloatArray]:
    """Return contents and variances of histograms, one row each."""
    if not wanted:
        return np.empty(0), np.empty(0)
    found = library.find(wanted)
    number = np.array([place[0] for place in found])
    row = np.array([place[1] for place in found])
    bins = library.sets[number[0]].edges.size - 1
    values, variances = np.empty((len(found), bins)), np.empty((len(found), bins))
    for one in np.unique(number).tolist():
        here = number == one
        values[here] = library.sets[one].values[row[here]]
        variances[here] = library.sets[one].variances[row[here]]
    return values, variances
