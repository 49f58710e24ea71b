"""What a model is made of, batches of points, and that equivalent cards have equal likelihoods."""

from dataclasses import replace

import numpy as np
import pytest
from random_cards import random_case, random_point
from test_mini_card import mini_model

from pocket_combine.card.model import (
    FAKE,
    AutoMCStats,
    Card,
    Channel,
    Column,
    Constraint,
    ExternalArgument,
    Group,
    Nuisance,
    Parameter,
    RateParameter,
    ShapeRule,
)
from pocket_combine.errors import CardError
from pocket_combine.likelihood import Data, Model, build_model
from pocket_combine.templates import Templates

RULE = ShapeRule("*", "*", "f.root", "h")


def counting(*nuisances: Nuisance, **fields: object) -> Card:
    columns = (Column("c", "sig", 0, 2.0), Column("c", "bkg", 1, 10.0))
    return replace(Card((Channel("c", 12.0),), columns, nuisances=nuisances), **fields)  # type: ignore[arg-type]  # any field


# ---------------------------------------------------------------------- parameters


def test_order_of_parameters() -> None:
    card = counting(
        Nuisance("b", "lnN", (1.1, None)),
        Nuisance("a", "lnN", (None, 1.2)),
        Nuisance("idle", "lnN", (1.0, None)),
        external_arguments=(ExternalArgument("x", 0.5), ExternalArgument("unused", 1.0)),
        parameters=(Parameter("p", 1.0, 0.1),),
        rate_parameters=(
            RateParameter("f", "c", "bkg", formula="@0*@1*@2", arguments=("p", "x", "MH")),
            RateParameter("n", "c", "*", 1.0, (0.0, 3.0)),
        ),
    )
    model = build_model(card, {}, mass=125.0)
    assert model.parameters.names == ("r", "b", "a", "p", "n", "x")
    assert model.totals(model.parameters.initial) == pytest.approx([2.0 + 10.0 * 0.5 * 125.0])
    assert [p.is_nuisance for p in model.parameters] == [False, True, True, True, False, False]


def test_kinds_that_are_neither_log_normal_nor_shape() -> None:
    card = counting(
        Nuisance("meas", "gmM", (0.1, 0.1)),
        Nuisance("cut", "trG", (0.25, -0.5)),
        Nuisance("flat", "unif", (None, 0.1), (-1.0, 3.0)),
        Nuisance("step", "dFD", (0.2, None), (4.0,)),
        Nuisance("step2", "dFD2", (0.2, None), (4.0,)),
    )
    parameters = build_model(card, {}).parameters
    assert {p.name: (p.initial, p.range) for p in parameters if not p.is_signal_strength} == {
        "meas": (1.0, (0.5, 1.5)),
        "cut": (0.0, (-4.0, 2.0)),
        "flat": (1.0, (-1.0, 3.0)),
        "step": (0.0, (-3.0, 3.0)),
        "step2": (0.0, (-3.0, 3.0)),
    }
    constraint = parameters.get("meas").constraint
    assert constraint is not None
    assert (constraint.observable, constraint.width[0]) == (100.0, 0.01)
    assert [parameters.get(name).constraint.moves for name in ("step", "step2")] == [True, False]  # type: ignore[union-attr]  # has one


def test_rows_of_one_name_act_together() -> None:
    card = counting(Nuisance("a", "lnN", (1.1, None)), Nuisance("a", "lnN", (1.2, 1.3)))
    model = build_model(card, {})
    assert model.parameters.names == ("r", "a")
    theta = model.parameters.vector({"a": 0.7})
    assert model.totals(theta) == pytest.approx([2.0 * 1.1**0.7 * 1.2**0.7 + 10.0 * 1.3**0.7])
    assert model.nll(theta) - model.likelihood(profile=False).value(theta) == 0.0


