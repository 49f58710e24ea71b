"""The sum of several outputs of PocketCoffea."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import hist
import numpy as np

from pocket_combine.errors import OutputFileError, counted, listed
from pocket_combine.findings import Finding, Severity
from pocket_combine.io.histogram_sum import add_histograms
from pocket_combine.io.output import Output
from pocket_combine.io.pickles.plain_names import ColumnAccumulator, ValueAccumulator

__all__ = ["OutputSum", "data_counts", "repeated_data", "shared_datasets"]

_METADATA = "datasets_metadata"


class OutputSum:
    """Adds outputs one after the other, in the order given.

    Histograms, counts and sums of weights are added, columns are appended, metadata are united.
    """

    def __init__(self) -> None:
        self._total: dict[str, Any] = {}
        self._paths: list[Path] = []
        self._origins: dict[tuple[str, ...], Path] = {}
        self._owned: set[int] = set()
        self._normalisations: list[tuple[Path, dict[str, float]]] = []
        self._data_counts: list[tuple[Path, dict[str, str]]] = []

    def add(self, path: Path, output: Output) -> None:
        """Add an output, which must not be used any more afterwards.

        Args:
            path: The file that the output was read from.
            output: The output.

        Raises:
            OutputFileError: If metadata or other contents contradict what was added before; both files are named.
            TemplateError: If histograms cannot be added; both places are named.
        """
        self._normalisations.append((path, output.normalisations()))
        self._data_counts.append((path, data_counts(output)))
        self._merge(self._total, output.contents, (), path)
        self._paths.append(path)

    def result(self) -> Output:
        """Return the sum."""
        findings = [*shared_datasets(self._normalisations), *repeated_data(self._data_counts)]
        return Output(self._total, tuple(self._paths), tuple(findings))

    def _merge(self, total: dict[Any, Any], part: Mapping[Any, Any], place: tuple[str, ...], path: Path) -> None:
        for key, value in part.items():
            here = (*place, str(key))
            if key not in total:
                total[key] = self._own(value)
                self._origins[here] = path
            elif isinstance(total[key], dict) and isinstance(value, dict):
                self._merge(total[key], value, here, path)
            else:
                total[key] = self._add(total[key], value, here, path)

    def _own(self, value: Any) -> Any:
        """Return a value that can be changed: nothing else in the sum is the same object."""
        if isinstance(value, dict):
            own = copy.copy(value)
            for key, inner in value.items():
                own[key] = self._own(inner)
            return own
        if isinstance(value, hist.Hist):
            if id(value) in self._owned:
                value = value.copy()
            self._owned.add(id(value))
        return value

    def _add(self, first: Any, second: Any, place: tuple[str, ...], path: Path) -> Any:
        if isinstance(first, hist.Hist) and isinstance(second, hist.Hist):
            origin, name = self._origin(place), " / ".join(place)
            return add_histograms(first, second, (f"{origin} ({name})", f"{path} ({name})"))
        if isinstance(first, set) and isinstance(second, set):
            return first | second
        if place[0] != _METADATA:
            if _is_number(first) and _is_number(second):
                return first + second
            if isinstance(first, list) and isinstance(second, list):
                return [*first, *second]
            if isinstance(first, ColumnAccumulator) and isinstance(second, ColumnAccumulator):
                return ColumnAccumulator(np.concatenate([first.value, second.value]))
            if isinstance(first, ValueAccumulator) and isinstance(second, ValueAccumulator):
                return ValueAccumulator(self._add(first.value, second.value, place, path))
        if type(first) is type(second) and not isinstance(first, np.ndarray) and first == second:
            return first
        raise OutputFileError(
            f"{' / '.join(place)} differs: {_shown(first)} in {self._origin(place)}, {_shown(second)} in {path}"
        )

    def _origin(self, place: tuple[str, ...]) -> Path:
        """Return the file in which a place was met first."""
        while place not in self._origins:
            place = place[:-1]
        return self._origins[place]


def shared_datasets(normalisations: Iterable[tuple[Path, Mapping[str, float]]]) -> list[Finding]:
    """Return a finding if simulated datasets stand in several outputs, each divided by its own sum of weights.

    PocketCoffea divides the histograms of a simulated dataset by the sum of the generator weights that it has seen.
    Two outputs of the same dataset thus both have the full yield, and their sum has twice of it.

    Args:
        normalisations: Path and `Output.normalisations()` of each output.
    """
    names, paths = _shared((path, dataset, "") for path, sums in normalisations for dataset in sums)
    if not names:
        return []
    return [
        Finding(
            "dataset-in-several-outputs",
            Severity.WARNING,
            f"dataset {listed(names, 5)}",
            f"{counted(len(names), 'dataset')} of simulation with histograms in several of the files "
            f"{listed(paths, 4)}; PocketCoffea has divided each file's by that file's own sum of generator weights, so "
            "their sum counts them repeatedly",
            "merge the jobs with `pocket-coffea merge-outputs -jc`, which normalises once, or give each dataset once; "
            "this is harmless only if the files hold different categories or variables",
            {"datasets": float(len(names)), "files": float(len(paths))},
        )
    ]


def data_counts(output: Output) -> dict[str, str]:
    """Return the cutflow of each dataset of collision data that has histograms in an output, as one text.

    Two outputs that agree in it hold the same events.
    """
    known = output[_METADATA].get("by_dataset", {})
    texts = {}
    for name in output.filled_datasets:
        counts = [
            f"{step} {_count(found[name])}"
            for step, found in sorted(output["cutflow"].items())
            if isinstance(found, Mapping) and name in found
        ]
        if counts and str(known.get(name, {}).get("isMC")) == "False":
            texts[name] = ", ".join(counts)
    return texts


def repeated_data(counts: Iterable[tuple[Path, Mapping[str, str]]]) -> list[Finding]:
    """Return a finding if several outputs hold the same events of datasets of collision data.

    Jobs that share a dataset have different events of it, and hardly ever the same number at each step of the cutflow.

    Args:
        counts: Path and `data_counts` of each output.
    """
    names, paths = _shared((path, dataset, text) for path, texts in counts for dataset, text in texts.items())
    if not names:
        return []
    return [
        Finding(
            "data-in-several-outputs",
            Severity.WARNING,
            f"dataset {listed(names, 5)}",
            f"{counted(len(names), 'dataset')} of collision data with the same number of events at each step of the "
            f"cutflow in several of the files {listed(paths, 4)}: a copy, by the look of it, whose events are counted "
            "repeatedly",
            "give each output once; this is harmless only if the files hold different variables",
            {"datasets": float(len(names)), "files": float(len(paths))},
        )
    ]


def _shared(entries: Iterable[tuple[Path, str, str]]) -> tuple[list[str], list[str]]:
    """Return the datasets that several files have, and these files.

    Args:
        entries: File, dataset, and what must be the same in the files, of each entry.
    """
    seen: dict[tuple[str, str], list[Path]] = {}
    for path, dataset, contents in entries:
        seen.setdefault((dataset, contents), []).append(path)
    shared = {key: paths for key, paths in seen.items() if len(paths) > 1}
    return sorted({name for name, _ in shared}), sorted({str(path) for paths in shared.values() for path in paths})


def _count(count: Any) -> str:
    """Return a count of the cutflow, which is one per sample in categories."""
    if isinstance(count, Mapping):
        return " + ".join(f"{sample} {number}" for sample, number in sorted(count.items()))
    return str(count)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 120 else f"{text[:100]}…"
