"""What is to be collected for a set of channels: the columns, the varied templates and where they come from."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, permutations
from typing import NamedTuple

from pocket_combine.errors import DeclarationError, nearest
from pocket_combine.names import DATA, name_problem
from pocket_combine.processes import DataProcess, DataProcesses, MCProcesses, ProcessColumn
from pocket_combine.systematics import Systematics

__all__ = ["PlannedPair", "Plan", "make_plan"]


class PlannedPair(NamedTuple):
    """A varied template pair to collect.

    Attributes:
        column: Index of the column.
        nuisance: Name of the nuisance in the card.
        variation: Name of the histogram variation, without `Up` or `Down`.
    """

    column: int
    nuisance: str
    variation: str


@dataclass(frozen=True)
class Plan:
    """What to collect from every output; the same for all categories of an analysis.

    Attributes:
        columns: Columns of the card, in order.
        pairs: Varied templates, ordered by column and nuisance, as in `Templates.pairs`.
        data: The data process; `None` where data are not to be read.
        years: Years of the card.
    """

    columns: tuple[ProcessColumn, ...]
    pairs: tuple[PlannedPair, ...]
    data: DataProcess | None
    years: tuple[str, ...]

    def pairs_of(self, column: int) -> tuple[int, int]:
        """Return the first and one past the last index in `pairs` of a column."""
        return self._pair_ranges.get(column, (0, 0))

    @cached_property
    def _pair_ranges(self) -> dict[int, tuple[int, int]]:
        ranges = {}
        start = 0
        for column, pairs in groupby(self.pairs, key=lambda pair: pair.column):
            stop = start + len(list(pairs))
            ranges[column] = (start, stop)
            start = stop
        return ranges

    def without_data(self) -> Plan:
        """Return the plan for a blind build, in which no data histogram is looked at."""
        return dataclasses.replace(self, data=None)


def make_plan(
    mc_processes: MCProcesses,
    systematics: Systematics,
    years: Iterable[str],
    data_processes: DataProcesses | None = None,
) -> Plan:
    """Return the plan for a set of declarations; years and processes are walked here and nowhere else.

    Raises:
        DeclarationError: If the declarations contradict each other: a systematic for a process that is not declared or
            only for years that its processes do not have, a year without any process, more than one data process, data
            of other years. All problems are listed.

    Examples:
        >>> from pocket_combine.processes import MCProcess
        >>> from pocket_combine.systematics import SystematicUncertainty
        >>> plan = make_plan(
        ...     MCProcesses([MCProcess(name="tt", samples=["TT"], years=["2017", "2018"], is_signal=False)]),
        ...     Systematics([SystematicUncertainty("JER", "shape", ["tt"], ["2018"], 1.0)]),
        ...     ["2017", "2018"],
        ... )
        >>> [column.name for column in plan.columns], plan.pairs
        (['tt_2017', 'tt_2018'], (PlannedPair(column=1, nuisance='JER', variation='JER'),))
    """
    problems, year_list = _argument_problems(mc_processes, systematics, years, data_processes)
    if problems:
        raise DeclarationError(problems)
    columns = tuple(mc_processes.columns(year_list))
    problems = _contradictions(mc_processes, systematics, year_list, columns, data_processes)
    if problems:
        raise DeclarationError(problems)
    pairs = _plan_pairs(systematics, columns)
    problems = _coinciding_templates(columns, pairs)
    if problems:
        raise DeclarationError(problems)
    data = next(iter(data_processes.values())) if data_processes else None
    return Plan(columns, tuple(pairs), data, tuple(year_list))


def _plan_pairs(systematics: Systematics, columns: Sequence[ProcessColumn]) -> list[PlannedPair]:
    """Return the varied templates, ordered by column and nuisance."""
    by_cell: dict[tuple[str, str], list[PlannedPair]] = {}
    indices = {(column.process.name, column.year): index for index, column in enumerate(columns)}
    for name, row in sorted(systematics.items()):
        if row.is_shape:
            for cell in row.cells.keys() & indices.keys():
                by_cell.setdefault(cell, []).append(PlannedPair(indices[cell], name, row.variation(*cell)))
    return [pair for cell in indices for pair in by_cell.get(cell, ())]


def _argument_problems(
    mc_processes: object, systematics: object, years: object, data_processes: object
) -> tuple[list[str], list[str]]:
    problems = []
    for argument, value, expected in (
        ("mc_processes", mc_processes, MCProcesses),
        ("systematics", systematics, Systematics),
        ("data_processes", data_processes, DataProcesses),
    ):
        if not isinstance(value, expected) and not (argument == "data_processes" and value is None):
            problems.append(f"{argument} is a {type(value).__name__}, expected {expected.__name__}([...])")
    if isinstance(years, str) or not isinstance(years, Iterable):
        return [*problems, f"years is {years!r}, expected a list of years"], []
    year_list = list(years)
    texts = [name_problem("year", year, leading_digit=True) for year in year_list]
    problems += [text for text in texts if text]
    if not year_list:
        problems.append("years is empty")
    if len({str(year) for year in year_list}) != len(year_list):
        problems.append(f"years names a year twice: {year_list}")
    return problems, year_list


def _contradictions(
    mc_processes: MCProcesses,
    systematics: Systematics,
    years: list[str],
    columns: tuple[ProcessColumn, ...],
    data_processes: DataProcesses | None,
) -> list[str]:
    declared = {process.name: set(process.years) for process in mc_processes.values()}
    problems = _column_problems(columns, years, {year for found in declared.values() for year in found})
    for row in systematics.values():
        unknown = {process: None for process, _ in row.cells if process not in declared}
        problems += [
            f"systematic {row.name!r} applies to process {process!r}, which is not declared; "
            f"{nearest(process, declared)}"
            for process in unknown
        ]
        reached = any(cell[1] in declared.get(cell[0], ()) for cell in row.cells)
        if not reached and not unknown:
            problems.append(
                f"systematic {row.name!r} covers {sorted({year for _, year in row.cells})}, "
                f"and none of its processes is defined in any of these years"
            )
    return problems + ([] if data_processes is None else _data_problems(data_processes, years))


def _column_problems(columns: Sequence[ProcessColumn], years: Sequence[str], known: set[str]) -> list[str]:
    if not columns:
        return [f"no process is defined for any of the years {list(years)}; {nearest(years[0], known)}"]
    covered = {column.year for column in columns}
    problems = [
        f"no process is defined for {year!r} of the years {list(years)}; {nearest(year, known)}"
        for year in years
        if year not in covered
    ]
    names = [column.name for column in columns]
    for name in sorted({name for name in names if names.count(name) > 1}):
        problems.append(f"two (process, year) pairs give the same column {name!r}: rename one of the processes")
    if DATA in names:
        problems.append(f"a (process, year) pair gives the column {DATA!r}, which is reserved for data: rename it")
    return problems


def _coinciding_templates(columns: Sequence[ProcessColumn], pairs: Sequence[PlannedPair]) -> list[str]:
    """Return pairs whose templates have one name, as `post_b` of column `a_2022` and `b` of `a_2022_post`."""
    names = [column.name for column in columns]
    nested = [(short, long) for short, long in permutations(names, 2) if long.startswith(f"{short}_")]
    there = {(names[pair.column], pair.nuisance): None for pair in pairs} if nested else {}
    problems = []
    for short, long in nested:
        rest = long.removeprefix(f"{short}_")
        problems += [
            f"nuisance {f'{rest}_{nuisance}'!r} in column {short!r} and nuisance {nuisance!r} in column {long!r} "
            "give templates of one name: rename one of the nuisances"
            for name, nuisance in there
            if name == long and (short, f"{rest}_{nuisance}") in there
        ]
    return problems


def _data_problems(data_processes: DataProcesses, years: Sequence[str]) -> list[str]:
    if len(data_processes) != 1:
        return [
            f"data_processes holds {len(data_processes)} processes {list(data_processes)}, expected exactly one "
            "(leave the argument out for a card without data)"
        ]
    (data,) = data_processes.values()
    missing = [year for year in years if year not in data.years]
    if not missing:
        return []
    return [
        f"data process {data.name!r} has the years {data.years}, but the card includes {', '.join(missing)} too: "
        "simulation and data must be of the same years"
    ]
