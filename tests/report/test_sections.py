"""What sections say at the edges: no toy beyond the data, fits that failed, best fits at the end of their range."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("jinja2")

from pocket_combine.card.load import LoadedCard
from pocket_combine.card.parser import parse_card
from pocket_combine.inference import fit, impacts
from pocket_combine.report.contents import Mark, Table
from pocket_combine.report.drafts import Draft, Material
from pocket_combine.report.options import ReportOptions
from pocket_combine.report.plan import plan_steps
from pocket_combine.report.run import Outcome
from pocket_combine.report.sections import BUILDERS
from pocket_combine.report.subject import subject_of
from pocket_combine.report.workspaces import Sample, Workspaces
from pocket_combine.results import (
    GoodnessOfFitResult,
    LimitResult,
    Provenance,
    Quantile,
    Result,
    SignificanceResult,
    Status,
    ToyResult,
)
from pocket_combine.templates import FloatArray

CARD = """imax 1
bin SR
observation 92
bin SR SR
process sig bkg
process 0 1
rate 10 100
norm lnN - 1.01
"""
OBSERVED, ASIMOV = Provenance("a1", "0.1", "observed"), Provenance("a1", "0.1", "asimov")
WORKSPACES = Workspaces(subject_of(LoadedCard(parse_card(CARD), {}, (), "-"), blind=False), {}, expect_signal=1.0)


def draft(section: str, results: Mapping[str, Result], *, unblind: bool = True) -> Draft:
    """The draft of a section made of results by names of steps."""
    options = ReportOptions(unblind=unblind)
    subject = subject_of(LoadedCard(parse_card(CARD), {}, (), "-"), blind=not unblind)
    steps = {step.name: step for step in plan_steps(WORKSPACES, ("card.txt",), options)}
    outcomes = {name: Outcome(steps[name], result) for name, result in results.items()}
    return BUILDERS[section][1](Material(subject, options, WORKSPACES, outcomes))


def goodness(statistic: float | None, toys: FloatArray) -> GoodnessOfFitResult:
    p_value = None if statistic is None or not toys.size else float((toys >= statistic).mean())
    data = ASIMOV if statistic is None else OBSERVED
    return GoodnessOfFitResult(data, "saturated", statistic, {}, toys, p_value, 0, Status.CONVERGED)


def bias(pulls: FloatArray) -> ToyResult:
    ones = np.ones(pulls.size)
    return ToyResult(Provenance("a1", "0.1", "toy"), "r", 0.0, pulls, ones, ones, pulls, 0)


def test_a_p_value_of_toys_has_an_error_or_is_a_bound() -> None:
    toys = np.arange(100.0)
    some = draft("goodness", {"goodness-observed": goodness(80.0, toys)})
    assert some.lead == "p = 0.200 ± 0.040: the statistic is 80, in 100 toys 49.5 on average."
    none = draft("goodness", {"goodness-observed": goodness(1e3, toys)})
    assert none.lead == "p < 0.01 (none of 100 toys): the statistic is 1000, in 100 toys 49.5 on average."
    assert (some.mark, none.mark) == (Mark.GOOD, Mark.NOTICE)


def test_blind_goodness_of_fit_speaks_of_toys_alone() -> None:
    found = draft("goodness", {"goodness-signal": goodness(None, np.array([1.0, 2.0, 3.0]))}, unblind=False)
    assert found.lead.endswith("In 3 toys the statistic is 2 on average, with a standard deviation of 1.")
    lost = draft("goodness", {"goodness-signal": goodness(None, np.zeros(0))}, unblind=False)
    assert (lost.lead, lost.mark) == ("Blind: the data are not tested, and no fit of a toy can be used.", Mark.BAD)


@pytest.mark.parametrize(
    ("width", "mark"), [(0.67, Mark.GOOD), (1.4, Mark.GOOD), (0.5, Mark.NOTICE), (1.6, Mark.NOTICE)]
)
def test_widths_are_compared_with_the_error_that_pulls_of_width_1_have(width: float, mark: Mark) -> None:
    # Of 20 toys that error is 1 / sqrt(38) = 0.162. The error of a width of 0.67 itself is 0.109, a third of its
    # distance to 1, and that of 1.6 is 0.26.
    pulls = np.tile([-1.0, 1.0], 10)
    found = draft("bias", {"toys-observed-0": bias(width * pulls / pulls.std(ddof=1))})
    assert found.mark is mark
    assert found.lead.endswith("within 3 standard errors of the toys.") == (mark is Mark.GOOD)


def test_a_significance_that_is_not_known_is_no_number() -> None:
    nan = float("nan")
    lost = SignificanceResult(OBSERVED, "r", nan, nan, nan, nan, Status.NOT_CONVERGED)
    good = SignificanceResult(ASIMOV, "r", 5.0, 2.87e-7, 25.0, 1.0, Status.CONVERGED)
    found = draft("significance", {"significance-signal": good, "significance-observed": lost})
    assert found.lead == "5.00 σ in Asimov data with r = 1; not known (not converged) in the observation."
    (table,) = (part for part in found.parts if isinstance(part, Table))
    assert [row.cells[2].text for row in table.rows] == ["2.87e-07", "–"]


def test_limits_on_small_numbers_are_not_zero() -> None:
    result = LimitResult(ASIMOV, "r", 0.95, None, (Quantile(0.5, 3.2e-8),))
    (table,) = (
        part for part in draft("limits", {"limits-background": result}, unblind=False).parts if isinstance(part, Table)
    )
    assert table.rows[0].cells[1].text == "3.2e-08"


def test_a_best_fit_at_the_edge_of_its_range_is_said_to_be_there() -> None:
    # 92 events of 100 that are expected without signal, and no signal below 0.
    workspace = WORKSPACES.get(Sample.OBSERVED)
    fitted = draft("fit", {"fit-observed": fit(workspace)})
    assert fitted.lead.endswith("in the observation; at the edge of the range: r.")
    moved = draft("impacts", {"impacts-observed": impacts(workspace)})
    assert moved.lead.endswith("; r is at the edge of its range, which cuts impacts.")
    assert (fitted.mark, moved.mark) == (Mark.NOTICE, Mark.NOTICE)
    inside = WORKSPACES.get(Sample.SIGNAL)
    assert draft("fit", {"fit-signal": fit(inside)}, unblind=False).mark is Mark.GOOD
    assert draft("impacts", {"impacts-signal": impacts(inside)}, unblind=False).mark is Mark.GOOD
