"""`pocket-combine cards names`: the names of nuisances against a naming dictionary."""

from __future__ import annotations

from pathlib import Path

import click

from pocket_combine.card.options import CardOptions
from pocket_combine.card.parser import read_card_with_findings
from pocket_combine.checks import (
    NamingDictionary,
    check_nuisance_names,
    description_template,
    load_naming_dictionary,
)
from pocket_combine.cli.cards.many_findings import report_findings
from pocket_combine.cli.cards.reading import card_argument, card_options
from pocket_combine.cli.command import Command
from pocket_combine.cli.console import ExitCode
from pocket_combine.cli.findings import fail_on_option
from pocket_combine.findings import Severity

__all__ = ["names"]

_NO_ENTRIES = NamingDictionary((), "no dictionary")


@click.command(
    cls=Command,
    examples=[
        "pocket-combine cards names card.txt --dictionary systematics_master.yml",
        "pocket-combine cards names card.txt --dictionary master.yml --template",
    ],
)
@card_argument
@click.option(
    "--dictionary",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="Naming dictionary of the collaboration, in YAML.",
)
@click.option(
    "--analysis",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Dictionary of this analysis, which describes nuisances that only it has.",
)
@click.option("--template", is_flag=True, help="Print the dictionary of this analysis instead, to be completed.")
@click.option("--cadi", metavar="CODE", default="", help="The analysis, such as HIG-17-020, for names in the template.")
@fail_on_option("warning")
@click.option("--all", "every", is_flag=True, help="Show all findings, not only some of each kind.")
@card_options
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def names(
    card: str,
    dictionary: Path,
    analysis: Path | None,
    template: bool,
    cadi: str,
    fail_on: Severity | None,
    every: bool,
    accepted: CardOptions,
    as_json: bool,
) -> ExitCode:
    """Check nuisance names against a naming dictionary.

    Lists nuisances whose name does not follow the convention, with the nearest names that do, and nuisances of this
    analysis that are not described. Templates are not opened. CARD is a datacard, or - for standard input.
    """
    if template and as_json:
        raise click.UsageError("--template and --json exclude each other")
    master = load_naming_dictionary(dictionary)
    own = _NO_ENTRIES if analysis is None else load_naming_dictionary(analysis)
    parsed = read_card_with_findings(card, options=accepted)
    if template:
        click.echo(description_template(parsed.card, master, own, cadi=cadi), nl=False)
        return ExitCode.CLEAN
    findings = check_nuisance_names(parsed.card, master, own)
    return report_findings(parsed.source, findings, every=every, as_json=as_json, fail_on=fail_on)
