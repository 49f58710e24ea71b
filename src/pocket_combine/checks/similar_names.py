"""The names most like a given one, out of thousands."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable

__all__ = ["SimilarNames"]

_YEAR = re.compile(r"20[12]\d")
_MOST_COMPARED = 40
_CUTOFF = 0.6


class SimilarNames:
    """Names that can be looked up by likeness.

    Comparing letter by letter is slow, so that only names which share most groups of three letters are compared.

    Args:
        names: The names.

    Examples:
        >>> names = SimilarNames(["CMS_scale_j_2017", "CMS_scale_j_2018", "lumi_2018"])
        >>> names.nearest("CMS_scale_jet_2018")
        ['CMS_scale_j_2018', 'CMS_scale_j_2017']
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = sorted(set(names))
        self._holders: dict[str, list[int]] = {}
        for index, name in enumerate(self._names):
            for group in _groups(name):
                self._holders.setdefault(group, []).append(index)

    def nearest(self, name: str, *, count: int = 3) -> list[str]:
        """Return the names most like this one, those of its own year first.

        Args:
            name: The name.
            count: How many at most.
        """
        shared: Counter[int] = Counter()
        groups = _groups(name)
        for group in groups:
            shared.update(self._holders.get(group, ()))
        # Long names share groups with everything; what counts is the part that is shared.
        ranked = sorted(shared, key=lambda index: (-shared[index] / (len(groups) + len(self._names[index])), index))
        compared = [self._names[index] for index in ranked[:_MOST_COMPARED]]
        close = difflib.get_close_matches(name, compared, n=3 * count, cutoff=_CUTOFF)
        years = _YEAR.findall(name)
        return sorted(close, key=lambda candidate: _YEAR.findall(candidate) != years)[:count]


def _groups(name: str) -> set[str]:
    padded = f"  {name.lower()} "
    return {padded[at : at + 3] for at in range(len(padded) - 2)}
