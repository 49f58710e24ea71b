"""Systematics: fields and defaults, values of every kind, what is refused, and how declarations are joined."""

from __future__ import annotations

import copy
import pickle
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocket_combine import Systematics, SystematicUncertainty
from pocket_combine.errors import DeclarationError
from pocket_combine.systematics import KINDS

YEARS = ["2017", "2018"]


def uncertainty(name: str = "lumi", **changes: Any) -> SystematicUncertainty:
    fields = {"name": name, "typ": "lnN", "processes": ["tt", "vv"], "years": YEARS, "value": 1.02}
    return SystematicUncertainty(**{**fields, **changes})


def test_documented_fields_and_defaults() -> None:
    positional = SystematicUncertainty("JER", "shape", ["tt"], ["2018"], 1.0, "CMS_res_j", "jer")
    assert positional.datacard_name == "CMS_res_j"
    assert positional.variation("tt", "2018") == "jer"
    assert uncertainty().datacard_name == "lumi"
    assert uncertainty("JER", typ="shape").variation("vv", "2017") == "JER"
    assert uncertainty("JER", typ="shape", datacard_name="CMS_res_j").variation("vv", "2017") == "JER"
    assert uncertainty().groups == ()


@pytest.mark.parametrize("value", [1, 1.0, np.float64(1.0), np.int64(1), np.array(1.0), Decimal(1)], ids=repr)
def test_numbers_of_any_kind_are_values(value: Any) -> None:
    cells = uncertainty(typ="shape", value=value).cells
    assert cells == dict.fromkeys([("tt", "2017"), ("tt", "2018"), ("vv", "2017"), ("vv", "2018")], 1.0)
    assert {type(cell) for cell in cells.values()} == {float}


def test_pairs_are_down_and_up() -> None:
    assert uncertainty(value=(0.98, 1.05), processes=["tt"], years=["2018"]).cells == {("tt", "2018"): (0.98, 1.05)}
    assert uncertainty(value=[np.float32(0.5), 2], typ="lnU", processes=["tt"]).cells["tt", "2018"] == (0.5, 2.0)


def test_values_per_process_and_per_process_and_year() -> None:
    per_process = uncertainty(processes={"tt": 1.06, "vv": (0.95, 1.04)}, value=None)
    assert per_process.cells["tt", "2017"] == 1.06
    assert per_process.cells["vv", "2018"] == (0.95, 1.04)
    table = {"tt": {"2017": 1.02, "2018": 1.015}, "vv": {"2018": 1.03, "2017": None}}
    expected = {("tt", "2017"): 1.02, ("tt", "2018"): 1.015, ("vv", "2018"): 1.03}
    assert uncertainty(processes=table, value=None).cells == expected
    assert uncertainty(processes=table, value=None, years=None).cells == expected
    assert uncertainty(processes=table, value=None, years=None).years == YEARS
    mixed = uncertainty(processes={"tt": {"2018": 1.02}, "vv": 1.5}, value=None)
    assert mixed.cells == {("tt", "2018"): 1.02, ("vv", "2017"): 1.5, ("vv", "2018"): 1.5}


def test_variations_per_process_and_year() -> None:
    alias = {"tt": {"2017": "btag_old", "2018": "btag_new"}}
    btag = uncertainty("btag", typ="shape", coffea_name_alias=alias)
    assert [btag.variation("tt", year) for year in YEARS] == ["btag_old", "btag_new"]
    assert btag.variation("vv", "2018") == "btag"
    assert uncertainty("btag", typ="shape", coffea_name_alias={"vv": "x"}).variation("vv", "2017") == "x"


