"""Whose folder it is: a report takes the place of a former one of the same card, and leaves nothing of it behind."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pocket_combine.errors import ResultError
from pocket_combine.io.atomic import atomic_write
from pocket_combine.report.figure_store import FigureStore
from pocket_combine.report.store import Store
from pocket_combine.report.subject import STANDARD_INPUT, Subject, split_label

__all__ = ["DATA", "FIGURES", "PAGE", "RESULTS", "claim_folder"]

PAGE, DATA, RESULTS, FIGURES = "report.html", "report.json", "results", "figures"
"""What a report writes into its folder: two files and two folders, beside its claim."""
_CLAIM = "claim.json"


@dataclass(frozen=True)
class _Claim:
    """What the files in a folder are about.

    Attributes:
        cards: The cards with their labels, as paths relative to the folder: they are the same wherever a command is
            run, and differ for two cards of one name.
        content: Hash of card and templates without the observation.
        is_blind: Whether nothing in the folder depends on the observation.
    """

    cards: tuple[str, ...]
    content: str
    is_blind: bool

    def is_same_card(self, other: _Claim) -> bool:
        """Return whether both are about one card: it may have been edited, or moved."""
        named = STANDARD_INPUT not in self.cards and self.cards == other.cards
        return named or self.content == other.content


def claim_folder(folder: Path, subject: Subject, *, replace: bool = False) -> list[Path]:
    """Make a folder that of a report about a card, before anything is written into it.

    A report that is blind removes what an unblinded one of the same card left: its page, its figures, and all results
    that depend on the observation. An interrupted report claims its folder, too, so that it goes on there.

    Args:
        folder: The folder; it is made if it is not there.
        subject: The card, and whether the report is blind.
        replace: Whether a report of another card is removed.

    Returns:
        The paths of what was removed: only files that a former report wrote.

    Raises:
        ResultError: If the folder holds the report of another card, or a page that no report wrote.
        OSError: If a file cannot be written or removed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    former = _read_claim(folder / _CLAIM)
    claim = _Claim(tuple(_located(word, folder) for word in subject.cards), subject.content, subject.blind)
    removed: list[Path] = []
    if former is None:
        _refuse_strange_page(folder)
    elif not former.is_same_card(claim):
        if not replace:
            raise ResultError(
                f"{folder} holds the report of {_shown(former, folder)}, not of {_shown(claim, folder)}: choose "
                "another folder (-o DIR), or have that report removed, with its results and figures (--replace)"
            )
        removed = _remove(folder, everything=True)
    elif claim.is_blind and not former.is_blind:
        removed = _remove(folder, everything=False)
    if claim != former:
        plain = {"cards": list(claim.cards), "content": claim.content, "blind": claim.is_blind}
        with atomic_write(folder / _CLAIM) as file:
            file.write(json.dumps(plain, indent=1, ensure_ascii=False).encode() + b"\n")
    return removed


def _remove(folder: Path, *, everything: bool) -> list[Path]:
    """Remove what a report wrote, but results of Asimov data unless everything goes."""
    removed = [path for path in (folder / PAGE, folder / DATA) if path.is_file()]
    for path in removed:
        path.unlink()
    removed += FigureStore(folder / FIGURES).discard_others(())
    store = Store(folder / RESULTS)
    for name in [name for name in store.names if everything or not store.is_blind(name)]:
        removed += store.discard(name)
    return removed


def _refuse_strange_page(folder: Path) -> None:
    for path in (folder / PAGE, folder / DATA):
        if path.exists():
            raise ResultError(
                f"{path} is there, and {_CLAIM}, which says what report it belongs to, is not: choose another folder "
                "(-o DIR), or move the file away"
            )


# ---------------------------------------------------------------------- the file that says what the others are about


def _read_claim(path: Path) -> _Claim | None:
    """Return what a folder is about; `None` if nothing says so."""
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8"))
        return _Claim(tuple(map(str, found["cards"])), str(found["content"]), bool(found["blind"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ResultError(
            f"{path} does not say what report the folder holds, as {PAGE} needs it: choose another folder (-o DIR), or "
            "remove this one"
        ) from error


def _located(word: str, folder: Path) -> str:
    """Return a card as a command line names it, with its path relative to a folder."""
    label, path = split_label(word)
    return word if path == STANDARD_INPUT else f"{label}{_relative(Path(path), folder)}"


def _shown(claim: _Claim, folder: Path) -> str:
    """Return the cards of a claim with their paths as a command line has them here."""
    pairs = [split_label(card) for card in claim.cards]
    words = [label + (path if path == STANDARD_INPUT else _relative(folder / path, Path())) for label, path in pairs]
    return " ".join(words)


def _relative(path: Path, folder: Path) -> str:
    """Return a path relative to a folder, with links followed; whole where they are on different drives."""
    try:
        return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
    except ValueError:
        return path.resolve().as_posix()
