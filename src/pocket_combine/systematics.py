"""The systematic uncertainties of an analysis, as it declares them.

A declaration covers (process, year) cells. `Systematics` joins declarations that are written under one name into one
row of the card where their cells are disjoint, which is how a luminosity scheme with one value per year is written.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from pocket_combine.card.model import is_shape_kind
from pocket_combine.declarations import DeclarationDict, text_list
from pocket_combine.errors import DeclarationError, nearest
from pocket_combine.names import name_problem

__all__ = ["SystematicUncertainty", "Systematics", "KINDS", "CellValue"]

CellValue: TypeAlias = "float | tuple[float, float]"
"""What stands in a cell of the card: a number, or (down, up)."""

KINDS = ("lnN", "lnU", "gmN", "shape", "shapeN", "shapeU")
"""The kinds of nuisances that can be built, as in Combine's cards."""


@dataclass(frozen=True)
class SystematicUncertainty:
    """One declared uncertainty.

    Attributes:
        name: Name, and by default the variation that is looked up in the histograms.
        typ: Kind of the nuisance: `lnN`, `lnU`, `gmN`, `shape`, `shapeN` or `shapeU`.
        processes: Names of processes, or `{process: value}`, or `{process: {year: value}}`, where `None` for a value
            leaves a cell without effect.
        years: Years that it covers. May be left out where `processes` gives values per year for every process.
        value: One value for all processes, only where `processes` is a list. `lnN`, `lnU`: kappa, or the yield ratios
            (down, up) at -1 and +1 standard deviation. `shape…`: how many standard deviations the stored templates
            stand for, inverted: 1.0 by convention, 0.5 makes the stored variation a two-sigma one. `gmN`: the
            transfer factor alpha from the sideband count `events` to the expected yield.
        datacard_name: Name of the nuisance in the card; `name` by default.
        coffea_name_alias: Variation to look up instead of `name`: one for all, `{process: variation}`, or
            `{process: {year: variation}}`.
        group: Group or groups that the nuisance joins in the card.
        events: `gmN` only: events counted in the sideband.
        cells: Value of each (process, year) cell, in order of declaration. Derived.
        groups: Groups that the nuisance joins. Derived.

    Raises:
        DeclarationError: If a field can never be right; all problems are listed.

    Examples:
        >>> lumi = SystematicUncertainty(name="lumi", typ="lnN", processes=["ttbar"], years=["2018"], value=1.025)
        >>> lumi.cells
        {('ttbar', '2018'): 1.025}
        >>> xsec = SystematicUncertainty(
        ...     name="xsec", typ="lnN", processes={"ttbar": 1.06, "diboson": (0.95, 1.04)}, years=["2018"]
        ... )
        >>> xsec.cells[("diboson", "2018")]
        (0.95, 1.04)
    """

    name: str
    typ: str
    processes: Any
    years: Any = None
    value: Any = None
    datacard_name: str | None = None
    coffea_name_alias: Any = None
    group: Any = None
    events: int | None = None
    cells: dict[tuple[str, str], CellValue] = field(init=False, repr=False, compare=False)
    groups: tuple[str, ...] = field(init=False, repr=False, compare=False)
    _variations: dict[tuple[str, str], str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        owner = f"SystematicUncertainty {self.name!r}"
        problems = [problem for problem in (self._name_problem(owner), self._kind_problem(owner)) if problem]
        by_process, found = self._values_by_process(owner)
        problems += found
        years, found = self._year_list(owner, by_process)
        problems += found
        cells, found = self._cells(owner, by_process, years)
        problems += found + self._event_problems(owner)
        if not problems and not cells:
            problems.append(f"{owner}: no value for any process and year, so it has no effect")
        aliases, found = self._aliases(owner, cells)
        problems += found
        groups, found = ([], []) if self.group is None else text_list(owner, "group", _one_or_many(self.group))
        problems += found + [f"{owner}: {text}" for text in map(_group_problem, groups) if text]
        if problems:
            raise DeclarationError(problems)
        object.__setattr__(self, "datacard_name", self.datacard_name or self.name)
        object.__setattr__(self, "years", years)
        object.__setattr__(self, "cells", cells)
        object.__setattr__(self, "groups", tuple(groups))
        object.__setattr__(self, "_variations", aliases)
        if self.events is not None:
            object.__setattr__(self, "events", int(self.events))

    @property
    def is_shape(self) -> bool:
        """Whether the nuisance reads varied templates."""
        return is_shape_kind(self.typ)

    def variation(self, process: str, year: str) -> str:
        """Return the name of the histogram variation, without `Up` or `Down`, that a cell reads."""
        return self._variations[process, year]

    def joined(self, other: SystematicUncertainty) -> SystematicUncertainty:
        """Return one declaration for the cells of both, which must be of one kind and have no cell in common.

        Raises:
            DeclarationError: If kinds differ, sideband counts differ, or a cell is covered twice.
        """
        row = f"nuisance {self.datacard_name!r}"
        if (self.typ, self.events) != (other.typ, other.events):
            raise DeclarationError(
                f"{row} is declared as {_kind(self)} by {self.name!r} and as {_kind(other)} by {other.name!r}: "
                "one nuisance has one kind; give one of them another datacard_name"
            )
        common = [key for key in self.cells if key in other.cells]
        if common:
            process, year = common[0]
            raise DeclarationError(
                f"{row} is declared twice for process {process!r} in {year!r}, by {self.name!r} and {other.name!r}"
                f"{f' ({len(common)} cells in common)' if len(common) > 1 else ''}: "
                "make their processes or years disjoint, or give one of them another datacard_name"
            )
        cells = self.cells | other.cells
        variations = {key: (self if key in self.cells else other).variation(*key) for key in cells}
        return SystematicUncertainty(
            name=self.name,
            typ=self.typ,
            processes=_nested(cells),
            datacard_name=self.datacard_name,
            coffea_name_alias=_nested(variations) if self.is_shape else None,
            group=list(dict.fromkeys(self.groups + other.groups)) or None,
            events=self.events,
        )

    def _name_problem(self, owner: str) -> str | None:
        name: object = self.name
        if not isinstance(name, str) or not name:
            return f"{owner}: name is {name!r}, expected text"
        problem = name_problem("nuisance", name if self.datacard_name is None else self.datacard_name)
        return f"{owner}: {problem}" if problem else None

    def _kind_problem(self, owner: str) -> str | None:
        if self.typ in KINDS:
            return None
        return f"{owner}: typ is {self.typ!r}, expected one of {', '.join(KINDS)}; {nearest(str(self.typ), KINDS)}"

    def _values_by_process(self, owner: str) -> tuple[dict[str, Any], list[str]]:
        if not isinstance(self.processes, Mapping):
            names, problems = text_list(owner, "processes", self.processes)
            if self.value is None:
                problems.append(f"{owner}: value is missing; leave it out only where processes is {{process: value}}")
            return dict.fromkeys(names, self.value), problems
        problems = []
        if self.value is not None:
            problems.append(f"{owner}: value is given, and processes gives values too; keep one of them")
        names, found = text_list(owner, "processes", list(self.processes))
        return {name: self.processes[name] for name in names}, problems + found

    def _year_list(self, owner: str, by_process: dict[str, Any]) -> tuple[list[str], list[str]]:
        if self.years is not None:
            return text_list(owner, "years", self.years)
        if by_process and all(isinstance(value, Mapping) for value in by_process.values()):
            return list(dict.fromkeys(str(year) for value in by_process.values() for year in value)), []
        return [], [f"{owner}: years is missing; leave it out only where processes is {{process: {{year: value}}}}"]

    def _cells(
        self, owner: str, by_process: dict[str, Any], years: list[str]
    ) -> tuple[dict[tuple[str, str], CellValue], list[str]]:
        cells: dict[tuple[str, str], CellValue] = {}
        problems: dict[str, None] = {}
        for process, given in by_process.items():
            by_year = given if isinstance(given, Mapping) else dict.fromkeys(years, given)
            for year in by_year:
                if year not in years:
                    problems[f"{owner}: a value for {process!r} in {year!r}, but years has only {years}"] = None
            for year in years:
                if year not in by_year or by_year[year] is None:
                    continue
                value = _number_or_pair(by_year[year], allow_pair=self.typ in ("lnN", "lnU"))
                if isinstance(value, str):
                    # One value for all processes is one problem.
                    whose = f" of process {process!r}" if isinstance(self.processes, Mapping) else ""
                    problems[f"{owner}: value {by_year[year]!r}{whose} {value}"] = None
                else:
                    cells[process, year] = value
        return cells, list(problems)

    def _event_problems(self, owner: str) -> list[str]:
        if self.typ != "gmN":
            return [] if self.events is None else [f"{owner}: events belongs to gmN only, typ is {self.typ!r}"]
        events: Any = self.events
        if isinstance(events, bool) or not isinstance(events, numbers.Integral) or int(events) < 0:
            return [f"{owner}: events is {events!r}, expected the number of events counted in the sideband"]
        return []

    def _aliases(
        self, owner: str, cells: Mapping[tuple[str, str], CellValue]
    ) -> tuple[dict[tuple[str, str], str], list[str]]:
        alias = self.coffea_name_alias
        default = dict.fromkeys(cells, self.name)
        if alias is None:
            return default, []
        if not is_shape_kind(str(self.typ)):
            return default, [f"{owner}: coffea_name_alias belongs to shape kinds, typ is {self.typ!r}"]
        if isinstance(alias, str):
            return dict.fromkeys(cells, alias), []
        if not isinstance(alias, Mapping):
            return default, [f"{owner}: coffea_name_alias is {alias!r}, expected text or {{process: variation}}"]
        processes = {process for process, _ in cells}
        problems = [
            f"{owner}: coffea_name_alias names process {process!r}, which it does not apply to; "
            f"{nearest(str(process), processes)}"
            for process in alias
            if process not in processes
        ]
        for key in cells:
            given = alias.get(key[0])
            given = given.get(key[1]) if isinstance(given, Mapping) else given
            if given is None:
                continue
            if isinstance(given, str):
                default[key] = given
            else:
                problems.append(f"{owner}: coffea_name_alias of {key[0]!r} is {given!r}, expected text")
        return default, problems


def _group_problem(name: str) -> str | None:
    if name == "autoMCStats":
        return "the group 'autoMCStats' is Combine's own, of all bin-by-bin parameters; choose another name"
    return name_problem("group", name)


def _one_or_many(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _kind(systematic: SystematicUncertainty) -> str:
    return systematic.typ if systematic.events is None else f"{systematic.typ} {systematic.events}"


def _number_or_pair(value: object, *, allow_pair: bool) -> CellValue | str:
    """Return the value as floats, or what is wrong with it."""
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 2 and allow_pair:
        parts = [_positive(part) for part in value]
        return (parts[0], parts[1]) if parts[0] is not None and parts[1] is not None else "must be positive numbers"
    number = _positive(value)
    if number is not None:
        return number
    return "must be a positive number" + (" or a pair (down, up) of them" if allow_pair else "")


def _positive(value: object) -> float | None:
    if isinstance(value, bool | str) or getattr(value, "ndim", 0) != 0:
        return None
    try:
        number = float(value)  # type: ignore[arg-type]  # whatever converts: numpy scalars, Decimal, int
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) and number > 0 else None


def _nested(cells: Mapping[tuple[str, str], Any]) -> dict[str, dict[str, Any]]:
    nested: dict[str, dict[str, Any]] = {}
    for (process, year), value in cells.items():
        nested.setdefault(process, {})[year] = value
    return nested


class Systematics(DeclarationDict[SystematicUncertainty]):
    """The uncertainties of an analysis, by `datacard_name` and in order.

    Declarations with one `datacard_name` and one `typ` that cover different (process, year) cells become one nuisance.

    Raises:
        DeclarationError: If two declarations of one nuisance overlap or differ in kind, naming both.

    Examples:
        >>> rows = Systematics([
        ...     SystematicUncertainty(name="lumi_2017", typ="lnN", processes=["ttbar"], years=["2017"], value=1.02,
        ...                           datacard_name="lumi_13TeV"),
        ...     SystematicUncertainty(name="lumi_2018", typ="lnN", processes=["ttbar"], years=["2018"], value=1.015,
        ...                           datacard_name="lumi_13TeV"),
        ... ])
        >>> rows["lumi_13TeV"].cells
        {('ttbar', '2017'): 1.02, ('ttbar', '2018'): 1.015}
    """

    item_type = SystematicUncertainty
    key_attribute = "datacard_name"

    def add(self, item: SystematicUncertainty) -> None:
        """Put a declaration in, joined with the one of the same `datacard_name` if there is one."""
        key = self._key(item)
        super(DeclarationDict, self).__setitem__(key, self[key].joined(item) if key in self else item)
