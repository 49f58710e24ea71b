"""Checks of names against each other: idle rows, likely typing errors, years that are missing or mixed up."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from pocket_combine.checks.finding import CheckFinding, Where, found
from pocket_combine.checks.shapes import without_effect
from pocket_combine.checks.subject import Subject
from pocket_combine.checks.thresholds import Thresholds
from pocket_combine.findings import Severity

__all__ = ["check_missing_years", "check_typos", "check_without_effect", "check_wrong_years", "is_slip", "years_in"]

_YEAR = re.compile(
    r"(?<![0-9A-Za-z])(?P<year>20[12]\d)_?(?P<part>preVFP|postVFP|preEE|postEE|preBPix|postBPix|APV|EE|BPix)?"
    r"(?![0-9A-Za-z])"
)
"""A year of data taking as a word of its own, with the part of the year that CMS splits it into."""

_FEWEST_NAMES = 2
"""So many other names must have a year before its absence in one is called a gap."""

_SHORTEST_WORD = 5
"""In shorter words a letter is a distinction: muR and muF, pdf_gg and pdf_qg."""


def years_in(name: str) -> tuple[str, ...]:
    """Return the years in a name, with their parts.

    Examples:
        >>> years_in("CMS_scale_j_2018"), years_in("JES_2022_preEE"), years_in("pt20160")
        (('2018',), ('2022preEE',), ())
    """
    return tuple(match["year"] + (match["part"] or "") for match in _YEAR.finditer(name))


def check_without_effect(subject: Subject, thresholds: Thresholds) -> Iterator[CheckFinding]:
    """Yield nuisances that act on no column of the model, or whose templates all equal nominal."""
    used = {name for line in subject.card.rate_parameters for name in line.arguments}
    used |= {name for line in subject.card.constraints for name in line.arguments}
    rows = {cell.row for cell in subject.reach.numbers} | {cell.row for cell in subject.reach.missing}
    acting = {subject.card.nuisances[row].name for row in rows}
    for channel in subject.channels:
        nothing = without_effect(channel, thresholds).tolist()
        acting |= {nuisance.name for nuisance, idle in zip(channel.nuisances, nothing, strict=True) if not idle}
    for name, columns in subject.columns_by_nuisance.items():
        where = Where(nuisance=name)
        if name in acting or name in used:
            continue
        if columns:
            message = f"Up and Down equal nominal in all {len(columns)} columns: it does nothing"
            advice = "find out why the variation was not applied, or remove the row"
            yield found("nuisance-equals-nominal", Severity.WARNING, where, message, advice)
        else:
            message = "acts on no column with a rate other than 0: Combine drops it"
            yield found("nuisance-without-effect", Severity.INFO, where, message, "fill its cells or remove the row")


def is_slip(first: str, second: str) -> bool:
    """Return whether two names differ by what looks like a slip of the keyboard.

    That is capitals and underscores, or one letter of a longer word: missing, added, replaced or exchanged with its
    neighbour. Digits, short words and last letters are how names are told apart on purpose.

    Examples:
        >>> is_slip("CMS_scale_j", "CMS_scalej"), is_slip("pileup_2018", "pielup_2018")
        (True, True)
        >>> is_slip("JES_2017", "JES_2018"), is_slip("CMS_eff_e_trigger", "CMS_eff_m_trigger"), is_slip("etaA", "etaB")
        (False, False, False)
    """
    if _plain(first) == _plain(second):
        return first != second
    words = [(one, other) for one, other in zip(first.split("_"), second.split("_"), strict=False) if one != other]
    if first.count("_") != second.count("_") or len(words) != 1:
        return False
    one, other = (word.lower() for word in words[0])
    return min(len(one), len(other)) >= _SHORTEST_WORD and _one_letter_apart(one, other)


def _one_letter_apart(one: str, other: str) -> bool:
    """Whether one letter before the last is missing, replaced or exchanged, and no digit is concerned."""
    if len(one) < len(other):
        one, other = other, one
    if len(one) - len(other) > 1:
        return False
    at = next((at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), len(other))
    if at >= len(one) - 1:
        return False
    if len(one) > len(other):
        return one[at + 1 :] == other[at:] and not one[at].isdigit()
    exchanged = one[at : at + 2] == other[at : at + 2][::-1] and one[at + 2 :] == other[at + 2 :]
    replaced = one[at + 1 :] == other[at + 1 :]
    return (exchanged or replaced) and not any(letter.isdigit() for letter in one[at] + other[at])


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _keys(name: str) -> set[str]:
    """What two names share if they differ by one slip: the name with any one of its letters taken out."""
    plain = _plain(name)
    return {plain} | {plain[:at] + plain[at + 1 :] for at in range(len(plain))}


def check_typos(subject: Subject, _: Thresholds) -> Iterator[CheckFinding]:
    """Yield nuisances on one column whose name is, but for a slip, that of one which acts on other columns only."""
    reach = subject.columns_by_nuisance
    by_key: dict[str, list[str]] = {}
    for name, columns in reach.items():
        if len(columns) > 1:
            for key in _keys(name):
                by_key.setdefault(key, []).append(name)
    for name, columns in reach.items():
        if len(columns) != 1:
            continue
        similar = {other for key in _keys(name) for other in by_key.get(key, ())}
        for other in sorted(similar):
            if is_slip(name, other) and columns[0] not in reach[other]:
                column = subject.card.columns[columns[0]]
                where = Where(column.channel, column.process, name)
                message = (
                    f"acts on this column only, while {other} acts on {len(reach[other])} columns and not on this one"
                )
                advice = f"if {other} is meant, rename it: under two names they are not correlated"
                yield found("likely-typo", Severity.WARNING, where, message, advice)
                break


def _stem(name: str) -> str:
    return _YEAR.sub("{year}", name)


def check_missing_years(subject: Subject, _: Thresholds) -> Iterator[CheckFinding]:
    """Yield groups of nuisances that differ by their year only and lack a year that other groups have."""
    groups: dict[str, set[str]] = {}
    for name, columns in subject.columns_by_nuisance.items():
        years = years_in(name)
        if columns and len(set(years)) == 1:
            groups.setdefault(_stem(name), set()).add(years[0])
    schemes = Counter(frozenset(years) for years in groups.values())
    for stem, present in groups.items():
        larger = [(count, scheme) for scheme, count in schemes.items() if scheme > present and count >= _FEWEST_NAMES]
        if not larger:
            continue
        # The scheme that most names follow; of equally frequent ones the one with fewer years.
        count, scheme = max(larger, key=lambda item: (item[0], -len(item[1]), sorted(item[1])))
        missing = sorted(scheme - present)
        message = (
            f"there for {', '.join(sorted(present))} and not for {', '.join(missing)}, "
            f"as {count} other names are ({', '.join(sorted(scheme))})"
        )
        where = Where(nuisance=stem)
        advice = "add the row if the source exists in that year"
        yield found("missing-year", Severity.WARNING, where, message, advice, missing=len(missing))


def check_wrong_years(subject: Subject, _: Thresholds) -> Iterator[CheckFinding]:
    """Yield nuisances of one year that act on columns of another one, by the years in their names."""
    column_years = [set(years_in(column.process)) or set(years_in(column.channel)) for column in subject.card.columns]
    for name, columns in subject.columns_by_nuisance.items():
        years = {year[:4] for year in years_in(name)}
        if len(years) != 1:
            continue
        wrong = [
            index for index in columns if column_years[index] and not years & {year[:4] for year in column_years[index]}
        ]
        if not wrong:
            continue
        first = subject.card.columns[wrong[0]]
        message = (
            f"acts on {len(wrong)} columns of another year, first on process {first.process} in channel {first.channel}"
        )
        where = Where(nuisance=name)
        yield found("year-mismatch", Severity.WARNING, where, message, "look for a copied row", columns=len(wrong))