def test_a_param_line_constrains_a_rate_parameter_of_its_name() -> None:
    rate = RateParameter("SF", "c", "bkg", 1.5, (0.0, 5.0))
    model = build_model(counting(parameters=(Parameter("SF", 1.0, (0.1, 0.2)),), rate_parameters=(rate,)), {})
    assert model.parameters.names == ("r", "SF")
    constrained = model.parameters.get("SF")
    assert (constrained.initial, constrained.is_nuisance) == (1.0, True)
    assert constrained.range == pytest.approx((0.6, 1.8))
    point = model.parameters.vector({"r": 0.0, "SF": 1.3})
    assert model.totals(point) == pytest.approx([13.0])
    poisson = 13.0 - 12.0 - 12.0 * np.log(13.0 / 12.0)
    assert float(model.likelihood().value(point)) == pytest.approx(poisson + (0.3 / 0.2) ** 2 / 2)


def test_rows_and_param_lines_of_one_name_are_one_nuisance_with_the_range_of_the_line() -> None:
    row, line = Nuisance("a", "lnN", (None, 1.2)), Parameter("a", 0.0, 1.0, (-2.0, 3.0))
    formula = RateParameter("f", "c", "sig", formula="(1+0.5*@0)", arguments=("a",))
    model = build_model(counting(row, parameters=(line,), rate_parameters=(formula,)), {})
    assert model.parameters.names == ("r", "a")
    assert (model.parameters.get("a").kind, model.parameters.get("a").range) == ("lnN", (-2.0, 3.0))
    assert model.totals(model.parameters.vector({"a": 1.0})) == pytest.approx([2.0 * 1.5 + 10.0 * 1.2])
    again = build_model(counting(row, parameters=(line, Parameter("a", 0.0, 1.0))), {})
    assert again.parameters.get("a").range == (-4.0, 4.0)


def test_a_rate_parameter_is_what_has_its_name_already() -> None:
    def totals(card: Card, **values: float) -> float:
        model = build_model(card, {})
        return float(model.totals(model.parameters.vector(values))[0])

    rate = RateParameter("r", "c", "bkg", 1.0, (0.0, 5.0))
    assert totals(counting(rate_parameters=(rate,)), r=3.0) == pytest.approx(3.0 * 2.0 + 3.0 * 10.0)
    named = counting(Nuisance("x", "lnN", (1.1, None)), rate_parameters=(replace(rate, name="x"),))
    assert totals(named, x=2.0) == pytest.approx(2.0 * 1.1**2 + 10.0 * 2.0)
    constant = ExternalArgument("x", 2.5, constant=True)
    held = counting(external_arguments=(constant,), rate_parameters=(replace(rate, name="x"),))
    assert build_model(held, {}).parameters.names == ("r",)
    assert totals(held) == pytest.approx(2.0 + 10.0 * 2.5)
    free = replace(held, external_arguments=(ExternalArgument("x", 2.5, (1.0, 4.0)),))
    assert build_model(free, {}).parameters.get("x").range == (1.0, 4.0)


def test_auto_mc_stats_does_nothing_in_a_card_without_shapes() -> None:
    assert build_model(counting(mc_stats=(AutoMCStats("*"),)), {}).parameters.names == ("r",)


def test_shape_rows_of_one_name_with_different_strengths() -> None:
    templates = Templates.of([0, 1, 2], {"bkg": [10, 20]}, {("bkg", "s"): ([11, 21], [9.5, 18])}, observation=[1, 2])
    rows = (Nuisance("s", "shape", (1.0,)), Nuisance("s", "shape", (0.5,)))
    card = Card((Channel("c", -1),), (Column("c", "bkg", 1, -1),), (RULE,), rows, mc_stats=(AutoMCStats("c", -1),))
    model = build_model(card, {"c": templates})
    theta = model.parameters.vector({"s": 2.0})
    # Both are beyond their quadratic regions: 2 (U - N) and 0.5 x 2 (U - N), with U rescaled to the nominal yield.
    up = np.array([11, 21]) * 30 / 32
    shape = np.array([10, 20]) + 3.0 * (up - np.array([10, 20]))
    kappa = round(32 / 30, 6) ** 2 * round((32 / 30) ** 0.5, 6) ** 2
    np.testing.assert_allclose(model.totals(theta), shape * kappa, rtol=1e-7)


