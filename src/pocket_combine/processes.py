"""The physics processes of a datacard, as the analysis declares them.

Every (process, year) pair is one column of the card, named `process_year`; data is one column, summed over years.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from pocket_combine.declarations import DeclarationDict, text_list
from pocket_combine.errors import DeclarationError
from pocket_combine.names import DATA, column_name, name_problem

__all__ = ["MCProcess", "MCProcesses", "DataProcess", "DataProcesses", "ProcessColumn"]


@dataclass(frozen=True)
class MCProcess:
    """A simulated process: one datacard column per year.

    Attributes:
        name: Name of the process; the columns are `name_year`.
        samples: Analysis samples (keys of the histogram dictionary) that are summed into it.
        years: Years for which it is defined.
        is_signal: Whether Combine is to treat it as signal (process id 0 or less).
        has_rateParam: Whether a free parameter `SF_<name>` floats its yield in all years together. Signals get none:
            their yield is the parameter of interest.
        label: Text for figures; the name by default.
        rateParam_value: Initial value of the rate parameter.
        rateParam_range: Allowed range of the rate parameter.

    Raises:
        DeclarationError: If a field can never be right; all problems are listed.

    Examples:
        >>> MCProcess(name="ttbar", samples=["TTbar"], years=["2018"], is_signal=False, has_rateParam=True).label
        'ttbar'
        >>> MCProcess(name="dy", samples="DYJets", years=["2018"], is_signal=False)
        Traceback (most recent call last):
        pocket_combine.errors.DeclarationError: MCProcess 'dy': samples is the text 'DYJets', expected a list: \
samples=['DYJets']
    """

    name: str
    samples: list[str]
    years: list[str]
    is_signal: bool
    has_rateParam: bool = False
    label: str | None = None
    rateParam_value: float = 1.0
    rateParam_range: tuple[float, float] = (0.0, 5.0)

    def __post_init__(self) -> None:
        owner = f"MCProcess {self.name!r}"
        problems = _set_lists(self, owner)
        for field in ("is_signal", "has_rateParam"):
            value = getattr(self, field)
            if not isinstance(value, bool):
                problems.append(f"{owner}: {field} is {value!r}, expected True or False")
        if self.name == DATA:
            problems.append(f"{owner}: the name {DATA!r} is reserved for data, declare a DataProcess")
        problems += self._range_problems(owner)
        if problems:
            raise DeclarationError(problems)

    def _range_problems(self, owner: str) -> list[str]:
        try:
            low, high = (float(edge) for edge in self.rateParam_range)
            value = float(self.rateParam_value)
        except (TypeError, ValueError):
            return [
                f"{owner}: rateParam_value {self.rateParam_value!r} and rateParam_range {self.rateParam_range!r} "
                "must be a number and a pair of numbers"
            ]
        if not (math.isfinite(low) and math.isfinite(high) and low <= value <= high and low < high):
            return [f"{owner}: rateParam_value {value:g} lies outside rateParam_range [{low:g},{high:g}]"]
        object.__setattr__(self, "rateParam_range", (low, high))
        object.__setattr__(self, "rateParam_value", value)
        return []

    @property
    def floats(self) -> bool:
        """Whether the card gives this process a rate parameter; the one place where that is decided."""
        return self.has_rateParam and not self.is_signal


@dataclass(frozen=True)
class DataProcess:
    """The observation: one column `data_obs`, summed over years.

    Attributes:
        name: `data_obs`, the name that Combine expects.
        samples: Data samples (keys of the histogram dictionary) that are summed.
        years: Years of data taking.
        label: Text for figures; the name by default.

    Raises:
        DeclarationError: If a field can never be right; all problems are listed.

    Examples:
        >>> DataProcess(name="data_obs", samples=["DATA_SingleMuon"], years=["2018"]).samples
        ['DATA_SingleMuon']
    """

    name: str
    samples: list[str]
    years: list[str]
    label: str | None = None

    def __post_init__(self) -> None:
        owner = f"DataProcess {self.name!r}"
        problems = _set_lists(self, owner)
        if self.name != DATA:
            problems.append(f"{owner}: Combine expects the observation under the name {DATA!r}, set name={DATA!r}")
        if problems:
            raise DeclarationError(problems)


def _set_lists(process: MCProcess | DataProcess, owner: str) -> list[str]:
    """Normalise the fields that both kinds share, and return what is wrong with them."""
    problem = name_problem("process", process.name, leading_digit=True)
    problems = [f"{owner}: {problem}"] if problem else []
    for field in ("samples", "years"):
        items, found = text_list(owner, field, getattr(process, field))
        object.__setattr__(process, field, items)
        problems += found
    for year in process.years:
        problem = name_problem("year", year, leading_digit=True)
        if problem:
            problems.append(f"{owner}: {problem}")
    if process.label is None:
        object.__setattr__(process, "label", process.name)
    return problems


@dataclass(frozen=True)
class ProcessColumn:
    """One column of a card: a process in a year.

    Attributes:
        process: The declared process.
        year: The year.
        process_id: Combine's id: 0, -1, … for signals, 1, 2, … for backgrounds, in order of declaration.
    """

    process: MCProcess
    year: str
    process_id: int

    @property
    def name(self) -> str:
        """Name of the column, `process_year`."""
        return column_name(self.process.name, self.year)


class MCProcesses(DeclarationDict[MCProcess]):
    """The simulated processes of an analysis, by name and in order.

    Examples:
        >>> processes = MCProcesses([
        ...     MCProcess(name="signal", samples=["Sig"], years=["2017", "2018"], is_signal=True),
        ...     MCProcess(name="ttbar", samples=["TTbar"], years=["2018"], is_signal=False),
        ... ])
        >>> processes.signal_processes, processes.background_processes, processes.n_processes
        (['signal_2017', 'signal_2018'], ['ttbar_2018'], 3)
    """

    item_type = MCProcess

    def columns(self, years: Iterable[str] | None = None) -> list[ProcessColumn]:
        """Return the columns of the card, process by process and year by year in order of declaration.

        Args:
            years: Years to include; all by default.
        """
        wanted = None if years is None else set(years)
        columns = []
        signals = backgrounds = 0
        for process in self.values():
            for year in process.years:
                if wanted is not None and year not in wanted:
                    continue
                if process.is_signal:
                    process_id = -signals
                    signals += 1
                else:
                    backgrounds += 1
                    process_id = backgrounds
                columns.append(ProcessColumn(process, year, process_id))
        return columns

    @property
    def signal_processes(self) -> list[str]:
        """Names of the signal columns, `process_year`."""
        return [column.name for column in self.columns() if column.process.is_signal]

    @property
    def background_processes(self) -> list[str]:
        """Names of the background columns, `process_year`."""
        return [column.name for column in self.columns() if not column.process.is_signal]

    @property
    def n_processes(self) -> int:
        """Number of columns: processes counted once per year."""
        return len(self.columns())


class DataProcesses(DeclarationDict[DataProcess]):
    """The data process of an analysis; a card takes exactly one.

    Examples:
        >>> list(DataProcesses([DataProcess(name="data_obs", samples=["DATA_SingleMuon"], years=["2018"])]))
        ['data_obs']
    """

    item_type = DataProcess
