"""The sections of a report: from results to sentences, tables and figures."""

from pocket_combine.report.drafts import Builder
from pocket_combine.report.sections.answers import build_limits, build_significance
from pocket_combine.report.sections.card import build_card
from pocket_combine.report.sections.checks import build_checks, build_names
from pocket_combine.report.sections.effects import build_effects, build_scheme
from pocket_combine.report.sections.fit import build_fit
from pocket_combine.report.sections.impacts import build_impacts
from pocket_combine.report.sections.scan import build_scan
from pocket_combine.report.sections.toys import build_bias, build_goodness
from pocket_combine.report.sections.yields import build_yields

__all__ = ["BUILDERS"]

BUILDERS: dict[str, tuple[str, Builder]] = {
    "card": ("The card", build_card),
    "checks": ("Checks of the card", build_checks),
    "names": ("Names of nuisances", build_names),
    "fit": ("Fit, pulls and correlations", build_fit),
    "yields": ("Expected events before and after the fit", build_yields),
    "impacts": ("Impacts", build_impacts),
    "goodness": ("Goodness of fit", build_goodness),
    "bias": ("Bias test", build_bias),
    "limits": ("Upper limits", build_limits),
    "significance": ("Significance", build_significance),
    "scan": ("Likelihood scan", build_scan),
    "effects": ("What nuisances do", build_effects),
    "scheme": ("Correlation scheme", build_scheme),
}
"""Title and builder of each section, by name, in the order of the page."""
