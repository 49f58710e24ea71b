"""The report of a build: for people, and as JSON."""

from __future__ import annotations

from typing import Any

from pocket_combine.build.analysis import Analysis
from pocket_combine.build.channel import BuiltChannel
from pocket_combine.build.job import BuildReport
from pocket_combine.cli.console import products
from pocket_combine.cli.findings import show_findings
from pocket_combine.cli.tables import yield_tables
from pocket_combine.wording import counted

__all__ = ["report_as_dict", "show_report"]

# No process can have these names, which hold blanks.
_BACKGROUND, _TOTAL, _DATA = "all backgrounds", "all processes", "observed data"


def _yields(channel: BuiltChannel, analysis: Analysis) -> dict[str, dict[str, float]]:
    """Return the events of a channel by process and year, in order of declaration."""
    columns = dict(zip(channel.templates.columns, channel.templates.integrals().tolist(), strict=True))
    result: dict[str, dict[str, float]] = {}
    for column in analysis.mc_processes.columns(analysis.years):
        if column.name in columns:
            result.setdefault(column.process.name, {})[column.year] = columns[column.name]
    return result


def show_report(report: BuildReport, analysis: Analysis, *, with_data: bool) -> None:
    """Print what was built.

    Args:
        report: What the builder says.
        analysis: What was built from.
        with_data: Whether the observation are data.
    """
    console = products()
    rows = {}
    for channel in report.channels.values():
        by_process = {name: sum(by_year.values()) for name, by_year in _yields(channel, analysis).items()}
        signals = {name for name in by_process if analysis.mc_processes[name].is_signal}
        background = sum(value for name, value in by_process.items() if name not in signals)
        rows[channel.name] = {**by_process, _BACKGROUND: background, _TOTAL: sum(by_process.values())}
        if with_data and channel.templates.observation is not None:
            rows[channel.name][_DATA] = float(channel.templates.observation.sum())
    years = f", {len(analysis.years)} years together" if len(analysis.years) > 1 else f", {analysis.years[0]}"
    console.print(f"Expected events in each channel{years}", style="bold")
    for table in yield_tables(rows, first="Process", last=(_BACKGROUND, _TOTAL, _DATA), width=console.width):
        console.print()
        console.print(table)
    console.print()
    show_findings(report.findings)
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


def report_as_dict(report: BuildReport, analysis: Analysis, *, with_data: bool) -> dict[str, Any]:
    """Return what was built as plain values for JSON; yields are in events, by process and year."""
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
