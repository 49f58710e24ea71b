"""`pocket-combine build`: from an analysis file and outputs to datacards."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from pocket_combine.build.analysis import Analysis, load_analysis
from pocket_combine.build.channel import BuiltChannel
from pocket_combine.build.job import BuildReport, build_cards
from pocket_combine.cli.command import Command
from pocket_combine.cli.console import ExitCode, print_json, products, progress_bar, show_error
from pocket_combine.cli.tables import counted, findings_table, yield_tables
from pocket_combine.errors import FindingsError, MissingInputError, join_problems
from pocket_combine.execution import DaskExecutor, Executor, ProcessExecutor, SerialExecutor
from pocket_combine.findings import Finding, Severity, at_least

__all__ = ["build", "build_and_report"]

_SEVERITIES = {"error": Severity.ERROR, "warning": Severity.WARNING}
_BACKGROUND, _TOTAL, _DATA = "all backgrounds", "all processes", "data"


@click.command(
    cls=Command,
    examples=[
        "pocket-combine build analysis.py output_all.coffea -o datacards",
        "pocket-combine build analysis.py outputs/*.coffea --jobs 4 --blind",
    ],
)
@click.argument("analysis", type=click.Path(path_type=Path), metavar="ANALYSIS.py")
@click.argument("outputs", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="OUTPUT...")
@click.option(
    "-o",
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("datacards"),
    show_default=True,
    help="Folder for the cards, made if it does not exist.",
)
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    default=1,
    show_default=True,
    help="Number of processes that read the outputs.",
)
@click.option("--dask", metavar="ADDRESS", help="Scheduler of a Dask cluster that reads them, such as tcp://host:8786.")
@click.option("--blind", is_flag=True, help="Put the sum of all processes in place of the data, which are not read.")
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "never"]),
    default="error",
    show_default=True,
    help="Severity of findings from which on the exit status is 1.",
)
@click.option("--no-strict", is_flag=True, help="Write cards in spite of findings of severity error.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def build(
    analysis: Path,
    outputs: tuple[Path, ...],
    directory: Path,
    jobs: int,
    dask: str | None,
    blind: bool,
    fail_on: str,
    no_strict: bool,
    as_json: bool,
) -> ExitCode:
    """Build the datacards of an analysis.

    ANALYSIS.py is a Python file that declares `years`, `mc_processes`, `systematics` and `categories`, and usually
    `data_processes` and `label`. Each OUTPUT is a .coffea file; several are added up. For every category a card and a
    ROOT file with its templates are written, and a script that combines the cards.

    Exit status: 0 if all is well, 1 if there are findings of the severity of --fail-on or worse, 2 if no cards were
    written.
    """
    if dask and jobs > 1:
        raise click.UsageError("--jobs and --dask exclude each other: outputs are read in one place")
    with _executor(jobs, dask) as executor:
        return build_and_report(
            analysis,
            outputs,
            directory,
            executor=executor,
            blind=blind,
            strict=not no_strict,
            fail_on=_SEVERITIES.get(fail_on),
            as_json=as_json,
        )


def build_and_report(
    analysis_file: Path,
    outputs: Sequence[Path],
    directory: Path,
    *,
    executor: Executor,
    blind: bool,
    strict: bool,
    fail_on: Severity | None,
    as_json: bool,
) -> ExitCode:
    """Build the cards, print the report on standard output, and return the exit code.

    Args:
        analysis_file: The analysis file.
        outputs: Output files.
        directory: Folder for the cards.
        executor: What reads the outputs.
        blind: Whether to leave the data out.
        strict: Whether to write nothing if there is a finding of severity *error*.
        fail_on: Severity from which on findings make the exit code `FINDINGS`; `None` for never.
        as_json: Whether the report is JSON.

    Raises:
        PocketCombineError: If the cards cannot be built for another reason than findings.
    """
    _require_files(outputs)
    analysis = load_analysis(analysis_file)
    try:
        with progress_bar("Reading outputs") as progress:
            report = build_cards(
                analysis, outputs, directory, executor=executor, blind=blind, strict=strict, progress=progress
            )
    except FindingsError as error:
        _show_findings(error.findings, as_json=as_json)
        show_error(
            f"{counted(len(error.findings), 'finding')} of severity error, so no card was written; "
            "--no-strict writes them all the same"
        )
        return ExitCode.FAILED
    with_data = analysis.data_processes is not None and not blind
    if as_json:
        print_json(_as_dict(report, analysis, with_data=with_data))
    else:
        _show_report(report, analysis, with_data=with_data)
    worst = [] if fail_on is None else at_least(report.findings, fail_on)
    return ExitCode.FINDINGS if worst else ExitCode.CLEAN


@contextlib.contextmanager
def _executor(jobs: int, dask: str | None) -> Iterator[Executor]:
    if dask:
        with DaskExecutor.connect(dask) as executor:
            yield executor
    else:
        yield ProcessExecutor(jobs) if jobs > 1 else SerialExecutor()


def _require_files(paths: Sequence[Path]) -> None:
    """Find missing outputs before others are read for an hour."""
    missing = [f"output {path} is not a file" for path in paths if not path.is_file()]
    if missing:
        raise MissingInputError(join_problems(missing))


def _yields(channel: BuiltChannel, analysis: Analysis) -> dict[str, dict[str, float]]:
    """Return the events of a channel by process and year, in order of declaration."""
    columns = dict(zip(channel.templates.columns, channel.templates.integrals().tolist(), strict=True))
    result: dict[str, dict[str, float]] = {}
    for column in analysis.mc_processes.columns(analysis.years):
        if column.name in columns:
            result.setdefault(column.process.name, {})[column.year] = columns[column.name]
    return result


def _show_report(report: BuildReport, analysis: Analysis, *, with_data: bool) -> None:
    console = products()
    rows = {}
    for channel in report.channels.values():
        by_process = {name: sum(by_year.values()) for name, by_year in _yields(channel, analysis).items()}
        signals = {name for name in by_process if analysis.mc_processes[name].is_signal}
        background = sum(value for name, value in by_process.items() if name not in signals)
        rows[channel.name] = {**by_process, _BACKGROUND: background, _TOTAL: sum(by_process.values())}
        if with_data and channel.templates.observation is not None:
            rows[channel.name][_DATA] = float(channel.templates.observation.sum())
    console.print(f"Expected events in each channel, {counted(len(analysis.years), 'year')} together", style="bold")
    for table in yield_tables(rows, first="Process", last=(_BACKGROUND, _TOTAL, _DATA), width=console.width):
        console.print()
        console.print(table)
    console.print()
    _show_findings(report.findings, as_json=False)
    console.print()
    console.print(f"{counted(len(report.channels), 'card')} in {report.directory}:", style="bold")
    for name, channel in report.channels.items():
        counts = (
            counted(channel.templates.bins, "bin"),
            counted(len(channel.card.columns), "column"),
            counted(len(channel.card.nuisance_names), "nuisance"),
        )
        console.print(f"  {name}  ({', '.join(counts)})", soft_wrap=True)
    console.print(f"  {report.combination}  combines them, where Combine is installed", soft_wrap=True)


def _show_findings(findings: Sequence[Finding], *, as_json: bool) -> None:
    if as_json:
        print_json({"findings": [finding.to_dict() for finding in findings]})
        return
    console = products()
    counts = [
        counted(sum(finding.severity == severity for finding in findings), name)
        for severity, name in ((Severity.ERROR, "error"), (Severity.WARNING, "warning"), (Severity.INFO, "note"))
    ]
    console.print(f"Findings: {', '.join(counts)}" if findings else "Findings: none", style="bold")
    if findings:
        console.print()
        console.print(findings_table(findings))


def _as_dict(report: BuildReport, analysis: Analysis, *, with_data: bool) -> dict[str, Any]:
    cards = {}
    for name, channel in report.channels.items():
        observed = channel.templates.observation
        cards[name] = {
            "channel": channel.name,
            "bins": channel.templates.bins,
            "columns": len(channel.card.columns),
            "nuisances": len(channel.card.nuisance_names),
            "yields": _yields(channel, analysis),
            "observation": float(observed.sum()) if with_data and observed is not None else None,
        }
    return {
        "directory": str(report.directory),
        "cards": cards,
        "combination": report.combination,
        "findings": [finding.to_dict() for finding in report.findings],
    }
