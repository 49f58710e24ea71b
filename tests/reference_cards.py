"""The reference cards beside the project, with what Combine makes of them: each is read, and is a model, once.

`NAMES` is empty where the folder is missing.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import pytest

from pocket_combine.card.load import LoadedCard, load_card
from pocket_combine.errors import CardError
from pocket_combine.inference.workspace import Blinding, Workspace, make_workspace

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "reference" / "cards"
NAMES = sorted(path.parent.name for path in FOLDER.glob("*/expected.json"))

needed = pytest.mark.skipif(not NAMES, reason=f"the reference cards are not there: {FOLDER}")


@functools.cache
def expected(name: str) -> dict[str, Any]:
    """Combine's numbers."""
    content: dict[str, Any] = json.loads((FOLDER / name / "expected.json").read_text())
    return content


@functools.cache
def loaded(name: str) -> LoadedCard:
    """The card with its templates."""
    try:
        return load_card(FOLDER / name / "datacard.txt", mass=float(expected(name)["mass"]))
    except CardError as error:
        if "pip install zstandard" not in str(error):
            raise
        pytest.skip("the card's templates are compressed with Zstandard, for which a module is missing")


def workspace(
    name: str, kind: Blinding = Blinding.OBSERVED, *, own_range: bool = True, signal: float | None = None
) -> Workspace:
    """The card's model; r has the range that Combine's fits had, or the usual one."""
    return _workspace(name, kind, own_range, signal)


@functools.cache
def _workspace(name: str, kind: Blinding, own_range: bool, signal: float | None) -> Workspace:
    ranges = {"r": tuple(expected(name)["fits"]["r_range"])} if own_range else None
    card = loaded(name)
    return make_workspace(card.card, card.templates, kind=kind, ranges=ranges, expect_signal=signal)
