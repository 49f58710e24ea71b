"""Figures, from saved results and cards, on the caller's axes.

`draw_…` functions draw on axes that they are given and return what they drew; `…_figure` functions make a figure of
a size that fits. Both keep to CMS style (`style_context`) and a `Style` of labels, names and colours. No fit is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pocket_combine.errors import MissingDependencyError
from pocket_combine.on_demand import loaded

if TYPE_CHECKING:
    from pocket_combine.plotting.breakdown import breakdown_figure, draw_breakdown
    from pocket_combine.plotting.breakdown_values import breakdown_table
    from pocket_combine.plotting.canvas import (
        add_labels,
        figure_bytes,
        figure_files,
        new_figure,
        save_figure,
        style_context,
    )
    from pocket_combine.plotting.contact_sheets import (
        contact_sheet_figures,
        draw_contact_sheet,
        nuisance_figure,
        nuisance_figures,
        nuisance_sheet,
    )
    from pocket_combine.plotting.contours import contour_figure, draw_contours
    from pocket_combine.plotting.correlation_values import Correlations, correlations_of
    from pocket_combine.plotting.correlations import correlations_figure, correlations_figures, draw_correlations
    from pocket_combine.plotting.curves import Curve, split_uncertainty
    from pocket_combine.plotting.effect_cells import EffectGrid, effect_grid
    from pocket_combine.plotting.heat_map import draw_heat_map, heat_map_figure, heat_map_figures
    from pocket_combine.plotting.impact_values import RankedImpact, ranked_impacts
    from pocket_combine.plotting.impacts import draw_impacts, impacts_figure, impacts_figures
    from pocket_combine.plotting.limit_axes import LimitOptions, Prediction
    from pocket_combine.plotting.limit_bars import draw_limit_bars, limit_bars_figure
    from pocket_combine.plotting.limit_points import LimitPoints
    from pocket_combine.plotting.limits import draw_limits, limits_figure
    from pocket_combine.plotting.pull_pages import PullOptions, pulls_figure, pulls_figures
    from pocket_combine.plotting.pull_values import Pull, pulls_of
    from pocket_combine.plotting.pulls import draw_free_parameters, draw_pulls
    from pocket_combine.plotting.scans import draw_scan, scan_figure
    from pocket_combine.plotting.scheme import draw_scheme, scheme_figure, scheme_figures
    from pocket_combine.plotting.scheme_grid import Scheme, correlation_scheme
    from pocket_combine.plotting.stack_figures import overview_figure, stack_figure, stack_figures
    from pocket_combine.plotting.stack_numbers import Stack, overview_of, stack_of
    from pocket_combine.plotting.stack_options import StackOptions
    from pocket_combine.plotting.stack_panels import draw_stack_panel
    from pocket_combine.plotting.stacks import draw_stack
    from pocket_combine.plotting.strength_values import Strength, strengths_of
    from pocket_combine.plotting.strengths import draw_strengths, strengths_figure
    from pocket_combine.plotting.style import (
        ChannelRule,
        Labels,
        ParameterRule,
        ProcessRule,
        Style,
        load_style,
        style_text,
    )
    from pocket_combine.plotting.toy_numbers import Moments
    from pocket_combine.plotting.toys import (
        bias_figure,
        draw_bias,
        draw_goodness,
        draw_toys,
        goodness_figure,
        toys_figure,
        toys_figures,
    )
    from pocket_combine.plotting.variation_figures import (
        draw_variation,
        draw_variation_ratio,
        template_figure,
        template_figures,
    )
    from pocket_combine.plotting.variations import (
        Selection,
        Variation,
        largest_variations,
        summed_variations,
        variations,
    )
    from pocket_combine.plotting.yield_tables import YieldTable, yield_table

_HOMES = {
    "style_context": "canvas",
    "new_figure": "canvas",
    "add_labels": "canvas",
    "figure_bytes": "canvas",
    "figure_files": "canvas",
    "save_figure": "canvas",
    "Style": "style",
    "Labels": "style",
    "ProcessRule": "style",
    "ChannelRule": "style",
    "ParameterRule": "style",
    "load_style": "style",
    "style_text": "style",
    "Pull": "pull_values",
    "pulls_of": "pull_values",
    "draw_pulls": "pulls",
    "draw_free_parameters": "pulls",
    "PullOptions": "pull_pages",
    "pulls_figure": "pull_pages",
    "pulls_figures": "pull_pages",
    "Stack": "stack_numbers",
    "stack_of": "stack_numbers",
    "overview_of": "stack_numbers",
    "StackOptions": "stack_options",
    "draw_stack": "stacks",
    "draw_stack_panel": "stack_panels",
    "stack_figure": "stack_figures",
    "stack_figures": "stack_figures",
    "overview_figure": "stack_figures",
    "YieldTable": "yield_tables",
    "yield_table": "yield_tables",
    "draw_contact_sheet": "contact_sheets",
    "contact_sheet_figures": "contact_sheets",
    "nuisance_figure": "contact_sheets",
    "nuisance_figures": "contact_sheets",
    "nuisance_sheet": "contact_sheets",
    "Selection": "variations",
    "Variation": "variations",
    "variations": "variations",
    "summed_variations": "variations",
    "largest_variations": "variations",
    "draw_variation": "variation_figures",
    "draw_variation_ratio": "variation_figures",
    "template_figure": "variation_figures",
    "template_figures": "variation_figures",
    "RankedImpact": "impact_values",
    "ranked_impacts": "impact_values",
    "draw_impacts": "impacts",
    "impacts_figure": "impacts",
    "impacts_figures": "impacts",
    "Correlations": "correlation_values",
    "correlations_of": "correlation_values",
    "draw_correlations": "correlations",
    "correlations_figure": "correlations",
    "correlations_figures": "correlations",
    "breakdown_table": "breakdown_values",
    "draw_breakdown": "breakdown",
    "breakdown_figure": "breakdown",
    "Strength": "strength_values",
    "strengths_of": "strength_values",
    "draw_strengths": "strengths",
    "strengths_figure": "strengths",
    "Curve": "curves",
    "split_uncertainty": "curves",
    "draw_scan": "scans",
    "scan_figure": "scans",
    "draw_contours": "contours",
    "contour_figure": "contours",
    "LimitOptions": "limit_axes",
    "Prediction": "limit_axes",
    "LimitPoints": "limit_points",
    "draw_limits": "limits",
    "limits_figure": "limits",
    "draw_limit_bars": "limit_bars",
    "limit_bars_figure": "limit_bars",
    "Moments": "toy_numbers",
    "draw_goodness": "toys",
    "goodness_figure": "toys",
    "draw_toys": "toys",
    "toys_figure": "toys",
    "toys_figures": "toys",
    "draw_bias": "toys",
    "bias_figure": "toys",
    "EffectGrid": "effect_cells",
    "effect_grid": "effect_cells",
    "draw_heat_map": "heat_map",
    "heat_map_figure": "heat_map",
    "heat_map_figures": "heat_map",
    "Scheme": "scheme_grid",
    "correlation_scheme": "scheme_grid",
    "draw_scheme": "scheme",
    "scheme_figure": "scheme",
    "scheme_figures": "scheme",
}
"""Public name → module of this room that defines it, imported when it is first used."""

__all__ = [
    "require_plotting",
    "style_context",
    "new_figure",
    "add_labels",
    "figure_bytes",
    "figure_files",
    "save_figure",
    "Style",
    "Labels",
    "ProcessRule",
    "ChannelRule",
    "ParameterRule",
    "load_style",
    "style_text",
    "Pull",
    "pulls_of",
    "draw_pulls",
    "draw_free_parameters",
    "PullOptions",
    "pulls_figure",
    "pulls_figures",
    "Stack",
    "stack_of",
    "overview_of",
    "StackOptions",
    "draw_stack",
    "draw_stack_panel",
    "stack_figure",
    "stack_figures",
    "overview_figure",
    "YieldTable",
    "yield_table",
    "draw_contact_sheet",
    "contact_sheet_figures",
    "nuisance_figure",
    "nuisance_figures",
    "nuisance_sheet",
    "Selection",
    "Variation",
    "variations",
    "summed_variations",
    "largest_variations",
    "draw_variation",
    "draw_variation_ratio",
    "template_figure",
    "template_figures",
    "RankedImpact",
    "ranked_impacts",
    "draw_impacts",
    "impacts_figure",
    "impacts_figures",
    "Correlations",
    "correlations_of",
    "draw_correlations",
    "correlations_figure",
    "correlations_figures",
    "breakdown_table",
    "draw_breakdown",
    "breakdown_figure",
    "Strength",
    "strengths_of",
    "draw_strengths",
    "strengths_figure",
    "Curve",
    "split_uncertainty",
    "draw_scan",
    "scan_figure",
    "draw_contours",
    "contour_figure",
    "LimitOptions",
    "Prediction",
    "LimitPoints",
    "draw_limits",
    "limits_figure",
    "draw_limit_bars",
    "limit_bars_figure",
    "Moments",
    "draw_goodness",
    "goodness_figure",
    "draw_toys",
    "toys_figure",
    "toys_figures",
    "draw_bias",
    "bias_figure",
    "EffectGrid",
    "effect_grid",
    "draw_heat_map",
    "heat_map_figure",
    "heat_map_figures",
    "Scheme",
    "correlation_scheme",
    "draw_scheme",
    "scheme_figure",
    "scheme_figures",
]


def __getattr__(name: str) -> Any:
    try:
        return loaded(__name__, _HOMES, name)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in ("matplotlib", "mplhep"):
            raise
        raise MissingDependencyError(
            f"figures need {error.name}, which is not installed: pip install 'pocket-combine[plot]'"
        ) from error


def require_plotting() -> None:
    """Raise `MissingDependencyError` if there is nothing to draw with."""
    __getattr__("style_context")  # its module imports all that figures need


def __dir__() -> list[str]:
    return sorted(__all__)
