"""What looks wrong about declarations by themselves, whatever the outputs hold."""

from __future__ import annotations

from collections.abc import Mapping

from pocket_combine.build.coverage import SUBSAMPLE_SEPARATOR
from pocket_combine.build.plan import Plan
from pocket_combine.findings import Finding, Severity
from pocket_combine.processes import MCProcess
from pocket_combine.systematics import Systematics

__all__ = ["check_declarations"]


def check_declarations(plan: Plan, systematics: Systematics) -> list[Finding]:
    """Return what looks wrong about the declarations of a plan, each matter once.

    Examples:
        >>> from pocket_combine.build.plan import make_plan
        >>> from pocket_combine.processes import MCProcesses
        >>> processes = MCProcesses([
        ...     MCProcess(name="sig", samples=["Sig"], years=["2018"], is_signal=True),
        ...     MCProcess(name="tt", samples=["TT"], years=["2018"], is_signal=False),
        ...     MCProcess(name="ttb", samples=["TT__b"], years=["2018"], is_signal=False),
        ... ])
        >>> print(*check_declarations(make_plan(processes, Systematics([]), ["2018"]), Systematics([])))
        warning [shared-sample] sample TT: counted twice in 2018, for it is in process tt, and its subsample TT__b in \
process ttb — list every sample in one process
    """
    processes = {column.process.name: column.process for column in plan.columns}
    return [
        *_no_signal(processes),
        *_signal_rate_parameters(processes),
        *_shared_samples(plan),
        *_unknown_years(processes, systematics),
        *_without_effect(systematics),
    ]


def _no_signal(processes: Mapping[str, MCProcess]) -> list[Finding]:
    if any(process.is_signal for process in processes.values()):
        return []
    return [
        Finding(
            "no-signal",
            Severity.ERROR,
            "mc_processes",
            "no process is a signal, which Combine refuses",
            "declare one with is_signal=True, or give text2workspace.py the option --X-allow-no-signal",
        )
    ]


def _signal_rate_parameters(processes: Mapping[str, MCProcess]) -> list[Finding]:
    return [
        Finding(
            "signal-rate-parameter",
            Severity.WARNING,
            f"process {process.name}",
            "has_rateParam=True has no effect on a signal: its yield is the parameter of interest",
            "set has_rateParam=False, or is_signal=False",
        )
        for process in processes.values()
        if process.is_signal and process.has_rateParam
    ]


def _shared_samples(plan: Plan) -> list[Finding]:
    """Return samples whose events are counted more than once, in one process or in several of a year."""
    owners: dict[str, dict[str, list[str]]] = {}
    for column in plan.columns:
        for sample in column.process.samples:
            owners.setdefault(sample, {}).setdefault(column.year, []).append(column.process.name)
    years: dict[tuple[str, str], list[str]] = {}
    for sample, by_year in owners.items():
        parent = sample.split(SUBSAMPLE_SEPARATOR)[0]
        for year, processes in by_year.items():
            if len(processes) > 1:
                where = f"it is in the processes {' and '.join(processes)}"
                years.setdefault((sample, where), []).append(year)
            if parent != sample and year in owners.get(parent, ()):
                where = f"it is in process {' and '.join(owners[parent][year])}, and its subsample {sample} in process "
                years.setdefault((parent, where + " and ".join(processes)), []).append(year)
    return [
        Finding(
            "shared-sample",
            Severity.WARNING,
            f"sample {sample}",
            f"counted twice in {', '.join(found)}, for {where}",
            "list every sample in one process",
            {"years": float(len(found))},
        )
        for (sample, where), found in years.items()
    ]


def _unknown_years(processes: Mapping[str, MCProcess], systematics: Systematics) -> list[Finding]:
    findings = []
    for row in systematics.values():
        defined = {year for process, _ in row.cells if process in processes for year in processes[process].years}
        unknown = list(dict.fromkeys(year for _, year in row.cells if year not in defined))
        if unknown and defined:
            findings.append(
                Finding(
                    "systematic-without-year",
                    Severity.WARNING,
                    f"nuisance {row.datacard_name}",
                    f"covers {', '.join(unknown)}, where none of its processes is defined (they are in "
                    f"{', '.join(sorted(defined))})",
                    "look for a misspelt year",
                )
            )
    return findings


def _without_effect(systematics: Systematics) -> list[Finding]:
    """Return log-normals whose values are all 1, for which Combine makes no parameter."""
    return [
        Finding(
            "unit-kappa",
            Severity.ERROR,
            f"nuisance {row.datacard_name}",
            f"all its values are 1: an {row.typ} of 1 does nothing",
            "a 3% uncertainty is value=1.03",
        )
        for row in systematics.values()
        if row.typ in ("lnN", "lnU") and all(value in (1.0, (1.0, 1.0)) for value in row.cells.values())
    ]
