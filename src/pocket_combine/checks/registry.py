"""All checks, with the codes of their findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pocket_combine.checks import content, duplicates, files, mc_stats, names, normalisation, shapes, statistics
from pocket_combine.checks.finding import CheckFinding
from pocket_combine.checks.subject import Subject
from pocket_combine.checks.thresholds import Thresholds

__all__ = ["CHECKS", "Check"]


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes:
        codes: What its findings are called.
        function: What finds them; it neither raises nor changes anything.
        of_text: Whether its findings are right without templates, where it knows nothing of rows that need them.
    """

    codes: tuple[str, ...]
    function: Callable[[Subject, Thresholds], Iterable[CheckFinding]]
    of_text: bool = False


CHECKS: tuple[Check, ...] = (
    Check(("not-finite",), content.check_finite),
    Check(("negative-bin", "negative-variation-bin", "negative-data"), content.check_negative),
    Check(("observation-not-integer",), content.check_observations),
    Check(("missing-template",), normalisation.check_missing_templates),
    Check(("empty-process", "negative-rate"), normalisation.check_empty_processes),
    Check(("rate-mismatch", "observation-mismatch"), normalisation.check_rates),
    Check(("no-background", "no-signal-in-channel"), normalisation.check_signal_and_background),
    Check(("small-signal",), normalisation.check_small_signals),
    Check(("empty-variation",), normalisation.check_varied_yields),
    Check(("large-normalisation-effect",), normalisation.check_large_effects),
    Check(("same-direction-normalisation",), normalisation.check_same_direction),
    Check(("no-effect", "identical-up-down", "one-sided-template"), shapes.check_identical),
    Check(("no-shape-effect",), shapes.check_small_shapes),
    Check(("could-be-lnn",), shapes.check_log_normal_rows),
    Check(("one-sided-bins",), shapes.check_one_sided_bins),
    Check(("insignificant-variation",), statistics.check_insignificant),
    Check(("variation-outlier",), statistics.check_outliers),
    Check(("bin-errors-absent", "bin-errors-sqrt-n"), statistics.check_bin_errors),
    Check(("empty-background-bin", "data-without-expectation", "large-bin-error"), statistics.check_background_bins),
    Check(("mc-stats", "mc-stats-missing", "mc-stats-few-events"), mc_stats.check_mc_stats),
    Check(("duplicate-process",), duplicates.check_duplicate_processes),
    Check(("duplicate-data",), duplicates.check_duplicate_data),
    Check(("duplicate-nuisance",), duplicates.check_duplicate_nuisances),
    Check(("nuisance-without-effect", "nuisance-equals-nominal"), names.check_without_effect),
    Check(("likely-typo",), names.check_typos, of_text=True),
    Check(("missing-year",), names.check_missing_years, of_text=True),
    Check(("year-mismatch",), names.check_wrong_years, of_text=True),
    Check(("content-outside",), files.check_content_outside),
    Check(("unused-templates", "templates-without-row"), files.check_unused_templates),
    Check(("optional-shape-absent", "optional-shape-scaled"), files.check_optional_shapes),
)
"""The checks, in the order of their findings."""
