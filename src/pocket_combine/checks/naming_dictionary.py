"""Naming dictionaries: which names of nuisances a collaboration has agreed on, and what they mean.

CMS keeps one as `systematics_master.yml`, and each analysis adds one of its own; CMS' `check_names.py` reads both.
Both layouts are understood:

- by class, as the master file: `class: {name: {description: …}}`;
- by name, as the file of an analysis: `name: {class: …, description: …}`.

A name is a nuisance, or a regular expression that a whole name has to match.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pocket_combine.checks.similar_names import SimilarNames
from pocket_combine.errors import CardError
from pocket_combine.io.yaml_files import import_yaml, read_yaml

__all__ = ["CUSTOM", "NamingDictionary", "NamingEntry", "load_naming_dictionary"]

CUSTOM = "custom"
"""The class of nuisances that only one analysis has."""

_YEAR_WORD = "{year}"
_MOST_NAMES = 200


@dataclass(frozen=True)
class NamingEntry:
    """One entry of a naming dictionary.

    Attributes:
        pattern: A name, or a regular expression for whole names; `{year}` stands for any of `years`.
        group: Its class, such as `luminosity`.
        description: What the nuisance is.
        years: Years for which the entry holds, where it says so.
    """

    pattern: str
    group: str
    description: str = ""
    years: tuple[str, ...] = ()

    @cached_property
    def expression(self) -> re.Pattern[str]:
        """What a whole name has to match."""
        return re.compile(self._with_years(f"(?:{'|'.join(map(re.escape, self.years))})"))

    def _with_years(self, years: str) -> str:
        if not self.years:
            return self.pattern
        if _YEAR_WORD in self.pattern:
            return self.pattern.replace(_YEAR_WORD, years)
        return f"(?:{self.pattern})_{years}"

    def matches(self, name: str) -> bool:
        """Return whether the entry speaks of a nuisance.

        Examples:
            >>> NamingEntry("CMS_scale_j_(2017|2018)", "JES").matches("CMS_scale_j_2018")
            True
            >>> NamingEntry("lumi", "luminosity", years=("2017", "2018")).matches("lumi_2018")
            True
        """
        return name == self.pattern or self.expression.fullmatch(name) is not None

    def examples(self) -> Iterator[str]:
        """Yield names that match, as far as the expression is a list of alternatives.

        Examples:
            >>> list(NamingEntry("CMS_res_(e|m)(_201[78])?", "x").examples())
            ['CMS_res_e_2017', 'CMS_res_e_2018', 'CMS_res_e', 'CMS_res_m_2017', 'CMS_res_m_2018', 'CMS_res_m']
        """
        pattern = self._with_years(f"({'|'.join(self.years)})").replace("?:", "")
        yield from _alternatives(pattern, _MOST_NAMES)


_CHOICE = re.compile(r"\((?P<words>[^()]*)\)(?P<optional>\??)|\[(?P<letters>\w+)\](?![*+?{])")
"""A group of words, or a set of letters without ranges."""


def _alternatives(pattern: str, most: int) -> list[str]:
    """Return what a pattern stands for once its choices `(a|b)`, `(a)?` and `[ab]` are written out, at most so many."""
    found = [pattern]
    while len(found) < most:
        open_choices = ((text, match) for text in found if (match := _CHOICE.search(text)))
        text, match = next(open_choices, ("", None))
        if match is None:
            break
        choices = match["words"].split("|") if match["letters"] is None else list(match["letters"])
        choices += [""] if match["optional"] else []
        at = found.index(text)
        found[at : at + 1] = [text[: match.start()] + choice + text[match.end() :] for choice in choices]
    return found[:most]


@dataclass(frozen=True)
class NamingDictionary:
    """A naming dictionary.

    Attributes:
        entries: Its entries, in order.
        source: Where it is from, for messages.
    """

    entries: tuple[NamingEntry, ...]
    source: str = "naming dictionary"

    @classmethod
    def of(cls, content: Mapping[str, Any], source: str = "naming dictionary") -> NamingDictionary:
        """Return the dictionary in loaded YAML or JSON, in either layout.

        Args:
            content: What the file holds.
            source: Where it is from, for messages.

        Raises:
            CardError: If an entry is not understood; all of them are listed.

        Examples:
            >>> dictionary = NamingDictionary.of({"luminosity": {"lumi_(2017|2018)": {"description": "Luminosity"}}})
            >>> dictionary.find("lumi_2018").group
            'luminosity'
        """
        if not isinstance(content, Mapping):
            raise CardError(f"{source}: holds a {type(content).__name__}, expected names or classes with entries")
        problems: list[str] = []
        entries: list[NamingEntry] = []
        for key, value in content.items():
            entries += _entries(str(key), value, f"{source}: {key}", problems)
        if problems:
            raise CardError(problems)
        return cls(tuple(entries), source)

    @cached_property
    def _by_name(self) -> dict[str, NamingEntry]:
        return {entry.pattern: entry for entry in reversed(self.entries)}

    def find(self, name: str) -> NamingEntry | None:
        """Return the entry that speaks of a nuisance: the one of this very name, else the first that matches."""
        exact = self._by_name.get(name)
        return exact or next((entry for entry in self.entries if entry.matches(name)), None)

    @cached_property
    def similar(self) -> SimilarNames:
        """The names that the entries stand for, as far as they can be listed; for suggestions."""
        return SimilarNames(name for entry in self.entries for name in entry.examples())


_FIELDS = frozenset({"class", "description", "years"})


def _entries(key: str, value: Any, place: str, problems: list[str]) -> Iterator[NamingEntry]:
    """Yield the entries of one item: itself, or what stands below a class."""
    if not isinstance(value, Mapping):
        problems.append(f"{place}: found {value!r}, expected an entry with a description, or a class of entries")
        return
    if not value or any(name in value and not isinstance(value[name], Mapping) for name in _FIELDS):
        yield from _entry(key, value, str(value.get("class") or CUSTOM), place, problems)
        return
    for pattern, fields in value.items():
        yield from _entry(str(pattern), fields, key, f"{place}: {pattern}", problems)


def _entry(pattern: str, fields: Any, group: str, place: str, problems: list[str]) -> Iterator[NamingEntry]:
    fields = {} if fields is None else fields
    if not isinstance(fields, Mapping):
        problems.append(f"{place}: found {fields!r}, expected description and, if it has any, years")
        return
    years = fields.get("years") or ()
    years = (years,) if isinstance(years, (str, int)) else years
    if not isinstance(years, (list, tuple)):
        problems.append(f"{place}: years are {years!r}, expected a list")
        return
    description = " ".join(str(fields.get("description") or "").split())
    entry = NamingEntry(pattern, group, description, tuple(str(year) for year in years))
    try:
        entry.expression  # noqa: B018  # compiled to see whether it is one
    except re.error as error:
        problems.append(f"{place}: is not a regular expression: {error}")
        return
    yield entry


def load_naming_dictionary(path: str | os.PathLike[str]) -> NamingDictionary:
    """Return the naming dictionary in a YAML file.

    Args:
        path: The file, such as `systematics_master.yml`.

    Raises:
        CardError: If the file cannot be read, or an entry is not understood.
        MissingDependencyError: If PyYAML is not installed.
    """
    content = read_yaml(path, import_yaml("naming dictionaries need", "names"), CardError)
    return NamingDictionary.of({} if content is None else content, os.fspath(path))