def test_kinds_of_template_cards() -> None:
    assert KINDS == ("lnN", "lnU", "gmN", "shape", "shapeN", "shapeU")
    for kind in KINDS:
        made = uncertainty(typ=kind, value=0.5, events=12 if kind == "gmN" else None)
        assert made.is_shape == kind.startswith("shape")
    assert uncertainty(typ="gmN", value=0.1, events=np.int64(3)).events == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"typ": "lnn"},
            "typ is 'lnn', expected one of lnN, lnU, gmN, shape, shapeN, shapeU; did you mean 'lnN'",
        ),
        ({"typ": "shape?"}, "typ is 'shape.', expected one of .* did you mean 'shape'"),
        ({"typ": None}, "typ is None, expected one of"),
        ({"name": "2018_lumi"}, "nuisance name '2018_lumi' begins with a digit"),
        ({"name": "lu mi"}, "nuisance name 'lu mi' holds ' '"),
        ({"name": None}, "name is None, expected text"),
        ({"datacard_name": "a*b"}, r"nuisance name 'a\*b' holds '\*'"),
        ({"processes": "tt"}, r"processes is the text 'tt', expected a list: processes=\['tt'\]"),
        ({"processes": []}, "processes is empty"),
        ({"years": "2018"}, "years is the text '2018'"),
        ({"years": None}, r"years is missing; leave it out only where processes is \{process: \{year: value\}\}"),
        ({"value": None}, r"value is missing; leave it out only where processes is \{process: value\}"),
        ({"processes": {"tt": 1.1}}, "value is given, and processes gives values too; keep one of them"),
        ({"value": True}, "value True must be a positive number or a pair"),
        ({"value": "1.02"}, "value '1.02' must be a positive number"),
        ({"value": 0}, "value 0 must be a positive number"),
        ({"value": -1.02}, "value -1.02 must be a positive number"),
        ({"value": float("nan")}, "value nan must be a positive number"),
        ({"processes": {"vv": 1.1, "tt": -2}, "value": None}, "value -2 of process 'tt' must be a positive number"),
        ({"value": (1.02,)}, r"value \(1.02,\) must be a positive number or a pair"),
        ({"value": (1, 2, 3)}, r"value \(1, 2, 3\) must be a positive number or a pair"),
        ({"value": (0.9, -1.1)}, r"value \(0.9, -1.1\) must be positive numbers"),
        ({"value": np.array([1.02])}, r"value array\(\[1.02\]\) must be a positive number"),
        ({"typ": "shape", "value": (0.9, 1.1)}, r"value \(0.9, 1.1\) must be a positive number$"),
        ({"processes": {"tt": {"2016": 1.1}}, "value": None}, r"a value for 'tt' in '2016', but years has only"),
        ({"processes": {"tt": None}, "value": None}, "no value for any process and year, so it has no effect"),
        ({"typ": "gmN"}, "events is None, expected the number of events counted in the sideband"),
        ({"typ": "gmN", "events": -1}, "events is -1, expected the number of events"),
        ({"typ": "gmN", "events": 2.5}, "events is 2.5, expected the number of events"),
        ({"events": 3}, "events belongs to gmN only, typ is 'lnN'"),
        ({"coffea_name_alias": "x"}, "coffea_name_alias belongs to shape kinds, typ is 'lnN'"),
        ({"typ": "shape", "coffea_name_alias": 3}, r"coffea_name_alias is 3, expected text or \{process: variation\}"),
        ({"typ": "shape", "coffea_name_alias": {"tt": 3}}, "coffea_name_alias of 'tt' is 3, expected text"),
        (
            {"typ": "shape", "coffea_name_alias": {"ttt": "a"}},
            r"coffea_name_alias names process 'ttt', which it does not apply to; did you mean 'tt'\?",
        ),
        ({"group": ["a b"]}, "group name 'a b' holds ' '"),
        ({"group": "autoMCStats"}, "the group 'autoMCStats' is Combine's own"),
        ({"group": 3}, "group is a int, expected a list of names"),
    ],
)
def test_a_field_that_can_never_be_right_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        uncertainty(**changes)


def test_all_problems_are_listed_at_once() -> None:
    with pytest.raises(DeclarationError) as caught:
        uncertainty("lu mi", typ="lnn", processes="tt", years=[])
    assert len(caught.value.problems) == 4


def test_a_wrong_value_is_reported_once_for_all_processes_and_years() -> None:
    with pytest.raises(DeclarationError) as caught:
        uncertainty(value=-1)
    assert len(caught.value.problems) == 1


