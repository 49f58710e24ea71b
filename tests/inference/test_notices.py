"""Notes about covariances that mislead and about asymptotic formulas, against numbers found otherwise."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pocket_combine.card.parser import parse_card
from pocket_combine.inference.notices import covariance_notices
from pocket_combine.inference.questions import fit, limits, significance
from pocket_combine.inference.workspace import Blinding, Workspace, make_workspace
from pocket_combine.likelihood import Constraint, ConstraintKind, ModelParameter, ParameterList
from pocket_combine.results import Interval, Result, Status


def two_channels(rows: str, *, signal_region: int = 30, control: int = 100) -> Workspace:
    """A signal of 10 over 20 events, and a control region of 100."""
    text = (
        f"imax 2\nbin SR CR\nobservation {signal_region} {control}\nbin SR SR CR\nprocess sig bkg bkg\n"
        f"process 0 1 1\nrate 10 20 100\n{rows}"
    )
    return make_workspace(parse_card(text), {}, kind=Blinding.OBSERVED)


def notes_of(result: Result) -> list[str]:
    return list(result.provenance.options["notes"])


def test_an_error_above_the_prior_width_is_said() -> None:
    # 88 events pull the nuisance to where its down variation of 5 % turns into the up variation of 15 %.
    workspace = two_channels("n lnN - - 0.95/1.15\n", control=88)
    result = fit(workspace)
    position = workspace.model.parameters.index("n")
    curvature = workspace.model.hessian(result.values)[position, position]
    assert result.error("n") == pytest.approx(1 / math.sqrt(curvature), rel=1e-6)
    assert result.error("n") > 1.01
    assert notes_of(result) == [
        f"errors from the covariance larger than before the fit: n ({result.error('n'):.2f} times). The likelihood is "
        "no parabola there, for example because unequal up and down variations meet; use profile-likelihood intervals"
    ]
    # The interval shows that the data have not widened it.
    interval = fit(workspace, intervals=["n"]).interval("n")
    assert 0.5 * (interval.high - interval.low) < 1.0


def test_an_interval_that_the_covariance_misses_is_said() -> None:
    # At the seam of a one-sided effect the second derivative is that of neither side.
    result = fit(two_channels("m lnN - 1.0/1.3 -\n"))
    interval = result.interval("r")
    half = 0.5 * (interval.high - interval.low)
    assert half / result.error("r") == pytest.approx(1.137, abs=2e-3)
    assert notes_of(result) == [
        f"half of the interval of r is {half:.3g}, the covariance says {result.error('r'):.3g}: the likelihood is no "
        "parabola, for example because unequal up and down variations of a nuisance meet; use the interval"
    ]


@pytest.mark.parametrize("level", [0.5, 1.92])
def test_a_parabola_has_no_notes(level: float) -> None:
    assert notes_of(fit(two_channels("n lnN - 1.05 1.05\nm lnN 1.1 - -\n"), level=level)) == []


def test_each_width_counts_for_itself_and_others_have_no_say() -> None:
    parameters = ParameterList(
        [
            ModelParameter("r", "POI", 1.0, (0.0, 20.0)),
            ModelParameter("wide", "param", 0.0, (-9.0, 9.0), Constraint(ConstraintKind.GAUSSIAN, 0.0, (0.5, 2.0))),
            ModelParameter("count", "gmN", 12.0, (0.0, 40.0), Constraint(ConstraintKind.POISSON, 11.0)),
        ]
    )
    errors = np.array([1.0, 1.9, 5.0])
    assert covariance_notices(parameters, errors, [], ["r"]) == []
    (note,) = covariance_notices(parameters, np.array([1.0, 2.1, 5.0]), [], ["r"])
    assert "wide (1.05 times)" in note
    one_sided = Interval("r", 1.0, 0.0, 5.0, 0.5, Status.AT_BOUNDARY)
    assert covariance_notices(parameters, errors, [one_sided], ["r"]) == []
    assert covariance_notices(parameters, errors, [Interval("r", 1.0, 0.08, 1.92, 0.5)], ["r"]) == []
    (note,) = covariance_notices(parameters, errors, [Interval("r", 1.0, 0.2, 1.8, 0.5)], ["r"])
    assert note.startswith("half of the interval of r is 0.8, the covariance says 1:")


def bins(*triples: tuple[float, float, int], kind: Blinding = Blinding.OBSERVED, **options: Any) -> Workspace:
    """A channel of one bin for each (signal, background, observed)."""
    names = [f"c{number}" for number in range(len(triples))]
    text = (
        f"imax {len(names)}\nbin {' '.join(names)}\nobservation {' '.join(str(triple[2]) for triple in triples)}\n"
        f"bin {' '.join(f'{name} {name}' for name in names)}\nprocess {'sig bkg ' * len(names)}\n"
        f"process {'0 1 ' * len(names)}\nrate {' '.join(f'{triple[0]} {triple[1]}' for triple in triples)}\n"
    )
    return make_workspace(parse_card(text), {}, kind=kind, **options)


FEW = (
    "few events are expected without signal: {} 80 % of the sensitivity. Asymptotic formulas need about 10 or more; "
    "check with toys, for example with Combine's HybridNew"
)


@pytest.mark.parametrize("ask", [limits, significance])
def test_few_events_where_the_sensitivity_is(ask: Callable[[Workspace], Result]) -> None:
    assert notes_of(ask(bins((3, 4.5, 9)))) == [FEW.format("4.5 in the bin that holds")]
    assert notes_of(ask(bins((3, 10, 15)))) == []
    # A bin of many events and little signal does not help, many bins of few events do.
    assert notes_of(ask(bins((3, 4.5, 9), (3, 1000, 1000)))) == [FEW.format("4.5 in the bin that holds")]
    assert notes_of(ask(bins(*[(1, 3, 4)] * 2))) == [FEW.format("6 in the 2 bins that hold")]
    assert notes_of(ask(bins(*[(1, 3, 4)] * 5))) == []
    assert notes_of(ask(bins((3, 4.5, 9), (10, 400, 420), masks=["c0"]))) == []


def test_the_sensitive_bins_are_the_fewest_that_hold_their_share() -> None:
    rates = [(1.0, 1.2), (4.0, 4.0), (0.2, 0.5), (2.0, 2.3)]
    workspace = bins(*((signal, background, 1) for signal, background in rates), kind=Blinding.ASIMOV)
    result = limits(workspace)
    median = result.expected[2].limit
    parts = sorted(((median * s - b * math.log1p(median * s / b), b) for s, b in rates), reverse=True)
    share, events, count = 0.0, 0.0, 0
    while share < 0.8 * sum(part for part, _ in parts):
        share, events, count = share + parts[count][0], events + parts[count][1], count + 1
    assert 1 < count < 4
    assert notes_of(result) == [FEW.format(f"{events:.2g} in the {count} bins that hold")]


def test_no_excess_has_no_note_about_its_significance() -> None:
    assert notes_of(significance(bins((3, 4.5, 2)))) == []


def test_notes_of_blind_answers_do_not_depend_on_the_observation() -> None:
    for ask in (limits, significance):
        one, other = (ask(bins((3, 4.5, observed), kind=Blinding.ASIMOV)) for observed in (0, 30))
        assert one.to_json() == other.to_json()
        assert len(notes_of(one)) == 1