def test_groups_frozen_and_ranges() -> None:
    card = counting(
        Nuisance("a", "lnN", (1.1, None)),
        Nuisance("b", "lnN", (None, 1.2)),
        groups=(Group("g", ("b", "a")), Group("h", ("a",))),
        frozen=("b",),
    )
    parameters = build_model(card, {}, frozen=("r",), ranges={"a": (0.5, 3.0)}).parameters
    assert parameters.groups == {"g": ("a", "b"), "h": ("a",)}
    assert [p.frozen for p in parameters] == [True, False, True]
    assert parameters.floating.tolist() == [1]
    assert (parameters.get("a").range, parameters.get("a").initial) == ((0.5, 3.0), 0.5)


def test_a_likelihood_can_hold_parameters_constant() -> None:
    model = mini_model(mc_stats=(AutoMCStats("c", 0),))
    first, *others = model.bin_parameters
    likelihood = model.likelihood(frozen=("r", first))
    assert [p.name for p in likelihood.parameters if p.frozen] == ["r", first]
    # A bin parameter that is constant is not profiled, and the model itself stays as it was.
    assert not set(others) & set(likelihood.parameters.names)
    assert not any(p.frozen for p in model.parameters)
    theta = likelihood.parameters.vector({first: 1.5})
    assert likelihood.value(theta) == model.likelihood(explicit=(first,)).value(theta)
    with pytest.raises(CardError, match="no parameter 'rr' in the model"):
        model.likelihood(frozen=("rr",))


# ---------------------------------------------------------------------- parameters of interest


COLUMNS = (
    Column("SR", "ggH", 0, 3.0),
    Column("SR", "qqH", -1, 1.0),
    Column("CR", "ggH", 0, 0.5),
    Column("CR", "bkg", 1, 9.0),
)


def two_signals(pois: dict[str, str]) -> Model:
    card = Card((Channel("SR", 5.0), Channel("CR", 9.0)), (*COLUMNS, Column("SR", "bkg", 1, 2.0)))
    return build_model(card, {}, pois=pois)


def test_last_matching_map_decides() -> None:
    model = two_signals({".*/ggH": "muF[1,0,10]", ".*/qqH": "muV[2,-5,10]", "CR/ggH": "0", "CR/bkg": "muF"})
    assert model.parameters.pois == ("muF", "muV")
    assert model.channels[1].processes == ("bkg",)
    assert model.parameters.get("muV").range == (-5.0, 10.0)
    theta = model.parameters.vector({"muF": 3.0, "muV": 0.5})
    assert model.totals(theta) == pytest.approx([3 * 3.0 + 0.5 + 2.0, 3 * 9.0])


def test_signals_outside_the_map_are_not_scaled() -> None:
    model = two_signals({"SR/ggH": "mu[1,0,10]", "SR/qqH": "1"})
    assert model.totals(model.parameters.vector({"mu": 0.0})) == pytest.approx([1.0 + 2.0, 9.5])


def test_a_function_of_a_parameter_of_interest_is_a_rate_parameter() -> None:
    """What the message about factories advises."""
    rest = RateParameter("rest", "SR", "qqH", formula="(1-0.1*@0)", arguments=("mu",))
    card = Card((Channel("SR", 5.0),), (*COLUMNS[:2], Column("SR", "bkg", 1, 2.0)), rate_parameters=(rest,))
    model = build_model(card, {}, pois={".*/ggH": "mu[1,0,10]"})
    assert model.totals(model.parameters.vector({"mu": 4.0})) == pytest.approx([4 * 3.0 + 0.6 * 1.0 + 2.0])