def test_declarations_of_one_nuisance_with_other_cells_are_joined() -> None:
    eras = {
        "2022_preEE": 1.014,
        "2022_postEE": 1.014,
        "2023_preBPix": 1.013,
        "2023_postBPix": 1.013,
        "2024": 1.016,
    }
    rows = Systematics(
        [
            uncertainty(f"lumi_{year}", years=[year], value=value, datacard_name="lumi_run3", group="luminosity")
            for year, value in eras.items()
        ]
    )
    assert list(rows) == ["lumi_run3"]
    assert rows["lumi_run3"].cells == {
        (process, year): value for year, value in eras.items() for process in ("tt", "vv")
    }
    assert rows["lumi_run3"].groups == ("luminosity",)
    assert rows["lumi_run3"].name == "lumi_2022_preEE"


def test_joined_shapes_keep_their_variations_and_groups() -> None:
    old = uncertainty("old", typ="shape", years=["2017"], datacard_name="btag", group="btag")
    new = uncertainty("new", typ="shape", years=["2018"], datacard_name="btag", group=["btag", "recent"])
    (joined,) = Systematics([old, new]).values()
    assert joined.variation("tt", "2017") == "old"
    assert joined.variation("tt", "2018") == "new"
    assert joined.groups == ("btag", "recent")


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (
            {"name": "b", "value": 1.5, "years": ["2018", "2019"]},
            r"nuisance 'lumi' is declared twice for process 'tt' in '2018', by 'a' and 'b' \(2 cells in common\)",
        ),
        (
            {"name": "b", "typ": "shape", "years": ["2019"]},
            "nuisance 'lumi' is declared as lnN by 'a' and as shape by 'b': one nuisance has one kind",
        ),
    ],
)
def test_declarations_that_contradict_each_other_are_refused(second: dict[str, Any], message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        Systematics([uncertainty("a", datacard_name="lumi"), uncertainty(**second, datacard_name="lumi")])


def test_sideband_counts_of_one_nuisance_must_agree() -> None:
    rows = [
        uncertainty(n, typ="gmN", years=[y], events=e, datacard_name="g") for n, y, e in (("a", "1", 3), ("b", "2", 4))
    ]
    with pytest.raises(DeclarationError, match="declared as gmN 3 by 'a' and as gmN 4 by 'b'"):
        Systematics(rows)


def test_keys_are_the_names_in_the_card() -> None:
    rows = Systematics([uncertainty("JER", typ="shape", datacard_name="CMS_res_j")])
    assert list(rows) == ["CMS_res_j"]
    with pytest.raises(DeclarationError, match="key 'JER' of Systematics holds the SystematicUncertainty 'CMS_res_j'"):
        rows["JER"] = uncertainty("JER", typ="shape", datacard_name="CMS_res_j")
    rows["CMS_res_j"] = uncertainty("other", datacard_name="CMS_res_j")
    assert [row.name for row in rows.values() if row.typ == "lnN"] == ["other"]


def test_copies_are_equal() -> None:
    rows = Systematics([uncertainty(), uncertainty("JER", typ="shape", coffea_name_alias={"tt": "jer"})])
    for same in (copy.deepcopy(rows), pickle.loads(pickle.dumps(rows)), rows.copy()):
        assert type(same) is Systematics
        assert same == rows
        assert same["JER"].variation("tt", "2017") == "jer"


CELLS = st.dictionaries(
    st.tuples(st.sampled_from(["a", "b", "c"]), st.sampled_from(["1", "2", "3"])), st.floats(0.5, 2), min_size=1
)


@given(cells=CELLS, data=st.data())
def test_any_partition_of_the_cells_joins_to_the_same_nuisance(cells: dict[tuple[str, str], float], data: Any) -> None:
    parts: dict[int, list[tuple[str, str]]] = {}
    for cell in cells:
        parts.setdefault(data.draw(st.integers(0, 2)), []).append(cell)
    declared = []
    for number, part in parts.items():
        table: dict[str, dict[str, float]] = {}
        for process, year in part:
            table.setdefault(process, {})[year] = cells[process, year]
        declared.append(SystematicUncertainty(f"part{number}", "lnN", table, datacard_name="joined"))
    (joined,) = Systematics(declared).values()
    assert joined.cells == cells
