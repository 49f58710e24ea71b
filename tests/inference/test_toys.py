"""Toys: their distributions, their independence of chunks, and the bias test."""

from __future__ import annotations

import numpy as np
import pytest
from degenerate_cards import shapes as card_of_shapes
from model_cards import counting, shape_workspace

from pocket_combine.errors import CardError
from pocket_combine.execution import ProcessExecutor
from pocket_combine.inference.questions import fit
from pocket_combine.inference.sampling import ObservableSampler
from pocket_combine.inference.toy_fitter import ToyFitter
from pocket_combine.inference.toys import bias_test, generate_toys, toy_fits, truth
from pocket_combine.inference.workspace import Blinding, Workspace
from pocket_combine.likelihood import Constraint, ConstraintKind, Data, ModelParameter, ParameterList
from pocket_combine.results import BiasResult, ToyResult


def draws(constraint: Constraint, theta: float, count: int = 8000) -> np.ndarray:
    sampler = ObservableSampler(ParameterList([ModelParameter("k", "param", 0.0, (-9.0, 99.0), constraint)]))
    random = np.random.default_rng(1)
    return np.array([sampler.draw(np.array([theta]), random)[0] for _ in range(count)])


@pytest.mark.parametrize(
    ("constraint", "theta", "mean", "variance"),
    [
        (Constraint(ConstraintKind.GAUSSIAN, 0.0, (0.5, 0.5)), 2.0, 2.0, 0.25),
        (Constraint(ConstraintKind.POISSON, 11.0), 20.0, 20.0, 20.0),
        # Shape 16 and scale 1/16, so that 15 events were counted: an expectation of 2 · 16 events.
        (Constraint(ConstraintKind.GAMMA, 16.0, (1 / 16, 1 / 16)), 2.0, 33.0, 32.0),
        # Variance of a flat distribution on [-1, 1], 1/3, plus that of a logistic one of scale 1/5, π²/(3 · 25).
        (Constraint(ConstraintKind.FERMI_DIRAC, 0.0, (5.0, 5.0)), 0.5, 0.5, 1 / 3 + np.pi**2 / 75),
        (Constraint(ConstraintKind.UNIFORM, 3.0), 0.5, 3.0, 0.0),
        (Constraint(ConstraintKind.GAUSSIAN, 3.0, moves=False), 0.5, 3.0, 0.0),
    ],
)
def test_global_observables(constraint: Constraint, theta: float, mean: float, variance: float) -> None:
    found = draws(constraint, theta)
    assert found.mean() == pytest.approx(mean, abs=4 * np.sqrt(variance / found.size))
    assert found.var() == pytest.approx(variance, rel=0.08)


def test_sides_of_an_asymmetric_gaussian() -> None:
    # Density in the observable g: width 1 where θ < g, width 3 where θ > g.
    found = draws(Constraint(ConstraintKind.GAUSSIAN, 0.0, (1.0, 3.0)), 2.0)
    above = found > 2.0
    assert above.mean() == pytest.approx(0.25, abs=0.02)
    assert np.sqrt(((found[above] - 2.0) ** 2).mean()) == pytest.approx(1.0, rel=0.05)
    assert np.sqrt(((found[~above] - 2.0) ** 2).mean()) == pytest.approx(3.0, rel=0.05)


def test_counts_are_poisson_counts_of_the_expectation() -> None:
    workspace = counting("norm lnN - 1.1\n")
    theta = workspace.model.parameters.vector({"r": 2.0, "norm": 1.0})
    toys = generate_toys(workspace, theta, 4000, seed=3)
    assert toys.observations.shape == (4000, 1)
    assert toys.observations.mean() == pytest.approx(130.0, abs=4 * np.sqrt(130 / 4000))
    assert toys.observations.var() == pytest.approx(130.0, rel=0.1)
    assert toys.global_observables[:, 1].mean() == pytest.approx(1.0, abs=4 / np.sqrt(4000))


def test_a_toy_does_not_depend_on_the_others() -> None:
    workspace = counting("norm lnN - 1.1\n")
    every = generate_toys(workspace, workspace.start, 5, seed=3)
    last = generate_toys(workspace, workspace.start, 2, seed=3, first=3)
    assert (every.observations[3:] == last.observations).all()
    assert (every.global_observables[3:] == last.global_observables).all()


