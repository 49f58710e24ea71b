"""What an output of PocketCoffea holds, to be looked at and to be handed to the builder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import hist
import numpy as np

from pocket_combine.errors import MissingInputError, OutputFileError, TemplateError, join_problems, listed, nearest
from pocket_combine.findings import Finding
from pocket_combine.io.pickles.arguments import kind_of
from pocket_combine.names import CATEGORY_AXIS, NOMINAL, VARIATION_AXIS

__all__ = ["Output"]

_MOST_PROBLEMS = 20
_NOT_POSTPROCESSED = (
    "has no 'datasets_metadata', so it is the output of a single job before PocketCoffea's postprocessing: its "
    "histograms are not divided by the sum of the generator weights; run `pocket-coffea merge-outputs -jc` first"
)


@dataclass(frozen=True, eq=False, repr=False)
class Output(Mapping[str, Any]):
    """An output of PocketCoffea: a read-only dictionary, and views of what is in it.

    Used as a dictionary it has the keys of the output: `output["variables"][variable][sample][dataset]` is a
    histogram, `output["datasets_metadata"]` and `output["cutflow"]` are what `Datacard` takes.

    Args:
        contents: The output as PocketCoffea wrote it.
        paths: The files that it was read from.
        findings: What was noticed when several files were added.

    Raises:
        OutputFileError: If `contents` is not an output of PocketCoffea; all problems are listed.

    Examples:
        >>> import hist
        >>> filled = hist.new.StrCat(["SR"], name="cat").StrCat(["nominal", "JERUp"], name="variation").Reg(
        ...     2, 0, 1, name="pt").Weight().fill("SR", ["nominal", "nominal", "JERUp"], [0.2, 0.7, 0.7])
        >>> output = Output({
        ...     "variables": {"pt": {"TTbar": {"TTbar_2018": filled}}},
        ...     "cutflow": {"presel": {"TTbar_2018": 2}},
        ...     "datasets_metadata": {
        ...         "by_dataset": {"TTbar_2018": {"sample": "TTbar", "year": "2018", "isMC": "True"}},
        ...         "by_datataking_period": {"2018": {"TTbar": {"TTbar_2018"}}},
        ...     },
        ... })
        >>> output
        <Output: 1 variable, 1 category, 1 sample, 1 dataset, years 2018>
        >>> output.datasets
        {'TTbar': {'TTbar_2018': '2018'}}
        >>> output.variations("TTbar")
        ('JERUp',)
        >>> output.yields("pt")
        {'SR': {'TTbar': {'TTbar_2018': 2.0}}}
    """

    contents: Mapping[str, Any]
    paths: tuple[Path, ...] = ()
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        problems = _problems(self.contents)
        if problems:
            raise OutputFileError(join_problems(problems))
        object.__setattr__(self, "contents", dict(self.contents))
        object.__setattr__(self, "paths", tuple(map(Path, self.paths)))
        undated = [name for name in self.filled_datasets if name not in self._years_of_datasets]
        if undated:
            raise OutputFileError(f"has histograms of datasets with no year in datasets_metadata: {listed(undated)}")

    def __getitem__(self, key: str) -> Any:
        try:
            return self.contents[key]
        except KeyError as error:
            raise MissingInputError(f"the output has no {key!r} ({nearest(str(key), self.contents)})") from error

    def __iter__(self) -> Iterator[str]:
        return iter(self.contents)

    def __len__(self) -> int:
        return len(self.contents)

    def __repr__(self) -> str:
        counts = (
            (len(self.variables), "variable", "variables"),
            (len(self.categories), "category", "categories"),
            (len(self.samples), "sample", "samples"),
            (len(self.filled_datasets), "dataset", "datasets"),
        )
        parts = [f"{count} {one if count == 1 else many}" for count, one, many in counts]
        return f"<Output: {', '.join(parts)}, years {', '.join(self.years)}>"

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the variables, in the order of the file."""
        return tuple(self["variables"])

    @cached_property
    def categories(self) -> tuple[str, ...]:
        """Names of all categories, in the order of the histograms' axes."""
        return tuple(dict.fromkeys(name for variable in self.variables for name in self.categories_of(variable)))

    def categories_of(self, variable: str) -> tuple[str, ...]:
        """Return the names of the categories in which a variable is filled.

        Raises:
            MissingInputError: If there is no such variable.
        """
        return tuple(
            dict.fromkeys(name for *_, filled in self._filled(variable) for name in filled.axes[CATEGORY_AXIS])
        )

    @cached_property
    def samples(self) -> tuple[str, ...]:
        """Names of the samples and subsamples (`Sample__subsample`) that have histograms, in the order of the file."""
        return tuple(dict.fromkeys(sample for samples in self["variables"].values() for sample in samples))

    @cached_property
    def filled_datasets(self) -> tuple[str, ...]:
        """Names of the datasets that have histograms, in the order of the file."""
        filled = (found for samples in self["variables"].values() for found in samples.values())
        return tuple(dict.fromkeys(name for found in filled for name in found))

    @cached_property
    def datasets(self) -> dict[str, dict[str, str]]:
        """`{sample: {dataset: year}}` for all samples and datasets that have histograms."""
        datasets: dict[str, dict[str, str]] = {sample: {} for sample in self.samples}
        for samples in self["variables"].values():
            for sample, filled in samples.items():
                datasets[sample].update({name: self._years_of_datasets[name] for name in filled})
        return datasets

    @cached_property
    def years(self) -> tuple[str, ...]:
        """Data-taking periods of the datasets that have histograms, sorted."""
        return tuple(sorted({year for datasets in self.datasets.values() for year in datasets.values()}))

    def variations(self, sample: str, variable: str | None = None) -> tuple[str, ...]:
        """Return the variations that a sample has, as they are called on the axis (`JERUp`), without the nominal one.

        Args:
            sample: Name of the sample or subsample.
            variable: Name of a variable; without it, all variables are looked through.

        Returns:
            The names in the order of the axis; none for data.

        Raises:
            MissingInputError: If there is no such sample or variable.
        """
        if sample not in self.samples:
            raise MissingInputError(f"the output has no sample {sample!r} ({nearest(sample, self.samples)})")
        names: dict[str, None] = {}
        for name in self.variables if variable is None else (variable,):
            for found, _, filled in self._filled(name):
                if found == sample and VARIATION_AXIS in filled.axes.name:
                    names.update(dict.fromkeys(filled.axes[VARIATION_AXIS]))
        return tuple(name for name in names if name != NOMINAL)

    def yields(self, variable: str) -> dict[str, dict[str, dict[str, float]]]:
        """Return the nominal yields seen in a variable: `{category: {sample: {dataset: events}}}`.

        What lies outside the range of the histogram counts. A variable of objects (jets) counts objects, not events.

        Raises:
            MissingInputError: If there is no such variable.
            TemplateError: If a histogram has variations but no nominal one.
        """
        yields: dict[str, dict[str, dict[str, float]]] = {name: {} for name in self.categories_of(variable)}
        for sample, dataset, filled in self._filled(variable):
            sums = _nominal_sums(filled, f"variable {variable}, sample {sample}, dataset {dataset}")
            for category, events in sums.items():
                yields[category].setdefault(sample, {})[dataset] = events
        return yields

    def normalisations(self) -> dict[str, float]:
        """Return the sum of generator weights per simulated dataset that has histograms in this output.

        PocketCoffea divides the histograms of these datasets by it when an output is complete.
        """
        sums = self.contents.get("sum_genweights")
        if not isinstance(sums, Mapping):
            return {}
        numbers = {name: sums.get(name) for name in self.filled_datasets}
        return {name: float(value) for name, value in numbers.items() if isinstance(value, (int, float, np.number))}

    def summary(self, variable: str | None = None) -> dict[str, Any]:
        """Return what is in the output as plain values for JSON.

        Args:
            variable: The variable whose yields are shown; the first one by default.

        Raises:
            MissingInputError: If there is no such variable.
        """
        shown = variable if variable is not None else next(iter(self.variables), None)
        return {
            "paths": [str(path) for path in self.paths],
            "variables": {name: self._describe(name) for name in self.variables},
            "categories": list(self.categories),
            "years": list(self.years),
            "samples": {
                sample: {"datasets": dict(datasets), "variations": list(self.variations(sample))}
                for sample, datasets in self.datasets.items()
            },
            "yields": {"variable": shown, "nominal": {} if shown is None else self.yields(shown)},
            "findings": [finding.to_dict() for finding in self.findings],
        }

    def _describe(self, variable: str) -> dict[str, Any]:
        filled = next((filled for *_, filled in self._filled(variable)), None)
        axes = () if filled is None else (a for a in filled.axes if a.name not in (CATEGORY_AXIS, VARIATION_AXIS))
        return {
            "categories": list(self.categories_of(variable)),
            "axes": [_describe_axis(axis) for axis in axes],
        }

    def _filled(self, variable: str) -> Iterator[tuple[str, str, hist.Hist[Any]]]:
        """Yield sample, dataset and histogram of a variable."""
        if variable not in self["variables"]:
            raise MissingInputError(f"the output has no variable {variable!r} ({nearest(variable, self.variables)})")
        for sample, datasets in self["variables"][variable].items():
            for dataset, filled in datasets.items():
                yield sample, dataset, filled

    @cached_property
    def _years_of_datasets(self) -> dict[str, str]:
        metadata = self.contents["datasets_metadata"]
        years = {
            dataset: str(year)
            for year, samples in metadata.get("by_datataking_period", {}).items()
            for datasets in samples.values()
            for dataset in datasets
        }
        years |= {name: str(entry["year"]) for name, entry in metadata.get("by_dataset", {}).items() if "year" in entry}
        return years


