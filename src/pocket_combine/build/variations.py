"""Artificial variations: Up and Down templates made from the nominal ones before a card is built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import hist
import numpy as np

from pocket_combine.build.binning import variable_axes
from pocket_combine.build.collect import Histograms
from pocket_combine.declarations import text_list
from pocket_combine.errors import DeclarationError, MissingInputError, TemplateError, join_problems, nearest
from pocket_combine.names import CATEGORY_AXIS, NOMINAL, SHIFTS, VARIATION_AXIS, name_problem, shifted_name
from pocket_combine.templates import FloatArray

__all__ = ["ArtificialVariation", "add_binwise_variation", "add_norm_variation"]

DownMode = Literal["nominal", "mirror"]


@dataclass(frozen=True)
class ArtificialVariation:
    """A reweighting of the nominal histograms that becomes a variation.

    Attributes:
        name: Name of the variation; `nameUp` and `nameDown` appear on the variation axis.
        samples: Samples that get it.
        weights_by_category: Weights per category: a number for all bins, flow included; one number per bin, flow bins
            keeping weight 1; or one number per bin with the flow bins. Weights act on the last axis of the variable, in
            the binning of the histogram.
        default_weight: Weights of the categories that are not named.
        down_mode: `nominal`: Down is the nominal template (one-sided). `mirror`: Down is the nominal template divided
            by the weights.
        preserve_norm: Whether each varied template is scaled to the nominal total of its dataset and category, flow
            included.
        datasets: Datasets that get it; all of the samples by default.

    Raises:
        DeclarationError: If a field can never be right; all problems are listed.
    """

    name: str
    samples: Sequence[str]
    weights_by_category: Mapping[str, Any]
    default_weight: Any = 1.0
    down_mode: DownMode = "nominal"
    preserve_norm: bool = False
    datasets: Sequence[str] | None = None

    def __post_init__(self) -> None:
        owner = f"variation {self.name!r}"
        problem = name_problem("variation", self.name)
        problems = [f"{owner}: {problem}"] if problem else []
        for field in ("samples", "datasets"):
            if field == "samples" or self.datasets is not None:
                items, found = text_list(owner, field, getattr(self, field))
                object.__setattr__(self, field, items)
                problems += found
        if self.down_mode not in get_args(DownMode):
            problems.append(f"{owner}: down_mode is {self.down_mode!r}, expected 'nominal' or 'mirror'")
        given: Any = self.weights_by_category
        if not isinstance(given, Mapping):
            problems.append(f"{owner}: weights_by_category is a {type(given).__name__}, expected {{category: weights}}")
            given = {}
        for category, weights in {**given, "(default)": self.default_weight}.items():
            problem = self._weight_problem(weights)
            if problem:
                problems.append(f"{owner}: weights of category {category!r} {problem}")
        if problems:
            raise DeclarationError(problems)

    def _weight_problem(self, weights: object) -> str | None:
        try:
            array = np.asarray(weights, dtype=np.float64)
        except (TypeError, ValueError):
            array = np.array(np.nan)
        if array.ndim > 1 or not array.size or not np.isfinite(array).all():
            return f"are {weights!r:.60}, expected a finite number or one per bin"
        if self.down_mode == "mirror" and (array <= 0).any():
            return f"have {array.min():g}, and down_mode='mirror' divides by them: expected positive numbers"
        return None

    def apply(self, histograms: Histograms, categories: Sequence[str] | None = None) -> dict[str, dict[str, Any]]:
        """Return the histograms with the variation; the given ones are not changed, untouched ones are shared.

        Samples and datasets that are not there are passed over: they may be in another output.

        Args:
            histograms: `{sample: {dataset: histogram}}` of one variable.
            categories: Categories that matter for this variable; in others Up and Down are the nominal templates, and
                their weights need not fit its bins. By default all, and then every category that has weights must be
                there.
        """
        result = {sample: dict(datasets) for sample, datasets in histograms.items()}
        for sample in self.samples:
            for dataset, histogram in result.get(sample, {}).items():
                if self.datasets is None or dataset in self.datasets:
                    place = f"sample {sample}, dataset {dataset}"
                    result[sample][dataset] = self._extend(histogram, categories, place)
        return result

    def _extend(self, histogram: Any, wanted: Sequence[str] | None, place: str) -> Any:
        names = [axis.name for axis in histogram.axes]
        if CATEGORY_AXIS not in names or VARIATION_AXIS not in names:
            raise TemplateError(f"{place}: the axes are {names}, expected 'cat' and 'variation' too; is it data?")
        view = histogram.view(flow=True)
        if view.dtype.names is None or set(view.dtype.names) != {"value", "variance"}:
            raise TemplateError(f"{place}: varied histograms need Weight storage")
        variations = list(histogram.axes[VARIATION_AXIS])
        categories = list(histogram.axes[CATEGORY_AXIS])
        new = [shifted_name(self.name, shift) for shift in SHIFTS]
        self._require_names(variations, categories, wanted, new, place)
        axes = [
            hist.axis.StrCategory([*variations, *new], name=VARIATION_AXIS, label=axis.label, growth=axis.traits.growth)
            if axis.name == VARIATION_AXIS
            else axis
            for axis in histogram.axes
        ]
        extended = hist.Hist(*axes, storage=hist.storage.Weight(), name=histogram.name, label=histogram.label)
        order = [names.index(CATEGORY_AXIS), names.index(VARIATION_AXIS)]
        order += [at for at in range(len(names)) if at not in order]
        old, grown = view.transpose(order), extended.view(flow=True).transpose(order)
        grown[:, : len(variations)] = old[:, : len(variations)]
        last = variable_axes(histogram)[-1]
        for row, category in enumerate(categories):
            nominal = old[row, variations.index(NOMINAL)]
            weights = np.ones(last.extent)
            if wanted is None or category in wanted:
                weights = self._weights(category, last, place)
            mirrored = np.ones_like(weights) if self.down_mode == "nominal" else 1.0 / weights
            for at, factors in enumerate((weights, mirrored)):
                factors = self._normalised(factors, nominal["value"])
                grown["value"][row, len(variations) + at] = nominal["value"] * factors
                grown["variance"][row, len(variations) + at] = nominal["variance"] * factors**2
        return extended

    def _require_names(
        self, variations: list[str], categories: list[str], wanted: Sequence[str] | None, new: list[str], place: str
    ) -> None:
        asked = [*self.weights_by_category] if wanted is None else [*wanted]
        unknown = [category for category in asked if category not in categories]
        if unknown:
            problems = [f"{place}: no category {name!r}; {nearest(name, categories)}" for name in unknown]
            raise MissingInputError(join_problems(problems))
        if NOMINAL not in variations:
            raise MissingInputError(f"{place}: no {NOMINAL!r} on the variation axis; {nearest(NOMINAL, variations)}")
        if set(new) & set(variations):
            raise DeclarationError(f"{place}: variation {self.name!r} is already there; choose another name")

    def _weights(self, category: str, axis: Any, place: str) -> FloatArray:
        """Return the weights over all bins of the last axis, flow included."""
        given = np.asarray(self.weights_by_category.get(category, self.default_weight), dtype=np.float64)
        if given.ndim == 0:
            return np.full(axis.extent, float(given))
        if given.size == axis.extent:
            return given
        if given.size == axis.size:
            under, over = int(axis.traits.underflow), int(axis.traits.overflow)
            return np.concatenate([np.ones(under), given, np.ones(over)])
        raise TemplateError(
            f"{place}, category {category}: {given.size} weights for variation {self.name!r}, expected {axis.size} "
            f"(one per bin of {axis.name!r}) or {axis.extent} (with flow bins)"
        )

    def _normalised(self, factors: FloatArray, nominal: FloatArray) -> FloatArray:
        if not self.preserve_norm:
            return factors
        varied = float((nominal * factors).sum())
        return factors * (float(nominal.sum()) / varied) if varied else factors


def add_binwise_variation(
    histograms: Histograms,
    variation_name: str,
    samples: Sequence[str],
    weights_by_category: Mapping[str, Any],
    default_weight: Any = 1.0,
    down_mode: DownMode = "nominal",
    preserve_norm: bool = False,
    datasets: Sequence[str] | None = None,
) -> dict[str, dict[str, Any]]:
    """Return histograms of one variable with an artificial variation that reweights their bins.

    Args:
        histograms: `{sample: {dataset: histogram}}`; not changed, untouched histograms are shared.
        variation_name: Name of the variation, for a `shape` systematic of that name.
        samples: Samples that get it; all must be there.
        weights_by_category: See `ArtificialVariation`.
        default_weight: Weights of the categories that are not named.
        down_mode: `nominal` for a one-sided variation, `mirror` for Down = nominal / weights.
        preserve_norm: Whether to keep the total of each dataset and category.
        datasets: Datasets that get it; those that are not there are passed over, but one must be.

    Raises:
        MissingInputError: If a sample, a category or every dataset is missing.
        DeclarationError: If an argument can never be right, or the variation is already there.
        TemplateError: If weights do not fit the bins.

    Examples:
        >>> category, variation = hist.axis.StrCategory(["SR"], name="cat"), hist.axis.StrCategory(
        ...     ["nominal"], name="variation"
        ... )
        >>> one = hist.Hist(category, variation, hist.axis.Regular(2, 0, 1, name="x"), storage=hist.storage.Weight())
        >>> _ = one.fill("SR", "nominal", [0.2, 0.8, 0.9])
        >>> more = add_binwise_variation({"TT": {"TT_2018": one}}, "rw", ["TT"], {"SR": [1.0, 1.5]})
        >>> more["TT"]["TT_2018"]["SR", "rwUp", :].values()
        array([1., 3.])
    """
    variation = ArtificialVariation(
        variation_name, samples, weights_by_category, default_weight, down_mode, preserve_norm, datasets
    )
    absent = [name for name in samples if name not in histograms]
    problems = [f"sample {name!r} has no histogram; {nearest(name, histograms)}" for name in absent]
    there = {dataset for sample in samples for dataset in histograms.get(sample, {})}
    if datasets is not None and not problems and not there & set(datasets):
        problems.append(f"none of the datasets {list(datasets)} has a histogram; {nearest(str(datasets[0]), there)}")
    if problems:
        raise MissingInputError(join_problems([f"variation {variation_name!r}: {problem}" for problem in problems]))
    return variation.apply(histograms)


def add_norm_variation(
    histograms: Histograms,
    variation_name: str,
    samples: Sequence[str],
    scale_by_category: Mapping[str, float],
    default_scale: float = 1.0,
    down_mode: DownMode = "nominal",
    datasets: Sequence[str] | None = None,
) -> dict[str, dict[str, Any]]:
    """Return histograms of one variable with an artificial variation of the yield, one factor per category.

    Args:
        histograms: `{sample: {dataset: histogram}}`; not changed, untouched histograms are shared.
        variation_name: Name of the variation, for a `shape` systematic of that name.
        samples: Samples that get it; all must be there.
        scale_by_category: Factor of the Up template per category, on all bins, flow included.
        default_scale: Factor of the categories that are not named.
        down_mode: `nominal` for a one-sided variation, `mirror` for Down = nominal / factor.
        datasets: Datasets that get it.

    Raises:
        PocketCombineError: As `add_binwise_variation` does, and if a factor is not a number.
    """
    for category, scale in {**scale_by_category, "(default)": default_scale}.items():
        if np.ndim(scale) != 0:
            raise DeclarationError(
                f"variation {variation_name!r}: the factor of category {category!r} is {scale!r}, expected a number; "
                "add_binwise_variation takes one weight per bin"
            )
    return add_binwise_variation(
        histograms, variation_name, samples, scale_by_category, default_scale, down_mode, False, datasets
    )
