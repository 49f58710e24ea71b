"""The plan: which templates are read for which column, and declarations that contradict each other."""

from __future__ import annotations

from typing import Any

import pytest
from toys import observed, shape, signal_and_background

from pocket_combine import DataProcess, DataProcesses, MCProcess, MCProcesses, Systematics, SystematicUncertainty
from pocket_combine.build.plan import PlannedPair, make_plan
from pocket_combine.errors import DeclarationError

YEARS = ["2017", "2018"]
NONE = Systematics([])


def lumi(processes: Any = ("sig", "bkg"), years: Any = YEARS) -> SystematicUncertainty:
    return SystematicUncertainty("lumi", "lnN", list(processes), years, 1.02)


def test_columns_and_pairs_follow_the_declarations() -> None:
    processes = signal_and_background(years=YEARS)
    rows = [
        shape("zz", ["bkg"], YEARS, coffea_name_alias={"bkg": {"2017": "old", "2018": "new"}}),
        lumi(),
        shape("JER", ["sig", "bkg"], ["2018"], datacard_name="aa"),
    ]
    plan = make_plan(processes, Systematics(rows), YEARS)
    assert [(column.name, column.process_id) for column in plan.columns] == [
        ("sig_2017", 0),
        ("sig_2018", -1),
        ("bkg_2017", 1),
        ("bkg_2018", 2),
    ]
    assert plan.pairs == (
        PlannedPair(1, "aa", "JER"),
        PlannedPair(2, "zz", "old"),
        PlannedPair(3, "aa", "JER"),
        PlannedPair(3, "zz", "new"),
    )
    assert [plan.pairs_of(column) for column in range(4)] == [(0, 0), (0, 1), (1, 2), (2, 4)]


def test_years_of_the_card_select_the_columns() -> None:
    processes = signal_and_background(years=YEARS)
    plan = make_plan(processes, Systematics([lumi(), shape("JER", ["bkg"], YEARS)]), ["2018"])
    assert [column.name for column in plan.columns] == ["sig_2018", "bkg_2018"]
    assert plan.pairs == (PlannedPair(1, "JER", "JER"),)
    assert plan.years == ("2018",)


def test_a_plan_without_data_is_otherwise_the_same() -> None:
    plan = make_plan(signal_and_background(), Systematics([shape("JER")]), ["2018"], observed())
    assert plan.data is not None
    blind = plan.without_data()
    assert blind.data is None
    assert (blind.columns, blind.pairs, blind.years) == (plan.columns, plan.pairs, plan.years)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"mc_processes": []}, r"mc_processes is a list, expected MCProcesses\(\[\.\.\.\]\)"),
        ({"systematics": [lumi()]}, r"systematics is a list, expected Systematics\(\[\.\.\.\]\)"),
        ({"data_processes": []}, r"data_processes is a list, expected DataProcesses\(\[\.\.\.\]\)"),
        ({"years": "2018"}, "years is '2018', expected a list of years"),
        ({"years": 2018}, "years is 2018, expected a list of years"),
        ({"years": [2018]}, "year name 2018 is a int, expected text"),
        ({"years": []}, "years is empty"),
        ({"years": ["2018", "2018"]}, "years names a year twice"),
        ({"years": ["2016"]}, r"no process is defined for any of the years \['2016'\]; did you mean '2018'"),
        ({"years": ["2018", "2o18"]}, r"no process is defined for '2o18' of the years .*; did you mean '2018'\?"),
        ({"mc_processes": MCProcesses([])}, "no process is defined for any of the years"),
        (
            {"systematics": Systematics([lumi(["sig", "bgk"])])},
            r"systematic 'lumi' applies to process 'bgk', which is not declared; did you mean 'bkg'\?",
        ),
        (
            {"systematics": Systematics([lumi(years=["2016", "2017"])])},
            r"systematic 'lumi' covers \['2016', '2017'\], and none of its processes is defined in any of these years",
        ),
        (
            {"data_processes": DataProcesses([])},
            r"data_processes holds 0 processes \[\], expected exactly one \(leave the argument out",
        ),
        (
            {"data_processes": DataProcesses([DataProcess("data_obs", ["DATA"], ["2017"])])},
            r"data process 'data_obs' has the years \['2017'\], but the card includes 2018 too",
        ),
        (
            {
                "mc_processes": MCProcesses(
                    [
                        MCProcess("tt", ["A"], ["b_2018"], False),
                        MCProcess("tt_b", ["B"], ["2018"], False),
                        MCProcess("sig", ["C"], ["2018"], True),
                    ]
                ),
                "years": ["2018", "b_2018"],
            },
            r"two \(process, year\) pairs give the same column 'tt_b_2018': rename one of the processes",
        ),
        (
            {"mc_processes": MCProcesses([MCProcess("data", ["A"], ["obs"], False)]), "years": ["obs"]},
            "gives the column 'data_obs', which is reserved for data",
        ),
        (
            {
                "mc_processes": MCProcesses(
                    [MCProcess("tt", ["A"], ["2022", "2022_post"], True), MCProcess("b", ["B"], ["2022"], False)]
                ),
                "systematics": Systematics(
                    [shape("post_v", ["tt"], ["2022"], datacard_name="post_v"), shape("v", ["tt"], ["2022_post"])]
                ),
                "years": ["2022", "2022_post"],
            },
            "'post_v' in column 'tt_2022' and nuisance 'v' in column 'tt_2022_post' give templates of one name",
        ),
    ],
)
def test_contradictions_are_refused(changes: dict[str, Any], problem: str) -> None:
    arguments: dict[str, Any] = {"mc_processes": signal_and_background(), "systematics": NONE, "years": ["2018"]}
    with pytest.raises(DeclarationError, match=problem) as caught:
        make_plan(**{**arguments, **changes})
    assert len(caught.value.problems) == 1


def test_all_contradictions_are_listed_at_once() -> None:
    rows = Systematics([lumi(["sgi"]), shape("JER", ["bkg"], ["2016"])])
    data = DataProcesses([DataProcess("data_obs", ["DATA"], ["2016"])])
    with pytest.raises(DeclarationError) as caught:
        make_plan(signal_and_background(), rows, ["2018", "2019"], data)
    assert [problem.split(" ")[0] for problem in caught.value.problems] == ["no", "systematic", "systematic", "data"]


def test_a_nuisance_may_reach_beyond_the_years_of_the_card_and_of_its_processes() -> None:
    processes = MCProcesses([MCProcess("sig", ["Sig"], YEARS, True), MCProcess("late", ["Late"], ["2018"], False)])
    rows = Systematics([lumi(["sig", "late"], ["2016", *YEARS]), shape("JER", ["late"], YEARS)])
    assert make_plan(processes, rows, YEARS).pairs == (PlannedPair(2, "JER", "JER"),)
