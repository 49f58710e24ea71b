"""Small cards with the numbers of Combine v10.6.0 beside them: sums per bin, and NLL differences to the start.

Templates are given in full; points are random draws. The numbers were printed with 12 digits.
"""

import numpy as np
import pytest

from pocket_combine.card.model import (
    AutoMCStats,
    Card,
    Channel,
    Column,
    Group,
    Nuisance,
    Parameter,
    RateParameter,
    ShapeRule,
)
from pocket_combine.likelihood import Model, build_model
from pocket_combine.templates import Templates

RULES = (ShapeRule("*", "*", "shapes.root", "$CHANNEL/$PROCESS", "$CHANNEL/$PROCESS_$SYSTEMATIC"),)
SIG = [0.4, 1.1, 2.6, 4.2, 3.1, 0.9]


def assert_point(model: Model, values: dict[str, float], totals: dict[str, list[float]], delta: float) -> None:
    assert set(values) == set(model.parameters.names)
    theta = model.parameters.vector(values)
    for channel, expected in totals.items():
        np.testing.assert_allclose(model.expected(theta).totals[channel], expected, rtol=1e-11)
    found = model.nll(np.stack([model.parameters.initial, theta]))
    assert found[1] - found[0] == pytest.approx(delta, abs=2e-10)


def test_rate_parameters_and_a_formula() -> None:
    counts = {"B": 50.0, "C": 100.0, "D": 500.0, "A": 16.0}
    columns = [Column(name, "bkg", i, 1.0) for i, name in enumerate(counts, start=1)]
    card = Card(
        tuple(Channel(name, count) for name, count in counts.items()),
        (*columns, Column("A", "sig", 0, 3.0)),
        nuisances=(
            Nuisance("lumi", "lnN", (None, None, None, None, 1.02)),
            Nuisance("eff", "lnN", (None, None, None, None, 1.01)),
        ),
        rate_parameters=(
            RateParameter("alpha", "A", "bkg", formula="(@0*@1/@2)", arguments=("beta", "gamma", "delta")),
            RateParameter("beta", "B", "bkg", 50.0),
            RateParameter("gamma", "C", "bkg", 100.0),
            RateParameter("delta", "D", "bkg", 500.0),
        ),
    )
    point = {"lumi": 0.835572, "eff": -0.891305, "beta": 43.0248, "gamma": 97.1796, "delta": 404.975, "r": 1.1745}
    totals = {"B": [43.0248], "C": [97.1796], "D": [404.975], "A": [13.8750787736]}
    assert_point(build_model(card, {}), point, totals, 11.5230953935)


def test_background_from_a_sideband() -> None:
    card = Card(
        (Channel("bin1", 20.0),),
        (Column("bin1", "S", 0, 1.0), Column("bin1", "B", 1, 5.5)),
        nuisances=(Nuisance("theta1", "gmN", (None, 0.5), (11.0,)),),
    )
    model = build_model(card, {})
    assert_point(model, {"theta1": 10.6959, "r": 1.1576}, {"bin1": [6.50555]}, 0.9320475589)
    assert_point(model, {"theta1": 7.1978, "r": 0.6067}, {"bin1": [4.2056]}, 8.2157070567)
    sideband = model.parameters.get("theta1")
    assert (sideband.initial, sideband.range) == (12.0, (0.33777, 61.917364))


def two_channels() -> Model:
    signal_region = Templates.of(
        range(7),
        {"sig": SIG, "bkgA": [40, 31, 22, 15, 9, 4], "bkgB": [6, 7.5, 8, 6.5, 4, 1.5]},
        {
            ("bkgA", "alpha"): (
                [42.4, 31.93, 22.0, 14.55, 8.46, 3.6],
                [40 / 1.06, 31 / 1.03, 22.0, 15 / 0.97, 9 / 0.94, 4 / 0.9],
            )
        },
        variances={
            "sig": np.array(SIG) * 0.1,
            "bkgA": np.array([40, 31, 22, 15, 9, 4]) * 0.1,
            "bkgB": np.array([6, 7.5, 8, 6.5, 4, 1.5]) * 0.1,
        },
        observation=[44, 41, 33, 28, 13, 7],
    )
    control_region = Templates.of(
        range(4),
        {"bkgA": [120, 80, 40], "bkgB": [5, 6, 4]},
        {("bkgA", "alpha"): ([127.2, 82.4, 40.0], [120 / 1.06, 80 / 1.03, 40.0])},
        variances={"bkgA": [12, 8, 4], "bkgB": [0.5, 0.6, 0.4]},
        observation=[131, 77, 45],
    )
    card = Card(
        (Channel("ch1", -1), Channel("cr", -1)),
        (
            Column("ch1", "sig", 0, -1),
            Column("ch1", "bkgA", 1, -1),
            Column("ch1", "bkgB", 2, -1),
            Column("cr", "bkgA", 1, -1),
            Column("cr", "bkgB", 2, -1),
        ),
        RULES,
        (
            Nuisance("lumi", "lnN", (1.025, None, 1.025, None, 1.025)),
            Nuisance("alpha", "shape", (None, 1.0, None, 1.0, None)),
        ),
        (Parameter("kB", 1.0, 0.15), Parameter("kC", 0.0, (0.2, 0.4))),
        rate_parameters=(
            RateParameter("normA", "*", "bkgA", 1.0, (0.0, 5.0)),
            RateParameter("scaleB", "*", "bkgB", formula="(@0*(1+0.1*@1))", arguments=("kB", "kC")),
        ),
        groups=(Group("theory", ("lumi", "alpha")),),
        mc_stats=(AutoMCStats("*", 0),),
    )
    return build_model(card, {"ch1": signal_region, "cr": control_region})


