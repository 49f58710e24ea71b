"""What a report is about: a card with its templates, where they come from, and nothing of the observation if blind."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pocket_combine.card.labels import labelled
from pocket_combine.card.load import LoadedCard
from pocket_combine.card.model import Card, Channel
from pocket_combine.card.template_plan import Places, plan_templates
from pocket_combine.checks import FileContents, read_file_contents
from pocket_combine.errors import CardError
from pocket_combine.findings import Finding
from pocket_combine.inference.workspace import card_hash
from pocket_combine.templates import Templates

__all__ = ["STANDARD_INPUT", "SourceFile", "Subject", "split_label", "subject_of", "without_observation"]

STANDARD_INPUT = "-"
"""The path that stands for it on a command line."""
_BLOCK = 1 << 20


@dataclass(frozen=True)
class SourceFile:
    """A file that a card was read from.

    Attributes:
        path: As it was named.
        sha256: Hash of its bytes; `None` in a blind report, because it depends on the observation in the file, and for
            standard input.
    """

    path: str
    sha256: str | None


@dataclass(frozen=True, eq=False)
class Subject:
    """What a report is about.

    Attributes:
        card: The card; blind without an observation.
        templates: Templates by channel; blind without an observation.
        title: What the report calls the card.
        cards: The cards as a command line names them.
        files: Files that card and templates come from.
        contents: What the ROOT files hold.
        findings: What was noticed while reading.
        blind: Whether the observation was left out.
        content: SHA-256 of card and templates without the observation.
        digest: The same with the observation, unless blind.
    """

    card: Card
    templates: Mapping[str, Templates]
    title: str
    cards: tuple[str, ...]
    files: tuple[SourceFile, ...]
    contents: tuple[FileContents, ...]
    findings: tuple[Finding, ...]
    blind: bool
    content: str
    digest: str

    def card_of(self, channel: str) -> tuple[str, str]:
        """Return the card, as a file, that a channel comes from, and what the channel is called there.

        Channels of a combination are called as the label of their card, with their own name behind it where the card
        has several.
        """
        if len(self.cards) == 1 and "=" not in self.cards[0]:
            return self.cards[0], channel
        pairs = labelled(self.cards)
        for label, path in pairs:
            if channel == label:
                return path, "*"
            if channel.startswith(f"{label}_"):
                return path, channel.removeprefix(f"{label}_")
        return next((path for label, path in pairs if label == "."), pairs[0][1]), channel


def subject_of(
    loaded: LoadedCard,
    *,
    blind: bool,
    cards: Sequence[str] = (),
    mass: float | None = None,
    keywords: Mapping[str, str] | None = None,
) -> Subject:
    """Return what a report is about.

    Args:
        loaded: The card, or the combination of several.
        blind: Whether the observation is left out here and now, so that nothing after it can depend on it.
        cards: The cards as a command line names them, with labels or without; the source of the card by default.
        mass: What `$MASS` stands for.
        keywords: What further words stand for.

    Raises:
        CardError: If a file cannot be read.
    """
    words = tuple(cards) or (loaded.source,)
    single = len(words) == 1 and "=" not in words[0]
    paths = [split_label(word)[1] for word in words]
    directory = Path(paths[0]).parent if single else Path()
    card, templates = loaded.card, dict(loaded.templates)
    contents = _contents(card, directory, mass, keywords or {}, blind=blind)
    if blind:
        card, templates = without_observation(card, templates)
    content = card_hash(card, templates, blind=True)
    sources = [*paths, *(entry.path for entry in contents)]
    return Subject(
        card=card,
        templates=templates,
        title=" + ".join(_title(word) for word in words),
        cards=words,
        files=tuple(SourceFile(path, None if blind else _sha256(path)) for path in dict.fromkeys(sources)),
        contents=contents,
        findings=loaded.findings,
        blind=blind,
        content=content,
        digest=content if blind else card_hash(card, templates),
    )


def split_label(word: str) -> tuple[str, str]:
    """Return the label of a card on a command line, with its equals sign, and the path.

    Examples:
        >>> split_label("SR=cards/sr.txt"), split_label("sr.txt")
        (('SR=', 'cards/sr.txt'), ('', 'sr.txt'))
    """
    label, equals, path = word.partition("=")
    return (label + equals, path) if equals else ("", word)


def without_observation(card: Card, templates: Mapping[str, Templates]) -> tuple[Card, dict[str, Templates]]:
    """Return a card and its templates without the observation.

    Examples:
        >>> card = Card((Channel("SR", 25.0),), ())
        >>> without_observation(card, {"SR": Templates.of([0, 1], {"tt": [20.0]}, observation=[25])})[0].channels
        (Channel(name='SR', observation=None),)
    """
    return (
        dataclasses.replace(card, channels=tuple(Channel(channel.name) for channel in card.channels)),
        {name: dataclasses.replace(part, observation=None) for name, part in templates.items()},
    )


def _contents(
    card: Card, directory: Path, mass: float | None, keywords: Mapping[str, str], *, blind: bool
) -> tuple[FileContents, ...]:
    """Return what the files of a card hold; blind without the histograms of the observation, which are not read."""
    if not blind:
        return read_file_contents(card, directory=directory, mass=mass, keywords=keywords)
    plans, _ = plan_templates(card, Places.of(directory, mass, keywords))
    data = {(str(plan.data.path), plan.data.name) for plan in plans if plan.data is not None}
    found = read_file_contents(without_observation(card, {})[0], directory=directory, mass=mass, keywords=keywords)
    return tuple(
        dataclasses.replace(entry, keys=tuple(key for key in entry.keys if (entry.path, key) not in data))
        for entry in found
    )


def _title(word: str) -> str:
    label, path = split_label(word)
    return label.rstrip("=") or Path(path).name


def _sha256(path: str) -> str | None:
    if path == STANDARD_INPUT:
        return None
    digest = hashlib.sha256()
    try:
        with Path(path).open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    except OSError as error:
        raise CardError(f"{path}: cannot be read: {error.strerror or error}") from error
    return digest.hexdigest()
