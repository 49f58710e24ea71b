"""What a ROOT file holds beside the templates: the names of all its objects, and the content outside histograms."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pocket_combine.card.model import Card
from pocket_combine.card.template_plan import Places, plan_templates
from pocket_combine.card.template_read import read_library
from pocket_combine.errors import CardError
from pocket_combine.io.root import HistogramSet, RootFile
from pocket_combine.templates import FloatArray

__all__ = ["FileContents", "read_file_contents"]

_NO_KEYWORDS: Mapping[str, str] = {}


@dataclass(frozen=True, eq=False)
class FileContents:
    """What one ROOT file of a card holds.

    Attributes:
        path: The file, for messages.
        keys: Names of all histograms in the file.
        names: `names[histogram]`, those that the card uses.
        integrals: `integrals[histogram]`, their content inside the axis, in events.
        underflow: `underflow[histogram]`, their content below the first edge, in events.
        overflow: `overflow[histogram]`, their content above the last edge, in events.
        has_sumw2: `has_sumw2[histogram]`, whether they hold sums of squared weights.

    Examples:
        >>> one = np.ones(1)
        >>> FileContents("shapes.root", ("tt", "ttUp"), ("tt",), one, 0 * one, 0 * one, one > 0).unused
        ('ttUp',)
    """

    path: str
    keys: tuple[str, ...]
    names: tuple[str, ...]
    integrals: FloatArray
    underflow: FloatArray
    overflow: FloatArray
    has_sumw2: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, path: str, keys: Iterable[str], histograms: Iterable[HistogramSet]) -> FileContents:
        """Return the contents of a file from its keys and the histograms that were read from it.

        Args:
            path: The file, for messages.
            keys: Names of all histograms in the file (`RootFile.keys`, those whose class begins with `TH1`).
            histograms: What was read for the card.
        """
        sets = tuple(histograms)
        return cls(
            path=path,
            keys=tuple(dict.fromkeys(keys)),
            names=tuple(name for group in sets for name in group.names),
            integrals=np.concatenate([group.values.sum(axis=1) for group in sets] or [np.zeros(0)]),
            underflow=np.concatenate([group.underflow for group in sets] or [np.zeros(0)]),
            overflow=np.concatenate([group.overflow for group in sets] or [np.zeros(0)]),
            has_sumw2=np.concatenate([group.has_sumw2 for group in sets] or [np.zeros(0, dtype=np.bool_)]),
        )

    @property
    def unused(self) -> tuple[str, ...]:
        """Names of histograms that the card does not use, in the order of the file."""
        used = {name.partition(";")[0] for name in self.names}
        return tuple(key for key in self.keys if key not in used)


def read_file_contents(
    card: Card,
    *,
    directory: str | os.PathLike[str] = ".",
    mass: float | None = None,
    keywords: Mapping[str, str] = _NO_KEYWORDS,
) -> tuple[FileContents, ...]:
    """Return what each ROOT file of a card holds, in the order in which the card names them.

    Args:
        card: The card.
        directory: Where its files are, if they are not found from the current folder.
        mass: What `$MASS` stands for; needed where the card uses it.
        keywords: What further words stand for.

    Raises:
        CardError: As `pocket_combine.card.load.load_templates` where a file or a template is missing.

    Examples:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from pocket_combine.card.model import Channel, Column, ShapeRule
        >>> from pocket_combine.io.root import write_templates
        >>> from pocket_combine.templates import Templates
        >>> folder = tempfile.mkdtemp()
        >>> write_templates(
        ...     Path(folder, "shapes.root"),
        ...     {"SR": Templates.of([0, 1], {"sig": [1], "bkg": [9], "old": [5]}, observation=[9])},
        ...     layout="directories",
        ... )
        >>> card = Card(
        ...     (Channel("SR", -1),),
        ...     (Column("SR", "sig", 0, -1), Column("SR", "bkg", 1, -1)),
        ...     shapes=(ShapeRule("*", "*", "shapes.root", "$CHANNEL/$PROCESS"),),
        ... )
        >>> [contents.unused for contents in read_file_contents(card, directory=folder)]
        [('SR/old',)]
    """
    plans, problems = plan_templates(card, Places.of(directory, mass, keywords))
    library, more = read_library(plans)
    if problems or more:
        raise CardError([*problems, *more])
    contents = []
    for path, places in library.places.items():
        with RootFile(path) as file:
            keys = [key.path for key in file.keys if key.classname.startswith("TH1")]
        sets = [library.sets[number] for number in dict.fromkeys(number for number, _ in places.values())]
        contents.append(FileContents.of(path, keys, sets))
    return tuple(contents)
