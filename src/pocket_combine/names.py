"""The only place that formats or checks the names that stand in a card and in its ROOT file."""

from __future__ import annotations

import re

__all__ = [
    "DATA",
    "NOMINAL",
    "CATEGORY_AXIS",
    "VARIATION_AXIS",
    "SHIFTS",
    "NOMINAL_RULE",
    "SYSTEMATIC_RULE",
    "NOMINAL_RULE_DIRECTORIES",
    "SYSTEMATIC_RULE_DIRECTORIES",
    "column_name",
    "channel_name",
    "shifted_name",
    "rate_parameter_name",
    "bin_parameter_name",
    "expand_rule",
    "name_problem",
]

DATA = "data_obs"
"""The process name that Combine reserves for the observation."""

NOMINAL = "nominal"
"""The entry of the variation axis that holds the unvaried histogram."""

CATEGORY_AXIS = "cat"
"""The axis of a PocketCoffea histogram whose entries are the categories."""

VARIATION_AXIS = "variation"
"""The axis of a PocketCoffea histogram whose entries are the shifted names and the nominal one; data have none."""

SHIFTS = ("Up", "Down")
"""What is appended to a nuisance name for +1 and -1 standard deviation."""

NOMINAL_RULE = "$PROCESS_nominal"
SYSTEMATIC_RULE = "$PROCESS_$SYSTEMATIC"
NOMINAL_RULE_DIRECTORIES = "$CHANNEL/$PROCESS"
SYSTEMATIC_RULE_DIRECTORIES = "$CHANNEL/$PROCESS_$SYSTEMATIC"

_SAFE = re.compile(r"[A-Za-z0-9_]+")


def column_name(process: str, year: str) -> str:
    """Return the name of the datacard column of a process in a year.

    Examples:
        >>> column_name("ttbar", "2022_preEE")
        'ttbar_2022_preEE'
    """
    return f"{process}_{year}"


def channel_name(category: str, prefix: str | None, suffix: str | None) -> str:
    """Return Combine's bin name of a category: `[prefix_]category[_suffix]`.

    Examples:
        >>> channel_name("SR", None, "run3")
        'SR_run3'
        >>> channel_name("1btag", "cat", "")
        'cat_1btag'
    """
    return "_".join(part for part in (prefix, category, suffix) if part)


def shifted_name(name: str, shift: str) -> str:
    """Return the name of a variation, on the histogram axis or in the ROOT file.

    Examples:
        >>> shifted_name("JER", "Up")
        'JERUp'
    """
    return f"{name}{shift}"


def rate_parameter_name(process: str) -> str:
    """Return the name of the rate parameter that floats a process in all years.

    Examples:
        >>> rate_parameter_name("ttbar")
        'SF_ttbar'
    """
    return f"SF_{process}"


def bin_parameter_name(channel: str, position: int, process: str | None = None) -> str:
    """Return Combine's name of the parameter that autoMCStats gives to a bin, or to a process in a bin.

    Examples:
        >>> bin_parameter_name("SR", 3), bin_parameter_name("SR", 3, "ttbar")
        ('prop_binSR_bin3', 'prop_binSR_bin3_ttbar')
    """
    name = f"prop_bin{channel}_bin{position}"
    return name if process is None else f"{name}_{process}"


def expand_rule(rule: str, *, process: str, channel: str, systematic: str = "", mass: str = "") -> str:
    """Return a `shapes` pattern with Combine's four words filled in, in Combine's order.

    Examples:
        >>> expand_rule("$CHANNEL/$PROCESS_$SYSTEMATIC", process="ttbar", channel="SR", systematic="JERUp")
        'SR/ttbar_JERUp'
    """
    for word, value in (
        ("$PROCESS", process),
        ("$CHANNEL", channel),
        ("$SYSTEMATIC", systematic),
        ("$MASS", mass),
    ):
        rule = rule.replace(word, value)
    return rule


def name_problem(what: str, name: object, *, leading_digit: bool = False) -> str | None:
    """Return what is wrong with a name that is to stand in a card, or `None`.

    Letters, digits and underscores are safe everywhere in Combine; anything else becomes part of a formula, a path or
    two words somewhere (Combine builds parameter names such as `prop_bin<channel>_bin<j>_<process>` from them).

    Args:
        what: What is named, for the message: `process`, `nuisance`, ….
        name: The name.
        leading_digit: Whether the name may begin with a digit.

    Examples:
        >>> name_problem("process", "tt bar")
        "process name 'tt bar' holds ' ': only letters, digits and underscores are safe in a card"
        >>> name_problem("nuisance", "2018_lumi")
        "nuisance name '2018_lumi' begins with a digit, which Combine refuses or renames"
        >>> name_problem("process", "ttbar") is None
        True
    """
    if not isinstance(name, str):
        return f"{what} name {name!r} is a {type(name).__name__}, expected text"
    if not name:
        return f"{what} name is empty"
    if not _SAFE.fullmatch(name) or not name.isascii():
        found = "".join(dict.fromkeys(character for character in name if not _SAFE.fullmatch(character)))
        return f"{what} name {name!r} holds {found!r}: only letters, digits and underscores are safe in a card"
    if name[0].isdigit() and not leading_digit:
        return f"{what} name {name!r} begins with a digit, which Combine refuses or renames"
    return None