@pytest.fixture(scope="module")
def shapes() -> Workspace:
    return shape_workspace(Blinding.ASIMOV)


@pytest.fixture(scope="module")
def bias(shapes: Workspace) -> ToyResult:
    return toy_fits(shapes, 1.5, 600, seed=7)


def test_fits_of_toys_are_those_of_single_fits(shapes: Workspace, bias: ToyResult) -> None:
    toys = generate_toys(shapes, truth(shapes, 1.5), 600, seed=7)
    for at in (0, 250, 599):
        fitter = shapes.fitter(Data(toys.observations[at], toys.global_observables[at]))
        interval, _ = fitter.interval(fitter.best(), "r")
        found = (bias.values[at], bias.low[at], bias.high[at])
        expected = (interval.best, interval.best - interval.low, interval.high - interval.best)
        assert found == pytest.approx(expected, abs=2e-4)


def test_pulls_are_unbiased(bias: ToyResult) -> None:
    assert bias.failed == 0
    assert bias.pulls.size == 600
    assert bias.pulls.mean() == pytest.approx(0.0, abs=3.5 / np.sqrt(600))
    assert bias.pulls.std() == pytest.approx(1.0, abs=3.5 / np.sqrt(1200))
    side = np.where(bias.values > 1.5, bias.low, bias.high)
    assert bias.pulls == pytest.approx((bias.values - 1.5) / side)
    assert (bias.provenance.data, bias.provenance.seed, bias.provenance.options["toys"]) == ("toy", 7, 600)


def test_toys_do_not_depend_on_the_executor(shapes: Workspace) -> None:
    calls = []

    def progress(done: int, total: int, label: str) -> None:
        calls.append((done, total, label))

    serial = toy_fits(shapes, 1.5, 30, seed=7)
    parallel = toy_fits(shapes, 1.5, 30, seed=7, executor=ProcessExecutor(1), progress=progress)
    assert parallel.to_json() == serial.to_json()
    assert calls == [(0, 1, ""), (1, 1, "toys 1-30")]


def test_toys_start_from_the_fit_to_the_observation() -> None:
    # The background-only fit of 150 events to 100 · 1.1^θ pulls θ up; blind toys stay at 0.
    card = "norm lnN - 1.1\n"
    assert truth(counting(card, observed=150, kind=Blinding.ASIMOV), 0.0).tolist() == [0.0, 0.0]
    assert truth(counting(card, observed=150), 0.0)[1] > 1.5


def test_range_that_cuts_intervals_is_reported() -> None:
    # No signal: half of the fits end at r = 0, and the lower uncertainty of others is the distance to it.
    result = toy_fits(counting("norm lnN - 1.1\n", kind=Blinding.ASIMOV), 0.0, 100, seed=1)
    (note,) = result.provenance.options["notes"]
    assert note.endswith("toys the range of r cuts the interval that the pull is made of")


def test_upper_edges_of_ranges_cut_intervals_too() -> None:
    # 10 r + 100 events: the uncertainty of r is 1, so that upper ends of fits above 1 lie beyond 2, where r ends. With
    # 1.5 injected those below it have their pulls from there; the fits are those without an edge.
    card = "norm lnN - 1.0001\n"
    cut, free = (
        toy_fits(counting(card, kind=Blinding.ASIMOV, ranges={"r": (-5.0, edge)}), 1.5, 60, seed=1)
        for edge in (2.0, 20.0)
    )
    distorted = (cut.values < 1.5) & (np.abs(cut.values + cut.high - 2.0) < 1e-3)
    assert (np.abs(cut.pulls - free.pulls)[distorted] > 2e-4).all()
    assert 5 < distorted.sum() < 30
    (note,) = cut.provenance.options["notes"]
    assert note.startswith(f"in {distorted.sum()} toys the range of r cuts")
    assert free.provenance.options["notes"] == []