@pytest.mark.parametrize(
    ("pois", "message"),
    [
        ({"SR/ggh": "mu[1,0,10]"}, "pattern 'SR/ggh' matches no channel/process: did you mean 'SR/ggH'"),
        ({"ggH": "mu[1,0,10]"}, "matches no channel/process: write '.*/ggH' for a process in all channels; "),
        ({"SR/gg(": "mu[1,0,10]"}, "pattern 'SR/gg(' is not a regular expression"),
        ({"SR/ggH": "mu"}, "the map uses 'mu', which no expression defines"),
        ({".*": "1"}, "the map defines no parameter of interest: one expression must be name[initial,low,high]"),
        ({"SR/ggH": "mu[1,0]"}, "expression 'mu[1,0]' is not understood"),
        ({"SR/ggH": "mu[a,0,1]"}, "holds something else than numbers"),
        ({"SR/ggH": "mu[5,0,1]"}, "the initial value is outside the range"),
        ({"SR/ggH": "mu[1,1,1]"}, "expected a finite initial value and a low end below the high one"),
        ({"SR/ggH": "mu[nan,0,1]"}, "expected a finite initial value and a low end below the high one"),
        ({"SR/ggH": "mu[3]"}, "three numbers belong into the brackets, and freezing a parameter makes it constant"),
        (
            {"SR/ggH": "2*mu"},
            "the map's expression '2*mu' is not understood; expected name[initial,low,high], the name",
        ),
        (
            {"SR/ggH": "super"},
            "'super' asks for the scaling of another physics model, and there is none; expected name",
        ),
        ({"SR/ggH": 'mu=expr;;mu("1-@0",x)'}, "is a factory of RooFit, which is not supported: for a function of"),
        ({"SR/ggH": "expr::mu('1-@0',x[1,0,5])"}, "write 'NAME rateParam CHANNEL PROCESS FORMULA ARGUMENTS'"),
        (
            {"SR/ggH": "mu[1,0,10]", "SR/qqH": "mu[1,-5,10]"},
            "'mu[1,-5,10]' contradicts mu[1,0,10] before it; write 'mu' alone to use it again",
        ),
    ],
)
def test_wrong_maps(pois: dict[str, str], message: str) -> None:
    with pytest.raises(CardError) as caught:
        two_signals(pois)
    assert message in str(caught.value)


# ---------------------------------------------------------------------- what is refused


TEMPLATES = Templates.of([0, 1, 2], {"sig": [1, 2], "bkg": [10, 20]}, {("bkg", "s"): ([11, 21], [9, 19])})
SHAPES = Card((Channel("c", -1),), (Column("c", "sig", 0, -1), Column("c", "bkg", 1, -1)), (RULE,))