def _describe_axis(axis: Any) -> dict[str, Any]:
    is_categorical = isinstance(axis, (hist.axis.StrCategory, hist.axis.IntCategory))
    return {
        "name": axis.name,
        "label": axis.label,
        "kind": type(axis).__name__,
        "bins": axis.size,
        "edges": None if is_categorical else np.asarray(axis.edges).tolist(),
    }


def _problems(contents: Any) -> list[str]:
    """Return why something is not an output of PocketCoffea."""
    if not isinstance(contents, Mapping):
        return [f"holds {kind_of(contents)}, expected the dictionary that PocketCoffea writes"]
    if "variables" not in contents:
        return [f"has no 'variables', so it is not an output of PocketCoffea (its keys: {_listed(contents)})"]
    if "datasets_metadata" not in contents:
        return [_NOT_POSTPROCESSED]
    problems = [
        f"has {kind_of(contents[key])} as {key!r}, expected a dictionary"
        if key in contents
        else f"has no {key!r} (its keys: {_listed(contents)})"
        for key in ("variables", "datasets_metadata", "cutflow")
        if not isinstance(contents.get(key), Mapping)
    ]
    return problems or [*_metadata_problems(contents["datasets_metadata"]), *_histogram_problems(contents["variables"])]


def _metadata_problems(metadata: Mapping[str, Any]) -> list[str]:
    years, datasets = metadata.get("by_datataking_period", {}), metadata.get("by_dataset", {})
    problems = []
    if not isinstance(datasets, Mapping) or not all(isinstance(entry, Mapping) for entry in datasets.values()):
        problems.append("datasets_metadata / by_dataset: expected {dataset: {…}}")
    if not isinstance(years, Mapping) or not all(
        isinstance(samples, Mapping)
        and all(isinstance(names, (set, frozenset, list, tuple)) for names in samples.values())
        for samples in years.values()
    ):
        problems.append("datasets_metadata / by_datataking_period: expected {year: {sample: {dataset, …}}}")
    return problems