def test_toys_that_do_not_converge_together_are_fitted_alone(shapes: Workspace) -> None:
    toys = generate_toys(shapes, shapes.start, 3, seed=1)
    together = ToyFitter(shapes, toys, shapes.start)
    fits = together.fit()
    alone = ToyFitter(shapes, toys, shapes.start)
    alone._batch._max_steps = 0  # nothing can converge
    fits_alone = alone.fit()
    assert not fits_alone.free.any()
    assert fits_alone.value == pytest.approx(fits.value, abs=1e-7)
    assert alone.intervals(fits_alone, "r")[:, :3] == pytest.approx(together.intervals(fits, "r")[:, :3], abs=2e-4)


def test_no_toys() -> None:
    result = toy_fits(counting("norm lnN - 1.1\n"), 0.0, 0, seed=1)
    assert (result.values.size, result.failed) == (0, 0)


def test_an_asimov_toy_gives_the_fit_of_asimov_data(shapes: Workspace) -> None:
    data = Data(shapes.data.observations[np.newaxis], shapes.data.global_observables[np.newaxis])
    fitter = ToyFitter(shapes, data, shapes.start)
    best, low, high, *cut = fitter.intervals(fitter.fit(), "r")[0]
    interval = fit(shapes).interval("r")
    found = (best, best - low, best + high, *cut)
    assert found == pytest.approx((interval.best, interval.low, interval.high, 0.0, 0.0), abs=2e-4)


def test_toys_in_which_simulated_events_were_counted_as_none() -> None:
    # Two simulated events in the second bin of the background: about every tenth toy counts none.
    make = card_of_shapes([17, 2], [6, 0.2], [11, 1], errors=([0.01, 0.01], [0.2, 2**-0.5]), threshold=10)
    workspace = make(ranges={"r": (-20.0, 40.0)})
    theta = truth(workspace, 1.0)
    toys = generate_toys(workspace, theta, 40, seed=1)
    position = workspace.model.parameters.index("prop_binc_bin1_bkg")
    nothing = np.flatnonzero(toys.global_observables[:, position] == 0.0)
    assert nothing.size
    fitter = ToyFitter(workspace, toys, theta)
    fits = fitter.fit()
    assert fits.converged.all()
    assert fits.free.all()  # together, not alone
    assert np.isfinite(fitter.intervals(fits, "r")).all()
    complete = fitter.complete(fits)
    assert complete[nothing, position].max() > 0.0
    for at in nothing:
        # Its constraint is y alone, and only data that the rest does not explain let it leave 0.
        value, observed = complete[at, position], toys.observations[at, 1]
        rest = workspace.model.totals(np.where(np.arange(len(complete[at])) == position, 0.0, complete[at]))[1]
        assert value == pytest.approx(max(0.0, 2.0 * (observed / 3.0 - rest)), abs=1e-6)


def test_several_injected_values_are_the_tests_of_each() -> None:
    workspace = counting("norm lnN - 1.1\n", ranges={"r": (-20.0, 20.0)})
    both = bias_test(workspace, [0.0, 2.0], 30, 7)
    for at, injected in enumerate((0.0, 2.0)):
        # The next value has the next seed, so that its toys are others.
        assert both.tests[at].to_json() == toy_fits(workspace, injected, 30, 7 + at).to_json()
        assert both.tests[at].values.mean() == pytest.approx(injected, abs=4 * 1.5 / np.sqrt(30))
    assert both.provenance.options["inject"] == [0.0, 2.0]
    assert (both.provenance.data, both.provenance.seed, both.failed) == ("toy", 7, 0)
    assert BiasResult.from_json(both.to_json()).to_json() == both.to_json()
    parallel = bias_test(workspace, [0.0, 2.0], 30, 7, executor=ProcessExecutor(1))
    assert parallel.to_json() == both.to_json()


def test_notes_of_several_values_say_which() -> None:
    result = bias_test(counting("norm lnN - 1.1\n"), [0.0, 5.0], 20, 1)
    (note,) = result.provenance.options["notes"]
    assert note.startswith("r = 0: in ")
    assert "cuts the interval" in note


def test_a_value_comes_once() -> None:
    with pytest.raises(CardError, match="the injected value 1 comes twice; ask for more toys instead"):
        bias_test(counting(""), [1.0, 0.0, 1.0], 2, 1)
