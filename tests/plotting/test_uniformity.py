"""Signs, digits and labels are the same in all figures."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("mplhep")

from expected_events import channel, result
from fitted import Fitted, fit, impact, impact_result
from fitted import provenance as of_data
from matplotlib.figure import Figure
from pictures import texts
from results_of_fits import bowl, limit, parabola, toys

from pocket_combine.plotting.breakdown import breakdown_figure
from pocket_combine.plotting.contours import contour_figure
from pocket_combine.plotting.correlations import correlations_figure
from pocket_combine.plotting.impacts import impacts_figure
from pocket_combine.plotting.limits import limits_figure
from pocket_combine.plotting.pull_pages import pulls_figure
from pocket_combine.plotting.scans import scan_figure
from pocket_combine.plotting.stack_figures import stack_figure
from pocket_combine.plotting.strength_values import strengths_of
from pocket_combine.plotting.strengths import strengths_figure
from pocket_combine.plotting.toys import bias_figure, toys_figure
from pocket_combine.plotting.uncertainties import symmetric
from pocket_combine.results import FitResult, ImpactResult, PostfitResult, UncertaintyGroup


def fitted(data: str) -> FitResult:
    parameters = {"r": Fitted(-1.05, 0.2, (1.0, 1.0, 1.0), kind="POI"), "JES-1": Fitted(-0.5, 0.9)}
    parameters["SF"] = Fitted(-0.3, 0.12, (1.0, 1.0, 1.0), kind="rateParam")
    return fit(parameters, correlations={("r", "JES-1"): -0.4}, origin=of_data(data))


def impacts(data: str) -> ImpactResult:
    parts = (UncertaintyGroup("theory", 0.1, 0.12), UncertaintyGroup("stat", 0.17, 0.22))
    return impact_result(impact("JES-1", -0.1, 0.12), impact("lumi", 0.01, -0.02), breakdown=parts, data=data)


def events(data: str) -> PostfitResult:
    edges, observed = [-2.5, -1.0, 0.5], [12.0, 9.0] if data == "observed" else None
    return result(channel("SR", {"tt": [10.0, -1.0], "ttH": [3.0, 2.0]}, edges=edges, observed=observed))


FIGURES: dict[str, Callable[[str], Figure]] = {
    "pulls": lambda data: pulls_figure(fitted(data)),
    "correlations": lambda data: correlations_figure(fitted(data)),
    "strengths": lambda data: strengths_figure(strengths_of(fitted(data))),
    "impacts": lambda data: impacts_figure(impacts(data)),
    "breakdown": lambda data: breakdown_figure(impacts(data)),
    "scan": lambda data: scan_figure({"": parabola(best=-0.4, data=data)}),
    "contours": lambda data: contour_figure({"": bowl(data=data)}),
    "limits": lambda data: limits_figure({-5.0: limit(observed=0.4 if data == "observed" else None), -2.0: limit(2.0)}),
    "stack": lambda data: stack_figure(events(data), "SR"),
}


@pytest.mark.parametrize("data", ["asimov", "observed"])
@pytest.mark.parametrize("kind", FIGURES)
def test_minus_signs_and_simulation(kind: str, data: str) -> None:
    figure = FIGURES[kind](data)
    said = texts(figure)
    assert [text for text in said if "$" not in text and re.search(r"(?<![A-Za-z])-\s?\d", text)] == []
    assert any("\N{MINUS SIGN}" in text or "$-" in text for text in said) or kind == "limits"
    assert ("Simulation Work in progress" in said) == (data == "asimov")
    assert ("Work in progress" in said) == (data == "observed")


@pytest.mark.parametrize("kind", ["pulls", "correlations", "strengths", "impacts", "breakdown", "scan", "stack"])
def test_asimov_data_are_named(kind: str) -> None:
    assert any("Asimov data" in text for text in texts(FIGURES[kind]("asimov")))
    assert not any("Asimov" in text for text in texts(FIGURES[kind]("observed")))


@pytest.mark.parametrize("kind", ["pulls", "correlations", "strengths", "impacts", "breakdown", "scan"])
def test_asimov_data_after_a_fit_depend_on_the_observation(kind: str) -> None:
    said = texts(FIGURES[kind]("frequentist asimov"))
    assert any("Asimov data after a fit" in text for text in said)
    assert "Work in progress" in said


def test_toys_are_simulation() -> None:
    for figure in (toys_figure(toys(-1.0, 50)), bias_figure([toys(-1.0, 50), toys(0.0, 50)])):
        said = texts(figure)
        assert "Simulation Work in progress" in said
        assert not any(re.search(r"(?<![A-Za-z$])-\d", text) for text in said)


@pytest.mark.parametrize(
    ("value", "error", "texts"),
    [
        (0.827, 0.119, ("0.83", "0.12")),
        (0.827, 0.367, ("0.83", "0.37")),
        (14.674, 0.994, ("14.67", "0.99")),
        (14.674, 0.9951, ("14.7", "1.0")),
        (1250.2, 35.4, ("1250", "35")),
        (1250.2, 354.0, ("1250", "350")),
        (123456.0, 4321.0, ("123500", "4300")),
        (-0.001, 0.4, ("0.00", "0.40")),
        (-12.3, 1.0, ("-12.3", "1.0")),
        (3.14159, 0.0, ("3.14", "0.00")),
    ],
)
def test_rounding(value: float, error: float, texts: tuple[str, str]) -> None:
    assert symmetric(value, error) == texts