@pytest.mark.parametrize(
    ("card", "templates", "message"),
    [
        (SHAPES, {}, "channel c, process sig: a shapes line gives templates, but there are none"),
        (SHAPES, {"d": TEMPLATES}, "templates for channel 'd', which the card lacks: available: 'c'"),
        (replace(SHAPES, columns=(Column("c", "tt", 1, -1),)), {"c": TEMPLATES}, "process tt: there is no template"),
        (counting(columns=(Column("c", "bkg", 1, -1.0),)), {}, "process bkg: the rate -1 needs a template"),
        (counting(channels=(Channel("c", -1.0),)), {}, "channel c: the observation -1 needs a data histogram"),
        (counting(columns=(Column("c", "bkg", 1, 0.0),)), {}, "channel c: no process has a rate"),
        (
            counting(mc_stats=(AutoMCStats("*"),), shapes=(ShapeRule("*", "*", FAKE),)),
            {},
            "autoMCStats needs templates, which a counting channel has not",
        ),
        (
            replace(SHAPES, mc_stats=(AutoMCStats("c", 0, hist_mode=0),)),
            {"c": TEMPLATES},
            "autoMCStats has hist_mode 0, expected 1 or 2",
        ),
        (
            replace(SHAPES, nuisances=(Nuisance("s", "shape", (1.0, 1.0)),)),
            {"c": TEMPLATES},
            "process sig, nuisance s (shape): there are no varied templates",
        ),
        (
            replace(SHAPES, nuisances=(Nuisance("s", "shape", (None, 1.0)), Nuisance("s", "shapeN", (None, 1.0)))),
            {"c": TEMPLATES},
            "nuisance s: shapeN beside shape in one process",
        ),
        (
            replace(SHAPES, nuisances=(Nuisance("s", "shape", (None, 1.0)), Nuisance("s", "lnN", (1.1, None)))),
            {"c": TEMPLATES},
            "s is shape in one row and lnN in another, which Combine refuses; write shape?",
        ),
        (
            replace(SHAPES, nuisances=(Nuisance("s", "shape", (None, -1.0)),)),
            {"c": TEMPLATES},
            "nuisance s: the strength must be above 0, found -1",
        ),
        (counting(Nuisance("a", "lnM", (1.1, None))), {}, "nuisance a: the kind lnM is not known: did you mean"),
        (counting(Nuisance("a", "lnN", (-1.1, None))), {}, "nuisance a: kappas must be above 0, found -1.1"),
        (counting(Nuisance("a", "trG", ((0.1, 0.2), None))), {}, "a pair of numbers is not allowed for trG"),
        (counting(Nuisance("a", "gmM", (0.1, 0.2))), {}, "nuisance a (gmM) has different numbers"),
        (counting(Nuisance("a", "unif", (0.1, None), (1.0, 1.0))), {}, "nuisance a (unif): the range [1, 1] is empty"),
        (
            counting(Nuisance("a", "lnN", (1.1, None)), Nuisance("a", "lnU", (None, 1.1))),
            {},
            "lnU a contradicts lnN a: one name, two constraints",
        ),
        (counting(Nuisance("r", "lnN", (1.1, None))), {}, "lnN r has the name of a parameter of interest"),
        (
            counting(Nuisance("g", "gmN", (None, 2.0), (5.0,)), Nuisance("h", "gmN", (None, 1.0), (10.0,))),
            {},
            "process bkg, nuisance h: another gmN acts already, at most one may",
        ),
        (
            counting(rate_parameters=(RateParameter("f", "c", "bgk", 1.0),)),
            {},
            "rateParam f: no column matches channel 'c' and process 'bgk'",
        ),
        (
            counting(rate_parameters=(RateParameter("f", "c", "bkg", formula="@0", arguments=("norn",)),)),
            {},
            "rateParam f: no parameter 'norn' in the model",
        ),
        (
            counting(
                rate_parameters=(
                    RateParameter("f", "c", "bkg", formula="@0", arguments=("g",)),
                    RateParameter("g", "c", "bkg", formula="@0", arguments=("f",)),
                )
            ),
            {},
            "rateParam f: f -> g -> f depends on itself",
        ),
        (
            counting(Nuisance("a", "lnN", (1.1, None)), parameters=(Parameter("a", 0.2, 1.0),)),
            {},
            "param a contradicts lnN a: one name, two constraints",
        ),
        (
            counting(parameters=(Parameter("a", 1.0, 0.1), Parameter("a", 1.0, 0.2))),
            {},
            "param a contradicts param a: one name, two constraints",
        ),
        (counting(parameters=(Parameter("r", 1.0, 0.1),)), {}, "param r has the name of a parameter of interest"),
        (counting(rate_parameters=(RateParameter("f", "c", "bkg", 7.0, (0.0, 5.0)),)), {}, "7 is outside [0, 5]"),
        (counting(constraints=(Constraint("k", "x-1", (), 0.1),)), {}, "constr k: no parameter 'x' in the model"),
        (counting(groups=(Group("g", ("lumy",)),)), {}, "group g: 'lumy' is no parameter of the card"),
        (
            counting(flat_parameters=("bkg_norm",)),
            {},
            "flatParam bkg_norm: names that end in _norm belong to parametric",
        ),
    ],
)
def test_contradictions_are_refused(card: Card, templates: dict[str, Templates], message: str) -> None:
    with pytest.raises(CardError) as caught:
        build_model(card, templates)
    assert message in str(caught.value)


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(CardError, match="a mask for channel 'd', which the card lacks: available: 'c'"):
        build_model(counting(), {}, masks=("d",))
    with pytest.raises(CardError, match="no parameter 'lumy' in the model: did you mean 'lumi'"):
        build_model(counting(Nuisance("lumi", "lnN", (1.1, None))), {}, frozen=("lumy",))
    with pytest.raises(CardError, match=r"the range \[2, 1\] of r is empty"):
        build_model(counting(), {}, ranges={"r": (2.0, 1.0)})
    model = build_model(counting(), {})
    with pytest.raises(ValueError, match=r"theta has shape \(1, 2\) for 1 parameters"):
        model.nll(np.zeros(2))
    with pytest.raises(ValueError, match="theta has 3 parameters, the model has 1"):
        model.totals(np.zeros(3))
    with pytest.raises(CardError, match="data of 2 bins and 1 global observables do not fit a model of 1 bins"):
        model.likelihood(Data(np.zeros(2), np.zeros(1)))
    with pytest.raises(CardError, match="channel c, bin 0: the observation -1 is no number of events"):
        model.likelihood(Data(np.array([-1.0]), np.zeros(1)))