def _histogram_problems(variables: Mapping[str, Any]) -> list[str]:
    problems: list[str] = []
    for variable, samples in variables.items():
        if not isinstance(samples, Mapping) or not all(isinstance(found, Mapping) for found in samples.values()):
            problems.append(f"variable {variable}: expected {{sample: {{dataset: histogram}}}}")
            continue
        for sample, datasets in samples.items():
            for dataset, filled in datasets.items():
                place = f"variable {variable}, sample {sample}, dataset {dataset}"
                if not isinstance(filled, hist.Hist):
                    problems.append(f"{place}: has {kind_of(filled)}, expected a histogram")
                elif not filled.axes or CATEGORY_AXIS not in filled.axes.name:
                    problems.append(f"{place}: the histogram has no axis named {CATEGORY_AXIS!r}")
    hidden = len(problems) - _MOST_PROBLEMS
    return problems if hidden <= 0 else [*problems[:_MOST_PROBLEMS], f"{hidden} more of the kind"]


def _listed(keys: Mapping[Any, Any]) -> str:
    return ", ".join(map(str, list(keys)[:12])) or "none"


def _nominal_sums(filled: hist.Hist[Any], place: str) -> dict[str, float]:
    """Return the nominal sum per category, flow included."""
    values = np.asarray(filled.values(flow=True))
    names = filled.axes.name
    if VARIATION_AXIS in names:
        variations = list(filled.axes[VARIATION_AXIS])
        if NOMINAL not in variations:
            raise TemplateError(f"{place}: there are variations, but no {NOMINAL!r} one")
        values = values.take([variations.index(NOMINAL)], axis=names.index(VARIATION_AXIS))
    position = names.index(CATEGORY_AXIS)
    sums = values.sum(axis=tuple(axis for axis in range(values.ndim) if axis != position))
    return {category: float(sums[index]) for index, category in enumerate(filled.axes[CATEGORY_AXIS])}
