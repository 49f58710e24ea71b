"""Every exception of the package, under one root.

Messages say where (file and line, or channel, process, nuisance, dataset), what was found, what was
expected, the nearest existing name, and what to do next. Problems of one input are reported together.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pocket_combine.findings import Finding

__all__ = [
    "PocketCombineError",
    "PocketCombineWarning",
    "DeclarationError",
    "MissingInputError",
    "TemplateError",
    "OutputFileError",
    "UnsafePickleError",
    "RootFileError",
    "CardError",
    "FindingsError",
    "ResultError",
    "StyleError",
    "ExecutionError",
    "TaskError",
    "MissingDependencyError",
    "nearest",
    "similar",
    "listed",
    "counted",
    "join_problems",
]


class PocketCombineError(Exception):
    """Root of all exceptions that the package raises on purpose."""


class PocketCombineWarning(UserWarning):
    """Root of all warnings that the package emits."""


class DeclarationError(PocketCombineError, ValueError):
    """A declaration (process, systematic, datacard argument) that can never be right.

    Attributes:
        problems: One sentence per problem, in the order found.
    """

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems: tuple[str, ...] = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__(join_problems(self.problems))

    def __reduce__(self) -> tuple[type[DeclarationError], tuple[tuple[str, ...]]]:
        return type(self), (self.problems,)


class MissingInputError(PocketCombineError, KeyError):
    """Something that was asked for is not there: a sample, a category, a variable, a dataset, a declaration."""

    def __str__(self) -> str:
        # KeyError would print the repr of the message.
        return str(self.args[0]) if self.args else ""


class TemplateError(PocketCombineError, ValueError):
    """Histograms that cannot be used: non-finite contents, incompatible binnings, edges that are not there."""


class OutputFileError(PocketCombineError, ValueError):
    """A `.coffea` file that cannot be read: truncated, empty, in another format, too large."""


class UnsafePickleError(OutputFileError):
    """A `.coffea` file that asks for code which is not on the allow-list."""


class RootFileError(PocketCombineError, ValueError):
    """A ROOT file that cannot be read or holds something else than one-dimensional histograms."""


class CardError(PocketCombineError, ValueError):
    """A datacard that cannot be read, or a combination or edit that contradicts itself.

    Attributes:
        problems: One sentence per problem, each beginning with file and line where there is one.
    """

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems: tuple[str, ...] = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__(join_problems(self.problems))

    def __reduce__(self) -> tuple[type[CardError], tuple[tuple[str, ...]]]:
        return type(self), (self.problems,)


class FindingsError(PocketCombineError):
    """Findings of severity *error*, raised together where `strict=True` asks for it.

    Attributes:
        findings: The findings that led to the exception.
    """

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings: tuple[Finding, ...] = tuple(findings)
        super().__init__(join_problems([str(finding) for finding in self.findings]))

    def __reduce__(self) -> tuple[type[FindingsError], tuple[tuple[Finding, ...]]]:
        return type(self), (self.findings,)


class ExecutionError(PocketCombineError, RuntimeError):
    """Tasks that could not be run: no workers, workers that died, no scheduler at an address."""


class TaskError(ExecutionError):
    """A task that failed; the exception it raised is the `__cause__`.

    Attributes:
        label: The task, as shown to the user: a file name, a fit point, ….
    """

    def __init__(self, label: str, problem: str) -> None:
        self.label = label
        self.problem = problem
        named = problem.partition(": ")[0]
        # A message about a file begins with its path, whose end may be the label.
        super().__init__(problem if f"/{named}".endswith(f"/{label}") else f"{label}: {problem}")

    def __reduce__(self) -> tuple[type[TaskError], tuple[str, str]]:
        return type(self), (self.label, self.problem)


class MissingDependencyError(PocketCombineError, ImportError):
    """An optional dependency that is not installed; the message says how to install it."""


class ResultError(PocketCombineError, ValueError):
    """A saved result that cannot be read back: not JSON, another type, missing or unknown fields."""


class StyleError(PocketCombineError, ValueError):
    """A style file, or another wish about figures, that cannot be fulfilled."""


def nearest(name: str, existing: Iterable[str], *, count: int = 3) -> str:
    """Return a hint with the existing names that look most like `name`, to be appended to a message.

    Examples:
        >>> nearest("ttbr", ["ttbar", "diboson"])
        "did you mean 'ttbar'?"
        >>> nearest("lnn", ["lnU", "lnN"])
        "did you mean 'lnN'?"
        >>> nearest("x", ["ttbar", "diboson"])
        "available: 'diboson', 'ttbar'"
        >>> nearest("x", [])
        'there are none'
    """
    names = sorted({str(item) for item in existing})
    if not names:
        return "there are none"
    matches = similar(name, names, count=count)
    if matches:
        return f"did you mean {' or '.join(repr(item) for item in matches)}?"
    return f"available: {listed(map(repr, names))}"


def similar(name: str, existing: Iterable[str], *, count: int = 3) -> list[str]:
    """Return the existing names that look most like `name`, the most similar first.

    Examples:
        >>> similar("ttbr", ["ttbar", "diboson"]), similar("lnn", ["lnU", "lnN"]), similar("x", ["ttbar"])
        (['ttbar'], ['lnN'], [])
    """
    names = sorted(set(existing))
    lowered = {item.lower(): item for item in names}
    if name.lower() in lowered:
        return [lowered[name.lower()]]
    return difflib.get_close_matches(name, names, n=count, cutoff=0.6) or [
        lowered[item] for item in difflib.get_close_matches(name.lower(), list(lowered), n=count, cutoff=0.6)
    ]


def listed(items: Iterable[str], most: int = 8) -> str:
    """Return the first of some items, and how many there are if that is more.

    Examples:
        >>> listed(["a", "b"]), listed("abcd", most=3)
        ('a, b', 'a, b, c, … (4 in all)')
    """
    texts = list(items)
    return ", ".join(texts[:most]) + (f", … ({len(texts)} in all)" if len(texts) > most else "")


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun.

    Examples:
        >>> counted(1, "card"), counted(3, "card"), counted(2, "category", "categories")
        ('1 card', '3 cards', '2 categories')
    """
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def join_problems(problems: Sequence[str]) -> str:
    """Return one message for a list of problems: the only one as it is, several as a numbered list.

    Examples:
        >>> print(join_problems(["a is wrong", "b is missing"]))
        2 problems:
          1. a is wrong
          2. b is missing
    """
    if len(problems) == 1:
        return problems[0]
    lines = [f"{len(problems)} problems:"]
    lines += [f"  {number}. {problem}" for number, problem in enumerate(problems, start=1)]
    return "\n".join(lines)
