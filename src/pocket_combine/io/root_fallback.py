"""Histograms of versions that the bulk reader does not know, read by uproot one at a time.

uproot follows the class descriptions in the file, so it also reads what older and newer versions of ROOT wrote.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pocket_combine.errors import RootFileError
from pocket_combine.io.root_file import RootKey
from pocket_combine.io.root_parse import Numbers

__all__ = ["read_with_uproot"]


def read_with_uproot(path: Path, keys: Sequence[RootKey]) -> list[Numbers | RootFileError]:
    """Return the numbers of each histogram, or what is wrong with it."""
    import uproot  # noqa: PLC0415  # a third of a second that nearly no file needs

    try:
        # A cache of its own: uproot's knows objects by the UUID of their file, which changed copies of a file share.
        with uproot.open({str(path): None}, object_cache={}, array_cache=None) as file:
            return [_one(file, key) for key in keys]
    except Exception as error:  # noqa: BLE001  # what uproot stumbles over in a damaged file has any class
        return [_refusal(error)] * len(keys)


def _one(file: Any, key: RootKey) -> Numbers | RootFileError:
    try:
        return _numbers(file[f"{key.path};{key.cycle}"])
    except Exception as error:  # noqa: BLE001  # as above; also the code that uproot makes from class descriptions
        return _refusal(error)


def _refusal(error: Exception) -> RootFileError:
    reason = str(error).partition("\n")[0][:200]
    return RootFileError(f"uproot cannot read it either: {type(error).__name__}: {reason}")


def _numbers(histogram: Any) -> Numbers:
    member = histogram.member
    axis = member("fXaxis")
    edges = np.asarray(axis.member("fXbins"), dtype=np.float64)
    if edges.size == 0:
        edges = np.array([axis.member("fXmin"), axis.member("fXmax")], dtype=np.float64)
    contents = np.asarray(histogram.values(flow=True), dtype=np.float64)
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
