"""Histograms of versions that the bulk reader does not know, read by uproot one at a time.

uproot follows the class descriptions in the file, so it also reads what older and newer versions of ROOT wrote.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from pocket_combine.errors import RootFileError
from pocket_combine.io.root_file import RootKey
from pocket_combine.io.root_parse import Numbers

__all__ = ["read_with_uproot"]


def read_with_uproot(path: Path, keys: Sequence[RootKey]) -> Iterator[Numbers | RootFileError]:
    """Yield the numbers of each histogram, or what is wrong with it."""
    import uproot  # noqa: PLC0415  # a third of a second that nearly no file needs

    # A cache of its own: uproot's knows objects by the UUID of their file, which changed copies of a file share.
    with uproot.open({str(path): None}, object_cache={}, array_cache=None) as file:
        for key in keys:
            try:
                yield _numbers(file[f"{key.path};{key.cycle}"])
            except Exception as error:  # noqa: BLE001  # uproot raises whatever its generated code stumbles over
                reason = str(error).partition("\n")[0][:200]
                yield RootFileError(f"uproot cannot read it either: {type(error).__name__}: {reason}")


def _numbers(histogram: object) -> Numbers:
    member = histogram.member  # type: ignore[attr-defined]  # uproot's classes are made at run time
    axis = member("fXaxis")
    edges = np.asarray(axis.member("fXbins"), dtype=np.float64)
    if edges.size == 0:
        edges = np.array([axis.member("fXmin"), axis.member("fXmax")], dtype=np.float64)
    contents = np.asarray(histogram.values(flow=True), dtype=np.float64)  # type: ignore[attr-defined]  # as above
    sumw2 = np.asarray(member("fSumw2"), dtype=np.float64)
    cells = axis.member("fNbins") + 2
    if contents.shape != (cells,) or sumw2.size not in (0, cells) or edges.size not in (2, cells - 1):
        raise ValueError("numbers of bins contradict each other")
    return Numbers(
        edges[np.newaxis],
        contents[np.newaxis],
        sumw2[np.newaxis] if sumw2.size else None,
        np.array([member("fBufferSize") > 0 and len(member("fBuffer")) > 0 and member("fBuffer")[0] > 0]),
    )
