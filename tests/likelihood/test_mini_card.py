"""Numbers of Combine v10.6.0 for a three-bin card in its variants, computed by Combine itself.

Two columns, one with a shape nuisance, an asymmetric log-normal on both; errors of 10%.
"""

import numpy as np
import pytest

from pocket_combine.card.model import AutoMCStats, Card, Channel, Column, Nuisance, ShapeRule
from pocket_combine.likelihood import Model, build_model
from pocket_combine.templates import Templates

SIG, BKG = np.array([1.1, 2.2, 3.3]), np.array([10.1, 20.9, 5.5])
POINT = {"r": 1.7, "l": -0.3, "s": 1.4}


def mini_model(kind: str = "shape", mc_stats: tuple[AutoMCStats, ...] = ()) -> Model:
    templates = Templates.of(
        [0, 1, 2, 3],
        {"sig": SIG, "bkg": BKG},
        {("bkg", "s"): ([11, 23, 5], [9.5, 19, 6])},
        variances={"sig": (0.1 * SIG) ** 2, "bkg": (0.1 * BKG) ** 2},
        observation=[12, 24, 9],
    )
    card = Card(
        (Channel("c", -1),),
        (Column("c", "sig", 0, -1), Column("c", "bkg", 1, 36.6)),
        (ShapeRule("*", "*", "shapes.root", "$PROCESS", "$PROCESS_$SYSTEMATIC"),),
        (Nuisance("l", "lnN", (1.05, (0.9, 1.2))), Nuisance("s", kind, (None, 1.0))),
        mc_stats=mc_stats,
    )
    return build_model(card, {"c": templates})


TOTAL = {"prop_binc_bin0": 0.5, "prop_binc_bin1": -1.2, "prop_binc_bin2": 2.0}
EACH = {
    **{f"prop_binc_bin{j}_sig": y for j, y in enumerate((95, 100, 105))},
    **{f"prop_binc_bin{j}_bkg": y for j, y in enumerate((110, 80, 120))},
}
EXPECTED_FRACTIONS = [11.22767163526, 23.15725993119, 8.815068433546]
EXPECTED_EVENTS = [11.20000040531, 23.09999966621, 8.799999952316]


@pytest.mark.parametrize(
    ("kind", "line", "bin_values", "at_start", "nll_at_start", "at_point", "nll_at_point"),
    [
        pytest.param(
            "shape",
            None,
            {},
            EXPECTED_FRACTIONS,
            45.475671825281,
            [12.88507396772, 26.86689397497, 10.16058264652],
            46.716409810125,
            id="shape",
        ),
        pytest.param(
            "shapeN",
            None,
            {},
            EXPECTED_FRACTIONS,
            45.475671825281,
            [12.87361086004, 26.84603123908, 10.19290849009],
            46.717146035779,
            id="shapeN",
        ),
        pytest.param(
            "shape",
            AutoMCStats("c", 0),
            TOTAL,
            EXPECTED_EVENTS,
            45.480098371166,
            [13.39888570274, 24.1045100873, 11.75612468847],
            49.730329635549,
            id="one-parameter-per-bin",
        ),
        pytest.param(
            "shape",
            AutoMCStats("c", 400, include_signal=True),
            EACH,
            EXPECTED_EVENTS,
            64.814240111692,
            [13.86396931924, 22.17997641935, 11.34823946291],
            71.058991784927,
            id="one-parameter-per-process",
        ),
    ],
)
def test_combine_numbers(
    kind: str,
    line: AutoMCStats | None,
    bin_values: dict[str, float],
    at_start: list[float],
    nll_at_start: float,
    at_point: list[float],
    nll_at_point: float,
) -> None:
    model = mini_model(kind, () if line is None else (line,))
    assert set(model.bin_parameters) == set(bin_values)
    likelihood = model.likelihood(profile=False)
    start = model.parameters.initial
    point = model.parameters.vector({**POINT, **bin_values})
    np.testing.assert_allclose(model.totals(start), at_start, rtol=2e-13)
    np.testing.assert_allclose(model.totals(point), at_point, rtol=2e-12)
    assert likelihood.value(start) + likelihood.offset == pytest.approx(nll_at_start, abs=2e-12)
    assert likelihood.value(point) + likelihood.offset == pytest.approx(nll_at_point, abs=2e-12)


def test_kinds_of_bin_parameters() -> None:
    each = mini_model(mc_stats=(AutoMCStats("c", 400, include_signal=True),)).parameters.get("prop_binc_bin0_sig")
    assert (each.initial, each.groups) == (100.0, ("autoMCStats",))
    assert each.constraint is not None
    assert (each.constraint.kind.value, each.constraint.observable) == ("poisson", 100.0)
    total = mini_model(mc_stats=(AutoMCStats("c", 0),)).parameters.get("prop_binc_bin0")
    assert total.constraint is not None
    assert (total.initial, total.range, total.constraint.kind.value) == (0.0, (-7.0, 7.0), "gaussian")


def test_exact_leaves_all_roundings_out() -> None:
    model = build_model(*_exact_card(), exact=True)
    # 36.6 in place of the sum 36.5 of the template; nothing else is rounded or cropped.
    expected = SIG + BKG / BKG.sum() * 36.6
    np.testing.assert_allclose(model.totals(model.parameters.initial), expected, rtol=1e-15)


def _exact_card() -> tuple[Card, dict[str, Templates]]:
    templates = Templates.of([0, 1, 2, 3], {"sig": SIG, "bkg": BKG}, observation=[12, 24, 9])
    columns = (Column("c", "sig", 0, -1), Column("c", "bkg", 1, 36.6))
    return Card((Channel("c", -1),), columns, (ShapeRule("*", "*", "f.root", "h"),)), {"c": templates}