def test_a_model_without_data_needs_some() -> None:
    model = build_model(counting(channels=(Channel("c"),)), {})
    assert model.data is None
    with pytest.raises(CardError, match="the card has no observation; give data"):
        model.likelihood()
    assert model.nll(model.parameters.initial, model.asimov(model.parameters.initial)) == pytest.approx(0.0, abs=1e-13)


# ---------------------------------------------------------------------- batches


@pytest.mark.parametrize("seed", range(6))
def test_a_batch_is_its_points(seed: int) -> None:
    case = random_case(seed)
    model = build_model(case.card, case.templates, pois=case.pois)
    rng = np.random.default_rng(seed)
    points = np.stack([random_point(model, rng) for _ in range(5)])
    toys = Data(rng.poisson(np.maximum(model.totals(points), 0.0)).astype(float), model.parameters.observables)
    for profile in (False, True):
        likelihood = model.likelihood(toys, profile=profile)
        some = points[:, : len(likelihood.parameters)]
        together = likelihood.evaluate(some)
        for index in range(5):
            one = model.likelihood(Data(toys.observations[index], model.parameters.observables), profile=profile)
            alone = one.evaluate(some[index])
            np.testing.assert_allclose(together.value[index], alone.value, rtol=1e-13)
            if not np.isfinite(alone.value):
                continue
            scale = np.abs(alone.hessian).max()
            np.testing.assert_allclose(together.gradient[index], alone.gradient, rtol=1e-10, atol=1e-10 * scale)
            np.testing.assert_allclose(together.hessian[index], alone.hessian, rtol=1e-9, atol=1e-11 * scale)
            np.testing.assert_allclose(
                likelihood.fisher(some)[index], one.fisher(some[index]), rtol=1e-9, atol=1e-11 * scale
            )
    np.testing.assert_allclose(model.totals(points)[2], model.totals(points[2]), rtol=1e-13)
    np.testing.assert_allclose(model.total_jacobian(points)[2], model.total_jacobian(points[2]), rtol=1e-9, atol=1e-10)


