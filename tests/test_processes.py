"""Processes: fields, defaults, what is refused, and the collections as ordered checked dictionaries."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from pocket_combine import DataProcess, DataProcesses, MCProcess, MCProcesses
from pocket_combine.errors import DeclarationError, MissingInputError

YEARS = ["2022_preEE", "2024"]


def process(name: str = "ttbar", **changes: Any) -> MCProcess:
    return MCProcess(**{"name": name, "samples": ["TTbar"], "years": YEARS, "is_signal": False, **changes})


def test_documented_fields_and_defaults() -> None:
    ttbar = MCProcess("ttbar", ["TTbar"], YEARS, False)
    assert (ttbar.has_rateParam, ttbar.label, ttbar.rateParam_value, ttbar.rateParam_range) == (
        False,
        "ttbar",
        1.0,
        (0.0, 5.0),
    )
    assert MCProcess("ttbar", ["TTbar"], YEARS, False, True, "top").label == "top"
    data = DataProcess(name="data_obs", samples=["DATA_EGamma", "DATA_SingleMuon"], years=YEARS)
    assert data.label == "data_obs"
    with pytest.raises(TypeError, match="is_signal"):
        MCProcess(name="ttbar", samples=["TTbar"], years=YEARS)  # type: ignore[call-arg]  # what is tested


def test_a_name_that_is_not_there_is_a_key_error_with_the_nearest() -> None:
    processes = MCProcesses([process("ttbar"), process("diboson")])
    with pytest.raises(KeyError) as caught:
        processes["ttbr"]
    assert isinstance(caught.value, MissingInputError)
    assert str(caught.value) == "MCProcesses has no 'ttbr'; did you mean 'ttbar'?"
    assert processes.get("ttbr") is None


def test_only_backgrounds_float() -> None:
    assert process(has_rateParam=True).floats
    assert not process(has_rateParam=True, is_signal=True).floats
    assert not process().floats


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"samples": "DYJets"}, r"samples is the text 'DYJets', expected a list: samples=\['DYJets'\]"),
        ({"years": "2018"}, r"years is the text '2018', expected a list: years=\['2018'\]"),
        ({"samples": 3}, "samples is a int, expected a list of names"),
        ({"samples": []}, "samples is empty"),
        ({"years": [2018]}, "years holds 2018, expected text"),
        ({"samples": ["A", "B", "A"]}, "samples names 'A' twice"),
        ({"years": ["20 18"]}, "year name '20 18' holds ' '"),
        ({"is_signal": "yes"}, "is_signal is 'yes', expected True or False"),
        ({"is_signal": 1}, "is_signal is 1, expected True or False"),
        ({"has_rateParam": None}, "has_rateParam is None, expected True or False"),
        ({"name": "tt bar"}, "process name 'tt bar' holds ' ': only letters, digits and underscores"),
        ({"name": "tt+bar"}, r"process name 'tt\+bar' holds '\+'"),
        ({"name": "tt/bar"}, "process name 'tt/bar' holds '/'"),
        ({"name": ""}, "process name is empty"),
        ({"name": 5}, "process name 5 is a int, expected text"),
        ({"name": "data_obs"}, "the name 'data_obs' is reserved for data, declare a DataProcess"),
        ({"rateParam_range": (2, 5)}, r"rateParam_value 1 lies outside rateParam_range \[2,5\]"),
        ({"rateParam_range": (5, 0)}, r"rateParam_value 1 lies outside rateParam_range \[5,0\]"),
        ({"rateParam_range": (0, float("inf"))}, "lies outside rateParam_range"),
        ({"rateParam_range": 5}, "rateParam_value 1.0 and rateParam_range 5 must be a number and a pair of numbers"),
        ({"rateParam_value": "one"}, "must be a number and a pair of numbers"),
    ],
)
def test_a_field_that_can_never_be_right_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DeclarationError, match=message) as caught:
        process(**changes)
    assert len(caught.value.problems) == 1


def test_all_problems_are_listed_at_once() -> None:
    with pytest.raises(DeclarationError) as caught:
        process("tt bar", samples="TTbar", years=[], is_signal=0)
    assert str(caught.value) == (
        "4 problems:\n"
        "  1. MCProcess 'tt bar': process name 'tt bar' holds ' ': only letters, digits and underscores are safe in a "
        "card\n"
        "  2. MCProcess 'tt bar': samples is the text 'TTbar', expected a list: samples=['TTbar']\n"
        "  3. MCProcess 'tt bar': years is empty\n"
        "  4. MCProcess 'tt bar': is_signal is 0, expected True or False"
    )


def test_data_has_one_name() -> None:
    with pytest.raises(DeclarationError, match="Combine expects the observation under the name 'data_obs', set name="):
        DataProcess(name="data", samples=["DATA"], years=YEARS)


def test_sets_become_sorted_lists() -> None:
    assert process(samples={"B", "A"}).samples == ["A", "B"]
    assert process(samples=("B", "A")).samples == ["B", "A"]


def test_columns_are_process_and_year_in_order() -> None:
    processes = MCProcesses(
        [
            process("ttbar"),
            process("ttH", is_signal=True),
            process("late", years=["2024"]),
            process("tH", is_signal=True, years=["2024"]),
        ]
    )
    assert processes.signal_processes == ["ttH_2022_preEE", "ttH_2024", "tH_2024"]
    assert processes.background_processes == ["ttbar_2022_preEE", "ttbar_2024", "late_2024"]
    assert processes.n_processes == 6
    assert [(column.name, column.process_id) for column in processes.columns(["2024"])] == [
        ("ttbar_2024", 1),
        ("ttH_2024", 0),
        ("late_2024", 2),
        ("tH_2024", -1),
    ]


def test_collections_are_ordered_mutable_dictionaries() -> None:
    processes = MCProcesses()
    for suffix in ("lo", "mid", "hi"):
        processes[f"bkg_{suffix}"] = process(f"bkg_{suffix}", has_rateParam=True)
    assert isinstance(processes, dict)
    assert list(processes) == ["bkg_lo", "bkg_mid", "bkg_hi"]
    processes["bkg_mid"] = process("bkg_mid", samples=["Other"])
    assert list(processes) == ["bkg_lo", "bkg_mid", "bkg_hi"]
    assert processes["bkg_mid"].samples == ["Other"]
    del processes["bkg_lo"]
    assert processes.n_processes == 4


def test_every_way_in_is_checked() -> None:
    processes = MCProcesses([process("a")])
    wrong_key = "key 'b' of MCProcesses holds the MCProcess 'a': key and name must be equal"
    wrong_type = "MCProcesses holds MCProcess, found DataProcess"
    data: Any = DataProcess("data_obs", ["DATA"], YEARS)
    with pytest.raises(DeclarationError, match=wrong_key):
        processes["b"] = process("a")
    with pytest.raises(DeclarationError, match=wrong_type):
        processes["data_obs"] = data
    with pytest.raises(DeclarationError, match=wrong_key):
        processes.setdefault("b", process("a"))
    with pytest.raises(DeclarationError, match="found NoneType"):
        processes.setdefault("b")
    with pytest.raises(DeclarationError, match=wrong_key):
        processes |= {"b": process("a")}
    with pytest.raises(DeclarationError, match=wrong_key):
        _ = processes | {"b": process("a")}
    with pytest.raises(DeclarationError, match=wrong_type) as caught:
        processes.update({"b": process("a"), "data_obs": data})
    assert len(caught.value.problems) == 2
    with pytest.raises(DeclarationError, match="MCProcess 'a' is declared twice"):
        MCProcesses([process("a"), process("a", samples=["Other"])])
    with pytest.raises(DeclarationError, match="MCProcesses takes a list of MCProcess, found MCProcess"):
        MCProcesses(process("a"))  # type: ignore[arg-type]  # what is tested
    with pytest.raises(DeclarationError, match="DataProcesses holds DataProcess, found MCProcess"):
        DataProcesses([process("a")])  # type: ignore[list-item]  # what is tested
    assert list(processes) == ["a"]


def test_all_wrong_items_of_a_list_are_named() -> None:
    with pytest.raises(DeclarationError) as caught:
        MCProcesses([process("a"), "b", process("a"), 3])  # type: ignore[list-item]  # what is tested
    assert len(caught.value.problems) == 3


def test_collections_keep_their_type() -> None:
    processes = MCProcesses([process("b"), process("a")])
    for same in (
        copy.copy(processes),
        copy.deepcopy(processes),
        processes.copy(),
        pickle.loads(pickle.dumps(processes)),
        MCProcesses(processes),
        MCProcesses([process("b")]) | {"a": process("a")},
    ):
        assert type(same) is MCProcesses
        assert list(same.items()) == list(processes.items())
    assert repr(MCProcesses([process("a")])) == f"MCProcesses([{process('a')!r}])"
