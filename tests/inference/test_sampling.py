"""Random parameters and toys that are not frequentist: their moments beside closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from model_cards import counting, shape_workspace

from pocket_combine.card.parser import parse_card
from pocket_combine.errors import CardError
from pocket_combine.inference.goodness import goodness_of_fit
from pocket_combine.inference.sampling import PriorSampler
from pocket_combine.inference.toys import ToyKind, generate_toys, toy_fits, truth
from pocket_combine.inference.workspace import Blinding, make_workspace
from pocket_combine.likelihood import Constraint, ConstraintKind, ModelParameter, ParameterList

WIDE = (-1e3, 1e3)


def draws(constraint: Constraint | None, limits: tuple[float, float], count: int = 20_000) -> np.ndarray:
    copies = [ModelParameter(f"k{at}", "param", 0.0, limits, constraint) for at in range(count)]
    return PriorSampler(ParameterList(copies)).draw(np.full(count, 7.0), np.random.default_rng(2))


@pytest.mark.parametrize(
    ("constraint", "limits", "mean", "variance"),
    [
        (Constraint(ConstraintKind.GAUSSIAN, 2.0, (0.5, 0.5)), WIDE, 2.0, 0.25),
        # Two halves of a Gaussian: the mean moves by (σ₊ - σ₋) √(2/π), the variance is σ₊σ₋ + (1 - 2/π) (σ₊ - σ₋)².
        (
            Constraint(ConstraintKind.GAUSSIAN, 1.0, (1.0, 3.0)),
            WIDE,
            1.0 + 2.0 * math.sqrt(2.0 / math.pi),
            3.0 + (1.0 - 2.0 / math.pi) * 4.0,
        ),
        # λ^N exp(-λ) in λ is a gamma distribution of shape N + 1.
        (Constraint(ConstraintKind.POISSON, 11.0), WIDE, 12.0, 12.0),
        (Constraint(ConstraintKind.GAMMA, 16.0, (1 / 16, 1 / 16)), WIDE, 1.0, 1 / 16),
        (Constraint(ConstraintKind.FERMI_DIRAC, 0.5, (5.0, 5.0)), WIDE, 0.5, 1 / 3 + math.pi**2 / 75),
        (Constraint(ConstraintKind.UNIFORM), (-1.0, 3.0), 1.0, 16 / 12),
        # Nothing is drawn outside of the range.
        (
            Constraint(ConstraintKind.GAUSSIAN),
            (0.0, 1.0),
            float(scipy.stats.truncnorm(0.0, 1.0).mean()),
            float(scipy.stats.truncnorm(0.0, 1.0).var()),
        ),
        (Constraint(ConstraintKind.GAUSSIAN, moves=False), WIDE, 0.0, 1.0),
        (None, WIDE, 7.0, 0.0),
    ],
)
def test_priors(constraint: Constraint | None, limits: tuple[float, float], mean: float, variance: float) -> None:
    found = draws(constraint, limits)
    assert found.mean() == pytest.approx(mean, abs=4 * math.sqrt(variance / found.size))
    assert found.var() == pytest.approx(variance, rel=0.05)
    assert limits[0] <= found.min()
    assert found.max() <= limits[1]


def test_density_of_a_prior_is_its_constraint_term() -> None:
    # Integrated over quantiles of the closed form, all draws are uniform.
    found = draws(Constraint(ConstraintKind.FERMI_DIRAC, 0.0, (5.0, 5.0)), WIDE)
    x = np.linspace(-6.0, 6.0, 20001)
    density = 1.0 / ((1.0 + np.exp(5.0 * (x - 1.0))) * (1.0 + np.exp(-5.0 * (x + 1.0))))
    cumulative = np.cumsum(density) / density.sum()
    assert scipy.stats.kstest(np.interp(found, x, cumulative), "uniform").pvalue > 0.01


def test_priors_that_cannot_be_drawn_from() -> None:
    with pytest.raises(CardError, match="next to nothing of the prior lies in the range of k0"):
        draws(Constraint(ConstraintKind.GAUSSIAN), (20.0, 21.0), count=1)
    with pytest.raises(CardError, match="values of k0 cannot be drawn: a flat prior needs a finite range"):
        draws(Constraint(ConstraintKind.UNIFORM), (-math.inf, math.inf), count=1)


CARD = "norm lnN - 1.2\n"


def test_counts_of_bayesian_toys() -> None:
    # n ~ Poisson(20 + 100 κ^θ), θ ~ N(0, 1): κ^θ is log-normal with width ln κ.
    workspace = counting(CARD)
    theta = workspace.model.parameters.vector({"r": 2.0, "norm": 3.0})
    toys = generate_toys(workspace, theta, 8000, seed=3, kind=ToyKind.BAYESIAN)
    variance = math.log(1.2) ** 2
    mean = 20 + 100 * math.exp(variance / 2)
    spread = mean + 100**2 * math.exp(variance) * math.expm1(variance)
    assert toys.observations.mean() == pytest.approx(mean, abs=4 * math.sqrt(spread / 8000))
    assert toys.observations.var() == pytest.approx(spread, rel=0.08)
    assert (toys.global_observables == 0.0).all()


def test_counts_of_toys_without_systematics() -> None:
    workspace = counting(CARD)
    toys = generate_toys(workspace, workspace.start, 8000, seed=3, kind=ToyKind.NO_SYSTEMATICS)
    assert toys.observations.mean() == pytest.approx(110.0, abs=4 * math.sqrt(110 / 8000))
    assert toys.observations.var() == pytest.approx(110.0, rel=0.08)
    assert (toys.global_observables == 0.0).all()


def test_frozen_nuisances_are_not_random() -> None:
    workspace = counting(CARD, freeze=["norm"])
    frozen = generate_toys(workspace, workspace.start, 50, seed=3, kind=ToyKind.BAYESIAN)
    still = generate_toys(workspace, workspace.start, 50, seed=3, kind=ToyKind.NO_SYSTEMATICS)
    assert (frozen.observations == still.observations).all()


@pytest.mark.parametrize("kind", ToyKind)
def test_a_toy_does_not_depend_on_the_others(kind: ToyKind) -> None:
    workspace = shape_workspace(Blinding.ASIMOV)
    every = generate_toys(workspace, workspace.start, 5, seed=3, kind=kind)
    last = generate_toys(workspace, workspace.start, 2, seed=3, first=3, kind=kind)
    assert (every.observations[3:] == last.observations).all()
    assert (every.global_observables[3:] == last.global_observables).all()
    assert generate_toys(workspace, workspace.start, 0, seed=3, kind=kind).observations.shape == (0, 12)


def test_fits_of_bayesian_toys() -> None:
    # The nuisance stays where its constraint wants it, and r takes all: r = (n - 100) / 10.
    workspace = counting(CARD, observed=900, ranges={"r": (-9.0, 30.0)})
    result = toy_fits(workspace, 2.0, 60, seed=5, kind=ToyKind.BAYESIAN)
    toys = generate_toys(workspace, truth(workspace, 2.0, ToyKind.BAYESIAN), 60, seed=5, kind=ToyKind.BAYESIAN)
    assert result.values == pytest.approx((toys.observations[:, 0] - 100) / 10, abs=1e-3)
    # They do not know of the 900 events, to which frequentist toys are fitted first.
    assert truth(workspace, 2.0, ToyKind.BAYESIAN).tolist() == [2.0, 0.0]
    assert truth(workspace, 2.0)[1] > 5.0
    assert result.provenance.options["toy_kind"] == "bayesian"


def test_goodness_of_fit_with_toys_before_the_fit() -> None:
    # Without a signal that could absorb it, 130 events are 130 - 100 off, of which θ takes some.
    workspace = counting(CARD, observed=130, freeze=["r"], values={"r": 0.0})
    by_kind = {kind: goodness_of_fit(workspace, toys=400, seed=2, kind=kind) for kind in ToyKind}
    statistics = {kind: result.statistic for kind, result in by_kind.items()}
    assert len(set(statistics.values())) == 1
    # Saturated statistic of one bin with one constrained nuisance: χ² of 1 for frequentist and for Bayesian toys.
    for kind in (ToyKind.FREQUENTIST, ToyKind.BAYESIAN):
        assert by_kind[kind].toys.mean() == pytest.approx(1.0, abs=0.25)
    # Without systematics counts spread by √100 instead of √(100 + 18²).
    variance = 100 / (100 + (100 * math.log(1.2)) ** 2)
    assert by_kind[ToyKind.NO_SYSTEMATICS].toys.mean() == pytest.approx(variance, abs=0.07)
    assert by_kind[ToyKind.BAYESIAN].provenance.options["toy_kind"] == "bayesian"


def test_constraints_of_formulas_have_no_prior() -> None:
    text = (
        "imax 1\nbin SR\nobservation 9\nbin SR SR\nprocess sig bkg\nprocess 0 1\nrate 10 100\n"
        "a rateParam SR bkg 1 [0,5]\nwide constr a-1 a 0.1\n"
    )
    workspace = make_workspace(parse_card(text), {})
    with pytest.raises(CardError, match="`constr` lines constrain functions of parameters"):
        generate_toys(workspace, workspace.start, 1, seed=1, kind=ToyKind.BAYESIAN)
    generate_toys(workspace, workspace.start, 1, seed=1, kind=ToyKind.NO_SYSTEMATICS)