def test_long_batches_are_cut_without_a_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    model = mini_model(mc_stats=(AutoMCStats("c", 400, include_signal=True),))
    points = np.random.default_rng(0).normal(1.0, 0.3, (50, 3))
    likelihood = model.likelihood()
    whole = likelihood.evaluate(points)
    monkeypatch.setattr("pocket_combine.likelihood.nll._BATCH", 40)
    parts = likelihood.evaluate(points)
    np.testing.assert_allclose(parts.hessian, whole.hessian, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(parts.value, whole.value, rtol=1e-13)


def test_one_point_for_many_data_sets() -> None:
    model = mini_model()
    data = Data(np.array([[12.0, 24.0, 9.0], [0.0, 30.0, 4.0]]), model.parameters.observables)
    values = model.nll(model.parameters.initial, data)
    assert values.shape == (2,)
    assert values[0] == model.nll(model.parameters.initial)
    assert model.likelihood(data).offset.shape == (2,)


# ---------------------------------------------------------------------- equivalent cards


@pytest.mark.parametrize("seed", [seed for seed in range(30) if random_case(seed).pois is None][:12])
def test_order_of_channels_processes_and_nuisances_does_not_matter(seed: int) -> None:
    case = random_case(seed)
    rng = np.random.default_rng(seed)
    card = case.card
    order = rng.permutation(len(card.columns)).tolist()
    names = {nuisance.name for nuisance in card.nuisances}
    rows = [
        replace(row, effects=tuple(row.effects[i] for i in order))
        for name in rng.permutation(sorted(names))
        for row in card.nuisances
        if row.name == name
    ]
    shuffled = replace(
        card,
        channels=tuple(card.channels[i] for i in rng.permutation(len(card.channels))),
        columns=tuple(card.columns[i] for i in order),
        nuisances=tuple(rows),
    )
    first, second = build_model(card, case.templates), build_model(shuffled, case.templates)
    assert sorted(first.parameters.names) == sorted(second.parameters.names)
    values = first.parameters.values(random_point(first, rng))
    one, other = first.parameters.vector(values), second.parameters.vector(values)
    np.testing.assert_allclose(first.nll(one), second.nll(other), rtol=1e-12)
    if not np.isfinite(first.nll(one)):
        return
    where = second.parameters.indices(first.parameters.names)
    hessian = first.hessian(one)
    np.testing.assert_allclose(
        hessian, second.hessian(other)[np.ix_(where, where)], rtol=1e-9, atol=1e-10 * np.abs(hessian).max()
    )


def three_bins(bins: slice = slice(None)) -> Templates:
    sig, bkg = np.array([1.0, 2.0, 3.0])[bins], np.array([10.0, 20.0, 5.0])[bins]
    up, down = np.array([11.0, 23.0, 5.5])[bins], np.array([9.0, 19.0, 4.0])[bins]
    data = np.array([12.0, 24.0, 9.0])[bins]
    return Templates.of(
        np.arange(sig.size + 1.0), {"sig": sig, "bkg": bkg}, {("bkg", "s"): (up, down)}, observation=data
    )


def events_card(names: tuple[str, ...]) -> Card:
    columns = tuple(Column(c, p, i, -1) for c in names for i, p in enumerate(("sig", "bkg")))
    rows = (
        Nuisance("l", "lnN", tuple(effect for _ in names for effect in (1.05, (0.9, 1.2)))),
        Nuisance("s", "shape", tuple(effect for _ in names for effect in (None, 1.0))),
    )
    lines = (AutoMCStats("*", 0, hist_mode=2),)
    return Card(tuple(Channel(c, -1) for c in names), columns, (RULE,), rows, mc_stats=lines)


def test_splitting_a_channel_in_two() -> None:
    # With hist_mode 2 templates morph in events, bin by bin.
    whole = build_model(events_card(("c",)), {"c": three_bins()})
    parts = build_model(events_card(("a", "b")), {"a": three_bins(slice(2)), "b": three_bins(slice(2, 3))})
    theta = np.array([1.3, 0.4, -1.2])
    first, second = whole.likelihood().evaluate(theta), parts.likelihood().evaluate(theta)
    np.testing.assert_allclose(second.value, first.value, rtol=1e-12)
    np.testing.assert_allclose(second.hessian, first.hessian, rtol=1e-11)


def test_merging_identical_processes_and_scaling_by_a_rate_parameter() -> None:
    data = [12.0, 24.0]
    one = Templates.of([0, 1, 2], {"sig": [1, 2], "bkg": [10, 20]}, observation=data)
    two = Templates.of([0, 1, 2], {"sig": [1, 2], "b1": [5, 10], "b2": [5, 10]}, observation=data)
    scaled = Templates.of([0, 1, 2], {"sig": [1, 2], "bkg": [2, 4]}, observation=data)
    channel = (Channel("c", -1),)
    lumi = Nuisance("lumi", "lnN", (1.1, 1.1))
    cards = [
        Card(channel, (Column("c", "sig", 0, -1), Column("c", "bkg", 1, -1)), (RULE,), (lumi,)),
        Card(
            channel,
            (Column("c", "sig", 0, -1), Column("c", "b1", 1, -1), Column("c", "b2", 2, -1)),
            (RULE,),
            (replace(lumi, effects=(1.1, 1.1, 1.1)),),
        ),
        Card(
            channel,
            (Column("c", "sig", 0, -1), Column("c", "bkg", 1, -1)),
            (RULE,),
            (lumi,),
            rate_parameters=(RateParameter("five", "c", "bkg", 5.0),),
        ),
    ]
    theta = np.array([1.7, -0.8])
    first = build_model(cards[0], {"c": one}, exact=True).nll(theta)
    assert build_model(cards[1], {"c": two}, exact=True).nll(theta) == pytest.approx(float(first), rel=1e-13)
    last = build_model(cards[2], {"c": scaled}, exact=True)
    assert last.nll(last.parameters.vector({"r": 1.7, "lumi": -0.8})) == pytest.approx(float(first), rel=1e-13)


def test_masked_channels_keep_their_constraints() -> None:
    card = replace(events_card(("a", "b")), mc_stats=())
    templates = {"a": three_bins(slice(2)), "b": three_bins(slice(1, 3))}
    model = build_model(card, templates, masks=("b",))
    alone = build_model(replace(events_card(("a",)), mc_stats=()), {"a": templates["a"]})
    theta = np.array([0.5, 1.0, -0.7])
    assert model.nll(theta) == pytest.approx(float(alone.nll(theta)), rel=1e-12)
    np.testing.assert_allclose(model.hessian(theta), alone.hessian(theta), rtol=1e-11, atol=1e-12)
    assert [channel.is_masked for channel in model.channels] == [False, True]


# ---------------------------------------------------------------------- limits of the model


def test_no_data_and_no_expectation() -> None:
    card = counting(columns=(Column("c", "sig", 0, 2.0),), channels=(Channel("c", 0.0),))
    likelihood = build_model(card, {}).likelihood()
    assert likelihood.value(np.array([0.0])) == 0.0
    assert likelihood.evaluate(np.array([3.0])).gradient == pytest.approx([2.0])
    # Combine reports an evaluation error for a negative expectation.
    assert likelihood.value(np.array([-0.1])) == np.inf


def test_data_where_nothing_is_expected() -> None:
    card = counting(columns=(Column("c", "sig", 0, 2.0),), channels=(Channel("c", 3.0),))
    likelihood = build_model(card, {}).likelihood()
    assert likelihood.value(np.array([0.0])) == np.inf
    assert np.isfinite(likelihood.value(np.array([1e-12])))


def test_a_billion_events_keep_their_digits() -> None:
    card = counting(columns=(Column("c", "sig", 0, 1e9),), channels=(Channel("c", 1e9),))
    likelihood = build_model(card, {}).likelihood()
    one_sigma = np.array([1.0 + 1.0 / np.sqrt(1e9)])
    assert likelihood.value(one_sigma) == pytest.approx(0.5 - np.sqrt(1e-9) / 3 + 1e-9 / 4, rel=1e-9)


def test_fake_channels_beside_templates() -> None:
    card = Card(
        (Channel("c", -1), Channel("f", 4.0)),
        (Column("c", "sig", 0, -1), Column("c", "bkg", 1, -1), Column("f", "bkg", 1, 3.0)),
        (RULE, ShapeRule("*", "f", FAKE)),
        (Nuisance("s", "shape", (None, 1.0, 1.0)), Nuisance("q", "shape?", (None, None, 1.5))),
    )
    model = build_model(card, {"c": three_bins()})
    expected = model.expected(model.parameters.vector({"s": 1.0, "q": 1.0}))
    assert expected.totals["f"] == pytest.approx([4.5])
    assert model.channels[1].edges.tolist() == [0.0, 1.0]


def test_asimov_data_of_a_fit_move_global_observables() -> None:
    card = counting(
        Nuisance("a", "lnN", (None, 1.3)), Nuisance("g", "gmN", (2.0, None), (3.0,)), Nuisance("u", "lnU", (1.1, None))
    )
    model = build_model(card, {})
    theta = model.parameters.vector({"r": 1.5, "a": -0.6, "g": 5.0, "u": 0.3})
    data = model.asimov(theta, move_global_observables=True)
    assert data.global_observables.tolist() == [0.0, -0.6, 5.0, 0.0]
    assert data.observations.item() == float(np.float32(model.totals(theta).item()))
    assert model.nll(theta, data) == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_allclose(model.gradient(theta, data), 0.0, atol=1e-6)
    plain = model.asimov(theta)
    np.testing.assert_array_equal(plain.global_observables, model.parameters.observables)