def test_two_channels_with_everything_that_floats() -> None:
    model = two_channels()
    shifts = [0.648115, 0.371492, 0.663063, -0.664965, -2.22567, -0.548835]
    point = {"lumi": 1.69283, "alpha": -2.03895, "kB": 1.07121, "kC": 0.084845, "normA": 1.08371, "r": 1.0758}
    point |= {
        **{f"prop_binch1_bin{j}": x for j, x in enumerate(shifts)},
        **{f"prop_bincr_bin{j}": x for j, x in enumerate([0.428352, 0.402266, -1.29513])},
    }
    totals = {
        "ch1": [47.1008644343, 42.0944096007, 37.0540708207, 28.1405025971, 15.9208752411, 7.52655492206],
        "cr": [122.586388104, 89.5693773889, 45.0346975503],
    }
    assert_point(model, point, totals, 8.69005566685)
    assert model.parameters.groups["theory"] == ("lumi", "alpha")
    assert model.parameters.get("kC").range == (-0.8, 1.6)
    assert len(model.parameters.groups["autoMCStats"]) == 9


def test_parameters_of_single_processes() -> None:
    templates = Templates.of(
        range(7),
        {"sig": SIG, "bkgA": [4, 3, 2, 1.2, 0.5, 0], "bkgB": [3, 2, 1, 0.6, 0.2, 0.3]},
        {("bkgA", "alpha"): ([4.24, 3.09, 2, 1.164, 0.47, 0], [4 / 1.06, 3 / 1.03, 2, 1.2 / 0.97, 0.5 / 0.94, 0])},
        variances={
            "sig": np.array([0.05, 0.1, 0.15, 0.2, 0.15, 0.1]) ** 2,
            "bkgA": np.array([2, 1.8, 1.5, 1.2, 0.6, 0]) ** 2,
            "bkgB": np.array([0.5, 0.4, 0.3, 0.25, 0.2, 0.4]) ** 2,
        },
        observation=[8, 4, 5, 3, 1, 1],
    )
    card = Card(
        (Channel("ch1", -1),),
        (Column("ch1", "sig", 0, -1), Column("ch1", "bkgA", 1, -1), Column("ch1", "bkgB", 2, -1)),
        RULES,
        (
            Nuisance("lumi", "lnN", (1.025, None, 1.025)),
            Nuisance("normA", "lnN", (None, 1.08, None)),
            Nuisance("alpha", "shape", (None, 1.0, None)),
        ),
        mc_stats=(AutoMCStats("*", 10),),
    )
    model = build_model(card, {"ch1": templates})
    kinds = {p.name.removeprefix("prop_binch1_"): p.initial for p in model.parameters if p.kind == "autoMCStats"}
    names = "bin0 bin1_sig bin1_bkgA bin1_bkgB bin2_sig bin2_bkgA bin2_bkgB bin3_sig bin3_bkgA bin3_bkgB"
    names += " bin4_sig bin4_bkgA bin4_bkgB bin5_sig bin5_bkgB"
    counts = {"bin1_bkgA": 3.0, "bin2_bkgA": 2.0, "bin3_bkgA": 1.0, "bin3_bkgB": 6.0, "bin4_bkgB": 1.0}
    assert kinds == dict.fromkeys(names.split(), 0.0) | counts
    values = [-0.88535, 0.346871, 3.97777, -0.380953, -0.45506, 2.1031, -0.325231, 0.134845, 0.616903, 9.06428]
    values += [0.872266, 1.70344, 0.616903, -0.682585, -0.733751]
    point = {"lumi": -0.747524, "normA": -0.155057, "alpha": 0.277808, "r": 0.7675}
    point.update(zip(model.bin_parameters, values, strict=True))
    totals = [5.44928542167, 6.63200617452, 4.87181902146, 4.80016396741, 4.0579986108, 0.633067323625]
    assert_point(model, point, {"ch1": totals}, 4.67376347809)
