"""What sections say at the edges: no toy beyond the data, fits that failed, best fits at the end of their range."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("jinja2")

from pocket_combine.card.load import LoadedCard
from pocket_combine.card.parser import parse_card
from pocket_combine.errors import CardError
from pocket_combine.inference import fit, impacts, limits, postfit, significance
from pocket_combine.report.assembling import draft_of
from pocket_combine.report.contents import Mark, Paragraph, Table
from pocket_combine.report.drafts import Draft, Material
from pocket_combine.report.options import ReportOptions
from pocket_combine.report.plan import plan_steps
from pocket_combine.report.run import Outcome
from pocket_combine.report.sections import BUILDERS
from pocket_combine.report.subject import subject_of
from pocket_combine.report.unusable import why_unusable
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


def workspaces(text: str, **settings: object) -> Workspaces:
    return Workspaces(subject_of(LoadedCard(parse_card(text), {}, (), "-"), blind=False), settings, expect_signal=1.0)


def material(results: Mapping[str, Result], made: Workspaces = WORKSPACES, *, unblind: bool = True) -> Material:
    """What sections are made from: results by names of steps."""
    options = ReportOptions(unblind=unblind)
    subject = subject_of(LoadedCard(parse_card(CARD), {}, (), "-"), blind=not unblind)
    steps = {step.name: step for step in plan_steps(made, ("card.txt",), options)}
    return Material(subject, options, made, {name: Outcome(steps[name], result) for name, result in results.items()})


def draft(section: str, results: Mapping[str, Result], *, unblind: bool = True) -> Draft:
    return BUILDERS[section][1](material(results, unblind=unblind))


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


def test_what_fits_say_about_themselves_is_in_their_section() -> None:
    # A background that is as free as the signal: limits stand, and say that the best fit is no unique one.
    made = workspaces(CARD.replace("norm lnN - 1.01", "norm rateParam SR bkg 1 [0,5]"))
    results = {"limits-observed": limits(made.get(Sample.OBSERVED))}
    found = draft_of("limits", material(results, made))
    notes = [part.text for part in found.parts if isinstance(part, Paragraph)]
    assert [note.partition(" (")[0] for note in notes] == [
        "Note: Upper limits: the best fit of the Asimov data: flat direction",
        "Note: Upper limits: the best fit: flat direction",
    ]
    sound = draft_of("limits", material({"limits-observed": limits(WORKSPACES.get(Sample.OBSERVED))}))
    assert [part for part in sound.parts if isinstance(part, Paragraph)] == []


def test_few_events_are_noted_where_formulas_are_asymptotic() -> None:
    made = workspaces(CARD.replace("observation 92", "observation 3").replace("rate 10 100", "rate 2 1"))
    workspace = made.get(Sample.OBSERVED)
    results = {"limits-observed": limits(workspace), "significance-observed": significance(workspace)}
    for section in ("limits", "significance"):
        found = draft_of(section, material(results, made))
        notes = [part.text for part in found.parts if isinstance(part, Paragraph)]
        assert len(notes) == 1
        assert "few events are expected without signal: 1 in the bin" in notes[0]


def test_limits_that_nothing_constrains_have_one_reason_with_the_parameters() -> None:
    lost = tuple(Quantile(quantile, float("nan"), Status.FLAT_DIRECTION) for quantile in (0.16, 0.5, 0.84))
    result = LimitResult(ASIMOV, "r", 0.95, None, lost, status=Status.FLAT_DIRECTION, concerned=("r", "norm"))
    assert why_unusable(result) == f"flat direction (r, norm): {Status.FLAT_DIRECTION.advice}"


def test_yields_end_where_their_uncertainty_does() -> None:
    made = {"postfit-observed": postfit(WORKSPACES.get(Sample.OBSERVED), fit(WORKSPACES.get(Sample.OBSERVED)))}
    value, error = made["postfit-observed"].yields["SR/total"]
    found = draft("yields", made)
    assert 0.1 < error < 9.9  # so that it has one decimal
    assert f": {value:.1f} ± {error:.1f} in SR" in found.lead or f": {value:.2f} ± {error:.2f} in SR" in found.lead


def test_pulls_of_asimov_data_are_ordered_by_their_constraints() -> None:
    made = workspaces(
        """imax 2
bin SR CR
observation 40 120
bin SR SR CR
process sig bkg bkg
process 0 1 1
rate 10 30 100
a_weak lnN - 1.01 1.01
b_strong lnN - 1.3 1.3
"""
    )
    for sample, order in ((Sample.SIGNAL, "strongest constraint"), (Sample.OBSERVED, "largest pull")):
        found = draft_of(
            "fit", material({f"fit-{sample.value}": fit(made.get(sample))}, made, unblind=sample is Sample.OBSERVED)
        )
        (table,) = (part for part in found.parts if isinstance(part, Table) and part.name == "pulls")
        assert table.caption.endswith(f"{order} first.")
        assert [row.cells[0].text for row in table.rows] == ["b_strong", "a_weak"]


def test_a_report_is_about_parameters_of_interest_that_float() -> None:
    two = """imax 1
bin SR
observation 130
bin SR SR SR
process ttH ggH bkg
process -1 0 1
rate 10 20 100
norm lnN - 1.1 -
"""
    pois = {".*/ttH": "r_ttH[1,0,5]", ".*/ggH": "r_ggH[1,0,5]"}
    made = workspaces(two, pois=pois, freeze=("r_ttH",))
    results = {"impacts-observed": impacts(made.get(Sample.OBSERVED))}
    assert made.pois == ("r_ggH",)
    found = BUILDERS["impacts"][1](material(results, made))
    assert found.lead.startswith("Largest impacts on r_ggH in the observation, with the nuisance down/up: norm (+0.1")
    with pytest.raises(CardError, match=r"all parameters of interest are frozen \(r\), so that nothing can be fitted"):
        workspaces(CARD, freeze=("r",))
