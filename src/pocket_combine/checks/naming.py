"""Checks of nuisance names against the conventions of a collaboration, and templates for what has to be described.

The rules are those of CMS' `check_names.py`: a name follows the convention if an entry of the master dictionary
matches it as a whole; any other one belongs to the analysis and needs an entry of class `custom` with a description in
the dictionary of the analysis. The convention for those names is `CMS_<analysis>_…`, with the analysis as in CADI.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Sequence

from pocket_combine.card.model import Card
from pocket_combine.checks.finding import CheckFinding, Where, found
from pocket_combine.checks.naming_dictionary import CUSTOM, NamingDictionary
from pocket_combine.checks.similar_names import SimilarNames
from pocket_combine.findings import Severity

__all__ = ["NAMING_CODES", "check_nuisance_names", "description_template"]

NAMING_CODES = ("name-not-in-convention", "name-without-description", "name-of-another-class")
"""Codes of the findings of `check_nuisance_names`."""

_CUSTOM_NAME = re.compile(r"CMS_(?P<analysis>[A-Z]{2,4}-?\d{2}-?\d{3})_\w+")
_NOTHING = NamingDictionary((), "no dictionary")


def check_nuisance_names(
    card: Card, master: NamingDictionary, analysis: NamingDictionary = _NOTHING
) -> list[CheckFinding]:
    """Return what does not follow the naming convention, in the order of the card.

    The convention is about nuisance rows and `param` lines, not about rate parameters.

    Args:
        card: The card.
        master: The dictionary of the collaboration.
        analysis: The dictionary of the analysis.

    Examples:
        >>> from pocket_combine.card.model import Channel, Column, Nuisance
        >>> master = NamingDictionary.of({"luminosity": {"lumi_(2017|2018)": {"description": "Luminosity"}}})
        >>> card = Card(
        ...     channels=(Channel("SR", 5),),
        ...     columns=(Column("SR", "signal", 0, 1), Column("SR", "background", 1, 5)),
        ...     nuisances=(Nuisance("lumi_2018", "lnN", (1.02, 1.02)), Nuisance("lumi2017", "lnN", (1.02, 1.02))),
        ... )
        >>> for finding in check_nuisance_names(card, master):
        ...     print(finding)
        warning [name-not-in-convention] nuisance lumi2017: is in no dictionary — did you mean lumi_2017 or lumi_2018?
    """
    findings = []
    for name in card.all_nuisance_names:
        own = analysis.find(name)
        if own is None and master.find(name) is not None:
            continue
        finding = _undeclared(name, master) if own is None else _declared(name, own.group, own.description, master)
        if finding is not None:
            findings.append(finding)
    return findings


def _undeclared(name: str, master: NamingDictionary) -> CheckFinding:
    where = Where(nuisance=name)
    if _CUSTOM_NAME.fullmatch(name):
        message = "is named as one of this analysis, but has no entry in its dictionary"
        return found("name-without-description", Severity.WARNING, where, message, "describe it, with class custom")
    close = master.similar.nearest(name)
    advice = f"did you mean {' or '.join(close)}?" if close else "if only this analysis has it: CMS_<analysis>_<name>"
    return found("name-not-in-convention", Severity.WARNING, where, "is in no dictionary", advice)


def _declared(name: str, group: str, description: str, master: NamingDictionary) -> CheckFinding | None:
    """Return what is wrong with a name that the dictionary of the analysis has."""
    where = Where(nuisance=name)
    if group == CUSTOM:
        if description:
            return None
        message = "is of class custom and has no description"
        return found("name-without-description", Severity.WARNING, where, message, "say what it is")
    known = [entry for entry in master.entries if entry.group == group]
    if not known:
        groups = sorted({entry.group for entry in master.entries})
        message = f"is declared with class {group}, which the convention does not have"
        close = difflib.get_close_matches(group, groups, n=1)
        advice = f"did you mean {close[0]}?" if close else "take a class of the convention, or custom"
        return found("name-of-another-class", Severity.WARNING, where, message, advice)
    if any(entry.matches(name) for entry in known):
        return None
    names = [example for entry in known for example in entry.examples()]
    close = SimilarNames(names).nearest(name) or names[:3]
    message = f"is declared with class {group}, whose names do not have it"
    return found("name-not-in-convention", Severity.WARNING, where, message, f"did you mean {' or '.join(close)}?")


def description_template(
    card: Card, master: NamingDictionary, analysis: NamingDictionary = _NOTHING, *, cadi: str = ""
) -> str:
    """Return the dictionary of the analysis as YAML text, ready to be completed.

    Entries that exist are kept; names of the convention get its class and description; the others get class `custom`
    and a description to be filled in, with the name that the convention asks for as a comment.

    Args:
        card: The card.
        master: The dictionary of the collaboration.
        analysis: The dictionary of the analysis, as far as it exists.
        cadi: The analysis, such as `HIG-17-020`; for the names in comments.

    Examples:
        >>> from pocket_combine.card.model import Channel, Column, Nuisance
        >>> master = NamingDictionary.of({"luminosity": {"lumi_(2017|2018)": {"description": "Luminosity"}}})
        >>> card = Card(
        ...     channels=(Channel("SR", 5),),
        ...     columns=(Column("SR", "signal", 0, 1), Column("SR", "background", 1, 5)),
        ...     nuisances=(Nuisance("lumi_2018", "lnN", (1.02, 1.02)), Nuisance("norm_fakes", "lnN", (None, 1.3))),
        ... )
        >>> print(description_template(card, master, cadi="HIG-17-020"), end="")
        lumi_2018:
          class: luminosity
          description: "Luminosity"
        norm_fakes:  # to be named CMS_HIG17020_norm_fakes
          class: custom
          description: ""  # what it is: source, size, which processes
    """
    lines: list[str] = []
    for name in card.all_nuisance_names:
        entry = analysis.find(name) or master.find(name)
        if entry is not None and (entry.group != CUSTOM or entry.description):
            lines += [
                f"{_scalar(name)}:",
                f"  class: {_scalar(entry.group)}",
                f"  description: {_text(entry.description)}",
            ]
            continue
        lines += _custom_lines(name, cadi)
    return "\n".join(lines) + "\n" if lines else ""


def _custom_lines(name: str, cadi: str) -> Sequence[str]:
    comment = ""
    if not _CUSTOM_NAME.fullmatch(name):
        analysis = cadi.replace("-", "") or "<analysis>"
        comment = f"  # to be named CMS_{analysis}_{name.removeprefix('CMS_')}"
    hint = "  # what it is: source, size, which processes"
    return f"{_scalar(name)}:{comment}", f"  class: {CUSTOM}", f'  description: ""{hint}'


def _scalar(text: str) -> str:
    """Return a text as a YAML scalar; quoted where plain text could mean something else."""
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", text) and text.lower() not in _YAML_WORDS
    return text if plain else _text(text)


def _text(text: str) -> str:
    # A JSON string is a YAML string.
    return json.dumps(text, ensure_ascii=False)


_YAML_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf"})
