"""What is run for a report, and the words for it."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from report_cards import loaded_card

from pocket_combine.card.load import LoadedCard
from pocket_combine.card.model import Card, Channel, Column
from pocket_combine.errors import DeclarationError
from pocket_combine.inference import Blinding, FitOptions, make_workspace
from pocket_combine.report.commands import setting_words
from pocket_combine.report.options import ReportOptions
from pocket_combine.report.plan import STEPPED, Step, plan_steps
from pocket_combine.report.subject import Subject, subject_of
from pocket_combine.report.workspaces import Sample, Workspaces

SETTINGS = {
    "pois": {".*/ggH": "r_ggH[1,0,10]"},
    "redefine_pois": ("SF_tt",),
    "freeze": ("lumi",),
    "freeze_groups": ("theory",),
    "masks": ("CR",),
    "values": {"SF_tt": 1.25},
    "ranges": {"r": (-5.0, 5.0)},
    "options": FitOptions(starts=3, seed=7),
    "exact": True,
    "mass": 125.0,
}


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> LoadedCard:
    return loaded_card(tmp_path_factory.mktemp("plan"))


def steps(card: LoadedCard, options: ReportOptions) -> dict[str, Step]:
    subject = subject_of(card, blind=not options.unblind)
    workspaces = Workspaces(subject, {}, options.expect_signal)
    return {step.name: step for step in plan_steps(workspaces, ("c.txt",), options)}


def test_a_blind_plan_has_no_step_with_the_observation(card: LoadedCard) -> None:
    found = steps(card, ReportOptions())
    assert list(found) == [
        "fit-background",
        "fit-signal",
        "prefit-signal",
        "postfit-signal",
        "impacts-background",
        "impacts-signal",
        "goodness-signal",
        "toys-signal-0",
        "toys-signal-1",
        "limits-background",
        "significance-signal",
        "scan-signal-r",
        "scan-signal-r-statistics",
    ]
    assert {step.sample for step in found.values()} == {Sample.BACKGROUND, Sample.SIGNAL}
    assert all("--unblind" not in step.command for step in found.values())
    assert {step.section for step in found.values()} == set(STEPPED)


def test_an_unblinded_plan_adds_the_observation(card: LoadedCard) -> None:
    found = steps(card, ReportOptions(unblind=True, toys=50, expect_signal=2.0))
    assert [name for name in found if "observed" in name] == [
        "fit-observed",
        "prefit-observed",
        "postfit-observed",
        "impacts-observed",
        "goodness-observed",
        "toys-observed-0",
        "toys-observed-2",
        "limits-observed",
        "significance-observed",
        "scan-observed-r",
        "scan-observed-r-statistics",
    ]
    assert found["toys-observed-2"].command == (
        "pocket-combine toys c.txt --unblind --range r=-0.667,20 --seed 1320224556 --inject 2 --toys 50"
    )
    assert found["fit-signal"].command == "pocket-combine fit c.txt --expect-signal 2"


def test_a_part_of_the_plan_brings_what_it_needs(card: LoadedCard) -> None:
    assert list(steps(card, ReportOptions(only=("yields",)))) == ["fit-signal", "prefit-signal", "postfit-signal"]
    assert list(steps(card, ReportOptions(only=("yields", "limits"), skip=("yields",)))) == ["limits-background"]
    assert steps(card, ReportOptions(only=("card", "checks", "effects"))) == {}


def test_tests_with_toys_have_seeds_of_their_own(card: LoadedCard) -> None:
    found = [step for step in steps(card, ReportOptions(seed=3)).values() if step.seed is not None]
    assert [step.name for step in found] == ["goodness-signal", "toys-signal-0", "toys-signal-1"]
    seeds = np.random.SeedSequence(3).generate_state(3).tolist()
    assert [(step.seed, step.options["seed"]) for step in found] == [(seed, seed) for seed in seeds]
    assert len(set(seeds)) == 3
    assert all(step.command.count(f"--seed {step.seed} ") == 1 for step in found)
    assert ReportOptions(seed=3, expect_signal=0.0).toy_seeds["goodness"] == seeds[0]


def test_the_seed_of_a_step_is_that_of_its_starts_as_on_a_command_line(card: LoadedCard) -> None:
    settings = {"options": FitOptions(starts=2, seed=7)}
    workspaces = Workspaces(subject_of(card, blind=True), settings, 1.0)
    assert workspaces.words(Sample.SIGNAL, seed=5)[2:] == ["--starts", "2", "--seed", "5"]
    seeded, plain = workspaces.get(Sample.SIGNAL, seed=5), workspaces.get(Sample.SIGNAL)
    assert (seeded.options.seed, plain.options.seed) == (5, 7)
    alone = make_workspace(card.card, card.templates, expect_signal=1.0, options=FitOptions(starts=2, seed=5))
    assert seeded.settings == alone.settings


def test_a_signal_may_be_negative_unless_its_range_is_given(card: LoadedCard) -> None:
    subject = subject_of(card, blind=True)
    assert Workspaces(subject, {}, 1.0).open_ranges == {"r": (-0.667, 20.0)}
    given = Workspaces(subject, {"ranges": {"r": (0.0, 3.0)}}, 1.0)
    assert given.open_ranges == {}
    assert given.get(Sample.BACKGROUND, is_open=True).model.parameters.get("r").range == (0.0, 3.0)


def test_every_argument_of_a_model_has_its_words() -> None:
    arguments = set(inspect.signature(make_workspace).parameters) - {"card", "templates", "kind", "expect_signal"}
    assert set(SETTINGS) == arguments, "give new arguments of make_workspace their words in report/commands.py"
    assert " ".join(setting_words(SETTINGS)) == (
        "--map .*/ggH:r_ggH[1,0,10] --poi SF_tt --freeze lumi --freeze-group theory --mask CR --set SF_tt=1.25 "
        "--range r=-5,5 --starts 3 --seed 7 --exact --mass 125"
    )


def test_a_blind_subject_has_no_observation(card: LoadedCard) -> None:
    blind, open_ = (subject_of(card, blind=value) for value in (True, False))
    assert [channel.observation for channel in blind.card.channels] == [None]
    assert all(part.observation is None for part in blind.templates.values())
    assert [file.sha256 for file in blind.files] == [None, None]
    assert all("data_obs" not in key for contents in blind.contents for key in contents.keys)
    assert any("data_obs" in key for contents in open_.contents for key in contents.keys)
    assert blind.content == open_.content == blind.digest != open_.digest


def test_the_card_that_a_channel_comes_from() -> None:
    card = Card((Channel("SR"), Channel("CR_low")), (Column("SR", "sig", 0, 1.0), Column("CR_low", "bkg", 1, 1.0)))
    subject = Subject(card, {}, "t", ("SR=a.txt", "CR=b.txt"), (), (), (), blind=True, content="", digest="")
    assert subject.card_of("SR") == ("a.txt", "*")
    assert subject.card_of("CR_low") == ("b.txt", "low")
    alone = Subject(card, {}, "t", ("a.txt",), (), (), (), blind=True, content="", digest="")
    assert alone.card_of("CR_low") == ("a.txt", "CR_low")


def test_options_that_make_no_sense_are_refused_together() -> None:
    with pytest.raises(DeclarationError) as error:
        ReportOptions(only=("impact",), toys=1, points=2)
    assert "no section 'impact': did you mean 'impacts'?" in str(error.value)
    assert "toys is 1, expected at least 2" in str(error.value)
    assert "points is 2, expected at least 3" in str(error.value)
    with pytest.raises(DeclarationError, match="no section is left"):
        ReportOptions(only=("fit",), skip=("fit", "scan"))


def test_observed_data_come_from_the_card(card: LoadedCard) -> None:
    workspaces = Workspaces(subject_of(card, blind=False), {}, 1.0)
    assert workspaces.get(Sample.OBSERVED).kind is Blinding.OBSERVED
    assert workspaces.describe(Sample.OBSERVED) == "the observation"
    assert workspaces.describe(Sample.BACKGROUND) == "Asimov data with r = 0"
