"""The group of all figures."""

from __future__ import annotations

import click

from pocket_combine.cli.command import Group

__all__ = ["plot"]

_COMMANDS = {
    "style": "pocket_combine.cli.plots.style:style",
    "stack": "pocket_combine.cli.plots.stacks:stack",
    "yields": "pocket_combine.cli.plots.stacks:yields",
    "templates": "pocket_combine.cli.plots.templates:templates",
    "contact-sheet": "pocket_combine.cli.plots.templates:contact_sheet",
    "pulls": "pocket_combine.cli.plots.fits:pulls",
    "impacts": "pocket_combine.cli.plots.fits:impacts",
    "correlations": "pocket_combine.cli.plots.fits:correlations",
    "breakdown": "pocket_combine.cli.plots.fits:breakdown",
    "strengths": "pocket_combine.cli.plots.fits:strengths",
    "scan": "pocket_combine.cli.plots.likelihoods:scan",
    "limits": "pocket_combine.cli.plots.likelihoods:limits",
    "gof": "pocket_combine.cli.plots.toys:gof",
    "toys": "pocket_combine.cli.plots.toys:toys",
    "effects": "pocket_combine.cli.plots.effects:effects",
    "correlation-scheme": "pocket_combine.cli.plots.effects:correlation_scheme",
}


@click.group(
    cls=Group,
    examples=[
        "pocket-combine plot style datacard.txt > style.yaml",
        "pocket-combine plot scan Observed=scan.json Expected=asimov.json",
    ],
    homes=_COMMANDS,
)
def plot() -> None:
    """Draw figures and tables from saved results and cards; nothing is fitted."""
