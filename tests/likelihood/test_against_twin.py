"""The fast likelihood and the slow one, on random cards that use everything."""

import math

import numpy as np
import pytest
from random_cards import FORMULAS, Case, random_case, random_point
from slow_likelihood import Twin

from pocket_combine.likelihood import Data, Model, build_model
from pocket_combine.templates import FloatArray

SEEDS = range(45)


def both(case: Case, *, exact: bool = False, masks: tuple[str, ...] = ()) -> tuple[Model, Twin]:
    model = build_model(case.card, case.templates, pois=case.pois, exact=exact, masks=masks)
    return model, Twin(case.card, case.templates, formulas=FORMULAS, pois=case.pois, exact=exact)


def points(model: Model, seed: int, count: int = 3) -> list[FloatArray]:
    rng = np.random.default_rng(seed)
    return [model.parameters.initial, *(random_point(model, rng) for _ in range(count))]


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_expected_events_and_value(seed: int, exact: bool) -> None:
    model, twin = both(random_case(seed), exact=exact)
    used = set(model.parameters.names)
    assert used <= set(twin.initial)
    likelihood = model.likelihood(profile=False)
    for theta in points(model, seed):
        values = {**twin.initial, **model.parameters.values(theta)}
        expected = model.expected(theta)
        slow_processes, slow_totals = twin.process_yields(values), twin.totals(values)
        for channel in model.channels:
            assert channel.processes == tuple(slow_processes[channel.name])
            slow = np.array(list(slow_processes[channel.name].values()))
            np.testing.assert_allclose(expected.processes[channel.name], slow, rtol=1e-12, atol=1e-18)
            np.testing.assert_allclose(expected.totals[channel.name], slow_totals[channel.name], rtol=1e-11, atol=1e-13)
        slow_value = twin.nll(values)
        value = float(likelihood.value(theta) + likelihood.offset)
        assert value == pytest.approx(slow_value, rel=1e-11, abs=1e-10) or math.isinf(value) == math.isinf(slow_value)


@pytest.mark.parametrize("seed", range(100, 112))
def test_parameters_start_where_they_should(seed: int) -> None:
    model, twin = both(random_case(seed))
    for parameter in model.parameters:
        assert parameter.initial == twin.initial[parameter.name]
        assert parameter.range[0] <= parameter.initial <= parameter.range[1]
    bins = {name for entries in twin.bin_parameters.values() for name, _, _, _ in entries}
    assert set(model.bin_parameters) == bins


@pytest.mark.parametrize("seed", range(200, 215))
def test_moved_global_observables_other_data_and_masks(seed: int) -> None:
    rng = np.random.default_rng(seed)
    case = random_case(seed)
    masks = ("c0",) if len(case.card.channels) > 1 else ()
    model, twin = both(case, masks=masks)
    theta = random_point(model, rng)
    moved = model.parameters.constraints.observables_at(theta[:, None], model.parameters.observables[:, None])[:, 0]
    observed = rng.poisson(np.maximum(model.totals(theta), 0.0)).astype(float)
    likelihood = model.likelihood(Data(observed, moved), profile=False)
    point = random_point(model, rng)
    constrained = {
        p.name for p in model.parameters if p.constraint is not None and p.constraint.kind.value != "uniform"
    }
    slow = twin.nll(
        {**twin.initial, **model.parameters.values(point)},
        {channel.name: observed[channel.bins].tolist() for channel in model.channels},
        {name: value for name, value in model.parameters.values(moved).items() if name in constrained},
        masks,
    )
    assert float(likelihood.value(point) + likelihood.offset) == pytest.approx(slow, rel=1e-11)


def test_random_cards_cover_the_features() -> None:
    kinds: dict[str, int] = {}
    for seed in SEEDS:
        case = random_case(seed)
        model = build_model(case.card, case.templates, pois=case.pois)
        for parameter in model.parameters:
            kinds[parameter.kind] = kinds.get(parameter.kind, 0) + 1
            if parameter.kind == "autoMCStats":
                assert parameter.constraint is not None
                label = f"bin {parameter.constraint.kind.value} {parameter.name.count('_')}"
                kinds[label] = kinds.get(label, 0) + 1
        for channel in model.channels:
            kinds[channel.machinery.value] = kinds.get(channel.machinery.value, 0) + 1
    wanted = {
        *("POI", "lnN", "lnU", "gmN", "gmM", "trG", "unif", "dFD", "shape", "shapeN", "shapeU", "shape?", "shapeN?"),
        *("param", "rateParam", "extArg", "counting", "fractions", "events"),
        *("bin gaussian 2", "bin gaussian 3", "bin poisson 3"),
    }
    assert wanted <= set(kinds), wanted - set(kinds)
