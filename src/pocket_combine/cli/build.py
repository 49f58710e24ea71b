"""`pocket-combine build`: from an analysis file and outputs to datacards."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from pocket_combine.build.analysis import load_analysis
from pocket_combine.build.job import build_cards
from pocket_combine.cli.build_report import report_as_dict, show_report
from pocket_combine.cli.command import Command
from pocket_combine.cli.console import ExitCode, print_json, progress_bar, show_error
from pocket_combine.cli.executors import executing, executor_options
from pocket_combine.cli.findings import exit_code, fail_on_option, show_findings
from pocket_combine.cli.new_files import NEW_FOLDER
from pocket_combine.cli.outputs import outputs_argument, placeholder_option
from pocket_combine.errors import FindingsError, MissingInputError, join_problems
from pocket_combine.execution import Executor
from pocket_combine.findings import Severity
from pocket_combine.io.paths import missing_file
from pocket_combine.io.pickles.trust import Allow
from pocket_combine.wording import counted

__all__ = ["build", "build_and_report"]


@click.command(
    cls=Command,
    examples=[
        "pocket-combine build analysis.py output_all.coffea -o datacards",
        "pocket-combine build analysis.py outputs/*.coffea --jobs 4 --blind",
    ],
)
@click.argument("analysis", type=click.Path(path_type=Path), metavar="ANALYSIS.py")
@outputs_argument
@click.option(
    "-o",
    "--directory",
    type=NEW_FOLDER,
    default=Path("datacards"),
    show_default=True,
    help="Folder for the cards, made if it does not exist.",
)
@executor_options("read the outputs")
@click.option("--blind", is_flag=True, help="Put the sum of all processes in place of the data, which are not read.")
@fail_on_option()
@placeholder_option
@click.option("--no-strict", is_flag=True, help="Write cards in spite of findings of severity error.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def build(
    analysis: Path,
    outputs: tuple[Path, ...],
    directory: Path,
    jobs: int,
    dask: str | None,
    blind: bool,
    fail_on: Severity | None,
    no_strict: bool,
    allow: Allow,
    as_json: bool,
) -> ExitCode:
    """Build the datacards of an analysis.

    ANALYSIS.py is a Python file that declares `years`, `mc_processes`, `systematics` and `categories`, and usually
    `data_processes` and `label`. Each OUTPUT is a .coffea file; several are added up. For every category a card and a
    ROOT file with its templates are written, and a script that combines the cards.

    Exit status: 0 if all is well, 1 if there are findings of the severity of --fail-on or worse, 2 if no cards were
    written.
    """
    if dask:
        # Workers need not have been started in this folder.
        outputs = tuple(path.absolute() for path in outputs)
    with executing(jobs, dask) as executor:
        return build_and_report(
            analysis,
            outputs,
            directory,
            executor=executor,
            blind=blind,
            strict=not no_strict,
            fail_on=fail_on,
            as_json=as_json,
            allow=allow,
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
    allow: Allow = (),
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
        allow: Further names that the outputs may use, as `load_output` takes them.

    Raises:
        PocketCombineError: If the cards cannot be built for another reason than findings.
    """
    _require_files(outputs)
    analysis = load_analysis(analysis_file)
    try:
        with progress_bar("Reading outputs") as progress:
            report = build_cards(
                analysis,
                outputs,
                directory,
                executor=executor,
                blind=blind,
                strict=strict,
                progress=progress,
                allow=allow,
            )
    except FindingsError as error:
        if as_json:
            print_json({"findings": [finding.to_dict() for finding in error.findings]})
        else:
            show_findings(error.findings)
        show_error(
            f"{counted(len(error.findings), 'finding')} of severity error, so no card was written; "
            "--no-strict writes them all the same"
        )
        return ExitCode.FAILED
    with_data = analysis.data_processes is not None and not blind
    if as_json:
        print_json(report_as_dict(report, analysis, with_data=with_data))
    else:
        show_report(report, analysis, with_data=with_data)
    return exit_code(report.findings, fail_on)


def _require_files(paths: Sequence[Path]) -> None:
    """Find missing outputs before others are read for an hour."""
    missing = [
        f"output {path} is a folder: give the files in it, as {path}/*.coffea"
        if path.is_dir()
        else f"output {path}: {missing_file(path)}"
        for path in paths
        if not path.is_file()
    ]
    if missing:
        raise MissingInputError(join_problems(missing))
