"""The second opinion: MINUIT agrees where there is one minimum, and says so where there are several."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import reference_cards
from degenerate_cards import TWO_MINIMA
from model_cards import counting, shape_workspace
from test_small_cards import ABCD, SIDEBAND

from pocket_combine.card.model import Card, Channel, Column, Nuisance, ShapeRule
from pocket_combine.card.parser import parse_card
from pocket_combine.errors import MissingDependencyError
from pocket_combine.inference.fitter import Fitter
from pocket_combine.inference.minimise import MinimiserOptions
from pocket_combine.inference.minuit import LARGEST_NLL_DIFFERENCE, LARGEST_SHIFT, second_opinion
from pocket_combine.inference.questions import fit
from pocket_combine.inference.workspace import Blinding, Workspace, make_workspace
from pocket_combine.results import FitResult, SecondOpinion, Status
from pocket_combine.templates import Templates

pytest.importorskip("iminuit")


def opinion_of(workspace: Workspace) -> SecondOpinion:
    opinion = fit(workspace, minuit=True).second_opinion
    assert opinion is not None
    return opinion


def observed(card: str) -> Workspace:
    return make_workspace(parse_card(card), {}, kind=Blinding.OBSERVED)


@pytest.mark.parametrize(
    "workspace",
    [
        observed(ABCD.card),
        observed(SIDEBAND.card),
        counting("norm lnN - 1.1\n"),
        counting("a lnN 1.05 1.2\nb lnU - 1.3\n", observed=70),
        counting("", observed=400),
        shape_workspace(),
        shape_workspace(mc_stats=False, seed=3),
        shape_workspace(Blinding.ASIMOV),
    ],
    ids=["abcd", "sideband", "lnN", "lnU", "range-grown", "bins-profiled", "shapes", "asimov"],
)
def test_minuit_finds_the_same_minimum(workspace: Workspace) -> None:
    opinion = opinion_of(workspace)
    assert opinion.agrees
    assert opinion.is_valid
    # Ours stops at 1e-9 above the minimum, MINUIT at 1e-4.
    assert -1e-8 <= opinion.nll_difference <= LARGEST_NLL_DIFFERENCE
    assert opinion.largest_shift <= LARGEST_SHIFT
    assert opinion.calls > 5


@reference_cards.needed
@pytest.mark.parametrize("name", ["counting-10bins", "synthetic-mcstats", "template-simple", "counting-asymm"])
def test_minuit_agrees_on_reference_cards(name: str) -> None:
    opinion = opinion_of(reference_cards.workspace(name, own_range=False))
    assert opinion.agrees, opinion


def test_both_end_at_a_boundary() -> None:
    workspace = counting("norm lnN - 1.1\nk rateParam SR bkg 1 [0.95,1.05]\n", observed=60)
    result = fit(workspace, minuit=True)
    assert (result.status, result.concerned) == (Status.AT_BOUNDARY, ("r", "k"))
    assert result.second_opinion is not None
    assert result.second_opinion.agrees


def test_no_free_parameter_leaves_nothing_to_disagree_about() -> None:
    opinion = opinion_of(counting("norm lnN - 1.1\n", freeze=["r", "norm"]))
    assert opinion == SecondOpinion(0.0, 0.0, "", is_valid=True, distance=0.0, calls=0, agrees=True)


def test_another_minimum_is_no_agreement() -> None:
    workspace = observed(TWO_MINIMA)
    result = fit(workspace, minuit=True)
    opinion = result.second_opinion
    assert opinion is not None
    assert result.status is Status.CONVERGED
    assert not opinion.agrees
    assert opinion.is_valid
    assert (opinion.parameter, opinion.largest_shift > 1.0) == ("n", True)
    # There is a second minimum on the other side of 0, indeed.
    likelihood = workspace.model.likelihood(workspace.data)
    at = result.parameters.index("n")
    curve = []
    for n in np.linspace(-2.0, 1.0, 61):
        fitter = Fitter(likelihood)
        curve.append(fitter.best(fixed={at: float(n)}).nll)
    lows = [i for i in range(1, 60) if curve[i] < curve[i - 1] and curve[i] < curve[i + 1]]
    assert len(lows) == 2


def test_a_fit_that_stopped_early_is_found_out() -> None:
    workspace = counting("norm lnN - 1.1\n", observed=140)
    fitter = Fitter(workspace.model.likelihood(workspace.data))
    start = workspace.start_of(fitter)
    best = fitter.best(start)
    lazy = Fitter(workspace.model.likelihood(workspace.data))
    lazy.profiler.options = MinimiserOptions(tolerance=0.5)
    early = lazy.best(start)
    assert early.status is Status.CONVERGED
    opinion = second_opinion(lazy, start, early)
    assert opinion.nll_difference == pytest.approx(best.nll - early.nll, abs=2e-4)
    assert opinion.nll_difference < -LARGEST_NLL_DIFFERENCE
    assert not opinion.agrees


def test_the_minimum_in_a_kink_is_the_one_of_a_grid() -> None:
    """Templates that are cropped at zero put the minimum into a kink, along which the likelihood still falls."""
    templates = Templates.of(
        [0, 1, 2], {"sig": [0.1, 1], "b": [1, 4]}, {("b", "s"): ([3, 4], [-1, 4])}, observation=[0, 5]
    )
    card = Card(
        (Channel("c", -1),),
        (Column("c", "sig", 0, -1), Column("c", "b", 1, -1)),
        (ShapeRule("*", "*", "f.root", "$PROCESS", "$PROCESS_$SYSTEMATIC"),),
        (Nuisance("s", "shape", (None, 1.0)),),
    )
    workspace = make_workspace(card, {"c": templates}, kind=Blinding.OBSERVED)
    result = fit(workspace, minuit=True)
    r, s = np.meshgrid(np.linspace(0.3, 0.7, 81), np.linspace(-0.4130, -0.4100, 301))
    values = workspace.model.nll(np.stack([r.ravel(), s.ravel()], axis=1))
    assert result.nll <= values.min()
    assert result.value("r") == pytest.approx(r.ravel()[values.argmin()], abs=0.01)
    assert result.second_opinion is not None
    assert result.second_opinion.agrees


def test_frozen_parameters_keep_their_values() -> None:
    text = "norm lnN - 1.1\nother lnN - 1.2\n"
    opinion = opinion_of(counting(text, observed=140, freeze=["other"], values={"other": 1.5}))
    assert opinion.agrees


def test_the_opinion_is_part_of_the_saved_result() -> None:
    result = fit(counting("norm lnN - 1.1\n"), minuit=True)
    again = FitResult.from_json(result.to_json())
    assert again.second_opinion == result.second_opinion
    assert FitResult.from_json(fit(counting("")).to_json()).second_opinion is None


def test_an_unusable_fit_is_not_agreed_with() -> None:
    result = fit(counting("k rateParam SR bkg 1\nl rateParam SR bkg 1\n"), minuit=True)
    assert result.status is Status.FLAT_DIRECTION
    assert result.second_opinion is not None
    assert not result.second_opinion.agrees


def test_without_iminuit_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "iminuit", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'pocket-combine\[minuit\]'"):
        fit(counting(""), minuit=True)


def test_both_thresholds_say_the_same() -> None:
    # A shift by so many standard deviations changes a parabola by so much.
    assert pytest.approx(LARGEST_NLL_DIFFERENCE, rel=0.3) == LARGEST_SHIFT**2 / 2
